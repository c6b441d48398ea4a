internal import ApusCore

/// Appends protobuf wire format to bytes. Only what discovery messages need: length-delimited fields and their sizes.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func text(_ field: UInt8, _ value: String) {
        guard !value.isEmpty else { return }
        header(field, length: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    /// The bytes of a field whose header is written already.
    mutating func append(_ value: String) { bytes.append(contentsOf: value.utf8) }

    /// An empty message is written too: its presence has a meaning.
    mutating func message(_ field: UInt8, _ value: [UInt8]) {
        header(field, length: value.count)
        bytes.append(contentsOf: value)
    }

    /// A version as its sixteen hexadecimal digits, as `ContentVersion.description` prints it, without a string between.
    mutating func version(_ field: UInt8, _ version: ContentVersion) {
        header(field, length: 16)
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: version.value >> UInt64(shift)) & 15
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
        }
    }

    /// Tag and length of a length-delimited field; its bytes follow. Field numbers here are below 16, so a tag is one
    /// byte.
    mutating func header(_ field: UInt8, length: Int) {
        bytes.append(field << 3 | 2)
        var rest = UInt64(truncatingIfNeeded: length)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// What a length-delimited field of this many bytes takes on the wire.
    static func size(ofFieldWith length: Int) -> Int {
        var size = 2 + length
        var rest = length >> 7
        while rest > 0 {
            size += 1
            rest >>= 7
        }
        return size
    }

    static func size(ofText value: String) -> Int { value.isEmpty ? 0 : size(ofFieldWith: value.utf8.count) }
}
