internal import Crypto
internal import Foundation
internal import _CryptoExtras

/// The keys of an issuer of tokens (JWKS, RFC 7517, section 5), made ready once.
public struct KeySet: Sendable {
    private let keys: [VerificationKey]

    public static let sizeLimit = 1 << 20
    public static let keyLimit = 256

    /// No token passes.
    public static let empty = KeySet(keys: [])

    private init(keys: [VerificationKey]) { self.keys = keys }

    public var isEmpty: Bool { keys.isEmpty }

    public var count: Int { keys.count }

    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case tooLarge
        case badJSON
        case noKeys
        case tooManyKeys
        case noUsableKey(String)

        public var description: String {
            switch self {
            case .tooLarge: "it has more than \(KeySet.sizeLimit) bytes"
            case .badJSON: "it is not a JSON object (a name that comes twice is refused)"
            case .noKeys: "it has no list \"keys\""
            case .tooManyKeys: "it has more than \(KeySet.keyLimit) keys"
            case .noUsableKey(let why): "none of its keys can be used: \(why)"
            }
        }
    }

    /// Keys that cannot be used are passed over; without any other the set is refused.
    public init(parsing text: some Collection<UInt8>) throws(Fault) {
        guard text.count <= Self.sizeLimit else { throw .tooLarge }
        guard let fields = JSONValue(parsing: Array(text))?.object else { throw .badJSON }
        guard let list = fields["keys"]?.list else { throw .noKeys }
        guard list.count <= Self.keyLimit else { throw .tooManyKeys }
        var keys: [VerificationKey] = []
        var why = "the list is empty"
        for entry in list {
            do {
                keys.append(try VerificationKey(entry))
            } catch {
                why = error.why
            }
        }
        guard !keys.isEmpty else { throw .noUsableKey(why) }
        self.keys = keys
    }

    /// Which key may verify which token is Envoy's rule: the same `kid` where both say one, the same `alg` where the key
    /// says one. What an algorithm can mean is decided by the kind of the key, never by the token alone.
    public func verify(_ token: JSONWebToken) throws(TokenStatus) {
        guard !keys.isEmpty else { throw .noValidKeys }
        var isCandidate = false
        for key in keys where key.mayVerify(token) {
            isCandidate = true
            if try key.verifies(token) { return }
        }
        throw isCandidate ? .verificationFailed : .noMatchingKey
    }
}

/// One key of a set.
private struct VerificationKey: Sendable {
    struct Unusable: Error { let why: String }

    private enum Material: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case secret(SymmetricKey)
    }

    /// Empty: the key has none.
    private let id: String
    private let algorithm: String
    private let material: Material

    init(_ entry: JSONValue) throws(Unusable) {
        guard let fields = entry.object else { throw Unusable(why: "an entry is not an object") }
        guard let kind = fields["kty"]?.string else { throw Unusable(why: "\"kty\" is missing") }
        id = fields["kid"]?.string ?? ""
        algorithm = fields["alg"]?.string ?? ""
        material = try Self.material(of: fields, kind: kind, algorithm: algorithm)
    }

    private static func material(
        of fields: [String: JSONValue], kind: String, algorithm: String
    ) throws(Unusable) -> Material {
        func bytes(_ name: String) throws(Unusable) -> [UInt8] {
            guard let text = fields[name]?.string else { throw Unusable(why: "\"\(name)\" of \(kind) is missing") }
            // Some issuers pad.
            var bare = text[...]
            while bare.hasSuffix("="), text.count - bare.count < 2 { bare = bare.dropLast() }
            guard let bytes = Base64URL.decode(bare), !bytes.isEmpty else {
                throw Unusable(why: "\"\(name)\" of \(kind) is no base64url")
            }
            return bytes
        }
        func expect(_ allowed: [TokenAlgorithm]) throws(Unusable) {
            guard algorithm.isEmpty || allowed.contains(where: { $0.rawValue == algorithm }) else {
                throw Unusable(why: "\"alg\" \(algorithm) is not for \(kind)")
            }
        }
        switch kind {
        case "RSA":
            try expect([.rs256, .rs384, .rs512, .ps256, .ps384, .ps512])
            let exponent = Array(try bytes("e").drop { $0 == 0 })
            guard exponent == [1, 0, 1] || exponent == [3] else {
                throw Unusable(why: "the exponent of an RSA key is neither 65537 nor 3")
            }
            let modulus = Array(try bytes("n").drop { $0 == 0 })
            // Larger ones cost time without end.
            guard modulus.count <= 1024 else { throw Unusable(why: "an RSA key has more than 8192 bits") }
            guard let key = try? _RSA.Signing.PublicKey(n: Data(modulus), e: Data(exponent)) else {
                throw Unusable(why: "an RSA key has less than 2048 bits or is none")
            }
            return .rsa(key)
        case "EC":
            try expect([.es256, .es384, .es512])
            let byAlgorithm = ["ES256": "P-256", "ES384": "P-384", "ES512": "P-521"][algorithm]
            let curve = fields["crv"]?.string ?? byAlgorithm ?? "P-256"
            guard byAlgorithm == nil || byAlgorithm == curve else {
                throw Unusable(why: "\"alg\" \(algorithm) does not fit the curve \(curve)")
            }
            guard let size = ["P-256": 32, "P-384": 48, "P-521": 66][curve] else {
                throw Unusable(why: "the curve \(curve) is not supported")
            }
            func coordinate(_ name: String) throws(Unusable) -> [UInt8] {
                let bare = Array(try bytes(name).drop { $0 == 0 })
                guard bare.count <= size else { throw Unusable(why: "\"\(name)\" is too long for \(curve)") }
                return [UInt8](repeating: 0, count: size - bare.count) + bare
            }
            let point = try coordinate("x") + coordinate("y")
            let made: Material? =
                switch size {
                case 32: (try? P256.Signing.PublicKey(rawRepresentation: point)).map { .p256($0) }
                case 48: (try? P384.Signing.PublicKey(rawRepresentation: point)).map { .p384($0) }
                default: (try? P521.Signing.PublicKey(rawRepresentation: point)).map { .p521($0) }
                }
            guard let made else { throw Unusable(why: "the point is not on \(curve)") }
            return made
        case "OKP":
            try expect([.edDSA])
            guard fields["crv"]?.string == "Ed25519" else { throw Unusable(why: "OKP is supported with Ed25519 only") }
            let point = try bytes("x")
            guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: point) else {
                throw Unusable(why: "\"x\" is not a key of Ed25519")
            }
            return .ed25519(key)
        case "oct":
            try expect([.hs256, .hs384, .hs512])
            return .secret(SymmetricKey(data: try bytes("k")))
        default: throw Unusable(why: "\"kty\" \(kind) is not supported")
        }
    }

    func mayVerify(_ token: JSONWebToken) -> Bool {
        (token.keyID.isEmpty || id.isEmpty || token.keyID == id)
            && (algorithm.isEmpty || algorithm == token.algorithm.rawValue)
    }

    func verifies(_ token: JSONWebToken) throws(TokenStatus) -> Bool {
        let (text, signature) = (token.signedText, token.signature)
        switch (material, token.algorithm) {
        case (.rsa(let key), .rs256):
            return key.isValidSignature(Self.rsa(signature), for: SHA256.hash(data: text), padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .rs384):
            return key.isValidSignature(Self.rsa(signature), for: SHA384.hash(data: text), padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .rs512):
            return key.isValidSignature(Self.rsa(signature), for: SHA512.hash(data: text), padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .ps256):
            return key.isValidSignature(Self.rsa(signature), for: SHA256.hash(data: text), padding: .PSS)
        case (.rsa(let key), .ps384):
            return key.isValidSignature(Self.rsa(signature), for: SHA384.hash(data: text), padding: .PSS)
        case (.rsa(let key), .ps512):
            return key.isValidSignature(Self.rsa(signature), for: SHA512.hash(data: text), padding: .PSS)
        case (.p256(let key), .es256):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: text))
        case (.p384(let key), .es384):
            guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: SHA384.hash(data: text))
        case (.p521(let key), .es512):
            guard let signature = try? P521.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: SHA512.hash(data: text))
        case (.ed25519(let key), .edDSA):
            guard signature.count == 64 else { throw .edwardsSignatureLength }
            return key.isValidSignature(signature, for: text)
        case (.secret(let key), .hs256):
            return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: text, using: key)
        case (.secret(let key), .hs384):
            return HMAC<SHA384>.isValidAuthenticationCode(signature, authenticating: text, using: key)
        case (.secret(let key), .hs512):
            return HMAC<SHA512>.isValidAuthenticationCode(signature, authenticating: text, using: key)
        default:
            // An RSA key is no secret of HMAC, and no curve is another.
            return false
        }
    }

    private static func rsa(_ signature: [UInt8]) -> _RSA.Signing.RSASignature {
        _RSA.Signing.RSASignature(rawRepresentation: signature)
    }
}
