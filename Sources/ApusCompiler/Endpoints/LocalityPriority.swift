internal import ApusMesh
internal import ApusModel

/// Endpoints of one place, with what the client's place makes of them.
struct LocalityGroup {
    var locality: Locality
    var endpoints: [Endpoint]
    var weight: UInt32
    /// 0 is used first.
    var priority: UInt32 = 0
}

/// Weights and priorities of localities as one class of clients sees them.
enum LocalityPriority {
    /// Groups sorted by priority and locality; each group's weight is the sum of its endpoints' weights.
    static func groups(
        of endpoints: [Endpoint], balance: LocalityBalance, client: ProxyClass
    ) -> [LocalityGroup] {
        var groups = byLocality(endpoints)
        if let settings = balance.zoneAware {
            if !settings.failoverPriority.isEmpty {
                groups = split(groups, by: settings.failoverPriority, client: client)
            }
            byRegion(settings.failover, client: client.locality, over: &groups)
            compact(&groups)
            return groups.sorted { ($0.priority, $0.locality) < ($1.priority, $1.locality) }
        }
        guard let setting = balance.setting else { return groups }
        if !setting.distribute.isEmpty {
            distribute(setting.distribute, client: client.locality, over: &groups)
            return groups.filter { !$0.endpoints.isEmpty }
        }
        guard balance.failsOver else { return groups }
        if !setting.failoverPriority.isEmpty {
            groups = split(groups, by: setting.failoverPriority, client: client)
            if !setting.failover.isEmpty { failover(setting.failover, client: client.locality, over: &groups) }
        } else {
            failover(setting.failover, client: client.locality, over: &groups)
        }
        compact(&groups)
        return groups.sorted { ($0.priority, $0.locality) < ($1.priority, $1.locality) }
    }

    private static func byLocality(_ endpoints: [Endpoint]) -> [LocalityGroup] {
        var index: [Locality: Int] = [:]
        var groups: [LocalityGroup] = []
        for endpoint in endpoints {
            if let at = index[endpoint.locality] {
                groups[at].endpoints.append(endpoint)
                groups[at].weight = sum(groups[at].weight, endpoint.weight)
            } else {
                index[endpoint.locality] = groups.count
                groups.append(
                    LocalityGroup(locality: endpoint.locality, endpoints: [endpoint], weight: endpoint.weight))
            }
        }
        return groups.sorted { $0.locality < $1.locality }
    }

    private static func sum(_ left: UInt32, _ right: UInt32) -> UInt32 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    /// `distribute`: the first rule for the client's place shares traffic out; places it does not name get none.
    private static func distribute(
        _ rules: [LocalityLoadBalancerSettings.Distribute], client: Locality, over groups: inout [LocalityGroup]
    ) {
        guard let rule = rules.first(where: { matches(client, pattern: $0.from) }) else { return }
        var open = Set(groups.indices)
        // The most exact pattern takes its places first, so that `a/*` does not swallow `a/b`.
        let shares = rule.to.sorted { (specificity($1.key), $0.key) < (specificity($0.key), $1.key) }
        for (pattern, share) in shares {
            let taken = groups.indices.filter { open.contains($0) && matches(groups[$0].locality, pattern: pattern) }
            let total = taken.reduce(UInt64(0)) { $0 + UInt64(max(1, groups[$1].weight)) }
            for index in taken {
                open.remove(index)
                // A share of places together is split by their weights, rounded up.
                let part = UInt64(max(1, groups[index].weight)) * UInt64(share)
                groups[index].weight = UInt32(clamping: (part + total - 1) / total)
            }
        }
        for index in open { groups[index].endpoints = [] }
    }

    /// `region/zone/subzone`; a missing or `*` part means any.
    static func matches(_ locality: Locality, pattern: String) -> Bool {
        let wanted = Locality(pattern)
        func fits(_ want: String, _ have: String) -> Bool { want.isEmpty || want == "*" || want == have }
        return fits(wanted.region, locality.region) && fits(wanted.zone, locality.zone)
            && fits(wanted.subzone, locality.subzone)
    }

    private static func specificity(_ pattern: String) -> Int {
        pattern.split(separator: "/").count { $0 != "*" }
    }

    /// Same subzone, zone, region, elsewhere: 0 to 3. Where the client's region has a `failover`, other regions than
    /// that one come last.
    private static func failover(
        _ rules: [LocalityLoadBalancerSettings.Failover], client: Locality, over groups: inout [LocalityGroup]
    ) {
        // A client whose place is unknown has no "near".
        if client.isEmpty { return }
        let rule = rules.first { $0.from == client.region }
        for index in groups.indices {
            let there = groups[index].locality
            var distance: UInt32
            if there.region != client.region {
                distance = 3
                if let rule, there.region != rule.to { distance = 4 }
            } else if there.zone != client.zone {
                distance = 2
            } else {
                distance = there.subzone != client.subzone ? 1 : 0
            }
            // A priority given before is the more important digit.
            distance += groups[index].priority &* 5
            groups[index].priority = distance
        }
    }

    /// The client's region, then the one that `failover` names for it, then all others: 0 to 2.
    private static func byRegion(
        _ rules: [LocalityLoadBalancerSettings.Failover], client: Locality, over groups: inout [LocalityGroup]
    ) {
        if client.isEmpty { return }
        let next = rules.first { $0.from == client.region }?.to
        for index in groups.indices {
            let region = groups[index].locality.region
            let distance: UInt32 = region == client.region ? 0 : region == next ? 1 : 2
            // A priority given before is the more important digit.
            groups[index].priority = groups[index].priority &* 3 &+ distance
        }
    }

    /// `failoverPriority`: the longer the run of equal labels from the list's start, the nearer. Endpoints of one place
    /// may differ, so groups are split.
    private static func split(_ groups: [LocalityGroup], by keys: [String], client: ProxyClass) -> [LocalityGroup] {
        let wanted = keys.map { key -> (key: String, value: String?) in
            let parts = key.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { return (String(parts[0]), String(parts[1])) }
            return (key, value(key, of: client))
        }
        var result: [LocalityGroup] = []
        for group in groups {
            var byPriority: [UInt32: LocalityGroup] = [:]
            for endpoint in group.endpoints {
                let run = wanted.prefix { value($0.key, of: endpoint) == $0.value }.count
                let priority = UInt32(clamping: wanted.count - run)
                var part =
                    byPriority[priority]
                    ?? LocalityGroup(locality: group.locality, endpoints: [], weight: 0, priority: priority)
                part.endpoints.append(endpoint)
                part.weight = sum(part.weight, endpoint.weight)
                byPriority[priority] = part
            }
            result += byPriority.keys.sorted().compactMap { byPriority[$0] }
        }
        return result
    }

    private static func value(_ key: String, of client: ProxyClass) -> String? {
        switch key {
        case LocalityBalance.network: client.network
        case LocalityBalance.region: client.locality.region
        case LocalityBalance.zone: client.locality.zone
        case LocalityBalance.subzone: client.locality.subzone
        case LocalityBalance.node: client.nodeName
        default: client.labels[key]
        }
    }

    private static func value(_ key: String, of endpoint: Endpoint) -> String? {
        switch key {
        case LocalityBalance.network: endpoint.network
        case LocalityBalance.region: endpoint.locality.region
        case LocalityBalance.zone: endpoint.locality.zone
        case LocalityBalance.subzone: endpoint.locality.subzone
        case LocalityBalance.node: endpoint.nodeName
        default: endpoint.labels[key]
        }
    }

    /// Envoy refuses gaps between priorities, and more than 128 of them.
    private static func compact(_ groups: inout [LocalityGroup]) {
        let used = Set(groups.map(\.priority)).sorted()
        let place = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, UInt32(min($0, 127))) })
        for index in groups.indices { groups[index].priority = place[groups[index].priority] ?? 0 }
    }
}
