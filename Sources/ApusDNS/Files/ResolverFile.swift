internal import ApusCore

extension ResolverSettings {
    private static let mostServers = 16
    private static let mostSearched = 32

    /// What `/etc/resolv.conf` says (`resolv.conf(5)`). Lines and options that are not known are left alone, as every
    /// reader of that file does; of contradictions the last one holds.
    ///
    /// Known: `nameserver`, `search`, `domain`, and the options `ndots`, `timeout`, `attempts` (with their limits of 15,
    /// 30 and 5), `rotate` and `use-vc`.
    public init(resolverFile text: some StringProtocol) {
        self.init()
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, first != "#", first != ";" else { continue }
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let keyword = words.first else { continue }
            switch keyword {
            case "nameserver":
                if words.count > 1, servers.count < Self.mostServers, let server = Self.server(words[1]) {
                    servers.append(server)
                }
            case "domain", "search":
                search = words.dropFirst().prefix(keyword == "domain" ? 1 : Self.mostSearched)
                    .prefix { !$0.hasPrefix("#") && !$0.hasPrefix(";") }
                    .compactMap { DomainName($0) }.filter { $0 != .root }
            case "options":
                for option in words.dropFirst() { read(option) }
            default: break
            }
        }
    }

    /// An address, for link-local ones with their interface.
    static func server(_ text: some StringProtocol) -> DNSServer? {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, let address = IPAddress(host) else { return nil }
        guard parts.count == 2 else { return DNSServer(address) }
        guard address.family == .v6, !parts[1].isEmpty, parts[1].utf8.count < 16 else { return nil }
        return DNSServer(address, zone: String(parts[1]))
    }

    private mutating func read(_ option: some StringProtocol) {
        let parts = option.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts[0], value) {
        case ("ndots", let value?) where value >= 0: dots = min(value, 15)
        case ("timeout", let value?) where value > 0: timeout = .seconds(min(value, 30))
        case ("attempts", let value?) where value > 0: attempts = min(value, 5)
        case ("rotate", _): rotates = true
        case ("use-vc", _): usesTCP = true
        default: break
        }
    }
}
