/// One question asked of the servers in turn until one of them answers it.
///
/// The machine tells its owner what to send and to whom; the owner tells what came of it. Only one attempt is under way at
/// a time, and what belongs to an earlier one is not listened to.
public struct DNSQuery: Sendable {
    /// What to do next: send `bytes` to `server`, and say so if nothing useful has come after `timeout`. The owner sends
    /// each attempt from a port of its own, and takes datagrams only from the server.
    public struct Attempt: Hashable, Sendable {
        public let serial: Int
        public let server: DNSServer
        public let usesTCP: Bool
        public let bytes: [UInt8]
        public let timeout: Duration
    }

    public enum Event: Sendable {
        /// A datagram, or a message behind its length on a stream.
        case message([UInt8])
        /// The server cannot be reached, or has closed the stream.
        case unreachable
        case timedOut
    }

    public enum Step: Hashable, Sendable {
        case send(Attempt)
        /// Nothing that counts has come; the attempt goes on.
        case wait
        case done(DNSAnswer)
    }

    public let question: DNSQuestion
    private let settings: ResolverSettings
    private let firstServer: Int
    /// Of the attempt that is under way.
    public private(set) var serial = 0
    /// Servers asked so far, each as often as it was.
    private var asked = 0
    private var id: UInt16 = 0
    private var usesTCP: Bool
    private var usesEDNS = true
    private var failure = DNSFailure.noServers

    /// Even a long round ends.
    private static let longestTimeout = Duration.seconds(30)

    /// - Parameter turn: how many questions were asked before; chooses the first server where they are rotated.
    public init(_ question: DNSQuestion, settings: ResolverSettings, turn: Int = 0) {
        self.question = question
        self.settings = settings
        usesTCP = settings.usesTCP
        firstServer = settings.rotates && !settings.servers.isEmpty ? turn % settings.servers.count : 0
    }

    /// - Parameter draw: nobody may guess it, for it is what answers are known by (RFC 5452).
    public mutating func start(draw: UInt16) -> Step { attempt(draw) }

    /// - Parameters:
    ///   - serial: of the attempt that the event belongs to.
    ///   - draw: for a further attempt, should one follow.
    public mutating func take(_ event: Event, serial: Int, draw: UInt16) -> Step {
        guard serial == self.serial, serial > 0 else { return .wait }
        switch event {
        case .unreachable: return next(.unreachable, draw)
        case .timedOut: return next(.timedOut, draw)
        case .message(let bytes): return read(bytes, draw)
        }
    }

    private mutating func read(_ bytes: [UInt8], _ draw: UInt16) -> Step {
        guard let message = try? DNSMessage(decoding: bytes), message.id == id, message.isResponse,
            message.operation == 0, echoes(message)
        else {
            // A datagram may be somebody else's guess. On a stream it is the server's own: it will not do better.
            return usesTCP ? next(.unreachable, draw) : .wait
        }
        if message.isTruncated, !usesTCP {
            usesTCP = true
            return send(draw)
        }
        switch message.code {
        case .noError, .nameError: return .done(message.answer(to: question))
        case .formatError where usesEDNS, .notImplemented where usesEDNS:
            // RFC 6891 section 7: an old server; it is asked again as it knows it.
            usesEDNS = false
            return send(draw)
        default: return next(.refused(message.code), draw)
        }
    }

    /// The question comes back in the answer. A server that could not read it may leave it out.
    private func echoes(_ message: DNSMessage) -> Bool {
        if message.questions.isEmpty { return message.code == .formatError || message.code == .notImplemented }
        return message.questions == [question]
    }

    private mutating func next(_ reason: DNSFailure, _ draw: UInt16) -> Step {
        // Why a server said no tells more than that another was silent.
        switch (failure, reason) {
        case (.refused, .timedOut), (.refused, .unreachable): break
        default: failure = reason
        }
        asked += 1
        usesTCP = settings.usesTCP
        usesEDNS = true
        return attempt(draw)
    }

    private mutating func attempt(_ draw: UInt16) -> Step {
        guard asked < settings.servers.count * settings.attempts else { return .done(.failed(failure)) }
        return send(draw)
    }

    private mutating func send(_ draw: UInt16) -> Step {
        serial += 1
        id = draw
        let message = DNSMessage.query(id: id, question, payloadSize: usesEDNS ? settings.payloadSize : nil)
        guard let bytes = message.encoded() else { return .done(.failed(.badName)) }
        let round = asked / settings.servers.count
        return .send(
            Attempt(
                serial: serial, server: settings.servers[(firstServer + asked) % settings.servers.count],
                usesTCP: usesTCP, bytes: bytes,
                timeout: min(settings.timeout * (1 << min(round, 8)), max(settings.timeout, Self.longestTimeout))))
    }
}
