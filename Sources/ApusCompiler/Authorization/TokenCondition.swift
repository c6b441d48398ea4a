internal import ApusAPI
internal import SwiftProtobuf

/// Conditions on the claims of a good token, which the jwt_authn filter leaves in its dynamic metadata; without a token
/// nothing is there, and none of them holds.
enum TokenCondition {
    typealias Principal = Envoy_Config_Rbac_V3_Principal
    typealias StringMatcher = Envoy_Type_Matcher_V3_StringMatcher
    typealias ValueMatcher = Envoy_Type_Matcher_V3_ValueMatcher
    typealias MetadataMatcher = Envoy_Type_Matcher_V3_MetadataMatcher

    /// `iss/sub`, split at the last slash, since an issuer may be a URL; a wildcard at the beginning is looked at first.
    static func principal(_ value: String) -> Principal {
        let slash = value.lastIndex(of: "/")
        let issuer = slash.map { String(value[..<$0]) } ?? value
        let subject = slash.map { String(value[value.index(after: $0)...]) } ?? ""
        func exact(_ text: String) -> StringMatcher { .with { $0.exact = text } }
        let anything = AuthorizationRule.regex(".+")
        let (first, second): (StringMatcher, StringMatcher)
        if value == "*" {
            (first, second) = (anything, anything)
        } else if value.hasPrefix("*") {
            if slash == nil {
                (first, second) = (anything, .with { $0.suffix = String(value.dropFirst()) })
            } else {
                first = issuer == "*" ? anything : .with { $0.suffix = String(issuer.dropFirst()) }
                second = exact(subject)
            }
        } else if value.hasSuffix("*") {
            if slash == nil {
                (first, second) = (.with { $0.prefix = String(value.dropLast()) }, anything)
            } else {
                first = exact(issuer)
                second = subject == "*" ? anything : .with { $0.prefix = String(subject.dropLast()) }
            }
        } else {
            (first, second) = (exact(issuer), exact(subject))
        }
        func claim(_ name: String, _ matcher: StringMatcher) -> Principal {
            AuthorizationRule.principal(
                .metadata(metadata(RequestTokens.filterName, path(name), .with { $0.stringMatch = matcher })))
        }
        return .with { $0.andIds.ids = [claim("iss", first), claim("sub", second)] }
    }

    private static func path(_ name: String) -> [String] { [RequestTokens.payloadKey, name] }

    /// A claim that is the string, or a list with it.
    static func claim(_ names: [String], _ value: String) -> Principal {
        let one = ValueMatcher.with { $0.stringMatch = AuthorizationRule.string(value) }
        return AuthorizationRule.principal(
            .metadata(
                metadata(
                    RequestTokens.filterName, [RequestTokens.payloadKey] + names,
                    .with {
                        $0.orMatch.valueMatchers = [one, .with { $0.listMatch.oneOf = one }]
                    })))
    }

    /// `[value]` looks for it in a list.
    static func metadata(_ filter: String, _ key: String, _ value: String) -> MetadataMatcher {
        let isList = value.hasPrefix("[") && value.hasSuffix("]") && value.count >= 2
        let text = isList ? String(value.dropFirst().dropLast()) : value
        let one = ValueMatcher.with { $0.stringMatch = AuthorizationRule.string(text) }
        return metadata(filter, [key], isList ? .with { $0.listMatch.oneOf = one } : one)
    }

    private static func metadata(_ filter: String, _ path: [String], _ value: ValueMatcher) -> MetadataMatcher {
        .with {
            $0.filter = filter
            $0.path = path.map { name in .with { $0.key = name } }
            $0.value = value
        }
    }

    /// The names of `[a][b]`.
    static func names(inBrackets text: Substring) -> [String] {
        text.split(separator: "]").map { String($0.drop { $0 == "[" }) }
    }
}
