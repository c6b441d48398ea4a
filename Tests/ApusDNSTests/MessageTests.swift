internal import ApusCore
internal import ApusDNS
internal import Testing

/// The header of an answer with these counts, id 1.
private func header(_ counts: [UInt8], flags: [UInt8] = [0x81, 0x80]) -> [UInt8] {
    [0, 1] + flags + counts.flatMap { [0, $0] }
}

private func name(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

@Suite("Names of the DNS") struct DomainNameTests {
    @Test("the case of letters and the last dot do not matter")
    func equality() throws {
        #expect(DomainName("Web.Example.COM.") == DomainName("web.example.com"))
        #expect(DomainName("web.example.com")?.description == "web.example.com")
        #expect(DomainName(".") == .root)
        #expect(try name("a.b").appending(try name("c")) == name("a.b.c"))
        #expect(try name("a.b.c").isWithin(try name("b.c")))
        #expect(try !name("ab.c").isWithin(try name("b.c")))
    }

    @Test(
        "what no name is",
        arguments: ["", "..", "a..b", ".a", "a b", "ä.de", "a\\b", String(repeating: "x", count: 64)])
    func refused(text: String) { #expect(DomainName(text) == nil) }

    @Test("255 bytes with the last zero are the most")
    func length() throws {
        let label = String(repeating: "x", count: 63)
        let longest = [label, label, label, String(repeating: "y", count: 61)].joined(separator: ".")
        #expect(DomainName(longest) != nil)
        #expect(DomainName(longest + "y") == nil)
        #expect(try name(longest).appending(try name("z")) == nil)
    }
}

@Suite("Messages of the DNS") struct DNSMessageTests {
    @Test("a question as it goes out")
    func query() throws {
        let message = DNSMessage.query(id: 0x1234, DNSQuestion(try name("a.bc"), .aaaa), payloadSize: 1232)
        #expect(
            message.encoded() == [
                0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0x61, 2, 0x62, 0x63, 0, 0, 28, 0, 1, 0, 0, 41, 4, 0xD0,
                0, 0, 0, 0, 0, 0,
            ])
    }

    @Test("everything that can be said comes back, in fewer bytes than without pointers")
    func roundTrip() throws {
        var message = DNSMessage.query(id: 7, DNSQuestion(try name("www.example.com"), .a), payloadSize: 512)
        message.isResponse = true
        message.isAuthoritative = true
        message.offersRecursion = true
        message.reserved = 2
        message.code = DNSMessage.Code(rawValue: 0x17)
        message.answers = [
            DNSRecord(try name("www.example.com"), .cname, ttl: 5, .alias(try name("web.example.com"))),
            DNSRecord(try name("web.example.com"), .a, ttl: 60, .address(IPAddress(v4: 0x0A00_0001))),
            DNSRecord(try name("web.example.com"), .aaaa, ttl: 61, .address(IPAddress(v6: 0xFD << 120 | 1))),
            DNSRecord(try name("web.example.com"), DNSRecordType(rawValue: 16), ttl: 1, .other([1, 65])),
            DNSRecord(try name("web.example.com"), .a, recordClass: 3, ttl: 1, .other([1])),
        ]
        message.authorities = [
            DNSRecord(
                try name("example.com"), .soa, ttl: 9,
                .authority(
                    .init(
                        primary: try name("ns.example.com"), mailbox: try name("me.example.com"), serial: 1,
                        refresh: 2, retry: 3, expire: 4, minimum: 5)))
        ]
        let bytes = try #require(message.encoded())
        #expect(try DNSMessage(decoding: bytes) == message)
        #expect(
            bytes.count == 12 + 17 + 4 + (2 + 10 + 6) + (2 + 10 + 4) + (2 + 10 + 16) + (2 + 10 + 2) + (2 + 10 + 1)
                + (2 + 10 + 5 + 5 + 20) + 11)
    }

    @Test("pointers lead back, and not in a ring")
    func pointers() throws {
        let question: [UInt8] = [1, 0x61, 0, 0, 1, 0, 1]
        let rest: [UInt8] = [0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1]
        let good = try DNSMessage(decoding: header([1, 1, 0, 0]) + question + [1, 0x62, 0xC0, 12] + rest)
        #expect(good.answers.map(\.name) == [try name("b.a")])
        // To itself, to what follows, into a ring of two, beyond the end.
        for pointer in [[0xC0, 19], [0xC0, 21], [1, 0x62, 0xC0, 19], [0xC0, 200]] as [[UInt8]] {
            #expect(throws: DNSDecodingError.badPointer) {
                try DNSMessage(decoding: header([1, 1, 0, 0]) + question + pointer + rest)
            }
        }
    }

    @Test("a name cannot be made long by pointers")
    func longName() {
        // Four labels of 63 bytes, and a fifth that points to them.
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let labels = label + label + label + [59] + [UInt8](repeating: 0x61, count: 59) + [0]
        let question = labels + [0, 1, 0, 1]
        let fits = header([2, 0, 0, 0]) + question + [1, 0x62, 0xC0, 12, 0, 1, 0, 1]
        #expect(throws: Never.self) { try DNSMessage(decoding: fits) }
        let long = header([2, 0, 0, 0]) + question + [3, 0x62, 0x62, 0x62, 0xC0, 12, 0, 1, 0, 1]
        #expect(throws: DNSDecodingError.badName) { try DNSMessage(decoding: long) }
    }

    @Test("as many pointers in a row as a name has labels, and no more")
    func chain() throws {
        func names(_ count: Int) -> [UInt8] {
            // One name after another, each a pointer to the one before it.
            var bytes: [UInt8] = [0, 1, 0x81, 0x80, 0, UInt8(count), 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
            for index in 1..<count {
                let before = index == 1 ? 12 : 19 + (index - 2) * 6
                bytes += [0xC0 | UInt8(before >> 8), UInt8(before & 0xFF), 0, 1, 0, 1]
            }
            return bytes
        }
        #expect(try DNSMessage(decoding: names(128)).questions.last?.name == DomainName("a"))
        #expect(throws: DNSDecodingError.badPointer) { try DNSMessage(decoding: names(129)) }
    }

    @Test("a name of which every label is a pointer's comes back")
    func deep() throws {
        var message = DNSMessage(id: 1)
        var name = try name("a")
        for _ in 0..<126 {
            message.questions.append(DNSQuestion(name, .a))
            name = try #require(DomainName("b")?.appending(name))
        }
        #expect(try DNSMessage(decoding: try #require(message.encoded())) == message)
    }

    @Test("every beginning of a message is refused")
    func short() throws {
        var message = DNSMessage.query(id: 7, DNSQuestion(try name("a.b"), .a), payloadSize: 512)
        message.answers = [DNSRecord(try name("a.b"), .a, ttl: 60, .address(IPAddress(v4: 1)))]
        let bytes = try #require(message.encoded())
        for end in bytes.indices {
            #expect(throws: DNSDecodingError.short) { try DNSMessage(decoding: Array(bytes[..<end])) }
        }
    }

    @Test("of a truncated message the whole records are taken")
    func truncated() throws {
        let record: [UInt8] = [1, 0x61, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1]
        let message = try DNSMessage(decoding: header([0, 2, 0, 0], flags: [0x83, 0x80]) + record + record.dropLast())
        #expect(message.isTruncated)
        #expect(message.answers.count == 1)
    }

    @Test(
        "records that contradict themselves",
        arguments: [
            // A with five bytes, AAAA with four, CNAME with a byte behind the name.
            ([0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 5, 1, 2, 3, 4, 5], DNSDecodingError.badContent),
            ([0, 0, 28, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4], .badContent),
            ([0, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0, 0], .badContent),
            // An OPT among the answers; labels of the reserved kinds.
            ([0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0], .badExtension),
            ([0x40, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0], .badName),
            ([0x80, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0], .badName),
        ] as [([UInt8], DNSDecodingError)])
    func contradictions(record: [UInt8], error: DNSDecodingError) {
        #expect(throws: error) { try DNSMessage(decoding: header([0, 1, 0, 0]) + record) }
    }

    @Test("a second OPT is refused, and a time to live with the top bit is none")
    func extensions() throws {
        let opt: [UInt8] = [0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0]
        #expect(try DNSMessage(decoding: header([0, 0, 0, 1]) + opt).edns?.payloadSize == 512)
        #expect(throws: DNSDecodingError.badExtension) {
            try DNSMessage(decoding: header([0, 0, 0, 2]) + opt + opt)
        }
        let record: [UInt8] = [0, 0, 1, 0, 1, 0x80, 0, 0, 9, 0, 4, 1, 2, 3, 4]
        #expect(try DNSMessage(decoding: header([0, 1, 0, 0]) + record).answers.first?.ttl == 0)
    }
}

@Suite("What an answer of the DNS says") struct DNSAnswerTests {
    private func answer(_ records: [DNSRecord], authorities: [DNSRecord] = []) throws -> DNSAnswer {
        var message = DNSMessage(id: 1)
        message.answers = records
        message.authorities = authorities
        return message.answer(to: DNSQuestion(try name("www.a"), .a))
    }

    private func alias(_ from: String, _ to: String, ttl: UInt32) throws -> DNSRecord {
        DNSRecord(try name(from), .cname, ttl: ttl, .alias(try name(to)))
    }

    private func address(_ owner: String, _ last: UInt32, ttl: UInt32) throws -> DNSRecord {
        DNSRecord(try name(owner), .a, ttl: ttl, .address(IPAddress(v4: last)))
    }

    @Test("aliases are followed, and the shortest time to live of the chain holds")
    func chain() throws {
        let records = [
            try address("c", 1, ttl: 300), try address("c", 2, ttl: 20), try alias("b", "c", ttl: 30),
            try alias("www.a", "b", ttl: 600),
        ]
        #expect(
            try answer(records)
                == .addresses([ResolvedAddress(IPAddress(v4: 1), ttl: 30), ResolvedAddress(IPAddress(v4: 2), ttl: 20)]))
    }

    @Test("a ring of aliases, and addresses of other names, are no data")
    func nothing() throws {
        #expect(try answer([try alias("www.a", "b", ttl: 1), try alias("b", "www.a", ttl: 1)]) == .noData(ttl: nil))
        #expect(try answer([try address("www.b", 1, ttl: 1)]) == .noData(ttl: nil))
        let six = DNSRecord(try name("www.a"), .aaaa, ttl: 1, .address(IPAddress(v6: 1)))
        #expect(try answer([six]) == .noData(ttl: nil))
    }

    @Test("how long there is nothing: the SOA's minimum or its own time, the smaller one")
    func negative() throws {
        func soa(ttl: UInt32, minimum: UInt32) throws -> DNSRecord {
            DNSRecord(
                try name("a"), .soa, ttl: ttl,
                .authority(.init(primary: try name("n"), mailbox: try name("m"), minimum: minimum)))
        }
        #expect(try answer([], authorities: [try soa(ttl: 60, minimum: 10)]) == .noData(ttl: 10))
        #expect(try answer([], authorities: [try soa(ttl: 6, minimum: 10)]) == .noData(ttl: 6))
    }
}
