public import ApusIdentity

/// `extensions.filters.http.jwt_authn.v3.JwtAuthentication`: which tokens a request must, may and must not carry.
public final class TokenFilter: Sendable {
    /// `JwtProvider`: an issuer, its keys, and what happens with its tokens.
    public struct Provider: Sendable {
        public struct ClaimHeader: Sendable {
            public let header: HeaderName
            /// Names on the way into the payload.
            public let claim: [String]
        }

        public let name: String
        /// Empty: tokens of every issuer.
        public let issuer: String
        /// Without scheme and slash at the end; empty: every audience.
        public let audiences: Set<String>
        public let keys: KeySet
        public let locations: [TokenLocation]
        /// The token stays in the request.
        public let forwards: Bool
        public let payloadHeader: HeaderName?
        public let padsPayload: Bool
        /// Keys in the dynamic metadata; nil: not kept.
        public let payloadKey: String?
        public let headerKey: String?
        public let failureKey: String?
        /// Claims that are split at spaces before they are kept.
        public let splitClaims: [String]
        public let claimHeaders: [ClaimHeader]
        /// Seconds.
        public let clockSkew: UInt32
        /// A good token has the request routed again, by its claims.
        public let reroutes: Bool

        public init(
            name: String, issuer: String, audiences: [String] = [], keys: KeySet, locations: [TokenLocation] = [],
            forwards: Bool = false, payloadHeader: HeaderName? = nil, padsPayload: Bool = false,
            payloadKey: String? = nil, headerKey: String? = nil, failureKey: String? = nil,
            splitClaims: [String] = [], claimHeaders: [(HeaderName, String)] = [],
            clockSkew: UInt32 = JSONWebToken.defaultClockSkew, reroutes: Bool = false
        ) {
            self.name = name
            self.issuer = issuer
            self.audiences = Set(audiences.map(JSONWebToken.bareAudience))
            self.keys = keys
            self.locations = locations.isEmpty ? TokenLocation.usual : locations
            self.forwards = forwards
            self.payloadHeader = payloadHeader
            self.padsPayload = padsPayload
            self.payloadKey = payloadKey
            self.headerKey = headerKey
            self.failureKey = failureKey
            self.splitClaims = splitClaims
            self.claimHeaders = claimHeaders.map { header, claim in
                ClaimHeader(
                    header: header,
                    claim: claim.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
            }
            self.clockSkew = clockSkew
            self.reroutes = reroutes
        }
    }

    public indirect enum Requirement: Sendable {
        /// - audiences: in the place of the provider's own; nil: these.
        case provider(Int, audiences: Set<String>?)
        case any([Requirement])
        case all([Requirement])
        /// No token where one of the providers looks, or only good ones.
        case allowMissing(TokenSearch)
        case allowMissingOrFailed(TokenSearch)
    }

    public struct Rule: Sendable {
        public let match: RouteMatch
        /// nil: nothing is asked of the request.
        public let requirement: Requirement?

        public init(match: RouteMatch, requirement: Requirement?) {
            self.match = match
            self.requirement = requirement
        }
    }

    public let providers: [Provider]
    /// Where the tokens of each provider alone are looked for.
    public let searches: [TokenSearch]
    /// The first that matches counts.
    public let rules: [Rule]
    public let bypassesPreflight: Bool
    /// Answers have no body and no `www-authenticate`.
    public let stripsReason: Bool
    public let statPrefix: String
    /// Headers that only this filter may write.
    public let ownHeaders: [HeaderName]

    public init(
        providers: [Provider], rules: [Rule], bypassesPreflight: Bool = false, stripsReason: Bool = false,
        statPrefix: String = ""
    ) {
        self.providers = providers
        searches = providers.indices.map { TokenSearch([$0], providers) }
        self.rules = rules
        self.bypassesPreflight = bypassesPreflight
        self.stripsReason = stripsReason
        self.statPrefix = statPrefix
        ownHeaders = providers.flatMap { provider in
            (provider.payloadHeader.map { [$0] } ?? []) + provider.claimHeaders.map(\.header)
        }
    }
}

/// One place of a request where a token may be.
public enum TokenLocation: Hashable, Sendable {
    /// What follows the prefix; without one the whole value.
    case header(HeaderName, prefix: [UInt8])
    case query([UInt8])
    case cookie(String)

    /// RFC 6750, sections 2.1 and 2.3.
    public static let usual: [TokenLocation] = [
        .header(HeaderToken.authorization.name, prefix: Array("Bearer ".utf8)), .query(Array("access_token".utf8)),
    ]

    /// Headers first, then parameters, then cookies, each in the order of their names, as Envoy looks.
    fileprivate var order: (Int, [UInt8]) {
        switch self {
        case .header(let name, let prefix): (0, name.bytes + prefix)
        case .query(let name): (1, name)
        case .cookie(let name): (2, Array(name.utf8))
        }
    }

    fileprivate static func isBefore(_ left: TokenLocation, _ right: TokenLocation) -> Bool {
        let (one, other) = (left.order, right.order)
        return one.0 == other.0 ? one.1.lexicographicallyPrecedes(other.1) : one.0 < other.0
    }
}

/// All places where some providers look, each with the issuers whose tokens may be there.
public struct TokenSearch: Sendable {
    public struct Place: Sendable {
        public let location: TokenLocation
        /// nil: all.
        public let issuers: Set<String>?
    }

    public let providers: [Int]
    public let places: [Place]

    public init(_ providers: [Int], _ all: [TokenFilter.Provider]) {
        self.providers = providers
        var issuers: [TokenLocation: Set<String>?] = [:]
        for index in providers {
            let provider = all[index]
            for location in provider.locations {
                guard !provider.issuer.isEmpty else {
                    issuers[location] = .some(nil)
                    continue
                }
                switch issuers[location] {
                case nil: issuers[location] = [provider.issuer]
                case .some(nil): break
                case .some(.some(let known)): issuers[location] = known.union([provider.issuer])
                }
            }
        }
        places = issuers.keys.sorted(by: TokenLocation.isBefore).map {
            Place(location: $0, issuers: issuers[$0] ?? nil)
        }
    }
}
