import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Gateway servers of mode AUTO_PASSTHROUGH")
struct SNIRoutingTests {
    private let reviews = MeshFixture.service("reviews", ip: "10.1.0.1", ports: [("http", 80, 8080)])
    private let rule = MeshFixture.destinationRule("reviews", host: "reviews", subsets: ["v1"])
    private let plain = "outbound_.80_._.reviews.default.svc.cluster.local"
    private let v1 = "outbound_.80_.v1_.reviews.default.svc.cluster.local"

    private func pod(_ name: String, ip: String, _ labels: [String: String] = [:]) -> ConfigObject {
        MeshFixture.pod(name, app: "reviews", ip: ip, labels: labels)
    }

    private func gateway(_ hosts: [String] = ["*.local"]) -> ConfigObject {
        MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(15443, "TLS"), hosts: hosts) { $0.mode = .autoPassthrough }
        ])
    }

    private func view(_ objects: [ConfigObject]) -> ResourceView {
        ResourceCompiler.view(for: MeshFixture.router(), in: MeshFixture.mesh(objects))
    }

    @Test("There is a chain per service port and subset: by SNI, for the mesh's ALPN, to the cluster of that name")
    func chains() throws {
        let listener = try #require(view([gateway(), reviews, rule]).listener("0.0.0.0_15443"))
        #expect(listener.filterChains.map(\.filterChainMatch.serverNames) == [[plain], [v1]])
        #expect(listener.filterChains.map { $0.tcpProxy?.cluster } == [plain, v1])
        for chain in listener.filterChains {
            #expect(chain.filterChainMatch.transportProtocol == "tls")
            #expect(chain.filterChainMatch.applicationProtocols.contains("istio"))
            #expect(!chain.filterChainMatch.applicationProtocols.contains("h2"))
            #expect(!chain.hasTransportSocket)
        }
        #expect(listener.listenerFilters.map(\.name).contains("envoy.filters.listener.tls_inspector"))
    }

    @Test("The clusters put no TLS around the client's, and lead to endpoints that end the mesh's own")
    func clusters() throws {
        let secure = ["security.istio.io/tlsMode": "istio"]
        let tls = MeshFixture.destinationRule("reviews", host: "reviews", subsets: ["v1"]) {
            var settings = ClientTLSSettings()
            settings.mode = .simple
            $0.trafficPolicy = TrafficPolicy()
            $0.trafficPolicy?.tls = settings
        }
        let view = view([
            gateway(), reviews, tls, pod("a", ip: "10.0.1.1", secure), pod("b", ip: "10.0.1.2"),
            pod("c", ip: "10.0.1.3", secure.merging(["version": "v1"]) { $1 }),
        ])
        let cluster = try #require(view.cluster(plain))
        #expect(cluster.type == .eds)
        #expect(cluster.edsClusterConfig.serviceName == plain)
        #expect(!cluster.hasTransportSocket)
        func addresses(_ name: String) -> [String] {
            (view.assignment(name)?.endpoints ?? []).flatMap(\.lbEndpoints)
                .map(\.endpoint.address.socketAddress.address).sorted()
        }
        #expect(addresses(plain) == ["10.0.1.1", "10.0.1.3"])
        #expect(addresses(v1) == ["10.0.1.3"])
        // The usual cluster beside it is as ever.
        #expect(view.cluster("outbound|80||reviews.default.svc.cluster.local")?.hasTransportSocket == true)
    }

    @Test("Hosts of the server limit the services; those outside of the mesh are never among them")
    func limits() {
        let outside = MeshFixture.serviceEntry(
            "out", hosts: ["api.local"], ports: [("TLS", 443)], resolution: .static, endpoints: ["192.0.2.1"])
        let some = view([gateway(["*.other.svc.cluster.local"]), reviews, outside])
        #expect(some.listenerNames == [])
        #expect(some.clusters.byName[plain] == nil)
        let all = view([gateway(), reviews, outside])
        #expect(all.clusters.byName.keys.filter { $0.hasPrefix("outbound_.") } == [plain])
    }

    @Test("A gateway without such a server has no such clusters")
    func without() {
        let other = MeshFixture.gateway(servers: [MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["*"])])
        let view = view([other, reviews, rule])
        #expect(view.clusters.byName.keys.allSatisfy { !$0.hasPrefix("outbound_.") })
        #expect(view.endpoints.byName.keys.allSatisfy { !$0.hasPrefix("outbound_.") })
    }
}
