internal import ApusCore
internal import ApusRegex
internal import ApusTraffic
internal import Testing

@Suite struct RequestTests {
    private let connection = ConnectionIdentity(
        remoteAddress: IPAddress("10.1.2.3"), localAddress: IPAddress("10.0.0.1"), localPort: 80)

    private func manager(_ change: (inout HTTPConnectionManager.Identity) -> Void = { _ in }) -> HTTPConnectionManager {
        var identity = HTTPConnectionManager.Identity()
        change(&identity)
        return HTTPConnectionManager(
            statPrefix: "t", routes: .inline(RouteTable(name: "r", virtualHosts: [])), identity: identity)
    }

    private func prepared(
        _ fields: [(String, String)], upgrade: Bool = false, from: ConnectionIdentity? = nil,
        _ change: (inout HTTPConnectionManager.Identity) -> Void = { _ in }
    ) -> (HTTPHead, RequestIdentity) {
        var head = get("/", fields)
        var random = SeededRandom(seed: 1)
        let identity = manager(change).prepare(
            &head, connection: from ?? connection, isUpgrade: upgrade, random: &random)
        return (head, identity)
    }

    @Test func `hop-by-hop headers do not go on, save those of an upgrade`() {
        let fields = [
            ("Connection", "upgrade"), ("Upgrade", "websocket"), ("Keep-Alive", "5"), ("Proxy-Connection", "x"),
            ("Transfer-Encoding", "chunked"), ("TE", "gzip, Trailers;q=1"),
        ]
        let (plain, _) = prepared(fields)
        #expect(
            Set(plain.textFields.map(\.name)) == ["te", "x-forwarded-proto", "x-request-id"])
        #expect(plain.text("te") == "trailers")
        let (upgrade, _) = prepared(fields, upgrade: true)
        #expect(upgrade.text("upgrade") == "websocket" && upgrade.text("connection") == "upgrade")
        #expect(prepared([("te", "gzip")]).0.text("te") == nil)
    }

    @Test func `with the remote address the peer is appended to x-forwarded-for`() {
        let (head, identity) = prepared([("x-forwarded-for", "1.1.1.1")]) { $0.usesRemoteAddress = true }
        #expect(head.text("x-forwarded-for") == "1.1.1.1,10.1.2.3")
        #expect(identity.clientAddress == IPAddress("10.1.2.3"))
        #expect(head.text("x-envoy-external-address") == "10.1.2.3")
    }

    @Test func `a loopback peer appends the local address`() {
        let loop = ConnectionIdentity(remoteAddress: IPAddress("127.0.0.1"), localAddress: IPAddress("10.0.0.1"))
        #expect(prepared([], from: loop) { $0.usesRemoteAddress = true }.0.text("x-forwarded-for") == "10.0.0.1")
    }

    @Test func `only 127_0_0_1 is the loopback; its neighbours are clients like any`() {
        let other = ConnectionIdentity(remoteAddress: IPAddress("127.0.0.9"), localAddress: IPAddress("10.0.0.1"))
        #expect(prepared([], from: other) { $0.usesRemoteAddress = true }.0.text("x-forwarded-for") == "127.0.0.9")
    }

    @Test func `trusted hops count from the right`() {
        let list = [("x-forwarded-for", "1.1.1.1, 2.2.2.2, 3.3.3.3")]
        let two = prepared(list) {
            $0.usesRemoteAddress = true
            $0.trustedHops = 2
        }
        #expect(two.1.clientAddress == IPAddress("2.2.2.2"))
        #expect(prepared(list).1.clientAddress == IPAddress("3.3.3.3"))
        #expect(prepared(list) { $0.trustedHops = 1 }.1.clientAddress == IPAddress("2.2.2.2"))
        #expect(prepared(list) { $0.trustedHops = 9 }.1.clientAddress == IPAddress("10.1.2.3"))
        #expect(prepared(list).0.text("x-forwarded-for") == "1.1.1.1, 2.2.2.2, 3.3.3.3")
    }

    @Test func `x-forwarded-proto is kept without the remote address and overwritten with it`() {
        #expect(prepared([("x-forwarded-proto", "https")]).0.text("x-forwarded-proto") == "https")
        #expect(prepared([("x-forwarded-proto", "https")]).1.isSecure)
        let edge = prepared([("x-forwarded-proto", "https")]) { $0.usesRemoteAddress = true }
        #expect(edge.0.text("x-forwarded-proto") == "http" && !edge.1.isSecure)
    }

    @Test func `one internal address makes an internal request, which keeps its x-envoy headers`() {
        let fields = [("x-forwarded-for", "10.9.9.9"), ("x-envoy-max-retries", "7")]
        let inside = prepared(fields) { $0.internalRanges = [CIDR("10.0.0.0/8")].compactMap { $0 } }
        #expect(inside.1.isInternal && inside.0.text("x-envoy-internal") == "true")
        #expect(inside.0.text("x-envoy-max-retries") == "7")
        let outside = prepared(fields)
        #expect(!outside.1.isInternal && outside.0.text("x-envoy-max-retries") == nil)
        #expect(outside.0.text("x-envoy-internal") == nil)
    }

    @Test func `request ids are version 4 UUIDs, made when absent and replaced at the edge`() throws {
        let id = try #require(prepared([]).0.text("x-request-id"))
        #expect(id.count == 36 && Array(id)[14] == "4" && "89ab".contains(Array(id)[19]))
        #expect(prepared([("x-request-id", "mine")]).0.text("x-request-id") == "mine")
        #expect(prepared([("x-request-id", "mine")]) { $0.usesRemoteAddress = true }.0.text("x-request-id") != "mine")
        let kept = prepared([("x-request-id", "mine")]) {
            $0.usesRemoteAddress = true
            $0.preservesExternalRequestID = true
        }
        #expect(kept.0.text("x-request-id") == "mine")
        #expect(prepared([]) { $0.generatesRequestID = false }.0.text("x-request-id") == nil)
    }

    @Test func `a client certificate header goes no further unless it is always forwarded`() {
        let fields = [("x-forwarded-client-cert", "By=x")]
        #expect(prepared(fields) { $0.clientCertificate = .appendForward }.0.text("x-forwarded-client-cert") == nil)
        #expect(
            prepared(fields) { $0.clientCertificate = .alwaysForwardOnly }.0.text("x-forwarded-client-cert") == "By=x")
    }

    // MARK: Header operations

    private func set(_ name: String, _ value: String, _ action: HeaderOperations.Action = .overwriteIfExistsOrAdd)
        -> HeaderOperations
    {
        HeaderOperations(settings: [
            .init(name: HeaderName(name), value: FormatString(literal: value), action: action)
        ])
    }

    private func levels(mostSpecific: Bool) -> (RouteTable, RouteDecision) {
        let cluster = ClusterReference(name: "c", slot: Slot(0))
        let weighted = WeightedCluster(target: .cluster(cluster), weight: 1, requestHeaders: set("x-l", "cluster"))
        let route = Route(
            match: RouteMatch(path: .prefix(bytes("/"))),
            action: .forward(ForwardAction(clusters: .weighted([weighted], total: 1, randomHeader: nil))),
            requestHeaders: set("x-l", "route"))
        let host = VirtualHost(name: "v", domains: ["*"], routes: [route], requestHeaders: set("x-l", "host"))
        let table = RouteTable(
            name: "t", virtualHosts: [host], requestHeaders: set("x-l", "table"),
            mostSpecificHeaderMutationsWin: mostSpecific)
        return (table, table.decide(head: get("/"), draw: Draw(1)))
    }

    @Test func `the outer level is applied last, or first if the most specific wins`() {
        for (mostSpecific, wanted) in [(false, "table"), (true, "cluster")] {
            let (table, decision) = levels(mostSpecific: mostSpecific)
            var head = get("/")
            table.applyRequestHeaders(decision, to: &head, facts: StreamFacts())
            #expect(head.text("x-l") == wanted)
        }
    }

    @Test func `an operator without a value prints nothing, and an empty value sets nothing`() {
        let missing = FormatOperator.request(HeaderName("x-none"), alternative: nil, limit: nil)
        var head = get("/")
        HeaderOperations(settings: [
            .init(name: HeaderName("x-a"), value: FormatString(segments: [.value(missing)])),
            .init(
                name: HeaderName("x-b"), value: FormatString(segments: [.literal(bytes("<")), .value(missing)])),
        ]).apply(to: &head, request: head, response: nil, facts: StreamFacts())
        #expect(head.textFields.map { "\($0.name)=\($0.value)" } == ["x-b=<"])
    }

    @Test func `within a level removals come first`() {
        let operations = HeaderOperations(
            removals: [HeaderName("x-a")], settings: set("x-a", "new", .appendIfExistsOrAdd).settings)
        var head = get("/", [("x-a", "old"), ("x-a", "older")])
        operations.apply(to: &head, request: nil, response: nil, facts: StreamFacts())
        #expect(head.textFields.map(\.value) == ["new"])
    }

    @Test(arguments: [
        (HeaderOperations.Action.appendIfExistsOrAdd, "old,new", "new"), (.addIfAbsent, "old", "new"),
        (.overwriteIfExistsOrAdd, "new", "new"), (.overwriteIfExists, "new", ""),
    ])
    func `append actions`(action: HeaderOperations.Action, existing: String, absent: String) {
        func result(_ fields: [(String, String)]) -> String {
            var head = get("/", fields)
            set("x-a", "new", action).apply(to: &head, request: nil, response: nil, facts: StreamFacts())
            return head.textFields.map(\.value).joined(separator: ",")
        }
        #expect(result([("x-a", "old")]) == existing)
        #expect(result([]) == absent)
    }

    // MARK: Rewrites and upstream headers

    private func sent(
        _ head: HTTPHead, match: RouteMatch, _ forward: ForwardAction, timeoutHeader: Bool = false,
        host: (Route) -> VirtualHost = { VirtualHost(name: "v", domains: ["*"], routes: [$0]) }
    ) -> HTTPHead {
        let table = RouteTable(name: "t", virtualHosts: [host(Route(match: match, action: .forward(forward)))])
        let decision = table.decide(head: head, draw: Draw(1))
        var head = head
        let timeouts = forward.timeouts(&head, manager: manager())
        table.finishRequest(
            &head, decision: decision, forward: forward, timeouts: timeouts, manager: manager(), facts: StreamFacts())
        return head
    }

    private func forward(
        path: ForwardAction.PathRewrite = .none, host: ForwardAction.HostRewrite = .none, timeout: Duration? = nil,
        retry: RetryPolicy? = nil, forwardedHost: Bool = false
    ) -> ForwardAction {
        ForwardAction(
            clusters: .cluster(ClusterReference(name: "c", slot: Slot(0))), pathRewrite: path, hostRewrite: host,
            appendsForwardedHost: forwardedHost, timeout: timeout, retry: retry)
    }

    @Test(arguments: [
        ("/api/v1?x=1", "/", "//v1?x=1"), ("/api?x=1", "/new", "/new?x=1"), ("/api/a", "/new", "/new/a"),
    ])
    func `a prefix rewrite replaces what the route matched and keeps the query`(
        path: String, rewrite: String, wanted: String
    ) {
        let head = sent(
            get(path), match: RouteMatch(path: .prefix(bytes("/api"))), forward(path: .prefix(bytes(rewrite))))
        #expect(head.text(head.path) == wanted)
        #expect(head.text("x-envoy-original-path") == path)
    }

    @Test func `a regex rewrite works on the path without its query`() throws {
        let rewrite = RegexRewrite(pattern: try RE2Pattern("^/users/([^/]+)(.*)$"), substitution: "\\2/of/\\1")
        let head = sent(
            get("/users/ada/books?x=/users/bob"), match: RouteMatch(path: .prefix(bytes("/"))),
            forward(path: .regex(rewrite)))
        #expect(head.text(head.path) == "/books/of/ada?x=/users/bob")
    }

    @Test func `a host rewrite keeps the old host in x-envoy-original-host, and x-forwarded-host where asked`() {
        let head = sent(
            get("/", host: "front:80"), match: RouteMatch(path: .prefix(bytes("/"))),
            forward(host: .literal(bytes("back")), forwardedHost: true))
        #expect(head.text(":authority") == "back")
        #expect(head.text("x-envoy-original-host") == "front:80")
        #expect(head.text("x-forwarded-host") == "front:80")
        #expect(head.text("x-envoy-original-path") == nil)
    }

    @Test func `a host rewrite by header takes the header's value, if it is there`() {
        let match = RouteMatch(path: .prefix(bytes("/")))
        let action = forward(host: .header(HeaderName("x-host")))
        #expect(sent(get("/", [("x-host", "back")]), match: match, action).text(":authority") == "back")
        #expect(sent(get("/"), match: match, action).text(":authority") == "shop.example")
    }

    @Test func `the expected time-out is the per-try one, else the route's, and absent when off`() {
        let match = RouteMatch(path: .prefix(bytes("/")))
        let retry = RetryPolicy(conditions: .serverError, perTryTimeout: .seconds(1))
        #expect(
            sent(get("/"), match: match, forward(timeout: .seconds(3), retry: retry))
                .text("x-envoy-expected-rq-timeout-ms") == "1000")
        #expect(
            sent(get("/"), match: match, forward(timeout: .seconds(3))).text("x-envoy-expected-rq-timeout-ms") == "3000"
        )
        #expect(sent(get("/"), match: match, forward()).text("x-envoy-expected-rq-timeout-ms") == nil)
    }

    @Test func `a per-try time-out as long as the route's is ignored`() {
        let action = forward(
            timeout: .seconds(1), retry: RetryPolicy(conditions: .serverError, perTryTimeout: .seconds(1)))
        var head = get("/")
        #expect(action.timeouts(&head, manager: manager()).perTry == nil)
    }

    @Test func `time-out headers of an internal client replace the route's and are consumed`() {
        var head = get(
            "/", [("x-envoy-upstream-rq-timeout-ms", "200"), ("x-envoy-upstream-rq-per-try-timeout-ms", "50")])
        let timeouts = forward(timeout: .seconds(9)).timeouts(&head, manager: manager())
        #expect(timeouts.global == .milliseconds(200) && timeouts.perTry == .milliseconds(50))
        #expect(head.fields.isEmpty)
    }

    @Test func `a gRPC request brings its own time-out, up to the route's`() {
        func global(_ most: Duration, _ asked: String?, type: String = "application/grpc") -> Duration? {
            let action = ForwardAction(
                clusters: .cluster(ClusterReference(name: "c", slot: Slot(0))), timeout: .seconds(9),
                grpcRequestTimeoutMax: most)
            var head = get("/", [("content-type", type)] + (asked.map { [("grpc-timeout", $0)] } ?? []))
            return action.timeouts(&head, manager: manager()).global
        }
        #expect(global(.seconds(5), "1S") == .seconds(1))
        #expect(global(.seconds(5), "7S") == .seconds(5))
        #expect(global(.seconds(5), nil) == .seconds(5))
        #expect(global(.zero, "7S") == .seconds(7))
        #expect(global(.zero, nil) == nil)
        #expect(global(.seconds(5), "1S", type: "text/plain") == .seconds(9))
    }

    @Test(arguments: [("1S", Duration.seconds(1)), ("250m", .milliseconds(250)), ("2H", .seconds(7200))])
    func `grpc-timeout is read with its unit`(text: String, wanted: Duration) {
        #expect(ForwardAction.grpcTimeout(get("/", [("grpc-timeout", text)])) == wanted)
    }

    @Test(arguments: ["", "1", "S", "123456789S", "1x", "-1S"])
    func `a malformed grpc-timeout is none`(text: String) {
        #expect(ForwardAction.grpcTimeout(get("/", [("grpc-timeout", text)])) == nil)
    }

    @Test func `the attempt count is set where the virtual host asks for it`() {
        let head = sent(get("/"), match: RouteMatch(path: .prefix(bytes("/"))), forward()) {
            VirtualHost(name: "v", domains: ["*"], routes: [$0], addsAttemptCountToRequest: true)
        }
        #expect(head.text("x-envoy-attempt-count") == "1")
    }

    @Test(arguments: [("shop", "shop-shadow"), ("shop:80", "shop-shadow:80"), ("[::1]:80", "[::1]-shadow:80")])
    func `a mirrored request has the shadow suffix before the port`(host: String, wanted: String) {
        let policy = MirrorPolicy(target: .header(HeaderName("x")))
        var copy = get("/", host: host)
        policy.prepare(&copy, facts: StreamFacts())
        #expect(copy.text(":authority") == wanted)
    }

    // MARK: Responses

    @Test func `server is overwritten, a date is only added, hop-by-hop headers go`() {
        var head = HTTPHead(
            status: 200,
            fields: [("server", "nginx"), ("date", "yesterday"), ("connection", "close"), ("transfer-encoding", "x")])
        manager().finish(&head, request: get("/"), isUpgrade: false, date: bytes("now"))
        #expect(head.textFields.map { "\($0.name)=\($0.value)" } == ["server=envoy", "date=yesterday"])
        var bare = HTTPHead(status: 200)
        manager().finish(&bare, request: get("/"), isUpgrade: false, date: bytes("now"))
        #expect(bare.text("date") == "now")
    }

    @Test func `dates are those of RFC 9110`() {
        #expect(text(TimeFormat.httpDate(seconds: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(text(TimeFormat.httpDate(seconds: 1_709_164_800)) == "Thu, 29 Feb 2024 00:00:00 GMT")
        #expect(text(TimeFormat.httpDate(seconds: -1)) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }
}
