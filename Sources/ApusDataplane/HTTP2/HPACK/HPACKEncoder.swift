internal import ApusTraffic
internal import NIOCore

/// Heads to header blocks (RFC 7541).
///
/// What repeats goes into the table and leaves as one octet afterwards; what is different in every message (lengths, ids,
/// paths) never does, so that it drives nothing out. Secrets are marked as never to be indexed (section 7.1.3). Huffman
/// coding is spent on what is put into the table: there it is paid once.
internal struct HPACKEncoder: Sendable {
    private let fixed = HPACKStaticEntries.shared
    private let huffman = HPACKHuffman.shared
    private var table: HPACKDynamicTable
    private let ownLimit: Int
    /// A table size to announce at the beginning of the next block; the smallest since the last one goes first.
    private var update: (least: Int, final: Int)?
    /// The newest entry with a name: by token, and behind those by hash for names without one. 0: none. Made at the
    /// first head.
    private var newestOfName: [UInt32] = []

    /// - Parameter limit: what this side is ready to keep; the peer's setting bounds it further.
    init(limit: Int) {
        ownLimit = limit
        // Until the peer says otherwise it keeps 4,096.
        table = HPACKDynamicTable(maxSize: min(limit, 4096))
        if limit < 4096 { update = (limit, limit) }
    }

    var tableCount: Int { table.count }

    /// The peer's `SETTINGS_HEADER_TABLE_SIZE`.
    mutating func setPeerLimit(_ limit: Int) {
        let new = min(limit, ownLimit)
        guard new != table.maxSize || update != nil else { return }
        update = (min(update?.least ?? new, new), new)
        table.setMaxSize(new)
    }

    /// An upper bound of what `write` appends for the head.
    static func bound(_ head: HTTPHead, extra: Int) -> Int {
        var bound = 96 &+ extra &+ head.methodText.count &+ head.path.count &+ head.authority.count &+ head.scheme.count
        for field in head.fields { bound &+= field.name.count &+ field.value.count &+ 16 }
        return bound
    }

    /// The block of a request head.
    mutating func writeRequest(_ head: HTTPHead, protocolName: [UInt8]?, to writer: inout RawWriter) {
        start(&writer)
        head.storage.withUnsafeBytes { all in
            let method = HTTPHead.slice(all, head.methodText)
            switch head.method {
            case .get: writer.append(0x82)
            case .post: writer.append(0x83)
            default: literal(index: 2, method, to: &writer)
            }
            let isPlainConnect = head.method == .connect && protocolName == nil
            if !isPlainConnect {
                let scheme = HTTPHead.slice(all, head.scheme)
                if scheme.count == 5 {
                    writer.append(0x87)
                } else {
                    writer.append(0x86)
                }
                let path = HTTPHead.slice(all, head.path)
                if path.count == 1, path[0] == UInt8(ascii: "/") {
                    writer.append(0x84)
                } else {
                    literal(index: 4, path, to: &writer)
                }
            }
            if let protocolName {
                // Not in any table: a literal with a new name.
                writer.append(0)
                raw(":protocol", to: &writer)
                protocolName.withUnsafeBytes { raw($0, to: &writer) }
            }
            let authority = HTTPHead.slice(all, head.authority)
            if !authority.isEmpty {
                let name: StaticString = ":authority"
                name.withUTF8Buffer { name in
                    field(
                        name: UnsafeRawBufferPointer(name), value: authority, hash: HeaderToken.authority.name.hash,
                        token: .authority, isSensitive: false, to: &writer)
                }
            }
            fields(head, all, to: &writer)
        }
    }

    /// The block of a response head.
    mutating func writeResponse(_ head: HTTPHead, to writer: inout RawWriter) {
        start(&writer)
        switch head.status {
        case 200: writer.append(0x88)
        case 204: writer.append(0x89)
        case 206: writer.append(0x8A)
        case 304: writer.append(0x8B)
        case 400: writer.append(0x8C)
        case 404: writer.append(0x8D)
        case 500: writer.append(0x8E)
        default:
            writer.append(0x08)
            writer.append(3)
            // A status has three digits, whatever a configuration says.
            let status = min(max(head.status, 100), 999)
            writer.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: status / 100))
            writer.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: status / 10 % 10))
            writer.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: status % 10))
        }
        head.storage.withUnsafeBytes { all in fields(head, all, to: &writer) }
    }

    /// The block of trailers.
    mutating func writeTrailers(_ head: HTTPHead, to writer: inout RawWriter) {
        start(&writer)
        head.storage.withUnsafeBytes { all in fields(head, all, to: &writer) }
    }

    private mutating func start(_ writer: inout RawWriter) {
        if newestOfName.isEmpty { newestOfName = [UInt32](repeating: 0, count: 256) }
        guard let update else { return }
        if update.least < update.final { integer(update.least, prefix: 5, flags: 0x20, to: &writer) }
        integer(update.final, prefix: 5, flags: 0x20, to: &writer)
        self.update = nil
    }

    private mutating func fields(_ head: HTTPHead, _ all: UnsafeRawBufferPointer, to writer: inout RawWriter) {
        for index in head.fields.indices {
            let item = head.fields[index]
            switch item.token {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .http2Settings, .host,
                .method, .path, .authority, .scheme, .status:
                // Of this hop or of the start line: never fields of HTTP/2 (RFC 9113, section 8.2.2).
                continue
            default: break
            }
            field(
                name: HTTPHead.slice(all, item.name), value: HTTPHead.slice(all, item.value), hash: item.hash,
                token: item.token, isSensitive: item.isSensitive, to: &writer)
        }
    }

    private enum Policy {
        /// Into the table, also in place of another value.
        case follow
        /// Into the table once, for its name.
        case once
        case never
        /// Not in the table of any hop.
        case secret
    }

    private static func policy(_ token: HeaderToken) -> Policy {
        switch token {
        case .authorization, .cookie, .setCookie: .secret
        case .contentLength, .location, .path: .never
        case .authority, .date, .server, .contentType, .userAgent, .accept, .acceptEncoding, .via, .vary,
            .xForwardedProto, .te, .grpcAcceptEncoding, .xEnvoyPeerMetadata, .xEnvoyPeerMetadataID:
            .follow
        default: .once
        }
    }

    private static func place(_ hash: UInt32, _ token: HeaderToken) -> Int {
        token != .other ? Int(token.rawValue & 127) : 128 &+ Int((hash ^ hash >> 16) & 127)
    }

    private mutating func field(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, hash: UInt32, token: HeaderToken,
        isSensitive: Bool, to writer: inout RawWriter
    ) {
        let policy = isSensitive ? Policy.secret : Self.policy(token)
        var nameIndex = Int(fixed.indexOfName[Int(token.rawValue)])
        let place = Self.place(hash, token)
        if policy != .secret {
            let number = Int(newestOfName[place])
            if number >= table.oldest, number <= table.newest {
                let entry = table.entry(number)
                if entry.hash == hash, entry.token == token,
                    token != .other || equal(name, table.nameRange(entry), ignoringCase: true)
                {
                    let index = HPACKStaticTable.count &+ table.newest &- number &+ 1
                    if Int(entry.valueCount) == value.count, equal(value, table.valueRange(entry)) {
                        return integer(index, prefix: 7, flags: 0x80, to: &writer)
                    }
                    if nameIndex == 0 { nameIndex = index }
                    if policy == .once { return literal(index: nameIndex, value, to: &writer) }
                }
            }
        }
        let fits = name.count &+ value.count &+ 32 <= table.maxSize / 4
        switch policy {
        case .secret:
            integer(nameIndex, prefix: 4, flags: 0x10, to: &writer)
            if nameIndex == 0 { lowercased(name, to: &writer) }
            raw(value, to: &writer)
        case .follow where fits, .once where fits:
            integer(nameIndex, prefix: 6, flags: 0x40, to: &writer)
            if nameIndex == 0 { lowercased(name, to: &writer) }
            coded(value, to: &writer)
            var lowered = [UInt8](name)
            for index in lowered.indices { lowered[index] = ASCII.lower(lowered[index]) }
            table.insert(
                name: lowered[...], value: [UInt8](value)[...], hash: hash, token: token, nameIsValid: true,
                valueIsValid: true)
            newestOfName[place] = UInt32(truncatingIfNeeded: table.newest)
        case .follow, .once, .never:
            integer(nameIndex, prefix: 4, flags: 0, to: &writer)
            if nameIndex == 0 { lowercased(name, to: &writer) }
            raw(value, to: &writer)
        }
    }

    private func equal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, ignoringCase: Bool = false) -> Bool {
        guard bytes.count == range.count else { return false }
        return table.bytes[range].withUnsafeBytes { stored in
            if ignoringCase { return ASCII.equalIgnoringCase(stored, bytes) }
            return stored.elementsEqual(bytes)
        }
    }

    // MARK: Representations

    private func literal(index: Int, _ value: UnsafeRawBufferPointer, to writer: inout RawWriter) {
        integer(index, prefix: 4, flags: 0, to: &writer)
        raw(value, to: &writer)
    }

    private func raw(_ bytes: UnsafeRawBufferPointer, to writer: inout RawWriter) {
        integer(bytes.count, prefix: 7, flags: 0, to: &writer)
        writer.append(bytes)
    }

    private func raw(_ text: StaticString, to writer: inout RawWriter) {
        text.withUTF8Buffer { raw(UnsafeRawBufferPointer($0), to: &writer) }
    }

    private func lowercased(_ name: UnsafeRawBufferPointer, to writer: inout RawWriter) {
        integer(name.count, prefix: 7, flags: 0, to: &writer)
        writer.appendLowercased(name)
    }

    private func coded(_ bytes: UnsafeRawBufferPointer, to writer: inout RawWriter) {
        let count = huffman.encodedCount(bytes)
        guard count < bytes.count else { return raw(bytes, to: &writer) }
        integer(count, prefix: 7, flags: 0x80, to: &writer)
        huffman.encode(bytes, to: &writer)
    }

    private func integer(_ value: Int, prefix: UInt8, flags: UInt8, to writer: inout RawWriter) {
        let mask = (1 << Int(prefix)) &- 1
        if value < mask { return writer.append(flags | UInt8(truncatingIfNeeded: value)) }
        writer.append(flags | UInt8(truncatingIfNeeded: mask))
        var rest = value &- mask
        while rest >= 128 {
            writer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writer.append(UInt8(truncatingIfNeeded: rest))
    }
}
