package import ApusTraffic
package import NIOCore

/// Heads to bytes. Names go out in lower case, as Envoy writes them; nothing is allocated.
package enum HTTP1HeadWriter {
    /// The framing line that the writer adds after the fields.
    package enum Framing {
        /// The head's own `content-length`, if it has one.
        case asIs
        case chunked
        case length(Int)
    }

    /// How a message is written beside its fields.
    package struct Style {
        package var names = HTTP1ProtocolOptions.NameFormat.lowercase
        /// The target of a request is an absolute URL.
        package var absoluteURL = false
        /// The status line says HTTP/1.0.
        package var isHTTP10 = false
        /// `connection: keep-alive`, for a client of HTTP/1.0 that asked for it.
        package var keepAlive = false

        package init(
            names: HTTP1ProtocolOptions.NameFormat = .lowercase, absoluteURL: Bool = false, isHTTP10: Bool = false,
            keepAlive: Bool = false
        ) {
            self.names = names
            self.absoluteURL = absoluteURL
            self.isHTTP10 = isHTTP10
            self.keepAlive = keepAlive
        }
    }

    package static func writeRequest(
        _ head: HTTPHead, framing: Framing, upgrade: Bool, style: Style = Style(), to out: inout ByteBuffer
    ) {
        write(head, style: style, to: &out) { bytes, writer in
            writer.append(HTTPHead.slice(bytes, head.methodText))
            writer.append(" ")
            if head.method == .connect {
                writer.append(HTTPHead.slice(bytes, head.authority))
            } else {
                if style.absoluteURL {
                    writer.append(HTTPHead.slice(bytes, head.scheme))
                    writer.append("://")
                    writer.append(HTTPHead.slice(bytes, head.authority))
                }
                writer.append(HTTPHead.slice(bytes, head.path))
            }
            writer.append(" HTTP/1.1\r\n")
            if head.preservesNames, !head.hostName.isEmpty {
                writer.append(HTTPHead.slice(bytes, head.hostName))
            } else {
                writer.appendName("host", style.names)
            }
            writer.append(": ")
            writer.append(HTTPHead.slice(bytes, head.authority))
            writer.append("\r\n")
        } after: { writer in
            finish(&writer, framing: framing, upgrade: upgrade, close: false, style: style)
        }
    }

    static func writeResponse(
        _ head: HTTPHead, framing: Framing, upgrade: Bool, close: Bool, style: Style = Style(), to out: inout ByteBuffer
    ) {
        write(head, style: style, to: &out) { _, writer in
            if head.status == 200, !style.isHTTP10 {
                writer.append("HTTP/1.1 200 OK\r\n")
            } else {
                writer.append(style.isHTTP10 ? "HTTP/1.0 " : "HTTP/1.1 ")
                writer.append(decimal: UInt64(head.status))
                writer.append(" ")
                writer.append(reason(head.status))
                writer.append("\r\n")
            }
        } after: { writer in
            finish(&writer, framing: framing, upgrade: upgrade, close: close, style: style)
        }
    }

    /// The last chunk with the fields of `trailers`.
    static func writeTrailers(_ trailers: HTTPHead, style: Style = Style(), to out: inout ByteBuffer) {
        write(trailers, style: style, to: &out) { _, writer in
            writer.append("0\r\n")
        } after: { writer in
            writer.append("\r\n")
        }
    }

    private static func finish(
        _ writer: inout RawWriter, framing: Framing, upgrade: Bool, close: Bool, style: Style
    ) {
        switch framing {
        case .asIs: break
        case .chunked:
            writer.appendName("transfer-encoding", style.names)
            writer.append(": chunked\r\n")
        case .length(let count):
            writer.appendName("content-length", style.names)
            writer.append(": ")
            writer.append(decimal: UInt64(count))
            writer.append("\r\n")
        }
        if upgrade || close || style.keepAlive {
            writer.appendName("connection", style.names)
            writer.append(upgrade ? ": upgrade\r\n" : close ? ": close\r\n" : ": keep-alive\r\n")
        }
        writer.append("\r\n")
    }

    /// One reservation for the whole head: an upper bound is the sum of all parts.
    private static func write(
        _ head: HTTPHead, style: Style, to out: inout ByteBuffer,
        first: (UnsafeRawBufferPointer, inout RawWriter) -> Void, after: (inout RawWriter) -> Void
    ) {
        var bound = 192 + head.methodText.count + head.path.count + 2 &* head.authority.count + head.scheme.count
        for field in head.fields { bound &+= field.name.count &+ field.value.count &+ 4 }
        out.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
            var writer = RawWriter(target)
            head.storage.withUnsafeBytes { bytes in
                first(bytes, &writer)
                for field in head.fields {
                    let name = HTTPHead.slice(bytes, field.name)
                    if head.preservesNames {
                        writer.append(name)
                    } else if style.names == .properCase {
                        writer.appendProperCase(name)
                    } else {
                        writer.appendLowercased(name)
                    }
                    writer.append(": ")
                    writer.append(HTTPHead.slice(bytes, field.value))
                    writer.append("\r\n")
                }
            }
            after(&writer)
            return writer.count
        }
    }

    static func reason(_ status: UInt16) -> StaticString {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 203: "Non-Authoritative Information"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 207: "Multi-Status"
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 407: "Proxy Authentication Required"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Payload Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 418: "I'm a teapot"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Entity"
        case 423: "Locked"
        case 424: "Failed Dependency"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 451: "Unavailable For Legal Reasons"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        case 508: "Loop Detected"
        case 511: "Network Authentication Required"
        default: "Unknown"
        }
    }
}

/// Appends to reserved memory. Every append is checked against the room that is left: a head that changed between
/// counting and writing is cut, never written past the end.
internal struct RawWriter {
    private let target: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ target: UnsafeMutableRawBufferPointer) { self.target = target }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress, let to = target.baseAddress, bytes.count <= target.count &- count else {
            return
        }
        (to + count).copyMemory(from: from, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        guard count < target.count else { return }
        target[count] = byte
        count &+= 1
    }

    mutating func append(decimal number: UInt64) {
        if number >= 10 { append(decimal: number / 10) }
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10))
    }

    mutating func append(hexadecimal number: UInt64) {
        if number >= 16 { append(hexadecimal: number >> 4) }
        let digit = UInt8(truncatingIfNeeded: number & 15)
        append(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &+ digit &- 10)
    }

    /// The first letter, and each behind a character that is neither letter nor digit, in upper case.
    mutating func appendProperCase(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= target.count &- count else { return }
        var startsWord = true
        for index in 0..<bytes.count {
            var byte = ASCII.lower(bytes[index])
            let isLetter = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            if startsWord, isLetter { byte &-= 0x20 }
            startsWord = !isLetter && !isDigit
            target[count &+ index] = byte
        }
        count &+= bytes.count
    }

    /// A name of the proxy's own.
    mutating func appendName(_ name: StaticString, _ format: HTTP1ProtocolOptions.NameFormat) {
        let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        if format == .properCase { appendProperCase(bytes) } else { append(bytes) }
    }

    @inline(__always)
    mutating func appendLowercased(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= target.count &- count else { return }
        for index in 0..<bytes.count { target[count &+ index] = ASCII.lower(bytes[index]) }
        count &+= bytes.count
    }
}

extension ByteBuffer {
    /// The size line of a chunk.
    mutating func writeChunkSize(_ size: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 18) { target in
            var writer = RawWriter(target)
            writer.append(hexadecimal: UInt64(size))
            writer.append("\r\n")
            return writer.count
        }
    }
}
