internal import ApusAPI
internal import ApusCompiler
package import ApusCore
package import ApusIdentity
package import Foundation
internal import X509

/// The workload's own certificate (`default`) and what it trusts (`ROOTCA`), for one stream whose client asks for them: a
/// stock Envoy that has no agent beside it (semantics 2.5 and 6.4).
///
/// The key is made here, lives in memory only, and goes to the caller that proved its identity and to nobody else. A
/// value type: the session that owns it says when to look again.
package struct WorkloadSecrets {
    package static let certificateName = "default"
    package static let rootsName = "ROOTCA"

    private let identity: SPIFFEIdentity
    private let lifetime: TimeInterval
    private var signer: [UInt8] = []
    private var rootsPEM = ""
    private var failures = 0
    /// Empty until `refresh` was called.
    package private(set) var resources: [EncodedResource] = []
    /// When to refresh again.
    package private(set) var due = Date.distantPast

    /// - Parameter lifetime: of a certificate in seconds; 0: the authority's default.
    package init(identity: SPIFFEIdentity, lifetime: TimeInterval = 0) {
        self.identity = identity
        self.lifetime = lifetime
    }

    /// Makes a new key and certificate if there is none, the old one has lived long enough, or another certificate signs
    /// now; takes over the roots.
    ///
    /// - Parameter draw: 0 to 1, spreads renewals.
    /// - Throws: the authority cannot sign; what was stays, and `due` says when to try again.
    package mutating func refresh(from current: AuthorityStore.Current, now: Date, draw: Double) throws {
        var secrets = resources
        if current.rootsPEM != rootsPEM {
            secrets.removeAll { $0.name == Self.rootsName }
            var roots = Envoy_Extensions_TransportSockets_Tls_V3_Secret()
            roots.name = Self.rootsName
            roots.validationContext.trustedCa.inlineString = current.rootsPEM
            secrets.append(Self.encoded(roots))
            rootsPEM = current.rootsPEM
            resources = secrets
        }
        let signing = Array(current.authority.certificate.serialNumber.bytes)
        guard now >= due || signing != signer else { return }
        do {
            let key = WorkloadKey()
            let issued = try current.authority.issue(
                to: identity, key: key.key.publicKey, lifetime: lifetime, now: now)
            var own = Envoy_Extensions_TransportSockets_Tls_V3_Secret()
            own.name = Self.certificateName
            // The root is the last block; a server does not send it.
            own.tlsCertificate.certificateChain.inlineString = issued.pem.dropLast().joined()
            own.tlsCertificate.privateKey.inlineString = try key.pem
            secrets.removeAll { $0.name == Self.certificateName }
            secrets.append(Self.encoded(own))
            resources = secrets
            signer = signing
            failures = 0
            due = now.addingTimeInterval(Renewal.due(life: issued.notAfter.timeIntervalSince(now), draw: draw))
        } catch {
            failures += 1
            due = now.addingTimeInterval(Renewal.pause(failures: failures, life: 3600))
            throw error
        }
    }

    private static func encoded(_ secret: Envoy_Extensions_TransportSockets_Tls_V3_Secret) -> EncodedResource {
        EncodedResource(name: secret.name, body: encode(secret, typeURL: ResourceType.secret.typeURL))
    }
}
