internal import ApusCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// One GET of one small document, with everything about it bounded. Redirects are not followed: where they lead is the
/// other side's choice.
struct HTTPSGet: Sendable {
    let policy: FetchPolicy
    /// CA certificates that are believed beside those of the system.
    let roots: [NIOSSLCertificate]
    let group: any EventLoopGroup
    var sizeLimit = 1 << 20
    /// For all of it.
    var timeout = TimeAmount.seconds(5)

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    func body(of url: String) async throws -> [UInt8] {
        let target: FetchTarget
        do { target = try FetchTarget(url, policy) } catch { throw Failure(description: "\(error)") }
        let address = try await resolve(target)
        let loop = group.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let limit = sizeLimit
        let tls = target.isSecure ? try context() : nil
        let connecting = ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let isName = IPAddress(target.host) == nil
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: tls, serverHostname: isName ? target.host : nil))
                    }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        DocumentReader(target: target, sizeLimit: limit, promise: promise))
                }
            }
            .connect(to: address)
        // The address that was checked is the one that is connected to: a second look-up could give another.
        connecting.whenFailure { promise.fail($0) }
        let deadline = loop.scheduleTask(in: timeout) { promise.fail(Failure(description: "it took too long")) }
        promise.futureResult.whenComplete { _ in
            deadline.cancel()
            connecting.whenSuccess { $0.close(promise: nil) }
        }
        return try await promise.futureResult.get()
    }

    private func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if !roots.isEmpty { configuration.additionalTrustRoots = [.certificates(roots)] }
        return try NIOSSLContext(configuration: configuration)
    }

    /// The first address of the host, if it and all the others may be asked.
    private func resolve(_ target: FetchTarget) async throws -> SocketAddress {
        let host = target.host
        let port = target.port
        let addresses: [SocketAddress]
        if let literal = try? SocketAddress(ipAddress: host, port: port) {
            addresses = [literal]
        } else {
            let pool = NIOThreadPool.singleton
            let found = try? await pool.runIfActive { try SocketAddress.makeAddressResolvingHost(host, port: port) }
            guard let found else { throw Failure(description: "the host \(host) cannot be resolved") }
            addresses = [found]
        }
        for address in addresses {
            guard let text = address.ipAddress, let parsed = IPAddress(text), policy.allows(parsed, of: target) else {
                throw Failure(
                    description: "\(host) is at \(address.ipAddress ?? "an address") inside, which must be allowed "
                        + "with --jwks-allow \(host):\(port)")
            }
        }
        return addresses[0]
    }
}

/// Asks when the connection is there, and collects the answer.
private final class DocumentReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let target: FetchTarget
    private let sizeLimit: Int
    private let promise: EventLoopPromise<[UInt8]>
    private var body: [UInt8] = []
    private var isDone = false

    init(target: FetchTarget, sizeLimit: Int, promise: EventLoopPromise<[UInt8]>) {
        self.target = target
        self.sizeLimit = sizeLimit
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let isDefault = target.port == (target.isSecure ? 443 : 80)
        let host = target.host.contains(":") ? "[\(target.host)]" : target.host
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: target.path,
            headers: [
                "host": isDefault ? host : "\(host):\(target.port)", "accept": "application/json",
                "user-agent": "apus", "connection": "close",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if head.status != .ok { fail(context, "the answer was \(head.status.code)") }
        case .body(let part):
            guard body.count + part.readableBytes <= sizeLimit else {
                return fail(context, "the answer has more than \(sizeLimit) bytes")
            }
            body += Array(buffer: part)
        case .end:
            isDone = true
            promise.succeed(body)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, "\(error)") }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, "the connection ended before the answer did")
        context.fireChannelInactive()
    }

    private func fail(_ context: ChannelHandlerContext, _ why: String) {
        guard !isDone else { return }
        isDone = true
        promise.fail(HTTPSGet.Failure(description: why))
        context.close(promise: nil)
    }
}
