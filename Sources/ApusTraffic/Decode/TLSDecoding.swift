internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

/// Transport sockets: plain ones and TLS.
enum TransportSocketDecoding {
    static func isRaw(_ socket: Envoy_Config_Core_V3_TransportSocket) -> Bool {
        let type = Packed.typeName(socket.typedConfig)
        return type == "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
            || (type.isEmpty && socket.name == "envoy.transport_sockets.raw_buffer")
    }

    /// Of a filter chain; nil: plain.
    static func server(
        _ socket: Envoy_Config_Core_V3_TransportSocket, _ context: inout DecodingContext
    ) throws(Refusal) -> TLSContext? {
        if isRaw(socket) { return nil }
        let message = try Packed.unpack(
            try known(socket, Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext.protoMessageName),
            as: Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext.self)
        var server = TLSContext.Server()
        server.requiresClientCertificate = message.requireClientCertificate.value
        server.requiresServerName = message.requireSni.value
        let decoded = try TLSContext.decode(
            message.commonTlsContext, role: .server(server),
            version: ContentVersion(of: Array(socket.typedConfig.value)),
            &context)
        guard decoded.certificate != nil else {
            throw Refusal("common_tls_context", "a server needs a certificate")
        }
        if server.requiresClientCertificate, decoded.trust == nil {
            throw Refusal.unsupported(
                "require_client_certificate", "a certificate that nothing says how to judge")
        }
        return decoded
    }

    /// Of a cluster or of some of its endpoints; nil: plain.
    static func client(
        _ socket: Envoy_Config_Core_V3_TransportSocket, names: Envoy_Config_Core_V3_UpstreamHttpProtocolOptions,
        _ context: inout DecodingContext
    ) throws(Refusal) -> TLSContext? {
        if isRaw(socket) { return nil }
        let message = try Packed.unpack(
            try known(socket, Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext.protoMessageName),
            as: Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext.self)
        guard message.sni.utf8.count <= 255 else { throw Refusal("sni", "longer than 255 bytes") }
        var client = TLSContext.Client()
        client.serverName = message.sni
        client.usesRequestName = names.autoSni && message.sni.isEmpty
        client.checksRequestName = names.autoSanValidation
        return try TLSContext.decode(
            message.commonTlsContext, role: .client(client),
            version: ContentVersion(of: Array(socket.typedConfig.value)),
            &context)
    }

    private static func known(
        _ socket: Envoy_Config_Core_V3_TransportSocket, _ name: String
    ) throws(Refusal) -> Google_Protobuf_Any {
        let type = Packed.typeName(socket.typedConfig)
        guard type == name else { throw Refusal.unsupported("", type.isEmpty ? socket.name : type) }
        return socket.typedConfig
    }
}

extension TLSContext {
    /// What BoringSSL knows of TLS 1.2, by OpenSSL's names.
    private static let knownCiphers: Set<String> = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
        "ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA",
    ]

    fileprivate static func decode(
        _ message: Envoy_Extensions_TransportSockets_Tls_V3_CommonTlsContext, role: Role, version: ContentVersion,
        _ context: inout DecodingContext
    ) throws(Refusal) -> TLSContext {
        try at("common_tls_context") { () throws(Refusal) in
            let parameters = message.tlsParams
            let (minimum, maximum) = try at("tls_params") { () throws(Refusal) in try versions(parameters) }
            var ciphers: [String] = []
            for (index, entry) in parameters.cipherSuites.enumerated() {
                // A group of equal preference is in brackets.
                for name in entry.split(whereSeparator: { "[]|".contains($0) }).map(String.init) {
                    guard knownCiphers.contains(name) else {
                        throw Refusal.unsupported("tls_params.cipher_suites[\(index)]", "'\(name)'")
                    }
                    ciphers.append(name)
                }
            }
            let curves = try each("tls_params.ecdh_curves", parameters.ecdhCurves) { name throws(Refusal) -> Curve in
                switch name {
                case "X25519": return .x25519
                case "P-256": return .p256
                case "P-384": return .p384
                case "P-521": return .p521
                default: throw Refusal.unsupported("", "'\(name)'")
                }
            }
            // The TLS library takes nothing but ASCII, and stops the process at anything else.
            for (index, name) in message.alpnProtocols.enumerated()
            where !(1...255).contains(name.utf8.count) || !name.utf8.allSatisfy({ $0 < 0x80 }) {
                throw Refusal("alpn_protocols[\(index)]", "must have 1 to 255 bytes of ASCII")
            }
            return TLSContext(
                version: version, role: role, certificate: try certificate(message, &context),
                trust: try trust(message, &context), alpn: message.alpnProtocols, minimum: minimum, maximum: maximum,
                ciphers: ciphers, curves: curves)
        }
    }

    private static func versions(
        _ parameters: Envoy_Extensions_TransportSockets_Tls_V3_TlsParameters
    ) throws(Refusal) -> (Version, Version?) {
        func version(
            _ value: Envoy_Extensions_TransportSockets_Tls_V3_TlsParameters.TlsProtocol, _ field: String
        ) throws(Refusal) -> Version? {
            switch value {
            case .tlsAuto: return nil
            case .tlsv10, .tlsv11: throw Refusal.unsupported(field, "a version before TLS 1.2")
            case .tlsv12: return .tls12
            case .tlsv13: return .tls13
            case .UNRECOGNIZED: throw Refusal(field, "unknown value")
            }
        }
        let minimum = try version(parameters.tlsMinimumProtocolVersion, "tls_minimum_protocol_version") ?? .tls12
        let maximum = try version(parameters.tlsMaximumProtocolVersion, "tls_maximum_protocol_version")
        if minimum == .tls13, maximum == .tls12 {
            throw Refusal("tls_maximum_protocol_version", "below tls_minimum_protocol_version")
        }
        return (minimum, maximum)
    }

    private static func certificate(
        _ message: Envoy_Extensions_TransportSockets_Tls_V3_CommonTlsContext, _ context: inout DecodingContext
    ) throws(Refusal) -> CertificateSource? {
        let configs = message.tlsCertificateSdsSecretConfigs
        guard message.tlsCertificates.count + configs.count <= 1 else {
            let field = configs.isEmpty ? "tls_certificates" : "tls_certificate_sds_secret_configs"
            throw Refusal.unsupported(field, "more than one certificate")
        }
        if let config = configs.first {
            return .secret(
                try at("tls_certificate_sds_secret_configs[0]") { () throws(Refusal) in
                    try SecretReference.decode(config, &context)
                })
        }
        guard let certificate = message.tlsCertificates.first else { return nil }
        return try at("tls_certificates[0]") { () throws(Refusal) in
            if case .filename(let chain)? = certificate.certificateChain.specifier,
                case .filename(let key)? = certificate.privateKey.specifier
            {
                guard !chain.contains("~"), !key.contains("~") else {
                    throw Refusal.unsupported("certificate_chain", "a path with a ~")
                }
                return .secret(try context.secret("\(chain)~\(key)", .file))
            }
            return .inline(try TLSCertificate.decode(certificate))
        }
    }

    private static func trust(
        _ message: Envoy_Extensions_TransportSockets_Tls_V3_CommonTlsContext, _ context: inout DecodingContext
    ) throws(Refusal) -> TrustSource? {
        switch message.validationContextType {
        case .validationContext(let validation):
            return try at("validation_context") { () throws(Refusal) -> TrustSource? in
                let trust = try TLSTrust.decode(validation)
                if case .filename(let path)? = validation.trustedCa.specifier {
                    return .secret(trust, try context.secret(path, .file))
                }
                if !trust.hasRoots {
                    guard trust.names.isEmpty else {
                        throw Refusal("match_typed_subject_alt_names", "without trusted_ca nothing can be believed")
                    }
                    return nil
                }
                return .inline(trust)
            }
        case .validationContextSdsSecretConfig(let config):
            return .secret(
                TLSTrust(),
                try at("validation_context_sds_secret_config") { () throws(Refusal) in
                    try SecretReference.decode(config, &context)
                })
        case .combinedValidationContext(let combined):
            return try at("combined_validation_context") { () throws(Refusal) in
                .secret(
                    try at("default_validation_context") { () throws(Refusal) in
                        try TLSTrust.decode(combined.defaultValidationContext)
                    },
                    try at("validation_context_sds_secret_config") { () throws(Refusal) in
                        try SecretReference.decode(combined.validationContextSdsSecretConfig, &context)
                    })
            }
        case .validationContextCertificateProviderInstance:
            throw Refusal.unsupported("validation_context_certificate_provider_instance")
        case nil: return nil
        }
    }
}

extension SecretReference {
    /// The service that gives a proxy its own certificate and the mesh's roots: Istio's agent, or the proxy itself.
    static let identityCluster = "sds-grpc"

    fileprivate static func decode(
        _ config: Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig, _ context: inout DecodingContext
    ) throws(Refusal) -> SecretReference {
        guard !config.name.isEmpty else { throw Refusal("name", "empty") }
        switch config.sdsConfig.configSourceSpecifier {
        case .ads, .self_p: return try context.secret(config.name, .stream)
        case .apiConfigSource(let source):
            guard source.apiType == .grpc || source.apiType == .deltaGrpc,
                source.grpcServices.first?.envoyGrpc.clusterName == identityCluster
            else { throw Refusal.unsupported("sds_config.api_config_source", "a source of secrets of its own") }
            guard config.name == "default" || config.name == "ROOTCA" else {
                throw Refusal("name", "the proxy itself has the secrets default and ROOTCA, not '\(config.name)'")
            }
            return try context.secret(config.name, .identity)
        case .path, .pathConfigSource: throw Refusal.unsupported("sds_config", "secrets from files")
        case nil: throw Refusal("sds_config", "no configuration source")
        }
    }
}

extension TLSCertificate {
    static func decode(
        _ message: Envoy_Extensions_TransportSockets_Tls_V3_TlsCertificate
    ) throws(Refusal) -> TLSCertificate {
        TLSCertificate(
            chain: try at("certificate_chain") { () throws(Refusal) in try message.certificateChain.inlineBytes() },
            key: try at("private_key") { () throws(Refusal) in try message.privateKey.inlineBytes() })
    }
}

extension TLSTrust {
    static func decode(
        _ message: Envoy_Extensions_TransportSockets_Tls_V3_CertificateValidationContext
    ) throws(Refusal) -> TLSTrust {
        var trust = TLSTrust()
        switch message.trustedCa.specifier {
        case .filename, nil: break
        default: trust.roots = try at("trusted_ca") { () throws(Refusal) in try message.trustedCa.inlineBytes() }
        }
        trust.usesSystemRoots = message.hasSystemRootCerts
        // Names of a certificate that nobody vouches for prove nothing.
        guard message.trustChainVerification == .verifyTrustChain else {
            throw Refusal.unsupported("trust_chain_verification", "ACCEPT_UNTRUSTED")
        }
        trust.names = try each("match_typed_subject_alt_names", message.matchTypedSubjectAltNames) {
            entry throws(Refusal) in
            let kind: SubjectNameMatch.Kind
            switch entry.sanType {
            case .email: kind = .email
            case .dns: kind = .dns
            case .uri: kind = .uri
            case .ipAddress: kind = .ipAddress
            case .otherName: throw Refusal.unsupported("san_type", "OTHER_NAME")
            case .unspecified, .UNRECOGNIZED: throw Refusal("san_type", "unknown value")
            }
            return SubjectNameMatch(
                kind: kind, match: try at("matcher") { () throws(Refusal) in try StringMatch(entry.matcher) })
        }
        return trust
    }
}

extension Secret {
    static func decode(
        _ message: Envoy_Extensions_TransportSockets_Tls_V3_Secret, version: ContentVersion
    ) throws(Refusal) -> Secret {
        switch message.type {
        case .tlsCertificate(let certificate):
            return Secret(
                name: message.name, version: version,
                content: .certificate(
                    try at("tls_certificate") { () throws(Refusal) in try TLSCertificate.decode(certificate) }))
        case .validationContext(let validation):
            return Secret(
                name: message.name, version: version,
                content: .trust(
                    try at("validation_context") { () throws(Refusal) in
                        if case .filename? = validation.trustedCa.specifier {
                            throw Refusal.unsupported("trusted_ca", "a file named by a secret")
                        }
                        return try TLSTrust.decode(validation)
                    }))
        case .sessionTicketKeys: throw Refusal.unsupported("session_ticket_keys")
        case .genericSecret: throw Refusal.unsupported("generic_secret")
        case nil: throw Refusal("", "holds nothing")
        }
    }
}

extension Envoy_Config_Core_V3_DataSource {
    func inlineBytes() throws(Refusal) -> [UInt8] {
        switch specifier {
        case .inlineBytes(let data): return Array(data)
        case .inlineString(let text): return Array(text.utf8)
        case .filename: throw Refusal.unsupported("filename", "a file beside bytes")
        case .environmentVariable: throw Refusal.unsupported("environment_variable")
        case nil: throw Refusal("", "empty")
        }
    }
}
