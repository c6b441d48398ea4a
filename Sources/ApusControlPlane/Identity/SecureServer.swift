internal import ApusIdentity
internal import Crypto
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import X509

/// Port 15012: the certificate service and xDS for callers who prove who they are.
struct SecureServer: Sendable {
    let listener: SecureListener
    private let transport: HTTP2ServerTransport.Custom<SecureListener>
    private let server: GRPCServer<HTTP2ServerTransport.Custom<SecureListener>>
    private let authority: AuthorityStore
    private let identity: SPIFFEIdentity
    private let hosts: [String]
    private let addresses: [String]
    private let logger: Logger

    struct Options {
        var address: String
        var port: Int
        var trustDomain: TrustDomain
        var rootNamespace: String
        /// Names in the server's certificate beside the usual ones.
        var serverNames: [String]
    }

    /// Life of the server's certificate; renewed when half of it has passed.
    private static let lifetime: TimeInterval = 24 * 3600

    init(
        options: Options, authority: AuthorityStore, services: (CallerTable) -> [any RegistrableRPCService],
        logger: Logger
    ) throws {
        guard
            let identity = SPIFFEIdentity(
                trustDomain: options.trustDomain, namespace: options.rootNamespace, serviceAccount: "istiod")
        else { throw AuthorityStore.Failure(description: "\(options.rootNamespace) cannot be a namespace") }
        self.identity = identity
        self.authority = authority
        self.logger = logger
        let named = options.serverNames + [options.address]
        addresses = ["127.0.0.1", "::1"] + named.filter { (try? SocketAddress(ipAddress: $0, port: 0)) != nil }
        hosts =
            ["localhost", "istiod.\(options.rootNamespace).svc"]
            + named.filter { (try? SocketAddress(ipAddress: $0, port: 0)) == nil }
        listener = SecureListener(
            address: try SocketAddress(ipAddress: options.address, port: options.port),
            group: MultiThreadedEventLoopGroup.singleton,
            credentials: try Self.credentials(authority.current, identity, hosts, addresses),
            domains: [options.trustDomain])
        var config = HTTP2ServerTransport.Custom<SecureListener>.Config.defaults
        ServerLimits.apply(&config.connection, &config.rpc, &config.http2)
        transport = HTTP2ServerTransport.Custom(listenerFactory: listener, config: config)
        server = GRPCServer(transport: transport, services: services(listener.callers))
    }

    /// The port bound; nil if binding failed.
    var port: Int? {
        get async {
            let bound = await transport.listeningAddress
            return bound?.ipv4?.port ?? bound?.ipv6?.port
        }
    }

    func serve() async throws { try await server.serve() }
    func stop() { server.beginGracefulShutdown() }

    /// Looks after the certificates until cancelled: files that changed, an intermediate or a server certificate that
    /// nears its end.
    ///
    /// - Parameter changed: called when another authority, or another set of roots, is in force.
    func maintain(changed: @Sendable () async -> Void) async {
        var made = Date()
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let now = Date()
            do {
                let isNew = try authority.refresh(now: now)
                guard isNew || now.timeIntervalSince(made) > Self.lifetime / 2 else { continue }
                listener.use(try Self.credentials(authority.current, identity, hosts, addresses))
                made = now
                if isNew {
                    logger.notice("the certificate authority was read again")
                    await changed()
                }
            } catch {
                logger.error("the certificate authority cannot be read again", metadata: ["reason": "\(error)"])
                // Once a minute is enough to complain.
                guard (try? await Task.sleep(for: .seconds(59))) != nil else { return }
            }
        }
    }

    private static func credentials(
        _ current: AuthorityStore.Current, _ identity: SPIFFEIdentity, _ hosts: [String], _ addresses: [String]
    ) throws -> SecureListener.Credentials {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let issued = try current.authority.issueServer(
            identity: identity, hosts: hosts,
            addresses: addresses.compactMap { text in
                (try? SocketAddress(ipAddress: text, port: 0)).flatMap(bytes)
            }, key: key.publicKey, lifetime: lifetime, now: Date())
        return try SecureListener.credentials(
            chain: [issued.certificate] + current.authority.chain, key: key, roots: current.roots)
    }

    /// An address as X.509 writes it: 4 or 16 bytes in network order.
    private static func bytes(_ address: NIOCore.SocketAddress) -> [UInt8]? {
        switch address {
        case .v4(let four): withUnsafeBytes(of: four.address.sin_addr) { Array($0) }
        case .v6(let six): withUnsafeBytes(of: six.address.sin6_addr) { Array($0) }
        case .unixDomainSocket: nil
        }
    }
}
