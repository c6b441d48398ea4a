extension HeaderOperations {
    /// Removes, then sets. `facts` and the heads feed the operators of the values.
    package func apply(to head: inout HTTPHead, request: HTTPHead?, response: HTTPHead?, facts: StreamFacts) {
        for name in removals { head.remove(name) }
        for setting in settings {
            let value: ByteRange
            if let literal = setting.value.literal {
                value = head.store(literal)
            } else {
                var bytes: [UInt8] = []
                setting.value.write(
                    into: &bytes, request: request, response: response, facts: facts, missing: "-")
                // Values from the peer cannot hold CR, LF or NUL: the codec refuses them. Facts are the proxy's own.
                value = head.store(bytes)
            }
            if value.isEmpty, !setting.keepsEmptyValue { continue }
            switch setting.action {
            case .appendIfExistsOrAdd:
                if setting.name.isPseudo || setting.name.token == .host {
                    head.replace(setting.name, value: value)
                } else {
                    head.append(setting.name, value: value)
                }
            case .addIfAbsent: if head.value(setting.name) == nil { head.append(setting.name, value: value) }
            case .overwriteIfExistsOrAdd: head.replace(setting.name, value: value)
            case .overwriteIfExists:
                if head.value(setting.name) != nil { head.replace(setting.name, value: value) }
            }
        }
    }
}

extension RouteTable {
    /// The four levels in Envoy's order: weighted cluster, route, virtual host, table, so that the outer level wins;
    /// reversed with `most_specific_header_mutations_wins`.
    package func applyRequestHeaders(_ decision: RouteDecision, to head: inout HTTPHead, facts: StreamFacts) {
        let levels = [
            decision.weighted?.requestHeaders, decision.route?.requestHeaders, decision.virtualHost?.requestHeaders,
            requestHeaders,
        ]
        apply(levels, to: &head, request: nil, facts: facts)
    }

    /// The same for a response.
    package func applyResponseHeaders(
        _ decision: RouteDecision, to head: inout HTTPHead, request: HTTPHead?, facts: StreamFacts
    ) {
        let levels = [
            decision.weighted?.responseHeaders, decision.route?.responseHeaders,
            decision.virtualHost?.responseHeaders, responseHeaders,
        ]
        apply(levels, to: &head, request: request, facts: facts)
    }

    private func apply(
        _ levels: [HeaderOperations?], to head: inout HTTPHead, request: HTTPHead?, facts: StreamFacts
    ) {
        guard levels.contains(where: { !($0?.isEmpty ?? true) }) else { return }
        for index in levels.indices {
            let level = mostSpecificHeaderMutationsWin ? levels[levels.count &- 1 &- index] : levels[index]
            guard let level, !level.isEmpty else { continue }
            guard level.readsHeads else {
                level.apply(to: &head, request: nil, response: nil, facts: facts)
                continue
            }
            let before = head
            if let request {
                level.apply(to: &head, request: request, response: before, facts: facts)
            } else {
                level.apply(to: &head, request: before, response: nil, facts: facts)
            }
        }
    }
}
