internal import ApusRegex

/// Where a forwarded request goes.
public enum ClusterChoice: Sendable {
    case known(ClusterReference)
    /// By the value of a header; empty if it is missing.
    case named(String)

    public var name: String {
        switch self {
        case .known(let reference): reference.name
        case .named(let name): name
        }
    }
}

/// The answer of a route table for one request.
///
/// A class: all that do not depend on the request are made with the table, so that a request takes one reference.
public final class RouteDecision: Sendable {
    public enum Outcome: Sendable {
        case forward(ForwardAction, ClusterChoice)
        case redirect(RedirectAction)
        case direct(DirectResponse)
        /// `require_tls`: answer 301 to `https://`.
        case requireTLS
        /// No virtual host or no route: 404, NR.
        case notFound
    }

    public let outcome: Outcome
    public let virtualHost: VirtualHost?
    public let route: Route?
    /// The entry of the weighted clusters that was drawn.
    public let weighted: WeightedCluster?
    /// Virtual host, route or weighted cluster has a word about some filter.
    public let hasOverrides: Bool
    public let changesRequestHeaders: Bool
    public let changesResponseHeaders: Bool

    public init(
        outcome: Outcome, virtualHost: VirtualHost? = nil, route: Route? = nil, weighted: WeightedCluster? = nil
    ) {
        self.outcome = outcome
        self.virtualHost = virtualHost
        self.route = route
        self.weighted = weighted
        hasOverrides =
            !(virtualHost?.overrides.isEmpty ?? true) || !(route?.overrides.isEmpty ?? true)
            || !(weighted?.overrides.isEmpty ?? true)
        changesRequestHeaders =
            !(virtualHost?.requestHeaders.isEmpty ?? true) || !(route?.requestHeaders.isEmpty ?? true)
            || !(weighted?.requestHeaders.isEmpty ?? true)
        changesResponseHeaders =
            !(virtualHost?.responseHeaders.isEmpty ?? true) || !(route?.responseHeaders.isEmpty ?? true)
            || !(weighted?.responseHeaders.isEmpty ?? true)
    }

    /// The nearest word about a filter: weighted cluster, route, virtual host, route table.
    public func override(_ key: Slot, table: RouteTable) -> FilterOverride.Change? {
        guard hasOverrides || !table.overrides.isEmpty else { return nil }
        func find(_ overrides: [FilterOverride]) -> FilterOverride.Change? {
            for override in overrides where override.key == key { return override.change }
            return nil
        }
        return weighted.flatMap { find($0.overrides) } ?? route.flatMap { find($0.overrides) }
            ?? virtualHost.flatMap { find($0.overrides) } ?? find(table.overrides)
    }
}

extension RouteDecision {
    /// Every word about a filter, from the route table to the weighted cluster.
    public func overrides(_ key: Slot, table: RouteTable) -> [FilterOverride.Change] {
        [table.overrides, virtualHost?.overrides ?? [], route?.overrides ?? [], weighted?.overrides ?? []]
            .compactMap { level in level.first { $0.key == key }?.change }
    }
}

extension RouteTable {
    /// Virtual host by authority, then the first route of it that matches.
    ///
    /// - Parameters:
    ///   - isSecure: the request's scheme towards the client is https (`x-forwarded-proto`).
    ///   - isInternal: as `RequestIdentity` says.
    ///   - metadata: what filters have said about the request so far.
    public func decide(
        head: HTTPHead, draw: Draw, isSecure: Bool = false, isInternal: Bool = false,
        metadata: DynamicMetadata = [:]
    ) -> RouteDecision {
        guard let found = virtualHostIndex(for: head) else { return .unknownHost }
        let host = virtualHosts[found]
        if host.tls != .none, !isSecure, host.tls == .all || !isInternal { return decisions[found].requireTLS }
        let path = head.pathWithoutQuery
        var index = 0
        while index < host.routes.count {
            let route = host.routes[index]
            if route.match.matches(head, path: path, draw: draw, index: index, metadata: metadata) {
                return route.choose(decisions[found].routes[index], head: head, draw: draw, host: host)
            }
            index &+= 1
        }
        return decisions[found].notFound
    }

    public func virtualHost(for head: HTTPHead) -> VirtualHost? { virtualHostIndex(for: head).map { virtualHosts[$0] } }

    /// Envoy's order: exact domain, longest suffix, longest prefix, `*`.
    private func virtualHostIndex(for head: HTTPHead) -> Int? {
        head.withBytes(head.authority) { authority in
            domains.find(ignoresPortInHost ? Authority.withoutPort(authority) : authority)
        }
    }
}

extension RouteDecision {
    fileprivate static let unknownHost = RouteDecision(outcome: .notFound)
}

/// The decisions that a virtual host can come to, made once.
internal struct VirtualHostDecisions: Sendable {
    let notFound: RouteDecision
    let requireTLS: RouteDecision
    /// By route, and in it by weighted cluster; empty where the request itself names the cluster.
    let routes: [[RouteDecision]]

    init(_ host: VirtualHost) {
        notFound = RouteDecision(outcome: .notFound, virtualHost: host)
        requireTLS = RouteDecision(outcome: .requireTLS, virtualHost: host)
        routes = host.routes.map { $0.decisions(host) }
    }
}

/// Parts of `host:port`.
public enum Authority {
    /// Where the port's colon is; nil without a port. `[::1]` and `[::1]:80` are understood.
    public static func portSeparator(_ authority: UnsafeRawBufferPointer) -> Int? {
        var index = authority.count &- 1
        while index >= 0 {
            let byte = authority[index]
            if byte == UInt8(ascii: ":") {
                // A second colon outside of brackets is a bare IPv6 address, not a port.
                if index > 0, authority[index &- 1] != UInt8(ascii: "]"),
                    authority[..<index].contains(UInt8(ascii: ":"))
                {
                    return nil
                }
                return index
            }
            guard byte &- 0x30 < 10 else { return nil }
            index &-= 1
        }
        return nil
    }

    public static func withoutPort(_ authority: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        portSeparator(authority).map { UnsafeRawBufferPointer(rebasing: authority[..<$0]) } ?? authority
    }
}

extension Route {
    /// All that do not depend on the request: one, or one for each weighted cluster.
    func decisions(_ host: VirtualHost) -> [RouteDecision] {
        switch action {
        case .redirect(let redirect):
            [RouteDecision(outcome: .redirect(redirect), virtualHost: host, route: self)]
        case .direct(let direct): [RouteDecision(outcome: .direct(direct), virtualHost: host, route: self)]
        case .forward(let forward):
            switch forward.clusters {
            case .cluster(let reference):
                [RouteDecision(outcome: .forward(forward, .known(reference)), virtualHost: host, route: self)]
            case .header: []
            case .weighted(let clusters, _, _):
                clusters.map { cluster in
                    // One that the request is to name is made when it has.
                    let choice: ClusterChoice =
                        if case .cluster(let reference) = cluster.target { .known(reference) } else { .named("") }
                    return RouteDecision(
                        outcome: .forward(forward, choice), virtualHost: host, route: self, weighted: cluster)
                }
            }
        }
    }

    /// The one for a request.
    ///
    /// - Parameter made: by `decisions`.
    func choose(_ made: [RouteDecision], head: HTTPHead, draw: Draw, host: VirtualHost) -> RouteDecision {
        guard case .forward(let forward) = action else { return made[0] }
        switch forward.clusters {
        case .cluster: return made[0]
        case .header(let name):
            return RouteDecision(
                outcome: .forward(forward, .named(head.value(name).map { head.text($0) } ?? "")), virtualHost: host,
                route: self)
        case .weighted(let clusters, let total, let randomHeader):
            let index = Self.choose(clusters, total: total, number: number(randomHeader, head, draw))
            guard case .header(let name) = clusters[index].target else { return made[index] }
            return RouteDecision(
                outcome: .forward(forward, .named(head.value(name).map { head.text($0) } ?? "")), virtualHost: host,
                route: self, weighted: clusters[index])
        }
    }

    private func number(_ header: HeaderName?, _ head: HTTPHead, _ draw: Draw) -> UInt64 {
        if let header, let range = head.value(header), let number = head.withBytes(range, { Decimal.unsigned($0) }) {
            return number
        }
        return draw.derived(Draw.Question.weightedCluster)
    }

    /// - Parameter clusters: not empty; the decoder refuses an empty list.
    /// - Returns: the place of the one that was drawn.
    static func choose(_ clusters: [WeightedCluster], total: UInt64, number: UInt64) -> Int {
        var rest = total == 0 ? 0 : number % total
        for index in clusters.indices {
            let weight = UInt64(clusters[index].weight)
            if rest < weight { return index }
            rest &-= weight
        }
        return clusters.count &- 1
    }
}

extension RouteMatch {
    /// - Parameter index: the route's place, so that each route has chance of its own.
    func matches(
        _ head: HTTPHead, path: ByteRange, draw: Draw, index: Int, metadata said: DynamicMetadata = [:]
    ) -> Bool {
        guard matchesPath(head, path) else { return false }
        if share != .all,
            !share.contains(draw: draw.derived(Draw.Question.route &+ UInt64(truncatingIfNeeded: index)))
        {
            return false
        }
        if grpcOnly, !head.isGRPC { return false }
        if !metadata.isEmpty, !metadata.allSatisfy({ $0.matches(said) }) { return false }
        for header in headers where !header.matches(head) { return false }
        if !queries.isEmpty {
            return head.withBytes(head.path) { path in queries.allSatisfy { $0.matches(path: path) } }
        }
        return true
    }

    private func matchesPath(_ head: HTTPHead, _ path: ByteRange) -> Bool {
        if case .connect = self.path { return head.method == .connect }
        // Envoy: a CONNECT request only matches a connect matcher (it has no path).
        return head.withBytes(path) { bytes in
            switch self.path {
            case .prefix(let prefix): return starts(bytes, prefix)
            case .exact(let exact): return bytes.count == exact.count && starts(bytes, exact)
            case .regex(let regex): return regex.matches(bytes)
            case .separatedPrefix(let prefix):
                return starts(bytes, prefix)
                    && (bytes.count == prefix.count || bytes[prefix.count] == UInt8(ascii: "/"))
            case .connect: return false
            }
        }
    }

    private func starts(_ bytes: UnsafeRawBufferPointer, _ prefix: [UInt8]) -> Bool {
        guard bytes.count >= prefix.count else { return false }
        if ignoresCase {
            for index in 0..<prefix.count where ASCII.lower(bytes[index]) != ASCII.lower(prefix[index]) {
                return false
            }
            return true
        }
        for index in 0..<prefix.count where bytes[index] != prefix[index] { return false }
        return true
    }
}

extension HTTPHead {
    /// `application/grpc`, alone or with a `+` suffix.
    @inline(__always)
    public var isGRPC: Bool { mayContain(Self.typed) && hasGRPCType }

    private static let typed = HeaderTokenSet([.contentType])

    private var hasGRPCType: Bool {
        guard let range = value(.contentType) else { return false }
        return withBytes(range) { bytes in
            let wanted: StaticString = "application/grpc"
            return wanted.withUTF8Buffer { wanted in
                guard bytes.count >= wanted.count else { return false }
                for index in 0..<wanted.count where ASCII.lower(bytes[index]) != wanted[index] { return false }
                return bytes.count == wanted.count || bytes[wanted.count] == UInt8(ascii: "+")
            }
        }
    }
}
