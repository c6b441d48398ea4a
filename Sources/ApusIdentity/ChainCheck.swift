internal import SwiftASN1
package import X509

/// Whether a certificate leads to a root, now (RFC 5280, section 6).
package enum ChainCheck {
    /// Nil if it does, else why not.
    package static func check(
        _ leaf: Certificate, intermediates: [Certificate], roots: [Certificate]
    ) async -> String? {
        var verifier = Verifier(rootCertificates: CertificateStore(roots)) {
            RFC5280Policy()
            NamesPolicy()
        }
        switch await verifier.validate(leaf: leaf, intermediates: CertificateStore(intermediates)) {
        case .validCertificate: return nil
        case .couldNotValidate(let failures):
            guard !failures.isEmpty else { return "no root of this mesh signed it" }
            return failures.map { "\($0.policyFailureReason)" }.joined(separator: "; ")
        }
    }
}

/// Says that names are looked at: a leaf without a subject has them in a critical extension, and a verifier that does not
/// know it refuses the leaf. The look itself is `SPIFFEIdentity.init(holderOf:)`.
private struct NamesPolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.subjectAlternativeName]

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        .meetsPolicy
    }
}
