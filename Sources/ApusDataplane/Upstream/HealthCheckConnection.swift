internal import ApusTraffic
internal import NIOCore

/// The connection over which a host is asked how it is. Subclasses speak the protocols; a class to inherit from, as sinks
/// are.
internal class HealthCheckConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: HealthCheckSession?
    let config: HealthCheckConfig
    private var context: ChannelHandlerContext?
    private var isActive = false
    /// An answer is awaited.
    final var isAsking = false

    init(session: HealthCheckSession, config: HealthCheckConfig) {
        self.session = session
        self.config = config
    }

    static func make(session: HealthCheckSession, config: HealthCheckConfig) -> HealthCheckConnection {
        switch config.probe {
        case .http(let probe):
            probe.usesHTTP2
                ? HTTP2HealthCheckConnection(session: session, config: config)
                : HTTP1HealthCheckConnection(session: session, config: config)
        case .grpc: HTTP2HealthCheckConnection(session: session, config: config)
        case .tcp: TCPHealthCheckConnection(session: session, config: config)
        }
    }

    /// Open, and nothing is being waited for.
    var isUsable: Bool { isActive && !isAsking }

    // MARK: For subclasses

    /// The channel is active.
    func opened() {}
    /// Sends a request.
    func ask(_ request: HTTPHead, body: [UInt8]) {}
    /// Bytes have come while an answer was awaited, or between answers.
    func received(_ buffer: inout ByteBuffer, now: NIODeadline) {}
    /// The channel is gone while an answer was awaited.
    func ended() {}

    /// Bytes of an answer's body that may matter.
    final var bodyLimit: Int {
        switch config.probe {
        case .http(let probe): probe.expectedBody.isEmpty ? 0 : probe.bodyLimit
        case .grpc: 1024
        case .tcp: 64 << 10
        }
    }

    final func write(_ buffer: ByteBuffer) { context?.writeAndFlush(Self.wrapOutboundOut(buffer), promise: nil) }

    final func closeChannel() { context?.close(promise: nil) }

    final func answered(_ head: HTTPHead, body: [UInt8], trailers: HTTPHead?, keepsAlive: Bool) {
        isAsking = false
        let verdict: HealthCheckConfig.Verdict
        switch config.probe {
        case .http(let probe): verdict = probe.judge(head, body: body)
        case .grpc(let probe): verdict = probe.judge(head, body: body, trailers: trailers)
        case .tcp: verdict = .healthy
        }
        session?.answered(verdict, keepsAlive: keepsAlive)
    }

    // MARK: The session's side

    final func close() {
        session = nil
        context?.close(promise: nil)
    }

    // MARK: The channel

    final func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive() }
    }

    final func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    final func channelActive(context: ChannelHandlerContext) {
        becameActive()
        context.fireChannelActive()
    }

    private func becameActive() {
        guard !isActive else { return }
        isActive = true
        guard let session else { return close() }
        opened()
        session.connected(self)
    }

    final func channelInactive(context: ChannelHandlerContext) {
        isActive = false
        if isAsking, session != nil { ended() }
        isAsking = false
        let session = self.session
        self.session = nil
        session?.ended(self)
        context.fireChannelInactive()
    }

    final func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    final func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        if session != nil { received(&buffer, now: context.eventLoop.now) }
    }
}

/// Bytes that are waited for.
internal final class TCPHealthCheckConnection: HealthCheckConnection {
    private var input = ByteBuffer()

    func send(_ bytes: [UInt8]) {
        isAsking = true
        if !bytes.isEmpty { write(ByteBuffer(bytes: bytes)) }
    }

    override func received(_ buffer: inout ByteBuffer, now: NIODeadline) {
        guard isAsking, case .tcp(let probe) = config.probe else { return closeChannel() }
        input.writeBuffer(&buffer)
        if HealthCheckConfig.matches(probe.receive, in: Array(input.readableBytesView)) {
            input = ByteBuffer()
            answered(HTTPHead(), body: [], trailers: nil, keepsAlive: true)
        } else if input.readableBytes > bodyLimit {
            // A host that never stops talking has not said what was expected.
            closeChannel()
        }
    }
}

/// A request in HTTP/1.1.
internal final class HTTP1HealthCheckConnection: HealthCheckConnection {
    private var input = ByteBuffer()
    private var parser = HTTP1ResponseParser()
    private var decoder = HTTP1BodyDecoder(.none)
    private var head = HTTPHead()
    private var facts = HTTP1ResponseFacts()
    private var hasHead = false
    private var method = HTTPMethod.get
    private var body: [UInt8] = []

    override func ask(_ request: HTTPHead, body bytes: [UInt8]) {
        method = request.method
        parser = HTTP1ResponseParser()
        hasHead = false
        body = []
        isAsking = true
        var out = ByteBufferAllocator().buffer(capacity: 512)
        HTTP1HeadWriter.writeRequest(
            request, framing: bytes.isEmpty && method.usuallyHasBody ? .length(0) : .asIs, upgrade: false, to: &out)
        out.writeBytes(bytes)
        write(out)
    }

    /// An answer without a length ends with its connection.
    override func ended() {
        if hasHead, decoder.endsWithConnection { answered(head, body: body, trailers: nil, keepsAlive: false) }
    }

    override func received(_ buffer: inout ByteBuffer, now: NIODeadline) {
        // Nobody asked.
        guard isAsking else { return closeChannel() }
        input.append(read: &buffer)
        do throws(HTTP1Error) {
            while isAsking {
                if !hasHead {
                    let unread = input
                    let used = try parser.parseHead(
                        unread.readableBytesUInt8Span, into: &head, facts: &facts, answering: method)
                    guard let used else { return }
                    input.moveReaderIndex(forwardBy: used)
                    if facts.isInterim { continue }
                    hasHead = true
                    decoder = HTTP1BodyDecoder(facts.framing)
                }
                var offset = 0
                let unread = input
                let event = try decoder.next(unread.readableBytesUInt8Span, &offset)
                switch event {
                case .needMore:
                    input.moveReaderIndex(forwardBy: offset)
                    return
                case .data(let range):
                    let room = bodyLimit - body.count
                    if room > 0,
                        let bytes = input.getBytes(
                            at: input.readerIndex + range.lowerBound, length: min(room, range.count))
                    {
                        body += bytes
                    }
                    input.moveReaderIndex(forwardBy: offset)
                case .end:
                    input.moveReaderIndex(forwardBy: offset)
                    let isClean = input.readableBytes == 0
                    input = ByteBuffer()
                    answered(head, body: body, trailers: nil, keepsAlive: isClean && !facts.close)
                }
            }
        } catch {
            closeChannel()
        }
    }
}
