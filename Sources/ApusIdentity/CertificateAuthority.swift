internal import Crypto
package import Foundation
internal import SwiftASN1
package import X509

/// A certificate that signs, its key, and how others get from it to a root.
package struct CertificateAuthority: Sendable {
    /// The certificate that signs.
    package let certificate: Certificate
    package let key: Certificate.PrivateKey
    /// From `certificate` up to, and without, the root; sent with every leaf. Empty when the root itself signs.
    package let chain: [Certificate]
    /// The root that `certificate` leads to.
    package let root: Certificate
    /// What goes before `certificate` on the wire, encoded once.
    private let chainPEM: [String]
    private let keyIdentifier: ArraySlice<UInt8>?

    /// Life of a workload's certificate when nothing is asked for (Istio: 24 hours).
    package static let defaultLifetime: TimeInterval = 24 * 3600
    /// The longest life (Istio: 90 days).
    package static let maximumLifetime: TimeInterval = 90 * 24 * 3600
    /// Clocks of proxies may be behind ours by this much (Istio: two minutes).
    package static let clockSkew: TimeInterval = 120

    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case lifetime(TimeInterval)
        case expired(Date)
        case signing(String)

        package var description: String {
            switch self {
            case .lifetime(let asked):
                "a life of \(Int(clamping: asked)) seconds was asked for; the longest is \(Int(maximumLifetime))"
            case .expired(let end): "the signing certificate of the mesh ended at \(end)"
            case .signing(let why): "the certificate cannot be signed: \(why)"
            }
        }
    }

    /// - Precondition of use, checked by `AuthorityMaterial`: the key belongs to the certificate, and the chain leads to
    ///   the root.
    package init(certificate: Certificate, key: Certificate.PrivateKey, chain: [Certificate], root: Certificate) {
        self.certificate = certificate
        self.key = key
        self.chain = chain
        self.root = root
        chainPEM = (chain + [root]).compactMap { try? $0.pem }
        keyIdentifier = (try? certificate.extensions.subjectKeyIdentifier)?.keyIdentifier
    }

    /// A certificate for a workload.
    ///
    /// - Parameters:
    ///   - lifetime: seconds; 0 or less means the default. Cut to the end of the signing certificate.
    ///   - now: when it is issued; it is valid from two minutes before.
    package func issue(
        to identity: SPIFFEIdentity, key: Certificate.PublicKey, lifetime: TimeInterval, now: Date
    ) throws(Refusal) -> IssuedCertificate {
        try issue(
            names: SubjectAlternativeNames([.uniformResourceIdentifier(identity.uri)]), key: key, lifetime: lifetime,
            now: now)
    }

    /// A certificate for a server of the control plane: DNS names and addresses beside its identity.
    package func issueServer(
        identity: SPIFFEIdentity, hosts: [String], addresses: [[UInt8]], key: Certificate.PublicKey,
        lifetime: TimeInterval, now: Date
    ) throws(Refusal) -> IssuedCertificate {
        let names: [GeneralName] =
            hosts.map { .dnsName($0) } + addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
            + [.uniformResourceIdentifier(identity.uri)]
        return try issue(names: SubjectAlternativeNames(names), key: key, lifetime: lifetime, now: now)
    }

    private func issue(
        names: SubjectAlternativeNames, key subject: Certificate.PublicKey, lifetime: TimeInterval, now: Date
    ) throws(Refusal) -> IssuedCertificate {
        guard lifetime <= Self.maximumLifetime else { throw .lifetime(lifetime) }
        // A leaf that outlives its signer would be refused by every peer on the day the signer ends.
        guard now < certificate.notValidAfter else { throw .expired(certificate.notValidAfter) }
        let wanted = now.addingTimeInterval(lifetime > 0 ? lifetime : Self.defaultLifetime)
        let end = min(wanted, certificate.notValidAfter)
        let begin = max(now.addingTimeInterval(-Self.clockSkew), certificate.notValidBefore)
        do {
            let leaf = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: subject, notValidBefore: begin,
                notValidAfter: end, issuer: certificate.subject, subject: DistinguishedName(),
                extensions: Certificate.Extensions {
                    Critical(KeyUsage(digitalSignature: true, keyEncipherment: true))
                    try ExtendedKeyUsage([.serverAuth, .clientAuth])
                    Critical(BasicConstraints.notCertificateAuthority)
                    AuthorityKeyIdentifier(keyIdentifier: keyIdentifier)
                    // Critical since the subject is empty (RFC 5280, section 4.2.1.6).
                    Critical(names)
                },
                issuerPrivateKey: key)
            return IssuedCertificate(
                certificate: leaf, pem: [try leaf.pem] + chainPEM, notAfter: end)
        } catch {
            throw .signing("\(error)")
        }
    }
}

/// A leaf with what its holder must show and trust.
package struct IssuedCertificate: Sendable {
    package let certificate: Certificate
    /// PEM blocks, each with its last line ended, since clients put them one behind the other: leaf, intermediates, root
    /// last (the order of `IstioCertificateResponse.cert_chain`).
    package let pem: [String]
    package let notAfter: Date
}

extension Certificate {
    /// One PEM block, its last line ended.
    package var pem: String { get throws { try serializeAsPEM().pemString + "\n" } }
}

extension Certificate.PrivateKey {
    /// One PEM block, its last line ended.
    package var pem: String { get throws { try serializeAsPEM().pemString + "\n" } }
}

extension Int {
    fileprivate init(clamping value: TimeInterval) {
        self = Swift.Int(exactly: value.rounded()) ?? (value < 0 ? Swift.Int.min : Swift.Int.max)
    }
}
