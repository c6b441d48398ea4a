/// gRPC-Web of browsers, turned into gRPC and back (`envoy.filters.http.grpc_web`).
///
/// A request arrives as ordinary HTTP, its frames perhaps in base64; the answer's trailers go into a last frame of the
/// body, since scripts cannot read trailers. One value per request.
public struct GRPCWebBridge: Sendable {
    /// The body of the request is base64.
    private let isTextRequest: Bool
    private let isTextResponse: Bool
    private var decoder = Base64Decoder()
    /// Bytes of an answer in base64 that are no whole frame yet.
    private var pending: [UInt8] = []

    /// Turns the head of a gRPC-Web request into one of gRPC; nil: it is none.
    public init?(_ head: inout HTTPHead) {
        guard let type = head.value(.contentType) else { return nil }
        let isText: Bool? = head.withBytes(type) { bytes in
            if Self.equal(bytes, "application/grpc-web") || Self.equal(bytes, "application/grpc-web+proto") {
                return false
            }
            if Self.equal(bytes, "application/grpc-web-text")
                || Self.equal(bytes, "application/grpc-web-text+proto")
            {
                return true
            }
            return nil
        }
        guard let isText else { return nil }
        isTextRequest = isText
        isTextResponse =
            head.value(.accept).map { range in
                head.withBytes(range) {
                    Self.equal($0, "application/grpc-web-text") || Self.equal($0, "application/grpc-web-text+proto")
                }
            } ?? false
        // The length is that of the body as it came.
        head.remove(.contentLength)
        head.replace(.contentType, "application/grpc" as StaticString)
        head.replace(.te, "trailers" as StaticString)
        head.replace(.grpcAcceptEncoding, "identity,deflate,gzip" as StaticString)
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { wanted in
            wanted.count == bytes.count && !zip(wanted, bytes).contains { $0 != $1 }
        }
    }

    // MARK: The request

    /// - Returns: the bytes to pass on; nil: they are no base64.
    public mutating func request(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
        isTextRequest ? decoder.decode(bytes) : Array(bytes)
    }

    /// True if the request may end here: base64 comes in fours.
    public var mayEnd: Bool { !isTextRequest || decoder.isComplete }

    public static let invalidBase64 = LocalReply(
        400, "Bad gRPC-web request, invalid base64 data.", details: "grpc_base_64_decode_failed")

    /// The request ended in the middle of a group.
    public static let incompleteBase64 = LocalReply(
        400, "Bad gRPC-web request, invalid base64 data.", details: "grpc_base_64_decode_failed_bad_size")

    /// An answer of the proxy: its status stays, its text is the message of the call.
    public func write(_ reply: LocalReply, into head: inout HTTPHead) {
        head.reset(status: reply.status)
        for (name, value) in reply.headers { head.append(name, value) }
        if !reply.body.isEmpty { head.append(.grpcMessage, LocalReply.percentEncoded(reply.body)) }
        head.append(.grpcStatus, decimal: UInt64(reply.grpcStatus ?? LocalReply.grpcStatus(of: reply.status)))
        response(&head, endsHere: true)
    }

    // MARK: The answer

    /// - Parameter endsHere: the head is the whole answer.
    public func response(_ head: inout HTTPHead, endsHere: Bool) {
        head.replace(
            .contentType,
            isTextResponse ? "application/grpc-web-text+proto" : "application/grpc-web+proto" as StaticString)
        if !endsHere { head.remove(.contentLength) }
    }

    /// Frames of the answer as they go to the client.
    public mutating func response(_ bytes: some Collection<UInt8>) -> [UInt8] {
        guard isTextResponse else { return Array(bytes) }
        pending.append(contentsOf: bytes)
        var out: [UInt8] = []
        var start = 0
        // Each frame is encoded by itself, so that a client can decode it when it is here.
        while pending.count - start >= 5 {
            let length =
                Int(pending[start + 1]) << 24 | Int(pending[start + 2]) << 16 | Int(pending[start + 3]) << 8
                | Int(pending[start + 4])
            guard length <= Self.frameLimit else {
                // Larger than anything that is collected here: it goes out in parts, which are whole groups of three.
                let whole = (pending.count - start) / 3 * 3
                Base64.encode(pending[start..<start + whole], into: &out)
                start += whole
                break
            }
            guard pending.count - start >= 5 + length else { break }
            Base64.encode(pending[start..<start + 5 + length], into: &out)
            start += 5 + length
        }
        pending.removeFirst(start)
        return out
    }

    private static let frameLimit = 4 << 20

    /// The trailers as the last frame of the body.
    public mutating func response(trailers: HTTPHead) -> [UInt8] {
        var text: [UInt8] = []
        for field in trailers.fields {
            trailers.withBytes(field.name) { text.append(contentsOf: $0.map(ASCII.lower)) }
            text.append(UInt8(ascii: ":"))
            trailers.withBytes(field.value) { text.append(contentsOf: $0) }
            text.append("\r\n")
        }
        let count = UInt32(clamping: text.count)
        var frame: [UInt8] = [0x80]
        for shift in [24, 16, 8, 0] as [UInt32] { frame.append(UInt8(truncatingIfNeeded: count >> shift)) }
        frame.append(contentsOf: text)
        guard isTextResponse else { return frame }
        var out: [UInt8] = []
        Base64.encode(pending[...], into: &out)
        pending = []
        Base64.encode(frame[...], into: &out)
        return out
    }
}

/// Base64 that arrives in pieces. Several encoded texts, each with its padding, may stand behind each other.
struct Base64Decoder: Sendable {
    private var group: UInt32 = 0
    private var digits = 0
    private var padding = 0

    var isComplete: Bool { digits == 0 }

    /// - Returns: what is whole by now; nil: a character that has no place there.
    mutating func decode(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        for byte in bytes {
            if byte == UInt8(ascii: "=") {
                guard digits >= 2 else { return nil }
                padding += 1
                group <<= 6
            } else {
                guard padding == 0, let value = Base64.value(byte) else { return nil }
                group = group << 6 | value
            }
            digits += 1
            guard digits == 4 else { continue }
            out.append(UInt8(truncatingIfNeeded: group >> 16))
            if padding < 2 { out.append(UInt8(truncatingIfNeeded: group >> 8)) }
            if padding < 1 { out.append(UInt8(truncatingIfNeeded: group)) }
            group = 0
            digits = 0
            padding = 0
        }
        return out
    }
}
