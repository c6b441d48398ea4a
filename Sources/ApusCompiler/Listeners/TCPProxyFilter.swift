internal import ApusAPI
internal import ApusCore
internal import ApusModel
internal import SwiftProtobuf

/// Where a TCP connection goes and how long it may be idle: the content of one `envoy.filters.network.tcp_proxy`.
struct TCPTarget: Hashable, Sendable {
    struct Weighted: Hashable, Sendable {
        let cluster: String
        let weight: UInt32
    }

    var clusters: [Weighted]
    var statPrefix: String
    /// From the DestinationRule's `connectionPool.tcp` of the first destination.
    var idleTimeout: Duration?
    var maxConnectionDuration: Duration?
    /// The subset balances by a hash of the client's address.
    var hashesSourceIP = false
    /// Connections are wrapped in HTTP on their way to the clusters. There is one way for all of them, so it is taken
    /// only if all destinations ask for it.
    var tunnel: TunnelSettings?
    /// The connection goes to the host that its SNI names; the wildcard host and port that the cluster stands for.
    var dynamicHost: Destination?
    /// The DestinationRules behind these settings.
    var sources: Set<ObjectKey> = []

    static func single(_ cluster: String) -> TCPTarget {
        TCPTarget(clusters: [Weighted(cluster: cluster, weight: 1)], statPrefix: cluster)
    }

    /// The TCP proxy, and before it what finds out the host if the SNI decides.
    func filters(logs: AccessLogs, _ context: CompileContext) -> [Envoy_Config_Listener_V3_Filter] {
        guard let dynamicHost, let port = dynamicHost.port else { return [filter(logs: logs)] }
        let host = HostName(dynamicHost.host)
        return [DynamicForwardProxy.networkFilter(host, port: port, context), filter(logs: logs)]
    }

    func filter(logs: AccessLogs) -> Envoy_Config_Listener_V3_Filter {
        var proxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy()
        proxy.statPrefix = statPrefix
        if clusters.count == 1 {
            proxy.cluster = clusters[0].cluster
        } else {
            proxy.weightedClusters.clusters = clusters.map { target in
                var weight = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.WeightedCluster.ClusterWeight()
                weight.name = target.cluster
                weight.weight = target.weight
                return weight
            }
        }
        if let idleTimeout { proxy.idleTimeout = Google_Protobuf_Duration(clamping: idleTimeout) }
        if let maxConnectionDuration {
            proxy.maxDownstreamConnectionDuration = Google_Protobuf_Duration(clamping: maxConnectionDuration)
        }
        if hashesSourceIP {
            var policy = Envoy_Type_V3_HashPolicy()
            policy.sourceIp = Envoy_Type_V3_HashPolicy.SourceIp()
            proxy.hashPolicy = [policy]
        }
        if let tunnel { proxy.tunnelingConfig = tunnel.tunnelingConfig }
        proxy.accessLog = logs.forRequests
        var filter = Envoy_Config_Listener_V3_Filter()
        filter.name = "envoy.filters.network.tcp_proxy"
        filter.typedConfig = Google_Protobuf_Any.packing(proxy)
        return filter
    }
}
