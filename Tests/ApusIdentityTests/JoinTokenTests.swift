import ApusIdentity
import Crypto
import Foundation
import Testing

@Suite struct JoinTokenTests {
    private let key = P256.Signing.PrivateKey()
    private let nonce = [UInt8](repeating: 7, count: 16)

    private func token(once: Bool = false) -> JoinToken {
        JoinToken(
            identity: Make.cart, issued: Make.now, expires: Make.now.addingTimeInterval(3600), isSingleUse: once)
    }

    private func read(_ text: String, now: Date = Make.now) throws -> JoinToken {
        try JoinToken(text, key: key.publicKey, trustDomain: Make.domain, now: now)
    }

    /// A token with other claims, signed as it should be.
    private func forged(_ claims: String, header: String = #"{"alg":"ES256"}"#) throws -> String {
        let content = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8)
        return content + "." + Base64URL.encode(try key.signature(for: Array(content.utf8)).rawRepresentation)
    }

    @Test func whatWasSignedIsReadAgain() throws {
        #expect(try read(token().signed(with: key, nonce: nonce)) == token())
        #expect(try read(token(once: true).signed(with: key, nonce: nonce)).isSingleUse)
    }

    @Test func aTokenEndsAndDoesNotBeginInTheFuture() throws {
        let text = try token().signed(with: key, nonce: nonce)
        #expect(throws: JoinToken.Refusal.expired(Make.now.addingTimeInterval(3600))) {
            try read(text, now: Make.now.addingTimeInterval(3600))
        }
        #expect(throws: JoinToken.Refusal.notYet(Make.now)) { try read(text, now: Make.now.addingTimeInterval(-121)) }
    }

    @Test func anotherMeshsTokenIsRefused() throws {
        let other = P256.Signing.PrivateKey()
        #expect(throws: JoinToken.Refusal.signature) { try read(token().signed(with: other, nonce: nonce)) }
        let text = try token().signed(with: key, nonce: nonce)
        #expect(throws: JoinToken.Refusal.claims("it is of the trust domain mesh.example")) {
            try JoinToken(text, key: key.publicKey, trustDomain: .clusterLocal, now: Make.now)
        }
    }

    @Test func everyChangedLetterIsNoticed() throws {
        let text = Array(try token().signed(with: key, nonce: nonce))
        for index in text.indices where text[index] != "." {
            var changed = text
            changed[index] = changed[index] == "A" ? "B" : "A"
            #expect(throws: JoinToken.Refusal.self, "letter \(index)") { try read(String(changed)) }
        }
    }

    @Test func theAlgorithmIsOursToChoose() throws {
        let good = try token().signed(with: key, nonce: nonce).split(separator: ".")
        let none = Base64URL.encode(#"{"alg":"none"}"#.utf8)
        #expect(throws: JoinToken.Refusal.algorithm("none")) { try read("\(none).\(good[1]).") }
        let hmac = Base64URL.encode(#"{"alg":"HS256"}"#.utf8)
        let mac = HMAC<SHA256>.authenticationCode(
            for: Array("\(hmac).\(good[1])".utf8),
            using: SymmetricKey(data: Array(key.publicKey.pemRepresentation.utf8)))
        #expect(throws: JoinToken.Refusal.algorithm("HS256")) {
            try read("\(hmac).\(good[1]).\(Base64URL.encode(mac))")
        }
    }

    @Test(arguments: [
        ("istio", #"["istio-ca"]"#, "spiffe://mesh.example/ns/shop/sa/cart"),
        ("apus", #"["other"]"#, "spiffe://mesh.example/ns/shop/sa/cart"),
        ("apus", #"["istio-ca"]"#, "spiffe://mesh.example/cart"),
    ])
    func signedClaimsThatAreNotForThisAreRefused(issuer: String, audience: String, subject: String) throws {
        let text = try forged(
            #"{"iss":"\#(issuer)","aud":\#(audience),"sub":"\#(subject)","iat":1800000000,"exp":1800000060,"jti":"x"}"#)
        do {
            _ = try read(text)
            Issue.record("accepted")
        } catch let refusal as JoinToken.Refusal {
            guard case .claims = refusal else {
                Issue.record("\(refusal)")
                return
            }
        }
    }

    @Test(arguments: ["", ".", "..", "a.b.c", "a.b.c.d", "e30.e30.e30", String(repeating: "a", count: 9000)])
    func whatIsNoTokenIsRefused(text: String) {
        #expect(throws: JoinToken.Refusal.self) { try read(text) }
    }

    @Test func aSingleUseTokenBelongsToTheFirstKey() {
        var record = TokenRecord(token(once: true))
        #expect(record.use(by: [1, 2]) == .record)
        record.usedBy = "0102"
        #expect(record.use(by: [1, 2]) == .allowed)
        #expect(record.use(by: [3]) == .refused)
        #expect(TokenRecord(token()).use(by: [3]) == .allowed)
    }

    @Test func whatIsKeptDoesNotHoldTheToken() throws {
        let text = try token().signed(with: key, nonce: nonce)
        #expect(JoinToken.digest(text).count == 64)
        let kept = String(decoding: try JSONEncoder().encode(TokenRecord(token())), as: UTF8.self)
        for part in text.split(separator: ".") { #expect(!kept.contains(part)) }
    }

    @Test func base64HasOneTextPerValue() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for text in ["A", "AB", "AAB", "AA=", "A+AA", "A/AA", "ä"] { #expect(Base64URL.decode(text) == nil) }
    }
}
