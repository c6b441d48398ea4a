internal import ApusCore
package import ApusTraffic
package import NIOCore
internal import Synchronization

/// What the loops of one data plane have in common. Everything here is safe from any thread.
package final class SharedState: Sendable {
    package let logWriter = LogWriter()
    private let clusters = Mutex<[String: SharedCluster]>([:])
    private let connectionIDs = Atomic<UInt64>(0)
    /// True if a firewall redirects connections here, so that they have an original destination.
    package let isIntercepting: Bool
    let tls = TLSSessions()

    /// What `%HOSTNAME%` prints.
    package let hostname: String
    /// The cluster of this node, as the health check filter tells it.
    package let serviceCluster: String

    package init(isIntercepting: Bool = false, hostname: String = "", serviceCluster: String = "") {
        self.isIntercepting = isIntercepting
        self.hostname = hostname
        self.serviceCluster = serviceCluster
    }

    /// What the loops share of a cluster; the same object for every loop.
    internal func cluster(_ name: String) -> SharedCluster {
        clusters.withLock { clusters in
            if let known = clusters[name] { return known }
            let made = SharedCluster()
            clusters[name] = made
            return made
        }
    }

    internal func forget(_ name: String, _ cluster: SharedCluster) {
        clusters.withLock { clusters in
            if clusters[name] === cluster { clusters[name] = nil }
        }
    }

    /// By cluster.
    internal func statistics() -> [String: SharedClusterStats] {
        clusters.withLock { $0 }.mapValues { $0.statistics() }
    }

    internal func resetCounters() {
        for cluster in clusters.withLock({ Array($0.values) }) { cluster.resetCounters() }
    }

    internal func nextConnectionID() -> UInt64 { connectionIDs.add(1, ordering: .relaxed).newValue }
}

/// Opens connections: sockets in production, embedded channels in tests.
package protocol Connector {
    /// Connects on the worker's loop and adds the handler to the channel before it is active.
    func connect(
        to address: NIOCore.SocketAddress, from source: NIOCore.SocketAddress?, timeout: TimeAmount,
        keepalive: TCPKeepalive?, keepsHalfOpen: Bool, handler: any ChannelHandler, on loop: any EventLoop
    ) -> EventLoopFuture<Void>
}

/// One event loop and all that lives on it. Nothing here is touched from another thread.
package final class Worker {
    package let loop: any EventLoop
    package let index: Int
    internal let timers: TimerQueue
    internal let turn: TurnFlush
    internal let shared: SharedState
    internal lazy var names = NameResolver(worker: self)
    internal var random: SeededRandom
    internal var buffers = BufferPool()
    /// Faults being injected now.
    internal var activeFaults: UInt32 = 0
    package private(set) var configuration = ProxyConfiguration.empty
    private let connector: any Connector
    private var clusters: [ClusterRuntime?] = []
    private var listeners: [String: LoopListener] = [:]
    /// Listeners that are gone from the configuration and still have connections.
    private var draining: [LoopListener] = []
    private var scopes: [String: any AnyStatisticsScope] = [:]
    private var logs: [LogBuffer] = []
    private var logTimer: LogTimer?
    /// Statistics of chains and listeners that were replaced, so that the counters of those that took their place never
    /// go back.
    internal var retired = WorkerStatistics()
    /// Nanoseconds to add to the loop's clock for the time since 1970.
    private var wallOffset: Int64
    private let wallClock: () -> Int64
    private var wallChecked: NIODeadline
    private var dateSecond: Int64 = -1
    internal private(set) var dateText: [UInt8] = []
    package private(set) var isDraining = false
    /// How long connections of a changed or removed listener may go on.
    package var drainTime = TimeAmount.seconds(45)

    /// - Parameters:
    ///   - seed: of the generator that balancing, fractions and request ids draw from.
    ///   - wallClock: nanoseconds since 1970; read about once a second.
    package init(
        loop: any EventLoop, index: Int, shared: SharedState, connector: any Connector, seed: UInt64,
        wallClock: @escaping () -> Int64
    ) {
        self.loop = loop
        self.index = index
        self.shared = shared
        self.connector = connector
        self.wallClock = wallClock
        timers = TimerQueue(loop: loop)
        turn = TurnFlush(loop: loop)
        random = SeededRandom(seed: seed)
        let now = loop.now
        wallChecked = now
        wallOffset = wallClock() - Int64(clamping: now.uptimeNanoseconds)
    }

    // MARK: Time

    /// The instant of the loop's turn.
    internal var now: NIODeadline { turn.now }

    /// Nanoseconds since 1970 at an instant of the loop's clock.
    internal func wallTime(_ now: NIODeadline) -> Int64 {
        if now - wallChecked > .seconds(1) {
            wallChecked = now
            wallOffset = wallClock() - Int64(clamping: now.uptimeNanoseconds)
        }
        return Int64(clamping: now.uptimeNanoseconds) &+ wallOffset
    }

    /// The value of a `date` header, made once a second.
    internal func date(_ now: NIODeadline) -> [UInt8] {
        let second = wallTime(now) / 1_000_000_000
        if second != dateSecond {
            dateSecond = second
            dateText = TimeFormat.httpDate(seconds: second)
        }
        return dateText
    }

    // MARK: Configuration

    /// Takes on a configuration. Requests under way keep the one they began with.
    package func configure(_ new: ProxyConfiguration) {
        configuration = new
        for index in clusters.indices {
            guard let runtime = clusters[index] else { continue }
            if let cluster = new.cluster(Slot(index)) {
                runtime.update(cluster)
            } else {
                runtime.drain()
                clusters[index] = nil
            }
        }
        // Others are made when a request first asks for them; names have to be resolved before that.
        for cluster in new.clusters {
            guard let config = cluster?.config else { continue }
            if config.healthCheck != nil, index == 0 { _ = self.cluster(config.slot) }
            switch config.discovery {
            case .strictDNS, .logicalDNS: _ = self.cluster(config.slot)
            case .eds, .fixed, .originalDestination: break
            }
        }
    }

    internal func cluster(_ slot: Slot) -> ClusterRuntime? {
        if slot.index < clusters.count, let runtime = clusters[slot.index] { return runtime }
        guard let cluster = configuration.cluster(slot) else { return nil }
        while clusters.count <= slot.index { clusters.append(nil) }
        let runtime = ClusterRuntime(worker: self, cluster: cluster)
        clusters[slot.index] = runtime
        return runtime
    }

    /// Every DNS cluster has heard of its names, or asked in vain.
    internal func firstAnswers() -> EventLoopFuture<Void> {
        .andAllComplete(clusters.compactMap { $0?.firstAnswer }, on: loop)
    }

    internal func connect(
        _ address: NIOCore.SocketAddress, _ settings: PoolSettings, _ handler: any ChannelHandler,
        keepsHalfOpen: Bool = false
    ) -> EventLoopFuture<Void> {
        connector.connect(
            to: address, from: settings.source, timeout: settings.connectTimeout, keepalive: settings.keepalive,
            keepsHalfOpen: keepsHalfOpen, handler: handler, on: loop)
    }

    /// The same to a host of a cluster: with TLS if the host is to be spoken to by it.
    ///
    /// - Parameters:
    ///   - version: what will be spoken; nil: bytes that are no HTTP.
    ///   - serverName: the host of the request, for clusters that ask for it.
    internal func connect(
        _ address: NIOCore.SocketAddress, _ settings: PoolSettings, _ handler: any ChannelHandler,
        by transport: TLSContext?,
        of cluster: ClusterRuntime?, version: HTTPVersion?, serverName: String = "", keepsHalfOpen: Bool = false
    ) -> EventLoopFuture<Void> {
        guard let transport else { return connect(address, settings, handler, keepsHalfOpen: keepsHalfOpen) }
        let session: TLSSession
        do {
            session = try shared.tls.session(transport, alpn: transport.offer(for: version), in: configuration)
        } catch {
            cluster?.count(.failed)
            return loop.makeFailedFuture(error)
        }
        let promise = loop.makePromise(of: Void.self)
        let gate = ClientTLSGate(
            session: session, serverName: transport.client.usesRequestName ? serverName : transport.client.serverName,
            next: handler, limit: settings.connectTimeout, promise: promise
        ) { cluster?.count($0) }
        connect(address, settings, gate, keepsHalfOpen: keepsHalfOpen).whenFailure { error in promise.fail(error) }
        return promise.futureResult
    }

    // MARK: Listeners

    /// The loop's part of a listener; made, or brought up to date.
    @discardableResult
    package func setListener(_ config: ListenerConfig) -> LoopListener {
        if let listener = listeners[config.name] {
            listener.update(config)
            return listener
        }
        let listener = LoopListener(worker: self, config: config)
        listeners[config.name] = listener
        return listener
    }

    internal func boundListener(_ name: String) -> LoopListener? { listeners[name] }

    /// New connections no longer come here; those that exist are drained.
    package func removeListener(_ name: String, drainTime: TimeAmount) {
        guard let listener = listeners.removeValue(forKey: name) else { return }
        draining.append(listener)
        listener.drain(within: drainTime)
    }

    /// The last connections of a removed listener are gone.
    internal func drained(_ listener: LoopListener) { draining.removeAll { $0 === listener } }

    /// The listener for a redirected connection: the one whose address is the destination, else the one for any
    /// address and that port.
    internal func listener(for destination: SocketEndpoint) -> LoopListener? {
        var wildcard: LoopListener?
        for listener in listeners.values {
            guard case .ip(let ip, let port) = listener.config.address, Int(port) == destination.port,
                !listener.config.bindsToPort
            else { continue }
            if ip == destination.address { return listener }
            if ip.isUnspecified, ip.family == destination.address.family || wildcard == nil { wildcard = listener }
        }
        return wildcard
    }

    /// Open requests may finish; idle connections close now.
    package func drain() {
        isDraining = true
        for listener in listeners.values { listener.drainConnections() }
    }

    package var openConnections: Int {
        listeners.values.reduce(0) { $0 + $1.openConnections } + draining.reduce(0) { $0 + $1.openConnections }
    }

    package func closeAll() {
        for listener in listeners.values { listener.closeConnections() }
        for listener in draining { listener.closeConnections() }
        for cluster in clusters { cluster?.drain() }
        flushLogs()
    }

    // MARK: Access logs

    internal func logBuffer(_ sink: AccessLog.Sink) -> LogBuffer {
        for buffer in logs where buffer.sink == sink { return buffer }
        let buffer = LogBuffer(sink: sink)
        logs.append(buffer)
        return buffer
    }

    /// Hands a buffer over when it is large, and arms the timer that hands over small ones.
    internal func logWritten(_ buffer: LogBuffer) {
        if buffer.bytes.count >= LogBuffer.batchSize {
            handOver(buffer)
            return
        }
        if logTimer == nil { logTimer = LogTimer() }
        if let logTimer {
            logTimer.worker = self
            timers.arm(logTimer, loop.now + .milliseconds(100))
        }
    }

    private func handOver(_ buffer: LogBuffer) {
        guard !buffer.bytes.isEmpty else { return }
        shared.logWriter.write(buffer.bytes, to: buffer.sink)
        buffer.bytes = []
        buffer.bytes.reserveCapacity(LogBuffer.batchSize + 4096)
    }

    package func flushLogs() {
        for buffer in logs { handOver(buffer) }
    }

    private final class LogTimer: LoopTimer {
        /// Set while the timer waits. A weak reference would make every count of the worker's references slow.
        var worker: Worker?

        override func timerFired(_ now: NIODeadline) {
            let worker = self.worker
            self.worker = nil
            worker?.flushLogs()
        }
    }

    // MARK: Statistics

    /// The numbers of a filter or another part that keeps its own, behind a prefix of its own. Asked for when the part is
    /// made, and kept: a look-up is nothing for each request.
    ///
    /// - Parameter prefix: Envoy's, without the last dot: `http.ingress.rbac`, `cluster.origin.ext_authz`.
    package func scope<Table: StatisticsTable>(_ prefix: String, _: Table.Type) -> StatisticsScope<Table> {
        if let known = scopes[prefix] as? StatisticsScope<Table> { return known }
        let made = StatisticsScope<Table>()
        scopes[prefix] = made
        return made
    }

    package func statistics() -> WorkerStatistics {
        var result = WorkerStatistics()
        for case let cluster? in configuration.clusters {
            result.clusters[cluster.config.name] = ClusterStats()
            result.endpoints[cluster.config.name] = cluster.endpoints
        }
        for case let cluster? in clusters { cluster.collect(into: &result) }
        for (name, listener) in listeners { listener.collect(name, into: &result) }
        for listener in draining { listener.collect(listener.config.name, into: &result) }
        result.adopt(&retired)
        for (prefix, scope) in scopes { result.scopes[prefix] = scope.snapshot }
        return result
    }

    /// What only grows begins anew at zero.
    package func resetCounters() {
        for cluster in clusters { cluster?.resetCounters() }
        for listener in listeners.values { listener.resetCounters() }
        for listener in draining { listener.resetCounters() }
        for scope in scopes.values { scope.resetCounters() }
        retired = WorkerStatistics()
    }
}
