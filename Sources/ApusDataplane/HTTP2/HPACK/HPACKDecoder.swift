internal import ApusTraffic

/// Header blocks to heads (RFC 7541, section 3). The bytes come from a peer, so each step is checked.
internal struct HPACKDecoder: Sendable {
    private let fixed = HPACKStaticEntries.shared
    private let huffman = HPACKHuffman.shared
    private var table: HPACKDynamicTable
    /// What this side offered and the peer acknowledged: the most that a size update may ask for.
    private var sizeLimit: Int
    /// The offer became smaller: the next block has to begin with a size update (section 4.2).
    private var needsUpdate = false

    /// - Parameter limit: the `SETTINGS_HEADER_TABLE_SIZE` of this side. Until the peer acknowledges it, it may use 4,096.
    init(limit: Int) {
        table = HPACKDynamicTable(maxSize: 4096)
        sizeLimit = max(limit, 4096)
    }

    var tableSize: Int { table.size }
    var tableCount: Int { table.count }
    var tableLimit: Int { table.maxSize }

    /// The peer has acknowledged `SETTINGS_HEADER_TABLE_SIZE`.
    mutating func setLimit(_ limit: Int) {
        sizeLimit = limit
        if table.maxSize > limit { needsUpdate = true }
    }

    /// Decodes a whole block. Fields go to the builder, which judges them; the table is kept in step even when the
    /// builder no longer wants any.
    mutating func decode(
        _ block: Span<UInt8>, into head: inout HTTPHead, builder: inout HTTP2HeadBuilder
    ) throws(HTTP2Problem) {
        var index = 0
        var mayUpdate = true
        while index < block.count {
            let first = block[index]
            if first & 0x80 != 0 {
                let number = try integer(block, &index, prefix: 7)
                try addIndexed(number, into: &head, builder: &builder)
            } else if first & 0x40 != 0 {
                try literal(block, &index, prefix: 6, isIndexed: true, isSensitive: false, &head, &builder)
            } else if first & 0x20 != 0 {
                guard mayUpdate else { throw Self.broken("hpack_size_update_inside_block") }
                let size = try integer(block, &index, prefix: 5)
                guard size <= sizeLimit else { throw Self.broken("hpack_size_update_too_large") }
                table.setMaxSize(size)
                needsUpdate = false
                continue
            } else {
                try literal(
                    block, &index, prefix: 4, isIndexed: false, isSensitive: first & 0x10 != 0, &head, &builder)
            }
            mayUpdate = false
            guard !needsUpdate else { throw Self.broken("hpack_missing_size_update") }
            guard !builder.isHopeless else {
                throw HTTP2Problem(.enhanceYourCalm, "http2.head_far_too_large")
            }
        }
    }

    private static func broken(_ details: String) -> HTTP2Problem {
        HTTP2Problem(.compressionError, "http2." + details)
    }

    private enum Place {
        case fixed(HPACKEntry)
        case dynamic(HPACKEntry)
    }

    private func place(_ index: Int) throws(HTTP2Problem) -> Place {
        if index > 0, index <= HPACKStaticTable.count { return .fixed(fixed.entries[index]) }
        let back = index &- HPACKStaticTable.count
        guard index > 0, back <= table.count else { throw Self.broken("hpack_index") }
        return .dynamic(table.entry(table.newest &- back &+ 1))
    }

    private func addIndexed(
        _ index: Int, into head: inout HTTPHead, builder: inout HTTP2HeadBuilder
    ) throws(HTTP2Problem) {
        switch try place(index) {
        case .fixed(let entry):
            let name = entry.start..<entry.start &+ Int(entry.nameCount)
            let value = name.upperBound..<name.upperBound &+ Int(entry.valueCount)
            builder.add(entry, nameBytes: fixed.bytes[name], valueBytes: fixed.bytes[value], to: &head)
        case .dynamic(let entry):
            builder.add(
                entry, nameBytes: table.bytes[table.nameRange(entry)], valueBytes: table.bytes[table.valueRange(entry)],
                to: &head)
        }
    }

    private mutating func literal(
        _ block: Span<UInt8>, _ index: inout Int, prefix: UInt8, isIndexed: Bool, isSensitive: Bool,
        _ head: inout HTTPHead, _ builder: inout HTTP2HeadBuilder
    ) throws(HTTP2Problem) {
        let number = try integer(block, &index, prefix: prefix)
        // The storage takes name and value one behind the other; the builder keeps them or cuts them off again.
        let start = head.storage.count
        var hash: UInt32
        var token: HeaderToken
        var nameIsValid: Bool
        if number > 0 {
            let entry: HPACKEntry
            switch try place(number) {
            case .fixed(let found):
                entry = found
                head.storage.append(contentsOf: fixed.bytes[found.start..<found.start &+ Int(found.nameCount)])
            case .dynamic(let found):
                entry = found
                head.storage.append(contentsOf: table.bytes[table.nameRange(found)])
            }
            hash = entry.hash
            token = entry.token
            nameIsValid = entry.nameIsValid
        } else {
            try string(block, &index, into: &head)
            (hash, nameIsValid) = HTTP2HeadBuilder.judgeName(head.storage.span.extracting(start..<head.storage.count))
            let value = hash
            token = head.storage[start...].withUnsafeBytes { HeaderToken.find(hash: value, name: $0) }
        }
        let middle = head.storage.count
        try string(block, &index, into: &head)
        let end = head.storage.count
        let valueIsValid = HTTP2HeadBuilder.judgeValue(head.storage.span.extracting(middle..<end))
        if isIndexed {
            table.insert(
                name: head.storage[start..<middle], value: head.storage[middle..<end], hash: hash, token: token,
                nameIsValid: nameIsValid, valueIsValid: valueIsValid)
        }
        builder.addStored(
            start: start, middle: middle, end: end, hash: hash, token: token, isValid: nameIsValid && valueIsValid,
            isSensitive: isSensitive, to: &head)
    }

    /// A string literal (section 5.2), appended to the head's storage.
    private func string(
        _ block: Span<UInt8>, _ index: inout Int, into head: inout HTTPHead
    ) throws(HTTP2Problem) {
        guard index < block.count else { throw Self.broken("hpack_truncated") }
        let isCoded = block[index] & 0x80 != 0
        let count = try integer(block, &index, prefix: 7)
        guard count <= block.count &- index else { throw Self.broken("hpack_truncated") }
        let bytes = block.extracting(index..<index &+ count)
        index &+= count
        if isCoded {
            guard huffman.decode(bytes, appendingTo: &head.storage) else { throw Self.broken("hpack_huffman") }
        } else {
            bytes.withUnsafeBufferPointer { head.storage.append(contentsOf: $0) }
        }
    }

    /// An integer (section 5.1) of at most 2^28: nothing that a block can say needs more.
    private func integer(_ block: Span<UInt8>, _ index: inout Int, prefix: UInt8) throws(HTTP2Problem) -> Int {
        guard index < block.count else { throw Self.broken("hpack_truncated") }
        let mask = (UInt8(1) << prefix) &- 1
        var value = Int(block[index] & mask)
        index &+= 1
        guard value == Int(mask) else { return value }
        var shift = 0
        while true {
            guard index < block.count else { throw Self.broken("hpack_truncated") }
            let byte = block[index]
            index &+= 1
            guard shift <= 21 || (shift <= 28 && byte & 0x7F == 0) else { throw Self.broken("hpack_integer") }
            value &+= Int(byte & 0x7F) << shift
            shift &+= 7
            if byte & 0x80 == 0 { return value }
        }
    }
}
