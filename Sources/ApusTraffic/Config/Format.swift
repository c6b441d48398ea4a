/// One operator of Envoy's substitution format.
public enum FormatOperator: Hashable, Sendable {
    /// nil: ISO 8601 with milliseconds, `2024-01-02T03:04:05.678Z`; else strftime directives and `%3f`, `%6f`, `%9f`.
    case startTime(format: String?)
    /// Request header, else the alternative; at most so many bytes.
    case request(HeaderName, alternative: HeaderName?, limit: Int?)
    case response(HeaderName, alternative: HeaderName?, limit: Int?)
    case trailer(HeaderName, alternative: HeaderName?, limit: Int?)
    case `protocol`, responseCode, responseFlags, responseFlagsLong, responseCodeDetails, connectionTerminationDetails
    case upstreamTransportFailureReason
    case bytesReceived, bytesSent, upstreamWireBytesSent, upstreamWireBytesReceived
    case downstreamWireBytesSent, downstreamWireBytesReceived
    /// Milliseconds from the start of the request to its end.
    case duration
    /// Milliseconds to: the last request byte; the first response byte from upstream; between the first response byte
    /// from upstream and the last byte sent downstream.
    case requestDuration, responseDuration, responseTXDuration
    case upstreamHost, upstreamCluster, upstreamClusterRaw, upstreamLocalAddress
    case upstreamLocalAddressWithoutPort, upstreamLocalPort
    case upstreamRemoteAddress, upstreamRemoteAddressWithoutPort, upstreamRemotePort, upstreamRequestAttemptCount
    case downstreamLocalAddress, downstreamLocalAddressWithoutPort, downstreamLocalPort
    case downstreamRemoteAddress, downstreamRemoteAddressWithoutPort, downstreamRemotePort
    case downstreamDirectRemoteAddress, downstreamDirectRemoteAddressWithoutPort
    case requestedServerName, routeName, virtualHostName, connectionID, streamID, hostname
    case downstreamPeerURISAN, downstreamPeerDNSSAN, downstreamPeerSubject, downstreamPeerIssuer, downstreamPeerSerial
    case downstreamPeerFingerprint256, downstreamPeerCertificate, downstreamPeerStart, downstreamPeerEnd
    case downstreamTLSVersion, downstreamLocalURISAN
    case downstreamTransportFailureReason
    /// The text of an answer that the proxy makes itself.
    case localReplyBody
    /// Understood and always `-` here, since no dynamic metadata and no filter state exist.
    case dynamicMetadata, filterState
}

/// A format text, compiled: what `access_log_format` and header values are made of.
public struct FormatString: Hashable, Sendable {
    public enum Segment: Hashable, Sendable {
        case literal([UInt8])
        case value(FormatOperator)
    }

    public let segments: [Segment]
    /// Written for a value that is missing: `-` in texts by default, nothing with `omit_empty_values`.
    public let omitsEmpty: Bool

    public init(segments: [Segment], omitsEmpty: Bool = false) {
        self.segments = segments
        self.omitsEmpty = omitsEmpty
    }

    public init(literal: String) { self.init(segments: literal.isEmpty ? [] : [.literal(Array(literal.utf8))]) }

    /// The text, if there is no operator in it.
    public var literal: [UInt8]? {
        switch segments.count {
        case 0: []
        case 1: if case .literal(let bytes) = segments[0] { bytes } else { nil }
        default: nil
        }
    }
}

/// A JSON access-log format: an object whose leaves are formats. Keys are in the order they are printed.
public indirect enum FormatTree: Hashable, Sendable {
    case object([(key: String, value: FormatTree)])
    case array([FormatTree])
    /// One operator alone keeps its type (numbers stay numbers); anything else is a string.
    case text(FormatString)
    case number(Double)
    case bool(Bool)
    case null

    public static func == (left: FormatTree, right: FormatTree) -> Bool {
        switch (left, right) {
        case (.object(let left), .object(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        case (.array(let left), .array(let right)): left == right
        case (.text(let left), .text(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .object(let members): for member in members { hasher.combine(member.key) }
        case .array(let items): hasher.combine(items)
        case .text(let text): hasher.combine(text)
        case .number(let number): hasher.combine(number)
        case .bool(let flag): hasher.combine(flag)
        case .null: hasher.combine(0)
        }
    }
}

/// One access log of a listener, a connection manager or a TCP proxy.
public final class AccessLog: Sendable {
    public enum Sink: Hashable, Sendable { case file(String), standardOutput, standardError }
    public enum Format: Hashable, Sendable {
        case text(FormatString)
        case json(FormatTree)
    }

    public indirect enum Filter: Sendable {
        case status(Comparison)
        case duration(Comparison)
        case notHealthCheck
        case share(Fraction)
        case all([Filter])
        case any([Filter])
        case header(HeaderMatch)
        /// Any of the flags; an empty set means any flag at all.
        case flags(ResponseFlags)
    }

    /// `observed <operator> value`.
    public struct Comparison: Hashable, Sendable {
        public enum Operator: Hashable, Sendable { case equal, greaterOrEqual, lessOrEqual, notEqual }
        public let `operator`: Operator
        public let value: UInt64

        public init(_ `operator`: Operator, _ value: UInt64) {
            self.operator = `operator`
            self.value = value
        }
    }

    public let sink: Sink
    public let format: Format
    public let filter: Filter?

    public init(sink: Sink, format: Format, filter: Filter? = nil) {
        self.sink = sink
        self.format = format
        self.filter = filter
    }
}
