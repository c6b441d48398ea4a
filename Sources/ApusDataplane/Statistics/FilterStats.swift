internal import ApusTraffic

/// Numbers of an RBAC filter, behind `<prefix>.rbac.`.
package struct AuthorizationStats: StatisticsTable {
    package var allowed: UInt64 = 0
    package var denied: UInt64 = 0
    package var shadowAllowed: UInt64 = 0
    package var shadowDenied: UInt64 = 0

    package init() {}

    mutating func count(_ verdict: AuthorizationVerdict, isShadow: Bool) {
        switch (verdict.isAllowed, isShadow) {
        case (true, false): allowed += 1
        case (false, false): denied += 1
        case (true, true): shadowAllowed += 1
        case (false, true): shadowDenied += 1
        }
    }

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("allowed", &allowed)
        visitor.counter("denied", &denied)
        visitor.counter("shadow_allowed", &shadowAllowed)
        visitor.counter("shadow_denied", &shadowDenied)
    }
}

/// Numbers of a jwt_authn filter, behind `http.<prefix>.jwt_authn.`.
package struct TokenStats: StatisticsTable {
    package var allowed: UInt64 = 0
    package var denied: UInt64 = 0
    package var preflightBypassed: UInt64 = 0
    /// Tokens whose signature was looked at or that were found bad before: there is no cache of good ones.
    package var cacheMiss: UInt64 = 0
    package var cacheHit: UInt64 = 0
    package var fetchSuccess: UInt64 = 0
    package var fetchFailed: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("allowed", &allowed)
        visitor.counter("denied", &denied)
        visitor.counter("cors_preflight_bypassed", &preflightBypassed)
        visitor.counter("jwt_cache_miss", &cacheMiss)
        visitor.counter("jwt_cache_hit", &cacheHit)
        visitor.counter("jwks_fetch_success", &fetchSuccess)
        visitor.counter("jwks_fetch_failed", &fetchFailed)
    }
}

/// Numbers of a local rate limit of requests, behind `<stat_prefix>.http_local_rate_limit.`.
package struct RateLimitStats: StatisticsTable {
    package var enabled: UInt64 = 0
    package var enforced: UInt64 = 0
    package var rateLimited: UInt64 = 0
    package var ok: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("enabled", &enabled)
        visitor.counter("enforced", &enforced)
        visitor.counter("rate_limited", &rateLimited)
        visitor.counter("ok", &ok)
    }
}

/// Of connections, behind `local_rate_limit.<stat_prefix>.`.
package struct RateLimitedConnections: StatisticsTable {
    package var rateLimited: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("rate_limited", &rateLimited)
    }
}

/// Calls of one cluster that the gRPC statistics filter saw, behind `cluster.<name>.grpc.`.
package struct GRPCStats: StatisticsTable {
    /// By status; what is no status of gRPC counts as unknown (2).
    package var byStatus = [UInt64](repeating: 0, count: 17)
    package var successes: UInt64 = 0
    package var failures: UInt64 = 0
    package var total: UInt64 = 0
    package var requestMessages: UInt64 = 0
    package var responseMessages: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        for status in byStatus.indices { visitor.counter(String(status), &byStatus[status]) }
        visitor.counter("success", &successes)
        visitor.counter("failure", &failures)
        visitor.counter("total", &total)
        visitor.counter("request_message_count", &requestMessages)
        visitor.counter("response_message_count", &responseMessages)
    }

    mutating func count(_ status: UInt32) {
        total += 1
        if status == 0 { successes += 1 } else { failures += 1 }
        byStatus[status < 17 ? Int(status) : 2] += 1
    }
}
