internal import ApusTraffic
internal import NIOCore

/// One request of an HTTP/2 client: what its exchange writes goes to the connection's machine.
///
/// A connection uses the same object, with its exchange, for one stream after the other.
internal final class HTTP2ServerStream: HTTPDownstream {
    /// nil once the connection is closed.
    var connection: HTTP2ServerConnection?
    let exchange: HTTPExchange
    var id = HTTP2Stream(slot: -1, id: 0)
    /// The machine holds octets back until the client opens a window.
    var isBlocked = false
    /// The answer is complete, but octets of it wait for a window.
    var isFlushing = false
    /// The window must open a little until then.
    var flushDeadline = NIODeadline.distantFuture
    /// Octets that the exchange cannot pass on now; the client's windows stay smaller by as much.
    var withheld = 0
    var isPaused = false
    private var endsHere = false
    private var dropsBody = false

    init(connection: HTTP2ServerConnection) {
        self.connection = connection
        exchange = HTTPExchange(worker: connection.worker, server: connection.server, info: connection.info)
        super.init()
    }

    func begin(_ id: HTTP2Stream) {
        self.id = id
        isBlocked = false
        isFlushing = false
        flushDeadline = .distantFuture
        withheld = 0
        isPaused = false
        endsHere = false
        dropsBody = false
        exchange.downstream = self
    }

    // MARK: Answers

    override func writeInterim(_ head: HTTPHead) {
        connection?.machine.sendHead(id, head, endStream: false)
    }

    override func writeHead(_ head: HTTPHead, isUpgrade: Bool, endsHere: Bool) {
        guard let connection else { return }
        if isUpgrade {
            var head = head
            ExtendedConnect.fromUpgradeResponse(&head)
            connection.machine.sendHead(id, head, endStream: false)
            resumeReading()
            return
        }
        let status = head.status
        dropsBody = exchange.request.method == .head || status == 204 || status == 304
        self.endsHere = endsHere || dropsBody
        connection.machine.sendHead(id, head, endStream: self.endsHere)
    }

    override func writeData(_ data: ByteBuffer) {
        guard !dropsBody, data.readableBytes > 0, let connection else { return }
        if !connection.machine.sendData(id, data, endStream: false) { isBlocked = true }
        connection.outputGrew()
    }

    override func writeEnd() {
        guard let connection else { return }
        if !endsHere { connection.machine.sendEnd(id) }
        connection.answered(self)
    }

    override func writeEnd(trailers: HTTPHead) {
        guard let connection else { return }
        if !endsHere { connection.machine.sendTrailers(id, trailers) }
        connection.answered(self)
    }

    override func flush() { connection?.flush() }

    /// A connection of HTTP/2 goes on after such an answer: its streams are apart.
    override func closeAfterAnswer() {}

    override func abort() {
        guard let connection else { return }
        connection.machine.reset(id, .internalError)
        connection.server.stats.resetsSent += 1
        connection.ended(self)
        connection.flush()
    }

    override func pauseReading() { isPaused = true }

    override func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        giveBack()
        connection?.flush()
    }

    /// The client may send as much as was withheld.
    func giveBack() {
        guard withheld > 0 else { return }
        connection?.machine.consumed(id, withheld)
        withheld = 0
    }

    override var isWritable: Bool { !isBlocked && (connection?.isChannelWritable ?? false) }
}
