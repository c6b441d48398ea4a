package import ApusCore
package import ApusModel

/// One egress listener of a Sidecar, or the single one that stands for "no Sidecar".
package struct EgressScope: Sendable {
    /// nil: every port of every imported service.
    package let port: PortSpec?
    package let bind: String
    package let captureMode: Sidecar.CaptureMode
    /// Oldest first. With a port number, only services that have that port; number 0 (a Unix socket) takes all.
    package let services: [Service]
    /// In the order of `ProxyScope.virtualServices`.
    package let virtualServices: [ResolvedVirtualService]
    /// Position in `spec.egress`.
    package let index: Int

    private let matcher: VirtualServiceMatcher

    package init(
        port: PortSpec? = nil, bind: String = "", captureMode: Sidecar.CaptureMode = .default, services: [Service],
        virtualServices: [ResolvedVirtualService], index: Int = 0
    ) {
        self.port = port
        self.bind = bind
        self.captureMode = captureMode
        self.services = services
        self.virtualServices = virtualServices
        self.index = index
        matcher = VirtualServiceMatcher(virtualServices)
    }

    /// VirtualServices that cover a service's host: an exact host before wildcards, longer ones first, then the oldest.
    /// The first that has rules for the client wins (semantics 4.0).
    package func virtualServices(for host: HostName) -> [ResolvedVirtualService] {
        matcher.virtualServices(for: host)
    }

    fileprivate func isInterchangeable(with other: EgressScope) -> Bool {
        port == other.port && bind == other.bind && captureMode == other.captureMode && index == other.index
            && services.isIdentical(to: other.services) && virtualServices.isIdentical(to: other.virtualServices)
    }
}

/// The part of the mesh that exists for one class of proxies (semantics 4.0 and 4.6).
package final class ProxyScope: Sendable {
    /// What the lookups of VirtualServices for gateways and of DestinationRules need.
    struct Rules: Sendable {
        let virtualServices: VirtualServiceIndex
        let destinationRules: DestinationRuleIndex
        let namespace: String
        let labels: [String: String]
        let rootNamespace: String
    }

    /// Visible services, oldest first, one per host.
    package let services: [Service]
    package let egressListeners: [EgressScope]
    /// Visible and bound to `mesh`: those with an exact host first, then by their longest wildcard; the oldest first
    /// among equals. Empty for routers.
    package let virtualServices: [ResolvedVirtualService]
    package let outboundPolicy: OutboundTrafficPolicy
    /// The Sidecar that applies, if any.
    package let sidecar: ConfigObject?

    private let rules: Rules
    private let byHost: [HostName: Service]
    private let byPort: [UInt32: [Service]]
    /// Services that a Sidecar lets in only for some ports.
    private let importedPorts: [Service.ID: Set<UInt32>]?

    init(
        services: [Service], importedPorts: [Service.ID: Set<UInt32>]?, egressListeners: [EgressScope],
        virtualServices: [ResolvedVirtualService], outboundPolicy: OutboundTrafficPolicy, sidecar: ConfigObject?,
        rules: Rules
    ) {
        self.services = services
        self.importedPorts = importedPorts
        self.egressListeners = egressListeners
        self.virtualServices = virtualServices
        self.outboundPolicy = outboundPolicy
        self.sidecar = sidecar
        self.rules = rules
        byHost = Dictionary(services.map { ($0.host, $0) }, uniquingKeysWith: { first, _ in first })
        var byPort: [UInt32: [Service]] = [:]
        for service in services {
            let imported = importedPorts.flatMap { $0[service.id] }
            for port in service.ports where imported?.contains(port.number) ?? true {
                byPort[port.number, default: []].append(service)
            }
        }
        self.byPort = byPort
    }

    /// Ports on which some service can be called, ascending.
    package var ports: [UInt32] { byPort.keys.sorted() }

    /// Services that clients may call on `port`, oldest first.
    package func services(onPort port: UInt32) -> [Service] { byPort[port] ?? [] }

    /// The visible service of exactly this host.
    package func service(_ host: HostName) -> Service? { byHost[host] }

    /// Whether clients may call `service` on `port`: a Sidecar's egress port, or the port of a VirtualService's
    /// destination that is not imported otherwise, limits it.
    package func imports(_ service: Service, port: UInt32) -> Bool {
        guard byHost[service.host] === service, service.port(port) != nil else { return false }
        return importedPorts.flatMap { $0[service.id] }?.contains(port) ?? true
    }

    /// VirtualServices bound to the Gateway `namespace/name` and visible, oldest first. For routers.
    package func virtualServices(gateway: String) -> [ResolvedVirtualService] {
        (rules.virtualServices.byGateway[gateway] ?? []).filter { $0.exportTo.includes(rules.namespace) }
    }

    /// The rule that shapes traffic to `service` (semantics 4.2: client's, service's, root namespace).
    package func destinationRule(for service: Service) -> ResolvedDestinationRule? {
        rules.destinationRules.rule(
            for: service, namespace: rules.namespace, labels: rules.labels, rootNamespace: rules.rootNamespace)
    }

    /// True if every answer of both is the same instance.
    func isInterchangeable(with other: ProxyScope) -> Bool {
        rules.virtualServices === other.rules.virtualServices
            && rules.destinationRules === other.rules.destinationRules && rules.namespace == other.rules.namespace
            && rules.labels == other.rules.labels && rules.rootNamespace == other.rules.rootNamespace
            && sidecar === other.sidecar && outboundPolicy == other.outboundPolicy
            && importedPorts == other.importedPorts && services.isIdentical(to: other.services)
            && virtualServices.isIdentical(to: other.virtualServices)
            && egressListeners.count == other.egressListeners.count
            && zip(egressListeners, other.egressListeners).allSatisfy { $0.isInterchangeable(with: $1) }
    }
}
