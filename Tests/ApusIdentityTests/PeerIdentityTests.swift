import ApusIdentity
import Foundation
import SwiftASN1
import Testing
import X509

@Suite struct PeerIdentityTests {
    private func certificate(
        _ names: [GeneralName], usage: [ExtendedKeyUsage.Usage] = [.clientAuth], isAuthority: Bool = false
    ) throws -> Certificate {
        let key = Make.key()
        return try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: Make.now,
            notValidAfter: Make.now.addingTimeInterval(60), issuer: DistinguishedName(), subject: DistinguishedName(),
            extensions: Certificate.Extensions {
                if isAuthority { BasicConstraints.isCertificateAuthority(maxPathLength: nil) }
                if !usage.isEmpty { try ExtendedKeyUsage(usage) }
                if !names.isEmpty { SubjectAlternativeNames(names) }
            },
            issuerPrivateKey: key)
    }

    private func identity(_ certificate: Certificate, now: Date = Make.now) throws -> SPIFFEIdentity {
        try SPIFFEIdentity(holderOf: certificate, domains: [Make.domain], now: now)
    }

    private let uri = GeneralName.uniformResourceIdentifier(Make.cart.uri)

    @Test func oneURINameIsTheIdentity() throws {
        #expect(try identity(certificate([uri])) == Make.cart)
        #expect(try identity(certificate([.dnsName("cart"), uri], usage: [])) == Make.cart)
    }

    @Test func noneOrTwoURINamesAreNone() throws {
        for names: [GeneralName] in [
            [], [.dnsName(Make.cart.uri)], [uri, .uniformResourceIdentifier("spiffe://mesh.example/ns/a/sa/b")],
            [.uniformResourceIdentifier(Make.cart.uri + "\u{0}.evil")],
            [.uniformResourceIdentifier("spiffe://mesh.example/other")],
        ] {
            #expect(throws: SPIFFEIdentity.CertificateRefusal.self) { try identity(certificate(names)) }
        }
    }

    @Test func otherDomainsPurposesAndTimesAreRefused() throws {
        #expect(throws: SPIFFEIdentity.CertificateRefusal.trustDomain("other")) {
            try identity(certificate([.uniformResourceIdentifier("spiffe://other/ns/shop/sa/cart")]))
        }
        #expect(throws: SPIFFEIdentity.CertificateRefusal.usage) {
            try identity(certificate([uri], usage: [.serverAuth]))
        }
        #expect(throws: SPIFFEIdentity.CertificateRefusal.authority) {
            try identity(certificate([uri], isAuthority: true))
        }
        let good = try certificate([uri])
        #expect(throws: SPIFFEIdentity.CertificateRefusal.self) {
            try identity(good, now: Make.now.addingTimeInterval(-1))
        }
        #expect(throws: SPIFFEIdentity.CertificateRefusal.self) {
            try identity(good, now: Make.now.addingTimeInterval(60))
        }
    }
}
