internal import SwiftASN1

/// A signing key, its certificate and the chain above it as one PEM text, so that one rename of one file exchanges
/// what only fits together.
package struct SignerBundle: Sendable {
    /// PEM texts, as in `ca-key.pem`, `ca-cert.pem` and `cert-chain.pem`. The chain may be empty.
    package let key: String
    package let certificate: String
    package let chain: String

    package init(_ authority: CertificateAuthority) throws {
        key = try authority.key.pem
        certificate = try authority.certificate.pem
        chain = try authority.chain.map { try $0.pem }.joined()
    }

    /// - Parameter text: what `text` gave: the key, the certificate, the chain. Nil for anything else; whether the
    ///   parts fit is for `AuthorityMaterial` to say.
    package init?(text: String) {
        guard let documents = try? PEMDocument.parseMultiple(pemString: text), documents.count >= 2,
            documents[0].discriminator.hasSuffix("PRIVATE KEY"),
            documents.dropFirst().allSatisfy({ $0.discriminator == "CERTIFICATE" })
        else { return nil }
        let blocks = documents.map { $0.pemString + "\n" }
        key = blocks[0]
        certificate = blocks[1]
        chain = blocks.dropFirst(2).joined()
    }

    package var text: String { key + certificate + chain }
}
