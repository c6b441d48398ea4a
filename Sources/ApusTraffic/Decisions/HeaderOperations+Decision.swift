extension HeaderOperations {
    /// Removes, then sets. `facts` and the heads feed the operators of the values; a missing one prints nothing, and an
    /// empty value sets nothing unless told to.
    public func apply(to head: inout HTTPHead, request: HTTPHead?, response: HTTPHead?, facts: StreamFacts) {
        for name in removals { head.remove(name) }
        for setting in settings {
            let value: ByteRange
            if let literal = setting.value.literal {
                value = head.store(literal)
            } else {
                var bytes: [UInt8] = []
                setting.value.write(
                    into: &bytes, request: request, response: response, facts: facts, missing: "")
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
    public func applyRequestHeaders(_ decision: RouteDecision, to head: inout HTTPHead, facts: StreamFacts) {
        for step in 0..<4 {
            let operations: HeaderOperations?
            switch level(step) {
            case 0: operations = decision.weighted?.requestHeaders
            case 1: operations = decision.route?.requestHeaders
            case 2: operations = decision.virtualHost?.requestHeaders
            default: operations = requestHeaders
            }
            guard let operations, !operations.isEmpty else { continue }
            // The head is copied only for values that read it.
            let before = operations.readsHeads ? head : nil
            operations.apply(to: &head, request: before, response: nil, facts: facts)
        }
    }

    /// The same for a response.
    public func applyResponseHeaders(
        _ decision: RouteDecision, to head: inout HTTPHead, request: HTTPHead?, facts: StreamFacts
    ) {
        for step in 0..<4 {
            let operations: HeaderOperations?
            switch level(step) {
            case 0: operations = decision.weighted?.responseHeaders
            case 1: operations = decision.route?.responseHeaders
            case 2: operations = decision.virtualHost?.responseHeaders
            default: operations = responseHeaders
            }
            guard let operations, !operations.isEmpty else { continue }
            let before = operations.readsHeads ? head : nil
            operations.apply(to: &head, request: request, response: before, facts: facts)
        }
    }

    private func level(_ step: Int) -> Int { mostSpecificHeaderMutationsWin ? 3 &- step : step }
}
