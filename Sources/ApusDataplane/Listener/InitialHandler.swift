internal import ApusCore
internal import ApusTraffic
internal import NIOCore

/// The first moments of a client's connection: where it was going, what it speaks, which filter chain serves it.
///
/// 1. A redirected connection is handed to the listener of its original destination.
/// 2. If a listener filter has to look at the first bytes, they are collected (and kept) until it knows.
/// 3. The handler of the chosen chain takes this handler's place and gets the bytes.
internal final class InitialHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// More than a TLS client hello or a request line may take: then the inspectors give up.
    private static let sniffLimit = 64 << 10

    private let worker: Worker
    private var listener: LoopListener
    private var context: ChannelHandlerContext?
    private var bytes = ByteBuffer()
    private var isWaiting = false
    private var isDone = false
    private var isComplete = false
    private var local: SocketEndpoint?
    private var remote: SocketEndpoint?
    private var destination: SocketEndpoint?
    private var opened = NIODeadline.uptimeNanoseconds(0)
    private var sniffed = SniffedFacts()
    private let timer = SniffTimer()

    init(worker: Worker, listener: LoopListener) {
        self.worker = worker
        self.listener = listener
    }

    private final class SniffTimer: LoopTimer {
        /// Set while the handler waits for bytes.
        var owner: InitialHandler?

        override func timerFired(_ now: NIODeadline) { owner?.timedOut() }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stopWaiting()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        isDone = true
        stopWaiting()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDone {
            context.fireChannelRead(data)
            return
        }
        var buffer = Self.unwrapInboundIn(data)
        if bytes.readableBytes == 0 { bytes = buffer } else { bytes.writeBuffer(&buffer) }
        if isWaiting { sniff() }
    }

    private func start(_ context: ChannelHandlerContext) {
        opened = context.eventLoop.now
        local = SocketEndpoint(context.channel.localAddress)
        remote = SocketEndpoint(context.channel.remoteAddress)
        listener.counters.stats.connectionsTotal += 1
        guard worker.shared.isIntercepting, wantsOriginalDestination else {
            inspect()
            return
        }
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        OriginalDestination.read(context.channel) { found in
            let handler = bound.value
            handler.redirected(found)
        }
    }

    private var wantsOriginalDestination: Bool {
        listener.config.usesOriginalDestination
            || listener.config.listenerFilters.contains { $0.kind == .originalDestination }
    }

    private func redirected(_ found: SocketEndpoint?) {
        guard !isDone else { return }
        // A connection that nobody redirected names the listener itself; then there is nothing to restore.
        if let found, found != local {
            destination = found
            if listener.config.usesOriginalDestination, let other = worker.listener(for: found), other !== listener {
                listener = other
                other.counters.stats.connectionsTotal += 1
            }
        }
        inspect()
    }

    private var destinationPort: UInt16 { UInt16(clamping: (destination ?? local)?.port ?? 0) }

    private func applies(_ kind: ListenerFilter.Kind) -> Bool {
        listener.config.listenerFilters.contains {
            $0.kind == kind && $0.applies(toDestinationPort: destinationPort)
        }
    }

    private func inspect() {
        sniffed.wantsTLS = applies(.tlsInspector)
        sniffed.wantsHTTP = applies(.httpInspector)
        guard sniffed.wantsTLS || sniffed.wantsHTTP else {
            choose()
            return
        }
        isWaiting = true
        timer.owner = self
        listener.waits(self)
        if let limit = listener.config.listenerFiltersTimeout, limit > .zero {
            worker.timers.arm(timer, worker.loop.now + limit.timeAmount)
        }
        if bytes.readableBytes > 0 { sniff() }
    }

    private func sniff() {
        if sniffed.feed(bytes) || bytes.readableBytes > Self.sniffLimit {
            stopWaiting()
            choose()
        }
    }

    private func timedOut() {
        guard isWaiting, !isDone else { return }
        stopWaiting()
        if listener.config.continuesOnListenerFiltersTimeout {
            choose()
        } else {
            isDone = true
            listener.counters.stats.preConnectionTimeouts += 1
            context?.close(promise: nil)
        }
    }

    private func stopWaiting() {
        guard isWaiting else { return }
        isWaiting = false
        worker.timers.cancel(timer)
        timer.owner = nil
        listener.waited(self)
    }

    func closeNow() { context?.close(promise: nil) }

    private func choose() {
        guard let context, !isDone else { return }
        let target = destination ?? local
        var facts = ConnectionFacts(
            destination: target?.address, destinationPort: destinationPort, source: remote?.address,
            sourcePort: UInt16(clamping: remote?.port ?? 0))
        facts.serverName = sniffed.serverName
        facts.transportProtocol = sniffed.isTLS ? .tls : .rawBuffer
        facts.applicationProtocols = sniffed.applicationProtocols
        guard let chain = listener.chain(for: facts) else {
            listener.counters.stats.noFilterChain += 1
            isDone = true
            context.close(promise: nil)
            return
        }
        isDone = true
        if let delay = refusal(chain.config.guards) {
            refuse(context, after: delay)
            return
        }
        let info = DownstreamInfo(
            id: worker.shared.nextConnectionID(), local: local, remote: remote, destination: destination,
            serverName: sniffed.serverName, opened: opened)
        let handler: any ChannelHandler =
            switch chain.runtime {
            case .http(let server) where server.manager.codec == .http2:
                HTTP2ServerConnection(worker: worker, server: server, info: info)
            case .http(let server): HTTP1ServerConnection(worker: worker, server: server, info: info)
            case .tcp(let server): TCPSession(worker: worker, server: server, info: info)
            }
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(handler, position: .after(self))
        } catch {
            context.close(promise: nil)
            return
        }
        if bytes.readableBytes > 0 {
            let first = bytes
            bytes = ByteBuffer()
            context.fireChannelRead(Self.wrapInboundOut(first))
            context.fireChannelReadComplete()
        }
        // Only now: a handler that is gone from the pipeline can no longer pass bytes on.
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    // MARK: Filters of the connection

    /// nil: the connection may go on; else it is closed after so long.
    private func refusal(_ guards: [ConnectionFilter]) -> Duration? {
        for filter in guards {
            switch filter {
            case .authorization(let authorization):
                let facts = AuthorizationFacts(
                    destination: (destination ?? local)?.address, destinationPort: destinationPort,
                    serverName: sniffed.serverName, peerAddress: remote?.address, clientAddress: remote?.address)
                guard ConnectionGuard.judge(authorization, facts, worker) else {
                    return authorization.denyDelay ?? .zero
                }
            case .rateLimit(let limit):
                guard limit.isEnabled else { continue }
                let now = Int64(clamping: worker.loop.now.uptimeNanoseconds)
                guard limit.bucket.take(now: now) else {
                    worker.scope("local_rate_limit.\(limit.statPrefix)", RateLimitedConnections.self).stats
                        .rateLimited += 1
                    return .zero
                }
            }
        }
        return nil
    }

    private func refuse(_ context: ChannelHandlerContext, after delay: Duration) {
        guard delay > .zero else {
            context.close(promise: nil)
            return
        }
        let bound = NIOLoopBound(context, eventLoop: worker.loop)
        worker.loop.scheduleTask(in: delay.timeAmount) { bound.value.close(promise: nil) }
    }
}
