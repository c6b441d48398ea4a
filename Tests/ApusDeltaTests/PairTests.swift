internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import Testing

/// Both halves of the protocol against each other, over a line that loses streams and delivers when it likes.
@Suite("Delta server and client together")
struct PairTests {
    @Test(
        "they converge without repeating what the client has, and no route ever lacks its cluster",
        arguments: 0..<60)
    func converge(seed: Int) throws {
        var pair = Pair(seed: UInt64(seed))
        for _ in 0..<400 { try pair.step() }
        try pair.settle()
        for type in ResourceType.allCases {
            #expect(pair.store.contents[type, default: [:]] == pair.world.contents[type, default: [:]], "\(type)")
        }
        #expect(pair.repeats == 0)
        #expect(pair.orphans == 0)
        #expect(pair.rejections == 0)
        for status in pair.server.machine.status(at: pair.now) where status.state != .notSent {
            #expect(status.state == .synced, "\(status.type)")
        }
        // In step, the same content again moves nothing.
        pair.server.machine.update(view: pair.world.view)
        #expect(pair.server.drain().isEmpty)
    }

    @Test("they converge though the client refuses some contents, save for what is refused", arguments: 100..<160)
    func convergeWithRefusals(seed: Int) throws {
        var pair = Pair(seed: UInt64(seed))
        pair.store.refuses = { type, content in type != .route && content % 5 == 0 }
        for _ in 0..<400 { try pair.step() }
        try pair.settle()
        #expect(pair.rejections > 0)
        for type in [ResourceType.cluster, .listener] {
            let mine = pair.store.contents[type, default: [:]]
            let theirs = pair.world.contents[type, default: [:]]
            for (name, content) in theirs where !pair.store.refuses(type, content) {
                #expect(mine[name] == content, "\(type) \(name)")
            }
            for name in mine.keys { #expect(theirs[name] != nil, "\(type) \(name) is gone") }
        }
        for (name, content) in pair.world.contents[.endpoints, default: [:]]
        where !pair.store.refuses(.endpoints, content) && pair.store.contents[.cluster]?[name] != nil {
            #expect(pair.store.contents[.endpoints]?[name] == content)
        }
        pair.server.machine.update(view: pair.world.view)
        #expect(pair.server.drain().isEmpty, "what was refused is not sent again")
    }
}

private struct Pair: ~Copyable {
    var random: SeededRandom
    var world = World()
    var server: DeltaPeer
    var client: DeltaClientMachine
    var store = LetterStore()
    var now = Instant.seconds(0)
    var isUp = false
    private var toServer: [[UInt8]] = []
    private var toClient: [OutgoingResponse] = []
    private(set) var repeats = 0
    private(set) var orphans = 0
    private(set) var rejections = 0
    /// Clusters that changed since their endpoints came.
    private var warming: Set<String> = []
    private var streams = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        world.edit(using: &random)
        server = DeltaPeer(world.view)
        client = DeltaClientMachine(node: .init())
    }

    /// One event, picked at random.
    mutating func step() throws {
        now = now.advanced(by: .milliseconds(Int.random(in: 0..<20, using: &random)))
        server.now = now
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1, 2:
            world.edit(using: &random)
            server.machine.update(view: world.view)
        case 3 where Int.random(in: 0..<4, using: &random) == 0: lose()
        case 4 where Int.random(in: 0..<8, using: &random) == 0: try restart()
        case 5, 6, 7, 8: pull()
        case 9, 10, 11, 12: deliverToServer()
        case 13, 14, 15, 16: deliverToClient()
        default: drive()
        }
    }

    /// No more edits and losses: everything in flight arrives.
    mutating func settle() throws {
        for _ in 0..<1_000 {
            now = now.advanced(by: .milliseconds(50))
            server.now = now
            drive()
            deliverToServer()
            pull()
            deliverToClient()
        }
        #expect(toServer.isEmpty)
        #expect(toClient.isEmpty)
    }

    private mutating func lose() {
        guard isUp else { return }
        isUp = false
        toServer = []
        toClient = []
        client.disconnected(at: now, using: &random)
    }

    /// The client's program ends and starts again from what it had saved.
    private mutating func restart() throws {
        lose()
        let saved = try HeldStateCodec.decode(HeldStateCodec.encode(client.held, node: "n"), node: "n")
        #expect(saved == client.held)
        client = DeltaClientMachine(node: .init(), held: saved)
        let refuses = store.refuses
        store = LetterStore()
        store.refuses = refuses
        warming = []
        drive()
    }

    private mutating func drive() {
        while true {
            switch client.next(at: now) {
            case .connect:
                isUp = true
                streams += 1
                server.machine = DeltaServerMachine(
                    settings: StreamSettings(noncePrefix: "s\(streams)", placeholder: emptyStandIn),
                    view: world.view)
                client.connected(at: now)
            case .send(let bytes): toServer.append(bytes)
            case .apply(let batch): judge(batch)
            case .disconnect(let reason):
                Issue.record("\(reason)")
                lose()
            case .wait: return
            }
        }
    }

    private mutating func judge(_ batch: ConfigBatch) {
        if batch.origin == .server {
            for resource in batch.added where client.held[batch.type][resource.name]?.version == resource.version {
                if batch.type == .endpoints, warming.contains(resource.name) { continue }
                repeats += 1
            }
        }
        let verdict = store.apply(batch)
        rejections += verdict.refusals.count
        if batch.type == .cluster { warming.formUnion(batch.added.map(\.name)) }
        if batch.type == .endpoints { warming.subtract(batch.added.map(\.name)) }
        client.judged(verdict, at: now)
        let clusters = store.contents[.cluster, default: [:]]
        // Content 0 is the stand-in for a route that is not there; it uses nothing.
        for content in store.contents[.route, default: [:]].values
        where content != 0 && clusters[World.cluster(usedBy: content)] == nil {
            orphans += 1
        }
    }

    private mutating func pull() {
        guard isUp, case .send(let response) = server.machine.next(at: now) else { return }
        toClient.append(response)
    }

    private mutating func deliverToServer() {
        guard isUp, !toServer.isEmpty else { return }
        let bytes = toServer.removeFirst()
        guard let request = try? DeltaServerMachine.decode(bytes, limits: StreamLimits()) else {
            Issue.record("a request does not decode")
            return
        }
        if case .refused(let status) = server.machine.received(request, at: now) { Issue.record("\(status)") }
    }

    private mutating func deliverToClient() {
        guard isUp, !toClient.isEmpty else { return }
        let response = toClient.removeFirst()
        _ = Answer(delta: response)
        switch client.received(response.bytes, at: now) {
        case .batch: break
        case let event: Issue.record("\(event)")
        }
        drive()
    }
}
