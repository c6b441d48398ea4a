internal import ApusTraffic

/// Judging raw connections.
internal enum ConnectionGuard {
    /// - Returns: false if the connection is refused. Both sets of rules are counted.
    static func judge(_ filter: AuthorizationFilter, _ facts: AuthorizationFacts, _ worker: Worker) -> Bool {
        let root = scopeName(filter.statPrefix, "rbac")
        if let shadow = filter.shadow {
            worker.scope(scopeName(root, filter.shadowStatPrefix), AuthorizationStats.self).stats
                .count(shadow.judge(nil, facts), isShadow: true)
        }
        guard let rules = filter.rules else { return true }
        let verdict = rules.judge(nil, facts)
        worker.scope(root, AuthorizationStats.self).stats.count(verdict, isShadow: false)
        return verdict.isAllowed
    }

    /// Two parts of a counter's name with one dot between them.
    static func scopeName(_ left: String, _ right: String) -> String {
        var left = left
        var right = right
        while left.last == "." { left.removeLast() }
        while right.last == "." { right.removeLast() }
        return left.isEmpty ? right : right.isEmpty ? left : "\(left).\(right)"
    }
}
