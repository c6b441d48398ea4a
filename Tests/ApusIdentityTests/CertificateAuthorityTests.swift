import ApusIdentity
import Crypto
import Foundation
import SwiftASN1
import Testing
import X509
import _CryptoExtras

@Suite struct CertificateAuthorityTests {
    @Test func aWorkloadGetsTheIdentityOfItsCallerAndNotOfItsRequest() throws {
        let authority = try Make.authority()
        let request = try SigningRequest(
            pem: Make.request(
                Make.key(),
                names: [.uniformResourceIdentifier("spiffe://mesh.example/ns/shop/sa/admin"), .dnsName("a")]))
        let issued = try authority.issue(to: Make.cart, key: request.key, lifetime: 0, now: Make.now)
        let names = try #require(try issued.certificate.extensions.subjectAlternativeNames)
        #expect(Array(names) == [.uniformResourceIdentifier(Make.cart.uri)])
        #expect(issued.certificate.publicKey == request.key)
        #expect(issued.certificate.subject.isEmpty)
        #expect(issued.certificate.extensions[oid: .X509ExtensionID.subjectAlternativeName]?.critical == true)
        #expect(try SPIFFEIdentity(holderOf: issued.certificate, domains: [Make.domain], now: Make.now) == Make.cart)
    }

    @Test func theChainGoesFromTheLeafToTheRoot() throws {
        let authority = try Make.authority()
        let issued = try authority.issue(to: Make.cart, key: Make.key().publicKey, lifetime: 0, now: Make.now)
        let chain = try issued.pem.map { try Certificate(pemEncoded: $0) }
        #expect(chain == [issued.certificate, authority.certificate, authority.root])
        for (certificate, signer) in zip(chain, chain.dropFirst() + [authority.root]) {
            #expect(certificate.issuer == signer.subject)
            #expect(signer.publicKey.isValidSignature(certificate.signature, for: certificate))
        }
    }

    @Test func aLifeIsADayUnlessAskedOtherwiseAndBeginsTwoMinutesAgo() throws {
        let authority = try Make.authority()
        let key = Make.key().publicKey
        let day = try authority.issue(to: Make.cart, key: key, lifetime: 0, now: Make.now)
        #expect(day.notAfter == Make.now.addingTimeInterval(86_400))
        // The signer itself began two minutes ago.
        #expect(day.certificate.notValidBefore == Make.now.addingTimeInterval(-120))
        let minute = try authority.issue(to: Make.cart, key: key, lifetime: 60, now: Make.now)
        #expect(minute.notAfter == Make.now.addingTimeInterval(60))
    }

    @Test func aLifeOverNinetyDaysIsRefusedAndNoLeafOutlivesItsSigner() throws {
        let authority = try Make.authority()
        let key = Make.key().publicKey
        #expect(throws: CertificateAuthority.Refusal.lifetime(7_776_001)) {
            try authority.issue(to: Make.cart, key: key, lifetime: 7_776_001, now: Make.now)
        }
        let late = authority.certificate.notValidAfter.addingTimeInterval(-600)
        let cut = try authority.issue(to: Make.cart, key: key, lifetime: 3600, now: late)
        #expect(cut.notAfter == authority.certificate.notValidAfter)
        #expect(throws: CertificateAuthority.Refusal.self) {
            try authority.issue(
                to: Make.cart, key: key, lifetime: 60, now: late.addingTimeInterval(601))
        }
    }

    @Test func anIntermediateSignsLeavesOnly() throws {
        let constraints = try #require(try Make.authority().certificate.extensions.basicConstraints)
        #expect(constraints == .isCertificateAuthority(maxPathLength: 0))
    }

    @Test func aServerHasItsHostsBesideItsIdentity() throws {
        let issued = try Make.authority().issueServer(
            identity: Make.cart, hosts: ["localhost"], addresses: [[127, 0, 0, 1]], key: Make.key().publicKey,
            lifetime: 0, now: Make.now)
        let names = Array(try #require(try issued.certificate.extensions.subjectAlternativeNames))
        #expect(
            names == [
                .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                .uniformResourceIdentifier(Make.cart.uri),
            ])
    }

    @Test func requestsThatAreBrokenOrWeakAreRefused() throws {
        #expect(throws: SigningRequest.Refusal.malformed("it is not one PEM block of a PKCS #10 request")) {
            try SigningRequest(pem: "hello")
        }
        #expect(throws: SigningRequest.Refusal.tooLarge) {
            try SigningRequest(pem: String(repeating: "x", count: SigningRequest.sizeLimit + 1))
        }
        // Another's key in one's own request: the signature does not fit.
        let good = try CertificateSigningRequest(pemEncoded: Make.request(Make.key()))
        let other = try CertificateSigningRequest(pemEncoded: Make.request(Make.key()))
        let forged = try CertificateSigningRequest(
            version: good.version, subject: good.subject, publicKey: good.publicKey, attributes: good.attributes,
            signatureAlgorithm: good.signatureAlgorithm, signature: other.signature)
        #expect(throws: SigningRequest.Refusal.signature) {
            try SigningRequest(pem: try forged.serializeAsPEM().pemString)
        }
        let weak = Certificate.PrivateKey(try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)))
        #expect(throws: SigningRequest.Refusal.self) { try SigningRequest(pem: Make.request(weak)) }
    }
}
