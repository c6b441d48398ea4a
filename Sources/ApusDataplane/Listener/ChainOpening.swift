internal import ApusCore
internal import ApusTraffic
internal import NIOCore

/// A connection whose filter chain is known: what judges it before it is served, and the handler that serves it.
internal struct ChainOpening {
    let worker: Worker
    let listener: LoopListener
    let chain: FilterChain
    let runtime: LoopListener.Chain
    let local: SocketEndpoint?
    let remote: SocketEndpoint?
    let destination: SocketEndpoint?
    let serverName: String
    let opened: NIODeadline

    /// Adds the chain's handler behind `handler`, or closes the connection.
    ///
    /// - Returns: true if the handler is there.
    @discardableResult
    func start(_ context: ChannelHandlerContext, after handler: any ChannelHandler, tls: ConnectionTLS?) -> Bool {
        if let delay = refusal(chain.guards, tls) {
            refuse(context, after: delay)
            return false
        }
        let info = DownstreamInfo(
            id: worker.shared.nextConnectionID(), local: local, remote: remote, destination: destination,
            serverName: serverName, opened: opened, tls: tls)
        let serving: any ChannelHandler =
            switch runtime {
            case .http(let server)
            where server.manager.codec == .http2 || tls?.alpn == "h2" && server.manager.codec != .http1:
                HTTP2ServerConnection(worker: worker, server: server, info: info)
            case .http(let server): HTTP1ServerConnection(worker: worker, server: server, info: info)
            case .tcp(let server): TCPSession(worker: worker, server: server, info: info)
            }
        do {
            try context.pipeline.syncOperations.addHandler(serving, position: .after(handler))
        } catch {
            context.close(promise: nil)
            return false
        }
        return true
    }

    private var destinationPort: UInt16 { UInt16(clamping: (destination ?? local)?.port ?? 0) }

    /// nil: the connection may go on; else it is closed after so long.
    private func refusal(_ guards: [ConnectionFilter], _ tls: ConnectionTLS?) -> Duration? {
        for filter in guards {
            switch filter {
            case .authorization(let authorization):
                let facts = AuthorizationFacts(
                    destination: (destination ?? local)?.address, destinationPort: destinationPort,
                    serverName: serverName, peerAddress: remote?.address, clientAddress: remote?.address,
                    peerNames: tls?.names)
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
