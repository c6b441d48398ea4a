import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded
import Testing

@Suite struct TCPProxyTests {
    private func bench(attempts: UInt32 = 1, idle: Duration? = nil) -> ProxyBench {
        ProxyBench(
            tcp: TCPProxy(
                statPrefix: "tcp", target: .cluster(ProxyBench.origin), idleTimeout: idle, maxConnectAttempts: attempts)
        )
    }

    @Test("bytes pass both ways; those that came before the upstream was there are kept")
    func bothWays() throws {
        let bench = bench()
        bench.upstreams.accepts = false
        let client = try bench.client()
        try client.send("early")
        bench.upstreams.accept(0)
        #expect(try bench.upstream(0).received() == "early")
        try client.send("more")
        #expect(try bench.upstream(0).received() == "more")
        try bench.upstream(0).send("back")
        #expect(try client.received() == "back")
        #expect(bench.worker.statistics().tcp["tcp"]?.bytesReceived == 9)
    }

    @Test("the end of one side is the end of the other")
    func close() throws {
        let first = bench()
        let leaving = try first.client()
        try leaving.close().wait()
        #expect(!first.upstream(0).isActive)

        let second = bench()
        let staying = try second.client()
        try second.upstream(0).close().wait()
        #expect(!staying.isActive)
        #expect(second.worker.openConnections == 0)
    }

    @Test("a failed connect is tried again as often as configured, then the client is closed")
    func attempts() throws {
        let bench = bench(attempts: 2)
        bench.upstreams.accepts = false
        let client = try bench.client()
        bench.upstreams.refuse(0)
        #expect(client.isActive)
        #expect(bench.upstreams.attempts.count == 2)
        bench.upstreams.refuse(1)
        #expect(!client.isActive)
    }

    @Test("a session without bytes is closed after the idle time, one with bytes is not")
    func idle() throws {
        let bench = bench(idle: .seconds(10))
        let client = try bench.client()
        bench.advance(.seconds(9))
        try client.send("x")
        bench.advance(.seconds(9))
        #expect(client.isActive)
        bench.advance(.seconds(1))
        #expect(!client.isActive)
    }
}
