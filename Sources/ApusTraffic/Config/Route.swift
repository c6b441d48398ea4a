package import ApusRegex

/// `config.route.v3.RouteMatch`: all parts must hold.
package struct RouteMatch: Sendable {
    package enum Path: Sendable {
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

    package let path: Path
    package let ignoresCase: Bool
    package let headers: [HeaderMatch]
    package let queries: [QueryMatch]
    package let share: Fraction
    /// Only requests whose content-type is gRPC.
    package let grpcOnly: Bool

    package init(
        path: Path, ignoresCase: Bool = false, headers: [HeaderMatch] = [], queries: [QueryMatch] = [],
        share: Fraction = .all, grpcOnly: Bool = false
    ) {
        self.path = path
        self.ignoresCase = ignoresCase
        self.headers = headers
        self.queries = queries
        self.share = share
        self.grpcOnly = grpcOnly
    }
}

/// A regular expression and what takes the place of its matches.
package struct RegexRewrite: Sendable {
    package let pattern: RE2Pattern
    package let substitution: String

    package init(pattern: RE2Pattern, substitution: String) {
        self.pattern = pattern
        self.substitution = substitution
    }
}

/// `config.route.v3.RedirectAction`.
package struct RedirectAction: Sendable {
    package enum Path: Sendable {
        case keep
        /// The new path; with a `?` in it the old query is dropped.
        case replace([UInt8])
        /// Takes the place of the matched prefix or path.
        case prefix([UInt8])
        case regex(RegexRewrite)
    }

    /// `https_redirect` is the scheme `https`.
    package let scheme: String?
    package let host: String?
    package let port: UInt32?
    package let path: Path
    package let status: UInt16
    package let stripsQuery: Bool

    package init(
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

package struct DirectResponse: Sendable {
    package let status: UInt16
    package let body: [UInt8]
    /// Shapes the body; nil: it leaves as it is.
    package let format: LocalReplyPolicy.Body?

    package init(status: UInt16, body: [UInt8] = [], format: LocalReplyPolicy.Body? = nil) {
        self.format = format
        self.status = status
        self.body = body
    }
}

/// Where a request may go.
package enum ClusterSpecifier: Sendable {
    case cluster(ClusterReference)
    case header(HeaderName)
    /// Sum of weights above zero; each with its own header operations. `randomHeader` may carry the random number.
    case weighted([WeightedCluster], total: UInt64, randomHeader: HeaderName?)
}

package struct WeightedCluster: Sendable {
    package enum Target: Sendable {
        case cluster(ClusterReference)
        case header(HeaderName)
    }

    package let target: Target
    package let weight: UInt32
    package let requestHeaders: HeaderOperations
    package let responseHeaders: HeaderOperations
    /// `host_rewrite_literal` of this cluster; wins over the route's.
    package let hostRewrite: [UInt8]?
    package let overrides: [FilterOverride]
    /// What an endpoint's metadata must say; the route's included.
    package let metadata: MetadataCriteria?

    package init(
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

package struct MirrorPolicy: Sendable {
    package enum Target: Sendable {
        case cluster(ClusterReference)
        case header(HeaderName)
    }

    package let target: Target
    package let share: Fraction
    package let appendsShadowSuffix: Bool
    /// In the place of the host with its suffix.
    package let hostRewrite: [UInt8]?
    package let mutations: [HeaderMutation]

    package init(
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
package struct HashPolicy: Sendable {
    package enum Source: Sendable {
        case header(HeaderName, rewrite: RegexRewrite?)
        /// `ttl` nil: a request without the cookie has no hash; else one is made and set, a zero `ttl` for the session.
        case cookie(name: String, ttl: Duration?, path: String, attributes: [(name: String, value: String)])
        case sourceIP
        case query([UInt8])
    }

    package let source: Source
    /// Stops the evaluation if there is a hash by now.
    package let terminal: Bool

    package init(source: Source, terminal: Bool = false) {
        self.source = source
        self.terminal = terminal
    }
}

/// Which `Upgrade` tokens (and `CONNECT`) pass.
package struct UpgradePolicy: Sendable {
    /// In lower case.
    package let type: [UInt8]
    package let enabled: Bool
    /// `connect_config`: the CONNECT ends here, and its bytes go to the upstream as they are.
    package let tunnel: Tunnel?

    package struct Tunnel: Hashable, Sendable {
        /// The body of a POST is a tunnel too.
        package let allowsPost: Bool

        package init(allowsPost: Bool = false) { self.allowsPost = allowsPost }
    }

    package init(type: String, enabled: Bool = true, tunnel: Tunnel? = nil) {
        self.type = ASCII.lowercased(type)
        self.enabled = enabled
        self.tunnel = tunnel
    }

    package static let connectType = ASCII.lowercased("CONNECT")
}

/// `config.route.v3.RouteAction`: forward.
package final class ForwardAction: Sendable {
    package enum PathRewrite: Sendable {
        case none
        case prefix([UInt8])
        case regex(RegexRewrite)
    }

    package enum HostRewrite: Sendable {
        case none
        case literal([UInt8])
        /// The hostname of the chosen endpoint, for STRICT_DNS and LOGICAL_DNS (and endpoints with a hostname).
        case automatic
        case header(HeaderName)
        case pathRegex(RegexRewrite)
    }

    package let clusters: ClusterSpecifier
    /// Status when the named cluster does not exist: 503 by default.
    package let clusterNotFoundStatus: UInt16
    package let pathRewrite: PathRewrite
    package let hostRewrite: HostRewrite
    package let appendsForwardedHost: Bool
    /// nil: 15 s by default was replaced by "off" (`0s`).
    package let timeout: Duration?
    /// nil: that of the connection manager holds; `.zero` turns it off.
    package let idleTimeout: Duration?
    /// `max_stream_duration.max_stream_duration`; `.zero` turns it off, nil means the connection manager's.
    package let maxStreamDuration: Duration?
    /// `grpc_timeout_header_max`: nil ignores `grpc-timeout`; `.zero` takes it as it is.
    package let grpcTimeoutMax: Duration?
    package let grpcTimeoutOffset: Duration?
    /// `max_grpc_timeout`: in gRPC requests the client's `grpc-timeout`, at most so much, takes the place of `timeout`;
    /// `.zero` takes it as it is, nil leaves `timeout` in force.
    package let grpcRequestTimeoutMax: Duration?
    /// `grpc_timeout_offset`: taken off the client's time-out.
    package let grpcRequestTimeoutOffset: Duration?
    package let retry: RetryPolicy?
    package let mirrors: [MirrorPolicy]
    package let hashPolicies: [HashPolicy]
    package let upgrades: [UpgradePolicy]
    /// Of the CONNECT policy among `upgrades`.
    package let tunnel: UpgradePolicy.Tunnel?
    /// `HIGH` picks the second set of circuit-breaker limits.
    package let highPriority: Bool
    /// `metadata_match`: what an endpoint's metadata must say.
    package let metadata: MetadataCriteria?
    package let rateLimits: [RateLimitRule]
    package let internalRedirects: InternalRedirectPolicy?
    /// `hedge_on_per_try_timeout`: a try that takes too long goes on beside the next one.
    package let hedgesSlowTries: Bool

    package init(
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
    package func endsTunnel(_ head: HTTPHead) -> Bool {
        guard let tunnel else { return false }
        return head.method == .connect || (tunnel.allowsPost && head.method == .post)
    }
}

package enum RouteAction: Sendable {
    case forward(ForwardAction)
    case redirect(RedirectAction)
    case direct(DirectResponse)
}

/// One route. A class, so that a decision holds it with one reference.
package final class Route: Sendable {
    package let name: String
    package let match: RouteMatch
    package let action: RouteAction
    package let requestHeaders: HeaderOperations
    package let responseHeaders: HeaderOperations
    package let overrides: [FilterOverride]
    /// `per_request_buffer_limit_bytes`, else the virtual host's; nil: the connection's.
    package let bufferLimit: UInt32?

    package init(
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
