import ApusCore
import ApusDataplane
import ApusTraffic
import NIOCore
import NIOEmbedded

/// One worker on an embedded loop with a listener and clusters: time stands still unless a test moves it, and every
/// upstream connection is a channel in the test's hand.
final class ProxyBench {
    /// Upstream connections that were asked for, in order.
    final class Upstreams: Connector {
        struct Attempt {
            let address: String
            let channel: EmbeddedChannel
            let promise: EventLoopPromise<Void>
        }

        let loop: EmbeddedEventLoop
        nonisolated(unsafe) var attempts: [Attempt] = []
        /// Connect at once; else the test decides.
        nonisolated(unsafe) var accepts = true

        init(loop: EmbeddedEventLoop) { self.loop = loop }

        func connect(
            to address: NIOCore.SocketAddress, from source: NIOCore.SocketAddress?, timeout: TimeAmount,
            keepalive: TCPKeepalive?, keepsHalfOpen: Bool, handler: any ChannelHandler, on loop: any EventLoop
        ) -> EventLoopFuture<Void> {
            let promise = loop.makePromise(of: Void.self)
            let channel = EmbeddedChannel(handler: handler, loop: self.loop)
            attempts.append(
                Attempt(address: "\(address.ipAddress ?? ""):\(address.port ?? 0)", channel: channel, promise: promise))
            if accepts { accept(attempts.count - 1) }
            return promise.futureResult
        }

        func accept(_ index: Int) {
            attempts[index].channel.connect(
                to: try! .init(ipAddress: "127.0.0.1", port: 1), promise: attempts[index].promise)
        }

        func refuse(_ index: Int) {
            attempts[index].promise.fail(IOError(errnoCode: 111, reason: "connect"))
        }
    }

    let loop = EmbeddedEventLoop()
    let upstreams: Upstreams
    let worker: Worker
    let listener: LoopListener

    /// - Parameters:
    ///   - discovery: of both clusters.
    ///   - endpoints: hosts of the cluster `origin`.
    ///   - routes: of the only virtual host.
    init(
        discovery: ClusterConfig.Discovery = .fixed, endpoints: [UInt16] = [1001], routes: [Route]? = nil,
        filters: [HTTPFilter] = [], upgrades: [String] = [],
        breakers: CircuitBreakerLimits = CircuitBreakerLimits(), retry: RetryPolicy? = nil,
        timeout: Duration? = nil, mirrors: [MirrorPolicy] = [], timeouts: HTTPConnectionManager.Timeouts? = nil,
        requestsPerConnection: UInt32? = nil, guards: [ConnectionFilter] = [], tcp: TCPProxy? = nil,
        health: HealthCheckConfig? = nil, outliers: OutlierDetectionConfig? = nil, panicThreshold: Double = 50,
        hostHealth: HostHealthOptions = HostHealthOptions(), shared: SharedState = SharedState(), index: Int = 0,
        upstreamProtocol: ClusterConfig.UpstreamProtocol = .http1,
        upstreamHTTP1: HTTP1ProtocolOptions = HTTP1ProtocolOptions(),
        upstreamHTTP2: HTTP2ProtocolOptions = HTTP2ProtocolOptions(),
        clientHTTP1: HTTP1ProtocolOptions = HTTP1ProtocolOptions(), idleTimeout: Duration? = .seconds(3600),
        maxConnectionDuration: Duration? = nil, maxStreamDuration: Duration? = nil
    ) {
        upstreams = Upstreams(loop: loop)
        worker = Worker(
            loop: loop, index: index, shared: shared, connector: upstreams, seed: 7,
            wallClock: { 784_111_777_000_000_000 })
        func cluster(_ name: String, _ slot: Int, _ ports: [UInt16]) -> Cluster {
            let table = EndpointTable(
                name: name, endpoints: ports.map { Endpoint(address: .ip(IPAddress("127.0.0.1")!, port: $0)) })
            let config = ClusterConfig(
                name: name, slot: Slot(slot), discovery: discovery, panicThreshold: panicThreshold, breakers: breakers,
                upstreamProtocol: upstreamProtocol, http1: upstreamHTTP1, http2: upstreamHTTP2,
                idleTimeout: idleTimeout, maxConnectionDuration: maxConnectionDuration,
                maxStreamDuration: maxStreamDuration, maxRequestsPerConnection: requestsPerConnection,
                outlierDetection: outliers,
                healthCheck: name == "origin" ? health : nil, hostHealth: hostHealth, endpoints: table)
            return Cluster(config: config, endpoints: table)
        }
        let clusters = [cluster("origin", 0, endpoints), cluster("mirror", 1, [2001])]
        var defaults = HTTPConnectionManager.Timeouts()
        defaults.streamIdle = nil
        let forward = ForwardAction(
            clusters: .cluster(Self.origin), timeout: timeout, retry: retry, mirrors: mirrors)
        let all =
            routes ?? [
                Route(name: "default", match: RouteMatch(path: .prefix(Array("/".utf8))), action: .forward(forward))
            ]
        let table = RouteTable(name: "r", virtualHosts: [VirtualHost(name: "all", domains: ["*"], routes: all)])
        let manager = HTTPConnectionManager(
            statPrefix: "test", routes: .inline(table), filters: filters, http1: clientHTTP1,
            timeouts: timeouts ?? defaults,
            upgrades: upgrades.map { UpgradePolicy(type: $0) })
        let filter: NetworkFilter = if let tcp { .tcp(tcp) } else { .http(manager) }
        let config = ListenerConfig(
            name: "l", address: .ip(IPAddress("127.0.0.1")!, port: 80),
            chains: [FilterChain(guards: guards, filter: filter)])
        worker.configure(
            ProxyConfiguration(
                generation: 1, listeners: [config], routeTables: [], clusters: clusters,
                clusterSlots: ["origin": Slot(0), "mirror": Slot(1)]))
        listener = worker.setListener(config)
    }

    static let origin = ClusterReference(name: "origin", slot: Slot(0))
    static let mirror = ClusterReference(name: "mirror", slot: Slot(1))

    func client() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        channel.localAddress = try .init(ipAddress: "127.0.0.1", port: 80)
        channel.remoteAddress = try .init(ipAddress: "127.0.0.9", port: 40000)
        try channel.pipeline.syncOperations.addHandler(listener.makeHandler())
        channel.connect(to: try .init(ipAddress: "127.0.0.1", port: 80), promise: nil)
        return channel
    }

    func upstream(_ index: Int) -> EmbeddedChannel { upstreams.attempts[index].channel }

    func advance(_ time: TimeAmount) { loop.advanceTime(by: time) }

    var stats: ClusterStats { worker.statistics().clusters["origin"] ?? ClusterStats() }
}

extension EmbeddedChannel {
    func send(_ text: String) throws { _ = try writeInbound(ByteBuffer(string: text)) }

    /// Everything written since the last call, after the loop's turn has ended.
    func received() throws -> String {
        embeddedEventLoop.run()
        var text = ""
        while let buffer = try readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }
}
