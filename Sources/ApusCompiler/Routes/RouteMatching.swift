internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// `http[].match[]` as an Envoy route match (semantics 4.1).
enum RouteMatching {
    /// Whether the block is for this client and listener at all; decided when compiling.
    static func applies(
        _ match: HTTPMatch, listenerPort: UInt32, gatewayNames: Set<String>, client: ProxyClass
    ) -> Bool {
        if let port = match.port, port != listenerPort { return false }
        // With gateways, the labels and the namespace of the source are not looked at.
        if !match.gateways.isEmpty { return match.gateways.contains(where: gatewayNames.contains) }
        guard match.sourceLabels.allSatisfy({ client.labels[$0.key] == $0.value }) else { return false }
        return match.sourceNamespace.isEmpty || match.sourceNamespace == client.namespace
    }

    /// nil: a rule without `match`.
    static func routeMatch(_ match: HTTPMatch?) -> XDS.RouteMatch {
        var result = XDS.RouteMatch()
        result.prefix = "/"
        guard let match else { return result }
        switch match.uri {
        case .exact(let path): result.path = path
        case .prefix(let prefix): result.prefix = prefix
        case .regex(let pattern): result.safeRegex = regex(pattern)
        case .present, nil: break
        }
        if match.ignoreUriCase { result.caseSensitive = Google_Protobuf_BoolValue(false) }
        for (name, value) in match.headers.sorted(by: { $0.key < $1.key }) {
            if let path = claimPath(name) {
                result.dynamicMetadata.append(claim(path, value))
            } else {
                result.headers.append(header(name, value))
            }
        }
        for (name, value) in match.withoutHeaders.sorted(by: { $0.key < $1.key }) {
            if let path = claimPath(name) {
                var matcher = claim(path, value)
                matcher.invert = true
                result.dynamicMetadata.append(matcher)
                continue
            }
            var matcher = header(name, value)
            matcher.invertMatch = true
            if !isPresence(value) { matcher.treatMissingHeaderAsEmpty = true }
            result.headers.append(matcher)
        }
        if let method = match.method { result.headers.append(header(":method", method)) }
        if let authority = match.authority { result.headers.append(header(":authority", authority)) }
        if let scheme = match.scheme { result.headers.append(header(":scheme", scheme)) }
        for (name, value) in match.queryParams.sorted(by: { $0.key < $1.key }) {
            result.queryParameters.append(
                .with {
                    $0.name = name
                    if isPresence(value) { $0.presentMatch = true } else { $0.stringMatch = string(value) }
                })
        }
        return result
    }

    /// True if nothing can get past the route: rules after it are not sent.
    static func matchesEverything(_ match: XDS.RouteMatch) -> Bool {
        guard match.headers.isEmpty, match.queryParameters.isEmpty, match.dynamicMetadata.isEmpty else { return false }
        switch match.pathSpecifier {
        case .prefix("/"): return true
        case .safeRegex(let matcher): return matcher.regex == "*" || matcher.regex == ".*"
        default: return false
        }
    }

    static func string(_ value: StringMatch) -> XDS.StringMatcher {
        .with {
            switch value {
            case .exact(let text): $0.exact = text
            case .prefix(let text): $0.prefix = text
            case .regex(let pattern): $0.safeRegex = regex(pattern)
            case .present: $0.safeRegex = regex(".*")
            }
        }
    }

    static func regex(_ pattern: String) -> Envoy_Type_Matcher_V3_RegexMatcher { .with { $0.regex = pattern } }

    private static func isPresence(_ value: StringMatch) -> Bool { value == .present || value == .regex("*") }

    private static func header(_ name: String, _ value: StringMatch) -> XDS.HeaderMatcher {
        .with {
            $0.name = name
            if isPresence(value) { $0.presentMatch = true } else { $0.stringMatch = string(value) }
        }
    }

    /// `@request.auth.claims.a.b` and `@request.auth.claims[a][b]` are the path `a`, `b` into the token's payload.
    private static func claimPath(_ header: String) -> [String]? {
        let prefix = "@request.auth.claims"
        guard header.lowercased().hasPrefix(prefix) else { return nil }
        let rest = header.dropFirst(prefix.count)
        if rest.hasPrefix("[") {
            guard rest.hasSuffix("]") else { return nil }
            return splitBrackets(rest.dropFirst().dropLast())
        }
        guard rest.hasPrefix(".") else { return nil }
        let parts = rest.dropFirst().split(separator: ".").map(String.init)
        return parts.isEmpty ? nil : parts
    }

    private static func splitBrackets(_ text: Substring) -> [String] {
        var parts: [String] = []
        var current = ""
        var rest = text
        while let character = rest.first {
            if rest.hasPrefix("][") {
                parts.append(current)
                current = ""
                rest = rest.dropFirst(2)
            } else {
                current.append(character)
                rest = rest.dropFirst()
            }
        }
        return parts + [current]
    }

    /// A claim may be one string or a list of strings.
    private static func claim(_ path: [String], _ value: StringMatch) -> Envoy_Type_Matcher_V3_MetadataMatcher {
        var one = Envoy_Type_Matcher_V3_ValueMatcher()
        if isPresence(value) { one.presentMatch = true } else { one.stringMatch = string(value) }
        var list = Envoy_Type_Matcher_V3_ValueMatcher()
        list.listMatch = .with { $0.oneOf = one }
        return .with {
            $0.filter = "envoy.filters.http.jwt_authn"
            $0.path = (["payload"] + path).map { part in .with { $0.key = part } }
            $0.value.orMatch = .with { $0.valueMatchers = isPresence(value) ? [one] : [one, list] }
        }
    }
}
