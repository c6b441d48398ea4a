/// What this side of an HTTP/2 connection asks of its peer, and how much it bears. The defaults are Envoy's.
package struct HTTP2Options: Hashable, Sendable {
    /// `SETTINGS_HEADER_TABLE_SIZE`, and the most that the own encoder uses of what the peer offers.
    package var headerTableSize: UInt32 = 4096
    /// Streams that the peer may have open at a time.
    package var maxConcurrentStreams: UInt32 = 1024
    /// Bytes of body that the peer may send on a stream before they are consumed.
    package var initialStreamWindow: UInt32 = 16 << 20
    /// The same for the connection; at least 65,535.
    package var initialConnectionWindow: UInt32 = 24 << 20
    /// Extended CONNECT of RFC 8441.
    package var allowsConnect = false

    // What heads may take.
    /// Bytes of the decoded names and values of a head or of trailers.
    package var maxHeadBytes = 60 << 10
    package var maxHeadFields = 100

    // What a peer may make this side do.
    /// Frames of any kind that wait for the socket.
    package var maxOutboundFrames: UInt32 = 10_000
    /// PING, SETTINGS and RST_STREAM frames that wait for the socket.
    package var maxOutboundControlFrames: UInt32 = 1000
    package var maxConsecutiveEmptyFrames: UInt32 = 1
    package var maxPriorityFramesPerStream: UInt32 = 100
    package var maxWindowUpdatesPerDataFrame: UInt32 = 10
    /// A malformed message ends its stream alone, not the connection.
    package var malformedMessageEndsStream = false

    package init() {}
}
