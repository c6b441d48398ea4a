internal import ApusCore
package import ApusTraffic
internal import Glibc
package import Logging
package import NIOCore
package import NIOPosix
internal import Synchronization

/// The event-loop side of the proxy: one worker per loop, the sockets they accept on, and the configuration they serve.
///
/// Configurations are applied one after the other. A listener's socket is bound on every loop (`SO_REUSEPORT`), so the
/// kernel spreads connections and no connection ever changes its loop.
package actor Dataplane {
    package struct Options: Sendable {
        package var concurrency: Int
        package var isIntercepting: Bool
        /// How long connections of a removed or changed listener may go on.
        package var drainTime: TimeAmount
        package var seed: UInt64
        /// What `%HOSTNAME%` prints.
        package var hostname = ""
        /// The cluster of this node.
        package var serviceCluster = ""

        package init(
            concurrency: Int, isIntercepting: Bool = false, drainTime: TimeAmount = .seconds(45), seed: UInt64
        ) {
            self.concurrency = max(1, concurrency)
            self.isIntercepting = isIntercepting
            self.drainTime = drainTime
            self.seed = seed
        }
    }

    /// A listener could not be bound.
    package struct BindError: Error, CustomStringConvertible {
        package let listener: String
        package let address: String
        package let reason: String

        package var description: String { "listener \(listener): cannot bind \(address): \(reason)" }
    }

    private struct BoundListener {
        var address: ApusTraffic.SocketAddress
        var channels: [any Channel]
        var port: Int?
    }

    private let group: MultiThreadedEventLoopGroup
    private let loops: [any EventLoop]
    private let workers: [NIOLoopBound<Worker>]
    private let shared: SharedState
    private let logger: Logger
    private let options: Options
    private var bound: [String: BoundListener] = [:]
    private var known: [String: ListenerConfig] = [:]
    private var current = ProxyConfiguration.empty
    private var isDraining = false
    /// Listeners of these directions were told to stop and do not open again.
    private var stopped: (all: Bool, inbound: Bool) = (false, false)
    private var listenerManager = ListenerManagerStats()
    private var clusterManager = ClusterManagerStats()

    package init(options: Options, logger: Logger) async throws {
        self.options = options
        self.logger = logger
        shared = SharedState(
            isIntercepting: options.isIntercepting, hostname: options.hostname, serviceCluster: options.serviceCluster)
        group = MultiThreadedEventLoopGroup(numberOfThreads: options.concurrency)
        var loops: [any EventLoop] = []
        var workers: [NIOLoopBound<Worker>] = []
        for (index, loop) in group.makeIterator().enumerated() {
            let shared = self.shared
            let drainTime = options.drainTime
            let seed = Draw(options.seed).derived(UInt64(index))
            let worker = try await loop.submit {
                let worker = Worker(
                    loop: loop, index: index, shared: shared, connector: SocketConnector(), seed: seed,
                    wallClock: WallClock.nanoseconds)
                worker.drainTime = drainTime
                return NIOLoopBound(worker, eventLoop: loop)
            }.get()
            loops.append(loop)
            workers.append(worker)
        }
        self.loops = loops
        self.workers = workers
    }

    package nonisolated var concurrency: Int { options.concurrency }

    package nonisolated var eventLoops: MultiThreadedEventLoopGroup { group }

    /// Runs on every loop and collects the results.
    package func onEachLoop<Result: Sendable>(_ body: @escaping @Sendable (Worker) -> Result) async -> [Result] {
        var results: [Result] = []
        for (loop, worker) in zip(loops, workers) {
            if let result = try? await loop.submit({ body(worker.value) }).get() { results.append(result) }
        }
        return results
    }

    // MARK: Configuration

    /// Serves the configuration from now on.
    ///
    /// - Returns: the listeners that could not be bound; the others are in force.
    @discardableResult
    package func apply(_ configuration: ProxyConfiguration) async -> [BindError] {
        countClusters(current, configuration)
        current = configuration
        var errors: [BindError] = []
        // Clusters and routes first: a listener that opens must find them.
        _ = await onEachLoop { $0.configure(configuration) }
        guard !isDraining else { return [] }
        if known.isEmpty, !configuration.listeners.isEmpty {
            await firstAnswers()
            // What has come meanwhile brings up its own listeners.
            guard current.generation == configuration.generation, !isDraining else { return [] }
        }
        var names: Set<String> = []
        for listener in configuration.listeners {
            names.insert(listener.name)
            if known[listener.name] === listener { continue }
            let isNew = known[listener.name] == nil
            _ = await onEachLoop { worker in _ = worker.setListener(listener) }
            known[listener.name] = listener
            do {
                let isInPlace = try await bind(listener)
                listenerManager.createSuccess += UInt64(concurrency)
                if isNew { listenerManager.added += 1 } else { listenerManager.modified += 1 }
                if !isNew, isInPlace { listenerManager.inPlaceUpdated += 1 }
            } catch let error as BindError {
                listenerManager.createFailure += 1
                errors.append(error)
                logger.error("\(error.description)")
                known[listener.name] = nil
            } catch {
                errors.append(BindError(listener: listener.name, address: "", reason: "\(error)"))
            }
        }
        for name in known.keys.filter({ !names.contains($0) }) {
            known[name] = nil
            listenerManager.removed += 1
            await close(name)
            let time = options.drainTime
            _ = await onEachLoop { $0.removeListener(name, drainTime: time) }
        }
        return errors
    }

    /// Name servers that are silent do not keep the program from its other clusters for longer.
    private static let longestWaitForNames = TimeAmount.seconds(15)

    private func firstAnswers() async {
        guard let loop = loops.first, let worker = workers.first else { return }
        let done = loop.makePromise(of: Void.self)
        loop.execute { worker.value.firstAnswers().cascade(to: done) }
        let limit = loop.scheduleTask(in: Self.longestWaitForNames) { done.succeed() }
        try? await done.futureResult.get()
        limit.cancel()
    }

    /// - Returns: true if the sockets that were there go on.
    private func bind(_ listener: ListenerConfig) async throws -> Bool {
        if let existing = bound[listener.name] {
            if listener.bindsToPort, existing.address == listener.address { return true }
            await close(listener.name)
        }
        guard listener.bindsToPort, !isStopped(listener) else { return false }
        var address = try Self.socketAddress(listener)
        var channels: [any Channel] = []
        var port: Int?
        // A Unix socket cannot be bound twice; the first loop accepts for it.
        let isUnix = if case .pipe = listener.address { true } else { false }
        for (loop, worker) in zip(loops, workers) {
            let name = listener.name
            let backlog = Int32(clamping: listener.backlog ?? 4096)
            var bootstrap = ServerBootstrap(group: loop)
                .serverChannelOption(.backlog, value: backlog)
                .serverChannelOption(.maxMessagesPerRead, value: 16)
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let listener = worker.value.boundListener(name) else {
                            throw ChannelError.ioOnClosedChannel
                        }
                        try channel.pipeline.syncOperations.addHandler(listener.makeHandler())
                    }
                }
            if !isUnix {
                bootstrap =
                    bootstrap
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            }
            do {
                let channel = try await bootstrap.bind(to: address).get()
                channels.append(channel)
                if port == nil, let chosen = channel.localAddress?.port {
                    port = chosen
                    if address.port == 0, let exact = channel.localAddress { address = exact }
                }
            } catch {
                for channel in channels { try? await channel.close() }
                throw BindError(
                    listener: listener.name, address: listener.address.description, reason: Self.reason(error))
            }
            if isUnix { break }
        }
        bound[listener.name] = BoundListener(address: listener.address, channels: channels, port: port)
        return false
    }

    private static func reason(_ error: any Error) -> String {
        (error as? IOError)?.description ?? String(describing: error)
    }

    private static func socketAddress(_ listener: ListenerConfig) throws -> NIOCore.SocketAddress {
        switch listener.address {
        case .ip(let ip, let port):
            return try NIOCore.SocketAddress(ipAddress: ip.description, port: Int(port))
        case .pipe(let path):
            return try NIOCore.SocketAddress(unixDomainSocketPath: path)
        case .hostname(let name, _):
            throw BindError(listener: listener.name, address: name, reason: "a listener needs an address")
        }
    }

    private func close(_ name: String) async {
        guard let listener = bound.removeValue(forKey: name) else { return }
        for channel in listener.channels { try? await channel.close() }
    }

    /// The port a listener is bound to; differs from its address where that says 0.
    package func port(of listener: String) -> Int? { bound[listener]?.port }

    package var configuration: ProxyConfiguration { current }

    /// The listeners that have a socket, sorted by name.
    package func boundListeners() -> [(name: String, address: String, host: String, port: Int)] {
        bound.sorted { $0.key < $1.key }.map { name, listener in
            let host: String
            switch listener.address {
            case .ip(let ip, _): host = ip.description
            case .pipe(let path): host = path
            case .hostname(let text, _): host = text
            }
            let port = listener.port ?? 0
            let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            return (name, address, host, port)
        }
    }

    /// Stops accepting and lets connections end with their next answer; the process goes on.
    ///
    /// As with Envoy they stay closed: what a later configuration says about them changes nothing.
    package func drainListeners(onlyInbound: Bool) async {
        if onlyInbound { stopped.inbound = true } else { stopped.all = true }
        for listener in known.values where !onlyInbound || listener.direction == .inbound {
            await close(listener.name)
            let name = listener.name
            _ = await onEachLoop { $0.boundListener(name)?.drainConnections() }
        }
    }

    private func isStopped(_ listener: ListenerConfig) -> Bool {
        stopped.all || stopped.inbound && listener.direction == .inbound
    }

    /// Files of access logs are opened anew.
    package nonisolated func reopenLogs() { shared.logWriter.reopen() }

    // MARK: Statistics

    private func countClusters(_ old: ProxyConfiguration, _ new: ProxyConfiguration) {
        for index in 0..<max(old.clusters.count, new.clusters.count) {
            let before = old.cluster(Slot(index))
            let after = new.cluster(Slot(index))
            switch (before, after) {
            case (nil, .some): clusterManager.added += 1
            case (.some, nil): clusterManager.removed += 1
            case (let before?, let after?) where before.config !== after.config: clusterManager.modified += 1
            default: break
            }
        }
    }

    /// What has happened to listeners and clusters since the start.
    package func managers() -> (ListenerManagerStats, ClusterManagerStats) { (listenerManager, clusterManager) }

    package func resetCounters() async {
        listenerManager.resetCounters()
        clusterManager.resetCounters()
        shared.resetCounters()
        _ = await onEachLoop { $0.resetCounters() }
    }

    package func statistics() async -> WorkerStatistics {
        var sum = WorkerStatistics()
        for part in await onEachLoop({ $0.statistics() }) { sum.add(part) }
        sum.shared = shared.statistics()
        for (name, stats) in sum.shared {
            if let counts = stats.outliers { sum.outliers[name] = OutlierStats(counts) }
        }
        return sum
    }

    // MARK: The end

    /// No new connections; the next answer of each connection is its last.
    package func drain() async {
        isDraining = true
        for name in Array(bound.keys) { await close(name) }
        _ = await onEachLoop { $0.drain() }
    }

    package func openConnections() async -> Int { await onEachLoop { $0.openConnections }.reduce(0, +) }

    /// Returns when no connection is open, or when the time is over.
    package func waitForConnections(within limit: Duration) async {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while clock.now < end, await openConnections() > 0 {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Drains, waits at most so long for open requests, and closes what is left.
    package func shutDown(within limit: Duration) async {
        await drain()
        await waitForConnections(within: limit)
        _ = await onEachLoop { $0.closeAll() }
        shared.logWriter.drain()
        try? await group.shutdownGracefully()
    }
}

/// The time of day.
package enum WallClock {
    /// Nanoseconds since 1970.
    @Sendable
    package static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
