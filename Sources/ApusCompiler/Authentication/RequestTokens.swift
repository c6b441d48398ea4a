internal import ApusAPI
internal import ApusCore
internal import ApusIdentity
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// The RequestAuthentications of one workload as a comparable value, and the jwt_authn filter they become (semantics 4.8).
struct RequestTokens: Hashable, Sendable {
    struct Rule: Hashable, Sendable {
        let spec: RequestAuthentication.JWTRule
        /// The keys of the issuer as they are sent; without good ones a set that no token passes.
        let keys: String
    }

    typealias Config = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication
    typealias Provider = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtProvider
    typealias Requirement = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtRequirement

    static let filterName = "envoy.filters.http.jwt_authn"
    /// Where a token's claims are in the dynamic metadata of the filter.
    static let payloadKey = "payload"
    /// A set that no token passes. Envoy wants a key in it, and the 32 bytes of this one (RFC 8032, section 5.1.3: 2,
    /// little endian) are the encoding of no point of the curve, so nobody has its private half. Istio fills the gap with
    /// an RSA key made from the URL, whose private half can be computed.
    static let noKeys =
        #"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"none","x":"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#

    let sources: [ObjectKey]
    /// By issuer; rules of one issuer in the order of their objects.
    let rules: [Rule]
    /// Routes look at claims: those of gateways.
    let reroutes: Bool

    init(_ objects: [ConfigObject], _ keySets: KeySets, reroutes: Bool = false) {
        self.reroutes = reroutes
        sources = objects.map(\.key)
        let specs = objects.flatMap { object -> [RequestAuthentication.JWTRule] in
            guard case .requestAuthentication(let spec) = object.spec else { return [] }
            return spec.jwtRules
        }
        let order = specs.indices.sorted { (specs[$0].issuer, $0) < (specs[$1].issuer, $1) }
        rules = order.map { Rule(spec: specs[$0], keys: Self.keys(specs[$0], keySets)) }
    }

    private static func keys(_ rule: RequestAuthentication.JWTRule, _ keySets: KeySets) -> String {
        if !rule.jwks.isEmpty {
            return (try? KeySet(parsing: Array(rule.jwks.utf8))) == nil ? noKeys : rule.jwks
        }
        return KeySource(rule).flatMap { keySets[$0] } ?? noKeys
    }

    func requestFilters() -> [HTTPConnectionManager.HTTPFilter] {
        guard !rules.isEmpty else { return [] }
        var filter = HTTPConnectionManager.HTTPFilter()
        filter.name = Self.filterName
        filter.typedConfig = .packing(config)
        return [filter]
    }

    /// A missing token passes, every token that is there must be good, and where rules look in the same place one that is
    /// good for any of them is enough.
    private var config: Config {
        var config = Config()
        config.bypassCorsPreflight = true
        var any: [Requirement] = []
        var all: [Requirement] = []
        for (index, rule) in rules.enumerated() {
            let name = "origins-\(index)"
            config.providers[name] = provider(rule)
            let good = Requirement.with { $0.providerName = name }
            let missing = Requirement.with { $0.allowMissing = Google_Protobuf_Empty() }
            any.append(good)
            all.append(.with { $0.requiresAny.requirements = [good, missing] })
        }
        config.rules = [
            .with {
                $0.match.prefix = "/"
                $0.requires =
                    all.count == 1
                    ? all[0]
                    : .with { $0.requiresAny.requirements = any + [.with { $0.requiresAll.requirements = all }] }
            }
        ]
        return config
    }

    private func provider(_ rule: Rule) -> Provider {
        let spec = rule.spec
        return .with {
            $0.issuer = spec.issuer
            $0.audiences = spec.audiences
            $0.localJwks.inlineString = rule.keys
            $0.forward = spec.forwardOriginalToken
            $0.forwardPayloadHeader = spec.outputPayloadToHeader
            $0.payloadInMetadata = Self.payloadKey
            $0.clearRouteCache_p = reroutes
            $0.normalizePayloadInMetadata.spaceDelimitedClaims =
                ["permission", "scope"] + spec.spaceDelimitedClaims.filter { $0 != "permission" && $0 != "scope" }
            $0.fromHeaders = spec.fromHeaders.map { location in
                .with {
                    $0.name = location.name
                    $0.valuePrefix = location.prefix
                }
            }
            $0.fromParams = spec.fromParams
            $0.fromCookies = spec.fromCookies
            $0.claimToHeaders = spec.outputClaimToHeaders.map { pair in
                .with {
                    $0.headerName = pair.header
                    $0.claimName = pair.claim
                }
            }
        }
    }
}
