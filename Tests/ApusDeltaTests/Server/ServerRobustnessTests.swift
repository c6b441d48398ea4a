internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import Testing

/// What a peer may do at all, in any order.
@Suite("Server machines against any client")
struct ServerRobustnessTests {
    /// Whatever comes: no trap, no endless sending, no name twice, never a second unacknowledged response of a type
    /// without a wait, and nothing after a close.
    @Test("random delta requests, acknowledgements and updates keep the promises", arguments: 0..<40)
    func randomDelta(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var world = World()
        world.edit(using: &random)
        var peer = DeltaPeer(world.view)
        var outstanding: [ResourceType: Answer] = [:]
        var sentAt: [ResourceType: Instant] = [:]
        var nonces = ["", "n-1", "nonsense"]
        let names = (0..<10).flatMap { ["c\($0)", "l\($0)"] } + ["*", "", "ünïcode", "missing"]
        for _ in 0..<300 {
            peer.now = peer.now.advanced(by: .milliseconds(Int.random(in: 0..<3_000, using: &random)))
            var answers: [Answer]
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                world.edit(using: &random)
                answers = peer.update(world.view)
            case 1, 2:
                guard let (type, answer) = outstanding.min(by: { $0.value.nonce < $1.value.nonce }) else { continue }
                outstanding[type] = nil
                let error = Int.random(in: 0..<4, using: &random) == 0 ? "bad c1 and l2" : nil
                answers = peer.ask(type, nonce: answer.nonce, error: error)
            case 3:
                answers = peer.wait(Int.random(in: 0..<20, using: &random))
            default:
                let type = ResourceType.allCases.randomElement(using: &random) ?? .cluster
                let nonce = nonces.randomElement(using: &random) ?? ""
                if nonce == outstanding[type]?.nonce { outstanding[type] = nil }
                func some() -> [String] {
                    (0..<Int.random(in: 0..<4, using: &random)).compactMap { _ in names.randomElement(using: &random) }
                }
                answers = peer.ask(
                    type, subscribe: some(), unsubscribe: some(),
                    held: Dictionary(some().map { ($0, "0000000000000001") }) { first, _ in first }, nonce: nonce,
                    error: Bool.random(using: &random) ? "no" : nil)
            }
            for answer in answers {
                if outstanding[answer.type] != nil, let last = sentAt[answer.type] {
                    #expect(last.duration(to: peer.now) >= StreamLimits().acknowledgementPatience)
                }
                outstanding[answer.type] = answer
                sentAt[answer.type] = peer.now
                nonces.append(answer.nonce)
                for name in answer.resources.keys {
                    #expect(world.view[answer.type].byName[name] != nil || answer.resources[name] == 0)
                }
            }
        }
    }

    @Test("random state-of-the-world requests keep the promises", arguments: 0..<40)
    func randomStateOfTheWorld(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var world = World()
        world.edit(using: &random)
        var peer = StateOfTheWorldPeer(world.view)
        var nonces = ["", "n-1"]
        for _ in 0..<300 {
            peer.now = peer.now.advanced(by: .milliseconds(Int.random(in: 0..<3_000, using: &random)))
            let answers: [Answer]
            if Int.random(in: 0..<4, using: &random) == 0 {
                world.edit(using: &random)
                answers = peer.update(world.view)
            } else {
                let type = ResourceType.allCases.randomElement(using: &random) ?? .cluster
                let names = (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                    ["*", "c1", "c2", "l1", "l2", "missing"].randomElement(using: &random) ?? "c1"
                }
                answers = peer.ask(
                    type, names, nonce: nonces.suffix(4).randomElement(using: &random) ?? "",
                    error: Int.random(in: 0..<4, using: &random) == 0 ? "no" : nil)
            }
            nonces += answers.map(\.nonce)
        }
    }

    /// A client that follows the rules of the state-of-the-world variant over a lossless line.
    @Test("a state-of-the-world client that acknowledges everything ends with the newest content", arguments: 0..<40)
    func convergence(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var world = World()
        world.edit(using: &random)
        var peer = StateOfTheWorldPeer(world.view)
        var mine: [ResourceType: [String: Int]] = [:]
        var asked: [ResourceType: Set<String>] = [.cluster: [], .listener: []]
        var last: [ResourceType: Answer] = [:]
        var inbox = peer.ask(.cluster) + peer.ask(.listener)

        func handle(_ answer: Answer) {
            last[answer.type] = answer
            if answer.type == .cluster || answer.type == .listener {
                mine[answer.type] = answer.resources
            } else {
                // What crossed the end of its subscription on the line is not wanted any more.
                let wanted = answer.resources.filter { asked[answer.type]?.contains($0.key) == true }
                mine[answer.type, default: [:]].merge(wanted) { _, new in new }
            }
            inbox += peer.ack(answer, (asked[answer.type] ?? []).sorted())
            let parents: [(ResourceType, ResourceType)] =
                answer.type == .cluster
                ? [(.cluster, .endpoints)]
                : answer.type == .listener ? [(.listener, .route), (.listener, .secret)] : []
            for (parent, type) in parents {
                let names = Set(mine[parent, default: [:]].keys)
                guard names != asked[type] ?? [] else { continue }
                asked[type] = names
                mine[type] = mine[type, default: [:]].filter { names.contains($0.key) }
                inbox += peer.ask(type, names.sorted(), nonce: last[type]?.nonce ?? "")
            }
        }

        for _ in 0..<100 {
            if Bool.random(using: &random) {
                world.edit(using: &random)
                inbox += peer.update(world.view)
            }
            for _ in 0..<Int.random(in: 0..<4, using: &random) where !inbox.isEmpty { handle(inbox.removeFirst()) }
        }
        while !inbox.isEmpty { handle(inbox.removeFirst()) }
        for type in ResourceType.allCases {
            #expect(mine[type, default: [:]] == world.contents[type, default: [:]], "\(type)")
        }
        peer.machine.update(view: world.view)
        #expect(peer.drain().isEmpty)
    }
}
