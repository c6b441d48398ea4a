public import ApusCore

/// An address and the seconds that it may be believed.
public struct ResolvedAddress: Hashable, Sendable {
    public let address: IPAddress
    /// 0: for this once, or not said (literals, the hosts file).
    public let ttl: UInt32

    public init(_ address: IPAddress, ttl: UInt32 = 0) {
        self.address = address
        self.ttl = ttl
    }
}

/// What became of one question.
public enum DNSAnswer: Hashable, Sendable {
    case addresses([ResolvedAddress])
    /// The name exists and has no such records; for how many seconds that may be believed, if the zone says so.
    case noData(ttl: UInt32?)
    /// There is no such name, nor any below it.
    case noName(ttl: UInt32?)
    /// Nobody answered, or nobody who would say.
    case failed(DNSFailure)
}

public enum DNSFailure: Hashable, Sendable, CustomStringConvertible {
    case noServers
    case badName
    case timedOut
    case unreachable
    case refused(DNSMessage.Code)
    /// Too many questions at once.
    case overloaded

    public var description: String {
        switch self {
        case .noServers: "no name server is known"
        case .badName: "not a name"
        case .timedOut: "no name server answered in time"
        case .unreachable: "no name server could be reached"
        case .refused(let code): "the name servers answered \(code.name)"
        case .overloaded: "too many questions are waiting"
        }
    }
}

extension DNSMessage {
    /// Aliases in a row; a chain as long as this is a ring.
    private static let mostAliases = 16

    /// What an answer without an error says to the question. An alias is followed within the message: servers that
    /// recurse send the chain whole. Records of other names do not count.
    public func answer(to question: DNSQuestion) -> DNSAnswer {
        if code == .nameError { return .noName(ttl: negativeTTL) }
        var name = question.name
        var ttl = UInt32.max
        for _ in 0...Self.mostAliases {
            var found: [ResolvedAddress] = []
            var alias: DNSRecord?
            for record in answers where record.name == name && record.recordClass == 1 {
                switch record.content {
                case .address(let address) where record.type == question.type:
                    found.append(ResolvedAddress(address, ttl: min(ttl, record.ttl)))
                case .alias: alias = alias ?? record
                default: break
                }
            }
            if !found.isEmpty { return .addresses(found) }
            guard let alias, case .alias(let next) = alias.content else { break }
            ttl = min(ttl, alias.ttl)
            name = next
        }
        return .noData(ttl: negativeTTL)
    }

    /// RFC 2308 section 5: the smaller one of the SOA's own and the one that it names.
    public var negativeTTL: UInt32? {
        for record in authorities {
            if case .authority(let authority) = record.content { return min(record.ttl, authority.minimum) }
        }
        return nil
    }
}
