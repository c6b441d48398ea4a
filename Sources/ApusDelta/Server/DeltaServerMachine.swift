package import ApusAPI
package import ApusCore

/// One delta stream (incremental xDS) as seen by the server: requests and content come in, actions come out.
///
/// Source: the xDS protocol's incremental variant. At most one response per type is unacknowledged; content that comes
/// in the meantime merges, since the next response is the way from what was sent to what is newest.
package struct DeltaServerMachine: ServerMachine, ~Copyable {
    private var stream: DiscoveryStream

    /// `view`: nil until the content for this client is ready; requests may come before.
    package init(settings: StreamSettings, view: ResourceView?) {
        stream = DiscoveryStream(variant: .delta, settings: settings, view: view)
    }

    /// New content. Equal content sends nothing.
    package mutating func update(view: ResourceView) { stream.view = view }

    package mutating func received(
        _ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest, at now: Instant
    ) -> RequestEvent {
        if let closing = stream.closing { return .refused(closing) }
        let type: ResourceType
        switch stream.addressee(request.typeURL) {
        case .type(let known): type = known
        case .unknown(let url): return .unknownType(url)
        case .refused(let status): return stream.refuse(status)
        }
        let subscribe = request.resourceNamesSubscribe
        let initial = stream[type].isOpen ? [:] : request.initialResourceVersions
        if let status = stream.excess(subscribe, beside: stream[type].names.count)
            ?? stream.excess(initial.keys, beside: 0)
        {
            return stream.refuse(status)
        }

        var event: RequestEvent?
        if !request.responseNonce.isEmpty, stream[type].isOpen {
            let error = request.hasErrorDetail ? request.errorDetail : nil
            event =
                stream.answered(
                    type, nonce: request.responseNonce, error: error.map { ($0.code, $0.message) }, at: now)
                ?? .stale(type)
        }
        // Subscription changes hold whatever the nonce is: a client may send them while a response is on its way.
        if stream[type].isOpen {
            for name in request.resourceNamesUnsubscribe {
                if Self.isWildcard(name) {
                    stream[type].unsubscribeFromAll()
                } else {
                    stream[type].unsubscribe(name)
                }
            }
            for name in subscribe {
                if Self.isWildcard(name) {
                    stream[type].subscribeToAll()
                } else {
                    stream[type].subscribe(stream.shared(name, type))
                }
            }
        } else {
            let names = subscribe.filter { !Self.isWildcard($0) }.map { stream.shared($0, type) }
            stream[type].open(
                wildcard: subscribe.contains(where: Self.isWildcard) || (subscribe.isEmpty && type.allowsWildcard),
                names: Set(names), held: initial)
        }
        if !subscribe.isEmpty { stream[type].shareNames(with: stream.view?[type]) }
        return event ?? .subscribed(type)
    }

    package mutating func next(at now: Instant) -> ServerAction { stream.next(at: now) }

    package func status(at now: Instant) -> [TypeStatus] { stream.status(at: now) }

    /// `*`; the empty name is what older clients mean by it.
    private static func isWildcard(_ name: String) -> Bool { name == "*" || name.isEmpty }
}
