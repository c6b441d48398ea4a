internal import ApusCore
internal import ApusModel

/// Finds the AuthorizationPolicies or RequestAuthentications that hold for a workload (semantics 4.8 and 4.9): those of
/// the root namespace and those of its own, each with a selector that fits or with none. All of them count together.
final class WorkloadPolicyIndex: Sendable {
    private struct Entry: Sendable {
        let object: ConfigObject
        /// nil: every workload.
        let selector: LabelSelector?
    }

    /// Oldest first. A policy attached to a Gateway by `targetRefs` is not for sidecars.
    private let byNamespace: [String: [Entry]]
    private let rootNamespace: String

    static let empty = WorkloadPolicyIndex([], rootNamespace: "")

    /// - Parameter objects: oldest first.
    init(_ objects: [ConfigObject], rootNamespace: String) {
        var byNamespace: [String: [Entry]] = [:]
        for object in objects {
            let (labels, targets): ([String: String]?, [PolicyTargetReference])
            switch object.spec {
            case .authorizationPolicy(let spec): (labels, targets) = (spec.selector, spec.targetRefs)
            case .requestAuthentication(let spec): (labels, targets) = (spec.selector, spec.targetRefs)
            default: continue
            }
            guard targets.isEmpty else { continue }
            let selector = labels.flatMap { $0.isEmpty ? nil : LabelSelector($0) }
            byNamespace[object.metadata.namespace, default: []].append(Entry(object: object, selector: selector))
        }
        self.byNamespace = byNamespace
        self.rootNamespace = rootNamespace
    }

    /// The root namespace's first, then the workload's own.
    func policies(namespace: String, labels: [String: String]) -> [ConfigObject] {
        let namespaces = namespace == rootNamespace ? [namespace] : [rootNamespace, namespace]
        return namespaces.flatMap { byNamespace[$0] ?? [] }
            .filter { $0.selector?.selects(labels) ?? true }.map(\.object)
    }
}
