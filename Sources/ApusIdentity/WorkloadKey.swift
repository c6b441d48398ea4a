internal import Crypto
internal import SwiftASN1
package import X509

/// A workload's private key; it is made where it is used and never leaves.
package struct WorkloadKey: Sendable {
    package let key: Certificate.PrivateKey

    /// A new P-256 key.
    package init() { key = Certificate.PrivateKey(P256.Signing.PrivateKey()) }

    /// - Parameter pem: one block of a private key; an error never quotes it.
    package init?(pem: String) {
        guard let read = try? Certificate.PrivateKey(pemEncoded: pem) else { return nil }
        key = read
    }

    package var pem: String { get throws { try key.pem } }

    /// A signing request without names: the mesh decides who asks.
    package func signingRequest() throws -> String {
        try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName(), privateKey: key, attributes: .init()
        ).serializeAsPEM().pemString + "\n"
    }
}

/// When a certificate is renewed: at 50 to 80 per cent of its life, each workload at its own moment, so that a mesh that
/// started at once does not come back at once.
package enum Renewal {
    /// - Parameter draw: 0 to 1, uniform.
    /// - Returns: seconds after `begin`.
    package static func due(life: Double, draw: Double) -> Double { life * (0.5 + 0.3 * min(max(draw, 0), 1)) }

    /// Seconds before the next try after some failures in a row: doubling from one second, a tenth of the life at most,
    /// so that a short-lived certificate is not lost to a pause.
    package static func pause(failures: Int, life: Double) -> Double {
        min(Double(1 << min(max(failures - 1, 0), 6)), max(life / 10, 0.5))
    }
}
