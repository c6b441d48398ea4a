internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension Checks {
    private func targets(_ targets: [PolicyTargetReference], _ hasSelector: Bool) {
        if hasSelector, !targets.isEmpty {
            error("spec.targetRefs", "selector and targetRefs exclude each other", hint: "keep one of them")
        }
        for (index, target) in targets.enumerated() {
            if target.kind.isEmpty { error("spec.targetRefs[\(index)]", "the reference has no kind") }
            if target.name.isEmpty { error("spec.targetRefs[\(index)]", "the reference has no name") }
        }
    }

    func peerAuthentication(_ spec: PeerAuthentication) {
        selector(spec.selector, "spec.selector.matchLabels")
        if !spec.portLevelMtls.isEmpty, spec.selector?.isEmpty ?? true {
            error(
                "spec.portLevelMtls", "portLevelMtls needs a selector",
                hint: "add selector.matchLabels for the workload whose ports these are")
        }
    }

    // MARK: RequestAuthentication

    func requestAuthentication(_ spec: RequestAuthentication) {
        selector(spec.selector, "spec.selector.matchLabels")
        targets(spec.targetRefs, spec.selector != nil)
        for (index, rule) in spec.jwtRules.enumerated() { jwt(rule, "spec.jwtRules[\(index)]") }
    }

    private func jwt(_ rule: RequestAuthentication.JWTRule, _ path: @autoclosure Path) {
        if rule.issuer.isEmpty, rule.jwksUri.isEmpty { error(path(), "the JWT rule has no issuer") }
        func nonempty(_ list: [String], _ field: String, _ what: String) {
            for (index, text) in list.enumerated() where text.isEmpty {
                error("\(path()).\(field)[\(index)]", "\(what) is empty")
            }
        }
        nonempty(rule.audiences, "audiences", "the audience")
        nonempty(rule.fromParams, "fromParams", "the query parameter")
        nonempty(rule.fromCookies, "fromCookies", "the cookie")
        nonempty(rule.fromHeaders.map(\.name), "fromHeaders", "the header's name")
        nonempty(rule.spaceDelimitedClaims, "spaceDelimitedClaims", "the claim")
        for (index, entry) in rule.outputClaimToHeaders.enumerated() {
            if entry.header.isEmpty || entry.claim.isEmpty {
                error("\(path()).outputClaimToHeaders[\(index)]", "the entry needs both header and claim")
            } else if !DNSName.isToken(entry.header) {
                error(
                    "\(path()).outputClaimToHeaders[\(index)].header", "\"\(entry.header)\" is not the name of a header"
                )
            }
        }
        if !rule.outputPayloadToHeader.isEmpty, !DNSName.isToken(rule.outputPayloadToHeader) {
            error(
                "\(path()).outputPayloadToHeader", "\"\(rule.outputPayloadToHeader)\" is not the name of a header")
        }
        duration(rule.timeout, "\(path()).timeout")
        if !rule.jwksUri.isEmpty {
            if !rule.jwks.isEmpty {
                error("\(path()).jwks", "jwks and jwksUri are both given", hint: "keep one of them")
            }
            if !rule.jwksUri.hasPrefix("http://"), !rule.jwksUri.hasPrefix("https://") {
                error("\(path()).jwksUri", "\"\(rule.jwksUri)\" is not an http or https URL")
            }
        }
        guard !rule.jwks.isEmpty else { return }
        let parsed = YAMLFile.parse(file: "", text: Array(rule.jwks.utf8))
        guard parsed.findings.isEmpty, parsed.documents.count == 1, let keys = parsed.documents[0].root["keys"],
            keys.kind == .sequence, keys.items.allSatisfy({ $0["kty"] != nil })
        else {
            error("\(path()).jwks", "jwks is not a JSON Web Key Set", hint: "it begins with {\"keys\": [")
            return
        }
        if keys.items.contains(where: { $0["d"] != nil || $0["k"] != nil }) {
            warning("\(path()).jwks", "jwks has private key material", hint: "publish the public keys only")
        }
    }

    // MARK: AuthorizationPolicy

    func authorizationPolicy(_ spec: AuthorizationPolicy) {
        selector(spec.selector, "spec.selector.matchLabels")
        targets(spec.targetRefs, spec.selector != nil)
        switch spec.action {
        case .custom:
            if spec.provider.isEmpty { error("spec", "action CUSTOM needs provider.name") }
            if spec.rules.isEmpty { error("spec", "action CUSTOM needs rules") }
        case .deny:
            if spec.rules.isEmpty { error("spec", "action DENY without rules denies nothing", hint: "add a rule") }
        case .allow, .audit:
            break
        }
        if spec.action != .custom, !spec.provider.isEmpty {
            error("spec.provider", "provider is for action CUSTOM only")
        }
        for (index, rule) in spec.rules.enumerated() { self.rule(rule, spec.action, "spec.rules[\(index)]") }
    }

    private func rule(
        _ rule: AuthorizationPolicy.Rule, _ action: AuthorizationPolicy.Action, _ path: @autoclosure Path
    ) {
        for (index, source) in rule.from.enumerated() { self.source(source, "\(path()).from[\(index)].source") }
        for (index, operation) in rule.to.enumerated() {
            self.operation(operation, "\(path()).to[\(index)].operation")
        }
        for (index, condition) in rule.when.enumerated() { self.condition(condition, "\(path()).when[\(index)]") }
        guard action == .deny else { return }
        for (index, source) in rule.from.enumerated() {
            let outer = path()
            let path = { "\(outer).from[\(index)].source" }
            if let field = source.onlyNegatedIdentity {
                report(
                    .warning, FindingCode.widePolicy, "\(path()).\(field)",
                    "DENY with \(field) also denies every plaintext caller, which has no identity at all",
                    hint: "keep it if that is meant; the workload must then accept mutual TLS only")
            }
        }
        let isHTTPOnlyFrom = !rule.from.isEmpty && rule.from.allSatisfy { !$0.hasTCPField }
        if isHTTPOnlyFrom, rule.to.isEmpty {
            report(
                .warning, FindingCode.widePolicy, path(),
                "on TCP ports the request fields of this DENY rule are dropped, so it denies every connection",
                hint: "add to.operation.ports")
        } else if !rule.to.isEmpty, rule.to.allSatisfy({ $0.ports.isEmpty && $0.notPorts.isEmpty }),
            !rule.from.contains(where: \.hasTCPField)
        {
            report(
                .warning, FindingCode.widePolicy, "\(path()).to",
                "on TCP ports the request fields of this DENY rule are dropped, so it denies every connection",
                hint: "add ports to the operation")
        }
    }

    private func nonempty(_ values: [String], _ field: String, _ path: @autoclosure Path) {
        for (index, value) in values.enumerated() where value.isEmpty {
            error(
                "\(path()).\(field)[\(index)]", "\(field) has an empty value",
                hint: field == "notValues"
                    ? "to require that the value is there, write values: [\"*\"]" : "remove it, or write \"*\" for any")
        }
    }

    private func source(_ source: AuthorizationPolicy.Source, _ path: @autoclosure Path) {
        if source == AuthorizationPolicy.Source() {
            error(path(), "the source is empty", hint: "give it a field, or remove from")
        }
        let strings = [
            ("principals", source.principals), ("notPrincipals", source.notPrincipals),
            ("requestPrincipals", source.requestPrincipals), ("notRequestPrincipals", source.notRequestPrincipals),
            ("namespaces", source.namespaces), ("notNamespaces", source.notNamespaces),
        ]
        for (field, values) in strings { nonempty(values, field, path()) }
        for (field, values) in [
            ("ipBlocks", source.ipBlocks), ("notIpBlocks", source.notIpBlocks),
            ("remoteIpBlocks", source.remoteIpBlocks), ("notRemoteIpBlocks", source.notRemoteIpBlocks),
        ] {
            nonempty(values, field, path())
            for (index, value) in values.enumerated() where !value.isEmpty {
                cidr(value, "\(path()).\(field)[\(index)]")
            }
        }
        for (field, values) in [
            ("serviceAccounts", source.serviceAccounts), ("notServiceAccounts", source.notServiceAccounts),
        ] {
            nonempty(values, field, path())
            for (index, value) in values.enumerated() where !value.isEmpty {
                serviceAccount(value, "\(path()).\(field)[\(index)]")
            }
        }
        for (field, values) in [("trustDomains", source.trustDomains), ("notTrustDomains", source.notTrustDomains)] {
            nonempty(values, field, path())
            for (index, value) in values.enumerated() where value.dropFirst().dropLast().contains("*") {
                error(
                    "\(path()).\(field)[\(index)]", "\"\(value)\" has a wildcard inside",
                    hint: "a wildcard can stand at one end")
            }
        }
        if !source.serviceAccounts.isEmpty || !source.notServiceAccounts.isEmpty {
            for (field, isUsed) in [
                ("principals", !source.principals.isEmpty || !source.notPrincipals.isEmpty),
                ("namespaces", !source.namespaces.isEmpty || !source.notNamespaces.isEmpty),
            ] where isUsed {
                error("\(path()).serviceAccounts", "serviceAccounts and \(field) exclude each other")
            }
        }
    }

    private func serviceAccount(_ value: String, _ path: @autoclosure Path) {
        let parts = value.split(separator: "/", omittingEmptySubsequences: false)
        if value.contains("*") {
            error(path(), "a service account cannot have a wildcard")
        } else if parts.count > 2 || parts.contains("") {
            error(path(), "\"\(value)\" is not a service account", hint: "write NAME or NAMESPACE/NAME")
        }
    }

    private func operation(_ operation: AuthorizationPolicy.Operation, _ path: @autoclosure Path) {
        if operation == AuthorizationPolicy.Operation() {
            error(path(), "the operation is empty", hint: "give it a field, or remove to")
        }
        for (field, values) in [
            ("hosts", operation.hosts), ("notHosts", operation.notHosts), ("methods", operation.methods),
            ("notMethods", operation.notMethods),
        ] { nonempty(values, field, path()) }
        for (field, values) in [("ports", operation.ports), ("notPorts", operation.notPorts)] {
            nonempty(values, field, path())
            for (index, value) in values.enumerated() where !value.isEmpty {
                guard let number = UInt32(value), number >= 1, number <= 65535 else {
                    error("\(path()).\(field)[\(index)]", "\"\(value)\" is not a port", hint: "use 1 to 65535")
                    continue
                }
            }
        }
        for (field, values) in [("paths", operation.paths), ("notPaths", operation.notPaths)] {
            nonempty(values, field, path())
            for (index, value) in values.enumerated() { pathTemplate(value, "\(path()).\(field)[\(index)]") }
        }
    }

    /// `{*}` is one segment, `{**}` the rest; neither mixes with other wildcards or with text in its segment.
    private func pathTemplate(_ value: String, _ path: @autoclosure Path) {
        guard value.contains("{") || value.contains("}") else { return }
        let segments = value.split(separator: "/", omittingEmptySubsequences: false)
        var hasRest = false
        for segment in segments {
            if segment == "{*}" || segment == "{**}" {
                if hasRest {
                    error(path(), "the path \"\(value)\" has {**} before its end")
                    return
                }
                hasRest = segment == "{**}"
            } else if segment.contains("{") || segment.contains("}") {
                error(
                    path(), "the path \"\(value)\" has braces that are not {*} or {**}",
                    hint: "{*} stands for one whole segment, {**} for the rest")
                return
            } else if segment.contains("*") {
                error(path(), "the path \"\(value)\" mixes * with {*} or {**}")
                return
            }
        }
    }

    private func condition(_ condition: AuthorizationPolicy.Condition, _ path: @autoclosure Path) {
        if condition.key.isEmpty {
            error(path(), "the condition has no key")
        } else if let problem = ConditionKey.problem(condition.key) {
            error(
                "\(path()).key", problem,
                hint: Suggestion.closest(to: condition.key, among: ConditionKey.plain).map { "did you mean \($0)?" })
        }
        if condition.values.isEmpty, condition.notValues.isEmpty {
            error(path(), "the condition has neither values nor notValues")
        }
        nonempty(condition.values, "values", path())
        nonempty(condition.notValues, "notValues", path())
        for (field, values) in [("values", condition.values), ("notValues", condition.notValues)] {
            for (index, value) in values.enumerated() where !value.isEmpty {
                switch condition.key {
                case "source.ip", "remote.ip", "destination.ip":
                    cidr(value, "\(path()).\(field)[\(index)]")
                case "destination.port":
                    if UInt32(value).map({ $0 < 1 || $0 > 65535 }) ?? true {
                        error("\(path()).\(field)[\(index)]", "\"\(value)\" is not a port", hint: "use 1 to 65535")
                    }
                case "source.serviceAccount":
                    serviceAccount(value, "\(path()).\(field)[\(index)]")
                default:
                    break
                }
            }
        }
    }
}

/// The attributes a condition can ask for.
enum ConditionKey {
    static let plain = [
        "source.ip", "remote.ip", "source.namespace", "source.principal", "source.serviceAccount",
        "source.trustDomain", "request.auth.principal", "request.auth.audiences", "request.auth.presenter",
        "destination.ip", "destination.port", "connection.sni",
    ]

    static func problem(_ key: String) -> String? {
        if plain.contains(key) { return nil }
        for prefix in ["request.headers", "request.auth.claims"] where key.hasPrefix(prefix + "[") {
            return hasGoodBrackets(key.dropFirst(prefix.count), most: prefix == "request.headers" ? 1 : 16)
                ? nil : "the key \"\(key)\" has brackets that do not match"
        }
        if key.hasPrefix("experimental.envoy.filters."), let open = key.firstIndex(of: "[") {
            return hasGoodBrackets(key[open...], most: 1) ? nil : "the key \"\(key)\" has brackets that do not match"
        }
        if key == "request.headers" || key == "request.auth.claims" {
            return "the key \"\(key)\" needs a name in brackets"
        }
        return "the key \"\(key)\" is unknown"
    }

    /// `[a][b]` with something inside each pair.
    private static func hasGoodBrackets(_ text: Substring, most: Int) -> Bool {
        var rest = text
        var count = 0
        while !rest.isEmpty {
            guard rest.hasPrefix("["), let close = rest.firstIndex(of: "]") else { return false }
            let inner = rest[rest.index(after: rest.startIndex)..<close]
            if inner.isEmpty || inner.contains("[") { return false }
            rest = rest[rest.index(after: close)...]
            count += 1
        }
        return count >= 1 && count <= most
    }
}

extension AuthorizationPolicy.Source {
    /// The field that alone makes up this source, if it is the negation of an identity.
    fileprivate var onlyNegatedIdentity: String? {
        var rest = self
        rest.notNamespaces = []
        rest.notPrincipals = []
        rest.notServiceAccounts = []
        rest.notTrustDomains = []
        guard rest == AuthorizationPolicy.Source() else { return nil }
        if !notNamespaces.isEmpty { return "notNamespaces" }
        if !notPrincipals.isEmpty { return "notPrincipals" }
        if !notServiceAccounts.isEmpty { return "notServiceAccounts" }
        if !notTrustDomains.isEmpty { return "notTrustDomains" }
        return nil
    }

    /// True if something of it can be asked of a TCP connection.
    fileprivate var hasTCPField: Bool {
        var rest = self
        rest.requestPrincipals = []
        rest.notRequestPrincipals = []
        rest.remoteIpBlocks = []
        rest.notRemoteIpBlocks = []
        return rest != AuthorizationPolicy.Source()
    }
}
