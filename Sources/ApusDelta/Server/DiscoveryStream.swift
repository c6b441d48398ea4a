internal import ApusCore

/// The part of a server stream that both variants of the protocol share: types and their order, nonces, the wait for
/// acknowledgements, make before break, and the bookkeeping.
struct DiscoveryStream {
    enum Variant { case delta, stateOfTheWorld }

    let variant: Variant
    let settings: StreamSettings
    var view: ResourceView?
    var closing: CloseStatus?
    private var subscriptions: [Subscription]
    private var lastNonce: UInt64 = 0

    init(variant: Variant, settings: StreamSettings, view: ResourceView?) {
        self.variant = variant
        self.settings = settings
        self.view = view
        subscriptions = ResourceType.allCases.map(Subscription.init(type:))
    }

    subscript(type: ResourceType) -> Subscription {
        _read { yield subscriptions[Int(type.rawValue)] }
        _modify { yield &subscriptions[Int(type.rawValue)] }
    }

    // MARK: Requests

    enum Addressee {
        case type(ResourceType)
        case unknown(String)
        case refused(CloseStatus)
    }

    /// Which type a request is about. On the separate services the type may be left out.
    func addressee(_ typeURL: String) -> Addressee {
        let named = ResourceType(typeURL: typeURL)
        switch settings.scope {
        case .aggregated:
            if typeURL.isEmpty { return .refused(.init(code: .invalidArgument, message: "type_url is missing")) }
            return named.map(Addressee.type) ?? .unknown(String(typeURL.prefix(256)))
        case .single(let type):
            if typeURL.isEmpty || named == type { return .type(type) }
            return .refused(
                .init(code: .invalidArgument, message: "this service serves \(type.typeURL) only"))
        }
    }

    /// The limit that the names of a request break, if any.
    func excess(_ names: some Collection<String>, beside known: Int) -> CloseStatus? {
        if names.count + known > settings.limits.names {
            return CloseStatus(
                code: .resourceExhausted, message: "more than \(settings.limits.names) resource names for one type")
        }
        if names.contains(where: { $0.utf8.count > settings.limits.nameLength }) {
            return CloseStatus(
                code: .invalidArgument, message: "a resource name is longer than \(settings.limits.nameLength) bytes")
        }
        return nil
    }

    /// The name in the storage that the resource has anyway, so that a thousand streams do not keep a thousand copies
    /// of the names in their requests.
    func shared(_ name: String, _ type: ResourceType) -> String { view?[type].byName[name]?.name ?? name }

    mutating func refuse(_ status: CloseStatus) -> RequestEvent {
        closing = status
        return .refused(status)
    }

    /// The outcome of a nonce that is not empty; nil if it is not the one that is waited for.
    mutating func answered(
        _ type: ResourceType, nonce: String, error: (code: Int32, message: String)?, at now: Instant
    ) -> RequestEvent? {
        guard let response = self[type].outstanding, text(response.nonce) == nonce else {
            self[type].ledger.counts.stale += 1
            return nil
        }
        let mark = TypeStatus.Mark(nonce: nonce, version: response.version, at: now)
        guard let error else {
            self[type].ledger.counts.acknowledgements += 1
            self[type].ledger.acknowledged = mark
            self[type].acknowledged()
            return .acknowledged(type, after: response.sentAt.duration(to: now))
        }
        let message = String(decoding: error.message.utf8.prefix(settings.limits.errorLength), as: UTF8.self)
        let mentions = ErrorMentions(message)
        let culprits = response.changed.filter { mentions.contains($0.name) }
        let suspects = culprits.isEmpty && response.changed.count == 1 ? response.changed : culprits
        let rejection = Rejection(
            type: type, nonce: nonce, version: response.version, code: error.code, message: message,
            resources: culprits.map(\.name), sources: Array(Set(suspects.flatMap(\.sources))).sorted(), at: now)
        self[type].ledger.counts.rejections += 1
        self[type].ledger.rejection = rejection
        self[type].rejected(culprits: Set(rejection.resources), byName: !isFullState(type))
        return .rejected(rejection)
    }

    // MARK: Responses

    mutating func next(at now: Instant) -> ServerAction {
        if let closing { return .close(closing) }
        guard let view else { return .wait(until: nil) }
        for type in ResourceType.allCases {
            if let response = deliver(type, from: view, at: now) { return .send(response) }
        }
        // Routes that turn out to need nothing settle the wait of removals, which come earlier in the order.
        for type in [ResourceType.cluster, .endpoints] where !self[type].held.isEmpty && !awaitsDependents(view) {
            if let response = deliver(type, from: view, at: now) { return .send(response) }
        }
        return .wait(until: deadline(view, at: now))
    }

    private mutating func deliver(_ type: ResourceType, from view: ResourceView, at now: Instant) -> OutgoingResponse? {
        guard self[type].isOpen else { return nil }
        if type == .listener || type == .route, awaitsClusters(view) { return nil }
        let set = view[type]
        let holdsBack = canHoldBack(type) && awaitsDependents(view)
        guard self[type].wants(set, at: now) || (!self[type].held.isEmpty && !holdsBack) else { return nil }
        if let outstanding = self[type].outstanding {
            guard now >= outstanding.sentAt.advanced(by: settings.limits.acknowledgementPatience) else { return nil }
            self[type].overtake()
        }
        let delivery = self[type].take(
            from: set,
            removals: holdsBack ? .heldUntil(now.advanced(by: settings.limits.removalHold)) : .now, at: now,
            placeholder: settings.placeholder)
        guard let delivery else { return nil }
        // Where absence means nothing, a removal alone has no words.
        if variant == .stateOfTheWorld, !isFullState(type), delivery.changed.isEmpty, !delivery.isAnswer { return nil }
        if type == .cluster {
            // A changed cluster warms anew in Envoy and waits for its endpoints, which it does not ask for again.
            for cluster in delivery.changed where self[.endpoints].isOpen || self[.cluster].isResumed {
                if settings.scope == .aggregated { self[.endpoints].require(cluster.name) }
            }
        }
        return compose(type, delivery, from: set, at: now)
    }

    /// True while new listeners or routes could name clusters that the client was not sent yet. No deadlock: a client
    /// delays its word on clusters for want of endpoints or secrets, never for want of routes.
    private func awaitsClusters(_ view: ResourceView) -> Bool {
        settings.scope == .aggregated && self[.cluster].isOpen
            && self[.cluster].base?.version != view.clusters.version
    }

    /// True while listeners or routes in the client may still use a cluster that is gone from the view.
    private func awaitsDependents(_ view: ResourceView) -> Bool {
        guard settings.scope == .aggregated else { return false }
        return [ResourceType.listener, .route].contains { type in
            // A client that comes back with resources will ask for these types next.
            guard self[type].isOpen else { return self[.cluster].isResumed }
            return self[type].outstanding != nil || self[type].base?.version != view[type].version
                || self[type].ledger.rejection != nil
        }
    }

    /// Clusters and endpoints are what listeners and routes stand on.
    private func canHoldBack(_ type: ResourceType) -> Bool {
        type == .cluster || (type == .endpoints && variant == .delta)
    }

    private func deadline(_ view: ResourceView, at now: Instant) -> Instant? {
        var earliest: Instant?
        for subscription in subscriptions where subscription.isOpen {
            for entry in subscription.held.values { earliest = min(earliest ?? entry.until, entry.until) }
            if let outstanding = subscription.outstanding, subscription.wants(view[subscription.type], at: now) {
                let end = outstanding.sentAt.advanced(by: settings.limits.acknowledgementPatience)
                earliest = min(earliest ?? end, end)
            }
        }
        return earliest
    }

    /// In the state-of-the-world variant every CDS and LDS response is the whole truth; absence means removal.
    private func isFullState(_ type: ResourceType) -> Bool {
        variant == .stateOfTheWorld && (type == .cluster || type == .listener)
    }

    private func text(_ nonce: UInt64) -> String { settings.noncePrefix + "-" + String(nonce, radix: 16) }

    private mutating func compose(
        _ type: ResourceType, _ delivery: Subscription.Delivery, from set: ResourceSet, at now: Instant
    ) -> OutgoingResponse {
        lastNonce += 1
        let nonce = text(lastNonce)
        var version = set.version
        var resources = delivery.changed
        var removed = delivery.removed
        let bytes: [UInt8]
        switch variant {
        case .delta:
            bytes = DiscoveryResponseWriter.delta(
                type: type, systemVersion: version, nonce: nonce, changed: resources, removed: removed,
                controlPlane: settings.controlPlane)
        case .stateOfTheWorld:
            removed = []
            if isFullState(type) {
                let kept = self[type].held.values.compactMap(\.resource)
                // What is kept back changes the content, so it must change the version.
                for resource in kept {
                    let share = XXHash64.hash(resource.name, seed: resource.version.value)
                    version = ContentVersion(version.value &+ share)
                }
                resources = (fullState(type, of: set) + kept).sorted { $0.name < $1.name }
            }
            bytes = DiscoveryResponseWriter.stateOfTheWorld(
                type: type, version: version, nonce: nonce, resources: resources,
                controlPlane: settings.controlPlane)
        }
        self[type].sent(
            .init(nonce: lastNonce, version: version, changed: resources, removed: removed, sentAt: now))
        self[type].ledger.sent = TypeStatus.Mark(nonce: nonce, version: version, at: now)
        self[type].ledger.counts.responses += 1
        self[type].ledger.counts.resources += resources.count
        self[type].ledger.counts.removals += removed.count
        self[type].ledger.counts.bytes += bytes.count
        return OutgoingResponse(
            type: type, nonce: nonce, version: version, bytes: bytes, resources: resources.map(\.name),
            removed: removed)
    }

    private func fullState(_ type: ResourceType, of set: ResourceSet) -> [EncodedResource] {
        if self[type].isWildcard { return Array(set.byName.values) }
        return self[type].names.compactMap { set.byName[$0] }
    }

    // MARK: Reports

    func status(at now: Instant) -> [TypeStatus] {
        subscriptions.map { subscription in
            let state: SyncState =
                if !subscription.isOpen || view == nil {
                    .notSent
                } else if subscription.ledger.rejection != nil {
                    .rejected
                } else if let view, subscription.outstanding == nil,
                    !subscription.wants(view[subscription.type], at: now)
                {
                    .synced
                } else if subscription.ledger.sent == nil {
                    .notSent
                } else {
                    .stale
                }
            return TypeStatus(
                type: subscription.type, state: state, sent: subscription.ledger.sent,
                acknowledged: subscription.ledger.acknowledged, rejection: subscription.ledger.rejection,
                isWildcard: subscription.isWildcard, names: subscription.names.count,
                counts: subscription.ledger.counts)
        }
    }
}
