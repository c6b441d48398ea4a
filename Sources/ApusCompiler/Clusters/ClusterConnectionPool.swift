internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Connect timeout, circuit breakers and keepalive (semantics 4.2, `connectionPool`).
enum ClusterConnectionPool {
    static func apply(_ policy: EffectivePolicy, mesh: MeshConfig, to cluster: inout XDS.Cluster) {
        let tcp = policy.connectionPool?.tcp
        cluster.connectTimeout = Google_Protobuf_Duration(tcp?.connectTimeout ?? mesh.connectTimeout)
        cluster.circuitBreakers = .with {
            $0.thresholds = [thresholds(policy.connectionPool, retryBudget: policy.retryBudget)]
        }
        if let keepalive = tcp?.tcpKeepalive ?? mesh.tcpKeepalive {
            cluster.upstreamConnectionOptions = .with { $0.tcpKeepalive = self.keepalive(keepalive) }
        }
    }

    /// Always written, since Envoy's own defaults (1024, 3 retries) would limit services that asked for no limit.
    static func thresholds(
        _ pool: ConnectionPoolSettings?, retryBudget: RetryBudget? = nil
    ) -> Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds {
        func limit(_ value: Int32?) -> Google_Protobuf_UInt32Value {
            Google_Protobuf_UInt32Value(positive(value) ?? .max)
        }
        return .with {
            $0.maxConnections = limit(pool?.tcp?.maxConnections)
            $0.maxPendingRequests = limit(pool?.http?.http1MaxPendingRequests)
            $0.maxRequests = limit(pool?.http?.http2MaxRequests)
            guard let retryBudget else {
                $0.maxRetries = limit(pool?.http?.maxRetries)
                return
            }
            $0.retryBudget = .with {
                $0.budgetPercent = Envoy_Type_V3_Percent(retryBudget.percent ?? 20)
                $0.minRetryConcurrency = Google_Protobuf_UInt32Value(retryBudget.minRetryConcurrency ?? 3)
            }
        }
    }

    private static func keepalive(
        _ settings: ConnectionPoolSettings.TCP.Keepalive
    ) -> Envoy_Config_Core_V3_TcpKeepalive {
        func seconds(_ duration: Duration) -> Google_Protobuf_UInt32Value {
            Google_Protobuf_UInt32Value(UInt32(clamping: duration.components.seconds))
        }
        return .with {
            if let probes = settings.probes, probes > 0 { $0.keepaliveProbes = Google_Protobuf_UInt32Value(probes) }
            if let time = settings.time { $0.keepaliveTime = seconds(time) }
            if let interval = settings.interval { $0.keepaliveInterval = seconds(interval) }
        }
    }
}
