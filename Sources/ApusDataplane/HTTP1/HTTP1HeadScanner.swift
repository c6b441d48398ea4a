package import ApusTraffic
internal import Glibc

/// Finds the end of a head. Remembers how far it has looked, so a head that arrives byte by byte costs one pass.
internal struct HTTP1HeadScanner: Sendable {
    private var looked = 0
    /// Where the current line began.
    private var lineStart = 0
    private var lines = 0

    /// - Returns: the number of bytes up to and including the empty line; nil if more is needed.
    mutating func findEnd(_ bytes: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Error) -> Int? {
        let count = bytes.count
        var index = looked
        while let next = Self.lineFeed(bytes, from: index) {
            index = next
            // A line feed without its carriage return ends a line for some parsers and not for others: refused.
            guard index > 0, bytes[index &- 1] == 0x0D else { throw .malformed }
            let length = index &- 1 &- lineStart
            index &+= 1
            if length == 0, lines > 0 {
                guard index <= limits.headBytes else { throw .headTooLarge }
                self = HTTP1HeadScanner()
                return index
            }
            if length > 0 { lines &+= 1 }
            // The first line is the start line; blank lines before it are skipped, but they count as bytes.
            guard lines <= limits.fields &+ 1 else { throw .tooManyFields }
            lineStart = index
        }
        looked = count
        guard count <= limits.headBytes else { throw .headTooLarge }
        return nil
    }
}

extension HTTP1HeadScanner {
    private static func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        bytes.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress, start < all.count,
                let found = memchr(base + start, 0x0A, all.count &- start)
            else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }
}

/// The facts of a head that concern the connection and not the message.
internal struct HTTP1FieldFacts: Sendable {
    var contentLength: UInt64?
    var isChunked = false
    var transferEncodings = 0
    var hostCount = 0
    var connectionFields = 0
    /// False in trailers, where lengths say nothing.
    var checksFraming = true
}

extension HTTPHead {
    /// Fills the head with the trailers of a body in chunks. Fields that delimit messages, route or belong to a connection
    /// have no place there (RFC 9110, section 6.5.1) and are left out.
    ///
    /// - Parameter block: complete lines, without the empty one at the end.
    internal mutating func fillTrailers(_ block: [UInt8]) throws(HTTP1Error) {
        reset()
        storage.append(contentsOf: block)
        storage.append(contentsOf: [0x0D, 0x0A])
        var facts = HTTP1FieldFacts()
        facts.checksFraming = false
        try facts.readFields(&self, from: 0, to: storage.count, isRequest: false)
        fields.removeAll { field in
            switch field.token {
            case .contentLength, .transferEncoding, .host, .connection, .keepAlive, .proxyConnection, .te, .trailer,
                .upgrade, .http2Settings:
                true
            default: false
            }
        }
    }
}

extension HTTP1FieldFacts {
    /// Reads the header lines of `head.storage` from `start` to the empty line that ends at `end`.
    ///
    /// `Host` becomes the authority of a request; every other line becomes a field.
    mutating func readFields(_ head: inout HTTPHead, from start: Int, to end: Int, isRequest: Bool) throws(HTTP1Error) {
        var index = start
        while true {
            // The scanner has seen the empty line, so the indices below stay inside; the span checks them anyway.
            guard let line = try Self.readLine(head.storage.span, end, &index) else { return }
            head.addField(name: line.name, value: line.value, hash: line.hash)
            try note(&head, isRequest: isRequest)
        }
    }

    /// One header line; nil for the empty line that ends the head.
    private static func readLine(
        _ bytes: Span<UInt8>, _ end: Int, _ index: inout Int
    ) throws(HTTP1Error) -> (name: ByteRange, value: ByteRange, hash: UInt32)? {
        let nameStart = index
        guard nameStart &+ 1 < end else { throw .malformed }
        if bytes[nameStart] == 0x0D {
            guard bytes[nameStart &+ 1] == 0x0A, nameStart &+ 2 == end else { throw .malformed }
            return nil
        }
        // A line that begins with a blank continues the last one (obs-fold): not a token, so refused.
        var hash = HeaderHash.basis
        var scan = nameStart
        while scan < end, CharacterClass.isToken(bytes[scan]) {
            hash = HeaderHash.step(hash, bytes[scan])
            scan &+= 1
        }
        guard scan > nameStart, scan < end, bytes[scan] == UInt8(ascii: ":") else { throw .malformed }
        let nameEnd = scan
        scan &+= 1
        while scan < end, bytes[scan] == 0x20 || bytes[scan] == 0x09 { scan &+= 1 }
        let valueStart = scan
        var valueEnd = valueStart
        while scan < end, CharacterClass.isFieldValue(bytes[scan]) {
            if bytes[scan] > 0x20 { valueEnd = scan &+ 1 }
            scan &+= 1
        }
        guard scan &+ 1 < end, bytes[scan] == 0x0D, bytes[scan &+ 1] == 0x0A else { throw .invalidCharacters }
        index = scan &+ 2
        return (
            ByteRange(UInt32(truncatingIfNeeded: nameStart), UInt32(truncatingIfNeeded: nameEnd)),
            ByteRange(UInt32(truncatingIfNeeded: valueStart), UInt32(truncatingIfNeeded: valueEnd)), hash
        )
    }

    /// Looks at the field just added.
    private mutating func note(_ head: inout HTTPHead, isRequest: Bool) throws(HTTP1Error) {
        guard checksFraming, let field = head.fields.last else { return }
        switch field.token {
        case .contentLength:
            guard contentLength == nil, let length = Self.decimal(head, field.value) else { throw .malformed }
            contentLength = length
        case .transferEncoding:
            transferEncodings += 1
            isChunked = head.withBytes(field.value) { Self.equal($0, "chunked") }
        case .host where isRequest:
            hostCount += 1
            head.authority = field.value
            head.hostName = field.name
            head.fields.removeLast()
        case .connection:
            connectionFields += 1
        default:
            break
        }
    }

    /// Digits only, at most 18 of them: no sign, no list, no overflow.
    static func decimal(_ head: HTTPHead, _ range: ByteRange) -> UInt64? {
        head.withBytes(range) { bytes in
            guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
            var value: UInt64 = 0
            for byte in bytes {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value &* 10 &+ UInt64(byte &- 0x30)
            }
            return value
        }
    }

    /// Equal but for the case of ASCII letters; `text` is in lower case.
    static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { wanted in
            guard wanted.count == bytes.count else { return false }
            for index in 0..<wanted.count where ASCII.lower(bytes[index]) != wanted[index] { return false }
            return true
        }
    }
}

/// What the `Connection` fields of a head ask for (RFC 9110 section 7.6.1).
package struct ConnectionOptions: Sendable {
    var close = false
    var keepAlive = false
    var upgrade = false
    /// Names another field than those the proxy removes in any case.
    var nominatesOthers = false

    init(_ head: HTTPHead) {
        for field in head.fields where field.token == .connection {
            head.withBytes(field.value) { bytes in
                Self.forEachElement(bytes) { element in
                    if HTTP1FieldFacts.equal(element, "close") {
                        close = true
                    } else if HTTP1FieldFacts.equal(element, "keep-alive") {
                        keepAlive = true
                    } else if HTTP1FieldFacts.equal(element, "upgrade") {
                        upgrade = true
                    } else {
                        nominatesOthers = true
                    }
                }
            }
        }
    }

    /// The elements of a comma-separated list, blanks around them removed, empty ones left out.
    static func forEachElement(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var start = 0
        while start <= bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: ",") { end &+= 1 }
            var from = start
            var to = end
            while from < to, bytes[from] == 0x20 || bytes[from] == 0x09 { from &+= 1 }
            while to > from, bytes[to &- 1] == 0x20 || bytes[to &- 1] == 0x09 { to &-= 1 }
            if from < to { body(UnsafeRawBufferPointer(rebasing: bytes[from..<to])) }
            start = end &+ 1
        }
    }

    private static let hopByHop = HeaderTokenSet([
        .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te,
    ])

    /// Removes the fields that belong to this connection only. A peer that names a field which routing or trust
    /// depends on is refused: it would make the next hop see another request.
    ///
    /// - Parameter keepsUpgrade: the `Upgrade` field stays, because both sides agreed to pass the upgrade on.
    package static func removeHopByHop(
        _ head: inout HTTPHead, nominatesOthers: Bool, keepsUpgrade: Bool
    ) throws(HTTP1Error) {
        if nominatesOthers {
            var nominated: [HeaderName] = []
            for field in head.fields where field.token == .connection {
                head.withBytes(field.value) { bytes in
                    forEachElement(bytes) { nominated.append(HeaderName(String(decoding: $0, as: UTF8.self))) }
                }
            }
            for name in nominated {
                switch name.token {
                case .xForwardedFor, .xForwardedHost, .xForwardedProto, .contentLength, .transferEncoding, .host:
                    throw .malformed
                case .te: break
                default: head.remove(name)
                }
            }
        }
        guard head.mayContain(hopByHop) else { return }
        var kept = 0
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            switch field.token {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding:
                continue
            case .upgrade:
                if !keepsUpgrade { continue }
            case .te:
                // Of all that a client may accept only trailers concern more than this connection.
                var wantsTrailers = false
                head.withBytes(field.value) { bytes in
                    forEachElement(bytes) { if HTTP1FieldFacts.equal($0, "trailers") { wantsTrailers = true } }
                }
                if !wantsTrailers { continue }
                if field.value.count != 8 {
                    head.fields[kept] = field
                    head.fields[kept].value = head.store("trailers" as StaticString)
                    kept &+= 1
                    continue
                }
            default:
                break
            }
            if kept != index { head.fields[kept] = field }
            kept &+= 1
        }
        if kept < head.fields.count { head.fields.removeLast(head.fields.count &- kept) }
    }
}
