internal import ApusCore
internal import ApusModel

/// Pods and WorkloadEntries with what nodes and the root namespace add to them.
struct WorkloadIndex: Sendable {
    private(set) var byKey = ShardedDictionary<ObjectKey, Workload>()
    /// Pods before WorkloadEntries, then oldest first. Pods on the host's network share its address, so they are not
    /// here.
    private var byAddress = ShardedDictionary<String, [ObjectKey]>()

    /// A workload before and after an edit.
    struct Edit {
        let key: ObjectKey
        let old: Workload?
        let new: Workload?
    }

    func workloads(address: String) -> [Workload] {
        (byAddress[address] ?? []).compactMap { byKey[$0] }
    }

    /// Takes over edited objects. A node's place and the mesh's network change every workload that depends on them.
    mutating func apply(_ edits: [ObjectTable.Edit], table: ObjectTable, rootNamespace: String) -> [Edit] {
        var touched: Set<ObjectKey> = []
        var nodes: Set<String> = []
        var everything = false
        for edit in edits {
            switch edit.key.kind {
            case .pod, .workloadEntry: touched.insert(edit.key)
            case .node where edit.old?.metadata.labels != edit.new?.metadata.labels: nodes.insert(edit.key.name.name)
            case .namespace where edit.key.name.name == rootNamespace: everything = true
            default: break
            }
        }
        if everything || !nodes.isEmpty {
            byKey.forEach { key, workload in
                if everything || nodes.contains(workload.nodeName) { touched.insert(key) }
            }
        }
        guard !touched.isEmpty else { return [] }

        let maker = WorkloadMaker(table: table, rootNamespace: rootNamespace)
        var result: [Edit] = []
        var entries: [ObjectKey: Workload?] = [:]
        var addresses: Set<String> = []
        for key in touched {
            let old = byKey[key]
            let new = table[key].flatMap(maker.workload)
            if old == nil, new == nil { continue }
            result.append(Edit(key: key, old: old, new: new))
            entries[key] = .some(new)
            addresses.formUnion(old?.addresses ?? [])
            addresses.formUnion(new?.addresses ?? [])
        }
        byKey.apply(entries)

        var byNewAddress: [String: [ObjectKey]] = [:]
        for edit in result {
            guard let new = edit.new, !new.sharesHostAddress else { continue }
            for address in new.addresses { byNewAddress[address, default: []].append(edit.key) }
        }
        var addressEdits: [String: [ObjectKey]?] = [:]
        for address in addresses {
            let kept = (byAddress[address] ?? []).filter { !touched.contains($0) }
            var candidates = (kept + (byNewAddress[address] ?? [])).compactMap { byKey[$0] }
            if candidates.count > 1 {
                candidates.sort { left, right in
                    left.isPod != right.isPod ? left.isPod : ConfigObject.isOlder(left.object, right.object)
                }
            }
            addressEdits[address] = candidates.isEmpty ? .some(nil) : candidates.map(\.object.key)
        }
        byAddress.apply(addressEdits)
        return result
    }
}

/// Reads workloads out of objects.
struct WorkloadMaker {
    let table: ObjectTable
    let rootNetwork: String

    init(table: ObjectTable, rootNamespace: String) {
        self.table = table
        rootNetwork =
            Self.clusterScoped(.namespace, rootNamespace, in: table)?
            .metadata.labels[TopologyLabel.network] ?? ""
    }

    /// nil for other kinds and for pods that have ended.
    func workload(_ object: ConfigObject) -> Workload? {
        switch object.spec {
        case .pod(let pod):
            guard pod.phase != "Succeeded", pod.phase != "Failed" else { return nil }
            let labels = object.metadata.labels
            let node = pod.nodeName.isEmpty ? nil : Self.clusterScoped(.node, pod.nodeName, in: table)
            let nodeLabels = node?.metadata.labels ?? [:]
            return Workload(
                object: object,
                addresses: pod.podIPs,
                labels: labels,
                serviceAccount: pod.serviceAccountName.isEmpty ? "default" : pod.serviceAccountName,
                locality: TopologyLabel.written(in: labels) ?? TopologyLabel.ofNode(nodeLabels),
                network: labels[TopologyLabel.network] ?? nodeLabels[TopologyLabel.network] ?? rootNetwork,
                nodeName: pod.nodeName)
        case .workloadEntry(let entry):
            return workload(entry, of: object)
        default:
            return nil
        }
    }

    /// A WorkloadEntry, or an inline endpoint of a ServiceEntry (whose metadata labels are not the endpoint's).
    func workload(_ entry: WorkloadEntry, of object: ConfigObject) -> Workload {
        var labels = object.key.kind == .workloadEntry ? object.metadata.labels : [:]
        labels.merge(entry.labels) { _, spec in spec }
        let locality =
            entry.locality.isEmpty
            ? TopologyLabel.written(in: labels) ?? TopologyLabel.ofNode(labels) : Locality(entry.locality)
        return Workload(
            object: object,
            addresses: entry.address.isEmpty ? [] : [entry.address],
            labels: labels,
            serviceAccount: entry.serviceAccount,
            locality: locality,
            network: entry.network.isEmpty ? labels[TopologyLabel.network] ?? rootNetwork : entry.network,
            nodeName: "")
    }

    /// Cluster-scoped objects are stored under whatever namespace the reader gave them.
    private static func clusterScoped(_ kind: Kind, _ name: String, in table: ObjectTable) -> ConfigObject? {
        table[kind, NamespacedName(namespace: "", name: name)]
            ?? table[kind, NamespacedName(namespace: "default", name: name)]
            ?? table[kind, NamespacedName(namespace: name, name: name)]
    }
}

/// Labels that say where a workload runs (semantics 2.9).
enum TopologyLabel {
    static let network = "topology.istio.io/network"
    private static let locality = "istio-locality"
    private static let region = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"]
    private static let zone = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]
    private static let subzone = ["topology.istio.io/subzone"]

    /// The `istio-locality` label; labels cannot hold a slash, so a dot stands for it.
    static func written(in labels: [String: String]) -> Locality? {
        guard let text = labels[locality], !text.isEmpty else { return nil }
        return Locality(text.contains("/") ? text : text.split(separator: ".").joined(separator: "/"))
    }

    static func ofNode(_ labels: [String: String]) -> Locality {
        func first(_ keys: [String]) -> String { keys.lazy.compactMap { labels[$0] }.first ?? "" }
        return Locality(region: first(region), zone: first(zone), subzone: first(subzone))
    }
}

extension Workload {
    var sharesHostAddress: Bool {
        if case .pod(let pod) = object.spec { return pod.hostNetwork }
        return false
    }

    /// Whether the workload is a member of the mesh. The label `security.istio.io/tlsMode` decides if it is there; else a
    /// Pod is one if the injector left its record on it, and a WorkloadEntry with an account is (semantics 4.4).
    var acceptsMutualTLS: Bool {
        if let mode = labels["security.istio.io/tlsMode"] { return mode == "istio" }
        if isPod { return object.metadata.annotations["sidecar.istio.io/status"] != nil }
        return !serviceAccount.isEmpty
    }
}
