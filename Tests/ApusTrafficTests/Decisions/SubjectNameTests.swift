import ApusTraffic
import Testing

@Suite("Names of certificates") struct SubjectNameTests {
    private func names(
        uris: [String] = [], dns: [String] = [], emails: [String] = [], addresses: [[UInt8]] = []
    ) -> SubjectNames {
        var names = SubjectNames()
        names.uris = uris.map { Array($0.utf8) }
        names.dnsNames = dns.map { Array($0.utf8) }
        names.emails = emails.map { Array($0.utf8) }
        names.addresses = addresses
        return names
    }

    private func uri(_ pattern: StringMatch.Pattern) -> [SubjectNameMatch] {
        [SubjectNameMatch(kind: .uri, match: StringMatch(pattern))]
    }

    @Test("names are matched in their own kind only")
    func kinds() {
        let spiffe = names(uris: ["spiffe://a/ns/b/sa/c"], dns: ["spiffe://a/ns/x"])
        #expect(spiffe.satisfy(uri(.exact(Array("spiffe://a/ns/b/sa/c".utf8)))))
        #expect(spiffe.satisfy(uri(.prefix(Array("spiffe://a/".utf8)))))
        #expect(!spiffe.satisfy(uri(.exact(Array("spiffe://a/ns/x".utf8)))))
        #expect(!spiffe.satisfy(uri(.exact(Array("SPIFFE://a/ns/b/sa/c".utf8)))))
        #expect(spiffe.satisfy([]))
        #expect(!names().satisfy(uri(.prefix(Array("spiffe://".utf8)))))
        let mail = names(emails: ["a@b"])
        #expect(mail.satisfy([SubjectNameMatch(kind: .email, match: .exact("a@b"))]))
        let address = names(addresses: [[10, 0, 0, 1]])
        #expect(address.satisfy([SubjectNameMatch(kind: .ipAddress, match: .exact("10.0.0.1"))]))
        #expect(!names(addresses: [[10, 0, 0]]).satisfy([SubjectNameMatch(kind: .ipAddress, match: .exact("10.0.0"))]))
    }

    @Test("a name with a NUL in it is nobody's")
    func nul() {
        let names = names(uris: ["spiffe://a/ns/b/sa/c\0.evil"], dns: ["host.test\0.evil"])
        #expect(!names.satisfy(uri(.prefix(Array("spiffe://a/".utf8)))))
        #expect(!names.satisfy(uri(.exact(Array("spiffe://a/ns/b/sa/c".utf8)))))
        #expect(!names.isFor("host.test"))
    }

    @Test(
        "a DNS name covers hosts by RFC 9525",
        arguments: [
            ("host.test", "host.test", true), ("HOST.test", "host.TEST", true), ("*.test", "host.test", true),
            ("*.test", "a.host.test", false), ("*.test", "test", false), ("*.test", ".test", false),
            ("h*.test", "host.test", false), ("*", "host", false), ("*.host.test", "host.test", false),
            ("host.test", "host.test.", false),
        ])
    func hosts(name: String, host: String, covers: Bool) {
        #expect(names(dns: [name]).isFor(host) == covers)
        #expect(
            names(dns: [name]).satisfy([SubjectNameMatch(kind: .dns, match: .exact(host))]) == covers)
    }

    @Test("an address is matched with addresses")
    func addresses() {
        let names = names(dns: ["10.0.0.1"], addresses: [[127, 0, 0, 1]])
        #expect(names.isFor("127.0.0.1"))
        #expect(!names.isFor("10.0.0.1"))
    }
}
