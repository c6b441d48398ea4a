internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension AuthorizationFilter {
    static func decode(
        _ message: Envoy_Extensions_Filters_Http_Rbac_V3_RBAC
    ) throws(Refusal) -> AuthorizationFilter {
        AuthorizationFilter(
            rules: message.hasRules
                ? try at("rules") { () throws(Refusal) in try AuthorizationRules.decode(message.rules) } : nil,
            shadow: message.hasShadowRules
                ? try at("shadow_rules") { () throws(Refusal) in try AuthorizationRules.decode(message.shadowRules) }
                : nil,
            statPrefix: message.rulesStatPrefix, shadowStatPrefix: message.shadowRulesStatPrefix)
    }

    static func decode(
        _ message: Envoy_Extensions_Filters_Network_Rbac_V3_RBAC
    ) throws(Refusal) -> AuthorizationFilter {
        guard !message.statPrefix.isEmpty else { throw Refusal("stat_prefix", "empty") }
        // The facts of a raw connection never change, so judging it again at every byte gives the same answer.
        return AuthorizationFilter(
            rules: message.hasRules
                ? try at("rules") { () throws(Refusal) in try AuthorizationRules.decode(message.rules) } : nil,
            shadow: message.hasShadowRules
                ? try at("shadow_rules") { () throws(Refusal) in try AuthorizationRules.decode(message.shadowRules) }
                : nil,
            statPrefix: message.statPrefix, shadowStatPrefix: message.shadowRulesStatPrefix,
            denyDelay: try at("delay_deny") { () throws(Refusal) in try message.delayDeny.valueOrOff() })
    }
}

extension AuthorizationRules {
    private static let depthLimit = 64

    static func decode(_ message: Envoy_Config_Rbac_V3_RBAC) throws(Refusal) -> AuthorizationRules {
        let action: Action
        switch message.action {
        case .allow: action = .allow
        case .deny: action = .deny
        case .log: action = .log
        case .UNRECOGNIZED: throw Refusal("action", "unknown value")
        }
        var policies: [Policy] = []
        for (name, policy) in message.policies.sorted(by: { $0.key < $1.key }) {
            policies.append(
                try at("policies[\(name)]") { () throws(Refusal) in
                    try FieldCheck.check(policy)
                    guard !policy.permissions.isEmpty else { throw Refusal("permissions", "empty") }
                    guard !policy.principals.isEmpty else { throw Refusal("principals", "empty") }
                    return Policy(
                        name: name,
                        permissions: try each("permissions", policy.permissions) { rule throws(Refusal) in
                            try condition(rule, 0)
                        },
                        principals: try each("principals", policy.principals) { rule throws(Refusal) in
                            try condition(rule, 0)
                        })
                })
        }
        return AuthorizationRules(action: action, policies: policies)
    }

    private static func condition(
        _ message: Envoy_Config_Rbac_V3_Permission, _ depth: Int
    ) throws(Refusal) -> Condition {
        guard depth < depthLimit else { throw Refusal("", "nested too deeply") }
        switch message.rule {
        case .andRules(let set):
            return .all(
                try each("and_rules.rules", set.rules) { rule throws(Refusal) in try condition(rule, depth + 1) })
        case .orRules(let set):
            return .either(
                try each("or_rules.rules", set.rules) { rule throws(Refusal) in try condition(rule, depth + 1) })
        case .notRule(let rule):
            return .not(try at("not_rule") { () throws(Refusal) in try condition(rule, depth + 1) })
        case .any(true): return .always
        case .any(false): throw Refusal("any", "must be true")
        case .header(let header):
            return .header(try at("header") { () throws(Refusal) in try HeaderMatch(header) })
        case .urlPath(let path): return .path(try at("url_path") { () throws(Refusal) in try self.path(path) })
        case .destinationIp(let range):
            return .destination(try at("destination_ip") { () throws(Refusal) in try CIDR(range) })
        case .destinationPort(let port):
            guard let port = UInt16(exactly: port) else { throw Refusal("destination_port", "not a port") }
            return .destinationPort(from: Int32(port), until: Int32(port) + 1)
        case .destinationPortRange(let range):
            guard range.start >= 0, range.end <= 65536, range.start < range.end else {
                throw Refusal("destination_port_range", "not a range of ports")
            }
            return .destinationPort(from: range.start, until: range.end)
        case .requestedServerName(let match):
            return .serverName(try at("requested_server_name") { () throws(Refusal) in try StringMatch(match) })
        case .metadata(let matcher):
            return .metadata(try at("metadata") { () throws(Refusal) in try MetadataMatch(matcher) })
        case .sourcedMetadata(let sourced):
            return try at("sourced_metadata") { () throws(Refusal) in try metadata(sourced) }
        case .matcher(let extension_): throw unsupported("matcher", extension_)
        case .uriTemplate(let extension_): throw unsupported("uri_template", extension_)
        case nil: throw Refusal("", "no rule")
        }
    }

    private static func condition(
        _ message: Envoy_Config_Rbac_V3_Principal, _ depth: Int
    ) throws(Refusal) -> Condition {
        guard depth < depthLimit else { throw Refusal("", "nested too deeply") }
        switch message.identifier {
        case .andIds(let set):
            return .all(try each("and_ids.ids", set.ids) { rule throws(Refusal) in try condition(rule, depth + 1) })
        case .orIds(let set):
            return .either(try each("or_ids.ids", set.ids) { rule throws(Refusal) in try condition(rule, depth + 1) })
        case .notID(let rule):
            return .not(try at("not_id") { () throws(Refusal) in try condition(rule, depth + 1) })
        case .any(true): return .always
        case .any(false): throw Refusal("any", "must be true")
        case .authenticated(let peer):
            return .authenticated(
                peer.hasPrincipalName
                    ? try at("authenticated.principal_name") { () throws(Refusal) in
                        try StringMatch(peer.principalName)
                    } : nil)
        case .sourceIp(let range):
            return .peerAddress(try at("source_ip") { () throws(Refusal) in try CIDR(range) })
        case .directRemoteIp(let range):
            return .peerAddress(try at("direct_remote_ip") { () throws(Refusal) in try CIDR(range) })
        case .remoteIp(let range):
            return .clientAddress(try at("remote_ip") { () throws(Refusal) in try CIDR(range) })
        case .header(let header):
            return .header(try at("header") { () throws(Refusal) in try HeaderMatch(header) })
        case .urlPath(let path): return .path(try at("url_path") { () throws(Refusal) in try self.path(path) })
        case .metadata(let matcher):
            return .metadata(try at("metadata") { () throws(Refusal) in try MetadataMatch(matcher) })
        case .sourcedMetadata(let sourced):
            return try at("sourced_metadata") { () throws(Refusal) in try metadata(sourced) }
        case .filterState: return .never
        case .custom(let extension_): throw unsupported("custom", extension_)
        case nil: throw Refusal("", "no identifier")
        }
    }

    private static func path(_ message: Envoy_Type_Matcher_V3_PathMatcher) throws(Refusal) -> StringMatch {
        guard case .path(let match) = message.rule else { throw Refusal("", "no rule") }
        return try at("path") { () throws(Refusal) in try StringMatch(match) }
    }

    private static func metadata(_ message: Envoy_Config_Rbac_V3_SourcedMetadata) throws(Refusal) -> Condition {
        guard message.metadataSource == .dynamic else { throw Refusal.unsupported("metadata_source", "ROUTE") }
        return .metadata(
            try at("metadata_matcher") { () throws(Refusal) in try MetadataMatch(message.metadataMatcher) })
    }

    private static func unsupported(
        _ field: String, _ extension_: Envoy_Config_Core_V3_TypedExtensionConfig
    ) -> Refusal {
        let type = Packed.typeName(extension_.typedConfig)
        return Refusal.unsupported(field, type.isEmpty ? extension_.name : type)
    }
}
