internal import ApusTraffic
internal import NIOCore

/// One request and its answer on the way to an upstream host: an HTTP/1.1 connection that serves one request after the
/// other, or one stream of an HTTP/2 connection.
///
/// A class to inherit from, for the same reason as `UpstreamSink`. What a sink reads at every answer lies here and not
/// behind a call.
internal class UpstreamStream: TurnFlushable {
    final let pool: HostPool
    /// The response head of the current request; the sink may take it by swapping.
    final var head = HTTPHead()
    /// What the answer says about its transport. HTTP/2 fills `framing` (`none`: the head ends the answer), `isInterim`
    /// and `isUpgrade`.
    final var facts = HTTP1ResponseFacts()
    /// The trailers of the answer; filled before `upstreamTrailers`, the sink may take them by swapping.
    final var trailers = HTTPHead()
    /// The address of this side as logs print it.
    final var localText = ""

    init(pool: HostPool) { self.pool = pool }

    /// The protocol that is spoken.
    var version: HTTPVersion { .http11 }

    /// - Parameter endsHere: the request has neither body nor trailers.
    func writeHead(_ head: HTTPHead, framing: HTTP1HeadWriter.Framing, upgrade: Bool, endsHere: Bool) {}
    func writeBody(_ data: ByteBuffer) {}
    func endBody() {}
    /// Ends the request with trailers; a protocol that cannot carry them drops them.
    func endBody(trailers: HTTPHead) { endBody() }
    /// From now on another sink hears what comes.
    func handOver(to sink: UpstreamSink) {}
    /// What was written leaves at the end of the turn; see `TurnFlush`.
    func flush() {}
    /// False while the upstream does not take bytes as fast as they come.
    var isWritable: Bool { true }
    /// Stops taking bytes from the upstream while the downstream is slow.
    func pauseReading() {}
    func resumeReading() {}
    /// The sink is gone before the exchange was complete; it hears nothing more.
    func abandon() {}
}
