package import ApusCore
package import ApusModel

/// One egress listener of a Sidecar, or the single one that stands for "no Sidecar".
package struct EgressScope: Sendable {
    /// nil: every port of every imported service.
    package let port: PortSpec?
    package let bind: String
    package let captureMode: Sidecar.CaptureMode
    /// Oldest first. With `port`, only services that have that port (or all, for a Unix socket).
    package let services: [Service]
    package let virtualServices: [ResolvedVirtualService]
    /// Position in `spec.egress`.
    package let index: Int

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
    }
}

/// The part of the mesh that exists for one class of proxies (semantics 4.0 and 4.6).
package final class ProxyScope: Sendable {
    /// Visible services, oldest first, one per host.
    package let services: [Service]
    package let egressListeners: [EgressScope]
    /// Visible and bound to `mesh`: those with an exact host first, then by their longest wildcard; the oldest first
    /// among equals.
    package let virtualServices: [ResolvedVirtualService]
    package let outboundPolicy: OutboundTrafficPolicy
    /// The Sidecar that applies, if any.
    package let sidecar: ConfigObject?

    private let byHost: [HostName: Service]
    private let byPort: [UInt32: [Service]]
    private let byGateway: [String: [ResolvedVirtualService]]

    init(
        services: [Service], egressListeners: [EgressScope], virtualServices: [ResolvedVirtualService],
        gatewayVirtualServices: [String: [ResolvedVirtualService]], outboundPolicy: OutboundTrafficPolicy,
        sidecar: ConfigObject?
    ) {
        self.services = services
        self.egressListeners = egressListeners
        self.virtualServices = virtualServices
        self.outboundPolicy = outboundPolicy
        self.sidecar = sidecar
        byGateway = gatewayVirtualServices
        byHost = Dictionary(services.map { ($0.host, $0) }, uniquingKeysWith: { first, _ in first })
        var byPort: [UInt32: [Service]] = [:]
        for service in services {
            for port in service.ports { byPort[port.number, default: []].append(service) }
        }
        self.byPort = byPort
    }

    /// Services that clients may call on `port`, oldest first.
    package func services(onPort port: UInt32) -> [Service] { byPort[port] ?? [] }

    /// The visible service of exactly this host.
    package func service(_ host: HostName) -> Service? { byHost[host] }

    /// Whether clients may call `service` on `port` (a Sidecar's egress port limits it).
    package func imports(_ service: Service, port: UInt32) -> Bool { service.port(port) != nil }

    /// VirtualServices bound to the Gateway `namespace/name` and visible, oldest first. For routers.
    package func virtualServices(gateway: String) -> [ResolvedVirtualService] { byGateway[gateway] ?? [] }

    /// The rule that shapes traffic to `service` (semantics 4.2: client's, service's, root namespace).
    package func destinationRule(for service: Service) -> ResolvedDestinationRule? { nil }
}
