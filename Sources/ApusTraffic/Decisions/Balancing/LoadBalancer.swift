public import ApusCore

/// Picks hosts of one cluster: a value per loop, made anew when hosts or their health change.
///
/// First a priority, then (with locality weights) a locality, then a host by the policy. Indices are those of the
/// endpoint table.
public struct LoadBalancer: Sendable {
    /// What may be known of a host besides its configuration. `ignored`: unusable, and left out of the arithmetic of
    /// priorities and panic.
    public enum HostState: UInt8, Hashable, Sendable { case usable, degraded, unusable, ignored }

    /// Hosts among which one policy picks.
    private struct Source: Sendable {
        var hosts: [Int32]
        var weighted: Bool
        var scheduler = EDFScheduler()
        var next: Int
        var ring: HashRing?
        var maglev: MaglevTable?
        /// Shares by offset, for bounded loads; they add up to 1.
        var shares: [Double] = []
    }

    /// The sources of one priority and kind: one, or one per locality with a scheduler over them.
    private struct Group: Sendable {
        var sources: [Source] = []
        var weights: [Double] = []
        var localities = EDFScheduler()
    }

    /// What weights depend on.
    private struct Rules: Sendable {
        let policy: LoadBalancingPolicy
        let table: EndpointTable
        let options: BalancingOptions
        /// Instants from which hosts count as usable, by endpoint index; only with slow start.
        let since: [Int64]
        /// The latest of them.
        let latest: Int64

        /// Some host is still in its window.
        func isStarting(_ now: Int64) -> Bool {
            guard let slow = options.slowStart, latest > .min else { return false }
            return now &- latest <= slow.window.wholeNanoseconds
        }

        /// The weight of a host at an instant.
        func weight(_ index: Int, _ now: Int64) -> Double {
            let weight = Double(table.endpoints[index].weight)
            guard let slow = options.slowStart, index < since.count else { return weight }
            let window = slow.window.wholeNanoseconds
            let age = now &- since[index]
            guard age < window, window > 0 else { return weight }
            // Envoy counts whole milliseconds, one at least.
            let time = max(1, Double(max(0, age) / 1_000_000)) / max(1, Double(window / 1_000_000))
            let factor = slow.aggression == 1 || time >= 1 ? time : LoadBalancer.power(time, 1 / slow.aggression)
            return weight * max(factor, slow.minWeightPercent / 100)
        }
    }

    private struct Priority: Sendable {
        var healthy = Group()
        var degraded = Group()
        var all = Group()
    }

    private let rules: Rules
    private var priorities: [Priority] = []
    public let load: PriorityLoad
    /// The last pick was from a priority in panic.
    public private(set) var pickedInPanic = false
    /// True if there is a priority in which all hosts are used, however they are.
    public var isInPanic: Bool { load.panics.contains(true) }

    /// - Parameters:
    ///   - states: what active knowledge (outlier ejection, health checks) says, by endpoint index; empty: nothing.
    ///   - since: from when hosts count as usable, by endpoint index, in nanoseconds; empty: for ever.
    ///   - members: the hosts of a subset, by endpoint index; nil: all.
    ///   - now: nanoseconds of the same clock as `since`.
    ///   - draw: chance for the starting points.
    public init(
        config: ClusterConfig, table: EndpointTable, states: [HostState] = [], since: [Int64] = [],
        members: [Bool]? = nil, now: Int64 = 0, draw: UInt64
    ) {
        let options = config.balancing
        let since = options.slowStart == nil ? [] : since
        var latest = Int64.min
        var random = draw
        func nextRandom() -> UInt64 {
            random = Draw(random).derived(0)
            return random
        }
        func isMember(_ index: Int) -> Bool {
            guard let members else { return true }
            return index < members.count && members[index]
        }
        func state(_ index: Int) -> HostState {
            let known = index < states.count ? states[index] : .usable
            switch table.endpoints[index].health {
            case .draining: return .ignored
            case .unhealthy: return known == .ignored ? .ignored : .unusable
            case .degraded: return known == .usable ? .degraded : known
            case .healthy: return known
            }
        }
        for (index, instant) in since.enumerated() where isMember(index) && state(index) == .usable {
            latest = max(latest, instant)
        }
        let rules = Rules(policy: config.policy, table: table, options: options, since: since, latest: latest)
        self.rules = rules
        var counts: [PriorityLoad.Counts] = []
        for range in table.priorities {
            var (all, healthy, degraded) = (0, 0, 0)
            for index in range where isMember(index) {
                let share = table.weighsHealth ? Int(table.endpoints[index].weight) : 1
                switch state(index) {
                case .usable: (all, healthy) = (all &+ share, healthy &+ share)
                case .degraded: (all, degraded) = (all &+ share, degraded &+ share)
                case .unusable: all = all &+ share
                case .ignored: break
                }
            }
            counts.append(.init(all: all, healthy: healthy, degraded: degraded))
        }
        load = PriorityLoad(
            counts, overprovisioning: table.overprovisioningFactor, panicThreshold: config.panicThreshold)
        let weighsLocalities =
            members == nil ? config.weighsLocalities : config.balancing.subsets?.weighsLocalities ?? false
        let scales = members != nil && config.balancing.subsets?.scalesLocalityWeights ?? false
        let isSlow = rules.isStarting(now)
        for (index, range) in table.priorities.enumerated() {
            let localities = table.localities.filter { $0.priority == index }
            var priority = Priority()
            func make(_ wanted: (Int) -> Bool) -> Group {
                Self.group(
                    range: range, localities: localities, config: config, table: table,
                    weighsLocalities: weighsLocalities,
                    // Of the hosts that count, those of a locality.
                    size: { locality in
                        locality.endpoints.count { isMember($0) && state($0) != .ignored }
                    },
                    scale: { locality in
                        scales && !locality.endpoints.isEmpty
                            ? Double(locality.endpoints.count(where: isMember)) / Double(locality.endpoints.count) : 1
                    },
                    wanted: wanted, isSlow: isSlow, weight: { rules.weight($0, now) }, random: nextRandom)
            }
            if load.panics[index] {
                if !options.failsInPanic { priority.all = make { isMember($0) } }
            } else {
                if load.healthy[index] > 0 { priority.healthy = make { isMember($0) && state($0) == .usable } }
                if load.degraded[index] > 0 { priority.degraded = make { isMember($0) && state($0) == .degraded } }
            }
            priorities.append(priority)
        }
    }

    private static func group(
        range: Range<Int>, localities: [EndpointTable.Group], config: ClusterConfig, table: EndpointTable,
        weighsLocalities: Bool, size: (EndpointTable.Group) -> Int, scale: (EndpointTable.Group) -> Double,
        wanted: (Int) -> Bool, isSlow: Bool, weight: (Int) -> Double, random: () -> UInt64
    ) -> Group {
        var group = Group()
        let usesHash: Bool =
            switch config.policy {
            case .ringHash, .maglev: true
            default: false
            }
        // A hash table holds all localities at once, their weights as part of the shares.
        if weighsLocalities, !usesHash {
            for locality in localities {
                let hosts = locality.endpoints.filter(wanted)
                guard !hosts.isEmpty,
                    let share = effectiveWeight(locality, hosts.count, of: size(locality), scale(locality), table)
                else { continue }
                group.localities.add(group.sources.count, weight: share)
                group.weights.append(share)
                group.sources.append(
                    source(
                        hosts, config: config, table: table, shares: [], isSlow: isSlow, weight: weight, random: random)
                )
            }
        } else {
            let hosts = range.filter(wanted)
            guard !hosts.isEmpty else { return group }
            let shares =
                usesHash
                ? Self.shares(hosts, weighsLocalities: weighsLocalities, size: size, scale: scale, table) : []
            group.sources.append(
                source(
                    hosts, config: config, table: table, shares: shares, isSlow: isSlow, weight: weight, random: random)
            )
            group.weights = [1]
        }
        return group
    }

    /// Locality weight times the usable part of its hosts, with overprovisioning. Without a weight: no traffic.
    private static func effectiveWeight(
        _ locality: EndpointTable.Group, _ usable: Int, of all: Int, _ scale: Double, _ table: EndpointTable
    ) -> Double? {
        guard let weight = locality.weight, weight > 0, all > 0 else { return nil }
        let available = Double(usable) / Double(all)
        return Double(weight) * scale * min(1, Double(table.overprovisioningFactor) / 100 * available)
    }

    private static func shares(
        _ hosts: [Int], weighsLocalities: Bool, size: (EndpointTable.Group) -> Int,
        scale: (EndpointTable.Group) -> Double, _ table: EndpointTable
    ) -> [Double] {
        var weights = hosts.map { Double(table.endpoints[$0].weight) }
        if weighsLocalities {
            var byLocality: [Int: (weight: Double, hosts: Int)] = [:]
            for (offset, host) in hosts.enumerated() {
                byLocality[table.endpoints[host].locality, default: (0, 0)].weight += weights[offset]
                byLocality[table.endpoints[host].locality]?.hosts += 1
            }
            let factors = byLocality.map { index, sum in
                let group = table.localities[index]
                let share = effectiveWeight(group, sum.hosts, of: size(group), scale(group), table) ?? 0
                return (index, share / max(1, sum.weight))
            }
            let byIndex = Dictionary(factors) { $1 }
            for (offset, host) in hosts.enumerated() {
                weights[offset] *= byIndex[table.endpoints[host].locality] ?? 0
            }
        }
        let sum = weights.reduce(0, +)
        return sum > 0 ? weights.map { $0 / sum } : weights
    }

    private static func source(
        _ hosts: [Int], config: ClusterConfig, table: EndpointTable, shares: [Double], isSlow: Bool,
        weight: (Int) -> Double, random: () -> UInt64
    ) -> Source {
        let first = table.endpoints[hosts[0]].weight
        var source = Source(
            hosts: hosts.map { Int32(truncatingIfNeeded: $0) },
            weighted: isSlow || hosts.contains { table.endpoints[$0].weight != first },
            next: Int(random() % UInt64(hosts.count)))
        func keyed() -> [(host: Int, key: String, share: Double)] {
            hosts.indices.filter { shares[$0] > 0 }.map { index in
                let endpoint = table.endpoints[hosts[index]]
                let key = config.hashesHostname && !endpoint.hostname.isEmpty ? endpoint.hostname : endpoint.hashKey
                return (hosts[index], key, shares[index])
            }
        }
        switch config.policy {
        case .roundRobin where source.weighted, .leastRequest where source.weighted:
            for (offset, host) in hosts.enumerated() {
                source.scheduler.add(offset, weight: weight(host))
            }
            // Start anywhere in the cycle, so that many proxies do not begin with the same host.
            for _ in 0..<source.next {
                _ = source.scheduler.pick { weight(hosts[$0]) }
            }
        case .ringHash(let minSize, let maxSize):
            source.ring = HashRing(keyed(), minSize: minSize, maxSize: maxSize)
        case .maglev(let size):
            // The order of the hosts must not matter: two proxies may have been told of them in different orders.
            source.maglev = MaglevTable(keyed().sorted { $0.key < $1.key }, size: size)
        default: break
        }
        if config.balancing.hashBalanceFactor != nil { source.shares = shares }
        return source
    }

    /// Index of the endpoint for a request, or nil: no host can take it (503, UH).
    ///
    /// - Parameters:
    ///   - hash: of the hash policies; nil: chance decides.
    ///   - attempt: 0 for the first try; hash balancers move on with it.
    ///   - active: requests under way by endpoint index, for least request and bounded loads; a missing entry counts
    ///     as 0.
    ///   - now: nanoseconds, for slow start.
    public mutating func pick(
        hash: UInt64? = nil, attempt: Int = 0, active: [UInt32] = [], now: Int64 = 0,
        random: inout SeededRandom
    ) -> Int? {
        let number = hash ?? random.next()
        // A load of its own for the priority: the bits of the hash that choose the host are not spent on it.
        let chosen = priorities.count == 1 ? choose(number) : load.choose(hash.map { Draw($0).derived(7) } ?? number)
        guard let (priority, degraded) = chosen else { return nil }
        pickedInPanic = load.panics[priority]
        if pickedInPanic {
            return Self.pick(&priorities[priority].all, rules, hash, attempt, active, now, &random)
        }
        if degraded { return Self.pick(&priorities[priority].degraded, rules, hash, attempt, active, now, &random) }
        return Self.pick(&priorities[priority].healthy, rules, hash, attempt, active, now, &random)
    }

    private func choose(_ number: UInt64) -> (priority: Int, degraded: Bool)? {
        if load.healthy[0] == 100 { return (0, false) }
        return load.choose(number)
    }

    private static func pick(
        _ group: inout Group, _ rules: Rules, _ hash: UInt64?, _ attempt: Int, _ active: [UInt32], _ now: Int64,
        _ random: inout SeededRandom
    ) -> Int? {
        guard !group.sources.isEmpty else { return nil }
        var index = 0
        if group.sources.count > 1 {
            let weights = group.weights
            index = group.localities.pick { weights[$0] } ?? 0
        }
        return pick(&group.sources[index], rules, hash, attempt, active, now, &random)
    }

    private static func pick(
        _ source: inout Source, _ rules: Rules, _ hash: UInt64?, _ attempt: Int, _ active: [UInt32], _ now: Int64,
        _ random: inout SeededRandom
    ) -> Int? {
        let hosts = source.hosts
        func load(_ offset: Int) -> UInt32 {
            let host = Int(hosts[offset])
            return host < active.count ? active[host] : 0
        }
        switch rules.policy {
        case .roundRobin:
            if source.weighted {
                let offset = source.scheduler.pick { rules.weight(Int(hosts[$0]), now) }
                return offset.map { Int(hosts[$0]) }
            }
            let host = hosts[source.next]
            source.next = source.next &+ 1 == hosts.count ? 0 : source.next &+ 1
            return Int(host)
        case .leastRequest(let choices, let bias):
            if source.weighted {
                let offset = source.scheduler.pick { offset in
                    rules.weight(Int(hosts[offset]), now) / power(Double(load(offset)) + 1, bias)
                }
                return offset.map { Int(hosts[$0]) }
            }
            var best = Int(random.next() % UInt64(hosts.count))
            if rules.options.scansAllHosts {
                // From a random start, so that equals are not always won by the first.
                let start = best
                for step in 1..<max(1, hosts.count) {
                    let other = (start &+ step) % hosts.count
                    if load(other) < load(best) { best = other }
                }
                return Int(hosts[best])
            }
            for _ in 1..<max(2, choices) {
                let other = Int(random.next() % UInt64(hosts.count))
                if load(other) < load(best) { best = other }
            }
            return Int(hosts[best])
        case .random, .clusterProvided:
            return Int(hosts[Int(random.next() % UInt64(hosts.count))])
        case .ringHash:
            let hash = hash ?? random.next()
            return bounded(source.ring?.host(for: hash, attempt: attempt), source, rules, hash, active)
        case .maglev:
            let hash = hash ?? random.next()
            return bounded(source.maglev?.host(for: hash, attempt: attempt), source, rules, hash, active)
        }
    }

    /// The host of the hash, unless it has more than its bounded share of the requests under way: then the first that
    /// has not, in an order of the hosts that depends on the hash alone.
    private static func bounded(
        _ chosen: Int?, _ source: Source, _ rules: Rules, _ hash: UInt64, _ active: [UInt32]
    ) -> Int? {
        guard let chosen, let factor = rules.options.hashBalanceFactor, factor > 0, !source.shares.isEmpty else {
            return chosen
        }
        let total = active.reduce(0) { $0 &+ UInt64($1) }
        let slots = ((total &+ 1) &* UInt64(factor) &+ 99) / 100
        func overload(_ offset: Int) -> Double {
            let host = Int(source.hosts[offset])
            let own = max(1, (Double(slots) * source.shares[offset]).rounded(.up))
            return Double(host < active.count ? active[host] : 0) / own
        }
        guard let first = source.hosts.firstIndex(where: { Int($0) == chosen }) else { return chosen }
        var least = overload(first)
        if least <= 1 { return chosen }
        var best = chosen
        var order = Array(source.hosts.indices)
        var generator = MersenneTwister(seed: UInt32(truncatingIfNeeded: hash))
        for index in order.indices {
            order.swapAt(index, index + Int(generator.next(below: UInt32(order.count - index))))
            let offset = order[index]
            if offset == first { continue }
            let load = overload(offset)
            if load <= 1 { return Int(source.hosts[offset]) }
            if load < least { (least, best) = (load, Int(source.hosts[offset])) }
        }
        return best
    }

    /// `base^exponent` without a math library: exact for the biases in use (0, 1, 2), else by squaring and the
    /// exponential series of the fraction.
    fileprivate static func power(_ base: Double, _ exponent: Double) -> Double {
        if exponent == 1 { return base }
        if exponent == 0 { return 1 }
        return exponential(exponent * naturalLogarithm(base))
    }

    private static func naturalLogarithm(_ value: Double) -> Double {
        // value = significand · 2^e; ln(s) by the series of artanh on [1, 2).
        let significand = value.significand
        let ratio = (significand - 1) / (significand + 1)
        var term = ratio
        var sum = 0.0
        var odd = 1.0
        while odd < 60 {
            sum += term / odd
            term *= ratio * ratio
            odd += 2
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }

    private static func exponential(_ value: Double) -> Double {
        let bounded = min(700, max(-700, value))
        let halvings = 10
        let small = bounded / Double(1 << halvings)
        var term = 1.0
        var sum = 1.0
        for index in 1...12 {
            term *= small / Double(index)
            sum += term
        }
        for _ in 0..<halvings { sum *= sum }
        return sum
    }
}
