public import ApusCore

/// What is known of a new connection when its filter chain is chosen.
public struct ConnectionFacts: Sendable {
    /// The original destination where it is used, else the local address. nil on a Unix socket.
    public var destination: IPAddress?
    public var destinationPort: UInt16
    public var source: IPAddress?
    public var sourcePort: UInt16
    /// The peer of the socket; differs from `source` behind the PROXY protocol.
    public var directSource: IPAddress?
    /// From the TLS inspector, lower case; empty: none.
    public var serverName: String
    public var transportProtocol: FilterChainMatch.TransportProtocol
    /// ALPN of the client, or what the HTTP inspector recognised (`http/1.0`, `http/1.1`, `h2c`).
    public var applicationProtocols: [String]

    public init(
        destination: IPAddress?, destinationPort: UInt16, source: IPAddress?, sourcePort: UInt16,
        directSource: IPAddress? = nil, serverName: String = "",
        transportProtocol: FilterChainMatch.TransportProtocol = .rawBuffer, applicationProtocols: [String] = []
    ) {
        self.destination = destination
        self.destinationPort = destinationPort
        self.source = source
        self.sourcePort = sourcePort
        self.directSource = directSource ?? source
        self.serverName = serverName
        self.transportProtocol = transportProtocol
        self.applicationProtocols = applicationProtocols
    }
}

/// Chooses the filter chain of a connection: nine criteria in a fixed order; each keeps only the chains whose match is
/// the most specific, and a chain that does not ask stays as the least specific. There is no way back from a step.
public struct FilterChainMatcher: Sendable {
    private let matches: [FilterChainMatch]

    public init(_ matches: [FilterChainMatch]) { self.matches = matches }

    /// Index of the chain; nil: the default chain, or close.
    public func find(_ facts: ConnectionFacts) -> Int? {
        var left = Array(matches.indices)
        narrow(&left) { $0.destinationPort.map { $0 == facts.destinationPort ? 1 : nil } ?? 0 }
        narrow(&left) { Self.prefix($0.destinations, facts.destination) }
        narrow(&left) { Self.serverName($0.serverNames, facts.serverName) }
        narrow(&left) { $0.transportProtocol.map { $0 == facts.transportProtocol ? 1 : nil } ?? 0 }
        narrow(&left) { match in
            if match.applicationProtocols.isEmpty { return 0 }
            return match.applicationProtocols.contains(where: facts.applicationProtocols.contains) ? 1 : nil
        }
        narrow(&left) { Self.prefix($0.directSources, facts.directSource) }
        narrow(&left) { Self.sourceType($0.sourceType, facts) }
        narrow(&left) { Self.prefix($0.sources, facts.source) }
        narrow(&left) { $0.sourcePorts.isEmpty ? 0 : $0.sourcePorts.contains(facts.sourcePort) ? 1 : nil }
        return left.first
    }

    /// Keeps the chains with the highest specificity; nil is no match.
    private func narrow(_ left: inout [Int], _ specificity: (FilterChainMatch) -> Int?) {
        var best = -1
        var kept: [Int] = []
        for index in left {
            guard let value = specificity(matches[index]) else { continue }
            if value > best {
                best = value
                kept.removeAll(keepingCapacity: true)
            }
            if value == best { kept.append(index) }
        }
        left = kept
    }

    private static func prefix(_ ranges: [CIDR], _ address: IPAddress?) -> Int? {
        if ranges.isEmpty { return 0 }
        guard let address else { return nil }
        var best: Int?
        // A prefix of length zero is still more specific than no prefix.
        for range in ranges where range.contains(address) { best = max(best ?? 0, range.prefixLength + 1) }
        return best
    }

    private static func serverName(_ names: [String], _ wanted: String) -> Int? {
        if names.isEmpty { return 0 }
        var best: Int?
        for name in names {
            if name == wanted, !wanted.isEmpty { return Int.max }
            if name.hasPrefix("*."), wanted.utf8.count >= name.utf8.count, wanted.hasSuffix(name.dropFirst()) {
                best = max(best ?? 0, name.utf8.count)
            }
        }
        return best
    }

    private static func sourceType(_ type: FilterChainMatch.SourceType, _ facts: ConnectionFacts) -> Int? {
        let isLocal = facts.source.map { $0.isLocalhost || $0 == facts.destination } ?? true
        return switch type {
        case .any: 0
        case .sameIPOrLoopback: isLocal ? 1 : nil
        case .external: isLocal ? nil : 1
        }
    }
}

extension IPAddress {
    /// 127.0.0.1 and ::1. The other addresses of 127.0.0.0/8 are clients like any: Envoy draws the line here too.
    var isLocalhost: Bool { self == IPAddress(v4: 0x7F00_0001) || self == IPAddress(v6: 1) }
}
