internal import Glibc
package import NIOCore

/// Writes to the socket of a plain connection without NIO's queue in between, as long as the kernel takes everything.
///
/// What a turn has to say to a peer is one buffer, and almost always fits into the socket's: then a system call is all
/// there is to do. What does not fit goes the ordinary way, and so does all that follows until that queue is empty again:
/// the order of bytes never changes. Whoever owns this drops it before the channel is closed, for a descriptor's number
/// may be another file's after that.
package struct DirectSocket {
    private let descriptor: CInt
    /// Writes that NIO has and has not finished.
    private let queue = Queue()

    private final class Queue {
        var count = 0
    }

    /// nil: the channel has no socket of its own, or something between it and the handler changes the bytes.
    package init?(_ context: ChannelHandlerContext, isPlain: Bool) {
        guard isPlain else { return nil }
        let found = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        guard let found else { return nil }
        descriptor = found
    }

    /// Sends the readable bytes.
    ///
    /// - Returns: false: some are left in the buffer for NIO, which also finds out what is wrong with the socket.
    package func send(_ buffer: inout ByteBuffer) -> Bool {
        guard queue.count == 0 else { return false }
        let count = buffer.readableBytes
        let sent = buffer.withUnsafeReadableBytes { bytes in
            Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        if sent == count { return true }
        if sent > 0 { buffer.moveReaderIndex(forwardBy: sent) }
        return false
    }

    /// A promise for a write that NIO is given; until it is kept, NIO gets the others, too.
    package func queued(_ loop: any EventLoop) -> EventLoopPromise<Void> {
        queue.count += 1
        let promise = loop.makePromise(of: Void.self)
        let bound = NIOLoopBound(queue, eventLoop: loop)
        promise.futureResult.whenComplete { _ in bound.value.count -= 1 }
        return promise
    }
}
