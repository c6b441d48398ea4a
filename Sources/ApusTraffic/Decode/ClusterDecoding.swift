internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension ClusterConfig {
    static func decode(
        _ message: Envoy_Config_Cluster_V3_Cluster, version: ContentVersion, context: inout DecodingContext
    ) throws(Refusal) -> ClusterConfig {
        let slot = try context.cluster(message.name).slot
        let discovery = try discovery(message)
        var policy = try policy(message)
        if message.lbPolicy == .clusterProvided, case .originalDestination = discovery {
            policy.base = .clusterProvided
        }
        if case .originalDestination = discovery {
            guard policy.base == .clusterProvided else {
                throw Refusal("lb_policy", "an ORIGINAL_DST cluster needs CLUSTER_PROVIDED")
            }
        } else if policy.base == .clusterProvided {
            throw Refusal("lb_policy", "CLUSTER_PROVIDED is only for ORIGINAL_DST")
        }
        let endpoints = try inlineEndpoints(message, discovery, version)
        let http = try HTTPOptions(message)
        let transport =
            message.hasTransportSocket
            ? try at("transport_socket") { () throws(Refusal) in
                try TransportSocketDecoding.client(message.transportSocket, names: http.names, &context)
            } : nil
        let matches = try each("transport_socket_matches", message.transportSocketMatches) {
            match throws(Refusal) -> TransportMatch in
            var labels: [String: String] = [:]
            for (name, value) in match.match.fields {
                guard case .stringValue(let text) = value.kind else {
                    throw Refusal.unsupported("match.\(name)", "a label that is not a string")
                }
                labels[name] = text
            }
            return TransportMatch(
                labels: labels,
                transport: try at("transport_socket") { () throws(Refusal) in
                    try TransportSocketDecoding.client(match.transportSocket, names: http.names, &context)
                })
        }
        let (normal, high) = try breakers(message.circuitBreakers)
        let common = message.commonLbConfig
        policy.options.ignoresNewHosts = common.ignoreNewHostsUntilFirstHc
        if !message.lbSubsetConfig.subsetSelectors.isEmpty {
            policy.options.subsets = try at("lb_subset_config") { () throws(Refusal) in
                try SubsetConfig(message.lbSubsetConfig)
            }
        }
        var source: IPAddress?
        if message.hasUpstreamBindConfig {
            guard let address = IPAddress(message.upstreamBindConfig.sourceAddress.address),
                message.upstreamBindConfig.sourceAddress.portValue == 0
            else { throw Refusal("upstream_bind_config.source_address", "must be an IP address with port 0") }
            source = address
        }
        let config = ClusterConfig(
            name: message.name, statName: message.altStatName.isEmpty ? nil : message.altStatName, version: version,
            slot: slot, discovery: discovery, policy: policy.base,
            panicThreshold: common.hasHealthyPanicThreshold ? common.healthyPanicThreshold.value : 50,
            weighsLocalities: policy.weighsLocalities,
            hashesHostname: policy.hashesHostname, balancing: policy.options,
            connectTimeout: message.hasConnectTimeout
                ? try at("connect_timeout") { () throws(Refusal) in try message.connectTimeout.positive() }
                : .seconds(5),
            breakers: normal, highPriorityBreakers: high, upstreamProtocol: http.upstreamProtocol,
            http1: http.http1, http2: http.http2,
            idleTimeout: http.idleTimeout, maxConnectionDuration: http.maxConnectionDuration,
            maxStreamDuration: http.maxStreamDuration, maxRequestsPerConnection: http.maxRequestsPerConnection,
            maxResponseHeaders: http.maxHeaders, maxResponseHeaderBytes: http.maxHeaderBytes,
            outlierDetection: message.hasOutlierDetection
                ? try at("outlier_detection") { () throws(Refusal) in
                    try OutlierDetectionConfig(message.outlierDetection)
                } : nil,
            healthCheck: try healthCheck(message.healthChecks), errorMatcher: http.errorMatcher,
            hostHealth: try hostHealth(message),
            bindSource: source, keepalive: keepalive(message.upstreamConnectionOptions),
            bufferLimit: message.hasPerConnectionBufferLimitBytes
                ? message.perConnectionBufferLimitBytes.value : 1 << 20,
            transport: transport, transportMatches: matches, endpoints: endpoints)
        if case .grpc? = config.healthCheck?.probe, config.upstreamProtocol != .http2 {
            throw Refusal("health_checks[0].grpc_health_check", "the cluster does not speak HTTP/2 to its hosts")
        }
        return config
    }

    private static func hostHealth(
        _ message: Envoy_Config_Cluster_V3_Cluster
    ) throws(Refusal) -> HostHealthOptions {
        var options = HostHealthOptions()
        options.closesConnections = message.closeConnectionsOnHostHealthFailure
        options.ignoresHealthOnRemoval = message.ignoreHealthOnHostRemoval
        for (index, thresholds) in message.circuitBreakers.perHostThresholds.enumerated() {
            let field = "circuit_breakers.per_host_thresholds[\(index)]"
            if thresholds.hasMaxPendingRequests || thresholds.hasMaxRequests || thresholds.hasMaxRetries
                || thresholds.hasRetryBudget || thresholds.hasMaxConnectionPools
            {
                throw Refusal(field, "only max_connections can be limited per host")
            }
            guard thresholds.priority == .default else {
                throw Refusal("\(field).priority", "only the default priority has limits per host")
            }
            if thresholds.hasMaxConnections { options.maxConnectionsPerHost = thresholds.maxConnections.value }
        }
        guard message.commonLbConfig.hasOverrideHostStatus else { return options }
        options.overridable = []
        for (index, status) in message.commonLbConfig.overrideHostStatus.statuses.enumerated() {
            switch status {
            case .unknown, .healthy: options.overridable.insert(.healthy)
            case .degraded: options.overridable.insert(.degraded)
            case .unhealthy, .timeout: options.overridable.insert(.unhealthy)
            case .draining: options.overridable.insert(.draining)
            case .UNRECOGNIZED:
                throw Refusal("common_lb_config.override_host_status.statuses[\(index)]", "unknown value")
            }
        }
        return options
    }

    private static func healthCheck(
        _ messages: [Envoy_Config_Core_V3_HealthCheck]
    ) throws(Refusal) -> HealthCheckConfig? {
        guard messages.count <= 1 else { throw Refusal("health_checks", "more than one") }
        return try each("health_checks", messages) { message throws(Refusal) in
            try HealthCheckConfig.decode(message)
        }.first
    }

    private static func keepalive(_ options: Envoy_Config_Cluster_V3_UpstreamConnectionOptions) -> TCPKeepalive? {
        guard options.hasTcpKeepalive else { return nil }
        let message = options.tcpKeepalive
        return TCPKeepalive(
            probes: message.hasKeepaliveProbes ? message.keepaliveProbes.value : nil,
            time: message.hasKeepaliveTime ? message.keepaliveTime.value : nil,
            interval: message.hasKeepaliveInterval ? message.keepaliveInterval.value : nil)
    }

    private static func discovery(_ message: Envoy_Config_Cluster_V3_Cluster) throws(Refusal) -> Discovery {
        let type: Envoy_Config_Cluster_V3_Cluster.DiscoveryType
        switch message.clusterDiscoveryType ?? .type(.static) {
        case .type(let named): type = named
        case .clusterType(let custom): return try DNS.discovery(custom, delaysStart: message.delaysStart)
        }
        if type != .eds, message.hasEdsClusterConfig {
            throw Refusal("eds_cluster_config", "only for clusters of type EDS")
        }
        switch type {
        case .static: return .fixed
        case .eds:
            try at("eds_cluster_config.eds_config") { () throws(Refusal) in
                try ConfigSourceDecoding.require(message.edsClusterConfig.edsConfig)
            }
            let name = message.edsClusterConfig.serviceName
            return .eds(serviceName: name.isEmpty ? message.name : name)
        case .strictDns: return .strictDNS(try DNS(message))
        case .logicalDns: return .logicalDNS(try DNS(message))
        case .originalDst:
            var original = OriginalDestination()
            let config = message.originalDstLbConfig
            if config.useHTTPHeader {
                original.header =
                    config.httpHeaderName.isEmpty
                    ? HeaderName("x-envoy-original-dst-host")
                    : try at("original_dst_lb_config.http_header_name") { () throws(Refusal) in
                        try HeaderName.decode(config.httpHeaderName)
                    }
            }
            if config.hasUpstreamPortOverride {
                guard let port = UInt16(exactly: config.upstreamPortOverride.value) else {
                    throw Refusal("original_dst_lb_config.upstream_port_override", "not a port")
                }
                original.portOverride = port
            }
            if message.hasCleanupInterval {
                original.cleanupInterval = try at("cleanup_interval") { () throws(Refusal) in
                    try message.cleanupInterval.positive()
                }
            }
            return .originalDestination(original)
        case .UNRECOGNIZED: throw Refusal("type", "unknown value")
        }
    }

    private static func inlineEndpoints(
        _ message: Envoy_Config_Cluster_V3_Cluster, _ discovery: Discovery, _ version: ContentVersion
    ) throws(Refusal) -> EndpointTable? {
        func read(names: Bool) throws(Refusal) -> EndpointTable {
            try at("load_assignment") { () throws(Refusal) in
                try EndpointTable.decode(message.loadAssignment, version: version, allowsNames: names)
            }
        }
        switch discovery {
        case .eds, .originalDestination:
            if message.hasLoadAssignment { throw Refusal("load_assignment", "not for clusters of this type") }
            return nil
        case .fixed: return try read(names: false)
        case .strictDNS: return try read(names: true)
        case .logicalDNS:
            let table = try read(names: true)
            guard table.endpoints.count == 1 else {
                throw Refusal("load_assignment", "a LOGICAL_DNS cluster has exactly one endpoint")
            }
            return table
        }
    }

    private static func breakers(
        _ message: Envoy_Config_Cluster_V3_CircuitBreakers
    ) throws(Refusal) -> (CircuitBreakerLimits, CircuitBreakerLimits) {
        var normal = CircuitBreakerLimits()
        var high = CircuitBreakerLimits()
        for (index, thresholds) in message.thresholds.enumerated() {
            var limits = CircuitBreakerLimits()
            if thresholds.hasMaxConnections { limits.maxConnections = thresholds.maxConnections.value }
            if thresholds.hasMaxPendingRequests { limits.maxPendingRequests = thresholds.maxPendingRequests.value }
            if thresholds.hasMaxRequests { limits.maxRequests = thresholds.maxRequests.value }
            limits.tracksRemaining = thresholds.trackRemaining
            if thresholds.hasMaxRetries { limits.maxRetries = thresholds.maxRetries.value }
            if thresholds.hasRetryBudget {
                let budget = thresholds.retryBudget
                let percent = budget.hasBudgetPercent ? budget.budgetPercent.value : 20
                guard percent >= 0, percent <= 100 else {
                    throw Refusal("circuit_breakers.thresholds[\(index)].retry_budget", "not a percentage")
                }
                limits.retryBudget = .init(
                    percent: percent,
                    minConcurrency: budget.hasMinRetryConcurrency ? budget.minRetryConcurrency.value : 3)
            }
            switch thresholds.priority {
            case .default: normal = limits
            case .high: high = limits
            case .UNRECOGNIZED: throw Refusal("circuit_breakers.thresholds[\(index)].priority", "unknown value")
            }
        }
        return (normal, high)
    }

    /// What the several places for HTTP options say together.
    private struct HTTPOptions {
        var upstreamProtocol = UpstreamProtocol.http1
        var http1 = HTTP1ProtocolOptions()
        var http2 = HTTP2ProtocolOptions()
        var idleTimeout: Duration? = .seconds(3600)
        var maxConnectionDuration: Duration?
        var maxStreamDuration: Duration?
        var maxRequestsPerConnection: UInt32?
        var maxHeaders = 100
        var maxHeaderBytes = 80 << 10
        var errorMatcher: ResponsePredicate?
        var names = Envoy_Config_Core_V3_UpstreamHttpProtocolOptions()

        init(_ message: Envoy_Config_Cluster_V3_Cluster) throws(Refusal) {
            if message.hasMaxRequestsPerConnection, message.maxRequestsPerConnection.value > 0 {
                maxRequestsPerConnection = message.maxRequestsPerConnection.value
            }
            if message.hasCommonHTTPProtocolOptions {
                try read("common_http_protocol_options", message.commonHTTPProtocolOptions)
            }
            // The older fields, which hold where the newer one is not set.
            if message.hasHTTPProtocolOptions {
                http1 = try at("http_protocol_options") { () throws(Refusal) in
                    try HTTP1ProtocolOptions(message.httpProtocolOptions, isUpstream: true)
                }
            }
            if message.hasHTTP2ProtocolOptions {
                upstreamProtocol = .http2
                http2 = try at("http2_protocol_options") { () throws(Refusal) in
                    try HTTP2ProtocolOptions(message.http2ProtocolOptions)
                }
            }
            for (name, any) in message.typedExtensionProtocolOptions.sorted(by: { $0.key < $1.key }) {
                let field = "typed_extension_protocol_options[\(name)]"
                guard name == "envoy.extensions.upstreams.http.v3.HttpProtocolOptions" else {
                    throw Refusal.unsupported(field)
                }
                let options = try at(field) { () throws(Refusal) in
                    try Packed.unpack(any, as: Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self)
                }
                if options.hasCommonHTTPProtocolOptions {
                    try read("\(field).common_http_protocol_options", options.commonHTTPProtocolOptions)
                }
                names = options.upstreamHTTPProtocolOptions
                if options.outlierDetection.hasErrorMatcher {
                    errorMatcher = try at("\(field).outlier_detection.error_matcher") { () throws(Refusal) in
                        try ResponsePredicate(options.outlierDetection.errorMatcher)
                    }
                }
                switch options.upstreamProtocolOptions {
                case .explicitHTTPConfig(let explicit):
                    switch explicit.protocolConfig {
                    case .httpProtocolOptions(let one):
                        upstreamProtocol = .http1
                        try read("\(field).explicit_http_config", one: one)
                    case .http2ProtocolOptions(let two):
                        upstreamProtocol = .http2
                        try read("\(field).explicit_http_config", two: two)
                    case nil: throw Refusal("\(field).explicit_http_config", "no protocol")
                    }
                case .useDownstreamProtocolConfig(let both):
                    upstreamProtocol = .useDownstream
                    try read("\(field).use_downstream_protocol_config", one: both.httpProtocolOptions)
                    try read("\(field).use_downstream_protocol_config", two: both.http2ProtocolOptions)
                case .autoConfig:
                    // The choice is made by ALPN, so the transport must be TLS.
                    throw Refusal.unsupported("\(field).auto_config", "a choice by ALPN, on a transport without TLS,")
                case nil: throw Refusal(field, "no protocol")
                }
            }
        }

        private mutating func read(
            _ field: String, one: Envoy_Config_Core_V3_Http1ProtocolOptions
        ) throws(Refusal) {
            http1 = try at("\(field).http_protocol_options") { () throws(Refusal) in
                try HTTP1ProtocolOptions(one, isUpstream: true)
            }
        }

        private mutating func read(
            _ field: String, two: Envoy_Config_Core_V3_Http2ProtocolOptions
        ) throws(Refusal) {
            http2 = try at("\(field).http2_protocol_options") { () throws(Refusal) in
                try HTTP2ProtocolOptions(two)
            }
        }

        private mutating func read(
            _ field: String, _ options: Envoy_Config_Core_V3_HttpProtocolOptions
        ) throws(Refusal) {
            if options.hasIdleTimeout {
                idleTimeout = try at("\(field).idle_timeout") { () throws(Refusal) in
                    try options.idleTimeout.valueOrOff()
                }
            }
            if options.hasMaxConnectionDuration {
                maxConnectionDuration = try at("\(field).max_connection_duration") { () throws(Refusal) in
                    try options.maxConnectionDuration.valueOrOff()
                }
            }
            if options.hasMaxStreamDuration {
                maxStreamDuration = try at("\(field).max_stream_duration") { () throws(Refusal) in
                    try options.maxStreamDuration.valueOrOff()
                }
            }
            if options.hasMaxRequestsPerConnection, options.maxRequestsPerConnection.value > 0 {
                maxRequestsPerConnection = options.maxRequestsPerConnection.value
            }
            if options.hasMaxHeadersCount { maxHeaders = Int(clamping: options.maxHeadersCount.value) }
            if options.hasMaxResponseHeadersKb {
                guard options.maxResponseHeadersKb.value <= 8192 else {
                    throw Refusal("\(field).max_response_headers_kb", "greater than 8192")
                }
                maxHeaderBytes = Int(options.maxResponseHeadersKb.value) << 10
            }
            guard options.headersWithUnderscoresAction == .allow else {
                throw Refusal("\(field).headers_with_underscores_action", "only for connections of clients")
            }
        }
    }
}
