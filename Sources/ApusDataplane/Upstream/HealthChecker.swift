internal import ApusTraffic
internal import NIOCore

/// The active health checks of one cluster. One loop has it; what it finds out reaches all through `SharedCluster`.
internal final class HealthChecker {
    let worker: Worker
    let clusterName: String
    let config: HealthCheckConfig
    let settings: PoolSettings
    private let cluster: ClusterConfig
    var stats = HealthCheckStats()
    private let shared: SharedCluster
    private var sessions: [ApusTraffic.SocketAddress: HealthCheckSession] = [:]

    init(worker: Worker, cluster: ClusterConfig, config: HealthCheckConfig, shared: SharedCluster) {
        self.worker = worker
        clusterName = cluster.name
        self.config = config
        self.cluster = cluster
        settings = PoolSettings(cluster)
        self.shared = shared
    }

    /// These are the hosts from now on.
    func take(_ endpoints: [Endpoint], _ hosts: [HostHealth]) {
        var kept: Set<ApusTraffic.SocketAddress> = []
        for (endpoint, host) in zip(endpoints, hosts) where endpoint.checkTarget?.isDisabled != true {
            guard kept.insert(endpoint.address).inserted else { continue }
            if let known = sessions[endpoint.address], known.host === host,
                known.endpoint.checkTarget == endpoint.checkTarget
            {
                continue
            }
            sessions[endpoint.address]?.stop()
            let session = HealthCheckSession(self, endpoint: endpoint, host: host)
            sessions[endpoint.address] = session
            session.start()
        }
        for (address, session) in sessions where !kept.contains(address) {
            session.stop()
            sessions[address] = nil
        }
        countStates()
    }

    func stop() {
        for session in sessions.values { session.stop() }
        sessions = [:]
    }

    /// An answer to a request said that its host is not to be used.
    func failedPassively(_ address: ApusTraffic.SocketAddress) { sessions[address]?.failedPassively() }

    fileprivate func found(_ session: HealthCheckSession, _ transition: HealthCheckState.Transition, succeeded: Bool) {
        shared.checked(
            session.host, session.state, transition: transition, succeeded: succeeded,
            now: Int64(clamping: worker.loop.now.uptimeNanoseconds))
        if transition == .changed { countStates() }
    }

    private func countStates() {
        stats.healthy = Int64(sessions.values.count { $0.state.isHealthy })
        stats.degraded = Int64(sessions.values.count { $0.state.isDegraded })
    }

    fileprivate var hasTraffic: Bool { shared.hasTraffic }

    fileprivate func connect(
        _ address: NIOCore.SocketAddress, _ settings: PoolSettings, _ connection: HealthCheckConnection,
        to endpoint: Endpoint
    ) -> EventLoopFuture<Void> {
        let version: HTTPVersion? =
            switch config.probe {
            case .tcp: nil
            case .grpc: .http2
            case .http(let probe): probe.usesHTTP2 ? .http2 : .http11
            }
        return worker.connect(
            address, settings, connection, by: cluster.transport(endpoint.transportLabels), of: nil, version: version,
            serverName: endpoint.hostname)
    }
}

/// The checks of one host.
internal final class HealthCheckSession {
    let endpoint: Endpoint
    let host: HostHealth
    private(set) var state: HealthCheckState
    /// Strong on purpose, ended by `stop`: a weak reference would make every count of the checker's references slow.
    private var checker: HealthChecker?
    private let interval = SessionTimer()
    private let timeout = SessionTimer()
    private var connection: HealthCheckConnection?
    private var isChecking = false

    private final class SessionTimer: LoopTimer {
        var action: (() -> Void)?

        override func timerFired(_ now: NIODeadline) { action?() }
    }

    init(_ checker: HealthChecker, endpoint: Endpoint, host: HostHealth) {
        self.checker = checker
        self.endpoint = endpoint
        self.host = host
        state = HealthCheckState(isHealthy: !host.flags.contains(.failedActiveCheck))
        interval.action = { [unowned self] in check() }
        timeout.action = { [unowned self] in timedOut() }
    }

    func start() {
        guard let checker else { return }
        let jitter = checker.config.initialJitter.wholeNanoseconds
        guard jitter > 0 else { return check() }
        let wait = Int64(checker.worker.random.next() % UInt64(jitter))
        checker.worker.timers.arm(interval, checker.worker.loop.now + .nanoseconds(wait))
    }

    func stop() {
        checker?.worker.timers.cancel(interval)
        checker?.worker.timers.cancel(timeout)
        checker = nil
        let old = connection
        connection = nil
        old?.close()
    }

    // MARK: One check

    private func check() {
        guard let checker, !isChecking else { return }
        isChecking = true
        checker.stats.attempts += 1
        // A deadline that is already set would stay; each check has its own.
        checker.worker.timers.cancel(timeout)
        checker.worker.timers.arm(timeout, checker.worker.loop.now + checker.config.timeout.timeAmount)
        if let connection, connection.isUsable {
            ask(connection)
            return
        }
        guard let address = target(checker) else { return failed(.network) }
        let connection = HealthCheckConnection.make(session: self, config: checker.config)
        self.connection = connection
        var settings = checker.settings
        settings.connectTimeout = checker.config.timeout.timeAmount
        // A host is asked by the transport that requests use.
        let future = checker.connect(address, settings, connection, to: endpoint)
        let bound = NIOLoopBound((self, connection), eventLoop: checker.worker.loop)
        future.whenFailure { _ in
            let (session, connection) = bound.value
            session.ended(connection)
        }
    }

    private func target(_ checker: HealthChecker) -> NIOCore.SocketAddress? {
        let check = endpoint.checkTarget
        switch check?.address ?? endpoint.address {
        case .ip(let ip, let port):
            let port = check?.port ?? checker.config.port ?? port
            return SocketEndpoint(address: ip, port: Int(port)).socketAddress
        case .pipe(let path): return try? NIOCore.SocketAddress(unixDomainSocketPath: path)
        case .hostname: return nil
        }
    }

    private func ask(_ connection: HealthCheckConnection) {
        guard let checker else { return }
        func authority(_ own: String) -> String {
            let wanted = endpoint.checkTarget?.hostname ?? ""
            return !wanted.isEmpty ? wanted : own.isEmpty ? checker.clusterName : own
        }
        switch checker.config.probe {
        case .http(let probe): connection.ask(probe.request(authority: authority(probe.host)), body: probe.body)
        case .grpc(let probe): connection.ask(probe.request(authority: authority(probe.authority)), body: probe.body)
        case .tcp(let probe):
            if probe.receive.isEmpty {
                // A connection is all that was asked for, so it has to be a new one every time.
                close()
                succeeded(isDegraded: false)
            } else {
                (connection as? TCPHealthCheckConnection)?.send(probe.send)
            }
        }
    }

    private func close() {
        let old = connection
        connection = nil
        old?.close()
    }

    // MARK: What the connection says

    func connected(_ connection: HealthCheckConnection) {
        guard connection === self.connection, isChecking else { return connection.close() }
        ask(connection)
    }

    /// The connection is gone.
    func ended(_ connection: HealthCheckConnection) {
        guard connection === self.connection else { return }
        self.connection = nil
        if isChecking { failed(.network) }
    }

    func answered(_ verdict: HealthCheckConfig.Verdict, keepsAlive: Bool) {
        guard isChecking, let checker else { return }
        if !keepsAlive || !checker.config.reusesConnection { close() }
        switch verdict {
        case .healthy: succeeded(isDegraded: false)
        case .degraded: succeeded(isDegraded: true)
        case .failed(let retriable): failed(.active(retriable: retriable))
        }
    }

    // MARK: Results

    private func timedOut() {
        guard isChecking else { return }
        close()
        failed(.timeout)
    }

    private func succeeded(isDegraded: Bool) {
        guard let checker, isChecking else { return }
        checker.stats.successes += 1
        finish(state.succeeded(isDegraded: isDegraded, checker.config), succeeded: true)
    }

    private func failed(_ failure: HealthCheckState.Failure) {
        guard let checker, isChecking else { return }
        checker.stats.failures += 1
        switch failure {
        case .network, .timeout: checker.stats.networkFailures += 1
        case .active, .passive: break
        }
        finish(state.failed(failure, checker.config), succeeded: false)
    }

    func failedPassively() {
        guard let checker else { return }
        checker.stats.failures += 1
        checker.stats.passiveFailures += 1
        checker.found(self, state.failed(.passive, checker.config), succeeded: false)
    }

    private func finish(_ transition: HealthCheckState.Transition, succeeded: Bool) {
        guard let checker else { return }
        isChecking = false
        let timers = checker.worker.timers
        timers.cancel(timeout)
        let wait = HealthCheckState.interval(
            after: succeeded, transition, hasTraffic: checker.hasTraffic, checker.config,
            random: checker.worker.random.next())
        timers.cancel(interval)
        timers.arm(interval, checker.worker.loop.now + wait.timeAmount)
        checker.found(self, transition, succeeded: succeeded)
    }
}
