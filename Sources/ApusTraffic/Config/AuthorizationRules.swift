public import ApusCore

/// `config.rbac.v3.RBAC`: named policies, each with rules on what is asked for and on who asks.
public final class AuthorizationRules: Sendable {
    public enum Action: Hashable, Sendable { case allow, deny, log }

    /// A permission or a principal; both languages have the same operators.
    public indirect enum Condition: Sendable {
        case always
        /// Asks for what no stream of this proxy has: filter state.
        case never
        case all([Condition])
        case either([Condition])
        case not(Condition)
        /// Of a raw connection no header is there.
        case header(HeaderMatch)
        /// The path without query and fragment.
        case path(StringMatch)
        case destination(CIDR)
        /// Half open.
        case destinationPort(from: Int32, until: Int32)
        case serverName(StringMatch)
        /// `source_ip` and `direct_remote_ip`: the other end of the socket.
        case peerAddress(CIDR)
        /// `remote_ip`: the client as the forwarded addresses tell it.
        case clientAddress(CIDR)
        /// A verified certificate, with a name that passes; nil: any certificate.
        case authenticated(StringMatch?)
        /// What other filters have said about the request: claims of its token.
        case metadata(MetadataMatch)
    }

    public struct Policy: Sendable {
        public let name: String
        /// One has to hold.
        public let permissions: [Condition]
        /// One has to hold.
        public let principals: [Condition]

        public init(name: String, permissions: [Condition], principals: [Condition]) {
            self.name = name
            self.permissions = permissions
            self.principals = principals
        }
    }

    public let action: Action
    /// Sorted by name: the first that matches gives its name to the logs.
    public let policies: [Policy]

    public init(action: Action, policies: [Policy]) {
        self.action = action
        self.policies = policies.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

/// The RBAC filter of HTTP and of raw connections.
public final class AuthorizationFilter: Sendable {
    /// nil: nothing is enforced.
    public let rules: AuthorizationRules?
    /// Judged and counted, not enforced.
    public let shadow: AuthorizationRules?
    /// What stands before `allowed` and `denied` in the names of the counters.
    public let statPrefix: String
    public let shadowStatPrefix: String
    /// A denied raw connection is closed so much later.
    public let denyDelay: Duration?

    public init(
        rules: AuthorizationRules?, shadow: AuthorizationRules? = nil, statPrefix: String = "",
        shadowStatPrefix: String = "", denyDelay: Duration? = nil
    ) {
        self.rules = rules
        self.shadow = shadow
        self.statPrefix = statPrefix
        self.shadowStatPrefix = shadowStatPrefix
        self.denyDelay = denyDelay
    }
}
