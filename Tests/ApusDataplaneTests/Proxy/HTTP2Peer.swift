import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded

/// The host at the other end of an upstream connection, speaking HTTP/2.
final class HTTP2Peer {
    struct Request {
        let stream: HTTP2Stream
        let head: HTTPHead
        var body = ""
        var trailers: HTTPHead?
        var isComplete: Bool
        var reset: HTTP2ErrorCode?
        let protocolName: String?
    }

    let channel: EmbeddedChannel
    var machine: HTTP2Connection
    var requests: [Request] = []
    var pings = 0
    var goneAway = false
    private var input = ByteBuffer()

    init(_ channel: EmbeddedChannel, options: HTTP2Options = HTTP2Options()) {
        self.channel = channel
        machine = HTTP2Connection(role: .server, options: options, out: ByteBuffer())
        machine.start()
    }

    /// Reads what the proxy wrote, and sends what there is to send.
    func pump() throws {
        channel.embeddedEventLoop.run()
        while var buffer = try channel.readOutbound(as: ByteBuffer.self) { input.writeBuffer(&buffer) }
        while let event = machine.next(&input, now: channel.embeddedEventLoop.now) { take(event) }
        if machine.out.readableBytes > 0 {
            let bytes = machine.out
            machine.out = ByteBuffer()
            _ = try channel.writeInbound(bytes)
            channel.embeddedEventLoop.run()
        }
    }

    private func take(_ event: HTTP2Event) {
        switch event {
        case .head(let stream, let facts):
            var head = HTTPHead()
            swap(&head, &machine.head)
            requests.append(
                Request(
                    stream: stream, head: head, isComplete: facts.endStream,
                    protocolName: facts.protocolName.map { head.text($0) }))
        case .data(let stream, let data, let endStream):
            machine.consumed(stream, data.readableBytes)
            change(stream) {
                $0.body += String(buffer: data)
                if endStream { $0.isComplete = true }
            }
        case .trailers(let stream):
            let head = machine.head
            change(stream) {
                $0.trailers = head
                $0.isComplete = true
            }
        case .reset(let stream, let problem, _): change(stream) { $0.reset = problem.code }
        case .goAway: goneAway = true
        case .writable, .settings, .pingAck, .failed: break
        }
    }

    private func change(_ stream: HTTP2Stream, _ body: (inout Request) -> Void) {
        if let index = requests.firstIndex(where: { $0.stream == stream }) { body(&requests[index]) }
    }

    func answer(
        _ index: Int, _ status: UInt16 = 200, _ fields: [(String, String)] = [], body: String? = nil,
        trailers: [(String, String)]? = nil
    ) throws {
        let stream = requests[index].stream
        machine.sendHead(stream, HTTPHead(status: status, fields: fields), endStream: body == nil && trailers == nil)
        if let body { _ = machine.sendData(stream, ByteBuffer(string: body), endStream: trailers == nil) }
        if let trailers { machine.sendTrailers(stream, HTTPHead(status: 0, fields: trailers)) }
        try pump()
    }
}
