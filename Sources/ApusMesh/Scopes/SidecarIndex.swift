internal import ApusCore
internal import ApusModel

/// Finds the Sidecar that applies to a workload.
struct SidecarIndex: Sendable {
    /// Oldest first.
    private let byNamespace: [String: [ConfigObject]]
    private let rootNamespace: String

    init(_ table: ObjectTable, rootNamespace: String) {
        byNamespace = table.ordered(.sidecar).byNamespace
        self.rootNamespace = rootNamespace
    }

    /// The oldest whose selector fits, else the namespace's oldest without a selector, else the root namespace's.
    func sidecar(namespace: String, labels: [String: String]) -> ConfigObject? {
        let own = byNamespace[namespace] ?? []
        return own.first { object in
            guard case .sidecar(let spec) = object.spec, let selector = spec.selector else { return false }
            return selector.selects(labels)
        } ?? own.first(where: Self.hasNoSelector) ?? byNamespace[rootNamespace]?.first(where: Self.hasNoSelector)
    }

    private static func hasNoSelector(_ object: ConfigObject) -> Bool {
        if case .sidecar(let spec) = object.spec { return spec.selector == nil }
        return false
    }
}

extension Sidecar {
    /// nil when the Sidecar stands for its whole namespace.
    var selector: LabelSelector? {
        guard let workloadSelector, !workloadSelector.isEmpty else { return nil }
        return LabelSelector(workloadSelector)
    }
}

/// The `hosts` of one egress listener (semantics 4.6), for proxies of one namespace.
struct EgressHosts {
    private struct Entry {
        /// nil: every namespace.
        let namespace: String?
        let host: HostName

        func covers(namespace other: String) -> Bool { namespace == nil || namespace == other }
    }

    private var included: [Entry] = []
    private var excluded: [Entry] = []

    /// - Parameter hosts: `namespace/host`; namespace `*`, `.` (the proxy's own), a name, or `~` for none; a `~` before
    ///   the namespace takes the host out again.
    init(_ hosts: [String], namespace: String) {
        for text in hosts {
            guard let slash = text.firstIndex(of: "/") else { continue }
            var owner = text[..<slash]
            if owner == "~" { continue }
            let isExcluded = owner.first == "~"
            if isExcluded { owner = owner.dropFirst() }
            let entry = Entry(
                namespace: owner == "*" ? nil : owner == "." ? namespace : String(owner),
                host: HostName(String(text[text.index(after: slash)...])))
            if isExcluded { excluded.append(entry) } else { included.append(entry) }
        }
    }

    func imports(_ service: Service) -> Bool {
        included.contains { $0.covers(namespace: service.namespace) && service.host.isSubset(of: $0.host) }
            && !excluded.contains { $0.covers(namespace: service.namespace) && service.host.isSubset(of: $0.host) }
    }

    /// A VirtualService is imported if one of its hosts can be meant by an imported host.
    func imports(_ virtualService: ResolvedVirtualService) -> Bool {
        let namespace = virtualService.object.metadata.namespace
        return virtualService.hosts.contains { host in
            included.contains { $0.covers(namespace: namespace) && host.matches($0.host) }
                && !excluded.contains { $0.covers(namespace: namespace) && host.isSubset(of: $0.host) }
        }
    }
}
