internal import ApusCore
internal import ApusTraffic
internal import Testing

@Suite struct SlowStartTests {
    private let second: Int64 = 1_000_000_000

    private func table(_ count: Int) -> EndpointTable {
        EndpointTable(
            name: "c",
            endpoints: (0..<count).map { Endpoint(address: .ip(IPAddress(v4: 0x0A00_0001 + UInt32($0)), port: 80)) })
    }

    private func config(_ slow: SlowStart, _ policy: LoadBalancingPolicy = .roundRobin) -> ClusterConfig {
        var options = BalancingOptions()
        options.slowStart = slow
        return ClusterConfig(name: "c", slot: Slot(0), discovery: .fixed, policy: policy, balancing: options)
    }

    /// The share of the second of two hosts in a thousand picks, the second new at zero, the first old.
    private func share(_ config: ClusterConfig, at now: Int64) -> Int {
        var balancer = LoadBalancer(
            config: config, table: table(2), since: [-1000 * second, 0], now: 0, draw: 5)
        var random = SeededRandom(seed: 1)
        return (0..<1100).count { _ in balancer.pick(now: now, random: &random) == 1 }
    }

    @Test func `a new host begins with the least weight and gets its share with time`() {
        let config = config(SlowStart(window: .seconds(60)))
        // A tenth of the weight: one part in eleven.
        #expect((98...102).contains(share(config, at: 0)))
        // Half the window: one part in three.
        #expect((364...370).contains(share(config, at: 30 * second)))
        // All of it, but for the first turn, which was set when the host was light.
        #expect((540...551).contains(share(config, at: 60 * second)))
    }

    @Test func `aggression makes the beginning steeper`() {
        let config = config(SlowStart(window: .seconds(60), aggression: 2))
        // A quarter of the time is half of the weight.
        #expect((364...370).contains(share(config, at: 15 * second)))
    }

    @Test func `least request weighs with it as well`() {
        let config = config(
            SlowStart(window: .seconds(60)), .leastRequest(choices: 2, activeRequestBias: 1))
        #expect((98...102).contains(share(config, at: 0)))
    }

    @Test func `when all hosts are old the policy is the plain one`() {
        var balancer = LoadBalancer(
            config: config(SlowStart(window: .seconds(10))), table: table(3), since: [0, 0, 0], now: 100 * second,
            draw: 1)
        var random = SeededRandom(seed: 1)
        var counts = [0, 0, 0]
        for _ in 0..<300 { if let host = balancer.pick(now: 100 * second, random: &random) { counts[host] += 1 } }
        #expect(counts == [100, 100, 100])
    }
}

@Suite struct BoundedHashTests {
    private func table(_ count: Int) -> EndpointTable {
        EndpointTable(
            name: "c",
            endpoints: (0..<count).map { Endpoint(address: .ip(IPAddress(v4: 0x0A00_0001 + UInt32($0)), port: 80)) })
    }

    @Test(arguments: [LoadBalancingPolicy.ringHash(minSize: 1024, maxSize: 8 << 20), .maglev(tableSize: 1009)])
    func `a host with more than its share passes a key on, always to the same other host`(
        policy: LoadBalancingPolicy
    ) {
        var options = BalancingOptions()
        options.hashBalanceFactor = 150
        let config = ClusterConfig(name: "c", slot: Slot(0), discovery: .fixed, policy: policy, balancing: options)
        var balancer = LoadBalancer(config: config, table: table(4), draw: 1)
        var random = SeededRandom(seed: 1)
        let key = XXHash64.hash("key")
        guard let own = balancer.pick(hash: key, active: [0, 0, 0, 0], random: &random) else {
            Issue.record("no host")
            return
        }
        var active: [UInt32] = [2, 2, 2, 2]
        // Nine with the new one, half as much again over four hosts: four slots each.
        #expect(balancer.pick(hash: key, active: active, random: &random) == own)
        active[own] = 20
        let other = balancer.pick(hash: key, active: active, random: &random)
        #expect(other != nil && other != own)
        #expect(balancer.pick(hash: key, active: active, random: &random) == other)
    }

    @Test func `the generator is the standard's`() {
        // The ten thousandth number of MT19937 with the default seed, as the C++ standard gives it.
        var generator = MersenneTwister(seed: 5489)
        var value: UInt32 = 0
        for _ in 0..<10_000 { value = generator.next() }
        #expect(value == 4_123_659_995)
        #expect((0..<100).allSatisfy { _ in generator.next(below: 1) == 0 })
        #expect((0..<100).allSatisfy { _ in generator.next(below: 7) < 7 })
    }
}
