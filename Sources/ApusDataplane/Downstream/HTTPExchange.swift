internal import ApusCore
internal import ApusTraffic
internal import NIOCore

/// One request and its answer: asks the decision engine what to do, does it, and writes down what happened.
///
/// An HTTP/1.1 connection keeps one and uses it for each of its requests. A generation of nothing is carried over:
/// `begin` resets all state, and every timer and upstream connection is let go of at the end.
internal final class HTTPExchange: UpstreamSink {
    enum Phase {
        case idle
        /// An injected delay.
        case delayed
        /// A filter waits for the whole request.
        case buffering
        /// Waiting for a connection, or writing to one and waiting for its head.
        case trying
        /// Between two tries.
        case backingOff
        /// The answer has been started.
        case answering
        /// The answer is complete, or the client is gone.
        case done
    }

    let worker: Worker
    let server: HTTPServer
    let manager: HTTPConnectionManager
    let info: DownstreamInfo
    /// The client's side; nil once it is gone.
    var downstream: HTTPDownstream?
    /// Filled by the codec.
    var request = HTTPHead()
    var response = HTTPHead()
    /// The trailers of the request, kept for every try, and those of the answer.
    var requestTrailers = HTTPHead()
    var responseTrailers = HTTPHead()
    var hasRequestTrailers = false
    var hasResponseTrailers = false
    /// A call that is counted.
    var grpcCount: GRPCCount?
    /// The client speaks gRPC-Web.
    var grpcWeb: GRPCWebBridge?
    var facts = StreamFacts()
    /// What filters have said about the request.
    var metadata: DynamicMetadata = [:]
    var phase = Phase.idle

    // Decisions, kept from the beginning of the request to its end.
    var configuration = ProxyConfiguration.empty
    var table: RouteTable?
    var decision: RouteDecision?
    /// Some level of the decision has a word about some filter.
    var mayOverride = false
    var forward: ForwardAction?
    var draw = Draw(0)
    var identity = RequestIdentity(clientAddress: nil, isInternal: false, isSecure: false)
    var cors: CORSPolicy?
    /// The bucket that the answer tells about.
    var rateLimitBucket: TokenBucket?
    /// Bytes that the request may have while a filter collects it.
    var bufferedLimit = 0
    var timeouts = RequestTimeouts()
    var activeFault: FaultDecision?
    var nextFilter = 0
    var closesAfterReply = false
    var cookies: [GeneratedCookie] = []
    var hash: UInt64?

    // The body on its way to the upstream.
    var framing = BodyFraming.none
    var requestComplete = false
    var wantsUpgrade = false
    var isUpgraded = false
    var body = ByteBuffer()
    var keepsBody = false
    var bodyLimit = 1 << 20
    var downstreamPaused = false

    // The current try.
    var cluster: ClusterRuntime?
    var pool: HostPool?
    var connection: UpstreamStream?
    var attempts: UInt32 = 0
    var retry: RetryState?
    var holdsRetry = false
    var tryStarted = NIODeadline.uptimeNanoseconds(0)
    var headWritten = false
    var sawAnswer = false
    /// A response that is not passed on because the request is tried again; its body is thrown away.
    var dropsAnswer = false
    var retryDelay = Duration.zero
    /// Tries that took too long and go on beside the newest.
    var hedges: [HedgedTry] = []
    /// How the newest try failed, while older ones may still succeed.
    var lastFailure: LocalReply?
    /// The try before this one took too long.
    var timedOutBefore = false
    /// Address of the host that the request's session wants, and whether no other will do.
    var sessionHost: String?
    var sessionIsStrict = false
    /// Compresses the answer's body.
    var compressor: GzipCompressor?
    var acceptsGzip = false
    var redirects = InternalRedirectState()
    /// The request has become another one, which begins when the old answer is out of the way.
    var isRedirecting = false
    var shadows: [ShadowRequest] = []

    // Time.
    let timer = ExchangeTimer()
    var started = NIODeadline.uptimeNanoseconds(0)
    var routeDeadline = NIODeadline.distantFuture
    var tryDeadline = NIODeadline.distantFuture
    var tryIdleDeadline = NIODeadline.distantFuture
    /// `max_stream_duration` of the cluster, from when the try has its stream.
    var tryLifeDeadline = NIODeadline.distantFuture
    var idleDeadline = NIODeadline.distantFuture
    var lifeDeadline = NIODeadline.distantFuture
    var requestDeadline = NIODeadline.distantFuture
    var wakeDeadline = NIODeadline.distantFuture
    var streamIdle: TimeAmount?
    var hasTimers = false

    init(worker: Worker, server: HTTPServer, info: DownstreamInfo) {
        self.worker = worker
        self.server = server
        manager = server.manager
        self.info = info
        facts.connectionID = info.id
        facts.downstreamLocalAddress = info.localText
        facts.downstreamDirectRemoteAddress = info.remoteText
        facts.requestedServerName = info.serverName
        facts.hostname = worker.shared.hostname
        facts.tls = info.tls
        super.init()
    }

    final class ExchangeTimer: LoopTimer {
        /// Set from the beginning of a request to its end. A weak reference would make every count of the exchange's
        /// references slow.
        var owner: HTTPExchange?

        override func timerFired(_ now: NIODeadline) { owner?.timeReached(now) }
    }

    // MARK: From the upstream (see HTTPExchange+Upstream)

    override func upstreamReady(_ connection: UpstreamStream) { tryReady(connection) }
    override func upstreamFailed(_ reason: UpstreamReset, transportFailure: String) {
        tryFailed(reason, transportFailure: transportFailure)
    }
    override func upstreamHead(_ connection: UpstreamStream) { headReceived(connection) }
    override func upstreamData(_ data: ByteBuffer) { dataReceived(data) }
    override func upstreamTrailers(_ stream: UpstreamStream) { trailersReceived(stream) }
    override func upstreamEnded() { answerEnded() }
    override func upstreamReadComplete() { downstream?.flush() }
    override func upstreamWritabilityChanged(_ isWritable: Bool) { tryWritabilityChanged(isWritable) }

    // MARK: From the client

    /// A head has been read into `request`.
    func begin(framing: BodyFraming, upgrade: ByteRange?, expectsContinue: Bool, requestEnded: Bool) {
        start()
        self.framing = framing
        requestComplete = requestEnded
        wantsUpgrade = upgrade != nil || request.method == .connect
        if requestEnded { facts.requestCompleted = 0 }
        armRequestTimers()

        // 1. What the request claims about itself, made to agree with what the proxy knows.
        draw = Draw(worker.random.next())
        configuration = worker.configuration
        table = configuration.routeTable(for: manager)
        // What follows a CONNECT is no request, and a head that is malformed is not trusted with another one.
        if request.method == .connect { closesAfterReply = true }
        if let problem = prepare(isUpgrade: upgrade != nil) {
            if problem.status == 400 { closesAfterReply = true }
            return reply(problem)
        }
        if expectsContinue, !manager.proxies100Continue {
            request.remove(.expect)
            if !requestEnded {
                response.reset(status: 100)
                downstream?.writeInterim(response)
                downstream?.flush()
            }
        }

        // 2. The route.
        guard let table else {
            server.stats.noRoute += 1
            return reply(.routeTableNotFound)
        }
        let decision = decide(table)
        // CONNECT without a route of its own ends as 404 below.
        let isTunnel = request.method == .connect && decision.route != nil
        if isTunnel || upgrade != nil, !allowsUpgrade(upgrade) {
            closesAfterReply = true
            return reply(.upgradeRefused)
        }

        // 3. The filters, and behind them the router.
        runFilters(from: 0)
    }

    func start() {
        let now = worker.now
        started = now
        phase = .trying
        timer.owner = self
        server.stats.requestsTotal += 1
        if request.version == .http2 {
            server.stats.http2RequestsTotal += 1
        } else {
            server.stats.http1RequestsTotal += 1
        }
        server.stats.requestsActive += 1
        facts.beginRequest()
        facts.startTime = worker.wallTime(now) / 1000
        facts.protocol = request.version
        facts.downstreamRemoteAddress = info.remoteText
        table = nil
        decision = nil
        mayOverride = false
        forward = nil
        cors = nil
        if rateLimitBucket != nil { rateLimitBucket = nil }
        if !metadata.isEmpty { metadata = [:] }
        timeouts = RequestTimeouts()
        closesAfterReply = false
        if activeFault != nil { activeFault = nil }
        if !cookies.isEmpty { cookies = [] }
        hash = nil
        hasRequestTrailers = false
        hasResponseTrailers = false
        if grpcWeb != nil { grpcWeb = nil }
        if grpcCount != nil { grpcCount = nil }
        isUpgraded = false
        keepsBody = false
        bodyLimit = Int(server.listener.bufferLimit)
        downstreamPaused = false
        cluster = nil
        attempts = 0
        retry = nil
        headWritten = false
        sawAnswer = false
        dropsAnswer = false
        isRedirecting = false
        timedOutBefore = false
        if lastFailure != nil { lastFailure = nil }
        if sessionHost != nil { sessionHost = nil }
        sessionIsStrict = false
        if compressor != nil { compressor = nil }
        acceptsGzip = false
        if redirects.count > 0 { redirects = InternalRedirectState() }
        if body.readableBytes > 0 { body = ByteBuffer() }
        routeDeadline = .distantFuture
        tryDeadline = .distantFuture
        tryIdleDeadline = .distantFuture
        tryLifeDeadline = .distantFuture
        idleDeadline = .distantFuture
        lifeDeadline = .distantFuture
        requestDeadline = .distantFuture
        wakeDeadline = .distantFuture
        streamIdle = nil
        hasTimers = false
    }

    /// The codec refused the head: nothing of it can be trusted but that an answer is due.
    func refuse(_ error: HTTP1Error) {
        // A head that lacks nothing but its host was understood.
        if error != .missingHost { request.reset() }
        start()
        requestComplete = true
        reply(Self.localReply(error))
    }

    /// The codec refused the body.
    func requestFailed(_ error: HTTP1Error) {
        requestComplete = true
        dropUpstream()
        if case .answering = phase {
            facts.flags.insert(.downstreamProtocolError)
            facts.responseCodeDetails = error.details
            let downstream = self.downstream
            finish()
            downstream?.abort()
        } else {
            reply(Self.localReply(error))
        }
    }

    /// Envoy's texts for what the codec refuses.
    private static func localReply(_ error: HTTP1Error) -> LocalReply {
        switch error.status {
        case 400 where error == .missingHost: .missingHost
        case 400: LocalReply(400, "Bad Request", flags: .downstreamProtocolError, details: error.details)
        case 408: .requestHeaderTimeout
        case 426: LocalReply(426, "Upgrade Required", flags: .downstreamProtocolError, details: error.details)
        case 431:
            LocalReply(431, "Request Header Fields Too Large", flags: .downstreamProtocolError, details: error.details)
        case 501: LocalReply(501, "Not Implemented", flags: .downstreamProtocolError, details: error.details)
        default: LocalReply(UInt16(clamping: error.status), flags: .downstreamProtocolError, details: error.details)
        }
    }

    func requestData(_ data: ByteBuffer) {
        let count = data.readableBytes
        facts.bytesReceived += UInt64(count)
        touch()
        guard phase != .done, phase != .idle else { return }
        if grpcWeb != nil { return webData(data) }
        take(data, count)
    }

    /// Body bytes as they go to the upstream.
    func take(_ data: ByteBuffer, _ count: Int) {
        grpcCount?.request(data)
        if phase == .buffering { return collect(data) }
        for shadow in shadows { shadow.data(data) }
        let isFlowing = headWritten && connection != nil
        if isFlowing {
            cluster?.stats.bytesSent += UInt64(count)
            connection?.writeBody(data)
            // The write may have failed and ended the try; the client is slowed down only for a try that goes on.
            if let connection, !connection.isWritable { pauseDownstream() }
        }
        guard phase != .done else { return }
        if !isFlowing || keepsBody {
            if body.readableBytes + count > bodyLimit {
                if isFlowing {
                    // Too much to send a second time: this request gets no further try.
                    keepsBody = false
                    retry = nil
                    body = ByteBuffer()
                } else if case .backingOff = phase {
                    reply(.retryBufferExceeded)
                } else {
                    body.writeImmutableBuffer(data)
                    pauseDownstream()
                }
            } else {
                body.writeImmutableBuffer(data)
            }
        }
    }

    func requestEnded() {
        guard !requestComplete else { return }
        requestComplete = true
        requestDeadline = .distantFuture
        if let grpcWeb, !grpcWeb.mayEnd {
            closesAfterReply = true
            reply(GRPCWebBridge.incompleteBase64)
        }
        let now = worker.now
        facts.requestCompleted = (now - started).nanoseconds / 1000
        if phase == .buffering { return collected() }
        for shadow in shadows { shadow.end() }
        if headWritten { endUpstreamBody() }
        startRouteTimer(now)
    }

    /// The trailers of the request; `requestEnded` follows. The caller gets other memory back.
    func requestTrailersReceived(_ trailers: inout HTTPHead) {
        guard !requestComplete else { return }
        swap(&requestTrailers, &trailers)
        hasRequestTrailers = true
    }

    func endUpstreamBody() {
        if hasRequestTrailers { connection?.endBody(trailers: requestTrailers) } else { connection?.endBody() }
    }

    func flushUpstream() {
        connection?.flush()
        if !shadows.isEmpty { for shadow in shadows { shadow.flush() } }
    }

    /// The client closed its connection before the answer was complete.
    func downstreamClosed() {
        downstream = nil
        guard phase != .done, phase != .idle else { return }
        facts.flags.insert(.downstreamConnectionTermination)
        facts.responseCodeDetails = "downstream_remote_disconnect"
        server.stats.requestResets += 1
        dropUpstream()
        finish()
    }

    /// The stream ended before the answer was complete: the client reset it, or what it sent could not be accepted.
    func downstreamReset(byPeer: Bool, details: String) {
        downstream = nil
        guard phase != .done, phase != .idle else { return }
        facts.flags.insert(byPeer ? .downstreamRemoteReset : .downstreamProtocolError)
        facts.responseCodeDetails = details
        if byPeer { server.stats.requestResets += 1 } else { server.stats.resetsSent += 1 }
        dropUpstream()
        finish()
    }

    /// There will be no further request. The timer may still wait for an instant that no longer matters.
    func discard() { worker.timers.cancel(timer) }

    func downstreamWritabilityChanged(_ isWritable: Bool) {
        guard let connection else { return }
        if isWritable { connection.resumeReading() } else { connection.pauseReading() }
    }

    func pauseDownstream() {
        guard !downstreamPaused else { return }
        downstreamPaused = true
        downstream?.pauseReading()
    }

    func resumeDownstream() {
        guard downstreamPaused else { return }
        downstreamPaused = false
        downstream?.resumeReading()
    }
}
