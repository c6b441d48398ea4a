import ApusCore
import ApusMesh
import ApusModel
import Testing

private struct Chance {
    var random: SeededRandom

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}

/// Random objects from a small stock of names, so that they meet often.
private struct Generator {
    var chance: Chance
    let namespaces = ["a", "b", "istio-system"]
    let names = ["web", "db", "api", "old", "new"]

    mutating func labels() -> [String: String] {
        var result = ["app": chance.pick(names)]
        if chance.oneIn(2) { result["version"] = chance.pick(["1", "2"]) }
        return result
    }

    mutating func selector() -> [String: String] { chance.oneIn(6) ? labels() : ["app": chance.pick(names)] }

    mutating func host() -> String {
        switch chance.below(4) {
        case 0: chance.pick(names)
        case 1: "\(chance.pick(names)).\(chance.pick(namespaces)).svc.cluster.local"
        case 2: chance.pick(["ext.example.com", "api.example.com"])
        default: chance.pick(["*.example.com", "*.a.svc.cluster.local", "*"])
        }
    }

    mutating func exportTo() -> [String] { chance.pick([[], [], [], ["*"], ["."], ["a"], ["a", "b"]]) }

    mutating func address() -> String { "10.0.0.\(chance.below(12))" }

    mutating func created() -> Int64? { chance.oneIn(2) ? nil : Int64(chance.below(4)) }

    mutating func object() -> ConfigObject {
        let namespace = chance.pick(namespaces)
        let name = chance.pick(names)
        let created = created()
        switch chance.below(14) {
        case 0:
            let named = chance.oneIn(2)
            let selector = chance.oneIn(4) ? [:] : selector()
            let kind = chance.below(6)
            let target = host()
            return Make.service(
                name, in: namespace, selector: selector,
                ports: [
                    Make.port(80, "http", target: named ? .name("web") : .number(8080)),
                    Make.port(UInt32(81 + chance.below(2)), "tcp"),
                ],
                annotations: chance.oneIn(4)
                    ? ["networking.istio.io/exportTo": chance.pick([".", "a", "*", "~"])] : [:],
                created: created
            ) {
                $0.isHeadless = kind == 0
                if kind == 1 {
                    $0.type = "ExternalName"
                    $0.externalName = target
                }
                $0.internalTrafficLocal = kind == 2
                $0.trafficDistribution = kind == 3 ? "PreferClose" : ""
            }
        case 1, 2, 3:
            let node = chance.pick(["n1", "n2", ""])
            let state = chance.below(8)
            return Make.pod(
                "\(name)-\(chance.below(3))", in: namespace, labels: labels(), ip: chance.oneIn(8) ? nil : address(),
                ports: chance.oneIn(2) ? [("web", 9000)] : [], created: created
            ) {
                $0.nodeName = node
                $0.ready = state == 0 ? false : state == 1 ? nil : true
                $0.phase = state == 2 ? "Failed" : ""
                $0.hostNetwork = state == 3
            }
        case 4, 5:
            var endpoints: [EndpointSlice.Endpoint] = []
            for _ in 0..<chance.below(4) {
                endpoints.append(
                    Make.endpoint(
                        address(), ready: !chance.oneIn(5), terminating: chance.oneIn(6),
                        pod: chance.oneIn(2) ? "\(chance.pick(names))-\(chance.below(3))" : ""))
            }
            return Make.slice(
                "slice-\(chance.below(3))", of: name, in: namespace, ports: [("http", 8080), ("tcp", nil)], endpoints)
        case 6:
            return Make.workloadEntry(
                name, in: namespace, labels: labels(), chance.oneIn(6) ? "vm.example.com" : address())
        case 7:
            var entries: [WorkloadEntry] = []
            for _ in 0..<chance.below(3) { entries.append(Make.entry(address())) }
            let selector: [String: String]? = chance.oneIn(3) ? (chance.oneIn(4) ? [:] : selector()) : nil
            var hosts = [host()]
            if chance.oneIn(3) { hosts.append("ext.example.com") }
            return Make.serviceEntry(
                name, in: namespace, hosts: hosts, ports: [Make.portSpec(80, chance.pick(["HTTP", "TCP"]), "http")],
                resolution: chance.pick([.none, .static, .dns]), exportTo: exportTo(), created: created
            ) {
                $0.workloadSelector = selector
                $0.endpoints = selector == nil ? entries : []
            }
        case 8, 9:
            let isDelegate = chance.oneIn(3)
            let delegate = chance.pick(names)
            let source = chance.oneIn(3) ? labels() : [:]
            let destination = host()
            return Make.virtualService(
                name, in: namespace, hosts: isDelegate ? [] : [host(), host()],
                gateways: isDelegate ? [] : chance.pick([[], ["mesh", "gw"], ["a/gw"]]), to: [destination],
                exportTo: exportTo(), created: created
            ) {
                $0.http[0].match = source.isEmpty ? [] : [Make.match { $0.sourceLabels = source }]
                if !isDelegate { $0.http.append(Make.delegating(to: delegate)) }
            }
        case 10:
            return Make.destinationRule(
                name, in: namespace, host: host(), subsets: [chance.pick(["v1", "v2"])], exportTo: exportTo(),
                balancing: chance.oneIn(2) ? .random : nil, selector: chance.oneIn(4) ? selector() : nil,
                created: created)
        case 11:
            if chance.oneIn(2) {
                return Make.gateway("gw", in: namespace, selector: labels(), created: created)
            }
            return Make.sidecar(
                name, in: namespace, selector: chance.oneIn(2) ? selector() : nil,
                egress: chance.pick([[], [["./*"]], [["*/*", "~b/*"]], [["a/*"], ["b/*"]]]), created: created)
        case 12:
            let modes = PeerAuthentication.Mode.allCases
            var spec = PeerAuthentication()
            spec.mtls = chance.pick(modes)
            if chance.oneIn(2) {
                spec.selector = selector()
                spec.portLevelMtls = [8080: chance.pick(modes)]
            }
            return Make.object(.peerAuthentication, name, in: namespace, created: created, .peerAuthentication(spec))
        default:
            if chance.oneIn(2) {
                return Make.object(
                    .node, chance.pick(["n1", "n2"]), in: "",
                    labels: ["topology.kubernetes.io/region": chance.pick(["r1", "r2"])], .node(Node()))
            }
            return Make.object(
                .namespace, chance.pick(namespaces), in: "",
                labels: ["topology.istio.io/network": chance.pick(["n1", "n2"])], .namespace)
        }
    }
}

/// Everything that can be asked of a snapshot, as text in a defined order.
private func picture(_ snapshot: MeshSnapshot) -> [String] {
    var lines: [String] = []
    func name(_ service: Service) -> String { "\(service.host)@\(service.namespace)" }
    for service in snapshot.services {
        let sources = service.sources.map { "\($0.key)#\($0.version)" }
        lines.append(
            "service \(name(service)) \(service.ports) \(service.addresses) \(service.resolution) "
                + "\(service.exportTo == .all) \(service.exportTo.includes("a")) \(service.exportTo.includes("b")) "
                + "\(service.selector.labels.sorted { $0.key < $1.key }) \(service.aliases) \(sources) "
                + "\(snapshot.endpoints(of: service).version)")
    }
    lines += snapshot.findings.map { "finding \($0)" }
    lines.append("counts \(snapshot.counts)")
    for kind in Kind.allCases {
        lines.append("\(kind) \(snapshot.objects(of: kind).map { "\($0.key)#\($0.version)" })")
    }
    for namespace in ["a", "b", "istio-system", "z"] {
        for labels in [[:], ["app": "web"], ["app": "db", "version": "1"]] {
            let peers = snapshot.peerAuthentications.policy(namespace: namespace, labels: labels)
            lines.append("peers \(peers.mode) \(peers.ports.sorted { $0.key < $1.key }) \(peers.sources)")
            for role in [Proxy.Role.sidecar, .router] {
                let proxyClass = snapshot.proxyClass(
                    of: Proxy(
                        id: "x.\(namespace)", role: role, namespace: namespace, addresses: ["10.0.0.3"],
                        labels: labels, locality: Locality("r"), nodeName: "n"))
                let scope = snapshot.scope(of: proxyClass)
                lines.append(
                    "class \(proxyClass.labels.sorted { $0.key < $1.key }) \(proxyClass.locality) "
                        + "\(proxyClass.nodeName) \(proxyClass.network) "
                        + "\(proxyClass.targetPorts.sorted { $0.key < $1.key })")
                lines.append("scope \(scope.services.map(name)) \(scope.sidecar?.key.description ?? "-")")
                for listener in scope.egressListeners {
                    lines.append(
                        "egress \(listener.services.map(name)) \(listener.virtualServices.map(\.object.key))")
                }
                for service in scope.services {
                    let rule = scope.destinationRule(for: service)
                    lines.append(
                        "rule \(name(service)) \(rule?.objects.map(\.key) ?? []) \(rule?.subsets.map(\.name) ?? [])"
                            + " \(scope.imports(service, port: 80))")
                }
                for virtualService in scope.virtualServices + scope.virtualServices(gateway: "a/gw") {
                    lines.append(
                        "vs \(virtualService.object.key) \(virtualService.hosts) \(virtualService.httpSources) "
                            + "\(virtualService.spec.http.map { $0.route.map(\.destination.host) })")
                }
                lines.append("gateways \(snapshot.gateways(of: proxyClass).map(\.key))")
            }
        }
    }
    for kind in [Kind.pod, .workloadEntry] {
        for object in snapshot.objects(of: kind) {
            let proxy = Proxy(
                id: "\(object.metadata.name).\(object.metadata.namespace)", namespace: object.metadata.namespace,
                addresses: [])
            let inbound = snapshot.inbound(of: proxy)
            let described = snapshot.describe(proxy)
            lines.append(
                "inbound \(object.key) \(described.locality) \(described.network) "
                    + "\(inbound.selecting.map { "\(name($0.service)):\($0.port.number)>\($0.targetPort)@\($0.endpointAddress)" })"
            )
        }
    }
    return lines
}

@Suite("Edits")
struct IncrementalTests {
    @Test("Any series of edits gives what building from nothing gives", arguments: 1...8)
    func sameAsFromScratch(seed: Int) {
        var generator = Generator(chance: Chance(random: SeededRandom(seed: UInt64(seed))))
        var objects: [ObjectKey: ConfigObject] = [:]
        var snapshot = MeshSnapshot.make(objects: [])
        for round in 0..<40 {
            var changed: [ConfigObject] = []
            var removed: [ObjectKey] = []
            for _ in 0..<(round == 0 ? 40 : 1 + generator.chance.below(4)) {
                if generator.chance.oneIn(3),
                    let key = objects.keys.sorted().randomElement(using: &generator.chance.random)
                {
                    removed.append(key)
                } else {
                    changed.append(generator.object())
                }
            }
            for key in removed { objects[key] = nil }
            for object in changed { objects[object.key] = object }
            let before = snapshot
            snapshot = snapshot.updated(changed: changed, removed: removed)

            let fresh = MeshSnapshot.make(objects: Array(objects.values))
            let expected = picture(fresh)
            let result = picture(snapshot)
            if result != expected {
                let wrong = result.filter { !expected.contains($0) }
                let missing = expected.filter { !result.contains($0) }
                Issue.record("seed \(seed) round \(round): got \(wrong.prefix(3)), expected \(missing.prefix(3))")
                return
            }
            // Content differences are the same whether parts are shared or not.
            #expect(snapshot.changes(since: before) == fresh.changes(since: before))
        }
    }

    private let web = ["app": "web"]
    private let host = "web.default.svc.cluster.local"

    @Test("An endpoint change keeps every service, rule and scope and is reported as endpoints only")
    func endpointChange() throws {
        let slice = Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1")])
        let before = mesh(
            Make.service("web"), Make.service("db"), slice, Make.virtualService("vs", hosts: ["web"]),
            Make.destinationRule("dr", host: "web"))
        let scope = before.scope()
        let after = before.updated(
            changed: [Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1"), Make.endpoint("10.0.0.2")])])
        #expect(after.addresses(host) == ["10.0.0.1:8080", "10.0.0.2:8080"])
        #expect(before.addresses(host) == ["10.0.0.1:8080"])
        #expect(after.scope() === scope)
        let service = try #require(after.service(host))
        #expect(service === before.service(host))
        let changes = after.changes(since: before)
        #expect(changes == ChangeSet(objects: [slice.key], endpointServices: [service.id]))
        #expect(changes.endpointsOnly)
        #expect(changes.kinds == [.endpointSlice])
        #expect(before.changes(since: before).isEmpty)
        #expect(after.counts == .init(services: 2, virtualServices: 1, endpoints: 2))
    }

    @Test("An edit that leaves a service's endpoints equal keeps its endpoint set")
    func equalEndpoints() throws {
        let before = mesh(
            Make.service("web", selector: web), Make.pod("a", labels: web, ip: "10.0.0.1") { $0.ready = true })
        let after = before.updated(
            changed: [Make.pod("a", labels: web, ip: "10.0.0.1") { $0.phase = "Running" }])
        let service = try #require(after.service(host))
        #expect(after.endpoints(of: service) === before.endpoints(of: service))
        #expect(after.changes(since: before).endpointServices.isEmpty)
        #expect(after.changes(since: before).objects.count == 1)
    }

    @Test("A changed service is a new instance, the others keep theirs")
    func serviceChange() throws {
        let before = mesh(Make.service("web"), Make.service("db"), Make.virtualService("vs", hosts: ["web"]))
        let after = before.updated(changed: [Make.service("web", ports: [Make.port(81, "http")])])
        let db = "db.default.svc.cluster.local"
        #expect(after.service(db) === before.service(db))
        let web = try #require(after.service(host))
        #expect(web.ports.map(\.number) == [81])
        #expect(after.changes(since: before).services == [web.id])
        #expect(!after.changes(since: before).endpointsOnly)
        #expect(after.scope().virtualServices[0] === before.scope().virtualServices[0])
    }

    @Test("A scope that cannot see a changed service keeps its instance")
    func hiddenChange() {
        let annotations = ["networking.istio.io/exportTo": "."]
        let before = mesh(Make.service("web", in: "a"), Make.service("own", in: "b", annotations: annotations))
        let scopes = (before.scope(in: "a"), before.scope(in: "b"))
        let after = before.updated(
            changed: [Make.service("own", in: "b", ports: [Make.port(81, "x")], annotations: annotations)])
        #expect(after.scope(in: "a") === scopes.0)
        #expect(after.scope(in: "b") !== scopes.1)
    }

    @Test("A changed delegate makes its root's rules anew, other VirtualServices keep theirs")
    func delegateChange() throws {
        func delegate(_ host: String) -> ConfigObject { Make.virtualService("d", hosts: [], to: [host]) }
        let before = mesh(
            Make.virtualService("root", hosts: ["web"]) { $0.http = [Make.delegating(to: "d")] },
            Make.virtualService("other", hosts: ["db"]), delegate("x"))
        let after = before.updated(changed: [delegate("y")])
        func find(_ snapshot: MeshSnapshot, _ name: String) throws -> ResolvedVirtualService {
            try #require(snapshot.scope().virtualServices.first { $0.object.metadata.name == name })
        }
        #expect(try find(after, "root").spec.http[0].route[0].destination.host == "y.default.svc.cluster.local")
        #expect(try find(after, "other") === find(before, "other"))
    }

    @Test("An edit without a difference gives the same snapshot")
    func noEdit() {
        let before = mesh(Make.service("web"))
        #expect(before.updated(changed: [Make.service("web")]) === before)
        let absent = ObjectKey(kind: .pod, name: NamespacedName(namespace: "x", name: "y"))
        #expect(before.updated(changed: [], removed: [absent]) === before)
    }

    @Test("An object that moved within its file changes nothing but its place and the lines of findings")
    func moved() throws {
        func objects(at line: Int) -> [ConfigObject] {
            [
                Make.object(
                    .service, "web", annotations: ["alpha.istio.io/kubernetes-serviceaccounts": "x"], at: line,
                    .service(KubernetesService())),
                Make.object(.pod, "p", at: line, .pod(Pod())),
                Make.object(.destinationRule, "d", at: line, .destinationRule(DestinationRule())),
                Make.object(.virtualService, "v", at: line, .virtualService(VirtualService())),
            ]
        }
        let before = MeshSnapshot.make(objects: objects(at: 1))
        let after = before.updated(changed: objects(at: 9))
        #expect(after.service(host) === before.service(host))
        #expect(after.scope() === before.scope())
        #expect(after.changes(since: before).isEmpty)
        #expect(before.findings.map(\.location.position.line) == [1])
        #expect(after.findings.map(\.location.position.line) == [9])
        for object in objects(at: 9) { #expect(after.object(object.key)?.origin.location.position.line == 9) }
    }

    @Test("make with a previous snapshot uses its instances, also under other settings that resolve alike")
    func reuse() throws {
        let objects = [
            Make.service("web"), Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1")]),
            Make.virtualService("vs", hosts: ["web"]), Make.destinationRule("dr", host: "web"),
        ]
        let before = MeshSnapshot.make(objects: objects)
        #expect(MeshSnapshot.make(objects: objects, previous: before) === before)
        var config = MeshConfig()
        config.accessLogFile = "/dev/stdout"
        let after = MeshSnapshot.make(objects: objects, meshConfig: config, previous: before)
        let service = try #require(after.service(host))
        #expect(service === before.service(host))
        #expect(after.endpoints(of: service) === before.endpoints(of: service))
        #expect(after.scope().virtualServices[0] === before.scope().virtualServices[0])
        #expect(after.scope().destinationRule(for: service) === before.scope().destinationRule(for: service))
        #expect(after.changes(since: before) == ChangeSet(meshConfigChanged: true))
        config.defaultServiceExportTo = ["."]
        let private_ = MeshSnapshot.make(objects: objects, meshConfig: config, previous: before)
        #expect(private_.service(host)?.exportTo == .namespaces(["default"]))
        #expect(private_.changes(since: before).services == [service.id])
    }

    @Test("Of two objects with one key the last stands")
    func duplicateKeys() {
        let snapshot = mesh(
            Make.service("web", ports: [Make.port(1, "a")]), Make.service("web", ports: [Make.port(2, "a")]))
        #expect(snapshot.service(host)?.ports.map(\.number) == [2])
        #expect(snapshot.objects(of: .service).count == 1)
    }

    @Test("A removed service takes its endpoints with it")
    func removal() {
        let service = Make.service("web")
        let before = mesh(service, Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1")]))
        let after = before.updated(changed: [], removed: [service.key])
        #expect(after.counts == .init(services: 0, virtualServices: 0, endpoints: 0))
        let id = Service.ID(host: HostName(host), namespace: "default")
        #expect(after.changes(since: before).services == [id])
        #expect(after.changes(since: before).endpointServices == [id])
    }
}
