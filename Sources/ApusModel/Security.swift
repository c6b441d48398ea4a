package struct PeerAuthentication: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case unset = "UNSET"
        case disable = "DISABLE"
        case permissive = "PERMISSIVE"
        case strict = "STRICT"
    }

    package var selector: [String: String]?
    package var mtls: Mode?
    /// Keys are workload ports.
    package var portLevelMtls: [UInt32: Mode] = [:]
    package init() {}
}

/// `targetRefs[]` of policies: the object a policy is attached to.
package struct PolicyTargetReference: Hashable, Sendable {
    package var group = ""
    package var kind = ""
    package var name = ""
    package var namespace = ""
    package init() {}
}

package struct RequestAuthentication: Hashable, Sendable {
    package struct HeaderLocation: Hashable, Sendable {
        package var name = ""
        package var prefix = ""
        package init() {}
    }

    package struct ClaimToHeader: Hashable, Sendable {
        package var header = ""
        package var claim = ""
        package init() {}
    }

    package struct JWTRule: Hashable, Sendable {
        package var issuer = ""
        package var audiences: [String] = []
        package var jwksUri = ""
        package var jwks = ""
        package var fromHeaders: [HeaderLocation] = []
        package var fromParams: [String] = []
        package var fromCookies: [String] = []
        package var outputPayloadToHeader = ""
        package var outputClaimToHeaders: [ClaimToHeader] = []
        package var forwardOriginalToken = false
        package var timeout: Duration?
        package var spaceDelimitedClaims: [String] = []
        package init() {}
    }

    package var selector: [String: String]?
    package var targetRefs: [PolicyTargetReference] = []
    package var jwtRules: [JWTRule] = []
    package init() {}
}

package struct AuthorizationPolicy: Hashable, Sendable {
    package enum Action: String, Hashable, Sendable, CaseIterable {
        case allow = "ALLOW"
        case deny = "DENY"
        case audit = "AUDIT"
        case custom = "CUSTOM"
    }

    package struct Source: Hashable, Sendable {
        package var principals: [String] = []
        package var notPrincipals: [String] = []
        package var requestPrincipals: [String] = []
        package var notRequestPrincipals: [String] = []
        package var namespaces: [String] = []
        package var notNamespaces: [String] = []
        package var serviceAccounts: [String] = []
        package var notServiceAccounts: [String] = []
        package var trustDomains: [String] = []
        package var notTrustDomains: [String] = []
        package var ipBlocks: [String] = []
        package var notIpBlocks: [String] = []
        package var remoteIpBlocks: [String] = []
        package var notRemoteIpBlocks: [String] = []
        package init() {}
    }

    package struct Operation: Hashable, Sendable {
        package var hosts: [String] = []
        package var notHosts: [String] = []
        package var ports: [String] = []
        package var notPorts: [String] = []
        package var methods: [String] = []
        package var notMethods: [String] = []
        package var paths: [String] = []
        package var notPaths: [String] = []
        package init() {}
    }

    package struct Condition: Hashable, Sendable {
        package var key = ""
        package var values: [String] = []
        package var notValues: [String] = []
        package init() {}
    }

    package struct Rule: Hashable, Sendable {
        package var from: [Source] = []
        package var to: [Operation] = []
        package var when: [Condition] = []
        package init() {}
    }

    package var selector: [String: String]?
    package var targetRefs: [PolicyTargetReference] = []
    package var action = Action.allow
    package var provider = ""
    package var rules: [Rule] = []
    package init() {}
}
