internal import ApusTraffic
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Stands behind the TLS handler of a client's connection until the handshake is complete and the client has been judged;
/// then the handler of the filter chain takes its place.
internal final class ServerTLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Where the configuration sets none: a connection in a handshake costs memory.
    static let defaultLimit = TimeAmount.seconds(15)

    private let opening: ChainOpening
    private let session: TLSSession
    private let handler: NIOSSLServerHandler
    private let limit: TimeAmount
    private var isDone = false
    private var timeout: Scheduled<Void>?

    init(opening: ChainOpening, session: TLSSession, handler: NIOSSLServerHandler, limit: TimeAmount?) {
        self.opening = opening
        self.session = session
        self.handler = handler
        self.limit = limit ?? Self.defaultLimit
    }

    private var stats: ListenerCounters { opening.listener.counters }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: limit) {
            let (gate, context) = bound.value
            guard !gate.isDone else { return }
            gate.stats.stats.transportConnectTimeouts += 1
            gate.fail(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        isDone = true
        timeout?.cancel()
        timeout = nil
    }

    private func fail(_ context: ChannelHandlerContext) {
        end()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDone { stats.stats.tlsConnectionErrors += 1 }
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isDone else { return context.fireErrorCaught(error) }
        stats.stats.tlsConnectionErrors += 1
        let text = String(describing: error)
        if text.contains("CERTIFICATE_VERIFY_FAILED") { stats.stats.tlsVerifyErrors += 1 }
        if text.contains("PEER_DID_NOT_RETURN_A_CERTIFICATE") { stats.stats.tlsNoCertificates += 1 }
        fail(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSUserEvent, case .handshakeCompleted(let negotiated) = event, !isDone else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        complete(context, alpn: negotiated ?? "")
    }

    private func complete(_ context: ChannelHandlerContext, alpn: String) {
        end()
        stats.stats.tlsHandshakes += 1
        let isVerified = session.config.trust != nil
        if let peer = handler.peerCertificate, isVerified {
            guard SubjectNames(peer).satisfy(session.names) else {
                stats.stats.tlsNameErrors += 1
                return fail(context)
            }
        } else if session.config.server.requiresClientCertificate {
            stats.stats.tlsNoCertificates += 1
            return fail(context)
        } else {
            stats.stats.tlsUnnamedPeers += 1
        }
        if session.config.server.requiresServerName, opening.serverName.isEmpty { return fail(context) }
        let facts = ConnectionTLS(
            TLSFacts(handler, session, serverName: opening.serverName, alpn: alpn, isVerified: isVerified))
        opening.start(context, after: self, tls: facts)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
