import ApusCore
import ApusDataplane
import ApusTraffic
import Logging
import NIOCore
import NIOPosix
import Testing

/// Answers every request head with 200 and the text.
private final class Origin: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let text: String
    private var seen = ""

    init(_ text: String) { self.text = text }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        seen += String(buffer: Self.unwrapInboundIn(data))
        while let end = seen.firstRange(of: "\r\n\r\n") {
            seen.removeSubrange(..<end.upperBound)
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: \(text.utf8.count)\r\n\r\n\(text)"
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }
}

/// Sends a text and gathers what comes until the connection ends.
private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: String
    private let promise: EventLoopPromise<String>
    private var text = ""

    init(_ request: String, _ promise: EventLoopPromise<String>) {
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: Self.unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private func origin(_ text: String, on group: MultiThreadedEventLoopGroup) async throws -> any Channel {
    try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Origin(text)) }
        }
        .bind(host: "127.0.0.1", port: 0).get()
}

private func ask(_ request: String, port: Int, on group: MultiThreadedEventLoopGroup) async throws -> String {
    let loop = group.next()
    let promise = loop.makePromise(of: String.self)
    let connected = ClientBootstrap(group: loop)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collector(request, promise))
            }
        }
        .connect(host: "127.0.0.1", port: port)
    connected.whenFailure { promise.fail($0) }
    return try await promise.futureResult.get()
}

private func configuration(origin: Int, generation: UInt64 = 1, listeners: Int = 1) -> ProxyConfiguration {
    let table = EndpointTable(
        name: "origin", endpoints: [Endpoint(address: .ip(IPAddress("127.0.0.1")!, port: UInt16(origin)))])
    let cluster = Cluster(
        config: ClusterConfig(name: "origin", slot: Slot(0), discovery: .fixed, endpoints: table), endpoints: table)
    let reference = ClusterReference(name: "origin", slot: Slot(0))
    let routes = RouteTable(
        name: "r",
        virtualHosts: [
            VirtualHost(
                name: "all", domains: ["*"],
                routes: [
                    Route(
                        match: RouteMatch(path: .prefix(Array("/".utf8))),
                        action: .forward(ForwardAction(clusters: .cluster(reference))))
                ])
        ])
    let manager = HTTPConnectionManager(statPrefix: "loopback", routes: .inline(routes))
    let list = (0..<listeners).map { index in
        ListenerConfig(
            name: "l\(index)", address: .ip(IPAddress("127.0.0.1")!, port: 0),
            chains: [FilterChain(filter: .http(manager))])
    }
    return ProxyConfiguration(
        generation: generation, listeners: list, routeTables: [], clusters: [cluster],
        clusterSlots: ["origin": Slot(0)])
}

@Suite(.serialized) struct LoopbackTests {
    @Test("requests over sockets reach the origin, on every loop, and are counted")
    func forward() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let origin = try await origin("from the origin", on: group)
        let plane = try await Dataplane(options: .init(concurrency: 2, seed: 1), logger: Logger(label: "test"))
        #expect(await plane.apply(configuration(origin: origin.localAddress!.port!)).isEmpty)
        let port = try #require(await plane.port(of: "l0"))
        for _ in 0..<20 {
            let answer = try await ask(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: port, on: group)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nfrom the origin"))
        }
        let statistics = await plane.statistics()
        #expect(statistics.http["loopback"]?.requestsTotal == 20)
        #expect(statistics.clusters["origin"]?.requestsTotal == 20)
        await plane.shutDown(within: .seconds(1))
        try await origin.close()
        try await group.shutdownGracefully()
    }

    @Test("a listener that is removed stops accepting; one that stays keeps its socket")
    func removal() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let origin = try await origin("x", on: group)
        let port = origin.localAddress!.port!
        let plane = try await Dataplane(options: .init(concurrency: 1, seed: 1), logger: Logger(label: "test"))
        await plane.apply(configuration(origin: port, listeners: 2))
        let kept = try #require(await plane.port(of: "l0"))
        let gone = try #require(await plane.port(of: "l1"))
        await plane.apply(configuration(origin: port, generation: 2, listeners: 1))
        #expect(await plane.port(of: "l0") == kept)
        #expect(await plane.port(of: "l1") == nil)
        await #expect(throws: (any Error).self) {
            _ = try await ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", port: gone, on: group)
        }
        #expect(
            try await ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: kept, on: group)
                .hasSuffix("x"))
        await plane.shutDown(within: .seconds(1))
        try await origin.close()
        try await group.shutdownGracefully()
    }

    @Test("the admin pages answer in Envoy's shapes")
    func admin() async throws {
        let plane = try await Dataplane(options: .init(concurrency: 1, seed: 1), logger: Logger(label: "test"))
        await plane.apply(configuration(origin: 1))
        let pages = AdminPages(
            dataplane: plane,
            actions: AdminActions(
                isReady: { true }, configDump: { _ in "{}" }, version: "1", nodeID: "n", nodeCluster: "c", quit: {},
                logLevel: { $0 ?? "info" }))
        let server = try await AdminServer.start(group: plane.eventLoops, host: "127.0.0.1", port: 0) {
            await pages.respond($0)
        }
        func get(_ target: String, method: String = "GET") async throws -> String {
            try await ask(
                "\(method) \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: server.port,
                on: plane.eventLoops)
        }
        #expect(try await get("/ready").hasSuffix("\r\n\r\nLIVE\n"))
        #expect(try await get("/stats").contains("cluster.origin.membership_total: 1\n"))
        let metrics = try await get("/stats/prometheus")
        #expect(metrics.contains("# TYPE envoy_cluster_upstream_rq_total counter\n"))
        #expect(metrics.contains("envoy_cluster_membership_total{envoy_cluster_name=\"origin\"} 1\n"))
        #expect(try await get("/clusters").contains("origin::default_priority::max_requests::1024\n"))
        #expect(try await get("/clusters?format=json").contains("\"cluster_statuses\":[{\"name\":\"origin\""))
        #expect(try await get("/listeners").contains("l0::127.0.0.1:"))
        #expect(try await get("/quitquitquit").hasPrefix("HTTP/1.1 405 "))
        #expect(try await get("/nothing").hasPrefix("HTTP/1.1 404 "))
        _ = try await get("/healthcheck/fail", method: "POST")
        #expect(try await get("/ready").hasPrefix("HTTP/1.1 503 "))
        await server.stop()
        await plane.shutDown(within: .zero)
    }
}

@Suite struct KeepaliveTests {
    @Test("keepalive becomes socket options within Linux's limits, or none where it is off")
    func options() throws {
        func values(_ keepalive: TCPKeepalive) -> [Int] { keepalive.socketOptions.map(\.1) }
        #expect(values(TCPKeepalive()) == [1])
        #expect(values(TCPKeepalive(probes: 3, time: 60, interval: 5)) == [1, 60, 5, 3])
        #expect(values(TCPKeepalive(probes: .max, time: .max, interval: .max)) == [1, 32767, 32767, 127])
        #expect(values(TCPKeepalive(probes: 3, time: 0)) == [])
    }

    @Test("a connection to an upstream has the keepalive of its cluster")
    func socket() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let origin = try await origin("x", on: group)
        let loop = group.next()
        let seen = loop.makePromise(of: [Int].self)
        let connecting = loop.flatSubmit {
            SocketConnector().connect(
                to: origin.localAddress!, from: nil, timeout: .seconds(5),
                keepalive: TCPKeepalive(probes: 3, time: 60, interval: 5), keepsHalfOpen: false,
                handler: OptionReader(seen), on: loop)
        }
        try await connecting.get()
        #expect(try await seen.futureResult.get() == [1, 60, 5, 3])
        try await origin.close()
        try await group.shutdownGracefully()
    }
}

/// Reads the options of its socket when it is connected.
private final class OptionReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<[Int]>

    init(_ promise: EventLoopPromise<[Int]>) { self.promise = promise }

    func channelActive(context: ChannelHandlerContext) {
        let options = TCPKeepalive(probes: 1, time: 1, interval: 1).socketOptions.map(\.0)
        let values = options.map { context.channel.getOption($0) }
        EventLoopFuture.whenAllSucceed(values, on: context.eventLoop).cascade(to: promise)
        context.close(promise: nil)
    }
}
