package import ApusTraffic

/// What a response says about its own transport.
package struct HTTP1ResponseFacts: Sendable {
    package var framing: BodyFraming = .none
    /// The upstream will close the connection, or this side must: it cannot be used again.
    package var close = false
    package var nominatesOthers = false
    /// 1xx other than 101: another head follows.
    package var isInterim = false
    /// 101: from here on the connection carries bytes that are not HTTP.
    package var isUpgrade = false

    package init() {}
}

/// Responses out of bytes. A pure machine; see `HTTP1RequestParser` for how it is driven.
package struct HTTP1ResponseParser: Sendable {
    package let limits: HTTP1Limits
    private let options: HTTP1ProtocolOptions
    private var scanner = HTTP1HeadScanner()

    /// Envoy allows an upstream 80 KiB of head by default.
    package init(
        limits: HTTP1Limits = HTTP1Limits(headBytes: 80 << 10), options: HTTP1ProtocolOptions = HTTP1ProtocolOptions()
    ) {
        self.limits = limits
        self.options = options
    }

    /// - Parameters:
    ///   - method: of the request that is answered: `HEAD` has no body whatever the head says.
    ///   - wantsUpgrade: the request asked for an upgrade; a 101 to any other is an error.
    package mutating func parseHead(
        _ bytes: Span<UInt8>, into head: inout HTTPHead, facts: inout HTTP1ResponseFacts, answering method: HTTPMethod,
        wantsUpgrade: Bool = false
    ) throws(HTTP1Error) -> Int? {
        guard let end = try scanner.findEnd(bytes, limits: limits) else { return nil }
        head.reset()
        bytes.withUnsafeBufferPointer { all in
            head.storage.append(contentsOf: UnsafeBufferPointer(rebasing: all[..<end]))
        }
        facts = HTTP1ResponseFacts()
        let fieldsStart = try Self.parseStatusLine(&head)
        var fields = HTTP1FieldFacts()
        try fields.readFields(&head, from: fieldsStart, to: end, isRequest: false)
        head.preservesNames = options.nameFormat == .preserved
        if options.allowsChunkedLength, fields.isChunked, fields.contentLength != nil {
            fields.contentLength = nil
            head.remove(.contentLength)
        }
        try Self.check(fields, head, &facts, method, wantsUpgrade)
        return end
    }

    private static func parseStatusLine(_ head: inout HTTPHead) throws(HTTP1Error) -> Int {
        var status: UInt16 = 0
        var minor: UInt8 = 0
        var index = 0
        do {
            let bytes = head.storage.span
            let count = bytes.count
            guard count >= 14, bytes[0] == 0x48, bytes[1] == 0x54, bytes[2] == 0x54, bytes[3] == 0x50,
                bytes[4] == 0x2F, bytes[5] == 0x31, bytes[6] == 0x2E, bytes[8] == 0x20
            else { throw HTTP1Error.malformed }
            minor = bytes[7]
            index = 9
            while index < 12 {
                guard bytes[index] >= 0x30, bytes[index] <= 0x39 else { throw HTTP1Error.malformed }
                status = status &* 10 &+ UInt16(bytes[index] &- 0x30)
                index &+= 1
            }
            // The reason phrase may be missing, and so may the blank before it.
            guard status >= 100, bytes[12] == 0x20 || bytes[12] == 0x0D else { throw HTTP1Error.malformed }
            while index < count, CharacterClass.isFieldValue(bytes[index]) { index &+= 1 }
            guard index &+ 1 < count, bytes[index] == 0x0D, bytes[index &+ 1] == 0x0A else {
                throw HTTP1Error.malformed
            }
            index &+= 2
        }
        head.status = status
        switch minor {
        case UInt8(ascii: "1"): head.version = .http11
        case UInt8(ascii: "0"): head.version = .http10
        default: throw .malformed
        }
        return index
    }

    /// RFC 9112, section 6.3.
    private static func check(
        _ fields: HTTP1FieldFacts, _ head: HTTPHead, _ facts: inout HTTP1ResponseFacts, _ method: HTTPMethod,
        _ wantsUpgrade: Bool
    ) throws(HTTP1Error) {
        var keepAlive = head.version == .http11
        if fields.connectionFields > 0 {
            let options = ConnectionOptions(head)
            facts.nominatesOthers = options.nominatesOthers
            if options.close { keepAlive = false } else if options.keepAlive { keepAlive = true }
        }
        facts.close = !keepAlive
        if head.status < 200 {
            if head.status == 101 {
                guard wantsUpgrade else { throw .malformed }
                facts.isUpgrade = true
                facts.framing = .untilClose
                return
            }
            facts.isInterim = true
            return
        }
        if method == .connect, wantsUpgrade, head.status == 200 {
            // The tunnel begins here; an origin that announces a body disagrees about that.
            guard fields.transferEncodings == 0 else { throw .badTransferEncoding }
            facts.isUpgrade = true
            facts.framing = .untilClose
            return
        }
        if fields.transferEncodings > 0, fields.contentLength != nil { throw .conflictingLength }
        if method == .head || head.status == 204 || head.status == 304 { return }
        if fields.transferEncodings > 0 {
            guard fields.transferEncodings == 1, fields.isChunked else { throw .badTransferEncoding }
            facts.framing = .chunked
        } else if let length = fields.contentLength {
            facts.framing = length == 0 ? .none : .length(length)
        } else {
            facts.framing = .untilClose
            facts.close = true
        }
    }
}
