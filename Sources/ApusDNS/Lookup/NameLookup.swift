internal import ApusCore

/// Which addresses of a name are wanted: Envoy's `DnsLookupFamily`.
public enum LookupFamily: Hashable, Sendable {
    /// IPv6; IPv4 if there is none.
    case automatic
    case v4Only
    case v6Only
    /// IPv4; IPv6 if there is none.
    case v4Preferred
    case all

    /// One after another, until one has addresses.
    fileprivate var rounds: [[DNSRecordType]] {
        switch self {
        case .automatic: [[.aaaa], [.a]]
        case .v4Only: [[.a]]
        case .v6Only: [[.aaaa]]
        case .v4Preferred: [[.a], [.aaaa]]
        case .all: [[.a, .aaaa]]
        }
    }
}

/// From a name to its addresses: literals, names of this machine, the hosts file, and then questions for the name behind
/// each domain of the search list.
///
/// Each family goes through the whole search list before the next one does, as with Envoy's resolver: the IPv6 address of
/// a name further down the list comes before the IPv4 address of one further up.
public struct NameLookup: Sendable {
    public enum Result: Hashable, Sendable {
        /// Empty: there is no such name, or it has no such address. Then for how many seconds that may be believed, if
        /// known.
        case completed([ResolvedAddress], negativeTTL: UInt32? = nil)
        case failed(DNSFailure)
    }

    public enum Step: Hashable, Sendable {
        /// To be asked at the same time; each is to be answered.
        case ask([DNSQuestion])
        case wait
        case done(Result)
    }

    private let hosts: HostsFile
    private var rounds: [[DNSRecordType]]
    private let name: DomainName?
    private let candidates: [DomainName]
    /// Of the candidates, the one that is being asked for.
    private var position = 0
    /// Questions of which the answer has not come.
    private var pending: [DNSQuestion] = []
    private var found: [DNSRecordType: [ResolvedAddress]] = [:]
    private var failure: DNSFailure?
    /// The shortest one heard in this round.
    private var negativeTTL: UInt32?
    private let literal: IPAddress?

    /// - Parameter usesSearch: false: the name is asked for as it is.
    public init(
        _ text: String, family: LookupFamily, settings: ResolverSettings, hosts: HostsFile, usesSearch: Bool = true
    ) {
        self.hosts = hosts
        rounds = family.rounds
        literal = IPAddress(text)
        let name = DomainName(text)
        self.name = name
        guard let name else {
            candidates = []
            return
        }
        let isAbsolute = text.utf8.last == UInt8(ascii: ".")
        guard usesSearch, !isAbsolute, !settings.search.isEmpty else {
            candidates = [name]
            return
        }
        let longer = settings.search.compactMap { name.appending($0) }
        candidates = name.labels.count - 1 >= settings.dots ? [name] + longer : longer + [name]
    }

    public mutating func start() -> Step {
        if let literal {
            return .done(.completed(rounds.joined().contains(literal.type) ? [ResolvedAddress(literal)] : []))
        }
        guard let name else { return .done(.failed(.badName)) }
        // RFC 7686 section 2: onion names are not for the DNS.
        if name.isWithin(Self.onion) { return .done(.completed([])) }
        return beginRound(name)
    }

    private static let localhost = DomainName("localhost") ?? .root
    private static let onion = DomainName("onion") ?? .root

    private mutating func beginRound(_ name: DomainName) -> Step {
        while let types = rounds.first {
            let local = local(name, types)
            if !local.isEmpty { return .done(.completed(local)) }
            // RFC 6761 section 6.3: these names never leave the machine.
            if !name.isWithin(Self.localhost) { break }
            rounds.removeFirst()
        }
        guard !rounds.isEmpty else { return .done(.completed([])) }
        position = 0
        failure = nil
        return ask()
    }

    private func local(_ name: DomainName, _ types: [DNSRecordType]) -> [ResolvedAddress] {
        let written = hosts[name].filter { types.contains($0.type) }
        if !written.isEmpty { return written.map { ResolvedAddress($0) } }
        guard name.isWithin(Self.localhost) else { return [] }
        return types.map { ResolvedAddress($0 == .a ? IPAddress(v4: 0x7F00_0001) : IPAddress(v6: 1)) }
    }

    private mutating func ask() -> Step {
        pending = rounds[0].map { DNSQuestion(candidates[position], $0) }
        found = [:]
        return .ask(pending)
    }

    public mutating func take(_ answer: DNSAnswer, to question: DNSQuestion) -> Step {
        guard let index = pending.firstIndex(of: question) else { return .wait }
        pending.remove(at: index)
        switch answer {
        case .addresses(let addresses): found[question.type] = addresses
        case .noData(let ttl), .noName(let ttl):
            if let ttl { negativeTTL = min(negativeTTL ?? ttl, ttl) }
        case .failed(let reason): failure = failure ?? reason
        }
        guard pending.isEmpty else { return .wait }
        // In the order of the types, whichever came first.
        let addresses = rounds[0].flatMap { found[$0] ?? [] }
        if !addresses.isEmpty { return .done(.completed(addresses)) }
        if failure == nil, position + 1 < candidates.count {
            position += 1
            return ask()
        }
        rounds.removeFirst()
        if let name, !rounds.isEmpty { return beginRound(name) }
        if let failure { return .done(.failed(failure)) }
        return .done(.completed([], negativeTTL: negativeTTL))
    }
}

extension IPAddress {
    /// Of the records that hold such addresses.
    fileprivate var type: DNSRecordType { family == .v4 ? .a : .aaaa }
}
