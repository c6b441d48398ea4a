package import ApusAPI
package import ApusCore

/// One state-of-the-world stream as seen by the server: requests and content come in, actions come out.
///
/// CDS and LDS responses are the full state of what the client subscribed to; RDS, EDS and SDS responses hold only what
/// changed or was newly asked for, since there absence means nothing.
package struct StateOfTheWorldServerMachine: ServerMachine, ~Copyable {
    private var stream: DiscoveryStream
    /// Types for which the client named something once: from then on an empty list means nothing, not everything.
    private var hasNamed: Set<ResourceType> = []

    /// `view`: nil until the content for this client is ready; requests may come before.
    package init(settings: StreamSettings, view: ResourceView?) {
        stream = DiscoveryStream(variant: .stateOfTheWorld, settings: settings, view: view)
    }

    /// New content. Equal content sends nothing.
    package mutating func update(view: ResourceView) { stream.view = view }

    package mutating func received(
        _ request: Envoy_Service_Discovery_V3_DiscoveryRequest, at now: Instant
    ) -> RequestEvent {
        if let closing = stream.closing { return .refused(closing) }
        let type: ResourceType
        switch stream.addressee(request.typeURL) {
        case .type(let known): type = known
        case .unknown(let url): return .unknownType(url)
        case .refused(let status): return stream.refuse(status)
        }
        if let status = stream.excess(request.resourceNames, beside: 0) { return stream.refuse(status) }

        var names = Set(request.resourceNames.map { stream.shared($0, type) })
        let asksForAll = names.remove("*") != nil
        let wildcard = asksForAll || (names.isEmpty && type.allowsWildcard && !hasNamed.contains(type))

        let isFirst = !stream[type].isOpen
        let isLastNonce = request.responseNonce == stream[type].ledger.sent?.nonce
        if !isFirst, !request.responseNonce.isEmpty, !isLastNonce, stream[type].ledger.sent != nil {
            // A newer response is on its way, and the client will say after it what it wants.
            stream[type].ledger.counts.stale += 1
            return .stale(type)
        }
        if !request.resourceNames.isEmpty { hasNamed.insert(type) }

        var event = RequestEvent.subscribed(type)
        if isFirst || (request.responseNonce.isEmpty && stream[type].hasSettled) {
            stream[type].open(wildcard: wildcard, names: names)
            stream[type].shareNames(with: stream.view?[type])
            return event
        }
        if isLastNonce, stream[type].outstanding != nil {
            let error = request.hasErrorDetail ? request.errorDetail : nil
            event =
                stream.answered(
                    type, nonce: request.responseNonce, error: error.map { ($0.code, $0.message) }, at: now) ?? event
        }
        stream[type].replace(wildcard: wildcard, names: names)
        stream[type].shareNames(with: stream.view?[type])
        return event
    }

    package mutating func next(at now: Instant) -> ServerAction { stream.next(at: now) }

    package func status(at now: Instant) -> [TypeStatus] { stream.status(at: now) }
}
