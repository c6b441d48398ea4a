import ApusIdentity
import Foundation
import Testing
import X509

@Suite struct ChainCheckTests {
    /// The verifier looks at the clock itself, so these certificates are of today.
    private func authority() throws -> CertificateAuthority {
        try RootAuthority.make(trustDomain: Make.domain, now: Date()).makeIntermediate(
            trustDomain: Make.domain, now: Date())
    }

    @Test func aLeafLeadsToItsRootThroughTheIntermediate() async throws {
        let authority = try authority()
        let leaf = try authority.issue(to: Make.cart, key: Make.key().publicKey, lifetime: 60, now: Date()).certificate
        #expect(await ChainCheck.check(leaf, intermediates: authority.chain, roots: [authority.root]) == nil)
        #expect(await ChainCheck.check(leaf, intermediates: [], roots: [authority.root]) != nil)
        let stranger = try self.authority()
        #expect(await ChainCheck.check(leaf, intermediates: authority.chain, roots: [stranger.root]) != nil)
    }

    @Test func aLeafThatEndedLeadsNowhere() async throws {
        let authority = try RootAuthority.make(trustDomain: Make.domain, now: Date().addingTimeInterval(-3600))
            .makeIntermediate(trustDomain: Make.domain, now: Date().addingTimeInterval(-3600))
        let leaf = try authority.issue(
            to: Make.cart, key: Make.key().publicKey, lifetime: 60, now: Date().addingTimeInterval(-3600)
        ).certificate
        #expect(await ChainCheck.check(leaf, intermediates: authority.chain, roots: [authority.root]) != nil)
    }
}
