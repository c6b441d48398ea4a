internal import ApusTraffic
internal import NIOCore

/// Who waits for an upstream connection and then for its answer: an exchange, a shadow request, a probe.
///
/// A class to inherit from and not a protocol, so that the hot path makes a table call and carries no existential.
/// Every call may come from inside a call into the connection (a failed write closes it at once); a sink must set its
/// own state before it calls out. After `upstreamFailed` or `upstreamEnded` nothing more comes for that attempt.
internal class UpstreamSink {
    /// A stream is at the sink's disposal; it writes the request now.
    func upstreamReady(_ stream: UpstreamStream) {}
    /// There will be no (further) answer.
    ///
    /// - Parameter transportFailure: what the transport said; empty: nothing.
    func upstreamFailed(_ reason: UpstreamReset, transportFailure: String) {}
    /// The head is in `stream.head`, and may be changed there. Interim heads (1xx) come before the final one.
    func upstreamHead(_ stream: UpstreamStream) {}
    func upstreamData(_ data: ByteBuffer) {}
    /// The trailers are in `stream.trailers`; `upstreamEnded` follows.
    func upstreamTrailers(_ stream: UpstreamStream) {}
    func upstreamEnded() {}
    /// The bytes of one turn have been handed over: time to flush.
    func upstreamReadComplete() {}
    /// The connection's output passed a water mark.
    func upstreamWritabilityChanged(_ isWritable: Bool) {}
}
