package import Foundation
internal import SwiftASN1
package import X509

/// A certificate authority as the four files that Istio names: `ca-cert.pem`, `ca-key.pem`, `cert-chain.pem`,
/// `root-cert.pem`.
package struct AuthorityMaterial: Sendable {
    package var certificate: String
    package var key: String
    /// Intermediates, the signing one first; empty means the signer itself when it is not the root.
    package var chain: String
    /// One root or more; the signer leads to one of them, all of them are trusted.
    package var roots: String

    package init(certificate: String, key: String, chain: String, roots: String) {
        self.certificate = certificate
        self.key = key
        self.chain = chain
        self.roots = roots
    }

    /// What is wrong with a set of files; every problem at once.
    package struct Problems: Error, CustomStringConvertible {
        package let texts: [String]
        package var description: String { texts.joined(separator: "\n") }
    }

    /// Reads and checks the whole: the key belongs to the certificate, the certificate may sign certificates, each link
    /// is signed by the next, the end is among the roots, nothing is past its end.
    package func authority(now: Date) throws(Problems) -> (authority: CertificateAuthority, roots: [Certificate]) {
        var problems: [String] = []
        let signers = Self.certificates(certificate, "ca-cert.pem", &problems)
        let links = Self.certificates(chain, "cert-chain.pem", &problems, mayBeEmpty: true)
        let roots = Self.certificates(roots, "root-cert.pem", &problems)
        var privateKey: Certificate.PrivateKey?
        do {
            privateKey = try Certificate.PrivateKey(pemEncoded: key)
        } catch {
            // The error's text may quote what it could not read, and that is a key.
            problems.append("ca-key.pem: it is not one PEM block of a private key (PKCS #8, SEC 1 or PKCS #1)")
        }
        guard let signer = signers.first, let privateKey, !roots.isEmpty else { throw Problems(texts: problems) }
        if privateKey.publicKey != signer.publicKey {
            problems.append("ca-key.pem: the key does not belong to the certificate in ca-cert.pem")
        }
        if !Self.maySign(signer) {
            problems.append(
                "ca-cert.pem: the certificate may not sign others (basicConstraints CA:TRUE, keyUsage keyCertSign)")
        }
        for certificate in [signer] + links + roots where certificate.notValidAfter <= now {
            problems.append("\(certificate.subject): the certificate ended at \(certificate.notValidAfter)")
        }
        // The signer, then the intermediates above it.
        var path = [signer]
        for link in links where link != signer && !roots.contains(link) { path.append(link) }
        var root: Certificate?
        for (index, link) in path.enumerated() {
            if index + 1 < path.count {
                if !Self.isSigned(link, by: path[index + 1]) {
                    problems.append("cert-chain.pem: \(link.subject) is not signed by \(path[index + 1].subject)")
                }
            } else {
                root = roots.first { $0 == link || Self.isSigned(link, by: $0) }
                if root == nil { problems.append("root-cert.pem: no root signed \(link.subject)") }
            }
        }
        guard problems.isEmpty, let root else { throw Problems(texts: problems) }
        return (
            CertificateAuthority(
                certificate: signer, key: privateKey, chain: path.filter { $0 != root }, root: root), roots
        )
    }

    /// Certificates of a PEM text; at most 64.
    package static func certificates(_ pem: String) throws -> [Certificate] {
        try PEMDocument.parseMultiple(pemString: pem).prefix(64).map { try Certificate(pemDocument: $0) }
    }

    private static func certificates(
        _ pem: String, _ file: String, _ problems: inout [String], mayBeEmpty: Bool = false
    ) -> [Certificate] {
        do {
            let found = try certificates(pem)
            if found.isEmpty, !mayBeEmpty { problems.append("\(file): there is no certificate in it") }
            return found
        } catch {
            if mayBeEmpty, pem.allSatisfy(\.isWhitespace) { return [] }
            problems.append("\(file): it is not a sequence of PEM certificates")
            return []
        }
    }

    private static func maySign(_ certificate: Certificate) -> Bool {
        guard case .isCertificateAuthority? = try? certificate.extensions.basicConstraints else { return false }
        guard let usage = try? certificate.extensions.keyUsage else { return true }
        return usage.keyCertSign
    }

    private static func isSigned(_ certificate: Certificate, by issuer: Certificate) -> Bool {
        certificate.issuer == issuer.subject
            && issuer.publicKey.isValidSignature(certificate.signature, for: certificate)
    }
}
