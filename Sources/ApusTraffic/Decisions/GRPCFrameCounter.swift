/// Counts the messages in a stream of gRPC: each is five bytes of flags and length, and so many bytes behind them.
public struct GRPCFrameCounter: Sendable {
    /// Messages whose head is complete.
    public private(set) var count: UInt64 = 0
    private var headSeen = 0
    private var length: UInt32 = 0
    private var left: UInt32 = 0

    public init() {}

    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if left > 0 {
                let step = min(Int(left), bytes.count - index)
                left -= UInt32(step)
                index += step
                continue
            }
            let byte = bytes[index]
            index += 1
            if headSeen > 0 { length = length << 8 | UInt32(byte) }
            headSeen += 1
            if headSeen == 5 {
                count += 1
                left = length
                headSeen = 0
                length = 0
            }
        }
    }
}
