package import ApusTraffic
package import NIOCore

/// One HTTP/2 connection (RFC 9113), of either role, as a pure machine: bytes in, events out; actions in, bytes appended
/// to `out`. It knows no channel, no clock and no chance.
///
/// The owner calls `start` once, appends what it reads to a buffer, and takes events from `next` until there is none. It
/// may act between two events. After that it writes `out`, clears it, and calls `outputFlushed` when the socket took it.
/// Events and actions never call back, so nothing can be re-entered.
///
/// Streams live in an array of slots; the owner keeps what belongs to a stream in an array of its own by
/// `HTTP2Stream.slot`.
package struct HTTP2Connection {
    package enum Role: Sendable { case client, server }

    package let role: Role
    package let options: HTTP2Options
    /// Bytes for the peer. The owner takes them and clears the buffer, whose memory is used again.
    package var out: ByteBuffer
    /// The head of the last `head` or `trailers` event. Swap it out; the machine fills whatever it finds here.
    package var head = HTTPHead()

    /// - Parameter out: an empty buffer to write to.
    package init(role: Role, options: HTTP2Options = HTTP2Options(), out: ByteBuffer) {
        self.role = role
        self.options = options
        self.out = out
    }

    // MARK: Input

    /// Writes the own preface: for a client the magic bytes, for both SETTINGS, and the connection's window.
    package mutating func start() {}

    /// The next event of the bytes in `input`, from which whole parts are taken. nil: more bytes are needed; what is left
    /// must be the beginning of `input` the next time.
    package mutating func next(_ input: inout ByteBuffer, now: NIODeadline) -> HTTP2Event? { nil }

    // MARK: Actions

    /// Opens a stream with a request (client). The head's pseudo-headers come from its ranges; `connection` and the like
    /// must have been removed from it.
    ///
    /// - Parameter webSocketProtocol: the value of `:protocol`, for extended CONNECT.
    /// - Returns: nil if `canOpenStream` is false.
    package mutating func openStream(
        _ head: HTTPHead, endStream: Bool, protocolName: [UInt8]? = nil
    ) -> HTTP2Stream? { nil }

    /// True while a client may open one more stream: the peer's limit is not reached, no GOAWAY came, numbers are left.
    package var canOpenStream: Bool { false }

    /// Sends a response head (server); `status` 1xx is interim and another follows.
    package mutating func sendHead(_ stream: HTTP2Stream, _ head: HTTPHead, endStream: Bool) {}

    /// Sends body bytes, as far as the windows of stream and connection allow; the machine keeps the rest and sends it
    /// when they open.
    ///
    /// - Returns: false if bytes had to be kept: give no more until `writable` comes. Giving more is no error, but nothing
    ///   bounds it.
    package mutating func sendData(_ stream: HTTP2Stream, _ data: ByteBuffer, endStream: Bool) -> Bool { true }

    /// Ends the own side of the stream with trailers: the fields of `head`, without pseudo-headers. Behind bytes that are
    /// kept.
    package mutating func sendTrailers(_ stream: HTTP2Stream, _ head: HTTPHead) {}

    /// Ends the own side of the stream, behind bytes that are kept.
    package mutating func sendEnd(_ stream: HTTP2Stream) {}

    /// Ends the stream in both directions at once. What the peer still sends on it is thrown away, and credited.
    package mutating func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {}

    /// Bytes of `data` events that the owner has passed on. Windows of stream and connection are given back in halves.
    package mutating func consumed(_ stream: HTTP2Stream, _ count: Int) {}

    package mutating func ping(_ data: UInt64) {}

    /// First step of an orderly end: the peer learns that it should open no stream, but those under way are accepted.
    package mutating func announceGoAway() {}

    /// Second step: streams that are opened from now on are not processed. Those that are open go on.
    package mutating func goAway(_ code: HTTP2ErrorCode) {}

    /// What was taken from `out` has left for the socket; counts of waiting frames begin anew.
    package mutating func outputFlushed() {}

    // MARK: State

    /// Streams that are open in at least one direction.
    package var activeStreams: Int { 0 }
    /// Streams that the peer lets this side have open at a time; 100 until its SETTINGS came.
    package var peerMaxConcurrentStreams: UInt32 { 100 }
    /// The peer said GOAWAY, or this side did.
    package var isGoingAway: Bool { false }
    package var hasFailed: Bool { false }
    /// The peer allows extended CONNECT.
    package var peerAllowsConnect: Bool { false }

    package func isOpen(_ stream: HTTP2Stream) -> Bool { false }
    /// Bytes of the stream that wait for a window.
    package func pendingBytes(_ stream: HTTP2Stream) -> Int { 0 }
}
