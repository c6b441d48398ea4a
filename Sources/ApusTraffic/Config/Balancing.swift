/// A host that has just come (or come back to health) gets its share little by little.
public struct SlowStart: Hashable, Sendable {
    public let window: Duration
    /// 1: linear. Greater: fast at first.
    public let aggression: Double
    /// Percent of the full weight that a host begins with.
    public let minWeightPercent: Double

    public init(window: Duration, aggression: Double = 1, minWeightPercent: Double = 10) {
        self.window = window
        self.aggression = aggression
        self.minWeightPercent = minWeightPercent
    }
}

/// A value of endpoint or route metadata, as subsets compare them.
public enum MetadataValue: Hashable, Sendable {
    case null
    case string(String)
    case number(Double)
    case bool(Bool)
    case list([MetadataValue])
    case object([String: MetadataValue])
}

/// `lb_subset_config`: parts of a cluster by the metadata of its endpoints.
public struct SubsetConfig: Hashable, Sendable {
    public enum Fallback: Hashable, Sendable {
        /// No host.
        case none
        case anyEndpoint
        case defaultSubset
        /// Only in selectors: look again with fewer keys.
        case keys([String])
    }

    public struct Selector: Hashable, Sendable {
        /// Sorted, without repetition.
        public let keys: [String]
        /// nil: that of the configuration.
        public let fallback: Fallback?
        public let hasSingleHosts: Bool

        public init(keys: [String], fallback: Fallback? = nil, hasSingleHosts: Bool = false) {
            self.keys = Set(keys).sorted()
            self.fallback = fallback
            self.hasSingleHosts = hasSingleHosts
        }
    }

    public var fallback = Fallback.none
    /// Empty: every endpoint is in it.
    public var defaultSubset: [String: MetadataValue] = [:]
    public var selectors: [Selector] = []
    /// Locality weights decide among the hosts of a subset.
    public var weighsLocalities = false
    /// These weights shrink with the part of a locality that is in the subset.
    public var scalesLocalityWeights = false
    /// A subset without usable hosts in panic uses any host of the cluster.
    public var usesAnyInPanic = false
    /// A list in an endpoint's metadata stands for each of its elements.
    public var matchesListElements = false
    /// The route may name alternatives under `fallback_list`.
    public var usesFallbackList = false

    public init() {}
}

/// What a route demands of an endpoint's metadata.
public struct MetadataCriteria: Hashable, Sendable {
    /// Sorted by key.
    public let pairs: [Pair]
    /// `fallback_list`: what to look for one after the other.
    public let alternatives: [MetadataCriteria]

    public struct Pair: Hashable, Sendable {
        public let key: String
        public let value: MetadataValue
    }

    public init(_ values: [String: MetadataValue], alternatives: [MetadataCriteria] = []) {
        pairs = values.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) }
        self.alternatives = alternatives
    }

    /// These with those of a more specific place over them.
    public func merging(_ other: MetadataCriteria) -> MetadataCriteria {
        var values: [String: MetadataValue] = [:]
        for pair in pairs + other.pairs { values[pair.key] = pair.value }
        return MetadataCriteria(
            values, alternatives: other.alternatives.isEmpty ? alternatives : other.alternatives)
    }

    /// The second over the first, where there are both.
    public static func merging(_ outer: MetadataCriteria?, _ inner: MetadataCriteria?) -> MetadataCriteria? {
        guard let outer, let inner else { return inner ?? outer }
        return outer.merging(inner)
    }

    /// Only these keys; nil: one of them is not there.
    public func restricted(to keys: [String]) -> MetadataCriteria? {
        let kept = pairs.filter { keys.contains($0.key) }
        guard kept.count == keys.count else { return nil }
        return MetadataCriteria(Dictionary(kept.map { ($0.key, $0.value) }) { $1 })
    }
}

/// What a balancer may be told besides its policy.
public struct BalancingOptions: Hashable, Sendable {
    /// Only for round robin and least request.
    public var slowStart: SlowStart?
    /// Only for ring hash and Maglev: the percentage of the mean load that one host may have.
    public var hashBalanceFactor: UInt32?
    /// Least request looks at all hosts, not at a few.
    public var scansAllHosts = false
    public var subsets: SubsetConfig?
    /// In panic there is no host rather than any host.
    public var failsInPanic = false
    /// Hosts that were never checked take no part in the arithmetic of priorities and panic.
    public var ignoresNewHosts = false

    public init() {}
}
