import ApusIdentity
import Crypto
import Foundation
import Testing
import _CryptoExtras

/// Keys of an issuer, and tokens of theirs.
struct TokenMaker {
    let p256 = P256.Signing.PrivateKey()
    let p384 = P384.Signing.PrivateKey()
    let p521 = P521.Signing.PrivateKey()
    let edwards = Curve25519.Signing.PrivateKey()
    let rsa: _RSA.Signing.PrivateKey
    let secret = SymmetricKey(data: Array("a secret of sixteen bytes or more".utf8))

    init() throws { rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048) }

    static func point(_ kid: String, _ curve: String, _ raw: Data, _ more: String = "") -> String {
        let (x, y) = (raw.prefix(raw.count / 2), raw.suffix(raw.count / 2))
        return
            #"{"kty":"EC","kid":"\#(kid)","crv":"\#(curve)","x":"\#(Base64URL.encode(x))","y":"\#(Base64URL.encode(y))"\#(more)}"#
    }

    func rsaEntry(_ more: String = "") throws -> String {
        let parts = try rsa.publicKey.getKeyPrimitives()
        return
            #"{"kty":"RSA","kid":"rsa","n":"\#(Base64URL.encode(parts.modulus))","e":"\#(Base64URL.encode(parts.publicExponent))"\#(more)}"#
    }

    func keys() throws -> KeySet {
        let entries = [
            try rsaEntry(), Self.point("p256", "P-256", p256.publicKey.rawRepresentation),
            Self.point("p384", "P-384", p384.publicKey.rawRepresentation),
            Self.point("p521", "P-521", p521.publicKey.rawRepresentation),
            #"{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"\#(Base64URL.encode(edwards.publicKey.rawRepresentation))"}"#,
            #"{"kty":"oct","kid":"oct","k":"\#(Base64URL.encode(secret.withUnsafeBytes { Array($0) }))"}"#,
        ]
        return try KeySet(parsing: Array(#"{"keys":[\#(entries.joined(separator: ","))]}"#.utf8))
    }

    static let usual = #"{"iss":"https://issuer","sub":"alice","aud":"shop"}"#

    func token(_ algorithm: String, kid: String? = nil, claims: String = usual, header: String? = nil) throws -> String
    {
        let kid = kid.map { #","kid":"\#($0)""# } ?? ""
        let head = header ?? #"{"alg":"\#(algorithm)"\#(kid)}"#
        let content = Base64URL.encode(head.utf8) + "." + Base64URL.encode(claims.utf8)
        return content + "." + Base64URL.encode(try signature(algorithm, Array(content.utf8)))
    }

    func signature(_ algorithm: String, _ text: [UInt8]) throws -> [UInt8] {
        let (s256, s384, s512) = (SHA256.hash(data: text), SHA384.hash(data: text), SHA512.hash(data: text))
        switch algorithm {
        case "RS256": return Array(try rsa.signature(for: s256, padding: .insecurePKCS1v1_5).rawRepresentation)
        case "RS384": return Array(try rsa.signature(for: s384, padding: .insecurePKCS1v1_5).rawRepresentation)
        case "RS512": return Array(try rsa.signature(for: s512, padding: .insecurePKCS1v1_5).rawRepresentation)
        case "PS256": return Array(try rsa.signature(for: s256, padding: .PSS).rawRepresentation)
        case "PS384": return Array(try rsa.signature(for: s384, padding: .PSS).rawRepresentation)
        case "PS512": return Array(try rsa.signature(for: s512, padding: .PSS).rawRepresentation)
        case "ES256": return Array(try p256.signature(for: s256).rawRepresentation)
        case "ES384": return Array(try p384.signature(for: s384).rawRepresentation)
        case "ES512": return Array(try p521.signature(for: s512).rawRepresentation)
        case "EdDSA": return Array(try edwards.signature(for: text))
        case "HS256": return Array(HMAC<SHA256>.authenticationCode(for: text, using: secret))
        case "HS384": return Array(HMAC<SHA384>.authenticationCode(for: text, using: secret))
        case "HS512": return Array(HMAC<SHA512>.authenticationCode(for: text, using: secret))
        default: return [1]
        }
    }
}

@Suite struct WebTokenTests {
    private let maker: TokenMaker
    private let keys: KeySet

    init() throws {
        maker = try TokenMaker()
        keys = try maker.keys()
    }

    /// nil: the token is good.
    private func fault(_ text: String, _ keys: KeySet? = nil) -> TokenStatus? {
        do {
            try (keys ?? self.keys).verify(JSONWebToken(text.utf8))
            return nil
        } catch let status as TokenStatus {
            return status
        } catch {
            return nil
        }
    }

    @Test func everyAlgorithmVerifiesWhatItsKeySigned() throws {
        for algorithm in TokenAlgorithm.allCases {
            let text = try maker.token(algorithm.rawValue)
            #expect(fault(text) == nil, "\(algorithm)")
            let parts = text.split(separator: ".")
            let other = Base64URL.encode(#"{"iss":"https://issuer","sub":"root"}"#.utf8)
            #expect(fault("\(parts[0]).\(other).\(parts[2])") == .verificationFailed, "\(algorithm)")
        }
    }

    @Test func whatAKeyMayVerifyIsDecidedByTheKey() throws {
        let rsa = try KeySet(parsing: Array(#"{"keys":[\#(maker.rsaEntry())]}"#.utf8))
        // The public key as the secret of HMAC.
        let content = try maker.token("RS256").split(separator: ".").prefix(2)
        let head = Base64URL.encode(#"{"alg":"HS256"}"#.utf8)
        let secret = SymmetricKey(data: Data(maker.rsa.publicKey.pemRepresentation.utf8))
        let signed = "\(head).\(content[1])"
        let mark = Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: secret))
        #expect(fault("\(signed).\(mark)", rsa) == .verificationFailed)
        for algorithm in ["ES256", "EdDSA", "HS256"] {
            #expect(fault(try maker.token(algorithm), rsa) == .verificationFailed, "\(algorithm)")
        }
        // A padding for another.
        let text = try maker.token("RS256").split(separator: ".")
        let pss = Base64URL.encode(#"{"alg":"PS256"}"#.utf8)
        #expect(fault("\(pss).\(text[1]).\(text[2])", rsa) == .verificationFailed)
    }

    @Test func kidAndAlgChooseTheKey() throws {
        #expect(fault(try maker.token("RS256", kid: "rsa")) == nil)
        #expect(fault(try maker.token("RS256", kid: "p256")) == .verificationFailed)
        #expect(fault(try maker.token("RS256", kid: "nobody")) == .noMatchingKey)
        let bound = try KeySet(parsing: Array(#"{"keys":[\#(maker.rsaEntry(#","alg":"RS512""#))]}"#.utf8))
        #expect(fault(try maker.token("RS512"), bound) == nil)
        #expect(fault(try maker.token("RS256"), bound) == .noMatchingKey)
        #expect(fault(try maker.token("RS256"), .empty) == .noValidKeys)
    }

    @Test(
        "what is no token is refused with Envoy's words",
        arguments: [
            ("", TokenStatus.badFormat), ("a.b", .badFormat), ("a.b.c.d", .badFormat), ("a..c", .badFormat),
            (".b.c", .badFormat), ("e30.e30.", .badFormat), ("e3=.e30.AA", .headerBadBase64),
            ("e31.e30.AA", .headerBadBase64), ("W10.e30.AA", .headerBadJSON), ("e30.e30.AA", .headerBadAlgorithm),
            ("eyJhbGciOjF9.e30.AA", .headerBadAlgorithm), ("eyJhbGciOiJub25lIn0.e30.AA", .headerUnknownAlgorithm),
            ("eyJhbGciOiJIUzI1NiJ9.e3.AA", .payloadBadBase64), ("eyJhbGciOiJIUzI1NiJ9.W10.AA", .payloadBadJSON),
            ("eyJhbGciOiJIUzI1NiJ9.e30.A", .signatureBadBase64), ("eyJhbGciOiJIUzI1NiJ9.e30.A+", .signatureBadBase64),
        ])
    func malformed(text: String, status: TokenStatus) { #expect(fault(text) == status) }

    @Test(
        "claims of a wrong type are refused",
        arguments: [
            (#"{"iss":1}"#, TokenStatus.issuerNotString), (#"{"sub":[]}"#, .subjectNotString),
            (#"{"iat":"1"}"#, .issuedNotNumber), (#"{"iat":-1}"#, .issuedOutOfRange),
            (#"{"nbf":null}"#, .notBeforeNotNumber), (#"{"exp":1e30}"#, .expiryOutOfRange),
            (#"{"jti":1}"#, .identifierNotString), (#"{"aud":["a",1]}"#, .audienceNotString),
            (#"{"sub":"a","sub":"b"}"#, .payloadBadJSON), (#"{"sub":"a"} x"#, .payloadBadJSON),
        ])
    func claims(text: String, status: TokenStatus) throws {
        #expect(fault(try maker.token("HS256", claims: text)) == status)
    }

    @Test func aTokenHasATimeWithSomeSkew() throws {
        let token = try JSONWebToken(maker.token("HS256", claims: #"{"nbf":1000,"exp":2000}"#).utf8)
        func fault(_ now: Int64) -> TokenStatus? {
            do { try token.checkTime(now: now, clockSkew: 60) } catch { return error }
            return nil
        }
        #expect(fault(939) == .notYetValid)
        #expect(fault(940) == nil)
        #expect(fault(2060) == nil)
        #expect(fault(2061) == .expired)
    }

    @Test func audiencesAreTheSameWithoutTheirScheme() throws {
        let token = try JSONWebToken(maker.token("HS256", claims: #"{"aud":["https://shop/","cart"]}"#).utf8)
        #expect(token.hasAudience(among: []))
        #expect(token.hasAudience(among: [JSONWebToken.bareAudience("http://shop")]))
        #expect(token.hasAudience(among: ["cart"]))
        #expect(!token.hasAudience(among: ["car", "shop.example"]))
    }

    @Test func keysThatCannotBeUsedArePassedOver() throws {
        let good = TokenMaker.point("a", "P-256", maker.p256.publicKey.rawRepresentation)
        let off = TokenMaker.point("b", "P-256", Data(repeating: 7, count: 64))
        let wrong = TokenMaker.point("c", "P-256", maker.p256.publicKey.rawRepresentation, #","alg":"RS256""#)
        let small = #"{"kty":"RSA","n":"\#(Base64URL.encode([UInt8](repeating: 255, count: 64)))","e":"AQAB"}"#
        let set = #"{"keys":[{"kty":"X"},1,\#(off),\#(wrong),\#(small),\#(good)]}"#
        #expect(try KeySet(parsing: Array(set.utf8)).count == 1)
        for text in [#"{"keys":[]}"#, #"{"keys":[\#(off),\#(wrong),\#(small)]}"#, "{}", "[]", #"{"keys":1}"#] {
            #expect(throws: KeySet.Fault.self, "\(text)") { try KeySet(parsing: Array(text.utf8)) }
        }
    }
}

@Suite struct JSONValueTests {
    @Test func valuesAreReadAndWritten() {
        let text = #"{"a":[1,-2.5,true,null,"x\u00e9\ud83d\ude00\n"],"b":{}}"#
        let value = JSONValue(parsing: Array(text.utf8))
        #expect(value?.object?["a"]?.list?.count == 5)
        #expect(value?.value(at: ["a"])?.list?[4] == .string("xé😀\n"))
        #expect(value?.text == "{\"a\":[1,-2.5,true,null,\"xé😀\\u000a\"],\"b\":{}}")
    }

    @Test(
        "what two readers could understand in two ways is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", ".5", "+1", "1e999", "nul", "\"\\x\"",
            "\"\\ud800\"", "\"a\nb\"", "{a:1}", "1 2", "'a'", "NaN",
        ])
    func refused(text: String) { #expect(JSONValue(parsing: Array(text.utf8)) == nil) }

    @Test func depthAndBytesAreBounded() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(JSONValue(parsing: Array(deep.utf8)) == nil)
        #expect(JSONValue(parsing: [0x22, 0xFF, 0x22]) == nil)
    }
}
