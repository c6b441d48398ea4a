package import ApusTraffic

/// What a request says about its own transport.
package struct HTTP1RequestFacts: Sendable {
    package var framing: BodyFraming = .none
    /// The client asked to close the connection after the answer.
    package var close = false
    /// The `Upgrade` field's value, if `Connection` names it.
    package var upgrade: ByteRange?
    package var expectsContinue = false
    /// Some `Connection` field names a field of its own.
    package var nominatesOthers = false

    package init() {}
}

/// Requests out of bytes, as strict as Envoy: what two parsers could read in two ways is refused (RFC 9112, 11.2).
///
/// A pure machine. The caller keeps the bytes: `parseHead` until it returns a count, then the body through
/// `HTTP1BodyDecoder` with the framing of the facts, then the next head.
package struct HTTP1RequestParser: Sendable {
    package let limits: HTTP1Limits
    private let options: HTTP1ProtocolOptions
    private var scanner = HTTP1HeadScanner()

    package init(limits: HTTP1Limits = HTTP1Limits(), options: HTTP1ProtocolOptions = HTTP1ProtocolOptions()) {
        self.limits = limits
        self.options = options
    }

    /// - Parameters:
    ///   - bytes: all unconsumed bytes of the connection, the same beginning at every call until a head is found.
    ///   - head: filled in; its memory is used again.
    /// - Returns: the bytes the head took; nil if it is not complete.
    package mutating func parseHead(
        _ bytes: Span<UInt8>, into head: inout HTTPHead, facts: inout HTTP1RequestFacts
    ) throws(HTTP1Error) -> Int? {
        guard let end = try scanner.findEnd(bytes, limits: limits) else { return nil }
        head.reset()
        bytes.withUnsafeBufferPointer { all in
            head.storage.append(contentsOf: UnsafeBufferPointer(rebasing: all[..<end]))
        }
        facts = HTTP1RequestFacts()
        let fieldsStart = try Self.parseRequestLine(&head)
        var fields = HTTP1FieldFacts()
        let target = head.authority
        try fields.readFields(&head, from: fieldsStart, to: end, isRequest: true)
        // The authority of an absolute target wins over `Host` (RFC 9112, 3.2.2).
        if !target.isEmpty {
            head.authority = target
            // As Envoy: of an absolute target the port must be one.
            guard head.method == .connect || head.withBytes(target, Self.hasGoodPort) else { throw .invalidTarget }
        }
        head.preservesNames = options.nameFormat == .preserved
        try Self.check(fields, &head, &facts, options)
        return end
    }

    // MARK: Request line

    private static func parseRequestLine(_ head: inout HTTPHead) throws(HTTP1Error) -> Int {
        var methodRange = ByteRange.empty
        var targetRange = ByteRange.empty
        var next = 0
        var minor: UInt8 = 1
        do {
            let bytes = head.storage.span
            let count = bytes.count
            var index = 0
            // A blank line or two before the request is the rest of a sloppy client's last message (RFC 9112, 2.2).
            while index &+ 1 < count, bytes[index] == 0x0D, bytes[index &+ 1] == 0x0A { index &+= 2 }
            let methodStart = index
            while index < count, CharacterClass.isToken(bytes[index]) { index &+= 1 }
            guard index > methodStart, index < count, bytes[index] == 0x20 else { throw HTTP1Error.malformed }
            methodRange = ByteRange(UInt32(truncatingIfNeeded: methodStart), UInt32(truncatingIfNeeded: index))
            index &+= 1
            let targetStart = index
            while index < count, CharacterClass.isTarget(bytes[index]) { index &+= 1 }
            guard index > targetStart, index < count, bytes[index] == 0x20 else { throw HTTP1Error.malformed }
            targetRange = ByteRange(UInt32(truncatingIfNeeded: targetStart), UInt32(truncatingIfNeeded: index))
            index &+= 1
            // "HTTP/1.x\r\n"
            guard index &+ 10 <= count, bytes[index] == 0x48, bytes[index &+ 1] == 0x54, bytes[index &+ 2] == 0x54,
                bytes[index &+ 3] == 0x50, bytes[index &+ 4] == 0x2F, bytes[index &+ 5] == 0x31,
                bytes[index &+ 6] == 0x2E, bytes[index &+ 8] == 0x0D, bytes[index &+ 9] == 0x0A
            else { throw HTTP1Error.malformed }
            minor = bytes[index &+ 7]
            next = index &+ 10
        }
        head.methodText = methodRange
        head.method = head.withBytes(methodRange) { HTTPMethod($0) }
        switch minor {
        case UInt8(ascii: "1"): head.version = .http11
        case UInt8(ascii: "0"), UInt8(ascii: "2")...UInt8(ascii: "9"): head.version = .http10
        default: throw .malformed
        }
        if head.method == .other, !isKnownMethod(head) { throw .malformed }
        try splitTarget(&head, targetRange)
        return next
    }

    /// The methods that Envoy's codec knows besides those with a case of their own; any other is refused.
    private static let knownMethods: [StaticString] = [
        "ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL",
        "MOVE", "NOTIFY", "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE",
        "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
    ]

    private static func isKnownMethod(_ head: HTTPHead) -> Bool {
        head.withBytes(head.methodText) { bytes in
            knownMethods.contains { name in
                name.withUTF8Buffer { $0.count == bytes.count && zip($0, bytes).allSatisfy { $0 == $1 } }
            }
        }
    }

    /// Origin form, absolute form, authority form and `*` (RFC 9112, 3.2).
    private static func splitTarget(_ head: inout HTTPHead, _ target: ByteRange) throws(HTTP1Error) {
        if head.method == .connect {
            head.authority = target
            return
        }
        let first = head.storage[Int(target.start)]
        if first == UInt8(ascii: "/") {
            head.path = target
            return
        }
        if first == UInt8(ascii: "*"), target.count == 1, head.method == .options {
            head.path = target
            return
        }
        // scheme "://" authority [ "/" … ]; other schemes than http(s) are no business of an HTTP proxy.
        let split = head.withBytes(target) { bytes -> (scheme: Int, authority: Int)? in
            let schemeLength: Int
            if bytes.count > 7, HTTP1FieldFacts.equal(.init(rebasing: bytes[..<7]), "http://") {
                schemeLength = 4
            } else if bytes.count > 8, HTTP1FieldFacts.equal(.init(rebasing: bytes[..<8]), "https://") {
                schemeLength = 5
            } else {
                return nil
            }
            var end = schemeLength + 3
            while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end &+= 1 }
            return end > schemeLength + 3 ? (schemeLength, end) : nil
        }
        guard let split else { throw .invalidTarget }
        let start = target.start
        head.scheme = ByteRange(start, start &+ UInt32(truncatingIfNeeded: split.scheme))
        let authorityEnd = start &+ UInt32(truncatingIfNeeded: split.authority)
        head.authority = ByteRange(start &+ UInt32(truncatingIfNeeded: split.scheme &+ 3), authorityEnd)
        if authorityEnd == target.end {
            head.path = head.store("/")
        } else if head.storage[Int(authorityEnd)] == UInt8(ascii: "/") {
            head.path = ByteRange(authorityEnd, target.end)
        } else {
            // "http://host?query": the path is "/" with that query.
            let bytes = [UInt8(ascii: "/")] + head.storage[Int(authorityEnd)..<Int(target.end)]
            head.path = head.store(bytes)
        }
    }

    // MARK: Checks over the whole head

    private static func check(
        _ fields: HTTP1FieldFacts, _ head: inout HTTPHead, _ facts: inout HTTP1RequestFacts,
        _ options: HTTP1ProtocolOptions
    ) throws(HTTP1Error) {
        if head.version != .http11 {
            guard options.acceptsHTTP10 else { throw .lowVersion }
            if fields.hostCount == 0, head.authority.isEmpty { head.authority = head.store(options.defaultHost) }
            // Kept open only if the client asks for it.
            facts.close = true
        }
        guard fields.hostCount <= 1 else { throw .malformed }
        guard !head.authority.isEmpty else { throw .missingHost }
        guard isAuthority(head) else { throw .invalidAuthority }
        if fields.transferEncodings > 0 {
            if fields.contentLength != nil {
                guard options.allowsChunkedLength else { throw .conflictingLength }
                head.remove(.contentLength)
            }
            guard fields.transferEncodings == 1, fields.isChunked, head.method != .connect else {
                throw .badTransferEncoding
            }
            facts.framing = .chunked
        } else if head.method == .connect, fields.contentLength != nil {
            // What follows is no body but the tunnel.
            guard fields.contentLength == 0 else { throw .bodyDisallowed }
            head.remove(.contentLength)
        } else if let length = fields.contentLength {
            facts.framing = length == 0 ? .none : .length(length)
        }
        if fields.connectionFields > 0 {
            let options = ConnectionOptions(head)
            // A body in chunks is unheard of in HTTP/1.0: nothing after it is trusted.
            let mayStay = head.version == .http11 || options.keepAlive && facts.framing != .chunked
            facts.close = options.close || !mayStay
            facts.nominatesOthers = options.nominatesOthers
            // An offer of HTTP/2 in plain text is passed over, as Envoy does: RFC 9113 gave this upgrade up.
            // An upgrade to nothing is one that nobody allows.
            if options.upgrade, let upgrade = head.value(.upgrade) {
                if head.withBytes(upgrade, { HTTP1FieldFacts.equal($0, "h2c") }) {
                    head.remove(.http2Settings)
                } else {
                    facts.upgrade = upgrade
                }
            }
        }
        // Not of any standard, but clients send it to proxies.
        if let value = head.value(.proxyConnection), head.withBytes(value, { HTTP1FieldFacts.equal($0, "close") }) {
            facts.close = true
        }
        if let expect = head.value(.expect) {
            facts.expectsContinue = head.withBytes(expect) { HTTP1FieldFacts.equal($0, "100-continue") }
        }
    }

    /// No port, or a number of up to 65535 behind the last colon that is not part of an IPv6 address.
    private static func hasGoodPort(_ authority: UnsafeRawBufferPointer) -> Bool {
        guard let colon = authority.lastIndex(of: UInt8(ascii: ":")) else { return true }
        if let bracket = authority.lastIndex(of: UInt8(ascii: "]")), bracket > colon { return true }
        let digits = authority[(colon + 1)...]
        guard digits.count <= 5, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 & 15) } <= 65_535
    }

    /// Host, with a port or not; characters that could end a host elsewhere are refused.
    private static func isAuthority(_ head: HTTPHead) -> Bool {
        head.withBytes(head.authority) { bytes in
            for byte in bytes where !CharacterClass.isAuthority(byte) { return false }
            return true
        }
    }
}
