import ApusDataplane
import ApusTraffic
import NIOCore
import Testing

/// A client machine with one POST under way, whose peer gave it the windows of the arguments.
private func posting(stream window: UInt32, connection: UInt32 = 0) throws -> (FramePeer, HTTP2Stream) {
    var peer = FramePeer.ready(.client, settings: [(4, window)])
    if connection > 0 { peer.receive([.window(0, connection)]) }
    let opened = peer.machine.openStream(
        HTTPHead(method: "POST", path: "/", authority: "a"), endStream: false)
    let stream = try #require(opened)
    peer.machine.out.clear()
    peer.lines = []
    return (peer, stream)
}

@Suite("HTTP/2, sending") struct HTTP2SendTests {
    @Test("no more leaves than the stream's window, and the rest when it opens")
    func streamWindow() throws {
        var (peer, stream) = try posting(stream: 5)
        let taken1 = peer.machine.sendData(stream, ByteBuffer(string: "abcdefgh"), endStream: true)
        #expect(!taken1)
        #expect(peer.sent() == ["DATA 1 abcde"])
        #expect(peer.machine.pendingBytes(stream) == 3)
        peer.receive([.window(1, 2)])
        #expect(peer.sent() == ["DATA 1 fg"])
        #expect(peer.lines == [])
        peer.receive([.window(1, 2)])
        #expect(peer.sent() == ["DATA 1 h end"])
        #expect(peer.lines == ["writable 1"])
    }

    @Test("a setting may make a window negative; it has to be filled up first")
    func negativeWindow() throws {
        var (peer, stream) = try posting(stream: 5)
        peer.machine.sendData(stream, ByteBuffer(string: "abcde"), endStream: false)
        peer.receive([.settings([(4, 2)])])
        _ = peer.sent()
        let taken2 = peer.machine.sendData(stream, ByteBuffer(string: "fg"), endStream: false)
        #expect(!taken2)
        peer.receive([.window(1, 3)])
        #expect(peer.sent() == [])
        peer.receive([.window(1, 1)])
        #expect(peer.sent() == ["DATA 1 f"])
        peer.receive([.settings([(4, 10)])])
        #expect(peer.sent() == ["SETTINGS ack", "DATA 1 g"])
    }

    @Test("the connection's window is shared, a frame at a time")
    func connectionWindow() throws {
        var peer = FramePeer.ready(.client, settings: [(4, 1_000_000)])
        var streams: [HTTP2Stream] = []
        for _ in 0..<2 {
            let opened = peer.machine.openStream(
                HTTPHead(method: "POST", path: "/", authority: "a"), endStream: false)
            streams.append(try #require(opened))
        }
        peer.machine.out.clear()
        let body = ByteBuffer(repeating: 65, count: 65_535)
        let taken3 = peer.machine.sendData(streams[0], body, endStream: false)
        #expect(taken3)
        _ = peer.sent()
        for stream in streams {
            let taken = peer.machine.sendData(stream, body, endStream: false)
            #expect(!taken)
        }
        #expect(peer.sent() == [])
        peer.receive([.window(0, 40_000)])
        #expect(peer.sent() == ["DATA 1 (16384)", "DATA 3 (16384)", "DATA 1 (7232)"])
    }

    @Test("end and trailers come behind octets that wait")
    func order() throws {
        var (peer, stream) = try posting(stream: 3)
        peer.machine.sendData(stream, ByteBuffer(string: "abcdef"), endStream: false)
        var trailers = HTTPHead()
        trailers.append(.grpcStatus, "0")
        peer.machine.sendTrailers(stream, trailers)
        #expect(peer.sent() == ["DATA 1 abc"])
        peer.receive([.window(1, 10)])
        #expect(peer.sent() == ["DATA 1 def", "HEADERS 1 end"])
    }

    @Test("the end is said by the last DATA frame while that one has not left")
    func lastFrame() throws {
        var (peer, stream) = try posting(stream: 100)
        peer.machine.sendData(stream, ByteBuffer(string: "abc"), endStream: false)
        peer.machine.sendEnd(stream)
        #expect(peer.sent() == ["DATA 1 abc end"])
        (peer, stream) = try posting(stream: 100)
        peer.machine.sendData(stream, ByteBuffer(string: "abc"), endStream: false)
        #expect(peer.sent() == ["DATA 1 abc"])
        peer.machine.sendEnd(stream)
        #expect(peer.sent() == ["DATA 1  end"])
    }

    @Test("windows are given back in halves, and the connection's also for streams that are gone")
    func credit() throws {
        var options = HTTP2Options()
        options.initialStreamWindow = 65_536
        options.initialConnectionWindow = 100_000
        var peer = FramePeer.ready(.server, options)
        peer.consumes = false
        let piece = Frame(0, 1, .init(repeating: 65, count: 16_384))
        peer.receive([.post(1), piece, piece, piece])
        let stream = try #require(peer.streams[1])
        peer.machine.consumed(stream, 16_384)
        #expect(peer.sent() == [])
        peer.machine.consumed(stream, 16_384)
        #expect(peer.sent() == ["WINDOW_UPDATE 1 32768"])
        peer.machine.reset(stream, .cancel)
        peer.machine.consumed(stream, 16_384)
        // What was on its way when the stream was reset is credited, too.
        peer.receive([piece])
        #expect(peer.sent() == ["RST_STREAM 1 CANCEL", "WINDOW_UPDATE 0 65536"])
    }

    @Test("a block larger than the peer's frames goes on in CONTINUATION")
    func continuation() throws {
        var peer = FramePeer.ready(.client)
        let value = String(repeating: "v", count: 15_000)
        let head = HTTPHead(
            method: "GET", path: "/", authority: "a",
            fields: [("x-one", value), ("x-two", value), ("x-three", value)])
        _ = peer.machine.openStream(head, endStream: true)
        #expect(peer.sent() == ["HEADERS 1 end more", "CONTINUATION 1 more", "CONTINUATION 1"])
    }

    @Test("no stream above the peer's limit, nor after GOAWAY")
    func limits() throws {
        var peer = FramePeer.ready(.client, settings: [(3, 1)])
        let head = HTTPHead(method: "GET", path: "/", authority: "a")
        let first = peer.machine.openStream(head, endStream: true)
        #expect(first != nil)
        #expect(!peer.machine.canOpenStream)
        let second = peer.machine.openStream(head, endStream: true)
        #expect(second == nil)
        peer.receive([.headers(1, [(":status", "200")], end: true)])
        #expect(peer.machine.canOpenStream)
        peer.receive([.goAway(1)])
        #expect(!peer.machine.canOpenStream)
    }

    @Test("GOAWAY in two steps: streams after the first are served, those after the second are not")
    func goAway() throws {
        var peer = FramePeer.ready(.server)
        peer.machine.announceGoAway()
        #expect(peer.sent() == ["GOAWAY 2147483647 NO_ERROR"])
        peer.receive([.get(1)])
        peer.machine.goAway(.noError)
        #expect(peer.sent() == ["GOAWAY 1 NO_ERROR"])
        peer.receive([.get(3), .ping()])
        #expect(peer.lines == ["head 1 GET a/ end"])
        #expect(peer.sent() == ["PING ack 7"])
    }

    // Floods: what a peer may drive up has an end.

    @Test("frames that the peer asks for and does not fetch", arguments: [Frame.ping(), .settings()])
    func controlFlood(_ frame: Frame) throws {
        var peer = FramePeer.ready(.server)
        peer.machine.outputFlushed()
        peer.receive(.init(repeating: frame, count: 1100))
        #expect(peer.lines.last == "failed ENHANCE_YOUR_CALM http2.outbound_control_frames_flood")
        #expect(peer.machine.out.readableBytes < 20_000)
    }

    @Test(
        "frames that do nothing",
        arguments: [
            ("http2.inbound_empty_frames_flood", Frame.data(1)),
            ("http2.inbound_priority_frames_flood", Frame(2, 1, [0, 0, 0, 0, 1])),
            ("http2.inbound_window_update_frames_flood", Frame.window(0, 1)),
        ])
    func idleFlood(_ details: String, _ frame: Frame) throws {
        var peer = FramePeer.ready(.server)
        peer.receive([.post(1)] + .init(repeating: frame, count: 300))
        #expect(peer.lines.last == "failed ENHANCE_YOUR_CALM \(details)")
    }

    @Test("resets: a thousand at once, then 33 a second")
    func resetFlood() throws {
        var peer = FramePeer.ready(.server)
        for index in 0..<1000 { peer.receive([.get(UInt32(2 * index + 1)), .reset(UInt32(2 * index + 1))]) }
        #expect(!peer.machine.hasFailed)
        peer.now = .uptimeNanoseconds(1_000_000_000)
        for index in 1000..<1033 { peer.receive([.get(UInt32(2 * index + 1)), .reset(UInt32(2 * index + 1))]) }
        #expect(!peer.machine.hasFailed)
        peer.receive([.get(2067), .reset(2067)])
        #expect(peer.lines.last == "failed ENHANCE_YOUR_CALM http2.reset_flood")
    }

    @Test("a head without an end")
    func continuationFlood() throws {
        var peer = FramePeer.ready(.server)
        peer.receive(
            [Frame(1, flags: 1, 1, [0x82])] + .init(repeating: Frame(9, 1, [0x00, 1, 0x61, 1, 0x62]), count: 20))
        #expect(peer.lines == ["failed ENHANCE_YOUR_CALM http2.continuation_flood"])
    }

    @Test("a head that is too large ends its stream, one that is far too large the connection")
    func bombs() throws {
        var options = HTTP2Options()
        options.maxHeadBytes = 8192
        var peer = FramePeer.ready(.server, options)
        let entry: [UInt8] = [0x40, 1, 0x78, 0x7F, 0xA9, 0x1D] + .init(repeating: 0x79, count: 3880)
        peer.receive([.headers(1, raw: [0x82, 0x86, 0x84, 0x01, 1, 0x61] + entry)])
        #expect(peer.lines.count == 1)
        peer.lines = []
        peer.receive([.headers(3, raw: [0x82, 0x86, 0x84, 0x01, 1, 0x61] + .init(repeating: 0xBE, count: 5))])
        #expect(peer.lines == [])
        #expect(peer.sent() == ["RST_STREAM 3 INTERNAL_ERROR"])
        peer.receive([.headers(5, raw: .init(repeating: 0xBE, count: 10_000))])
        #expect(peer.lines == ["failed ENHANCE_YOUR_CALM http2.head_far_too_large"])
        #expect(peer.machine.head.storage.count <= 8192)
    }

    @Test("more fields than allowed end the stream")
    func fields() throws {
        var peer = FramePeer.ready(.server)
        peer.receive([.get(1, .init(repeating: ("a", "b"), count: 97)), .get(3)])
        #expect(peer.lines == ["head 3 GET a/ end"])
        #expect(peer.sent() == ["RST_STREAM 1 INTERNAL_ERROR"])
    }
}
