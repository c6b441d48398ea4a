import ApusDataplane
import ApusTraffic
import NIOCore

/// Octets of frames as a peer would send them, right or wrong.
struct Frame {
    var bytes: [UInt8]

    init(raw: [UInt8]) { bytes = raw }

    init(_ type: UInt8, flags: UInt8 = 0, _ stream: UInt32, _ payload: [UInt8] = []) {
        let length = payload.count
        bytes =
            [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags]
            + Frame.word(stream) + payload
    }

    static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xFF) } }

    static let preface = Frame(raw: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))

    static func settings(_ values: [(UInt16, UInt32)] = [], ack: Bool = false) -> Frame {
        Frame(4, flags: ack ? 1 : 0, 0, values.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + word($1) })
    }

    /// A block of literals without indexing.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        var block: [UInt8] = []
        for (name, value) in fields {
            block.append(0)
            block.append(UInt8(name.utf8.count))
            block += Array(name.utf8)
            block.append(UInt8(value.utf8.count))
            block += Array(value.utf8)
        }
        return block
    }

    static func headers(_ stream: UInt32, _ fields: [(String, String)], end: Bool = false) -> Frame {
        Frame(1, flags: 4 | (end ? 1 : 0), stream, block(fields))
    }

    static func headers(_ stream: UInt32, raw block: [UInt8], end: Bool = true) -> Frame {
        Frame(1, flags: 4 | (end ? 1 : 0), stream, block)
    }

    static let pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
    static let post = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/")]

    static func get(_ stream: UInt32, _ more: [(String, String)] = [], end: Bool = true) -> Frame {
        headers(stream, pseudo + more, end: end)
    }

    static func post(_ stream: UInt32, _ more: [(String, String)] = [], end: Bool = false) -> Frame {
        headers(stream, post + more, end: end)
    }

    static func data(_ stream: UInt32, _ text: String = "", end: Bool = false) -> Frame {
        Frame(0, flags: end ? 1 : 0, stream, Array(text.utf8))
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> Frame { Frame(3, stream, word(code)) }
    static func window(_ stream: UInt32, _ count: UInt32) -> Frame { Frame(8, stream, word(count)) }
    static func ping(_ byte: UInt8 = 7, ack: Bool = false) -> Frame {
        Frame(6, flags: ack ? 1 : 0, 0, [UInt8](repeating: byte, count: 8))
    }
    static func goAway(_ last: UInt32, _ code: UInt32 = 0) -> Frame { Frame(7, 0, word(last) + word(code)) }
}

/// A machine with a peer that speaks octets; what happens is told in short lines.
struct FramePeer {
    var machine: HTTP2Connection
    var input = ByteBuffer()
    var lines: [String] = []
    /// Streams by number, for actions.
    var streams: [UInt32: HTTP2Stream] = [:]
    var now = NIODeadline.uptimeNanoseconds(0)
    /// Every octet of a `data` event is consumed at once.
    var consumes = true

    init(_ role: HTTP2Connection.Role, _ options: HTTP2Options = HTTP2Options()) {
        machine = HTTP2Connection(role: role, options: options, out: ByteBuffer())
        machine.start()
        machine.out.clear()
    }

    /// A connection whose prefaces have been exchanged.
    static func ready(
        _ role: HTTP2Connection.Role, _ options: HTTP2Options = HTTP2Options(), settings: [(UInt16, UInt32)] = []
    ) -> FramePeer {
        var peer = FramePeer(role, options)
        peer.receive((role == .server ? [.preface] : []) + [.settings(settings), .settings(ack: true)])
        peer.machine.out.clear()
        peer.lines = []
        return peer
    }

    /// Feeds the frames in pieces of the given size and notes the events.
    mutating func receive(_ frames: [Frame], step: Int = .max) { receive(frames.flatMap(\.bytes), step: step) }

    mutating func receive(_ all: [UInt8], step: Int = .max) {
        var start = 0
        while start < all.count {
            let end = step < all.count - start ? start + step : all.count
            input.writeBytes(all[start..<end])
            start = end
            while let event = machine.next(&input, now: now) { note(event) }
        }
    }

    private mutating func note(_ event: HTTP2Event) {
        switch event {
        case .head(let stream, let facts):
            streams[stream.id] = stream
            let head = machine.head
            let start =
                head.status == 0
                ? "\(head.text(head.methodText)) \(head.text(head.authority))\(head.text(head.path))"
                : "\(head.status)"
            lines.append("head \(stream.id) \(start)\(fields)\(facts.endStream ? " end" : "")")
        case .data(let stream, let data, let endStream):
            let text = data.readableBytes > 20 ? "(\(data.readableBytes))" : String(buffer: data)
            lines.append("data \(stream.id) \(text)\(endStream ? " end" : "")")
            if consumes { machine.consumed(stream, data.readableBytes) }
        case .trailers(let stream): lines.append("trailers \(stream.id)\(fields)")
        case .reset(let stream, let problem, let byPeer):
            lines.append("\(byPeer ? "peer reset" : "own reset") \(stream.id) \(Self.name(problem.code))")
        case .writable(let stream): lines.append("writable \(stream.id)")
        case .goAway(let last, let code): lines.append("goaway \(last) \(Self.name(code))")
        case .settings: lines.append("settings")
        case .pingAck(let data): lines.append("ping ack \(data & 0xFF)")
        case .failed(let problem): lines.append("failed \(Self.name(problem.code)) \(problem.details)")
        }
    }

    private var fields: String {
        machine.head.textFields.map { " \($0.name)=\($0.value)" }.joined()
    }

    /// The frames that the machine wrote since the last call.
    mutating func sent() -> [String] {
        let out = machine.out
        machine.out.clear()
        return Self.frames(out)
    }

    static func frames(_ bytes: ByteBuffer) -> [String] {
        var result: [String] = []
        var out = bytes
        while let length = out.readInteger(endianness: .big, as: UInt8.self).map({ Int($0) << 16 }),
            let rest = out.readInteger(as: UInt16.self), let type = out.readInteger(as: UInt8.self),
            let flags = out.readInteger(as: UInt8.self), let stream = out.readInteger(as: UInt32.self),
            let payload = out.readBytes(length: length | Int(rest))
        {
            func word(_ index: Int) -> UInt32 {
                payload[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
            }
            switch type {
            case 0:
                let text = payload.count > 20 ? "(\(payload.count))" : String(decoding: payload, as: UTF8.self)
                result.append("DATA \(stream) \(text)\(flags & 1 != 0 ? " end" : "")")
            case 1: result.append("HEADERS \(stream)\(flags & 1 != 0 ? " end" : "")\(flags & 4 != 0 ? "" : " more")")
            case 3: result.append("RST_STREAM \(stream) \(name(HTTP2ErrorCode(rawValue: word(0))))")
            case 4: result.append("SETTINGS\(flags & 1 != 0 ? " ack" : "")")
            case 6: result.append("PING\(flags & 1 != 0 ? " ack" : "") \(payload[0])")
            case 7: result.append("GOAWAY \(word(0)) \(name(HTTP2ErrorCode(rawValue: word(4))))")
            case 8: result.append("WINDOW_UPDATE \(stream) \(word(0))")
            case 9: result.append("CONTINUATION \(stream)\(flags & 4 != 0 ? "" : " more")")
            default: result.append("frame \(type)")
            }
        }
        return result
    }

    static func name(_ code: HTTP2ErrorCode) -> String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
            "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
        ]
        return code.rawValue < names.count ? names[Int(code.rawValue)] : "\(code.rawValue)"
    }
}
