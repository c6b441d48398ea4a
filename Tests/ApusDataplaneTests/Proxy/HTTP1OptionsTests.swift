import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

private func options(_ change: (inout HTTP1ProtocolOptions) -> Void) -> HTTP1ProtocolOptions {
    var options = HTTP1ProtocolOptions()
    change(&options)
    return options
}

@Suite struct HTTP1OptionsTests {
    @Test("HTTP/1.0 is served when it is allowed: closed after the answer unless the client asks to stay")
    func http10() throws {
        let bench = ProxyBench(clientHTTP1: options { $0.acceptsHTTP10 = true })
        let client = try bench.client()
        try client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        #expect(try bench.upstream(0).received().hasPrefix("GET / HTTP/1.1\r\n"))
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        let first = try client.received()
        #expect(first.hasPrefix("HTTP/1.0 200 OK\r\n") && first.contains("connection: keep-alive\r\n"))
        #expect(client.isActive)
        try client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        let second = try client.received()
        #expect(!second.contains("transfer-encoding") && second.hasSuffix("\r\n\r\nok"))
        #expect(!client.isActive)
    }

    @Test("a request of HTTP/1.0 without a host gets the default one, or is refused")
    func defaultHost() throws {
        for name in ["shop", ""] {
            let bench = ProxyBench(
                clientHTTP1: options {
                    $0.acceptsHTTP10 = true
                    $0.defaultHost = name
                })
            let client = try bench.client()
            try client.send("GET / HTTP/1.0\r\n\r\n")
            if name.isEmpty {
                #expect(try client.received().contains(" 400 "))
            } else {
                #expect(try bench.upstream(0).received().contains("\r\nhost: shop\r\n"))
            }
        }
    }

    @Test("trailers of HTTP/1.1 pass when both sides are told to, in both directions")
    func trailers() throws {
        let both = options { $0.passesTrailers = true }
        let bench = ProxyBench(upstreamHTTP1: both, clientHTTP1: both)
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n")
        #expect(try bench.upstream(0).received().hasSuffix("1\r\na\r\n0\r\nx-t: v\r\n\r\n"))
        try bench.upstream(0).send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nX-U: w\r\nHost: evil\r\n\r\n")
        #expect(try client.received().hasSuffix("1\r\nb\r\n0\r\nx-u: w\r\n\r\n"))
    }

    @Test("proper case is of the side that writes; preserved case is of the side that reads")
    func names() throws {
        let bench = ProxyBench(
            upstreamHTTP1: options { $0.nameFormat = .properCase }, clientHTTP1: options { $0.nameFormat = .properCase }
        )
        let client = try bench.client()
        try client.send("GET / HTTP/1.1\r\nhost: a\r\nx-fOO-1bar: 1\r\n\r\n")
        let request = try bench.upstream(0).received()
        #expect(request.contains("\r\nHost: a\r\n") && request.contains("\r\nX-Foo-1bar: 1\r\n"))
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nx-b: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        let answer = try client.received()
        #expect(answer.contains("\r\nX-B: 1\r\n") && answer.contains("\r\nTransfer-Encoding: chunked\r\n"))

        let keeping = ProxyBench(
            upstreamHTTP1: options { $0.nameFormat = .preserved }, clientHTTP1: options { $0.nameFormat = .preserved })
        let other = try keeping.client()
        try other.send("GET / HTTP/1.1\r\nHoSt: a\r\nx-fOO: 1\r\n\r\n")
        let kept = try keeping.upstream(0).received()
        #expect(kept.contains("\r\nHoSt: a\r\n") && kept.contains("\r\nx-fOO: 1\r\n"))
        #expect(kept.contains("\r\nx-request-id: "))
        try keeping.upstream(0).send("HTTP/1.1 200 OK\r\nX-bAr: 1\r\nContent-Length: 0\r\n\r\n")
        #expect(try other.received().contains("\r\nX-bAr: 1\r\n"))
    }

    @Test("an absolute URL goes to an upstream that wants one")
    func absoluteURL() throws {
        let bench = ProxyBench(upstreamHTTP1: options { $0.sendsAbsoluteURL = true })
        let client = try bench.client()
        try client.send("GET /x HTTP/1.1\r\nHost: a:81\r\n\r\n")
        #expect(try bench.upstream(0).received().hasPrefix("GET http://a:81/x HTTP/1.1\r\nhost: a:81\r\n"))
    }

    @Test("a length beside chunks is dropped where that is allowed, and refused elsewhere")
    func chunkedLength() throws {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
        let bench = ProxyBench(clientHTTP1: options { $0.allowsChunkedLength = true })
        let client = try bench.client()
        try client.send(text)
        let request = try bench.upstream(0).received()
        #expect(!request.contains("content-length") && request.hasSuffix("1\r\na\r\n0\r\n\r\n"))
        let strict = ProxyBench()
        let other = try strict.client()
        try other.send(text)
        #expect(try other.received().hasPrefix("HTTP/1.1 400 "))
    }

    private func connectRoutes(_ tunnel: UpgradePolicy.Tunnel?) -> [Route] {
        let forward = ForwardAction(
            clusters: .cluster(ProxyBench.origin), upgrades: [UpgradePolicy(type: "CONNECT", tunnel: tunnel)])
        return [Route(match: RouteMatch(path: .connect), action: .forward(forward))]
    }

    @Test("CONNECT is passed on as it is, and its bytes after the 200")
    func connect() throws {
        let bench = ProxyBench(routes: connectRoutes(nil))
        let client = try bench.client()
        try client.send("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\nearly")
        let request = try bench.upstream(0).received()
        #expect(request.hasPrefix("CONNECT db:5432 HTTP/1.1\r\nhost: db:5432\r\n"))
        #expect(!request.contains("early") && !request.contains("content-length"))
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\n\r\n")
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(!answer.contains("transfer-encoding") && !answer.contains("connection:"))
        bench.loop.run()
        #expect(try bench.upstream(0).received() == "early")
        try bench.upstream(0).send("reply")
        #expect(try client.received() == "reply")
    }

    @Test("CONNECT that ends here is a raw connection to the host")
    func tunnel() throws {
        let bench = ProxyBench(routes: connectRoutes(.init()))
        let client = try bench.client()
        try client.send("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\nhello")
        #expect(try client.received().hasPrefix("HTTP/1.1 200 OK\r\n"))
        bench.loop.run()
        #expect(try bench.upstream(0).received() == "hello")
        try bench.upstream(0).send("world")
        #expect(try client.received() == "world")
        try client.close().wait()
        bench.loop.run()
        #expect(!bench.upstream(0).isActive)
        #expect(bench.stats.requestsActive == 0 && bench.stats.connectionsActive == 0)
    }

    @Test("a tunnel whose host cannot be reached is a 503")
    func tunnelRefused() throws {
        let bench = ProxyBench(routes: connectRoutes(.init()))
        bench.upstreams.accepts = false
        let client = try bench.client()
        try client.send("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
        bench.upstreams.refuse(0)
        bench.loop.run()
        #expect(try client.received().hasPrefix("HTTP/1.1 503 "))
    }

    @Test("a connection past its life ends when it is idle, and after its answer when it is busy")
    func connectionLife() throws {
        for isBusy in [false, true] {
            let bench = ProxyBench(maxConnectionDuration: .seconds(10))
            let client = try bench.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let upstream = bench.upstream(0)
            if isBusy { bench.advance(.seconds(11)) }
            #expect(upstream.isActive)
            try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try client.received().hasPrefix("HTTP/1.1 200 "))
            if !isBusy { bench.advance(.seconds(11)) }
            bench.loop.run()
            #expect(!upstream.isActive)
            #expect(bench.stats.connectionsMaxDuration == 1)
        }
    }

    @Test("a stream that lives longer than its cluster allows is ended, and may be tried again")
    func streamLife() throws {
        let bench = ProxyBench(
            retry: RetryPolicy(conditions: .reset, retries: 1), maxStreamDuration: .seconds(2))
        let client = try bench.client()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        bench.advance(.seconds(3))
        bench.advance(.milliseconds(300))
        #expect(bench.upstreams.attempts.count == 2)
        bench.advance(.seconds(3))
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 504 ") && answer.hasSuffix("upstream max stream duration reached"))
        #expect(bench.stats.requestsMaxDuration == 2)
    }
}
