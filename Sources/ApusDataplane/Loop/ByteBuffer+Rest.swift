package import NIOCore

extension ByteBuffer {
    /// Puts a read behind what a codec left of the reads before.
    ///
    /// What was taken is given up first: a sender whose messages always end in the middle of a read would otherwise keep
    /// every byte that it ever sent in memory.
    package mutating func append(read next: inout ByteBuffer) {
        guard readableBytes > 0 else {
            self = next
            return
        }
        discardReadBytes()
        writeBuffer(&next)
    }
}
