internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// Server side of TLS: what a filter chain that ends TLS presents and asks for.
enum ServerTLS {
    typealias Context = Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext
    typealias Common = Envoy_Extensions_TransportSockets_Tls_V3_CommonTlsContext
    typealias SecretConfig = Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig

    /// Istio's list for the mesh's own TLS (semantics 3.6).
    static let meshCiphers = [
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-GCM-SHA256",
    ]

    /// The mesh's mutual TLS: own certificate, and a client of one of the trust domains.
    static func mutual(_ mesh: MeshConfig, alpn: [String]) -> Envoy_Config_Core_V3_TransportSocket {
        var context = Context()
        context.requireClientCertificate.value = true
        context.commonTlsContext.alpnProtocols = alpn
        context.commonTlsContext.tlsParams.tlsMinimumProtocolVersion =
            mesh.meshMTLS.minProtocolVersion == .v13 ? .tlsv13 : .tlsv12
        context.commonTlsContext.tlsParams.tlsMaximumProtocolVersion = .tlsv13
        context.commonTlsContext.tlsParams.cipherSuites =
            mesh.meshMTLS.cipherSuites.isEmpty ? meshCiphers : mesh.meshMTLS.cipherSuites
        context.commonTlsContext.tlsParams.ecdhCurves = mesh.meshMTLS.ecdhCurves
        context.commonTlsContext.tlsCertificateSdsSecretConfigs = [agent("default")]
        context.commonTlsContext.combinedValidationContext.defaultValidationContext.matchTypedSubjectAltNames =
            mesh.trustDomains.map { domain in
                var matcher = Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher()
                matcher.sanType = .uri
                matcher.matcher.prefix = "spiffe://\(domain)/"
                return matcher
            }
        context.commonTlsContext.combinedValidationContext.validationContextSdsSecretConfig = agent("ROOTCA")
        return socket(context)
    }

    /// A Gateway server's or a Sidecar ingress's own TLS (semantics 3.10 and 2.5); nil for modes that end no TLS.
    static func gateway(
        _ settings: ServerTLSSettings, _ mesh: MeshConfig, isHTTP: Bool
    ) -> Envoy_Config_Core_V3_TransportSocket? {
        let alpn = isHTTP ? ALPN.serverHTTP : []
        switch settings.mode {
        case .passthrough, .autoPassthrough:
            return nil
        case .istioMutual:
            return mutual(mesh, alpn: isHTTP ? ALPN.serverHTTP : ALPN.serverTCP)
        case .simple, .mutual, .optionalMutual:
            break
        }
        var context = Context()
        context.commonTlsContext.alpnProtocols = alpn
        parameters(settings, &context.commonTlsContext)
        certificates(settings, &context.commonTlsContext)
        if settings.mode != .simple {
            context.requireClientCertificate.value = settings.mode == .mutual
            clientValidation(settings, &context.commonTlsContext)
        } else {
            context.requireClientCertificate.value = false
        }
        return socket(context)
    }

    private static func socket(_ context: Context) -> Envoy_Config_Core_V3_TransportSocket {
        var socket = Envoy_Config_Core_V3_TransportSocket()
        socket.name = "envoy.transport_sockets.tls"
        socket.typedConfig = .packing(context)
        return socket
    }

    private static func parameters(_ settings: ServerTLSSettings, _ common: inout Common) {
        typealias Version = Envoy_Extensions_TransportSockets_Tls_V3_TlsParameters.TlsProtocol
        func version(_ written: ServerTLSSettings.ProtocolVersion) -> Version? {
            switch written {
            case .auto: nil
            case .v10: .tlsv10
            case .v11: .tlsv11
            case .v12: .tlsv12
            case .v13: .tlsv13
            }
        }
        common.tlsParams.tlsMinimumProtocolVersion = version(settings.minProtocolVersion) ?? .tlsv12
        if let most = version(settings.maxProtocolVersion) { common.tlsParams.tlsMaximumProtocolVersion = most }
        var seen: Set<String> = []
        common.tlsParams.cipherSuites = settings.cipherSuites.filter { seen.insert($0).inserted }
    }

    /// By name over the control plane's own stream, else from files.
    private static func certificates(_ settings: ServerTLSSettings, _ common: inout Common) {
        var names = settings.credentialNames
        if names.isEmpty, !settings.credentialName.isEmpty { names = [settings.credentialName] }
        if !names.isEmpty {
            common.tlsCertificateSdsSecretConfigs = names.map { served(resourceName($0)) }
            return
        }
        var files = settings.tlsCertificates
        if files.isEmpty {
            var file = ServerTLSSettings.Certificate()
            file.serverCertificate = settings.serverCertificate
            file.privateKey = settings.privateKey
            files = [file]
        }
        common.tlsCertificates = files.filter { !$0.serverCertificate.isEmpty }.map { file in
            var certificate = Envoy_Extensions_TransportSockets_Tls_V3_TlsCertificate()
            certificate.certificateChain.filename = file.serverCertificate
            certificate.privateKey.filename = file.privateKey
            return certificate
        }
    }

    private static func clientValidation(_ settings: ServerTLSSettings, _ common: inout Common) {
        var context = Envoy_Extensions_TransportSockets_Tls_V3_CertificateValidationContext()
        context.matchTypedSubjectAltNames = settings.subjectAltNames.flatMap { name in
            // A name may stand in any of these kinds; the certificate decides.
            [Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher.SanType.dns, .uri, .email, .ipAddress]
                .map { kind in
                    var matcher = Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher()
                    matcher.sanType = kind
                    matcher.matcher.exact = name
                    return matcher
                }
        }
        context.verifyCertificateSpki = settings.verifyCertificateSpki
        context.verifyCertificateHash = settings.verifyCertificateHash
        let credential =
            !settings.caCertCredentialName.isEmpty
            ? settings.caCertCredentialName
            : (settings.credentialNames.first ?? settings.credentialName)
        if !credential.isEmpty {
            let name =
                settings.caCertCredentialName.isEmpty
                ? resourceName(credential) + "-cacert" : resourceName(credential)
            common.combinedValidationContext.defaultValidationContext = context
            common.combinedValidationContext.validationContextSdsSecretConfig = served(name)
            return
        }
        if !settings.caCertificates.isEmpty { context.trustedCa.filename = settings.caCertificates }
        if !settings.caCrl.isEmpty { context.crl.filename = settings.caCrl }
        common.validationContext = context
    }

    /// `x` is `kubernetes://x`; a name that says where it lives stays.
    static func resourceName(_ credential: String) -> String {
        credential.contains("://") ? credential : "kubernetes://\(credential)"
    }

    private static func served(_ name: String) -> SecretConfig {
        var config = SecretConfig()
        config.name = name
        config.sdsConfig = ConfigSources.ads
        return config
    }

    /// Whoever gives the proxy its own certificate: an agent beside it, or for a stock Envoy this control plane. The
    /// bootstrap says who that is.
    static func agent(_ name: String) -> SecretConfig {
        var service = Envoy_Config_Core_V3_GrpcService()
        service.envoyGrpc.clusterName = "sds-grpc"
        var config = SecretConfig()
        config.name = name
        config.sdsConfig.apiConfigSource.apiType = .grpc
        config.sdsConfig.apiConfigSource.transportApiVersion = .v3
        config.sdsConfig.apiConfigSource.setNodeOnFirstMessageOnly = true
        config.sdsConfig.apiConfigSource.grpcServices = [service]
        config.sdsConfig.initialFetchTimeout = Google_Protobuf_Duration()
        config.sdsConfig.resourceApiVersion = .v3
        return config
    }
}
