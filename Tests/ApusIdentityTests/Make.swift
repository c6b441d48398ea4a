import ApusIdentity
import Crypto
import Foundation
import SwiftASN1
import X509

/// What the tests of this target start from.
enum Make {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let domain = TrustDomain("mesh.example")!
    static let cart = SPIFFEIdentity(uri: "spiffe://mesh.example/ns/shop/sa/cart")!

    static func authority() throws -> CertificateAuthority {
        try RootAuthority.make(trustDomain: domain, now: now).makeIntermediate(trustDomain: domain, now: now)
    }

    static func key() -> Certificate.PrivateKey { Certificate.PrivateKey(P256.Signing.PrivateKey()) }

    static func request(_ key: Certificate.PrivateKey, names: [GeneralName] = []) throws -> String {
        let attributes = try CertificateSigningRequest.Attributes([
            .init(
                ExtensionRequest(
                    extensions: Certificate.Extensions { SubjectAlternativeNames(names) }))
        ])
        return try CertificateSigningRequest(
            version: .v1, subject: try DistinguishedName { CommonName("someone") }, privateKey: key,
            attributes: attributes
        ).serializeAsPEM().pemString
    }
}
