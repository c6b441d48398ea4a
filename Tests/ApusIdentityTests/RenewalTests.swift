import ApusIdentity
import Testing
import X509

@Suite struct RenewalTests {
    @Test func aCertificateIsRenewedBetweenHalfAndFourFifthsOfItsLife() {
        #expect(Renewal.due(life: 100, draw: 0) == 50)
        #expect(Renewal.due(life: 100, draw: 1) == 80)
        #expect(Renewal.due(life: 100, draw: 7) == 80)
    }

    @Test func pausesGrowAndStayShortAgainstTheLife() {
        #expect((1...8).map { Renewal.pause(failures: $0, life: 86_400) } == [1, 2, 4, 8, 16, 32, 64, 64])
        #expect(Renewal.pause(failures: 5, life: 60) == 6)
        #expect(Renewal.pause(failures: 1, life: 1) == 0.5)
        #expect(Renewal.pause(failures: 1_000_000, life: 1e9) == 64)
    }

    @Test func aKeyIsReadAgainAndAsksForACertificateWithoutNames() throws {
        let key = WorkloadKey()
        let again = try #require(WorkloadKey(pem: key.pem))
        #expect(again.key.publicKey == key.key.publicKey)
        #expect(try SigningRequest(pem: key.signingRequest()).key == key.key.publicKey)
        #expect(WorkloadKey(pem: "no key") == nil)
    }
}
