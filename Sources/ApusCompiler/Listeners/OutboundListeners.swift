package import ApusAPI
package import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Outbound listeners of one class of sidecars, with the names of the routes they ask for (semantics 3.1 to 3.4).
package struct OutboundListeners: Sendable {
    package typealias Listener = Envoy_Config_Listener_V3_Listener

    package var listeners: [Compiled<Listener>] = []
    /// RDS names, sorted.
    package var routeNames: [String] = []
    /// Listeners that stand for single pods of headless services, by name: a proxy does not get those of its own
    /// addresses, which are its inbound side.
    package var podAddresses: [String: String] = [:]
    package var findings: [Finding] = []

    package static func compile(_ context: CompileContext) -> OutboundListeners {
        var table = OutboundTable(context)
        let isCaptured = context.proxyClass.interception != .none
        for egress in context.scope.egressListeners {
            let bindsToPort =
                switch egress.captureMode {
                case .default: !isCaptured
                case .iptables: false
                case .none: true
                }
            table.add(egress, bindsToPort: bindsToPort)
        }
        var result = table.finish()
        if let proxy = httpProxy(context) {
            // A service listener that happens to stand on the same place would be replaced silently.
            result.listeners.removeAll { $0.message.name == proxy.message.name }
            result.listeners.append(proxy)
            result.routeNames.append(RouteName.httpProxy)
        }
        if isCaptured { result.listeners.append(virtualOutbound(context)) }
        result.listeners.sort { $0.message.name < $1.message.name }
        result.routeNames = Set(result.routeNames).sorted()
        return result
    }
}

/// The listeners as they come together, service by service, oldest first.
struct OutboundTable {
    /// One TCP filter chain: what it matches, and where it leads.
    struct Chain {
        struct Match: Hashable {
            var serverNames: [String] = []
            var subnets: [CIDR] = []
        }

        let match: Match
        let target: TCPTarget
    }

    private struct Entry {
        let bind: BindAddress
        let bindsToPort: Bool
        let owner: Service
        var routeName: String?
        var translatesGRPCWeb = false
        /// Wildcard hosts whose names are resolved when a request asks for them.
        var dynamicHosts: Set<String> = []
        var chains: [Chain] = []
        /// Mongo and MySQL: the server speaks first, so nothing else can share the place.
        var isExclusive = false
        var podAddress: String?
        var sources: Set<ObjectKey> = []
    }

    private let context: CompileContext
    private let wildcard: String
    private let loopback: String
    private var entries: [BindAddress: Entry] = [:]
    /// Ports of egress listeners with a port: services add nothing to them.
    private var ownedPorts: Set<UInt32> = []
    private var findings: [Finding] = []

    init(_ context: CompileContext) {
        self.context = context
        let families = context.proxyClass
        let isIPv6Only = families.hasIPv6 && !families.hasIPv4
        wildcard = isIPv6Only ? "::" : BindAddress.wildcard
        loopback = isIPv6Only ? "::1" : BindAddress.loopback
    }

    mutating func add(_ egress: EgressScope, bindsToPort: Bool) {
        let sidecar = context.scope.sidecar.map { [$0.key] } ?? []
        guard let port = egress.port else {
            for service in egress.services {
                if case .alias = service.resolution { continue }
                for port in service.ports
                where !ownedPorts.contains(port.number) && context.scope.imports(service, port: port.number) {
                    let bind: String? = egress.bind.isEmpty ? (bindsToPort ? loopback : nil) : egress.bind
                    add(service, port, bind: bind, bindsToPort: bindsToPort, egress: egress, sources: sidecar)
                }
            }
            return
        }
        let isPipe = egress.bind.hasPrefix("unix://")
        let bind: String? = egress.bind.isEmpty ? (bindsToPort ? loopback : nil) : egress.bind
        // An explicit proxy is HTTP, whatever the services behind it speak.
        let isProxy = port.protocol == "HTTP_PROXY"
        let listenPort = Service.Port(
            name: port.name, number: isPipe ? 0 : port.number,
            protocol: isProxy ? .http : PortProtocol(declared: port.protocol))
        for service in egress.services {
            if case .alias = service.resolution { continue }
            add(service, listenPort, bind: bind, bindsToPort: bindsToPort || isPipe, egress: egress, sources: sidecar)
        }
        if !isPipe { ownedPorts.insert(port.number) }
    }

    private mutating func add(
        _ service: Service, _ port: Service.Port, bind: String?, bindsToPort: Bool, egress: EgressScope,
        sources: [ObjectKey]
    ) {
        switch port.protocol {
        case .udp: return
        case let spoken where spoken.isHTTP:
            addHTTP(
                at: BindAddress(bind: bind ?? wildcard, port: port.number), service, port, bindsToPort: bindsToPort,
                sources: sources)
        default:
            addTCP(service, port, bind: bind, bindsToPort: bindsToPort, egress: egress, sources: sources)
        }
    }

    // MARK: HTTP

    private mutating func addHTTP(
        at bind: BindAddress, _ service: Service, _ port: Service.Port, bindsToPort: Bool, podAddress: String? = nil,
        sources: [ObjectKey]
    ) {
        let isShared = bind.isWildcard || bindsToPort || port.protocol != .auto
        let routeName =
            switch bind {
            case .pipe: bind.listenerName
            case .socket:
                isShared ? RouteName.port(port.number) : RouteName.service(host: service.host, port: port.number)
            }
        let isDynamic = DynamicForwardProxy.serves(service, port, context)
        if var entry = entries[bind] {
            if entry.isExclusive {
                conflict(service, port, with: entry.owner, at: bind)
                return
            }
            let isNews = entry.routeName == nil || (port.protocol == .grpcWeb && !entry.translatesGRPCWeb)
            if entry.routeName == nil { entry.routeName = routeName }
            if port.protocol == .grpcWeb { entry.translatesGRPCWeb = true }
            if isDynamic { entry.dynamicHosts.insert(service.host.text) }
            if isNews || isDynamic { entry.sources.formUnion(service.sources.map(\.key) + sources) }
            entries[bind] = entry
            return
        }
        var entry = Entry(bind: bind, bindsToPort: bindsToPort, owner: service)
        entry.routeName = routeName
        entry.translatesGRPCWeb = port.protocol == .grpcWeb
        if isDynamic { entry.dynamicHosts = [service.host.text] }
        entry.podAddress = podAddress
        entry.sources = Set(service.sources.map(\.key) + sources)
        entries[bind] = entry
    }

    // MARK: TCP and detected protocols

    private mutating func addTCP(
        _ service: Service, _ port: Service.Port, bind: String?, bindsToPort: Bool, egress: EgressScope,
        sources: [ObjectKey]
    ) {
        if let bind {
            add(
                service, port, at: BindAddress(bind: bind, port: port.number), subnets: [], bindsToPort: bindsToPort,
                egress: egress, sources: sources)
            return
        }
        if service.addresses.isEmpty, service.isHeadless || service.resolution == .passthrough {
            let endpoints = context.snapshot.endpoints(of: service).byPort[port.number] ?? []
            // A plain ServiceEntry without addresses means the whole port; a service that has lost its pods does not.
            if service.isKubernetes || !endpoints.isEmpty || !service.selector.isEmpty {
                var seen: Set<String> = []
                for endpoint in endpoints where seen.insert(endpoint.address).inserted {
                    guard let address = IPAddress(endpoint.address), isUsable(address) else { continue }
                    add(
                        service, port, at: .socket(address: address.description, port: port.number), subnets: [],
                        bindsToPort: bindsToPort, egress: egress, podAddress: address.description, sources: sources)
                }
                return
            }
        }
        var hasAddress = false
        var subnets: [CIDR] = []
        for text in service.addresses {
            if let address = IPAddress(text) {
                guard !address.isUnspecified else { continue }
                guard isUsable(address) else { continue }
                hasAddress = true
                add(
                    service, port, at: .socket(address: address.description, port: port.number), subnets: [],
                    bindsToPort: bindsToPort, egress: egress, sources: sources)
            } else if let subnet = CIDR(text), isUsable(subnet.address) {
                hasAddress = true
                subnets.append(subnet)
            }
        }
        if !subnets.isEmpty || !hasAddress {
            add(
                service, port, at: .socket(address: wildcard, port: port.number), subnets: subnets,
                bindsToPort: bindsToPort, egress: egress, sources: sources)
        }
    }

    private func isUsable(_ address: IPAddress) -> Bool {
        switch address.family {
        case .v4: context.proxyClass.hasIPv4 || !context.proxyClass.hasIPv6
        case .v6: context.proxyClass.hasIPv6
        }
    }

    private mutating func add(
        _ service: Service, _ port: Service.Port, at bind: BindAddress, subnets: [CIDR], bindsToPort: Bool,
        egress: EgressScope, podAddress: String? = nil, sources: [ObjectKey]
    ) {
        let chains = TCPChains(context: context, service: service, port: port, egress: egress)
            .make(
                subnets: subnets,
                matchesServerName: !subnets.isEmpty || (service.addresses.isEmpty && bind.isWildcard))
        let isExclusive = port.protocol == .mongo || port.protocol == .mysql
        var keys = Set(service.sources.map(\.key) + sources)
        keys.formUnion(chains.sources)
        if var entry = entries[bind] {
            if entry.isExclusive || isExclusive {
                conflict(service, port, with: entry.owner, at: bind)
                return
            }
            for chain in chains.chains {
                if entry.chains.contains(where: { $0.match == chain.match }) {
                    // Two detected HTTP services still meet in the routes; only their TCP sides collide.
                    if port.protocol != .auto { conflict(service, port, with: entry.owner, at: bind) }
                } else {
                    entry.chains.append(chain)
                    entry.sources.formUnion(keys)
                }
            }
            entries[bind] = entry
        } else {
            var entry = Entry(bind: bind, bindsToPort: bindsToPort, owner: service)
            entry.chains = chains.chains
            entry.isExclusive = isExclusive
            entry.podAddress = podAddress
            entry.sources = keys
            entries[bind] = entry
        }
        if port.protocol == .auto {
            addHTTP(
                at: bind, service, port, bindsToPort: bindsToPort, podAddress: podAddress, sources: sources)
        }
    }

    private mutating func conflict(
        _ service: Service, _ port: Service.Port, with owner: Service, at bind: BindAddress
    ) {
        let source = service.sources.first
        let field = source?.fieldOfPort(port.number)
        let origin = source?.origin ?? .none
        findings.append(
            Finding(
                .warning, CompilerFinding.listenerConflict,
                "port \(port.number) of \(service.host) gets no listener in \(context.proxyClass.namespace): "
                    + "\(owner.host) is older and has \(bind.listenerName)",
                hint: "give the service an address, or another port",
                at: field.map(origin.location(of:)) ?? origin.location, object: source?.key.description, field: field))
    }

    // MARK: Messages

    func finish() -> OutboundListeners {
        var result = OutboundListeners()
        let logs = AccessLogs(context.snapshot.meshConfig)
        for bind in entries.keys.sorted() {
            guard let entry = entries[bind] else { continue }
            if let routeName = entry.routeName { result.routeNames.append(routeName) }
            if let address = entry.podAddress { result.podAddresses[bind.listenerName] = address }
            result.listeners.append(Compiled(listener(entry, logs: logs), sources: entry.sources))
        }
        result.findings = findings
        return result
    }

    private func listener(_ entry: Entry, logs: AccessLogs) -> Envoy_Config_Listener_V3_Listener {
        let mesh = context.snapshot.meshConfig
        var listener = Envoy_Config_Listener_V3_Listener()
        listener.name = entry.bind.listenerName
        listener.address = entry.bind.message
        listener.trafficDirection = .outbound
        listener.bindToPort.value = entry.bindsToPort
        if let routeName = entry.routeName {
            let http10 = context.proxyClass.http10
            var chain = Envoy_Config_Listener_V3_FilterChain()
            chain.filterChainMatch.transportProtocol = "raw_buffer"
            chain.filterChainMatch.applicationProtocols = ALPN.plaintextHTTP(http10: http10)
            chain.filters = [
                HTTPConnectionManager(
                    place: .outbound, statPrefix: "outbound_\(listener.name);", routes: .rds(routeName),
                    translatesGRPCWeb: entry.translatesGRPCWeb, acceptsHTTP10: http10,
                    dnsCaches: DynamicForwardProxy.cacheNames(Array(entry.dynamicHosts), context)
                        .map { DynamicForwardProxy.cache($0, context) }
                ).filter(mesh: mesh, logs: logs)
            ]
            listener.filterChains.append(chain)
        }
        for chain in entry.chains {
            var message = Envoy_Config_Listener_V3_FilterChain()
            if !chain.match.serverNames.isEmpty { message.filterChainMatch.serverNames = chain.match.serverNames }
            if !chain.match.subnets.isEmpty {
                message.filterChainMatch.prefixRanges = chain.match.subnets.map(\.message)
            }
            message.filters = chain.target.filters(logs: logs, context)
            listener.filterChains.append(message)
        }
        if !listener.filterChains.contains(where: { !$0.hasFilterChainMatch }) {
            var chain = Envoy_Config_Listener_V3_FilterChain()
            chain.name = "PassthroughFilterChain"
            chain.filters = [OutboundListeners.unknownDestination(context).filter(logs: logs)]
            listener.defaultFilterChain = chain
        }
        listener.listenerFilters = ListenerFilters.inspectors(for: listener.filterChains)
        if !listener.listenerFilters.isEmpty {
            // Zero is written: Envoy's own default of 15 s would cut connections of clients that wait for the server.
            listener.listenerFiltersTimeout = Google_Protobuf_Duration(clamping: mesh.protocolDetectionTimeout)
            listener.continueOnListenerFiltersTimeout = true
        }
        return listener
    }
}

extension ConfigObject {
    /// Where a service's source writes the port.
    fileprivate func fieldOfPort(_ number: UInt32) -> String? {
        let index: Int? =
            switch spec {
            case .service(let spec): spec.ports.firstIndex { $0.port == number && $0.transport.uppercased() != "UDP" }
            case .serviceEntry(let spec): spec.ports.firstIndex { $0.number == number }
            default: nil
            }
        return index.map { "spec.ports[\($0)]" }
    }
}
