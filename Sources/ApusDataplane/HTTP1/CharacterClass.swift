/// The byte classes of RFC 9110 that a parser asks about.
internal enum CharacterClass {
    // `tchar` as two bit sets over ASCII: a test is a shift, not a table in memory.
    private static let tokenLow: UInt64 = bits("!#$%&'*+-.0123456789", from: 0)
    private static let tokenHigh: UInt64 =
        bits("ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~", from: 64)

    private static func bits(_ characters: StaticString, from base: UInt8) -> UInt64 {
        characters.withUTF8Buffer { bytes in
            bytes.reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1 &- base) }
        }
    }

    /// A character of a method or a field name.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        if byte < 64 { return 0x03FF_6CFA_0000_0000 & (UInt64(1) << UInt64(byte)) != 0 }
        if byte < 128 { return 0x57FF_FFFF_C7FF_FFFE & (UInt64(1) << UInt64(byte &- 64)) != 0 }
        return false
    }

    /// The sets above, spelt out, so that a test can compare them with the constants of `isToken`.
    static var tokenSets: (UInt64, UInt64) { (tokenLow, tokenHigh) }

    /// A character of `Host`: those of RFC 3986, without "@", for user information is no part of a host.
    @inline(__always)
    static func isAuthority(_ byte: UInt8) -> Bool {
        if byte < 64 { return 0x2FFF_7FF2_0000_0000 & (UInt64(1) << UInt64(byte)) != 0 }
        if byte < 128 { return 0x47FF_FFFE_AFFF_FFFE & (UInt64(1) << UInt64(byte &- 64)) != 0 }
        return false
    }

    /// A character of a field value: visible ASCII, space, tab, or above ASCII.
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool { byte >= 0x20 ? byte != 0x7F : byte == 0x09 }

    /// A character of a request target: visible ASCII.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }
}
