internal import Crypto
package import Foundation
internal import SwiftASN1
package import X509

/// A root and its key. The root signs intermediates and nothing else.
package struct RootAuthority: Sendable {
    package let certificate: Certificate
    package let key: Certificate.PrivateKey

    package init(certificate: Certificate, key: Certificate.PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// Life of a root (Istio: 3650 days).
    package static let lifetime: TimeInterval = 3650 * 24 * 3600
    /// Life of an intermediate: renewed by the control plane on its own, long before it ends.
    package static let intermediateLifetime: TimeInterval = 365 * 24 * 3600

    /// A self-signed root with a new P-256 key, organisation = trust domain as Istio's.
    package static func make(
        trustDomain: TrustDomain, now: Date, lifetime: TimeInterval = lifetime
    ) throws -> RootAuthority {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let serial = Certificate.SerialNumber()
        // Roots of one mesh must differ in name: a verifier looks for an issuer by it.
        let name = try DistinguishedName {
            OrganizationName(trustDomain.name)
            CommonName("Root CA \(Hexadecimal.encode(serial.bytes.prefix(4)))")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: serial, publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-CertificateAuthority.clockSkew),
            notValidAfter: now.addingTimeInterval(lifetime), issuer: name, subject: name,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
        return RootAuthority(certificate: certificate, key: key)
    }

    /// An intermediate with a new key, which signs leaves only.
    package func makeIntermediate(
        trustDomain: TrustDomain, now: Date, lifetime: TimeInterval = intermediateLifetime
    ) throws -> CertificateAuthority {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let serial = Certificate.SerialNumber()
        let rootIdentifier = try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
        let signer = try Certificate(
            version: .v3, serialNumber: serial, publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-CertificateAuthority.clockSkew),
            notValidAfter: min(now.addingTimeInterval(lifetime), certificate.notValidAfter),
            issuer: certificate.subject,
            subject: try DistinguishedName {
                OrganizationName(trustDomain.name)
                CommonName("Intermediate CA \(Hexadecimal.encode(serial.bytes.prefix(4)))")
            },
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
                AuthorityKeyIdentifier(keyIdentifier: rootIdentifier)
            },
            issuerPrivateKey: self.key)
        return CertificateAuthority(certificate: signer, key: key, chain: [signer], root: certificate)
    }
}
