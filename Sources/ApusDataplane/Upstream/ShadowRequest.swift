internal import ApusTraffic
internal import NIOCore

/// A copy of a request on its way to a mirror. Nobody waits for it, and its answer is thrown away.
internal final class ShadowRequest: UpstreamSink {
    private let worker: Worker
    private let cluster: ClusterRuntime
    private let head: HTTPHead
    private let chunked: Bool
    private let bodyLimit: Int
    private let timeout: Duration?
    private var isComplete: Bool
    private var body = ByteBuffer()
    private var connection: UpstreamStream?
    private var pool: HostPool?
    private var isOver = false
    private let timer = ShadowTimer()

    init(
        worker: Worker, cluster: ClusterRuntime, head: HTTPHead, chunked: Bool, isComplete: Bool, bodyLimit: Int,
        timeout: Duration?
    ) {
        self.worker = worker
        self.cluster = cluster
        self.head = head
        self.chunked = chunked
        self.isComplete = isComplete
        self.bodyLimit = bodyLimit
        self.timeout = timeout
    }

    private final class ShadowTimer: LoopTimer {
        // Strong on purpose: after the main request is over, the timer and the pool keep this object.
        var owner: ShadowRequest?

        override func timerFired(_ now: NIODeadline) { owner?.cancel() }
    }

    func start(destination: SocketEndpoint?) {
        guard let host = cluster.pick(hash: nil, destination: destination).flatMap({ cluster.pool($0, for: head) })
        else {
            cluster.stats.noHealthyHost += 1
            isOver = true
            return
        }
        pool = host
        cluster.stats.requestsActive += 1
        if let timeout {
            timer.owner = self
            worker.timers.arm(timer, worker.loop.now + timeout.timeAmount)
        }
        host.request(self, version: head.version)
    }

    func data(_ data: ByteBuffer) {
        guard !isOver else { return }
        if let connection {
            // A mirror that does not keep up is given up, rather than slowing the request down or growing without end.
            if connection.isWritable { connection.writeBody(data) } else { cancel() }
        } else if body.readableBytes + data.readableBytes <= bodyLimit {
            body.writeImmutableBuffer(data)
        } else {
            cancel()
        }
    }

    func end() {
        guard !isOver else { return }
        isComplete = true
        connection?.endBody()
    }

    func flush() { connection?.flush() }

    func cancel() {
        guard !isOver else { return }
        let connection = self.connection
        let pool = self.pool
        over()
        if let connection { connection.abandon() } else { pool?.cancel(self) }
    }

    private func over() {
        guard !isOver else { return }
        isOver = true
        cluster.stats.requestsActive -= 1
        worker.timers.cancel(timer)
        timer.owner = nil
        connection = nil
        pool = nil
    }

    override func upstreamReady(_ connection: UpstreamStream) {
        guard !isOver else { return connection.abandon() }
        self.connection = connection
        connection.writeHead(
            head, framing: chunked ? .chunked : .asIs, upgrade: false, endsHere: isComplete && body.readableBytes == 0)
        if body.readableBytes > 0 {
            connection.writeBody(body)
            body = ByteBuffer()
        }
        if isComplete { self.connection?.endBody() }
        // There may be no turn of the client that would flush.
        self.connection?.flush()
    }

    override func upstreamFailed(_ reason: UpstreamReset, transportFailure: String) { over() }

    override func upstreamHead(_ connection: UpstreamStream) {
        if !connection.facts.isInterim { cluster.stats.countAnswer(Int(connection.head.status), isInternal: false) }
    }

    override func upstreamEnded() { over() }
}
