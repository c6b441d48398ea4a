import ApusDataplane
import NIOCore
import NIOPosix
import Testing

/// What a handler does with a direct socket: the kernel first, NIO with what it did not take.
private final class Pusher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let pieces: [ByteBuffer]
    private let isPlain: Bool
    private let told: EventLoopPromise<(isDirect: Bool, sent: Int, left: Int)>

    init(
        _ pieces: [ByteBuffer], isPlain: Bool, _ told: EventLoopPromise<(isDirect: Bool, sent: Int, left: Int)>
    ) {
        self.pieces = pieces
        self.isPlain = isPlain
        self.told = told
    }

    func channelActive(context: ChannelHandlerContext) {
        let socket = DirectSocket(context, isPlain: isPlain)
        var sent = 0
        var left = 0
        for piece in pieces {
            var piece = piece
            if socket?.send(&piece) == true {
                sent += 1
                continue
            }
            left += 1
            context.writeAndFlush(Self.wrapOutboundOut(piece), promise: socket?.queued(context.eventLoop))
        }
        told.succeed((socket != nil, sent, left))
        context.close(mode: .output, promise: nil)
    }
}

/// Gathers everything until the end.
private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var all = ByteBuffer()
    private let promise: EventLoopPromise<ByteBuffer>

    init(_ promise: EventLoopPromise<ByteBuffer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        all.writeImmutableBuffer(Self.unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return }
        promise.succeed(all)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(all) }
}

@Suite("Direct sockets")
struct DirectSocketTests {
    /// Numbers, so that a byte out of its order is seen.
    private static func pieces(_ count: Int, of size: Int) -> [ByteBuffer] {
        (0..<count).map { index in
            var piece = ByteBuffer()
            for word in 0..<size / 8 { piece.writeInteger(UInt64(index * (size / 8) + word)) }
            return piece
        }
    }

    private static func exchange(
        _ pieces: [ByteBuffer], isPlain: Bool = true, isSlow: Bool = false
    ) async throws -> (told: (isDirect: Bool, sent: Int, left: Int), received: ByteBuffer) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let told = group.next().makePromise(of: (isDirect: Bool, sent: Int, left: Int).self)
        let received = group.next().makePromise(of: ByteBuffer.self)
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Pusher(pieces, isPlain: isPlain, told))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: group)
            .channelOption(.autoRead, value: !isSlow)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(received))
                }
            }
            .connect(to: #require(server.localAddress)).get()
        // A slow one does not read until everything has been handed over: the socket is full by then.
        let facts = try await told.futureResult.get()
        if isSlow { try await client.setOption(.autoRead, value: true).get() }
        let bytes = try await received.futureResult.get()
        try await server.close()
        try await group.shutdownGracefully()
        return (facts, bytes)
    }

    @Test("what fits leaves in one call and past NIO")
    func fits() async throws {
        let pieces = Self.pieces(3, of: 256)
        let (told, received) = try await Self.exchange(pieces)
        #expect(told.isDirect && told.sent == 3 && told.left == 0)
        #expect(received == pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) })
    }

    @Test("what does not fit goes to NIO, with all that follows, in order")
    func full() async throws {
        let pieces = Self.pieces(400, of: 64 << 10)
        let (told, received) = try await Self.exchange(pieces, isSlow: true)
        #expect(told.sent > 0 && told.left > 0)
        #expect(received == pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) })
    }

    @Test("a connection whose bytes are changed on their way has none")
    func notPlain() async throws {
        let (told, received) = try await Self.exchange(Self.pieces(2, of: 64), isPlain: false)
        #expect(!told.isDirect && told.left == 2)
        #expect(received.readableBytes == 128)
    }
}
