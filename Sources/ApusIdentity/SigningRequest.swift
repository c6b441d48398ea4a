internal import Crypto
internal import Foundation
internal import SwiftASN1
package import X509
internal import _CryptoExtras

/// A certificate signing request whose signature was checked. Of it only the key is used: names in it are the caller's
/// wishes, and the caller's proved identity decides (Istio's rule for `CreateCertificate`).
package struct SigningRequest: Sendable {
    package let key: Certificate.PublicKey

    /// A request with several extensions and a 4096-bit key has about 2 KB.
    package static let sizeLimit = 16 << 10
    package static let minimumRSABits = 2048

    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case tooLarge
        case malformed(String)
        case signature
        case weakKey(String)

        package var description: String {
            switch self {
            case .tooLarge: "the signing request is larger than \(sizeLimit) bytes"
            case .malformed(let why): "the signing request cannot be read: \(why)"
            case .signature: "the signing request is not signed with the key it asks a certificate for"
            case .weakKey(let why): "the key of the signing request is not accepted: \(why)"
            }
        }
    }

    /// - Parameter pem: one PKCS #10 request (RFC 2986) as PEM (RFC 7468).
    package init(pem: String) throws(Refusal) {
        guard pem.utf8.count <= Self.sizeLimit else { throw .tooLarge }
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(pemEncoded: pem)
        } catch {
            throw .malformed("it is not one PEM block of a PKCS #10 request")
        }
        try Self.check(request.publicKey)
        guard request.publicKey.isValidSignature(request.signature, for: request) else { throw .signature }
        key = request.publicKey
    }

    /// P-256, P-384, P-521, Ed25519, and RSA from 2048 to 8192 bits.
    private static func check(_ key: Certificate.PublicKey) throws(Refusal) {
        guard let rsa = _RSA.Signing.PublicKey(key) else { return }
        guard (minimumRSABits...8192).contains(rsa.keySizeInBits) else {
            throw .weakKey("RSA with \(rsa.keySizeInBits) bits; \(minimumRSABits) to 8192 are accepted")
        }
    }

    /// SHA-256 of the key (subjectPublicKeyInfo): says whether two requests come from the same holder.
    package var keyDigest: [UInt8] { Self.digest(key) }

    package static func digest(_ key: Certificate.PublicKey) -> [UInt8] {
        Array(SHA256.hash(data: key.subjectPublicKeyInfoBytes))
    }
}
