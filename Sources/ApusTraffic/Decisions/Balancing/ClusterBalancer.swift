public import ApusCore

/// The balancers of a cluster: one over all its hosts, and one per subset, made when it is first wanted.
public struct ClusterBalancer: Sendable {
    /// Which hosts were asked, for statistics.
    public enum Source: Hashable, Sendable { case cluster, subset, fallback, panicFallback }

    private enum Part: Hashable {
        case all
        case defaults
        case subset(SubsetIndex.Key)
        case without([Int])
    }

    /// What the parameters of a pick have in common over the parts that are asked.
    private struct Question {
        let hash: UInt64?
        let attempt: Int
        let active: [UInt32]
        let now: Int64
    }

    private let config: ClusterConfig
    private let table: EndpointTable
    private let states: [LoadBalancer.HostState]
    private let since: [Int64]
    private let draw: UInt64
    private let index: SubsetIndex?
    private var all: LoadBalancer
    private var parts: [Part: LoadBalancer] = [:]
    public private(set) var lastSource = Source.cluster

    /// Parameters as those of `LoadBalancer`.
    ///
    /// - Parameter index: of the same table; nil: there are no subsets.
    public init(
        config: ClusterConfig, table: EndpointTable, states: [LoadBalancer.HostState] = [], since: [Int64] = [],
        index: SubsetIndex? = nil, now: Int64 = 0, draw: UInt64
    ) {
        self.config = config
        self.table = table
        self.states = states
        self.since = since
        self.draw = draw
        self.index = index
        all = LoadBalancer(
            config: config, table: table, states: states, since: since,
            // Locality weights do not reach into subsets by themselves, not even into the one of all hosts.
            members: index.map { _ in [Bool](repeating: true, count: table.endpoints.count) }, now: now, draw: draw)
    }

    public var load: PriorityLoad { all.load }

    /// The last pick among all hosts was from a priority in panic.
    public var pickedInPanic: Bool { all.pickedInPanic }

    /// Index of the endpoint for a request, or nil: no host can take it. Parameters as those of `LoadBalancer.pick`.
    ///
    /// - Parameter criteria: what the route demands of the endpoint's metadata.
    public mutating func pick(
        criteria: MetadataCriteria? = nil, hash: UInt64? = nil, attempt: Int = 0, active: [UInt32] = [],
        now: Int64 = 0, random: inout SeededRandom
    ) -> Int? {
        guard let index else {
            return all.pick(hash: hash, attempt: attempt, active: active, now: now, random: &random)
        }
        let question = Question(hash: hash, attempt: attempt, active: active, now: now)
        guard let criteria, index.config.usesFallbackList, !criteria.alternatives.isEmpty else {
            return pick(criteria, index, question, &random)
        }
        for alternative in criteria.alternatives {
            if let host = pick(criteria.merging(alternative), index, question, &random) { return host }
        }
        return nil
    }

    /// The same among the hosts of the other priorities; with none of them left, or with subsets, among all.
    public mutating func pick(
        withoutPriorities priorities: [Int], criteria: MetadataCriteria? = nil, hash: UInt64? = nil, attempt: Int = 0,
        active: [UInt32] = [], now: Int64 = 0, random: inout SeededRandom
    ) -> Int? {
        let question = Question(hash: hash, attempt: attempt, active: active, now: now)
        if index == nil, !priorities.isEmpty,
            let host = ask(.without(priorities), question, &random),
            states.isEmpty || states[host] != .unusable
        {
            return host
        }
        return pick(
            criteria: criteria, hash: hash, attempt: attempt, active: active, now: now, random: &random)
    }

    private mutating func pick(
        _ criteria: MetadataCriteria?, _ index: SubsetIndex, _ question: Question,
        _ random: inout SeededRandom
    ) -> Int? {
        var fallback = index.config.fallback
        if let criteria, let selector = index.selector(criteria) {
            if index.hosts[criteria.pairs] != nil {
                // The subset exists: what it says counts, also that none of its hosts can be used.
                lastSource = .subset
                return ask(.subset(criteria.pairs), question, &random)
            }
            if let own = selector.fallback {
                switch own {
                case .keys(let keys):
                    // Fewer keys every time, so this ends.
                    return pick(criteria.restricted(to: keys), index, question, &random)
                case .none: return nil
                case .anyEndpoint, .defaultSubset: fallback = own
                }
                lastSource = .fallback
                return ask(fallback == .anyEndpoint ? .all : .defaults, question, &random)
            }
        }
        switch fallback {
        case .none, .keys: return nil
        case .anyEndpoint, .defaultSubset:
            lastSource = .fallback
            if let host = ask(fallback == .anyEndpoint ? .all : .defaults, question, &random) { return host }
            guard index.config.usesAnyInPanic else { return nil }
            lastSource = .panicFallback
            return ask(.all, question, &random)
        }
    }

    private mutating func ask(
        _ part: Part, _ question: Question, _ random: inout SeededRandom
    ) -> Int? {
        if case .all = part {
            return all.pick(
                hash: question.hash, attempt: question.attempt, active: question.active, now: question.now,
                random: &random)
        }
        if parts[part] == nil {
            let hosts: [Int] =
                switch part {
                case .all: []
                case .without(let priorities):
                    table.endpoints.indices.filter { !priorities.contains(table.endpoints[$0].priority) }
                case .defaults: index?.defaults ?? []
                case .subset(let key): index?.hosts[key] ?? []
                }
            var members = [Bool](repeating: false, count: table.endpoints.count)
            for host in hosts where members.indices.contains(host) { members[host] = true }
            parts[part] = LoadBalancer(
                config: config, table: table, states: states, since: since, members: members, now: question.now,
                draw: Draw(draw).derived(UInt64(parts.count)))
        }
        return parts[part]?.pick(
            hash: question.hash, attempt: question.attempt, active: question.active, now: question.now,
            random: &random)
    }
}
