/// Sticking to a host by what the client carries.
extension SessionPolicy {
    /// The address that the request asks for; nil: none, or nothing that can be read.
    ///
    /// - Parameter wallSeconds: since 1970; an address that has expired is none.
    public func host(_ head: HTTPHead, wallSeconds: Int64) -> String? {
        switch carrier {
        case .header(let name):
            guard let range = head.value(name) else { return nil }
            return Base64.decode(head.text(range)).map { String(decoding: $0, as: UTF8.self) }
        case .cookie(let name, _, let path, _):
            guard Self.covers(path, head), let value = Cookies.value(name, head), let bytes = Base64.decode(value)
            else { return nil }
            let (address, expires) = SessionCookie.decode(bytes)
            guard let address, !address.isEmpty else { return nil }
            return expires == 0 || expires > wallSeconds ? address : nil
        }
    }

    /// Tells the client the host that served it, if it did not ask for this one.
    public func tell(
        _ address: String, asked: String?, request: HTTPHead, response: inout HTTPHead, wallSeconds: Int64
    ) {
        guard asked != address else { return }
        switch carrier {
        case .header(let name):
            response.replace(name, value: response.store(Base64.encode(Array(address.utf8))))
        case .cookie(let name, let ttl, let path, let attributes):
            guard Self.covers(path, request) else { return }
            let seconds = ttl.components.seconds
            let expires = seconds > 0 ? wallSeconds &+ seconds : 0
            let value = Base64.encode(SessionCookie.encode(address, expires: expires))
            response.append(.setCookie, Cookies.header(name, value, ttl, path, attributes))
        }
    }

    /// RFC 6265, section 5.1.4: the cookie's path is the request's, or a folder above it.
    private static func covers(_ path: String, _ head: HTTPHead) -> Bool {
        if path.isEmpty || path == "/" { return true }
        let requested = head.text(head.pathWithoutQuery)
        guard requested.hasPrefix(path) else { return false }
        return requested == path || path.hasSuffix("/") || requested.dropFirst(path.count).first == "/"
    }
}

/// What the cookie holds: a protobuf message of the address (field 1) and the second it expires (field 2).
public enum SessionCookie {
    public static func encode(_ address: String, expires: Int64) -> [UInt8] {
        let text = Array(address.utf8.prefix(1 << 16))
        var out: [UInt8] = [0x0A]
        varint(UInt64(text.count), &out)
        out += text
        if expires != 0 {
            out.append(0x10)
            varint(UInt64(bitPattern: expires), &out)
        }
        return out
    }

    private static func varint(_ number: UInt64, _ out: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(truncatingIfNeeded: rest))
    }

    /// - Returns: nil for bytes that are no such message.
    public static func decode(_ bytes: [UInt8]) -> (address: String?, expires: Int64) {
        var rest = bytes[...]
        func number() -> UInt64? {
            var result: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard let byte = rest.popFirst() else { return nil }
                if shift < 64 { result |= UInt64(byte & 0x7F) << shift }
                if byte < 0x80 { return result }
            }
            return nil
        }
        var address: String?
        var expires: Int64 = 0
        while !rest.isEmpty {
            guard let key = number(), let value = number() else { return (nil, 0) }
            switch key {
            case 0x0A:
                guard value <= UInt64(rest.count) else { return (nil, 0) }
                address = String(decoding: rest.prefix(Int(value)), as: UTF8.self)
                rest = rest.dropFirst(Int(value))
            case 0x10: expires = Int64(bitPattern: value)
            default: return (nil, 0)
            }
        }
        return (address, expires)
    }
}
