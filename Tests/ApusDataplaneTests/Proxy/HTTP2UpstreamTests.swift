import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

@Suite struct HTTP2UpstreamTests {
    private func bench(
        retry: RetryPolicy? = nil, breakers: CircuitBreakerLimits = CircuitBreakerLimits(),
        requestsPerConnection: UInt32? = nil, options: HTTP2ProtocolOptions = HTTP2ProtocolOptions(),
        upgrades: [String] = [], trailers: Bool = false, idleTimeout: Duration? = nil
    ) -> ProxyBench {
        var http1 = HTTP1ProtocolOptions()
        http1.passesTrailers = trailers
        return ProxyBench(
            upgrades: upgrades, breakers: breakers, retry: retry, requestsPerConnection: requestsPerConnection,
            upstreamProtocol: .http2, upstreamHTTP2: options, clientHTTP1: http1, idleTimeout: idleTimeout)
    }

    @Test("a request of HTTP/1.1 goes to an HTTP/2 host and its answer back, without fields of the connection")
    func bridge() throws {
        let bench = bench()
        let client = try bench.client()
        try client.send(
            "GET /x?y HTTP/1.1\r\nHost: Shop\r\nX-One: 1\r\nConnection: keep-alive, x-two\r\nX-Two: 2\r\n"
                + "Keep-Alive: 5\r\nTE: gzip\r\n\r\n")
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        let request = try #require(peer.requests.first)
        #expect(request.isComplete)
        #expect(request.head.text(request.head.path) == "/x?y")
        #expect(request.head.text(request.head.authority) == "Shop")
        #expect(request.head.text(request.head.scheme) == "http")
        let names = request.head.textFields.map(\.name)
        #expect(names.contains("x-one"))
        #expect(!names.contains("connection") && !names.contains("x-two") && !names.contains("te"))
        #expect(!names.contains("keep-alive") && !names.contains("host"))
        try peer.answer(0, 200, [("content-length", "2")], body: "ok")
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("content-length: 2\r\n") && answer.hasSuffix("\r\n\r\nok"))
    }

    @Test("requests of many clients are streams of one connection")
    func multiplex() throws {
        let bench = bench()
        let clients = try (0..<5).map { _ in try bench.client() }
        for client in clients { try client.send(get) }
        #expect(bench.upstreams.attempts.count == 1)
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        #expect(peer.requests.count == 5)
        for index in (0..<5).reversed() { try peer.answer(index, 200, body: "\(index)") }
        for (index, client) in clients.enumerated() {
            #expect(try client.received().hasSuffix("1\r\n\(index)\r\n0\r\n\r\n"))
        }
        #expect(bench.stats.http2ConnectionsTotal == 1 && bench.stats.requestsTotal == 5)
    }

    @Test("a body in chunks becomes DATA; one with a length keeps it")
    func bodies() throws {
        let bench = bench()
        let client = try bench.client()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        #expect(!peer.requests[0].isComplete)
        try client.send("2\r\nde\r\n0\r\n\r\n")
        try peer.pump()
        #expect(peer.requests[0].body == "abcde" && peer.requests[0].isComplete)
        #expect(peer.requests[0].head.text("transfer-encoding") == nil)
        try peer.answer(0, 204)
        #expect(try client.received().hasPrefix("HTTP/1.1 204 "))
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        try peer.pump()
        #expect(peer.requests[1].head.text("content-length") == "2" && peer.requests[1].body == "hi")
    }

    @Test("trailers pass both ways when both sides want them, and are dropped when the client's side does not")
    func trailers() throws {
        for wanted in [true, false] {
            let bench = bench(trailers: wanted)
            let client = try bench.client()
            try client.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n"
                    + "Content-Length: 9\r\n\r\n")
            let peer = HTTP2Peer(bench.upstream(0))
            try peer.pump()
            #expect(peer.requests[0].isComplete)
            #expect(peer.requests[0].trailers?.textFields.map(\.name) == (wanted ? ["x-t"] : nil))
            try peer.answer(0, 200, body: "b", trailers: [("grpc-status", "0")])
            let answer = try client.received()
            #expect(answer.hasSuffix(wanted ? "1\r\nb\r\n0\r\ngrpc-status: 0\r\n\r\n" : "1\r\nb\r\n0\r\n\r\n"))
        }
    }

    @Test("a stream that the host refused may be tried again, one that it reset may not for that reason")
    func refusedStream() throws {
        let policy = RetryPolicy(conditions: .refusedStream, retries: 1)
        for (code, isRetried) in [(HTTP2ErrorCode.refusedStream, true), (.internalError, false)] {
            let bench = bench(retry: policy)
            let client = try bench.client()
            try client.send(get)
            let peer = HTTP2Peer(bench.upstream(0))
            try peer.pump()
            peer.machine.reset(peer.requests[0].stream, code)
            try peer.pump()
            bench.advance(.milliseconds(300))
            try peer.pump()
            #expect(peer.requests.count == (isRetried ? 2 : 1))
            if isRetried {
                try peer.answer(1)
                #expect(try client.received().hasPrefix("HTTP/1.1 200 "))
            } else {
                #expect(
                    try client.received().hasSuffix(
                        "upstream connect error or disconnect/reset before headers. reset reason: remote reset"))
            }
        }
    }

    @Test("after GOAWAY the streams that were processed go on and the next request takes another connection")
    func goAway() throws {
        let bench = bench()
        let first = try bench.client()
        let second = try bench.client()
        try first.send(get)
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        peer.machine.goAway(.noError)
        try peer.pump()
        try second.send(get)
        #expect(bench.upstreams.attempts.count == 2)
        let other = HTTP2Peer(bench.upstream(1))
        try other.pump()
        #expect(other.requests.count == 1)
        try peer.answer(0)
        #expect(try first.received().hasPrefix("HTTP/1.1 200 "))
        bench.loop.run()
        #expect(!bench.upstream(0).isActive)
        try other.answer(0)
        #expect(try second.received().hasPrefix("HTTP/1.1 200 "))
        #expect(bench.stats.closeNotifies == 1)
    }

    @Test("a connection carries as many requests as it may, and no more at a time than the peer allows")
    func limits() throws {
        let bench = bench(requestsPerConnection: 2)
        let client = try bench.client()
        for _ in 0..<2 {
            try client.send(get)
            let peer = HTTP2Peer(bench.upstream(bench.upstreams.attempts.count - 1))
            if bench.upstreams.attempts.count == 1, bench.stats.requestsTotal == 2 { continue }
            try peer.pump()
            try peer.answer(0)
            _ = try client.received()
            break
        }
        try client.send(get)
        #expect(bench.upstreams.attempts.count == 1)
        let third = try bench.client()
        try third.send(get)
        #expect(bench.upstreams.attempts.count == 2)
        #expect(bench.stats.connectionsMaxRequests == 1)
    }

    @Test("more requests than the peer's limit of streams take a further connection")
    func peerLimit() throws {
        let bench = bench()
        let clients = try (0..<3).map { _ in try bench.client() }
        try clients[0].send(get)
        var options = HTTP2Options()
        options.maxConcurrentStreams = 1
        let peer = HTTP2Peer(bench.upstream(0), options: options)
        try peer.pump()
        try clients[1].send(get)
        #expect(bench.upstreams.attempts.count == 2)
        try peer.pump()
        #expect(peer.requests.count == 1)
    }

    @Test("the breaker counts requests that are under way, not connections")
    func breaker() throws {
        var breakers = CircuitBreakerLimits()
        breakers.maxRequests = 1
        let bench = bench(breakers: breakers)
        let clients = try (0..<2).map { _ in try bench.client() }
        for client in clients { try client.send(get) }
        #expect(try clients[1].received().contains("reset reason: overflow"))
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        try peer.answer(0)
        _ = try clients[0].received()
        try clients[1].send(get)
        try peer.pump()
        #expect(peer.requests.count == 2)
    }

    @Test("a connection that ends takes its streams with it; one that breaks the protocol says so")
    func connectionEnds() throws {
        for breaks in [false, true] {
            let bench = bench()
            let client = try bench.client()
            try client.send(get)
            let peer = HTTP2Peer(bench.upstream(0))
            try peer.pump()
            if breaks {
                try bench.upstream(0).send("HTTP/1.1 200 OK\r\n\r\n.................................")
            } else {
                try bench.upstream(0).close().wait()
            }
            bench.loop.run()
            let answer = try client.received()
            #expect(answer.hasPrefix(breaks ? "HTTP/1.1 502 " : "HTTP/1.1 503 "))
            #expect(answer.hasSuffix(breaks ? "protocol error" : "connection termination"))
            #expect(bench.stats.requestsActive == 0)
        }
    }

    @Test("a client that goes away resets its stream alone")
    func clientGone() throws {
        let bench = bench()
        let clients = try (0..<2).map { _ in try bench.client() }
        for client in clients { try client.send(get) }
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        try clients[0].close().wait()
        try peer.pump()
        #expect(peer.requests[0].reset != nil && peer.requests[1].reset == nil)
        try peer.answer(1)
        #expect(try clients[1].received().hasPrefix("HTTP/1.1 200 "))
    }

    @Test("a body larger than the windows flows on as the host takes it, and slows the client down meanwhile")
    func flowControl() throws {
        let bench = bench()
        let client = try bench.client()
        let size = 300_000
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
        var options = HTTP2Options()
        options.initialStreamWindow = 65_535
        options.initialConnectionWindow = 65_535
        let peer = HTTP2Peer(bench.upstream(0), options: options)
        try peer.pump()
        for _ in 0..<3 { try client.send(String(repeating: "x", count: size / 3)) }
        for _ in 0..<60 { try peer.pump() }
        let received = peer.requests[0].body.utf8.count
        let isComplete = peer.requests[0].isComplete
        #expect(received == size && isComplete)
    }

    @Test("a PING that is not answered in time ends the connection")
    func keepalive() throws {
        var options = HTTP2ProtocolOptions()
        options.keepalive = .init(interval: .seconds(10), timeout: .seconds(2), jitterPercent: 0)
        let bench = bench(options: options)
        let client = try bench.client()
        try client.send(get)
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        bench.advance(.seconds(11))
        try peer.pump()
        bench.advance(.seconds(5))
        #expect(bench.upstream(0).isActive)
        bench.advance(.seconds(6))
        bench.advance(.seconds(3))
        #expect(!bench.upstream(0).isActive)
        #expect(bench.stats.http2KeepaliveTimeouts == 1)
    }

    @Test("an unused connection ends after the idle time")
    func idle() throws {
        let bench = bench(idleTimeout: .seconds(30))
        let client = try bench.client()
        try client.send(get)
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        bench.advance(.seconds(60))
        #expect(bench.upstream(0).isActive)
        try peer.answer(0)
        bench.advance(.seconds(31))
        #expect(!bench.upstream(0).isActive)
        #expect(bench.stats.idleTimeouts == 1)
    }

    @Test("an upgrade travels as extended CONNECT and its 200 comes back as 101")
    func upgrade() throws {
        var own = HTTP2Options()
        own.allowsConnect = true
        let bench = bench(upgrades: ["websocket"])
        let client = try bench.client()
        try client.send(
            "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n"
        )
        let peer = HTTP2Peer(bench.upstream(0), options: own)
        try peer.pump()
        let request = try #require(peer.requests.first)
        #expect(request.protocolName == "websocket" && request.head.method == .connect && !request.isComplete)
        #expect(request.head.text(request.head.path) == "/chat")
        #expect(request.head.text("upgrade") == nil && request.head.text("connection") == nil)
        peer.machine.sendHead(request.stream, HTTPHead(status: 200), endStream: false)
        try peer.pump()
        let answer = try client.received()
        #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(answer.contains("upgrade: websocket\r\n") && answer.contains("connection: upgrade\r\n"))
        try client.send("frame")
        try peer.pump()
        #expect(peer.requests[0].body == "frame")
        _ = peer.machine.sendData(request.stream, ByteBuffer(string: "back"), endStream: false)
        try peer.pump()
        #expect(try client.received() == "back")
    }
}

@Suite struct GRPCWebTests {
    private func bench() -> ProxyBench { ProxyBench(filters: [.grpcWeb(key: Slot(0))], upstreamProtocol: .http2) }

    @Test("a binary call becomes gRPC, and its trailers the last frame of the body")
    func binary() throws {
        let bench = bench()
        let client = try bench.client()
        try client.send(
            "POST /s/m HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: 6\r\n\r\n"
                + "\0\0\0\0\u{1}x")
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        let request = try #require(peer.requests.first)
        #expect(request.head.text("content-type") == "application/grpc" && request.head.text("te") == "trailers")
        #expect(request.head.text("content-length") == nil)
        #expect(request.body == "\0\0\0\0\u{1}x" && request.isComplete)
        try peer.answer(
            0, 200, [("content-type", "application/grpc")], body: "\0\0\0\0\u{1}y",
            trailers: [("grpc-status", "0"), ("grpc-message", "m")])
        let answer = try client.received()
        #expect(answer.contains("content-type: application/grpc-web+proto\r\n"))
        #expect(answer.contains("\0\0\0\0\u{1}y"))
        #expect(answer.contains("\0\0\0\u{1F}grpc-status:0\r\ngrpc-message:m\r\n"))
        #expect(answer.hasSuffix("\r\n0\r\n\r\n"))
    }

    @Test("a call in base64 is decoded across its pieces, and answered in base64 frame by frame")
    func text() throws {
        let bench = bench()
        let client = try bench.client()
        try client.send(
            "POST /s/m HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\n"
                + "Accept: application/grpc-web-text\r\nContent-Length: 8\r\n\r\nAAA")
        try client.send("AAAF4")
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        #expect(peer.requests[0].body == "\0\0\0\0\u{1}x" && peer.requests[0].isComplete)
        try peer.answer(
            0, 200, [("content-type", "application/grpc")], body: "\0\0\0\0\u{1}y", trailers: [("grpc-status", "0")])
        let answer = try client.received()
        #expect(answer.contains("content-type: application/grpc-web-text+proto\r\n"))
        // The frame "y", then 0x80, the length 15, and "grpc-status:0\r\n".
        #expect(answer.contains("AAAAAAF5") && answer.contains("gAAAAA9ncnBjLXN0YXR1czowDQo="))
    }

    @Test("what is no base64 is refused as a call")
    func invalid() throws {
        for body in ["!!!!", "AAA"] {
            let bench = bench()
            let client = try bench.client()
            try client.send(
                "POST /s/m HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            let answer = try client.received()
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("grpc-status: 13\r\n"))
            #expect(answer.contains("grpc-message: Bad gRPC-web request, invalid base64 data."))
        }
    }

    @Test("a request that is no gRPC-Web passes as it is")
    func other() throws {
        let bench = bench()
        let client = try bench.client()
        try client.send("POST /s/m HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx")
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        #expect(peer.requests[0].head.text("content-type") == "text/plain" && peer.requests[0].body == "x")
    }
}

@Suite struct GRPCStatisticsTests {
    @Test("calls count by what they came to, in head or trailers, and messages in both directions")
    func calls() throws {
        let bench = ProxyBench(filters: [.grpcStatistics(key: Slot(0))], upstreamProtocol: .http2)
        let head = "POST /s/m HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 11\r\n\r\n"
        let client = try bench.client()
        try client.send(head + "\0\0\0\0\u{1}x\0\0\0\0\0")
        let peer = HTTP2Peer(bench.upstream(0))
        try peer.pump()
        try peer.answer(
            0, 200, [("content-type", "application/grpc")], body: "\0\0\0\0\u{1}y", trailers: [("grpc-status", "0")])
        _ = try client.received()
        try client.send(head + "\0\0\0\0\u{1}x\0\0\0\0\0")
        try peer.pump()
        try peer.answer(1, 200, [("content-type", "application/grpc"), ("grpc-status", "14")])
        _ = try client.received()
        let stats = bench.worker.scope("cluster.origin.grpc", GRPCStats.self).stats
        #expect(stats.total == 2 && stats.successes == 1 && stats.failures == 1)
        #expect(stats.byStatus[0] == 1 && stats.byStatus[14] == 1)
        #expect(stats.requestMessages == 4 && stats.responseMessages == 1)
    }
}
