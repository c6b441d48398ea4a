internal import ApusRegex

/// Where a forwarded request goes.
package enum ClusterChoice: Sendable {
    case known(ClusterReference)
    /// By the value of a header; empty if it is missing.
    case named(String)

    package var name: String {
        switch self {
        case .known(let reference): reference.name
        case .named(let name): name
        }
    }
}

/// The answer of a route table for one request.
package struct RouteDecision: Sendable {
    package enum Outcome: Sendable {
        case forward(ForwardAction, ClusterChoice)
        case redirect(RedirectAction)
        case direct(DirectResponse)
        /// `require_tls`: answer 301 to `https://`.
        case requireTLS
        /// No virtual host or no route: 404, NR.
        case notFound
    }

    package let outcome: Outcome
    package let virtualHost: VirtualHost?
    package let route: Route?
    /// The entry of the weighted clusters that was drawn.
    package let weighted: WeightedCluster?

    package init(
        outcome: Outcome, virtualHost: VirtualHost? = nil, route: Route? = nil, weighted: WeightedCluster? = nil
    ) {
        self.outcome = outcome
        self.virtualHost = virtualHost
        self.route = route
        self.weighted = weighted
    }

    /// The nearest word about a filter: weighted cluster, route, virtual host, route table.
    package func override(_ key: Slot, table: RouteTable) -> FilterOverride.Change? {
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
    package func overrides(_ key: Slot, table: RouteTable) -> [FilterOverride.Change] {
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
    package func decide(
        head: HTTPHead, draw: Draw, isSecure: Bool = false, isInternal: Bool = false
    ) -> RouteDecision {
        guard let host = virtualHost(for: head) else { return RouteDecision(outcome: .notFound) }
        if !isSecure, host.tls == .all || (host.tls == .externalOnly && !isInternal) {
            return RouteDecision(outcome: .requireTLS, virtualHost: host)
        }
        let path = head.pathWithoutQuery
        for (index, route) in host.routes.enumerated()
        where route.match.matches(head, path: path, draw: draw, index: index) {
            return route.decide(head: head, draw: draw, host: host)
        }
        return RouteDecision(outcome: .notFound, virtualHost: host)
    }

    /// Envoy's order: exact domain, longest suffix, longest prefix, `*`.
    package func virtualHost(for head: HTTPHead) -> VirtualHost? {
        head.withBytes(head.authority) { authority in
            let host = ignoresPortInHost ? Authority.withoutPort(authority) : authority
            return domains.find(host).map { virtualHosts[$0] }
        }
    }
}

/// Parts of `host:port`.
package enum Authority {
    /// Where the port's colon is; nil without a port. `[::1]` and `[::1]:80` are understood.
    package static func portSeparator(_ authority: UnsafeRawBufferPointer) -> Int? {
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

    package static func withoutPort(_ authority: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        portSeparator(authority).map { UnsafeRawBufferPointer(rebasing: authority[..<$0]) } ?? authority
    }
}

extension Route {
    func decide(head: HTTPHead, draw: Draw, host: VirtualHost) -> RouteDecision {
        switch action {
        case .redirect(let redirect): return RouteDecision(outcome: .redirect(redirect), virtualHost: host, route: self)
        case .direct(let direct): return RouteDecision(outcome: .direct(direct), virtualHost: host, route: self)
        case .forward(let forward):
            switch forward.clusters {
            case .cluster(let reference):
                return RouteDecision(outcome: .forward(forward, .known(reference)), virtualHost: host, route: self)
            case .header(let name):
                let value = head.value(name).map { head.text($0) } ?? ""
                return RouteDecision(outcome: .forward(forward, .named(value)), virtualHost: host, route: self)
            case .weighted(let clusters, let total, let randomHeader):
                let chosen = Self.choose(clusters, total: total, number: number(randomHeader, head, draw))
                let choice: ClusterChoice =
                    switch chosen.target {
                    case .cluster(let reference): .known(reference)
                    case .header(let name): .named(head.value(name).map { head.text($0) } ?? "")
                    }
                return RouteDecision(
                    outcome: .forward(forward, choice), virtualHost: host, route: self, weighted: chosen)
            }
        }
    }

    private func number(_ header: HeaderName?, _ head: HTTPHead, _ draw: Draw) -> UInt64 {
        if let header, let range = head.value(header), let number = head.withBytes(range, { Decimal.unsigned($0) }) {
            return number
        }
        return draw.derived(Draw.Question.weightedCluster)
    }

    /// - Parameter clusters: not empty; the decoder refuses an empty list.
    static func choose(_ clusters: [WeightedCluster], total: UInt64, number: UInt64) -> WeightedCluster {
        var rest = total == 0 ? 0 : number % total
        for cluster in clusters {
            if rest < UInt64(cluster.weight) { return cluster }
            rest &-= UInt64(cluster.weight)
        }
        return clusters[clusters.count &- 1]
    }
}

extension RouteMatch {
    /// - Parameter index: the route's place, so that each route has chance of its own.
    func matches(_ head: HTTPHead, path: ByteRange, draw: Draw, index: Int) -> Bool {
        guard matchesPath(head, path) else { return false }
        if share != .all,
            !share.contains(draw: draw.derived(Draw.Question.route &+ UInt64(truncatingIfNeeded: index)))
        {
            return false
        }
        if grpcOnly, !head.isGRPC { return false }
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
    package var isGRPC: Bool {
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
