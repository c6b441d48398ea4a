package import Crypto
package import Foundation

/// What lets a workload into the mesh for the first time: a statement by the mesh, signed by its token key, that whoever
/// holds it may become one identity until a time.
///
/// A JSON Web Token (RFC 7519, ES256 as RFC 7518), so that people can look inside. `sub` is the SPIFFE URI, `aud` is
/// always `istio-ca`, `jti` makes two tokens of one identity differ.
package struct JoinToken: Hashable, Sendable {
    package let identity: SPIFFEIdentity
    package let issued: Date
    package let expires: Date
    /// Good for one key only: the first that presents it.
    package let isSingleUse: Bool

    package static let audience = "istio-ca"
    package static let issuer = "apus"
    package static let sizeLimit = 8 << 10
    package static let defaultLifetime: TimeInterval = 3600
    package static let maximumLifetime: TimeInterval = 365 * 24 * 3600

    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case malformed
        case algorithm(String)
        case signature
        case claims(String)
        case expired(Date)
        case notYet(Date)

        package var description: String {
            switch self {
            case .malformed: "the token is not a JSON Web Token of this mesh"
            case .algorithm(let name): "the token is signed with \(name); this mesh signs with ES256"
            case .signature: "the token was not signed by this mesh"
            case .claims(let why): "the token is not for this: \(why)"
            case .expired(let time): "the token ended at \(time)"
            case .notYet(let time): "the token begins at \(time)"
            }
        }
    }

    private struct Header: Codable { var alg: String; var typ: String? }

    private struct Claims: Codable {
        var iss: String
        var sub: String
        var aud: [String]
        var iat: Int
        var exp: Int
        var jti: String
        var once: Bool?
    }

    package init(identity: SPIFFEIdentity, issued: Date, expires: Date, isSingleUse: Bool) {
        self.identity = identity
        self.issued = issued
        self.expires = expires
        self.isSingleUse = isSingleUse
    }

    /// The token's text.
    ///
    /// - Parameter nonce: at least 16 unpredictable bytes.
    package func signed(with key: P256.Signing.PrivateKey, nonce: [UInt8]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let claims = Claims(
            iss: Self.issuer, sub: identity.uri, aud: [Self.audience], iat: Int(issued.timeIntervalSince1970),
            exp: Int(expires.timeIntervalSince1970), jti: Base64URL.encode(nonce), once: isSingleUse ? true : nil)
        let content =
            Base64URL.encode(try encoder.encode(Header(alg: "ES256", typ: "JWT"))) + "."
            + Base64URL.encode(try encoder.encode(claims))
        let signature = try key.signature(for: Array(content.utf8))
        return content + "." + Base64URL.encode(signature.rawRepresentation)
    }

    /// Reads a token and checks everything that it says by itself. Whether it was revoked or used is the book's to say.
    package init(_ text: String, key: P256.Signing.PublicKey, trustDomain: TrustDomain, now: Date) throws(Refusal) {
        guard text.utf8.count <= Self.sizeLimit else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]),
            let mark = Base64URL.decode(parts[2]), let header = try? JSONDecoder().decode(Header.self, from: Data(head))
        else { throw .malformed }
        guard header.alg == "ES256" else { throw .algorithm(String(header.alg.prefix(16))) }
        // The signature first: nothing unsigned is interpreted.
        guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: mark),
            key.isValidSignature(signature, for: Array("\(parts[0]).\(parts[1])".utf8))
        else { throw .signature }
        guard let claims = try? JSONDecoder().decode(Claims.self, from: Data(body)) else { throw .malformed }
        guard claims.iss == Self.issuer else { throw .claims("it was issued by \(claims.iss)") }
        guard claims.aud.contains(Self.audience) else { throw .claims("its audience is not \(Self.audience)") }
        guard let identity = SPIFFEIdentity(uri: claims.sub) else { throw .claims("\(claims.sub) is no identity") }
        guard identity.trustDomain == trustDomain else {
            throw .claims("it is of the trust domain \(identity.trustDomain)")
        }
        self.identity = identity
        issued = Date(timeIntervalSince1970: TimeInterval(claims.iat))
        expires = Date(timeIntervalSince1970: TimeInterval(claims.exp))
        isSingleUse = claims.once ?? false
        guard now < expires else { throw .expired(expires) }
        guard issued <= now.addingTimeInterval(CertificateAuthority.clockSkew) else { throw .notYet(issued) }
    }

    /// What is kept of a token: SHA-256 of its text, in hexadecimal.
    package static func digest(_ text: String) -> String { Hexadecimal.encode(SHA256.hash(data: Array(text.utf8))) }
}

/// What the mesh remembers of a token it made: enough to know it again, too little to make it again.
package struct TokenRecord: Codable, Hashable, Sendable {
    package var identity: String
    /// Seconds since 1970.
    package var expires: Int
    package var once: Bool
    /// SHA-256 of the key that used a single-use token, in hexadecimal.
    package var usedBy: String?

    package init(_ token: JoinToken) {
        identity = token.identity.uri
        expires = Int(token.expires.timeIntervalSince1970)
        once = token.isSingleUse
    }

    package enum Use: Equatable { case allowed, record, refused }

    /// Whether a key may use the token. A single-use token is bound to the first key that comes with it: the same key may
    /// come again (its answer may have been lost on the way), another may not.
    package func use(by key: [UInt8]) -> Use {
        guard once else { return .allowed }
        guard let usedBy else { return .record }
        return usedBy == Hexadecimal.encode(key) ? .allowed : .refused
    }
}
