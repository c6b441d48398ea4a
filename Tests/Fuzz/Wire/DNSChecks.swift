internal import ApusCore
internal import ApusDNS

/// Messages of name servers: what is read can be written and means the same again, and every answer to a question ends
/// it, goes on to another attempt or is not heard.
enum DNSMessageCheck: WireCheck {
    static let name = "dns"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        let message: DNSMessage
        do {
            message = try DNSMessage(decoding: input)
        } catch {
            outcome.features.insert("refused \(error)")
            return outcome
        }
        outcome.features.insert("\(message.code.name) \(message.isTruncated) \(message.edns != nil)")
        for record in message.answers + message.authorities + message.additionals {
            outcome.features.insert("type \(min(record.type.rawValue, 64)) \(record.name.labels.count / 8)")
            if record.ttl > 0x7FFF_FFFF { outcome.problems.append("a time to live of \(record.ttl)") }
        }
        for name in message.questions.map(\.name) + message.answers.map(\.name) where name != .root {
            let text = name.description
            if !text.contains("\\"), DomainName(text) != name {
                outcome.problems.append("the name \(text) is not itself when read")
            }
        }
        if let written = message.encoded() {
            if (try? DNSMessage(decoding: written)) != message {
                outcome.problems.append("what is written of \(message) is not what was read")
            }
        } else {
            outcome.features.insert("too long to write")
        }
        if let question = message.questions.first { ask(question, message, input, &outcome) }
        return outcome
    }

    /// The message as the answer to its own question, whatever else it is.
    private static func ask(
        _ question: DNSQuestion, _ message: DNSMessage, _ input: [UInt8], _ outcome: inout WireOutcome
    ) {
        var settings = ResolverSettings()
        settings.servers = [DNSServer(IPAddress(v4: 1)), DNSServer(IPAddress(v4: 2))]
        settings.attempts = 2
        var query = DNSQuery(question, settings: settings)
        var step = query.start(draw: message.id)
        var attempts = 0
        while case .send(let attempt) = step {
            attempts += 1
            step = query.take(.message(input), serial: attempt.serial, draw: message.id)
            if case .wait = step { step = query.take(.timedOut, serial: attempt.serial, draw: message.id) }
            // Each server of each round: as it is, without EDNS, over TCP.
            if attempts > 12 {
                outcome.problems.append("the question does not end")
                return
            }
        }
        switch step {
        case .done(.addresses(let addresses)): outcome.features.insert("\(min(addresses.count, 20)) addresses")
        case .done(.noData): outcome.features.insert("no data after \(attempts)")
        case .done(.noName): outcome.features.insert("no name after \(attempts)")
        case .done(.failed(let failure)): outcome.features.insert("\(failure) after \(attempts)")
        case .send, .wait: outcome.problems.append("the question has no end")
        }
    }
}

/// The files that say where to ask: any text is settings within their limits, and a look-up by them ends.
enum DNSFilesCheck: WireCheck {
    static let name = "resolver-files"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        let text = String(decoding: input, as: UTF8.self)
        let settings = ResolverOptions().settings(over: ResolverSettings(resolverFile: text))
        let hosts = HostsFile(text: text)
        if settings.servers.isEmpty || settings.servers.count > 16 || settings.search.count > 32
            || !(0...15).contains(settings.dots) || !(1...5).contains(settings.attempts)
            || settings.timeout > .seconds(30)
        {
            outcome.problems.append("settings beyond their limits: \(settings)")
        }
        outcome.features.insert(
            "\(settings.servers.count) \(settings.search.count) \(settings.dots) \(settings.attempts) "
                + "\(settings.rotates) \(settings.usesTCP)")
        for word in text.split(whereSeparator: { $0.isWhitespace }).prefix(20) {
            var lookup = NameLookup(String(word), family: .automatic, settings: settings, hosts: hosts)
            var step = lookup.start()
            var asked = 0
            while case .ask(let questions) = step, asked <= 66 {
                asked += questions.count
                for question in questions { step = lookup.take(.noName(ttl: nil), to: question) }
            }
            guard case .done(let result) = step else {
                outcome.problems.append("the look-up of \(word) does not end")
                continue
            }
            switch result {
            case .completed(let addresses, _):
                outcome.features.insert("asked \(asked), \(min(addresses.count, 9)) addresses")
            case .failed(let failure): outcome.features.insert("\(failure)")
            }
        }
        return outcome
    }
}
