internal import ApusTraffic
internal import NIOCore

/// One HTTP/2 connection to an upstream host, in the pool of one loop: the machine, its channel, and the streams on it.
internal final class HTTP2UpstreamConnection: TurnFlushable, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case connecting, open, closed }

    let pool: HostPool
    private var machine: HTTP2Connection
    private var context: ChannelHandlerContext?
    private var output = SocketOutput()
    private let isPlain: Bool
    private var phase = Phase.connecting
    private var input = ByteBuffer()
    /// By slot of the machine.
    private var streams: [HTTP2UpstreamStream?] = []
    private var spare: [HTTP2UpstreamStream] = []
    private var touched: [UpstreamSink] = []
    /// Counts the reads of the socket.
    private var reads: UInt64 = 1
    private(set) var activeStreams = 0
    private var opened = 0
    /// No further stream: GOAWAY, the last request it may carry, or its host is gone.
    private(set) var isDraining = false
    private(set) var wasEverActive = false
    private var failedByProtocol = false
    private(set) var localText = ""
    private let maxStreams: Int
    private let timer = ConnectionTimer()
    private var idleDeadline = NIODeadline.distantFuture
    private var lifeDeadline = NIODeadline.distantFuture
    private var pingDeadline = NIODeadline.distantFuture
    /// By when the PING under way must be answered.
    private var answerDeadline = NIODeadline.distantFuture
    private var lastRead = NIODeadline.uptimeNanoseconds(0)

    /// - Parameter isPlain: the bytes go to the socket as they are.
    init(pool: HostPool, isPlain: Bool) {
        self.isPlain = isPlain
        self.pool = pool
        let settings = pool.cluster.settings
        maxStreams = Int(settings.http2.maxConcurrentStreams)
        machine = HTTP2Connection(
            role: .client, options: settings.http2, out: ByteBufferAllocator().buffer(capacity: 4096))
    }

    private final class ConnectionTimer: LoopTimer {
        /// Set while the connection is open.
        var owner: HTTP2UpstreamConnection?

        override func timerFired(_ now: NIODeadline) { owner?.timeReached(now) }
    }

    private var worker: Worker { pool.cluster.worker }

    // MARK: The pool's side

    /// True while one more stream may be opened at once.
    var hasRoom: Bool { phase == .open && !isDraining && activeStreams < maxStreams && machine.canOpenStream }

    /// Gives a stream to a sink. The pool calls this only while there is room.
    func attach(_ sink: UpstreamSink) {
        let stream = spare.popLast() ?? HTTP2UpstreamStream(connection: self)
        stream.begin(sink)
        activeStreams += 1
        opened += 1
        idleDeadline = .distantFuture
        let now = worker.now
        // A connection that was silent for long may be dead without either side knowing.
        if let limit = pool.cluster.config.http2.keepalive?.idleInterval, now - lastRead >= limit.timeAmount {
            ping(now)
        }
        if pool.isExhausted(opened) {
            pool.cluster.stats.connectionsMaxRequests += 1
            drain()
        }
        sink.upstreamReady(stream)
    }

    /// No further stream; the connection ends with the last of those it has.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        pool.drained(self)
        closeIfUnused()
    }

    private func closeIfUnused() {
        guard isDraining, activeStreams == 0, phase == .open else { return }
        machine.goAway(.noError)
        flushNow()
        context?.close(promise: nil)
    }

    func close() { context?.close(promise: nil) }

    // MARK: The streams' side

    func open(_ stream: HTTP2UpstreamStream, _ head: HTTPHead, upgrade: Bool, endStream: Bool) {
        var head = head
        var protocolName: [UInt8]?
        if upgrade, head.method == .connect {
            stream.upgrade = []
        } else if upgrade, let name = head.value(.upgrade) {
            protocolName = head.withBytes(name) { Array($0) }
            stream.upgrade = protocolName
            ExtendedConnect.fromUpgrade(&head)
        }
        guard phase == .open,
            let id = machine.openStream(head, endStream: endStream, protocolName: protocolName)
        else {
            // The connection ended between the choice and now. The sink is in the middle of its start, so it hears later.
            let bound = NIOLoopBound((self, stream, stream.sink), eventLoop: worker.loop)
            worker.loop.execute {
                let (connection, stream, sink) = bound.value
                guard let sink, stream.sink === sink, stream.id == nil else { return }
                connection.fail(stream, .connectionTermination)
                sink.upstreamReadComplete()
            }
            return
        }
        stream.id = id
        while streams.count <= id.slot { streams.append(nil) }
        streams[id.slot] = stream
    }

    func send(_ stream: HTTP2UpstreamStream, _ data: ByteBuffer) {
        guard let id = stream.id else { return }
        if !machine.sendData(id, data, endStream: false) { stream.isBlocked = true }
    }

    func end(_ stream: HTTP2UpstreamStream, trailers: HTTPHead?) {
        guard let id = stream.id else { return }
        if let trailers { machine.sendTrailers(id, trailers) } else { machine.sendEnd(id) }
    }

    func giveBack(_ stream: HTTP2UpstreamStream) {
        guard let id = stream.id, stream.unconsumed > 0 else { return }
        machine.consumed(id, stream.unconsumed)
        stream.unconsumed = 0
        flush()
    }

    func abandon(_ stream: HTTP2UpstreamStream) {
        guard stream.sink != nil else { return }
        stream.sink = nil
        if let id = stream.id {
            if stream.unconsumed > 0 { machine.consumed(id, stream.unconsumed) }
            machine.reset(id, .cancel)
        }
        release(stream)
        spare.append(stream)
        flush()
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Takes the stream out of all books; the pool may start another request from within.
    private func release(_ stream: HTTP2UpstreamStream) {
        // With the connection all its streams were taken out.
        guard phase == .open else { return }
        if let id = stream.id, id.slot < streams.count, streams[id.slot] === stream { streams[id.slot] = nil }
        activeStreams -= 1
        if activeStreams == 0 { becomeIdle() }
        pool.released(self)
        closeIfUnused()
    }

    /// What was written leaves at the end of the turn.
    func flush() {
        if machine.out.readableBytes > 0 { worker.turn.add(self) }
    }

    override func flushNow() {
        guard machine.out.readableBytes > 0, let context, phase == .open else { return }
        output.write(&machine.out, context)
        output.flush(context)
        if context.channel.isWritable { machine.outputFlushed() }
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closed()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        becameActive(context)
        context.fireChannelActive()
    }

    private func becameActive(_ context: ChannelHandlerContext) {
        guard phase == .connecting else { return }
        phase = .open
        output.open(context, isPlain: isPlain)
        wasEverActive = true
        timer.owner = self
        localText = SocketEndpoint(context.channel.localAddress)?.description ?? ""
        let now = context.eventLoop.now
        lastRead = now
        machine.start()
        if let limit = pool.cluster.config.maxConnectionDuration { lifeDeadline = now + limit.timeAmount }
        schedulePing(now)
        becomeIdle()
        pool.connected(self)
        flushNow()
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func closed() {
        output.close()
        guard phase != .closed else { return }
        let wasConnecting = phase == .connecting
        phase = .closed
        worker.timers.cancel(timer)
        timer.owner = nil
        // The connect future reports a failure to connect with its reason.
        if wasConnecting { return }
        let open = streams
        streams = []
        pool.closed(self, streams: activeStreams)
        activeStreams = 0
        spare = []
        for case let stream? in open {
            let sink = stream.sink
            stream.sink = nil
            sink?.upstreamFailed(failedByProtocol ? .protocolError : .connectionTermination, transportFailure: "")
            sink?.upstreamReadComplete()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if isWritable { machine.outputFlushed() }
        for case let stream? in streams where !stream.isBlocked {
            stream.sink?.upstreamWritabilityChanged(isWritable)
        }
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        guard phase == .open else { return }
        if input.readableBytes > 0 {
            input.append(read: &buffer)
            buffer = input
            input = ByteBuffer()
        }
        let now = context.eventLoop.now
        lastRead = now
        while phase == .open, let event = machine.next(&buffer, now: now) { handle(event, now) }
        if buffer.readableBytes > 0, phase == .open { input = buffer }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let sinks = touched
        touched.removeAll(keepingCapacity: true)
        reads &+= 1
        for sink in sinks { sink.upstreamReadComplete() }
        flush()
        context.fireChannelReadComplete()
    }

    private func handle(_ event: HTTP2Event, _ now: NIODeadline) {
        switch event {
        case .head(let id, let facts): headReceived(id, facts)
        case .data(let id, let data, let endStream): dataReceived(id, data, endStream)
        case .trailers(let id):
            guard let stream = find(id), let sink = stream.sink else { return }
            swap(&stream.trailers, &machine.head)
            sink.upstreamTrailers(stream)
            complete(stream)
        case .reset(let id, let problem, let byPeer):
            guard let stream = find(id) else { return }
            let reason: UpstreamReset =
                switch problem.code {
                case _ where !byPeer: .protocolError
                case .refusedStream: .remoteRefusedStream
                case .protocolError: .protocolError
                default: .remoteReset
                }
            fail(stream, reason)
        case .writable(let id):
            guard let stream = find(id), stream.isBlocked else { return }
            stream.isBlocked = false
            if isWritable { stream.sink?.upstreamWritabilityChanged(true) }
        case .goAway:
            pool.cluster.stats.closeNotifies += 1
            drain()
        case .settings: pool.roomChanged(self)
        case .pingAck:
            answerDeadline = .distantFuture
            schedulePing(now)
        case .failed:
            pool.cluster.stats.protocolErrors += 1
            failedByProtocol = true
            flushNow()
            context?.close(promise: nil)
        }
    }

    private func find(_ id: HTTP2Stream) -> HTTP2UpstreamStream? {
        guard id.slot >= 0, id.slot < streams.count, let stream = streams[id.slot], stream.id == id else { return nil }
        return stream
    }

    private func touch(_ stream: HTTP2UpstreamStream, _ sink: UpstreamSink) {
        guard stream.touchedIn != reads else { return }
        stream.touchedIn = reads
        touched.append(sink)
    }

    private func headReceived(_ id: HTTP2Stream, _ facts: HTTP2HeadFacts) {
        guard let stream = find(id), let sink = stream.sink else { return }
        swap(&stream.head, &machine.head)
        touch(stream, sink)
        stream.facts = HTTP1ResponseFacts()
        if stream.head.status < 200 {
            stream.facts.isInterim = true
        } else if let upgrade = stream.upgrade, stream.head.status == 200, !facts.endStream {
            if !upgrade.isEmpty { ExtendedConnect.toUpgrade(&stream.head, protocolName: upgrade) }
            stream.facts.isUpgrade = true
            stream.facts.framing = .untilClose
        } else {
            stream.facts.framing = facts.endStream ? .none : .untilClose
        }
        sink.upstreamHead(stream)
        if facts.endStream { complete(stream) }
    }

    private func dataReceived(_ id: HTTP2Stream, _ data: ByteBuffer, _ endStream: Bool) {
        let count = data.readableBytes
        guard let stream = find(id), let sink = stream.sink else {
            machine.consumed(id, count)
            return
        }
        touch(stream, sink)
        if count > 0 { sink.upstreamData(data) }
        // The sink may have let go of the stream, or asked for no more.
        if stream.isPaused, stream.id == id, stream.sink === sink {
            stream.unconsumed += count
        } else {
            machine.consumed(id, count)
        }
        if endStream { complete(stream, id) }
    }

    private func complete(_ stream: HTTP2UpstreamStream, _ id: HTTP2Stream) {
        if stream.id == id { complete(stream) }
    }

    /// The whole answer is here.
    private func complete(_ stream: HTTP2UpstreamStream) {
        guard let sink = stream.sink, let id = stream.id else { return }
        stream.sink = nil
        if stream.unconsumed > 0 { machine.consumed(id, stream.unconsumed) }
        // Answered before the request was complete: what remains of it is of no use.
        if !stream.requestEnded || machine.pendingBytes(id) > 0 { machine.reset(id, .noError) }
        release(stream)
        sink.upstreamEnded()
        spare.append(stream)
    }

    private func fail(_ stream: HTTP2UpstreamStream, _ reason: UpstreamReset) {
        guard let sink = stream.sink else { return }
        stream.sink = nil
        touch(stream, sink)
        release(stream)
        sink.upstreamFailed(reason, transportFailure: "")
        spare.append(stream)
    }

    // MARK: Time

    private func becomeIdle() {
        guard let limit = pool.cluster.settings.idleTimeout else {
            armTimer()
            return
        }
        idleDeadline = worker.now + limit
        armTimer()
    }

    private func schedulePing(_ now: NIODeadline) {
        guard let keepalive = pool.cluster.config.http2.keepalive, let interval = keepalive.interval else { return }
        let base = interval.timeAmount.nanoseconds
        let jitter = Double(base) * keepalive.jitterPercent / 100
        let extra = jitter >= 1 ? Int64(worker.random.next() % UInt64(min(jitter, 1e15))) : 0
        pingDeadline = now + .nanoseconds(base + extra)
        armTimer()
    }

    private func ping(_ now: NIODeadline) {
        guard answerDeadline == .distantFuture, let keepalive = pool.cluster.config.http2.keepalive else { return }
        machine.ping(now.uptimeNanoseconds)
        answerDeadline = now + keepalive.timeout.timeAmount
        pingDeadline = .distantFuture
        armTimer()
    }

    private func armTimer() {
        let next = min(min(idleDeadline, lifeDeadline), min(pingDeadline, answerDeadline))
        if next < .distantFuture { worker.timers.arm(timer, next) }
    }

    private func timeReached(_ now: NIODeadline) {
        guard phase == .open else { return }
        if answerDeadline <= now {
            pool.cluster.stats.http2KeepaliveTimeouts += 1
            context?.close(promise: nil)
            return
        }
        if idleDeadline <= now, activeStreams == 0 {
            idleDeadline = .distantFuture
            pool.cluster.stats.idleTimeouts += 1
            drain()
            return
        }
        if lifeDeadline <= now {
            lifeDeadline = .distantFuture
            pool.cluster.stats.connectionsMaxDuration += 1
            drain()
        }
        if pingDeadline <= now {
            ping(now)
            flush()
        }
        armTimer()
    }
}
