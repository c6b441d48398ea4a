internal import ApusTraffic
internal import Glibc
internal import NIOCore

/// What a pool may do; taken from the cluster's configuration.
internal struct PoolSettings: Sendable {
    var connectTimeout: TimeAmount = .seconds(5)
    /// nil: idle connections stay.
    var idleTimeout: TimeAmount? = .hours(1)
    /// 0: no limit.
    var requestsPerConnection = 0
    /// Local address to connect from.
    var source: NIOCore.SocketAddress?
    var keepalive: TCPKeepalive?
    var responseLimits = HTTP1Limits(headBytes: 80 << 10)
    var http1 = HTTP1ProtocolOptions()
    var http2 = HTTP2Options()
}

/// The HTTP/1.1 connections of one loop to one address.
internal final class HostPool {
    let cluster: ClusterRuntime
    let key: ApusTraffic.SocketAddress
    let address: NIOCore.SocketAddress
    /// The address as logs print it.
    let name: String
    /// For automatic host rewrites.
    var hostname = ""
    /// The host that requests ask for, where connections are made for one; else empty.
    let serverName: String
    /// Requests of high-priority routes have breakers, and so connections, of their own.
    let isHighPriority: Bool
    let limits: ClusterLimits
    /// Index in the cluster's endpoint table; below zero: not (or no longer) in it.
    var index = -1
    private var idle: [UpstreamConnection] = []
    /// In no order; each connection knows its place.
    private var busy: [UpstreamConnection] = []
    private var connecting = 0
    private var pending: [UpstreamSink] = []
    private(set) var isDraining = false
    var http2 = HTTP2Connections()
    /// Those that are being connected.
    var tunnels: [TunnelStream] = []
    /// Shared by all loops; only where the host has a limit of its own.
    var hostLimits: ClusterLimits?
    /// Raw connections, where they are closed when the host fails.
    private var sessions: [ObjectIdentifier: TCPSession] = [:]
    private let idleTimer = IdleTimer()
    private(set) var activeRequests = 0
    // Counters of this loop; the admin pages sum them.
    var stats = HostStats()

    init(
        cluster: ClusterRuntime, key: ApusTraffic.SocketAddress, address: NIOCore.SocketAddress, isHighPriority: Bool,
        serverName: String = ""
    ) {
        self.serverName = serverName
        self.cluster = cluster
        self.isHighPriority = isHighPriority
        limits = cluster.limits(isHighPriority)
        self.key = key
        self.address = address
        name = key.description
    }

    var breakers: CircuitBreakerLimits { cluster.breakers(isHighPriority) }

    private var connections: Int { idle.count + busy.count + connecting + http2.count }

    var isWithoutConnection: Bool { connections == 0 }

    var isUnused: Bool { connections == 0 && pending.isEmpty && http2.pending.isEmpty && tunnels.isEmpty }

    /// Finds or makes a connection for the sink. May answer at once, in either way.
    ///
    /// - Parameter version: what the client speaks; a cluster may want the same to its hosts.
    func request(_ sink: UpstreamSink, version: HTTPVersion = .http11) {
        if cluster.speaksHTTP2(to: version) { return requestHTTP2(sink) }
        if let connection = idle.popLast() {
            guard limits.take(.request, limit: Int(breakers.maxRequests)) else {
                idle.append(connection)
                cluster.stats.overflow += 1
                sink.upstreamFailed(.overflow, transportFailure: "")
                return
            }
            start(sink, on: connection)
            return
        }
        guard limits.take(.pending, limit: Int(breakers.maxPendingRequests)) else {
            cluster.stats.pendingOverflow += 1
            sink.upstreamFailed(.overflow, transportFailure: "")
            return
        }
        pending.append(sink)
        cluster.stats.pendingTotal += 1
        connectIfNeeded()
    }

    /// The sink no longer waits.
    func cancel(_ sink: UpstreamSink) {
        guard let index = pending.firstIndex(where: { $0 === sink }) else {
            if !cancelHTTP2(sink) { _ = cancelTunnel(sink) }
            return
        }
        pending.remove(at: index)
        limits.give(.pending)
    }

    private func start(_ sink: UpstreamSink, on connection: UpstreamConnection) {
        connection.busyIndex = busy.count
        busy.append(connection)
        activeRequests += 1
        cluster.requestStarted(index)
        cluster.stats.requestsTotal += 1
        stats.requests += 1
        connection.attach(sink)
    }

    private func connectIfNeeded() {
        guard connecting < pending.count else { return }
        if !takeConnection() {
            cluster.stats.connectionOverflow += 1
            // With no connection at all a waiting request would starve, so one is made whatever the limit says.
            guard connections == 0 else { return }
            forceConnection()
        }
        connecting += 1
        cluster.stats.connectionsTotal += 1
        cluster.noteTraffic()
        cluster.stats.connectionsActive += 1
        cluster.stats.http1ConnectionsTotal += 1
        stats.connectionsTotal += 1
        stats.connectionsActive += 1
        let worker = cluster.worker
        let transport = cluster.transport(of: self)
        let connection = UpstreamConnection(pool: self, isPlain: transport == nil)
        let future = worker.connect(
            address, cluster.settings, connection, by: transport, of: cluster, version: .http11,
            serverName: serverName)
        let bound = NIOLoopBound((self, connection), eventLoop: worker.loop)
        future.whenFailure { error in
            let (pool, connection) = bound.value
            pool.connectFailed(connection, error)
        }
    }

    /// Called by the connection when its channel becomes active.
    func connected(_ connection: UpstreamConnection) {
        connecting -= 1
        idle.append(connection)
        servePending()
        armIdleTimer()
    }

    private func connectFailed(_ connection: UpstreamConnection, _ error: any Error) {
        guard !connection.wasEverActive else { return }
        connecting -= 1
        let waiting = pending
        pending = []
        connectFailed(waiting, error)
    }

    /// One failure fails every request that waited for this attempt, as Envoy does: they may be retried elsewhere.
    func connectFailed(_ waiting: [UpstreamSink], _ error: any Error) {
        giveConnection()
        let reason = ConnectError.reason(error)
        let transportFailure = ConnectError.describe(error)
        if reason == .connectionTimeout { cluster.stats.connectTimeouts += 1 }
        cluster.stats.connectFailures += 1
        cluster.stats.connectionsActive -= 1
        cluster.stats.connectionsClosed += 1
        stats.connectFailures += 1
        stats.connectionsActive -= 1
        for sink in waiting {
            limits.give(.pending)
            sink.upstreamFailed(reason, transportFailure: transportFailure)
        }
    }

    /// The connection is idle again.
    func released(_ connection: UpstreamConnection) {
        finishRequest(connection)
        if isDraining {
            idle.append(connection)
            connection.close()
            return
        }
        connection.idleSince = cluster.worker.now
        idle.append(connection)
        if pending.isEmpty { armIdleTimer() } else { servePending() }
    }

    private func finishRequest(_ connection: UpstreamConnection) {
        let index = connection.busyIndex
        guard index >= 0, index < busy.count, busy[index] === connection else { return }
        connection.busyIndex = -1
        let last = busy.removeLast()
        if last !== connection {
            busy[index] = last
            last.busyIndex = index
        }
        activeRequests -= 1
        cluster.requestFinished(self.index)
        limits.give(.request)
    }

    private func servePending() {
        while !pending.isEmpty, let connection = idle.popLast() {
            let sink = pending.removeFirst()
            limits.give(.pending)
            guard limits.take(.request, limit: Int(breakers.maxRequests)) else {
                idle.append(connection)
                cluster.stats.overflow += 1
                sink.upstreamFailed(.overflow, transportFailure: "")
                continue
            }
            start(sink, on: connection)
            // No read of the client follows that would flush.
            connection.flush()
        }
    }

    func closed(_ connection: UpstreamConnection) {
        finishRequest(connection)
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
        if idle.isEmpty {
            cluster.worker.timers.cancel(idleTimer)
            idleTimer.pool = nil
        }
        giveConnection()
        cluster.stats.connectionsClosed += 1
        cluster.stats.connectionsActive -= 1
        stats.connectionsActive -= 1
        if !pending.isEmpty { connectIfNeeded() }
        cluster.hostPoolChanged(self)
    }

    func isExhausted(_ requests: Int) -> Bool {
        let most = cluster.settings.requestsPerConnection
        return isDraining || (most > 0 && requests >= most)
    }

    /// The host or its cluster is gone: idle connections close now, busy ones after their answer.
    func drain() {
        isDraining = true
        for connection in idle { connection.close() }
        for connection in http2.open { connection.drain() }
    }

    /// The host has failed a check or was ejected: what is idle closes now, what is busy with its answer.
    func hostFailed() {
        for connection in idle { connection.close() }
        for connection in busy { connection.closesAfterAnswer = true }
        for connection in http2.open { connection.drain() }
        guard cluster.config.hostHealth.closesConnections else { return }
        for session in Array(sessions.values) { session.closeNow() }
    }

    // MARK: Places for connections

    /// A place among those of the cluster and, if it has a limit of its own, of the host.
    func takeConnection() -> Bool {
        guard limits.take(.connection, limit: Int(breakers.maxConnections)) else { return false }
        guard let hostLimits else { return true }
        if hostLimits.take(.connection, limit: Int(cluster.config.hostHealth.maxConnectionsPerHost ?? .max)) {
            return true
        }
        limits.give(.connection)
        return false
    }

    func forceConnection() {
        limits.force(.connection)
        hostLimits?.force(.connection)
    }

    func giveConnection() {
        limits.give(.connection)
        hostLimits?.give(.connection)
    }

    // MARK: What both protocols count

    func requestStarted() {
        activeRequests += 1
        cluster.requestStarted(index)
        cluster.stats.requestsTotal += 1
        stats.requests += 1
    }

    func requestFinished() {
        activeRequests -= 1
        cluster.requestFinished(index)
        limits.give(.request)
    }

    func connectionClosed() {
        giveConnection()
        cluster.stats.connectionsClosed += 1
        cluster.stats.connectionsActive -= 1
        stats.connectionsActive -= 1
        cluster.hostPoolChanged(self)
    }

    func add(_ session: TCPSession) {
        if cluster.config.hostHealth.closesConnections { sessions[ObjectIdentifier(session)] = session }
    }

    func remove(_ session: TCPSession) { sessions[ObjectIdentifier(session)] = nil }

    /// A connection that a TCP proxy opens; it is not of this pool, but to its host.
    func countConnection() {
        stats.connectionsTotal += 1
        stats.connectionsActive += 1
    }

    func countConnectFailure() { stats.connectFailures += 1 }

    func countConnectionClosed() { stats.connectionsActive -= 1 }

    // MARK: Idle connections

    private final class IdleTimer: LoopTimer {
        /// Set while a connection is idle. A weak reference would make every count of the pool's references slow.
        var pool: HostPool?

        override func timerFired(_ now: NIODeadline) { pool?.closeExpired(now) }
    }

    private func armIdleTimer() {
        guard let timeout = cluster.settings.idleTimeout, let oldest = idle.first else { return }
        idleTimer.pool = self
        cluster.worker.timers.arm(idleTimer, oldest.idleSince + timeout)
    }

    private func closeExpired(_ now: NIODeadline) {
        idleTimer.pool = nil
        guard let timeout = cluster.settings.idleTimeout else { return }
        for connection in idle where connection.idleSince + timeout <= now {
            cluster.stats.idleTimeouts += 1
            connection.close()
        }
        armIdleTimer()
    }
}

/// The text of a failed connect, in the form Envoy prints it.
internal enum ConnectError {
    static func reason(_ error: any Error) -> UpstreamReset {
        if case .connectTimeout? = error as? ChannelError { return .connectionTimeout }
        return .remoteConnectionFailure
    }

    static func describe(_ error: any Error) -> String {
        if let text = TLSFailure.describe(error) { return text }
        guard let error = error as? IOError else { return "" }
        return "delayed connect error: " + describe(errno: error.errnoCode)
    }

    private static func describe(errno code: CInt) -> String {
        // The texts of the common codes are constants of the C library, so no buffer is shared between threads.
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
