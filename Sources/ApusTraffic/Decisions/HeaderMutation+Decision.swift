extension HeaderMutation {
    public func apply(to head: inout HTTPHead, request: HTTPHead?, response: HTTPHead?, facts: StreamFacts) {
        switch self {
        case .remove(let name): head.remove(name)
        case .removeMatching(let match):
            var names: [HeaderName] = []
            for field in head.fields {
                let name = HeaderName(head.text(field.name))
                if match.matches(name.description) { names.append(name) }
            }
            for name in names { head.remove(name) }
        case .set(let operations):
            operations.apply(to: &head, request: request, response: response, facts: facts)
        }
    }
}

extension HeaderMutations {
    public func applyToRequest(_ head: inout HTTPHead, facts: StreamFacts) {
        for mutation in request { mutation.apply(to: &head, request: head, response: nil, facts: facts) }
    }

    public func applyToResponse(_ head: inout HTTPHead, request: HTTPHead, facts: StreamFacts) {
        for mutation in response { mutation.apply(to: &head, request: request, response: head, facts: facts) }
    }
}
