import ApusIdentity
import Testing

@Suite struct SPIFFEIdentityTests {
    @Test func anIdentityIsWrittenAsIstioWritesIt() throws {
        let domain = try #require(TrustDomain("mesh.example"))
        let identity = try #require(SPIFFEIdentity(trustDomain: domain, namespace: "shop", serviceAccount: "cart"))
        #expect(identity.uri == "spiffe://mesh.example/ns/shop/sa/cart")
        #expect(SPIFFEIdentity(uri: identity.uri) == identity)
    }

    @Test(arguments: [
        "", "spiffe://", "spiffe://td", "spiffe://td/ns/a/sa", "spiffe://td/ns/a/sa/", "spiffe://td/ns//sa/b",
        "spiffe://td/ns/a/sa/b/", "spiffe://td/ns/a/sa/b/c", "spiffe://td/sa/a/ns/b", "SPIFFE://td/ns/a/sa/b",
        "https://td/ns/a/sa/b", "spiffe://TD/ns/a/sa/b", "spiffe://td:80/ns/a/sa/b", "spiffe://u@td/ns/a/sa/b",
        "spiffe://td/ns/a/sa/b?x", "spiffe://td/ns/a/sa/b#x", "spiffe://td/ns/a/sa/%62", "spiffe://td/ns/../sa/b",
        "spiffe://td/ns/a/sa/b\u{0}.evil", "spiffe://td\u{0}/ns/a/sa/b", "spiffe://td/ns/a/sa/b c",
        " spiffe://td/ns/a/sa/b", "spiffe://td/ns/ä/sa/b",
    ])
    func whatIsWrittenAnotherWayIsNoIdentity(uri: String) { #expect(SPIFFEIdentity(uri: uri) == nil) }

    @Test func aNameThatIsTooLongIsNoIdentity() {
        #expect(SPIFFEIdentity(uri: "spiffe://td/ns/a/sa/" + String(repeating: "b", count: 254)) == nil)
        #expect(SPIFFEIdentity(uri: "spiffe://td/ns/a/sa/" + String(repeating: "b", count: 253)) != nil)
        #expect(TrustDomain(String(repeating: "a", count: 256)) == nil)
        #expect(TrustDomain("") == nil)
    }
}
