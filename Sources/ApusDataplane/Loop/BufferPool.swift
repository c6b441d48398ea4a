internal import NIOCore

/// Buffers for what connections write during a turn. One that waits holds none: with thousands of them, that would be most
/// of what they cost.
internal struct BufferPool {
    private static let most = 64
    private static let largest = 64 << 10

    private var free: [ByteBuffer] = []

    /// Lends memory to a connection that has none and is about to write.
    mutating func lend(_ buffer: inout ByteBuffer) {
        if buffer.capacity == 0 { buffer = free.popLast() ?? ByteBufferAllocator().buffer(capacity: 4096) }
    }

    /// Takes an empty buffer back.
    mutating func give(_ buffer: inout ByteBuffer) {
        guard buffer.capacity > 0 else { return }
        if buffer.capacity <= Self.largest, free.count < Self.most { free.append(buffer) }
        buffer = ByteBuffer()
    }
}
