internal import ApusCore

extension DNSMessage {
    /// Names that occur twice are pointers (RFC 1035 section 4.1.4). nil: longer than 65,535 bytes, or more records in one
    /// part than can be counted.
    public func encoded() -> [UInt8]? {
        let extensions = edns == nil ? 0 : 1
        guard let questionCount = UInt16(exactly: questions.count), let answerCount = UInt16(exactly: answers.count),
            let authorityCount = UInt16(exactly: authorities.count),
            let additionalCount = UInt16(exactly: additionals.count + extensions)
        else { return nil }
        var writer = Writer()
        writer.put(id)
        var flags: UInt16 = isResponse ? 0x8000 : 0
        flags |= UInt16(operation & 0xF) << 11
        if isAuthoritative { flags |= 0x400 }
        if isTruncated { flags |= 0x200 }
        if wantsRecursion { flags |= 0x100 }
        if offersRecursion { flags |= 0x80 }
        flags |= UInt16(reserved & 7) << 4
        writer.put(flags | code.rawValue & 0xF)
        for count in [questionCount, answerCount, authorityCount, additionalCount] { writer.put(count) }
        for question in questions {
            writer.put(question.name)
            writer.put(question.type.rawValue)
            writer.put(question.recordClass)
        }
        for record in answers + authorities + additionals { writer.put(record) }
        if let edns {
            // Its owner is the root; class and time to live mean something else here.
            writer.put(
                DNSRecord(
                    .root, .opt, recordClass: edns.payloadSize,
                    ttl: UInt32(code.rawValue >> 4) << 24 | UInt32(edns.version) << 16 | UInt32(edns.flags),
                    .other(edns.options)))
        }
        return writer.bytes.count <= 65535 && writer.isGood ? writer.bytes : nil
    }
}

private struct Writer {
    var bytes: [UInt8] = []
    var isGood = true
    /// Where a name, or the end of one, begins; only places that a pointer can name.
    private var places: [ArraySlice<UInt8>: UInt16] = [:]

    mutating func put(_ number: UInt16) {
        bytes.append(UInt8(number >> 8))
        bytes.append(UInt8(number & 0xFF))
    }

    mutating func put(_ number: UInt32) {
        put(UInt16(number >> 16))
        put(UInt16(number & 0xFFFF))
    }

    mutating func put(_ name: DomainName) {
        var rest = name.wire[...]
        while let length = rest.first {
            if let place = places[rest] {
                put(0xC000 | place)
                return
            }
            if bytes.count < 0x4000 { places[rest] = UInt16(bytes.count) }
            bytes += rest.prefix(1 + Int(length))
            rest = rest.dropFirst(1 + Int(length))
        }
        bytes.append(0)
    }

    mutating func put(_ record: DNSRecord) {
        put(record.name)
        put(record.type.rawValue)
        put(record.recordClass)
        put(record.ttl)
        let start = bytes.count
        put(UInt16(0))
        switch record.content {
        case .address(let address):
            let width = address.family == .v4 ? 4 : 16
            for index in (0..<width).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: address.bits >> UInt128(8 * index)))
            }
        case .alias(let name): put(name)
        case .authority(let authority):
            put(authority.primary)
            put(authority.mailbox)
            for number in [
                authority.serial, authority.refresh, authority.retry, authority.expire, authority.minimum,
            ] { put(number) }
        case .other(let content): bytes += content
        }
        guard let length = UInt16(exactly: bytes.count - start - 2) else {
            isGood = false
            return
        }
        bytes[start] = UInt8(length >> 8)
        bytes[start + 1] = UInt8(length & 0xFF)
    }
}
