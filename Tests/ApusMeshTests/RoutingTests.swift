import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("VirtualServices")
struct VirtualServiceTests {
    private func resolved(_ snapshot: MeshSnapshot, in namespace: String = "default") throws -> ResolvedVirtualService {
        try #require(snapshot.scope(in: namespace).virtualServices.first)
    }

    @Test("Short names take the resource's namespace, names with a dot, wildcards and IPv6 stay")
    func shortNames() throws {
        let snapshot = mesh(
            Make.virtualService("vs", in: "books", hosts: ["Reviews", "api.example.com", "*.x.com", "fd00::1"]) {
                var rule = Make.rule(to: "reviews", port: 80)
                rule.mirror = Destination(host: "shadow")
                var mirror = HTTPMirror()
                mirror.destination = Destination(host: "shadow2.other")
                rule.mirrors = [mirror]
                $0.http = [rule]
                var tcp = TCPRule()
                var route = RouteDestination()
                route.destination = Destination(host: "db")
                tcp.route = [route]
                $0.tcp = [tcp]
                var tls = TLSRule()
                tls.route = [route]
                $0.tls = [tls]
            })
        let spec = try resolved(snapshot).spec
        #expect(spec.hosts == ["reviews.books.svc.cluster.local", "api.example.com", "*.x.com", "fd00::1"])
        #expect(spec.http[0].route[0].destination.host == "reviews.books.svc.cluster.local")
        #expect(spec.http[0].mirror?.host == "shadow.books.svc.cluster.local")
        #expect(spec.http[0].mirrors[0].destination.host == "shadow2.other")
        #expect(spec.tcp[0].route[0].destination.host == "db.books.svc.cluster.local")
        #expect(spec.tls[0].route[0].destination.host == "db.books.svc.cluster.local")
    }

    @Test("Gateways are namespace/name; none means mesh")
    func gatewayNames() throws {
        let snapshot = mesh(
            Make.virtualService(
                "vs", in: "a", hosts: ["x.example.com"],
                gateways: ["mesh", "gw", "./own", "b/gw", "old.c.svc.cluster.local", "older.d"]
            ) { $0.http[0].match = [Make.match { $0.gateways = ["gw", "mesh"] }] })
        let spec = try resolved(snapshot, in: "a").spec
        #expect(spec.gateways == ["mesh", "a/gw", "a/own", "b/gw", "c/old", "d/older"])
        #expect(spec.http[0].match[0].gateways == ["a/gw", "mesh"])
        #expect(try resolved(mesh(Make.virtualService("vs", hosts: ["x.example.com"]))).spec.gateways == ["mesh"])
    }

    @Test("A VirtualService that names gateways but not mesh does not reach sidecars")
    func gatewayOnly() {
        let snapshot = mesh(
            Make.virtualService("b", hosts: ["x.example.com"], gateways: ["gw"], created: 5),
            Make.virtualService("a", hosts: ["x.example.com"], gateways: ["gw", "mesh"], created: 9))
        let scope = snapshot.scope()
        #expect(scope.virtualServices.map(\.object.metadata.name) == ["a"])
        #expect(scope.virtualServices(gateway: "default/gw").map(\.object.metadata.name) == ["b", "a"])
        #expect(scope.virtualServices(gateway: "other/gw").isEmpty)
    }

    @Test("exportTo limits who sees a VirtualService, for gateways too")
    func exportTo() {
        let snapshot = mesh(
            Make.virtualService("own", in: "a", hosts: ["x.com"], gateways: ["mesh", "b/gw"], exportTo: ["."]),
            Make.virtualService("named", in: "a", hosts: ["y.com"], gateways: ["mesh", "b/gw"], exportTo: ["b"]),
            Make.virtualService("all", in: "a", hosts: ["z.com"], exportTo: ["*"]))
        func names(_ list: [ResolvedVirtualService]) -> [String] { list.map(\.object.metadata.name) }
        #expect(names(snapshot.scope(in: "a").virtualServices) == ["all", "own"])
        #expect(names(snapshot.scope(in: "b").virtualServices) == ["all", "named"])
        #expect(names(snapshot.scope(in: "a").virtualServices(gateway: "b/gw")) == ["own"])
        #expect(names(snapshot.scope(in: "b").virtualServices(gateway: "b/gw")) == ["named"])
    }

    @Test("Exact hosts come before longer wildcards before shorter ones, the oldest first among equals")
    func order() throws {
        let snapshot = mesh(
            Make.virtualService("any", hosts: ["*"], created: 1),
            Make.virtualService("short", hosts: ["*.com"], created: 2),
            Make.virtualService("long", hosts: ["*.example.com"], created: 3),
            Make.virtualService("young", hosts: ["a.example.com"], created: 5),
            Make.virtualService("old", hosts: ["b.example.com", "a.example.com"], created: 4))
        let scope = snapshot.scope()
        #expect(scope.virtualServices.map(\.object.metadata.name) == ["old", "young", "long", "short", "any"])
        let listener = try #require(scope.egressListeners.first)
        func covering(_ host: String) -> [String] {
            listener.virtualServices(for: HostName(host)).map(\.object.metadata.name)
        }
        #expect(covering("a.example.com") == ["old", "young", "long", "short", "any"])
        #expect(covering("b.example.com") == ["old", "long", "short", "any"])
        #expect(covering("c.com") == ["short", "any"])
        #expect(covering("*.example.com") == ["long", "short", "any"])
    }
}

@Suite("Delegation")
struct DelegationTests {
    private func delegate(
        _ name: String, in namespace: String = "default", exportTo: [String] = [], _ rules: HTTPRule...
    ) -> ConfigObject {
        Make.virtualService(name, in: namespace, hosts: [], exportTo: exportTo) { $0.http = rules }
    }

    private func root(_ rules: HTTPRule...) -> ConfigObject {
        Make.virtualService("root", hosts: ["shop.example.com"]) { $0.http = rules }
    }

    private func prefix(_ text: String, _ change: (inout HTTPMatch) -> Void = { _ in }) -> HTTPMatch {
        Make.match {
            $0.uri = .prefix(text)
            change(&$0)
        }
    }

    private func only(_ snapshot: MeshSnapshot) throws -> ResolvedVirtualService {
        let list = snapshot.scope().virtualServices
        #expect(list.count == 1)
        return try #require(list.first)
    }

    @Test("A delegate's rules take the place of the root's rule, in order, with their own origin and namespace")
    func replacement() throws {
        let snapshot = mesh(
            root(
                Make.rule(to: "first"), Make.delegating(to: "cart", namespace: "b", [prefix("/cart")]),
                Make.rule(to: "last")),
            delegate(
                "cart", in: "b", Make.rule(to: "one", [prefix("/cart/a")]), Make.rule(to: "two")))
        let resolved = try only(snapshot)
        #expect(
            resolved.spec.http.map { $0.route[0].destination.host } == [
                "first.default.svc.cluster.local", "one.b.svc.cluster.local", "two.b.svc.cluster.local",
                "last.default.svc.cluster.local",
            ])
        #expect(
            resolved.spec.http.map { $0.match.map(\.uri) } == [
                [], [.prefix("/cart/a")], [.prefix("/cart")], [],
            ])
        let rootKey = resolved.object.key
        let other = ObjectKey(kind: .virtualService, name: NamespacedName(namespace: "b", name: "cart"))
        #expect(
            resolved.httpSources == [
                .init(object: rootKey, index: 0), .init(object: other, index: 0), .init(object: other, index: 1),
                .init(object: rootKey, index: 2),
            ])
        #expect(snapshot.findings.isEmpty)
    }

    @Test("Match blocks merge pairwise: the delegate's value wins, missing ones and maps come from the root")
    func mergedBlocks() throws {
        let rootMatches = [
            prefix("/a") {
                $0.name = "r"
                $0.headers = ["x": .exact("1")]
                $0.port = 80
                $0.sourceNamespace = ""
            },
            prefix("/ab"),
        ]
        let snapshot = mesh(
            root(Make.delegating(to: "d", rootMatches)),
            delegate(
                "d",
                Make.rule(
                    to: "x",
                    [
                        prefix("/abc") {
                            $0.name = "l"
                            $0.headers = ["y": .exact("2")]
                        }
                    ])))
        let blocks = try only(snapshot).spec.http[0].match
        #expect(blocks.count == 2)
        #expect(blocks[0].name == "r-l")
        #expect(blocks[0].headers == ["x": .exact("1"), "y": .exact("2")])
        #expect(blocks[0].port == 80)
        #expect(blocks.map(\.uri) == [.prefix("/abc"), .prefix("/abc")])
        #expect(blocks[1].name == "l")
        #expect(blocks[1].port == nil)
    }

    @Test("Settings come from the delegate as a whole, else from the root")
    func settings() throws {
        var rootRule = Make.delegating(to: "d")
        rootRule.name = "r"
        rootRule.timeout = .seconds(1)
        rootRule.retries = HTTPRetry()
        rootRule.headers = Headers()
        var own = Make.rule(to: "x", name: "l")
        own.timeout = .seconds(2)
        let snapshot = mesh(root(rootRule), delegate("d", own))
        let rule = try only(snapshot).spec.http[0]
        #expect(rule.name == "r-l")
        #expect(rule.timeout == .seconds(2))
        #expect(rule.retries == HTTPRetry())
        #expect(rule.headers == Headers())
        #expect(rule.delegate == nil)
    }

    @Test(
        "A delegate's block that leaves the root's match drops its rule, with a finding",
        arguments: [
            (HTTPMatch.with { $0.uri = .prefix("/a") }, HTTPMatch.with { $0.uri = .prefix("/b") }),
            (.with { $0.uri = .exact("/a") }, .with { $0.uri = .prefix("/a") }),
            (.with { $0.uri = .exact("/a") }, .with { $0.uri = .exact("/ab") }),
            (.with { $0.uri = .regex("/a.*") }, .with { $0.uri = .exact("/a") }),
            (.with { $0.uri = .prefix("/a") }, .with { $0.uri = .regex("/a.*") }),
            (.with { $0.headers = ["x": .exact("1")] }, .with { $0.headers = ["x": .exact("2")] }),
            (
                .with { $0.uri = .prefix("/a") },
                .with {
                    $0.uri = .prefix("/a"); $0.ignoreUriCase = true
                }
            ),
            (.with { $0.port = 80 }, .with { $0.port = 81 }),
            (.with { $0.sourceNamespace = "a" }, .with { _ in }),
            (.with { $0.sourceLabels = ["a": "1"] }, .with { $0.sourceLabels = ["a": "2"] }),
            (.with { $0.gateways = ["g"] }, .with { $0.gateways = ["g", "h"] }),
            (.with { $0.method = .exact("GET") }, .with { $0.method = .exact("PUT") }),
        ])
    func conflicts(rootMatch: HTTPMatch, delegateMatch: HTTPMatch) throws {
        let snapshot = mesh(
            root(Make.delegating(to: "d", [rootMatch])),
            delegate("d", Make.rule(to: "dropped", [delegateMatch]), Make.rule(to: "kept")))
        #expect(try only(snapshot).spec.http.map { $0.route[0].destination.host } == ["kept.default.svc.cluster.local"])
        let finding = try #require(snapshot.findings.first)
        #expect(finding.code == MeshFindingCode.droppedDelegateRule)
        #expect(finding.object == "VirtualService default/d")
        #expect(finding.field == "spec.http[0].match")
    }

    @Test("One block without a partner drops the whole rule, though another has one")
    func oneBlockWithoutPartner() throws {
        let snapshot = mesh(
            root(Make.delegating(to: "d", [prefix("/a")])),
            delegate("d", Make.rule(to: "x", [prefix("/a/b"), prefix("/c")])))
        #expect(try only(snapshot).spec.http.isEmpty)
    }

    @Test("A delegate that is missing, not exported, has hosts or delegates on leaves its rule out")
    func unusable() throws {
        let snapshot = mesh(
            root(
                Make.delegating(to: "missing"), Make.delegating(to: "hidden", namespace: "b"),
                Make.delegating(to: "hosted"), Make.delegating(to: "nested"), Make.rule(to: "kept")),
            delegate("hidden", in: "b", exportTo: ["."], Make.rule(to: "x")),
            Make.virtualService("hosted", hosts: ["h.example.com"], gateways: ["gw"]),
            delegate("nested", Make.delegating(to: "hidden")))
        #expect(try only(snapshot).spec.http.map { $0.route[0].destination.host } == ["kept.default.svc.cluster.local"])
        #expect(snapshot.findings.allSatisfy { $0.code == MeshFindingCode.unusableDelegate })
        #expect(
            snapshot.findings.map { "\($0.object ?? "") \($0.field ?? "")" } == [
                "VirtualService default/nested spec.http[0].delegate",
                "VirtualService default/root spec.http[1].delegate",
                "VirtualService default/root spec.http[2].delegate",
            ])
    }

    @Test("Two lists of match blocks that would multiply beyond the limit drop the rule, with a finding")
    func tooManyBlocks() throws {
        let many = (0..<65).map { number in Make.match { $0.headers = ["h\(number)": .present] } }
        let snapshot = mesh(
            root(Make.delegating(to: "d", many)),
            delegate("d", Make.rule(to: "dropped", many), Make.rule(to: "kept", Array(many.prefix(63)))))
        let rules = try only(snapshot).spec.http
        #expect(rules.map { $0.route[0].destination.host } == ["kept.default.svc.cluster.local"])
        #expect(rules[0].match.count == 65 * 63)
        #expect(snapshot.findings.map(\.code) == [MeshFindingCode.droppedDelegateRule])
    }
}

extension HTTPMatch {
    static func with(_ change: (inout HTTPMatch) -> Void) -> HTTPMatch { Make.match(change) }
}

@Suite("DestinationRules")
struct DestinationRuleTests {
    private let service = Make.service("web", in: "s")
    private let host = "web.s.svc.cluster.local"

    private func rule(
        _ snapshot: MeshSnapshot, in namespace: String = "c", labels: [String: String] = [:]
    ) throws -> ResolvedDestinationRule? {
        let service = try #require(snapshot.service(host, in: "s"))
        return snapshot.scope(in: namespace, labels: labels).destinationRule(for: service)
    }

    private func name(
        _ snapshot: MeshSnapshot, in namespace: String = "c", labels: [String: String] = [:]
    ) throws -> String? {
        try rule(snapshot, in: namespace, labels: labels)?.objects.first?.metadata.name
    }

    @Test("The client's namespace is asked first, then the service's, then the root namespace")
    func lookupOrder() throws {
        let root = Make.destinationRule("root", in: "istio-system", host: host)
        let own = Make.destinationRule("client", in: "c", host: host)
        let serving = Make.destinationRule("service", in: "s", host: "web")
        #expect(try name(mesh(service, root, serving, own)) == "client")
        #expect(try name(mesh(service, root, serving)) == "service")
        #expect(try name(mesh(service, root)) == "root")
        #expect(try name(mesh(service)) == nil)
    }

    @Test("A wildcard in an earlier namespace stands before an exact host in a later one")
    func earlierNamespaceFirst() throws {
        let snapshot = mesh(
            service, Make.destinationRule("wild", in: "c", host: "*.cluster.local"),
            Make.destinationRule("exact", in: "s", host: "web"))
        #expect(try name(snapshot) == "wild")
    }

    @Test("Within a namespace the most specific host wins: exact, then the longest wildcard")
    func specificity() throws {
        let short = Make.destinationRule("short", in: "c", host: "*.local")
        let long = Make.destinationRule("long", in: "c", host: "*.s.svc.cluster.local", created: 9)
        let exact = Make.destinationRule("exact", in: "c", host: host, created: 9)
        #expect(try name(mesh(service, short, long, exact)) == "exact")
        #expect(try name(mesh(service, short, long)) == "long")
        #expect(try name(mesh(service, short)) == "short")
    }

    @Test("Only rules exported to the client count, also in its own namespace")
    func exportTo() throws {
        let snapshot = mesh(
            service, Make.destinationRule("others", in: "c", host: host, exportTo: ["d"]),
            Make.destinationRule("private", in: "s", host: "web", exportTo: ["."]),
            Make.destinationRule("root", in: "istio-system", host: host, exportTo: ["c"]))
        #expect(try name(snapshot, in: "c") == "root")
        #expect(try name(snapshot, in: "s") == "private")
        #expect(try name(snapshot, in: "d") == nil)
    }

    @Test("For clients in the root namespace its public rules come last, its private ones first")
    func rootClient() throws {
        let shared = Make.destinationRule("public", in: "istio-system", host: host)
        let own = Make.destinationRule("private", in: "istio-system", host: host, exportTo: ["."], created: 9)
        let serving = Make.destinationRule("service", in: "s", host: "web")
        #expect(try name(mesh(service, shared, serving), in: "istio-system") == "service")
        #expect(try name(mesh(service, shared), in: "istio-system") == "public")
        #expect(try name(mesh(service, own, serving), in: "istio-system") == "private")
    }

    @Test("A rule with a selector counts for the clients it selects in its namespace, before one without")
    func selectors() throws {
        let snapshot = mesh(
            service, Make.destinationRule("plain", in: "c", host: host),
            Make.destinationRule("selecting", in: "c", host: host, selector: ["app": "a"], created: 9),
            Make.destinationRule("foreign", in: "s", host: "web", selector: ["app": "a"]))
        #expect(try name(snapshot, labels: ["app": "a"]) == "selecting")
        #expect(try name(snapshot, labels: ["app": "b"]) == "plain")
        #expect(try name(snapshot, in: "d", labels: ["app": "a"]) == nil)
    }

    @Test("Rules of one host and namespace merge: the first policy stands, subsets add up, a repeated one is dropped")
    func merging() throws {
        func objects(_ selector: [String: String]?) -> [ConfigObject] {
            [
                service,
                Make.destinationRule(
                    "c", in: "s", host: "web", subsets: ["v1", "v3"], balancing: .random, selector: selector,
                    created: 3),
                Make.destinationRule("a", in: "s", host: "web", subsets: ["v1"], selector: selector, created: 1),
                Make.destinationRule(
                    "b", in: "s", host: host, subsets: ["v2"], balancing: .roundRobin, selector: selector, created: 2),
            ]
        }
        let plain = MeshSnapshot.make(objects: objects(nil))
        #expect(try rule(plain)?.subsets.map(\.name) == ["v1", "v2", "v3"])
        #expect(plain.findings.isEmpty)

        let snapshot = MeshSnapshot.make(objects: objects(["app": "a"]))
        let merged = try #require(try rule(snapshot, in: "s", labels: ["app": "a"]))
        #expect(merged.subsets.map(\.name) == ["v1", "v2", "v3"])
        #expect(merged.trafficPolicy?.loadBalancer?.simple == .roundRobin)
        #expect(merged.objects.map(\.metadata.name) == ["a", "b", "c"])
        #expect(snapshot.findings.map(\.code) == [MeshFindingCode.droppedSubset, MeshFindingCode.droppedTrafficPolicy])
        #expect(snapshot.findings.map(\.field) == ["spec.subsets[0]", "spec.trafficPolicy"])
        #expect(snapshot.findings.allSatisfy { $0.object == "DestinationRule s/c" })
    }

    @Test("A rule merges into an older one if its exportTo is equal or wider, else it stays for itself")
    func mergingNeedsExport() throws {
        let narrow = Make.destinationRule("narrow", in: "s", host: "web", subsets: ["v1"], exportTo: ["c"], created: 1)
        let wide = Make.destinationRule(
            "wide", in: "s", host: "web", subsets: ["v2"], exportTo: ["c", "d"], created: 2)
        let widened = mesh(service, narrow, wide)
        #expect(try rule(widened)?.subsets.map(\.name) == ["v1", "v2"])
        #expect(try rule(widened, in: "d") == nil)

        let older = Make.destinationRule(
            "wide", in: "s", host: "web", subsets: ["v2"], exportTo: ["c", "d"], created: 1)
        let younger = Make.destinationRule("narrow", in: "s", host: "web", subsets: ["v1"], exportTo: ["c"], created: 2)
        let separate = mesh(service, older, younger)
        #expect(try rule(separate)?.subsets.map(\.name) == ["v2"])
        #expect(separate.findings.isEmpty)
    }
}
