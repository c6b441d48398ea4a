import ApusDataplane
import ApusTraffic
import NIOCore
import Testing

/// One rule of RFC 9113 or 7541: what a peer sends once both prefaces are exchanged, and all that happens then, the events
/// first and behind them the frames that are written.
struct ConformanceCase: CustomTestStringConvertible, Sendable {
    let section: String
    let rule: String
    let role: HTTP2Connection.Role
    let frames: [Frame]
    let expected: [String]
    let options: HTTP2Options

    var testDescription: String { "\(section): \(rule)" }

    static func server(_ section: String, _ rule: String, _ frames: [Frame], _ expected: String...) -> Self {
        ConformanceCase(
            section: section, rule: rule, role: .server, frames: frames, expected: expected, options: .init())
    }

    /// The same with messages that end only their stream.
    static func mild(_ section: String, _ rule: String, _ frames: [Frame], _ expected: String...) -> Self {
        var options = HTTP2Options()
        options.malformedMessageEndsStream = true
        return ConformanceCase(
            section: section, rule: rule, role: .server, frames: frames, expected: expected, options: options)
    }

    /// Requests 1 (GET), 3 (HEAD) and 5 (POST, without an end) are open.
    static func client(_ section: String, _ rule: String, _ frames: [Frame], _ expected: String...) -> Self {
        ConformanceCase(
            section: section, rule: rule, role: .client, frames: frames, expected: expected, options: .init())
    }
}

extension Frame: @unchecked Sendable {}

/// A malformed request ends its stream, and nothing else happens.
private func malformed(_ section: String, _ rule: String, _ fields: [(String, String)], end: Bool = true)
    -> ConformanceCase
{
    .mild(section, rule, [.headers(1, fields, end: end), .get(3)], "head 3 GET a/ end", "RST_STREAM 1 PROTOCOL_ERROR")
}

private func failed(_ code: String, _ details: String, last: UInt32 = 0) -> [String] {
    ["failed \(code) \(details)", "GOAWAY \(last) \(code)"]
}

private let connectionCases: [ConformanceCase] = [
    // Section 4: frames
    .server("4.1", "a frame of unknown type is read over", [Frame(0xEE, 0, [1, 2, 3]), .ping()], "PING ack 7"),
    .server(
        "4.1", "a frame of unknown type on a stream is read over", [Frame(0xEE, 9, [1]), .get(1)], "head 1 GET a/ end"),
    .server(
        "4.1", "unknown flags are ignored", [Frame(6, flags: 0xF0, 0, .init(repeating: 7, count: 8))], "PING ack 7"),
    .server(
        "4.1", "the reserved bit of a stream number is ignored",
        [Frame(1, flags: 5, 0x8000_0001, Frame.block(Frame.pseudo))], "head 1 GET a/ end"),
    .server(
        "4.2", "a frame above the maximum size ends the connection",
        [.post(1), Frame(0, 1, .init(repeating: 65, count: 16_385))],
        "head 1 POST a/", "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 1 FRAME_SIZE_ERROR"),
    .server(
        "4.2", "a large frame of unknown type ends the connection, too",
        [Frame(0xEE, 0, .init(repeating: 65, count: 20_000))],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "4.3", "a block that cannot be decoded ends the connection", [.headers(1, raw: [0x80])],
        "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "4.3", "a frame of another stream inside a block ends the connection",
        [Frame(1, flags: 1, 1, Frame.block(Frame.pseudo)), .get(3)],
        "failed PROTOCOL_ERROR http2.continuation_expected", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "4.3", "a PING inside a block ends the connection",
        [Frame(1, flags: 1, 1, Frame.block(Frame.pseudo)), .ping()],
        "failed PROTOCOL_ERROR http2.continuation_expected", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "4.3", "an unknown frame inside a block ends the connection",
        [Frame(1, flags: 1, 1, Frame.block(Frame.pseudo)), Frame(0xEE, 1)],
        "failed PROTOCOL_ERROR http2.continuation_expected", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "4.3", "a block of a refused stream still moves the table",
        [
            .headers(3, raw: indexedRequest), .headers(1, raw: [0x40, 1, 0x7A, 1, 0x79] + indexedRequest),
            .headers(5, raw: laterRequest),
        ],
        "head 3 GET a/ end", "failed STREAM_CLOSED http2.headers_after_end", "GOAWAY 3 STREAM_CLOSED"),

    // Section 5.1: states
    .server(
        "5.1", "idle: DATA ends the connection", [.data(1, "x")],
        "failed PROTOCOL_ERROR http2.idle_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "5.1", "idle: RST_STREAM ends the connection", [.reset(1)],
        "failed PROTOCOL_ERROR http2.idle_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "5.1", "idle: WINDOW_UPDATE ends the connection", [.window(1, 1)],
        "failed PROTOCOL_ERROR http2.idle_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "5.1", "idle: CONTINUATION ends the connection", [Frame(9, flags: 4, 1, [])],
        "failed PROTOCOL_ERROR http2.unexpected_continuation", "GOAWAY 0 PROTOCOL_ERROR"),
    .server("5.1", "idle: PRIORITY is no offence", [Frame(2, 1, [0, 0, 0, 0, 1]), .get(1)], "head 1 GET a/ end"),
    .server(
        "5.1", "idle: WINDOW_UPDATE on a stream of the server's own ends the connection", [.window(2, 1)],
        "failed PROTOCOL_ERROR http2.idle_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "5.1", "half-closed (remote): DATA ends the stream", [.get(1), .data(1, "x")], "head 1 GET a/ end",
        "own reset 1 STREAM_CLOSED", "RST_STREAM 1 STREAM_CLOSED"),
    .server(
        "5.1", "half-closed (remote): HEADERS end the connection", [.get(1), .headers(1, [("a", "b")], end: true)],
        "head 1 GET a/ end", "failed STREAM_CLOSED http2.headers_after_end", "GOAWAY 1 STREAM_CLOSED"),
    .server(
        "5.1", "half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are allowed",
        [.get(1), .window(1, 5), Frame(2, 1, [0, 0, 0, 0, 1]), .reset(1)], "head 1 GET a/ end", "peer reset 1 CANCEL"),
    .server(
        "5.1", "closed: DATA after the peer's own reset is answered with a reset",
        [.post(1), .reset(1), .data(1, "x")],
        "head 1 POST a/", "peer reset 1 CANCEL", "RST_STREAM 1 STREAM_CLOSED"),
    .server(
        "5.1", "closed: HEADERS after the peer's own reset end the connection", [.post(1), .reset(1), .post(1)],
        "head 1 POST a/", "peer reset 1 CANCEL", "failed STREAM_CLOSED http2.headers_after_end",
        "GOAWAY 1 STREAM_CLOSED"),
    .server(
        "5.1", "closed: WINDOW_UPDATE, PRIORITY and RST_STREAM are ignored",
        [.post(1), .reset(1), .window(1, 1), .reset(1), Frame(2, 1, [0, 0, 0, 0, 1])], "head 1 POST a/",
        "peer reset 1 CANCEL"),
    .server(
        "5.1", "closed by this side: what was on its way is ignored",
        [.get(1), .data(1, "x"), .data(1, "y"), .headers(1, [("a", "b")], end: true), .get(3)], "head 1 GET a/ end",
        "own reset 1 STREAM_CLOSED", "head 3 GET a/ end", "RST_STREAM 1 STREAM_CLOSED"),
    .server(
        "5.1.1", "an even stream of a client ends the connection", [.get(2)],
        "failed PROTOCOL_ERROR http2.stream_number", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "5.1.1", "a lower number than before ends the connection", [.get(5), .get(3)], "head 5 GET a/ end",
        "failed STREAM_CLOSED http2.headers_after_end", "GOAWAY 5 STREAM_CLOSED"),
    .server("5.1.1", "numbers may be left out", [.get(1), .get(9)], "head 1 GET a/ end", "head 9 GET a/ end"),
    ConformanceCase(
        section: "5.1.2", rule: "a stream above the limit is refused, and the next one is not", role: .server,
        frames: [.get(1), .get(3), .get(5), .reset(1), .get(7)],
        expected: [
            "head 1 GET a/ end", "head 3 GET a/ end", "peer reset 1 CANCEL", "head 7 GET a/ end",
            "RST_STREAM 5 REFUSED_STREAM",
        ], options: limited { $0.maxConcurrentStreams = 2 }),
    .server("5.5", "an unknown setting is ignored", [.settings([(0xFF, 9)])], "settings", "SETTINGS ack"),

    // Section 6
    .server(
        "6.1", "DATA on the connection ends it", [.data(0, "x")],
        "failed PROTOCOL_ERROR http2.data_on_connection", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.1", "DATA may end the stream", [.post(1), .data(1, "abc", end: true)], "head 1 POST a/", "data 1 abc end"),
    .server("6.1", "empty DATA may end the stream", [.post(1), .data(1, end: true)], "head 1 POST a/", "data 1  end"),
    .server(
        "6.1", "padding is no body", [.post(1), Frame(0, flags: 9, 1, [2, 65, 66, 0, 0])], "head 1 POST a/",
        "data 1 AB end"),
    .server(
        "6.1", "a frame of padding alone is empty", [.post(1), Frame(0, flags: 9, 1, [3, 0, 0, 0])], "head 1 POST a/",
        "data 1  end"),
    .server(
        "6.1", "padding as long as the payload ends the connection", [.post(1), Frame(0, flags: 8, 1, [4, 1, 2, 3])],
        "head 1 POST a/", "failed PROTOCOL_ERROR http2.padding", "GOAWAY 1 PROTOCOL_ERROR"),
    .server(
        "6.1", "padded DATA without its length ends the connection", [.post(1), Frame(0, flags: 8, 1)],
        "head 1 POST a/", "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 1 FRAME_SIZE_ERROR"),
    .server(
        "6.2", "HEADERS on the connection end it", [Frame(1, flags: 5, 0, Frame.block(Frame.pseudo))],
        "failed PROTOCOL_ERROR http2.headers_on_connection", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.2", "padding is not part of the block",
        [Frame(1, flags: 0xD, 1, [2] + Frame.block(Frame.pseudo) + [0, 0])], "head 1 GET a/ end"),
    .server(
        "6.2", "padding as long as the payload ends the connection", [Frame(1, flags: 0xD, 1, [3, 0, 0])],
        "failed PROTOCOL_ERROR http2.padding", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.2", "padded HEADERS without the length end the connection", [Frame(1, flags: 0xD, 1)],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "6.2", "the priority of RFC 7540 is read over",
        [Frame(1, flags: 0x25, 1, [0, 0, 0, 3, 9] + Frame.block(Frame.pseudo))], "head 1 GET a/ end"),
    .server(
        "6.2", "padding and priority together",
        [Frame(1, flags: 0x2D, 1, [1, 0, 0, 0, 3, 9] + Frame.block(Frame.pseudo) + [0])], "head 1 GET a/ end"),
    .server(
        "6.2", "a priority that is cut short ends the connection", [Frame(1, flags: 0x25, 1, [0, 0, 0])],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "6.3", "PRIORITY on the connection ends it", [Frame(2, 0, [0, 0, 0, 1, 1])],
        "failed PROTOCOL_ERROR http2.priority_on_connection", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.3", "PRIORITY of another length ends the connection", [Frame(2, 1, [0, 0, 0, 1])],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "6.4", "RST_STREAM on the connection ends it", [.reset(0)],
        "failed PROTOCOL_ERROR http2.reset_on_connection", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.4", "RST_STREAM of another length ends the connection", [.get(1), Frame(3, 1, [0, 0, 8])],
        "head 1 GET a/ end", "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 1 FRAME_SIZE_ERROR"),
    .server(
        "6.4", "RST_STREAM ends the stream", [.post(1), .reset(1, 2)], "head 1 POST a/", "peer reset 1 INTERNAL_ERROR"),
    .server(
        "7", "an unknown error code is taken as it is", [.post(1), .reset(1, 999)], "head 1 POST a/", "peer reset 1 999"
    ),
    .server(
        "6.5", "SETTINGS on a stream end the connection", [Frame(4, 1)],
        "failed PROTOCOL_ERROR http2.settings_on_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.5", "an acknowledgement with a payload ends the connection", [Frame(4, flags: 1, 0, [0, 1, 0, 0, 0, 0])],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "6.5", "SETTINGS that are no multiple of six octets end the connection", [Frame(4, 0, [0, 1, 0, 0])],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server("6.5.3", "SETTINGS are acknowledged", [.settings([(3, 5)])], "settings", "SETTINGS ack"),
    .server(
        "6.5.3", "an acknowledgement that nobody waits for is ignored", [.settings(ack: true), .ping()], "PING ack 7"),
    .server("6.5.2", "a client may allow or forbid push", [.settings([(2, 1), (2, 0)])], "settings", "SETTINGS ack"),
    .server(
        "6.5.2", "ENABLE_PUSH of 2 ends the connection", [.settings([(2, 2)])],
        "failed PROTOCOL_ERROR http2.enable_push", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "6.5.2", "a server must not allow push", [.settings([(2, 1)])],
        "failed PROTOCOL_ERROR http2.enable_push", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.5.2", "an initial window of 2^31 ends the connection", [.settings([(4, 0x8000_0000)])],
        "failed FLOW_CONTROL_ERROR http2.initial_window", "GOAWAY 0 FLOW_CONTROL_ERROR"),
    .server(
        "6.5.2", "an initial window of 2^31-1 is allowed", [.settings([(4, 0x7FFF_FFFF)])], "settings", "SETTINGS ack"),
    .server(
        "6.5.2", "a maximum frame below 16,384 ends the connection", [.settings([(5, 16_383)])],
        "failed PROTOCOL_ERROR http2.max_frame_size", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.5.2", "a maximum frame of 2^24 ends the connection", [.settings([(5, 16_777_216)])],
        "failed PROTOCOL_ERROR http2.max_frame_size", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.5.2", "a maximum frame of 2^24-1 is allowed", [.settings([(5, 16_777_215)])], "settings", "SETTINGS ack"),
    .server(
        "RFC 8441, 3", "ENABLE_CONNECT_PROTOCOL of 2 ends the connection", [.settings([(8, 2)])],
        "failed PROTOCOL_ERROR http2.enable_connect", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "RFC 8441, 3", "extended CONNECT cannot be taken back", [.settings([(8, 1)]), .settings([(8, 0)])], "settings",
        "failed PROTOCOL_ERROR http2.enable_connect", "SETTINGS ack", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.6", "a client must not push", [Frame(5, flags: 4, 1, [0, 0, 0, 2])],
        "failed PROTOCOL_ERROR http2.push_promise", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "6.6", "a server must not push when it is forbidden", [Frame(5, flags: 4, 1, [0, 0, 0, 2])],
        "failed PROTOCOL_ERROR http2.push_promise", "GOAWAY 0 PROTOCOL_ERROR"),
    .server("6.7", "PING is answered with its data", [.ping(42)], "PING ack 42"),
    .server("6.7", "the answer to a PING is none", [.ping(3, ack: true)], "ping ack 3"),
    .server(
        "6.7", "PING on a stream ends the connection", [Frame(6, 1, .init(repeating: 0, count: 8))],
        "failed PROTOCOL_ERROR http2.ping_on_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.7", "PING of another length ends the connection", [Frame(6, 0, .init(repeating: 0, count: 7))],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server("6.8", "GOAWAY of a client", [.get(1), .goAway(0, 2)], "head 1 GET a/ end", "goaway 0 INTERNAL_ERROR"),
    .server(
        "6.8", "GOAWAY on a stream ends the connection", [Frame(7, 1, .init(repeating: 0, count: 8))],
        "failed PROTOCOL_ERROR http2.goaway_on_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.8", "GOAWAY that is cut short ends the connection", [Frame(7, 0, .init(repeating: 0, count: 7))],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "6.8", "debug data of GOAWAY is read over", [Frame(7, 0, .init(repeating: 0, count: 8) + Array("why".utf8))],
        "goaway 0 NO_ERROR"),
    .client(
        "6.8", "streams above the last one can be tried elsewhere", [.goAway(1)], "goaway 1 NO_ERROR",
        "peer reset 3 REFUSED_STREAM", "peer reset 5 REFUSED_STREAM"),
    .server(
        "6.9", "an increment of 0 ends the connection on the connection", [.window(0, 0)],
        "failed PROTOCOL_ERROR http2.window_increment", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.9", "an increment of 0 ends the stream on a stream", [.get(1), .window(1, 0)], "head 1 GET a/ end",
        "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .server(
        "6.9", "WINDOW_UPDATE of another length ends the connection", [Frame(8, 0, [0, 0, 1])],
        "failed FRAME_SIZE_ERROR http2.frame_size", "GOAWAY 0 FRAME_SIZE_ERROR"),
    .server(
        "6.9.1", "a window of the connection above 2^31-1 ends it", [.window(0, 0x7FFF_FFFF)],
        "failed FLOW_CONTROL_ERROR http2.window_overflow", "GOAWAY 0 FLOW_CONTROL_ERROR"),
    .server(
        "6.9.1", "a window of a stream above 2^31-1 ends the stream", [.get(1), .window(1, 0x7FFF_FFFF)],
        "head 1 GET a/ end", "own reset 1 FLOW_CONTROL_ERROR", "RST_STREAM 1 FLOW_CONTROL_ERROR"),
    .server(
        "6.9.2", "a setting that lifts a window above 2^31-1 ends the connection",
        [.get(1), .window(1, 0x7FFF_0000), .settings([(4, 0x7FFF_FFFF)])], "head 1 GET a/ end",
        "failed FLOW_CONTROL_ERROR http2.window_overflow", "SETTINGS ack", "GOAWAY 1 FLOW_CONTROL_ERROR"),
    .server(
        "6.10", "a block goes on in CONTINUATION",
        [
            Frame(1, flags: 1, 1, Array(Frame.block(Frame.pseudo)[..<9])),
            Frame(9, flags: 4, 1, Array(Frame.block(Frame.pseudo)[9...])),
        ],
        "head 1 GET a/ end"),
    .server(
        "6.10", "CONTINUATION of another stream ends the connection",
        [Frame(1, flags: 1, 1, Frame.block(Frame.pseudo)), Frame(9, flags: 4, 3)],
        "failed PROTOCOL_ERROR http2.continuation_expected", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.10", "CONTINUATION behind a complete block ends the connection", [.get(1), Frame(9, flags: 4, 1)],
        "head 1 GET a/ end", "failed PROTOCOL_ERROR http2.unexpected_continuation", "GOAWAY 1 PROTOCOL_ERROR"),
    .server(
        "6.10", "CONTINUATION on the connection ends it", [Frame(9, flags: 4, 0)],
        "failed PROTOCOL_ERROR http2.unexpected_continuation", "GOAWAY 0 PROTOCOL_ERROR"),
    .server(
        "6.10", "CONTINUATION behind DATA ends the connection", [.post(1), .data(1, "x"), Frame(9, flags: 4, 1)],
        "head 1 POST a/", "data 1 x", "failed PROTOCOL_ERROR http2.unexpected_continuation", "GOAWAY 1 PROTOCOL_ERROR"),
]

private func limited(_ change: (inout HTTP2Options) -> Void) -> HTTP2Options {
    var options = HTTP2Options()
    change(&options)
    return options
}

/// `:method GET`, `:scheme http`, `:path /` of the static table, `:authority a` into the dynamic one.
private let indexedRequest: [UInt8] = [0x82, 0x86, 0x84, 0x41, 1, 0x61]
/// The same with the authority out of the dynamic table.
private let laterRequest: [UInt8] = [0x82, 0x86, 0x84, 0xBE]

private let messageCases: [ConformanceCase] = [
    // Section 8.1
    .server(
        "8.1", "trailers end a request", [.post(1), .data(1, "x"), .headers(1, [("t", "1")], end: true)],
        "head 1 POST a/", "data 1 x", "trailers 1 t=1"),
    .server(
        "8.1", "trailers without a body", [.post(1), .headers(1, [("t", "1")], end: true)], "head 1 POST a/",
        "trailers 1 t=1"),
    .mild(
        "8.1", "trailers that do not end the stream are malformed", [.post(1), .headers(1, [("t", "1")])],
        "head 1 POST a/", "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .mild(
        "8.1", "pseudo-headers in trailers are malformed", [.post(1), .headers(1, [(":path", "/")], end: true)],
        "head 1 POST a/", "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .server(
        "8.1.1", "a malformed request ends the connection unless told otherwise", [.get(1, [("X", "1")])],
        "failed PROTOCOL_ERROR http2.invalid_header_field", "GOAWAY 1 PROTOCOL_ERROR"),
    .mild(
        "8.1.1", "more body than content-length is malformed",
        [.post(1, [("content-length", "2")]), .data(1, "abc", end: true)],
        "head 1 POST a/ content-length=2", "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .mild(
        "8.1.1", "less body than content-length is malformed",
        [.post(1, [("content-length", "4")]), .data(1, "abc", end: true)],
        "head 1 POST a/ content-length=4", "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .mild(
        "8.1.1", "no body in spite of content-length is malformed", [.post(1, [("content-length", "4")], end: true)],
        "RST_STREAM 1 PROTOCOL_ERROR"),
    .mild(
        "8.1.1", "trailers before all of content-length are malformed",
        [.post(1, [("content-length", "4")]), .data(1, "abc"), .headers(1, [("t", "1")], end: true)],
        "head 1 POST a/ content-length=4", "data 1 abc", "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .server(
        "8.1.1", "a body over several frames is summed up",
        [.post(1, [("content-length", "4")]), .data(1, "ab"), .data(1, "cd", end: true)],
        "head 1 POST a/ content-length=4", "data 1 ab", "data 1 cd end"),
    .server(
        "8.1.1", "padding does not count",
        [.post(1, [("content-length", "2")]), Frame(0, flags: 9, 1, [2, 65, 66, 0, 0])],
        "head 1 POST a/ content-length=2", "data 1 AB end"),
    .server(
        "8.1.1", "content-length 0 without a body", [.post(1, [("content-length", "0")], end: true)],
        "head 1 POST a/ content-length=0 end"),
    malformed("8.1.1", "a content-length that is no number is malformed", Frame.pseudo + [("content-length", "1a")]),
    malformed("8.1.1", "an empty content-length is malformed", Frame.pseudo + [("content-length", "")]),
    malformed("8.1.1", "a negative content-length is malformed", Frame.pseudo + [("content-length", "-1")]),
    malformed(
        "8.1.1", "content-lengths that differ are malformed",
        Frame.pseudo + [("content-length", "0"), ("content-length", "1")]),
    malformed(
        "8.1.1", "a content-length of 19 digits is malformed",
        Frame.pseudo + [("content-length", "1000000000000000000")]),
    .server(
        "8.1.1", "equal content-lengths are one",
        [.post(1, [("content-length", "0"), ("content-length", "0")], end: true)],
        "head 1 POST a/ content-length=0 end"),
    // Section 8.2
    malformed("8.2", "a name in upper case is malformed", Frame.pseudo + [("Abc", "1")]),
    malformed("8.2.1", "a name with a blank is malformed", Frame.pseudo + [("a b", "1")]),
    malformed("8.2.1", "a name with a colon is malformed", Frame.pseudo + [("a:b", "1")]),
    malformed("8.2.1", "an empty name is malformed", Frame.pseudo + [("", "1")]),
    malformed("8.2.1", "a name with DEL is malformed", Frame.pseudo + [("a\u{7F}", "1")]),
    malformed("8.2.1", "a name outside ASCII is malformed", Frame.pseudo + [("ä", "1")]),
    malformed("8.2.1", "a value with NUL is malformed", Frame.pseudo + [("a", "x\0y")]),
    malformed("8.2.1", "a value with CR is malformed", Frame.pseudo + [("a", "x\ry")]),
    malformed("8.2.1", "a value with LF is malformed", Frame.pseudo + [("a", "x\ny")]),
    malformed("8.2.1", "a value that begins with a blank is malformed", Frame.pseudo + [("a", " x")]),
    malformed("8.2.1", "a value that ends with a blank is malformed", Frame.pseudo + [("a", "x ")]),
    malformed("8.2.1", "a value that ends with a tab is malformed", Frame.pseudo + [("a", "x\t")]),
    .server("8.2.1", "an empty value is allowed", [.get(1, [("a", "")])], "head 1 GET a/ a= end"),
    .server(
        "8.2.1", "a blank and a tab inside a value are allowed", [.get(1, [("a", "x y\tz")])],
        "head 1 GET a/ a=x y\tz end"),
    .server("8.2.1", "a value outside ASCII is allowed", [.get(1, [("a", "ä")])], "head 1 GET a/ a=ä end"),
    malformed("8.2.2", "connection is malformed", Frame.pseudo + [("connection", "close")]),
    malformed("8.2.2", "keep-alive is malformed", Frame.pseudo + [("keep-alive", "1")]),
    malformed("8.2.2", "proxy-connection is malformed", Frame.pseudo + [("proxy-connection", "close")]),
    malformed("8.2.2", "transfer-encoding is malformed", Frame.pseudo + [("transfer-encoding", "chunked")]),
    malformed("8.2.2", "upgrade is malformed", Frame.pseudo + [("upgrade", "websocket")]),
    malformed("8.2.2", "te other than trailers is malformed", Frame.pseudo + [("te", "gzip")]),
    .server("8.2.2", "te: trailers is allowed", [.get(1, [("te", "trailers")])], "head 1 GET a/ te=trailers end"),
    .mild(
        "8.2.2", "connection in trailers is malformed", [.post(1), .headers(1, [("connection", "close")], end: true)],
        "head 1 POST a/", "own reset 1 PROTOCOL_ERROR", "RST_STREAM 1 PROTOCOL_ERROR"),
    .server(
        "8.2.3", "crumbs of a cookie become one field",
        [.get(1, [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")])],
        "head 1 GET a/ x=y cookie=a=1; b=2; c=3 end"),
    // Section 8.3
    malformed(
        "8.3", "a pseudo-header behind a field is malformed", Array(Frame.pseudo[..<3]) + [("a", "b"), (":path", "/")]),
    malformed("8.3", "an unknown pseudo-header is malformed", Frame.pseudo + [(":other", "1")]),
    malformed("8.3", "a pseudo-header of a response is malformed", Frame.pseudo + [(":status", "200")]),
    malformed("8.3.1", "two methods are malformed", Frame.pseudo + [(":method", "GET")]),
    malformed("8.3.1", "two paths are malformed", Frame.pseudo + [(":path", "/")]),
    malformed("8.3.1", "two schemes are malformed", Frame.pseudo + [(":scheme", "http")]),
    malformed("8.3.1", "two authorities are malformed", Frame.pseudo + [(":authority", "a")]),
    malformed("8.3.1", "no method is malformed", Array(Frame.pseudo[1...])),
    malformed("8.3.1", "no scheme is malformed", [Frame.pseudo[0], Frame.pseudo[2], Frame.pseudo[3]]),
    malformed("8.3.1", "no path is malformed", Array(Frame.pseudo[..<3])),
    malformed("8.3.1", "neither authority nor host is malformed", [Frame.pseudo[0], Frame.pseudo[1], Frame.pseudo[3]]),
    malformed("8.3.1", "an empty path is malformed", Array(Frame.pseudo[..<3]) + [(":path", "")]),
    malformed("8.3.1", "a path without a slash is malformed", Array(Frame.pseudo[..<3]) + [(":path", "x")]),
    malformed("8.3.1", "a path with a blank is malformed", Array(Frame.pseudo[..<3]) + [(":path", "/ x")]),
    malformed("8.3.1", "a path of * is malformed but for OPTIONS", Array(Frame.pseudo[..<3]) + [(":path", "*")]),
    malformed("8.3.1", "a method that is no token is malformed", [(":method", "G T")] + Array(Frame.pseudo[1...])),
    malformed("8.3.1", "an empty method is malformed", [(":method", "")] + Array(Frame.pseudo[1...])),
    malformed(
        "8.3.1", "a scheme that is none is malformed",
        [(":scheme", "1")] + [Frame.pseudo[0], Frame.pseudo[2], Frame.pseudo[3]]),
    malformed(
        "8.3.1", "user information in the authority is malformed",
        [(":authority", "u@a")] + [Frame.pseudo[0], Frame.pseudo[1], Frame.pseudo[3]]),
    malformed("8.3.1", "a host that differs from the authority is malformed", Frame.pseudo + [("host", "b")]),
    .server("8.3.1", "a host that repeats the authority is no field", [.get(1, [("host", "A")])], "head 1 GET a/ end"),
    .server(
        "8.3.1", "host takes the place of the authority",
        [.headers(1, [Frame.pseudo[0], Frame.pseudo[1], Frame.pseudo[3], ("host", "h")], end: true)],
        "head 1 GET h/ end"),
    .server(
        "8.3.1", "OPTIONS may ask for *",
        [.headers(1, [(":method", "OPTIONS")] + Frame.pseudo[1...2] + [(":path", "*")], end: true)],
        "head 1 OPTIONS a* end"),
    .server(
        "8.5", "CONNECT has an authority alone", [.headers(1, [(":method", "CONNECT"), (":authority", "a:1")])],
        "head 1 CONNECT a:1"),
    malformed(
        "8.5", "CONNECT with a path is malformed", [(":method", "CONNECT"), (":authority", "a"), (":path", "/")],
        end: false),
    malformed("8.5", "CONNECT without an authority is malformed", [(":method", "CONNECT")], end: false),
    malformed(
        "RFC 8441, 4", "extended CONNECT that was not allowed is malformed",
        [(":method", "CONNECT")] + Frame.pseudo[1...] + [(":protocol", "websocket")], end: false),
    ConformanceCase(
        section: "RFC 8441, 4", rule: "extended CONNECT has scheme and path", role: .server,
        frames: [.headers(1, [(":method", "CONNECT")] + Frame.pseudo[1...] + [(":protocol", "websocket")])],
        expected: ["head 1 CONNECT a/"], options: limited { $0.allowsConnect = true }),
    malformed("RFC 8441, 4", ":protocol without CONNECT is malformed", Frame.pseudo + [(":protocol", "x")]),
    // Responses
    .client("8.3.2", "a response", [.headers(1, [(":status", "200"), ("a", "b")], end: true)], "head 1 200 a=b end"),
    .client(
        "8.1", "interim responses come first",
        [.headers(1, [(":status", "103"), ("a", "b")]), .headers(1, [(":status", "200")], end: true)],
        "head 1 103 a=b", "head 1 200 end"),
    .client(
        "8.1", "an interim response that ends the stream is malformed", [.headers(1, [(":status", "100")], end: true)],
        "failed PROTOCOL_ERROR http2.interim_with_end", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "8.1", "a body before the head ends the stream", [.data(1, "x")], "own reset 1 PROTOCOL_ERROR",
        "RST_STREAM 1 PROTOCOL_ERROR"),
    .client(
        "8.3.2", "a response without a status is malformed", [.headers(1, [("a", "b")])],
        "failed PROTOCOL_ERROR http2.invalid_status", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "8.3.2", "a status of two digits is malformed", [.headers(1, [(":status", "20")])],
        "failed PROTOCOL_ERROR http2.invalid_status", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "8.6", "101 does not exist", [.headers(1, [(":status", "101")])],
        "failed PROTOCOL_ERROR http2.invalid_status", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "8.3", "a pseudo-header of a request in a response is malformed",
        [.headers(1, [(":status", "200"), (":path", "/")])],
        "failed PROTOCOL_ERROR http2.misplaced_pseudo_header", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "8.1.1", "the answer to HEAD may promise a body",
        [.headers(3, [(":status", "200"), ("content-length", "9")], end: true)],
        "head 3 200 content-length=9 end"),
    .client(
        "8.1.1", "304 may promise a body", [.headers(1, [(":status", "304"), ("content-length", "9")], end: true)],
        "head 1 304 content-length=9 end"),
    .client(
        "8.1.1", "another answer that promises a body must have it",
        [.headers(1, [(":status", "200"), ("content-length", "9")], end: true)],
        "failed PROTOCOL_ERROR http2.content_length_mismatch", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "8.1", "trailers of a response",
        [.headers(1, [(":status", "200")]), .data(1, "x"), .headers(1, [("grpc-status", "0")], end: true)],
        "head 1 200", "data 1 x", "trailers 1 grpc-status=0"),
    .client(
        "8.1", "an answer before the request is complete",
        [.headers(5, [(":status", "200")], end: true), .reset(5, 0)],
        "head 5 200 end", "peer reset 5 NO_ERROR"),
    .client(
        "5.1", "an answer on a stream nobody opened ends the connection", [.headers(7, [(":status", "200")])],
        "failed PROTOCOL_ERROR http2.idle_stream", "GOAWAY 0 PROTOCOL_ERROR"),
    .client(
        "5.1.1", "a server must not open a stream", [.headers(2, [(":status", "200")])],
        "failed PROTOCOL_ERROR http2.idle_stream", "GOAWAY 0 PROTOCOL_ERROR"),
]

/// Blocks of RFC 7541: behind each the request of `laterRequest`'s kind proves what the table holds.
private let compressionCases: [ConformanceCase] = [
    .server(
        "2.3.2", "an entry is found again by its index",
        [.headers(1, raw: indexedRequest), .headers(3, raw: laterRequest)],
        "head 1 GET a/ end", "head 3 GET a/ end"),
    .server(
        "2.3.3", "index 0 does not exist", [.headers(1, raw: [0x80])],
        "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "2.3.3", "an index behind the table does not exist", [.headers(1, raw: [0xBE])],
        "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "2.3.3", "the name of an index behind the table does not exist", [.headers(1, raw: [0x7F, 0, 1, 0x61])],
        "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "2.3.2", "the newest entry has the lowest index",
        [
            .headers(1, raw: indexedRequest + [0x40, 1, 0x78, 1, 0x79]),
            .headers(3, raw: [0x82, 0x86, 0x84, 0xBF, 0xBE]),
        ],
        "head 1 GET a/ x=y end", "head 3 GET a/ x=y end"),
    .server(
        "4.2", "a size update at the beginning of a block", [.headers(1, raw: [0x20] + indexedRequest)],
        "head 1 GET a/ end"),
    .server(
        "4.3", "a table of size 0 keeps nothing",
        [.headers(1, raw: [0x20] + indexedRequest), .headers(3, raw: laterRequest)],
        "head 1 GET a/ end", "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 3 COMPRESSION_ERROR"),
    .server(
        "4.3", "two size updates",
        [.headers(1, raw: [0x20, 0x3F, 0xE1, 0x1F] + indexedRequest), .headers(3, raw: laterRequest)],
        "head 1 GET a/ end", "head 3 GET a/ end"),
    .server(
        "4.2", "a size update inside a block", [.headers(1, raw: [0x82, 0x20])],
        "failed COMPRESSION_ERROR http2.hpack_size_update_inside_block", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "4.2", "a size update above the setting", [.headers(1, raw: [0x3F, 0xE2, 0x1F] + indexedRequest)],
        "failed COMPRESSION_ERROR http2.hpack_size_update_too_large", "GOAWAY 1 COMPRESSION_ERROR"),
    ConformanceCase(
        section: "4.2", rule: "a smaller setting has to be followed by an update", role: .server,
        frames: [.headers(1, raw: indexedRequest)],
        expected: ["failed COMPRESSION_ERROR http2.hpack_missing_size_update", "GOAWAY 1 COMPRESSION_ERROR"],
        options: limited { $0.headerTableSize = 100 }),
    ConformanceCase(
        section: "4.4", rule: "an entry drives out the oldest", role: .server,
        frames: [
            .headers(1, raw: [0x3F, 0x45] + indexedRequest + [0x40, 1, 0x78, 1, 0x79]),
            .headers(3, raw: [0x40, 1, 0x7A, 1, 0x79, 0x82]), .headers(5, raw: [0xC0]),
        ],
        expected: [
            "head 1 GET a/ x=y end", "failed PROTOCOL_ERROR http2.misplaced_pseudo_header", "GOAWAY 3 PROTOCOL_ERROR",
        ],
        options: limited { $0.headerTableSize = 100 }),
    .server(
        "4.4", "an entry larger than the table empties it",
        [
            .headers(1, raw: indexedRequest),
            .headers(
                3,
                raw: [0x3F, 0x0B] + [0x82, 0x86, 0x84, 0x01, 1, 0x61] + [0x40, 4, 0x78, 0x78, 0x78, 0x78, 20]
                    + .init(repeating: 0x79, count: 20)),
            .headers(5, raw: laterRequest),
        ],
        "head 1 GET a/ end", "head 3 GET a/ xxxx=\(String(repeating: "y", count: 20)) end",
        "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 5 COMPRESSION_ERROR"),
    .server(
        "5.1", "an integer of more than one octet",
        [.headers(1, raw: indexedRequest + [0x00, 1, 0x78, 0x7F, 0x05] + .init(repeating: 0x79, count: 132))],
        "head 1 GET a/ x=\(String(repeating: "y", count: 132)) end"),
    .server(
        "5.1", "an integer that is too long", [.headers(1, raw: [0xFF, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])],
        "failed COMPRESSION_ERROR http2.hpack_integer", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.1", "an integer that is too large", [.headers(1, raw: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])],
        "failed COMPRESSION_ERROR http2.hpack_integer", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.1", "an integer that is cut short", [.headers(1, raw: [0xFF, 0x80])],
        "failed COMPRESSION_ERROR http2.hpack_truncated", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.2", "a string that is cut short", [.headers(1, raw: [0x00, 5, 0x61])],
        "failed COMPRESSION_ERROR http2.hpack_truncated", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.2", "a field without its value", [.headers(1, raw: [0x00, 1, 0x61])],
        "failed COMPRESSION_ERROR http2.hpack_truncated", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.2", "a string in Huffman code",
        [
            .headers(
                1,
                raw: [
                    0x82, 0x86, 0x84, 0x41, 0x8C, 0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4,
                    0xFF,
                ])
        ],
        "head 1 GET www.example.com/ end"),
    .server(
        "5.2", "padding of more than seven bits", [.headers(1, raw: [0x82, 0x86, 0x84, 0x41, 0x82, 0x1F, 0xFF])],
        "failed COMPRESSION_ERROR http2.hpack_huffman", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.2", "padding that is not of ones", [.headers(1, raw: [0x82, 0x86, 0x84, 0x41, 0x81, 0x18])],
        "failed COMPRESSION_ERROR http2.hpack_huffman", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.2", "the end symbol inside a string",
        [.headers(1, raw: [0x82, 0x86, 0x84, 0x41, 0x84, 0xFF, 0xFF, 0xFF, 0xFF])],
        "failed COMPRESSION_ERROR http2.hpack_huffman", "GOAWAY 1 COMPRESSION_ERROR"),
    .server(
        "5.2", "an empty string in Huffman code", [.headers(1, raw: indexedRequest + [0x00, 1, 0x78, 0x80])],
        "head 1 GET a/ x= end"),
    .server(
        "6.2.1", "a literal with indexing and a name of the table",
        [.headers(1, raw: [0x82, 0x86, 0x84, 0x41, 1, 0x61]), .headers(3, raw: laterRequest)],
        "head 1 GET a/ end", "head 3 GET a/ end"),
    .server(
        "6.2.2", "a literal without indexing is not kept",
        [.headers(1, raw: [0x82, 0x86, 0x84, 0x01, 1, 0x61]), .headers(3, raw: laterRequest)],
        "head 1 GET a/ end", "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 3 COMPRESSION_ERROR"),
    .server(
        "6.2.3", "a literal never to be indexed is not kept",
        [.headers(1, raw: [0x82, 0x86, 0x84, 0x11, 1, 0x61]), .headers(3, raw: laterRequest)],
        "head 1 GET a/ end", "failed COMPRESSION_ERROR http2.hpack_index", "GOAWAY 3 COMPRESSION_ERROR"),
    .server(
        "C.3", "the request of the appendix, three times",
        [
            .headers(1, raw: [0x82, 0x86, 0x84, 0x41, 0x0F] + Array("www.example.com".utf8)),
            .headers(3, raw: [0x82, 0x86, 0x84, 0xBE, 0x58, 0x08] + Array("no-cache".utf8)),
            .headers(
                5,
                raw: [0x82, 0x87, 0x85, 0xBF, 0x40, 0x0A] + Array("custom-key".utf8) + [0x0C]
                    + Array("custom-value".utf8)),
        ],
        "head 1 GET www.example.com/ end", "head 3 GET www.example.com/ cache-control=no-cache end",
        "head 5 GET www.example.com/index.html custom-key=custom-value end"),
    .server(
        "C.4", "the same in Huffman code",
        [
            .headers(
                1,
                raw: [
                    0x82, 0x86, 0x84, 0x41, 0x8C, 0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4,
                    0xFF,
                ]),
            .headers(3, raw: [0x82, 0x86, 0x84, 0xBE, 0x58, 0x86, 0xA8, 0xEB, 0x10, 0x64, 0x9C, 0xBF]),
            .headers(
                5,
                raw: [
                    0x82, 0x87, 0x85, 0xBF, 0x40, 0x88, 0x25, 0xA8, 0x49, 0xE9, 0x5B, 0xA9, 0x7D, 0x7F, 0x89, 0x25,
                    0xA8, 0x49, 0xE9, 0x5B, 0xB8, 0xE8, 0xB4, 0xBF,
                ]),
        ],
        "head 1 GET www.example.com/ end", "head 3 GET www.example.com/ cache-control=no-cache end",
        "head 5 GET www.example.com/index.html custom-key=custom-value end"),
]

@Suite("HTTP/2 by section") struct HTTP2ConformanceTests {
    static var allCases: [ConformanceCase] { connectionCases + messageCases + compressionCases }

    private func run(_ one: ConformanceCase, step: Int) -> [String] {
        var peer = FramePeer.ready(one.role, one.options)
        if one.role == .client {
            for (method, end) in [("GET", true), ("HEAD", true), ("POST", false)] {
                _ = peer.machine.openStream(.init(method: method, path: "/", authority: "a"), endStream: end)
            }
            peer.machine.out.clear()
        }
        peer.receive(one.frames, step: step)
        return peer.lines + peer.sent()
    }

    @Test("RFC 9113, frames and streams", arguments: connectionCases)
    func connection(_ one: ConformanceCase) {
        #expect(run(one, step: .max) == one.expected)
    }

    @Test("RFC 9113, messages", arguments: messageCases)
    func message(_ one: ConformanceCase) {
        #expect(run(one, step: .max) == one.expected)
    }

    @Test("RFC 7541", arguments: compressionCases)
    func compression(_ one: ConformanceCase) {
        #expect(run(one, step: .max) == one.expected)
    }

    @Test("the same octet by octet, but for bodies, which come in as many parts")
    func pieces() {
        for one in connectionCases + messageCases + compressionCases {
            let whole = one.expected.filter { !$0.hasPrefix("data ") }
            #expect(run(one, step: 1).filter { !$0.hasPrefix("data ") } == whole, "\(one.testDescription)")
        }
    }

    @Test("the table has at least 140 cases")
    func count() { #expect(connectionCases.count + messageCases.count + compressionCases.count >= 140) }
}
