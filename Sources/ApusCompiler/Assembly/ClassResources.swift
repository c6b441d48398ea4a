internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// What all proxies of one class share: everything but their inbound side.
final class ClassResources: Sendable {
    let context: CompileContext
    let clusters: ResourceSet
    let endpoints: ResourceSet
    let listeners: ResourceSet
    let routes: ResourceSet
    let secrets: ResourceSet
    /// What the listeners ask for, if they are a sidecar's.
    private let routeNames: [String]
    /// Listeners that stand for single pods, by name.
    let podAddresses: [String: String]
    private let listenerFindings: [Finding]
    private let secretFindings: [Finding]

    var findings: [Finding] { listenerFindings + secretFindings }
    var snapshot: MeshSnapshot { context.snapshot }

    private init(
        context: CompileContext, clusters: ResourceSet, endpoints: ResourceSet, listeners: ResourceSet,
        routes: ResourceSet, secrets: ResourceSet, routeNames: [String], podAddresses: [String: String],
        listenerFindings: [Finding], secretFindings: [Finding]
    ) {
        self.context = context
        self.clusters = clusters
        self.endpoints = endpoints
        self.listeners = listeners
        self.routes = routes
        self.secrets = secrets
        self.routeNames = routeNames
        self.podAddresses = podAddresses
        self.listenerFindings = listenerFindings
        self.secretFindings = secretFindings
    }

    // MARK: From nothing

    /// - Parameter old: what the class had before; equal resources stay the same instances.
    static func compile(
        _ context: CompileContext, _ cache: inout ServiceCache, after old: ClassResources? = nil
    ) -> ClassResources {
        let listening = Listening(context)
        let credentials = CredentialSecrets(context)
        return ClassResources(
            context: context,
            clusters: clusters(context, &cache, after: old?.clusters),
            endpoints: Encoding.set(
                .endpoints, context.scope.services.flatMap { cache.endpoints(of: $0, context) },
                after: old?.endpoints),
            listeners: Encoding.set(.listener, listening.listeners, after: old?.listeners),
            routes: Encoding.set(.route, routes(listening.routeNames, context), after: old?.routes),
            secrets: secrets(credentials, after: old?.secrets),
            routeNames: listening.routeNames,
            podAddresses: listening.podAddresses,
            listenerFindings: listening.findings,
            secretFindings: credentials.findings)
    }

    /// One instance while there are none, so that it never looks like a change.
    private static let noSecrets = ResourceSet.empty(.secret)

    private static func secrets(_ credentials: CredentialSecrets, after old: ResourceSet?) -> ResourceSet {
        credentials.resources.isEmpty ? noSecrets : Encoding.set(.secret, credentials.resources, after: old)
    }

    private static func clusters(
        _ context: CompileContext, _ cache: inout ServiceCache, after old: ResourceSet?
    ) -> ResourceSet {
        var resources = context.scope.services.flatMap { cache.clusters(of: $0, context) }
        resources += OutboundClusters.unknownDestinations(context).map {
            Encoding.resource($0, name: $0.message.name, type: .cluster)
        }
        return Encoding.set(.cluster, resources, after: old)
    }

    private static func routes(_ names: [String], _ context: CompileContext) -> [EncodedResource] {
        let configurations: [Compiled<XDS.RouteConfiguration>]
        if context.isRouter {
            configurations = GatewayRoutes.routeConfigurations(context)
        } else if context.isProxyless {
            configurations = ProxylessListeners.routes(context)
        } else {
            configurations = names.map { name in
                var compiled = SidecarRoutes.routeConfiguration(named: name, context)
                compiled.message.name = name
                return compiled
            }
        }
        return configurations.map { Encoding.resource($0, name: $0.message.name, type: .route) }
    }

    /// Listeners of any kind of proxy, and the names of the routes that go with them.
    private struct Listening {
        var listeners: [EncodedResource] = []
        var routeNames: [String] = []
        var podAddresses: [String: String] = [:]
        var findings: [Finding] = []

        init(_ context: CompileContext) {
            if context.isRouter {
                let result = GatewayListeners.compile(context)
                listeners = result.listeners.map(Self.encoded)
                routeNames = result.routeNames
                findings = result.findings
            } else if context.isProxyless {
                listeners = ProxylessListeners.outbound(context).map(Self.encoded)
            } else {
                let result = OutboundListeners.compile(context)
                listeners = result.listeners.map(Self.encoded)
                routeNames = result.routeNames
                podAddresses = result.podAddresses
                findings = result.findings
            }
        }

        private static func encoded(_ compiled: Compiled<OutboundListeners.Listener>) -> EncodedResource {
            Encoding.resource(compiled, name: compiled.message.name, type: .listener)
        }
    }

    // MARK: From what was

    /// What the class has after a change. Each type is compiled anew only if something differs that it may look at
    /// (semantics 5.5): services and rules count by identity, since snapshots share what has not changed.
    func updated(to context: CompileContext, _ changes: ChangeSet, _ cache: inout ServiceCache) -> ClassResources {
        if changes.meshConfigChanged { return Self.compile(context, &cache, after: self) }
        let old = self.context
        let difference = differingServices(old, context)
        let differing = difference.all
        let touched = changes.endpointServices
            .compactMap { id in
                context.scope.service(id.host).flatMap { $0.id == id && !differing.contains(id) ? $0 : nil }
            }
            .sorted { $0.id < $1.id }
        let rules = haveSameRules(old, context)
        let newOutbound = !differing.isEmpty || !rules
        let newRoutes = !difference.services.isEmpty || difference.hashes || !rules
        // HTTP rules shape routes; listeners know only their names.
        let newRules =
            !difference.services.isEmpty || difference.tcpSettings || !haveSameRules(old, context, beyondHTTP: true)

        // Gateways decide which services are reached by SNI.
        let newSNI = context.sniHosts != old.sniHosts
        // Who takes mutual TLS may differ anywhere, and such changes are rare.
        let newPeers = old.snapshot.peerAuthentications !== context.snapshot.peerAuthentications
        let endpoints =
            (context.scope.sidecar != nil && newOutbound) || newSNI || newPeers
            ? Encoding.set(
                .endpoints, context.scope.services.flatMap { cache.endpoints(of: $0, context) }, after: endpoints)
            : updatedEndpoints(old, context, differing, touched, &cache)
        // A Sidecar imports by VirtualService and by port, so with one every cluster has to be asked for.
        let hasSidecar = context.scope.sidecar != nil || old.scope.sidecar != nil
        let newClusters =
            (hasSidecar && newOutbound) || newSNI || newPeers
            ? Self.clusters(context, &cache, after: clusters)
            : updatedClusters(old, context, differing, touched, &cache)
        // Subsets have chains of their own there.
        let newListeners =
            newRules || newSNI || hasNewPolicies(old, context)
            || (!context.sniHosts.isEmpty && !difference.rules.isEmpty)
            || touched.contains { $0.hasPodListeners }
        let listening = newListeners ? Listening(context) : nil
        let credentials =
            changes.kinds.isDisjoint(with: CredentialSecrets.kinds) ? nil : CredentialSecrets(context)
        return ClassResources(
            context: context,
            clusters: newClusters,
            endpoints: endpoints,
            listeners: listening.map { Encoding.set(.listener, $0.listeners, after: listeners) } ?? listeners,
            routes: newRoutes
                ? updatedRoutes(
                    old, context, names: listening?.routeNames ?? routeNames,
                    onlyRules: difference.services.isEmpty && !difference.hashes) : routes,
            secrets: credentials.map { Self.secrets($0, after: secrets) } ?? secrets,
            routeNames: listening?.routeNames ?? routeNames,
            podAddresses: listening?.podAddresses ?? podAddresses,
            listenerFindings: listening?.findings ?? listenerFindings,
            secretFindings: credentials?.findings ?? secretFindings)
    }

    /// Policies shape the listeners of routers; those of sidecars have them on their inbound side.
    private func hasNewPolicies(_ old: CompileContext, _ new: CompileContext) -> Bool {
        guard new.isRouter else { return false }
        let before = old.snapshot.policies(of: old.proxyClass)
        let after = new.snapshot.policies(of: new.proxyClass)
        return !before.authorization.isIdentical(to: after.authorization)
            || !before.authentication.isIdentical(to: after.authentication)
            || old.keySets != new.keySets && !after.authentication.isEmpty
    }

    /// Clusters of DNS services carry their endpoints, and with mutual TLS any cluster the accounts of its endpoints, so
    /// these follow them.
    private func updatedClusters(
        _ old: CompileContext, _ context: CompileContext, _ differing: Set<Service.ID>, _ touched: [Service],
        _ cache: inout ServiceCache
    ) -> ResourceSet {
        let inline = touched.filter { service in
            service.hasInlineEndpoints
                || context.proxyClass.hasIdentity
                    && old.snapshot.endpoints(of: service).accounts != context.snapshot.endpoints(of: service).accounts
        }
        guard !differing.isEmpty || !inline.isEmpty else { return clusters }
        var changed = inline.flatMap { cache.clusters(of: $0, context) }
        var gone: Set<String> = []
        for id in differing.sorted() + inline.map(\.id) {
            if let service = old.scope.service(id.host), service.id == id {
                gone.formUnion(cache.clusters(of: service, old).map(\.name))
            }
        }
        for id in differing.sorted() {
            if let service = context.scope.service(id.host), service.id == id {
                changed += cache.clusters(of: service, context)
            }
        }
        gone.subtract(changed.map(\.name))
        return clusters.applying(changed: changed, removed: gone.sorted())
    }

    private func updatedEndpoints(
        _ old: CompileContext, _ context: CompileContext, _ differing: Set<Service.ID>, _ touched: [Service],
        _ cache: inout ServiceCache
    ) -> ResourceSet {
        guard !differing.isEmpty || !touched.isEmpty else { return endpoints }
        var changed = touched.flatMap { cache.endpoints(of: $0, context) }
        var gone: Set<String> = []
        for id in differing.sorted() {
            if let service = old.scope.service(id.host), service.id == id {
                gone.formUnion(cache.endpoints(of: service, old).map(\.name))
            }
            if let service = context.scope.service(id.host), service.id == id {
                changed += cache.endpoints(of: service, context)
            }
        }
        gone.subtract(changed.map(\.name))
        return endpoints.applying(changed: changed, removed: gone.sorted())
    }

    /// - Parameter onlyRules: nothing but VirtualServices (or Sidecar, Gateway, policy) can differ.
    private func updatedRoutes(
        _ old: CompileContext, _ context: CompileContext, names: [String], onlyRules: Bool
    ) -> ResourceSet {
        guard onlyRules, names == routeNames, let touched = touchedRouteNames(old, context) else {
            return Encoding.set(.route, Self.routes(names, context), after: routes)
        }
        return routes.applying(changed: Self.routes(touched, context), removed: [])
    }

    /// The route configurations that a difference in VirtualServices alone can reach, nil for all of them. Beside port
    /// 80 and the configurations of all ports, a VirtualService counts only where a service that it names has the port.
    private func touchedRouteNames(_ old: CompileContext, _ new: CompileContext) -> [String]? {
        guard !new.isRouter, !new.isProxyless, old.scope.sidecar == nil, new.scope.sidecar == nil,
            old.scope.outboundPolicy == new.scope.outboundPolicy
        else { return nil }
        let before = old.scope.virtualServices
        let after = new.scope.virtualServices
        let had = Set(before.map(ObjectIdentifier.init))
        let has = Set(after.map(ObjectIdentifier.init))
        // The order decides between two of them for one host.
        guard
            before.filter({ has.contains(ObjectIdentifier($0)) })
                .isIdentical(to: after.filter { had.contains(ObjectIdentifier($0)) })
        else { return nil }
        let differing =
            before.filter { !has.contains(ObjectIdentifier($0)) } + after.filter { !had.contains(ObjectIdentifier($0)) }
        let hosts = Set(differing.flatMap(\.hosts))
        guard !hosts.isEmpty, !hosts.contains(where: \.isWildcard) else { return nil }
        let ports = Set(new.scope.services.filter { hosts.contains($0.host) }.flatMap { $0.ports.map(\.number) })
        return routeNames.filter { name in UInt32(name).map { $0 == 80 || ports.contains($0) } ?? true }
    }

    private struct Difference {
        /// Came, went, or another instance now.
        var services: Set<Service.ID> = []
        /// The same, under another DestinationRule.
        var rules: Set<Service.ID> = []
        /// One of those rules, before or after, asks for consistent hashing, which routes carry out.
        var hashes = false
        /// One of those rules, before or after, sets what TCP proxies carry out.
        var tcpSettings = false

        var all: Set<Service.ID> { services.union(rules) }
    }

    private func differingServices(_ old: CompileContext, _ new: CompileContext) -> Difference {
        var result = Difference()
        if old.scope === new.scope { return result }
        for service in new.scope.services {
            guard let before = old.scope.service(service.host), before === service else {
                result.services.insert(service.id)
                continue
            }
            let rules = [old.scope.destinationRule(for: before), new.scope.destinationRule(for: service)]
            if rules[0] === rules[1] { continue }
            result.rules.insert(service.id)
            for policy in rules.compactMap({ $0 }).flatMap(\.policies) {
                let hashes = policy.loadBalancer?.consistentHash != nil
                result.hashes = result.hashes || hashes
                result.tcpSettings =
                    result.tcpSettings || hashes || policy.connectionPool?.tcp != nil || policy.tunnel != nil
            }
        }
        for service in old.scope.services {
            let now = new.scope.service(service.host)
            if now == nil || now?.id != service.id { result.services.insert(service.id) }
        }
        return result
    }

    /// Everything but services and DestinationRules: VirtualServices, Gateways, Sidecar, outbound policy.
    ///
    /// - Parameter beyondHTTP: count only VirtualServices with `tls` or `tcp` rules.
    private func haveSameRules(_ old: CompileContext, _ new: CompileContext, beyondHTTP: Bool = false) -> Bool {
        func counting(_ virtualServices: [ResolvedVirtualService]) -> [ResolvedVirtualService] {
            beyondHTTP
                ? virtualServices.filter { !$0.spec.tls.isEmpty || !$0.spec.tcp.isEmpty } : virtualServices
        }
        if new.isRouter {
            let before = old.snapshot.gateways(of: old.proxyClass)
            let after = new.snapshot.gateways(of: new.proxyClass)
            guard before.isIdentical(to: after) else { return false }
            if old.scope === new.scope { return true }
            return after.allSatisfy { gateway in
                let name = gateway.key.name.description
                return counting(old.scope.virtualServices(gateway: name))
                    .isIdentical(to: counting(new.scope.virtualServices(gateway: name)))
            }
        }
        if old.scope === new.scope { return true }
        let before = old.scope
        let after = new.scope
        return before.sidecar === after.sidecar && before.outboundPolicy == after.outboundPolicy
            && counting(before.virtualServices).isIdentical(to: counting(after.virtualServices))
            && before.egressListeners.count == after.egressListeners.count
            && zip(before.egressListeners, after.egressListeners).allSatisfy { one, other in
                one.port == other.port && one.bind == other.bind && one.captureMode == other.captureMode
                    && one.services.isIdentical(to: other.services)
                    && counting(one.virtualServices).isIdentical(to: counting(other.virtualServices))
            }
    }
}

extension ResolvedDestinationRule {
    /// Every place of the rule that can hold settings, each on its own.
    fileprivate var policies: [EffectivePolicy] {
        ([trafficPolicy] + subsets.map(\.trafficPolicy)).compactMap { $0 }.flatMap { policy in
            var top = EffectivePolicy()
            top.loadBalancer = policy.loadBalancer
            top.connectionPool = policy.connectionPool
            top.tunnel = policy.tunnel
            return [top]
                + policy.portLevelSettings.map { entry in
                    var level = EffectivePolicy()
                    level.loadBalancer = entry.loadBalancer
                    level.connectionPool = entry.connectionPool
                    return level
                }
        }
    }
}

extension Array where Element: AnyObject {
    fileprivate func isIdentical(to other: [Element]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0 === $1 }
    }
}

extension Service {
    /// Each pod has a listener of its own.
    fileprivate var hasPodListeners: Bool {
        addresses.isEmpty && (isHeadless || resolution == .passthrough)
            && ports.contains { $0.protocol.isTCP || $0.protocol == .auto }
    }
}
