internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import SwiftProtobuf

/// Names as small numbers, shared by all streams.
final class Names {
    private var numbers: [String: Int] = [:]
    private var texts: [String] = []

    func number(of text: String) -> Int {
        if let known = numbers[text] { return known }
        numbers[text] = texts.count
        texts.append(text)
        return texts.count - 1
    }

    func text(of number: Int) -> String { texts[number] }
}

/// A set of small numbers.
struct NumberSet {
    private var words: [UInt64] = []
    private(set) var count = 0

    /// True if it was not there.
    mutating func insert(_ number: Int) -> Bool {
        let word = number / 64
        if word >= words.count { words += Array(repeating: 0, count: word + 1 - words.count) }
        let bit: UInt64 = 1 << UInt64(number % 64)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        count += 1
        return true
    }

    func contains(_ number: Int) -> Bool {
        number / 64 < words.count && words[number / 64] & 1 << UInt64(number % 64) != 0
    }
}

/// Which endpoints a cluster and which routes a listener refers to; decoded once per name and version.
final class References {
    private let names: Names
    private var known: [String: [Int]] = [:]

    init(_ names: Names) { self.names = names }

    func of(_ resource: DeltaResponse.Resource, _ type: ResourceType) throws -> [Int] {
        let key = "\(resource.version) \(resource.name)"
        if let known = known[key] { return known }
        let any = try Google_Protobuf_Any(serializedBytes: resource.body ?? [])
        var result: [String] = []
        if type == .cluster {
            let cluster = try Envoy_Config_Cluster_V3_Cluster(serializedBytes: any.value)
            if cluster.type == .eds {
                let service = cluster.edsClusterConfig.serviceName
                result = [service.isEmpty ? cluster.name : service]
            }
        } else {
            let listener = try Envoy_Config_Listener_V3_Listener(serializedBytes: any.value)
            for filter in listener.filterChains.flatMap(\.filters) + listener.defaultFilterChain.filters
            where filter.typedConfig.typeURL.hasSuffix(".HttpConnectionManager") {
                let manager = try Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager(
                    serializedBytes: filter.typedConfig.value)
                if !manager.rds.routeConfigName.isEmpty { result.append(manager.rds.routeConfigName) }
            }
        }
        let numbers = Set(result).sorted().map(names.number(of:))
        known[key] = numbers
        return numbers
    }
}

/// One delta ADS stream that asks as a sidecar does: all clusters and listeners, then what they name.
final class DiscoveryStream {
    /// What came since the counts were last reset.
    struct Counts {
        var messages = 0
        var bytes = 0
        var resources = [0, 0, 0, 0, 0]
        var removed = 0
        /// When the awaited resource came; 0 if it has not.
        var awaitedAt: UInt64 = 0
    }

    private static let types: [ResourceType] = [.cluster, .endpoints, .listener, .route]

    private let connection: HTTP2Connection
    private let place: Int
    private let names: Names
    private let references: References
    private var asked: [ResourceType: NumberSet] = [:]
    private var answered: [ResourceType: NumberSet] = [:]
    private var heard: Set<ResourceType> = []
    var counts = Counts()

    init(connection: HTTP2Connection, node: Envoy_Config_Core_V3_Node, names: Names, references: References) throws {
        self.connection = connection
        self.names = names
        self.references = references
        place = connection.open()
        for (index, type) in [ResourceType.cluster, .listener].enumerated() {
            var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
            if index == 0 { request.node = node }
            request.typeURL = type.typeURL
            connection.send(try request.serializedBytes(), on: place)
        }
    }

    /// Everything that was asked for has been answered.
    var isReady: Bool {
        heard.isSuperset(of: [.cluster, .listener])
            && asked.allSatisfy { type, names in answered[type]?.count == names.count }
    }

    /// - Returns: true if the awaited resource came for the first time.
    func received(_ message: [UInt8], awaited: (type: ResourceType, name: String)?, at now: UInt64) throws -> Bool {
        guard let response = DeltaResponse(serialized: message),
            let type = Self.types.first(where: { $0.typeURL == response.typeURL })
        else { throw HTTP2Connection.Ended(description: "a response that cannot be read") }
        counts.messages += 1
        counts.bytes += message.count
        counts.resources[Int(type.rawValue)] += response.resources.count
        counts.removed += response.removed.count
        heard.insert(type)
        acknowledge(type, nonce: response.nonce)
        switch type {
        case .cluster: try ask(.endpoints, response.resources.flatMap { try references.of($0, type) })
        case .listener: try ask(.route, response.resources.flatMap { try references.of($0, type) })
        default:
            guard awaited == nil else { break }
            var set = answered[type] ?? NumberSet()
            for name in response.resources.map(\.name) + response.removed { _ = set.insert(names.number(of: name)) }
            answered[type] = set
        }
        guard let awaited, awaited.type == type, counts.awaitedAt == 0,
            response.resources.contains(where: { $0.name == awaited.name })
        else { return false }
        counts.awaitedAt = now
        return true
    }

    private func ask(_ type: ResourceType, _ wanted: [Int]) throws {
        var set = asked[type] ?? NumberSet()
        let new = wanted.filter { set.insert($0) }
        asked[type] = set
        guard !new.isEmpty else { return }
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = type.typeURL
        request.resourceNamesSubscribe = new.map(names.text(of:))
        connection.send(try request.serializedBytes(), on: place)
    }

    /// `type_url` is field 2 and `response_nonce` field 6; both are shorter than 128 bytes.
    private func acknowledge(_ type: ResourceType, nonce: String) {
        let url = type.typeURL
        connection.send(
            [2 << 3 | 2, UInt8(url.utf8.count)] + Array(url.utf8) + [6 << 3 | 2, UInt8(nonce.utf8.count)]
                + Array(nonce.utf8), on: place)
    }
}
