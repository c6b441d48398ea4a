internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// TLS towards the endpoints (semantics 4.2, `tls`), and the PROXY header before it.
///
/// Without a `tls` block, and towards services of the mesh, each endpoint decides: members of the mesh get its mutual TLS,
/// others none (semantics 3.8). A proxy without an identity has no certificate to show, so it never uses the mesh's.
enum ClusterTLS {
    /// Trust roots of the system image, when a rule names no CA.
    static let systemRoots = "/etc/ssl/certs/ca-certificates.crt"

    static func apply(
        _ target: ClusterTarget, isHTTP2: Bool, _ context: CompileContext, to cluster: inout XDS.Cluster
    ) {
        // gRPC clients take certificates from their own providers; files and SDS make them refuse the cluster.
        if context.isProxyless { return }
        if target.usesAutomaticTLS(context) {
            cluster.transportSocketMatches = automatic(target, isHTTP2: isHTTP2, context)
            return
        }
        var socket: XDS.TransportSocket?
        if let tls = target.policy.tls, let context = tlsContext(tls, target, isHTTP2: isHTTP2, context) {
            socket = tlsSocket(context)
        }
        if let version = target.policy.proxyProtocol { socket = proxyProtocol(version, around: socket) }
        if let socket { cluster.transportSocket = socket }
    }

    /// The server's name and certificate are checked against the request's host when the rule names neither.
    static func serverNameOptions(_ tls: ClientTLSSettings?) -> Envoy_Config_Core_V3_UpstreamHttpProtocolOptions? {
        guard let tls, tls.mode == .simple || tls.mode == .mutual, tls.sni.isEmpty else { return nil }
        return .with {
            $0.autoSni = true
            $0.autoSanValidation = tls.subjectAltNames.isEmpty && tls.insecureSkipVerify != true
        }
    }

    /// A cluster of many hosts has the name of none, so it is always the request's host that is shown and, unless the
    /// rule says otherwise, checked. Envoy asks for both without TLS too.
    static func namesOfDynamicHosts(_ tls: ClientTLSSettings?) -> Envoy_Config_Core_V3_UpstreamHttpProtocolOptions {
        .with {
            $0.autoSni = true
            guard let tls, tls.mode == .simple || tls.mode == .mutual else {
                $0.autoSanValidation = true
                return
            }
            $0.autoSanValidation = tls.subjectAltNames.isEmpty && tls.insecureSkipVerify != true
        }
    }

    /// nil for modes other than `SIMPLE` and `MUTUAL`.
    static func originatedSocket(_ tls: ClientTLSSettings, isHTTP2: Bool, mayUseSecret: Bool) -> XDS.TransportSocket? {
        guard tls.mode == .simple || tls.mode == .mutual else { return nil }
        return .with {
            $0.name = "envoy.transport_sockets.tls"
            $0.typedConfig = .packing(originated(tls, isHTTP2: isHTTP2, mayUseSecret: mayUseSecret))
        }
    }

    private static func tlsSocket(_ context: XDS.UpstreamTLSContext) -> XDS.TransportSocket {
        .with {
            $0.name = "envoy.transport_sockets.tls"
            $0.typedConfig = .packing(context)
        }
    }

    /// Endpoints say by their metadata which of the two they take.
    private static func automatic(
        _ target: ClusterTarget, isHTTP2: Bool, _ context: CompileContext
    ) -> [XDS.Cluster.TransportSocketMatch] {
        func wrapped(_ socket: XDS.TransportSocket) -> XDS.TransportSocket {
            target.policy.proxyProtocol.map { proxyProtocol($0, around: socket) } ?? socket
        }
        let mutual = tlsSocket(meshMutual(ClientTLSSettings(), target, isHTTP2: isHTTP2, context))
        return [
            .with {
                $0.name = "tlsMode-istio"
                $0.match.fields = ["tlsMode": IstioMetadata.string("istio")]
                $0.transportSocket = wrapped(mutual)
            },
            .with {
                $0.name = "tlsMode-disabled"
                $0.match = Google_Protobuf_Struct()
                $0.transportSocket = wrapped(plain)
            },
        ]
    }

    private static func tlsContext(
        _ tls: ClientTLSSettings, _ target: ClusterTarget, isHTTP2: Bool, _ context: CompileContext
    ) -> XDS.UpstreamTLSContext? {
        switch tls.mode {
        case .disable: nil
        case .istioMutual:
            // Without a certificate of its own the proxy speaks as it can; a server that insists refuses it.
            context.proxyClass.hasIdentity ? meshMutual(tls, target, isHTTP2: isHTTP2, context) : nil
        case .simple, .mutual:
            // Sidecars may read a Secret only for a rule that is about particular workloads.
            originated(
                tls, isHTTP2: isHTTP2,
                mayUseSecret: context.proxyClass.hasIdentity
                    && (context.isRouter || target.rule?.workloadSelector != nil))
        }
    }

    /// `SIMPLE` and `MUTUAL`: certificates from files, or by name through SDS where the rule may use a Secret.
    private static func originated(
        _ tls: ClientTLSSettings, isHTTP2: Bool, mayUseSecret: Bool
    ) -> XDS.UpstreamTLSContext {
        var result = XDS.UpstreamTLSContext()
        result.sni = tls.sni
        if isHTTP2 { result.commonTlsContext.alpnProtocols = ["h2"] }
        let secret = mayUseSecret && !tls.credentialName.isEmpty ? secretName(tls.credentialName) : nil
        if tls.mode == .mutual {
            if let secret {
                result.commonTlsContext.tlsCertificateSdsSecretConfigs = [sds(secret)]
            } else if !tls.clientCertificate.isEmpty {
                result.commonTlsContext.tlsCertificates = [
                    .with {
                        $0.certificateChain = Envoy_Config_Core_V3_DataSource(file: tls.clientCertificate)
                        $0.privateKey = Envoy_Config_Core_V3_DataSource(file: tls.privateKey)
                    }
                ]
            }
        }
        if tls.insecureSkipVerify == true { return result }
        var validation = Envoy_Extensions_TransportSockets_Tls_V3_CertificateValidationContext()
        validation.matchTypedSubjectAltNames = tls.subjectAltNames.map(subjectAltName)
        if let secret {
            result.commonTlsContext.combinedValidationContext = .with {
                $0.defaultValidationContext = validation
                $0.validationContextSdsSecretConfig = sds(secret + "-cacert")
            }
        } else {
            let roots = tls.caCertificates.isEmpty || tls.caCertificates == "system" ? systemRoots : tls.caCertificates
            validation.trustedCa = Envoy_Config_Core_V3_DataSource(file: roots)
            if !tls.caCrl.isEmpty { validation.crl = Envoy_Config_Core_V3_DataSource(file: tls.caCrl) }
            result.commonTlsContext.validationContext = validation
        }
        return result
    }

    /// `ISTIO_MUTUAL`: the workload's own certificate, the mesh's roots, and the name form that mesh gateways know.
    private static func meshMutual(
        _ tls: ClientTLSSettings, _ target: ClusterTarget, isHTTP2: Bool, _ context: CompileContext
    ) -> XDS.UpstreamTLSContext {
        let mesh = context.snapshot.meshConfig
        var names = tls.subjectAltNames.isEmpty ? target.service.subjectAltNames : tls.subjectAltNames
        if names.isEmpty {
            names = context.snapshot.endpoints(of: target.service).accounts.flatMap { account in
                mesh.trustDomains.map { "spiffe://\($0)/\(account)" }
            }
        }
        return .with {
            $0.sni =
                tls.sni.isEmpty
                ? ClusterName.sni(port: target.port.number, subset: target.subset, host: target.service.host) : tls.sni
            $0.commonTlsContext.alpnProtocols = ["istio-peer-exchange", "istio"] + (isHTTP2 ? ["h2"] : [])
            $0.commonTlsContext.tlsCertificateSdsSecretConfigs = [ServerTLS.agent("default")]
            $0.commonTlsContext.combinedValidationContext = .with {
                $0.defaultValidationContext = .with { $0.matchTypedSubjectAltNames = names.map(subjectAltName) }
                $0.validationContextSdsSecretConfig = ServerTLS.agent("ROOTCA")
            }
            $0.commonTlsContext.tlsParams.tlsMinimumProtocolVersion =
                mesh.meshMTLS.minProtocolVersion == .v13 ? .tlsv13 : .tlsv12
            $0.commonTlsContext.tlsParams.tlsMaximumProtocolVersion = .tlsv13
        }
    }

    private static func secretName(_ credential: String) -> String {
        credential.contains("://") ? credential : "kubernetes://" + credential
    }

    private static func sds(_ name: String) -> Envoy_Extensions_TransportSockets_Tls_V3_SdsSecretConfig {
        .with {
            $0.name = name
            $0.sdsConfig = .overADS
        }
    }

    /// The kind of name follows its form: `spiffe://…` and other URIs, addresses, else DNS.
    private static func subjectAltName(
        _ name: String
    ) -> Envoy_Extensions_TransportSockets_Tls_V3_SubjectAltNameMatcher {
        .with {
            if name.contains("://") {
                $0.sanType = .uri
            } else if IPAddress(name) != nil {
                $0.sanType = .ipAddress
            } else {
                $0.sanType = .dns
            }
            $0.matcher = .with { $0.exact = name }
        }
    }

    private static var plain: XDS.TransportSocket {
        .with {
            $0.name = "envoy.transport_sockets.raw_buffer"
            $0.typedConfig = .packing(Envoy_Extensions_TransportSockets_RawBuffer_V3_RawBuffer())
        }
    }

    private static func proxyProtocol(
        _ version: ProxyProtocolVersion, around socket: XDS.TransportSocket?
    ) -> XDS.TransportSocket {
        let transport: Envoy_Extensions_TransportSockets_ProxyProtocol_V3_ProxyProtocolUpstreamTransport = .with {
            $0.config = .with { $0.version = version == .v1 ? .v1 : .v2 }
            $0.transportSocket = socket ?? plain
        }
        return .with {
            $0.name = "envoy.transport_sockets.upstream_proxy_protocol"
            $0.typedConfig = .packing(transport)
        }
    }
}
