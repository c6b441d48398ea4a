internal import ApusTraffic

/// The static table of RFC 7541, appendix A. Index 0 does not exist.
internal enum HPACKStaticTable {
    static let count = 61

    static let fields: [(name: StaticString, value: StaticString)] = [
        ("", ""),
        (":authority", ""),
        (":method", "GET"),
        (":method", "POST"),
        (":path", "/"),
        (":path", "/index.html"),
        (":scheme", "http"),
        (":scheme", "https"),
        (":status", "200"),
        (":status", "204"),
        (":status", "206"),
        (":status", "304"),
        (":status", "400"),
        (":status", "404"),
        (":status", "500"),
        ("accept-charset", ""),
        ("accept-encoding", "gzip, deflate"),
        ("accept-language", ""),
        ("accept-ranges", ""),
        ("accept", ""),
        ("access-control-allow-origin", ""),
        ("age", ""),
        ("allow", ""),
        ("authorization", ""),
        ("cache-control", ""),
        ("content-disposition", ""),
        ("content-encoding", ""),
        ("content-language", ""),
        ("content-length", ""),
        ("content-location", ""),
        ("content-range", ""),
        ("content-type", ""),
        ("cookie", ""),
        ("date", ""),
        ("etag", ""),
        ("expect", ""),
        ("expires", ""),
        ("from", ""),
        ("host", ""),
        ("if-match", ""),
        ("if-modified-since", ""),
        ("if-none-match", ""),
        ("if-range", ""),
        ("if-unmodified-since", ""),
        ("last-modified", ""),
        ("link", ""),
        ("location", ""),
        ("max-forwards", ""),
        ("proxy-authenticate", ""),
        ("proxy-authorization", ""),
        ("range", ""),
        ("referer", ""),
        ("refresh", ""),
        ("retry-after", ""),
        ("server", ""),
        ("set-cookie", ""),
        ("strict-transport-security", ""),
        ("transfer-encoding", ""),
        ("user-agent", ""),
        ("vary", ""),
        ("via", ""),
        ("www-authenticate", ""),
    ]
}

/// One field of a table: where its bytes are, and what was found out about them when it was put there.
internal struct HPACKEntry: Sendable {
    /// Position of the name in the table's bytes, counted from the first byte that was ever put there; the value follows.
    var start: Int
    var nameCount: UInt32
    var valueCount: UInt32
    /// `HeaderHash` of the name.
    var hash: UInt32
    var token: HeaderToken
    var nameIsValid: Bool
    var valueIsValid: Bool

    /// What the field counts in a table (RFC 7541, section 4.1).
    var size: Int { Int(nameCount) &+ Int(valueCount) &+ 32 }
}

/// The static table as entries, and where the encoder finds its names and values. Made once; everyone holds a reference.
internal final class HPACKStaticEntries: Sendable {
    static let shared = HPACKStaticEntries()

    let bytes: [UInt8]
    let entries: [HPACKEntry]
    /// By raw value of the token: the first index with the name; 0: none.
    let indexOfName: [UInt8]

    private init() {
        var bytes: [UInt8] = []
        var entries: [HPACKEntry] = []
        var indexOfName = [UInt8](repeating: 0, count: 256)
        for (index, field) in HPACKStaticTable.fields.enumerated() {
            let start = bytes.count
            bytes.append(field.name)
            let nameCount = bytes.count - start
            bytes.append(field.value)
            let hash = HeaderHash.of(Array(bytes[start..<start + nameCount]))
            let token = bytes[start..<start + nameCount].withUnsafeBytes { HeaderToken.find(hash: hash, name: $0) }
            entries.append(
                HPACKEntry(
                    start: start, nameCount: UInt32(nameCount), valueCount: UInt32(bytes.count - start - nameCount),
                    hash: hash, token: token, nameIsValid: true, valueIsValid: true))
            if token != .other, indexOfName[Int(token.rawValue)] == 0 {
                indexOfName[Int(token.rawValue)] = UInt8(index)
            }
        }
        self.bytes = bytes
        self.entries = entries
        self.indexOfName = indexOfName
    }
}
