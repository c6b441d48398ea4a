import ApusIdentity
import Crypto
import Foundation
import SwiftASN1
import Testing
import X509

@Suite struct AuthorityMaterialTests {
    private func pem(_ certificates: [Certificate]) throws -> String {
        try certificates.map { try $0.serializeAsPEM().pemString + "\n" }.joined()
    }

    private func material(_ authority: CertificateAuthority) throws -> AuthorityMaterial {
        AuthorityMaterial(
            certificate: try pem([authority.certificate]), key: try authority.key.serializeAsPEM().pemString,
            chain: try pem(authority.chain), roots: try pem([authority.root]))
    }

    @Test func whatWasWrittenIsReadAgain() throws {
        let authority = try Make.authority()
        let read = try material(authority).authority(now: Make.now)
        #expect(read.authority.certificate == authority.certificate)
        #expect(read.authority.chain == authority.chain)
        #expect(read.roots == [authority.root])
        let issued = try read.authority.issue(to: Make.cart, key: Make.key().publicKey, lifetime: 0, now: Make.now)
        #expect(issued.pem.count == 3)
    }

    @Test func aRootMaySignByItself() throws {
        let root = try RootAuthority.make(trustDomain: Make.domain, now: Make.now)
        let material = AuthorityMaterial(
            certificate: try pem([root.certificate]), key: try root.key.serializeAsPEM().pemString, chain: "",
            roots: try pem([root.certificate]))
        let read = try material.authority(now: Make.now)
        #expect(read.authority.chain.isEmpty)
        #expect(
            try read.authority.issue(to: Make.cart, key: Make.key().publicKey, lifetime: 0, now: Make.now).pem.count
                == 2)
    }

    @Test func everyProblemIsSaidAtOnceAndNoneQuotesAKey() throws {
        let authority = try Make.authority()
        let stranger = try Make.authority()
        var broken = try material(authority)
        broken.key = try stranger.key.serializeAsPEM().pemString
        broken.roots = try pem([stranger.root])
        do {
            _ = try broken.authority(now: Make.now)
            Issue.record("accepted")
        } catch {
            #expect(error.texts.count == 2)
            #expect(error.description.contains("ca-key.pem: the key does not belong"))
            #expect(error.description.contains("root-cert.pem: no root signed"))
        }
        broken.key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
        do {
            _ = try broken.authority(now: Make.now)
            Issue.record("accepted")
        } catch { #expect(!error.description.contains("c2VjcmV0")) }
    }

    @Test func anEndedOrOrdinaryCertificateDoesNotSign() throws {
        let authority = try Make.authority()
        let late = authority.certificate.notValidAfter.addingTimeInterval(1)
        #expect(throws: AuthorityMaterial.Problems.self) { try material(authority).authority(now: late) }
        let key = Make.key()
        let leaf = try authority.issue(to: Make.cart, key: key.publicKey, lifetime: 0, now: Make.now)
        let ordinary = AuthorityMaterial(
            certificate: leaf.pem[0], key: try key.serializeAsPEM().pemString, chain: leaf.pem[1], roots: leaf.pem[2])
        do {
            _ = try ordinary.authority(now: Make.now)
            Issue.record("accepted")
        } catch { #expect(error.description.contains("may not sign others")) }
    }
}
