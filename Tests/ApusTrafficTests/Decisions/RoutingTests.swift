internal import ApusCore
internal import ApusRegex
internal import ApusTraffic
internal import Testing

@Suite struct RoutingTests {
    private func path(_ text: String) -> RouteMatch { RouteMatch(path: .prefix(bytes(text))) }

    private func chosen(_ match: RouteMatch, _ head: HTTPHead, seed: UInt64 = 1) -> Bool {
        table([VirtualHost(name: "v", domains: ["*"], routes: [forwarding("c", match)])])
            .decide(head: head, draw: Draw(seed)).clusterName == "c"
    }

    // MARK: Virtual hosts

    @Test(arguments: [
        ("shop.example", "exact"), ("SHOP.example", "exact"), ("a.shop.example", "suffix-long"),
        ("b.example", "suffix-short"), ("shop.test", "prefix"), ("else", "any"), (".example", "any"),
    ])
    func `exact domain wins, then the longest suffix, then the longest prefix, then the star`(
        host: String, wanted: String
    ) {
        let names = [
            ("any", "*"), ("prefix", "shop.*"), ("suffix-short", "*.example"), ("suffix-long", "*.shop.example"),
            ("exact", "shop.example"),
        ]
        let hosts = names.map { VirtualHost(name: $0.0, domains: [$0.1], routes: [forwarding($0.0, path("/"))]) }
        #expect(table(hosts).decide(head: get("/", host: host), draw: Draw(1)).clusterName == wanted)
    }

    @Test func `a port in the host is part of the domain unless the table ignores it`() {
        let host = VirtualHost(name: "v", domains: ["shop"], routes: [forwarding("c", path("/"))])
        let strict = RouteTable(name: "t", virtualHosts: [host])
        let lenient = RouteTable(name: "t", virtualHosts: [host], ignoresPortInHost: true)
        #expect(strict.decide(head: get("/", host: "shop:80"), draw: Draw(1)).clusterName == nil)
        #expect(lenient.decide(head: get("/", host: "shop:80"), draw: Draw(1)).clusterName == "c")
    }

    @Test(arguments: [("[::1]:80", "[::1]"), ("::1", "::1"), ("a:8080", "a"), ("a", "a"), ("[::1]", "[::1]")])
    func `the port of an authority is what follows the last colon outside of brackets`(all: String, host: String) {
        #expect(withBytes(bytes(all)) { String(decoding: Authority.withoutPort($0), as: UTF8.self) } == host)
    }

    @Test func `many domains are all found`() {
        var index = DomainIndex()
        for number in 0..<5000 {
            let isNew = index.insert("host\(number).example", index: number)
            #expect(isNew)
        }
        index.finish()
        for number in 0..<5000 { #expect(withBytes(bytes("HOST\(number).example")) { index.find($0) } == number) }
        let isNew = index.insert("host7.example", index: 1)
        #expect(!isNew)
        #expect(withBytes(bytes("none.example")) { index.find($0) } == nil)
    }

    // MARK: Paths

    @Test(arguments: [
        ("/api", "/api", true), ("/api", "/apiary", true), ("/api", "/API", false), ("/api", "/ap", false),
        ("/api", "/api?x=/y", true), ("/a?b", "/a?b", false),
    ])
    func `a prefix is compared with the path without its query`(prefix: String, request: String, matches: Bool) {
        #expect(chosen(path(prefix), get(request)) == matches)
    }

    @Test(arguments: [
        ("/api", true), ("/api/", true), ("/api/v1", true), ("/api?x", true), ("/apiary", false), ("/ap", false),
    ])
    func `a separated prefix ends at a slash, the query or the end`(request: String, matches: Bool) {
        #expect(chosen(RouteMatch(path: .separatedPrefix(bytes("/api"))), get(request)) == matches)
    }

    @Test(arguments: [("/a", true), ("/a?q=1", true), ("/a/", false), ("/A", false)])
    func `an exact path leaves out the query`(request: String, matches: Bool) {
        #expect(chosen(RouteMatch(path: .exact(bytes("/a"))), get(request)) == matches)
    }

    @Test func `paths are compared without case when the match says so`() {
        #expect(chosen(RouteMatch(path: .exact(bytes("/A")), ignoresCase: true), get("/a")))
        #expect(chosen(RouteMatch(path: .prefix(bytes("/A")), ignoresCase: true), get("/aB")))
    }

    @Test func `a regular expression must match the whole path without query`() throws {
        let match = RouteMatch(path: .regex(try RE2Pattern("/[a-z]+")))
        #expect(chosen(match, get("/abc?x")))
        #expect(!chosen(match, get("/abc/1")))
    }

    @Test func `a connect matcher takes CONNECT and nothing else`() {
        let match = RouteMatch(path: .connect)
        #expect(chosen(match, HTTPHead(method: "CONNECT", path: "", authority: "a:1")))
        #expect(!chosen(match, get("/")))
    }

    // MARK: Headers

    private func header(
        _ test: HeaderMatch.Test, inverted: Bool = false, empty: Bool = false, name: String = "x-v"
    ) -> HeaderMatch {
        HeaderMatch(name: HeaderName(name), test: test, inverted: inverted, treatsMissingAsEmpty: empty)
    }

    @Test func `header tests compare the value`() throws {
        let head = get("/", [("x-v", "abc")])
        let yes: [HeaderMatch.Test] = [
            .present, .string(.exact("abc")), .string(StringMatch(.prefix(bytes("ab")))),
            .string(StringMatch(.suffix(bytes("bc")))), .string(StringMatch(.contains(bytes("b")))),
            .string(StringMatch(.regex(try RE2Pattern("a.c")))),
            .string(StringMatch(.exact(bytes("ABC")), ignoresCase: true)),
        ]
        for test in yes {
            #expect(header(test).matches(head))
            #expect(!header(test, inverted: true).matches(head))
        }
        let no: [HeaderMatch.Test] = [
            .absent, .string(.exact("ab")), .string(StringMatch(.prefix(bytes("b")))),
            .string(StringMatch(.regex(try RE2Pattern("a")))), .range(0, 10),
        ]
        for test in no {
            #expect(!header(test).matches(head))
            #expect(header(test, inverted: true).matches(head))
        }
    }

    @Test func `of several values one that passes decides, and an inverted test inverts that`() throws {
        let head = get("/", [("x-v", "zero"), ("x-v", "one"), ("x-v", "7")])
        let passing: [HeaderMatch.Test] = [
            .string(.exact("one")), .string(StringMatch(.prefix(bytes("on")))),
            .string(StringMatch(.regex(try RE2Pattern("o.*e")))), .range(5, 9),
        ]
        for test in passing {
            #expect(header(test).matches(head))
            #expect(!header(test, inverted: true).matches(head))
        }
        let failing: [HeaderMatch.Test] = [
            .string(.exact("zero,one")), .string(StringMatch(.contains(bytes(",")))), .range(8, 9),
        ]
        for test in failing {
            #expect(!header(test).matches(head))
            #expect(header(test, inverted: true).matches(head))
        }
    }

    @Test func `a missing header fails every test, inverted ones too, but those of presence`() {
        let head = get("/")
        #expect(!header(.string(.exact(""))).matches(head))
        #expect(!header(.string(.exact("a")), inverted: true).matches(head))
        #expect(!header(.range(0, 9), inverted: true).matches(head))
        #expect(header(.absent).matches(head))
        #expect(header(.present, inverted: true).matches(head))
    }

    @Test func `a missing header that counts as empty is compared as the empty value`() {
        let head = get("/")
        #expect(header(.string(.exact("")), empty: true).matches(head))
        #expect(header(.string(.exact("a")), inverted: true, empty: true).matches(head))
        #expect(header(.range(0, 9), inverted: true, empty: true).matches(head))
    }

    @Test(arguments: [("5", true), ("10", false), ("0", true), ("-1", false), ("5x", false), ("", false)])
    func `a range is half open and wants an integer`(value: String, matches: Bool) {
        #expect(header(.range(0, 10)).matches(get("/", [("x-v", value)])) == matches)
    }

    @Test func `pseudo-headers can be matched`() {
        #expect(header(.string(.exact("GET")), name: ":method").matches(get("/")))
        #expect(header(.string(StringMatch(.suffix(bytes("?q")))), name: ":path").matches(get("/a?q")))
    }

    // MARK: Queries, gRPC, chance

    @Test(arguments: [
        ("/?a=1", true), ("/?b=2&a=1", true), ("/?a=2&a=1", false), ("/?aa=1", false), ("/", false), ("/?a", false),
        ("/#?a=1", true),
    ])
    func `a query parameter is compared by its first value`(request: String, matches: Bool) {
        let match = RouteMatch(path: .prefix(bytes("/")), queries: [QueryMatch(name: "a", value: .exact("1"))])
        #expect(chosen(match, get(request)) == matches)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("application/grpc-web", false),
        ("application/json", false),
    ])
    func `a gRPC match looks at the content type`(type: String, matches: Bool) {
        let match = RouteMatch(path: .prefix(bytes("/")), grpcOnly: true)
        #expect(chosen(match, get("/", [("content-type", type)])) == matches)
    }

    @Test func `a runtime fraction lets its share of the requests match`() {
        let match = RouteMatch(path: .prefix(bytes("/")), share: Fraction(millionths: 250_000))
        var random = SeededRandom(seed: 7)
        let hits = (0..<20_000).count { _ in chosen(match, get("/"), seed: random.next()) }
        #expect((4700...5300).contains(hits))
    }

    @Test func `the first route that matches wins`() {
        let host = VirtualHost(
            name: "v", domains: ["*"], routes: [forwarding("a", path("/a")), forwarding("b", path("/"))])
        #expect(table([host]).decide(head: get("/ab"), draw: Draw(1)).clusterName == "a")
        #expect(table([host]).decide(head: get("/b"), draw: Draw(1)).clusterName == "b")
    }

    @Test func `weighted clusters get their share and a header can carry the random number`() {
        let names = [("a", 10), ("b", 0), ("c", 90)] as [(String, UInt32)]
        let clusters = names.enumerated().map { index, entry in
            WeightedCluster(target: .cluster(ClusterReference(name: entry.0, slot: Slot(index))), weight: entry.1)
        }
        let specifier = ClusterSpecifier.weighted(clusters, total: 100, randomHeader: HeaderName("x-random"))
        let route = Route(match: path("/"), action: .forward(ForwardAction(clusters: specifier)))
        let routes = table([VirtualHost(name: "v", domains: ["*"], routes: [route])])
        var counts: [String: Int] = [:]
        for seed in 0..<20_000 as Range<UInt64> {
            counts[routes.decide(head: get("/"), draw: Draw(seed)).clusterName ?? "", default: 0] += 1
        }
        #expect(counts["b"] == nil)
        #expect((1800...2200).contains(counts["a"] ?? 0))
        let nine = routes.decide(head: get("/", [("x-random", "9")]), draw: Draw(1))
        let ten = routes.decide(head: get("/", [("x-random", "110")]), draw: Draw(1))
        #expect(nine.clusterName == "a" && ten.clusterName == "c")
    }

    @Test func `a cluster header names the cluster`() {
        let route = Route(
            match: path("/"), action: .forward(ForwardAction(clusters: .header(HeaderName("x-cluster")))))
        let routes = table([VirtualHost(name: "v", domains: ["*"], routes: [route])])
        #expect(routes.decide(head: get("/", [("x-cluster", "blue")]), draw: Draw(1)).clusterName == "blue")
        #expect(routes.decide(head: get("/"), draw: Draw(1)).clusterName == "")
    }

    @Test func `a host that requires TLS sends plain requests to https`() {
        let host = VirtualHost(name: "v", domains: ["*"], routes: [forwarding("c", path("/"))], tls: .all)
        if case .requireTLS = table([host]).decide(head: get("/"), draw: Draw(1)).outcome {
        } else {
            Issue.record("not asked for TLS")
        }
        #expect(table([host]).decide(head: get("/"), draw: Draw(1), isSecure: true).clusterName == "c")
        let external = VirtualHost(name: "v", domains: ["*"], routes: [forwarding("c", path("/"))], tls: .externalOnly)
        #expect(table([external]).decide(head: get("/"), draw: Draw(1), isInternal: true).clusterName == "c")
    }
}
