internal import ApusCore

/// Why bytes are no message.
public enum DNSDecodingError: Error, Hashable, Sendable {
    /// It ends before it is complete.
    case short
    /// A label of a reserved kind, or a name longer than 255 bytes.
    case badName
    /// A pointer that does not lead back, or too many in one name.
    case badPointer
    /// The content of a record is longer or shorter than its type allows.
    case badContent
    /// A second OPT record, or one whose owner is not the root (RFC 6891 section 6.1.1).
    case badExtension
}

extension DNSMessage {
    /// Bytes behind the last record are left alone. Of a truncated message the records that are whole are taken.
    public init(decoding bytes: [UInt8]) throws(DNSDecodingError) {
        var reader = Reader(bytes: bytes)
        self.init(id: try reader.number())
        let flags: UInt16 = try reader.number()
        isResponse = flags & 0x8000 != 0
        operation = UInt8(flags >> 11 & 0xF)
        isAuthoritative = flags & 0x400 != 0
        isTruncated = flags & 0x200 != 0
        wantsRecursion = flags & 0x100 != 0
        offersRecursion = flags & 0x80 != 0
        reserved = UInt8(flags >> 4 & 7)
        code = Code(rawValue: flags & 0xF)
        // A count is only a claim: the bytes end where they end.
        let counts: (UInt16, UInt16, UInt16, UInt16) =
            (try reader.number(), try reader.number(), try reader.number(), try reader.number())
        for _ in 0..<counts.0 {
            questions.append(
                DNSQuestion(
                    try reader.name(), DNSRecordType(rawValue: try reader.number()), recordClass: try reader.number()))
        }
        do {
            for _ in 0..<counts.1 { answers.append(try reader.record()) }
            for _ in 0..<counts.2 { authorities.append(try reader.record()) }
            for _ in 0..<counts.3 {
                let record = try reader.record(allowsOPT: true)
                if record.type == .opt { try take(record) } else { additionals.append(record) }
            }
        } catch {
            if !isTruncated { throw error }
        }
    }

    private mutating func take(_ record: DNSRecord) throws(DNSDecodingError) {
        guard edns == nil, record.name == .root, case .other(let options) = record.content else {
            throw .badExtension
        }
        var edns = EDNS(payloadSize: record.recordClass)
        edns.version = UInt8(record.ttl >> 16 & 0xFF)
        edns.flags = UInt16(record.ttl & 0xFFFF)
        edns.options = options
        self.edns = edns
        code = Code(rawValue: UInt16(record.ttl >> 24) << 4 | code.rawValue)
    }
}

private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func number() throws(DNSDecodingError) -> UInt16 {
        guard bytes.count - offset >= 2 else { throw .short }
        defer { offset += 2 }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    mutating func number() throws(DNSDecodingError) -> UInt32 {
        let high: UInt16 = try number()
        let low: UInt16 = try number()
        return UInt32(high) << 16 | UInt32(low)
    }

    /// Pointers in one name: it has at most 127 labels, and honest writers put a label before each pointer.
    private static let mostPointers = 127

    /// RFC 1035 section 4.1.4. A pointer has to lead to a place before the labels that it follows, so that none is read
    /// twice.
    mutating func name() throws(DNSDecodingError) -> DomainName {
        var labels: [UInt8] = []
        var place = offset
        var start = offset
        var pointers = 0
        while true {
            guard place < bytes.count else { throw .short }
            let length = Int(bytes[place])
            switch length {
            case 0:
                if pointers == 0 { offset = place + 1 }
                return DomainName(folding: labels)
            case 1...63:
                guard place + 1 + length <= bytes.count else { throw .short }
                guard labels.count + length + 2 <= DomainName.longest else { throw .badName }
                labels += bytes[place..<place + 1 + length]
                place += 1 + length
            case 0xC0...:
                guard place + 1 < bytes.count else { throw .short }
                if pointers == 0 { offset = place + 2 }
                pointers += 1
                let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                guard target < start, pointers <= Self.mostPointers else { throw .badPointer }
                start = target
                place = target
            default: throw .badName
            }
        }
    }

    mutating func record(allowsOPT: Bool = false) throws(DNSDecodingError) -> DNSRecord {
        let name = try name()
        let type = DNSRecordType(rawValue: try number())
        let recordClass: UInt16 = try number()
        var ttl: UInt32 = try number()
        let length: UInt16 = try number()
        let end = offset + Int(length)
        guard end <= bytes.count else { throw .short }
        if type == .opt {
            guard allowsOPT else { throw .badExtension }
        } else if ttl > 0x7FFF_FFFF {
            // RFC 2181 section 8.
            ttl = 0
        }
        let content: DNSRecord.Content
        switch (type, recordClass) {
        case (.a, 1), (.aaaa, 1):
            guard length == (type == .a ? 4 : 16),
                let address = IPAddress(networkBytes: Array(bytes[offset..<end]))
            else { throw .badContent }
            content = .address(address)
            offset = end
        case (.cname, 1): content = .alias(try self.name())
        case (.soa, 1):
            content = .authority(
                DNSRecord.Authority(
                    primary: try self.name(), mailbox: try self.name(), serial: try number(), refresh: try number(),
                    retry: try number(), expire: try number(), minimum: try number()))
        default:
            content = .other(Array(bytes[offset..<end]))
            offset = end
        }
        guard offset == end else { throw .badContent }
        return DNSRecord(name, type, recordClass: recordClass, ttl: ttl, content)
    }
}
