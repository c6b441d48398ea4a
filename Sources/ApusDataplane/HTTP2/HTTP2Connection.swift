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
/// `HTTP2Stream.slot`. A stream is closed, and its slot free for another, when both sides have ended it, or one has reset
/// it.
package struct HTTP2Connection {
    package enum Role: Sendable { case client, server }

    /// What happened, for statistics.
    package struct Counters: Sendable {
        package var headerOverflow: UInt64 = 0
        package var messagingErrors: UInt64 = 0
        package var refusedStreams: UInt64 = 0
        package var trailers: UInt64 = 0
        package var resetsReceived: UInt64 = 0
        package var resetsSent: UInt64 = 0
        package var goAwaysSent: UInt64 = 0
        package var emptyFramesFlood: UInt64 = 0
        package var priorityFlood: UInt64 = 0
        package var windowUpdateFlood: UInt64 = 0
        package var outboundFlood: UInt64 = 0
        package var outboundControlFlood: UInt64 = 0
        package var resetFlood: UInt64 = 0

        package init() {}
    }

    /// The largest window (section 6.9.1).
    static let maxWindow = 0x7FFF_FFFF
    /// What windows are before SETTINGS say otherwise.
    static let defaultWindow = 65_535
    /// The largest frame that this side takes: it asks for no more than the default.
    static let maxFrameSize = 16_384

    package let role: Role
    package let options: HTTP2Options
    /// Bytes for the peer. The owner takes them and clears the buffer, whose memory is used again.
    package var out: ByteBuffer
    /// The head of the last `head` or `trailers` event. Swap it out; the machine fills whatever it finds here.
    package var head = HTTPHead()
    package var counters = Counters()

    var table = HTTP2StreamTable()
    var decoder: HPACKDecoder
    var encoder: HPACKEncoder
    /// Events that were found beside the one that is returned.
    var events: [HTTP2Event] = []
    var nextEvent = 0

    // Reading.
    var awaitsPreface: Bool
    var awaitsSettings = true
    /// The DATA frame whose octets are being handed over; slot -1: they are thrown away.
    var dataSlot = -1
    var dataID: UInt32 = 0
    var dataLeft = 0
    var paddingLeft = 0
    var dataEndsStream = false
    /// The stream whose header block is incomplete; 0: none.
    var blockID: UInt32 = 0
    var block: [UInt8] = []
    var blockEndsStream = false
    var blockFrames = 0
    /// The highest stream of the peer that this side has seen.
    var lastPeerID: UInt32 = 0
    /// Streams of the peer above this are not processed.
    var acceptedID: UInt32 = 0x7FFF_FFFF
    /// Streams that this side reset lately: what the peer sent before it knew is no offence.
    var lateIDs = [UInt32](repeating: 0, count: 32)
    var nextLate = 0

    // Windows of the connection.
    var sendWindow = HTTP2Connection.defaultWindow
    var receiveWindow = HTTP2Connection.defaultWindow
    var owed = 0
    /// Streams that have octets to send and a window, but the connection's is closed; taken in turn.
    var waiting: [HTTP2Stream] = []

    // The peer's settings.
    var peerInitialWindow = HTTP2Connection.defaultWindow
    var peerMaxFrame = 16_384
    /// What the windows of new streams are for the peer: the own setting once it is acknowledged.
    var ownInitialWindow = HTTP2Connection.defaultWindow
    var unacknowledgedSettings = 0
    package internal(set) var peerMaxConcurrentStreams: UInt32 = 100
    /// The peer allows extended CONNECT.
    package internal(set) var peerAllowsConnect = false
    var nextOwnID: UInt32 = 1
    /// Where in `out` the last DATA frame began.
    var lastData = 0
    package internal(set) var peerGoesAway = false
    package internal(set) var ownGoesAway = false
    package internal(set) var hasFailed = false

    // What the peer made this side bear.
    var emptyFrames: UInt32 = 0
    var priorityFrames: UInt64 = 0
    var windowUpdates: UInt64 = 0
    var dataFramesSent: UInt64 = 0
    var peerStreams: UInt64 = 0
    var framesOut: UInt32 = 0
    var controlFramesOut: UInt32 = 0
    var resets = HTTP2ResetBucket()

    /// - Parameter out: an empty buffer to write to.
    package init(role: Role, options: HTTP2Options = HTTP2Options(), out: ByteBuffer) {
        self.role = role
        self.options = options
        self.out = out
        decoder = HPACKDecoder(limit: Int(options.headerTableSize))
        encoder = HPACKEncoder(limit: Int(min(options.headerTableSize, 64 << 10)))
        awaitsPreface = role == .server
    }

    /// Writes the own preface: for a client the magic octets, for both SETTINGS, and the connection's window.
    package mutating func start() {
        if role == .client { out.writeStaticString(HTTP2FrameHeader.preface) }
        var settings: [(UInt16, UInt32)] = []
        if options.headerTableSize != 4096 { settings.append((0x1, options.headerTableSize)) }
        if role == .client { settings.append((0x2, 0)) }
        if role == .server { settings.append((0x3, options.maxConcurrentStreams)) }
        settings.append((0x4, min(options.initialStreamWindow, UInt32(Self.maxWindow))))
        if role == .server { settings.append((0x6, UInt32(clamping: options.maxHeadBytes))) }
        if role == .server, options.allowsConnect { settings.append((0x8, 1)) }
        out.writeFrameHeader(length: settings.count * 6, type: HTTP2FrameType.settings, flags: 0, stream: 0)
        for (name, value) in settings { out.writeMultipleIntegers(name, value) }
        unacknowledgedSettings = 1
        let window = min(max(Int(options.initialConnectionWindow), Self.defaultWindow), Self.maxWindow)
        if window > Self.defaultWindow {
            out.writeFrameHeader(length: 4, type: HTTP2FrameType.windowUpdate, flags: 0, stream: 0)
            out.writeInteger(UInt32(window - Self.defaultWindow))
            receiveWindow = window
        }
    }

    // MARK: State

    /// Streams that are open in at least one direction.
    package var activeStreams: Int { table.count }
    /// GOAWAY was sent or received.
    package var isGoingAway: Bool { peerGoesAway || ownGoesAway }
    /// True while a client may open one more stream: the peer's limit is not reached, no GOAWAY came, numbers are left.
    package var canOpenStream: Bool {
        role == .client && !hasFailed && !isGoingAway && table.count < Int(peerMaxConcurrentStreams)
            && nextOwnID < 0x7FFF_FFFF
    }

    package func isOpen(_ stream: HTTP2Stream) -> Bool { table.isOpen(stream) }
    /// The peer has said its last on the stream (or the stream is closed).
    package func isRemoteClosed(_ stream: HTTP2Stream) -> Bool {
        table.isOpen(stream) ? table.slots[stream.slot].remoteClosed : true
    }
    /// A head has been begun whose end is not here.
    package var isInsideHead: Bool { blockID != 0 }
    /// Octets of the stream that wait for a window.
    package func pendingBytes(_ stream: HTTP2Stream) -> Int {
        table.isOpen(stream) ? table.queues[stream.slot].bytes : 0
    }

    /// What was taken from `out` has left for the socket; counts of waiting frames begin anew.
    package mutating func outputFlushed() {
        framesOut = 0
        controlFramesOut = 0
    }
}

/// How often a peer may reset streams: at once, and then by the second. The figures are those of Envoy's codec.
internal struct HTTP2ResetBucket: Sendable {
    private static let burst: Int64 = 1000
    private static let perSecond: Int64 = 33

    private var left = burst
    private var filled: NIODeadline?

    /// - Returns: false if this one is too many.
    mutating func take(_ now: NIODeadline) -> Bool {
        let since = filled ?? now
        let seconds = (now - since).nanoseconds / 1_000_000_000
        if filled == nil || seconds > 0 {
            filled = now
            left = min(Self.burst, left &+ min(seconds, Self.burst) &* Self.perSecond)
        }
        guard left > 0 else { return false }
        left &-= 1
        return true
    }
}
