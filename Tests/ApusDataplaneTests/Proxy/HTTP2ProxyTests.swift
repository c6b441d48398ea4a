import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

/// A client of HTTP/2 in front of the bench: its machine, and a channel whose other end is the proxy.
private final class HTTP2Client {
    let channel: EmbeddedChannel
    var peer = FramePeer(.client)

    init(_ bench: ProxyBench, settings: [(UInt16, UInt32)] = []) throws {
        channel = try bench.client()
        peer.machine = HTTP2Connection(role: .client, out: ByteBuffer())
        try send([.preface, .settings(settings)])
        try pull()
        peer.lines = []
    }

    func send(_ frames: [Frame]) throws {
        _ = try channel.writeInbound(ByteBuffer(bytes: frames.flatMap(\.bytes)))
    }

    /// Hands the machine's octets to the proxy.
    func push() throws {
        guard peer.machine.out.readableBytes > 0 else { return }
        let bytes = peer.machine.out
        peer.machine.out = ByteBuffer()
        _ = try channel.writeInbound(bytes)
    }

    func request(
        _ method: String = "GET", _ path: String = "/", fields: [(String, String)] = [], end: Bool = true
    ) throws -> HTTP2Stream {
        let head = HTTPHead(method: method, path: path, authority: "Shop", fields: fields)
        let opened = peer.machine.openStream(head, endStream: end)
        let stream = try #require(opened)
        try push()
        return stream
    }

    /// What has come since the last call, in lines.
    @discardableResult
    func pull() throws -> [String] {
        channel.embeddedEventLoop.run()
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            peer.receive(Array(buffer.readableBytesView))
            try push()
            channel.embeddedEventLoop.run()
        }
        defer { peer.lines = [] }
        return peer.lines
    }
}

private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

@Suite("HTTP/2 through the proxy") struct HTTP2ProxyTests {
    @Test("a request of HTTP/2 goes to an upstream of HTTP/1.1 and its answer back")
    func forward() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        _ = try client.request("GET", "/x?y", fields: [("X-One", "1"), ("te", "trailers")])
        let request = try bench.upstream(0).received()
        #expect(request.hasPrefix("GET /x?y HTTP/1.1\r\nhost: Shop\r\nx-one: 1\r\n"))
        #expect(!request.contains("connection:"))
        try bench.upstream(0).send(ok)
        let lines = try client.pull()
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("head 1 200 content-length=2"))
        #expect(lines[0].contains("server=envoy"))
        #expect(lines[1] == "data 1 ok end")
        let stats = try #require(bench.worker.statistics().http["test"])
        #expect(stats.http2ConnectionsTotal == 1)
        #expect(stats.http1ConnectionsTotal == 0)
        #expect(stats.http2RequestsTotal == 1)
    }

    @Test("streams are answered in the order in which their answers come")
    func concurrent() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        _ = try client.request("GET", "/1")
        _ = try client.request("GET", "/2")
        client.channel.embeddedEventLoop.run()
        #expect(bench.upstreams.attempts.count == 2)
        try bench.upstream(1).send("HTTP/1.1 204 No Content\r\n\r\n")
        let second = try client.pull()
        #expect(second.count == 1 && second[0].hasPrefix("head 3 204"))
        #expect(second[0].hasSuffix("end"))
        try bench.upstream(0).send(ok)
        let first = try client.pull()
        #expect(first.first?.hasPrefix("head 1 200") ?? false)
        #expect(client.channel.isActive)
    }

    @Test("a body without a length goes on in chunks")
    func body() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        let stream = try client.request("POST", end: false)
        client.peer.machine.sendData(stream, ByteBuffer(string: "abc"), endStream: true)
        try client.push()
        let request = try bench.upstream(0).received()
        #expect(request.contains("transfer-encoding: chunked\r\n"))
        #expect(request.hasSuffix("3\r\nabc\r\n0\r\n\r\n"))
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        let lines = try client.pull()
        #expect(lines.first?.contains("transfer-encoding") == false)
        #expect(lines.dropFirst() == ["data 1 ok end"])
    }

    @Test("a body with its length keeps it")
    func length() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        let stream = try client.request("POST", fields: [("content-length", "3")], end: false)
        client.peer.machine.sendData(stream, ByteBuffer(string: "abc"), endStream: true)
        try client.push()
        let request = try bench.upstream(0).received()
        #expect(request.contains("content-length: 3\r\n"))
        #expect(request.hasSuffix("\r\n\r\nabc"))
    }

    @Test("HEAD has a length and no body")
    func head() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        _ = try client.request("HEAD")
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        let lines = try client.pull()
        #expect(lines.count == 1)
        #expect(lines[0].contains("content-length=9") && lines[0].hasSuffix("end"))
    }

    @Test("a reset of the client ends the request to the upstream")
    func reset() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        let stream = try client.request()
        client.channel.embeddedEventLoop.run()
        client.peer.machine.reset(stream, .cancel)
        try client.push()
        client.channel.embeddedEventLoop.run()
        #expect(!bench.upstream(0).isActive)
        #expect(client.channel.isActive)
        #expect(bench.worker.statistics().http["test"]?.requestResets == 1)
    }

    @Test("an upstream that dies in the middle of a body resets the stream")
    func abort() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        _ = try client.request()
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        try client.pull()
        try bench.upstream(0).close().wait()
        #expect(try client.pull() == ["peer reset 1 INTERNAL_ERROR"])
        #expect(client.channel.isActive)
    }

    @Test("an answer that overtakes its request ends the stream")
    func early() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        _ = try client.request("POST", end: false)
        try bench.upstream(0).send(ok)
        let lines = try client.pull()
        #expect(lines.dropFirst() == ["data 1 ok end", "peer reset 1 NO_ERROR"])
        #expect(client.channel.isActive)
    }

    @Test("a closed window holds the body back, and the upstream is no longer read")
    func window() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench, settings: [(4, 5)])
        _ = try client.request()
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nabcdefghijkl")
        #expect(try client.pull().dropFirst() == ["data 1 abcde"])
        try client.send([.window(1, 3)])
        #expect(try client.pull() == ["data 1 fgh"])
        try client.send([.window(1, 100)])
        #expect(try client.pull() == ["data 1 ijkl end"])
        // The upstream connection was paused at its last byte, and must be read for the next request.
        _ = try client.request()
        client.channel.embeddedEventLoop.run()
        #expect(bench.upstreams.attempts.count == 1)
        bench.upstream(0).read()
        try bench.upstream(0).send(ok)
        #expect(try client.pull().first?.hasPrefix("head 3 200") ?? false)
    }

    @Test("draining: GOAWAY for the future, then for now, then the end")
    func drain() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        _ = try client.request()
        client.channel.embeddedEventLoop.run()
        bench.worker.drain()
        #expect(try client.pull() == ["goaway 2147483647 NO_ERROR"])
        bench.advance(.seconds(5))
        #expect(try client.pull() == ["goaway 1 NO_ERROR"])
        #expect(client.channel.isActive)
        try bench.upstream(0).send(ok)
        #expect(try client.pull().first?.hasPrefix("head 1 200") ?? false)
        bench.advance(.seconds(2))
        #expect(!client.channel.isActive)
    }

    @Test("an idle connection is drained")
    func idle() throws {
        var timeouts = HTTPConnectionManager.Timeouts()
        timeouts.streamIdle = nil
        timeouts.connectionIdle = .seconds(60)
        let bench = ProxyBench(timeouts: timeouts)
        let client = try HTTP2Client(bench)
        bench.advance(.seconds(60))
        #expect(try client.pull() == ["goaway 2147483647 NO_ERROR"])
        bench.advance(.seconds(10))
        #expect(!client.channel.isActive)
    }

    @Test("a malformed message is answered with GOAWAY and the end of the connection")
    func malformed() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        try client.send([.get(1, [("connection", "close")])])
        #expect(try client.pull() == ["goaway 1 PROTOCOL_ERROR"])
        bench.advance(.seconds(2))
        #expect(!client.channel.isActive)
        #expect(bench.worker.statistics().http["test"]?.protocolErrors == 1)
        #expect(bench.upstreams.attempts.isEmpty)
    }

    @Test("requests that are reset as soon as they are made end the connection")
    func rapidReset() throws {
        let bench = ProxyBench()
        let client = try HTTP2Client(bench)
        var sent = 0
        while client.channel.isActive, sent < 1000 {
            let id = UInt32(2 * sent + 1)
            try client.send([.get(id), .reset(id)])
            client.channel.embeddedEventLoop.run()
            sent += 1
        }
        #expect(sent == 250)
        #expect(bench.worker.statistics().http["test"]?.tooManyPrematureResets == 1)
    }

    @Test("the preface may come octet by octet; what only begins like it is HTTP/1.1")
    func sniffing() throws {
        let bench = ProxyBench()
        let channel = try bench.client()
        for byte in Frame.preface.bytes + Frame.settings().bytes {
            _ = try channel.writeInbound(ByteBuffer(bytes: [byte]))
        }
        channel.embeddedEventLoop.run()
        var out = ByteBuffer()
        while var buffer = try channel.readOutbound(as: ByteBuffer.self) { out.writeBuffer(&buffer) }
        #expect(FramePeer.frames(out) == ["SETTINGS", "WINDOW_UPDATE 0 25100289", "SETTINGS ack"])
        let other = try bench.client()
        try other.send("PRI * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try other.received().hasPrefix("HTTP/1.1 400"))
    }
}
