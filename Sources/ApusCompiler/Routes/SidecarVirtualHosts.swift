internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// Builds the virtual hosts of one outbound route configuration, in the order in which names are given away: those of
/// VirtualServices, most exact and oldest first, then services on their own.
struct SidecarVirtualHosts {
    private(set) var hosts: [XDS.VirtualHost] = []
    private(set) var sources: Set<ObjectKey> = []

    private let listener: EgressScope
    /// nil: all ports in one configuration.
    private let port: UInt32?
    private let domains: DomainStyle
    private let context: CompileContext
    /// Build this host alone.
    private let only: HostName?
    private var takenNames: Set<String> = []
    private var takenDomains: Set<String> = []
    /// Full names of all services here: no short form may take one away.
    private var fullNames: Set<String> = []

    init(
        listener: EgressScope, port: UInt32?, domains: DomainStyle, context: CompileContext, only: HostName? = nil
    ) {
        self.listener = listener
        self.port = port
        self.domains = domains
        self.context = context
        self.only = only
    }

    mutating func build() {
        let services = registry()
        for service in services {
            for host in [service.host] + service.aliases {
                fullNames.insert(host.text)
                guard domains.withPort else { continue }
                for port in ports(of: service) { fullNames.insert("\(host.text):\(port)") }
            }
        }
        let byHost = Dictionary(services.map { ($0.host, $0) }, uniquingKeysWith: { first, _ in first })
        var served: Set<HostName> = []
        for virtualService in candidates(byHost) {
            add(virtualService, services: services, byHost: byHost, served: &served)
        }
        for service in services where !served.contains(service.host) && isWanted(service.host) {
            for port in ports(of: service) { addDefault(service, port: port) }
        }
    }

    /// Visible services with the port (or any), as far as their protocol can be HTTP.
    private func registry() -> [Service] {
        listener.services.filter { service in
            if case .alias = service.resolution { return false }
            return !ports(of: service).isEmpty
        }
    }

    private func ports(of service: Service) -> [UInt32] {
        service.ports.filter { candidate in
            (port == nil || candidate.number == port) && (candidate.protocol.isHTTP || candidate.protocol == .auto)
                && (listener.port != nil || context.scope.imports(service, port: candidate.number))
        }.map(\.number)
    }

    private func isWanted(_ host: HostName) -> Bool { only == nil || only == host }

    /// On port 80, and where all ports are in one, every VirtualService counts; elsewhere only those with a service of
    /// that port.
    private func candidates(_ byHost: [HostName: Service]) -> [ResolvedVirtualService] {
        guard let port, port != 80 else { return listener.virtualServices }
        return listener.virtualServices.filter { virtualService in
            virtualService.hosts.contains { host in
                host.isWildcard ? byHost.keys.contains { $0.isSubset(of: host) } : byHost[host] != nil
            }
        }
    }

    private mutating func add(
        _ virtualService: ResolvedVirtualService, services: [Service], byHost: [HostName: Service],
        served: inout Set<HostName>
    ) {
        var matched: [Service] = []
        var free: [HostName] = []
        for host in virtualService.hosts {
            if !host.isWildcard {
                if let service = byHost[host] { matched.append(service) } else { free.append(host) }
                continue
            }
            let inside = services.filter { $0.host.isSubset(of: host) }
            if inside.isEmpty { free.append(host) } else { matched += inside }
        }
        // Another VirtualService, older or more exact, has these already.
        matched.removeAll { served.contains($0.host) || !isWanted($0.host) }
        free.removeAll { !isWanted($0) }
        if matched.isEmpty, free.isEmpty { return }

        var byPort: [UInt32: [Service]] = [:]
        for service in matched {
            for port in ports(of: service) { byPort[port, default: []].append(service) }
        }
        // Hosts that are no services follow the ports of the services beside them; alone, they live on port 80.
        var ports = Set(byPort.keys)
        for host in virtualService.hosts {
            for service in byHost[host].map({ [$0] }) ?? [] { ports.formUnion(self.ports(of: service)) }
        }
        if ports.isEmpty { ports = [port ?? 80] }
        for port in ports.sorted() {
            let routes = VirtualServiceRoutes.compile(
                virtualService, listenerPort: port, gatewayNames: ["mesh"], context)
            // Nothing in it is for this client, so a younger VirtualService may have the hosts.
            if routes.message.isEmpty { continue }
            for service in byPort[port] ?? [] {
                served.insert(service.host)
                let names = ServiceDomains.domains(of: service, port: port, domains)
                append(service.host, port: port, names, routes.message)
                sources.formUnion(service.sources.map(\.key))
            }
            for host in free {
                append(
                    host, port: port, ServiceDomains.domains(ofHost: host, port: port, domains), routes.message)
            }
            sources.formUnion(routes.sources)
        }
    }

    private mutating func addDefault(_ service: Service, port: UInt32) {
        let route = VirtualServiceRoutes.defaultRoute(to: service, port: port, context)
        append(service.host, port: port, ServiceDomains.domains(of: service, port: port, domains), [route.message])
        sources.formUnion(route.sources)
    }

    /// Envoy refuses a route configuration in which a domain occurs twice, so the first keeps it.
    private mutating func append(_ host: HostName, port: UInt32, _ names: Domains, _ routes: [XDS.Route]) {
        let name = VirtualHostName.host(host, port: port)
        guard takenNames.insert(name).inserted else { return }
        var own: [String] = []
        for domain in names.all {
            if names.short.contains(domain), fullNames.contains(domain.lowercased()) { continue }
            if takenDomains.insert(domain.lowercased()).inserted { own.append(domain) }
        }
        if own.isEmpty { return }
        var virtualHost = XDS.VirtualHost()
        virtualHost.name = name
        virtualHost.domains = own
        virtualHost.routes = routes
        virtualHost.includeRequestAttemptCount = true
        hosts.append(virtualHost)
    }
}
