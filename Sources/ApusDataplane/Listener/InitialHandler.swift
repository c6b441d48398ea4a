internal import ApusCore
internal import ApusTraffic
internal import NIOCore
internal import NIOSSL

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
        let opening = ChainOpening(
            worker: worker, listener: listener, chain: chain.config, runtime: chain.runtime, local: local,
            remote: remote, destination: destination, serverName: sniffed.serverName, opened: opened)
        if let transport = chain.config.transport {
            guard startTLS(transport, opening, context) else { return }
        } else {
            guard opening.start(context, after: self, tls: nil) else { return }
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

    /// The chain's handler follows when the handshake is complete.
    private func startTLS(_ transport: TLSContext, _ opening: ChainOpening, _ context: ChannelHandlerContext) -> Bool {
        do {
            let session = try worker.shared.tls.session(
                transport, alpn: transport.alpn, in: worker.configuration)
            let handler = NIOSSLServerHandler(context: session.context)
            let gate = ServerTLSGate(
                opening: opening, session: session, handler: handler,
                limit: opening.chain.handshakeTimeout?.timeAmount)
            try context.pipeline.syncOperations.addHandler(gate, position: .after(self))
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
            return true
        } catch {
            // Without its secret nobody can be served, and nobody is served without TLS.
            listener.counters.stats.tlsConnectionErrors += 1
            context.close(promise: nil)
            return false
        }
    }
}
