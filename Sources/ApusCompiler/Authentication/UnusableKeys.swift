internal import ApusCore
internal import ApusIdentity
internal import ApusMesh
internal import ApusModel

/// JWT rules that no token can pass, whatever is fetched.
enum UnusableKeys {
    static func findings(in snapshot: MeshSnapshot) -> [Finding] {
        snapshot.objects(of: .requestAuthentication).flatMap { object -> [Finding] in
            guard case .requestAuthentication(let spec) = object.spec else { return [] }
            return spec.jwtRules.enumerated().compactMap { index, rule in
                guard let (field, why) = fault(rule) else { return nil }
                let path = "spec.jwtRules[\(index)]\(field)"
                return Finding(
                    .warning, CompilerFinding.unusableKeys, "no token passes this rule: \(why)",
                    at: object.origin.location(of: path), object: object.key.description, field: path)
            }
        }
    }

    private static func fault(_ rule: RequestAuthentication.JWTRule) -> (field: String, why: String)? {
        if rule.jwks.isEmpty {
            guard KeySource(rule) == nil else { return nil }
            return (".issuer", "it has no keys, and its issuer is not a URL that could be asked for them")
        }
        do {
            _ = try KeySet(parsing: Array(rule.jwks.utf8))
            return nil
        } catch {
            return (".jwks", "\(error)")
        }
    }
}
