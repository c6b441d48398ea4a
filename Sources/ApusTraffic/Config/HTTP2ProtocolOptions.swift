/// `config.core.v3.Http2ProtocolOptions`: how one side speaks HTTP/2. nil in an optional is the codec's default.
package struct HTTP2ProtocolOptions: Hashable, Sendable {
    /// `connection_keepalive`: PINGs on a connection.
    package struct Keepalive: Hashable, Sendable {
        /// nil: none in regular intervals.
        package let interval: Duration?
        /// A connection whose PING is not answered for so long is closed.
        package let timeout: Duration
        /// Up to so many percent are added to every interval; 15 by default.
        package let jitterPercent: Double
        /// A connection that carried nothing for so long is asked before its next stream; nil: never.
        package let idleInterval: Duration?

        package init(
            interval: Duration?, timeout: Duration, jitterPercent: Double = 15, idleInterval: Duration? = nil
        ) {
            self.interval = interval
            self.timeout = timeout
            self.jitterPercent = jitterPercent
            self.idleInterval = idleInterval
        }
    }

    package var hpackTableSize: UInt32?
    package var maxConcurrentStreams: UInt32?
    package var initialStreamWindow: UInt32?
    package var initialConnectionWindow: UInt32?
    /// Extended CONNECT of RFC 8441.
    package var allowsConnect = false
    package var maxOutboundFrames: UInt32?
    package var maxOutboundControlFrames: UInt32?
    package var maxConsecutiveEmptyFrames: UInt32?
    package var maxPriorityFramesPerStream: UInt32?
    package var maxWindowUpdatesPerDataFrame: UInt32?
    /// A malformed message ends its stream alone.
    package var malformedMessageEndsStream = false
    package var keepalive: Keepalive?

    package init() {}
}
