internal import ApusDataplane
internal import ApusTraffic
internal import NIOCore

/// A connection of HTTP/2: however the frames are cut they mean the same, nothing outgrows its limits, and every request
/// that opens a stream is one request to an HTTP/1 origin, too (the bridge).
enum HTTP2ServerCheck: WireCheck {
    static let name = "http2-server"
    static func run(_ input: [UInt8]) -> WireOutcome { HTTP2Run.check(.server, input) }
}

enum HTTP2ClientCheck: WireCheck {
    static let name = "http2-client"
    static func run(_ input: [UInt8]) -> WireOutcome { HTTP2Run.check(.client, input) }
}

private struct HTTP2Run {
    var events: [String] = []
    var out: [UInt8] = []
    var problems: [String] = []
    var features: Set<String> = []
    /// Body bytes by stream: where a DATA frame is cut depends on the reads.
    var bodies: [UInt32: Int] = [:]

    static func check(_ role: HTTP2Connection.Role, _ input: [UInt8]) -> WireOutcome {
        let whole = HTTP2Run(role, input, step: max(1, input.count))
        var outcome = WireOutcome()
        outcome.problems = whole.problems
        outcome.features = whole.features
        for step in [1, 13] {
            let pieces = HTTP2Run(role, input, step: step)
            if pieces.events != whole.events || pieces.bodies != whole.bodies {
                outcome.problems.append(
                    "in pieces of \(step) it means \(pieces.events) \(pieces.bodies), else \(whole.events) \(whole.bodies)"
                )
            }
        }
        return outcome
    }

    init(_ role: HTTP2Connection.Role, _ input: [UInt8], step: Int) {
        var options = HTTP2Options()
        options.maxConcurrentStreams = 8
        var machine = HTTP2Connection(role: role, options: options, out: ByteBuffer())
        machine.start()
        var opened: [HTTP2Stream] = []
        if role == .client {
            for method in ["GET", "HEAD", "POST"] {
                let head = HTTPHead(method: method, path: "/", authority: "a")
                if let stream = machine.openStream(head, endStream: method != "POST") { opened.append(stream) }
            }
        }
        var buffer = ByteBuffer()
        var begin = 0
        let now = NIODeadline.uptimeNanoseconds(1)
        while begin < input.count {
            let end = min(input.count, begin + step)
            buffer.writeBytes(input[begin..<end])
            begin = end
            while let event = machine.next(&buffer, now: now) { note(event, &machine, role) }
            if machine.out.readableBytes > 1 << 20 { problems.append("it makes this side write without end") }
            machine.out.clear()
            machine.outputFlushed()
        }
        if machine.head.storage.count > 4 * (options.maxHeadBytes + 65_536) {
            problems.append("a head outgrew its limit")
        }
        if role == .server, machine.activeStreams > 8 { problems.append("more streams than allowed") }
    }

    private mutating func note(_ event: HTTP2Event, _ machine: inout HTTP2Connection, _ role: HTTP2Connection.Role) {
        switch event {
        case .head(let stream, let facts):
            let head = machine.head
            events.append(
                "head \(stream.id) \(facts.endStream) \(head.text(head.methodText)) \(head.text(head.path)) "
                    + "\(head.status) \(head.fields.count)")
            features.insert("head \(head.method) \(head.status) \(facts.endStream)")
            if role == .server {
                bridge(head, isConnect: facts.protocolName != nil)
                var answer = HTTPHead(status: 200)
                answer.append(.contentType, "text/plain")
                machine.sendHead(stream, answer, endStream: facts.endStream)
            }
        case .data(let stream, let bytes, let end):
            bodies[stream.id, default: 0] += bytes.readableBytes
            machine.consumed(stream, bytes.readableBytes)
            if end { events.append("end \(stream.id)") }
            features.insert("data \(end)")
        case .trailers(let stream):
            events.append("trailers \(stream.id) \(machine.head.fields.count)")
            features.insert("trailers")
        case .reset(let stream, let problem, let byPeer):
            events.append("reset \(stream.id) \(problem) \(byPeer)")
            features.insert("reset \(problem) \(byPeer)")
        case .writable(let stream): events.append("writable \(stream.id)")
        case .goAway(let last, let code):
            events.append("goaway \(last) \(code)")
            features.insert("goaway \(code)")
        case .settings:
            events.append("settings")
            features.insert("settings")
        case .pingAck: features.insert("ping")
        case .failed(let problem):
            events.append("failed \(problem)")
            features.insert("failed \(problem)")
        }
    }

    /// What an HTTP/1 origin would be sent must be one request with the same target, host and fields.
    private mutating func bridge(_ head: HTTPHead, isConnect: Bool) {
        guard head.method != .connect, !isConnect else { return }
        var head = head
        guard (try? ConnectionOptions.removeHopByHop(&head, nominatesOthers: false, keepsUpgrade: false)) != nil else {
            return
        }
        var out = ByteBuffer()
        HTTP1HeadWriter.writeRequest(head, framing: .asIs, upgrade: false, to: &out)
        let bytes = Array(out.readableBytesView)
        let reading = HTTP1RequestCheck.read(bytes, step: max(1, bytes.count))
        var expected = HTTP1Reading()
        expected.take(head)
        // Without a host there is nothing to route by, and such a request goes nowhere.
        if head.authority.isEmpty { return }
        if reading.error != nil || reading.used != bytes.count || reading.start != expected.start
            || reading.fields != expected.fields
        {
            problems.append("bridged to HTTP/1, \(expected.start) \(expected.fields) is read as \(reading)")
        }
    }
}
