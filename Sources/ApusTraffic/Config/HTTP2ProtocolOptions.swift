/// `config.core.v3.Http2ProtocolOptions`: how one side speaks HTTP/2. nil in an optional is the codec's default.
public struct HTTP2ProtocolOptions: Hashable, Sendable {
    /// `connection_keepalive`: PINGs on a connection.
    public struct Keepalive: Hashable, Sendable {
        /// nil: none in regular intervals.
        public let interval: Duration?
        /// A connection whose PING is not answered for so long is closed.
        public let timeout: Duration
        /// Up to so many percent are added to every interval; 15 by default.
        public let jitterPercent: Double
        /// A connection that carried nothing for so long is asked before its next stream; nil: never.
        public let idleInterval: Duration?

        public init(
            interval: Duration?, timeout: Duration, jitterPercent: Double = 15, idleInterval: Duration? = nil
        ) {
            self.interval = interval
            self.timeout = timeout
            self.jitterPercent = jitterPercent
            self.idleInterval = idleInterval
        }
    }

    public var hpackTableSize: UInt32?
    public var maxConcurrentStreams: UInt32?
    public var initialStreamWindow: UInt32?
    public var initialConnectionWindow: UInt32?
    /// Extended CONNECT of RFC 8441.
    public var allowsConnect = false
    public var maxOutboundFrames: UInt32?
    public var maxOutboundControlFrames: UInt32?
    public var maxConsecutiveEmptyFrames: UInt32?
    public var maxPriorityFramesPerStream: UInt32?
    public var maxWindowUpdatesPerDataFrame: UInt32?
    /// A malformed message ends its stream alone.
    public var malformedMessageEndsStream = false
    public var keepalive: Keepalive?

    public init() {}
}
