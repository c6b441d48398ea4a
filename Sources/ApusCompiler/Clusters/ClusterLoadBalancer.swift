internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Load balancing (semantics 4.2, `loadBalancer`).
enum ClusterLoadBalancer {
    static func apply(
        _ policy: EffectivePolicy, target: ClusterTarget, _ context: CompileContext, to cluster: inout XDS.Cluster
    ) {
        if cluster.type == .originalDst {
            originalDestination(target, to: &cluster)
            return
        }
        let settings = policy.loadBalancer
        if context.isProxyless {
            // gRPC clients refuse a cluster whose policy they do not know, and least-request is one of these.
            cluster.lbPolicy = .roundRobin
            if let hash = settings?.consistentHash { consistentHash(hash, to: &cluster, ringOnly: true) }
            return
        }
        locality(policy, target: target, context, to: &cluster)
        if let hash = settings?.consistentHash {
            consistentHash(hash, to: &cluster, ringOnly: false)
            return
        }
        let slowStart = settings?.warmup.map(slowStart)
        switch settings?.simple {
        case .roundRobin:
            cluster.lbPolicy = .roundRobin
            if let slowStart { cluster.roundRobinLbConfig = .with { $0.slowStartConfig = slowStart } }
        case .random:
            cluster.lbPolicy = .random
        case nil, .unspecified, .leastConn, .leastRequest, .passthrough:
            cluster.lbPolicy = .leastRequest
            if let slowStart { cluster.leastRequestLbConfig = .with { $0.slowStartConfig = slowStart } }
        }
    }

    /// The connection goes where the client sent it; a ServiceEntry's `targetPort` replaces the port.
    private static func originalDestination(_ target: ClusterTarget, to cluster: inout XDS.Cluster) {
        cluster.lbPolicy = .clusterProvided
        guard case .passthrough = target.service.resolution, !target.service.isKubernetes,
            let port = target.port.targetPort, port != target.port.number
        else { return }
        cluster.originalDstLbConfig = .with { $0.upstreamPortOverride = Google_Protobuf_UInt32Value(port) }
    }

    private static func consistentHash(_ hash: ConsistentHash, to cluster: inout XDS.Cluster, ringOnly: Bool) {
        if case .maglev(let size) = hash.algorithm, !ringOnly {
            cluster.lbPolicy = .maglev
            if let size { cluster.maglevLbConfig = .with { $0.tableSize = Google_Protobuf_UInt64Value(size) } }
            return
        }
        var size: UInt64?
        if case .ringHash(let minimum) = hash.algorithm { size = minimum }
        cluster.lbPolicy = .ringHash
        cluster.ringHashLbConfig = .with {
            // More than this Envoy refuses.
            let minimum = min(size ?? hash.minimumRingSize ?? 1024, 8_388_608)
            $0.minimumRingSize = Google_Protobuf_UInt64Value(minimum)
        }
    }

    private static func slowStart(_ warmup: Warmup) -> Envoy_Config_Cluster_V3_Cluster.SlowStartConfig {
        .with {
            if let duration = warmup.duration { $0.slowStartWindow = Google_Protobuf_Duration(duration) }
            if let aggression = warmup.aggression {
                $0.aggression = .with { $0.defaultValue = aggression }
            }
            $0.minWeightPercent = Envoy_Type_V3_Percent(warmup.minimumPercent ?? 10)
        }
    }

    /// Locality weights only where somebody wrote them or asked for failover: they change how the chosen policy spreads
    /// requests even when all localities are equal.
    private static func locality(
        _ policy: EffectivePolicy, target: ClusterTarget, _ context: CompileContext, to cluster: inout XDS.Cluster
    ) {
        let balance = LocalityBalance(target, context)
        if let zoneAware = balance.zoneAware {
            cluster.commonLbConfig.zoneAwareLbConfig = .with {
                if let size = zoneAware.minClusterSize { $0.minClusterSize = Google_Protobuf_UInt64Value(size) }
            }
            return
        }
        if policy.loadBalancer?.zoneAwareLb?.enabled == false {
            // Said, since a proxy that knows its own cluster is aware of zones without being asked.
            cluster.commonLbConfig.zoneAwareLbConfig = .with { $0.routingEnabled = Envoy_Type_V3_Percent(0) }
            return
        }
        if balance.usesWeights {
            cluster.commonLbConfig.localityWeightedLbConfig =
                Envoy_Config_Cluster_V3_Cluster.CommonLbConfig.LocalityWeightedLbConfig()
        }
    }
}
