package import ApusCore
package import ApusModel

/// A VirtualService ready for compiling: delegates merged in, short names expanded with the resource's namespace,
/// `exportTo` resolved.
package final class ResolvedVirtualService: Sendable {
    /// Its content is current; for its present place in a file ask `MeshSnapshot.object`.
    package let object: ConfigObject
    /// Hosts, destinations and gateway references are fully qualified (`ns/name` or `mesh`).
    package let spec: VirtualService
    package let hosts: [HostName]
    package let exportTo: Visibility
    /// For each `spec.http` rule the object and rule index it came from (root or delegate), for provenance.
    package let httpSources: [RuleSource]

    package struct RuleSource: Hashable, Sendable {
        package let object: ObjectKey
        package let index: Int

        package init(object: ObjectKey, index: Int) {
            self.object = object
            self.index = index
        }
    }

    package init(
        object: ConfigObject, spec: VirtualService, hosts: [HostName], exportTo: Visibility, httpSources: [RuleSource]
    ) {
        self.object = object
        self.spec = spec
        self.hosts = hosts
        self.exportTo = exportTo
        self.httpSources = httpSources
    }
}

/// DestinationRules of one namespace and host after merging (semantics 4.0): the first one's policy, all subsets.
package final class ResolvedDestinationRule: Sendable {
    package let host: HostName
    package let namespace: String
    package let trafficPolicy: TrafficPolicy?
    package let subsets: [Subset]
    package let exportTo: Visibility
    package let workloadSelector: LabelSelector?
    /// Oldest first. For their present places in files ask `MeshSnapshot.object`.
    package let objects: [ConfigObject]

    package init(
        host: HostName, namespace: String, trafficPolicy: TrafficPolicy?, subsets: [Subset], exportTo: Visibility,
        workloadSelector: LabelSelector?, objects: [ConfigObject]
    ) {
        self.host = host
        self.namespace = namespace
        self.trafficPolicy = trafficPolicy
        self.subsets = subsets
        self.exportTo = exportTo
        self.workloadSelector = workloadSelector
        self.objects = objects
    }
}
