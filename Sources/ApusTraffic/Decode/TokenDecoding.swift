internal import ApusAPI
internal import ApusCore
internal import ApusIdentity
internal import SwiftProtobuf

extension TokenFilter {
    private typealias Message = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication
    private typealias RequirementMessage = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtRequirement

    private static let depthLimit = 32

    static func decode(
        _ message: Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication
    ) throws(Refusal) -> TokenFilter {
        var providers: [Provider] = []
        var places: [String: Int] = [:]
        for (name, provider) in message.providers.sorted(by: { $0.key < $1.key }) {
            places[name] = providers.count
            providers.append(
                try at("providers[\(name)]") { () throws(Refusal) in
                    try FieldCheck.check(provider)
                    return try Provider.decode(provider, name: name)
                })
        }
        var named: [String: Requirement] = [:]
        for (name, requirement) in message.requirementMap.sorted(by: { $0.key < $1.key }) {
            named[name] = try at("requirement_map[\(name)]") { () throws(Refusal) in
                try FieldCheck.check(requirement)
                return try self.requirement(requirement, providers, places, 0)
            }
        }
        let rules = try each("rules", message.rules) { rule throws(Refusal) in
            guard rule.hasMatch else { throw Refusal("match", "missing") }
            let match = try at("match") { () throws(Refusal) in try RouteMatch(rule.match) }
            switch rule.requirementType {
            case .requires(let requires):
                return Rule(
                    match: match,
                    requirement: try at("requires") { () throws(Refusal) in
                        try self.requirement(requires, providers, places, 0)
                    })
            case .requirementName(let name):
                guard let requirement = named[name] else {
                    throw Refusal("requirement_name", "'\(name)' is not in requirement_map")
                }
                return Rule(match: match, requirement: requirement)
            case nil: return Rule(match: match, requirement: nil)
            }
        }
        return TokenFilter(
            providers: providers, rules: rules, bypassesPreflight: message.bypassCorsPreflight,
            stripsReason: message.stripFailureResponse, statPrefix: message.statPrefix)
    }

    private static func requirement(
        _ message: RequirementMessage, _ providers: [Provider], _ places: [String: Int], _ depth: Int
    ) throws(Refusal) -> Requirement {
        guard depth < depthLimit else { throw Refusal("", "nested too deeply") }
        func provider(_ name: String) throws(Refusal) -> Int {
            guard let index = places[name] else { throw Refusal("provider_name", "there is no provider '\(name)'") }
            return index
        }
        switch message.requiresType {
        case .providerName(let name): return .provider(try provider(name), audiences: nil)
        case .providerAndAudiences(let pair):
            let index = try at("provider_and_audiences") { () throws(Refusal) in try provider(pair.providerName) }
            let audiences = Set(pair.audiences.map(JSONWebToken.bareAudience))
            return .provider(index, audiences: audiences.isEmpty ? nil : audiences)
        case .requiresAny(let list):
            return try at("requires_any") { () throws(Refusal) in try any(list.requirements, providers, places, depth) }
        case .requiresAll(let list):
            guard list.requirements.count >= 2 else { throw Refusal("requires_all.requirements", "fewer than two") }
            return .all(
                try each("requires_all.requirements", list.requirements) { part throws(Refusal) in
                    try requirement(part, providers, places, depth + 1)
                })
        case .allowMissing: throw Refusal.unsupported("allow_missing", "this requirement outside of requires_any")
        case .allowMissingOrFailed:
            throw Refusal.unsupported("allow_missing_or_failed", "this requirement outside of requires_any")
        case nil: throw Refusal("", "no requirement")
        }
    }

    /// What lets requests without a token in comes last, and looks where the providers beside it look.
    private static func any(
        _ parts: [RequirementMessage], _ providers: [Provider], _ places: [String: Int], _ depth: Int
    ) throws(Refusal) -> Requirement {
        guard parts.count >= 2 else { throw Refusal("requirements", "fewer than two") }
        var result: [Requirement] = []
        var used: [Int] = []
        var (allowsMissing, allowsFailed) = (false, false)
        for (index, part) in parts.enumerated() {
            switch part.requiresType {
            case .allowMissing: allowsMissing = true
            case .allowMissingOrFailed: allowsFailed = true
            default:
                let decoded = try at("requirements[\(index)]") { () throws(Refusal) in
                    try requirement(part, providers, places, depth + 1)
                }
                if case .provider(let provider, _) = decoded { used.append(provider) }
                result.append(decoded)
            }
        }
        let search = TokenSearch(used, providers)
        if allowsFailed {
            result.append(.allowMissingOrFailed(search))
        } else if allowsMissing {
            result.append(.allowMissing(search))
        }
        return .any(result)
    }
}

extension TokenFilter.Provider {
    static func decode(
        _ message: Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtProvider, name: String
    ) throws(Refusal) -> Self {
        let keys: KeySet
        switch message.jwksSourceSpecifier {
        case .localJwks(let source):
            let text = try at("local_jwks") { () throws(Refusal) in try source.inlineBytes() }
            do { keys = try KeySet(parsing: text) } catch { throw Refusal("local_jwks", "\(error)") }
        case .remoteJwks: throw Refusal.unsupported("remote_jwks", "keys that the proxy would fetch")
        case nil: throw Refusal("", "no keys: local_jwks is missing")
        }
        var locations = try each("from_headers", message.fromHeaders) { header throws(Refusal) -> TokenLocation in
            .header(
                try at("name") { () throws(Refusal) in try HeaderName.decode(header.name) },
                prefix: Array(header.valuePrefix.utf8))
        }
        for (index, name) in message.fromParams.enumerated() {
            guard !name.isEmpty else { throw Refusal("from_params[\(index)]", "empty") }
            locations.append(.query(Array(name.utf8)))
        }
        for (index, name) in message.fromCookies.enumerated() {
            guard !name.isEmpty else { throw Refusal("from_cookies[\(index)]", "empty") }
            locations.append(.cookie(name))
        }
        func key(_ text: String) -> String? { text.isEmpty ? nil : text }
        return Self(
            name: name, issuer: message.issuer, audiences: message.audiences, keys: keys, locations: locations,
            forwards: message.forward,
            payloadHeader: message.forwardPayloadHeader.isEmpty
                ? nil
                : try at("forward_payload_header") { () throws(Refusal) in
                    try HeaderName.modifiable(message.forwardPayloadHeader)
                },
            padsPayload: message.padForwardPayloadHeader, payloadKey: key(message.payloadInMetadata),
            headerKey: key(message.headerInMetadata), failureKey: key(message.failedStatusInMetadata),
            splitClaims: message.normalizePayloadInMetadata.spaceDelimitedClaims,
            claimHeaders: try each("claim_to_headers", message.claimToHeaders) {
                pair throws(Refusal) -> (HeaderName, String) in
                guard !pair.claimName.isEmpty else { throw Refusal("claim_name", "empty") }
                return (
                    try at("header_name") { () throws(Refusal) in try HeaderName.modifiable(pair.headerName) },
                    pair.claimName
                )
            },
            clockSkew: message.clockSkewSeconds > 0 ? message.clockSkewSeconds : JSONWebToken.defaultClockSkew,
            reroutes: message.clearRouteCache_p)
    }
}

extension MetadataMatch {
    init(_ message: Envoy_Type_Matcher_V3_MetadataMatcher) throws(Refusal) {
        guard !message.filter.isEmpty else { throw Refusal("filter", "empty") }
        guard !message.path.isEmpty else { throw Refusal("path", "empty") }
        guard message.hasValue else { throw Refusal("value", "missing") }
        self.init(
            filter: message.filter,
            path: try each("path", message.path) { segment throws(Refusal) in
                guard !segment.key.isEmpty else { throw Refusal("key", "empty") }
                return segment.key
            },
            value: try at("value") { () throws(Refusal) in try Value.decode(message.value, 0) },
            isInverted: message.invert)
    }
}

extension MetadataMatch.Value {
    private static let depthLimit = 16

    fileprivate static func decode(
        _ message: Envoy_Type_Matcher_V3_ValueMatcher, _ depth: Int
    ) throws(Refusal) -> Self {
        guard depth < depthLimit else { throw Refusal("", "nested too deeply") }
        switch message.matchPattern {
        case .nullMatch: return .null
        case .doubleMatch(let match):
            switch match.matchPattern {
            case .range(let range): return .number(from: range.start, until: range.end)
            case .exact(let number): return .exactly(number)
            case nil: throw Refusal("double_match", "no pattern")
            }
        case .stringMatch(let match):
            return .string(try at("string_match") { () throws(Refusal) in try StringMatch(match) })
        case .boolMatch(let value): return .bool(value)
        case .presentMatch(let wanted): return .present(wanted)
        case .listMatch(let list):
            return .listWith(try at("list_match.one_of") { () throws(Refusal) in try decode(list.oneOf, depth + 1) })
        case .orMatch(let either):
            guard either.valueMatchers.count >= 2 else { throw Refusal("or_match.value_matchers", "fewer than two") }
            return .either(
                try each("or_match.value_matchers", either.valueMatchers) { part throws(Refusal) in
                    try decode(part, depth + 1)
                })
        case nil: throw Refusal("", "no pattern")
        }
    }
}
