internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension RetryPolicy {
    static func decode(_ message: Envoy_Config_Route_V3_RetryPolicy) throws(Refusal) -> RetryPolicy {
        var conditions: RetryConditions = []
        for word in message.retryOn.split(separator: ",") {
            let word = String(word.filter { $0 != " " })
            if let condition = RetryConditions(word: word) {
                conditions.insert(condition)
            } else if let code = UInt16(word), (100..<600).contains(code) {
                // Istio writes status codes here too; without the list they would mean nothing.
                throw Refusal("retry_on", "\(code): status codes belong into retriable_status_codes")
            } else {
                throw Refusal.unsupported("retry_on", "the condition '\(word)'")
            }
        }
        let hosts = try HostPredicates(message.retryHostPredicate)
        let priorities =
            message.hasRetryPriority
            ? try at("retry_priority") { () throws(Refusal) in try previousPriorities(message.retryPriority) } : nil
        let limited = message.rateLimitedRetryBackOff
        let resetHeaders = try each("rate_limited_retry_back_off.reset_headers", limited.resetHeaders) {
            header throws(Refusal) in
            let format: ResetHeader.Format
            switch header.format {
            case .seconds: format = .seconds
            case .unixTimestamp: format = .unixTimestamp
            case .UNRECOGNIZED: throw Refusal("format", "unknown value")
            }
            return ResetHeader(
                name: try at("name") { () throws(Refusal) in try HeaderName.decode(header.name) }, format: format)
        }
        if message.hasRateLimitedRetryBackOff, resetHeaders.isEmpty {
            throw Refusal("rate_limited_retry_back_off.reset_headers", "empty")
        }
        let base =
            message.retryBackOff.hasBaseInterval
            ? try at("retry_back_off.base_interval") { () throws(Refusal) in
                try message.retryBackOff.baseInterval.positive()
            } : .milliseconds(25)
        let most =
            message.retryBackOff.hasMaxInterval
            ? try at("retry_back_off.max_interval") { () throws(Refusal) in
                try message.retryBackOff.maxInterval.positive()
            } : nil
        if let most, most < base { throw Refusal("retry_back_off.max_interval", "less than base_interval") }
        return RetryPolicy(
            conditions: conditions, retries: message.hasNumRetries ? message.numRetries.value : 1,
            perTryTimeout: try at("per_try_timeout") { () throws(Refusal) in try message.perTryTimeout.valueOrOff() },
            perTryIdleTimeout: try at("per_try_idle_timeout") { () throws(Refusal) in
                try message.perTryIdleTimeout.valueOrOff()
            },
            statusCodes: try each("retriable_status_codes", message.retriableStatusCodes) { code throws(Refusal) in
                guard let code = UInt16(exactly: code) else { throw Refusal("", "not a status") }
                return code
            },
            headers: try each("retriable_headers", message.retriableHeaders) { header throws(Refusal) in
                try HeaderMatch(header)
            },
            requestHeaders: try each("retriable_request_headers", message.retriableRequestHeaders) {
                header throws(Refusal) in try HeaderMatch(header)
            },
            baseInterval: base, maxInterval: most, avoidsPreviousHosts: hosts.previousHosts,
            hostSelectionAttempts: Int(clamping: min(max(1, message.hostSelectionRetryMaxAttempts), 100)),
            avoidsCanaries: hosts.canaries, avoidedMetadata: hosts.metadata, leavesPrioritiesEvery: priorities,
            resetHeaders: resetHeaders,
            maxResetInterval: limited.hasMaxInterval
                ? try at("rate_limited_retry_back_off.max_interval") { () throws(Refusal) in
                    try limited.maxInterval.positive()
                } : .seconds(300))
    }

    private static func previousPriorities(
        _ message: Envoy_Config_Route_V3_RetryPolicy.RetryPriority
    ) throws(Refusal) -> Int {
        let type = Packed.typeName(message.typedConfig)
        guard
            type
                == Envoy_Extensions_Retry_Priority_PreviousPriorities_V3_PreviousPrioritiesConfig.protoMessageName
        else { throw Refusal.unsupported("typed_config", type.isEmpty ? message.name : type) }
        let config = try at("typed_config") { () throws(Refusal) in
            try Packed.unpack(
                message.typedConfig,
                as: Envoy_Extensions_Retry_Priority_PreviousPriorities_V3_PreviousPrioritiesConfig.self)
        }
        guard config.updateFrequency > 0 else {
            throw Refusal("typed_config.update_frequency", "must be greater than 0")
        }
        return Int(config.updateFrequency)
    }
}

/// `retry_host_predicate`.
private struct HostPredicates {
    var previousHosts = false
    var canaries = false
    var metadata: [String: MetadataValue] = [:]

    init(_ messages: [Envoy_Config_Route_V3_RetryPolicy.RetryHostPredicate]) throws(Refusal) {
        for (index, message) in messages.enumerated() {
            try at("retry_host_predicate[\(index)]") { () throws(Refusal) in
                let type = Packed.typeName(message.typedConfig)
                switch type.isEmpty ? message.name : type {
                case "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                    "envoy.retry_host_predicates.previous_hosts":
                    previousHosts = true
                case "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate",
                    "envoy.retry_host_predicates.omit_canary_hosts":
                    canaries = true
                case "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig":
                    let config = try at("typed_config") { () throws(Refusal) in
                        try Packed.unpack(
                            message.typedConfig,
                            as: Envoy_Extensions_Retry_Host_OmitHostMetadata_V3_OmitHostMetadataConfig.self)
                    }
                    guard let values = config.metadataMatch.filterMetadata["envoy.lb"] else { return }
                    for (key, value) in values.fields { metadata[key] = MetadataValue(value) }
                case let other: throw Refusal.unsupported("typed_config", other)
                }
            }
        }
    }
}

extension InternalRedirectPolicy {
    static func decode(
        _ message: Envoy_Config_Route_V3_InternalRedirectPolicy
    ) throws(Refusal) -> InternalRedirectPolicy {
        let predicates = try each("predicates", message.predicates) { predicate throws(Refusal) -> Predicate in
            let any = predicate.typedConfig
            return try at("typed_config") { () throws(Refusal) in
                switch Packed.typeName(any) {
                case "envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig":
                    _ = try Packed.unpack(
                        any, as: Envoy_Extensions_InternalRedirect_PreviousRoutes_V3_PreviousRoutesConfig.self)
                    return .previousRoutes
                case "envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig":
                    let config = try Packed.unpack(
                        any, as: Envoy_Extensions_InternalRedirect_AllowListedRoutes_V3_AllowListedRoutesConfig.self)
                    return .allowedRoutes(Set(config.allowedRouteNames))
                case "envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig":
                    _ = try Packed.unpack(
                        any, as: Envoy_Extensions_InternalRedirect_SafeCrossScheme_V3_SafeCrossSchemeConfig.self)
                    return .safeCrossScheme
                case let type: throw Refusal.unsupported("", type.isEmpty ? predicate.name : type)
                }
            }
        }
        let statuses = try each("redirect_response_codes", message.redirectResponseCodes) { code throws(Refusal) in
            guard [301, 302, 303, 307, 308].contains(code) else { throw Refusal("", "\(code) is not a redirect") }
            return UInt16(code)
        }
        return InternalRedirectPolicy(
            maxRedirects: message.hasMaxInternalRedirects ? message.maxInternalRedirects.value : 1,
            statuses: statuses.isEmpty ? [302] : statuses, predicates: predicates,
            allowsCrossScheme: message.allowCrossSchemeRedirect,
            copiedHeaders: try each("response_headers_to_copy", message.responseHeadersToCopy) {
                name throws(Refusal) in
                let name = try HeaderName.decode(name)
                guard !name.isPseudo else { throw Refusal("", "a pseudo-header") }
                return name
            })
    }
}

enum HedgeDecoding {
    /// Several requests from the start exist in no proxy; a policy that asks for one is accepted.
    ///
    /// - Returns: `hedge_on_per_try_timeout`.
    static func hedges(_ message: Envoy_Config_Route_V3_HedgePolicy) throws(Refusal) -> Bool {
        if message.hasInitialRequests, message.initialRequests.value > 1 {
            throw Refusal.unsupported("initial_requests", "more than one")
        }
        if message.additionalRequestChance.numerator > 0 { throw Refusal.unsupported("additional_request_chance") }
        return message.hedgeOnPerTryTimeout
    }
}
