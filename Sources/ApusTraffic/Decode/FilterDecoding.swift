internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension FilterOverride {
    static func decode(
        _ configs: [String: Google_Protobuf_Any], context: inout DecodingContext
    ) throws(Refusal) -> [FilterOverride] {
        var result: [FilterOverride] = []
        for (name, any) in configs.sorted(by: { $0.key < $1.key }) {
            var working = context
            let override = try at("typed_per_filter_config[\(name)]") { () throws(Refusal) in
                let key = try working.filters.slot(name)
                return try change(any, optional: false).map { FilterOverride(key: key, change: $0) }
            }
            context = working
            if let override { result.append(override) }
        }
        return result
    }

    private static func change(_ any: Google_Protobuf_Any, optional: Bool) throws(Refusal) -> Change? {
        switch Packed.typeName(any) {
        case "envoy.config.route.v3.FilterConfig":
            let config = try Packed.unpack(any, as: Envoy_Config_Route_V3_FilterConfig.self)
            if config.disabled { return .disabled }
            guard config.hasConfig, !Packed.typeName(config.config).isEmpty else { return .nothing }
            return try at("config") { () throws(Refusal) in try change(config.config, optional: config.isOptional) }
        case "envoy.extensions.filters.http.fault.v3.HTTPFault":
            return .fault(
                try FaultPolicy.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault.self)))
        case "envoy.extensions.filters.http.cors.v3.CorsPolicy":
            return .cors(
                try CORSPolicy.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy.self)))
        case "envoy.extensions.filters.http.rbac.v3.RBACPerRoute":
            let config = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Rbac_V3_RBACPerRoute.self)
            guard config.hasRbac else { return .disabled }
            return .authorization(
                try at("rbac") { () throws(Refusal) in try AuthorizationFilter.decode(config.rbac) })
        case "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit":
            return .rateLimit(
                try LocalRateLimit.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_LocalRatelimit_V3_LocalRateLimit.self)))
        case "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute":
            let config = try Packed.unpack(
                any, as: Envoy_Extensions_Filters_Http_HeaderMutation_V3_HeaderMutationPerRoute.self)
            return .headerMutation(
                try at("mutations") { () throws(Refusal) in try HeaderMutations.decode(config.mutations) })
        case "envoy.extensions.filters.http.buffer.v3.BufferPerRoute":
            let config = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Buffer_V3_BufferPerRoute.self)
            switch config.override {
            case .disabled(true): return .disabled
            case .disabled(false): throw Refusal("disabled", "must be true")
            case .buffer(let buffer):
                return .buffer(try at("buffer") { () throws(Refusal) in try BufferLimit.decode(buffer) })
            case nil: throw Refusal("", "no override")
            }
        case "envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute":
            let config = try Packed.unpack(
                any, as: Envoy_Extensions_Filters_Http_StatefulSession_V3_StatefulSessionPerRoute.self)
            switch config.override {
            case .disabled(true): return .disabled
            case .disabled(false): throw Refusal("disabled", "must be true")
            case .statefulSession(let session):
                let policy = try at("stateful_session") { () throws(Refusal) in try SessionPolicy.decode(session) }
                return policy.map { .session($0) } ?? .disabled
            case nil: throw Refusal("", "no override")
            }
        case let type:
            // `is_optional` is the sender's word that it may be left out.
            if optional { return nil }
            throw Refusal.unsupported("", type)
        }
    }
}

extension FaultPolicy {
    static func decode(_ message: Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault) throws(Refusal) -> FaultPolicy {
        var delay: Delay?
        if message.hasDelay {
            delay = try at("delay") { () throws(Refusal) in
                guard case .fixedDelay(let time) = message.delay.faultDelaySecifier else {
                    throw Refusal.unsupported("", "a delay without fixed_delay")
                }
                return Delay(
                    time: try at("fixed_delay") { () throws(Refusal) in try time.positive() },
                    share: try at("percentage") { () throws(Refusal) in try Fraction(message.delay.percentage) })
            }
        }
        var abort: Abort?
        if message.hasAbort {
            abort = try at("abort") { () throws(Refusal) in
                let share = try at("percentage") { () throws(Refusal) in try Fraction(message.abort.percentage) }
                switch message.abort.errorType {
                case .httpStatus(let status):
                    guard (200..<600).contains(status) else {
                        throw Refusal("http_status", "must be from 200 to 599")
                    }
                    return Abort(status: .http(UInt16(status)), share: share)
                case .grpcStatus(let status): return Abort(status: .grpc(status), share: share)
                case .headerAbort: throw Refusal.unsupported("header_abort")
                case nil: throw Refusal("", "no status")
                }
            }
        }
        return FaultPolicy(
            delay: delay, abort: abort,
            headers: try each("headers", message.headers) { header throws(Refusal) in try HeaderMatch(header) },
            upstreamCluster: message.upstreamCluster.isEmpty ? nil : message.upstreamCluster,
            maxActive: message.hasMaxActiveFaults ? message.maxActiveFaults.value : nil)
    }
}

extension CORSPolicy {
    static func decode(_ message: Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy) throws(Refusal) -> CORSPolicy {
        for text in [message.allowMethods, message.allowHeaders, message.exposeHeaders, message.maxAge] {
            guard HTTPSyntax.isSafeValue(text.utf8) else { throw Refusal("", "has a line break or NUL") }
        }
        return CORSPolicy(
            allowedOrigins: try each("allow_origin_string_match", message.allowOriginStringMatch) {
                origin throws(Refusal) in try StringMatch(origin)
            },
            allowedMethods: message.allowMethods, allowedHeaders: message.allowHeaders,
            exposedHeaders: message.exposeHeaders, maxAge: message.maxAge,
            allowsCredentials: message.hasAllowCredentials ? message.allowCredentials.value : nil,
            allowsPrivateNetwork: message.hasAllowPrivateNetworkAccess ? message.allowPrivateNetworkAccess.value : nil,
            enabled: message.hasFilterEnabled
                ? try at("filter_enabled") { () throws(Refusal) in try Fraction(message.filterEnabled) } : .all,
            forwardsNotMatchingPreflights: message.hasForwardNotMatchingPreflights
                ? message.forwardNotMatchingPreflights.value : nil)
    }
}

extension HeaderMutations {
    static func decode(
        _ message: Envoy_Extensions_Filters_Http_HeaderMutation_V3_Mutations
    ) throws(Refusal) -> HeaderMutations {
        HeaderMutations(
            request: try each("request_mutations", message.requestMutations) { mutation throws(Refusal) in
                try HeaderMutation.decode(mutation)
            },
            response: try each("response_mutations", message.responseMutations) { mutation throws(Refusal) in
                try HeaderMutation.decode(mutation)
            })
    }
}

extension HeaderMutation {
    static func decode(
        _ message: Envoy_Config_Common_MutationRules_V3_HeaderMutation
    ) throws(Refusal) -> HeaderMutation {
        switch message.action {
        case .remove(let name):
            return .remove(try at("remove") { () throws(Refusal) in try HeaderName.modifiable(name) })
        case .append(let option):
            return .set(
                HeaderOperations(
                    settings: [
                        try at("append") { () throws(Refusal) in
                            try HeaderOperations.Setting(option, allowsPseudo: true)
                        }
                    ]))
        case .removeOnMatch(let match):
            return .removeMatching(
                try at("remove_on_match.key_matcher") { () throws(Refusal) in try StringMatch(match.keyMatcher) })
        case nil: throw Refusal("", "no action")
        }
    }
}

extension BufferLimit {
    static func decode(_ message: Envoy_Extensions_Filters_Http_Buffer_V3_Buffer) throws(Refusal) -> BufferLimit {
        guard message.maxRequestBytes.value > 0 else { throw Refusal("max_request_bytes", "must be greater than 0") }
        return BufferLimit(maxBytes: message.maxRequestBytes.value)
    }
}

extension HealthCheckFilter {
    static func decode(
        _ message: Envoy_Extensions_Filters_Http_HealthCheck_V3_HealthCheck
    ) throws(Refusal) -> HealthCheckFilter {
        guard message.hasPassThroughMode else { throw Refusal("pass_through_mode", "missing") }
        return HealthCheckFilter(
            passesThrough: message.passThroughMode.value,
            headers: try each("headers", message.headers) { header throws(Refusal) in try HeaderMatch(header) })
    }
}

extension HTTPFilter {
    /// nil: a filter without effect here.
    static func decode(
        _ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter, key: Slot
    ) throws(Refusal) -> HTTPFilter? {
        let any = message.typedConfig
        switch Packed.typeName(any) {
        case "envoy.extensions.filters.http.fault.v3.HTTPFault":
            return .fault(
                try FaultPolicy.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault.self)),
                key: key)
        case "envoy.extensions.filters.http.cors.v3.Cors":
            _ = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Cors_V3_Cors.self)
            return .cors(key: key)
        case "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb":
            _ = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_GrpcWeb_V3_GrpcWeb.self)
            return .grpcWeb(key: key)
        case "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig":
            let config = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_GrpcStats_V3_FilterConfig.self)
            // The names of methods come from clients: a number for each would grow without end.
            guard !config.statsForAllMethods.value else { throw Refusal.unsupported("stats_for_all_methods") }
            return .grpcStatistics(key: key)
        case "envoy.extensions.filters.http.on_demand.v3.OnDemand":
            // Without virtual hosts or clusters on demand, which are refused, there is nothing for it to do.
            _ = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_OnDemand_V3_OnDemand.self)
            return nil
        case "envoy.extensions.filters.http.rbac.v3.RBAC":
            return .authorization(
                try AuthorizationFilter.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.self)),
                key: key)
        case "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication":
            return .tokens(
                try TokenFilter.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication.self)),
                key: key)
        case "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit":
            return .rateLimit(
                try LocalRateLimit.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_LocalRatelimit_V3_LocalRateLimit.self)),
                key: key)
        case "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation":
            let config = try Packed.unpack(any, as: Envoy_Extensions_Filters_Http_HeaderMutation_V3_HeaderMutation.self)
            return .headerMutation(
                try at("mutations") { () throws(Refusal) in try HeaderMutations.decode(config.mutations) },
                key: key, mostSpecificWins: config.mostSpecificHeaderMutationsWins)
        case "envoy.extensions.filters.http.buffer.v3.Buffer":
            return .buffer(
                try BufferLimit.decode(Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Buffer_V3_Buffer.self)),
                key: key)
        case "envoy.extensions.filters.http.health_check.v3.HealthCheck":
            return .healthCheck(
                try HealthCheckFilter.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_HealthCheck_V3_HealthCheck.self)),
                key: key)
        case "envoy.extensions.filters.http.stateful_session.v3.StatefulSession":
            // Without a state it serves the routes that bring one.
            let policy = try SessionPolicy.decode(
                Packed.unpack(any, as: Envoy_Extensions_Filters_Http_StatefulSession_V3_StatefulSession.self))
            return .session(policy ?? SessionPolicy(carrier: .header(HeaderName(""))), key: key)
        case "envoy.extensions.filters.http.compressor.v3.Compressor":
            return .compressor(
                try CompressionPolicy.decode(
                    Packed.unpack(any, as: Envoy_Extensions_Filters_Http_Compressor_V3_Compressor.self)),
                key: key)
        case let type:
            // `is_optional`: the sender allows a proxy that does not know the filter to do without.
            if message.isOptional { return nil }
            throw Refusal.unsupported("", type.isEmpty ? message.name : type)
        }
    }
}
