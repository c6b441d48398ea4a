internal import ApusCompiler
internal import ApusCore
internal import ApusManifest
internal import ApusMesh
internal import ApusModel
internal import ApusTraffic
internal import Testing

/// From manifest text to what the proxy's own engine decides for a request.
@Suite struct EngineFlowTests {
    private static let services = FlowMesh.service("a", number: 1) + "\n---\n" + FlowMesh.service("b", number: 2)

    private static func mesh(_ http: String) -> FlowMesh {
        FlowMesh(
            services,
            """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: b, namespace: default}
            spec:
              hosts: [b]
              http:
            \(http.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
            """)
    }

    private static let toA = "route: [{destination: {host: a}}]"
    private static let a = "cluster outbound|80||a.default.svc.cluster.local"
    private static let b = "cluster outbound|80||b.default.svc.cluster.local"

    struct Case: Sendable, CustomTestStringConvertible {
        let match: String
        let method: String
        let path: String
        let fields: [(String, String)]
        let matches: Bool

        init(
            _ match: String, _ path: String, _ fields: [(String, String)] = [], _ method: String = "GET",
            to matches: Bool
        ) {
            self.match = match
            self.method = method
            self.path = path
            self.fields = fields
            self.matches = matches
        }

        var testDescription: String { "\(match) \(method) \(path) \(fields)" }
    }

    @Test(
        arguments: [
            Case("uri: {prefix: /a}", "/a", to: true),
            Case("uri: {prefix: /a}", "/ab?c", to: true),
            Case("uri: {prefix: /a}", "/b/a", to: false),
            Case("uri: {exact: /a}", "/a?x=y", to: true),
            Case("uri: {exact: /a}", "/a/", to: false),
            Case("uri: {exact: /A}, ignoreUriCase: true", "/a", to: true),
            Case("uri: {regex: '/[0-9]+'}", "/123", to: true),
            Case("uri: {regex: '/[0-9]+'}", "/123x", to: false),
            Case("method: {exact: POST}", "/", [], "POST", to: true),
            Case("method: {exact: POST}", "/", to: false),
            Case("headers: {x-a: {prefix: b}}", "/", [("X-A", "bc")], to: true),
            Case("headers: {x-a: {exact: b}}", "/", [("x-a", "bc")], to: false),
            Case("headers: {x-a: {}}", "/", [("x-a", "anything")], to: true),
            Case("headers: {x-a: {}}", "/", to: false),
            Case("withoutHeaders: {x-a: {exact: b}}", "/", [("x-a", "b")], to: false),
            Case("withoutHeaders: {x-a: {exact: b}}", "/", [("x-a", "c")], to: true),
            Case("queryParams: {q: {exact: '1'}}", "/?p=0&q=1", to: true),
            Case("queryParams: {q: {exact: '1'}}", "/?q=12", to: false),
            Case("authority: {prefix: b}", "/", to: true),
            Case("authority: {exact: c}", "/", to: false),
            Case("uri: {prefix: /a}, method: {exact: PUT}", "/a", to: false),
            Case("port: 80", "/", to: true),
            Case("port: 81", "/", to: false),
            Case("sourceNamespace: default", "/", to: true),
            Case("sourceNamespace: elsewhere", "/", to: false),
        ])
    func `a request that a match describes goes to its destination, any other does not`(_ test: Case) throws {
        let mesh = Self.mesh("- {match: [{\(test.match)}], \(Self.toA)}\n- {route: [{destination: {host: b}}]}")
        #expect(mesh.complaints == [])
        let engine = mesh.engine(FlowMesh.sidecar)
        #expect(engine.refusals == [])
        let decided = try engine.decide("80", test.method, host: "b", path: test.path, test.fields)
        #expect(decided == (test.matches ? Self.a : Self.b))
    }

    @Test func `redirects and direct responses answer without a cluster`() throws {
        let mesh = Self.mesh(
            """
            - {match: [{uri: {prefix: /old}}], redirect: {uri: /new}}
            - {match: [{uri: {prefix: /closed}}], directResponse: {status: 410}}
            - {match: [{uri: {prefix: /open}}], \(Self.toA)}
            """)
        let engine = mesh.engine(FlowMesh.sidecar)
        #expect(engine.refusals == [])
        #expect(try engine.decide("80", host: "b", path: "/old") == "redirect")
        #expect(try engine.decide("80", host: "b", path: "/closed") == "direct 410")
        #expect(try engine.decide("80", host: "b", path: "/open") == Self.a)
        #expect(try engine.decide("80", host: "b", path: "/") == "404")
    }

    @Test func `the first route that matches decides, in the order of the text`() throws {
        let mesh = Self.mesh(
            """
            - {match: [{uri: {prefix: /}}], \(Self.toA)}
            - {match: [{uri: {prefix: /b}}], route: [{destination: {host: b}}]}
            """)
        #expect(try mesh.engine(FlowMesh.sidecar).decide("80", host: "b", path: "/b") == Self.a)
    }

    @Test func `a host without rules goes to its own service, an unknown one passes through`() throws {
        let engine = FlowMesh(Self.services).engine(FlowMesh.sidecar)
        #expect(try engine.decide("80", host: "a", path: "/") == Self.a)
        #expect(try engine.decide("80", host: "b.default:80", path: "/") == Self.b)
        #expect(try engine.decide("80", host: "unknown.example.com", path: "/") == "cluster PassthroughCluster")
    }

    @Test func `an edit of one destination moves the decision and nothing else`() throws {
        let before = Self.mesh("- {match: [{uri: {prefix: /x}}], \(Self.toA)}\n- {route: [{destination: {host: b}}]}")
        let after = Self.mesh(
            "- {match: [{uri: {prefix: /x}}], route: [{destination: {host: b}}]}\n- {route: [{destination: {host: b}}]}"
        )
        let old = before.view(FlowMesh.sidecar)
        let mesh = CompiledMesh(snapshot: before.snapshot)
        _ = mesh.view(for: FlowMesh.sidecar)
        let snapshot = before.snapshot.updated(changed: after.file.objects)
        let next = mesh.updated(to: snapshot, changes: snapshot.changes(since: before.snapshot))
        let new = next.view(for: FlowMesh.sidecar)
        #expect(new.routes.diff(since: old.routes).changed.map(\.name) == ["80"])
        #expect(new.routes.diff(since: old.routes).removed == [])
        for type in ResourceType.allCases where type != .route { #expect(new[type].version == old[type].version) }
        #expect(try FlowEngine(old).decide("80", host: "b", path: "/x") == Self.a)
        #expect(try FlowEngine(new).decide("80", host: "b", path: "/x") == Self.b)
    }
}

/// The example of the project, proxy by proxy.
@Suite struct BookstoreFlowTests {
    private static func mesh() throws -> FlowMesh {
        let texts = try Folder.manifests("Examples/bookstore/manifests").map {
            String(decoding: try Folder.bytes($0), as: UTF8.self)
        }
        try #require(texts.count == 5)
        return FlowMesh(text: texts.joined(separator: "\n---\n"))
    }

    private static func proxy(
        _ name: String, _ address: String, _ labels: [String: String], role: Proxy.Role = .sidecar
    ) -> Proxy {
        Proxy(
            id: "\(name).bookstore", role: role, namespace: "bookstore", addresses: [address], labels: labels,
            interception: .none)
    }

    private static let proxies = [
        proxy("storefront", "127.0.21.1", ["app": "storefront", "version": "v1"]),
        proxy("catalog", "127.0.21.2", ["app": "catalog", "version": "v1"]),
        proxy("reviews-v1", "127.0.21.3", ["app": "reviews", "version": "v1"]),
        proxy("reviews-v2", "127.0.21.4", ["app": "reviews", "version": "v2"]),
        proxy("shop-gateway", "127.0.21.9", ["app": "shop-gateway"], role: .router),
    ]

    @Test func `the example has no errors, and the proxy accepts every resource of it`() throws {
        let mesh = try Self.mesh()
        #expect(mesh.file.findings.filter { $0.severity == .error }.map(\.message) == [])
        for proxy in Self.proxies {
            let engine = mesh.engine(proxy)
            #expect(engine.refusals == [], "\(proxy.id)")
            #expect(engine.store.warmingListeners == [], "\(proxy.id)")
            #expect(!engine.store.configuration.listeners.isEmpty, "\(proxy.id)")
        }
    }

    @Test func `the gateway's door leads to the storefront, save the office`() throws {
        let engine = try Self.mesh().engine(Self.proxies[4])
        let table = "http.8080.127.0.21.9"
        #expect(
            try engine.decide(table, host: "shop.example.com", path: "/")
                == "cluster outbound|9080||storefront.bookstore.svc.cluster.local")
        #expect(try engine.decide(table, host: "shop.example.com", path: "/admin") == "direct 403")
        #expect(try engine.decide(table, host: "other.example.com", path: "/") == "404")
    }
}
