internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension TokenBucket {
    static func decode(_ message: Envoy_Type_V3_TokenBucket) throws(Refusal) -> TokenBucket {
        guard message.maxTokens > 0 else { throw Refusal("max_tokens", "must be greater than 0") }
        if message.hasTokensPerFill, message.tokensPerFill.value == 0 {
            throw Refusal("tokens_per_fill", "must be greater than 0")
        }
        let interval = try at("fill_interval") { () throws(Refusal) in try message.fillInterval.positive() }
        guard interval >= .milliseconds(50) else { throw Refusal("fill_interval", "must be at least 50ms") }
        return TokenBucket(
            maxTokens: message.maxTokens, tokensPerFill: message.hasTokensPerFill ? message.tokensPerFill.value : 1,
            fillInterval: interval)
    }
}

extension RateLimitRule {
    static func decode(_ message: Envoy_Config_Route_V3_RateLimit) throws(Refusal) -> RateLimitRule {
        guard !message.actions.isEmpty else { throw Refusal("actions", "empty") }
        guard message.stage.value <= 10 else { throw Refusal("stage", "must be from 0 to 10") }
        return RateLimitRule(
            stage: message.stage.value,
            actions: try each("actions", message.actions) { action throws(Refusal) in try Self.action(action) })
    }

    private static func action(_ message: Envoy_Config_Route_V3_RateLimit.Action) throws(Refusal) -> Action {
        func filled(_ field: String, _ text: String) throws(Refusal) -> String {
            guard !text.isEmpty else { throw Refusal(field, "empty") }
            return text
        }
        switch message.actionSpecifier {
        case .destinationCluster: return .destinationCluster
        case .requestHeaders(let header):
            return .requestHeader(
                try at("request_headers.header_name") { () throws(Refusal) in
                    try HeaderName.decode(header.headerName)
                },
                key: try filled("request_headers.descriptor_key", header.descriptorKey),
                skipsIfAbsent: header.skipIfAbsent)
        case .queryParameters(let query):
            return .query(
                Array(try filled("query_parameters.query_parameter_name", query.queryParameterName).utf8),
                key: try filled("query_parameters.descriptor_key", query.descriptorKey),
                skipsIfAbsent: query.skipIfAbsent)
        case .remoteAddress: return .clientAddress
        case .maskedRemoteAddress(let mask):
            let v4 = mask.hasV4PrefixMaskLen ? mask.v4PrefixMaskLen.value : 32
            let v6 = mask.hasV6PrefixMaskLen ? mask.v6PrefixMaskLen.value : 128
            guard v4 <= 32, v6 <= 128 else { throw Refusal("masked_remote_address", "longer than an address") }
            return .maskedClientAddress(v4: Int(v4), v6: Int(v6))
        case .genericKey(let generic):
            return .constant(
                key: generic.descriptorKey.isEmpty ? "generic_key" : generic.descriptorKey,
                value: try filled("generic_key.descriptor_value", generic.descriptorValue))
        case .headerValueMatch(let match):
            guard !match.headers.isEmpty else { throw Refusal("header_value_match.headers", "empty") }
            return .headers(
                try each("header_value_match.headers", match.headers) { header throws(Refusal) in
                    try HeaderMatch(header)
                },
                key: match.descriptorKey.isEmpty ? "header_match" : match.descriptorKey,
                value: try filled("header_value_match.descriptor_value", match.descriptorValue),
                expected: !match.hasExpectMatch || match.expectMatch.value)
        case .queryParameterValueMatch(let match):
            guard !match.queryParameters.isEmpty else {
                throw Refusal("query_parameter_value_match.query_parameters", "empty")
            }
            return .queries(
                try each("query_parameter_value_match.query_parameters", match.queryParameters) {
                    query throws(Refusal) in try QueryMatch(query)
                },
                key: match.descriptorKey.isEmpty ? "query_match" : match.descriptorKey,
                value: try filled("query_parameter_value_match.descriptor_value", match.descriptorValue),
                expected: !match.hasExpectMatch || match.expectMatch.value)
        case .sourceCluster: throw Refusal.unsupported("source_cluster")
        case .extension: throw Refusal.unsupported("extension")
        case nil: throw Refusal("", "no action")
        }
    }
}

extension LocalRateLimit {
    private static let maxDescriptors = 10_000

    static func decode(
        _ message: Envoy_Extensions_Filters_Http_LocalRatelimit_V3_LocalRateLimit
    ) throws(Refusal) -> LocalRateLimit {
        guard !message.statPrefix.isEmpty else { throw Refusal("stat_prefix", "empty") }
        guard message.stage <= 10 else { throw Refusal("stage", "must be from 0 to 10") }
        if message.localRateLimitPerDownstreamConnection {
            throw Refusal.unsupported("local_rate_limit_per_downstream_connection")
        }
        guard message.descriptors.count <= maxDescriptors else { throw Refusal("descriptors", "too many") }
        let bucket =
            message.hasTokenBucket
            ? try at("token_bucket") { () throws(Refusal) in try TokenBucket.decode(message.tokenBucket) } : nil
        let descriptors = try each("descriptors", message.descriptors) { descriptor throws(Refusal) in
            guard !descriptor.entries.isEmpty else { throw Refusal("entries", "empty") }
            let entries = try each("entries", descriptor.entries) { entry throws(Refusal) in
                guard !entry.key.isEmpty else { throw Refusal("key", "empty") }
                guard !entry.value.isEmpty else { throw Refusal.unsupported("value", "a value that is left open") }
                return RateLimitEntry(entry.key, entry.value)
            }
            return Descriptor(
                entries: entries,
                bucket: try at("token_bucket") { () throws(Refusal) in try TokenBucket.decode(descriptor.tokenBucket) })
        }
        guard Set(descriptors.map(\.entries)).count == descriptors.count else {
            throw Refusal("descriptors", "two have the same entries")
        }
        let virtualHostRules: VirtualHostRules
        switch message.vhRateLimits {
        case .override: virtualHostRules = .override
        case .include: virtualHostRules = .include
        case .ignore: virtualHostRules = .ignore
        case .UNRECOGNIZED: throw Refusal("vh_rate_limits", "unknown value")
        }
        let status = message.status.code.rawValue
        return LocalRateLimit(
            statPrefix: message.statPrefix, status: status >= 400 && status < 600 ? UInt16(status) : 429,
            bucket: bucket,
            enabled: message.hasFilterEnabled
                ? try at("filter_enabled") { () throws(Refusal) in try Fraction(message.filterEnabled) } : .none,
            enforced: message.hasFilterEnforced
                ? try at("filter_enforced") { () throws(Refusal) in try Fraction(message.filterEnforced) } : .none,
            requestHeaders: try HeaderOperations(
                add: message.requestHeadersToAddWhenNotEnforced, remove: [],
                field: "request_headers_to_add_when_not_enforced"),
            responseHeaders: try HeaderOperations(
                add: message.responseHeadersToAdd, remove: [], field: "response_headers"),
            descriptors: descriptors, stage: message.stage,
            addsLimitHeaders: message.enableXRatelimitHeaders == .draftVersion03,
            virtualHostRules: virtualHostRules,
            alwaysTakesDefault: !message.hasAlwaysConsumeDefaultTokenBucket
                || message.alwaysConsumeDefaultTokenBucket.value,
            isResourceExhausted: message.rateLimitedAsResourceExhausted,
            rules: try each("rate_limits", message.rateLimits) { rule throws(Refusal) in
                try RateLimitRule.decode(rule)
            })
    }
}

extension ConnectionRateLimit {
    static func decode(
        _ message: Envoy_Extensions_Filters_Network_LocalRatelimit_V3_LocalRateLimit
    ) throws(Refusal) -> ConnectionRateLimit {
        guard !message.statPrefix.isEmpty else { throw Refusal("stat_prefix", "empty") }
        return ConnectionRateLimit(
            statPrefix: message.statPrefix,
            bucket: try at("token_bucket") { () throws(Refusal) in try TokenBucket.decode(message.tokenBucket) },
            isEnabled: !message.runtimeEnabled.hasDefaultValue || message.runtimeEnabled.defaultValue.value)
    }
}
