package import ApusAPI
package import ApusCore
internal import SwiftProtobuf

/// The client's side of delta ADS: subscribes, hands on what comes, acknowledges or refuses, comes back after a loss
/// with what it holds.
///
/// Ask `next` after every call until it answers `.wait`, and again at the instant of the wait.
package struct DeltaClientMachine: ~Copyable, Sendable {
    private enum Phase {
        case replaying
        case idle(until: Instant)
        case connecting
        case streaming(since: Instant)
        case ending
    }

    private struct Judging {
        let batch: ConfigBatch
        let nonce: String
        let version: String
        var isHandedOver = false
    }

    private struct TypeState {
        /// What this stream is subscribed to; nil before its first request.
        var subscribed: Set<String>?
        var wanted: Set<String> = []
        var hasAnswer = false
        var version = ""
        var lastResponse: Instant?
        var error: String?
        var acknowledgements = 0
        var rejections = 0
    }

    private let node: Envoy_Config_Core_V3_Node
    private let limits: ClientLimits
    private var backOff: BackOff
    private var phase: Phase
    private var types: [TypeState]
    private var replay: [ConfigBatch] = []
    private var judging: Judging?
    private var outbox: [[UInt8]] = []
    private var isFirstRequest = true
    private var endReason: String?
    /// What the client holds; `generation` grows with every change of it.
    package private(set) var held: HeldState
    package private(set) var generation = 0

    /// `held`: what an earlier run saved; it is handed to the receiver before the first connection.
    package init(
        node: Envoy_Config_Core_V3_Node, held: HeldState = HeldState(), limits: ClientLimits = ClientLimits(),
        backOff: BackOff = BackOff()
    ) {
        self.node = node
        self.limits = limits
        self.backOff = backOff
        self.held = HeldState()
        types = ResourceType.allCases.map { _ in TypeState() }
        for type in ResourceType.allCases where !held[type].isEmpty {
            let added = held[type].sorted { $0.key < $1.key }.map {
                (name: $0.key, version: $0.value.version, body: $0.value.body)
            }
            replay.append(ConfigBatch(type: type, added: added, removed: [], origin: .saved))
        }
        replay.reverse()
        phase = .replaying
    }

    // MARK: Events

    /// The stream is open: subscribe, with everything that is held.
    package mutating func connected(at now: Instant) {
        guard case .connecting = phase else { return }
        phase = .streaming(since: now)
        isFirstRequest = true
        for type in ResourceType.allCases { syncSubscription(type) }
    }

    /// The stream ended or could not be opened.
    package mutating func disconnected(at now: Instant, using generator: inout some RandomNumberGenerator) {
        switch phase {
        case .replaying, .idle: return
        case .connecting, .ending: break
        case .streaming(let since):
            // A server that has nothing new for a client says nothing, and the stream was good all the same.
            if since.duration(to: now) >= backOff.most { backOff.succeeded() }
        }
        outbox = []
        endReason = nil
        for index in types.indices { types[index].subscribed = nil }
        phase = .idle(until: now.advanced(by: backOff.pause(using: &generator)))
    }

    /// A message came. Only when no batch is being judged.
    package mutating func received(_ bytes: [UInt8], at now: Instant) -> ResponseEvent {
        guard case .streaming = phase, judging == nil else { return .unexpected }
        guard bytes.count <= limits.responseSize, let response = DeltaResponse(serialized: bytes) else {
            end("the server sent what is no discovery response")
            return .garbage
        }
        backOff.succeeded()
        guard let type = ResourceType(typeURL: response.typeURL) else {
            return refuse(response, type: nil, "the type is not supported")
        }
        self[type].lastResponse = now
        if let reason = fault(in: response, type) { return refuse(response, type: type, reason) }

        let added: [ReceivedResource] = response.resources.compactMap { resource in
            guard covers(type, resource.name), let body = resource.body else { return nil }
            return (name: resource.name, version: resource.version, body: body)
        }
        let removed = response.removed.filter { covers(type, $0) }
        let batch = ConfigBatch(type: type, added: added, removed: removed, origin: .server)
        judging = Judging(batch: batch, nonce: response.nonce, version: response.systemVersion)
        return .batch(type, added: added.count, removed: removed.count)
    }

    /// The receiver's word on the batch of the last `.apply`.
    package mutating func judged(_ verdict: Verdict, at now: Instant) {
        guard let judged = judging, judged.isHandedOver else { return }
        judging = nil
        let type = judged.batch.type
        let refused = Set(verdict.refusals.map(\.name))
        if !verdict.refusesAll { take(judged.batch, except: refused) }

        if judged.batch.origin == .server {
            self[type].hasAnswer = true
            self[type].version = judged.version
            var error: String?
            if verdict.refusals.isEmpty {
                self[type].acknowledgements += 1
            } else {
                self[type].rejections += 1
                error = cut(verdict.refusals.map { $0.name.isEmpty ? $0.reason : "\($0.name): \($0.reason)" })
            }
            self[type].error = error
            if case .streaming = phase { answer(typeURL: type.typeURL, nonce: judged.nonce, error: error) }
        }
        for (type, names) in verdict.wanted { want(type, names) }
    }

    /// The names of a type that the configuration refers to, in full. Wildcard types need none.
    package mutating func want(_ type: ResourceType, _ names: Set<String>) {
        guard !type.allowsWildcard else { return }
        self[type].wanted = names
        // What is saved but no longer wanted is dropped, as the server forgets what it is unsubscribed from.
        let known = held[type].count
        held[type] = held[type].filter { names.contains($0.key) }
        if held[type].count != known { generation += 1 }
        if case .streaming = phase { syncSubscription(type) }
    }

    // MARK: Actions

    package mutating func next(at now: Instant) -> ClientAction {
        if let current = judging {
            guard !current.isHandedOver else { return .wait(until: nil) }
            judging?.isHandedOver = true
            return .apply(current.batch)
        }
        switch phase {
        case .replaying:
            guard let saved = replay.popLast() else {
                phase = .connecting
                return .connect
            }
            let batch = ConfigBatch(
                type: saved.type, added: saved.added.filter { covers(saved.type, $0.name) }, removed: [],
                origin: .saved)
            if batch.added.isEmpty { return next(at: now) }
            judging = Judging(batch: batch, nonce: "", version: "", isHandedOver: true)
            return .apply(batch)
        case .idle(let until):
            guard now >= until else { return .wait(until: until) }
            phase = .connecting
            return .connect
        case .connecting:
            return .wait(until: nil)
        case .streaming:
            if !outbox.isEmpty { return .send(outbox.removeFirst()) }
            return .wait(until: nil)
        case .ending:
            if let reason = endReason {
                endReason = nil
                return .disconnect(reason: reason)
            }
            return .wait(until: nil)
        }
    }

    // MARK: Reports

    package var connection: ConnectionState {
        switch phase {
        case .replaying: .replaying
        case .idle(let until): .waiting(until: until, failures: backOff.failures)
        case .connecting, .ending: .connecting
        case .streaming(let since): .connected(since: since)
        }
    }

    package var status: [ClientTypeStatus] {
        ResourceType.allCases.map { type in
            let state = types[Int(type.rawValue)]
            return ClientTypeStatus(
                type: type, held: held[type].count, wanted: state.wanted.count, hasAnswer: state.hasAnswer,
                version: state.version, lastResponse: state.lastResponse, error: state.error,
                acknowledgements: state.acknowledgements, rejections: state.rejections)
        }
    }

    // MARK: Inside

    private subscript(type: ResourceType) -> TypeState {
        _read { yield types[Int(type.rawValue)] }
        _modify { yield &types[Int(type.rawValue)] }
    }

    private func covers(_ type: ResourceType, _ name: String) -> Bool {
        type.allowsWildcard || self[type].wanted.contains(name)
    }

    private mutating func end(_ reason: String) {
        phase = .ending
        endReason = reason
        outbox = []
    }

    /// What makes a response unusable as a whole, by the rules of the protocol and the limits of the client.
    private func fault(in response: DeltaResponse, _ type: ResourceType) -> String? {
        var seen: Set<String> = []
        for resource in response.resources {
            if resource.name.isEmpty { return "a resource has no name" }
            if resource.name.utf8.count > limits.nameLength { return "a resource name is too long" }
            if !seen.insert(resource.name).inserted { return "\(resource.name): the name is there twice" }
            if resource.body == nil { return "\(resource.name): the resource has no content" }
            if resource.typeURL != type.typeURL { return "\(resource.name): the content is a \(resource.typeURL)" }
        }
        for name in response.removed where !seen.insert(name).inserted { return "\(name): the name is there twice" }
        if held[type].count + response.resources.count > limits.resources {
            let known = held[type]
            let fresh = response.resources.count { known[$0.name] == nil }
            if known.count + fresh > limits.resources { return "more than \(limits.resources) resources" }
        }
        return nil
    }

    private mutating func refuse(_ response: DeltaResponse, type: ResourceType?, _ reason: String) -> ResponseEvent {
        if let type {
            self[type].rejections += 1
            self[type].error = cut([reason])
        }
        answer(typeURL: response.typeURL, nonce: response.nonce, error: cut([reason]))
        return .refused(typeURL: response.typeURL, reason: reason)
    }

    private func cut(_ reasons: [String]) -> String {
        String(decoding: reasons.joined(separator: "; ").utf8.prefix(limits.errorLength), as: UTF8.self)
    }

    private mutating func take(_ batch: ConfigBatch, except refused: Set<String>) {
        var changed = false
        for resource in batch.added where !refused.contains(resource.name) {
            held[batch.type][resource.name] = .init(version: resource.version, body: resource.body)
            changed = true
        }
        for name in batch.removed where !refused.contains(name) {
            if held[batch.type].removeValue(forKey: name) != nil { changed = true }
        }
        if changed, batch.origin == .server { generation += 1 }
    }

    private mutating func answer(typeURL: String, nonce: String, error: String?) {
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = typeURL
        request.responseNonce = nonce
        if let error {
            request.errorDetail.code = 3  // INVALID_ARGUMENT
            request.errorDetail.message = error
        }
        post(request)
    }

    /// Leads the subscription of this stream to what is wanted.
    private mutating func syncSubscription(_ type: ResourceType) {
        let wanted = type.allowsWildcard ? ["*"] : self[type].wanted
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        request.typeURL = type.typeURL
        if let subscribed = self[type].subscribed {
            guard subscribed != wanted else { return }
            request.resourceNamesSubscribe = wanted.subtracting(subscribed).sorted()
            request.resourceNamesUnsubscribe = subscribed.subtracting(wanted).sorted()
        } else {
            guard !wanted.isEmpty else { return }
            request.resourceNamesSubscribe = wanted.sorted()
            request.initialResourceVersions = held[type].mapValues(\.version)
        }
        self[type].subscribed = wanted
        post(request)
    }

    private mutating func post(_ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) {
        var request = request
        if isFirstRequest {
            request.node = node
            isFirstRequest = false
        }
        guard let bytes: [UInt8] = try? request.serializedBytes() else {
            // Only a required field that is missing could fail, and proto3 has none.
            end("a request could not be encoded")
            return
        }
        outbox.append(bytes)
    }
}
