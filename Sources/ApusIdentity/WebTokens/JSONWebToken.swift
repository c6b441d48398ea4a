/// A signed token in its compact form (RFC 7515, section 3.1; RFC 7519), read but not yet believed: `KeySet.verify` says
/// whether somebody signed it.
public struct JSONWebToken: Sendable {
    public let algorithm: TokenAlgorithm
    /// Empty: the header names no key.
    public let keyID: String
    public let header: JSONValue
    public let payload: JSONValue
    public let issuer: String
    public let subject: String
    public let audiences: [String]
    /// Seconds since 1970; nil: not said.
    public let notBefore: Double?
    public let expiry: Double?
    /// The payload as it came.
    public let payloadText: String
    /// What the signature is over.
    let signedText: [UInt8]
    let signature: [UInt8]

    /// Bytes; heads of requests have a smaller limit of their own.
    public static let sizeLimit = 64 << 10
    /// Clocks of issuers and of this machine may differ so much, in seconds (Envoy's default).
    public static let defaultClockSkew: UInt32 = 60

    /// The order of the checks is Envoy's, so that the first fault found is the same.
    public init(_ text: some Collection<UInt8>) throws(TokenStatus) {
        guard text.count <= Self.sizeLimit else { throw .badFormat }
        let bytes = Array(text)
        let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
        guard dots.count == 2, dots[0] > 0, dots[1] > dots[0] + 1, dots[1] < bytes.count - 1 else { throw .badFormat }
        func decode(_ part: ArraySlice<UInt8>) -> [UInt8]? {
            Base64URL.decode(String(decoding: part, as: UTF8.self))
        }
        guard let head = decode(bytes[..<dots[0]]) else { throw .headerBadBase64 }
        guard let header = JSONValue(parsing: head), let fields = header.object else { throw .headerBadJSON }
        guard let name = fields["alg"]?.string else { throw .headerBadAlgorithm }
        guard let algorithm = TokenAlgorithm(rawValue: name) else { throw .headerUnknownAlgorithm }
        self.algorithm = algorithm
        keyID = try Self.string(fields["kid"], .headerBadKeyID)
        let middle = bytes[(dots[0] + 1)..<dots[1]]
        guard let body = decode(middle) else { throw .payloadBadBase64 }
        guard let payload = JSONValue(parsing: body), let claims = payload.object else { throw .payloadBadJSON }
        issuer = try Self.string(claims["iss"], .issuerNotString)
        subject = try Self.string(claims["sub"], .subjectNotString)
        _ = try Self.time(claims["iat"], .issuedNotNumber, .issuedOutOfRange)
        notBefore = try Self.time(claims["nbf"], .notBeforeNotNumber, .notBeforeOutOfRange)
        expiry = try Self.time(claims["exp"], .expiryNotNumber, .expiryOutOfRange)
        _ = try Self.string(claims["jti"], .identifierNotString)
        switch claims["aud"] {
        case nil: audiences = []
        case .string(let audience)?: audiences = [audience]
        case .list(let values)?:
            var texts: [String] = []
            for value in values {
                guard let text = value.string else { throw .audienceNotString }
                texts.append(text)
            }
            audiences = texts
        default: throw .audienceNotString
        }
        guard let signature = decode(bytes[(dots[1] + 1)...]) else { throw .signatureBadBase64 }
        self.signature = signature
        self.header = header
        self.payload = payload
        payloadText = String(decoding: middle, as: UTF8.self)
        signedText = Array(bytes[..<dots[1]])
    }

    private static func string(_ value: JSONValue?, _ fault: TokenStatus) throws(TokenStatus) -> String {
        guard let value else { return "" }
        guard let text = value.string else { throw fault }
        return text
    }

    private static func time(
        _ value: JSONValue?, _ wrongType: TokenStatus, _ outOfRange: TokenStatus
    ) throws(TokenStatus) -> Double? {
        guard let value else { return nil }
        guard case .number(let seconds) = value else { throw wrongType }
        guard seconds >= 0, seconds < 18_446_744_073_709_551_616 else { throw outOfRange }
        return seconds.rounded(.towardZero)
    }

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - clockSkew: seconds by which clocks may differ.
    public func checkTime(now: Int64, clockSkew: UInt32) throws(TokenStatus) {
        let (now, skew) = (Double(now), Double(clockSkew))
        if let notBefore, now + skew < notBefore { throw .notYetValid }
        // Envoy takes an expiry of 0 for none.
        if let expiry, expiry > 0, now > expiry + skew { throw .expired }
    }

    /// One of the token's audiences is among the allowed ones. `https://a/` and `http://a` are the same as `a`, as with
    /// Envoy; an empty list allows every token.
    public func hasAudience(among allowed: Set<String>) -> Bool {
        allowed.isEmpty || audiences.contains { allowed.contains(Self.bareAudience($0)) }
    }

    /// Without a scheme of HTTP and a slash at the end.
    public static func bareAudience(_ audience: String) -> String {
        var rest = audience[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            break
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        return String(rest)
    }
}

/// How a token is signed (RFC 7518, section 3.1; RFC 8037). `none` is not among them.
public enum TokenAlgorithm: String, Hashable, Sendable, CaseIterable {
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case edDSA = "EdDSA"
}
