internal import ApusTraffic

/// Makes one head out of decoded fields, and judges it by RFC 9113, section 8. What is found wrong is remembered and not
/// thrown: the block has to be decoded to its end in any case, for the table's sake.
internal struct HTTP2HeadBuilder: Sendable {
    enum Kind { case request, response, trailers }

    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let method = Seen(rawValue: 1)
        static let scheme = Seen(rawValue: 2)
        static let path = Seen(rawValue: 4)
        static let authority = Seen(rawValue: 8)
        static let status = Seen(rawValue: 16)
        static let connectProtocol = Seen(rawValue: 32)
    }

    private let kind: Kind
    private let maxBytes: Int
    private let maxFields: Int
    private var bytes = 0
    private var fields = 0
    private var seen = Seen()
    private var sawField = false
    private var cookies = 0
    private var host = ByteRange.empty
    private var protocolRange = ByteRange.empty
    private var facts = HTTP2HeadFacts()
    /// What is wrong with the message; nil: nothing so far.
    private(set) var malformed: String?
    /// More bytes or fields than allowed; none is kept any more.
    private(set) var isTooLarge = false

    init(kind: Kind, maxBytes: Int, maxFields: Int) {
        self.kind = kind
        self.maxBytes = maxBytes
        self.maxFields = maxFields
    }

    /// So large that decoding it to the end would be work for an attacker.
    var isHopeless: Bool { bytes > 2 &* maxBytes &+ 64 << 10 }

    // MARK: Bytes

    /// - Returns: the hash of a name, and whether it consists of lower-case token characters. The colon of a
    ///   pseudo-header is judged with the known names.
    static func judgeName(_ name: Span<UInt8>) -> (UInt32, Bool) {
        var hash = HeaderHash.basis
        var isValid = name.count > 0
        for index in 0..<name.count {
            let byte = name[index]
            hash = HeaderHash.step(hash, byte)
            if !CharacterClass.isToken(byte) || byte &- 0x41 < 26 {
                if byte != UInt8(ascii: ":") || index != 0 { isValid = false }
            }
        }
        return (hash, isValid)
    }

    /// Neither control characters nor blanks at the ends (section 8.2.1).
    static func judgeValue(_ value: Span<UInt8>) -> Bool {
        let count = value.count
        guard count > 0 else { return true }
        let first = value[0]
        let last = value[count &- 1]
        if first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09 { return false }
        for index in 0..<count where !CharacterClass.isFieldValue(value[index]) { return false }
        return true
    }

    // MARK: Fields

    /// A field of a table.
    mutating func add(
        _ entry: HPACKEntry, nameBytes: ArraySlice<UInt8>, valueBytes: ArraySlice<UInt8>, to head: inout HTTPHead
    ) {
        let start = head.storage.count
        if isTooLarge {
            bytes &+= nameBytes.count &+ valueBytes.count
            return
        }
        head.storage.append(contentsOf: nameBytes)
        let middle = head.storage.count
        head.storage.append(contentsOf: valueBytes)
        addStored(
            start: start, middle: middle, end: head.storage.count, hash: entry.hash, token: entry.token,
            isValid: entry.nameIsValid && entry.valueIsValid, isSensitive: false, to: &head)
    }

    /// A field whose name and value stand at the end of the head's storage.
    mutating func addStored(
        start: Int, middle: Int, end: Int, hash: UInt32, token: HeaderToken, isValid: Bool, isSensitive: Bool,
        to head: inout HTTPHead
    ) {
        bytes &+= end &- start
        fields &+= 1
        if bytes > maxBytes || fields > maxFields { isTooLarge = true }
        if isTooLarge {
            head.storage.removeLast(end &- start)
            return
        }
        guard let from = UInt32(exactly: start), let between = UInt32(exactly: middle), let to = UInt32(exactly: end)
        else { return }
        guard isValid else { return refuse("http2.invalid_header_field") }
        let value = ByteRange(between, to)
        switch token {
        case .method: if isPlaced(.method, .request) { head.methodText = value }
        case .scheme: if isPlaced(.scheme, .request) { head.scheme = value }
        case .path: if isPlaced(.path, .request) { head.path = value }
        case .authority: if isPlaced(.authority, .request) { head.authority = value }
        case .status: if isPlaced(.status, .response) { head.status = head.withBytes(value) { Self.status($0) } }
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            refuse("http2.connection_header")
        case .te where !head.withBytes(value, { Self.equal($0, "trailers") }):
            refuse("http2.invalid_te")
        case .host where kind == .request:
            if !host.isEmpty { refuse("http2.several_hosts") }
            sawField = true
            host = value
        case .contentLength:
            let length = head.withBytes(value) { Self.number($0) }
            guard let length, facts.contentLength ?? length == length else {
                return refuse("http2.invalid_content_length")
            }
            sawField = true
            // Several that agree are one.
            if facts.contentLength == nil { add(from, between, to, hash, token, isSensitive, &head) }
            facts.contentLength = length
        case .other where head.storage[start] == UInt8(ascii: ":"):
            let name = ByteRange(from, between)
            guard kind == .request, head.withBytes(name, { Self.equal($0, ":protocol") }) else {
                return refuse("http2.unknown_pseudo_header")
            }
            if isPlaced(.connectProtocol, .request) { protocolRange = value }
        case .cookie:
            cookies &+= 1
            add(from, between, to, hash, token, isSensitive, &head)
        default:
            add(from, between, to, hash, token, isSensitive, &head)
        }
    }

    private mutating func add(
        _ start: UInt32, _ middle: UInt32, _ end: UInt32, _ hash: UInt32, _ token: HeaderToken, _ isSensitive: Bool,
        _ head: inout HTTPHead
    ) {
        sawField = true
        head.addField(
            name: ByteRange(start, middle), value: ByteRange(middle, end), hash: hash, token: token,
            isSensitive: isSensitive)
    }

    private mutating func refuse(_ details: String) {
        if malformed == nil { malformed = details }
    }

    /// Pseudo-headers come once, before all fields, and only where they mean something (section 8.3).
    private mutating func isPlaced(_ one: Seen, _ wanted: Kind) -> Bool {
        guard kind == wanted, !sawField, !seen.contains(one) else {
            refuse("http2.misplaced_pseudo_header")
            return false
        }
        seen.insert(one)
        return true
    }

    // MARK: The end

    /// Judges the whole head and completes it: one `cookie` field, the authority out of `host`.
    mutating func finish(_ head: inout HTTPHead, endStream: Bool, allowsConnect: Bool) -> HTTP2HeadFacts {
        head.version = .http2
        facts.endStream = endStream
        guard malformed == nil, !isTooLarge else { return facts }
        switch kind {
        case .request: finishRequest(&head, allowsConnect: allowsConnect)
        case .response:
            if head.status == 0 || head.status == 101 { refuse("http2.invalid_status") }
        case .trailers: break
        }
        if cookies > 1 { mergeCookies(&head) }
        return facts
    }

    private mutating func finishRequest(_ head: inout HTTPHead, allowsConnect: Bool) {
        guard seen.contains(.method), !head.methodText.isEmpty,
            head.withBytes(head.methodText, { $0.allSatisfy(CharacterClass.isToken) })
        else { return refuse("http2.invalid_method") }
        head.method = head.withBytes(head.methodText) { HTTPMethod($0) }
        if !host.isEmpty {
            if head.authority.isEmpty {
                head.authority = host
            } else {
                // Two hosts are two meanings (section 8.3.1).
                let storage = head.storage
                let isSame = storage.withUnsafeBytes {
                    ASCII.equalIgnoringCase(HTTPHead.slice($0, host), HTTPHead.slice($0, head.authority))
                }
                guard isSame else { return refuse("http2.authority_and_host_differ") }
            }
        }
        guard !head.authority.isEmpty, head.withBytes(head.authority, { $0.allSatisfy(Self.isAuthority) }) else {
            return refuse("http2.invalid_authority")
        }
        if head.method == .connect, !seen.contains(.connectProtocol) {
            // Section 8.5: the authority, and nothing else.
            if seen.contains(.scheme) || seen.contains(.path) { refuse("http2.invalid_connect") }
            return
        }
        if seen.contains(.connectProtocol) {
            guard allowsConnect, head.method == .connect, !protocolRange.isEmpty else {
                return refuse("http2.invalid_connect")
            }
            facts.protocolName = protocolRange
        }
        guard seen.contains(.scheme), head.withBytes(head.scheme, Self.isScheme) else {
            return refuse("http2.invalid_scheme")
        }
        guard seen.contains(.path), !head.path.isEmpty,
            head.withBytes(head.path, { $0.allSatisfy(CharacterClass.isTarget) })
        else { return refuse("http2.invalid_path") }
        if head.storage[Int(head.path.start)] != UInt8(ascii: "/") {
            let isAsterisk = head.withBytes(head.path) { Self.equal($0, "*") }
            guard isAsterisk, head.method == .options else { return refuse("http2.invalid_path") }
        }
        if let expect = head.value(.expect) {
            facts.expectsContinue = head.withBytes(expect) { Self.equal($0, "100-continue") }
        }
    }

    /// Crumbs of a cookie become one field, in the place of the first (section 8.2.3).
    private func mergeCookies(_ head: inout HTTPHead) {
        guard let first = head.firstIndex(.cookie) else { return }
        let start = head.storage.count
        var isFirst = true
        for field in head.fields where field.token == .cookie {
            if !isFirst { head.storage.append("; ") }
            isFirst = false
            head.storage.append(contentsOf: head.storage[Int(field.value.start)..<Int(field.value.end)])
        }
        guard let from = UInt32(exactly: start), let to = UInt32(exactly: head.storage.count) else { return }
        var field = head.fields[first]
        field.value = ByteRange(from, to)
        head.remove(.cookie)
        head.addField(
            name: field.name, value: field.value, hash: field.hash, token: .cookie, isSensitive: field.isSensitive)
    }

    // MARK: Values

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { ASCII.equalIgnoringCase(bytes, UnsafeRawBufferPointer($0)) }
    }

    private static func status(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        guard bytes.count == 3 else { return 0 }
        var status: UInt16 = 0
        for byte in bytes {
            guard byte &- 0x30 < 10 else { return 0 }
            status = status &* 10 &+ UInt16(byte &- 0x30)
        }
        return status >= 100 ? status : 0
    }

    private static func number(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard bytes.count > 0, bytes.count <= 18 else { return nil }
        var number: UInt64 = 0
        for byte in bytes {
            guard byte &- 0x30 < 10 else { return nil }
            number = number &* 10 &+ UInt64(byte &- 0x30)
        }
        return number
    }

    private static func isScheme(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first, (first | 0x20) &- 0x61 < 26 else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E: true
            default: false
            }
        }
    }

    /// Host with a port or not, without user information (section 8.3.1).
    private static func isAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x2D, 0x2E, 0x5F, 0x7E, 0x25, 0x21, 0x24, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x3B, 0x3D, 0x3A, 0x5B,
            0x5D:
            true
        default: false
        }
    }
}
