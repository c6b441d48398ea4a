internal import NIOCore

/// Where a connection's bytes go: past NIO while the kernel takes them at once, else through it.
internal struct SocketOutput {
    private var direct: DirectSocket?
    /// NIO has bytes that it was not told to flush.
    private var isQueued = false

    /// - Parameter isPlain: what is written here goes to the socket as it is.
    mutating func open(_ context: ChannelHandlerContext, isPlain: Bool) {
        direct = DirectSocket(context, isPlain: isPlain)
    }

    /// The channel is gone, or about to go to another handler.
    mutating func close() { direct = nil }

    /// Sends what is in the buffer, or gives it to NIO until `flush`. Leaves the buffer empty; where NIO holds the memory,
    /// without any.
    mutating func write(_ buffer: inout ByteBuffer, _ context: ChannelHandlerContext) {
        if direct?.send(&buffer) == true {
            buffer.clear()
        } else {
            queue(buffer, context)
            buffer = ByteBuffer()
        }
    }

    /// The same for bytes that are not copied: NIO takes them together with what is in front of them.
    mutating func queue(_ data: ByteBuffer, _ context: ChannelHandlerContext) {
        isQueued = true
        context.write(NIOAny(data), promise: direct?.queued(context.eventLoop))
    }

    mutating func flush(_ context: ChannelHandlerContext) {
        guard isQueued else { return }
        isQueued = false
        context.flush()
    }
}
