internal import ApusAPI
internal import ApusCore
package import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Endpoint assignments of EDS clusters (semantics 3.8). One service's endpoints are compiled without the others.
package enum Endpoints {
    /// nil if `clusterName` is no EDS cluster of a service that the class sees.
    package static func assignment(
        clusterName: String, _ context: CompileContext
    ) -> Compiled<XDS.ClusterLoadAssignment>? {
        guard let parts = ClusterName.outboundParts(of: clusterName),
            let service = context.scope.service(parts.host), let port = service.port(parts.port),
            context.scope.imports(service, port: parts.port)
        else { return nil }
        let rule = context.scope.destinationRule(for: service)
        guard parts.subset.isEmpty || rule?.subsets.contains(where: { $0.name == parts.subset }) == true else {
            return nil
        }
        let target = ClusterTarget(service: service, port: port, subset: parts.subset, rule: rule)
        guard target.discovery(context) == .eds else { return nil }
        var assignment = placeholder(clusterName: target.name)
        assignment.endpoints = localities(target, context, onlyAddresses: true)
        return Compiled(assignment, sources: service.sources.map(\.key) + (rule?.objects.map(\.key) ?? []))
    }

    /// What a gateway's SNI-routed cluster leads to: endpoints that end the mesh's mutual TLS themselves.
    static func mutualTLSAssignment(_ target: ClusterTarget, _ context: CompileContext) -> XDS.ClusterLoadAssignment {
        var assignment = placeholder(clusterName: target.serverName)
        assignment.endpoints = localities(target, context, onlyAddresses: true, onlyMutualTLS: true)
        return assignment
    }

    /// The EDS clusters whose endpoints come from the service; empty if the class does not see it. Sorted.
    package static func clusterNames(of service: Service.ID, _ context: CompileContext) -> [String] {
        guard let visible = context.scope.service(service.host), visible.namespace == service.namespace else {
            return []
        }
        let rule = context.scope.destinationRule(for: visible)
        var names: [String] = []
        for port in visible.ports where port.protocol != .udp && context.scope.imports(visible, port: port.number) {
            for subset in [""] + (rule?.subsets.map(\.name) ?? []) {
                let target = ClusterTarget(service: visible, port: port, subset: subset, rule: rule)
                if target.discovery(context) == .eds { names.append(target.name) }
            }
        }
        return names.sorted()
    }

    /// What answers a name that cannot be built, so that the client's warming ends.
    package static func placeholder(clusterName: String) -> XDS.ClusterLoadAssignment {
        var assignment = XDS.ClusterLoadAssignment()
        assignment.clusterName = clusterName
        return assignment
    }

    /// Endpoints that a DNS cluster carries itself; nil if there is nothing to resolve.
    static func inlineAssignment(_ target: ClusterTarget, _ context: CompileContext) -> XDS.ClusterLoadAssignment? {
        var groups = localities(target, context, onlyAddresses: false)
        guard !groups.isEmpty else { return nil }
        if case .dnsRoundRobin = target.service.resolution {
            // LOGICAL_DNS must have exactly one endpoint.
            groups = [groups[0]]
            groups[0].lbEndpoints = [groups[0].lbEndpoints[0]]
        }
        var assignment = placeholder(clusterName: target.name)
        assignment.endpoints = groups
        return assignment
    }

    private static func localities(
        _ target: ClusterTarget, _ context: CompileContext, onlyAddresses: Bool, onlyMutualTLS: Bool = false
    ) -> [XDS.LocalityLbEndpoints] {
        let service = target.service
        let all = context.snapshot.endpoints(of: service).byPort[target.port.number] ?? []
        let labels = target.labels
        // The rule wants a share of healthy endpoints before it panics; Envoy counts only what it was sent.
        let hidesUnhealthy = (target.policy.outlierDetection?.minHealthPercent ?? 0) > 0
        var chosen = all.filter { endpoint in
            if endpoint.health == .draining || endpoint.health == .unhealthy && hidesUnhealthy { return false }
            if onlyMutualTLS,
                !(endpoint.acceptsMutualTLS && context.snapshot.peerAuthentications.takesMutualTLS(endpoint))
            {
                return false
            }
            if service.internalTrafficLocal, !context.isRouter, endpoint.nodeName != context.proxyClass.nodeName {
                return false
            }
            // Envoy refuses the whole assignment for one address that it would have to resolve, or, in a DNS cluster,
            // for one that it could not.
            let isSocket = endpoint.address.hasPrefix("unix://")
            if onlyAddresses ? !isSocket && IPAddress(endpoint.address) == nil : isSocket { return false }
            return labels.isEmpty || labels.selects(endpoint.labels)
        }
        limitWeights(&chosen)
        let balance = LocalityBalance(target, context)
        return LocalityPriority.groups(of: chosen, balance: balance, client: context.proxyClass).map { group in
            var message = XDS.LocalityLbEndpoints()
            message.locality = .with {
                $0.region = group.locality.region
                $0.zone = group.locality.zone
                $0.subZone = group.locality.subzone
            }
            message.lbEndpoints = group.endpoints.map { endpoint($0, isMember: target.takesMutualTLS($0, context)) }
            message.loadBalancingWeight = Google_Protobuf_UInt32Value(max(1, group.weight))
            message.priority = group.priority
            return message
        }
    }

    /// Envoy wants the sum of all weights to fit into 32 bits.
    private static func limitWeights(_ endpoints: inout [Endpoint]) {
        let total = endpoints.reduce(UInt64(0)) { $0 &+ UInt64(max(1, $1.weight)) }
        guard total > UInt64(UInt32.max) else { return }
        // The rounding up of each to 1 must fit too.
        let divisor = UInt32(clamping: total / UInt64(UInt32.max / 2) + 1)
        for index in endpoints.indices { endpoints[index].weight = max(1, endpoints[index].weight / divisor) }
    }

    private static func endpoint(_ endpoint: Endpoint, isMember: Bool) -> XDS.LbEndpoint {
        var message = XDS.LbEndpoint()
        message.endpoint.address = XDS.Address(endpoint.address, port: endpoint.port)
        message.loadBalancingWeight = Google_Protobuf_UInt32Value(max(1, endpoint.weight))
        if endpoint.health == .unhealthy { message.healthStatus = .unhealthy }
        var metadata = XDS.Metadata()
        if !endpoint.workloadName.isEmpty {
            metadata = IstioMetadata.metadata(["workload": IstioMetadata.string(workload(endpoint))])
        }
        if isMember {
            metadata.filterMetadata["envoy.transport_socket_match"] = .with {
                $0.fields = ["tlsMode": IstioMetadata.string("istio")]
            }
        }
        if !metadata.filterMetadata.isEmpty { message.metadata = metadata }
        return message
    }

    /// `name;namespace;canonical name;canonical revision;cluster`, which telemetry reads.
    private static func workload(_ endpoint: Endpoint) -> String {
        let labels = endpoint.labels
        let name = labels["service.istio.io/workload-name"] ?? endpoint.workloadName
        let canonical =
            labels["service.istio.io/canonical-name"] ?? labels["app.kubernetes.io/name"] ?? labels["app"] ?? name
        let revision =
            labels["service.istio.io/canonical-revision"] ?? labels["app.kubernetes.io/version"] ?? labels["version"]
            ?? "latest"
        return "\(name);\(endpoint.namespace);\(canonical);\(revision);Kubernetes"
    }
}
