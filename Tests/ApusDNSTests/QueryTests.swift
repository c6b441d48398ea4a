internal import ApusCore
internal import ApusDNS
internal import Testing

@Suite("Asking name servers") struct DNSQueryTests {
    private static let servers = [
        DNSServer(IPAddress(v4: 0x0A00_0001)), DNSServer(IPAddress(v4: 0x0A00_0002), port: 5353),
    ]
    private static let address = IPAddress(v4: 0x0A09_0909)
    private let question = DNSQuestion(DomainName("web.example") ?? .root, .a)

    private func settings(_ change: (inout ResolverSettings) -> Void = { _ in }) -> ResolverSettings {
        var settings = ResolverSettings()
        settings.servers = Self.servers
        settings.attempts = 2
        settings.timeout = .seconds(1)
        change(&settings)
        return settings
    }

    private func attempt(_ step: DNSQuery.Step) throws -> DNSQuery.Attempt {
        guard case .send(let attempt) = step else {
            Issue.record("no attempt but \(step)")
            throw Missing()
        }
        return attempt
    }

    private struct Missing: Error {}

    /// The answer of a server to what was sent.
    private func reply(
        to attempt: DNSQuery.Attempt, _ change: (inout DNSMessage) -> Void = { _ in }
    ) throws -> DNSQuery.Event {
        var message = try DNSMessage(decoding: attempt.bytes)
        message.isResponse = true
        message.edns = nil
        message.answers = [DNSRecord(question.name, .a, ttl: 60, .address(Self.address))]
        change(&message)
        return .message(try #require(message.encoded()))
    }

    private let good = DNSQuery.Step.done(.addresses([ResolvedAddress(Self.address, ttl: 60)]))

    @Test("the first server answers")
    func answered() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 77))
        #expect(first.server == Self.servers[0])
        #expect(!first.usesTCP)
        #expect(first.timeout == .seconds(1))
        let sent = try DNSMessage(decoding: first.bytes)
        #expect(sent == .query(id: 77, question, payloadSize: 1232))
        #expect(query.take(try reply(to: first), serial: first.serial, draw: 0) == good)
    }

    @Test("what does not answer this question is not heard")
    func spoofed() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 77))
        let wrong: [(inout DNSMessage) -> Void] = [
            { $0.id = 78 }, { $0.isResponse = false }, { $0.operation = 4 }, { $0.questions = [] },
            { $0.questions[0].type = .aaaa }, { $0.questions[0].name = .root },
            { $0.questions.append($0.questions[0]) }, { $0.questions[0].recordClass = 3 },
        ]
        for change in wrong {
            #expect(query.take(try reply(to: first, change), serial: first.serial, draw: 0) == .wait)
        }
        #expect(query.take(.message([1, 2, 3]), serial: first.serial, draw: 0) == .wait)
        #expect(query.take(try reply(to: first), serial: first.serial, draw: 0) == good)
    }

    @Test("an answer to an attempt that was given up is not heard, not even with its id")
    func late() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 77))
        let second = try attempt(query.take(.timedOut, serial: first.serial, draw: 77))
        #expect(query.take(try reply(to: first), serial: first.serial, draw: 0) == .wait)
        #expect(query.take(try reply(to: second), serial: second.serial, draw: 0) == good)
    }

    @Test("servers are asked in turn, the second round waits longer, and then it is over")
    func silence() throws {
        var query = DNSQuery(question, settings: settings())
        var step = query.start(draw: 0)
        var seen: [(DNSServer, Duration)] = []
        while case .send(let attempt) = step {
            seen.append((attempt.server, attempt.timeout))
            step = query.take(.timedOut, serial: attempt.serial, draw: 0)
        }
        #expect(seen.map(\.0) == Self.servers + Self.servers)
        #expect(seen.map(\.1) == [.seconds(1), .seconds(1), .seconds(2), .seconds(2)])
        #expect(step == .done(.failed(.timedOut)))
    }

    @Test("a server that fails, refuses or cannot be reached: the next one; of the reasons the one that was said")
    func failing() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 1))
        let second = try attempt(
            query.take(try reply(to: first) { $0.code = .serverFailure }, serial: first.serial, draw: 2))
        #expect(second.server == Self.servers[1])
        let third = try attempt(query.take(.unreachable, serial: second.serial, draw: 3))
        #expect(third.server == Self.servers[0])
        let fourth = try attempt(
            query.take(try reply(to: third) { $0.code = .refused }, serial: third.serial, draw: 4))
        #expect(query.take(.timedOut, serial: fourth.serial, draw: 5) == .done(.failed(.refused(.refused))))
    }

    @Test("a truncated answer is asked for over TCP, of the same server; the next one by UDP again")
    func truncated() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 1))
        let second = try attempt(
            query.take(try reply(to: first) { $0.isTruncated = true }, serial: first.serial, draw: 2))
        #expect(second.server == first.server)
        #expect(second.usesTCP)
        var copy = query
        #expect(copy.take(try reply(to: second), serial: second.serial, draw: 0) == good)
        let third = try attempt(query.take(.message([0]), serial: second.serial, draw: 3))
        #expect(third.server == Self.servers[1])
        #expect(!third.usesTCP)
    }

    @Test("a server that does not know EDNS is asked without it, even if it leaves out the question")
    func oldServer() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 1))
        let refusal = try reply(to: first) {
            $0.code = .formatError
            $0.questions = []
            $0.answers = []
        }
        let second = try attempt(query.take(refusal, serial: first.serial, draw: 2))
        #expect(second.server == first.server)
        #expect(try DNSMessage(decoding: second.bytes).edns == nil)
        #expect(query.take(try reply(to: second), serial: second.serial, draw: 0) == good)
    }

    @Test("no such name is an answer")
    func noName() throws {
        var query = DNSQuery(question, settings: settings())
        let first = try attempt(query.start(draw: 1))
        let event = try reply(to: first) {
            $0.code = .nameError
            $0.answers = []
        }
        #expect(query.take(event, serial: first.serial, draw: 2) == .done(.noName(ttl: nil)))
    }

    @Test("rotation begins with another server; without servers there is nothing to ask")
    func rotation() throws {
        var query = DNSQuery(question, settings: settings { $0.rotates = true }, turn: 3)
        #expect(try attempt(query.start(draw: 1)).server == Self.servers[1])
        var nobody = DNSQuery(question, settings: settings { $0.servers = [] }, turn: 3)
        #expect(nobody.start(draw: 1) == .done(.failed(.noServers)))
    }
}
