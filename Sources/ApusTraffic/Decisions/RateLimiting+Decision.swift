public import ApusCore

extension RateLimitRule {
    /// The description of a request; nil: an action found nothing, the rule does not apply.
    public func describe(_ head: HTTPHead, cluster: String, client: IPAddress?) -> [RateLimitEntry]? {
        var entries: [RateLimitEntry] = []
        for action in actions {
            switch action {
            case .destinationCluster: entries.append(RateLimitEntry("destination_cluster", cluster))
            case .requestHeader(let name, let key, let skips):
                guard let value = head.value(name) else {
                    if skips { continue }
                    return nil
                }
                entries.append(RateLimitEntry(key, head.text(value)))
            case .query(let name, let key, let skips):
                let value = head.withBytes(head.path) { path in
                    QueryMatch.firstValue(of: name, in: path).map { String(decoding: $0, as: UTF8.self) }
                }
                guard let value else {
                    if skips { continue }
                    return nil
                }
                entries.append(RateLimitEntry(key, value))
            case .clientAddress:
                guard let client else { return nil }
                entries.append(RateLimitEntry("remote_address", client.description))
            case .maskedClientAddress(let v4, let v6):
                guard let client else { return nil }
                let length = client.family == .v4 ? v4 : v6
                entries.append(
                    RateLimitEntry("masked_remote_address", "\(client.masked(length))/\(length)"))
            case .constant(let key, let value): entries.append(RateLimitEntry(key, value))
            case .headers(let matches, let key, let value, let expected):
                guard matches.allSatisfy({ $0.matches(head) }) == expected else { return nil }
                entries.append(RateLimitEntry(key, value))
            case .queries(let matches, let key, let value, let expected):
                let holds = head.withBytes(head.path) { path in matches.allSatisfy { $0.matches(path: path) } }
                guard holds == expected else { return nil }
                entries.append(RateLimitEntry(key, value))
            }
        }
        return entries.isEmpty ? nil : entries
    }
}

extension IPAddress {
    /// The first `length` bits; the others are zero.
    func masked(_ length: Int) -> IPAddress {
        switch family {
        case .v4:
            let bits = UInt32(truncatingIfNeeded: self.bits)
            return IPAddress(v4: length <= 0 ? 0 : length >= 32 ? bits : bits & ~(.max >> UInt32(length)))
        case .v6:
            return IPAddress(v6: length <= 0 ? 0 : length >= 128 ? bits : bits & ~(.max >> UInt128(length)))
        }
    }
}

extension LocalRateLimit {
    /// Takes tokens for a request: of the descriptors it matches, the slowest first, then of the default bucket.
    ///
    /// - Parameters:
    ///   - now: nanoseconds of the clock of all buckets.
    /// - Returns: the bucket to tell the client about.
    public func admit(
        _ descriptions: [[RateLimitEntry]], now: Int64
    ) -> (isAllowed: Bool, bucket: TokenBucket?) {
        var matched: [TokenBucket] = []
        for description in descriptions {
            if let found = descriptors.first(where: { $0.entries == description }) { matched.append(found.bucket) }
        }
        if matched.count > 1 { matched.sort { $0.perToken > $1.perToken } }
        for bucket in matched where !bucket.take(now: now) { return (false, bucket) }
        if matched.isEmpty || alwaysTakesDefault, let bucket {
            guard bucket.take(now: now) else { return (false, bucket) }
            return (true, matched.first ?? bucket)
        }
        return (true, matched.first)
    }

    /// What describes a request: the filter's own rules, else those of the route and of its virtual host.
    public func descriptions(
        _ decision: RouteDecision, head: HTTPHead, cluster: String, client: IPAddress?
    ) -> [[RateLimitEntry]] {
        guard !descriptors.isEmpty else { return [] }
        var result: [[RateLimitEntry]] = []
        func add(_ rules: [RateLimitRule]) {
            for rule in rules where rule.stage == stage {
                if let entries = rule.describe(head, cluster: cluster, client: client) { result.append(entries) }
            }
        }
        if !rules.isEmpty {
            for rule in rules {
                if let entries = rule.describe(head, cluster: cluster, client: client) { result.append(entries) }
            }
            return result
        }
        guard case .forward(let forward, _) = decision.outcome else { return [] }
        add(forward.rateLimits)
        switch virtualHostRules {
        case .ignore: break
        case .include: add(decision.virtualHost?.rateLimits ?? [])
        case .override: if forward.rateLimits.isEmpty { add(decision.virtualHost?.rateLimits ?? []) }
        }
        return result
    }
}

extension LocalReply {
    public static func rateLimited(_ limit: LocalRateLimit) -> LocalReply {
        LocalReply(
            limit.status, "local_rate_limited", flags: .rateLimited, details: "local_rate_limited",
            grpcStatus: limit.isResourceExhausted ? 8 : nil)
    }
}
