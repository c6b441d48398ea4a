internal import ApusCore
public import ApusIdentity

/// What the filter says of a request.
public enum TokenVerdict: Sendable {
    /// A preflight of CORS carries no credentials.
    case bypassed
    /// - metadata: of this filter; nil: nothing is to be kept.
    /// - reroutes: the claims may have made the request one of another route.
    case allowed(metadata: JSONValue?, reroutes: Bool)
    case denied(TokenStatus)
}

extension TokenFilter {
    public static let name = "envoy.filters.http.jwt_authn"

    /// Takes tokens out of the head, and puts claims into it, as the providers of good ones say.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - lookups: how many tokens were looked at, for the counters.
    public func judge(_ head: inout HTTPHead, now: Int64, draw: Draw, lookups: inout UInt64) -> TokenVerdict {
        if bypassesPreflight, isPreflight(head) { return .bypassed }
        let path = head.pathWithoutQuery
        let rule = rules.enumerated().first { index, rule in
            rule.match.matches(head, path: path, draw: draw, index: index)
        }
        guard let requirement = rule?.element.requirement else { return .allowed(metadata: nil, reroutes: false) }
        // Of all providers, not of those alone that are asked: what a client sends there is never a claim.
        for header in ownHeaders { head.remove(header) }
        var check = TokenCheck(filter: self, now: now)
        let status = check.run(requirement, &head)
        lookups += check.lookups
        if let status { return .denied(status) }
        return .allowed(
            metadata: check.metadata.isEmpty ? nil : .object(check.metadata), reroutes: check.reroutes)
    }

    private func isPreflight(_ head: HTTPHead) -> Bool {
        func isFilled(_ token: HeaderToken) -> Bool { head.value(token).map { !$0.isEmpty } ?? false }
        return head.method == .options && isFilled(.origin) && isFilled(.accessControlRequestMethod)
    }
}

/// The state of judging one request.
private struct TokenCheck {
    let filter: TokenFilter
    let now: Int64
    var metadata: [String: JSONValue] = [:]
    var lookups: UInt64 = 0
    var reroutes = false

    init(filter: TokenFilter, now: Int64) {
        self.filter = filter
        self.now = now
    }

    /// - Returns: nil: it is met.
    mutating func run(_ requirement: TokenFilter.Requirement, _ head: inout HTTPHead) -> TokenStatus? {
        switch requirement {
        case .provider(let index, let audiences):
            return each(filter.searches[index].tokens(in: head), &head, provider: index, audiences: audiences)
        case .any(let parts):
            // Of several faults the one that says most: not that a token is missing, and not that it is another's.
            var fault = TokenStatus.missing
            for part in parts {
                guard let status = run(part, &head) else { return nil }
                if (status != .missing && status != .unknownIssuer) || fault == .missing { fault = status }
            }
            return fault
        case .all(let parts):
            for part in parts {
                if let status = run(part, &head) { return status }
            }
            return nil
        case .allowMissing(let search): return optional(search, &head, mayFail: false)
        case .allowMissingOrFailed(let search): return optional(search, &head, mayFail: true)
        }
    }

    /// Every token must be good, from the last found to the first.
    private mutating func each(
        _ tokens: [FoundToken], _ head: inout HTTPHead, provider: Int, audiences: Set<String>?
    ) -> TokenStatus? {
        if tokens.isEmpty { return failed(.missing, provider) }
        for token in tokens.reversed() {
            lookups += 1
            if let fault = check(token, &head, provider: provider, audiences: audiences) {
                return failed(fault, provider)
            }
        }
        return nil
    }

    private mutating func failed(_ status: TokenStatus, _ provider: Int) -> TokenStatus {
        if let key = filter.providers[provider].failureKey {
            metadata[key] = .object(["message": .string(status.text)])
        }
        return status
    }

    /// The provider is found by the token's issuer, among those that stand beside. Every token is looked at.
    private mutating func optional(_ search: TokenSearch, _ head: inout HTTPHead, mayFail: Bool) -> TokenStatus? {
        var fault: TokenStatus?
        for token in search.tokens(in: head).reversed() {
            if let status = check(token, &head, among: search.providers), fault == nil { fault = status }
        }
        return mayFail ? nil : fault
    }

    private mutating func check(
        _ found: FoundToken, _ head: inout HTTPHead, provider: Int? = nil, among providers: [Int] = [],
        audiences: Set<String>? = nil
    ) -> TokenStatus? {
        do {
            let token = try JSONWebToken(found.text)
            if let issuers = found.place.issuers, !issuers.contains(token.issuer) { throw TokenStatus.unknownIssuer }
            let index =
                provider ?? providers.first { filter.providers[$0].issuer == token.issuer }
                ?? providers.first { filter.providers[$0].issuer.isEmpty }
            guard let index else { throw TokenStatus.unknownIssuer }
            let provider = filter.providers[index]
            try token.checkTime(now: now, clockSkew: provider.clockSkew)
            guard token.hasAudience(among: audiences ?? provider.audiences) else {
                throw TokenStatus.audienceNotAllowed
            }
            try provider.keys.verify(token)
            accept(token, found.place.location, provider, &head)
            return nil
        } catch let status as TokenStatus {
            return status
        } catch {
            return .verificationFailed
        }
    }

    private mutating func accept(
        _ token: JSONWebToken, _ location: TokenLocation, _ provider: TokenFilter.Provider, _ head: inout HTTPHead
    ) {
        if let header = provider.payloadHeader {
            let count = token.payloadText.utf8.count
            let padding = provider.padsPayload ? String(repeating: "=", count: (4 - count % 4) % 4) : ""
            head.append(header, token.payloadText + padding)
        }
        for pair in provider.claimHeaders {
            guard let text = token.payload.value(at: pair.claim).flatMap(ClaimText.header), !text.isEmpty,
                HTTPSyntax.isSafeValue(text.utf8)
            else { continue }
            head.append(pair.header, text)
        }
        if !provider.forwards { location.remove(from: &head) }
        if provider.reroutes { reroutes = true }
        if let key = provider.headerKey { metadata[key] = token.header }
        if let key = provider.payloadKey { metadata[key] = ClaimText.split(token.payload, provider.splitClaims) }
    }
}

/// Claims in other clothes.
enum ClaimText {
    /// As Envoy writes a claim into a header; nil: it does not.
    static func header(_ claim: JSONValue) -> String? {
        switch claim {
        case .string(let text): text
        case .bool(let value): value ? "true" : "false"
        case .number(let number): self.number(number)
        case .list, .object: Base64.encode(Array(claim.text.utf8))
        case .null: nil
        }
    }

    /// Whole numbers that are not negative as they are, others with six digits after the point.
    static func number(_ number: Double) -> String {
        if number >= 0, let whole = UInt64(exactly: number) { return String(whole) }
        let scaled = (number.magnitude * 1_000_000).rounded(.toNearestOrEven)
        // Beyond this a double has no digits after the point.
        guard let scaled = UInt64(exactly: scaled) else { return "\(number)" }
        let digits = String(scaled % 1_000_000)
        let fraction = String(repeating: "0", count: 6 - digits.count) + digits
        return "\(number < 0 ? "-" : "")\(scaled / 1_000_000).\(fraction)"
    }

    /// The payload with some strings of words as lists (RFC 8693, section 4.2: `scope`).
    static func split(_ payload: JSONValue, _ claims: [String]) -> JSONValue {
        guard var fields = payload.object else { return payload }
        for claim in claims {
            guard let text = fields[claim]?.string else { continue }
            fields[claim] = .list(text.split(separator: " ").map { .string(String($0)) })
        }
        return .object(fields)
    }
}

extension LocalReply {
    /// 403 for a token that is for somebody else, 401 for every other fault; the reason is the body (RFC 6750, section 3).
    public static func tokenDenied(_ status: TokenStatus, _ filter: TokenFilter, request: HTTPHead) -> LocalReply {
        let details = "jwt_authn_access_denied{\(String(status.text.map { $0 == " " ? "_" : $0 }))}"
        let code: UInt16 = status == .audienceNotAllowed ? 403 : 401
        if filter.stripsReason { return LocalReply(code, details: details) }
        var challenge = Array("Bearer realm=\"".utf8)
        challenge += request.value(.xForwardedProto).map { request.withBytes($0) { Array($0) } } ?? []
        challenge += Array("://".utf8)
        challenge += request.withBytes(request.authority) { Array($0) }
        challenge += request.withBytes(request.path) { Array($0.prefix(256)) }
        challenge.append(UInt8(ascii: "\""))
        if status != .missing { challenge += Array(", error=\"invalid_token\"".utf8) }
        return LocalReply(code, status.text, details: details, headers: [(HeaderName("www-authenticate"), challenge)])
    }
}
