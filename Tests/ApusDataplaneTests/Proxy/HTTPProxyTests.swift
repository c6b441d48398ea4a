import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

@Suite struct HTTPProxyTests {
    @Test("a request goes to the upstream and its answer to the client")
    func forward() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send("GET /x?y HTTP/1.1\r\nHost: Shop\r\nX-One: 1\r\nConnection: keep-alive\r\n\r\n")
        let request = try bench.upstream(0).received()
        #expect(request.hasPrefix("GET /x?y HTTP/1.1\r\nhost: Shop\r\nx-one: 1\r\n"))
        #expect(!request.contains("connection:"))
        #expect(request.contains("x-request-id: "))
        try bench.upstream(0).send(ok)
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("content-length: 2\r\n"))
        #expect(answer.contains("server: envoy\r\n"))
        #expect(answer.contains("date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nok"))
        #expect(bench.stats.requestsTotal == 1)
    }

    @Test("connections on both sides are used again")
    func reuse() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        for _ in 0..<3 {
            try client.send(get)
            #expect(try bench.upstream(0).received().hasPrefix("GET /"))
            try bench.upstream(0).send(ok)
            #expect(try client.received().hasSuffix("ok"))
        }
        #expect(bench.upstreams.attempts.count == 1)
        #expect(client.isActive)
    }

    @Test("pipelined requests are answered one after the other, in order")
    func pipelining() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
        for index in 1...3 {
            let request = try bench.upstream(0).received()
            #expect(request.hasPrefix("GET /\(index) "))
            #expect(!request.contains("/\(index + 1) "))
            try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
            #expect(try client.received().hasSuffix("\r\n\r\n\(index)"))
            bench.loop.run()
        }
    }

    @Test("chunks are framed anew, trailers and extensions dropped")
    func chunked() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n")
        let upstream = bench.upstream(0)
        let first = try upstream.received()
        #expect(first.contains("transfer-encoding: chunked\r\n"))
        #expect(first.hasSuffix("\r\n\r\n3\r\nabc\r\n"))
        try client.send("0\r\nX-T: v\r\n\r\n")
        #expect(try upstream.received() == "0\r\n\r\n")
        try upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        let answer = try client.received()
        #expect(answer.contains("transfer-encoding: chunked\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    }

    @Test("a body that ends with the connection becomes chunks")
    func untilClose() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\n\r\nab")
        try bench.upstream(0).close().wait()
        #expect(try client.received().hasSuffix("2\r\nab\r\n0\r\n\r\n"))
        #expect(client.isActive)
    }

    @Test("an answer to HEAD has its length and no body")
    func head() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        let answer = try client.received()
        #expect(answer.contains("content-length: 9\r\n") && answer.hasSuffix("\r\n\r\n"))
        try client.send(get)
        #expect(bench.upstreams.attempts.count == 1)
    }

    @Test("a cut answer closes the client's connection and is never completed")
    func cutAnswer() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        #expect(try client.received().hasSuffix("abc"))
        try bench.upstream(0).close().wait()
        #expect(!client.isActive)
    }

    @Test(
        "malformed requests get one answer and the end of the connection",
        arguments: [
            ("GET / HTTP/1.1\nHost: a\n\n", "400"), ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "426"),
            ("GET / HTTP/1.1\r\n\r\n", "400"), ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501"),
        ])
    func malformed(text: String, status: String) throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(text)
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("connection: close\r\n"))
        #expect(bench.upstreams.attempts.isEmpty)
        #expect(!client.isActive)
    }

    @Test("without a host the answer is 503 and says so")
    func noHost() throws {
        let bench = ProxyBench(endpoints: [])
        let client = try bench.client()
        try client.send(get)
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.hasSuffix("\r\n\r\nno healthy upstream"))
        #expect(client.isActive)
    }

    @Test("a connection that nobody redirected has no host in an ORIGINAL_DST cluster: the proxy never calls itself")
    func noOriginalDestination() throws {
        let bench = ProxyBench(discovery: .originalDestination(.init()), endpoints: [])
        let client = try bench.client()
        try client.send(get)
        #expect(try client.received().hasSuffix("\r\n\r\nno healthy upstream"))
        #expect(bench.upstreams.attempts.isEmpty)
    }

    @Test(
        "a request without a body says so, but for methods that have none",
        arguments: [
            ("POST", true), ("PUT", true), ("PATCH", true), ("OPTIONS", true), ("PURGE", true), ("GET", false),
            ("HEAD", false), ("DELETE", false), ("TRACE", false),
        ])
    func emptyBody(method: String, isSaid: Bool) throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try bench.upstream(0).received().contains("content-length: 0\r\n") == isSaid)
    }

    @Test("an answer of the proxy to a request that is not complete closes the connection and says so")
    func earlyLocalReply() throws {
        let policy = FaultPolicy(abort: .init(status: .http(418), share: .all))
        let bench = ProxyBench(filters: [.fault(policy, key: Slot(0))])
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        #expect(try client.received().contains("connection: close\r\n"))
        #expect(!client.isActive)
        let other = try bench.client()
        try other.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(try !other.received().contains("connection: close"))
        #expect(other.isActive)
    }

    @Test("a refused connection is 503; the reason stays out of the answer")
    func refused() throws {
        let bench = ProxyBench()
        bench.upstreams.accepts = false
        let client = try bench.client()
        try client.send(get)
        bench.upstreams.refuse(0)
        #expect(
            try client.received().hasSuffix(
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"))
    }

    @Test("a connect failure is tried again, as often as allowed")
    func connectRetry() throws {
        let bench = ProxyBench(retry: RetryPolicy(conditions: .connectFailure, retries: 2))
        bench.upstreams.accepts = false
        let client = try bench.client()
        try client.send(get)
        for index in 0..<3 {
            #expect(bench.upstreams.attempts.count == index + 1)
            bench.upstreams.refuse(index)
            bench.advance(.milliseconds(300))
        }
        #expect(bench.upstreams.attempts.count == 3)
        #expect(try client.received().contains("retried and the latest reset reason"))
        #expect(bench.stats.retries == 2)
        #expect(bench.stats.retryLimitExceeded == 1)
    }

    @Test("a request takes one place among the retries, however often it is tried again")
    func retryBreaker() throws {
        var breakers = CircuitBreakerLimits()
        breakers.maxRetries = 1
        let bench = ProxyBench(breakers: breakers, retry: RetryPolicy(conditions: .serverError, retries: 2))
        let client = try bench.client()
        try client.send(get)
        for _ in 0..<3 {
            let last = bench.upstream(bench.upstreams.attempts.count - 1)
            #expect(try last.received().hasPrefix("GET /"))
            try last.send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
            bench.advance(.milliseconds(300))
        }
        #expect(try client.received().hasPrefix("HTTP/1.1 503 "))
        #expect(bench.stats.retries == 2 && bench.stats.retryOverflow == 0)
    }

    @Test("a request is sent again with its body after a 503")
    func bodyReplay() throws {
        let bench = ProxyBench(retry: RetryPolicy(conditions: .serverError, retries: 1))
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        #expect(try bench.upstream(0).received().hasSuffix("\r\n\r\nhello"))
        try bench.upstream(0).send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        bench.advance(.milliseconds(300))
        let last = bench.upstream(bench.upstreams.attempts.count - 1)
        #expect(try last.received().hasSuffix("\r\n\r\nhello"))
        try last.send(ok)
        #expect(try client.received().hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test("a body beyond the buffer limit is sent once and never again")
    func bodyTooLargeToReplay() throws {
        let bench = ProxyBench(retry: RetryPolicy(conditions: .serverError, retries: 1))
        let client = try bench.client()
        let size = 2 << 20
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
        let part = String(repeating: "x", count: 64 << 10)
        for _ in 0..<(size / part.utf8.count) { try client.send(part) }
        let sent = try bench.upstream(0).received()
        #expect(sent.utf8.count > size)
        try bench.upstream(0).send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        bench.advance(.milliseconds(300))
        #expect(try client.received().hasPrefix("HTTP/1.1 503 "))
        #expect(bench.stats.retries == 0)
    }

    @Test("an idle connection that the upstream closed counts as reset, and reset is tried again")
    func staleConnection() throws {
        let bench = ProxyBench(retry: RetryPolicy(conditions: .reset, retries: 1))
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send(ok)
        _ = try client.received()
        try client.send(get)
        _ = try bench.upstream(0).received()
        try bench.upstream(0).close().wait()
        bench.advance(.milliseconds(300))
        #expect(bench.upstreams.attempts.count == 2)
        try bench.upstream(1).send(ok)
        #expect(try client.received().hasSuffix("ok"))
    }

    @Test("the route's time-out is answered 504 and lets go of the upstream")
    func routeTimeout() throws {
        let bench = ProxyBench(timeout: .seconds(2))
        let client = try bench.client()
        try client.send(get)
        bench.advance(.milliseconds(1999))
        #expect(try client.received() == "")
        bench.advance(.milliseconds(1))
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 504 ") && answer.hasSuffix("upstream request timeout"))
        #expect(!bench.upstream(0).isActive)
        #expect(client.isActive)
    }

    @Test("a try that takes too long is tried again")
    func perTryTimeout() throws {
        let bench = ProxyBench(
            retry: RetryPolicy(conditions: .serverError, retries: 1, perTryTimeout: .seconds(1)))
        let client = try bench.client()
        try client.send(get)
        bench.advance(.seconds(1))
        bench.advance(.milliseconds(300))
        #expect(bench.upstreams.attempts.count == 2)
        try bench.upstream(1).send(ok)
        #expect(try client.received().hasSuffix("ok"))
        #expect(bench.stats.perTryTimeouts == 1)
    }

    @Test("a client that leaves takes its upstream request with it")
    func clientLeaves() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(get)
        #expect(bench.stats.requestsActive == 1)
        try client.close().wait()
        #expect(!bench.upstream(0).isActive)
        #expect(bench.stats.requestsActive == 0)
        #expect(bench.worker.openConnections == 0)
    }

    @Test("beyond the limits of a cluster requests are refused, not queued for ever")
    func breaker() throws {
        var breakers = CircuitBreakerLimits()
        breakers.maxConnections = 1
        breakers.maxPendingRequests = 1
        let bench = ProxyBench(breakers: breakers)
        let clients = try (0..<3).map { _ in try bench.client() }
        for client in clients { try client.send(get) }
        #expect(bench.upstreams.attempts.count == 1)
        let refused = try clients[2].received()
        #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("x-envoy-overloaded: true"))
        #expect(refused.hasSuffix("reset reason: overflow"))
        try bench.upstream(0).send(ok)
        #expect(try clients[0].received().hasSuffix("ok"))
        try bench.upstream(0).send(ok)
        #expect(try clients[1].received().hasSuffix("ok"))
    }

    @Test("a connection is given up after its last request")
    func requestsPerConnection() throws {
        let bench = ProxyBench(requestsPerConnection: 1)
        let client = try bench.client()
        for index in 0..<2 {
            try client.send(get)
            try bench.upstream(index).send(ok)
            #expect(!bench.upstream(index).isActive)
        }
    }

    @Test("bytes nobody asked for close an idle upstream connection")
    func unexpectedBytes() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send(ok + "HTTP/1.1 200 OK\r\n")
        #expect(try client.received().hasSuffix("ok"))
        #expect(!bench.upstream(0).isActive)
    }

    @Test("an upstream that does not speak HTTP is 502")
    func protocolError() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send("SSH-2.0-x\r\n\r\n")
        #expect(try client.received().hasPrefix("HTTP/1.1 502 "))
    }

    @Test("an abort is answered here, a delay waits first")
    func faults() throws {
        let policy = FaultPolicy(
            delay: .init(time: .seconds(3), share: .all), abort: .init(status: .http(418), share: .all))
        let bench = ProxyBench(filters: [.fault(policy, key: Slot(0))])
        let client = try bench.client()
        try client.send(get)
        bench.advance(.milliseconds(2999))
        #expect(try client.received() == "")
        bench.advance(.milliseconds(1))
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 418 ") && answer.hasSuffix("fault filter abort"))
        #expect(bench.upstreams.attempts.isEmpty)
    }

    @Test("a mirror gets the request and its body; its answer is dropped")
    func mirror() throws {
        let bench = ProxyBench(mirrors: [MirrorPolicy(target: .cluster(ProxyBench.mirror))])
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello")
        let byAddress = Dictionary(uniqueKeysWithValues: bench.upstreams.attempts.map { ($0.address, $0.channel) })
        let shadow = try #require(byAddress["127.0.0.1:2001"])
        let main = try #require(byAddress["127.0.0.1:1001"])
        let copy = try shadow.received()
        #expect(copy.contains("host: a-shadow:80\r\n") && copy.hasSuffix("\r\n\r\nhello"))
        #expect(try main.received().contains("host: a:80\r\n"))
        try shadow.send("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.received() == "")
        try main.send(ok)
        #expect(try client.received().hasSuffix("ok"))
    }

    @Test("an upgrade passes raw bytes both ways where it is allowed, else it is 403")
    func upgrade() throws {
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        let refusing = ProxyBench()
        let refused = try refusing.client()
        try refused.send(request)
        #expect(try refused.received().hasPrefix("HTTP/1.1 403 "))

        let bench = ProxyBench(upgrades: ["websocket"])
        let client = try bench.client()
        try client.send(request)
        let forwarded = try bench.upstream(0).received()
        #expect(forwarded.contains("connection: upgrade\r\n") && forwarded.contains("upgrade: websocket\r\n"))
        try bench.upstream(0).send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi")
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 101 ") && answer.hasSuffix("\r\n\r\nhi"))
        #expect(answer.contains("connection: upgrade\r\n") && answer.contains("upgrade: websocket\r\n"))
        try client.send("\u{1}raw")
        #expect(try bench.upstream(0).received() == "\u{1}raw")
    }

    @Test("an offer of h2c is passed over: the request is served as HTTP/1.1")
    func h2c() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
        let forwarded = try bench.upstream(0).received()
        #expect(!forwarded.contains("upgrade") && !forwarded.contains("http2-settings"))
        try bench.upstream(0).send(ok)
        #expect(try client.received().hasSuffix("ok"))
        #expect(client.isActive)
    }

    @Test(
        "after CONNECT and after a path that is refused the connection is closed",
        arguments: [
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        ])
    func closesAfterRefusal(request: String) throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send(request)
        #expect(try client.received().contains("connection: close\r\n"))
        #expect(!client.isActive)
    }

    @Test("a target that is no path is not found, and the connection stays")
    func asterisk() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 404 ") && !answer.contains("connection: close"))
        #expect(client.isActive)
    }

    @Test("header operations of a response may print its status and details")
    func responseOperators() throws {
        func setting(_ name: String, _ value: FormatOperator) -> HeaderOperations.Setting {
            .init(name: HeaderName(name), value: FormatString(segments: [.value(value)], omitsEmpty: false))
        }
        let route = Route(
            match: RouteMatch(path: .prefix(Array("/".utf8))),
            action: .forward(ForwardAction(clusters: .cluster(ProxyBench.origin))),
            responseHeaders: HeaderOperations(settings: [
                setting("x-code", .responseCode), setting("x-details", .responseCodeDetails),
            ]))
        let bench = ProxyBench(routes: [route])
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(0).send(ok)
        let answer = try client.received()
        #expect(answer.contains("x-code: 200\r\n") && answer.contains("x-details: via_upstream\r\n"))
    }

    @Test("an answer that overtakes its request ends both connections")
    func earlyAnswer() throws {
        let bench = ProxyBench()
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        try bench.upstream(0).send(ok)
        let answer = try client.received()
        #expect(answer.contains("connection: close\r\n") && answer.hasSuffix("ok"))
        #expect(!bench.upstream(0).isActive)
        #expect(!client.isActive)
    }

    @Test("while draining, an idle connection closes and an open request is the last")
    func drain() throws {
        let bench = ProxyBench()
        let idle = try bench.client()
        let busy = try bench.client()
        try busy.send(get)
        bench.worker.drain()
        #expect(!idle.isActive)
        #expect(busy.isActive)
        try bench.upstream(0).send(ok)
        #expect(try busy.received().contains("connection: close\r\n"))
        #expect(!busy.isActive)
    }

    @Test("a connection without requests is closed after the idle time")
    func idle() throws {
        var timeouts = HTTPConnectionManager.Timeouts()
        timeouts.streamIdle = nil
        timeouts.connectionIdle = .seconds(60)
        let bench = ProxyBench(timeouts: timeouts)
        let client = try bench.client()
        bench.advance(.seconds(30))
        try client.send(get)
        try bench.upstream(0).send(ok)
        bench.advance(.seconds(59))
        #expect(client.isActive)
        bench.advance(.seconds(1))
        #expect(!client.isActive)
    }
}
