internal import ApusCore
internal import ApusModel

// Selectors that match nothing, and exports to nowhere.
extension FolderAnalysis {
    mutating func selectors() {
        for (object, spec) in index.sidecars { selector(object, spec.workloadSelector, "spec.workloadSelector") }
        for (object, spec) in index.destinationRules {
            selector(object, spec.workloadSelector, "spec.workloadSelector")
        }
        for object in index.others {
            switch object.spec {
            case .serviceEntry(let spec): selector(object, spec.workloadSelector, "spec.workloadSelector")
            case .peerAuthentication(let spec): selector(object, spec.selector, "spec.selector")
            case .requestAuthentication(let spec): selector(object, spec.selector, "spec.selector", isMeshWide: true)
            case .authorizationPolicy(let spec): selector(object, spec.selector, "spec.selector", isMeshWide: true)
            case .envoyFilter(let spec):
                selector(object, spec.workloadSelector, "spec.workloadSelector", isMeshWide: true)
            case .telemetry(let spec): selector(object, spec.selector, "spec.selector")
            case .proxyConfig(let spec): selector(object, spec.selector, "spec.selector")
            default: break
            }
        }
    }

    /// - Parameter isMeshWide: in the root namespace the kind selects workloads of every namespace.
    private mutating func selector(
        _ object: ConfigObject, _ labels: [String: String]?, _ path: String, isMeshWide: Bool = false
    ) {
        guard let labels, !labels.isEmpty else { return }
        let namespace = object.metadata.namespace
        let isRoot = isMeshWide && namespace == meshConfig.rootNamespace
        if index.workloads(with: labels, in: isRoot ? nil : namespace).isEmpty {
            report(
                .info, FindingCode.noMatchingWorkloads, object, path,
                "no Pod or workload\(isRoot ? "" : " of the namespace \(namespace)") has the labels \(Self.text(labels))"
            )
        }
    }

    mutating func exports() {
        for (object, spec) in index.virtualServices { exports(object, spec.exportTo) }
        for (object, spec) in index.destinationRules { exports(object, spec.exportTo) }
        for object in index.others {
            if case .serviceEntry(let spec) = object.spec { exports(object, spec.exportTo) }
        }
    }

    private mutating func exports(_ object: ConfigObject, _ list: [String]) {
        for (position, name) in list.enumerated()
        where !["*", ".", "~"].contains(name) && !index.namespaces.contains(name) {
            report(
                .warning, FindingCode.referenceNotFound, object, "spec.exportTo[\(position)]",
                "the namespace \"\(name)\" has no objects in the folder",
                hint: Suggestion.closest(to: name, among: index.namespaces.sorted()).map { "did you mean \($0)?" })
        }
    }
}
