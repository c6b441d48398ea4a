/// Paths and hosts made unambiguous before anything is decided by them.
///
/// The rules are those of the URL canonicaliser that Envoy uses, observed on Envoy 1.40: dot segments (also as `%2e`)
/// are resolved, `\` becomes `/`, escapes of unreserved characters are decoded, characters that do not belong into a
/// path are escaped; other escapes keep their case, and the query is left alone.
extension HTTPConnectionManager {
    /// Cleans path, host and header names. A reply ends the request.
    ///
    /// - Parameter localPort: where the connection arrived, for `strip_matching_host_port`.
    public func normalize(_ head: inout HTTPHead, localPort: UInt16) -> LocalReply? {
        if let reply = judgeNames(&head) { return reply }
        normalizeHost(&head, localPort)
        if head.method == .connect { return nil }
        guard head.withBytes(head.path, { $0.first == UInt8(ascii: "/") }) else { return .pathNotAbsolute }
        // A fragment never travels; what lies behind it could be taken for a path by the next hop.
        if head.withBytes(head.path, { $0.contains(UInt8(ascii: "#")) }) { return .pathNormalizationFailed }
        if normalization.escapedSlashes != .keep, let reply = handleEscapedSlashes(&head) { return reply }
        if normalization.normalizesPath {
            guard let changed = head.withBytes(head.path, { PathNormalization.canonical($0) }) else {
                return .pathNormalizationFailed
            }
            if !changed.isEmpty { head.path = head.store(changed) }
        }
        if normalization.mergesSlashes, let merged = head.withBytes(head.path, { PathNormalization.merged($0) }) {
            head.path = head.store(merged)
        }
        return nil
    }

    /// `headers_with_underscores_action`.
    private func judgeNames(_ head: inout HTTPHead) -> LocalReply? {
        guard limits.underscores != .allow else { return nil }
        var kept = 0
        for index in head.fields.indices {
            let field = head.fields[index]
            if head.withBytes(field.name, { $0.contains(UInt8(ascii: "_")) }) {
                if limits.underscores == .reject {
                    return LocalReply(
                        400, "Bad Request", flags: .downstreamProtocolError, details: "http1.unexpected_underscore")
                }
                continue
            }
            if kept != index { head.fields[kept] = field }
            kept &+= 1
        }
        head.fields.removeLast(head.fields.count &- kept)
        return nil
    }

    private func normalizeHost(_ head: inout HTTPHead, _ localPort: UInt16) {
        guard normalization.stripsPort != .no || normalization.stripsTrailingHostDot else { return }
        if normalization.stripsTrailingHostDot {
            let host: [UInt8]? = head.withBytes(head.authority) { bytes in
                let cut = Authority.portSeparator(bytes) ?? bytes.count
                guard cut > 1, bytes[cut &- 1] == UInt8(ascii: ".") else { return nil }
                return Array(bytes[..<(cut &- 1)]) + Array(bytes[cut...])
            }
            if let host { head.authority = head.store(host) }
        }
        guard normalization.stripsPort != .no else { return }
        let count = head.withBytes(head.authority) { bytes in
            guard let separator = Authority.portSeparator(bytes) else { return bytes.count }
            let port = Decimal.unsigned(UnsafeRawBufferPointer(rebasing: bytes[(separator &+ 1)...]))
            return normalization.stripsPort == .any || port == UInt64(localPort) ? separator : bytes.count
        }
        head.authority.end = head.authority.start &+ UInt32(truncatingIfNeeded: count)
    }

    /// `%2F` and `%5C` may mean a slash to the next hop and none here.
    private func handleEscapedSlashes(_ head: inout HTTPHead) -> LocalReply? {
        guard let decoded = head.withBytes(head.path, { PathNormalization.slashesDecoded($0) }) else { return nil }
        switch normalization.escapedSlashes {
        case .keep: return nil
        case .reject: return .pathNormalizationFailed
        case .unescapeAndForward:
            head.path = head.store(decoded)
            return nil
        case .unescapeAndRedirect:
            return LocalReply(
                307, details: "path_normalization_failed", headers: [(HeaderToken.location.name, decoded)])
        }
    }
}

public enum PathNormalization {
    /// nil: the path is not acceptable. Empty: it is canonical already (the common case, found without copying).
    public static func canonical(_ path: UnsafeRawBufferPointer) -> [UInt8]? {
        if isPlain(path) { return [] }
        var out: [UInt8] = []
        out.reserveCapacity(path.count &+ 16)
        var index = 0
        while index < path.count, path[index] != UInt8(ascii: "?") {
            var byte = path[index]
            index &+= 1
            if byte == UInt8(ascii: "%"), let value = escape(path, index &- 1) {
                if value == 0 { return nil }
                if isUnreserved(value) {
                    byte = value
                    index &+= 2
                } else {
                    out.append(contentsOf: path[(index &- 1)..<(index &+ 2)])
                    index &+= 2
                    continue
                }
            }
            if byte == UInt8(ascii: "\\") { byte = UInt8(ascii: "/") }
            if byte == UInt8(ascii: "/") {
                if !endSegment(&out) { out.append(byte) }
            } else if mustEscape(byte) {
                appendEscape(byte, &out)
            } else {
                out.append(byte)
            }
        }
        endSegment(&out)
        out.append(contentsOf: path[index...])
        return out
    }

    /// Resolves a last segment of one or two dots: `/a/.` becomes `/a/`, `/a/b/..` becomes `/a/`.
    ///
    /// - Returns: true if the output ends with the slash of the segment, so that the next slash must not be added.
    @discardableResult
    private static func endSegment(_ out: inout [UInt8]) -> Bool {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        guard out.last == dot else { return false }
        if out.count >= 2, out[out.count - 2] == slash {
            out.removeLast()
            return true
        }
        guard out.count >= 3, out[out.count - 2] == dot, out[out.count - 3] == slash else { return false }
        out.removeLast(3)
        while let last = out.last, last != slash { out.removeLast() }
        if out.isEmpty { out.append(slash) }
        return true
    }

    /// True if canonicalising would change nothing.
    private static func isPlain(_ path: UnsafeRawBufferPointer) -> Bool {
        var previous: UInt8 = 0
        for byte in path {
            switch byte {
            case UInt8(ascii: "?"): return true
            case UInt8(ascii: "%"), UInt8(ascii: "\\"): return false
            case UInt8(ascii: "."):
                if previous == UInt8(ascii: "/") { return false }
            default:
                if mustEscape(byte) { return false }
            }
            previous = byte
        }
        return true
    }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F...0xFF: true
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            true
        default: false
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }

    private static func escape(_ path: UnsafeRawBufferPointer, _ index: Int) -> UInt8? {
        guard index &+ 2 < path.count, let high = digit(path[index &+ 1]), let low = digit(path[index &+ 2]) else {
            return nil
        }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }

    private static func appendEscape(_ byte: UInt8, _ out: inout [UInt8]) {
        func hexadecimal(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
        out.append(contentsOf: [UInt8(ascii: "%"), hexadecimal(byte >> 4), hexadecimal(byte & 15)])
    }

    /// Runs of slashes become one; nil: there are none.
    public static func merged(_ path: UnsafeRawBufferPointer) -> [UInt8]? {
        var out: [UInt8] = []
        var changed = false
        var index = 0
        while index < path.count, path[index] != UInt8(ascii: "?") {
            if path[index] == UInt8(ascii: "/"), out.last == UInt8(ascii: "/") {
                changed = true
            } else {
                out.append(path[index])
            }
            index &+= 1
        }
        guard changed else { return nil }
        out.append(contentsOf: path[index...])
        return out
    }

    /// `%2F` and `%5C` decoded; nil: there are none.
    public static func slashesDecoded(_ path: UnsafeRawBufferPointer) -> [UInt8]? {
        var out: [UInt8] = []
        var changed = false
        var index = 0
        while index < path.count, path[index] != UInt8(ascii: "?") {
            if path[index] == UInt8(ascii: "%"), let value = escape(path, index),
                value == UInt8(ascii: "/") || value == UInt8(ascii: "\\")
            {
                out.append(value)
                changed = true
                index &+= 3
            } else {
                out.append(path[index])
                index &+= 1
            }
        }
        guard changed else { return nil }
        out.append(contentsOf: path[index...])
        return out
    }
}
