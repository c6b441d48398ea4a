internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import SwiftProtobuf
internal import Testing

/// A server stream with its client's hand: requests in, decoded responses out.
struct DeltaPeer: ~Copyable {
    var machine: DeltaServerMachine
    var now = Instant.seconds(0)

    init(
        _ view: ResourceView?, scope: StreamScope = .aggregated, limits: StreamLimits = StreamLimits(),
        placeholder: @escaping PlaceholderSource = emptyStandIn
    ) {
        machine = DeltaServerMachine(
            settings: StreamSettings(scope: scope, limits: limits, noncePrefix: "n", placeholder: placeholder),
            view: view)
    }

    /// One request, and all that is written after it.
    mutating func ask(
        _ type: ResourceType, subscribe: [String] = [], unsubscribe: [String] = [], held: [String: String] = [:],
        nonce: String = "", error: String? = nil
    ) -> [Answer] {
        _ = send(type, subscribe: subscribe, unsubscribe: unsubscribe, held: held, nonce: nonce, error: error)
        return drain()
    }

    mutating func send(
        _ type: ResourceType, subscribe: [String] = [], unsubscribe: [String] = [], held: [String: String] = [:],
        nonce: String = "", error: String? = nil
    ) -> RequestEvent {
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = type.typeURL
        request.resourceNamesSubscribe = subscribe
        request.resourceNamesUnsubscribe = unsubscribe
        request.initialResourceVersions = held
        request.responseNonce = nonce
        if let error {
            request.errorDetail.code = 3
            request.errorDetail.message = error
        }
        return machine.received(request, at: now)
    }

    mutating func ack(_ answer: Answer) -> [Answer] { ask(answer.type, nonce: answer.nonce) }

    mutating func ackAll(_ answers: [Answer]) -> [Answer] {
        var further: [Answer] = []
        for answer in answers { further += ack(answer) }
        return further
    }

    mutating func update(_ view: ResourceView) -> [Answer] {
        machine.update(view: view)
        return drain()
    }

    mutating func wait(_ seconds: Int) -> [Answer] {
        now = now.advanced(by: .seconds(seconds))
        return drain()
    }

    mutating func drain() -> [Answer] {
        var answers: [Answer] = []
        while case .send(let response) = machine.next(at: now) {
            answers.append(Answer(delta: response))
            if answers.count > 100 {
                Issue.record("the machine never stops sending")
                break
            }
        }
        return answers
    }

    func state(_ type: ResourceType) -> TypeStatus { machine.status(at: now)[Int(type.rawValue)] }
}

/// One decoded response: SwiftProtobuf is the judge of the composed bytes.
struct Answer: CustomStringConvertible {
    let type: ResourceType
    let nonce: String
    let version: String
    /// Name to content, `=` and what follows it in the letter.
    var resources: [String: Int] = [:]
    var versions: [String: String] = [:]
    var removed: [String] = []

    init(delta response: OutgoingResponse) {
        let decoded = try? Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: response.bytes)
        #expect(decoded != nil)
        let message = decoded ?? .init()
        type = response.type
        nonce = message.nonce
        version = message.systemVersionInfo
        #expect(message.typeURL == response.type.typeURL)
        #expect(message.resources.map(\.name) == response.resources)
        #expect(message.removedResources == response.removed)
        let all = message.resources.map(\.name) + message.removedResources
        #expect(Set(all).count == all.count, "a response never repeats a name")
        for entry in message.resources {
            resources[entry.name] = Self.content(entry.resource)
            versions[entry.name] = entry.version
        }
        removed = message.removedResources
    }

    init(stateOfTheWorld response: OutgoingResponse) {
        let decoded = try? Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: response.bytes)
        #expect(decoded != nil)
        let message = decoded ?? .init()
        type = response.type
        nonce = message.nonce
        version = message.versionInfo
        #expect(message.typeURL == response.type.typeURL)
        for entry in message.resources {
            #expect(entry.typeURL == response.type.typeURL)
            let text = String(decoding: entry.value, as: UTF8.self)
            let name = String(text.prefix { $0 != "=" })
            #expect(resources[name] == nil, "a response never repeats a name")
            resources[name] = Self.content(entry)
        }
    }

    private static func content(_ any: Google_Protobuf_Any) -> Int {
        Int(String(decoding: any.value, as: UTF8.self).split(separator: "=").last ?? "") ?? -1
    }

    /// `cds a=1 b=2 -c`
    var description: String {
        ([type.shortName] + resources.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            + removed.map { "-\($0)" }).joined(separator: " ")
    }
}

extension [Answer] {
    var text: [String] { map(\.description) }
}
