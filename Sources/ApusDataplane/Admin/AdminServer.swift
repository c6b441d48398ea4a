internal import ApusTraffic
internal import NIOCore
package import NIOPosix

/// A request to an admin page.
package struct AdminRequest: Sendable {
    package let method: String
    /// Without query.
    package let path: String
    /// Decoded; a parameter without `=` has the empty value.
    package let query: [String: String]

    package init(method: String, path: String, query: [String: String] = [:]) {
        self.method = method
        self.path = path
        self.query = query
    }

    package init(method: String, target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var query: [String: String] = [:]
        if parts.count > 1 {
            for pair in parts[1].split(separator: "&") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                query[Self.decoded(sides[0])] = sides.count > 1 ? Self.decoded(sides[1]) : ""
            }
        }
        self.init(method: method, path: parts.first.map(String.init) ?? "/", query: query)
    }

    private static func decoded(_ text: Substring) -> String {
        var out: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

package struct AdminResponse: Sendable {
    package var status: Int
    package var contentType: String
    package var body: String

    package init(_ status: Int, _ body: String, contentType: String = "text/plain; charset=UTF-8") {
        self.status = status
        self.body = body
        self.contentType = contentType
    }

    package static func json(_ body: String) -> AdminResponse {
        AdminResponse(200, body, contentType: "application/json")
    }

    package static let notFound = AdminResponse(404, "invalid path. admin commands are: /help\n")
    package static let needsPOST = AdminResponse(
        405, "This endpoint mutates state. It can only be invoked by POST.\n")
}

/// A small HTTP server for the admin pages, the health page and the metrics page. Cold: a page may take a task.
package final class AdminServer: Sendable {
    private let channel: any Channel
    package let port: Int

    private init(channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    /// - Parameter port: 0 picks a free one.
    package static func start(
        group: MultiThreadedEventLoopGroup, host: String, port: Int,
        respond: @escaping @Sendable (AdminRequest) async -> AdminResponse
    ) async throws -> AdminServer {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AdminHandler(respond: respond))
                }
            }
            .bind(host: host, port: port).get()
        return AdminServer(channel: channel)
    }

    package func stop() async { try? await channel.close() }
}

/// One connection of an admin client.
private final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let respond: @Sendable (AdminRequest) async -> AdminResponse
    private var parser = HTTP1RequestParser(limits: HTTP1Limits(headBytes: 16 << 10))
    private var head = HTTPHead()
    private var facts = HTTP1RequestFacts()
    private var body = HTTP1BodyDecoder(.none)
    private var input = ByteBuffer()
    private var isBusy = false
    private var inBody = false

    init(respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) { self.respond = respond }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = Self.unwrapInboundIn(data)
        input.writeBuffer(&buffer)
        if input.readableBytes > 1 << 20 { return context.close(promise: nil) }
        process(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func process(_ context: ChannelHandlerContext) {
        do throws(HTTP1Error) {
            while !isBusy {
                if !inBody {
                    let unread = input
                    guard
                        let used = try parser.parseHead(unread.readableBytesUInt8Span, into: &head, facts: &facts)
                    else { return }
                    input.moveReaderIndex(forwardBy: used)
                    body = HTTP1BodyDecoder(facts.framing)
                    inBody = true
                }
                // Bodies mean nothing here, but the next request begins behind them.
                var offset = 0
                let unread = input
                let event = try body.next(unread.readableBytesUInt8Span, &offset)
                input.moveReaderIndex(forwardBy: offset)
                switch event {
                case .needMore: return
                case .data: continue
                case .end:
                    inBody = false
                    answer(context)
                }
            }
        } catch {
            write(AdminResponse(error.status, ""), close: true, isHead: false, context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        isBusy = true
        let method = head.text(head.methodText)
        let request = AdminRequest(method: method == "HEAD" ? "GET" : method, target: head.text(head.path))
        let close = facts.close
        let respond = self.respond
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        Task {
            let response = await respond(request)
            loop.execute {
                let (handler, context) = bound.value
                handler.isBusy = false
                handler.write(response, close: close, isHead: method == "HEAD", context)
                if !close { handler.process(context) }
            }
        }
    }

    private func write(_ response: AdminResponse, close: Bool, isHead: Bool, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        var head = HTTPHead(
            status: UInt16(clamping: response.status),
            fields: [
                ("content-type", response.contentType), ("cache-control", "no-cache, max-age=0"),
                ("x-content-type-options", "nosniff"), ("date", String(decoding: Self.date(), as: UTF8.self)),
            ])
        head.append(.server, "envoy" as StaticString)
        var out = context.channel.allocator.buffer(capacity: 512 + response.body.utf8.count)
        HTTP1HeadWriter.writeResponse(
            head, framing: .length(response.body.utf8.count), upgrade: false, close: close, to: &out)
        if !isHead { out.writeString(response.body) }
        let promise = close ? context.eventLoop.makePromise(of: Void.self) : nil
        if let promise {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            promise.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        }
        context.writeAndFlush(Self.wrapOutboundOut(out), promise: promise)
    }

    private static func date() -> [UInt8] { TimeFormat.httpDate(seconds: WallClock.nanoseconds() / 1_000_000_000) }
}
