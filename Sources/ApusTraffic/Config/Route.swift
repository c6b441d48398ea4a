public import ApusRegex

/// `config.route.v3.RouteMatch`: all parts must hold. A class, so that looking at one copies nothing.
public final class RouteMatch: Sendable {
    public enum Path: Sendable {
        case prefix([UInt8])
        /// The whole path, without query.
        case exact([UInt8])
        /// The whole path, without query.
        case regex(RE2Pattern)
        /// The prefix, and after it the end, `/` or the query.
        case separatedPrefix([UInt8])
        /// Only CONNECT requests.
        case connect
    }

    public let path: Path
    public let ignoresCase: Bool
    public let headers: [HeaderMatch]
    public let queries: [QueryMatch]
    public let share: Fraction
    /// Only requests whose content-type is gRPC.
    public let grpcOnly: Bool
    /// What filters must have said about the request: claims of its token.
    public let metadata: [MetadataMatch]

    public init(
        path: Path, ignoresCase: Bool = false, headers: [HeaderMatch] = [], queries: [QueryMatch] = [],
        share: Fraction = .all, grpcOnly: Bool = false, metadata: [MetadataMatch] = []
    ) {
        self.path = path
        self.ignoresCase = ignoresCase
        self.headers = headers
        self.queries = queries
        self.share = share
        self.grpcOnly = grpcOnly
        self.metadata = metadata
    }
}

/// A regular expression and what takes the place of its matches.
public struct RegexRewrite: Sendable {
    public let pattern: RE2Pattern
    public let substitution: String

    public init(pattern: RE2Pattern, substitution: String) {
        self.pattern = pattern
        self.substitution = substitution
    }
}

/// `config.route.v3.RedirectAction`.
public struct RedirectAction: Sendable {
    public enum Path: Sendable {
        case keep
        /// The new path; with a `?` in it the old query is dropped.
        case replace([UInt8])
        /// Takes the place of the matched prefix or path.
        case prefix([UInt8])
        case regex(RegexRewrite)
    }

    /// `https_redirect` is the scheme `https`.
    public let scheme: String?
    public let host: String?
    public let port: UInt32?
    public let path: Path
    public let status: UInt16
    public let stripsQuery: Bool

    public init(
        scheme: String? = nil, host: String? = nil, port: UInt32? = nil, path: Path = .keep,
        status: UInt16 = 301, stripsQuery: Bool = false
    ) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.status = status
        self.stripsQuery = stripsQuery
    }
}

public struct DirectResponse: Sendable {
    public let status: UInt16
    public let body: [UInt8]
    /// Shapes the body; nil: it leaves as it is.
    public let format: LocalReplyPolicy.Body?

    public init(status: UInt16, body: [UInt8] = [], format: LocalReplyPolicy.Body? = nil) {
        self.format = format
        self.status = status
        self.body = body
    }
}

/// Where a request may go.
public enum ClusterSpecifier: Sendable {
    case cluster(ClusterReference)
    case header(HeaderName)
    /// Sum of weights above zero; each with its own header operations. `randomHeader` may carry the random number.
    case weighted([WeightedCluster], total: UInt64, randomHeader: HeaderName?)
}

public struct WeightedCluster: Sendable {
    public enum Target: Sendable {
        case cluster(ClusterReference)
        case header(HeaderName)
    }

    public let target: Target
    public let weight: UInt32
    public let requestHeaders: HeaderOperations
    public let responseHeaders: HeaderOperations
    /// `host_rewrite_literal` of this cluster; wins over the route's.
    public let hostRewrite: [UInt8]?
    public let overrides: [FilterOverride]
    /// What an endpoint's metadata must say; the route's included.
    public let metadata: MetadataCriteria?

    public init(
        target: Target, weight: UInt32, requestHeaders: HeaderOperations = .none,
        responseHeaders: HeaderOperations = .none, hostRewrite: [UInt8]? = nil, overrides: [FilterOverride] = [],
        metadata: MetadataCriteria? = nil
    ) {
        self.target = target
        self.weight = weight
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.hostRewrite = hostRewrite
        self.overrides = overrides
        self.metadata = metadata
    }
}

public struct MirrorPolicy: Sendable {
    public enum Target: Sendable {
        case cluster(ClusterReference)
        case header(HeaderName)
    }

    public let target: Target
    public let share: Fraction
    public let appendsShadowSuffix: Bool
    /// In the place of the host with its suffix.
    public let hostRewrite: [UInt8]?
    public let mutations: [HeaderMutation]

    public init(
        target: Target, share: Fraction = .all, appendsShadowSuffix: Bool = true, hostRewrite: [UInt8]? = nil,
        mutations: [HeaderMutation] = []
    ) {
        self.target = target
        self.share = share
        self.appendsShadowSuffix = appendsShadowSuffix
        self.hostRewrite = hostRewrite
        self.mutations = mutations
    }
}

/// What a consistent-hash balancer keys on.
public struct HashPolicy: Sendable {
    public enum Source: Sendable {
        case header(HeaderName, rewrite: RegexRewrite?)
        /// `ttl` nil: a request without the cookie has no hash; else one is made and set, a zero `ttl` for the session.
        case cookie(name: String, ttl: Duration?, path: String, attributes: [(name: String, value: String)])
        case sourceIP
        case query([UInt8])
    }

    public let source: Source
    /// Stops the evaluation if there is a hash by now.
    public let terminal: Bool

    public init(source: Source, terminal: Bool = false) {
        self.source = source
        self.terminal = terminal
    }
}

/// Which `Upgrade` tokens (and `CONNECT`) pass.
public struct UpgradePolicy: Sendable {
    /// In lower case.
    public let type: [UInt8]
    public let enabled: Bool
    /// `connect_config`: the CONNECT ends here, and its bytes go to the upstream as they are.
    public let tunnel: Tunnel?

    public struct Tunnel: Hashable, Sendable {
        /// The body of a POST is a tunnel too.
        public let allowsPost: Bool

        public init(allowsPost: Bool = false) { self.allowsPost = allowsPost }
    }

    public init(type: String, enabled: Bool = true, tunnel: Tunnel? = nil) {
        self.type = ASCII.lowercased(type)
        self.enabled = enabled
        self.tunnel = tunnel
    }

    public static let connectType = ASCII.lowercased("CONNECT")
}

/// `config.route.v3.RouteAction`: forward.
public final class ForwardAction: Sendable {
    public enum PathRewrite: Sendable {
        case none
        case prefix([UInt8])
        case regex(RegexRewrite)
    }

    public enum HostRewrite: Sendable {
        case none
        case literal([UInt8])
        /// The hostname of the chosen endpoint, for STRICT_DNS and LOGICAL_DNS (and endpoints with a hostname).
        case automatic
        case header(HeaderName)
        case pathRegex(RegexRewrite)
    }

    public let clusters: ClusterSpecifier
    /// Status when the named cluster does not exist: 503 by default.
    public let clusterNotFoundStatus: UInt16
    public let pathRewrite: PathRewrite
    public let hostRewrite: HostRewrite
    public let appendsForwardedHost: Bool
    /// nil: 15 s by default was replaced by "off" (`0s`).
    public let timeout: Duration?
    /// nil: that of the connection manager holds; `.zero` turns it off.
    public let idleTimeout: Duration?
    /// `max_stream_duration.max_stream_duration`; `.zero` turns it off, nil means the connection manager's.
    public let maxStreamDuration: Duration?
    /// `grpc_timeout_header_max`: nil ignores `grpc-timeout`; `.zero` takes it as it is.
    public let grpcTimeoutMax: Duration?
    public let grpcTimeoutOffset: Duration?
    /// `max_grpc_timeout`: in gRPC requests the client's `grpc-timeout`, at most so much, takes the place of `timeout`;
    /// `.zero` takes it as it is, nil leaves `timeout` in force.
    public let grpcRequestTimeoutMax: Duration?
    /// `grpc_timeout_offset`: taken off the client's time-out.
    public let grpcRequestTimeoutOffset: Duration?
    public let retry: RetryPolicy?
    public let mirrors: [MirrorPolicy]
    public let hashPolicies: [HashPolicy]
    public let upgrades: [UpgradePolicy]
    /// Of the CONNECT policy among `upgrades`.
    public let tunnel: UpgradePolicy.Tunnel?
    /// `HIGH` picks the second set of circuit-breaker limits.
    public let highPriority: Bool
    /// `metadata_match`: what an endpoint's metadata must say.
    public let metadata: MetadataCriteria?
    public let rateLimits: [RateLimitRule]
    public let internalRedirects: InternalRedirectPolicy?
    /// `hedge_on_per_try_timeout`: a try that takes too long goes on beside the next one.
    public let hedgesSlowTries: Bool

    public init(
        clusters: ClusterSpecifier, clusterNotFoundStatus: UInt16 = 503, pathRewrite: PathRewrite = .none,
        hostRewrite: HostRewrite = .none, appendsForwardedHost: Bool = false, timeout: Duration? = .seconds(15),
        idleTimeout: Duration? = nil, maxStreamDuration: Duration? = nil, grpcTimeoutMax: Duration? = nil,
        grpcTimeoutOffset: Duration? = nil, grpcRequestTimeoutMax: Duration? = nil,
        grpcRequestTimeoutOffset: Duration? = nil, retry: RetryPolicy? = nil, mirrors: [MirrorPolicy] = [],
        hashPolicies: [HashPolicy] = [], upgrades: [UpgradePolicy] = [], highPriority: Bool = false,
        metadata: MetadataCriteria? = nil, rateLimits: [RateLimitRule] = [],
        internalRedirects: InternalRedirectPolicy? = nil, hedgesSlowTries: Bool = false
    ) {
        self.clusters = clusters
        self.clusterNotFoundStatus = clusterNotFoundStatus
        self.pathRewrite = pathRewrite
        self.hostRewrite = hostRewrite
        self.appendsForwardedHost = appendsForwardedHost
        self.timeout = timeout
        self.idleTimeout = idleTimeout
        self.maxStreamDuration = maxStreamDuration
        self.grpcTimeoutMax = grpcTimeoutMax
        self.grpcTimeoutOffset = grpcTimeoutOffset
        self.grpcRequestTimeoutMax = grpcRequestTimeoutMax
        self.grpcRequestTimeoutOffset = grpcRequestTimeoutOffset
        self.retry = retry
        self.mirrors = mirrors
        self.hashPolicies = hashPolicies
        self.upgrades = upgrades
        tunnel = upgrades.first { $0.type == UpgradePolicy.connectType && $0.enabled }?.tunnel
        self.highPriority = highPriority
        self.metadata = metadata
        self.rateLimits = rateLimits
        self.internalRedirects = internalRedirects
        self.hedgesSlowTries = hedgesSlowTries
    }
}

extension ForwardAction {
    /// The bytes of this request's body go to the upstream without HTTP around them.
    public func endsTunnel(_ head: HTTPHead) -> Bool {
        guard let tunnel else { return false }
        return head.method == .connect || (tunnel.allowsPost && head.method == .post)
    }
}

public enum RouteAction: Sendable {
    case forward(ForwardAction)
    case redirect(RedirectAction)
    case direct(DirectResponse)
}

/// One route. A class, so that a decision holds it with one reference.
public final class Route: Sendable {
    public let name: String
    public let match: RouteMatch
    public let action: RouteAction
    public let requestHeaders: HeaderOperations
    public let responseHeaders: HeaderOperations
    public let overrides: [FilterOverride]
    /// `per_request_buffer_limit_bytes`, else the virtual host's; nil: the connection's.
    public let bufferLimit: UInt32?

    public init(
        name: String = "", match: RouteMatch, action: RouteAction, requestHeaders: HeaderOperations = .none,
        responseHeaders: HeaderOperations = .none, overrides: [FilterOverride] = [], bufferLimit: UInt32? = nil
    ) {
        self.name = name
        self.match = match
        self.action = action
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.overrides = overrides
        self.bufferLimit = bufferLimit
    }
}
