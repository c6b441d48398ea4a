internal import ApusCore
internal import ApusMesh
internal import ApusModel

extension TCPTarget {
    /// The destinations of a `tls` or `tcp` rule; nil if it has none.
    ///
    /// Weights of zero are left out unless nothing else is there. A destination without a port means the service's only
    /// port, else the listener's.
    static func make(
        _ routes: [RouteDestination], listenerPort: UInt32, virtualService: NamespacedName, context: CompileContext
    ) -> TCPTarget? {
        let weighted = routes.filter { $0.weight > 0 }
        let used = weighted.isEmpty ? Array(routes.prefix(1)) : weighted
        guard let first = used.first else { return nil }
        let targets = used.map { route in
            let host = HostName(route.destination.host)
            let service = context.scope.service(host)
            var port = route.destination.port ?? listenerPort
            if route.destination.port == nil, let service, service.ports.count == 1 { port = service.ports[0].number }
            return (
                service: service, port: port, subset: route.destination.subset,
                cluster: ClusterName.outbound(port: port, subset: route.destination.subset, host: host),
                weight: UInt32(clamping: route.weight)
            )
        }
        let head = targets[0]
        var result = make(
            cluster: head.cluster, service: head.service, port: head.port, subset: first.destination.subset,
            context: context)
        if targets.count > 1 {
            result.clusters = targets.map { Weighted(cluster: $0.cluster, weight: $0.weight) }
            result.statPrefix = "\(virtualService.name).\(virtualService.namespace)"
            // The filter that resolves names knows one port.
            result.dynamicHost = nil
            for target in targets.dropFirst() where result.tunnel != nil {
                let other = make(
                    cluster: target.cluster, service: target.service, port: target.port, subset: target.subset,
                    context: context)
                if other.tunnel != result.tunnel { result.tunnel = nil }
                result.sources.formUnion(other.sources)
            }
        }
        return result
    }

    /// One cluster, with what its DestinationRule says about TCP connections.
    static func make(
        cluster: String, service: Service?, port: UInt32, subset: String, context: CompileContext
    ) -> TCPTarget {
        var result = TCPTarget.single(cluster)
        if let service, let servicePort = service.port(port), DynamicForwardProxy.serves(service, servicePort, context)
        {
            result.dynamicHost = Destination(host: service.host.text, port: port)
        }
        guard let service, let rule = context.scope.destinationRule(for: service) else { return result }
        let policy = TrafficPolicyMerge.effective(rule, subset: subset, port: port)
        result.idleTimeout = policy.connectionPool?.tcp?.idleTimeout
        result.tunnel = policy.tunnel
        result.sources = Set(rule.objects.map(\.key))
        result.maxConnectionDuration = policy.connectionPool?.tcp?.maxConnectionDuration
        if case .useSourceIp(true)? = policy.loadBalancer?.consistentHash?.key { result.hashesSourceIP = true }
        return result
    }
}
