internal import ApusTraffic
internal import NIOCore

/// The connection over which a host is asked how it is: HTTP/1.1, or bytes that are waited for.
internal final class HealthCheckConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: HealthCheckSession?
    private let config: HealthCheckConfig
    private var context: ChannelHandlerContext?
    private var isActive = false
    private var isAsking = false
    private var input = ByteBuffer()
    // HTTP
    private var parser = HTTP1ResponseParser()
    private var decoder = HTTP1BodyDecoder(.none)
    private var head = HTTPHead()
    private var facts = HTTP1ResponseFacts()
    private var hasHead = false
    private var method = HTTPMethod.get
    private var body: [UInt8] = []

    init(session: HealthCheckSession, config: HealthCheckConfig) {
        self.session = session
        self.config = config
    }

    /// Open, and nothing is being waited for.
    var isUsable: Bool { isActive && !isAsking }

    func close() {
        session = nil
        context?.close(promise: nil)
    }

    // MARK: Asking

    func ask(_ probe: HealthCheckConfig.HTTPProbe, authority: String) {
        guard let context else { return }
        let request = probe.request(authority: authority)
        method = request.method
        parser = HTTP1ResponseParser()
        hasHead = false
        body = []
        isAsking = true
        var out = context.channel.allocator.buffer(capacity: 512)
        HTTP1HeadWriter.writeRequest(
            request, framing: probe.body.isEmpty && method.usuallyHasBody ? .length(0) : .asIs, upgrade: false,
            to: &out)
        out.writeBytes(probe.body)
        context.writeAndFlush(Self.wrapOutboundOut(out), promise: nil)
    }

    func send(_ bytes: [UInt8]) {
        guard let context else { return }
        isAsking = true
        if !bytes.isEmpty { context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil) }
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        becameActive()
        context.fireChannelActive()
    }

    private func becameActive() {
        guard !isActive else { return }
        isActive = true
        if let session { session.connected(self) } else { close() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let wasAsking = isAsking
        isActive = false
        isAsking = false
        let session = self.session
        self.session = nil
        // An answer without a length ends with its connection.
        if wasAsking, hasHead, decoder.endsWithConnection, case .http(let probe) = config.probe, let session {
            session.answered(probe.judge(head, body: body), keepsAlive: false)
        }
        session?.ended(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        guard isAsking, session != nil else {
            // Nobody asked.
            context.close(promise: nil)
            return
        }
        input.writeBuffer(&buffer)
        switch config.probe {
        case .http(let probe): readHTTP(probe)
        case .tcp(let probe): readBytes(probe)
        }
    }

    private func readBytes(_ probe: HealthCheckConfig.TCPProbe) {
        if HealthCheckConfig.matches(probe.receive, in: Array(input.readableBytesView)) {
            input = ByteBuffer()
            answered(.healthy, keepsAlive: true)
        } else if input.readableBytes > 64 << 10 {
            // A host that never stops talking has not said what was expected.
            context?.close(promise: nil)
        }
    }

    private func readHTTP(_ probe: HealthCheckConfig.HTTPProbe) {
        do throws(HTTP1Error) {
            while isAsking {
                if !hasHead {
                    let used = try parser.parseHead(
                        input.readableBytesUInt8Span, into: &head, facts: &facts, answering: method)
                    guard let used else { return }
                    input.moveReaderIndex(forwardBy: used)
                    if facts.isInterim { continue }
                    hasHead = true
                    decoder = HTTP1BodyDecoder(facts.framing)
                }
                var offset = 0
                let event = try decoder.next(input.readableBytesUInt8Span, &offset)
                switch event {
                case .needMore:
                    input.moveReaderIndex(forwardBy: offset)
                    return
                case .data(let range):
                    let room = probe.bodyLimit - body.count
                    if room > 0, !probe.expectedBody.isEmpty,
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
                    answered(probe.judge(head, body: body), keepsAlive: isClean && !facts.close)
                }
            }
        } catch {
            context?.close(promise: nil)
        }
    }

    private func answered(_ verdict: HealthCheckConfig.HTTPProbe.Verdict, keepsAlive: Bool) {
        isAsking = false
        session?.answered(verdict, keepsAlive: keepsAlive)
    }
}
