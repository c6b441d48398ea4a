/// A host that has just come (or come back to health) gets its share little by little.
package struct SlowStart: Hashable, Sendable {
    package let window: Duration
    /// 1: linear. Greater: fast at first.
    package let aggression: Double
    /// Percent of the full weight that a host begins with.
    package let minWeightPercent: Double

    package init(window: Duration, aggression: Double = 1, minWeightPercent: Double = 10) {
        self.window = window
        self.aggression = aggression
        self.minWeightPercent = minWeightPercent
    }
}

/// A value of endpoint or route metadata, as subsets compare them.
package enum MetadataValue: Hashable, Sendable {
    case null
    case string(String)
    case number(Double)
    case bool(Bool)
    case list([MetadataValue])
    case object([String: MetadataValue])
}

/// `lb_subset_config`: parts of a cluster by the metadata of its endpoints.
package struct SubsetConfig: Hashable, Sendable {
    package enum Fallback: Hashable, Sendable {
        /// No host.
        case none
        case anyEndpoint
        case defaultSubset
        /// Only in selectors: look again with fewer keys.
        case keys([String])
    }

    package struct Selector: Hashable, Sendable {
        /// Sorted, without repetition.
        package let keys: [String]
        /// nil: that of the configuration.
        package let fallback: Fallback?
        package let hasSingleHosts: Bool

        package init(keys: [String], fallback: Fallback? = nil, hasSingleHosts: Bool = false) {
            self.keys = Set(keys).sorted()
            self.fallback = fallback
            self.hasSingleHosts = hasSingleHosts
        }
    }

    package var fallback = Fallback.none
    /// Empty: every endpoint is in it.
    package var defaultSubset: [String: MetadataValue] = [:]
    package var selectors: [Selector] = []
    /// Locality weights decide among the hosts of a subset.
    package var weighsLocalities = false
    /// These weights shrink with the part of a locality that is in the subset.
    package var scalesLocalityWeights = false
    /// A subset without usable hosts in panic uses any host of the cluster.
    package var usesAnyInPanic = false
    /// A list in an endpoint's metadata stands for each of its elements.
    package var matchesListElements = false
    /// The route may name alternatives under `fallback_list`.
    package var usesFallbackList = false

    package init() {}
}

/// What a route demands of an endpoint's metadata.
package struct MetadataCriteria: Hashable, Sendable {
    /// Sorted by key.
    package let pairs: [Pair]
    /// `fallback_list`: what to look for one after the other.
    package let alternatives: [MetadataCriteria]

    package struct Pair: Hashable, Sendable {
        package let key: String
        package let value: MetadataValue
    }

    package init(_ values: [String: MetadataValue], alternatives: [MetadataCriteria] = []) {
        pairs = values.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) }
        self.alternatives = alternatives
    }

    /// These with those of a more specific place over them.
    package func merging(_ other: MetadataCriteria) -> MetadataCriteria {
        var values: [String: MetadataValue] = [:]
        for pair in pairs + other.pairs { values[pair.key] = pair.value }
        return MetadataCriteria(
            values, alternatives: other.alternatives.isEmpty ? alternatives : other.alternatives)
    }

    /// The second over the first, where there are both.
    package static func merging(_ outer: MetadataCriteria?, _ inner: MetadataCriteria?) -> MetadataCriteria? {
        guard let outer, let inner else { return inner ?? outer }
        return outer.merging(inner)
    }

    /// Only these keys; nil: one of them is not there.
    package func restricted(to keys: [String]) -> MetadataCriteria? {
        let kept = pairs.filter { keys.contains($0.key) }
        guard kept.count == keys.count else { return nil }
        return MetadataCriteria(Dictionary(kept.map { ($0.key, $0.value) }) { $1 })
    }
}

/// What a balancer may be told besides its policy.
package struct BalancingOptions: Hashable, Sendable {
    /// Only for round robin and least request.
    package var slowStart: SlowStart?
    /// Only for ring hash and Maglev: the percentage of the mean load that one host may have.
    package var hashBalanceFactor: UInt32?
    /// Least request looks at all hosts, not at a few.
    package var scansAllHosts = false
    package var subsets: SubsetConfig?
    /// In panic there is no host rather than any host.
    package var failsInPanic = false
    /// Hosts that were never checked take no part in the arithmetic of priorities and panic.
    package var ignoresNewHosts = false

    package init() {}
}
