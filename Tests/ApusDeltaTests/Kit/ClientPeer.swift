internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import SwiftProtobuf
internal import Testing

/// A client machine with its server's hand: responses in, decoded requests out.
struct ClientPeer: ~Copyable {
    var machine: DeltaClientMachine
    var now = Instant.seconds(0)
    var random = SeededRandom(seed: 1)
    var batches: [ConfigBatch] = []
    var ends: [String] = []
    private var nonces = 0
    /// The verdict on each batch.
    var verdict: (ConfigBatch) -> Verdict = { _ in .accepted }

    init(held: HeldState = HeldState(), limits: ClientLimits = ClientLimits()) {
        var node = Envoy_Config_Core_V3_Node()
        node.id = "sidecar~1.1.1.1~a.ns~ns.svc.cluster.local"
        machine = DeltaClientMachine(node: node, held: held, limits: limits)
    }

    /// Replays, connects, and answers what was asked.
    mutating func connect() -> [Asked] {
        while true {
            switch machine.next(at: now) {
            case .apply(let batch): judge(batch)
            case .connect:
                machine.connected(at: now)
                return drain()
            case .wait(let until?):
                now = until
            case let other:
                Issue.record("\(other)")
                return []
            }
        }
    }

    mutating func lose() { machine.disconnected(at: now, using: &random) }

    mutating func respond(
        _ type: ResourceType, _ contents: [String: Int] = [:], removed: [String] = [], url: String? = nil
    ) -> [Asked] {
        respond(
            type, contents.sorted { $0.key < $1.key }.map { resource(type, $0.key, $0.value) }, removed: removed,
            url: url)
    }

    mutating func respond(
        _ type: ResourceType, _ resources: [EncodedResource], removed: [String] = [], url: String? = nil
    ) -> [Asked] {
        nonces += 1
        var bytes = DiscoveryResponseWriter.delta(
            type: type, systemVersion: ContentVersion(1), nonce: "s\(nonces)", changed: resources, removed: removed)
        if let url, var message = try? Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes) {
            message.typeURL = url
            bytes = (try? message.serializedBytes()) ?? []
        }
        _ = machine.received(bytes, at: now)
        return drain()
    }

    private mutating func judge(_ batch: ConfigBatch) {
        batches.append(batch)
        machine.judged(verdict(batch), at: now)
    }

    mutating func drain() -> [Asked] {
        var asked: [Asked] = []
        while true {
            switch machine.next(at: now) {
            case .send(let bytes): asked.append(Asked(bytes))
            case .apply(let batch): judge(batch)
            case .disconnect(let reason):
                ends.append(reason)
                lose()
            case .connect:
                Issue.record("connects by itself")
                return asked
            case .wait: return asked
            }
        }
    }
}

/// One decoded request, in short words.
struct Asked: CustomStringConvertible {
    let request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest

    init(_ bytes: [UInt8]) {
        let decoded = try? DeltaServerMachine.decode(bytes, limits: StreamLimits())
        #expect(decoded != nil)
        request = decoded ?? .init()
    }

    /// `cds +a -b held:a ack:s1` or `nack:s1`
    var description: String {
        var words = [ResourceType(typeURL: request.typeURL)?.shortName ?? request.typeURL]
        words += request.resourceNamesSubscribe.map { "+\($0)" } + request.resourceNamesUnsubscribe.map { "-\($0)" }
        words += request.initialResourceVersions.keys.sorted().map { "held:\($0)" }
        if !request.responseNonce.isEmpty {
            words.append((request.hasErrorDetail ? "nack:" : "ack:") + request.responseNonce)
        }
        return words.joined(separator: " ")
    }
}

extension [Asked] {
    var text: [String] { map(\.description) }
}
