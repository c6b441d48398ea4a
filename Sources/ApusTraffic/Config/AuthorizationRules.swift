package import ApusCore

/// `config.rbac.v3.RBAC`: named policies, each with rules on what is asked for and on who asks.
package final class AuthorizationRules: Sendable {
    package enum Action: Hashable, Sendable { case allow, deny, log }

    /// A permission or a principal; both languages have the same operators.
    package indirect enum Condition: Sendable {
        case always
        /// Asks for what no stream of this proxy has: dynamic metadata or filter state.
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
    }

    package struct Policy: Sendable {
        package let name: String
        /// One has to hold.
        package let permissions: [Condition]
        /// One has to hold.
        package let principals: [Condition]

        package init(name: String, permissions: [Condition], principals: [Condition]) {
            self.name = name
            self.permissions = permissions
            self.principals = principals
        }
    }

    package let action: Action
    /// Sorted by name: the first that matches gives its name to the logs.
    package let policies: [Policy]

    package init(action: Action, policies: [Policy]) {
        self.action = action
        self.policies = policies.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

/// The RBAC filter of HTTP and of raw connections.
package final class AuthorizationFilter: Sendable {
    /// nil: nothing is enforced.
    package let rules: AuthorizationRules?
    /// Judged and counted, not enforced.
    package let shadow: AuthorizationRules?
    /// What stands before `allowed` and `denied` in the names of the counters.
    package let statPrefix: String
    package let shadowStatPrefix: String
    /// A denied raw connection is closed so much later.
    package let denyDelay: Duration?

    package init(
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
