internal import ApusAPI
internal import ApusCore
internal import ApusModel

/// The inbound side of workloads that serve the same, encoded.
final class InboundResources: Sendable {
    let clusters: [EncodedResource]
    let listeners: [EncodedResource]

    private init(clusters: [EncodedResource], listeners: [EncodedResource]) {
        self.clusters = clusters
        self.listeners = listeners
    }

    static let none = InboundResources(clusters: [], listeners: [])

    /// - Parameter serverAddresses: for gRPC programs, the addresses they may listen on; nil for proxies.
    static func compile(_ plan: InboundPlan, mesh: MeshConfig, serverAddresses: [String]?) -> InboundResources {
        if let serverAddresses {
            return InboundResources(
                clusters: [],
                listeners: ProxylessListeners.inbound(plan, addresses: serverAddresses).map {
                    Encoding.resource($0, name: $0.message.name, type: .listener)
                })
        }
        return InboundResources(
            clusters: InboundClusters(plan: plan, mesh: mesh).compile().map {
                Encoding.resource($0, name: $0.message.name, type: .cluster)
            },
            listeners: InboundListeners(plan: plan, mesh: mesh).compile().map {
                Encoding.resource($0, name: $0.message.name, type: .listener)
            })
    }
}
