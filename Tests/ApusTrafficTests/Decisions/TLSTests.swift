import ApusCore
import ApusTraffic
import Testing

@Suite struct TLSTests {
    private func name(_ kind: SubjectAltNameMatch.Kind, _ text: String) -> SubjectAltName {
        SubjectAltName(kind, Array(text.utf8))
    }

    @Test(
        "exact DNS matchers compare without case and know wildcards",
        arguments: [
            ("a.example.com", "a.example.com", true), ("A.Example.com", "a.example.COM", true),
            ("*.example.com", "a.example.com", true), ("*.example.com", "b.a.example.com", false),
            ("*.example.com", "example.com", false), ("*.com", "example.com", false),
            ("a*.example.com", "ab.example.com", false), ("*.example.com", ".example.com", false),
            ("a.example.com\0", "a.example.com", false), ("a.example.com\0.evil", "a.example.com", false),
            ("", "a", false),
        ])
    func dns(presented: String, wanted: String, passes: Bool) {
        let match = SubjectAltNameMatch(kind: .dns, match: .exact(wanted))
        #expect(match.matches(name(.dns, presented)) == passes)
    }

    @Test("other kinds compare bytes, and never a name of another kind")
    func kinds() {
        let exact = SubjectAltNameMatch(kind: .uri, match: .exact("spiffe://td/ns/a/sa/b"))
        #expect(exact.matches(name(.uri, "spiffe://td/ns/a/sa/b")))
        #expect(!exact.matches(name(.uri, "spiffe://td/ns/a/sa/B")))
        #expect(!exact.matches(name(.dns, "spiffe://td/ns/a/sa/b")))
        let prefix = SubjectAltNameMatch(kind: .uri, match: StringMatch(.prefix(Array("spiffe://td/".utf8))))
        #expect(prefix.matches(name(.uri, "spiffe://td/x")))
        #expect(!prefix.matches(name(.uri, "spiffe://td/x\0")))
        let address = SubjectAltNameMatch(kind: .ipAddress, match: .exact("10.0.0.1"))
        #expect(address.matches(name(.ipAddress, "10.0.0.1")))
    }

    @Test("one name of the list is enough, and an empty list takes every certificate")
    func lists() {
        let version = ContentVersion(1)
        let trust = TLSTrust(
            names: ["spiffe://a", "spiffe://b"].map { SubjectAltNameMatch(kind: .uri, match: .exact($0)) },
            version: version)
        #expect(trust.accepts(names: [name(.dns, "x"), name(.uri, "spiffe://b")]))
        #expect(!trust.accepts(names: [name(.uri, "spiffe://c")]))
        #expect(!trust.accepts(names: []))
        #expect(TLSTrust(version: version).accepts(names: []))
    }

    @Test("keys are never shown")
    func redaction() {
        let certificate = TLSCertificate(chain: Array("CHAIN".utf8), privateKey: [222, 173])
        var dumped = ""
        dump(SecretContent.certificate(certificate), to: &dumped)
        for text in ["\(certificate)", String(reflecting: certificate), dumped] {
            #expect(!text.contains("222") && !text.contains("173"))
        }
        let keys = SecretContent.SessionTicketKeys(keys: [[222, 173]])
        #expect(!String(reflecting: keys).contains("222"))
    }

    @Test("material waits for every secret, and its version follows each of them")
    func material() throws {
        let context = TLSContextConfig(
            version: ContentVersion(7), role: .server(.init()),
            certificates: [.secret(name: "default", slot: Slot(0))],
            trust: .combined(
                TLSTrust(
                    names: [SubjectAltNameMatch(kind: .uri, match: .exact("spiffe://a"))], version: ContentVersion(1)),
                name: "ROOTCA", slot: Slot(1)))
        let certificate = SecretContent.certificate(TLSCertificate(chain: [1], privateKey: [2]))
        let renewed = SecretContent.certificate(TLSCertificate(chain: [3], privateKey: [2]))
        let roots = SecretContent.trust(TLSTrust(roots: [9], version: ContentVersion(2)))
        #expect((context.material { _ in nil })?.version == nil)
        #expect((context.material { $0 == Slot(0) ? certificate : nil })?.version == nil)
        #expect((context.material { $0 == Slot(0) ? roots : certificate })?.version == nil)
        let first = try #require(context.material { $0 == Slot(0) ? certificate : roots })
        let second = try #require(context.material { $0 == Slot(0) ? renewed : roots })
        #expect(first.trust?.roots == [9])
        #expect(first.trust?.names.count == 1)
        #expect(first.version != second.version)
        #expect(first.version == context.material { $0 == Slot(0) ? certificate : roots }?.version)
    }
}
