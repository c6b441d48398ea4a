internal import NIOCore

/// The frame types of RFC 9113, section 6.
internal enum HTTP2FrameType {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let resetStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
}

internal enum HTTP2Flag {
    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priority: UInt8 = 0x20
}

/// The nine octets in front of every frame.
internal struct HTTP2FrameHeader {
    static let size = 9
    static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    static let prefaceSize = 24

    let length: Int
    let type: UInt8
    let flags: UInt8
    let stream: UInt32

    /// - Parameter bytes: at least nine.
    init(_ bytes: Span<UInt8>) {
        length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
        type = bytes[3]
        flags = bytes[4]
        stream = UInt32(bytes: bytes, at: 5) & 0x7FFF_FFFF
    }

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
}

extension UInt32 {
    /// Four octets in network order.
    init(bytes: Span<UInt8>, at index: Int) {
        self =
            UInt32(bytes[index]) << 24 | UInt32(bytes[index &+ 1]) << 16 | UInt32(bytes[index &+ 2]) << 8
            | UInt32(bytes[index &+ 3])
    }
}

extension ByteBuffer {
    mutating func writeFrameHeader(length: Int, type: UInt8, flags: UInt8, stream: UInt32) {
        writeMultipleIntegers(
            UInt8(truncatingIfNeeded: length >> 16), UInt16(truncatingIfNeeded: length), type, flags, stream)
    }
}
