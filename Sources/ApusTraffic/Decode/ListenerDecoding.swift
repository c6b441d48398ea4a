internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension ListenerConfig {
    private static let maxChains = 100_000

    static func decode(
        _ message: Envoy_Config_Listener_V3_Listener, version: ContentVersion, context: inout DecodingContext
    ) throws(Refusal) -> ListenerConfig {
        guard message.filterChains.count <= maxChains else { throw Refusal("filter_chains", "too many") }
        let address = try at("address") { () throws(Refusal) in try SocketAddress(message.address) }
        var working = context
        let chains = try each("filter_chains", message.filterChains) { chain throws(Refusal) in
            try FilterChain.decode(chain, isDefault: false, context: &working)
        }
        let defaultChain =
            message.hasDefaultFilterChain
            ? try at("default_filter_chain") { () throws(Refusal) in
                try FilterChain.decode(message.defaultFilterChain, isDefault: true, context: &working)
            } : nil
        guard !chains.isEmpty || defaultChain != nil else { throw Refusal("filter_chains", "no filter chains") }
        let filters = try each("listener_filters", message.listenerFilters) { filter throws(Refusal) in
            try ListenerFilter.decode(filter)
        }
        let direction: Direction
        switch message.trafficDirection {
        case .unspecified: direction = .unspecified
        case .inbound: direction = .inbound
        case .outbound: direction = .outbound
        case .UNRECOGNIZED: throw Refusal("traffic_direction", "unknown value")
        }
        guard message.drainType == .default else { throw Refusal.unsupported("drain_type", "MODIFY_ONLY") }
        let logs = try each("access_log", message.accessLog) { log throws(Refusal) in try AccessLog.decode(log) }
        context = working
        return ListenerConfig(
            name: message.name, version: version, address: address,
            bindsToPort: !message.hasBindToPort || message.bindToPort.value,
            usesOriginalDestination: message.useOriginalDst.value, chains: chains, defaultChain: defaultChain,
            listenerFilters: filters,
            listenerFiltersTimeout: message.hasListenerFiltersTimeout
                ? try at("listener_filters_timeout") { () throws(Refusal) in
                    try message.listenerFiltersTimeout.valueOrOff()
                } : .seconds(15),
            continuesOnListenerFiltersTimeout: message.continueOnListenerFiltersTimeout,
            bufferLimit: message.hasPerConnectionBufferLimitBytes
                ? message.perConnectionBufferLimitBytes.value : 1 << 20,
            backlog: message.hasTcpBacklogSize ? message.tcpBacklogSize.value : nil, direction: direction,
            accessLogs: logs)
    }
}

extension FilterChain {
    static func decode(
        _ message: Envoy_Config_Listener_V3_FilterChain, isDefault: Bool, context: inout DecodingContext
    ) throws(Refusal) -> FilterChain {
        guard let filter = message.filters.last else { throw Refusal("filters", "empty") }
        var working = context
        var guards: [ConnectionFilter] = []
        for (index, message) in message.filters.dropLast().enumerated() {
            guards.append(try at("filters[\(index)]") { () throws(Refusal) in try ConnectionFilter.decode(message) })
        }
        let network = try at("filters[\(message.filters.count - 1)]") { () throws(Refusal) in
            try NetworkFilter.decode(filter, context: &working)
        }
        let match = try at("filter_chain_match") { () throws(Refusal) in
            try FilterChainMatch(message.filterChainMatch)
        }
        let transport =
            message.hasTransportSocket
            ? try at("transport_socket") { () throws(Refusal) in
                try TransportSocketDecoding.server(message.transportSocket, &working)
            } : nil
        let limit =
            message.hasTransportSocketConnectTimeout
            ? try at("transport_socket_connect_timeout") { () throws(Refusal) in
                try message.transportSocketConnectTimeout.valueOrOff()
            } : nil
        context = working
        return FilterChain(
            name: message.name, match: match, transport: transport, handshakeTimeout: limit, guards: guards,
            filter: network,
            version: ContentVersion(of: Self.bytes(message)))
    }

    /// Serialized bytes only serve to tell chains apart; a message that was just decoded can be encoded.
    private static func bytes(_ message: Envoy_Config_Listener_V3_FilterChain) -> [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return (try? message.serializedBytes(options: options)) ?? []
    }
}

extension ConnectionFilter {
    static func decode(_ message: Envoy_Config_Listener_V3_Filter) throws(Refusal) -> ConnectionFilter {
        let any = message.typedConfig
        switch Packed.typeName(any) {
        case Envoy_Extensions_Filters_Network_Rbac_V3_RBAC.protoMessageName:
            return .authorization(
                try at("typed_config") { () throws(Refusal) in
                    try AuthorizationFilter.decode(
                        Packed.unpack(any, as: Envoy_Extensions_Filters_Network_Rbac_V3_RBAC.self))
                })
        case Envoy_Extensions_Filters_Network_LocalRatelimit_V3_LocalRateLimit.protoMessageName:
            return .rateLimit(
                try at("typed_config") { () throws(Refusal) in
                    try ConnectionRateLimit.decode(
                        Packed.unpack(any, as: Envoy_Extensions_Filters_Network_LocalRatelimit_V3_LocalRateLimit.self))
                })
        case Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.protoMessageName,
            Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.protoMessageName:
            throw Refusal("", "a terminal filter must be the last of its chain")
        case let type: throw Refusal.unsupported("", type.isEmpty ? message.name : type)
        }
    }
}

extension FilterChainMatch {
    init(_ message: Envoy_Config_Listener_V3_FilterChainMatch) throws(Refusal) {
        var port: UInt16?
        if message.hasDestinationPort {
            guard let value = UInt16(exactly: message.destinationPort.value), value > 0 else {
                throw Refusal("destination_port", "not a port")
            }
            port = value
        }
        let transport: TransportProtocol?
        switch message.transportProtocol {
        case "": transport = nil
        case "tls": transport = .tls
        case "raw_buffer": transport = .rawBuffer
        default: throw Refusal.unsupported("transport_protocol", "'\(message.transportProtocol)'")
        }
        for (index, name) in message.serverNames.enumerated() {
            guard !name.isEmpty, !name.dropFirst().contains("*"), !name.hasPrefix("*") || name.hasPrefix("*.") else {
                throw Refusal("server_names[\(index)]", "'\(name)': a star may only be the first label")
            }
        }
        let type: SourceType
        switch message.sourceType {
        case .any: type = .any
        case .sameIpOrLoopback: type = .sameIPOrLoopback
        case .external: type = .external
        case .UNRECOGNIZED: throw Refusal("source_type", "unknown value")
        }
        self.init(
            destinationPort: port,
            destinations: try each("prefix_ranges", message.prefixRanges) { range throws(Refusal) in try CIDR(range) },
            serverNames: message.serverNames, transportProtocol: transport,
            applicationProtocols: message.applicationProtocols,
            directSources: try each("direct_source_prefix_ranges", message.directSourcePrefixRanges) {
                range throws(Refusal) in try CIDR(range)
            },
            sourceType: type,
            sources: try each("source_prefix_ranges", message.sourcePrefixRanges) { range throws(Refusal) in
                try CIDR(range)
            },
            sourcePorts: try each("source_ports", message.sourcePorts) { port throws(Refusal) in
                guard let port = UInt16(exactly: port), port > 0 else { throw Refusal("", "not a port") }
                return port
            })
    }
}

extension ListenerFilter {
    static func decode(_ message: Envoy_Config_Listener_V3_ListenerFilter) throws(Refusal) -> ListenerFilter {
        let kind: Kind
        switch Packed.typeName(message.typedConfig) {
        case "envoy.extensions.filters.listener.original_dst.v3.OriginalDst":
            _ = try Packed.unpack(
                message.typedConfig, as: Envoy_Extensions_Filters_Listener_OriginalDst_V3_OriginalDst.self)
            kind = .originalDestination
        case "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector":
            _ = try at("typed_config") { () throws(Refusal) in
                try Packed.unpack(
                    message.typedConfig, as: Envoy_Extensions_Filters_Listener_TlsInspector_V3_TlsInspector.self)
            }
            kind = .tlsInspector
        case "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector":
            _ = try Packed.unpack(
                message.typedConfig, as: Envoy_Extensions_Filters_Listener_HttpInspector_V3_HttpInspector.self)
            kind = .httpInspector
        case let type: throw Refusal.unsupported("", type.isEmpty ? message.name : type)
        }
        let disabled =
            message.hasFilterDisabled
            ? try at("filter_disabled") { () throws(Refusal) in try PortPredicate.decode(message.filterDisabled) } : nil
        return ListenerFilter(kind: kind, disabled: disabled)
    }
}

extension PortPredicate {
    static func decode(
        _ message: Envoy_Config_Listener_V3_ListenerFilterChainMatchPredicate, depth: Int = 0
    ) throws(Refusal) -> PortPredicate {
        guard depth < 64 else { throw Refusal("", "nested too deeply") }
        func nested(
            _ set: Envoy_Config_Listener_V3_ListenerFilterChainMatchPredicate.MatchSet
        ) throws(Refusal) -> [PortPredicate] {
            try each("rules", set.rules) { rule throws(Refusal) in try decode(rule, depth: depth + 1) }
        }
        switch message.rule {
        case .orMatch(let set): return .either(try nested(set))
        case .andMatch(let set): return .all(try nested(set))
        case .notMatch(let rule): return .not(try decode(rule, depth: depth + 1))
        case .anyMatch(true): return .any
        case .destinationPortRange(let range):
            return .range(from: UInt32(clamping: range.start), until: UInt32(clamping: range.end))
        case .anyMatch(false), nil: throw Refusal("", "no rule")
        }
    }
}

extension NetworkFilter {
    static func decode(
        _ message: Envoy_Config_Listener_V3_Filter, context: inout DecodingContext
    ) throws(Refusal) -> NetworkFilter {
        var working = context
        let result: NetworkFilter
        switch Packed.typeName(message.typedConfig) {
        case Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.protoMessageName:
            result = .http(
                try at("typed_config") { () throws(Refusal) in
                    try HTTPConnectionManager.decode(
                        Packed.unpack(
                            message.typedConfig,
                            as: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.self),
                        context: &working)
                })
        case Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.protoMessageName:
            result = .tcp(
                try at("typed_config") { () throws(Refusal) in
                    try TCPProxy.decode(
                        Packed.unpack(
                            message.typedConfig, as: Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.self),
                        context: &working)
                })
        case let type: throw Refusal.unsupported("", type.isEmpty ? message.name : type)
        }
        context = working
        return result
    }
}

extension TCPProxy {
    static func decode(
        _ message: Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy, context: inout DecodingContext
    ) throws(Refusal) -> TCPProxy {
        var working = context
        let metadata = message.hasMetadataMatch ? MetadataCriteria.decode(message.metadataMatch) : nil
        let target: Target
        switch message.clusterSpecifier {
        case .cluster(let name):
            target = .cluster(try at("cluster") { () throws(Refusal) in try working.cluster(name) })
        case .weightedClusters(let weighted):
            let clusters = try each("weighted_clusters.clusters", weighted.clusters) {
                entry throws(Refusal) -> (cluster: ClusterReference, weight: UInt32, metadata: MetadataCriteria?) in
                guard entry.weight > 0 else { throw Refusal("weight", "must be greater than 0") }
                let own = entry.hasMetadataMatch ? MetadataCriteria.decode(entry.metadataMatch) : nil
                return (
                    try at("name") { () throws(Refusal) in try working.cluster(entry.name) }, entry.weight,
                    MetadataCriteria.merging(metadata, own)
                )
            }
            let total = clusters.reduce(UInt64(0)) { $0 &+ UInt64($1.weight) }
            guard total > 0 else { throw Refusal("weighted_clusters", "no clusters") }
            target = .weighted(clusters, total: total)
        case nil: throw Refusal("", "no cluster")
        }
        for (index, policy) in message.hashPolicy.enumerated() {
            guard case .sourceIp = policy.policySpecifier else {
                throw Refusal.unsupported("hash_policy[\(index)]", "a policy other than source_ip")
            }
        }
        let logs = try each("access_log", message.accessLog) { log throws(Refusal) in try AccessLog.decode(log) }
        context = working
        return TCPProxy(
            statPrefix: message.statPrefix, target: target,
            idleTimeout: message.hasIdleTimeout
                ? try at("idle_timeout") { () throws(Refusal) in try message.idleTimeout.valueOrOff() }
                : .seconds(3600),
            maxConnectionDuration: try at("max_downstream_connection_duration") { () throws(Refusal) in
                try message.maxDownstreamConnectionDuration.valueOrOff()
            },
            maxConnectAttempts: message.hasMaxConnectAttempts ? max(1, message.maxConnectAttempts.value) : 1,
            hashesSourceIP: !message.hashPolicy.isEmpty, metadata: metadata, accessLogs: logs)
    }
}
