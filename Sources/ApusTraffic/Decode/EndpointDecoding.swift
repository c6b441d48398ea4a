internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension EndpointTable {
    /// Hosts of one cluster.
    private static let maxEndpoints = 1_000_000
    private static let maxPriority: UInt32 = 128

    /// - Parameter allowsNames: hosts may be names (DNS clusters).
    static func decode(
        _ message: Envoy_Config_Endpoint_V3_ClusterLoadAssignment, version: ContentVersion, allowsNames: Bool
    ) throws(Refusal) -> EndpointTable {
        guard message.endpoints.reduce(0, { $0 + $1.lbEndpoints.count }) <= maxEndpoints else {
            throw Refusal("endpoints", "too many")
        }
        let groups = try each("endpoints", message.endpoints) {
            group throws(Refusal) -> (locality: Locality, priority: Int, weight: UInt32?, endpoints: [Endpoint]) in
            guard group.priority <= maxPriority else { throw Refusal("priority", "greater than \(maxPriority)") }
            let locality = Locality(
                region: group.locality.region, zone: group.locality.zone, subZone: group.locality.subZone)
            let endpoints = try each("lb_endpoints", group.lbEndpoints) { endpoint throws(Refusal) -> Endpoint? in
                try Endpoint.decode(endpoint, allowsNames: allowsNames)
            }
            return (
                locality, Int(group.priority),
                group.hasLoadBalancingWeight ? group.loadBalancingWeight.value : nil, endpoints.compactMap { $0 }
            )
        }
        let priorities = Set(groups.map(\.priority))
        if let most = priorities.max(), priorities.count != most + 1 {
            throw Refusal("endpoints", "the priorities must be 0 to \(most) without a gap")
        }
        let policy = message.policy
        return EndpointTable(
            name: message.clusterName, version: version, groups: groups,
            overprovisioningFactor: policy.hasOverprovisioningFactor ? policy.overprovisioningFactor.value : 140,
            weighsHealth: policy.weightedPriorityHealth,
            drops: try each("policy.drop_overloads", policy.dropOverloads) { drop throws(Refusal) in
                Drop(category: drop.category, share: try Fraction(drop.dropPercentage))
            })
    }
}

extension Endpoint {
    /// nil: an endpoint that is draining and must not be used.
    static func decode(
        _ message: Envoy_Config_Endpoint_V3_LbEndpoint, allowsNames: Bool
    ) throws(Refusal) -> Endpoint? {
        guard case .endpoint(let host) = message.hostIdentifier else { throw Refusal("endpoint", "missing") }
        let address = try at("endpoint.address") { () throws(Refusal) in
            try SocketAddress(host.address, allowsNames: allowsNames)
        }
        let health: Health
        switch message.healthStatus {
        case .unknown, .healthy: health = .healthy
        case .degraded: health = .degraded
        case .draining: health = .draining
        case .unhealthy, .timeout: health = .unhealthy
        case .UNRECOGNIZED: throw Refusal("health_status", "unknown value")
        }
        if message.hasLoadBalancingWeight, message.loadBalancingWeight.value == 0 {
            throw Refusal("load_balancing_weight", "must be greater than 0")
        }
        var key: String?
        if case .stringValue(let text) = message.metadata.filterMetadata["envoy.lb"]?.fields["hash_key"]?.kind {
            key = text
        }
        var socket: [String: String] = [:]
        for (name, value) in message.metadata.filterMetadata["envoy.transport_socket_match"]?.fields ?? [:] {
            if case .stringValue(let text) = value.kind { socket[name] = text }
        }
        return Endpoint(
            address: address, hostname: host.hostname,
            weight: message.hasLoadBalancingWeight ? message.loadBalancingWeight.value : 1, health: health,
            hashKey: key, transportLabels: socket,
            metadata: message.metadata.filterMetadata["envoy.lb"].map(MetadataValue.fields) ?? [:],
            checkTarget: host.hasHealthCheckConfig
                ? try at("endpoint.health_check_config") { () throws(Refusal) in
                    try CheckTarget(host.healthCheckConfig)
                } : nil)
    }
}

extension Endpoint.CheckTarget {
    init(_ message: Envoy_Config_Endpoint_V3_Endpoint.HealthCheckConfig) throws(Refusal) {
        self.init()
        if message.hasAddress {
            address = try at("address") { () throws(Refusal) in try SocketAddress(message.address) }
        }
        guard let port = UInt16(exactly: message.portValue) else { throw Refusal("port_value", "not a port") }
        self.port = port == 0 ? nil : port
        hostname = message.hostname
        isDisabled = message.disableActiveHealthCheck
    }
}
