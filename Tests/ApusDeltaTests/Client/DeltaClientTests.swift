internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import Testing

@Suite("Delta client machine")
struct DeltaClientTests {
    private static func entry(_ type: ResourceType, _ name: String, _ content: Int = 1) -> HeldState.Entry {
        let letter = resource(type, name, content)
        return .init(version: letter.version.description, body: letter.body)
    }

    // MARK: Subscribing

    @Test("a new stream begins with the wildcards, and the node in the first request only")
    func firstRequests() {
        var peer = ClientPeer()
        let asked = peer.connect()
        #expect(asked.text == ["cds +*", "lds +*"])
        #expect(asked.map { $0.request.hasNode } == [true, false])
        #expect(asked[0].request.node.id == "sidecar~1.1.1.1~a.ns~ns.svc.cluster.local")
    }

    @Test("names that a batch makes wanted are asked for after its acknowledgement")
    func derivedNames() {
        var peer = ClientPeer()
        peer.verdict = { $0.type == .cluster ? Verdict(wanted: [.endpoints: ["b", "a"]]) : .accepted }
        _ = peer.connect()
        #expect(peer.respond(.cluster, ["a": 1, "b": 1]).text == ["cds ack:s1", "eds +a +b"])
    }

    @Test("a change of wanted names is told as the difference")
    func changedNames() {
        var peer = ClientPeer()
        _ = peer.connect()
        peer.machine.want(.route, ["a", "b"])
        #expect(peer.drain().text == ["rds +a +b"])
        peer.machine.want(.route, ["b", "c"])
        #expect(peer.drain().text == ["rds +c -a"])
        peer.machine.want(.route, ["b", "c"])
        #expect(peer.drain().isEmpty)
        peer.machine.want(.route, [])
        #expect(peer.drain().text == ["rds -b -c"])
        peer.machine.want(.route, ["d"])
        #expect(peer.drain().text == ["rds +d"])
    }

    @Test("resources that are not wanted do not reach the receiver, but the response is acknowledged")
    func unwanted() {
        var peer = ClientPeer()
        _ = peer.connect()
        peer.machine.want(.endpoints, ["a"])
        _ = peer.drain()
        #expect(peer.respond(.endpoints, ["a": 1, "b": 1], removed: ["c"]).text == ["eds ack:s1"])
        #expect(peer.batches.last?.added.map(\.name) == ["a"])
        #expect(peer.batches.last?.removed == [])
        #expect(peer.machine.held[.endpoints].keys.sorted() == ["a"])
    }

    // MARK: Verdicts

    @Test("what is accepted is held with the version the server gave it")
    func accepted() {
        var peer = ClientPeer()
        _ = peer.connect()
        #expect(peer.respond(.cluster, ["a": 1]).text == ["cds ack:s1"])
        let held = peer.machine.held[.cluster]
        #expect(held == ["a": Self.entry(.cluster, "a")])
        #expect(peer.respond(.cluster, removed: ["a"]).text == ["cds ack:s2"])
        #expect(peer.machine.held[.cluster].isEmpty)
        #expect(peer.machine.generation == 2)
    }

    @Test("a refused resource keeps its old version, the others are taken, and the message names it")
    func refusedByName() {
        var peer = ClientPeer()
        _ = peer.connect()
        _ = peer.respond(.cluster, ["a": 1, "b": 1])
        peer.verdict = { _ in Verdict(refusals: [.init(name: "a", reason: "no such filter")]) }
        let asked = peer.respond(.cluster, ["a": 2, "b": 2])
        #expect(asked.text == ["cds nack:s2"])
        #expect(asked[0].request.errorDetail.message == "a: no such filter")
        #expect(asked[0].request.errorDetail.code == 3)
        let held = peer.machine.held[.cluster]
        #expect(held["a"] == Self.entry(.cluster, "a", 1))
        #expect(held["b"] == Self.entry(.cluster, "b", 2))
        let status = peer.machine.status[0]
        #expect(status.error == "a: no such filter")
        #expect(status.rejections == 1)
    }

    @Test("a refusal of the whole batch takes nothing of it")
    func refusedWhole() {
        var peer = ClientPeer()
        _ = peer.connect()
        _ = peer.respond(.cluster, ["a": 1])
        peer.verdict = { _ in Verdict(refusals: [.init(name: "", reason: "cannot read")]) }
        let asked = peer.respond(.cluster, ["b": 1], removed: ["a"])
        #expect(asked[0].request.errorDetail.message == "cannot read")
        #expect(peer.machine.held[.cluster].keys.sorted() == ["a"])
    }

    @Test("an accepted response clears the error of the type")
    func errorCleared() {
        var peer = ClientPeer()
        _ = peer.connect()
        peer.verdict = { _ in Verdict(refusals: [.init(name: "a", reason: "bad")]) }
        _ = peer.respond(.cluster, ["a": 1])
        peer.verdict = { _ in .accepted }
        _ = peer.respond(.cluster, ["a": 2])
        #expect(peer.machine.status[0].error == nil)
    }

    @Test("a response that repeats a name, lacks a name or content, or holds another type is refused as a whole")
    func brokenResponses() {
        var peer = ClientPeer()
        _ = peer.connect()
        let a = resource(.cluster, "a")
        let cases: [(answer: [Asked], reason: String)] = [
            (peer.respond(.cluster, [a, a]), "a: the name is there twice"),
            (peer.respond(.cluster, [a], removed: ["a"]), "a: the name is there twice"),
            (peer.respond(.cluster, [resource(.cluster, "")]), "a resource has no name"),
            (
                peer.respond(.cluster, [resource(.listener, "a")]),
                "a: the content is a \(ResourceType.listener.typeURL)"
            ),
        ]
        for (answer, reason) in cases {
            #expect(answer.first?.request.errorDetail.message == reason)
            #expect(answer.count == 1)
        }
        #expect(peer.batches.isEmpty)
        #expect(peer.machine.held.isEmpty)
    }

    @Test("a type that is not supported is refused with its own type URL")
    func unknownType() {
        var peer = ClientPeer()
        _ = peer.connect()
        let asked = peer.respond(.cluster, ["a": 1], url: "type.googleapis.com/other")
        #expect(asked.text == ["type.googleapis.com/other nack:s1"])
    }

    @Test("a message that is no response ends the stream")
    func garbage() {
        var peer = ClientPeer()
        _ = peer.connect()
        let event = peer.machine.received([0xff], at: peer.now)
        #expect(event == .garbage)
        _ = peer.drain()
        #expect(peer.ends == ["the server sent what is no discovery response"])
        guard case .waiting = peer.machine.connection else {
            Issue.record("\(peer.machine.connection)")
            return
        }
    }

    @Test("more resources than the limit are refused")
    func tooMany() {
        var limits = ClientLimits()
        limits.resources = 2
        var peer = ClientPeer(limits: limits)
        _ = peer.connect()
        #expect(peer.respond(.cluster, ["a": 1, "b": 1]).text == ["cds ack:s1"])
        #expect(peer.respond(.cluster, ["a": 2, "b": 2]).text == ["cds ack:s2"])
        #expect(peer.respond(.cluster, ["c": 1]).text == ["cds nack:s3"])
    }

    @Test("no further message is taken while a batch is judged")
    func oneAtATime() {
        var peer = ClientPeer()
        _ = peer.connect()
        let bytes = DiscoveryResponseWriter.delta(
            type: .cluster, systemVersion: ContentVersion(1), nonce: "x", changed: [resource(.cluster, "a")],
            removed: [])
        #expect(peer.machine.received(bytes, at: peer.now) == .batch(.cluster, added: 1, removed: 0))
        #expect(peer.machine.received(bytes, at: peer.now) == .unexpected)
    }

    // MARK: Loss and return

    @Test("after a loss everything held is told, with its version")
    func resume() {
        var peer = ClientPeer()
        _ = peer.connect()
        peer.verdict = { $0.type == .cluster ? Verdict(wanted: [.endpoints: ["a"]]) : .accepted }
        _ = peer.respond(.cluster, ["a": 1])
        _ = peer.respond(.endpoints, ["a": 5])
        peer.lose()
        let asked = peer.connect()
        #expect(asked.text == ["cds +* held:a", "eds +a held:a", "lds +*"])
        #expect(asked[0].request.hasNode)
        #expect(asked[1].request.initialResourceVersions["a"] == resource(.endpoints, "a", 5).version.description)
    }

    @Test("a verdict that comes after the loss counts for what is held, and is not sent on the next stream")
    func lateVerdict() {
        var peer = ClientPeer()
        _ = peer.connect()
        let bytes = DiscoveryResponseWriter.delta(
            type: .cluster, systemVersion: ContentVersion(1), nonce: "x", changed: [resource(.cluster, "a")],
            removed: [])
        _ = peer.machine.received(bytes, at: peer.now)
        guard case .apply = peer.machine.next(at: peer.now) else {
            Issue.record("no batch")
            return
        }
        peer.lose()
        guard case .wait(until: nil) = peer.machine.next(at: .seconds(1_000)) else {
            Issue.record("does not wait for the verdict")
            return
        }
        peer.machine.judged(.accepted, at: peer.now)
        #expect(peer.connect().text == ["cds +* held:a", "lds +*"])
    }

    @Test("a new client replays what was saved, type by type, before it connects")
    func replay() {
        var saved = HeldState()
        saved[.listener]["l"] = Self.entry(.listener, "l")
        saved[.cluster]["c"] = Self.entry(.cluster, "c")
        saved[.endpoints]["c"] = Self.entry(.endpoints, "c")
        saved[.endpoints]["old"] = Self.entry(.endpoints, "old")
        saved[.route]["r"] = Self.entry(.route, "r")
        var peer = ClientPeer(held: saved)
        peer.verdict = {
            switch $0.type {
            case .cluster: Verdict(wanted: [.endpoints: ["c"]])
            case .listener: Verdict(wanted: [.route: ["r"]])
            default: .accepted
            }
        }
        let asked = peer.connect()
        #expect(peer.batches.map(\.type) == [.cluster, .endpoints, .listener, .route])
        #expect(peer.batches.allSatisfy { $0.origin == .saved })
        #expect(peer.batches[1].added.map(\.name) == ["c"], "what nothing refers to any more is left out")
        #expect(asked.text == ["cds +* held:c", "eds +c held:c", "lds +* held:l", "rds +r held:r"])
    }

    @Test("what the receiver refuses of the saved is not claimed to be held")
    func replayRefused() {
        var saved = HeldState()
        saved[.cluster]["a"] = Self.entry(.cluster, "a")
        saved[.cluster]["b"] = Self.entry(.cluster, "b")
        var peer = ClientPeer(held: saved)
        peer.verdict = { _ in Verdict(refusals: [.init(name: "a", reason: "older form")]) }
        #expect(peer.connect().text == ["cds +* held:b", "lds +*"])
    }

    @Test("the pause after failures stays below a bound that doubles up to the limit, and uses all of it")
    func backOff() {
        var random = SeededRandom(seed: 7)
        var longest: [Double] = []
        for failure in 0..<10 {
            var most = 0.0
            for _ in 0..<2_000 {
                var backOff = BackOff()
                for _ in 0..<failure { _ = backOff.pause(using: &random) }
                most = max(most, backOff.pause(using: &random) / .milliseconds(1))
            }
            longest.append(most)
        }
        let bounds: [Double] = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]
        for (most, bound) in zip(longest, bounds) {
            #expect(most < bound)
            #expect(most > bound * 0.95)
        }
    }

    @Test("a response resets the back-off, and so does a long quiet stream; a short one does not")
    func backOffReset() {
        var peer = ClientPeer()
        func failures(_ connection: ConnectionState) -> Int {
            if case .waiting(_, let failures) = connection { failures } else { -1 }
        }
        for expected in 1...3 {
            _ = peer.connect()
            peer.lose()
            #expect(failures(peer.machine.connection) == expected)
        }
        _ = peer.connect()
        _ = peer.respond(.cluster, ["a": 1])
        peer.lose()
        #expect(failures(peer.machine.connection) == 1)
        _ = peer.connect()
        peer.lose()
        #expect(failures(peer.machine.connection) == 2)
        _ = peer.connect()
        peer.now = peer.now.advanced(by: .seconds(60))
        peer.lose()
        #expect(failures(peer.machine.connection) == 1)
    }

    @Test("a connection that cannot be opened is tried again after the pause")
    func cannotConnect() {
        var peer = ClientPeer()
        guard case .connect = peer.machine.next(at: peer.now) else {
            Issue.record("does not connect")
            return
        }
        peer.lose()
        guard case .wait(let until?) = peer.machine.next(at: peer.now) else {
            Issue.record("does not wait")
            return
        }
        guard case .connect = peer.machine.next(at: until) else {
            Issue.record("does not try again")
            return
        }
    }
}
