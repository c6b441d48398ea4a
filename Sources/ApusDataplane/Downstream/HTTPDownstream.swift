internal import ApusTraffic
internal import NIOCore

/// What is known of a client's connection, made once.
internal final class DownstreamInfo: Sendable {
    let id: UInt64
    let local: SocketEndpoint?
    let remote: SocketEndpoint?
    /// Where the client wanted to go; differs from `local` when the connection was redirected.
    let destination: SocketEndpoint?
    /// The same, nil when nobody redirected the connection. An ORIGINAL_DST cluster has no host then: the address of the
    /// listener itself would lead the request back here, again and again.
    let restoredDestination: SocketEndpoint?
    let serverName: String
    /// nil: the client does not speak TLS.
    let tls: ConnectionTLS?
    let localText: String
    let remoteText: String
    /// When the client connected.
    let opened: NIODeadline

    /// Milliseconds that the connection has been open.
    func length(_ now: NIODeadline) -> Int64 { (now - opened).nanoseconds / 1_000_000 }

    init(
        id: UInt64, local: SocketEndpoint?, remote: SocketEndpoint?, destination: SocketEndpoint?,
        serverName: String = "", opened: NIODeadline = .uptimeNanoseconds(0), tls: ConnectionTLS? = nil
    ) {
        self.tls = tls
        self.id = id
        self.local = local
        self.remote = remote
        self.destination = destination ?? local
        restoredDestination = destination
        self.serverName = serverName
        self.opened = opened
        localText = (destination ?? local)?.description ?? ""
        remoteText = remote?.description ?? ""
    }
}

/// The client's side of one exchange, whatever its protocol: an HTTP/1.1 connection, or a stream of HTTP/2.
///
/// A class to inherit from, for the same reason as `UpstreamSink`.
internal class HTTPDownstream: TurnFlushable {
    /// Sends a 1xx head; the final one follows.
    func writeInterim(_ head: HTTPHead) {}
    /// Starts the answer. Framing is chosen from the head: its `content-length`, or chunks.
    ///
    /// - Parameter endsHere: no body follows.
    func writeHead(_ head: HTTPHead, isUpgrade: Bool, endsHere: Bool) {}
    func writeData(_ data: ByteBuffer) {}
    /// The answer is complete.
    func writeEnd() {}
    /// The same with trailers, which a protocol that cannot carry them drops.
    func writeEnd(trailers: HTTPHead) { writeEnd() }
    /// What was written leaves at the end of the turn.
    func flush() {}
    /// The connection ends with this answer.
    func closeAfterAnswer() {}
    /// The answer cannot be completed: the client must notice.
    func abort() {}
    /// Asks the client to slow down, or go on.
    func pauseReading() {}
    func resumeReading() {}
    /// True while the client takes bytes as fast as they come.
    var isWritable: Bool { true }
}
