/// Picks hosts of one cluster: a value per loop, made anew when hosts or their health change.
///
/// First a priority, then (with locality weights) a locality, then a host by the policy. Indices are those of the
/// endpoint table.
package struct LoadBalancer: Sendable {
    /// What may be known of a host besides its configuration.
    package enum HostState: UInt8, Hashable, Sendable { case usable, degraded, unusable }

    /// Hosts among which one policy picks.
    private struct Source: Sendable {
        var hosts: [Int32]
        var weighted: Bool
        var scheduler = EDFScheduler()
        var next: Int
        var ring: HashRing?
        var maglev: MaglevTable?
    }

    /// The sources of one priority and kind: one, or one per locality with a scheduler over them.
    private struct Group: Sendable {
        var sources: [Source] = []
        var weights: [Double] = []
        var localities = EDFScheduler()
    }

    private struct Priority: Sendable {
        var healthy = Group()
        var degraded = Group()
        var all = Group()
    }

    private let policy: LoadBalancingPolicy
    private let table: EndpointTable
    private var priorities: [Priority] = []
    package let load: PriorityLoad

    /// - Parameters:
    ///   - states: what active knowledge (outlier ejection) says, by endpoint index; empty: nothing.
    ///   - draw: chance for the starting points.
    package init(config: ClusterConfig, table: EndpointTable, states: [HostState] = [], draw: UInt64) {
        policy = config.policy
        self.table = table
        var random = draw
        func nextRandom() -> UInt64 {
            random = Draw(random).derived(0)
            return random
        }
        func state(_ index: Int) -> HostState {
            let known = index < states.count ? states[index] : .usable
            switch table.endpoints[index].health {
            case .unhealthy: return .unusable
            case .degraded: return known == .unusable ? .unusable : .degraded
            case .healthy: return known
            }
        }
        var counts: [PriorityLoad.Counts] = []
        for range in table.priorities {
            counts.append(
                .init(
                    all: range.count, healthy: range.count { state($0) == .usable },
                    degraded: range.count { state($0) == .degraded }))
        }
        load = PriorityLoad(
            counts, overprovisioning: table.overprovisioningFactor, panicThreshold: config.panicThreshold)
        for (index, range) in table.priorities.enumerated() {
            let localities = table.localities.filter { $0.priority == index }
            var priority = Priority()
            func make(_ wanted: (Int) -> Bool) -> Group {
                Self.group(
                    range: range, localities: localities, config: config, table: table, wanted: wanted,
                    random: nextRandom)
            }
            if load.panics[index] {
                priority.all = make { _ in true }
            } else {
                if load.healthy[index] > 0 { priority.healthy = make { state($0) == .usable } }
                if load.degraded[index] > 0 { priority.degraded = make { state($0) == .degraded } }
            }
            priorities.append(priority)
        }
    }

    private static func group(
        range: Range<Int>, localities: [EndpointTable.Group], config: ClusterConfig, table: EndpointTable,
        wanted: (Int) -> Bool, random: () -> UInt64
    ) -> Group {
        var group = Group()
        let usesHash: Bool =
            switch config.policy {
            case .ringHash, .maglev: true
            default: false
            }
        // A hash table holds all localities at once, their weights as part of the shares.
        if config.weighsLocalities, !usesHash {
            for locality in localities {
                let hosts = locality.endpoints.filter(wanted)
                guard !hosts.isEmpty, let weight = effectiveWeight(locality, hosts.count, table) else { continue }
                group.localities.add(group.sources.count, weight: weight)
                group.weights.append(weight)
                group.sources.append(source(hosts, config: config, table: table, shares: [], random: random))
            }
        } else {
            let hosts = range.filter(wanted)
            guard !hosts.isEmpty else { return group }
            let shares =
                usesHash
                ? Self.shares(hosts, localities, weighsLocalities: config.weighsLocalities, table) : []
            group.sources.append(source(hosts, config: config, table: table, shares: shares, random: random))
            group.weights = [1]
        }
        return group
    }

    /// Locality weight times the usable part of its hosts, with overprovisioning. Without a weight: no traffic.
    private static func effectiveWeight(
        _ locality: EndpointTable.Group, _ usable: Int, _ table: EndpointTable
    ) -> Double? {
        guard let weight = locality.weight, weight > 0, !locality.endpoints.isEmpty else { return nil }
        let available = Double(usable) / Double(locality.endpoints.count)
        return Double(weight) * min(1, Double(table.overprovisioningFactor) / 100 * available)
    }

    private static func shares(
        _ hosts: [Int], _ localities: [EndpointTable.Group], weighsLocalities: Bool, _ table: EndpointTable
    ) -> [Double] {
        var weights = hosts.map { Double(table.endpoints[$0].weight) }
        if weighsLocalities {
            var byLocality: [Int: Double] = [:]
            for (offset, host) in hosts.enumerated() {
                byLocality[table.endpoints[host].locality, default: 0] += weights[offset]
            }
            for (offset, host) in hosts.enumerated() {
                let index = table.endpoints[host].locality
                let usable = hosts.count { table.endpoints[$0].locality == index }
                let locality = effectiveWeight(table.localities[index], usable, table) ?? 0
                weights[offset] = weights[offset] / (byLocality[index] ?? 1) * locality
            }
        }
        let sum = weights.reduce(0, +)
        return sum > 0 ? weights.map { $0 / sum } : weights
    }

    private static func source(
        _ hosts: [Int], config: ClusterConfig, table: EndpointTable, shares: [Double], random: () -> UInt64
    ) -> Source {
        let first = table.endpoints[hosts[0]].weight
        var source = Source(
            hosts: hosts.map { Int32(truncatingIfNeeded: $0) },
            weighted: hosts.contains { table.endpoints[$0].weight != first },
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
                source.scheduler.add(offset, weight: Double(table.endpoints[host].weight))
            }
            // Start anywhere in the cycle, so that many proxies do not begin with the same host.
            for _ in 0..<source.next {
                _ = source.scheduler.pick { Double(table.endpoints[hosts[$0]].weight) }
            }
        case .ringHash(let minSize, let maxSize):
            source.ring = HashRing(keyed(), minSize: minSize, maxSize: maxSize)
        case .maglev(let size):
            // The order of the hosts must not matter: two proxies may have been told of them in different orders.
            source.maglev = MaglevTable(keyed().sorted { $0.key < $1.key }, size: size)
        default: break
        }
        return source
    }

    /// Index of the endpoint for a request, or nil: no host can take it (503, UH).
    ///
    /// - Parameters:
    ///   - hash: of the hash policies; nil: chance decides.
    ///   - attempt: 0 for the first try; hash balancers move on with it.
    ///   - active: requests under way by endpoint index, for least request; a missing entry counts as 0.
    package mutating func pick(
        hash: UInt64? = nil, attempt: Int = 0, active: [UInt32] = [], random: inout some RandomNumberGenerator
    ) -> Int? {
        let number = hash ?? random.next()
        // A load of its own for the priority: the bits of the hash that choose the host are not spent on it.
        let chosen = priorities.count == 1 ? choose(number) : load.choose(hash.map { Draw($0).derived(7) } ?? number)
        guard let (priority, degraded) = chosen else { return nil }
        if load.panics[priority] {
            return Self.pick(&priorities[priority].all, policy, table, hash, attempt, active, &random)
        }
        if degraded { return Self.pick(&priorities[priority].degraded, policy, table, hash, attempt, active, &random) }
        return Self.pick(&priorities[priority].healthy, policy, table, hash, attempt, active, &random)
    }

    private func choose(_ number: UInt64) -> (priority: Int, degraded: Bool)? {
        if load.healthy[0] == 100 { return (0, false) }
        return load.choose(number)
    }

    private static func pick(
        _ group: inout Group, _ policy: LoadBalancingPolicy, _ table: EndpointTable, _ hash: UInt64?, _ attempt: Int,
        _ active: [UInt32], _ random: inout some RandomNumberGenerator
    ) -> Int? {
        guard !group.sources.isEmpty else { return nil }
        var index = 0
        if group.sources.count > 1 {
            let weights = group.weights
            index = group.localities.pick { weights[$0] } ?? 0
        }
        return pick(&group.sources[index], policy, table, hash, attempt, active, &random)
    }

    private static func pick(
        _ source: inout Source, _ policy: LoadBalancingPolicy, _ table: EndpointTable, _ hash: UInt64?,
        _ attempt: Int, _ active: [UInt32], _ random: inout some RandomNumberGenerator
    ) -> Int? {
        let hosts = source.hosts
        func load(_ offset: Int) -> UInt32 {
            let host = Int(hosts[offset])
            return host < active.count ? active[host] : 0
        }
        switch policy {
        case .roundRobin:
            if source.weighted {
                let offset = source.scheduler.pick { Double(table.endpoints[Int(hosts[$0])].weight) }
                return offset.map { Int(hosts[$0]) }
            }
            let host = hosts[source.next]
            source.next = source.next &+ 1 == hosts.count ? 0 : source.next &+ 1
            return Int(host)
        case .leastRequest(let choices, let bias):
            if source.weighted {
                let offset = source.scheduler.pick { offset in
                    let weight = Double(table.endpoints[Int(hosts[offset])].weight)
                    return weight / power(Double(load(offset)) + 1, bias)
                }
                return offset.map { Int(hosts[$0]) }
            }
            var best = Int(random.next() % UInt64(hosts.count))
            for _ in 1..<max(2, choices) {
                let other = Int(random.next() % UInt64(hosts.count))
                if load(other) < load(best) { best = other }
            }
            return Int(hosts[best])
        case .random, .clusterProvided:
            return Int(hosts[Int(random.next() % UInt64(hosts.count))])
        case .ringHash:
            return source.ring?.host(for: hash ?? random.next(), attempt: attempt)
        case .maglev:
            return source.maglev?.host(for: hash ?? random.next(), attempt: attempt)
        }
    }

    /// `base^exponent` without a math library: exact for the biases in use (0, 1, 2), else by squaring and the
    /// exponential series of the fraction.
    private static func power(_ base: Double, _ exponent: Double) -> Double {
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
