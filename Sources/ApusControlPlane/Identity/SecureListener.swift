internal import ApusIdentity
internal import Foundation
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import SwiftASN1
internal import Synchronization
internal import X509

/// The TLS side of port 15012: a certificate of ours for everybody, and a look at the caller's, if there is one.
///
/// A caller without a certificate is let in (it may hold a join token); one whose certificate is not good is not.
final class SecureListener: HTTP2ServerTransport.ListenerFactory {
    /// Certificate, key and roots; connections take what is newest when they begin.
    struct Credentials: Sendable {
        var context: NIOSSLContext
    }

    /// Connections at one time; more are closed before any TLS is spoken.
    static let connectionLimit = 16_384
    /// For the handshake: a silent caller must not hold a place.
    static let handshakeTimeout = TimeAmount.seconds(10)

    let eventLoopGroup: any EventLoopGroup
    let callers: CallerTable
    private let address: NIOCore.SocketAddress
    private let credentials: Mutex<Credentials>
    private let domains: Set<TrustDomain>
    private let count = Mutex(0)

    init(
        address: NIOCore.SocketAddress, group: any EventLoopGroup, credentials: Credentials, domains: Set<TrustDomain>
    ) {
        self.address = address
        eventLoopGroup = group
        self.credentials = Mutex(credentials)
        self.domains = domains
        callers = CallerTable()
    }

    /// New connections use these.
    func use(_ newer: Credentials) { credentials.withLock { $0 = newer } }

    /// - Parameters:
    ///   - chain: PEM blocks, leaf first, without the root.
    ///   - roots: whom callers' certificates must lead to.
    static func credentials(chain: [Certificate], key: Certificate.PrivateKey, roots: [Certificate]) throws
        -> Credentials
    {
        func converted(_ certificate: Certificate) throws -> NIOSSLCertificate {
            try NIOSSLCertificate(bytes: Array(certificate.serializeAsPEM().pemString.utf8), format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain.map { .certificate(try converted($0)) },
            privateKey: .privateKey(
                try NIOSSLPrivateKey(bytes: Array(key.serializeAsPEM().pemString.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2"]
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates(try roots.map(converted))
        return Credentials(context: try NIOSSLContext(configuration: configuration))
    }

    func makeListeningChannel(
        listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
        connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
    ) async throws -> NIOAsyncChannel<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel, Never> {
        try await ServerBootstrap(group: eventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // As for the plaintext port: a thousand proxies may come back at once.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
            .bind(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.enter(channel)
                    let context = self.credentials.withLock { $0.context }
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLServerHandler(context: context),
                        CallerHandler(callers: self.callers, domains: self.domains))
                }.flatMap {
                    connectionConfigurator.configure(channel: channel, tls: .configured(requireALPN: true))
                }
            }
    }

    private struct TooMany: Error {}

    private func enter(_ channel: any Channel) throws {
        let isAllowed = count.withLock { count in
            guard count < Self.connectionLimit else { return false }
            count += 1
            return true
        }
        guard isAllowed else { throw TooMany() }
        channel.closeFuture.whenComplete { _ in self.count.withLock { $0 -= 1 } }
    }
}

/// Writes down who the caller is as soon as the handshake is complete, before the first byte of a call is read.
private final class CallerHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let callers: CallerTable
    private let domains: Set<TrustDomain>
    private var entered: (local: String, remote: String)?
    private var timeout: Scheduled<Void>?

    init(callers: CallerTable, domains: Set<TrustDomain>) {
        self.callers = callers
        self.domains = domains
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: SecureListener.handshakeTimeout) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            timeout?.cancel()
            guard identify(context) else {
                context.close(promise: nil)
                return
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        if let entered { callers.leave(local: entered.local, remote: entered.remote) }
        entered = nil
        context.fireChannelInactive()
    }

    /// False if there is a certificate and it names nobody of this mesh.
    private func identify(_ context: ChannelHandlerContext) -> Bool {
        guard let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self) else {
            return false
        }
        guard let shown = handler.peerCertificate else { return true }
        guard let local = context.channel.localAddress, let remote = context.channel.remoteAddress,
            let bytes = try? shown.toDERBytes(), let certificate = try? Certificate(derEncoded: bytes),
            let identity = try? SPIFFEIdentity(holderOf: certificate, domains: domains, now: Date())
        else { return false }
        let names = (SecureCaller.peer(local), SecureCaller.peer(remote))
        callers.enter(identity, local: names.0, remote: names.1)
        entered = names
        return true
    }
}

enum SecureCaller {
    /// An address as gRPC names it: `ipv4:127.0.0.1:15012`, `ipv6:[::1]:15012`.
    static func peer(_ address: NIOCore.SocketAddress) -> String {
        switch address {
        case .v4(let four): "ipv4:\(four.host):\(address.port ?? 0)"
        case .v6(let six): "ipv6:[\(six.host)]:\(address.port ?? 0)"
        case .unixDomainSocket: "unix:\(address.pathname ?? "")"
        }
    }
}
