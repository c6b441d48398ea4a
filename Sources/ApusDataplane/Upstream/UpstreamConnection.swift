internal import ApusTraffic
internal import NIOCore

/// One HTTP/1.1 connection to an upstream host, in the pool of one loop.
internal final class UpstreamConnection: UpstreamStream, ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case connecting, idle, busy, closed }

    /// Bodies up to this size are copied behind the head, so that both leave in one write.
    static let copyLimit = 8 << 10

    private var context: ChannelHandlerContext?
    private var output = SocketOutput()
    private var takesBytes = true
    private var phase = Phase.connecting
    private(set) var sink: UpstreamSink?
    private var parser: HTTP1ResponseParser
    private var decoder = HTTP1BodyDecoder(.none)
    private var hasHead = false
    private var method = HTTPMethod.get
    private var wantsUpgrade = false
    private var requestEnded = false
    private var answerEnded = false
    private var chunked = false
    private var input = ByteBuffer()
    /// Of the loop's pool while something is to be sent.
    private var out = ByteBuffer()
    private var needsFlush = false
    private var readPaused = false
    private var readHeld = false
    private let isPlain: Bool
    private(set) var requests = 0
    private var lifeTimer: LifeTimer?
    /// True once a byte of the current answer has been seen.
    private(set) var sawAnswer = false
    /// Place in the pool's list of busy connections; below zero: not in it.
    var busyIndex = -1
    /// In the pool's list of idle connections.
    var idleSince = NIODeadline.uptimeNanoseconds(0)
    private(set) var wasEverActive = false
    /// The host has failed since: no further request on this connection.
    var closesAfterAnswer = false

    /// - Parameter isPlain: the bytes go to the socket as they are.
    init(pool: HostPool, isPlain: Bool) {
        self.isPlain = isPlain
        parser = HTTP1ResponseParser(
            limits: pool.cluster.settings.responseLimits, options: pool.cluster.settings.http1)
        super.init(pool: pool)
    }

    var isIdle: Bool { phase == .idle }

    // MARK: The sink's side

    override func handOver(to sink: UpstreamSink) {
        if self.sink != nil { self.sink = sink }
    }

    /// Gives the connection to a sink. The pool calls this only for an idle connection.
    func attach(_ sink: UpstreamSink) {
        self.sink = sink
        phase = .busy
        requests += 1
        hasHead = false
        requestEnded = false
        answerEnded = false
        sawAnswer = false
        wantsUpgrade = false
        sink.upstreamReady(self)
    }

    override func writeHead(_ head: HTTPHead, framing: HTTP1HeadWriter.Framing, upgrade: Bool, endsHere: Bool) {
        method = head.method
        wantsUpgrade = upgrade
        if case .chunked = framing { chunked = true } else { chunked = false }
        var framing = framing
        if endsHere, !upgrade, case .asIs = framing, head.method.usuallyHasBody, !head.contains(.contentLength) {
            framing = .length(0)
        }
        let options = pool.cluster.settings.http1
        let style = HTTP1HeadWriter.Style(names: options.nameFormat, absoluteURL: options.sendsAbsoluteURL)
        pool.cluster.worker.buffers.lend(&out)
        HTTP1HeadWriter.writeRequest(
            head, framing: framing, upgrade: upgrade && head.method != .connect, style: style, to: &out)
        needsFlush = true
        requestEnded = endsHere
    }

    override func writeBody(_ data: ByteBuffer) {
        guard phase == .busy, data.readableBytes > 0 else { return }
        pool.cluster.worker.buffers.lend(&out)
        if chunked { out.writeChunkSize(data.readableBytes) }
        if data.readableBytes <= Self.copyLimit {
            out.writeImmutableBuffer(data)
            if chunked { out.writeStaticString("\r\n") }
            needsFlush = true
            if out.readableBytes > 64 << 10 { writeOut() }
        } else {
            writeOut()
            if let context { output.queue(data, context) }
            if chunked { out.writeStaticString("\r\n") }
            needsFlush = true
        }
    }

    override func endBody() {
        guard phase == .busy, !requestEnded else { return }
        requestEnded = true
        if chunked {
            out.writeStaticString("0\r\n\r\n")
            needsFlush = true
        }
    }

    /// What was written leaves at the end of the turn.
    override func endBody(trailers: HTTPHead) {
        guard phase == .busy, !requestEnded else { return }
        let options = pool.cluster.settings.http1
        guard chunked, options.passesTrailers, !trailers.fields.isEmpty else { return endBody() }
        requestEnded = true
        HTTP1HeadWriter.writeTrailers(trailers, style: HTTP1HeadWriter.Style(names: options.nameFormat), to: &out)
        needsFlush = true
    }

    override func flush() {
        if needsFlush { pool.cluster.worker.turn.add(self) }
    }

    override func flushNow() {
        guard needsFlush else { return }
        needsFlush = false
        writeOut()
        if let context { output.flush(context) }
        if out.readableBytes == 0 { pool.cluster.worker.buffers.give(&out) }
    }

    private func writeOut() {
        guard out.readableBytes > 0, let context else { return }
        output.write(&out, context)
    }

    override var isWritable: Bool { takesBytes && context != nil }

    override func pauseReading() { readPaused = true }

    override func resumeReading() {
        guard readPaused else { return }
        readPaused = false
        if readHeld {
            readHeld = false
            context?.read()
        }
    }

    /// The connection cannot be used again.
    override func abandon() {
        guard phase == .busy else { return }
        sink = nil
        close()
    }

    func close() {
        context?.close(promise: nil)
    }

    /// Half-close of an upgraded connection.
    func closeOutput() {
        flushNow()
        context?.close(mode: .output, promise: nil)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        output.close()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        becameActive(context)
        context.fireChannelActive()
    }

    private func becameActive(_ context: ChannelHandlerContext) {
        guard phase == .connecting else { return }
        phase = .idle
        output.open(context, isPlain: isPlain)
        wasEverActive = true
        idleSince = context.eventLoop.now
        localText = SocketEndpoint(context.channel.localAddress)?.description ?? ""
        if let limit = pool.cluster.config.maxConnectionDuration {
            let timer = LifeTimer()
            timer.owner = self
            lifeTimer = timer
            pool.cluster.worker.timers.arm(timer, context.eventLoop.now + limit.timeAmount)
        }
        pool.connected(self)
    }

    private final class LifeTimer: LoopTimer {
        /// Set while the connection is open.
        var owner: UpstreamConnection?

        override func timerFired(_ now: NIODeadline) { owner?.lifeOver() }
    }

    /// `max_connection_duration`: an idle connection ends now, a busy one with its answer.
    private func lifeOver() {
        pool.cluster.stats.connectionsMaxDuration += 1
        closesAfterAnswer = true
        if phase == .idle { close() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    private func closed() {
        output.close()
        guard phase != .closed else { return }
        let wasConnecting = phase == .connecting
        phase = .closed
        if let lifeTimer {
            pool.cluster.worker.timers.cancel(lifeTimer)
            lifeTimer.owner = nil
            self.lifeTimer = nil
        }
        if wasConnecting {
            // The connect future reports the failure with its reason.
            return
        }
        let sink = self.sink
        self.sink = nil
        let complete = hasHead && decoder.endsWithConnection
        pool.closed(self)
        if let sink {
            if complete {
                sink.upstreamEnded()
                sink.upstreamReadComplete()
            } else {
                sink.upstreamFailed(.connectionTermination, transportFailure: "")
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func read(context: ChannelHandlerContext) {
        if readPaused { readHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takesBytes = context.channel.isWritable
        sink?.upstreamWritabilityChanged(takesBytes)
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        guard phase == .busy else {
            // Bytes nobody asked for: the next request's answer could be taken for another's. Close.
            if phase == .idle { context.close(promise: nil) }
            return
        }
        sawAnswer = true
        if input.readableBytes > 0 {
            input.append(read: &buffer)
            buffer = input
            input = ByteBuffer()
        }
        process(&buffer)
        if buffer.readableBytes > 0, phase == .busy { input = buffer }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // The sink may have let go of this connection while it read; then it has been told already.
        sink?.upstreamReadComplete()
    }

    private func process(_ buffer: inout ByteBuffer) {
        do throws(HTTP1Error) {
            while phase == .busy, let sink {
                if !hasHead {
                    let used = try parser.parseHead(
                        buffer.readableBytesUInt8Span, into: &head, facts: &facts, answering: method,
                        wantsUpgrade: wantsUpgrade)
                    guard let used else { return }
                    buffer.moveReaderIndex(forwardBy: used)
                    if !facts.isInterim {
                        hasHead = true
                        decoder = HTTP1BodyDecoder(
                            facts.framing, limits: parser.limits,
                            keepsTrailers: pool.cluster.settings.http1.passesTrailers)
                    }
                    try ConnectionOptions.removeHopByHop(
                        &head, nominatesOthers: facts.nominatesOthers, keepsUpgrade: facts.isUpgrade)
                    sink.upstreamHead(self)
                    continue
                }
                var offset = 0
                let event = try decoder.next(buffer.readableBytesUInt8Span, &offset)
                switch event {
                case .needMore:
                    buffer.moveReaderIndex(forwardBy: offset)
                    return
                case .data(let range):
                    let slice = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count)
                    buffer.moveReaderIndex(forwardBy: offset)
                    if let slice { sink.upstreamData(slice) }
                case .end:
                    buffer.moveReaderIndex(forwardBy: offset)
                    if !decoder.trailerLines.isEmpty {
                        try trailers.fillTrailers(decoder.trailerLines)
                        trailers.preservesNames = head.preservesNames
                        sink.upstreamTrailers(self)
                        // The sink may have let go.
                        guard self.sink === sink else { return }
                    }
                    answerEnded = true
                    if buffer.readableBytes > 0 { facts.close = true }
                    buffer.clear()
                    finish(sink)
                    return
                }
            }
        } catch {
            let sink = self.sink
            self.sink = nil
            sink?.upstreamFailed(.protocolError, transportFailure: "")
            close()
        }
    }

    /// The whole answer is here. The connection goes back to the pool before the sink hears of it, so that a request
    /// the sink starts now can use it.
    private func finish(_ sink: UpstreamSink) {
        if requestEnded {
            self.sink = nil
            release()
            sink.upstreamEnded()
            // The sink is no longer attached, so the flush of this turn happens here.
            sink.upstreamReadComplete()
        } else {
            // Answered before the request was complete: what remains of it may not be mistaken for a new one.
            self.sink = nil
            close()
            sink.upstreamEnded()
            sink.upstreamReadComplete()
        }
    }

    private func release() {
        // The last bytes may have come while their reader was slow; the next one, and the end of the connection, are to be
        // heard of all the same.
        resumeReading()
        if facts.close || closesAfterAnswer || pool.isExhausted(requests) {
            phase = .idle
            close()
        } else {
            phase = .idle
            pool.released(self)
        }
    }
}
