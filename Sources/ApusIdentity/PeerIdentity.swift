package import Foundation
internal import SwiftASN1
package import X509

extension SPIFFEIdentity {
    package enum CertificateRefusal: Error, Equatable, CustomStringConvertible {
        case names(String)
        case usage
        case authority
        case time(Date, Date)
        case trustDomain(String)

        package var description: String {
            switch self {
            case .names(let why): "the certificate does not say who its holder is: \(why)"
            case .usage: "the certificate is not for TLS clients (extended key usage)"
            case .authority: "the certificate is a certificate authority's, not a workload's"
            case .time(let begin, let end): "the certificate is valid from \(begin) to \(end) only"
            case .trustDomain(let name): "the certificate is of the trust domain \(name)"
            }
        }
    }

    /// Who the holder of a certificate is, its chain being checked already.
    ///
    /// X.509-SVID, sections 2, 4 and 5: exactly one URI name, which is the identity; no CA; usable for TLS clients.
    package init(
        holderOf certificate: Certificate, domains: Set<TrustDomain>, now: Date
    ) throws(CertificateRefusal) {
        guard certificate.notValidBefore <= now, now < certificate.notValidAfter else {
            throw .time(certificate.notValidBefore, certificate.notValidAfter)
        }
        let names: SubjectAlternativeNames?
        let usage: ExtendedKeyUsage?
        let constraints: BasicConstraints?
        do {
            names = try certificate.extensions.subjectAlternativeNames
            usage = try certificate.extensions.extendedKeyUsage
            constraints = try certificate.extensions.basicConstraints
        } catch {
            throw .names("an extension cannot be read")
        }
        if case .isCertificateAuthority? = constraints { throw .authority }
        if let usage, !usage.contains(.clientAuth), !usage.contains(.any) { throw .usage }
        var uris: [String] = []
        for name in names ?? SubjectAlternativeNames([]) {
            if case .uniformResourceIdentifier(let uri) = name { uris.append(uri) }
        }
        guard uris.count == 1 else { throw .names("it has \(uris.count) URI names, and one is needed") }
        guard let identity = SPIFFEIdentity(uri: uris[0]) else {
            throw .names("its URI name is not spiffe://<trust domain>/ns/<namespace>/sa/<service account>")
        }
        guard domains.contains(identity.trustDomain) else { throw .trustDomain(identity.trustDomain.name) }
        self = identity
    }
}
