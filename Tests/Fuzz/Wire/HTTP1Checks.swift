internal import ApusDataplane
internal import ApusTraffic
internal import NIOCore

/// A message of HTTP/1 as the codec understood it.
struct HTTP1Reading: Equatable {
    var error: HTTP1Error?
    /// Bytes that the head took; nil: incomplete.
    var used: Int?
    var start: [String] = []
    var fields: [String] = []
    var framing = BodyFraming.none
    var body: [UInt8] = []
    var isComplete = false

    init() {}

    /// - Parameter parse: takes all bytes so far; the bytes of the head and how its body ends, nil while it is incomplete.
    init(
        _ input: [UInt8], step: Int,
        parse: (Span<UInt8>, inout HTTPHead) throws(HTTP1Error) -> (used: Int, framing: BodyFraming)?
    ) {
        var head = HTTPHead()
        var end = 0
        var found: (used: Int, framing: BodyFraming)?
        do throws(HTTP1Error) {
            repeat {
                end = min(input.count, end + step)
                found = try parse(input.span.extracting(0..<end), &head)
            } while found == nil && end < input.count
        } catch {
            self.error = error
            return
        }
        guard let found else { return }
        used = found.used
        take(head)
        framing = found.framing
        readBody(input, from: found.used, step: step)
    }

    mutating func take(_ head: HTTPHead) {
        start = [head.text(head.methodText), head.text(head.path), head.text(head.authority), String(head.status)]
        fields = head.fields.map { "\(head.text($0.name).lowercased()): \(head.text($0.value))" }
    }

    /// The body behind the head, in the pieces that `step` cuts.
    mutating func readBody(_ input: [UInt8], from start: Int, step: Int) {
        var decoder = HTTP1BodyDecoder(framing)
        var begin = start
        do throws(HTTP1Error) {
            while !isComplete {
                let piece = Array(input[begin..<min(input.count, begin + step)])
                begin += piece.count
                var offset = 0
                reading: while true {
                    switch try decoder.next(piece.span, &offset) {
                    case .needMore: break reading
                    case .data(let range): body += piece[range]
                    case .end:
                        isComplete = true
                        break reading
                    }
                }
                if begin == input.count { break }
            }
        } catch {
            self.error = error
        }
    }
}

/// Requests: however the bytes are cut they mean the same, and what is written for the next hop means that to it.
enum HTTP1RequestCheck: WireCheck {
    static let name = "http1-request"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        let whole = read(input, step: max(1, input.count))
        for step in [1, 7] where read(input, step: step) != whole {
            outcome.problems.append("cut into pieces of \(step) it means something else")
        }
        outcome.features.insert(
            whole.error.map { "refused \($0.details)" } ?? (whole.used == nil ? "incomplete" : "read"))
        guard whole.used != nil, whole.error == nil, let rewritten = rewrite(input) else { return outcome }
        outcome.features.insert("\(whole.start.first ?? "") \(kind(whole.framing)) \(min(whole.fields.count, 12))")
        var again = read(rewritten.bytes, step: max(1, rewritten.bytes.count))
        // Of an absolute target the next hop gets the path; what belongs to the connection stays here.
        again.used = whole.used
        again.body = whole.body
        again.isComplete = whole.isComplete
        again.framing = whole.framing
        var expected = whole
        expected.fields = rewritten.fields
        if again != expected {
            outcome.problems.append("the next hop reads \(again) where \(expected) was meant")
        }
        return outcome
    }

    static func read(_ input: [UInt8], step: Int) -> HTTP1Reading {
        var parser = HTTP1RequestParser(limits: HTTP1Limits())
        var facts = HTTP1RequestFacts()
        return HTTP1Reading(input, step: step) { bytes, head throws(HTTP1Error) in
            try parser.parseHead(bytes, into: &head, facts: &facts).map { ($0, facts.framing) }
        }
    }

    /// The head as it goes to an HTTP/1 origin.
    private static func rewrite(_ input: [UInt8]) -> (bytes: [UInt8], fields: [String])? {
        var parser = HTTP1RequestParser(limits: HTTP1Limits())
        var head = HTTPHead()
        var facts = HTTP1RequestFacts()
        guard (try? parser.parseHead(input.span, into: &head, facts: &facts)) != nil,
            (try? ConnectionOptions.removeHopByHop(&head, nominatesOthers: facts.nominatesOthers, keepsUpgrade: false))
                != nil
        else { return nil }
        var reading = HTTP1Reading()
        reading.take(head)
        var out = ByteBuffer()
        HTTP1HeadWriter.writeRequest(head, framing: .asIs, upgrade: false, to: &out)
        return (Array(out.readableBytesView), reading.fields)
    }

    private static func kind(_ framing: BodyFraming) -> String {
        switch framing {
        case .none: "none"
        case .length: "length"
        case .chunked: "chunked"
        case .untilClose: "close"
        }
    }
}

/// Answers of an origin: however they are cut they mean the same.
enum HTTP1ResponseCheck: WireCheck {
    static let name = "http1-response"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        for method in [HTTPMethod.get, .head, .connect] {
            let whole = read(input, step: max(1, input.count), method)
            for step in [1, 7] where read(input, step: step, method) != whole {
                outcome.problems.append("cut into pieces of \(step) it means something else")
            }
            outcome.features.insert(
                "\(method) "
                    + (whole.error.map { "refused \($0.details)" }
                        ?? (whole.used == nil ? "incomplete" : "\(whole.start.last ?? "")")))
        }
        return outcome
    }

    private static func read(_ input: [UInt8], step: Int, _ method: HTTPMethod) -> HTTP1Reading {
        var parser = HTTP1ResponseParser()
        var facts = HTTP1ResponseFacts()
        return HTTP1Reading(input, step: step) { bytes, head throws(HTTP1Error) in
            try parser.parseHead(bytes, into: &head, facts: &facts, answering: method).map { ($0, facts.framing) }
        }
    }
}
