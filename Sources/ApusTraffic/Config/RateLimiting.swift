internal import ApusCore

/// `config.route.v3.RateLimit`: how a request is described to a rate limiter.
public final class RateLimitRule: Sendable {
    public enum Action: Sendable {
        case destinationCluster
        case requestHeader(HeaderName, key: String, skipsIfAbsent: Bool)
        case query([UInt8], key: String, skipsIfAbsent: Bool)
        case clientAddress
        case maskedClientAddress(v4: Int, v6: Int)
        case constant(key: String, value: String)
        case headers([HeaderMatch], key: String, value: String, expected: Bool)
        case queries([QueryMatch], key: String, value: String, expected: Bool)
    }

    public let stage: UInt32
    public let actions: [Action]

    public init(stage: UInt32 = 0, actions: [Action]) {
        self.stage = stage
        self.actions = actions
    }
}

/// One entry of the description of a request.
public struct RateLimitEntry: Hashable, Sendable {
    public let key: String
    public let value: String

    public init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

/// `extensions.filters.http.local_ratelimit.v3.LocalRateLimit`.
public final class LocalRateLimit: Sendable {
    public enum VirtualHostRules: Hashable, Sendable { case override, include, ignore }

    public struct Descriptor: Sendable {
        public let entries: [RateLimitEntry]
        public let bucket: TokenBucket

        public init(entries: [RateLimitEntry], bucket: TokenBucket) {
            self.entries = entries
            self.bucket = bucket
        }
    }

    public let statPrefix: String
    public let status: UInt16
    /// nil: only descriptors limit.
    public let bucket: TokenBucket?
    public let enabled: Fraction
    public let enforced: Fraction
    /// For requests over the limit that are let through all the same.
    public let requestHeaders: HeaderOperations
    /// For the answers to requests that are not let through.
    public let responseHeaders: HeaderOperations
    public let descriptors: [Descriptor]
    public let stage: UInt32
    /// `x-ratelimit-limit`, `-remaining` and `-reset` in every answer.
    public let addsLimitHeaders: Bool
    public let virtualHostRules: VirtualHostRules
    public let alwaysTakesDefault: Bool
    /// gRPC clients get RESOURCE_EXHAUSTED instead of UNAVAILABLE.
    public let isResourceExhausted: Bool
    /// In the place of the route's.
    public let rules: [RateLimitRule]

    public init(
        statPrefix: String = "", status: UInt16 = 429, bucket: TokenBucket?, enabled: Fraction = .none,
        enforced: Fraction = .none, requestHeaders: HeaderOperations = .none, responseHeaders: HeaderOperations = .none,
        descriptors: [Descriptor] = [], stage: UInt32 = 0, addsLimitHeaders: Bool = false,
        virtualHostRules: VirtualHostRules = .override, alwaysTakesDefault: Bool = true,
        isResourceExhausted: Bool = false, rules: [RateLimitRule] = []
    ) {
        self.statPrefix = statPrefix
        self.status = status
        self.bucket = bucket
        self.enabled = enabled
        self.enforced = enforced
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.descriptors = descriptors
        self.stage = stage
        self.addsLimitHeaders = addsLimitHeaders
        self.virtualHostRules = virtualHostRules
        self.alwaysTakesDefault = alwaysTakesDefault
        self.isResourceExhausted = isResourceExhausted
        self.rules = rules
    }
}

/// `extensions.filters.network.local_ratelimit.v3.LocalRateLimit`: every connection takes a token or is closed.
public final class ConnectionRateLimit: Sendable {
    public let statPrefix: String
    public let bucket: TokenBucket
    public let isEnabled: Bool

    public init(statPrefix: String, bucket: TokenBucket, isEnabled: Bool = true) {
        self.statPrefix = statPrefix
        self.bucket = bucket
        self.isEnabled = isEnabled
    }
}
