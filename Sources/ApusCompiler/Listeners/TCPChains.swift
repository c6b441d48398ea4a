internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// TCP filter chains of one service port: the `tls` and `tcp` rules of its VirtualServices, else the service itself.
struct TCPChains {
    struct Result {
        var chains: [OutboundTable.Chain] = []
        var sources: Set<ObjectKey> = []
    }

    let context: CompileContext
    let service: Service
    let port: Service.Port
    let egress: EgressScope

    /// - Parameters:
    ///   - subnets: The service's address ranges, if its listener stands on the wildcard address.
    ///   - matchesServerName: Nothing but the SNI tells the service from others on this listener.
    func make(subnets: [CIDR], matchesServerName: Bool) -> Result {
        let mine = egress.virtualServices(for: service.host)
        return port.protocol.isTLS
            ? tls(mine, subnets: subnets, matchesServerName: matchesServerName) : tcp(mine, subnets: subnets)
    }

    private func tls(
        _ virtualServices: [ResolvedVirtualService], subnets: [CIDR], matchesServerName: Bool
    ) -> Result {
        var result = Result()
        var seen: Set<OutboundTable.Chain.Match> = []
        for virtualService in virtualServices {
            for rule in virtualService.spec.tls {
                for match in rule.match where applies(match) {
                    let own = match.destinationSubnets.compactMap { CIDR($0) }
                    let key = OutboundTable.Chain.Match(
                        serverNames: Self.serverNames(match.sniHosts), subnets: own.isEmpty ? subnets : own)
                    guard seen.insert(key).inserted else { continue }
                    guard let target = target(rule.route, of: virtualService) else { continue }
                    result.chains.append(.init(match: key, target: target))
                    result.sources.insert(virtualService.object.key)
                    result.sources.formUnion(target.sources)
                }
            }
        }
        if result.chains.isEmpty {
            var names: [String] = []
            if matchesServerName { names = Self.serverNames(([service.host] + service.aliases).map(\.text)) }
            result.chains = [.init(match: .init(serverNames: names, subnets: subnets), target: plainTarget)]
            result.sources = plainSources
        }
        return result
    }

    private func tcp(_ virtualServices: [ResolvedVirtualService], subnets: [CIDR]) -> Result {
        var result = Result()
        for virtualService in virtualServices {
            for rule in virtualService.spec.tcp {
                guard let target = target(rule.route, of: virtualService) else { continue }
                let matching = rule.match.filter(applies)
                if !rule.match.isEmpty, matching.isEmpty { continue }
                result.sources.insert(virtualService.object.key)
                result.sources.formUnion(target.sources)
                // Every address: no later rule can be reached.
                if matching.isEmpty || matching.contains(where: { $0.destinationSubnets.isEmpty }) {
                    result.chains.append(.init(match: .init(subnets: subnets), target: target))
                    return result
                }
                let own = matching.flatMap { $0.destinationSubnets.compactMap { CIDR($0) } }
                guard !own.isEmpty else { continue }
                if own == subnets {
                    result.chains.append(.init(match: .init(subnets: own), target: target))
                    return result
                }
                result.chains.append(.init(match: .init(subnets: own), target: target))
            }
        }
        result.chains.append(.init(match: .init(subnets: subnets), target: plainTarget))
        result.sources.formUnion(plainSources)
        return result
    }

    /// `*` asks for nothing; Envoy knows no other wildcard than a leading `*.`.
    static func serverNames(_ hosts: [String]) -> [String] {
        let names = Set(hosts.map { $0.lowercased() })
        if names.contains("*") { return [] }
        return names.filter { !$0.hasPrefix("*") || $0.hasPrefix("*.") }.sorted()
    }

    private func applies(_ match: TLSMatch) -> Bool {
        applies(
            port: match.port, labels: match.sourceLabels, namespace: match.sourceNamespace, gateways: match.gateways)
    }

    private func applies(_ match: L4Match) -> Bool {
        applies(
            port: match.port, labels: match.sourceLabels, namespace: match.sourceNamespace, gateways: match.gateways)
    }

    private func applies(port: UInt32?, labels: [String: String], namespace: String, gateways: [String]) -> Bool {
        (port == nil || port == self.port.number) && (gateways.isEmpty || gateways.contains("mesh"))
            && LabelSelector(labels).selects(context.proxyClass.labels)
            && (namespace.isEmpty || namespace == context.proxyClass.namespace)
    }

    private func target(_ routes: [RouteDestination], of virtualService: ResolvedVirtualService) -> TCPTarget? {
        TCPTarget.make(
            routes, listenerPort: port.number, virtualService: virtualService.object.metadata.namespacedName,
            context: context)
    }

    /// A listener of a Sidecar may have a port that the service does not have; then only a single port can be meant.
    private var plainTarget: TCPTarget {
        let number =
            service.port(port.number) == nil && service.ports.count == 1 ? service.ports[0].number : port.number
        return TCPTarget.make(
            cluster: ClusterName.outbound(port: number, subset: "", host: service.host), service: service,
            port: number, subset: "", context: context)
    }

    private var plainSources: Set<ObjectKey> {
        Set(context.scope.destinationRule(for: service)?.objects.map(\.key) ?? [])
    }
}
