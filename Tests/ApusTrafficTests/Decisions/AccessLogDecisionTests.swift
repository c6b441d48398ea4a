import ApusTraffic
import Testing

@Suite struct AccessLogDecisionTests {
    private var facts: StreamFacts {
        var facts = StreamFacts()
        facts.responseCode = 503
        facts.flags = [.upstreamConnectionFailure]
        facts.lastDownstreamByte = 12_900
        return facts
    }

    private let request = HTTPHead(method: "GET", path: "/x", authority: "a", fields: [("x-k", "v\"\n")])

    @Test("filters compare status and time, flags, headers, and combine")
    func filters() {
        func passes(_ filter: AccessLog.Filter) -> Bool { filter.passes(request: request, facts: facts, draw: Draw(1)) }
        #expect(passes(.status(.init(.greaterOrEqual, 500))))
        #expect(!passes(.status(.init(.equal, 200))))
        #expect(passes(.duration(.init(.lessOrEqual, 12))))
        #expect(!passes(.duration(.init(.greaterOrEqual, 13))))
        #expect(passes(.flags([])))
        #expect(passes(.flags([.upstreamConnectionFailure, .noRouteFound])))
        #expect(!passes(.flags([.noRouteFound])))
        #expect(passes(.header(HeaderMatch(name: HeaderName("x-k"), test: .present))))
        #expect(!passes(.all([.flags([]), .status(.init(.equal, 200))])))
        #expect(passes(.any([.flags([]), .status(.init(.equal, 200))])))
        #expect(!passes(.share(.none)))
    }

    @Test("an object keeps numbers, escapes texts and says null for what is missing")
    func json() {
        let tree = FormatTree.object([
            ("code", .text(FormatString(segments: [.value(.responseCode)]))),
            ("k", .text(FormatString(segments: [.value(.request(HeaderName("x-k"), alternative: nil, limit: nil))]))),
            (
                "none",
                .text(FormatString(segments: [.value(.request(HeaderName("x-n"), alternative: nil, limit: nil))]))
            ),
            ("two", .text(FormatString(segments: [.value(.responseCode), .literal(Array("!".utf8))]))),
            ("list", .array([.number(1), .number(0.5), .bool(true), .null])),
        ])
        var out: [UInt8] = []
        AccessLog(sink: .standardOutput, format: .json(tree))
            .write(into: &out, request: request, response: nil, facts: facts)
        #expect(
            String(decoding: out, as: UTF8.self)
                == "{\"code\":503,\"k\":\"v\\\"\\n\",\"none\":null,\"two\":\"503!\",\"list\":[1,0.5,true,null]}\n")
    }
}
