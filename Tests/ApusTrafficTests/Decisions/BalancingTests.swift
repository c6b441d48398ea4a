internal import ApusCore
internal import ApusTraffic
internal import Testing

@Suite struct BalancingTests {
    private func table(_ weights: [UInt32], health: [Endpoint.Health] = []) -> EndpointTable {
        EndpointTable(
            name: "c",
            endpoints: weights.enumerated().map { index, weight in
                Endpoint(
                    address: .ip(IPAddress(v4: 0x0A00_0001 + UInt32(index)), port: 80), weight: weight,
                    health: index < health.count ? health[index] : .healthy)
            })
    }

    private func config(
        _ policy: LoadBalancingPolicy, panic: Double = 50, localities: Bool = false
    ) -> ClusterConfig {
        ClusterConfig(
            name: "c", slot: Slot(0), discovery: .fixed, policy: policy, panicThreshold: panic,
            weighsLocalities: localities)
    }

    private func counts(
        _ balancer: inout LoadBalancer, _ picks: Int, hosts: Int, active: [UInt32] = [], hash: ((Int) -> UInt64)? = nil
    ) -> [Int] {
        var random = SeededRandom(seed: 42)
        var counts = [Int](repeating: 0, count: hosts)
        for index in 0..<picks {
            if let host = balancer.pick(hash: hash?(index), active: active, random: &random) { counts[host] += 1 }
        }
        return counts
    }

    @Test func `round robin gives equal hosts equal turns`() {
        var balancer = LoadBalancer(config: config(.roundRobin), table: table([1, 1, 1]), draw: 3)
        #expect(counts(&balancer, 300, hosts: 3) == [100, 100, 100])
    }

    @Test func `round robin respects weights exactly over a cycle and spreads the turns`() {
        var balancer = LoadBalancer(config: config(.roundRobin), table: table([1, 2, 5]), draw: 9)
        #expect(counts(&balancer, 800, hosts: 3) == [100, 200, 500])
        var random = SeededRandom(seed: 1)
        let turns = (0..<8).map { _ in balancer.pick(random: &random) }
        // Five of eight cannot all be neighbours if they are spread.
        #expect(!turns.elementsEqual([2, 2, 2, 2, 2, 1, 1, 0]) && turns.count { $0 == 2 } == 5)
    }

    @Test func `least request prefers the host with fewer requests`() {
        let policy = LoadBalancingPolicy.leastRequest(choices: 2, activeRequestBias: 1)
        var balancer = LoadBalancer(config: config(policy), table: table([1, 1, 1, 1]), draw: 1)
        let result = counts(&balancer, 16_000, hosts: 4, active: [0, 9, 9, 9])
        // The idle host wins whenever it is one of the two: 7 of 16 draws.
        #expect((6600...7400).contains(result[0]))
    }

    @Test func `least request with weights shares by weight when nobody is busy`() {
        let policy = LoadBalancingPolicy.leastRequest(choices: 2, activeRequestBias: 1)
        var balancer = LoadBalancer(config: config(policy), table: table([1, 3]), draw: 1)
        let result = counts(&balancer, 4000, hosts: 2)
        #expect((980...1020).contains(result[0]))
    }

    @Test func `a bias of two punishes load by its square`() {
        let policy = LoadBalancingPolicy.leastRequest(choices: 2, activeRequestBias: 2)
        var balancer = LoadBalancer(config: config(policy), table: table([1, 4]), draw: 1)
        // 4 / (1 + 1)² = 1: as much as the light idle host.
        let result = counts(&balancer, 2000, hosts: 2, active: [0, 1])
        #expect((980...1020).contains(result[0]))
    }

    @Test func `random is uniform`() {
        var balancer = LoadBalancer(config: config(.random), table: table([1, 1, 1, 1]), draw: 1)
        for count in counts(&balancer, 20_000, hosts: 4) { #expect((4700...5300).contains(count)) }
    }

    @Test(arguments: [LoadBalancingPolicy.ringHash(minSize: 1024, maxSize: 8 << 20), .maglev(tableSize: 65537)])
    func `hash balancers are stable and share by weight`(policy: LoadBalancingPolicy) {
        var balancer = LoadBalancer(config: config(policy), table: table([1, 1, 2]), draw: 1)
        var other = LoadBalancer(config: config(policy), table: table([1, 1, 2]), draw: 77)
        let hash = { (index: Int) in XXHash64.hash("key\(index)") }
        let result = counts(&balancer, 20_000, hosts: 3, hash: hash)
        #expect(result == counts(&other, 20_000, hosts: 3, hash: hash))
        #expect((8500...11_500).contains(result[2]) && (3800...6200).contains(result[0]))
    }

    @Test(arguments: [LoadBalancingPolicy.ringHash(minSize: 4096, maxSize: 8 << 20), .maglev(tableSize: 65537)])
    func `a host that leaves moves few keys but its own`(policy: LoadBalancingPolicy) {
        var before = LoadBalancer(config: config(policy), table: table([1, 1, 1, 1, 1]), draw: 1)
        var after = LoadBalancer(
            config: config(policy, panic: 0), table: table([1, 1, 1, 1, 1], health: [.healthy, .unhealthy]), draw: 1)
        var random = SeededRandom(seed: 1)
        var moved = 0
        for index in 0..<10_000 {
            let hash = XXHash64.hash("key\(index)")
            let old = before.pick(hash: hash, random: &random)
            let new = after.pick(hash: hash, random: &random)
            #expect(new != 1)
            if old != 1, old != new { moved += 1 }
        }
        // Without consistency it would be three of four keys. The ring is not as strict as Maglev: it keeps its size,
        // so the other hosts get new points.
        #expect(moved < 1500)
    }

    @Test func `the ring hashes the address with an underscore and a count`() {
        let ring = HashRing([(0, "10.0.0.1:80", 0.5), (1, "10.0.0.2:80", 0.5)], minSize: 4, maxSize: 100)
        #expect(ring.count == 4)
        for (host, name) in ["10.0.0.1:80", "10.0.0.2:80"].enumerated() {
            for index in 0..<2 { #expect(ring.host(for: XXHash64.hash("\(name)_\(index)")) == host) }
        }
        #expect(ring.host(for: .max) == ring.host(for: 0))
    }

    @Test func `every slot of a Maglev table is taken`() {
        let table = MaglevTable([(0, "a", 0.9), (1, "b", 0.1)], size: 1009)
        let hosts = (0..<1009).map { table.host(for: UInt64($0)) }
        #expect(hosts.allSatisfy { $0 != nil })
        #expect((90...112).contains(hosts.count { $0 == 1 }))
    }

    @Test func `unhealthy hosts get nothing, and with panic off an unhealthy cluster has no host`() {
        var balancer = LoadBalancer(
            config: config(.roundRobin), table: table([1, 1, 1], health: [.healthy, .unhealthy]), draw: 0)
        #expect(counts(&balancer, 100, hosts: 3) == [50, 0, 50])
        var none = LoadBalancer(
            config: config(.roundRobin, panic: 0), table: table([1], health: [.unhealthy]), draw: 0)
        var random = SeededRandom(seed: 1)
        #expect(none.pick(random: &random) == nil)
        var empty = LoadBalancer(config: config(.roundRobin), table: .empty, draw: 0)
        #expect(empty.pick(random: &random) == nil)
    }

    @Test func `below the panic threshold all hosts are used`() {
        var balancer = LoadBalancer(
            config: config(.roundRobin),
            table: table([1, 1, 1, 1], health: [.healthy, .unhealthy, .unhealthy, .unhealthy]),
            draw: 0)
        #expect(counts(&balancer, 100, hosts: 4) == [25, 25, 25, 25])
    }

    @Test func `an ejected host is left out`() {
        var balancer = LoadBalancer(
            config: config(.roundRobin), table: table([1, 1, 1]), states: [.usable, .unusable, .usable], draw: 0)
        #expect(counts(&balancer, 100, hosts: 3) == [50, 0, 50])
    }

    @Test func `locality weights share the traffic whatever the number of hosts`() {
        func hosts(_ from: UInt32, _ count: UInt32) -> [Endpoint] {
            (from..<from + count).map { Endpoint(address: .ip(IPAddress(v4: $0), port: 1)) }
        }
        let table = EndpointTable(
            name: "c",
            groups: [
                (Locality(region: "a"), 0, 80, hosts(1, 1)), (Locality(region: "b"), 0, 20, hosts(10, 4)),
                (Locality(region: "c"), 0, nil, hosts(20, 4)),
            ])
        var balancer = LoadBalancer(config: config(.roundRobin, localities: true), table: table, draw: 0)
        let result = counts(&balancer, 1000, hosts: 9)
        #expect(result[0] == 800 && result[1..<5].allSatisfy { $0 == 50 } && result[5...].allSatisfy { $0 == 0 })
    }

    // MARK: Priorities (Envoy's documented examples)

    @Test(arguments: [
        ([100, 100], [100, 0]), ([72, 72], [100, 0]), ([71, 71], [99, 1]), ([50, 50], [70, 30]),
        ([25, 100], [35, 65]), ([25, 25], [50, 50]),
    ])
    func `traffic spills over when a priority is too unhealthy`(healthy: [Int], load: [UInt32]) {
        let counts = healthy.map { PriorityLoad.Counts(all: 100, healthy: $0) }
        #expect(PriorityLoad(counts, overprovisioning: 140, panicThreshold: 0).healthy == load)
    }

    @Test func `in total panic traffic follows the number of hosts`() {
        let load = PriorityLoad(
            [.init(all: 30, healthy: 1), .init(all: 10, healthy: 0)], overprovisioning: 140, panicThreshold: 50)
        #expect(load.panics == [true, true] && load.healthy == [75, 25])
    }

    @Test func `no priority panics while all together are healthy enough`() {
        let load = PriorityLoad(
            [.init(all: 100, healthy: 25), .init(all: 100, healthy: 100)], overprovisioning: 140, panicThreshold: 50)
        #expect(load.panics == [false, false])
    }

    @Test func `degraded hosts take what healthy ones cannot`() {
        let load = PriorityLoad([.init(all: 100, healthy: 50, degraded: 50)], overprovisioning: 100, panicThreshold: 0)
        #expect(load.healthy == [50] && load.degraded == [50])
        #expect(load.choose(49)?.degraded == false && load.choose(50)?.degraded == true)
    }

    // MARK: Hash policies

    private func hash(_ policies: [HashPolicy], _ head: HTTPHead, _ cookies: inout [GeneratedCookie]) -> UInt64? {
        HashPolicy.hash(policies, head: head, source: IPAddress("10.0.0.9"), addresses: "a-b", cookies: &cookies)
    }

    @Test func `hashes are combined by rotation and XOR, missing ones left out`() {
        var cookies: [GeneratedCookie] = []
        let user = HashPolicy(source: .header(HeaderName("x-user"), rewrite: nil))
        let absent = HashPolicy(source: .header(HeaderName("x-none"), rewrite: nil))
        let source = HashPolicy(source: .sourceIP)
        let head = get("/?k=v", [("x-user", "ada")])
        let one = XXHash64.hash("ada")
        let two = XXHash64.hash("10.0.0.9")
        #expect(hash([user], head, &cookies) == one)
        #expect(hash([absent], head, &cookies) == nil)
        #expect(hash([user, absent, source], head, &cookies) == ((one << 1) | (one >> 63)) ^ two)
        #expect(hash([HashPolicy(source: .sourceIP, terminal: true), user], head, &cookies) == two)
        #expect(hash([HashPolicy(source: .query(bytes("k")))], head, &cookies) == XXHash64.hash("v"))
    }

    @Test func `a cookie is read, or made with its lifetime and path`() {
        var cookies: [GeneratedCookie] = []
        let policy = HashPolicy(source: .cookie(name: "session", ttl: .seconds(60), path: "/p", attributes: []))
        let with = get("/", [("cookie", "a=b; session=xyz")])
        #expect(hash([policy], with, &cookies) == XXHash64.hash("xyz") && cookies.isEmpty)
        #expect(hash([policy], get("/"), &cookies) != nil)
        #expect(cookies.count == 1)
        #expect(cookies.first?.header.hasPrefix("session=\"") == true)
        #expect(cookies.first?.header.hasSuffix("\"; Max-Age=60; Path=/p; HttpOnly") == true)
        let passive = HashPolicy(source: .cookie(name: "session", ttl: nil, path: "", attributes: []))
        #expect(hash([passive], get("/"), &cookies) == nil)
    }
}
