internal import ApusTraffic
internal import NIOCore

/// One HTTP/1.1 connection of a client. Requests on it are served one after the other; the bytes of the next wait.
internal final class HTTP1ServerConnection: HTTPDownstream, ChannelInboundHandler, ChannelOutboundHandler,
    RemovableChannelHandler, HTTPServerConnection
{
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Between requests, or in a head.
        case idle
        /// A request is being served. `requestEnded`: its last byte has been read.
        case serving(requestEnded: Bool)
        /// The last answer has been written; what the client still sends is thrown away.
        case closing
        case closed
    }

    /// Bytes of further requests that may wait behind the one being served.
    private static let pipelineLimit = 64 << 10
    private static let copyLimit = 16 << 10

    let worker: Worker
    let server: HTTPServer
    let info: DownstreamInfo
    private var context: ChannelHandlerContext?
    private var output = SocketOutput()
    private var takesBytes = true
    private var phase = Phase.idle
    /// nil until the first bytes told.
    private var version: SpokenHTTP?
    private var exchange: HTTPExchange
    private var parser: HTTP1RequestParser
    private var facts = HTTP1RequestFacts()
    private var decoder = HTTP1BodyDecoder(.none)
    private var input = ByteBuffer()
    /// Of the loop's pool while something is to be sent.
    private var out = ByteBuffer()
    private var needsFlush = false
    private var closes = false
    private var isDraining = false
    private var answerChunked = false
    private var answerStarted = false
    private var answerHasBody = true
    private var isUpgraded = false
    private var readPaused = false
    private var readHeld = false
    private var requests = 0
    private var processing = false
    private let timer = ConnectionTimer()
    private var idleDeadline = NIODeadline.distantFuture
    private var headDeadline = NIODeadline.distantFuture
    private var lifeDeadline = NIODeadline.distantFuture
    private var closeDeadline = NIODeadline.distantFuture

    init(worker: Worker, server: HTTPServer, info: DownstreamInfo) {
        self.worker = worker
        self.server = server
        self.info = info
        let limits = server.manager.limits
        parser = HTTP1RequestParser(
            limits: HTTP1Limits(headBytes: limits.maxHeaderBytes, fields: limits.maxHeaders),
            options: server.manager.http1)
        exchange = HTTPExchange(worker: worker, server: server, info: info)
        super.init()
        exchange.downstream = self
    }

    private final class ConnectionTimer: LoopTimer {
        /// Set while the connection is open. A weak reference would make every count of its references slow.
        var owner: HTTP1ServerConnection?

        override func timerFired(_ now: NIODeadline) { owner?.timeReached(now) }
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        output.open(context, isPlain: info.tls == nil)
        timer.owner = self
        server.opened(self)
        let timeouts = server.manager.timeouts
        if let limit = timeouts.maxConnection { lifeDeadline = context.eventLoop.now + limit.timeAmount }
        becomeIdle(context.eventLoop.now)
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
        takesBytes = context.channel.isWritable
        exchange.downstreamWritabilityChanged(takesBytes)
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if readPaused { readHeld = true } else { context.read() }
    }

    private func closed() {
        output.close()
        if case .closed = phase { return }
        let wasServing = if case .serving = phase { true } else { false }
        phase = .closed
        worker.timers.cancel(timer)
        timer.owner = nil
        server.closed(self, version)
        if wasServing { exchange.downstreamClosed() }
        exchange.discard()
        exchange.downstream = nil
        readPaused = false
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        server.stats.bytesReceived += UInt64(buffer.readableBytes)
        switch phase {
        case .closing, .closed: return
        case .idle, .serving: break
        }
        input.append(read: &buffer)
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .serving = phase { exchange.flushUpstream() }
        flush()
    }

    // MARK: Requests

    private func process() {
        // An answer written while a request is read comes back here; the loop below sees its effect.
        guard !processing else { return }
        processing = true
        defer { processing = false }
        var buffer = input
        input = ByteBuffer()
        do throws(HTTP1Error) {
            loop: while true {
                switch phase {
                case .idle:
                    guard buffer.readableBytes > 0 else { break loop }
                    if version == nil {
                        version = server.manager.codec == .http1 ? .http1 : SpokenHTTP.of(buffer)
                        switch version {
                        case .http1?: server.speaks(.http1)
                        case .http2?: return becomeHTTP2(buffer)
                        case nil:
                            startHeadTimer()
                            break loop
                        }
                    }
                    let used = try parser.parseHead(
                        buffer.readableBytesUInt8Span, into: &exchange.request, facts: &facts)
                    guard let used else {
                        startHeadTimer()
                        break loop
                    }
                    buffer.moveReaderIndex(forwardBy: used)
                    try begin()
                case .serving(requestEnded: false):
                    if readPaused { break loop }
                    var offset = 0
                    let event = try decoder.next(buffer.readableBytesUInt8Span, &offset)
                    switch event {
                    case .needMore:
                        buffer.moveReaderIndex(forwardBy: offset)
                        break loop
                    case .data(let range):
                        let slice = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count)
                        buffer.moveReaderIndex(forwardBy: offset)
                        if let slice { exchange.requestData(slice) }
                    case .end:
                        buffer.moveReaderIndex(forwardBy: offset)
                        if !decoder.trailerLines.isEmpty { try takeTrailers() }
                        phase = .serving(requestEnded: true)
                        exchange.requestEnded()
                    }
                case .serving(requestEnded: true):
                    if buffer.readableBytes > Self.pipelineLimit { pauseReading() }
                    break loop
                case .closing, .closed:
                    return
                }
            }
            if buffer.readableBytes > 0 { input = buffer }
        } catch {
            refuse(error)
        }
    }

    private func takeTrailers() throws(HTTP1Error) {
        var trailers = HTTPHead()
        try trailers.fillTrailers(decoder.trailerLines)
        trailers.preservesNames = exchange.request.preservesNames
        if !trailers.fields.isEmpty { exchange.requestTrailersReceived(&trailers) }
    }

    /// The client knew beforehand that HTTP/2 is spoken here (RFC 9113, section 3.3): another handler takes this one's
    /// place, and these bytes.
    private func becomeHTTP2(_ first: ByteBuffer) {
        guard let context else { return }
        output.close()
        phase = .closed
        worker.timers.cancel(timer)
        timer.owner = nil
        exchange.discard()
        exchange.downstream = nil
        let next = HTTP2ServerConnection(worker: worker, server: server, info: info, first: first, predecessor: self)
        do {
            try context.pipeline.syncOperations.addHandler(next, position: .after(self))
        } catch {
            server.closed(self, nil)
            return context.close(promise: nil)
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func begin() throws(HTTP1Error) {
        requests += 1
        headDeadline = .distantFuture
        idleDeadline = .distantFuture
        decoder = HTTP1BodyDecoder(
            facts.framing, limits: parser.limits, keepsTrailers: server.manager.http1.passesTrailers)
        let isTunnel = facts.upgrade != nil || exchange.request.method == .connect
        let ended = facts.framing == .none && !isTunnel
        phase = .serving(requestEnded: ended)
        closes = facts.close || isDraining
        if let most = server.manager.limits.maxRequestsPerConnection, most > 0, requests >= Int(most) {
            closes = true
        }
        answerStarted = false
        answerChunked = false
        isUpgraded = false
        if isTunnel {
            // What follows the head belongs to the other protocol, and waits until the upstream has agreed to it.
            decoder = HTTP1BodyDecoder(.untilClose)
            pauseReading()
        }
        let upgrade = facts.upgrade
        let needsRemoval = facts.nominatesOthers
        try ConnectionOptions.removeHopByHop(
            &exchange.request, nominatesOthers: needsRemoval, keepsUpgrade: upgrade != nil)
        exchange.begin(
            framing: facts.framing, upgrade: upgrade, expectsContinue: facts.expectsContinue, requestEnded: ended)
    }

    /// The bytes are no acceptable HTTP/1.1: one answer, and the end of the connection.
    private func refuse(_ error: HTTP1Error) {
        server.stats.protocolErrors += 1
        if case .serving = phase {
            // In a body, or right after a head that was refused.
            closes = true
            phase = .serving(requestEnded: true)
            exchange.requestFailed(error)
            flush()
            return
        }
        requests += 1
        closes = true
        answerStarted = false
        phase = .serving(requestEnded: true)
        exchange.refuse(error)
        flush()
    }

    // MARK: Answers

    private var style: HTTP1HeadWriter.Style {
        let isHTTP10 = exchange.request.version == .http10
        return HTTP1HeadWriter.Style(
            names: server.manager.http1.nameFormat, isHTTP10: isHTTP10 && server.manager.http1.acceptsHTTP10,
            keepAlive: isHTTP10 && !closes)
    }

    override func writeEnd(trailers: HTTPHead) {
        if answerChunked, server.manager.http1.passesTrailers, !trailers.fields.isEmpty {
            HTTP1HeadWriter.writeTrailers(trailers, style: style, to: &out)
            needsFlush = true
            answerChunked = false
        }
        writeEnd()
    }

    override func writeInterim(_ head: HTTPHead) {
        // A client of HTTP/1.0 does not know that another head follows.
        guard exchange.request.version != .http10 else { return }
        worker.buffers.lend(&out)
        HTTP1HeadWriter.writeResponse(head, framing: .asIs, upgrade: false, close: false, style: style, to: &out)
        needsFlush = true
    }

    override func writeHead(_ head: HTTPHead, isUpgrade: Bool, endsHere: Bool) {
        answerStarted = true
        let status = head.status
        answerHasBody = exchange.request.method != .head && status != 204 && status != 304
        var framing = HTTP1HeadWriter.Framing.asIs
        if isUpgrade {
            isUpgraded = true
            closes = true
            resumeReading()
        } else if !head.contains(.contentLength), status != 204, status >= 200 {
            if endsHere, answerHasBody {
                framing = .length(0)
            } else if exchange.request.version == .http10 {
                // Without chunks the end of the connection is the end of the body.
                if answerHasBody { closes = true }
            } else if status != 304 {
                // The answer to HEAD says what GET would have got, and has no chunks.
                framing = .chunked
                answerChunked = answerHasBody
            }
        }
        // An answer that overtakes its request ends the connection: the rest of the request would have to be read.
        if case .serving(requestEnded: false) = phase { closes = true }
        if isDraining { closes = true }
        worker.buffers.lend(&out)
        HTTP1HeadWriter.writeResponse(
            head, framing: framing, upgrade: isUpgrade && status == 101, close: closes && !isUpgrade, style: style,
            to: &out)
        needsFlush = true
    }

    override func writeData(_ data: ByteBuffer) {
        guard data.readableBytes > 0, answerHasBody || isUpgraded else { return }
        worker.buffers.lend(&out)
        if answerChunked { out.writeChunkSize(data.readableBytes) }
        needsFlush = true
        if data.readableBytes <= Self.copyLimit {
            out.writeImmutableBuffer(data)
            if answerChunked { out.writeStaticString("\r\n") }
            if out.readableBytes > 64 << 10 { writeOut() }
        } else {
            writeOut()
            server.stats.bytesSent += UInt64(data.readableBytes)
            if let context { output.queue(data, context) }
            if answerChunked { out.writeStaticString("\r\n") }
        }
    }

    override func writeEnd() {
        if answerChunked {
            out.writeStaticString("0\r\n\r\n")
            needsFlush = true
        }
        guard case .serving(let requestEnded) = phase else { return }
        if closes || !requestEnded || isDraining {
            phase = .closing
            closeOutput()
            return
        }
        phase = .idle
        becomeIdle(worker.now)
        if readPaused { resumeReading() }
        if input.readableBytes > 0, !processing { processLater() }
    }

    /// The next request is in the buffer already. It is taken up in a turn of its own, so that a client with many
    /// short requests in one packet does not build a deep stack, nor starve others.
    private func processLater() {
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        worker.loop.execute {
            let connection = bound.value
            connection.process()
            if case .serving = connection.phase { connection.exchange.flushUpstream() }
            connection.flush()
        }
    }

    override func flush() {
        if needsFlush { worker.turn.add(self) }
    }

    override func flushNow() {
        guard needsFlush else { return }
        needsFlush = false
        writeOut()
        if let context { output.flush(context) }
        if out.readableBytes == 0 { worker.buffers.give(&out) }
    }

    private func writeOut() {
        guard out.readableBytes > 0, let context else { return }
        server.stats.bytesSent += UInt64(out.readableBytes)
        output.write(&out, context)
    }

    override func closeAfterAnswer() { closes = true }

    override func abort() {
        if case .closed = phase { return }
        phase = .closing
        flushNow()
        context?.close(promise: nil)
    }

    override func pauseReading() { readPaused = true }

    override func resumeReading() {
        guard readPaused else { return }
        readPaused = false
        // The pause may have come with the last byte of a body, whose end is still to be told.
        if input.readableBytes > 0 || decoder.isEnded, !processing { processLater() }
        if readHeld {
            readHeld = false
            context?.read()
        }
    }

    override var isWritable: Bool { takesBytes && context != nil }

    // MARK: Time

    private func becomeIdle(_ now: NIODeadline) {
        if isDraining {
            phase = .closing
            context?.close(promise: nil)
            return
        }
        if let limit = server.manager.timeouts.connectionIdle { idleDeadline = now + limit.timeAmount }
        armTimer()
    }

    private func startHeadTimer() {
        guard headDeadline == .distantFuture, let limit = server.manager.timeouts.requestHeaders else { return }
        headDeadline = worker.now + limit.timeAmount
        armTimer()
    }

    private func armTimer() {
        let next = min(min(idleDeadline, headDeadline), min(lifeDeadline, closeDeadline))
        if next < .distantFuture { worker.timers.arm(timer, next) }
    }

    private func timeReached(_ now: NIODeadline) {
        if closeDeadline <= now {
            context?.close(promise: nil)
            return
        }
        if case .idle = phase {
            if headDeadline <= now {
                headDeadline = .distantFuture
                refuse(HTTP1Error(status: 408, details: "request_header_timeout"))
            } else if idleDeadline <= now {
                server.stats.connectionIdleTimeouts += 1
                phase = .closing
                context?.close(promise: nil)
                return
            }
        }
        if lifeDeadline <= now {
            lifeDeadline = .distantFuture
            drain()
        }
        armTimer()
    }

    /// No further request after the one being served.
    func drain() {
        isDraining = true
        if case .idle = phase, input.readableBytes == 0 {
            phase = .closing
            closeOutput()
        }
    }

    func closeNow() { context?.close(promise: nil) }

    /// Sends what is left and says that nothing follows; the client has a moment to read it before the socket goes.
    private func closeOutput() {
        guard let context else { return }
        flushNow()
        if let limit = server.manager.timeouts.delayedClose, limit > .zero {
            closeDeadline = worker.now + limit.timeAmount
        } else {
            closeDeadline = worker.now + .seconds(1)
        }
        worker.timers.arm(timer, closeDeadline)
        readPaused = false
        if readHeld {
            readHeld = false
            context.read()
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        promise.futureResult.whenFailure { _ in bound.value.close(promise: nil) }
        context.close(mode: .output, promise: promise)
    }
}

extension Duration {
    /// Saturates instead of trapping.
    internal var timeAmount: TimeAmount {
        let (seconds, attoseconds) = components
        if seconds >= 1 << 32 { return .seconds(1 << 32) }
        if seconds <= -1 << 32 { return .zero }
        return .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
