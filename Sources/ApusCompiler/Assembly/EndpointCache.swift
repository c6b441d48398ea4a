internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// Encoded endpoint assignments, shared by all classes for which they are equal.
///
/// The key holds everything of the context that `Endpoints.assignment` may look at; services and rules count by
/// identity, which the entries keep alive.
struct EndpointCache: Sendable {
    private struct Key: Hashable, Sendable {
        let name: String
        let service: ObjectIdentifier
        let rule: ObjectIdentifier?
        let endpoints: ContentVersion
        let isRouter: Bool
        let isProxyless: Bool
        let hasIPv4: Bool
        let hasIPv6: Bool
        let locality: Locality
        let nodeName: String
        let network: String
        let labels: [String: String]
    }

    private struct Entry: Sendable {
        let resource: EncodedResource
        let service: Service
        let rule: ResolvedDestinationRule?
        var lastUsed: UInt64
    }

    private var entries: [Key: Entry] = [:]
    private var generation: UInt64 = 0

    /// The assignments of all EDS clusters of a service.
    mutating func resources(of service: Service, _ context: CompileContext) -> [EncodedResource] {
        let rule = context.scope.destinationRule(for: service)
        let version = context.snapshot.endpoints(of: service).version
        let proxyClass = context.proxyClass
        // Labels of the client count only for `failoverPriority`, which a rule or the mesh must ask for.
        let asksForLabels =
            rule != nil || !context.snapshot.meshConfig.localityLbSetting.failoverPriority.isEmpty
            || !service.trafficDistribution.isEmpty
        return Endpoints.clusterNames(of: service.id, context).compactMap { name in
            let key = Key(
                name: name, service: ObjectIdentifier(service), rule: rule.map { ObjectIdentifier($0) },
                endpoints: version, isRouter: context.isRouter, isProxyless: context.isProxyless,
                hasIPv4: proxyClass.hasIPv4, hasIPv6: proxyClass.hasIPv6,
                locality: proxyClass.locality, nodeName: proxyClass.nodeName, network: proxyClass.network,
                labels: asksForLabels ? proxyClass.labels : [:])
            if var entry = entries[key] {
                entry.lastUsed = generation
                entries[key] = entry
                return entry.resource
            }
            guard let assignment = Endpoints.assignment(clusterName: name, context) else { return nil }
            let resource = Encoding.resource(assignment, name: name, type: .endpoints)
            entries[key] = Entry(resource: resource, service: service, rule: rule, lastUsed: generation)
            return resource
        }
    }

    /// Mesh settings may shape every assignment.
    mutating func removeAll() { entries = [:] }

    /// Forgets what has not been asked for during `unused` generations. Sets in use keep their resources anyway; an
    /// entry is only worth keeping for classes that have yet to be compiled.
    mutating func advance(unused: UInt64) {
        generation += 1
        guard generation.isMultiple(of: unused) else { return }
        entries = entries.filter { $0.value.lastUsed + unused >= generation }
    }
}
