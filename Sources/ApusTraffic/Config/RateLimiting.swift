internal import ApusCore

/// `config.route.v3.RateLimit`: how a request is described to a rate limiter.
package final class RateLimitRule: Sendable {
    package enum Action: Sendable {
        case destinationCluster
        case requestHeader(HeaderName, key: String, skipsIfAbsent: Bool)
        case query([UInt8], key: String, skipsIfAbsent: Bool)
        case clientAddress
        case maskedClientAddress(v4: Int, v6: Int)
        case constant(key: String, value: String)
        case headers([HeaderMatch], key: String, value: String, expected: Bool)
        case queries([QueryMatch], key: String, value: String, expected: Bool)
    }

    package let stage: UInt32
    package let actions: [Action]

    package init(stage: UInt32 = 0, actions: [Action]) {
        self.stage = stage
        self.actions = actions
    }
}

/// One entry of the description of a request.
package struct RateLimitEntry: Hashable, Sendable {
    package let key: String
    package let value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

/// `extensions.filters.http.local_ratelimit.v3.LocalRateLimit`.
package final class LocalRateLimit: Sendable {
    package enum VirtualHostRules: Hashable, Sendable { case override, include, ignore }

    package struct Descriptor: Sendable {
        package let entries: [RateLimitEntry]
        package let bucket: TokenBucket

        package init(entries: [RateLimitEntry], bucket: TokenBucket) {
            self.entries = entries
            self.bucket = bucket
        }
    }

    package let statPrefix: String
    package let status: UInt16
    /// nil: only descriptors limit.
    package let bucket: TokenBucket?
    package let enabled: Fraction
    package let enforced: Fraction
    /// For requests over the limit that are let through all the same.
    package let requestHeaders: HeaderOperations
    /// For the answers to requests that are not let through.
    package let responseHeaders: HeaderOperations
    package let descriptors: [Descriptor]
    package let stage: UInt32
    /// `x-ratelimit-limit`, `-remaining` and `-reset` in every answer.
    package let addsLimitHeaders: Bool
    package let virtualHostRules: VirtualHostRules
    package let alwaysTakesDefault: Bool
    /// gRPC clients get RESOURCE_EXHAUSTED instead of UNAVAILABLE.
    package let isResourceExhausted: Bool
    /// In the place of the route's.
    package let rules: [RateLimitRule]

    package init(
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
package final class ConnectionRateLimit: Sendable {
    package let statPrefix: String
    package let bucket: TokenBucket
    package let isEnabled: Bool

    package init(statPrefix: String, bucket: TokenBucket, isEnabled: Bool = true) {
        self.statPrefix = statPrefix
        self.bucket = bucket
        self.isEnabled = isEnabled
    }
}
