internal import ApusCore
internal import Foundation
package import NIOCore
internal import NIOHTTP1
package import NIOPosix
internal import Synchronization

/// One answer of the HTTP port.
package struct Page: Sendable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]

    package init(status: Int = 200, contentType: String = "application/json", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = Array(body.utf8)
    }

    package static func notFound(_ what: String) -> Page {
        Page(status: 404, contentType: "text/plain; charset=utf-8", body: "\(what)\n")
    }
}

/// What was asked: path and query of a GET or POST.
package struct PageRequest: Sendable {
    package let method: String
    package let path: String
    package let query: [String: String]
    /// True if the client is on this machine.
    package let isLocal: Bool

    package init(method: String, uri: String, isLocal: Bool) {
        self.method = method
        self.isLocal = isLocal
        let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "/")
        var query: [String: String] = [:]
        if parts.count > 1 {
            for pair in parts[1].split(separator: "&").prefix(64) {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let key = String(sides[0]).removingPercentEncoding ?? String(sides[0])
                let value = sides.count > 1 ? String(sides[1]).replacingOccurrences(of: "+", with: " ") : ""
                query[key] = value.removingPercentEncoding ?? value
            }
        }
        self.query = query
    }
}

/// A small HTTP/1.1 server for `/ready`, `/metrics` and `/debug/*`: no bodies, one request at a time per connection.
package final class PageServer: Sendable {
    package typealias Handler = @Sendable (PageRequest) async -> Page

    /// More connections than this at one time are closed at once.
    package static let connectionLimit = 256
    /// A request with more body than this ends its connection; no page takes one.
    package static let bodyLimit = 64 << 10

    private let channel: any Channel

    /// The address bound, with the real port.
    package var address: NIOCore.SocketAddress? { channel.localAddress }

    private init(channel: any Channel) { self.channel = channel }

    package static func start(
        host: String, port: Int, group: MultiThreadedEventLoopGroup, handler: @escaping Handler
    ) async throws -> PageServer {
        let connections = ConnectionCount()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 256)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard connections.enter(limit: connectionLimit) else { return channel.close() }
                channel.closeFuture.whenComplete { _ in connections.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    try operations.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
                    // An idle or slow client must not hold a connection for ever.
                    try operations.addHandler(IdleStateHandler(allTimeout: .seconds(60)))
                    try operations.addHandler(PageHandler(handler: handler))
                }
            }
            .bind(host: host, port: port)
            .get()
        return PageServer(channel: channel)
    }

    package func stop() async { try? await channel.close() }
}

private final class ConnectionCount: Sendable {
    private let count = Mutex(0)

    func enter(limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}

private final class PageHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let handler: PageServer.Handler
    private var head: HTTPRequestHead?
    private var bodyBytes = 0

    init(handler: @escaping PageServer.Handler) { self.handler = handler }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            bodyBytes = 0
        case .body(let part):
            // No page takes a body; a large one ends the connection.
            bodyBytes += part.readableBytes
            if bodyBytes > PageServer.bodyLimit { context.close(promise: nil) }
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let request = PageRequest(
            method: head.method.rawValue, uri: head.uri, isLocal: Self.isLocal(context.channel.remoteAddress))
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let page = handler
        let keepAlive = head.isKeepAlive
        let isHead = head.method == .HEAD
        Task {
            let answer = await page(request)
            loop.execute {
                let (handler, context) = bound.value
                handler.write(answer, context, keepAlive: keepAlive, isHead: isHead)
            }
        }
    }

    private static func isLocal(_ address: SocketAddress?) -> Bool {
        guard let address, let ip = address.ipAddress.flatMap({ IPAddress($0) }) else { return false }
        return ip.isLoopback
    }

    private func write(_ page: Page, _ context: ChannelHandlerContext, keepAlive: Bool, isHead: Bool) {
        var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: page.status))
        head.headers.add(name: "content-type", value: page.contentType)
        head.headers.add(name: "content-length", value: String(page.body.count))
        // Pages are for people and tools on this machine, not for other sites in a browser.
        head.headers.add(name: "x-content-type-options", value: "nosniff")
        head.headers.add(name: "cache-control", value: "no-store")
        // HTTP/1.0 closes unless told otherwise, HTTP/1.1 the other way round.
        head.headers.add(name: "connection", value: keepAlive ? "keep-alive" : "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: page.body)))), promise: nil)
        }
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.value.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            if !keepAlive { context.value.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
