internal import ApusCore

/// Hosts that can be asked for overlaps without comparing each with each.
struct HostSet {
    private var exact: Set<String> = []
    /// What follows the `*` of each wildcard.
    private var suffixes: Set<String> = []

    init(_ hosts: [String]) {
        for host in hosts.map({ $0.lowercased() }) {
            if host.hasPrefix("*") {
                suffixes.insert(String(host.dropFirst()))
            } else {
                exact.insert(host)
            }
        }
    }

    /// True if everything that `host` means is meant by one host of the set.
    func covers(_ host: String) -> Bool {
        let host = host.lowercased()
        if exact.contains(host) { return true }
        return wildcard(above: host, orEqual: true) != nil
    }

    /// The wildcard of the set that covers the host and is another.
    func wildcard(above host: String, orEqual: Bool = false) -> String? {
        guard !suffixes.isEmpty else { return nil }
        let isWildcard = host.hasPrefix("*")
        let text = isWildcard ? host.dropFirst() : host[...]
        // Every end of the name: a suffix may begin anywhere in it (`*-test.example.com`).
        var rest = text
        if !isWildcard, !rest.isEmpty { rest = rest.dropFirst() }
        var isWhole = isWildcard
        while true {
            if !(isWhole && !orEqual), suffixes.contains(String(rest)) { return "*" + rest }
            isWhole = false
            guard !rest.isEmpty else { return nil }
            rest = rest.dropFirst()
        }
    }
}
