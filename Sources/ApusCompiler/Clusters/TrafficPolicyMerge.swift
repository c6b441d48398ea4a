package import ApusMesh
package import ApusModel

/// The policy for one cluster after all levels of a DestinationRule are put together. What nobody set is nil.
package struct EffectivePolicy: Hashable, Sendable {
    package var loadBalancer: LoadBalancerSettings?
    package var connectionPool: ConnectionPoolSettings?
    package var outlierDetection: OutlierDetectionSettings?
    package var tls: ClientTLSSettings?
    package var tunnel: TunnelSettings?
    package var proxyProtocol: ProxyProtocolVersion?
    package var retryBudget: RetryBudget?

    package init() {}
}

/// Blocks are replaced whole and never merged field by field (semantics 4.2).
package enum TrafficPolicyMerge {
    /// - Parameter subset: name of a subset; an empty or unknown one means the rule's top-level policy alone.
    package static func effective(
        _ rule: ResolvedDestinationRule?, subset: String, port: UInt32
    ) -> EffectivePolicy {
        guard let rule else { return EffectivePolicy() }
        var result = EffectivePolicy()
        if let top = rule.trafficPolicy {
            if let entry = top.portLevelSettings.first(where: { $0.port == port }) {
                result.replaceBlocks(by: entry)
            } else {
                result.overlay(top)
            }
        }
        guard !subset.isEmpty, let policy = rule.subsets.first(where: { $0.name == subset })?.trafficPolicy else {
            return result
        }
        result.overlay(policy)
        if let entry = policy.portLevelSettings.first(where: { $0.port == port }) {
            result.replaceBlocks(by: entry)
        }
        return result
    }
}

extension EffectivePolicy {
    fileprivate mutating func overlay(_ policy: TrafficPolicy) {
        loadBalancer = policy.loadBalancer ?? loadBalancer
        connectionPool = policy.connectionPool ?? connectionPool
        outlierDetection = policy.outlierDetection ?? outlierDetection
        tls = policy.tls ?? tls
        tunnel = policy.tunnel ?? tunnel
        proxyProtocol = policy.proxyProtocol ?? proxyProtocol
        retryBudget = policy.retryBudget ?? retryBudget
    }

    /// A port entry stands for all four blocks: what it leaves out falls back to defaults, not to the level above.
    fileprivate mutating func replaceBlocks(by entry: PortTrafficPolicy) {
        loadBalancer = entry.loadBalancer
        connectionPool = entry.connectionPool
        outlierDetection = entry.outlierDetection
        tls = entry.tls
    }
}
