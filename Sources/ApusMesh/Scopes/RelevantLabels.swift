internal import ApusCore
internal import ApusModel

/// Which of a proxy's labels, and whether its place, can make a difference to outbound config.
///
/// Two proxies whose labels differ only in pairs that no object asks for get the same config, so such pairs are left
/// out of their class.
final class RelevantLabels: Sendable {
    private struct Pair: Hashable {
        let key: String
        let value: String
    }

    private struct Pairs {
        var everywhere: Set<Pair> = []
        var byNamespace: [String: Set<Pair>] = [:]

        /// - Parameter namespace: nil for proxies of every namespace.
        mutating func add(_ labels: [String: String]?, namespace: String?) {
            guard let labels, !labels.isEmpty else { return }
            let pairs = labels.map { Pair(key: $0.key, value: $0.value) }
            if let namespace {
                byNamespace[namespace, default: []].formUnion(pairs)
            } else {
                everywhere.formUnion(pairs)
            }
        }

        func union(_ other: Pairs) -> Pairs {
            var result = self
            result.everywhere.formUnion(other.everywhere)
            result.byNamespace.merge(other.byNamespace) { $0.union($1) }
            return result
        }

        func contains(_ pair: Pair, namespace: String) -> Bool {
            everywhere.contains(pair) || (byNamespace[namespace]?.contains(pair) ?? false)
        }
    }

    private let sidecarPairs: Pairs
    private let routerPairs: Pairs
    /// Compared between client and endpoint, whatever the value.
    private let wholeKeys: Set<String>
    /// Some object other than a service makes endpoints depend on the client's locality.
    let asksForLocality: Bool

    /// Kinds whose change can change the answer.
    static let kinds: Set<Kind> = [
        .virtualService, .destinationRule, .sidecar, .envoyFilter, .telemetry, .gateway, .authorizationPolicy,
        .requestAuthentication,
    ]

    init(_ table: ObjectTable, destinationRules: DestinationRuleIndex, meshConfig: MeshConfig) {
        let root = meshConfig.rootNamespace
        var both = Pairs()
        var sidecars = Pairs()
        var routers = Pairs()
        var wholeKeys: Set<String> = []

        for object in table.ordered(.virtualService).all {
            guard case .virtualService(let spec) = object.spec else { continue }
            for rule in spec.http { for match in rule.match { both.add(match.sourceLabels, namespace: nil) } }
            for rule in spec.tls { for match in rule.match { both.add(match.sourceLabels, namespace: nil) } }
            for rule in spec.tcp { for match in rule.match { both.add(match.sourceLabels, namespace: nil) } }
        }
        for object in table.ordered(.destinationRule).all {
            guard case .destinationRule(let spec) = object.spec else { continue }
            both.add(spec.workloadSelector, namespace: object.metadata.namespace)
            spec.forEachPolicy { loadBalancer, _ in
                wholeKeys.formUnion(Self.keys(loadBalancer?.localityLb?.failoverPriority ?? []))
                wholeKeys.formUnion(Self.keys(loadBalancer?.zoneAwareLb?.failoverPriority ?? []))
            }
        }
        wholeKeys.formUnion(Self.keys(meshConfig.localityLbSetting.failoverPriority))
        let zoneAware = meshConfig.zoneAwareLbSetting
        wholeKeys.formUnion(Self.keys(zoneAware?.failoverPriority ?? []))
        for object in table.ordered(.sidecar).all {
            guard case .sidecar(let spec) = object.spec else { continue }
            sidecars.add(spec.workloadSelector, namespace: object.metadata.namespace)
        }
        for object in table.ordered(.envoyFilter).all {
            guard case .envoyFilter(let spec) = object.spec else { continue }
            both.add(spec.workloadSelector, namespace: Self.reach(of: object, root: root))
        }
        for object in table.ordered(.telemetry).all {
            guard case .telemetry(let spec) = object.spec else { continue }
            both.add(spec.selector, namespace: object.metadata.namespace)
        }
        for object in table.ordered(.gateway).all {
            guard case .gateway(let spec) = object.spec else { continue }
            routers.add(spec.selector, namespace: nil)
        }
        // A router's listeners are outbound config, and policies shape them.
        for object in table.ordered(.authorizationPolicy).all {
            guard case .authorizationPolicy(let spec) = object.spec else { continue }
            routers.add(spec.selector, namespace: Self.reach(of: object, root: root))
        }
        for object in table.ordered(.requestAuthentication).all {
            guard case .requestAuthentication(let spec) = object.spec else { continue }
            routers.add(spec.selector, namespace: Self.reach(of: object, root: root))
        }

        sidecarPairs = both.union(sidecars)
        routerPairs = both.union(routers)
        self.wholeKeys = wholeKeys
        let setting = meshConfig.localityLbSetting
        asksForLocality =
            destinationRules.asksForLocality || destinationRules.detectsOutliers && setting.enabled != false
            || !setting.distribute.isEmpty || !setting.failover.isEmpty || !setting.failoverPriority.isEmpty
            || zoneAware.map { $0.enabled != false } == true
    }

    func reduce(_ labels: [String: String], role: Proxy.Role, namespace: String) -> [String: String] {
        let pairs = role == .sidecar ? sidecarPairs : routerPairs
        return labels.filter { key, value in
            wholeKeys.contains(key) || pairs.contains(Pair(key: key, value: value), namespace: namespace)
        }
    }

    /// Selectors in the root namespace select workloads of every namespace (for the kinds this is called with).
    private static func reach(of object: ConfigObject, root: String) -> String? {
        object.metadata.namespace == root ? nil : object.metadata.namespace
    }

    /// `failoverPriority` entries are `key` or `key=value`.
    private static func keys(_ priorities: [String]) -> [String] {
        priorities.map { String($0.prefix { $0 != "=" }) }
    }
}
