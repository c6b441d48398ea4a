public import ApusDNS

/// When a name of a DNS cluster is asked for again: the rules of Envoy's STRICT_DNS and LOGICAL_DNS.
///
/// After an answer: the shortest time to live if the cluster respects it and it is not zero, else the refresh rate; and
/// the jitter. After a failure: the refresh rate, or a random part of a bound that doubles with every further one.
public struct NameRefresh: Sendable {
    /// What an answer is to the cluster.
    public enum Outcome: Hashable, Sendable {
        /// These are its hosts now.
        case hosts([ResolvedAddress])
        /// The old hosts stay.
        case failure
    }

    private var bound: Duration?

    public init() {}

    /// A LOGICAL_DNS cluster keeps its host where there is no address; a STRICT_DNS one then has none.
    public static func outcome(_ result: NameLookup.Result, isLogical: Bool) -> Outcome {
        switch result {
        case .completed(let addresses, _):
            if !isLogical { return .hosts(addresses) }
            return addresses.isEmpty ? .failure : .hosts(Array(addresses.prefix(1)))
        case .failed: return .failure
        }
    }

    /// - Parameter draw: any number.
    public mutating func wait(after outcome: Outcome, _ dns: ClusterConfig.DNS, draw: UInt64) -> Duration {
        switch outcome {
        case .hosts(let addresses):
            bound = nil
            let shortest = addresses.map(\.ttl).min() ?? 0
            let wait = dns.respectsTTL && shortest > 0 ? Duration.seconds(Int64(shortest)) : dns.refreshRate
            return wait + Self.part(of: dns.refreshJitter, draw)
        case .failure:
            guard let backOff = dns.failureBackOff else { return dns.refreshRate }
            let most = bound ?? backOff.base
            bound = min(most * 2, backOff.max)
            return Self.part(of: most, draw)
        }
    }

    /// Whole milliseconds, less than the bound.
    private static func part(of bound: Duration, _ draw: UInt64) -> Duration {
        let milliseconds = bound.components.seconds * 1000 + bound.components.attoseconds / 1_000_000_000_000_000
        guard milliseconds > 0 else { return .zero }
        return .milliseconds(Int64(draw % UInt64(milliseconds)))
    }
}
