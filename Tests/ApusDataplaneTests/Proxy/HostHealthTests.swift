import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

private func answer(_ status: Int, _ headers: String = "") -> String {
    "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\(headers)\r\n"
}

@Suite struct HostHealthTests {
    private func check(_ probe: HealthCheckConfig.Probe) -> HealthCheckConfig {
        var config = HealthCheckConfig(
            timeout: .seconds(1), interval: .seconds(5), unhealthyThreshold: 2, healthyThreshold: 2, probe: probe)
        config.noTrafficInterval = .seconds(5)
        config.noTrafficHealthyInterval = .seconds(5)
        return config
    }

    private var http: HealthCheckConfig {
        var probe = HealthCheckConfig.HTTPProbe()
        probe.path = "/health"
        return check(.http(probe))
    }

    private func health(_ bench: ProxyBench) -> HealthCheckStats {
        bench.worker.statistics().healthChecks["origin"] ?? HealthCheckStats()
    }

    @Test("each host is asked at once, and the first good answer puts it into service")
    func first() throws {
        let bench = ProxyBench(endpoints: [1001, 1002], health: http, panicThreshold: 0)
        #expect(bench.upstreams.attempts.map(\.address) == ["127.0.0.1:1001", "127.0.0.1:1002"])
        let request = try bench.upstream(0).received()
        #expect(request.hasPrefix("GET /health HTTP/1.1\r\nhost: origin\r\n"))
        let client = try bench.client()
        try client.send(get)
        #expect(try client.received().hasSuffix("no healthy upstream"))
        try bench.upstream(0).send(answer(200))
        bench.loop.run()
        try client.send(get)
        #expect(bench.upstreams.attempts.last?.address == "127.0.0.1:1001" && bench.upstreams.attempts.count == 3)
        #expect(health(bench).healthy == 1 && health(bench).attempts == 2 && health(bench).successes == 1)
    }

    @Test("a bad answer takes a host out at once, and it needs its threshold to come back")
    func failing() throws {
        let bench = ProxyBench(health: http, panicThreshold: 0)
        let probe = bench.upstream(0)
        try probe.send(answer(200))
        bench.loop.run()
        #expect(health(bench).healthy == 1)
        bench.advance(.seconds(5))
        #expect(try probe.received().contains("/health"))
        try probe.send(answer(503))
        bench.loop.run()
        let client = try bench.client()
        try client.send(get)
        #expect(try client.received().hasSuffix("no healthy upstream"))
        for healthy in [0, 1] as [Int64] {
            bench.advance(.seconds(5))
            try probe.send(answer(200))
            bench.loop.run()
            #expect(health(bench).healthy == healthy)
        }
        // One connection for all of it.
        #expect(bench.upstreams.attempts.count == 1)
    }

    @Test("silence is a failure of the network, which counts to the threshold, and the connection is given up")
    func timeouts() throws {
        let bench = ProxyBench(health: http, panicThreshold: 0)
        try bench.upstream(0).send(answer(200))
        bench.loop.run()
        bench.advance(.seconds(5))
        bench.advance(.seconds(1))
        #expect(!bench.upstream(0).isActive && health(bench).networkFailures == 1 && health(bench).healthy == 1)
        bench.advance(.seconds(5))
        #expect(bench.upstreams.attempts.count == 2)
        bench.upstreams.accepts = false
        try bench.upstream(1).close().wait()
        bench.loop.run()
        #expect(health(bench).networkFailures == 2 && health(bench).healthy == 0)
        bench.advance(.seconds(5))
        bench.upstreams.refuse(2)
        bench.loop.run()
        #expect(health(bench).networkFailures == 3)
        bench.upstreams.accepts = true
        bench.advance(.seconds(5))
        try bench.upstream(3).send(answer(200))
        bench.loop.run()
        #expect(health(bench).healthy == 0 && health(bench).successes == 2)
    }

    @Test("an answer without length ends with its connection and counts")
    func untilClose() throws {
        let bench = ProxyBench(health: http)
        try bench.upstream(0).send("HTTP/1.1 200 OK\r\n\r\nfine")
        try bench.upstream(0).close().wait()
        bench.loop.run()
        #expect(health(bench).healthy == 1 && health(bench).failures == 0)
    }

    @Test("bytes nobody asked for do not pass as the next answer")
    func early() throws {
        let bench = ProxyBench(health: http)
        try bench.upstream(0).send(answer(200) + answer(200))
        bench.loop.run()
        bench.advance(.seconds(5))
        #expect(bench.upstreams.attempts.count == 2 && health(bench).successes == 1)
    }

    @Test("a TCP check without bytes is a connection, made anew every time")
    func tcpConnect() throws {
        let bench = ProxyBench(health: check(.tcp(.init())))
        #expect(health(bench).healthy == 1 && !bench.upstream(0).isActive)
        bench.advance(.seconds(5))
        #expect(bench.upstreams.attempts.count == 2 && health(bench).successes == 2)
    }

    @Test("a TCP check sends its bytes and waits for the answer's pieces")
    func tcpBytes() throws {
        var probe = HealthCheckConfig.TCPProbe()
        probe.send = Array("PING".utf8)
        probe.receive = [Array("PO".utf8), Array("NG".utf8)]
        let bench = ProxyBench(health: check(.tcp(probe)))
        #expect(try bench.upstream(0).received() == "PING")
        try bench.upstream(0).send("+PO")
        bench.loop.run()
        #expect(health(bench).healthy == 0)
        try bench.upstream(0).send("NG")
        bench.loop.run()
        #expect(health(bench).healthy == 1)
        bench.advance(.seconds(5))
        #expect(try bench.upstream(0).received() == "PING" && bench.upstreams.attempts.count == 1)
    }

    @Test("an answer to a request can take its host out until a check says otherwise")
    func immediately() throws {
        let bench = ProxyBench(health: http, panicThreshold: 0)
        try bench.upstream(0).send(answer(200))
        bench.loop.run()
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(1).send(answer(200, "x-envoy-immediate-health-check-fail: true\r\n"))
        bench.loop.run()
        #expect(try client.received().hasPrefix("HTTP/1.1 200"))
        #expect(health(bench).passiveFailures == 1 && health(bench).healthy == 0)
        try client.send(get)
        #expect(try client.received().hasSuffix("no healthy upstream"))
        for _ in 0..<2 {
            bench.advance(.seconds(5))
            try bench.upstream(0).send(answer(200))
            bench.loop.run()
        }
        try client.send(get)
        // What the host had before it failed is not used again.
        try bench.upstream(2).send(answer(200))
        #expect(try client.received().hasPrefix("HTTP/1.1 200"))
    }

    @Test("a good check ends an ejection")
    func uneject() throws {
        var outliers = OutlierDetectionConfig()
        outliers.consecutive5xx = 1
        outliers.maxEjectionPercent = 100
        let bench = ProxyBench(health: http, outliers: outliers, panicThreshold: 0)
        try bench.upstream(0).send(answer(200))
        bench.loop.run()
        let client = try bench.client()
        try client.send(get)
        try bench.upstream(1).send(answer(500))
        #expect(try client.received().hasPrefix("HTTP/1.1 500"))
        try client.send(get)
        #expect(try client.received().hasSuffix("no healthy upstream"))
        bench.advance(.seconds(5))
        try bench.upstream(0).send(answer(200))
        bench.loop.run()
        try client.send(get)
        // What the host had before it failed is not used again.
        try bench.upstream(2).send(answer(200))
        #expect(try client.received().hasPrefix("HTTP/1.1 200"))
    }

    @Test("a host that one loop sees failing is avoided by all, and failures count over all loops")
    func shared() throws {
        var outliers = OutlierDetectionConfig()
        outliers.consecutive5xx = 2
        outliers.maxEjectionPercent = 100
        let shared = SharedState()
        let one = ProxyBench(outliers: outliers, panicThreshold: 0, shared: shared)
        let two = ProxyBench(outliers: outliers, panicThreshold: 0, shared: shared, index: 1)
        for bench in [one, two] {
            let client = try bench.client()
            try client.send(get)
            try bench.upstream(0).send(answer(500))
            #expect(try client.received().hasPrefix("HTTP/1.1 500"))
        }
        one.loop.run()
        for bench in [one, two] {
            let client = try bench.client()
            try client.send(get)
            #expect(try client.received().hasSuffix("no healthy upstream"))
        }
    }

    @Test("one loop checks, and all know")
    func oneChecker() throws {
        let shared = SharedState()
        let one = ProxyBench(health: http, panicThreshold: 0, shared: shared)
        let two = ProxyBench(health: http, panicThreshold: 0, shared: shared, index: 1)
        let client = try two.client()
        try client.send(get)
        #expect(try client.received().hasSuffix("no healthy upstream"))
        #expect(one.upstreams.attempts.count == 1 && two.upstreams.attempts.isEmpty)
        try one.upstream(0).send(answer(200))
        two.loop.run()
        try client.send(get)
        try two.upstream(0).send(answer(200))
        #expect(try client.received().hasPrefix("HTTP/1.1 200"))
    }

    @Test("a host has no more connections than its own limit")
    func perHost() throws {
        var options = HostHealthOptions()
        options.maxConnectionsPerHost = 1
        let bench = ProxyBench(endpoints: [1001, 1002], hostHealth: options)
        let clients = try (0..<4).map { _ in try bench.client() }
        for client in clients { try client.send(get) }
        // One each, although the cluster would allow more; the others wait.
        #expect(Set(bench.upstreams.attempts.map(\.address)).count == 2 && bench.upstreams.attempts.count == 2)
        for _ in 0..<2 {
            for index in 0..<2 { try bench.upstream(index).send(answer(200)) }
            bench.loop.run()
        }
        for client in clients { #expect(try client.received().hasPrefix("HTTP/1.1 200")) }
    }
}
