import ApusCore
import ApusDataplane
import ApusTraffic
import Testing

@Suite("What a handshake is made from") struct TLSSessionTests {
    private func context(_ role: TLSContext.Role) -> TLSContext {
        let reference = SecretReference(name: "ROOTCA", origin: .identity, slot: Slot(0))
        return TLSContext(version: ContentVersion(1), role: role, trust: .secret(TLSTrust(), reference))
    }

    private func configuration(_ roots: [UInt8]?) -> ProxyConfiguration {
        var trust = TLSTrust()
        trust.roots = roots ?? []
        let secret = Secret(name: "ROOTCA", version: ContentVersion(2), content: .trust(trust))
        return ProxyConfiguration(
            generation: 1, listeners: [], routeTables: [], clusters: [], clusterSlots: [:],
            secrets: [roots == nil ? nil : secret])
    }

    @Test("an empty bundle of roots, or one of nonsense, believes nobody instead of everybody")
    func empty() {
        for roots in [[], Array("nonsense".utf8)] {
            #expect(throws: TLSFailure.self) {
                try TLSSessions().session(context(.client(.init())), alpn: [], in: configuration(roots))
            }
        }
    }

    @Test("without its secret no handshake begins")
    func missing() {
        #expect(throws: TLSFailure.secretMissing("ROOTCA")) {
            try TLSSessions().session(context(.client(.init())), alpn: [], in: configuration(nil))
        }
    }

    @Test("a context that trusts by no bundle at all is one without verification")
    func unchecked() throws {
        let plain = TLSContext(version: ContentVersion(1), role: .client(.init()))
        #expect(try TLSSessions().session(plain, alpn: ["h2"], in: configuration(nil)).names.isEmpty)
    }
}
