import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Tunnels")
struct TunnelTests {
    private let db = MeshFixture.service("db", ip: "10.1.0.3", ports: [("tcp", 3306, 3306)])
    private let proxy = MeshFixture.service("proxy", ip: "10.1.0.4", ports: [("tcp", 3128, 3128)])

    private func tunnel(_ host: String, _ port: UInt32 = 443, post: Bool = false) -> TrafficPolicy {
        var tunnel = TunnelSettings()
        tunnel.targetHost = host
        tunnel.targetPort = port
        if post { tunnel.protocol = "POST" }
        var policy = TrafficPolicy()
        policy.tunnel = tunnel
        return policy
    }

    private func rule(_ host: String, _ policy: TrafficPolicy) -> ConfigObject {
        MeshFixture.destinationRule(host, host: host) { $0.trafficPolicy = policy }
    }

    private func tcp(
        _ targets: [(host: String, port: UInt32, weight: Int32)], gateways: [String] = []
    ) -> ConfigObject {
        MeshFixture.virtualService("db", hosts: ["db"], gateways: gateways) {
            var rule = TCPRule()
            rule.route = MeshFixture.tcpTo(targets)
            $0.tcp = [rule]
        }
    }

    private func proxies(
        _ listener: String, _ objects: [ConfigObject], _ client: Proxy = MeshFixture.client()
    ) throws -> [MeshFixture.TCPProxy] {
        let view = ResourceCompiler.view(for: client, in: MeshFixture.mesh(objects))
        return try #require(view.listener(listener)).filterChains.compactMap(\.tcpProxy)
    }

    @Test("A TCP service with a tunnel is reached through it, by CONNECT or by POST", arguments: [false, true])
    func service(post: Bool) throws {
        let found = try proxies("10.1.0.3_3306", [db, rule("db", tunnel("far.example", 8443, post: post))])
        #expect(found.map(\.tunnelingConfig.hostname) == ["far.example:8443"])
        #expect(found.map(\.tunnelingConfig.usePost) == [post])
    }

    @Test("An IPv6 target is bracketed")
    func brackets() throws {
        let found = try proxies("10.1.0.3_3306", [db, rule("db", tunnel("2001:db8::1"))])
        #expect(found.map(\.tunnelingConfig.hostname) == ["[2001:db8::1]:443"])
    }

    @Test("Without a tunnel there is no such setting")
    func none() throws {
        let found = try proxies("10.1.0.3_3306", [db, rule("db", TrafficPolicy())])
        #expect(found.count == 1 && !found[0].hasTunnelingConfig)
    }

    @Test("A VirtualService's destination takes its own rule's tunnel, and the listener names that rule")
    func destination() throws {
        let objects = [db, proxy, tcp([("proxy", 3128, 0)]), rule("proxy", tunnel("far.example"))]
        let view = ResourceCompiler.view(for: MeshFixture.client(), in: MeshFixture.mesh(objects))
        let chains = try #require(view.listener("10.1.0.3_3306")).filterChains
        #expect(chains.compactMap(\.tcpProxy).map(\.tunnelingConfig.hostname) == ["far.example:443"])
        #expect(view.listeners.byName["10.1.0.3_3306"]?.sources.contains("DestinationRule default/proxy") == true)
    }

    @Test("A subset's tunnel is for destinations with that subset")
    func subset() throws {
        let rule = MeshFixture.destinationRule("proxy", host: "proxy") {
            var subset = Subset()
            subset.name = "far"
            subset.trafficPolicy = tunnel("far.example")
            $0.subsets = [subset]
        }
        func route(_ subset: String) -> ConfigObject {
            MeshFixture.virtualService("db", hosts: ["db"]) {
                var rule = TCPRule()
                rule.route = MeshFixture.tcpTo([("proxy", 3128, 0)])
                rule.route[0].destination.subset = subset
                $0.tcp = [rule]
            }
        }
        #expect(try proxies("10.1.0.3_3306", [db, proxy, rule, route("far")]).map(\.hasTunnelingConfig) == [true])
        #expect(try proxies("10.1.0.3_3306", [db, proxy, rule, route("")]).map(\.hasTunnelingConfig) == [false])
    }

    @Test("Weighted destinations are tunneled only if all of them ask for the same tunnel")
    func weighted() throws {
        let route = tcp([("db", 3306, 50), ("proxy", 3128, 50)])
        let one = [db, proxy, route, rule("db", tunnel("far.example"))]
        #expect(try proxies("10.1.0.3_3306", one).map(\.hasTunnelingConfig) == [false])
        let other = try proxies("10.1.0.3_3306", one + [rule("proxy", tunnel("other.example"))])
        #expect(other.map(\.hasTunnelingConfig) == [false])
        let both = try proxies("10.1.0.3_3306", one + [rule("proxy", tunnel("far.example"))])
        #expect(both.map(\.tunnelingConfig.hostname) == ["far.example:443"])
    }

    @Test("TLS that is passed through, in a sidecar and in a gateway, takes the tunnel of its destination")
    func tls() throws {
        let secure = MeshFixture.service("secure", ip: "10.1.0.5", ports: [("tls", 443, 443)])
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(443, "TLS"), hosts: ["secure.example"]) { $0.mode = .passthrough }
        ])
        let route = MeshFixture.virtualService(
            "secure", hosts: ["secure", "secure.example"], gateways: ["mesh", "my-gateway"]
        ) {
            var match = TLSMatch()
            match.sniHosts = ["secure.example"]
            var rule = TLSRule()
            rule.match = [match]
            rule.route = MeshFixture.tcpTo([("proxy", 3128, 0)])
            $0.tls = [rule]
        }
        let objects = [secure, proxy, gateway, route, rule("proxy", tunnel("far.example"))]
        #expect(try proxies("10.1.0.5_443", objects).map(\.tunnelingConfig.hostname) == ["far.example:443"])
        let router = try proxies("0.0.0.0_443", objects, MeshFixture.router())
        #expect(router.map(\.tunnelingConfig.hostname) == ["far.example:443"])
    }

    @Test("A gateway's TCP server takes the tunnel of its destination")
    func gateway() throws {
        let gateway = MeshFixture.gateway(servers: [MeshFixture.server(MeshFixture.port(3306, "TCP"), hosts: ["*"])])
        let objects = [
            db, proxy, gateway, tcp([("proxy", 3128, 0)], gateways: ["my-gateway"]),
            rule("proxy", tunnel("far.example")),
        ]
        let found = try proxies("0.0.0.0_3306", objects, MeshFixture.router())
        #expect(found.map(\.tunnelingConfig.hostname) == ["far.example:443"])
    }

    @Test("A tunnel that comes or goes reaches listeners that are followed")
    func follows() {
        let first = MeshFixture.mesh([db, rule("db", TrafficPolicy())])
        let mesh = CompiledMesh(snapshot: first)
        let client = MeshFixture.client()
        let before = mesh.view(for: client)
        let next = first.updated(changed: [rule("db", tunnel("far.example"))])
        let after = mesh.updated(to: next, changes: next.changes(since: first)).view(for: client)
        #expect(before.listeners.version != after.listeners.version)
        #expect(after.listeners.version == ResourceCompiler.view(for: client, in: next).listeners.version)
    }
}
