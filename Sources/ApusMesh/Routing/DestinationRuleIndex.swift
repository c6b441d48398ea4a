internal import ApusCore
internal import ApusModel

/// DestinationRules merged by namespace and host, and the lookup of semantics 4.2.
final class DestinationRuleIndex: Sendable {
    private struct Group: Sendable {
        let objects: [ConfigObject]
        /// In the order of their oldest objects.
        let rules: [ResolvedDestinationRule]
        let findings: [MeshFinding]
    }

    private struct OfNamespace: Sendable {
        var groups: [HostName: Group] = [:]
        /// Longest first.
        var wildcards: [HostName] = []
    }

    private let namespaces: [String: OfNamespace]
    let findings: [MeshFinding]
    /// Some rule makes endpoints depend on the client's locality, always or only with the mesh's locality setting.
    let asksForLocality: Bool
    let detectsOutliers: Bool

    static let empty = DestinationRuleIndex(objects: [], domain: "", defaultExportTo: [], reusing: nil)

    /// - Parameters:
    ///   - objects: all DestinationRules, oldest first.
    ///   - previous: an index made with an equal domain and default.
    init(objects: [ConfigObject], domain: String, defaultExportTo: [String], reusing previous: DestinationRuleIndex?) {
        var collected: [String: [HostName: [ConfigObject]]] = [:]
        var asksForLocality = false
        var detectsOutliers = false
        for object in objects {
            guard case .destinationRule(let spec) = object.spec else { continue }
            let namespace = object.metadata.namespace
            let host = HostName(NameExpansion(namespace: namespace, domain: domain).host(spec.host))
            collected[namespace, default: [:]][host, default: []].append(object)
            spec.forEachPolicy { loadBalancer, outlierDetection in
                if loadBalancer?.localityLb != nil || loadBalancer?.zoneAwareLb != nil { asksForLocality = true }
                if outlierDetection != nil { detectsOutliers = true }
            }
        }
        var findings: [MeshFinding] = []
        var namespaces: [String: OfNamespace] = [:]
        for (namespace, hosts) in collected {
            var result = OfNamespace()
            for (host, objects) in hosts {
                let group: Group
                if let old = previous?.namespaces[namespace]?.groups[host], old.objects.hasSameContent(as: objects) {
                    group = old
                } else {
                    group = Self.merge(objects, host: host, defaultExportTo: defaultExportTo)
                }
                result.groups[host] = group
                findings += group.findings
                if host.isWildcard { result.wildcards.append(host) }
            }
            result.wildcards.sort()
            namespaces[namespace] = result
        }
        self.namespaces = namespaces
        self.findings = findings
        self.asksForLocality = asksForLocality
        self.detectsOutliers = detectsOutliers
    }

    // MARK: Merging

    private struct Draft {
        var objects: [ConfigObject]
        var trafficPolicy: TrafficPolicy?
        var subsets: [Subset]
        let exportTo: Visibility
        let selector: [String: String]?
    }

    /// A rule joins an older one of the same selector whose clients are among its own: subsets are added, the policy
    /// only if the older has none. Any other rule stays for itself.
    private static func merge(_ objects: [ConfigObject], host: HostName, defaultExportTo: [String]) -> Group {
        var drafts: [Draft] = []
        var findings: [MeshFinding] = []
        for object in objects {
            guard case .destinationRule(let spec) = object.spec else { continue }
            let exportTo = Visibility(
                spec.exportTo, namespace: object.metadata.namespace, default: defaultExportTo)
            let position = drafts.firstIndex {
                $0.selector == spec.workloadSelector && exportTo.isSuperset(of: $0.exportTo)
            }
            guard let position else {
                drafts.append(
                    Draft(
                        objects: [object], trafficPolicy: spec.trafficPolicy, subsets: spec.subsets,
                        exportTo: exportTo, selector: spec.workloadSelector))
                continue
            }
            let owner = drafts[position].objects[0].key
            // Without a selector the folder's own analysis tells what is dropped.
            let tells = spec.workloadSelector != nil
            if let policy = spec.trafficPolicy {
                if drafts[position].trafficPolicy == nil {
                    drafts[position].trafficPolicy = policy
                } else if tells {
                    findings.append(
                        MeshFinding(
                            MeshFindingCode.droppedTrafficPolicy,
                            "\(owner) is older and already gives the traffic policy of \(host), this one is not used",
                            in: object, field: "spec.trafficPolicy"))
                }
            }
            for (index, subset) in spec.subsets.enumerated() {
                if drafts[position].subsets.contains(where: { $0.name == subset.name }) {
                    guard tells else { continue }
                    findings.append(
                        MeshFinding(
                            MeshFindingCode.droppedSubset,
                            "subset \(subset.name) of \(host) is already defined, this definition is not used",
                            hint: "rules for one host and namespace are merged, the oldest is \(owner)", in: object,
                            field: "spec.subsets[\(index)]"))
                } else {
                    drafts[position].subsets.append(subset)
                }
            }
            drafts[position].objects.append(object)
        }
        let namespace = objects.first?.metadata.namespace ?? ""
        return Group(
            objects: objects,
            rules: drafts.map {
                ResolvedDestinationRule(
                    host: host, namespace: namespace, trafficPolicy: $0.trafficPolicy, subsets: $0.subsets,
                    exportTo: $0.exportTo, workloadSelector: $0.selector.map(LabelSelector.init),
                    objects: $0.objects)
            },
            findings: findings)
    }

    // MARK: Lookup

    /// The rule for a client of `namespace` with `labels` that calls `service`: from the client's namespace, else the
    /// service's, else the root namespace; in each the most specific host with a rule for this client.
    ///
    /// A rule with a selector counts only in its own namespace and only for clients it selects, and then stands before
    /// one without.
    func rule(
        for service: Service, namespace: String, labels: [String: String], rootNamespace: String
    ) -> ResolvedDestinationRule? {
        let own = first(in: namespace, host: service.host, labels: labels) { rule in
            namespace == rootNamespace
                ? rule.exportTo == .namespaces([rootNamespace]) : rule.exportTo.includes(namespace)
        }
        if let own { return own }
        if service.namespace != namespace {
            let exported = first(in: service.namespace, host: service.host, labels: nil) {
                $0.exportTo.includes(namespace)
            }
            if let exported { return exported }
        }
        return first(in: rootNamespace, host: service.host, labels: namespace == rootNamespace ? labels : nil) {
            $0.exportTo.includes(namespace)
        }
    }

    private func first(
        in namespace: String, host: HostName, labels: [String: String]?,
        where isVisible: (ResolvedDestinationRule) -> Bool
    ) -> ResolvedDestinationRule? {
        guard let index = namespaces[namespace] else { return nil }
        func choose(_ group: Group?) -> ResolvedDestinationRule? {
            guard let visible = group?.rules.filter(isVisible), !visible.isEmpty else { return nil }
            if let labels,
                let selecting = visible.first(where: { $0.workloadSelector?.selects(labels) ?? false })
            {
                return selecting
            }
            return visible.first { $0.workloadSelector == nil }
        }
        if let rule = choose(index.groups[host]) { return rule }
        for wildcard in index.wildcards where wildcard != host && host.isSubset(of: wildcard) {
            if let rule = choose(index.groups[wildcard]) { return rule }
        }
        return nil
    }
}

extension DestinationRule {
    /// The balancing and outlier settings of every level.
    func forEachPolicy(_ body: (LoadBalancerSettings?, OutlierDetectionSettings?) -> Void) {
        for policy in [trafficPolicy] + subsets.map(\.trafficPolicy) {
            guard let policy else { continue }
            body(policy.loadBalancer, policy.outlierDetection)
            for port in policy.portLevelSettings { body(port.loadBalancer, port.outlierDetection) }
        }
    }
}
