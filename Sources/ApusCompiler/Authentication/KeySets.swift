package import ApusModel

/// Where the keys of an issuer of tokens are fetched.
package enum KeySource: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// `jwksUri`.
    case document(String)
    /// Without one: the issuer's OpenID configuration says where.
    case discovery(issuer: String)

    /// nil: the rule has its keys with it, or nothing that could be asked.
    package init?(_ rule: RequestAuthentication.JWTRule) {
        if !rule.jwks.isEmpty { return nil }
        if !rule.jwksUri.isEmpty {
            self = .document(rule.jwksUri)
        } else if rule.issuer.hasPrefix("https://") || rule.issuer.hasPrefix("http://") {
            self = .discovery(issuer: rule.issuer)
        } else {
            return nil
        }
    }

    /// What is asked first.
    package var url: String {
        switch self {
        case .document(let url): url
        case .discovery(let issuer):
            (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
        }
    }

    package var description: String { url }
}

/// Keys that have been fetched, as text.
package struct KeySets: Hashable, Sendable {
    private var texts: [KeySource: String] = [:]

    package init() {}

    package subscript(_ source: KeySource) -> String? {
        get { texts[source] }
        set { texts[source] = newValue }
    }

    /// Every source that some rule asks.
    package static func sources(of objects: [ConfigObject]) -> Set<KeySource> {
        var result: Set<KeySource> = []
        for object in objects {
            guard case .requestAuthentication(let spec) = object.spec else { continue }
            for rule in spec.jwtRules {
                if let source = KeySource(rule) { result.insert(source) }
            }
        }
        return result
    }
}
