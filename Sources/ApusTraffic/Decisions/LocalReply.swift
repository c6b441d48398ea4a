/// A response that the proxy makes itself, with what the log says about it.
public struct LocalReply: Sendable {
    public var status: UInt16
    public var body: [UInt8]
    public var flags: ResponseFlags
    public var details: String
    public var headers: [(HeaderName, [UInt8])]
    /// Overrides the status that `status` maps to for a gRPC client.
    public var grpcStatus: UInt32?
    /// Of a body that is not empty.
    public var contentType = "text/plain"

    public init(
        _ status: UInt16, _ body: String = "", flags: ResponseFlags = [], details: String,
        headers: [(HeaderName, [UInt8])] = [], grpcStatus: UInt32? = nil
    ) {
        self.init(
            status: status, body: Array(body.utf8), flags: flags, details: details, headers: headers,
            grpcStatus: grpcStatus)
    }

    public init(
        status: UInt16, body: [UInt8], flags: ResponseFlags = [], details: String,
        headers: [(HeaderName, [UInt8])] = [], grpcStatus: UInt32? = nil
    ) {
        self.status = status
        self.body = body
        self.flags = flags
        self.details = details
        self.headers = headers
        self.grpcStatus = grpcStatus
    }

    // MARK: The replies of the router and connection manager (Envoy's texts)

    public static let routeNotFound = LocalReply(404, flags: .noRouteFound, details: "route_not_found")
    public static let routeTableNotFound = LocalReply(
        404, flags: .noRouteFound, details: "route_configuration_not_found")
    public static let noHealthyUpstream = LocalReply(
        503, "no healthy upstream", flags: .noHealthyUpstream, details: "no_healthy_upstream")
    public static let responseTimeout = LocalReply(
        504, "upstream request timeout", flags: .upstreamRequestTimeout, details: "response_timeout")
    public static let perTryTimeout = LocalReply(
        504, "upstream request timeout", flags: .upstreamRequestTimeout, details: "upstream_per_try_timeout")
    public static let perTryIdleTimeout = LocalReply(
        504, "upstream request timeout", flags: .streamIdleTimeout, details: "upstream_per_try_idle_timeout")
    public static let upgradeRefused = LocalReply(403, details: "upgrade_failed")
    public static let missingHost = LocalReply(400, details: "missing_host_header")
    public static let pathNotAbsolute = LocalReply(404, details: "absolute_path_rejected")
    public static let pathNormalizationFailed = LocalReply(400, details: "path_normalization_failed")
    public static let lowVersion = LocalReply(426, details: "low_version")
    public static let headersTooLarge = LocalReply(431, details: "http1.headers_too_large")
    public static let codecError = LocalReply(
        400, "Bad Request", flags: .downstreamProtocolError, details: "http1.codec_error")
    public static let requestTimeout = LocalReply(408, "request timeout", details: "request_overall_timeout")
    public static let requestHeaderTimeout = LocalReply(
        408, "request header timeout", details: "request_header_timeout")
    public static let payloadTooLarge = LocalReply(413, "Payload Too Large", details: "request_payload_too_large")
    public static let retryBufferExceeded = LocalReply(
        507, "exceeded request buffer limit while retrying upstream",
        details: "request_payload_exceeded_retry_buffer_limit")
    public static let upstreamProtocolError = LocalReply(
        502, "upstream connect error or disconnect/reset before headers. reset reason: protocol error",
        flags: .upstreamProtocolError, details: "upstream_reset_before_response_started{protocol_error}")
    public static let droppedByPolicy = LocalReply(
        503, "drop_overload", flags: .dropOverload, details: "drop_overload",
        headers: [(HeaderName("x-envoy-drop-overload"), Array("true".utf8))])

    public static func clusterNotFound(_ forward: ForwardAction) -> LocalReply {
        LocalReply(forward.clusterNotFoundStatus, flags: .noClusterFound, details: "cluster_not_found")
    }

    /// - Parameter requestComplete: the whole request had arrived.
    public static func streamIdleTimeout(requestComplete: Bool) -> LocalReply {
        LocalReply(
            requestComplete ? 504 : 408, "stream timeout", flags: .streamIdleTimeout, details: "stream_idle_timeout")
    }

    public static func maxStreamDuration(requestComplete: Bool) -> LocalReply {
        LocalReply(
            requestComplete ? 504 : 408, "downstream duration timeout", details: "max_duration_timeout", grpcStatus: 4)
    }

    public static func upstreamMaxStreamDuration(requestComplete: Bool) -> LocalReply {
        LocalReply(
            requestComplete ? 504 : 408, "upstream max stream duration reached",
            flags: .upstreamMaxStreamDurationReached, details: "upstream_max_stream_duration_reached")
    }

    /// The upstream went away, or could not be reached, before it answered.
    ///
    /// - Parameters:
    ///   - transportFailure: text of the connect failure, for the details alone: the client is not told; empty: none.
    ///   - retried: a try before this one failed too.
    public static func upstreamReset(
        _ reason: UpstreamReset, transportFailure: String = "", retried: Bool = false
    ) -> LocalReply {
        if reason == .protocolError { return upstreamProtocolError }
        let again = retried ? "retried and the latest " : ""
        let inDetails = transportFailure.isEmpty ? "" : "|\(transportFailure)"
        var reply = LocalReply(
            503,
            "upstream connect error or disconnect/reset before headers. \(again)reset reason: \(reason.text)",
            flags: reason.flag,
            details: "upstream_reset_before_response_started{\(reason.details)\(inDetails)}")
        if reason == .overflow { reply.headers.append((HeaderToken.xEnvoyOverloaded.name, Array("true".utf8))) }
        return reply
    }

    public static func redirect(_ action: RedirectAction, location: [UInt8]) -> LocalReply {
        LocalReply(
            status: action.status, body: [], details: "direct_response",
            headers: [(HeaderToken.location.name, location)])
    }

    public static func direct(_ response: DirectResponse) -> LocalReply {
        LocalReply(status: response.status, body: response.body, details: "direct_response")
    }

    // MARK: Writing

    /// Fills a response head and gives the body to send: HTTP as it stands, gRPC as 200 with `grpc-status`.
    ///
    /// - Returns: the bytes of the body; empty for HEAD and gRPC. `content-length` is set where Envoy sets it.
    public func write(into head: inout HTTPHead, request: HTTPHead) -> [UInt8] {
        if request.isGRPC {
            head.reset(status: 200)
            head.append(.contentType, "application/grpc" as StaticString)
            head.append(.grpcStatus, decimal: UInt64(grpcStatus ?? Self.grpcStatus(of: status)))
            if !body.isEmpty { head.append(.grpcMessage, Self.percentEncoded(body)) }
            for (name, value) in headers { head.append(name, value) }
            return []
        }
        head.reset(status: status)
        if !body.isEmpty {
            head.append(.contentLength, decimal: UInt64(body.count))
            head.append(.contentType, contentType)
        }
        for (name, value) in headers { head.append(name, value) }
        return request.method == .head ? [] : body
    }

    /// gRPC's table of HTTP statuses (`http-grpc-status-mapping` of the gRPC documentation).
    public static func grpcStatus(of http: UInt16) -> UInt32 {
        switch http {
        case 400: 13
        case 401: 16
        case 403: 7
        case 404: 12
        case 429, 502, 503, 504: 14
        default: 2
        }
    }

    /// Statuses of gRPC as HTTP ones, for outlier detection and statistics.
    public static func httpStatus(ofGRPC status: UInt32) -> UInt16 {
        switch status {
        case 0: 200
        case 1: 499
        case 2, 13, 15: 500
        case 3, 9, 11: 400
        case 4: 504
        case 5: 404
        case 6, 10: 409
        case 7: 403
        case 8: 429
        case 12: 501
        case 14: 503
        case 16: 401
        default: 500
        }
    }

    /// gRPC: everything but printable ASCII without `%`.
    static func percentEncoded(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text {
            if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
                out.append(byte)
            } else {
                out.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return out
    }
}

/// Why a try has no (whole) response.
public enum UpstreamReset: Hashable, Sendable {
    /// The connection was not made: refused, unreachable.
    case remoteConnectionFailure
    /// The connection was not made for a reason on this side.
    case localConnectionFailure
    /// The connection was not made in time.
    case connectionTimeout
    /// The connection ended before or in the response.
    case connectionTermination
    case localReset
    case remoteReset
    /// HTTP/2 `REFUSED_STREAM`: nothing was processed.
    case remoteRefusedStream
    /// A circuit breaker is open.
    case overflow
    case protocolError

    /// As the body of the reply says it.
    public var text: String {
        switch self {
        case .remoteConnectionFailure: "remote connection failure"
        case .localConnectionFailure: "local connection failure"
        case .connectionTimeout: "connection timeout"
        case .connectionTermination: "connection termination"
        case .localReset: "local reset"
        case .remoteReset: "remote reset"
        case .remoteRefusedStream: "remote refused stream reset"
        case .overflow: "overflow"
        case .protocolError: "protocol error"
        }
    }

    public var details: String { String(text.map { $0 == " " ? "_" : $0 }) }

    public var flag: ResponseFlags {
        switch self {
        case .remoteConnectionFailure, .localConnectionFailure, .connectionTimeout: .upstreamConnectionFailure
        case .connectionTermination: .upstreamConnectionTermination
        case .localReset: .localReset
        case .remoteReset, .remoteRefusedStream: .upstreamRemoteReset
        case .overflow: .upstreamOverflow
        case .protocolError: .upstreamProtocolError
        }
    }

    public var isConnectFailure: Bool {
        self == .remoteConnectionFailure || self == .localConnectionFailure || self == .connectionTimeout
    }
}
