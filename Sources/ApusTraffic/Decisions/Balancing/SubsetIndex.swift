/// Which hosts of a table are in which subset. Depends on the table alone, so it is made once per table.
public final class SubsetIndex: Sendable {
    /// The values of a selector's keys, sorted by key.
    public typealias Key = [MetadataCriteria.Pair]

    public let config: SubsetConfig
    /// Endpoint indices, rising.
    let hosts: [Key: [Int]]
    /// Hosts of the default subset.
    let defaults: [Int]
    let endpointCount: Int
    private let selectors: [[String]: SubsetConfig.Selector]

    /// Lists in metadata could multiply the subsets of one host without end.
    private static let maxCombinations = 256

    public init(_ config: SubsetConfig, table: EndpointTable) {
        self.config = config
        endpointCount = table.endpoints.count
        var hosts: [Key: [Int]] = [:]
        for (index, endpoint) in table.endpoints.enumerated() where !endpoint.metadata.isEmpty {
            for selector in config.selectors {
                for key in Self.keys(selector.keys, endpoint.metadata, config.matchesListElements) {
                    if selector.hasSingleHosts, hosts[key] != nil { continue }
                    // Selectors may repeat each other.
                    if hosts[key]?.last != index { hosts[key, default: []].append(index) }
                }
            }
        }
        self.hosts = hosts
        defaults = table.endpoints.indices.filter { index in
            config.defaultSubset.allSatisfy { key, value in
                Self.values(table.endpoints[index].metadata[key], config.matchesListElements).contains(value)
            }
        }
        selectors = Dictionary(config.selectors.map { ($0.keys, $0) }) { first, _ in first }
    }

    private static func values(_ value: MetadataValue?, _ splitsLists: Bool) -> [MetadataValue] {
        guard let value else { return [] }
        if splitsLists, case .list(let list) = value { return list }
        return [value]
    }

    /// Every combination of the values that a host has for the keys; none if it lacks one.
    private static func keys(
        _ names: [String], _ metadata: [String: MetadataValue], _ splitsLists: Bool
    ) -> [Key] {
        var result: [Key] = [[]]
        for name in names {
            let values = values(metadata[name], splitsLists)
            guard !values.isEmpty, result.count * values.count <= maxCombinations else { return [] }
            result = result.flatMap { key in values.map { key + [MetadataCriteria.Pair(key: name, value: $0)] } }
        }
        return result
    }

    /// The selector whose keys are exactly those of the criteria.
    func selector(_ criteria: MetadataCriteria) -> SubsetConfig.Selector? { selectors[criteria.pairs.map(\.key)] }
}
