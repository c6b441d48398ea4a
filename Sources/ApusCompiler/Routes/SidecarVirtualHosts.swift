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
    /// Routes of a candidate for a port, compiled once.
    private var compiled: [Candidate: Compiled<[XDS.Route]>] = [:]

    private struct Candidate: Hashable {
        let index: Int
        let port: UInt32
    }

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
        let candidates = candidates(byHost)
        let owned = owners(candidates, services: services, byHost: byHost)
        for (index, virtualService) in candidates.enumerated() {
            add(virtualService, index: index, owned: owned[index] ?? [], services: services, byHost: byHost)
        }
        for service in services {
            for port in ports(of: service) where !takenNames.contains(VirtualHostName.host(service.host, port: port)) {
                addDefault(service, port: port)
            }
        }
    }

    /// Visible services with the port (or any), as far as their protocol can be HTTP.
    private func registry() -> [Service] {
        var services = listener.services
        if let only {
            // Looked up, since there may be a configuration for each of very many services.
            services =
                listener.port == nil
                ? context.scope.service(only).map { [$0] } ?? [] : services.filter { $0.host == only }
        }
        return services.filter { service in
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

    /// On port 80, and where all ports are in one, every VirtualService counts; elsewhere only those with a service of
    /// that port.
    private func candidates(_ byHost: [HostName: Service]) -> [ResolvedVirtualService] {
        if let only {
            return listener.virtualServices.filter { $0.hosts.contains { only.isSubset(of: $0) } }
        }
        guard let port, port != 80 else { return listener.virtualServices }
        return listener.virtualServices.filter { virtualService in
            virtualService.hosts.contains { host in
                host.isWildcard ? byHost.keys.contains { $0.isSubset(of: host) } : byHost[host] != nil
            }
        }
    }

    /// The services that each candidate routes: the most exact host decides, then the order of candidates. One that has
    /// nothing for this client leaves the service to the next.
    private mutating func owners(
        _ candidates: [ResolvedVirtualService], services: [Service], byHost: [HostName: Service]
    ) -> [Int: [Service]] {
        var owned: [Int: [Service]] = [:]
        var taken: Set<HostName> = []
        var wildcards: [(host: HostName, index: Int)] = []
        for (index, virtualService) in candidates.enumerated() {
            for host in virtualService.hosts {
                if host.isWildcard {
                    wildcards.append((host, index))
                } else if let service = byHost[host], !taken.contains(host), serves(candidates, index, service) {
                    taken.insert(host)
                    owned[index, default: []].append(service)
                }
            }
        }
        wildcards.sort { ($0.host.text.utf8.count, $1.index) > ($1.host.text.utf8.count, $0.index) }
        for (host, index) in wildcards {
            for service in services where !taken.contains(service.host) && service.host.isSubset(of: host) {
                guard serves(candidates, index, service) else { continue }
                taken.insert(service.host)
                owned[index, default: []].append(service)
            }
        }
        return owned
    }

    private mutating func serves(_ candidates: [ResolvedVirtualService], _ index: Int, _ service: Service) -> Bool {
        for port in ports(of: service) where !routes(candidates[index], index, port: port).message.isEmpty {
            return true
        }
        return false
    }

    private mutating func routes(
        _ virtualService: ResolvedVirtualService, _ index: Int, port: UInt32
    ) -> Compiled<[XDS.Route]> {
        let key = Candidate(index: index, port: port)
        if let known = compiled[key] { return known }
        let routes = VirtualServiceRoutes.compile(
            virtualService, listenerPort: port, gatewayNames: ["mesh"], context)
        compiled[key] = routes
        return routes
    }

    private mutating func add(
        _ virtualService: ResolvedVirtualService, index: Int, owned: [Service], services: [Service],
        byHost: [HostName: Service]
    ) {
        var free: [HostName] = []
        // Hosts that are no services follow the ports of the services beside them; alone, they live on port 80.
        var ports: Set<UInt32> = []
        for host in virtualService.hosts {
            let beside: [Service]
            if host.isWildcard {
                beside = services.filter { $0.host.isSubset(of: host) }
            } else {
                beside = byHost[host].map { [$0] } ?? []
            }
            if beside.isEmpty { free.append(host) }
            for service in beside { ports.formUnion(self.ports(of: service)) }
        }
        if only != nil { free = [] }
        if owned.isEmpty, free.isEmpty { return }
        if ports.isEmpty { ports = [port ?? 80] }
        for port in ports.sorted() {
            let routes = routes(virtualService, index, port: port)
            if routes.message.isEmpty { continue }
            for service in owned where self.ports(of: service).contains(port) {
                let names = ServiceDomains.domains(of: service, port: port, domains)
                append(service.host, port: port, names, routes.message)
                sources.formUnion(service.sources.map(\.key))
            }
            for host in free {
                append(host, port: port, ServiceDomains.domains(ofHost: host, port: port, domains), routes.message)
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
            let folded = domain.lowercased()
            if names.short.contains(domain), fullNames.contains(folded) { continue }
            if takenDomains.insert(folded).inserted { own.append(domain) }
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
