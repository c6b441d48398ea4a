internal import ApusTraffic
internal import NIOCore

/// One stream of an HTTP/2 connection to an upstream host.
///
/// The connection keeps these objects and uses them again; a sink lets go of its stream before it hears of the end.
internal final class HTTP2UpstreamStream: UpstreamStream {
    private let connection: HTTP2UpstreamConnection
    var sink: UpstreamSink?
    /// nil until the head is written.
    var id: HTTP2Stream?
    var requestEnded = false
    /// An upgrade that travels as extended CONNECT: the value of `upgrade`, nil for any other request.
    var upgrade: [UInt8]?
    /// Bytes that the sink was given while it could not pass them on: the peer gets its window back later.
    var unconsumed = 0
    private(set) var isPaused = false
    /// The windows of the peer are used up.
    var isBlocked = false
    /// The read in which the sink was put on the list of those to tell of its end.
    var touchedIn: UInt64 = 0

    init(connection: HTTP2UpstreamConnection) {
        self.connection = connection
        super.init(pool: connection.pool)
    }

    override var version: HTTPVersion { .http2 }

    override func handOver(to sink: UpstreamSink) {
        if self.sink != nil { self.sink = sink }
    }

    /// Ready for the next request.
    func begin(_ sink: UpstreamSink) {
        self.sink = sink
        id = nil
        requestEnded = false
        upgrade = nil
        unconsumed = 0
        isPaused = false
        isBlocked = false
        touchedIn = 0
        facts = HTTP1ResponseFacts()
        localText = connection.localText
    }

    override func writeHead(_ head: HTTPHead, framing: HTTP1HeadWriter.Framing, upgrade: Bool, endsHere: Bool) {
        requestEnded = endsHere
        connection.open(self, head, upgrade: upgrade, endStream: endsHere)
    }

    override func writeBody(_ data: ByteBuffer) {
        guard !requestEnded, data.readableBytes > 0 else { return }
        connection.send(self, data)
    }

    override func endBody() {
        guard !requestEnded else { return }
        requestEnded = true
        connection.end(self, trailers: nil)
    }

    override func endBody(trailers: HTTPHead) {
        guard !requestEnded else { return }
        requestEnded = true
        connection.end(self, trailers: trailers)
    }

    override func flush() { connection.flush() }

    override var isWritable: Bool { !isBlocked && connection.isWritable }

    override func pauseReading() { isPaused = true }

    override func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        connection.giveBack(self)
    }

    override func abandon() { connection.abandon(self) }
}
