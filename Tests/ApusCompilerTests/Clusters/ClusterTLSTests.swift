import ApusAPI
import ApusCompiler
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct ClusterTLSTests {
    private func cluster(
        _ mode: ClientTLSSettings.Mode, ports: [(UInt32, String)] = [(80, "http")], role: Proxy.Role = .sidecar,
        hasIdentity: Bool = true,
        _ change: (inout ClientTLSSettings) -> Void = { _ in }
    ) -> XDS.Cluster {
        Outbound.cluster(ports: ports, role: role, hasIdentity: hasIdentity) {
            var tls = ClientTLSSettings()
            tls.mode = mode
            change(&tls)
            $0.tls = tls
        }
    }

    @Test func `without a tls block, or with DISABLE, connections are plain`() {
        #expect(!Outbound.cluster { _ in }.hasTransportSocket)
        #expect(!cluster(.disable).hasTransportSocket)
    }

    @Test func `SIMPLE checks the server against the system's roots`() {
        let cluster = cluster(.simple)
        #expect(cluster.transportSocket.name == "envoy.transport_sockets.tls")
        let context = cluster.tlsContext?.commonTlsContext
        #expect(context?.validationContext.trustedCa.filename == "/etc/ssl/certs/ca-certificates.crt")
        #expect(context?.tlsCertificates.isEmpty == true)
    }

    @Test func `caCertificates and caCrl are files`() {
        let validation = cluster(.simple) {
            $0.caCertificates = "/ca.pem"
            $0.caCrl = "/crl.pem"
        }.tlsContext?.commonTlsContext.validationContext
        #expect(validation?.trustedCa.filename == "/ca.pem")
        #expect(validation?.crl.filename == "/crl.pem")
    }

    @Test func `without sni the name comes from the request, and so does the check`() {
        let names = cluster(.simple).httpOptions?.upstreamHTTPProtocolOptions
        #expect(names?.autoSni == true && names?.autoSanValidation == true)
    }

    @Test func `with subjectAltNames the automatic check is off, the automatic name is not`() {
        let cluster = cluster(.simple) { $0.subjectAltNames = ["a.example.com", "spiffe://x/y", "10.0.0.1"] }
        let names = cluster.httpOptions?.upstreamHTTPProtocolOptions
        #expect(names?.autoSni == true && names?.autoSanValidation == false)
        let matchers = cluster.tlsContext?.commonTlsContext.validationContext.matchTypedSubjectAltNames
        #expect(matchers?.map(\.sanType) == [.dns, .uri, .ipAddress])
        #expect(matchers?.map(\.matcher.exact) == ["a.example.com", "spiffe://x/y", "10.0.0.1"])
    }

    @Test func `sni is sent as written`() {
        let cluster = cluster(.simple) { $0.sni = "api.example.com" }
        #expect(cluster.tlsContext?.sni == "api.example.com")
        #expect(cluster.httpOptions == nil)
    }

    @Test func `insecureSkipVerify checks nothing`() {
        let cluster = cluster(.simple) { $0.insecureSkipVerify = true }
        #expect(cluster.tlsContext?.commonTlsContext.validationContextType == nil)
        #expect(cluster.httpOptions?.upstreamHTTPProtocolOptions.autoSanValidation == false)
    }

    @Test func `ALPN offers h2 where the cluster speaks HTTP/2`() {
        #expect(cluster(.simple).tlsContext?.commonTlsContext.alpnProtocols == [])
        #expect(cluster(.simple, ports: [(80, "grpc")]).tlsContext?.commonTlsContext.alpnProtocols == ["h2"])
    }

    @Test func `MUTUAL sends a certificate from files`() {
        let certificate = cluster(.mutual) {
            $0.clientCertificate = "/cert.pem"
            $0.privateKey = "/key.pem"
        }.tlsContext?.commonTlsContext.tlsCertificates.first
        #expect(certificate?.certificateChain.filename == "/cert.pem")
        #expect(certificate?.privateKey.filename == "/key.pem")
    }

    @Test func `credentialName is a Secret for gateways only`() {
        let gateway = cluster(.mutual, role: .router) { $0.credentialName = "client" }.tlsContext?.commonTlsContext
        #expect(gateway?.tlsCertificateSdsSecretConfigs.map(\.name) == ["kubernetes://client"])
        #expect(
            gateway?.combinedValidationContext.validationContextSdsSecretConfig.name == "kubernetes://client-cacert")
        let sidecar = cluster(.mutual) { $0.credentialName = "client" }.tlsContext?.commonTlsContext
        #expect(sidecar?.tlsCertificateSdsSecretConfigs.isEmpty == true)
    }

    @Test func `credentialName gives nothing to a proxy without an identity`() {
        let gateway = cluster(.mutual, role: .router, hasIdentity: false) { $0.credentialName = "client" }
        #expect(gateway.tlsContext?.commonTlsContext.tlsCertificateSdsSecretConfigs.isEmpty == true)
    }

    @Test func `ISTIO_MUTUAL shows the mesh's certificate, and is plain for a proxy that has none`() throws {
        let context = try #require(cluster(.istioMutual).tlsContext)
        #expect(context.sni == "outbound_.80_._.reviews.default.svc.cluster.local")
        let common = context.commonTlsContext
        #expect(common.alpnProtocols == ["istio-peer-exchange", "istio"])
        #expect(common.tlsCertificateSdsSecretConfigs.map(\.name) == ["default"])
        let source = common.tlsCertificateSdsSecretConfigs[0].sdsConfig.apiConfigSource
        #expect(source.grpcServices.map(\.envoyGrpc.clusterName) == ["sds-grpc"])
        #expect(common.combinedValidationContext.validationContextSdsSecretConfig.name == "ROOTCA")
        #expect(
            cluster(.istioMutual, ports: [(80, "grpc")]).tlsContext?.commonTlsContext.alpnProtocols
                == ["istio-peer-exchange", "istio", "h2"])
        #expect(!cluster(.istioMutual, hasIdentity: false).hasTransportSocket)
    }

    @Test func `certificates of one's own turn the mesh's ALPN override off`() {
        let istio = cluster(.simple).metadata.filterMetadata["istio"]?.fields
        #expect(istio?["alpn_override"]?.stringValue == "false")
        #expect(cluster(.istioMutual).metadata.filterMetadata["istio"]?.fields["alpn_override"] == nil)
    }

    @Test(arguments: [ProxyProtocolVersion.v1, .v2])
    func `the PROXY header goes before plain or encrypted bytes`(version: ProxyProtocolVersion) throws {
        typealias Transport = Envoy_Extensions_TransportSockets_ProxyProtocol_V3_ProxyProtocolUpstreamTransport
        let plain = Outbound.cluster { $0.proxyProtocol = version }.transportSocket
        #expect(plain.name == "envoy.transport_sockets.upstream_proxy_protocol")
        let transport = try Transport(unpackingAny: plain.typedConfig)
        #expect(transport.config.version == (version == .v1 ? .v1 : .v2))
        #expect(transport.transportSocket.name == "envoy.transport_sockets.raw_buffer")
        let secure = Outbound.cluster {
            $0.proxyProtocol = version
            $0.tls = ClientTLSSettings()
            $0.tls?.mode = .simple
        }.transportSocket
        #expect(try Transport(unpackingAny: secure.typedConfig).transportSocket.name == "envoy.transport_sockets.tls")
    }
}
