import ApusAPI
import ApusControlPlane
import ApusCore
import ApusIdentity
import Foundation
import SwiftASN1
import SwiftProtobuf
import Testing
import X509

@Suite struct WorkloadSecretsTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private typealias Secret = Envoy_Extensions_TransportSockets_Tls_V3_Secret

    private func authority() throws -> (AuthorityStore, StateFolder) {
        let state = try StateFolder(NSTemporaryDirectory() + "apus-secrets-" + UUID().uuidString)
        return (
            try AuthorityStore(state: state, external: nil, trustDomain: .clusterLocal, now: Self.now), state
        )
    }

    private func secret(_ secrets: WorkloadSecrets, _ name: String) throws -> Secret {
        let resource = try #require(secrets.resources.first { $0.name == name })
        return try Secret(serializedBytes: Google_Protobuf_Any(serializedBytes: resource.body).value)
    }

    private func make(_ store: AuthorityStore, at now: Date = now) throws -> WorkloadSecrets {
        let identity = try #require(
            SPIFFEIdentity(trustDomain: .clusterLocal, namespace: "shop", serviceAccount: "cart"))
        var secrets = WorkloadSecrets(identity: identity)
        try secrets.refresh(from: store.current, now: now, draw: 0)
        return secrets
    }

    @Test func `the certificate is the caller's, with its key, and without the root`() throws {
        let (store, state) = try authority()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let secrets = try make(store)
        let own = try secret(secrets, "default").tlsCertificate
        #expect(
            CredentialCheck.fault(
                certificates: Array(own.certificateChain.inlineString.utf8),
                key: Array(own.privateKey.inlineString.utf8))
                == nil)
        let blocks = own.certificateChain.inlineString.components(separatedBy: "-----BEGIN CERTIFICATE-----").count - 1
        #expect(blocks == 2)
        let leaf = try Certificate(
            pemEncoded: String(
                own.certificateChain.inlineString.prefix(while: { _ in true }).split(
                    separator: "-----END CERTIFICATE-----")[0]) + "-----END CERTIFICATE-----\n")
        let names = try #require(try leaf.extensions.subjectAlternativeNames)
        #expect(Array(names) == [.uniformResourceIdentifier("spiffe://cluster.local/ns/shop/sa/cart")])
        #expect(try secret(secrets, "ROOTCA").validationContext.trustedCa.inlineString == store.current.rootsPEM)
    }

    @Test func `it is renewed when its time has come, and not before`() throws {
        let (store, state) = try authority()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        var secrets = try make(store)
        let first = secrets.resources
        #expect(secrets.due == Self.now.addingTimeInterval(12 * 3600))
        try secrets.refresh(from: store.current, now: Self.now.addingTimeInterval(11 * 3600), draw: 0)
        #expect(secrets.resources.map(\.version) == first.map(\.version))
        try secrets.refresh(from: store.current, now: Self.now.addingTimeInterval(12 * 3600), draw: 1)
        #expect(
            secrets.resources.first { $0.name == "ROOTCA" }?.version == first.first { $0.name == "ROOTCA" }?.version)
        #expect(
            secrets.resources.first { $0.name == "default" }?.version != first.first { $0.name == "default" }?.version)
        #expect(secrets.due > Self.now.addingTimeInterval(24 * 3600))
    }

    @Test func `another authority is taken over at once`() throws {
        let (store, state) = try authority()
        let (other, second) = try authority()
        defer { for folder in [state, second] { try? FileManager.default.removeItem(atPath: folder.path) } }
        var secrets = try make(store)
        let first = secrets.resources
        try secrets.refresh(from: other.current, now: Self.now, draw: 0)
        #expect(Set(secrets.resources.map(\.version)).isDisjoint(with: first.map(\.version)))
        #expect(try secret(secrets, "ROOTCA").validationContext.trustedCa.inlineString == other.current.rootsPEM)
    }

    @Test func `an authority that has ended leaves what was and says when to come again`() throws {
        let (store, state) = try authority()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        var secrets = try make(store)
        let first = secrets.resources
        let late = Self.now.addingTimeInterval(20 * 365 * 86_400)
        #expect(throws: CertificateAuthority.Refusal.self) {
            try secrets.refresh(from: store.current, now: late, draw: 0)
        }
        #expect(secrets.resources.map(\.version) == first.map(\.version))
        #expect(secrets.due > late && secrets.due < late.addingTimeInterval(60))
    }
}
