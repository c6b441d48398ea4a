internal import ApusTraffic
internal import NIOCore

/// One HTTP/2 connection of a client: the machine, its channel, and the streams on it.
internal final class HTTP2ServerConnection: TurnFlushable, ChannelInboundHandler, ChannelOutboundHandler,
    HTTPServerConnection
{
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case open, closing, closed }

    /// Streams that are kept for later ones while others are open, and when none is.
    private static let spareLimit = 128
    private static let idleSpareLimit = 1
    /// A larger output buffer is given up when the connection becomes idle.
    private static let idleOutputLimit = 8 << 10

    let worker: Worker
    let server: HTTPServer
    let info: DownstreamInfo
    var machine: HTTP2Connection
    private var context: ChannelHandlerContext?
    private var output = SocketOutput()
    private var phase = Phase.open
    private var input = ByteBuffer()
    /// By slot of the machine.
    private var streams: [HTTP2ServerStream?] = []
    private var spare: [HTTP2ServerStream] = []
    private var active = 0
    private var flushing = 0
    private var requests = 0
    private var prematureResets = PrematureResets()
    private var processing = false
    private var readHeld = false
    private var isDraining = false
    private var predecessor: HTTP1ServerConnection?
    private let timer = ConnectionTimer()
    private var idleDeadline = NIODeadline.distantFuture
    private var headDeadline = NIODeadline.distantFuture
    private var lifeDeadline = NIODeadline.distantFuture
    private var drainDeadline = NIODeadline.distantFuture
    private var closeDeadline = NIODeadline.distantFuture
    private var flushDeadline = NIODeadline.distantFuture
    private var pingDeadline = NIODeadline.distantFuture
    /// By when the PING under way must be answered.
    private var answerDeadline = NIODeadline.distantFuture

    /// - Parameters:
    ///   - first: bytes that were read before the protocol was known.
    ///   - predecessor: the handler that read them.
    init(
        worker: Worker, server: HTTPServer, info: DownstreamInfo, first: ByteBuffer = ByteBuffer(),
        predecessor: HTTP1ServerConnection? = nil
    ) {
        self.worker = worker
        self.server = server
        self.info = info
        self.predecessor = predecessor
        var options = HTTP2Options(server.manager.http2)
        options.maxHeadBytes = server.manager.limits.maxHeaderBytes
        options.maxHeadFields = server.manager.limits.maxHeaders
        machine = HTTP2Connection(
            role: .server, options: options, out: ByteBufferAllocator().buffer(capacity: 1024))
        input = first
        super.init()
    }

    private final class ConnectionTimer: LoopTimer {
        /// Set while the connection is open.
        var owner: HTTP2ServerConnection?

        override func timerFired(_ now: NIODeadline) { owner?.timeReached(now) }
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        output.open(context, isPlain: info.tls == nil)
        timer.owner = self
        let now = context.eventLoop.now
        machine.start()
        if let predecessor { server.replaced(predecessor, by: self) } else { server.opened(self) }
        predecessor = nil
        server.speaks(.http2)
        if let limit = server.manager.timeouts.maxConnection { lifeDeadline = info.opened + limit.timeAmount }
        becomeIdle(now)
        armPing(now)
        process()
        flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closed()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if isWritable {
            machine.outputFlushed()
            if readHeld {
                readHeld = false
                context.read()
            }
        }
        for case let stream? in streams where !stream.isFlushing {
            stream.exchange.downstreamWritabilityChanged(isWritable && !stream.isBlocked)
        }
        context.fireChannelWritabilityChanged()
    }

    /// A client that does not take its answers is not asked for more requests.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { readHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        server.stats.bytesReceived += UInt64(buffer.readableBytes)
        guard phase == .open else { return }
        input.append(read: &buffer)
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush() }

    private func closed() {
        output.close()
        guard phase != .closed else { return }
        phase = .closed
        worker.timers.cancel(timer)
        timer.owner = nil
        server.closed(self, .http2)
        let open = streams
        streams = []
        for case let stream? in open {
            stream.connection = nil
            if !stream.isFlushing { stream.exchange.downstreamClosed() }
            stream.exchange.downstream = nil
            stream.exchange.discard()
        }
        for stream in spare {
            stream.connection = nil
            stream.exchange.downstream = nil
            stream.exchange.discard()
        }
        spare = []
        input = ByteBuffer()
    }

    // MARK: Events

    private func process() {
        guard !processing, input.readableBytes > 0 else { return }
        processing = true
        defer { processing = false }
        var buffer = input
        input = ByteBuffer()
        let now = worker.now
        while phase == .open, let event = machine.next(&buffer, now: now) { handle(event, now) }
        guard phase == .open else { return }
        if buffer.readableBytes > 0 { input = buffer }
        watchHead(now)
    }

    private func handle(_ event: HTTP2Event, _ now: NIODeadline) {
        switch event {
        case .head(let id, let facts): begin(id, facts)
        case .data(let id, let data, let endStream):
            let count = data.readableBytes
            guard let stream = stream(id), !stream.isFlushing else {
                machine.consumed(id, count)
                return
            }
            if count > 0 { stream.exchange.requestData(data) }
            if stream.id == id, stream.isPaused {
                stream.withheld += count
            } else {
                machine.consumed(id, count)
            }
            if endStream, self.stream(id) === stream { stream.exchange.requestEnded() }
            stream.exchange.flushUpstream()
        case .trailers(let id):
            guard let stream = stream(id), !stream.isFlushing else { return }
            stream.exchange.requestTrailersReceived(&machine.head)
            stream.exchange.requestEnded()
            stream.exchange.flushUpstream()
        case .reset(let id, let problem, let byPeer): wasReset(id, problem, byPeer: byPeer, now)
        case .writable(let id):
            guard let stream = stream(id) else { return }
            stream.isBlocked = false
            if stream.isFlushing {
                flushing -= 1
                release(stream)
            } else {
                stream.exchange.downstreamWritabilityChanged(isChannelWritable)
            }
        case .pingAck:
            answerDeadline = .distantFuture
        case .settings, .goAway: break
        case .failed(let problem): failed(problem)
        }
    }

    private func stream(_ id: HTTP2Stream) -> HTTP2ServerStream? {
        guard id.slot >= 0, id.slot < streams.count, let stream = streams[id.slot], stream.id == id else { return nil }
        return stream
    }

    private func begin(_ id: HTTP2Stream, _ facts: HTTP2HeadFacts) {
        requests += 1
        active += 1
        idleDeadline = .distantFuture
        let stream = spare.popLast() ?? HTTP2ServerStream(connection: self)
        stream.begin(id)
        while streams.count <= id.slot { streams.append(nil) }
        streams[id.slot] = stream
        let exchange = stream.exchange
        swap(&exchange.request, &machine.head)
        if let most = server.manager.limits.maxRequestsPerConnection, most > 0, requests >= Int(most), !isDraining {
            server.stats.connectionsMaxRequests += 1
            drain()
        }
        if let name = facts.protocolName {
            ExtendedConnect.toUpgradeRequest(&exchange.request, protocolName: name)
            // What follows the head belongs to the other protocol, and waits until the upstream has agreed to it.
            stream.isPaused = true
            exchange.begin(framing: .none, upgrade: name, expectsContinue: false, requestEnded: false)
        } else if exchange.request.method == .connect {
            stream.isPaused = true
            exchange.begin(framing: .none, upgrade: nil, expectsContinue: false, requestEnded: facts.endStream)
        } else {
            let framing: BodyFraming =
                facts.endStream
                ? .none : facts.contentLength.map { $0 == 0 ? .none : .length($0) } ?? .chunked
            exchange.begin(
                framing: framing, upgrade: nil, expectsContinue: facts.expectsContinue, requestEnded: facts.endStream)
        }
        exchange.flushUpstream()
    }

    private func wasReset(_ id: HTTP2Stream, _ problem: HTTP2Problem, byPeer: Bool, _ now: NIODeadline) {
        guard let stream = stream(id) else { return }
        if stream.isFlushing {
            flushing -= 1
            release(stream)
            return
        }
        let exchange = stream.exchange
        let isPremature =
            byPeer && exchange.facts.responseCode == 0
            && now - exchange.started <= PrematureResets.shortestLifetime
        if !byPeer { server.stats.protocolErrors += 1 }
        exchange.downstreamReset(byPeer: byPeer, details: problem.details)
        count(premature: isPremature)
        release(stream)
    }

    private func count(premature: Bool) {
        if prematureResets.isTooMany(premature: premature), phase == .open {
            server.stats.tooManyPrematureResets += 1
            closeNow()
        }
    }

    /// The bytes are no acceptable HTTP/2: GOAWAY is written, nothing more is read.
    private func failed(_ problem: HTTP2Problem) {
        server.stats.protocolErrors += 1
        let open = streams
        streams = []
        active = 0
        flushing = 0
        for case let stream? in open {
            stream.connection = nil
            if !stream.isFlushing { stream.exchange.downstreamReset(byPeer: false, details: problem.details) }
            stream.exchange.downstream = nil
            stream.exchange.discard()
        }
        closeOutput()
    }

    // MARK: The streams' side

    var isChannelWritable: Bool { context?.channel.isWritable ?? false }

    /// The exchange has written its last.
    func answered(_ stream: HTTP2ServerStream) {
        guard self.stream(stream.id) === stream else { return }
        count(premature: false)
        stream.giveBack()
        if machine.pendingBytes(stream.id) > 0 {
            stream.isFlushing = true
            stream.flushDeadline =
                server.manager.timeouts.streamIdle.map { worker.now + $0.timeAmount } ?? .distantFuture
            flushing += 1
            if stream.flushDeadline < flushDeadline {
                flushDeadline = stream.flushDeadline
                armTimer()
            }
            return
        }
        finish(stream)
    }

    /// An answer that overtakes its request ends the stream: the rest of the request is of no use (RFC 9113, 8.1).
    private func finish(_ stream: HTTP2ServerStream) {
        if !machine.isRemoteClosed(stream.id) { machine.reset(stream.id, .noError) }
        release(stream)
    }

    /// The stream was reset by its exchange.
    func ended(_ stream: HTTP2ServerStream) {
        guard self.stream(stream.id) === stream else { return }
        count(premature: false)
        release(stream)
    }

    private func release(_ stream: HTTP2ServerStream) {
        stream.giveBack()
        let slot = stream.id.slot
        if slot >= 0, slot < streams.count, streams[slot] === stream { streams[slot] = nil }
        stream.id = HTTP2Stream(slot: -1, id: 0)
        active -= 1
        if phase != .closed, spare.count < Self.spareLimit {
            spare.append(stream)
        } else {
            stream.connection = nil
            stream.exchange.downstream = nil
            stream.exchange.discard()
        }
        // The stream's object may be given up now: it can no longer ask for this itself.
        flush()
        if active == 0, phase == .open { becomeIdle(worker.now) }
    }

    // MARK: Output

    /// What was written leaves at the end of the turn.
    func flush() {
        if machine.out.readableBytes > 0 { worker.turn.add(self) }
    }

    /// Large bodies leave in parts, so that the buffer stays small.
    func outputGrew() {
        guard machine.out.readableBytes > 64 << 10 else { return }
        writeOut()
        worker.turn.add(self)
    }

    private func writeOut() {
        guard machine.out.readableBytes > 0, let context else { return }
        server.stats.bytesSent += UInt64(machine.out.readableBytes)
        output.write(&machine.out, context)
    }

    override func flushNow() {
        guard phase != .closed else { return }
        writeOut()
        if let context { output.flush(context) }
        if isChannelWritable { machine.outputFlushed() }
        if phase == .open { closeIfDrained() }
    }

    // MARK: The end

    /// First the client is told to open no further stream, after the drain time those it opens are refused, and with the
    /// last stream the connection ends: what it sent before it knew is answered.
    func drain() {
        guard !isDraining, phase == .open else { return }
        isDraining = true
        server.stats.drainCloses += 1
        machine.announceGoAway()
        let time = server.manager.timeouts.drain?.timeAmount ?? .seconds(5)
        drainDeadline = worker.now + time
        armTimer()
        flush()
    }

    private func closeIfDrained() {
        guard isDraining, drainDeadline == .distantFuture, active == 0 else { return }
        closeOutput()
    }

    func closeNow() {
        flushNow()
        context?.close(promise: nil)
    }

    /// Sends what is left and says that nothing follows; the client has a moment to read it before the socket goes.
    private func closeOutput() {
        guard let context, phase == .open else { return }
        phase = .closing
        writeOut()
        output.flush(context)
        let limit = server.manager.timeouts.delayedClose ?? .zero
        closeDeadline = worker.now + (limit > .zero ? limit.timeAmount : .seconds(1))
        worker.timers.arm(timer, closeDeadline)
        readHeld = false
        context.read()
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        promise.futureResult.whenFailure { _ in bound.value.close(promise: nil) }
        context.close(mode: .output, promise: promise)
    }

    // MARK: Time

    private func becomeIdle(_ now: NIODeadline) {
        if spare.count > Self.idleSpareLimit {
            for stream in spare[Self.idleSpareLimit...] {
                stream.connection = nil
                stream.exchange.downstream = nil
                stream.exchange.discard()
            }
            spare.removeSubrange(Self.idleSpareLimit...)
        }
        if let limit = server.manager.timeouts.connectionIdle {
            idleDeadline = now + limit.timeAmount
            armTimer()
        }
        if isDraining { flush() }
    }

    /// A head of which only a part is here.
    private func watchHead(_ now: NIODeadline) {
        guard machine.isInsideHead else {
            headDeadline = .distantFuture
            return
        }
        guard headDeadline == .distantFuture, let limit = server.manager.timeouts.requestHeaders else { return }
        headDeadline = now + limit.timeAmount
        armTimer()
    }

    private func armPing(_ now: NIODeadline) {
        guard let keepalive = server.manager.http2.keepalive, let interval = keepalive.interval else { return }
        let chance: UInt64 = worker.random.next()
        let part = Double(chance % 10_000) / 10_000 * keepalive.jitterPercent / 100
        let nanoseconds = interval.timeAmount.nanoseconds
        pingDeadline = now + .nanoseconds(nanoseconds + Int64(Double(nanoseconds) * part))
        armTimer()
    }

    private func armTimer() {
        var next = min(min(idleDeadline, headDeadline), min(lifeDeadline, closeDeadline))
        next = min(next, min(drainDeadline, flushDeadline))
        next = min(next, min(pingDeadline, answerDeadline))
        if next < .distantFuture { worker.timers.arm(timer, next) }
    }

    private func timeReached(_ now: NIODeadline) {
        if closeDeadline <= now {
            server.stats.delayedCloseTimeouts += 1
            context?.close(promise: nil)
            return
        }
        guard phase == .open else { return armTimer() }
        if headDeadline <= now {
            headDeadline = .distantFuture
            server.stats.headerTimeouts += 1
            return closeNow()
        }
        if answerDeadline <= now {
            answerDeadline = .distantFuture
            return closeNow()
        }
        if idleDeadline <= now {
            idleDeadline = .distantFuture
            if active == 0 {
                server.stats.connectionIdleTimeouts += 1
                drain()
            }
        }
        if lifeDeadline <= now {
            lifeDeadline = .distantFuture
            server.stats.connectionsMaxDuration += 1
            drain()
        }
        if drainDeadline <= now {
            drainDeadline = .distantFuture
            machine.goAway(.noError)
            flush()
        }
        if pingDeadline <= now {
            machine.ping(worker.random.next())
            if answerDeadline == .distantFuture, let limit = server.manager.http2.keepalive?.timeout {
                answerDeadline = now + limit.timeAmount
            }
            armPing(now)
            flush()
        }
        if flushDeadline <= now { flushTimedOut(now) }
        armTimer()
    }

    /// Complete answers whose octets the client does not let go.
    private func flushTimedOut(_ now: NIODeadline) {
        flushDeadline = .distantFuture
        for case let stream? in streams where stream.isFlushing {
            if stream.flushDeadline <= now {
                machine.reset(stream.id, .cancel)
                server.stats.resetsSent += 1
                flushing -= 1
                release(stream)
            } else {
                flushDeadline = min(flushDeadline, stream.flushDeadline)
            }
        }
        flush()
    }
}

/// Requests that are reset as soon as they were made (CVE-2023-44487): work for the proxy and none for the client. The
/// figures are those of Envoy's connection manager.
internal struct PrematureResets {
    static let shortestLifetime = TimeAmount.seconds(1)
    private static let leastRequests = 500

    private var closed = 0
    private var premature = 0

    /// Counts a request that has ended. Called once for each.
    ///
    /// - Returns: true if more than half were reset prematurely; below the least count also if that can no longer be
    ///   averted.
    mutating func isTooMany(premature isPremature: Bool) -> Bool {
        closed += 1
        if isPremature { premature += 1 }
        return premature * 2 >= max(closed, Self.leastRequests)
    }
}
