internal import ApusCore

/// Which services select a workload, found through one label of each selector instead of trying every service.
struct SelectorIndex: Sendable {
    struct Entry: Sendable {
        let id: Service.ID
        let selector: LabelSelector
    }

    private struct Pair: Hashable {
        let key: String
        let value: String
    }

    private struct OfNamespace {
        var byPair: [Pair: [Entry]] = [:]
        /// Selectors without a label: they select every workload.
        var all: [Entry] = []
    }

    private var namespaces: [String: OfNamespace] = [:]

    init(_ entries: [Entry]) {
        for (namespace, entries) in Dictionary(grouping: entries, by: \.id.namespace) {
            // The rarest pair of a selector tells it best from its neighbours (`app` rather than `environment`).
            var frequency: [Pair: Int] = [:]
            for entry in entries {
                for (key, value) in entry.selector.labels { frequency[Pair(key: key, value: value), default: 0] += 1 }
            }
            var result = OfNamespace()
            for entry in entries {
                let pairs = entry.selector.labels.map { Pair(key: $0.key, value: $0.value) }
                let rarest = pairs.min {
                    (frequency[$0] ?? 0, $0.key, $0.value) < (frequency[$1] ?? 0, $1.key, $1.value)
                }
                if let rarest { result.byPair[rarest, default: []].append(entry) } else { result.all.append(entry) }
            }
            namespaces[namespace] = result
        }
    }

    var isEmpty: Bool { namespaces.isEmpty }

    /// Each service once, in no defined order.
    func services(selecting labels: [String: String], namespace: String) -> Set<Service.ID> {
        guard let index = namespaces[namespace] else { return [] }
        var result = Set(index.all.map(\.id))
        for (key, value) in labels {
            for entry in index.byPair[Pair(key: key, value: value)] ?? [] where entry.selector.selects(labels) {
                result.insert(entry.id)
            }
        }
        return result
    }
}
