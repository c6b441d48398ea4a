extension LocalReplyPolicy {
    /// Changes an answer of the proxy as the first mapper says whose filter passes.
    ///
    /// - Parameter facts: told the status and the text, which filters and formats read.
    /// - Returns: what to do to the head of the answer.
    public func rewrite(
        _ reply: inout LocalReply, request: HTTPHead, facts: inout StreamFacts, draw: Draw
    ) -> HeaderOperations {
        facts.responseCode = reply.status
        var chosen = body
        var operations = HeaderOperations.none
        if let mapper = mappers.first(where: { $0.filter.passes(request: request, facts: facts, draw: draw) }) {
            operations = mapper.headers
            if let status = mapper.status {
                reply.status = status
                facts.responseCode = status
            }
            if let text = mapper.text { reply.body = text }
            chosen = mapper.body ?? body
        }
        if let chosen {
            var head = HTTPHead(status: reply.status)
            for (name, value) in reply.headers { head.append(name, value) }
            operations.apply(to: &head, request: request, response: nil, facts: facts)
            chosen.shape(&reply, request: request, response: head, facts: &facts)
        }
        return operations
    }
}

extension LocalReplyPolicy.Body {
    /// Puts the text of an answer into its format.
    public func shape(_ reply: inout LocalReply, request: HTTPHead, response: HTTPHead?, facts: inout StreamFacts) {
        facts.localReplyBody = reply.body
        var text: [UInt8] = []
        switch format {
        case .text(let format): format.write(into: &text, request: request, response: response, facts: facts)
        case .json(let tree):
            tree.write(into: &text, request: request, response: response, facts: facts)
            text.append(0x0A)
        }
        facts.localReplyBody = []
        reply.body = text
        reply.contentType = contentType
    }
}

extension LocalReply {
    public static let healthy = LocalReply(200, details: "health_check_ok")
    public static let failing = LocalReply(
        503, flags: .failedLocalHealthCheck, details: "health_check_failed",
        headers: [(HeaderToken.xEnvoyImmediateHealthCheckFail.name, Array("true".utf8))])
}
