internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Clusters that lead to the workload's own application (semantics 2.1, 3.5 and 3.8).
struct InboundClusters {
    typealias Cluster = Envoy_Config_Cluster_V3_Cluster

    let plan: InboundPlan
    let mesh: MeshConfig

    func compile() -> [Compiled<Cluster>] {
        var result: [Compiled<Cluster>] = []
        var taken: Set<UInt32> = []
        for port in plan.ports where taken.insert(port.number).inserted {
            result.append(Compiled(cluster(port), sources: port.sources))
        }
        if plan.interception != .none { result.append(Compiled(passthrough, sources: [])) }
        return result.sorted { $0.message.name < $1.message.name }
    }

    private func cluster(_ port: InboundPlan.Port) -> Cluster {
        var cluster = base(ClusterName.inbound(targetPort: port.number))
        cluster.altStatName = cluster.name + ";"
        switch port.target {
        case .originalDestination:
            originalDestination(&cluster)
        case .address(let address, let number):
            cluster.type = .static
            cluster.loadAssignment = assignment(
                cluster.name, BindAddress.socket(address: address, port: number).message)
            // The firewall would send a connection to the pod's own address back to this proxy.
            if !address.hasPrefix("127."), address != "::1" { bindSource(&cluster) }
        case .pipe(let path):
            cluster.type = .static
            cluster.loadAssignment = assignment(cluster.name, BindAddress.pipe(path: path).message)
        }
        limits(&cluster, port.pool)
        var options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions()
        if port.spoken.isHTTP2 {
            options.explicitHTTPConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
        } else if port.spoken == .auto {
            options.useDownstreamProtocolConfig.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
            options.useDownstreamProtocolConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
        } else {
            options.explicitHTTPConfig.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
        }
        if let idle = port.pool?.http?.idleTimeout ?? port.pool?.tcp?.idleTimeout {
            options.commonHTTPProtocolOptions.idleTimeout = Google_Protobuf_Duration(clamping: idle)
        }
        if let duration = port.pool?.tcp?.maxConnectionDuration {
            options.commonHTTPProtocolOptions.maxConnectionDuration = Google_Protobuf_Duration(clamping: duration)
        }
        if let requests = port.pool?.http?.maxRequestsPerConnection, requests > 0 {
            options.commonHTTPProtocolOptions.maxRequestsPerConnection.value = UInt32(requests)
        }
        cluster.typedExtensionProtocolOptions = [Self.protocolOptions: .packing(options)]
        return cluster
    }

    private var passthrough: Cluster {
        var cluster = base(ClusterName.inboundPassthrough)
        originalDestination(&cluster)
        limits(&cluster, nil)
        var options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions()
        options.useDownstreamProtocolConfig.httpProtocolOptions = Envoy_Config_Core_V3_Http1ProtocolOptions()
        options.useDownstreamProtocolConfig.http2ProtocolOptions = Envoy_Config_Core_V3_Http2ProtocolOptions()
        options.commonHTTPProtocolOptions.idleTimeout = Google_Protobuf_Duration(clamping: .seconds(300))
        cluster.typedExtensionProtocolOptions = [Self.protocolOptions: .packing(options)]
        return cluster
    }

    private static let protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

    private func base(_ name: String) -> Cluster {
        var cluster = Cluster()
        cluster.name = name
        cluster.connectTimeout = Google_Protobuf_Duration(clamping: mesh.connectTimeout)
        return cluster
    }

    private func originalDestination(_ cluster: inout Cluster) {
        cluster.type = .originalDst
        cluster.lbPolicy = .clusterProvided
        bindSource(&cluster)
    }

    /// 127.0.0.6 tells the firewall that the connection has been through the proxy.
    private func bindSource(_ cluster: inout Cluster) {
        guard plan.interception != .none else { return }
        cluster.upstreamBindConfig.sourceAddress.address = plan.isIPv6Only ? "::6" : "127.0.0.6"
        cluster.upstreamBindConfig.sourceAddress.portValue = 0
    }

    private func assignment(
        _ name: String, _ address: Envoy_Config_Core_V3_Address
    ) -> Envoy_Config_Endpoint_V3_ClusterLoadAssignment {
        var endpoint = Envoy_Config_Endpoint_V3_LbEndpoint()
        endpoint.endpoint.address = address
        var locality = Envoy_Config_Endpoint_V3_LocalityLbEndpoints()
        locality.lbEndpoints = [endpoint]
        var assignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment()
        assignment.clusterName = name
        assignment.endpoints = [locality]
        return assignment
    }

    /// Every limit is written: Envoy's own default of 1024 is not Istio's.
    private func limits(_ cluster: inout Cluster, _ pool: ConnectionPoolSettings?) {
        var threshold = Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds()
        func limit(_ value: Int32?) -> UInt32 { value.map { $0 > 0 ? UInt32($0) : .max } ?? .max }
        threshold.maxConnections.value = limit(pool?.tcp?.maxConnections)
        threshold.maxPendingRequests.value = limit(pool?.http?.http1MaxPendingRequests)
        threshold.maxRequests.value = limit(pool?.http?.http2MaxRequests)
        threshold.maxRetries.value = limit(pool?.http?.maxRetries)
        cluster.circuitBreakers.thresholds = [threshold]
        if let timeout = pool?.tcp?.connectTimeout {
            cluster.connectTimeout = Google_Protobuf_Duration(clamping: timeout)
        }
    }
}
