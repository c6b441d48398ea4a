internal import ApusCore
internal import ApusTraffic
internal import Testing

@Suite struct GRPCTimeoutTests {
    private func call(_ timeout: String?) -> HTTPHead {
        var fields = [("content-type", "application/grpc")]
        if let timeout { fields.append(("grpc-timeout", timeout)) }
        return HTTPHead(method: "POST", path: "/s/m", authority: "a", fields: fields)
    }

    private func manager(maxStream: Duration? = nil) -> HTTPConnectionManager {
        var timeouts = HTTPConnectionManager.Timeouts()
        timeouts.maxStream = maxStream
        return HTTPConnectionManager(
            statPrefix: "s", routes: .inline(RouteTable(name: "r", virtualHosts: [])), timeouts: timeouts)
    }

    private func forward(
        max: Duration? = nil, offset: Duration? = nil, old: Duration? = nil, stream: Duration? = nil
    ) -> ForwardAction {
        ForwardAction(
            clusters: .cluster(ClusterReference(name: "c", slot: Slot(0))), maxStreamDuration: stream,
            grpcTimeoutMax: max, grpcTimeoutOffset: offset, grpcRequestTimeoutMax: old)
    }

    @Test(
        "the client's time-out limits the stream, capped and less the offset, and the upstream is told",
        arguments: [
            ("300m", Duration.seconds(1), nil, Duration.milliseconds(300), "300m"),
            ("9S", .seconds(1), nil, .seconds(1), "1000m"), ("9S", .zero, nil, .seconds(9), "9000m"),
            ("500m", .zero, .milliseconds(200), .milliseconds(300), "300m"),
            ("100m", .zero, .milliseconds(200), .zero, "0m"), ("0m", .seconds(1), nil, .zero, "0m"),
            ("1n", .zero, nil, .milliseconds(1), "1m"),
            ("99999999H", .zero, nil, .seconds(99_999_999 * 3600), "99999999H"),
        ] as [(String, Duration, Duration?, Duration, String)])
    func streamLimit(text: String, most: Duration, offset: Duration?, limit: Duration, told: String) {
        var head = call(text)
        let timeouts = forward(max: most, offset: offset).timeouts(&head, manager: manager())
        #expect(timeouts.maxStream == limit)
        #expect(head.text("grpc-timeout") == told)
    }

    @Test("without a time-out of the client, or one that is malformed, the stream has the route's limit")
    func withoutOne() {
        for text in [nil, "9X", "S", "123456789S"] {
            var head = call(text)
            let action = forward(max: .seconds(1), stream: .seconds(7))
            #expect(action.timeouts(&head, manager: manager()).maxStream == .seconds(7))
        }
    }

    @Test("a retried request is told the time that is left, and at least a millisecond")
    func left() {
        let action = forward(old: .seconds(5))
        var head = call("2S")
        let timeouts = action.timeouts(&head, manager: manager())
        for (elapsed, expected) in [(Duration.zero, "2000"), (.milliseconds(500), "1500"), (.seconds(3), "1")] {
            action.writeTimeouts(timeouts, into: &head, manager: manager(), elapsed: elapsed)
            #expect(head.text("x-envoy-expected-rq-timeout-ms") == expected)
            #expect(head.text("grpc-timeout") == expected + "m")
        }
    }
}
