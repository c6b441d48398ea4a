import ApusTraffic
import Testing

@Suite struct LocalReplyPolicyTests {
    private func text(_ literal: String, _ op: FormatOperator? = nil) -> AccessLog.Format {
        .text(FormatString(segments: [.literal(bytes(literal))] + (op.map { [.value($0)] } ?? [])))
    }

    private func rewrite(
        _ policy: LocalReplyPolicy, _ reply: LocalReply
    ) -> (reply: LocalReply, operations: HeaderOperations, facts: StreamFacts) {
        var reply = reply
        var facts = StreamFacts()
        let operations = policy.rewrite(&reply, request: get("/p"), facts: &facts, draw: Draw(1))
        return (reply, operations, facts)
    }

    @Test func `the first mapper that passes changes status, text, format and headers`() {
        let header = HeaderOperations(settings: [.init(name: HeaderName("x-m"), value: FormatString(literal: "1"))])
        let policy = LocalReplyPolicy(
            mappers: [
                .init(filter: .status(.init(.equal, 500)), status: 501),
                .init(
                    filter: .status(.init(.greaterOrEqual, 500)), status: 599, text: bytes("new"),
                    body: .init(format: text("body: ", .localReplyBody), contentType: "text/html"), headers: header),
                .init(filter: .status(.init(.equal, 503)), status: 200),
            ], body: .init(format: text("default"), contentType: "text/plain"))
        let changed = rewrite(policy, .noHealthyUpstream)
        #expect(changed.reply.status == 599 && changed.facts.responseCode == 599)
        #expect(changed.reply.body == bytes("body: new"))
        #expect(changed.reply.contentType == "text/html")
        #expect(changed.operations.settings.count == 1)
        let other = rewrite(policy, .routeNotFound)
        #expect(other.reply.status == 404 && other.reply.body == bytes("default"))
    }

    @Test func `an object is JSON with the original text and the new status`() {
        let tree = FormatTree.object([
            ("code", .text(FormatString(segments: [.value(.responseCode)]))),
            ("text", .text(FormatString(segments: [.value(.localReplyBody)]))),
            (
                "path",
                .text(FormatString(segments: [.value(.request(HeaderName(":path"), alternative: nil, limit: nil))]))
            ),
        ])
        let policy = LocalReplyPolicy(body: .init(format: .json(tree), contentType: "application/json"))
        let reply = rewrite(policy, .noHealthyUpstream).reply
        #expect(ApusTrafficTests.text(reply.body) == #"{"code":503,"text":"no healthy upstream","path":"/p"}"# + "\n")
        var head = HTTPHead()
        _ = reply.write(into: &head, request: get("/p"))
        #expect(head.text("content-type") == "application/json")
    }
}
