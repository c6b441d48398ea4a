internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// A destination of a rule as a cluster, with what its DestinationRule adds to the route.
struct RouteTarget {
    let cluster: String
    /// Hash of its DestinationRule, if consistent hashing is on for it.
    let hash: ConsistentHash?
    /// Empty where nothing but the name is known.
    let sources: [ObjectKey]
}

enum RouteDestinations {
    /// A host that is not known gives a cluster name all the same: requests to it are answered with 503.
    static func target(_ destination: Destination, listenerPort: UInt32, _ context: CompileContext) -> RouteTarget {
        var host = HostName(destination.host)
        var service = context.scope.service(host)
        if let found = service, case .alias(let other) = found.resolution {
            host = other
            service = context.scope.service(other)
        }
        var port = destination.port ?? listenerPort
        if destination.port == nil, let service, service.ports.count == 1 { port = service.ports[0].number }
        let cluster = ClusterName.outbound(port: port, subset: destination.subset, host: host)
        guard let service, let rule = context.scope.destinationRule(for: service) else {
            return RouteTarget(cluster: cluster, hash: nil, sources: [])
        }
        let policy = TrafficPolicyMerge.effective(rule, subset: destination.subset, port: port)
        guard let hash = policy.loadBalancer?.consistentHash else {
            return RouteTarget(cluster: cluster, hash: nil, sources: [])
        }
        return RouteTarget(cluster: cluster, hash: hash, sources: rule.objects.map(\.key))
    }
}
