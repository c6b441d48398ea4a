/// The HTTP filters that exist, in the order of their connection manager; the router is not in the list, it is the end.
public enum HTTPFilter: Sendable {
    case fault(FaultPolicy, key: Slot)
    case cors(key: Slot)
    case authorization(AuthorizationFilter, key: Slot)
    case tokens(TokenFilter, key: Slot)
    case rateLimit(LocalRateLimit, key: Slot)
    case headerMutation(HeaderMutations, key: Slot, mostSpecificWins: Bool)
    case buffer(BufferLimit, key: Slot)
    case healthCheck(HealthCheckFilter, key: Slot)
    case grpcWeb(key: Slot)
    /// Counts calls by what they came to.
    case grpcStatistics(key: Slot)
    case session(SessionPolicy, key: Slot)
    case compressor(CompressionPolicy, key: Slot)

    /// The configured name as a slot, by which routes override the filter.
    public var key: Slot {
        switch self {
        case .fault(_, let key), .cors(let key), .grpcWeb(let key), .grpcStatistics(let key),
            .authorization(_, let key), .tokens(_, let key), .rateLimit(_, let key),
            .headerMutation(_, let key, _), .buffer(_, let key), .healthCheck(_, let key), .session(_, let key),
            .compressor(_, let key):
            key
        }
    }
}

/// What a route, virtual host or weighted cluster says about one filter (`typed_per_filter_config`).
public struct FilterOverride: Sendable {
    public enum Change: Sendable {
        case disabled
        case fault(FaultPolicy)
        case cors(CORSPolicy)
        case authorization(AuthorizationFilter)
        case rateLimit(LocalRateLimit)
        case headerMutation(HeaderMutations)
        case buffer(BufferLimit)
        case session(SessionPolicy)
        /// Understood and without effect.
        case nothing
    }

    public let key: Slot
    public let change: Change

    public init(key: Slot, change: Change) {
        self.key = key
        self.change = change
    }
}

/// `extensions.filters.http.fault.v3.HTTPFault`.
public final class FaultPolicy: Sendable {
    public struct Delay: Sendable {
        public let time: Duration
        public let share: Fraction

        public init(time: Duration, share: Fraction) {
            self.time = time
            self.share = share
        }
    }

    public struct Abort: Sendable {
        public enum Status: Hashable, Sendable {
            case http(UInt16)
            case grpc(UInt32)
        }

        public let status: Status
        public let share: Fraction

        public init(status: Status, share: Fraction) {
            self.status = status
            self.share = share
        }
    }

    public let delay: Delay?
    public let abort: Abort?
    /// All must match for a fault to be considered.
    public let headers: [HeaderMatch]
    /// Only requests routed to this cluster.
    public let upstreamCluster: String?
    /// At most so many faults at one time; nil: no limit.
    public let maxActive: UInt32?

    public init(
        delay: Delay? = nil, abort: Abort? = nil, headers: [HeaderMatch] = [], upstreamCluster: String? = nil,
        maxActive: UInt32? = nil
    ) {
        self.delay = delay
        self.abort = abort
        self.headers = headers
        self.upstreamCluster = upstreamCluster
        self.maxActive = maxActive
    }
}

/// `extensions.filters.http.cors.v3.CorsPolicy` of a route or virtual host.
public final class CORSPolicy: Sendable {
    public let allowedOrigins: [StringMatch]
    public let allowedMethods: String
    public let allowedHeaders: String
    public let exposedHeaders: String
    public let maxAge: String
    /// nil, here and below: the level further out decides, in the end false (and true for preflights).
    public let allowsCredentials: Bool?
    public let allowsPrivateNetwork: Bool?
    public let enabled: Fraction
    public let forwardsNotMatchingPreflights: Bool?

    public init(
        allowedOrigins: [StringMatch], allowedMethods: String = "", allowedHeaders: String = "",
        exposedHeaders: String = "", maxAge: String = "", allowsCredentials: Bool? = nil,
        allowsPrivateNetwork: Bool? = nil, enabled: Fraction = .all, forwardsNotMatchingPreflights: Bool? = nil
    ) {
        self.allowedOrigins = allowedOrigins
        self.allowedMethods = allowedMethods
        self.allowedHeaders = allowedHeaders
        self.exposedHeaders = exposedHeaders
        self.maxAge = maxAge
        self.allowsCredentials = allowsCredentials
        self.allowsPrivateNetwork = allowsPrivateNetwork
        self.enabled = enabled
        self.forwardsNotMatchingPreflights = forwardsNotMatchingPreflights
    }
}

/// One change of a head.
public enum HeaderMutation: Sendable {
    case remove(HeaderName)
    /// Every field whose name passes.
    case removeMatching(StringMatch)
    case set(HeaderOperations)
}

/// `extensions.filters.http.header_mutation.v3.Mutations`.
public final class HeaderMutations: Sendable {
    public let request: [HeaderMutation]
    public let response: [HeaderMutation]

    public init(request: [HeaderMutation] = [], response: [HeaderMutation] = []) {
        self.request = request
        self.response = response
    }
}

/// `extensions.filters.http.buffer.v3.Buffer`: the request goes on when all of it is here.
public struct BufferLimit: Hashable, Sendable {
    /// Bytes of body; more is answered 413.
    public let maxBytes: UInt32

    public init(maxBytes: UInt32) { self.maxBytes = maxBytes }
}

/// `extensions.filters.http.health_check.v3.HealthCheck`.
public final class HealthCheckFilter: Sendable {
    /// The request is let through and only marked; else it is answered here.
    public let passesThrough: Bool
    /// All must match for a request to be a health check.
    public let headers: [HeaderMatch]

    public init(passesThrough: Bool, headers: [HeaderMatch]) {
        self.passesThrough = passesThrough
        self.headers = headers
    }
}

/// `extensions.filters.http.stateful_session.v3.StatefulSession`: requests of one session go to one host.
public final class SessionPolicy: Sendable {
    public enum Carrier: Sendable {
        /// `ttl` zero: as long as the client's session.
        case cookie(name: String, ttl: Duration, path: String, attributes: [(name: String, value: String)])
        case header(HeaderName)
    }

    public let carrier: Carrier
    /// Without the host of the session the answer is 503; else another host is chosen.
    public let isStrict: Bool

    public init(carrier: Carrier, isStrict: Bool = false) {
        self.carrier = carrier
        self.isStrict = isStrict
    }
}

/// `extensions.filters.http.compressor.v3.Compressor` with gzip, for answers.
public final class CompressionPolicy: Sendable {
    public struct Gzip: Hashable, Sendable {
        /// As zlib counts: -1 is its default.
        public var level: Int32 = -1
        public var strategy: Int32 = 0
        public var memoryLevel: Int32 = 5
        public var windowBits: Int32 = 12

        public init() {}
    }

    public let gzip: Gzip
    public let isEnabled: Bool
    public let minLength: UInt64
    /// In lower case, without parameters.
    public let contentTypes: [String]
    public let disabledByETag: Bool
    public let removesAcceptEncoding: Bool
    public let statusesLeftAlone: [UInt16]

    public static let defaultContentTypes = [
        "application/javascript", "application/json", "application/xhtml+xml", "image/svg+xml", "text/css", "text/html",
        "text/plain", "text/xml",
    ]

    public init(
        gzip: Gzip = Gzip(), isEnabled: Bool = true, minLength: UInt64 = 30,
        contentTypes: [String] = defaultContentTypes, disabledByETag: Bool = false,
        removesAcceptEncoding: Bool = false, statusesLeftAlone: [UInt16] = []
    ) {
        self.gzip = gzip
        self.isEnabled = isEnabled
        self.minLength = minLength
        self.contentTypes = contentTypes
        self.disabledByETag = disabledByETag
        self.removesAcceptEncoding = removesAcceptEncoding
        self.statusesLeftAlone = statusesLeftAlone
    }
}
