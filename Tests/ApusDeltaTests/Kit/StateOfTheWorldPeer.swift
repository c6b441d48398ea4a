internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import Testing

/// A state-of-the-world stream with its client's hand.
struct StateOfTheWorldPeer: ~Copyable {
    var machine: StateOfTheWorldServerMachine
    var now = Instant.seconds(0)

    init(
        _ view: ResourceView?, scope: StreamScope = .aggregated,
        placeholder: @escaping PlaceholderSource = emptyStandIn
    ) {
        machine = StateOfTheWorldServerMachine(
            settings: StreamSettings(scope: scope, noncePrefix: "n", placeholder: placeholder), view: view)
    }

    mutating func send(
        _ type: ResourceType, _ names: [String] = [], nonce: String = "", version: String = "", error: String? = nil
    ) -> RequestEvent {
        var request = Envoy_Service_Discovery_V3_DiscoveryRequest()
        request.typeURL = type.typeURL
        request.resourceNames = names
        request.responseNonce = nonce
        request.versionInfo = version
        if let error {
            request.errorDetail.code = 3
            request.errorDetail.message = error
        }
        return machine.received(request, at: now)
    }

    mutating func ask(
        _ type: ResourceType, _ names: [String] = [], nonce: String = "", version: String = "", error: String? = nil
    ) -> [Answer] {
        _ = send(type, names, nonce: nonce, version: version, error: error)
        return drain()
    }

    mutating func ack(_ answer: Answer, _ names: [String] = []) -> [Answer] {
        ask(answer.type, names, nonce: answer.nonce, version: answer.version)
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
            answers.append(Answer(stateOfTheWorld: response))
            if answers.count > 100 {
                Issue.record("the machine never stops sending")
                break
            }
        }
        return answers
    }

    func state(_ type: ResourceType) -> TypeStatus { machine.status(at: now)[Int(type.rawValue)] }
}
