import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct AutomaticTLSTests {
    private let name = "outbound|80||a.default.svc.cluster.local"
    private let member = ["security.istio.io/tlsMode": "istio"]

    private func objects(_ more: [ConfigObject] = []) -> [ConfigObject] {
        [
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 80, 8080)]),
            MeshFixture.pod("a-1", app: "a", ip: "10.0.0.1", labels: member),
            MeshFixture.pod("a-2", app: "a", ip: "10.0.0.2"),
        ] + more
    }

    private func policy(
        _ mode: PeerAuthentication.Mode, selector: [String: String]? = nil,
        ports: [UInt32: PeerAuthentication.Mode] = [:]
    ) -> ConfigObject {
        var spec = PeerAuthentication()
        spec.mtls = mode
        spec.selector = selector
        spec.portLevelMtls = ports
        return MeshFixture.object(.peerAuthentication, "p", .peerAuthentication(spec))
    }

    private func client(_ hasIdentity: Bool = true) -> Proxy {
        var proxy = MeshFixture.client()
        proxy.hasIdentity = hasIdentity
        return proxy
    }

    private func view(
        _ more: [ConfigObject] = [], _ hasIdentity: Bool = true, _ mesh: (inout MeshConfig) -> Void = { _ in }
    ) -> ResourceView {
        ResourceCompiler.view(for: client(hasIdentity), in: MeshFixture.mesh(objects(more), mesh))
    }

    private func modes(_ view: ResourceView) -> [String] {
        (view.assignment(name)?.endpoints ?? []).flatMap(\.lbEndpoints).map {
            $0.metadata.filterMetadata["envoy.transport_socket_match"]?.fields["tlsMode"]?.stringValue ?? "-"
        }
    }

    @Test func `a cluster has a socket for members and one for others`() throws {
        let view = view()
        let cluster = try #require(view.cluster(name))
        #expect(!cluster.hasTransportSocket)
        #expect(cluster.transportSocketMatches.map(\.name) == ["tlsMode-istio", "tlsMode-disabled"])
        let first = cluster.transportSocketMatches[0]
        #expect(first.match.fields["tlsMode"]?.stringValue == "istio")
        let context = try XDS.UpstreamTLSContext(unpackingAny: first.transportSocket.typedConfig)
        #expect(context.sni == "outbound_.80_._.a.default.svc.cluster.local")
        #expect(
            context.commonTlsContext.combinedValidationContext.defaultValidationContext.matchTypedSubjectAltNames
                .map(\.matcher.exact) == ["spiffe://cluster.local/ns/default/sa/default"])
        #expect(cluster.transportSocketMatches[1].match.fields.isEmpty)
        #expect(cluster.transportSocketMatches[1].transportSocket.name == "envoy.transport_sockets.raw_buffer")
        #expect(modes(view) == ["istio", "-"])
    }

    @Test func `aliases of the trust domain are accepted too`() throws {
        let cluster = try #require(view { $0.trustDomainAliases = ["old.example"] }.cluster(name))
        let context = try XDS.UpstreamTLSContext(
            unpackingAny: cluster.transportSocketMatches[0].transportSocket.typedConfig)
        #expect(
            context.commonTlsContext.combinedValidationContext.defaultValidationContext.matchTypedSubjectAltNames
                .map(\.matcher.exact) == [
                    "spiffe://cluster.local/ns/default/sa/default", "spiffe://old.example/ns/default/sa/default",
                ])
    }

    @Test func `a proxy without an identity, or a mesh without automatic TLS, stays plain`() {
        #expect(view([], false).cluster(name)?.transportSocketMatches == [])
        #expect(modes(view([], false)) == ["-", "-"])
        #expect(view { $0.enableAutoMtls = false }.cluster(name)?.transportSocketMatches == [])
    }

    @Test func `a namespace with DISABLE is called without TLS`() {
        let view = view([policy(.disable)])
        #expect(view.cluster(name)?.transportSocketMatches == [])
        #expect(modes(view) == ["-", "-"])
    }

    @Test func `a workload or port with DISABLE is called without TLS, its neighbours with it`() {
        let view = view([policy(.strict, selector: ["app": "a"], ports: [8080: .disable])])
        #expect(view.cluster(name)?.transportSocketMatches.count == 2)
        #expect(modes(view) == ["-", "-"])
        #expect(modes(self.view([policy(.strict, selector: ["app": "a"], ports: [9: .disable])])) == ["istio", "-"])
    }

    @Test(arguments: [ClientTLSSettings.Mode.disable, .simple, .istioMutual])
    func `a rule's TLS turns the automatic off`(mode: ClientTLSSettings.Mode) throws {
        let rule = MeshFixture.destinationRule("a", host: "a") {
            var settings = ClientTLSSettings()
            settings.mode = mode
            $0.trafficPolicy = TrafficPolicy()
            $0.trafficPolicy?.tls = settings
        }
        let view = view([rule])
        let cluster = try #require(view.cluster(name))
        #expect(cluster.transportSocketMatches == [] && cluster.hasTransportSocket == (mode != .disable))
        #expect(modes(view) == [mode == .istioMutual ? "istio" : "-", "-"])
    }

    @Test func `outside of the mesh nobody speaks its TLS`() throws {
        let entry = MeshFixture.serviceEntry(
            "ext", hosts: ["ext.example.com"], ports: [("HTTP", 80)], resolution: .static, endpoints: ["10.5.0.1"])
        let cluster = try #require(view([entry]).cluster("outbound|80||ext.example.com"))
        #expect(cluster.transportSocketMatches == [] && !cluster.hasTransportSocket)
    }

    @Test func `a change of a policy, or of the accounts, reaches the clusters; one of endpoints alone does not`() {
        let before = MeshFixture.mesh(objects())
        let compiled = CompiledMesh(snapshot: before)
        let first = compiled.view(for: client())
        func next(_ changed: [ConfigObject]) -> ResourceView {
            let after = before.updated(changed: changed)
            let incremental = compiled.updated(to: after, changes: after.changes(since: before)).view(for: client())
            let fresh = ResourceCompiler.view(for: client(), in: after)
            #expect(incremental.clusters.version == fresh.clusters.version)
            #expect(incremental.endpoints.version == fresh.endpoints.version)
            return incremental
        }
        #expect(next([policy(.disable)]).clusters.version != first.clusters.version)
        let moved = next([MeshFixture.pod("a-3", app: "a", ip: "10.0.0.3", labels: member)])
        #expect(moved.clusters === first.clusters && moved.endpoints !== first.endpoints)
        var spec = Pod()
        spec.podIPs = ["10.0.0.4"]
        spec.ready = true
        spec.serviceAccountName = "other"
        let other = MeshFixture.object(.pod, "a-4", labels: ["app": "a"], .pod(spec))
        #expect(next([other]).clusters.version != first.clusters.version)
    }
}
