/// Base64 with padding (RFC 4648, section 4).
public enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: ArraySlice<UInt8>, into out: inout [UInt8]) {
        var rest = bytes
        out.reserveCapacity(out.count + (bytes.count + 2) / 3 * 4)
        while let first = rest.popFirst() {
            let second = rest.popFirst()
            let third = second == nil ? nil : rest.popFirst()
            let group = UInt32(first) << 16 | UInt32(second ?? 0) << 8 | UInt32(third ?? 0)
            out.append(digits[Int(group >> 18)])
            out.append(digits[Int(group >> 12 & 63)])
            out.append(second == nil ? UInt8(ascii: "=") : digits[Int(group >> 6 & 63)])
            out.append(third == nil ? UInt8(ascii: "=") : digits[Int(group & 63)])
        }
    }

    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        encode(bytes[...], into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// nil for anything that is not whole and padded.
    public static func decode(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count % 4 == 0 else { return nil }
        let padding = bytes.suffix(2).count { $0 == UInt8(ascii: "=") }
        var out: [UInt8] = []
        var word: UInt32 = 0
        for (index, byte) in bytes.enumerated() {
            if index >= bytes.count - padding, byte == UInt8(ascii: "=") {
                word <<= 6
            } else {
                guard let value = value(byte) else { return nil }
                word = word << 6 | value
            }
            if index % 4 == 3 {
                out += [UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
                word = 0
            }
        }
        out.removeLast(min(padding, out.count))
        return out
    }

    static func value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit &- UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit &- UInt8(ascii: "a") &+ 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit &- UInt8(ascii: "0") &+ 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
