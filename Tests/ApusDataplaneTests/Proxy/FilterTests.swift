import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

@Suite struct FilterTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func rules(_ action: AuthorizationRules.Action, path: String) -> AuthorizationRules {
        AuthorizationRules(
            action: action,
            policies: [.init(name: "p", permissions: [.path(.exact(path))], principals: [.always])])
    }

    private func route(_ override: FilterOverride.Change) -> Route {
        Route(
            name: "r", match: RouteMatch(path: .prefix(Array("/".utf8))),
            action: .forward(ForwardAction(clusters: .cluster(ProxyBench.origin))),
            overrides: [FilterOverride(key: Slot(3), change: override)])
    }

    @Test("a request that no policy allows is 403, the others go on, and both are counted")
    func authorization() throws {
        let filter = AuthorizationFilter(rules: rules(.allow, path: "/yes"), shadow: rules(.deny, path: "/yes"))
        let bench = ProxyBench(filters: [.authorization(filter, key: Slot(3))])
        let client = try bench.client()
        try client.send(get)
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.hasSuffix("\r\n\r\nRBAC: access denied"))
        #expect(bench.upstreams.attempts.isEmpty)
        try client.send("GET /yes HTTP/1.1\r\nHost: a\r\n\r\n")
        try bench.upstream(0).send(ok)
        #expect(try client.received().hasSuffix("ok"))
        let stats = bench.worker.statistics().scopes["http.test.rbac"] as? AuthorizationStats
        #expect(stats?.allowed == 1 && stats?.denied == 1)
        #expect(stats?.shadowAllowed == 1 && stats?.shadowDenied == 1)
    }

    @Test("a route may turn the filter off or bring rules of its own")
    func authorizationPerRoute() throws {
        let filter = AuthorizationFilter(rules: rules(.allow, path: "/none"))
        for (override, status) in [
            (FilterOverride.Change.disabled, "200"),
            (.authorization(AuthorizationFilter(rules: rules(.deny, path: "/"))), "403"),
        ] {
            let bench = ProxyBench(routes: [route(override)], filters: [.authorization(filter, key: Slot(3))])
            let client = try bench.client()
            try client.send(get)
            if status == "200" { try bench.upstream(0).send(ok) }
            #expect(try client.received().hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test("a raw connection that is denied, or over its limit, is closed before anything is connected")
    func connections() throws {
        let deny = AuthorizationRules(
            action: .deny, policies: [.init(name: "p", permissions: [.always], principals: [.always])])
        let denied = ProxyBench(
            guards: [.authorization(AuthorizationFilter(rules: deny, statPrefix: "tcp."))],
            tcp: TCPProxy(statPrefix: "t", target: .cluster(ProxyBench.origin)))
        let client = try denied.client()
        denied.loop.run()
        #expect(!client.isActive && denied.upstreams.attempts.isEmpty)
        #expect((denied.worker.statistics().scopes["tcp.rbac"] as? AuthorizationStats)?.denied == 1)

        let bucket = TokenBucket(maxTokens: 1, tokensPerFill: 1, fillInterval: .seconds(60))
        let limited = ProxyBench(
            guards: [.rateLimit(ConnectionRateLimit(statPrefix: "l", bucket: bucket))],
            tcp: TCPProxy(statPrefix: "t", target: .cluster(ProxyBench.origin)))
        let first = try limited.client()
        let second = try limited.client()
        limited.loop.run()
        #expect(first.isActive && !second.isActive)
        #expect(limited.upstreams.attempts.count == 1)
    }

    @Test("beyond its tokens a request is 429 with the headers of the limit")
    func rateLimit() throws {
        let limit = LocalRateLimit(
            statPrefix: "rl", bucket: TokenBucket(maxTokens: 1, tokensPerFill: 1, fillInterval: .seconds(60)),
            enabled: .all, enforced: .all,
            responseHeaders: HeaderOperations(
                settings: [.init(name: HeaderName("x-limited"), value: FormatString(literal: "yes"))]),
            addsLimitHeaders: true)
        let bench = ProxyBench(filters: [.rateLimit(limit, key: Slot(3))])
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send(ok)
        let first = try client.received()
        #expect(first.contains("x-ratelimit-limit: 1\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 60\r\n"))
        #expect(!first.contains("x-limited"))
        try client.send(get)
        let second = try client.received()
        #expect(second.hasPrefix("HTTP/1.1 429 ") && second.hasSuffix("\r\n\r\nlocal_rate_limited"))
        #expect(second.contains("x-limited: yes\r\n"))
        bench.advance(.seconds(60))
        try client.send(get)
        #expect(try bench.upstream(0).received().contains("GET / "))
        let stats = bench.worker.statistics().scopes["rl.http_local_rate_limit"] as? RateLimitStats
        #expect(stats?.ok == 2 && stats?.enforced == 1 && stats?.enabled == 3)
    }

    @Test("header mutations change both heads, the route's after the filter's")
    func headerMutation() throws {
        func set(_ value: String) -> HeaderMutation {
            .set(
                HeaderOperations(settings: [
                    .init(
                        name: HeaderName("x-m"), value: FormatString(literal: value), action: .overwriteIfExistsOrAdd)
                ]))
        }
        let base = HeaderMutations(
            request: [set("filter"), .remove(HeaderName("x-gone"))],
            response: [.removeMatching(StringMatch(.prefix(Array("x-secret".utf8))))])
        let bench = ProxyBench(
            routes: [route(.headerMutation(HeaderMutations(request: [set("route")])))],
            filters: [.headerMutation(base, key: Slot(3), mostSpecificWins: true)])
        let client = try bench.client()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Gone: 1\r\n\r\n")
        let request = try bench.upstream(0).received()
        #expect(request.contains("x-m: route\r\n") && !request.contains("x-gone"))
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nX-Secret-A: 1\r\nX-Open: 2\r\nContent-Length: 0\r\n\r\n")
        let answer = try client.received()
        #expect(answer.contains("x-open: 2") && !answer.contains("x-secret"))
    }

    @Test("a buffered request goes on when it is complete, with its length; a larger one is 413")
    func buffer() throws {
        let bench = ProxyBench(filters: [.buffer(BufferLimit(maxBytes: 6), key: Slot(3))])
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        #expect(bench.upstreams.attempts.isEmpty)
        try client.send("3\r\ndef\r\n0\r\n\r\n")
        let request = try bench.upstream(0).received()
        #expect(request.contains("content-length: 6\r\n") && request.hasSuffix("\r\n\r\nabcdef"))
        #expect(!request.contains("transfer-encoding"))
        try bench.upstream(0).send(ok)
        #expect(try client.received().hasSuffix("ok"))
        let other = try bench.client()
        try other.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nabcdefg")
        #expect(try other.received().hasPrefix("HTTP/1.1 413 "))
        #expect(bench.upstreams.attempts.count == 1)
    }

    @Test("a health check is answered by the proxy")
    func healthCheck() throws {
        let check = HealthCheckFilter(
            passesThrough: false,
            headers: [HeaderMatch(name: HeaderName(":path"), test: .string(.exact("/healthz")))])
        let bench = ProxyBench(filters: [.healthCheck(check, key: Slot(3))])
        let client = try bench.client()
        try client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.received().hasPrefix("HTTP/1.1 200 "))
        #expect(bench.upstreams.attempts.isEmpty)
        try client.send(get)
        #expect(bench.upstreams.attempts.count == 1)
    }

    @Test("a redirect is followed inside, with the body; the client sees the last answer")
    func internalRedirect() throws {
        let policy = InternalRedirectPolicy(statuses: [302, 307])
        let routes = [
            Route(
                name: "r", match: RouteMatch(path: .prefix(Array("/".utf8))),
                action: .forward(
                    ForwardAction(clusters: .cluster(ProxyBench.origin), internalRedirects: policy)))
        ]
        let bench = ProxyBench(routes: routes)
        let client = try bench.client()
        try client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        _ = try bench.upstream(0).received()
        try bench.upstream(0).send("HTTP/1.1 307 X\r\nLocation: http://b/c?d\r\nContent-Length: 0\r\n\r\n")
        bench.advance(.milliseconds(1))
        let second = try bench.upstream(0).received()
        #expect(second.hasPrefix("POST /c?d HTTP/1.1\r\nhost: b\r\n") && second.hasSuffix("\r\n\r\nabc"))
        #expect(second.contains("x-envoy-original-url: http://a/a\r\n"))
        // One redirect is the limit: the next goes to the client.
        try bench.upstream(0).send("HTTP/1.1 302 X\r\nLocation: http://e/\r\nContent-Length: 4\r\n\r\nbody")
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 302 ") && answer.hasSuffix("\r\n\r\nbody"))
        #expect(bench.stats.internalRedirects == 1 && bench.stats.internalRedirectFailures == 1)
        #expect(bench.stats.requestsActive == 0)
        #expect(bench.upstreams.attempts.count == 1)
    }

    @Test("a compressed answer leaves piece by piece, in chunks")
    func compression() throws {
        let bench = ProxyBench(filters: [.compressor(CompressionPolicy(), key: Slot(3))])
        let client = try bench.client()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n\r\n")
        try bench.upstream(0).send(String(repeating: "a", count: 32))
        bench.loop.run()
        var first: [UInt8] = []
        while let buffer = try client.readOutbound(as: ByteBuffer.self) { first += Array(buffer.readableBytesView) }
        let head = String(decoding: first, as: UTF8.self)
        #expect(head.contains("content-encoding: gzip\r\n") && head.contains("transfer-encoding: chunked\r\n"))
        #expect(!head.contains("content-length"))
        // The envelope of gzip begins with these two bytes, and the first half is here already.
        #expect(first.indices.dropLast().contains { first[$0] == 0x1F && first[$0 + 1] == 0x8B })
        try bench.upstream(0).send(String(repeating: "b", count: 32))
        bench.loop.run()
        var rest: [UInt8] = []
        while let buffer = try client.readOutbound(as: ByteBuffer.self) { rest += Array(buffer.readableBytesView) }
        #expect(Array(rest.suffix(5)) == Array("0\r\n\r\n".utf8))
        // The next request on the connection is not compressed.
        try client.send(get)
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + String(repeating: "c", count: 40))
        let second = try client.received()
        #expect(second.contains("vary: Accept-Encoding\r\n") && second.hasSuffix(String(repeating: "c", count: 40)))
    }

    @Test("a session goes to the host it names, a strict one to no other")
    func session() throws {
        let header = HeaderName("x-host")
        for isStrict in [false, true] {
            let bench = ProxyBench(
                endpoints: [1001, 1002, 1003],
                filters: [.session(SessionPolicy(carrier: .header(header), isStrict: isStrict), key: Slot(3))])
            let client = try bench.client()
            for _ in 0..<3 {
                let value = Base64.encode(Array("127.0.0.1:1002".utf8))
                try client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Host: \(value)\r\n\r\n")
                try bench.upstream(0).send(ok)
                #expect(try !client.received().contains("x-host"))
            }
            #expect(bench.upstreams.attempts.map(\.address) == ["127.0.0.1:1002"])
            let gone = Base64.encode(Array("127.0.0.1:9".utf8))
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Host: \(gone)\r\n\r\n")
            if isStrict {
                #expect(try client.received().hasPrefix("HTTP/1.1 503 "))
            } else {
                try bench.upstream(bench.upstreams.attempts.count - 1).send(ok)
                #expect(try client.received().contains("x-host: "))
            }
        }
    }

    private func hedging(_ conditions: RetryConditions = .serverError) -> ProxyBench {
        let retry = RetryPolicy(conditions: conditions, retries: 1, perTryTimeout: .milliseconds(100))
        let forward = ForwardAction(
            clusters: .cluster(ProxyBench.origin), timeout: .seconds(5), retry: retry, hedgesSlowTries: true)
        return ProxyBench(
            routes: [Route(name: "r", match: RouteMatch(path: .prefix(Array("/".utf8))), action: .forward(forward))])
    }

    @Test("a slow try goes on beside the next one, and whichever answers first is heard")
    func hedge() throws {
        for first in [0, 1] {
            let bench = hedging()
            let client = try bench.client()
            try client.send(get)
            #expect(try bench.upstream(0).received().contains("x-envoy-expected-rq-timeout-ms: 5000"))
            bench.advance(.milliseconds(200))
            #expect(bench.upstreams.attempts.count == 2)
            #expect(bench.upstream(0).isActive && bench.upstream(1).isActive)
            try bench.upstream(first).send(ok)
            #expect(try client.received().hasSuffix("\r\n\r\nok"))
            bench.loop.run()
            #expect(!bench.upstream(1 - first).isActive)
            #expect(bench.stats.requestsActive == 0)
            // The next request uses the connection that answered.
            try client.send(get)
            #expect(try bench.upstream(first).received().hasPrefix("GET / "))
        }
    }

    @Test("an older try whose answer calls for a retry is let go of; the newest decides")
    func badHedge() throws {
        let bench = hedging()
        let client = try bench.client()
        try client.send(get)
        bench.advance(.milliseconds(200))
        try bench.upstream(0).send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.received().isEmpty)
        try bench.upstream(1).send(ok)
        #expect(try client.received().hasPrefix("HTTP/1.1 200 "))
    }

    @Test("a newest try that fails waits for the older one, and its failure is told when that fails, too")
    func lostHedge() throws {
        for survives in [true, false] {
            let bench = hedging(.connectFailure)
            let client = try bench.client()
            try client.send(get)
            bench.upstreams.accepts = false
            bench.advance(.milliseconds(200))
            bench.upstreams.refuse(1)
            bench.loop.run()
            #expect(try client.received().isEmpty)
            if survives {
                try bench.upstream(0).send(ok)
                #expect(try client.received().hasSuffix("ok"))
            } else {
                try bench.upstream(0).close().wait()
                #expect(try client.received().contains("reset reason: remote connection failure"))
            }
            #expect(bench.stats.requestsActive == 0)
        }
    }

    @Test("without a further try the slow one has until the end of all, and a client that leaves takes every try along")
    func lastHedge() throws {
        let bench = hedging()
        let client = try bench.client()
        try client.send(get)
        bench.advance(.milliseconds(200))
        bench.advance(.milliseconds(200))
        #expect(bench.upstreams.attempts.count == 2)
        try client.close().wait()
        bench.loop.run()
        #expect(!bench.upstream(0).isActive && !bench.upstream(1).isActive)
        #expect(bench.stats.requestsActive == 0)
    }
}
