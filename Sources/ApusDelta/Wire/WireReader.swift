/// Walks over protobuf wire format without making messages of it. Every length is checked against what is there.
struct WireReader {
    enum Value {
        case bytes(ArraySlice<UInt8>)
        /// A number, which no caller here wants.
        case number
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// The next field; nil if the bytes are no protobuf (groups, which proto3 does not have, count as that too).
    mutating func next() -> (field: UInt64, value: Value)? {
        guard let tag = number(), tag >> 3 > 0, tag >> 3 <= 536_870_911 else { return nil }
        switch tag & 7 {
        case 0:
            guard number() != nil else { return nil }
            return (tag >> 3, .number)
        case 1: return skip(8) ? (tag >> 3, .number) : nil
        case 5: return skip(4) ? (tag >> 3, .number) : nil
        case 2:
            guard let length = number(), length <= UInt64(rest.count) else { return nil }
            let bytes = rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
            return (tag >> 3, .bytes(bytes))
        default: return nil
        }
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard rest.count >= count else { return false }
        rest = rest.dropFirst(count)
        return true
    }

    private mutating func number() -> UInt64? {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            if shift == 63, byte > 1 { return nil }
            result |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return result }
        }
        return nil
    }
}
