import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Inbound chains under PeerAuthentication")
struct InboundPolicyTests {
    private typealias Context = Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext

    private let any = ["istio-peer-exchange", "istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"]

    private func listener(
        _ mode: PeerAuthentication.Mode, ports: [UInt32: PeerAuthentication.Mode] = [:], hasIdentity: Bool = true,
        _ mesh: (inout MeshConfig) -> Void = { _ in }
    ) throws -> MeshFixture.Listener {
        try #require(view(mode, ports: ports, hasIdentity: hasIdentity, mesh).listener("virtualInbound"))
    }

    private func view(
        _ mode: PeerAuthentication.Mode, ports: [UInt32: PeerAuthentication.Mode] = [:], hasIdentity: Bool = true,
        _ mesh: (inout MeshConfig) -> Void = { _ in }, more: [ConfigObject] = [],
        interception: Proxy.Interception = .redirect
    ) -> ResourceView {
        var spec = PeerAuthentication()
        spec.selector = ["app": "a"]
        spec.mtls = mode
        spec.portLevelMtls = ports
        let objects = [
            MeshFixture.service(
                "a", ip: "10.1.0.1", ports: [("http", 80, 8080), ("tcp", 3306, 3306), ("", 9000, 9000)]),
            MeshFixture.pod("a-1", app: "a", ip: "10.0.0.1"),
            MeshFixture.object(.peerAuthentication, "p", .peerAuthentication(spec)),
        ]
        let proxy = Proxy(
            id: "a-1.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "a"],
            interception: interception, hasIdentity: hasIdentity)
        return ResourceCompiler.view(for: proxy, in: MeshFixture.mesh(objects + more, mesh))
    }

    /// transport, ALPN, ends TLS, HTTP
    private func rows(_ listener: MeshFixture.Listener, _ port: UInt32) -> [String] {
        listener.filterChains.filter { $0.filterChainMatch.destinationPort.value == port }.map { chain in
            [
                chain.filterChainMatch.transportProtocol,
                chain.filterChainMatch.applicationProtocols == any
                    ? "any" : chain.filterChainMatch.applicationProtocols.joined(separator: ","),
                chain.hasTransportSocket ? "ends" : "", chain.manager != nil ? "http" : "tcp",
            ].joined(separator: " ")
        }
    }

    @Test("STRICT: nothing but the mesh's TLS")
    func strict() throws {
        let listener = try listener(.strict)
        #expect(rows(listener, 8080) == ["tls  ends http"])
        #expect(rows(listener, 3306) == ["tls  ends tcp"])
        #expect(rows(listener, 9000) == ["tls istio-http/1.0,istio-http/1.1,istio-h2 ends http", "tls  ends tcp"])
        #expect(rows(listener, 0) == ["tls istio-http/1.0,istio-http/1.1,istio-h2 ends http", "tls  ends tcp"])
    }

    @Test("PERMISSIVE: the mesh's TLS by ALPN, plaintext, and the application's own TLS where it can be")
    func permissive() throws {
        let listener = try listener(.permissive)
        #expect(rows(listener, 8080) == ["tls any ends http", "raw_buffer   http"])
        #expect(rows(listener, 3306) == ["tls any ends tcp", "tls   tcp", "raw_buffer   tcp"])
        #expect(
            rows(listener, 9000) == [
                "tls istio-http/1.0,istio-http/1.1,istio-h2 ends http", "raw_buffer http/1.1,h2c  http",
                "tls istio-peer-exchange,istio ends tcp", "raw_buffer   tcp", "tls   tcp",
            ])
    }

    @Test("DISABLE: plaintext alone")
    func disable() throws {
        let listener = try listener(.disable)
        #expect(rows(listener, 8080) == ["raw_buffer   http"])
        #expect(rows(listener, 9000) == ["raw_buffer http/1.1,h2c  http", "raw_buffer   tcp"])
    }

    @Test("A port's own mode, with a service and without")
    func ports() throws {
        let listener = try listener(.strict, ports: [8080: .disable, 7777: .permissive])
        #expect(rows(listener, 8080) == ["raw_buffer   http"])
        #expect(rows(listener, 7777).count == 5)
        #expect(
            listener.filterChains.first { $0.filterChainMatch.destinationPort.value == 7777 && $0.tcpProxy != nil }?
                .tcpProxy?.cluster == "InboundPassthroughCluster")
        #expect(rows(listener, 3306) == ["tls  ends tcp"])
    }

    @Test("What ends TLS shows the workload's certificate and takes the mesh's clients")
    func context() throws {
        let listener = try listener(.strict) {
            $0.trustDomainAliases = ["old.example"]
            $0.meshMTLS.minProtocolVersion = .v13
            $0.meshMTLS.ecdhCurves = ["P-256"]
        }
        let chain = try #require(listener.filterChains.first { $0.filterChainMatch.destinationPort.value == 8080 })
        let context = try Context(unpackingAny: chain.transportSocket.typedConfig)
        #expect(context.requireClientCertificate.value)
        let common = context.commonTlsContext
        #expect(common.alpnProtocols == ["h2", "http/1.1"])
        #expect(common.tlsParams.tlsMinimumProtocolVersion == .tlsv13 && common.tlsParams.ecdhCurves == ["P-256"])
        #expect(common.tlsParams.cipherSuites.count == 6)
        #expect(
            common.combinedValidationContext.defaultValidationContext.matchTypedSubjectAltNames.map(\.matcher.prefix)
                == ["spiffe://cluster.local/", "spiffe://old.example/"])
        let source = common.tlsCertificateSdsSecretConfigs[0].sdsConfig.apiConfigSource
        #expect(source.grpcServices.map(\.envoyGrpc.clusterName) == ["sds-grpc"])
    }

    @Test("A proxy without an identity closes what must not be plain, and serves the rest as plain")
    func withoutIdentity() throws {
        let strict = try listener(.strict, ports: [8080: .permissive, 7777: .permissive], hasIdentity: false)
        #expect(rows(strict, 8080) == ["raw_buffer   http"])
        for port: UInt32 in [3306, 9000] {
            let chains = strict.filterChains.filter { $0.filterChainMatch.destinationPort.value == port }
            #expect(chains.map { $0.tcpProxy?.cluster } == ["BlackHoleCluster"])
        }
        #expect(rows(strict, 7777).allSatisfy { $0.hasPrefix("raw_buffer") })
        #expect(rows(strict, 0) == [])
        #expect(strict.filterChains.allSatisfy { !$0.hasTransportSocket })
        let permissive = try listener(.permissive, ports: [7777: .strict], hasIdentity: false)
        #expect(rows(permissive, 8080) == ["raw_buffer   http"])
        // Without a chain of its own this port would fall to the chains for all.
        #expect(
            permissive.filterChains.filter { $0.filterChainMatch.destinationPort.value == 7777 }
                .map { $0.tcpProxy?.cluster } == ["BlackHoleCluster"])
    }

    @Test("A listener that really binds is not there if its port is closed")
    func bound() throws {
        var ingress = Sidecar.Ingress()
        ingress.port.number = 8080
        ingress.port.protocol = "HTTP"
        ingress.captureMode = .none
        ingress.defaultEndpoint = "127.0.0.1:80"
        let sidecar = MeshFixture.sidecar("a") { $0.ingress = [ingress] }
        let closed = view(.strict, hasIdentity: false, more: [sidecar], interception: .none)
        #expect(closed.listener("10.0.0.1_8080") == nil)
        let open = try #require(
            view(.strict, more: [sidecar], interception: .none).listener("10.0.0.1_8080"))
        #expect(open.filterChains.map(\.filterChainMatch.transportProtocol) == ["tls"])
        #expect(open.listenerFilterNames == ["envoy.filters.listener.tls_inspector"])
    }
}
