/// A half-open range of bytes in the storage of a head.
public struct ByteRange: Hashable, Sendable {
    public var start: UInt32
    public var end: UInt32

    @inlinable
    public init(_ start: UInt32, _ end: UInt32) {
        self.start = start
        self.end = end
    }

    public static let empty = ByteRange(0, 0)

    @inlinable public var count: Int { Int(end &- start) }
    @inlinable public var isEmpty: Bool { end == start }
}

public enum HTTPVersion: UInt8, Hashable, Sendable {
    case http10, http11, http2

    /// As `%PROTOCOL%` prints it.
    public var text: StaticString {
        switch self {
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2"
        }
    }
}

/// A request method; the ones with rules of their own have a case.
public enum HTTPMethod: UInt8, Hashable, Sendable {
    case get, head, post, put, delete, connect, options, trace, patch, other

    public init(_ bytes: UnsafeRawBufferPointer) {
        func equal(_ text: StaticString) -> Bool {
            text.withUTF8Buffer { wanted in
                wanted.count == bytes.count && !zip(wanted, bytes).contains { $0 != $1 }
            }
        }
        switch bytes.count {
        case 3: self = equal("GET") ? .get : equal("PUT") ? .put : .other
        case 4: self = equal("POST") ? .post : equal("HEAD") ? .head : .other
        case 5: self = equal("PATCH") ? .patch : equal("TRACE") ? .trace : .other
        case 6: self = equal("DELETE") ? .delete : .other
        case 7: self = equal("OPTIONS") ? .options : equal("CONNECT") ? .connect : .other
        default: self = .other
        }
    }

    /// A request without a body says so with `content-length: 0` (Envoy's HTTP/1 codec), but for these methods.
    public var usuallyHasBody: Bool {
        switch self {
        case .get, .head, .delete, .trace, .connect: false
        case .post, .put, .patch, .options, .other: true
        }
    }
}

/// One message head: the bytes as received, and where everything lies in them.
///
/// A connection keeps one and fills it again for every message, so a request allocates nothing. Changes append to
/// `storage` and move ranges; old bytes stay until `reset`. Names are compared without regard to case and kept as
/// received; whoever writes the head writes names in lower case, as Envoy does.
///
/// Of a request, `:method`, `:path`, `:authority` and `:scheme` are ranges of their own. `Host` of HTTP/1 is the
/// authority and not a field; the HTTP/1 writer emits it first.
public struct HTTPHead: Sendable {
    public struct Field: Sendable {
        public var name: ByteRange
        public var value: ByteRange
        /// `HeaderHash` of the name.
        public var hash: UInt32
        public var token: HeaderToken
        /// The sender forbade every hop to put the value into a compression table (RFC 7541, section 6.2.3).
        public var isSensitive: Bool

        @inlinable
        public init(
            name: ByteRange, value: ByteRange, hash: UInt32, token: HeaderToken, isSensitive: Bool = false
        ) {
            self.name = name
            self.value = value
            self.hash = hash
            self.token = token
            self.isSensitive = isSensitive
        }
    }

    public var storage: [UInt8]
    public var fields: [Field]
    /// The tokens that a field of this head has, or had: most questions are about headers that are not there.
    public private(set) var tokens: UInt128 = 0
    public var version: HTTPVersion
    public var method: HTTPMethod
    /// The method's bytes, also for the known ones.
    public var methodText: ByteRange
    /// `:path`, the query included, no fragment.
    public var path: ByteRange
    public var authority: ByteRange
    public var scheme: ByteRange
    /// The name of the `Host` field as received, for who writes names in the case they came in.
    public var hostName: ByteRange = .empty
    /// Names go out in the case they came in.
    public var preservesNames = false
    /// 0 in a request.
    public var status: UInt16

    public init() {
        storage = []
        fields = []
        version = .http11
        method = .other
        methodText = .empty
        path = .empty
        authority = .empty
        scheme = .empty
        status = 0
    }

    /// Empty again, with the memory kept.
    public mutating func reset() {
        storage.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        tokens = 0
        version = .http11
        method = .other
        methodText = .empty
        path = .empty
        authority = .empty
        scheme = .empty
        hostName = .empty
        preservesNames = false
        status = 0
    }

    /// Starts a response made by the proxy itself.
    public mutating func reset(status: UInt16) {
        reset()
        self.status = status
    }

    // MARK: Reading

    /// The bytes of a range; a range outside the storage reads as empty.
    @inlinable
    public func withBytes<Result>(
        _ range: ByteRange, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try storage.withUnsafeBytes { all in try body(Self.slice(all, range)) }
    }

    @inlinable
    public static func slice(_ all: UnsafeRawBufferPointer, _ range: ByteRange) -> UnsafeRawBufferPointer {
        guard range.start <= range.end, Int(range.end) <= all.count else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: all[Int(range.start)..<Int(range.end)])
    }

    /// A copy as text; for logs, tests and rare ways only.
    public func text(_ range: ByteRange) -> String { withBytes(range) { String(decoding: $0, as: UTF8.self) } }

    /// Index of the first field with the token.
    public func firstIndex(_ token: HeaderToken, from start: Int = 0) -> Int? {
        guard tokens & HeaderTokenSet.bit(token) != 0 else { return nil }
        var index = start
        while index < fields.count {
            if fields[index].token == token { return index }
            index &+= 1
        }
        return nil
    }

    /// Index of the first field with the name.
    public func firstIndex(_ name: HeaderName, from start: Int = 0) -> Int? {
        if name.token != .other { return firstIndex(name.token, from: start) }
        var index = start
        while index < fields.count {
            let field = fields[index]
            if field.hash == name.hash, field.token == .other, hasName(field, name) { return index }
            index &+= 1
        }
        return nil
    }

    private func hasName(_ field: Field, _ name: HeaderName) -> Bool {
        withBytes(field.name) { left in name.bytes.withUnsafeBytes { ASCII.equalIgnoringCase(left, $0) } }
    }

    @inline(__always)
    public func contains(_ token: HeaderToken) -> Bool {
        tokens & HeaderTokenSet.bit(token) != 0 && firstIndex(token) != nil
    }

    /// False only if no field has a token of the set.
    @inline(__always)
    public func mayContain(_ tokens: HeaderTokenSet) -> Bool { self.tokens & tokens.bits != 0 }

    public func contains(_ name: HeaderName) -> Bool { firstIndex(name) != nil }

    /// Value of the first field with the token; nil without one.
    public func value(_ token: HeaderToken) -> ByteRange? {
        firstIndex(token).map { fields[$0].value }
    }

    /// Value of the first field with the name, pseudo-headers of a request included (`host` is `:authority`).
    public func value(_ name: HeaderName) -> ByteRange? {
        switch name.token {
        case .path: path.isEmpty ? nil : path
        case .method: methodText.isEmpty ? nil : methodText
        case .authority, .host: authority.isEmpty ? nil : authority
        case .scheme: scheme.isEmpty ? nil : scheme
        default: firstIndex(name).map { fields[$0].value }
        }
    }

    /// How many fields have the name.
    public func count(_ name: HeaderName) -> Int {
        var count = 0
        var index = 0
        while let found = firstIndex(name, from: index) {
            count &+= 1
            index = found &+ 1
        }
        return count
    }

    /// True if the body accepts a value of the name; of several fields the first one accepted ends the search. nil without
    /// any field. Pseudo-headers have one value.
    public func anyValue(_ name: HeaderName, _ accepts: (UnsafeRawBufferPointer) -> Bool) -> Bool? {
        guard let first = value(name) else {
            if name.token == .status, status != 0 {
                return Array(String(status).utf8).withUnsafeBytes { accepts($0) }
            }
            return nil
        }
        if withBytes(first, accepts) { return true }
        guard !name.isPseudo, name.token != .host, var index = firstIndex(name) else { return false }
        while let next = firstIndex(name, from: index &+ 1) {
            if withBytes(fields[next].value, accepts) { return true }
            index = next
        }
        return false
    }

    /// `:path` without the query and fragment.
    public var pathWithoutQuery: ByteRange {
        withBytes(path) { bytes in
            for index in 0..<bytes.count where bytes[index] == UInt8(ascii: "?") || bytes[index] == UInt8(ascii: "#") {
                return ByteRange(path.start, path.start &+ UInt32(truncatingIfNeeded: index))
            }
            return path
        }
    }

    // MARK: Writing

    /// Appends bytes and says where they are. Bytes past 4 GiB cannot be addressed and are dropped; every caller has
    /// limits far below that.
    @inlinable
    public mutating func store(_ bytes: UnsafeRawBufferPointer) -> ByteRange {
        let start = storage.count
        guard let from = UInt32(exactly: start), let to = UInt32(exactly: start &+ bytes.count) else { return .empty }
        storage.append(contentsOf: bytes)
        return ByteRange(from, to)
    }

    public mutating func store(_ bytes: [UInt8]) -> ByteRange { bytes.withUnsafeBytes { store($0) } }

    public mutating func store(_ text: String) -> ByteRange {
        var text = text
        return text.withUTF8 { store(UnsafeRawBufferPointer($0)) }
    }

    public mutating func store(_ text: StaticString) -> ByteRange {
        text.withUTF8Buffer { store(UnsafeRawBufferPointer($0)) }
    }

    /// A decimal number, without a string in between.
    public mutating func store(decimal number: UInt64) -> ByteRange {
        let start = storage.count
        guard let from = UInt32(exactly: start) else { return .empty }
        storage.appendDecimal(number)
        return ByteRange(from, UInt32(truncatingIfNeeded: storage.count))
    }

    /// The one way a field is added.
    private mutating func add(_ field: Field) {
        tokens |= HeaderTokenSet.bit(field.token)
        fields.append(field)
    }

    /// Adds a field whose bytes are in the storage already: the codec's way.
    public mutating func addField(name: ByteRange, value: ByteRange) {
        let (hash, token) = withBytes(name) { bytes in
            let hash = HeaderHash.of(bytes)
            return (hash, HeaderToken.find(hash: hash, name: bytes))
        }
        add(Field(name: name, value: value, hash: hash, token: token))
    }

    /// The same for a codec that has hashed the name while it looked for the colon.
    public mutating func addField(name: ByteRange, value: ByteRange, hash: UInt32) {
        let token = withBytes(name) { HeaderToken.find(hash: hash, name: $0) }
        add(Field(name: name, value: value, hash: hash, token: token))
    }

    /// The same for a codec that knows the name's token, too (from a compression table).
    public mutating func addField(
        name: ByteRange, value: ByteRange, hash: UInt32, token: HeaderToken, isSensitive: Bool
    ) {
        add(Field(name: name, value: value, hash: hash, token: token, isSensitive: isSensitive))
    }

    public mutating func append(_ name: HeaderName, value: ByteRange) {
        let nameRange = store(name.bytes)
        add(Field(name: nameRange, value: value, hash: name.hash, token: name.token))
    }

    public mutating func append(_ name: HeaderName, _ value: [UInt8]) { append(name, value: store(value)) }

    public mutating func append(_ name: HeaderName, _ value: String) { append(name, value: store(value)) }

    public mutating func append(_ token: HeaderToken, _ value: StaticString) {
        append(token.name, value: store(value))
    }

    public mutating func append(_ token: HeaderToken, _ value: String) { append(token.name, value: store(value)) }

    public mutating func append(_ token: HeaderToken, _ value: [UInt8]) { append(token.name, value: store(value)) }

    public mutating func append(_ token: HeaderToken, decimal: UInt64) {
        append(token.name, value: store(decimal: decimal))
    }

    /// Gives the first field of the name the value and removes the others; appends one if there is none. Pseudo-headers
    /// of a request are set in their place.
    public mutating func replace(_ name: HeaderName, value: ByteRange) {
        switch name.token {
        case .path: path = value
        case .authority, .host: authority = value
        case .scheme: scheme = value
        case .method:
            methodText = value
            method = withBytes(value) { HTTPMethod($0) }
        case .status: break
        default:
            guard let index = firstIndex(name) else { return append(name, value: value) }
            fields[index].value = value
            guard firstIndex(name, from: index &+ 1) != nil else { return }
            removeFields(name, from: index &+ 1)
        }
    }

    public mutating func replace(_ token: HeaderToken, _ value: [UInt8]) { replace(token, value: store(value)) }

    public mutating func replace(_ token: HeaderToken, _ value: String) { replace(token, value: store(value)) }

    public mutating func replace(_ token: HeaderToken, _ value: StaticString) {
        replace(token, value: store(value))
    }

    public mutating func replace(_ token: HeaderToken, decimal: UInt64) {
        replace(token, value: store(decimal: decimal))
    }

    /// The same as for its name; most are not there yet.
    public mutating func replace(_ token: HeaderToken, value: ByteRange) {
        if tokens & HeaderTokenSet.bit(token) == 0, !Self.pseudo.contains(token) {
            append(token.name, value: value)
        } else {
            replace(token.name, value: value)
        }
    }

    private static let pseudo = HeaderTokenSet([.path, .authority, .host, .scheme, .method, .status])

    /// Removes all fields of the name, in place.
    public mutating func remove(_ name: HeaderName) {
        guard let first = firstIndex(name) else { return }
        removeFields(name, from: first)
    }

    public mutating func remove(_ token: HeaderToken) { remove(HeaderTokenSet(token)) }

    /// Removes all fields of the tokens, in one pass; nothing happens where there are none.
    public mutating func remove(_ tokens: HeaderTokenSet) {
        guard self.tokens & tokens.bits != 0 else { return }
        var kept = 0
        for index in 0..<fields.count where !tokens.contains(fields[index].token) {
            if kept != index { fields[kept] = fields[index] }
            kept &+= 1
        }
        fields.removeLast(fields.count &- kept)
        self.tokens &= ~tokens.bits
    }

    private mutating func removeFields(_ name: HeaderName, from start: Int) {
        if name.token != .other, start == 0 { return remove(name.token) }
        var kept = start
        for index in start..<fields.count {
            let field = fields[index]
            let same =
                field.hash == name.hash && field.token == name.token
                && (name.token != .other || hasName(field, name))
            if !same {
                fields[kept] = field
                kept &+= 1
            }
        }
        fields.removeLast(fields.count &- kept)
    }

    // MARK: Building (responses of the proxy, tests)

    /// A request head from text.
    public init(
        method: String, path: String, authority: String, scheme: String = "http", fields: [(String, String)] = []
    ) {
        self.init()
        methodText = store(method)
        self.method = withBytes(methodText) { HTTPMethod($0) }
        self.path = store(path)
        self.authority = store(authority)
        self.scheme = store(scheme)
        for (name, value) in fields { append(HeaderName(name), value) }
    }

    /// A response head from text.
    public init(status: UInt16, fields: [(String, String)] = []) {
        self.init()
        self.status = status
        for (name, value) in fields { append(HeaderName(name), value) }
    }

    /// Name and value of every field as text, names in lower case; for tests and `explain`.
    public var textFields: [(name: String, value: String)] {
        fields.map { (text($0.name).lowercased(), text($0.value)) }
    }

    /// First value as text.
    public func text(_ name: String) -> String? { value(HeaderName(name)).map(text) }
}

extension [UInt8] {
    public mutating func appendDecimal(_ number: UInt64) {
        if number < 10 { return append(0x30 &+ UInt8(truncatingIfNeeded: number)) }
        let start = count
        var rest = number
        while rest > 0 {
            append(0x30 &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        self[start...].reverse()
    }

    public mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }
}
