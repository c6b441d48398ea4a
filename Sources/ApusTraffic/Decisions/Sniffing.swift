/// What the TLS inspector finds in the first bytes of a connection.
public enum TLSSniff: Hashable, Sendable {
    case needMore
    case notTLS
    /// Server name in lower case, empty if there is none; ALPN in the client's order.
    case clientHello(serverName: String, applicationProtocols: [String])

    /// At most so many bytes are looked at, as with Envoy's `max_client_hello_size`.
    public static let limit = 16 << 10

    /// Reads a TLS ClientHello (RFC 8446, section 4.1.2; RFC 6066; RFC 7301), whatever its split into records. Bytes
    /// that cannot be one are `notTLS`.
    public static func inspect(_ bytes: UnsafeRawBufferPointer) -> TLSSniff {
        var handshake: [UInt8] = []
        var offset = 0
        while true {
            let left = bytes.count &- offset
            if left > 0, bytes[offset] != 22 { return .notTLS }
            if left > 1, bytes[offset &+ 1] != 3 { return .notTLS }
            guard left >= 5 else { return more(bytes) }
            let length = Int(bytes[offset &+ 3]) << 8 | Int(bytes[offset &+ 4])
            guard length > 0, length <= 1 << 14 else { return .notTLS }
            let available = min(length, left &- 5)
            handshake.append(contentsOf: bytes[(offset &+ 5)..<(offset &+ 5 &+ available)])
            if let type = handshake.first, type != 1 { return .notTLS }
            if handshake.count >= 4 {
                let size = Int(handshake[1]) << 16 | Int(handshake[2]) << 8 | Int(handshake[3])
                if size > limit { return .notTLS }
                if handshake.count >= 4 &+ size {
                    return handshake.withUnsafeBytes {
                        hello(Reader(UnsafeRawBufferPointer(rebasing: $0[4..<(4 &+ size)]))) ?? .notTLS
                    }
                }
            }
            guard available == length else { return more(bytes) }
            offset &+= 5 &+ length
        }
    }

    private static func more(_ bytes: UnsafeRawBufferPointer) -> TLSSniff {
        bytes.count >= limit ? .notTLS : .needMore
    }

    private static func hello(_ whole: Reader) -> TLSSniff? {
        var reader = whole
        guard let version = reader.uint16(), version >> 8 == 3, reader.skip(32),
            reader.vector8() != nil, let ciphers = reader.vector16(), !ciphers.isEmpty, reader.vector8() != nil
        else { return nil }
        var name = ""
        var protocols: [String] = []
        if reader.isEmpty { return .clientHello(serverName: name, applicationProtocols: protocols) }
        guard var extensions = reader.vector16() else { return nil }
        while !extensions.isEmpty {
            guard let type = extensions.uint16(), var body = extensions.vector16() else { return nil }
            switch type {
            case 0:
                guard var list = body.vector16() else { return nil }
                while !list.isEmpty {
                    guard let kind = list.uint8(), let host = list.vector16() else { return nil }
                    if kind == 0, name.isEmpty, host.count <= 255 { name = host.text.lowercased() }
                }
            case 16:
                guard var list = body.vector16() else { return nil }
                while !list.isEmpty {
                    guard let item = list.vector8() else { return nil }
                    if protocols.count < 64 { protocols.append(item.text) }
                }
            default: break
            }
        }
        return .clientHello(serverName: name, applicationProtocols: protocols)
    }

    /// Reads big-endian numbers and length-prefixed parts; every read checks what is left.
    private struct Reader {
        private var rest: Slice<UnsafeRawBufferPointer>

        init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

        private init(rest: Slice<UnsafeRawBufferPointer>) { self.rest = rest }

        var isEmpty: Bool { rest.isEmpty }
        var count: Int { rest.count }
        var text: String { String(decoding: rest, as: UTF8.self) }

        mutating func uint8() -> Int? { rest.popFirst().map(Int.init) }

        mutating func uint16() -> Int? {
            guard rest.count >= 2, let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
            return Int(high) << 8 | Int(low)
        }

        mutating func skip(_ count: Int) -> Bool {
            guard rest.count >= count else { return false }
            rest.removeFirst(count)
            return true
        }

        mutating func vector8() -> Reader? { uint8().flatMap { take($0) } }

        mutating func vector16() -> Reader? { uint16().flatMap { take($0) } }

        private mutating func take(_ count: Int) -> Reader? {
            guard rest.count >= count else { return nil }
            let part = rest.prefix(count)
            rest.removeFirst(count)
            return Reader(rest: part)
        }
    }
}

/// What the HTTP inspector finds in the first bytes of a connection.
public enum HTTPSniff: Hashable, Sendable {
    case needMore
    case notHTTP
    case http10, http11
    /// The HTTP/2 preface, with prior knowledge.
    case http2

    /// The application protocol that filter chains match.
    public var applicationProtocol: String? {
        switch self {
        case .http10: "http/1.0"
        case .http11: "http/1.1"
        case .http2: "h2c"
        case .needMore, .notHTTP: nil
        }
    }

    /// At most so many bytes are looked at for the end of the request line.
    public static let limit = 64 << 10

    /// Recognises an HTTP/1 request line or the HTTP/2 preface (RFC 9113, section 3.4).
    public static func inspect(_ bytes: UnsafeRawBufferPointer) -> HTTPSniff {
        let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let isPreface = preface.withUTF8Buffer { wanted in
            let count = min(wanted.count, bytes.count)
            for index in 0..<count where wanted[index] != bytes[index] { return false }
            return true
        }
        if isPreface { return bytes.count >= 24 ? .http2 : .needMore }
        var index = 0
        while index < bytes.count, bytes[index] != 0x20 {
            guard isToken(bytes[index]), index < 24 else { return .notHTTP }
            index &+= 1
        }
        guard index < bytes.count else { return more(bytes) }
        guard index > 0 else { return .notHTTP }
        let isConnect = HTTPMethod(UnsafeRawBufferPointer(rebasing: bytes[..<index])) == .connect
        index &+= 1
        let target = index
        while index < bytes.count, bytes[index] > 0x20, bytes[index] < 0x7F { index &+= 1 }
        guard index < bytes.count else { return more(bytes) }
        guard index > target, bytes[index] == 0x20 else { return .notHTTP }
        guard isConnect || isTarget(UnsafeRawBufferPointer(rebasing: bytes[target..<index])) else { return .notHTTP }
        index &+= 1
        let version: StaticString = "HTTP/1."
        return version.withUTF8Buffer { wanted in
            for offset in 0..<wanted.count {
                guard index &+ offset < bytes.count else { return more(bytes) }
                if bytes[index &+ offset] != wanted[offset] { return .notHTTP }
            }
            index &+= wanted.count
            guard index &+ 1 < bytes.count else { return more(bytes) }
            guard bytes[index &+ 1] == 0x0D || bytes[index &+ 1] == 0x0A else { return .notHTTP }
            return bytes[index] == UInt8(ascii: "1") ? .http11 : bytes[index] == UInt8(ascii: "0") ? .http10 : .notHTTP
        }
    }

    /// `tchar` of RFC 9110, section 5.6.2: any case, as methods are judged only by the codec.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    /// A path, `*`, or a scheme with `://` behind it.
    private static func isTarget(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first else { return false }
        if first == UInt8(ascii: "/") || first == UInt8(ascii: "*") { return true }
        var index = 0
        while index < bytes.count, (bytes[index] | 0x20) &- 0x61 < 26 { index &+= 1 }
        guard index > 0, bytes.count &- index > 3 else { return false }
        return bytes[index] == UInt8(ascii: ":") && bytes[index &+ 1] == UInt8(ascii: "/")
            && bytes[index &+ 2] == UInt8(ascii: "/")
    }

    private static func more(_ bytes: UnsafeRawBufferPointer) -> HTTPSniff {
        bytes.count >= limit ? .notHTTP : .needMore
    }
}
