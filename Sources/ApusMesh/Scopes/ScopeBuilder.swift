internal import ApusCore
internal import ApusModel

/// What a scope depends on: of a class only its role, namespace and labels.
struct ScopeKey: Hashable, Sendable {
    let role: Proxy.Role
    let namespace: String
    let labels: [String: String]

    init(_ proxyClass: ProxyClass) {
        role = proxyClass.role
        namespace = proxyClass.namespace
        labels = proxyClass.labels
    }
}

/// Computes scopes from the indexes of one snapshot.
struct ScopeBuilder: Sendable {
    let services: ServiceIndex
    let virtualServices: VirtualServiceIndex
    let destinationRules: DestinationRuleIndex
    let sidecars: SidecarIndex
    let meshPolicy: OutboundTrafficPolicy
    let rootNamespace: String
    let domain: String

    func scope(of key: ScopeKey) -> ProxyScope {
        let sidecar = key.role == .sidecar ? sidecars.sidecar(namespace: key.namespace, labels: key.labels) : nil
        if let sidecar, case .sidecar(let spec) = sidecar.spec {
            return limited(key, sidecar, spec)
        }
        let best = bestPerHost(services.services.filter { $0.exportTo.includes(key.namespace) }, key.namespace)
        let bound = key.role == .sidecar ? visibleVirtualServices(key.namespace) : []
        return make(
            key, services: best, ports: nil,
            egress: [EgressScope(services: best, virtualServices: bound)], virtualServices: bound, sidecar: nil)
    }

    private func make(
        _ key: ScopeKey, services: [Service], ports: [Service.ID: Set<UInt32>]?, egress: [EgressScope],
        virtualServices bound: [ResolvedVirtualService], sidecar: ConfigObject?
    ) -> ProxyScope {
        var policy = meshPolicy
        if let sidecar, case .sidecar(let spec) = sidecar.spec, let own = spec.outboundTrafficPolicy {
            policy = own
            let names = NameExpansion(namespace: sidecar.metadata.namespace, domain: domain)
            policy.egressProxy = own.egressProxy.map(names.destination)
        }
        return ProxyScope(
            services: services, importedPorts: ports, egressListeners: egress, virtualServices: bound,
            outboundPolicy: policy, sidecar: sidecar,
            rules: ProxyScope.Rules(
                virtualServices: virtualServices, destinationRules: destinationRules, namespace: key.namespace,
                labels: key.labels, rootNamespace: rootNamespace))
    }

    private func visibleVirtualServices(_ namespace: String) -> [ResolvedVirtualService] {
        virtualServices.mesh.filter { $0.exportTo.includes(namespace) }
    }

    /// One service for each host, the order kept.
    private func bestPerHost(_ candidates: [Service], _ namespace: String) -> [Service] {
        if services.byHost.count == services.services.count { return candidates }
        var best: [HostName: Service] = [:]
        best.reserveCapacity(candidates.count)
        for service in candidates {
            if let other = best[service.host], !Service.isBetter(service, than: other, for: namespace) { continue }
            best[service.host] = service
        }
        return best.count == candidates.count ? candidates : candidates.filter { best[$0.host] === $0 }
    }

    // MARK: Sidecar

    /// Services that a Sidecar lets in, with the ports it lets them in for; nil means every port.
    private struct Imports {
        private(set) var services: [HostName: Service] = [:]
        private(set) var ports: [Service.ID: Set<UInt32>?] = [:]

        /// The first listener that brings a host decides which namespace's service it is.
        mutating func add(_ service: Service, port: UInt32?) {
            if let known = services[service.host], known !== service { return }
            let isNew = services.updateValue(service, forKey: service.host) == nil
            guard let port else {
                ports[service.id] = .some(nil)
                return
            }
            if isNew {
                ports[service.id] = [port]
            } else if let some = ports[service.id] ?? nil {
                ports[service.id] = some.union([port])
            }
        }
    }

    private func limited(_ key: ScopeKey, _ object: ConfigObject, _ spec: Sidecar) -> ProxyScope {
        let namespace = key.namespace
        let visible = services.services.filter { $0.exportTo.includes(namespace) }
        let bound = visibleVirtualServices(namespace)
        // Without egress everything visible can be called.
        var everything = Sidecar.Egress()
        everything.hosts = ["*/*"]
        let listeners = spec.egress.isEmpty ? [everything] : spec.egress

        var imports = Imports()
        var egress: [EgressScope] = []
        var imported: Set<ObjectIdentifier> = []
        for (index, listener) in listeners.enumerated() {
            let hosts = EgressHosts(listener.hosts, namespace: namespace)
            let port = listener.port.flatMap { $0.number == 0 ? nil : $0.number }
            let candidates = visible.filter { service in
                hosts.imports(service) && (port.map { service.port($0) != nil } ?? true)
            }
            let chosen = bestPerHost(candidates, namespace)
            for service in chosen { imports.add(service, port: port) }
            let ofListener = bound.filter(hosts.imports)
            for virtualService in ofListener { imported.insert(ObjectIdentifier(virtualService)) }
            egress.append(
                EgressScope(
                    port: listener.port, bind: listener.bind, captureMode: listener.captureMode, services: chosen,
                    virtualServices: ofListener, index: index))
        }
        let all = bound.filter { imported.contains(ObjectIdentifier($0)) }
        for virtualService in all {
            for destination in virtualService.spec.destinations {
                guard let target = bestVisible(HostName(destination.host), namespace) else { continue }
                if let port = destination.port {
                    if target.port(port) != nil { imports.add(target, port: port) }
                } else {
                    imports.add(target, port: nil)
                }
            }
        }
        let chosen = imports.services.values.sorted(by: Service.isOlder)
        return make(
            key, services: chosen, ports: imports.ports.compactMapValues { $0 }, egress: egress,
            virtualServices: all, sidecar: object)
    }

    private func bestVisible(_ host: HostName, _ namespace: String) -> Service? {
        (services.byHost[host] ?? []).filter { $0.exportTo.includes(namespace) }
            .min { Service.isBetter($0, than: $1, for: namespace) }
    }
}
