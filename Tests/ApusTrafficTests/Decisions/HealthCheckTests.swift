internal import ApusTraffic
internal import Testing

@Suite struct HealthCheckTests {
    private func config(unhealthy: UInt32 = 3, healthy: UInt32 = 2) -> HealthCheckConfig {
        HealthCheckConfig(
            timeout: .seconds(1), interval: .seconds(10), unhealthyThreshold: unhealthy, healthyThreshold: healthy,
            probe: .tcp(.init()))
    }

    @Test func `the first success makes a new host healthy at once`() {
        var state = HealthCheckState()
        #expect(!state.isHealthy && state.isFirst)
        let transition = state.succeeded(isDegraded: false, config())
        #expect(transition == .changed && state.isHealthy && !state.isFirst)
    }

    @Test func `failures of the network count to the threshold, and so do successes afterwards`() {
        let config = config()
        var state = HealthCheckState()
        var transition = state.succeeded(isDegraded: false, config)
        for _ in 0..<2 {
            transition = state.failed(.network, config)
            #expect(transition == .pending && state.isHealthy)
        }
        // A success in between begins the count anew.
        transition = state.succeeded(isDegraded: false, config)
        #expect(transition == .unchanged)
        for _ in 0..<2 { transition = state.failed(.timeout, config) }
        #expect(transition == .pending)
        transition = state.failed(.timeout, config)
        #expect(transition == .changed && !state.isHealthy && state.timedOut)
        transition = state.succeeded(isDegraded: false, config)
        #expect(transition == .pending && !state.isHealthy)
        transition = state.succeeded(isDegraded: false, config)
        #expect(transition == .changed && state.isHealthy && !state.timedOut)
    }

    @Test func `a bad answer is final at once, a retriable one is not`() {
        let config = config()
        var state = HealthCheckState(isHealthy: true)
        var transition = state.failed(.active(retriable: true), config)
        #expect(transition != .unchanged && state.isHealthy)
        transition = state.failed(.active(retriable: false), config)
        #expect(transition == .changed && !state.isHealthy)
        var other = HealthCheckState(isHealthy: true)
        transition = other.failed(.passive, config)
        #expect(!other.isHealthy)
    }

    @Test func `degraded comes and goes with the answers`() {
        let config = config()
        var state = HealthCheckState(isHealthy: true)
        var transition = state.succeeded(isDegraded: true, config)
        #expect(transition == .changed && state.isDegraded && state.isHealthy)
        transition = state.succeeded(isDegraded: true, config)
        #expect(transition == .unchanged)
        transition = state.succeeded(isDegraded: false, config)
        #expect(transition == .changed && !state.isDegraded)
    }

    @Test func `the pace depends on the result, on what is pending and on traffic`() {
        var config = config()
        config.unhealthyInterval = .seconds(1)
        config.unhealthyEdgeInterval = .seconds(2)
        config.healthyEdgeInterval = .seconds(3)
        config.noTrafficInterval = .seconds(60)
        config.noTrafficHealthyInterval = .seconds(90)
        func wait(_ succeeded: Bool, _ transition: HealthCheckState.Transition, traffic: Bool = true) -> Duration {
            HealthCheckState.interval(after: succeeded, transition, hasTraffic: traffic, config, random: 1)
        }
        #expect(wait(true, .unchanged) == .seconds(10) && wait(true, .pending) == .seconds(3))
        #expect(wait(false, .changed) == .seconds(1) && wait(false, .pending) == .seconds(2))
        #expect(wait(false, .changed, traffic: false) == .seconds(60))
        #expect(wait(true, .changed, traffic: false) == .seconds(90))
        config.intervalJitter = .seconds(1)
        config.intervalJitterPercent = 50
        var waits: Set<Duration> = []
        for seed in 0..<100 as Range<UInt64> {
            waits.insert(
                HealthCheckState.interval(after: true, .unchanged, hasTraffic: true, config, random: seed))
        }
        #expect(waits.count > 50 && waits.allSatisfy { $0 >= .seconds(10) && $0 < .seconds(16) })
    }

    @Test func `pieces are found one behind the other`() {
        func matches(_ pieces: [String], _ text: String) -> Bool {
            HealthCheckConfig.matches(pieces.map { Array($0.utf8) }, in: Array(text.utf8))
        }
        #expect(matches([], "") && matches(["ab"], "xabx") && matches(["a", "b"], "a--b"))
        #expect(!matches(["b", "a"], "a--b") && !matches(["ab", "b"], "ab") && !matches(["abc"], "ab"))
    }

    @Test func `an answer is judged by status, body, name of the service and the degraded mark`() {
        var probe = HealthCheckConfig.HTTPProbe()
        let ok = HTTPHead(status: 200)
        #expect(probe.judge(ok, body: []) == .healthy)
        #expect(probe.judge(HTTPHead(status: 204), body: []) == .failed(retriable: false))
        #expect(probe.judge(HTTPHead(status: 200, fields: [("x-envoy-degraded", "")]), body: []) == .degraded)
        probe.expectedStatuses = [200..<300]
        probe.retriableStatuses = [503..<504]
        #expect(probe.judge(HTTPHead(status: 204), body: []) == .healthy)
        #expect(probe.judge(HTTPHead(status: 503), body: []) == .failed(retriable: true))
        probe.expectedBody = [Array("up".utf8)]
        #expect(probe.judge(ok, body: Array("all up".utf8)) == .healthy)
        #expect(probe.judge(ok, body: Array("down".utf8)) == .failed(retriable: false))
        probe.expectedBody = []
        probe.serviceName = StringMatch(.prefix(Array("loc".utf8)))
        #expect(probe.judge(ok, body: []) == .failed(retriable: false))
        let named = HTTPHead(status: 200, fields: [("x-envoy-upstream-healthchecked-cluster", "local")])
        #expect(probe.judge(named, body: []) == .healthy)
    }

    @Test func `a gRPC server is healthy when it says SERVING with status 0`() {
        var probe = HealthCheckConfig.GRPCProbe()
        #expect(probe.body == [0, 0, 0, 0, 0])
        probe.service = "a.B"
        #expect(probe.body == [0, 0, 0, 0, 5, 0x0A, 3] + Array("a.B".utf8))
        let head = HTTPHead(status: 200, fields: [("content-type", "application/grpc")])
        let ok = HTTPHead(status: 0, fields: [("grpc-status", "0")])
        let serving: [UInt8] = [0, 0, 0, 0, 2, 0x08, 1]
        #expect(probe.judge(head, body: serving, trailers: ok) == .healthy)
        let bad = HealthCheckConfig.Verdict.failed(retriable: false)
        #expect(probe.judge(head, body: [0, 0, 0, 0, 2, 0x08, 2], trailers: ok) == bad)
        #expect(probe.judge(head, body: [0, 0, 0, 0, 0], trailers: ok) == bad)
        #expect(probe.judge(head, body: serving.dropLast(), trailers: ok) == bad)
        #expect(probe.judge(head, body: [0, 0xFF, 0xFF, 0xFF, 0xFF, 0x08, 1], trailers: ok) == bad)
        #expect(probe.judge(head, body: [], trailers: ok) == bad)
        #expect(probe.judge(head, body: serving, trailers: nil) == bad)
        let unknown = HTTPHead(status: 0, fields: [("grpc-status", "5")])
        #expect(probe.judge(head, body: serving, trailers: unknown) == bad)
        #expect(probe.judge(HTTPHead(status: 200), body: serving, trailers: ok) == bad)
        #expect(probe.judge(HTTPHead(status: 503), body: [], trailers: nil) == bad)
    }

    @Test func `the request has the probe's method, path, host and headers`() {
        var probe = HealthCheckConfig.HTTPProbe()
        probe.path = "/health"
        probe.method = "POST"
        probe.body = [1, 2, 3]
        let head = probe.request(authority: "db")
        #expect(head.text(head.methodText) == "POST" && head.text(head.path) == "/health")
        #expect(head.text(head.authority) == "db" && head.text("content-length") == "3")
        #expect(head.text("user-agent") == "Envoy/HC")
    }
}
