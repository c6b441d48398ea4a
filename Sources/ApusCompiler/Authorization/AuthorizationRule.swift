internal import ApusAPI
internal import ApusCore
internal import ApusModel
internal import SwiftProtobuf

/// One rule of an AuthorizationPolicy as a policy of Envoy's RBAC: what it says of the callers as principals, what it
/// says of the request as permissions.
struct AuthorizationRule {
    typealias Permission = Envoy_Config_Rbac_V3_Permission
    typealias Principal = Envoy_Config_Rbac_V3_Principal
    typealias StringMatcher = Envoy_Type_Matcher_V3_StringMatcher

    /// Of the policy: service accounts without a namespace are of this one.
    let namespace: String
    let trustDomains: [String]
    let isHTTP: Bool
    let isAllow: Bool

    /// nil: a rule of ALLOW with a field that cannot be judged here (one of HTTP on a raw connection) allows nothing. Other actions go by what is left of the rule, which is wider.
    func compile(_ rule: AuthorizationPolicy.Rule) -> Envoy_Config_Rbac_V3_Policy? {
        var permissions = Terms<Permission>()
        var principals = Terms<Principal>()
        for condition in rule.when { when(condition, &permissions, &principals) }
        // Every entry has the conditions of `when`, too. Where one cannot be judged the whole rule of ALLOW allows nothing,
        // as with Istio.
        var isUnjudged = permissions.isUnjudged || principals.isUnjudged
        let operations = rule.to.map { operation in
            var terms = permissions
            self.operation(operation, &terms)
            isUnjudged = isUnjudged || terms.isUnjudged
            return terms.all
        }
        let sources = rule.from.map { source in
            var terms = principals
            self.source(source, &terms)
            isUnjudged = isUnjudged || terms.isUnjudged
            return terms.all
        }
        if isAllow, isUnjudged { return nil }
        var policy = Envoy_Config_Rbac_V3_Policy()
        policy.permissions = rule.to.isEmpty ? [permissions.all] : operations
        policy.principals = rule.from.isEmpty ? [principals.all] : sources
        return policy
    }

    // MARK: Parts of a rule

    private func operation(_ operation: AuthorizationPolicy.Operation, _ terms: inout Terms<Permission>) {
        terms.add(operation.ports, not: operation.notPorts, port)
        terms.add(operation.hosts, not: operation.notHosts, isJudged: isHTTP) {
            Self.permission(.header(Self.header(":authority", $0, ignoresCase: true)))
        }
        terms.add(operation.methods, not: operation.notMethods, isJudged: isHTTP) {
            Self.permission(.header(Self.header(":method", $0)))
        }
        terms.add(operation.paths, not: operation.notPaths, isJudged: isHTTP) { value in
            Self.permission(.urlPath(.with { $0.path = Self.path(value) }))
        }
    }

    private func source(_ source: AuthorizationPolicy.Source, _ terms: inout Terms<Principal>) {
        terms.add(source.principals, not: source.notPrincipals, principal)
        terms.add(
            source.requestPrincipals, not: source.notRequestPrincipals, isJudged: isHTTP, TokenCondition.principal)
        terms.add(source.namespaces, not: source.notNamespaces, ofNamespace)
        terms.add(source.serviceAccounts, not: source.notServiceAccounts, serviceAccount)
        terms.add(source.trustDomains, not: source.notTrustDomains, trustDomain)
        terms.add(source.ipBlocks, not: source.notIpBlocks, peer)
        terms.add(source.remoteIpBlocks, not: source.notRemoteIpBlocks, client)
    }

    private func when(
        _ condition: AuthorizationPolicy.Condition, _ permissions: inout Terms<Permission>,
        _ principals: inout Terms<Principal>
    ) {
        let (values, without) = (condition.values, condition.notValues)
        switch condition.key {
        case "source.ip": principals.add(values, not: without, peer)
        case "remote.ip": principals.add(values, not: without, client)
        case "source.namespace": principals.add(values, not: without, ofNamespace)
        case "source.principal": principals.add(values, not: without, principal)
        case "source.serviceAccount": principals.add(values, not: without, serviceAccount)
        case "source.trustDomain": principals.add(values, not: without, trustDomain)
        case "destination.port": permissions.add(values, not: without, port)
        case "destination.ip":
            permissions.add(values, not: without) { value in
                Self.range(value).map { Self.permission(.destinationIp($0)) } ?? .nothing
            }
        case "connection.sni":
            permissions.add(values, not: without) { Self.permission(.requestedServerName(Self.string($0))) }
        case let key where key.hasPrefix("request.headers[") && key.hasSuffix("]"):
            let name = String(key.dropFirst("request.headers[".count).dropLast())
            principals.add(values, not: without, isJudged: isHTTP) {
                Self.principal(.header(Self.header(name, $0)))
            }
        case "request.auth.principal":
            principals.add(values, not: without, isJudged: isHTTP, TokenCondition.principal)
        case "request.auth.audiences":
            principals.add(values, not: without, isJudged: isHTTP) { TokenCondition.claim(["aud"], $0) }
        case "request.auth.presenter":
            principals.add(values, not: without, isJudged: isHTTP) { TokenCondition.claim(["azp"], $0) }
        case let key where key.hasPrefix("request.auth.claims[") && key.hasSuffix("]"):
            let path = TokenCondition.names(inBrackets: key.dropFirst("request.auth.claims".count))
            principals.add(values, not: without, isJudged: isHTTP) { TokenCondition.claim(path, $0) }
        case let key where key.hasPrefix("experimental.envoy.filters.") && key.hasSuffix("]"):
            let parts = key.dropFirst("experimental.".count).dropLast().split(separator: "[", maxSplits: 1)
            permissions.add(values, not: without, isJudged: parts.count == 2) {
                Self.permission(.metadata(TokenCondition.metadata(String(parts[0]), String(parts[1]), $0)))
            }
        default:
            // Validation knows no other key.
            principals.add(values, not: without, isJudged: false) { _ in .nobody }
        }
    }

    // MARK: Values

    private func port(_ value: String) -> Permission {
        UInt32(value).map { Self.permission(.destinationPort($0)) } ?? .nothing
    }

    private func peer(_ value: String) -> Principal {
        Self.range(value).map { Self.principal(.directRemoteIp($0)) } ?? .nobody
    }

    private func client(_ value: String) -> Principal {
        Self.range(value).map { Self.principal(.remoteIp($0)) } ?? .nobody
    }

    private func principal(_ value: String) -> Principal {
        if value == "*" { return Self.authenticated(Self.regex(".+")) }
        if value.hasPrefix("*") {
            return Self.authenticated(Self.regex("spiffe://.*" + Self.quoted(value.dropFirst())))
        }
        guard let slash = value.firstIndex(of: "/"),
            trustDomains.contains(String(value[..<slash])) || value[..<slash] == "cluster.local"
        else { return Self.authenticated(Self.string("spiffe://" + value)) }
        var domains = trustDomains
        let own = String(value[..<slash])
        if !domains.contains(own) { domains.append(own) }
        return .either(domains.map { Self.authenticated(Self.string("spiffe://\($0)\(value[slash...])")) })
    }

    private func ofNamespace(_ value: String) -> Principal {
        let pattern = value.split(separator: "*", omittingEmptySubsequences: false).map(Self.quoted)
        return Self.authenticated(Self.regex(".*/ns/" + pattern.joined(separator: ".*") + "/.*"))
    }

    private func serviceAccount(_ value: String) -> Principal {
        let parts = value.split(separator: "/", maxSplits: 1)
        let namespace = parts.count == 2 ? Self.quoted(parts[0]) : Self.quoted(self.namespace[...])
        let name = Self.quoted(parts.last ?? "")
        return Self.authenticated(Self.regex("spiffe://.+/ns/\(namespace)/(.+/|)sa/\(name)(/.+)?"))
    }

    private func trustDomain(_ value: String) -> Principal {
        if value == "*" { return Self.authenticated(Self.regex(".+")) }
        if value.hasPrefix("*") {
            return Self.authenticated(Self.regex("spiffe://[^/]*" + Self.quoted(value.dropFirst()) + "/.*"))
        }
        return Self.authenticated(
            Self.string(value.hasSuffix("*") ? "spiffe://" + value : "spiffe://" + value + "/*"))
    }

    // MARK: Matchers

    private static func permission(_ rule: Permission.OneOf_Rule) -> Permission { .with { $0.rule = rule } }

    static func principal(_ rule: Principal.OneOf_Identifier) -> Principal { .with { $0.identifier = rule } }

    private static func authenticated(_ name: StringMatcher) -> Principal {
        .with { $0.authenticated.principalName = name }
    }

    /// `*`: anything but nothing; a wildcard at the beginning is looked at first.
    static func string(_ value: String, ignoresCase: Bool = false) -> StringMatcher {
        if value == "*" { return regex(".+") }
        return .with {
            if value.hasPrefix("*") {
                $0.suffix = String(value.dropFirst())
            } else if value.hasSuffix("*") {
                $0.prefix = String(value.dropLast())
            } else {
                $0.exact = value
            }
            $0.ignoreCase = ignoresCase
        }
    }

    /// `*`: the header is there, even empty.
    private static func header(_ name: String, _ value: String, ignoresCase: Bool = false) -> XDS.HeaderMatcher {
        .with {
            $0.name = name
            if value == "*" {
                $0.presentMatch = true
            } else {
                $0.stringMatch = string(value, ignoresCase: ignoresCase)
            }
        }
    }

    /// `{*}` stands for one segment, `{**}` for any rest. A regular expression says it to every proxy.
    private static func path(_ value: String) -> StringMatcher {
        guard value.contains("{*}") || value.contains("{**}") else { return string(value) }
        var pattern = ""
        var rest = value[...]
        while !rest.isEmpty {
            if rest.hasPrefix("{**}") {
                pattern += ".*"
                rest = rest.dropFirst(4)
            } else if rest.hasPrefix("{*}") {
                pattern += "[^/]+"
                rest = rest.dropFirst(3)
            } else {
                pattern += quoted(rest.prefix(1))
                rest = rest.dropFirst()
            }
        }
        return regex(pattern)
    }

    static func regex(_ pattern: String) -> StringMatcher { .with { $0.safeRegex.regex = pattern } }

    private static func quoted(_ text: Substring) -> String {
        var result = ""
        for character in text {
            if #"\.+*?()|[]{}^$"#.contains(character) { result += "\\" }
            result.append(character)
        }
        return result
    }

    private static func range(_ text: String) -> Envoy_Config_Core_V3_CidrRange? {
        guard let range = CIDR(text) else { return nil }
        return .with {
            $0.addressPrefix = range.address.description
            $0.prefixLen.value = UInt32(range.prefixLength)
        }
    }
}

/// What Permission and Principal have in common.
fileprivate protocol Condition {
    static var anything: Self { get }
    static func every(_ parts: [Self]) -> Self
    static func either(_ parts: [Self]) -> Self
    static func not(_ part: Self) -> Self
}

extension Envoy_Config_Rbac_V3_Permission: Condition {
    static var anything: Self { .with { $0.any = true } }
    static var nothing: Self { .not(.anything) }
    static func every(_ parts: [Self]) -> Self { .with { $0.andRules.rules = parts } }
    static func either(_ parts: [Self]) -> Self { .with { $0.orRules.rules = parts } }
    static func not(_ part: Self) -> Self { .with { $0.notRule = part } }
}

extension Envoy_Config_Rbac_V3_Principal: Condition {
    static var anything: Self { .with { $0.any = true } }
    static var nobody: Self { .not(.anything) }
    static func every(_ parts: [Self]) -> Self { .with { $0.andIds.ids = parts } }
    static func either(_ parts: [Self]) -> Self { .with { $0.orIds.ids = parts } }
    static func not(_ part: Self) -> Self { .with { $0.notID = part } }
}

/// Conditions that have to hold together.
private struct Terms<Part: Condition> {
    private var parts: [Part] = []
    /// Something was asked for that cannot be judged here; it is not among the parts.
    private(set) var isUnjudged = false

    init() {}

    /// One of `values`, and none of `others`; an empty list asks for nothing.
    mutating func add(_ values: [String], not others: [String], isJudged: Bool = true, _ part: (String) -> Part) {
        if values.isEmpty, others.isEmpty { return }
        guard isJudged else {
            isUnjudged = true
            return
        }
        if !values.isEmpty { parts.append(.either(values.map(part))) }
        if !others.isEmpty { parts.append(.not(.either(others.map(part)))) }
    }

    var all: Part { parts.isEmpty ? .anything : .every(parts) }
}
