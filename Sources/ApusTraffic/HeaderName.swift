/// The names that the proxy itself reads or writes. Comparing two of them is comparing two bytes.
///
/// The raw value indexes `names`, so the order of both must agree; a test walks the whole list.
public enum HeaderToken: UInt8, Sendable, CaseIterable {
    /// Any name that is not in this list.
    case other
    // Pseudo-headers. They are never fields of a head; matchers and formats reach them by these names.
    case method, path, authority, scheme, status
    // Connection level (RFC 9110, 9112).
    case host, connection, keepAlive, proxyConnection, transferEncoding, te, trailer, upgrade, expect, http2Settings
    // Message level.
    case contentLength, contentType, date, server, via, location, userAgent, cookie, setCookie, origin, referer
    case authorization, accept, acceptEncoding, vary, altSvc
    case accessControlRequestMethod, accessControlRequestHeaders, accessControlRequestPrivateNetwork
    case accessControlAllowOrigin, accessControlAllowCredentials, accessControlAllowMethods
    case accessControlAllowHeaders, accessControlExposeHeaders, accessControlMaxAge
    case accessControlAllowPrivateNetwork
    // gRPC.
    case grpcStatus, grpcMessage, grpcTimeout, grpcAcceptEncoding
    // What proxies add.
    case xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort, xForwardedClientCert, xRequestID,
        xClientTraceID
    case xEnvoyOriginalPath, xEnvoyOriginalHost, xEnvoyAttemptCount, xEnvoyExpectedRequestTimeout
    case xEnvoyUpstreamServiceTime, xEnvoyOverloaded, xEnvoyRatelimited, xEnvoyImmediateHealthCheckFail
    case xEnvoyInternal, xEnvoyExternalAddress, xEnvoyForceTrace, xEnvoyIPTags
    case xEnvoyDecoratorOperation, xEnvoyDownstreamServiceCluster, xEnvoyDownstreamServiceNode
    case xEnvoyRetryOn, xEnvoyRetryGRPCOn, xEnvoyMaxRetries, xEnvoyRetriableStatusCodes
    case xEnvoyRetriableHeaderNames, xEnvoyUpstreamAltStatName, xEnvoyUpstreamRequestTimeout
    case xEnvoyUpstreamRequestPerTryTimeout, xEnvoyUpstreamRequestTimeoutAltResponse
    case xEnvoyHedgeOnPerTryTimeout, xEnvoyIsTimeoutRetry
    case xEnvoyFaultDelayRequest, xEnvoyFaultDelayRequestPercentage
    case xEnvoyFaultAbortRequest, xEnvoyFaultAbortGRPCRequest, xEnvoyFaultAbortRequestPercentage
    case xEnvoyPeerMetadata, xEnvoyPeerMetadataID
    case traceparent, tracestate, baggage, xB3TraceID, xB3SpanID, xB3ParentSpanID, xB3Sampled, b3

    public static let names: [String] = [
        "",
        ":method", ":path", ":authority", ":scheme", ":status",
        "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade",
        "expect", "http2-settings",
        "content-length", "content-type", "date", "server", "via", "location", "user-agent", "cookie", "set-cookie",
        "origin", "referer",
        "authorization", "accept", "accept-encoding", "vary", "alt-svc",
        "access-control-request-method", "access-control-request-headers", "access-control-request-private-network",
        "access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods",
        "access-control-allow-headers", "access-control-expose-headers", "access-control-max-age",
        "access-control-allow-private-network",
        "grpc-status", "grpc-message", "grpc-timeout", "grpc-accept-encoding",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-client-cert",
        "x-request-id", "x-client-trace-id",
        "x-envoy-original-path", "x-envoy-original-host", "x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms",
        "x-envoy-upstream-service-time", "x-envoy-overloaded", "x-envoy-ratelimited",
        "x-envoy-immediate-health-check-fail",
        "x-envoy-internal", "x-envoy-external-address", "x-envoy-force-trace", "x-envoy-ip-tags",
        "x-envoy-decorator-operation", "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node",
        "x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names", "x-envoy-upstream-alt-stat-name", "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-hedge-on-per-try-timeout", "x-envoy-is-timeout-retry",
        "x-envoy-fault-delay-request", "x-envoy-fault-delay-request-percentage",
        "x-envoy-fault-abort-request", "x-envoy-fault-abort-grpc-request", "x-envoy-fault-abort-request-percentage",
        "x-envoy-peer-metadata", "x-envoy-peer-metadata-id",
        "traceparent", "tracestate", "baggage", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled",
        "b3",
    ]

    /// The name in lower case; empty for `other`.
    public var text: String { Self.names[Int(rawValue)] }

    /// The name with its hash, ready to be written.
    public var name: HeaderName { TokenTable.shared.headerNames[Int(rawValue)] }

    /// The token of a name of any case, given its `HeaderHash`.
    public static func find(hash: UInt32, name: UnsafeRawBufferPointer) -> HeaderToken {
        TokenTable.shared.find(hash: hash, name: name)
    }
}

/// FNV-1a over the lower-cased bytes of a header name. Equal names have equal hashes whatever their case.
public enum HeaderHash {
    public static let basis: UInt32 = 0x811C_9DC5

    @inlinable @inline(__always)
    public static func step(_ hash: UInt32, _ byte: UInt8) -> UInt32 {
        (hash ^ UInt32(ASCII.lower(byte))) &* 0x0100_0193
    }

    public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for byte in bytes { hash = step(hash, byte) }
        return hash
    }

    public static func of(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { of($0) } }
}

/// Byte-wise questions about ASCII text.
public enum ASCII {
    @inlinable @inline(__always)
    public static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    public static func equalIgnoringCase(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left[index] != right[index] {
            if lower(left[index]) != lower(right[index]) { return false }
        }
        return true
    }

    public static func lowercased(_ text: String) -> [UInt8] { text.utf8.map(lower) }
}

/// A header name of the configuration: lower case, with its hash and token.
public struct HeaderName: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]
    public let hash: UInt32
    public let token: HeaderToken

    public init(_ text: String) {
        bytes = ASCII.lowercased(text)
        hash = HeaderHash.of(bytes)
        let value = hash
        token = bytes.withUnsafeBytes { HeaderToken.find(hash: value, name: $0) }
    }

    /// Only for the table of tokens, which cannot ask itself.
    fileprivate init(token: HeaderToken) {
        bytes = Array(token.text.utf8)
        hash = HeaderHash.of(bytes)
        self.token = token
    }

    public var description: String { String(decoding: bytes, as: UTF8.self) }

    public static func == (left: HeaderName, right: HeaderName) -> Bool { left.bytes == right.bytes }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    /// RFC 9110 `token` characters, or a pseudo-header.
    public var isValid: Bool {
        let name = bytes.first == UInt8(ascii: ":") ? bytes.dropFirst() : bytes[...]
        return !name.isEmpty && name.allSatisfy(HTTPSyntax.isTokenCharacter)
    }

    public var isPseudo: Bool { bytes.first == UInt8(ascii: ":") }
}

/// Characters that HTTP allows in names and values (RFC 9110, section 5).
public enum HTTPSyntax {
    @inlinable
    public static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    /// No NUL, CR or LF: what would end or split a field.
    public static func isSafeValue(_ bytes: some Sequence<UInt8>) -> Bool {
        bytes.allSatisfy { $0 != 0 && $0 != 0x0D && $0 != 0x0A }
    }
}

/// Open addressing from name hash to token, filled once.
private struct TokenTable: Sendable {
    static let shared = TokenTable()

    /// A place of the table, in one piece: looking up follows no reference and counts none.
    private struct Slot: Sendable {
        var token = HeaderToken.other
        var length: UInt8 = 0
        /// Where the name begins in `text`.
        var start: UInt16 = 0
        var hash: UInt32 = 0
    }

    let headerNames: [HeaderName]
    private let slots: [Slot]
    /// All names, one behind the other.
    private let text: [UInt8]
    private let mask: UInt32

    private init() {
        headerNames = HeaderToken.allCases.map(HeaderName.init(token:))
        mask = 511
        var slots = [Slot](repeating: Slot(), count: 512)
        var text: [UInt8] = []
        for token in HeaderToken.allCases where token != .other {
            let name = headerNames[Int(token.rawValue)]
            var slot = Int(Self.mix(name.hash) & mask)
            while slots[slot].token != .other { slot = (slot + 1) & Int(mask) }
            slots[slot] = Slot(
                token: token, length: UInt8(name.bytes.count), start: UInt16(text.count), hash: name.hash)
            text += name.bytes
        }
        self.slots = slots
        self.text = text
    }

    private static func mix(_ hash: UInt32) -> UInt32 { hash ^ (hash >> 15) }

    func find(hash: UInt32, name: UnsafeRawBufferPointer) -> HeaderToken {
        var index = Int(Self.mix(hash) & mask)
        while true {
            let slot = slots[index]
            if slot.token == .other { return .other }
            if slot.hash == hash, Int(slot.length) == name.count,
                text.withUnsafeBytes({ all in
                    let start = Int(slot.start)
                    let known = UnsafeRawBufferPointer(rebasing: all[start..<start &+ name.count])
                    return ASCII.equalIgnoringCase(known, name)
                })
            {
                return slot.token
            }
            index = (index &+ 1) & Int(mask)
        }
    }
}

/// Some tokens, a bit each: whether a head has any of them is one comparison.
public struct HeaderTokenSet: Sendable {
    public let bits: UInt128

    public init(_ tokens: [HeaderToken]) {
        bits = tokens.reduce(0) { $0 | Self.bit($1) }
    }

    public init(_ token: HeaderToken) { bits = Self.bit(token) }

    @inlinable @inline(__always)
    public static func bit(_ token: HeaderToken) -> UInt128 { 1 &<< UInt128(truncatingIfNeeded: token.rawValue) }

    @inlinable @inline(__always)
    public func contains(_ token: HeaderToken) -> Bool { bits & Self.bit(token) != 0 }
}
