internal import ApusTraffic
internal import NIOCore

/// A raw connection to an upstream host that carries what a client sends in a CONNECT that ends at this proxy.
///
/// To its sink it looks like any stream: it answers the request with 200 as soon as it is connected.
internal final class TunnelStream: UpstreamStream, ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case connecting, open, closed }

    private var context: ChannelHandlerContext?
    private var phase = Phase.connecting
    private(set) var sink: UpstreamSink?
    private var needsFlush = false
    private var readPaused = false
    private var readHeld = false
    private var inputClosed = false
    /// This side has said its last: then the end of the connection is the end of the answer.
    private var outputClosed = false
    private var isBroken = false
    private(set) var wasEverActive = false

    init(pool: HostPool, sink: UpstreamSink) {
        self.sink = sink
        super.init(pool: pool)
    }

    // MARK: The sink's side

    /// - Parameter upgrade: false for a POST, whose body is the tunnel.
    override func writeHead(_ head: HTTPHead, framing: HTTP1HeadWriter.Framing, upgrade: Bool, endsHere: Bool) {
        facts = HTTP1ResponseFacts()
        facts.isUpgrade = upgrade
        facts.framing = .untilClose
        self.head.reset(status: 200)
    }

    override func writeBody(_ data: ByteBuffer) {
        guard phase == .open, data.readableBytes > 0 else { return }
        context?.write(Self.wrapOutboundOut(data), promise: nil)
        needsFlush = true
    }

    override func endBody() {
        guard phase == .open else { return }
        outputClosed = true
        flushNow()
        context?.close(mode: .output, promise: nil)
    }

    override func flush() {
        if needsFlush { pool.cluster.worker.turn.add(self) }
    }

    override func flushNow() {
        guard needsFlush else { return }
        needsFlush = false
        context?.flush()
    }

    override var isWritable: Bool { context?.channel.isWritable ?? false }

    override func pauseReading() { readPaused = true }

    override func resumeReading() {
        guard readPaused else { return }
        readPaused = false
        if readHeld {
            readHeld = false
            context?.read()
        }
    }

    override func abandon() {
        guard sink != nil else { return }
        sink = nil
        guard let context else { return }
        flushNow()
        context.close(promise: nil)
    }

    /// The sink no longer waits for the connection.
    func cancel() { sink = nil }

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
        wasEverActive = true
        localText = SocketEndpoint(context.channel.localAddress)?.description ?? ""
        pool.tunnelConnected(self)
        guard let sink else {
            context.close(promise: nil)
            return
        }
        sink.upstreamReady(self)
        guard self.sink === sink, phase == .open else { return }
        sink.upstreamHead(self)
        sink.upstreamReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    private func closed() {
        guard phase != .closed else { return }
        let wasConnecting = phase == .connecting
        phase = .closed
        if wasConnecting { return }
        let sink = self.sink
        self.sink = nil
        pool.tunnelClosed()
        if inputClosed || outputClosed && !isBroken {
            sink?.upstreamEnded()
        } else {
            sink?.upstreamFailed(.connectionTermination, transportFailure: "")
        }
        sink?.upstreamReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        isBroken = true
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if readPaused { readHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sink?.upstreamWritabilityChanged(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sink?.upstreamData(Self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) { sink?.upstreamReadComplete() }

    /// The host has said all it wanted to: the answer is complete, and with it the exchange.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        inputClosed = true
        context.close(promise: nil)
    }
}

// Raw connections for CONNECT: one per request, never used again.
extension HostPool {
    func tunnel(_ sink: UpstreamSink) {
        guard takeConnection() else {
            cluster.stats.connectionOverflow += 1
            sink.upstreamFailed(.overflow, transportFailure: "")
            return
        }
        cluster.stats.connectionsTotal += 1
        cluster.stats.connectionsActive += 1
        countConnection()
        let worker = cluster.worker
        let stream = TunnelStream(pool: self, sink: sink)
        tunnels.append(stream)
        let future = worker.connect(
            address, cluster.settings, stream, by: cluster.transport(of: self), of: cluster, version: nil,
            serverName: serverName, keepsHalfOpen: true)
        let bound = NIOLoopBound((self, stream), eventLoop: worker.loop)
        future.whenFailure { error in
            let (pool, stream) = bound.value
            guard !stream.wasEverActive else { return }
            pool.tunnels.removeAll { $0 === stream }
            let sink = stream.sink
            stream.cancel()
            pool.connectFailed([], error)
            sink?.upstreamFailed(ConnectError.reason(error), transportFailure: ConnectError.describe(error))
        }
    }

    /// - Returns: true if the sink waited for a tunnel.
    func cancelTunnel(_ sink: UpstreamSink) -> Bool {
        guard let index = tunnels.firstIndex(where: { $0.sink === sink }) else { return false }
        tunnels.remove(at: index).cancel()
        return true
    }

    func tunnelConnected(_ stream: TunnelStream) {
        tunnels.removeAll { $0 === stream }
        limits.force(.request)
        requestStarted()
    }

    func tunnelClosed() {
        requestFinished()
        connectionClosed()
    }
}
