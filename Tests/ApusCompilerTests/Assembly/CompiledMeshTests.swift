import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import Testing

/// A mesh that is edited, with the incremental result beside the one from nothing.
private struct Edited {
    var snapshot: MeshSnapshot
    var compiled: CompiledMesh

    init(_ objects: [ConfigObject]) {
        snapshot = MeshFixture.mesh(objects)
        compiled = CompiledMesh(snapshot: snapshot)
    }

    mutating func edit(_ changed: [ConfigObject] = [], removed: [ObjectKey] = []) {
        let next = snapshot.updated(changed: changed, removed: removed)
        compiled = compiled.updated(to: next, changes: next.changes(since: snapshot))
        snapshot = next
    }
}

@Suite("Compiled mesh")
struct CompiledMeshTests {
    private static let ports: [(name: String, number: UInt32, target: UInt32)] = [("http", 80, 8080)]
    private let client = MeshFixture.client()
    private let reviews = "outbound|80||reviews.default.svc.cluster.local"

    private static var objects: [ConfigObject] {
        [
            MeshFixture.service("reviews", ip: "10.1.0.1", ports: ports),
            MeshFixture.service("ratings", ip: "10.1.0.2", ports: ports),
            MeshFixture.service("hidden", in: "team", ip: "10.1.0.3", ports: ports),
            MeshFixture.slice("reviews", port: ("http", 8080), ips: ["10.0.0.1"]),
            MeshFixture.slice("ratings", port: ("http", 8080), ips: ["10.0.0.2"]),
            MeshFixture.destinationRule("reviews", host: "reviews", subsets: ["v1"]),
            MeshFixture.virtualService("reviews", hosts: ["reviews"]) { $0.http = [MeshFixture.httpTo("reviews")] },
            MeshFixture.serviceEntry(
                "dns", hosts: ["dns.example.com"], ports: [("TLS", 443)], resolution: .dns,
                endpoints: ["one.example.com"]),
        ]
    }

    @Test("The same snapshot gives the same bytes")
    func deterministic() {
        let one = ResourceCompiler.view(for: client, in: MeshFixture.mesh(Self.objects))
        let two = ResourceCompiler.view(for: client, in: MeshFixture.mesh(Self.objects.reversed()))
        for type in ResourceType.allCases {
            #expect(one[type].version == two[type].version, "\(type)")
            #expect(one[type].byName.keys.sorted() == two[type].byName.keys.sorted())
        }
        #expect(CompileOutput.json(view: one) == CompileOutput.json(view: two))
    }

    @Test("A gateway's SNI-routed clusters follow the Gateway, the services, their subsets and their endpoints")
    func sniRouting() {
        let secure = ["security.istio.io/tlsMode": "istio"]
        func pod(_ ip: String) -> ConfigObject { MeshFixture.pod("a", app: "extra", ip: ip, labels: secure) }
        func gateway(_ hosts: [String]) -> ConfigObject {
            MeshFixture.gateway(servers: [
                MeshFixture.server(MeshFixture.port(15443, "TLS"), hosts: hosts) { $0.mode = .autoPassthrough }
            ])
        }
        let rule = MeshFixture.destinationRule("extra", host: "extra", subsets: ["v1", "v2"])
        let extra = MeshFixture.service("extra", ip: "10.1.0.7", ports: Self.ports)
        let name = "outbound_.80_._.extra.default.svc.cluster.local"
        let steps: [(changed: [ConfigObject], removed: [ObjectKey])] = [
            ([extra, pod("10.0.0.1")], []), ([gateway(["*.local"])], []), ([rule], []), ([pod("10.0.0.5")], []),
            ([], [rule.key]), ([gateway(["*.none"])], []), ([gateway(["extra.default.svc.cluster.local"])], []),
            ([], [extra.key]), ([extra], []), ([], [gateway([]).key]),
        ]
        var mesh = Edited(Self.objects)
        var presence: [Bool] = []
        for step in steps {
            mesh.edit(step.changed, removed: step.removed)
            expectEqual(mesh, MeshFixture.router())
            presence.append(mesh.compiled.view(for: MeshFixture.router()).endpoints.byName[name] != nil)
        }
        #expect(presence == [false, true, true, true, true, false, true, false, true, false])
    }

    @Test("Proxies of one class share their sets")
    func sharing() {
        let mesh = CompiledMesh(snapshot: MeshFixture.mesh(Self.objects))
        let one = mesh.view(for: client)
        let two = mesh.view(for: MeshFixture.client(ip: "10.0.0.10", labels: ["app": "other"]))
        for type in ResourceType.allCases { #expect(one[type] === two[type], "\(type)") }
        #expect(mesh.counts.classes == 1)
        let team = mesh.view(for: MeshFixture.client(namespace: "team"))
        #expect(team.endpoints.byName[reviews] === one.endpoints.byName[reviews])
        #expect(team.clusters.byName[reviews] === one.clusters.byName[reviews])
    }

    @Test("An endpoint that moves changes its assignments and nothing else, and the set knows the step")
    func endpointOnly() throws {
        var mesh = Edited(Self.objects)
        let before = mesh.compiled.view(for: client)
        mesh.edit([MeshFixture.slice("reviews", port: ("http", 8080), ips: ["10.0.0.1", "10.0.0.3"])])
        let after = mesh.compiled.view(for: client)
        #expect(after.clusters === before.clusters)
        #expect(after.listeners === before.listeners)
        #expect(after.routes === before.routes)
        let step = try #require(after.endpoints.step)
        #expect(step.from == before.endpoints.version)
        // No endpoint has the labels of subset v1, so its assignment is empty before and after.
        #expect(step.diff.changed.map(\.name) == [reviews])
        #expect(step.diff.removed == [])
    }

    @Test("Endpoints of a DNS service are part of its cluster")
    func inlineEndpoints() throws {
        var mesh = Edited(Self.objects)
        let before = mesh.compiled.view(for: client)
        mesh.edit([
            MeshFixture.serviceEntry(
                "dns", hosts: ["dns.example.com"], ports: [("TLS", 443)], resolution: .dns,
                endpoints: ["one.example.com", "two.example.com"])
        ])
        let after = mesh.compiled.view(for: client)
        #expect(after.clusters.diff(since: before.clusters).changed.map(\.name) == ["outbound|443||dns.example.com"])
        #expect(after.endpoints === before.endpoints)
    }

    @Test("An edit that says the same wakes nobody")
    func noChange() {
        var mesh = Edited(Self.objects)
        let before = mesh.compiled.view(for: client)
        mesh.edit(Self.objects)
        let after = mesh.compiled.view(for: client)
        for type in ResourceType.allCases { #expect(before[type] === after[type], "\(type)") }
    }

    @Test("A VirtualService that changes touches the routes alone")
    func virtualServiceChange() {
        var mesh = Edited(Self.objects)
        let before = mesh.compiled.view(for: client)
        mesh.edit([
            MeshFixture.virtualService("reviews", hosts: ["reviews"]) { $0.http = [MeshFixture.httpTo("ratings")] }
        ])
        let after = mesh.compiled.view(for: client)
        #expect(after.clusters === before.clusters)
        #expect(after.endpoints === before.endpoints)
        #expect(after.listeners === before.listeners)
        #expect(after.routes !== before.routes)
        #expect(after.routes.diff(since: before.routes).changed.map(\.name) == ["80"])
    }

    @Test("A DestinationRule that changes touches the clusters of its service, not routes or listeners")
    func destinationRuleChange() {
        var mesh = Edited(Self.objects)
        let before = mesh.compiled.view(for: client)
        mesh.edit([MeshFixture.destinationRule("reviews", host: "reviews", subsets: ["v1", "v2"])])
        let after = mesh.compiled.view(for: client)
        #expect(after.routes === before.routes)
        #expect(after.listeners === before.listeners)
        #expect(
            after.endpoints.diff(since: before.endpoints).changed.map(\.name) == [
                "outbound|80|v2|reviews.default.svc.cluster.local"
            ])
        #expect(after.clusters.byName["outbound|80|v2|reviews.default.svc.cluster.local"] != nil)
    }

    @Test("A change that a class cannot see leaves its sets alone")
    func invisibleChange() {
        let sidecar = MeshFixture.sidecar { $0.egress = [MeshFixture.egress(["./*"])] }
        var mesh = Edited(Self.objects + [sidecar])
        let before = mesh.compiled.view(for: client)
        mesh.edit([
            MeshFixture.service("hidden", in: "team", ip: "10.1.0.3", ports: Self.ports + [("tcp", 3306, 3306)])
        ])
        let after = mesh.compiled.view(for: client)
        for type in ResourceType.allCases { #expect(before[type] === after[type], "\(type)") }
    }

    @Test("A service that goes takes its resources with it")
    func removal() throws {
        var mesh = Edited(Self.objects)
        let before = mesh.compiled.view(for: client)
        mesh.edit(removed: [
            ObjectKey(kind: .service, name: NamespacedName(namespace: "default", name: "reviews"))
        ])
        let after = mesh.compiled.view(for: client)
        #expect(after.clusters.byName[reviews] == nil)
        #expect(after.endpoints.byName[reviews] == nil)
        #expect(
            after.clusters.diff(since: before.clusters).removed == [
                "outbound|80|v1|reviews.default.svc.cluster.local", reviews,
            ])
    }

    @Test("A class that skips a snapshot follows over both changes")
    func skippedSnapshot() {
        var mesh = Edited(Self.objects)
        _ = mesh.compiled.view(for: client)
        mesh.edit([MeshFixture.slice("reviews", port: ("http", 8080), ips: ["10.0.0.5"])])
        mesh.edit([MeshFixture.service("new", ip: "10.1.0.8", ports: [("tcp", 3306, 3306)])])
        expectEqual(mesh, client)
    }

    @Test("Headless pods come and go as listeners")
    func headlessPods() {
        var mesh = Edited(
            Self.objects + [
                MeshFixture.service("db", headless: true, ports: [("tcp", 5432, 5432)]),
                MeshFixture.slice("db", port: ("tcp", 5432), ips: ["10.0.0.31"]),
            ])
        #expect(mesh.compiled.view(for: client).listenerNames.contains("10.0.0.31_5432"))
        mesh.edit([MeshFixture.slice("db", port: ("tcp", 5432), ips: ["10.0.0.32"])])
        let names = mesh.compiled.view(for: client).listenerNames
        #expect(!names.contains("10.0.0.31_5432"))
        #expect(names.contains("10.0.0.32_5432"))
        expectEqual(mesh, client)
    }

    @Test("A workload's own side follows when it is selected anew")
    func inboundFollows() {
        var mesh = Edited(Self.objects + [MeshFixture.pod("late-1", app: "late", ip: "10.0.0.40")])
        let proxy = Proxy(id: "late-1.default", namespace: "default", addresses: ["10.0.0.40"], labels: ["app": "late"])
        #expect(mesh.compiled.view(for: proxy).cluster("inbound|9999||") == nil)
        mesh.edit([MeshFixture.service("late", ip: "10.1.0.40", ports: [("http", 80, 9999)])])
        #expect(mesh.compiled.view(for: proxy).cluster("inbound|9999||") != nil)
        expectEqual(mesh, proxy)
    }

    @Test("A gateway binds its own port again when a service no longer lists it")
    func gatewayTargetPort() {
        let gateway = MeshFixture.gateway(servers: [MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["*"])])
        let ingress = MeshFixture.service(
            "ingress", in: "istio-system", ip: "10.1.0.50", selector: [:], ports: [("http", 80, 8080)])
        func slice(_ ip: String) -> ConfigObject {
            MeshFixture.slice("ingress", in: "istio-system", port: ("http", 8080), ips: [ip])
        }
        var mesh = Edited([gateway, ingress, slice("10.0.0.8")])
        #expect(mesh.compiled.view(for: MeshFixture.router()).listenerNames == ["0.0.0.0_8080"])
        mesh.edit([slice("10.0.0.99")])
        #expect(mesh.compiled.view(for: MeshFixture.router()).listenerNames == ["0.0.0.0_80"])
    }

    @Test("Classes that nobody asks for are forgotten")
    func forgetting() {
        var mesh = Edited(Self.objects)
        _ = mesh.compiled.view(for: client)
        for number in 0..<20 {
            mesh.edit([MeshFixture.slice("reviews", port: ("http", 8080), ips: ["10.0.1.\(number)"])])
        }
        #expect(mesh.compiled.counts == (0, 0, 0))
        expectEqual(mesh, client)
    }

    @Test("However the mesh is edited, following gives what compiling from nothing gives", arguments: 0..<16)
    func convergence(_ seed: UInt64) {
        var random = Random(state: seed &* 7919 &+ 1)
        let proxies = [
            client, MeshFixture.client(namespace: "team"), MeshFixture.client(.none), MeshFixture.router(),
            Proxy(id: "reviews-1.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "reviews"]),
            Proxy(id: "g.default", generator: .grpc, namespace: "default", addresses: ["10.0.0.77"]),
            Proxy(
                id: "reviews-1.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "reviews"],
                hasIdentity: true),
            Proxy(id: "known.team", namespace: "team", addresses: ["10.0.0.78"], hasIdentity: true),
        ]
        var mesh = Edited(Self.objects)
        for _ in 0..<25 {
            let (changed, removed) = Self.randomEdit(&random)
            mesh.edit(changed, removed: removed)
            for proxy in proxies where random.next(2) == 0 { expectEqual(mesh, proxy) }
        }
    }

    // MARK: Helpers

    private func expectEqual(_ mesh: Edited, _ proxy: Proxy, _ place: Testing.SourceLocation = #_sourceLocation) {
        let followed = mesh.compiled.view(for: proxy)
        let fresh = ResourceCompiler.view(for: proxy, in: MeshFixture.mesh(mesh.snapshot.all))
        for type in ResourceType.allCases {
            let diff = fresh[type].diff(since: followed[type])
            #expect(
                diff.isEmpty, "\(type) of \(proxy.id): \(diff.changed.map(\.name)) \(diff.removed)",
                sourceLocation: place)
        }
    }

    private struct Random {
        var state: UInt64

        mutating func next(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
    }

    private static func randomEdit(_ random: inout Random) -> (changed: [ConfigObject], removed: [ObjectKey]) {
        let names = ["reviews", "ratings", "details", "db"]
        let name = names[Int(random.next(4))]
        let namespace = random.next(4) == 0 ? "team" : "default"
        let ip = "10.0.0.\(random.next(9) + 1)"
        switch random.next(12) {
        case 0:
            let spoken = ["http", "tcp", "", "grpc"][Int(random.next(4))]
            return (
                [
                    MeshFixture.service(
                        name, in: namespace, ip: "10.1.\(namespace == "team" ? 1 : 0).\(name.utf8.count)",
                        headless: random.next(5) == 0,
                        ports: [(spoken, 80, 8080)] + (random.next(2) == 0 ? [("tcp-x", 3306, 3306)] : [])
                            + (random.next(2) == 0 ? [("http-b", UInt32(9080 + random.next(2)), 8080)] : []))
                ], []
            )
        case 1, 2:
            return ([MeshFixture.slice(name, in: namespace, port: ("http", 8080), ips: [ip])], [])
        case 3:
            return (
                [
                    MeshFixture.virtualService(
                        random.next(3) == 0 ? "other" : name, in: namespace,
                        hosts: [
                            [name], [name, "\(name).example.com"], ["*.default.svc.cluster.local"],
                            [name, "ratings.default.svc.cluster.local"],
                        ][Int(random.next(4))],
                        gateways: random.next(2) == 0 ? [] : ["mesh", "default/my-gateway"]
                    ) { $0.http = [MeshFixture.httpTo(names[Int(random.next(4))])] }
                ], []
            )
        case 4:
            return (
                [
                    MeshFixture.destinationRule(
                        name, in: namespace, host: name, subsets: random.next(2) == 0 ? ["v1"] : ["v1", "v2"]
                    ) {
                        var tcp = ConnectionPoolSettings.TCP()
                        tcp.idleTimeout = .seconds(Int64(random.next(5) + 1))
                        var pool = ConnectionPoolSettings()
                        pool.tcp = tcp
                        var hash = ConsistentHash()
                        hash.key = .httpHeaderName("x-\(random.next(3))")
                        var balancer = LoadBalancerSettings()
                        balancer.consistentHash = hash
                        var policy = TrafficPolicy()
                        if random.next(2) == 0 { policy.connectionPool = pool }
                        if random.next(2) == 0 { policy.loadBalancer = balancer }
                        if random.next(3) == 0 {
                            $0.subsets[0].trafficPolicy = policy
                        } else {
                            $0.trafficPolicy = policy
                        }
                    }
                ], []
            )
        case 5:
            return (
                [
                    MeshFixture.gateway(servers: [
                        MeshFixture.server(
                            MeshFixture.port(80, "HTTP"),
                            hosts: [random.next(2) == 0 ? "*" : "\(name).example.com"])
                    ])
                ], []
            )
        case 6:
            return (
                [
                    MeshFixture.sidecar(in: namespace) {
                        $0.egress = [MeshFixture.egress(random.next(2) == 0 ? ["./*"] : ["*/*"])]
                    }
                ], []
            )
        case 7:
            return ([MeshFixture.pod("\(name)-1", app: name, ip: ip, labels: ["version": "v1"])], [])
        case 8:
            let modes = PeerAuthentication.Mode.allCases
            var spec = PeerAuthentication()
            spec.mtls = modes[Int(random.next(4))]
            if random.next(2) == 0 {
                spec.selector = ["app": name]
                spec.portLevelMtls = [8080: modes[Int(random.next(4))], 7777: modes[Int(random.next(4))]]
            }
            let place = random.next(3) == 0 ? "istio-system" : namespace
            return ([MeshFixture.object(.peerAuthentication, name, in: place, .peerAuthentication(spec))], [])
        case 9:
            var spec = Pod()
            spec.podIPs = [ip]
            spec.ready = true
            spec.serviceAccountName = random.next(2) == 0 ? "default" : name
            let labels = ["app": name, "security.istio.io/tlsMode": random.next(3) == 0 ? "disabled" : "istio"]
            return ([MeshFixture.object(.pod, "\(name)-2", in: namespace, labels: labels, .pod(spec))], [])
        case 10:
            let rule = MeshFixture.destinationRule(name, in: namespace, host: name, subsets: ["v1"]) {
                var tls = ClientTLSSettings()
                tls.mode = [ClientTLSSettings.Mode.disable, .istioMutual, .simple][Int(random.next(3))]
                $0.trafficPolicy = TrafficPolicy()
                $0.trafficPolicy?.tls = tls
            }
            return ([rule], [])
        default:
            let kind = [
                Kind.service, .virtualService, .destinationRule, .sidecar, .endpointSlice, .peerAuthentication,
            ][
                Int(random.next(6))]
            let key = kind == .sidecar ? "default" : kind == .endpointSlice ? "\(name)-1" : name
            return ([], [ObjectKey(kind: kind, name: NamespacedName(namespace: namespace, name: key))])
        }
    }
}

extension MeshSnapshot {
    /// Every object of the kinds these tests use.
    fileprivate var all: [ConfigObject] { Kind.allCases.flatMap { objects(of: $0) } }
}
