internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// Encoded clusters and endpoint assignments of single services, shared by all classes for which they are equal.
///
/// The key holds everything of the context that `OutboundClusters` and `Endpoints` look at; services and rules count
/// by identity, which the entries keep alive.
struct ServiceCache: Sendable {
    private struct Key: Hashable, Sendable {
        let service: ObjectIdentifier
        let rule: ObjectIdentifier?
        let endpoints: ContentVersion
        /// nil: all of the service's; else those that a Sidecar lets in.
        let ports: [UInt32]?
        let isRouter: Bool
        /// Also what connections are routed to by their SNI, where one of these hosts is the service's.
        let sniHosts: [HostName]
        let isProxyless: Bool
        let hasIPv4: Bool
        let hasIPv6: Bool
        let locality: Locality
        let nodeName: String
        let network: String
        let labels: [String: String]
        let hasIdentity: Bool
        let peers: ObjectIdentifier
        /// Names that servers may show, where a cluster lists them.
        let accounts: [String]
    }

    private struct Entry: Sendable {
        let resources: [EncodedResource]
        let service: Service
        let rule: ResolvedDestinationRule?
        let peers: PeerAuthenticationIndex
        var lastUsed: UInt64
    }

    private var endpoints: [Key: Entry] = [:]
    private var clusters: [Key: Entry] = [:]
    private var generation: UInt64 = 0

    /// The assignments of all EDS clusters of a service.
    mutating func endpoints(of service: Service, _ context: CompileContext) -> [EncodedResource] {
        let rule = context.scope.destinationRule(for: service)
        let key = Self.key(service, rule, context.snapshot.endpoints(of: service).version, context)
        if let known = endpoints[key] {
            endpoints[key]?.lastUsed = generation
            return known.resources
        }
        var resources = Endpoints.clusterNames(of: service.id, context).compactMap { name in
            Endpoints.assignment(clusterName: name, context)
                .map { Encoding.resource($0, name: name, type: .endpoints) }
        }
        resources += SNIRouting.assignments(of: service, key.sniHosts, context).map {
            Encoding.resource($0, name: $0.message.clusterName, type: .endpoints)
        }
        endpoints[key] = Entry(
            resources: resources, service: service, rule: rule, peers: context.snapshot.peerAuthentications,
            lastUsed: generation)
        return resources
    }

    /// The clusters of a service.
    mutating func clusters(of service: Service, _ context: CompileContext) -> [EncodedResource] {
        let rule = context.scope.destinationRule(for: service)
        let version =
            service.hasInlineEndpoints ? context.snapshot.endpoints(of: service).version : ContentVersion(0)
        let key = Self.key(service, rule, version, context)
        if let known = clusters[key] {
            clusters[key]?.lastUsed = generation
            return known.resources
        }
        let sniRouted = SNIRouting.clusters(of: service, key.sniHosts, context)
        let resources = (OutboundClusters.clusters(of: service, context) + sniRouted).map {
            Encoding.resource($0, name: $0.message.name, type: .cluster)
        }
        clusters[key] = Entry(
            resources: resources, service: service, rule: rule, peers: context.snapshot.peerAuthentications,
            lastUsed: generation)
        return resources
    }

    private static func key(
        _ service: Service, _ rule: ResolvedDestinationRule?, _ version: ContentVersion, _ context: CompileContext
    ) -> Key {
        let proxyClass = context.proxyClass
        // Labels of the client count only for `failoverPriority`, which a rule or the mesh must ask for.
        let asksForLabels =
            rule != nil || !context.snapshot.meshConfig.localityLbSetting.failoverPriority.isEmpty
            || context.snapshot.meshConfig.zoneAwareLbSetting?.failoverPriority.isEmpty == false
            || !service.trafficDistribution.isEmpty
        let imported = service.ports.map(\.number).filter { context.scope.imports(service, port: $0) }
        return Key(
            service: ObjectIdentifier(service), rule: rule.map { ObjectIdentifier($0) }, endpoints: version,
            ports: imported.count == service.ports.count ? nil : imported,
            isRouter: context.isRouter,
            sniHosts: context.sniHosts.filter { service.host.isSubset(of: $0) }, isProxyless: context.isProxyless,
            hasIPv4: proxyClass.hasIPv4, hasIPv6: proxyClass.hasIPv6,
            locality: proxyClass.locality, nodeName: proxyClass.nodeName, network: proxyClass.network,
            labels: asksForLabels ? proxyClass.labels : [:], hasIdentity: proxyClass.hasIdentity,
            peers: ObjectIdentifier(context.snapshot.peerAuthentications),
            accounts: proxyClass.hasIdentity && !service.isMeshExternal
                ? context.snapshot.endpoints(of: service).accounts : [])
    }

    /// Mesh settings may shape every resource.
    mutating func removeAll() {
        endpoints = [:]
        clusters = [:]
    }

    /// Forgets what has not been asked for during `unused` generations. Sets in use keep their resources anyway; an
    /// entry is only worth keeping for classes that have yet to be compiled.
    mutating func advance(unused: UInt64) {
        generation += 1
        guard generation.isMultiple(of: unused) else { return }
        let oldest = generation - unused
        endpoints = endpoints.filter { $0.value.lastUsed >= oldest }
        clusters = clusters.filter { $0.value.lastUsed >= oldest }
    }
}

extension Service {
    /// The cluster itself lists the endpoints: STRICT_DNS and LOGICAL_DNS.
    var hasInlineEndpoints: Bool {
        switch resolution {
        case .dnsLB, .dnsRoundRobin, .dynamicDNS, .alias: true
        case .clientSideLB, .passthrough: false
        }
    }
}
