internal import ApusTraffic
internal import CApusZlib
internal import NIOCore

/// One body on its way through zlib. Every piece leaves at once: an answer that trickles must arrive so.
internal final class GzipCompressor {
    private static let chunk = 16 << 10

    private var stream = z_stream()
    private var isOpen = false

    /// nil if zlib has no memory or refuses the parameters.
    init?(_ options: CompressionPolicy.Gzip) {
        // Sixteen more window bits ask for the gzip envelope.
        guard
            apus_deflate_init(
                &stream, options.level, options.windowBits + 16, options.memoryLevel, options.strategy) == Z_OK
        else { return nil }
        isOpen = true
    }

    deinit { if isOpen { deflateEnd(&stream) } }

    func compress(_ data: ByteBuffer) -> ByteBuffer? { run(data, Z_SYNC_FLUSH) }

    func finish() -> ByteBuffer? {
        let rest = run(ByteBuffer(), Z_FINISH)
        if isOpen { deflateEnd(&stream) }
        isOpen = false
        return rest
    }

    /// nil: nothing came out.
    private func run(_ data: ByteBuffer, _ flush: Int32) -> ByteBuffer? {
        guard isOpen else { return nil }
        var out = ByteBuffer()
        data.withUnsafeReadableBytes { input in
            // zlib reads only; its interface is older than const.
            stream.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.avail_in = UInt32(clamping: input.count)
            while true {
                let written = out.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunk) { space in
                    let room = UInt32(clamping: space.count)
                    stream.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.avail_out = room
                    _ = deflate(&stream, flush)
                    return Int(room - stream.avail_out)
                }
                // Room left over says that zlib has given all it has.
                if stream.avail_out > 0 || written == 0 { break }
            }
            stream.next_in = nil
            stream.next_out = nil
        }
        return out.readableBytes > 0 ? out : nil
    }
}
