/// The HTTP filters that exist, in the order of their connection manager; the router is not in the list, it is the end.
package enum HTTPFilter: Sendable {
    case fault(FaultPolicy, key: Slot)
    case cors(key: Slot)
    case authorization(AuthorizationFilter, key: Slot)
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
    package var key: Slot {
        switch self {
        case .fault(_, let key), .cors(let key), .grpcWeb(let key), .grpcStatistics(let key),
            .authorization(_, let key), .rateLimit(_, let key),
            .headerMutation(_, let key, _), .buffer(_, let key), .healthCheck(_, let key), .session(_, let key),
            .compressor(_, let key):
            key
        }
    }
}

/// What a route, virtual host or weighted cluster says about one filter (`typed_per_filter_config`).
package struct FilterOverride: Sendable {
    package enum Change: Sendable {
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

    package let key: Slot
    package let change: Change

    package init(key: Slot, change: Change) {
        self.key = key
        self.change = change
    }
}

/// `extensions.filters.http.fault.v3.HTTPFault`.
package final class FaultPolicy: Sendable {
    package struct Delay: Sendable {
        package let time: Duration
        package let share: Fraction

        package init(time: Duration, share: Fraction) {
            self.time = time
            self.share = share
        }
    }

    package struct Abort: Sendable {
        package enum Status: Hashable, Sendable {
            case http(UInt16)
            case grpc(UInt32)
        }

        package let status: Status
        package let share: Fraction

        package init(status: Status, share: Fraction) {
            self.status = status
            self.share = share
        }
    }

    package let delay: Delay?
    package let abort: Abort?
    /// All must match for a fault to be considered.
    package let headers: [HeaderMatch]
    /// Only requests routed to this cluster.
    package let upstreamCluster: String?
    /// At most so many faults at one time; nil: no limit.
    package let maxActive: UInt32?

    package init(
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
package final class CORSPolicy: Sendable {
    package let allowedOrigins: [StringMatch]
    package let allowedMethods: String
    package let allowedHeaders: String
    package let exposedHeaders: String
    package let maxAge: String
    /// nil, here and below: the level further out decides, in the end false (and true for preflights).
    package let allowsCredentials: Bool?
    package let allowsPrivateNetwork: Bool?
    package let enabled: Fraction
    package let forwardsNotMatchingPreflights: Bool?

    package init(
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
package enum HeaderMutation: Sendable {
    case remove(HeaderName)
    /// Every field whose name passes.
    case removeMatching(StringMatch)
    case set(HeaderOperations)
}

/// `extensions.filters.http.header_mutation.v3.Mutations`.
package final class HeaderMutations: Sendable {
    package let request: [HeaderMutation]
    package let response: [HeaderMutation]

    package init(request: [HeaderMutation] = [], response: [HeaderMutation] = []) {
        self.request = request
        self.response = response
    }
}

/// `extensions.filters.http.buffer.v3.Buffer`: the request goes on when all of it is here.
package struct BufferLimit: Hashable, Sendable {
    /// Bytes of body; more is answered 413.
    package let maxBytes: UInt32

    package init(maxBytes: UInt32) { self.maxBytes = maxBytes }
}

/// `extensions.filters.http.health_check.v3.HealthCheck`.
package final class HealthCheckFilter: Sendable {
    /// The request is let through and only marked; else it is answered here.
    package let passesThrough: Bool
    /// All must match for a request to be a health check.
    package let headers: [HeaderMatch]

    package init(passesThrough: Bool, headers: [HeaderMatch]) {
        self.passesThrough = passesThrough
        self.headers = headers
    }
}

/// `extensions.filters.http.stateful_session.v3.StatefulSession`: requests of one session go to one host.
package final class SessionPolicy: Sendable {
    package enum Carrier: Sendable {
        /// `ttl` zero: as long as the client's session.
        case cookie(name: String, ttl: Duration, path: String, attributes: [(name: String, value: String)])
        case header(HeaderName)
    }

    package let carrier: Carrier
    /// Without the host of the session the answer is 503; else another host is chosen.
    package let isStrict: Bool

    package init(carrier: Carrier, isStrict: Bool = false) {
        self.carrier = carrier
        self.isStrict = isStrict
    }
}

/// `extensions.filters.http.compressor.v3.Compressor` with gzip, for answers.
package final class CompressionPolicy: Sendable {
    package struct Gzip: Hashable, Sendable {
        /// As zlib counts: -1 is its default.
        package var level: Int32 = -1
        package var strategy: Int32 = 0
        package var memoryLevel: Int32 = 5
        package var windowBits: Int32 = 12

        package init() {}
    }

    package let gzip: Gzip
    package let isEnabled: Bool
    package let minLength: UInt64
    /// In lower case, without parameters.
    package let contentTypes: [String]
    package let disabledByETag: Bool
    package let removesAcceptEncoding: Bool
    package let statusesLeftAlone: [UInt16]

    package static let defaultContentTypes = [
        "application/javascript", "application/json", "application/xhtml+xml", "image/svg+xml", "text/css", "text/html",
        "text/plain", "text/xml",
    ]

    package init(
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
