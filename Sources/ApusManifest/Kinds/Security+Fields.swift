internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension PeerAuthentication.Mode: FieldEnum {}

extension PeerAuthentication: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("selector", in: "matchLabels", &selector)
        fields.nested("mtls") {
            var mode = Mode.unset
            $0.read("mode", &mode)
            mtls = mode
        }
        guard let node = fields.take("portLevelMtls") else { return }
        guard node.kind == .mapping else {
            fields.decoding.wrongType(node, expected: "a mapping from port to mtls mode")
            return
        }
        let entries = node.entries
        if entries.isEmpty {
            fields.decoding.report(
                .error, FindingCode.schemaError, "portLevelMtls has no ports", hint: "remove it, or name a port",
                at: node)
        }
        for entry in entries {
            guard let port = UInt32(entry.key.text), port >= 1, port <= 65535 else {
                fields.decoding.report(
                    .error, FindingCode.schemaError,
                    "portLevelMtls has the key \"\(entry.key.text)\", which is no port", hint: "use 1 to 65535",
                    at: entry.key)
                continue
            }
            var mode = Mode.unset
            Fields.read(entry.value, fields.decoding) { $0.read("mode", &mode) }
            portLevelMtls[port] = mode
        }
    }
}

extension PolicyTargetReference: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("group", &group)
        fields.read("kind", &kind)
        fields.read("name", &name)
        fields.read("namespace", &namespace)
    }
}

extension Fields {
    /// `targetRefs`, or the single `targetRef` it replaced.
    mutating func readTargets(_ target: inout [PolicyTargetReference]) {
        var single: PolicyTargetReference?
        read("targetRef", &single)
        read("targetRefs", &target)
        guard let single else { return }
        if target.isEmpty {
            target = [single]
        } else if let key = key("targetRef") {
            decoding.report(
                .error, FindingCode.schemaError, "targetRef and targetRefs are both written",
                hint: "move the reference into targetRefs", at: key)
        }
    }
}

extension RequestAuthentication: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("selector", in: "matchLabels", &selector)
        fields.readTargets(&targetRefs)
        fields.read("jwtRules", &jwtRules)
    }
}

extension RequestAuthentication.JWTRule: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("issuer", &issuer)
        fields.read("audiences", &audiences)
        fields.read("jwksUri", &jwksUri)
        fields.read("jwks", &jwks)
        fields.read("fromHeaders", &fromHeaders)
        fields.read("fromParams", &fromParams)
        fields.read("fromCookies", &fromCookies)
        fields.read("outputPayloadToHeader", &outputPayloadToHeader)
        fields.read("outputClaimToHeaders", &outputClaimToHeaders)
        fields.read("forwardOriginalToken", &forwardOriginalToken)
        fields.read("timeout", &timeout)
        fields.read("spaceDelimitedClaims", &spaceDelimitedClaims)
    }
}

extension RequestAuthentication.HeaderLocation: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("prefix", &prefix)
    }
}

extension RequestAuthentication.ClaimToHeader: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("header", &header)
        fields.read("claim", &claim)
    }
}

extension AuthorizationPolicy.Action: FieldEnum {}

extension AuthorizationPolicy: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("selector", in: "matchLabels", &selector)
        fields.readTargets(&targetRefs)
        fields.read("action", &action)
        fields.nested("provider") { $0.read("name", &provider) }
        fields.read("rules", &rules)
    }
}

extension AuthorizationPolicy.Rule: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        let hasFrom = fields.has("from")
        let hasTo = fields.has("to")
        fields.eachNested("from") { entry in
            var source: AuthorizationPolicy.Source?
            entry.read("source", &source)
            from.append(source ?? AuthorizationPolicy.Source())
        }
        fields.eachNested("to") { entry in
            var operation: AuthorizationPolicy.Operation?
            entry.read("operation", &operation)
            to.append(operation ?? AuthorizationPolicy.Operation())
        }
        fields.read("when", &when)
        // An empty list would mean "everyone"; Istio refuses it as a likely mistake.
        if hasFrom, from.isEmpty { fields.emptyList("from", "source") }
        if hasTo, to.isEmpty { fields.emptyList("to", "operation") }
    }
}

extension Fields {
    fileprivate func emptyList(_ name: StaticString, _ item: String) {
        guard let key = key(name) else { return }
        decoding.report(
            .error, FindingCode.schemaError, "\(name) is written but empty",
            hint: "remove it, or give it a \(item)", at: key)
    }
}

extension AuthorizationPolicy.Source: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("principals", &principals)
        fields.read("notPrincipals", &notPrincipals)
        fields.read("requestPrincipals", &requestPrincipals)
        fields.read("notRequestPrincipals", &notRequestPrincipals)
        fields.read("namespaces", &namespaces)
        fields.read("notNamespaces", &notNamespaces)
        fields.read("serviceAccounts", &serviceAccounts)
        fields.read("notServiceAccounts", &notServiceAccounts)
        fields.read("trustDomains", &trustDomains)
        fields.read("notTrustDomains", &notTrustDomains)
        fields.read("ipBlocks", &ipBlocks)
        fields.read("notIpBlocks", &notIpBlocks)
        fields.read("remoteIpBlocks", &remoteIpBlocks)
        fields.read("notRemoteIpBlocks", &notRemoteIpBlocks)
    }
}

extension AuthorizationPolicy.Operation: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("hosts", &hosts)
        fields.read("notHosts", &notHosts)
        fields.read("ports", &ports)
        fields.read("notPorts", &notPorts)
        fields.read("methods", &methods)
        fields.read("notMethods", &notMethods)
        fields.read("paths", &paths)
        fields.read("notPaths", &notPaths)
    }
}

extension AuthorizationPolicy.Condition: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("key", &key)
        fields.read("values", &values)
        fields.read("notValues", &notValues)
    }
}
