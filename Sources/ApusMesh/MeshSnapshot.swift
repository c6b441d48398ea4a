package import ApusCore
package import ApusModel

/// All objects of a mesh, indexed, with every rule of precedence, merging and visibility applied. Immutable.
///
/// `make` builds one from nothing, `updated` makes the next one from an edit. Parts that an edit does not touch are
/// shared between the two, down to the single `Service`, `EndpointSet` and resolved rule. An object that moved within
/// its file without a change of content touches nothing but the answer of `object(_:)` and the lines of findings.
package final class MeshSnapshot: Sendable {
    package let meshConfig: MeshConfig
    /// The cluster's DNS domain, `cluster.local`.
    package let domain: String
    /// What merging dropped, in the order of files and lines.
    package let findings: [Finding]

    let table: ObjectTable
    let serviceIndex: ServiceIndex
    let workloads: WorkloadIndex
    let endpointIndex: EndpointIndex
    let virtualServices: VirtualServiceIndex
    let destinationRules: DestinationRuleIndex
    /// One instance while no PeerAuthentication changes.
    package let peerAuthentications: PeerAuthenticationIndex
    let authorizationPolicies: WorkloadPolicyIndex
    let requestAuthentications: WorkloadPolicyIndex
    let relevantLabels: RelevantLabels
    let scopes: ScopeCache

    /// A mesh without objects.
    private init(meshConfig: MeshConfig, domain: String) {
        self.meshConfig = meshConfig
        self.domain = domain
        findings = []
        table = ObjectTable()
        serviceIndex = .empty
        workloads = WorkloadIndex()
        endpointIndex = EndpointIndex()
        virtualServices = .empty
        destinationRules = .empty
        peerAuthentications = .empty
        authorizationPolicies = .empty
        requestAuthentications = .empty
        relevantLabels = RelevantLabels(table, destinationRules: .empty, meshConfig: meshConfig)
        scopes = ScopeCache(
            builder: ScopeBuilder(
                services: .empty, virtualServices: .empty, destinationRules: .empty,
                sidecars: SidecarIndex(table, rootNamespace: meshConfig.rootNamespace),
                meshPolicy: meshConfig.outboundTrafficPolicy, rootNamespace: meshConfig.rootNamespace,
                domain: domain),
            older: nil)
    }

    /// The snapshot after `base` with `edits` already in `table`.
    ///
    /// - Parameter donor: where instances may be taken from; its settings decide the same results.
    private init(
        base: MeshSnapshot, table: ObjectTable, edits: [ObjectTable.Edit], donor: MeshSnapshot
    ) {
        meshConfig = base.meshConfig
        domain = base.domain
        self.table = table
        let config = base.meshConfig
        // An object that only moved within its file is in the table, and nothing else depends on places.
        let edits = edits.filter(\.changesContent)
        let kinds = Set(edits.map(\.key.kind))
        let maySeed = donor.resolvesLike(base)

        if kinds.isDisjoint(with: [.service, .serviceEntry]) {
            serviceIndex = base.serviceIndex
        } else {
            serviceIndex = ServiceIndex(
                objects: table.ordered(.service).all + table.ordered(.serviceEntry).all,
                conversion: ServiceConversion(domain: domain, defaultExportTo: config.defaultServiceExportTo),
                reusing: maySeed ? donor.serviceIndex : nil)
        }

        var workloads = base.workloads
        let workloadEdits = workloads.apply(edits, table: table, rootNamespace: config.rootNamespace)
        self.workloads = workloads

        let maker = WorkloadMaker(table: table, rootNamespace: config.rootNamespace)
        let oldMaker = WorkloadMaker(table: base.table, rootNamespace: config.rootNamespace)
        var endpointIndex = base.endpointIndex
        endpointIndex.apply(
            edits, workloadEdits: workloadEdits, table: table, workloads: workloads, maker: maker,
            services: serviceIndex, oldServices: base.serviceIndex,
            networkChanged: maker.rootNetwork != oldMaker.rootNetwork, reusing: donor.endpointIndex)
        self.endpointIndex = endpointIndex

        if kinds.contains(.virtualService) {
            virtualServices = VirtualServiceIndex(
                objects: table.ordered(.virtualService).all,
                resolution: VirtualServiceResolution(
                    domain: domain, defaultExportTo: config.defaultVirtualServiceExportTo, table: table),
                reusing: maySeed ? donor.virtualServices : nil)
        } else {
            virtualServices = base.virtualServices
        }
        if kinds.contains(.destinationRule) {
            destinationRules = DestinationRuleIndex(
                objects: table.ordered(.destinationRule).all, domain: domain,
                defaultExportTo: config.defaultDestinationRuleExportTo,
                reusing: maySeed ? donor.destinationRules : nil)
        } else {
            destinationRules = base.destinationRules
        }
        peerAuthentications =
            kinds.contains(.peerAuthentication)
            ? PeerAuthenticationIndex(
                table.ordered(.peerAuthentication).all, rootNamespace: config.rootNamespace)
            : base.peerAuthentications
        authorizationPolicies =
            kinds.contains(.authorizationPolicy)
            ? WorkloadPolicyIndex(
                table.ordered(.authorizationPolicy).all, rootNamespace: config.rootNamespace)
            : base.authorizationPolicies
        requestAuthentications =
            kinds.contains(.requestAuthentication)
            ? WorkloadPolicyIndex(
                table.ordered(.requestAuthentication).all, rootNamespace: config.rootNamespace)
            : base.requestAuthentications
        relevantLabels =
            kinds.isDisjoint(with: RelevantLabels.kinds)
            ? base.relevantLabels
            : RelevantLabels(table, destinationRules: destinationRules, meshConfig: config)

        if serviceIndex === base.serviceIndex, virtualServices === base.virtualServices,
            destinationRules === base.destinationRules, !kinds.contains(.sidecar)
        {
            scopes = base.scopes
        } else {
            scopes = ScopeCache(
                builder: ScopeBuilder(
                    services: serviceIndex, virtualServices: virtualServices, destinationRules: destinationRules,
                    sidecars: SidecarIndex(table, rootNamespace: config.rootNamespace),
                    meshPolicy: config.outboundTrafficPolicy, rootNamespace: config.rootNamespace, domain: domain),
                older: donor.scopes)
        }
        findings =
            (serviceIndex.findings + endpointIndex.findings() + virtualServices.findings
            + destinationRules.findings).map { $0.placed(by: table) }.sorted(by: Finding.isBefore)
    }

    /// Services and rules of equal objects are equal under both settings.
    private func resolvesLike(_ other: MeshSnapshot) -> Bool {
        domain == other.domain
            && meshConfig.defaultServiceExportTo == other.meshConfig.defaultServiceExportTo
            && meshConfig.defaultVirtualServiceExportTo == other.meshConfig.defaultVirtualServiceExportTo
            && meshConfig.defaultDestinationRuleExportTo == other.meshConfig.defaultDestinationRuleExportTo
    }

    /// Builds a snapshot; instances of `previous` whose sources are unchanged are used again. Of two objects with one
    /// key the last stands.
    package static func make(
        objects: [ConfigObject], meshConfig: MeshConfig = MeshConfig(), domain: String = "cluster.local",
        previous: MeshSnapshot? = nil
    ) -> MeshSnapshot {
        if let previous, previous.meshConfig == meshConfig, previous.domain == domain {
            let wanted = Set(objects.map(\.key))
            return previous.updated(
                changed: objects, removed: previous.table.keys().filter { !wanted.contains($0) })
        }
        let empty = MeshSnapshot(meshConfig: meshConfig, domain: domain)
        var table = ObjectTable()
        let edits = table.apply(changed: objects, removed: [])
        return MeshSnapshot(base: empty, table: table, edits: edits, donor: previous ?? empty)
    }

    /// The snapshot after an edit; the cost follows the edit, not the mesh. Equal to `make` of the edited objects.
    /// Objects that are the same instances as before, and keys that do not exist, are no edit; without any edit the
    /// result is `self`.
    package func updated(changed: [ConfigObject], removed: [ObjectKey] = []) -> MeshSnapshot {
        var table = table
        let edits = table.apply(changed: changed, removed: removed)
        return edits.isEmpty ? self : MeshSnapshot(base: self, table: table, edits: edits, donor: self)
    }

    // MARK: Objects

    package func object(_ key: ObjectKey) -> ConfigObject? { table[key] }

    /// Oldest first. For pods, slices and WorkloadEntries the order is computed at each call.
    package func objects(of kind: Kind) -> [ConfigObject] { table.ordered(kind).all }

    /// Oldest first.
    package func objects(of kind: Kind, namespace: String) -> [ConfigObject] {
        table.ordered(kind).byNamespace[namespace] ?? []
    }

    // MARK: Services

    /// Oldest first.
    package var services: [Service] { serviceIndex.services }

    package func service(host: HostName, namespace: String) -> Service? {
        serviceIndex.byID[Service.ID(host: host, namespace: namespace)]
    }

    /// Of all namespaces, oldest first.
    package func services(host: HostName) -> [Service] { serviceIndex.byHost[host] ?? [] }

    package func endpoints(of service: Service) -> EndpointSet { endpointIndex.endpoints(of: service.id) }

    // MARK: Proxies

    /// The pod or WorkloadEntry behind the proxy: by its addresses, else by `name.namespace`. Only one of the proxy's
    /// own namespace, since the proxy's identity proves no other.
    package func workload(of proxy: Proxy) -> Workload? {
        for address in proxy.addresses {
            let found = workloads.workloads(address: address).first { $0.name.namespace == proxy.namespace }
            if let found { return found }
        }
        let suffix = ".\(proxy.namespace)"
        guard proxy.id.hasSuffix(suffix) else { return nil }
        let name = NamespacedName(namespace: proxy.namespace, name: String(proxy.id.dropLast(suffix.count)))
        return workloads.byKey[ObjectKey(kind: .pod, name: name)]
            ?? workloads.byKey[ObjectKey(kind: .workloadEntry, name: name)]
    }

    /// The proxy with labels, place and account taken over from its workload, if one is known.
    package func describe(_ proxy: Proxy) -> Proxy { describe(proxy, workload(of: proxy)) }

    private func describe(_ proxy: Proxy, _ workload: Workload?) -> Proxy {
        guard let workload else { return proxy }
        var result = proxy
        result.labels = workload.labels
        if !workload.locality.isEmpty { result.locality = workload.locality }
        if !workload.network.isEmpty { result.network = workload.network }
        if !workload.nodeName.isEmpty { result.nodeName = workload.nodeName }
        if !workload.serviceAccount.isEmpty { result.serviceAccount = workload.serviceAccount }
        return result
    }

    /// The class of a proxy; it is described first.
    package func proxyClass(of proxy: Proxy) -> ProxyClass {
        let workload = workload(of: proxy)
        let proxy = describe(proxy, workload)
        var targetPorts: [UInt32: [UInt32]] = [:]
        if proxy.role == .router {
            let candidates = InboundBuilder(services: serviceIndex, endpoints: endpointIndex)
                .candidates(proxy, workload)
            for candidate in candidates {
                targetPorts[candidate.port.number, default: []].append(candidate.targetPort)
            }
            targetPorts = targetPorts.mapValues { Set($0).sorted() }
        }
        let families = proxy.addresses.compactMap { IPAddress($0)?.family }
        return ProxyClass(
            role: proxy.role,
            generator: proxy.generator,
            namespace: proxy.namespace,
            dnsDomain: proxy.dnsDomain,
            labels: relevantLabels.reduce(proxy.labels, role: proxy.role, namespace: proxy.namespace),
            locality: relevantLabels.asksForLocality || serviceIndex.asksForLocality ? proxy.locality : Locality(),
            nodeName: serviceIndex.asksForNode ? proxy.nodeName : "",
            network: proxy.network,
            interception: proxy.interception,
            httpProxyPort: proxy.httpProxyPort,
            isUnprivileged: proxy.isUnprivileged,
            http10: proxy.http10,
            hasIdentity: proxy.hasIdentity,
            hasIPv4: families.contains(.v4),
            hasIPv6: families.contains(.v6),
            targetPorts: targetPorts)
    }

    /// What a class can see. Computed once per snapshot and class, and kept by later snapshots that differ in nothing
    /// it depends on.
    package func scope(of proxyClass: ProxyClass) -> ProxyScope { scopes.scope(of: ScopeKey(proxyClass)) }

    /// The AuthorizationPolicies and RequestAuthentications that hold for the routers of a class.
    package func policies(of proxyClass: ProxyClass) -> (
        authorization: [ConfigObject], authentication: [ConfigObject]
    ) {
        guard proxyClass.role == .router else { return ([], []) }
        let (namespace, labels) = (proxyClass.namespace, proxyClass.labels)
        return (
            authorizationPolicies.policies(namespace: namespace, labels: labels),
            requestAuthentications.policies(namespace: namespace, labels: labels)
        )
    }

    /// What the workload of a proxy serves.
    package func inbound(of proxy: Proxy) -> InboundScope {
        let workload = workload(of: proxy)
        let proxy = describe(proxy, workload)
        let selecting = InboundBuilder.onePerTargetPort(
            InboundBuilder(services: serviceIndex, endpoints: endpointIndex).candidates(proxy, workload))
        let object =
            proxy.role == .sidecar
            ? scopes.builder.sidecars.sidecar(namespace: proxy.namespace, labels: proxy.labels) : nil
        let authorization = authorizationPolicies.policies(namespace: proxy.namespace, labels: proxy.labels)
        let authentication = requestAuthentications.policies(namespace: proxy.namespace, labels: proxy.labels)
        let peers = peerAuthentications.policy(namespace: proxy.namespace, labels: proxy.labels)
        guard let object, case .sidecar(let spec) = object.spec else {
            return InboundScope(
                services: selecting, peers: peers, authorization: authorization,
                authentication: authentication)
        }
        return InboundScope(
            services: spec.ingress.isEmpty ? selecting : [], selecting: selecting, sidecar: object,
            ingress: spec.ingress, inboundConnectionPool: spec.inboundConnectionPool, peers: peers,
            authorization: authorization, authentication: authentication)
    }

    /// Gateway objects whose selector the class's labels satisfy, oldest first; empty for sidecars.
    package func gateways(of proxyClass: ProxyClass) -> [ConfigObject] {
        guard proxyClass.role == .router else { return [] }
        return table.ordered(.gateway).all.filter { object in
            guard case .gateway(let gateway) = object.spec else { return false }
            return LabelSelector(gateway.selector).selects(proxyClass.labels)
        }
    }

    // MARK: Differences

    /// What differs between `other` and this snapshot. Cheap between a snapshot and its successors, which share most
    /// of their parts.
    package func changes(since other: MeshSnapshot) -> ChangeSet {
        if self === other { return ChangeSet() }
        var services: Set<Service.ID> = []
        if serviceIndex !== other.serviceIndex {
            for (id, service) in serviceIndex.byID {
                let old = other.serviceIndex.byID[id]
                if old.map({ !service.hasSameContent(as: $0) }) ?? true { services.insert(id) }
            }
            for id in other.serviceIndex.byID.keys where serviceIndex.byID[id] == nil { services.insert(id) }
        }
        return ChangeSet(
            objects: table.changedKeys(since: other.table),
            endpointServices: endpointIndex.changedServices(since: other.endpointIndex),
            services: services,
            meshConfigChanged: meshConfig != other.meshConfig || domain != other.domain)
    }

    /// Sizes for metrics.
    package struct Counts: Hashable, Sendable {
        package let services: Int
        /// Objects, delegates included.
        package let virtualServices: Int
        /// Over all services and ports.
        package let endpoints: Int

        package init(services: Int, virtualServices: Int, endpoints: Int) {
            self.services = services
            self.virtualServices = virtualServices
            self.endpoints = endpoints
        }
    }

    package var counts: Counts {
        Counts(
            services: serviceIndex.services.count, virtualServices: table.count(of: .virtualService),
            endpoints: endpointIndex.count)
    }
}
