internal import ApusCore
internal import ApusTraffic
internal import Testing

@Suite struct SubsetTests {
    private typealias Metadata = [String: MetadataValue]

    private func table(_ hosts: [Metadata], health: [Endpoint.Health] = []) -> EndpointTable {
        EndpointTable(
            name: "c",
            endpoints: hosts.enumerated().map { index, metadata in
                Endpoint(
                    address: .ip(IPAddress(v4: 0x0A00_0001 + UInt32(index)), port: 80),
                    health: index < health.count ? health[index] : .healthy, metadata: metadata)
            })
    }

    private let hosts: [[String: MetadataValue]] = [
        ["version": .string("v1"), "stage": .string("prod")], ["version": .string("v2"), "stage": .string("prod")],
        ["version": .string("v2"), "stage": .string("dev")], ["version": .list([.string("v3"), .string("v4")])],
    ]

    /// The hosts that thirty requests reach, nil among them if there was none.
    private func reached(
        _ subsets: SubsetConfig, _ criteria: MetadataCriteria?, _ table: EndpointTable, panic: Double = 50
    ) -> Set<Int?> {
        var options = BalancingOptions()
        options.subsets = subsets
        let config = ClusterConfig(
            name: "c", slot: Slot(0), discovery: .fixed, panicThreshold: panic, balancing: options)
        var balancer = ClusterBalancer(
            config: config, table: table, index: SubsetIndex(subsets, table: table), draw: 3)
        var random = SeededRandom(seed: 7)
        return Set((0..<30).map { _ in balancer.pick(criteria: criteria, random: &random) })
    }

    private func selecting(_ keys: [String]..., fallback: SubsetConfig.Fallback = .none) -> SubsetConfig {
        var config = SubsetConfig()
        config.selectors = keys.map { SubsetConfig.Selector(keys: $0) }
        config.fallback = fallback
        return config
    }

    @Test func `criteria that name exactly the keys of a selector choose its subset`() {
        let config = selecting(["version"], ["stage", "version"])
        let table = table(hosts)
        #expect(reached(config, MetadataCriteria(["version": .string("v2")]), table) == [1, 2])
        #expect(
            reached(config, MetadataCriteria(["version": .string("v2"), "stage": .string("dev")]), table) == [2])
        // No selector has this key alone, and no host this value.
        #expect(reached(config, MetadataCriteria(["stage": .string("dev")]), table) == [nil])
        #expect(reached(config, MetadataCriteria(["version": .string("v9")]), table) == [nil])
        #expect(reached(config, nil, table) == [nil])
        // A number is not the text of it.
        #expect(reached(config, MetadataCriteria(["version": .number(2)]), table) == [nil])
    }

    @Test func `what no subset serves goes to any endpoint or to the default subset`() {
        let table = table(hosts)
        let unknown = MetadataCriteria(["version": .string("v9")])
        #expect(reached(selecting(["version"], fallback: .anyEndpoint), unknown, table) == [0, 1, 2, 3])
        var config = selecting(["version"], fallback: .defaultSubset)
        config.defaultSubset = ["stage": .string("prod")]
        #expect(reached(config, unknown, table) == [0, 1])
        #expect(reached(config, nil, table) == [0, 1])
    }

    @Test func `a selector may fall back in its own way, also with fewer keys`() {
        let table = table(hosts)
        var config = SubsetConfig()
        config.fallback = .anyEndpoint
        config.selectors = [
            .init(keys: ["version"], fallback: SubsetConfig.Fallback.none),
            .init(keys: ["version", "stage"], fallback: .keys(["stage"])), .init(keys: ["stage"]),
        ]
        #expect(reached(config, MetadataCriteria(["version": .string("v9")]), table) == [nil])
        let both = MetadataCriteria(["version": .string("v9"), "stage": .string("prod")])
        #expect(reached(config, both, table) == [0, 1])
        let neither = MetadataCriteria(["version": .string("v9"), "stage": .string("x")])
        #expect(reached(config, neither, table) == [0, 1, 2, 3])
    }

    @Test func `a list stands for its elements only when asked for`() {
        let table = table(hosts)
        var config = selecting(["version"])
        let criteria = MetadataCriteria(["version": .string("v4")])
        #expect(reached(config, criteria, table) == [nil])
        config.matchesListElements = true
        #expect(reached(config, criteria, table) == [3])
    }

    @Test func `alternatives are tried one after the other`() {
        let table = table(hosts)
        var config = selecting(["stage", "version"])
        let criteria = MetadataCriteria(
            ["stage": .string("dev")],
            alternatives: [
                MetadataCriteria(["version": .string("v1")]), MetadataCriteria(["version": .string("v2")]),
            ])
        #expect(reached(config, criteria, table) == [nil])
        config.usesFallbackList = true
        #expect(reached(config, criteria, table) == [2])
    }

    @Test func `a subset has a panic of its own, and one whose hosts are all bad gives none when panic is off`() {
        let table = table(hosts, health: [.healthy, .unhealthy, .unhealthy])
        let config = selecting(["version"], fallback: .anyEndpoint)
        let criteria = MetadataCriteria(["version": .string("v2")])
        #expect(reached(config, criteria, table) == [1, 2])
        #expect(reached(config, criteria, table, panic: 0) == [nil])
    }

    @Test func `where every value is to have one host, the first has it`() {
        let table = table(hosts)
        var config = SubsetConfig()
        config.selectors = [.init(keys: ["version"], hasSingleHosts: true)]
        #expect(reached(config, MetadataCriteria(["version": .string("v2")]), table) == [1])
    }

    @Test func `inner criteria win over outer ones of the same key`() {
        let outer = MetadataCriteria(["a": .string("1"), "b": .string("2")])
        let inner = MetadataCriteria(["b": .string("3"), "c": .bool(true)])
        #expect(
            MetadataCriteria.merging(outer, inner)
                == MetadataCriteria(["a": .string("1"), "b": .string("3"), "c": .bool(true)]))
        #expect(MetadataCriteria.merging(nil, nil) == nil)
        #expect(outer.restricted(to: ["a", "z"]) == nil)
    }
}
