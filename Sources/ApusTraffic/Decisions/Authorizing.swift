public import ApusCore

/// What authorisation may know of a connection.
public struct AuthorizationFacts: Sendable {
    /// Where the client wanted to go, before any redirection.
    public var destination: IPAddress?
    public var destinationPort: UInt16
    public var serverName: String
    public var peerAddress: IPAddress?
    public var clientAddress: IPAddress?
    /// Names of the verified certificate of the client, URIs first, then DNS names, then the subject; nil: no certificate.
    public var peerNames: [String]?
    /// Of a request: what filters before this one have said about it.
    public var metadata: DynamicMetadata

    public init(
        destination: IPAddress?, destinationPort: UInt16, serverName: String = "", peerAddress: IPAddress?,
        clientAddress: IPAddress?, peerNames: [String]? = nil, metadata: DynamicMetadata = [:]
    ) {
        self.destination = destination
        self.destinationPort = destinationPort
        self.serverName = serverName
        self.peerAddress = peerAddress
        self.clientAddress = clientAddress
        self.peerNames = peerNames
        self.metadata = metadata
    }
}

/// The answer of a set of rules.
public struct AuthorizationVerdict: Hashable, Sendable {
    public let isAllowed: Bool
    /// The policy that matched.
    public let policy: String?

    public init(isAllowed: Bool, policy: String?) {
        self.isAllowed = isAllowed
        self.policy = policy
    }
}

extension AuthorizationRules {
    /// ALLOW lets in what some policy matches, DENY what none matches, LOG everything.
    public func judge(_ head: HTTPHead?, _ facts: AuthorizationFacts) -> AuthorizationVerdict {
        let match = policies.first { policy in
            policy.permissions.contains { $0.holds(head, facts) }
                && policy.principals.contains { $0.holds(head, facts) }
        }
        let isAllowed =
            switch action {
            case .allow: match != nil
            case .deny: match == nil
            case .log: true
            }
        return AuthorizationVerdict(isAllowed: isAllowed, policy: match?.name)
    }
}

extension AuthorizationRules.Condition {
    private static let noHead = HTTPHead()

    func holds(_ head: HTTPHead?, _ facts: AuthorizationFacts) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .all(let parts): return parts.allSatisfy { $0.holds(head, facts) }
        case .either(let parts): return parts.contains { $0.holds(head, facts) }
        case .not(let inner): return !inner.holds(head, facts)
        case .header(let match): return match.matches(head ?? Self.noHead)
        case .path(let match):
            guard let head, !head.path.isEmpty else { return false }
            return head.withBytes(head.pathWithoutQuery) { match.matches($0) }
        case .destination(let range): return facts.destination.map { range.contains($0) } ?? false
        case .destinationPort(let from, let until):
            let port = Int32(facts.destinationPort)
            return port >= from && port < until
        case .serverName(let match): return match.matches(facts.serverName)
        case .peerAddress(let range): return facts.peerAddress.map { range.contains($0) } ?? false
        case .clientAddress(let range): return facts.clientAddress.map { range.contains($0) } ?? false
        case .authenticated(let match):
            guard let names = facts.peerNames else { return false }
            return match.map { match in names.contains { match.matches($0) } } ?? true
        case .metadata(let match): return match.matches(facts.metadata)
        }
    }
}

extension StringMatch {
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }
}

extension LocalReply {
    /// - Parameter policy: the policy that denied; nil: none allowed.
    public static func accessDenied(policy: String?) -> LocalReply {
        let name = (policy ?? "none").map { $0.isWhitespace ? "_" : $0 }
        return LocalReply(
            403, "RBAC: access denied", details: "rbac_access_denied_matched_policy[\(String(name))]")
    }
}
