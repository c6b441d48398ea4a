internal import ApusCore
internal import ApusTraffic
internal import NIOCore

/// One raw connection and its upstream: bytes both ways, each side slowed down by the other, each closed half by half.
internal final class TCPSession: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let worker: Worker
    private let server: TCPServer
    let info: DownstreamInfo
    private var context: ChannelHandlerContext?
    private var upstream: TCPUpstream?
    private var cluster: ClusterRuntime?
    private var host: HostPool?
    private var metadata: MetadataCriteria?
    private var holdsConnection = false
    private var waiting = ByteBuffer()
    private var inputClosed = false
    private var readPaused = true
    private var readHeld = false
    private var isClosed = false
    private var attempts: UInt32 = 0
    private let timer = SessionTimer()
    private var idleDeadline = NIODeadline.distantFuture
    private var lifeDeadline = NIODeadline.distantFuture
    private var started = NIODeadline.uptimeNanoseconds(0)
    private var facts = StreamFacts()

    init(worker: Worker, server: TCPServer, info: DownstreamInfo) {
        self.worker = worker
        self.server = server
        self.info = info
    }

    private final class SessionTimer: LoopTimer {
        /// Set while the session is open.
        var owner: TCPSession?

        override func timerFired(_ now: NIODeadline) { owner?.timeReached(now) }
    }

    // MARK: The client's side

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer.owner = self
        // A client that has said all it wants to say may still be waiting for the answer.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        server.opened(self)
        started = context.eventLoop.now
        facts.startTime = worker.wallTime(started) / 1000
        facts.connectionID = info.id
        facts.downstreamLocalAddress = info.localText
        facts.downstreamRemoteAddress = info.remoteText
        facts.downstreamDirectRemoteAddress = info.remoteText
        facts.requestedServerName = info.serverName
        if let limit = server.proxy.maxConnectionDuration { lifeDeadline = started + limit.timeAmount }
        touch(started)
        chooseCluster()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        let count = buffer.readableBytes
        server.stats.bytesReceived += UInt64(count)
        facts.bytesReceived += UInt64(count)
        if let upstream, upstream.isConnected {
            cluster?.stats.bytesSent += UInt64(count)
            upstream.write(buffer)
        } else {
            waiting.writeBuffer(&buffer)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        touch(context.eventLoop.now)
        upstream?.flush()
    }

    func read(context: ChannelHandlerContext) {
        if readPaused { readHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        upstream?.setReading(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputClosed = true
            if let upstream, upstream.isConnected { upstream.closeOutput() }
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    func setReading(_ isOn: Bool) {
        guard isOn == readPaused else { return }
        readPaused = !isOn
        if isOn, readHeld {
            readHeld = false
            context?.read()
        }
    }

    func closeNow() { context?.close(promise: nil) }

    // MARK: The upstream's side

    private func chooseCluster() {
        let reference: ClusterReference
        metadata = server.proxy.metadata
        switch server.proxy.target {
        case .cluster(let only): reference = only
        case .weighted(let entries, let total):
            guard let last = entries.last else { return noRoute() }
            var rest = total == 0 ? 0 : worker.random.next() % total
            var chosen = last.cluster
            metadata = last.metadata
            for entry in entries {
                if rest < UInt64(entry.weight) {
                    chosen = entry.cluster
                    metadata = entry.metadata
                    break
                }
                rest -= UInt64(entry.weight)
            }
            reference = chosen
        }
        facts.upstreamCluster = reference.name
        guard let cluster = worker.cluster(reference.slot) else {
            facts.flags.insert(.noClusterFound)
            return noRoute()
        }
        self.cluster = cluster
        connect(cluster)
    }

    private func noRoute() {
        server.stats.noRoute += 1
        closeNow()
    }

    private func connect(_ cluster: ClusterRuntime) {
        attempts += 1
        let hash: UInt64? =
            server.proxy.hashesSourceIP ? info.remote.map { XXHash64.hash($0.address.description) } : nil
        guard
            let host =
                cluster.pick(hash: hash, criteria: metadata, destination: info.restoredDestination)
        else {
            cluster.stats.noHealthyHost += 1
            facts.flags.insert(.noHealthyUpstream)
            closeNow()
            return
        }
        guard host.takeConnection() else {
            cluster.stats.connectionOverflow += 1
            facts.flags.insert(.upstreamOverflow)
            closeNow()
            return
        }
        holdsConnection = true
        cluster.stats.connectionsTotal += 1
        cluster.noteTraffic()
        cluster.stats.connectionsActive += 1
        host.countConnection()
        self.host = host
        host.add(self)
        facts.upstreamHost = host.name
        facts.upstreamRequestAttempts = attempts
        let upstream = TCPUpstream(session: self)
        self.upstream = upstream
        let future = worker.connect(
            host.address, cluster.settings, upstream, by: cluster.transport(of: host), of: cluster, version: nil,
            keepsHalfOpen: true)
        let bound = NIOLoopBound((self, upstream, host), eventLoop: worker.loop)
        future.whenFailure { error in
            let (session, upstream, host) = bound.value
            host.countConnectFailure()
            session.connectFailed(upstream, error)
        }
    }

    func connected(_ upstream: TCPUpstream) {
        facts.upstreamLocalAddress = upstream.localText
        cluster?.record(.localSuccessFinal, host: host?.index ?? -1)
        if waiting.readableBytes > 0 {
            cluster?.stats.bytesSent += UInt64(waiting.readableBytes)
            upstream.write(waiting)
            waiting = ByteBuffer()
            upstream.flush()
        }
        if inputClosed { upstream.closeOutput() }
        setReading(true)
    }

    private func connectFailed(_ failed: TCPUpstream, _ error: any Error) {
        guard failed === upstream else { return }
        upstream = nil
        var outcome = OutlierDetector.Outcome.localFailure
        if case .connectTimeout? = error as? ChannelError { outcome = .localTimeout }
        cluster?.record(outcome, host: host?.index ?? -1)
        releaseConnection()
        cluster?.stats.connectFailures += 1
        facts.flags.insert(.upstreamConnectionFailure)
        facts.upstreamTransportFailureReason = ConnectError.describe(error)
        guard !isClosed, let cluster else { return }
        if attempts < max(1, server.proxy.maxConnectAttempts) {
            connect(cluster)
        } else {
            if server.proxy.maxConnectAttempts > 1 { facts.flags.insert(.upstreamRetryLimitExceeded) }
            closeNow()
        }
    }

    func upstreamData(_ data: ByteBuffer) {
        let count = UInt64(data.readableBytes)
        server.stats.bytesSent += count
        facts.bytesSent += count
        cluster?.stats.bytesReceived += count
        context?.write(Self.wrapOutboundOut(data), promise: nil)
    }

    func upstreamReadComplete() {
        touch(worker.now)
        context?.flush()
    }

    func upstreamInputClosed() {
        context?.flush()
        context?.close(mode: .output, promise: nil)
    }

    func upstreamClosed(_ closed: TCPUpstream) {
        guard closed === upstream else { return }
        upstream = nil
        releaseConnection()
        guard !isClosed, let context else { return }
        // What has been received still belongs to the client; the close follows it.
        setReading(true)
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    private func releaseConnection() {
        guard holdsConnection else { return }
        holdsConnection = false
        host?.giveConnection()
        host?.remove(self)
        cluster?.stats.connectionsClosed += 1
        cluster?.stats.connectionsActive -= 1
        host?.countConnectionClosed()
        host = nil
    }

    // MARK: The end

    private func finish() {
        guard !isClosed else { return }
        isClosed = true
        worker.timers.cancel(timer)
        timer.owner = nil
        server.closed(self)
        let upstream = self.upstream
        self.upstream = nil
        releaseConnection()
        upstream?.closeAfterFlush()
        let now = worker.now
        facts.lastDownstreamByte = (now - started).nanoseconds / 1000
        AccessLogging.write(server.proxy.accessLogs, worker, request: nil, response: nil, facts: facts)
    }

    private func touch(_ now: NIODeadline) {
        if let limit = server.proxy.idleTimeout { idleDeadline = now + limit.timeAmount }
        let next = min(idleDeadline, lifeDeadline)
        if next < .distantFuture { worker.timers.arm(timer, next) }
    }

    private func timeReached(_ now: NIODeadline) {
        if idleDeadline <= now || lifeDeadline <= now {
            if idleDeadline <= now { server.stats.idleTimeouts += 1 }
            closeNow()
            return
        }
        let next = min(idleDeadline, lifeDeadline)
        if next < .distantFuture { worker.timers.arm(timer, next) }
    }
}

/// The upstream channel of a session.
internal final class TCPUpstream: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: TCPSession?
    private var context: ChannelHandlerContext?
    private(set) var isConnected = false
    private var readPaused = false
    private var readHeld = false
    private(set) var localText = ""

    init(session: TCPSession) { self.session = session }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        becameActive(context)
        context.fireChannelActive()
    }

    private func becameActive(_ context: ChannelHandlerContext) {
        guard !isConnected else { return }
        isConnected = true
        localText = SocketEndpoint(context.channel.localAddress)?.description ?? ""
        if let session {
            session.connected(self)
        } else {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let session = self.session
        self.session = nil
        if isConnected { session?.upstreamClosed(self) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session?.upstreamData(Self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) { session?.upstreamReadComplete() }

    func read(context: ChannelHandlerContext) {
        if readPaused { readHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        session?.setReading(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            session?.upstreamInputClosed()
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    func write(_ data: ByteBuffer) { context?.write(Self.wrapOutboundOut(data), promise: nil) }

    func flush() { context?.flush() }

    func setReading(_ isOn: Bool) {
        guard isOn == readPaused else { return }
        readPaused = !isOn
        if isOn, readHeld {
            readHeld = false
            context?.read()
        }
    }

    func closeOutput() {
        context?.flush()
        context?.close(mode: .output, promise: nil)
    }

    /// The client is gone; what it sent still goes out.
    func closeAfterFlush() {
        session = nil
        guard let context, isConnected else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}
