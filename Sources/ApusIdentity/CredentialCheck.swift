internal import SwiftASN1
internal import X509

/// Whether what a Secret holds can be used. An answer names what is wrong and never quotes it.
package enum CredentialCheck {
    /// Larger PEM texts are no certificates.
    private static let sizeLimit = 1 << 20

    /// What is wrong with a server's certificate chain and key; nil: nothing.
    package static func fault(certificates: [UInt8], key: [UInt8]) -> String? {
        guard let chain = blocks(certificates) else { return "the certificate is not PEM" }
        guard let first = chain.first else { return "there is no certificate" }
        guard let leaf = try? Certificate(pemDocument: first) else {
            return "the first block of the certificate is not a certificate"
        }
        guard chain.allSatisfy({ (try? Certificate(pemDocument: $0)) != nil }) else {
            return "a block of the certificate is not a certificate"
        }
        guard key.count <= sizeLimit,
            let read = try? Certificate.PrivateKey(pemEncoded: String(decoding: key, as: UTF8.self))
        else { return "the key is not a private key in PEM, or it is encrypted or of an unknown kind" }
        guard read.publicKey == leaf.publicKey else { return "the key does not belong to the certificate" }
        return nil
    }

    /// What is wrong with a bundle of certificates to trust; nil: nothing.
    package static func fault(roots: [UInt8]) -> String? {
        guard let bundle = blocks(roots) else { return "the CA certificate is not PEM" }
        guard !bundle.isEmpty else { return "there is no CA certificate" }
        guard bundle.allSatisfy({ (try? Certificate(pemDocument: $0)) != nil }) else {
            return "a block of the CA certificate is not a certificate"
        }
        return nil
    }

    private static func blocks(_ bytes: [UInt8]) -> [PEMDocument]? {
        guard bytes.count <= sizeLimit else { return nil }
        return try? PEMDocument.parseMultiple(pemString: String(decoding: bytes, as: UTF8.self))
    }
}
