internal import ApusCore
internal import ApusModel

extension Checks {
    /// Rules and matches that can never be used, because an earlier rule takes all their requests.
    func reachability(_ rules: [HTTPRule]) {
        // Quadratic; a list that long is generated, and its author will not read the finding.
        let matches = rules.reduce(0) { $0 + max(1, $1.match.count) }
        guard matches > 1, matches <= 2000 else { return }
        var earlier: [(rule: Int, match: HTTPMatch)] = []
        for (index, rule) in rules.enumerated() {
            let matches = rule.match.isEmpty ? [HTTPMatch()] : rule.match
            var covered: [(match: Int, by: Int)] = []
            for (position, match) in matches.enumerated() {
                if let other = earlier.first(where: { $0.match.covers(match) }) {
                    covered.append((position, other.rule))
                }
            }
            if covered.count == matches.count, let first = covered.first {
                let by = rules[first.by].match.isEmpty ? "takes every request" : "takes the same requests"
                report(
                    .warning, FindingCode.unreachableRule, "spec.http[\(index)]",
                    "the rule is never used: rule \(first.by) before it \(by)",
                    hint: "put the more specific rule first")
            } else {
                for (position, by) in covered {
                    report(
                        .info, FindingCode.ineffectiveMatch, "spec.http[\(index)].match[\(position)]",
                        "the match is never used: rule \(by) before it takes the same requests")
                }
            }
            // A delegate may let requests pass on to later rules.
            if rule.delegate == nil {
                earlier.append(contentsOf: matches.map { (index, $0) })
            }
        }
    }
}

extension HTTPMatch {
    /// True if every request that `other` takes is taken by this match.
    fileprivate func covers(_ other: HTTPMatch) -> Bool {
        if let uri {
            guard let theirs = other.uri, ignoreUriCase == other.ignoreUriCase, uri.covers(theirs) else {
                return false
            }
        }
        func covers(_ mine: StringMatch?, _ theirs: StringMatch?) -> Bool {
            guard let mine else { return true }
            return theirs.map(mine.covers) ?? false
        }
        func covers(_ mine: [String: StringMatch], _ theirs: [String: StringMatch]) -> Bool {
            mine.allSatisfy { name, match in theirs[name].map(match.covers) ?? false }
        }
        guard covers(scheme, other.scheme), covers(method, other.method), covers(authority, other.authority),
            covers(headers, other.headers), covers(queryParams, other.queryParams)
        else { return false }
        // A negated condition is implied only by itself.
        guard withoutHeaders.allSatisfy({ other.withoutHeaders[$0.key] == $0.value }) else { return false }
        if let port, port != other.port { return false }
        guard sourceLabels.allSatisfy({ other.sourceLabels[$0.key] == $0.value }) else { return false }
        if !sourceNamespace.isEmpty, sourceNamespace != other.sourceNamespace { return false }
        if !gateways.isEmpty {
            guard !other.gateways.isEmpty, Set(other.gateways).isSubset(of: gateways) else { return false }
        }
        return true
    }
}

extension StringMatch {
    fileprivate func covers(_ other: StringMatch) -> Bool {
        switch (self, other) {
        case (.present, _): true
        case (.exact(let mine), .exact(let theirs)): mine == theirs
        case (.prefix(let mine), .exact(let theirs)), (.prefix(let mine), .prefix(let theirs)):
            theirs.hasPrefix(mine)
        case (.regex(let mine), .regex(let theirs)): mine == theirs
        case (.regex(".*"), _): true
        default: false
        }
    }
}
