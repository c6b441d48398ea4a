package import ApusModel

/// What one workload serves.
package struct InboundScope: Sendable {
    /// One per distinct target port, the oldest service first. Empty when `ingress` replaces it.
    package let services: [InboundService]
    /// The same before a Sidecar's `ingress` replaced it, to name the service behind an ingress port.
    package let selecting: [InboundService]
    /// The Sidecar that applies to the workload, if any.
    package let sidecar: ConfigObject?
    package let ingress: [Sidecar.Ingress]
    package let inboundConnectionPool: ConnectionPoolSettings?
    /// What the workload's ports ask of their callers.
    package let peers: PeerPolicy
    /// The AuthorizationPolicies that hold for the workload.
    package let authorization: [ConfigObject]
    /// The RequestAuthentications that do.
    package let authentication: [ConfigObject]

    package init(
        services: [InboundService] = [], selecting: [InboundService]? = nil, sidecar: ConfigObject? = nil,
        ingress: [Sidecar.Ingress] = [], inboundConnectionPool: ConnectionPoolSettings? = nil,
        peers: PeerPolicy = PeerPolicy(), authorization: [ConfigObject] = [],
        authentication: [ConfigObject] = []
    ) {
        self.services = services
        self.selecting = selecting ?? services
        self.sidecar = sidecar
        self.ingress = ingress
        self.inboundConnectionPool = inboundConnectionPool
        self.peers = peers
        self.authorization = authorization
        self.authentication = authentication
    }
}

/// One service port as one workload serves it.
package struct InboundService: Sendable {
    package let service: Service
    package let port: Service.Port
    /// The workload's own port.
    package let targetPort: UInt32
    /// The workload's address under which clients find it.
    package let endpointAddress: String

    package init(service: Service, port: Service.Port, targetPort: UInt32, endpointAddress: String) {
        self.service = service
        self.port = port
        self.targetPort = targetPort
        self.endpointAddress = endpointAddress
    }
}
