internal import ApusTraffic
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Stands behind the TLS handler of a connection to a host until the handshake is complete and the host has been judged;
/// only then the connection is one, and its handler is added.
internal final class ClientTLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let session: TLSSession
    private let serverName: String
    private let next: any ChannelHandler
    private let limit: TimeAmount
    private let promise: EventLoopPromise<Void>
    private let count: (TLSOutcome) -> Void
    private var handler: NIOSSLClientHandler?
    private var isDone = false
    private var timeout: Scheduled<Void>?

    init(
        session: TLSSession, serverName: String, next: any ChannelHandler, limit: TimeAmount,
        promise: EventLoopPromise<Void>, count: @escaping (TLSOutcome) -> Void
    ) {
        self.session = session
        self.serverName = serverName
        self.next = next
        self.limit = limit
        self.promise = promise
        self.count = count
    }

    func handlerAdded(context: ChannelHandlerContext) {
        do {
            // An address is no name to ask for; a name that TLS cannot carry is left out as well.
            let name = serverName.isEmpty ? nil : serverName
            let named = name.flatMap { try? NIOSSLClientHandler(context: session.context, serverHostname: $0) }
            let tls = try named ?? NIOSSLClientHandler(context: session.context, serverHostname: nil)
            handler = tls
            try context.pipeline.syncOperations.addHandler(tls, position: .before(self))
        } catch {
            fail(context, error)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if !isDone { finish(.failure(TLSFailure.closed)) }
    }

    func channelActive(context: ChannelHandlerContext) {
        // Of the limit of a connection the handshake is a part; what TCP took of it is little.
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: limit) {
            let (gate, context) = bound.value
            gate.fail(context, ChannelError.connectTimeout(gate.limit))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isDone {
            count(.failed)
            finish(.failure(TLSFailure.closed))
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isDone else { return context.fireErrorCaught(error) }
        count(String(describing: error).contains("CERTIFICATE_VERIFY_FAILED") ? .notVerified : .failed)
        fail(context, error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSUserEvent, case .handshakeCompleted = event, !isDone else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        count(.handshake)
        guard isGood else {
            count(.wrongName)
            return fail(context, TLSFailure.nameMismatch)
        }
        do {
            try context.pipeline.syncOperations.addHandler(next, position: .after(self))
        } catch {
            return fail(context, error)
        }
        finish(.success(()))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private var isGood: Bool {
        guard session.config.trust != nil else { return true }
        guard let peer = handler?.peerCertificate else { return false }
        let names = SubjectNames(peer)
        if session.config.client.checksRequestName, !names.isFor(serverName) { return false }
        return names.satisfy(session.names)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        guard !isDone else { return }
        finish(.failure(error))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<Void, any Error>) {
        isDone = true
        timeout?.cancel()
        timeout = nil
        promise.completeWith(result)
    }
}

/// What came of a handshake with a host, for its cluster's statistics.
internal enum TLSOutcome { case handshake, failed, notVerified, wrongName }
