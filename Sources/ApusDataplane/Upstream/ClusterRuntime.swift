internal import ApusCore
internal import ApusTraffic
internal import NIOCore

/// A cluster on one loop: its balancer, its connections, its counters.
internal final class ClusterRuntime {
    let worker: Worker
    let name: String
    private(set) var config: ClusterConfig
    private(set) var settings: PoolSettings
    private let shared: ClusterBreakers
    var stats = ClusterStats()
    var outlierStats = OutlierStats()
    var healthStats = HealthCheckStats()
    private var table: EndpointTable
    private var balancer: LoadBalancer
    /// By endpoint index; made when a host is first chosen.
    private var pools: [HostPool?]
    private var highPools: [HostPool?] = []
    /// Requests under way by endpoint index, for least request.
    private var active: [UInt32]
    /// All pools with a connection or a future, also of ORIGINAL_DST.
    private var byAddress: [PoolKey: HostPool] = [:]

    private struct PoolKey: Hashable {
        let address: ApusTraffic.SocketAddress
        let isHighPriority: Bool
    }
    private var detector: OutlierDetector?
    private var sweepTimer: ClusterTimer?
    private var resolveTimer: ClusterTimer?
    private var resolved: [String: [ApusCore.IPAddress]] = [:]
    private var resolving = 0
    private var isDraining = false

    init(worker: Worker, cluster: Cluster) {
        self.worker = worker
        name = cluster.config.name
        config = cluster.config
        settings = PoolSettings(cluster.config)
        shared = worker.shared.breakers(cluster.config.name)
        table = cluster.endpoints
        balancer = LoadBalancer(config: cluster.config, table: .empty, draw: 0)
        pools = []
        active = []
        take(cluster.endpoints)
        startOutlierDetection()
        startResolving()
    }

    private final class ClusterTimer: LoopTimer {
        private let action: (NIODeadline) -> Void

        init(_ action: @escaping (NIODeadline) -> Void) { self.action = action }

        override func timerFired(_ now: NIODeadline) { action(now) }
    }

    // MARK: Configuration

    func update(_ cluster: Cluster) {
        let isSameConfig = cluster.config === config
        if isSameConfig, cluster.endpoints === source { return }
        let hadDetection = config.outlierDetection
        config = cluster.config
        settings = PoolSettings(cluster.config)
        take(cluster.endpoints)
        if !isSameConfig {
            if hadDetection != config.outlierDetection {
                detector = nil
                startOutlierDetection()
            }
            startResolving()
        }
    }

    /// The table as it was configured; differs from `table` for names.
    private var source: EndpointTable = .empty

    private func take(_ new: EndpointTable) {
        source = new
        install(needsResolution ? resolvedTable(new) : new)
    }

    private func install(_ new: EndpointTable) {
        let oldPools = byAddress
        let oldTable = table
        let oldDetector = detector
        table = new
        pools = [HostPool?](repeating: nil, count: new.endpoints.count)
        highPools = pools
        active = [UInt32](repeating: 0, count: new.endpoints.count)
        for pool in oldPools.values { pool.index = -1 }
        var kept: Set<ApusTraffic.SocketAddress> = []
        for (index, endpoint) in new.endpoints.enumerated() {
            guard kept.insert(endpoint.address).inserted else { continue }
            for isHigh in [false, true] {
                guard let pool = oldPools[PoolKey(address: endpoint.address, isHighPriority: isHigh)] else { continue }
                pool.index = index
                pool.hostname = endpoint.hostname
                if isHigh { highPools[index] = pool } else { pools[index] = pool }
                active[index] &+= UInt32(clamping: pool.activeRequests)
            }
        }
        if !isOriginalDestination {
            for (key, pool) in oldPools where !kept.contains(key.address) {
                // A host that is gone finishes what it has begun.
                byAddress[key] = nil
                pool.drain()
            }
        }
        if let detection = config.outlierDetection {
            var detector = OutlierDetector(config: detection, hostCount: new.endpoints.count)
            if let oldDetector {
                var known: [ApusTraffic.SocketAddress: Int] = [:]
                for (index, endpoint) in oldTable.endpoints.enumerated() { known[endpoint.address] = index }
                for (index, endpoint) in new.endpoints.enumerated() {
                    if let old = known[endpoint.address], old < oldDetector.hosts.count {
                        detector.adopt(oldDetector.hosts[old], at: index)
                    }
                }
            }
            self.detector = detector
        }
        rebalance()
    }

    private func rebalance() {
        var states: [LoadBalancer.HostState] = []
        if let detector {
            states = table.endpoints.indices.map { detector.isEjected($0) ? .unusable : .usable }
        }
        balancer = LoadBalancer(config: config, table: table, states: states, draw: worker.random.next())
    }

    func drain() {
        isDraining = true
        if let sweepTimer { worker.timers.cancel(sweepTimer) }
        if let resolveTimer { worker.timers.cancel(resolveTimer) }
        // They hold this object: a weak reference would make every count of its references slow.
        sweepTimer = nil
        resolveTimer = nil
        for pool in Array(byAddress.values) { pool.drain() }
    }

    // MARK: Choosing

    private var isOriginalDestination: Bool {
        if case .originalDestination = config.discovery { return true }
        return false
    }

    /// - Parameter version: what the client speaks.
    func speaksHTTP2(to version: HTTPVersion) -> Bool {
        switch config.upstreamProtocol {
        case .http1: false
        case .http2: true
        case .useDownstream: version == .http2
        }
    }

    var usesHash: Bool {
        switch config.policy {
        case .ringHash, .maglev: true
        default: false
        }
    }

    /// A drop that the endpoint policy demands of this request.
    func drop(_ draw: Draw) -> LocalReply? {
        guard !table.drops.isEmpty else { return nil }
        for (index, drop) in table.drops.enumerated()
        where drop.share.contains(draw: draw.derived(Draw.Question.drop &+ UInt64(index) &* 4096)) {
            return .droppedByPolicy
        }
        return nil
    }

    /// The host for a request; nil: none can take it.
    ///
    /// - Parameter destination: where the client wanted to go, for ORIGINAL_DST.
    func pick(
        hash: UInt64?, destination: SocketEndpoint?, attempt: Int = 0, isHighPriority: Bool = false
    ) -> HostPool? {
        if case .originalDestination(let options) = config.discovery {
            guard let destination else { return nil }
            let port = options.portOverride ?? UInt16(clamping: destination.port)
            return pool(
                for: .ip(destination.address, port: port), hostname: "", index: -1, isHighPriority: isHighPriority)
        }
        guard
            let index = balancer.pick(hash: hash, attempt: attempt, active: active, random: &worker.random),
            index < pools.count
        else { return nil }
        if let pool = isHighPriority ? highPools[index] : pools[index] { return pool }
        let endpoint = table.endpoints[index]
        let made = pool(
            for: endpoint.address, hostname: endpoint.hostname, index: index, isHighPriority: isHighPriority)
        if isHighPriority { highPools[index] = made } else { pools[index] = made }
        return made
    }

    /// The header that overrides the destination of an ORIGINAL_DST cluster.
    var destinationHeader: HeaderName? {
        if case .originalDestination(let options) = config.discovery { return options.header }
        return nil
    }

    func limits(_ isHighPriority: Bool) -> ClusterLimits { isHighPriority ? shared.high : shared.normal }

    func breakers(_ isHighPriority: Bool) -> CircuitBreakerLimits {
        isHighPriority ? config.highPriorityBreakers : config.breakers
    }

    private func pool(
        for address: ApusTraffic.SocketAddress, hostname: String, index: Int, isHighPriority: Bool
    ) -> HostPool? {
        let key = PoolKey(address: address, isHighPriority: isHighPriority)
        if let known = byAddress[key] { return known }
        let target: NIOCore.SocketAddress?
        switch address {
        case .ip(let ip, let port): target = SocketEndpoint(address: ip, port: Int(port)).socketAddress
        case .pipe(let path): target = try? NIOCore.SocketAddress(unixDomainSocketPath: path)
        case .hostname: target = nil
        }
        guard let target else { return nil }
        let pool = HostPool(cluster: self, key: address, address: target, isHighPriority: isHighPriority)
        pool.hostname = hostname
        pool.index = index
        byAddress[key] = pool
        return pool
    }

    func requestStarted(_ index: Int) {
        if index >= 0, index < active.count { active[index] &+= 1 }
    }

    func requestFinished(_ index: Int) {
        if index >= 0, index < active.count, active[index] > 0 { active[index] &-= 1 }
    }

    /// A pool of ORIGINAL_DST without connections is forgotten: clients choose these addresses.
    func hostPoolChanged(_ pool: HostPool) {
        guard isOriginalDestination, pool.isUnused else { return }
        byAddress[PoolKey(address: pool.key, isHighPriority: pool.isHighPriority)] = nil
    }

    // MARK: Retries

    /// Takes a place among the retries under way, if the breaker has one.
    func takeRetry(_ isHighPriority: Bool) -> Bool {
        let breakers = breakers(isHighPriority)
        let limits = limits(isHighPriority)
        var limit = Int(breakers.maxRetries)
        if let budget = breakers.retryBudget {
            let under = Double(limits.taken(.request) + limits.taken(.pending))
            limit = max(Int(under * budget.percent / 100), Int(budget.minConcurrency))
        }
        return limits.take(.retry, limit: limit)
    }

    func giveRetry(_ isHighPriority: Bool) { limits(isHighPriority).give(.retry) }

    // MARK: Outlier detection

    private func startOutlierDetection() {
        guard let detection = config.outlierDetection else {
            if let sweepTimer { worker.timers.cancel(sweepTimer) }
            sweepTimer = nil
            detector = nil
            return
        }
        if detector == nil { detector = OutlierDetector(config: detection, hostCount: table.endpoints.count) }
        if sweepTimer == nil { sweepTimer = ClusterTimer { [self] now in sweep(now) } }
        if let sweepTimer { worker.timers.arm(sweepTimer, worker.loop.now + detection.interval.timeAmount) }
    }

    private func sweep(_ now: NIODeadline) {
        guard let detection = config.outlierDetection, !isDraining else { return }
        let changed =
            detector?.sweep(
                now: Int64(clamping: now.uptimeNanoseconds), random: worker.random.next()) ?? false
        if changed { rebalance() }
        if let sweepTimer { worker.timers.arm(sweepTimer, now + detection.interval.timeAmount) }
    }

    func record(_ outcome: OutlierDetector.Outcome, host index: Int) {
        guard detector != nil, index >= 0 else { return }
        let now = Int64(clamping: worker.loop.now.uptimeNanoseconds)
        let ejected = detector?.record(outcome, host: index, now: now, random: worker.random.next()) ?? false
        if ejected {
            outlierStats.total += 1
            outlierStats.enforced += 1
            rebalance()
        }
    }

    // MARK: Names

    private var dns: ClusterConfig.DNS? {
        switch config.discovery {
        case .strictDNS(let dns), .logicalDNS(let dns): dns
        case .eds, .fixed, .originalDestination: nil
        }
    }

    private var needsResolution: Bool { dns != nil }

    private func startResolving() {
        guard dns != nil else { return }
        if resolveTimer == nil { resolveTimer = ClusterTimer { [self] _ in resolve() } }
        resolve()
    }

    private func resolve() {
        guard resolving == 0, !isDraining, let dns else { return }
        var names: Set<String> = []
        for endpoint in source.endpoints {
            if case .hostname(let name, _) = endpoint.address { names.insert(name) }
        }
        guard !names.isEmpty else { return }
        resolving = names.count
        let loop = worker.loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        for name in names {
            worker.shared.resolver.resolve(name) { addresses in
                loop.execute { bound.value.nameResolved(name, addresses) }
            }
        }
        if let resolveTimer { worker.timers.arm(resolveTimer, loop.now + max(.seconds(1), dns.refreshRate.timeAmount)) }
    }

    private func nameResolved(_ name: String, _ addresses: [ApusCore.IPAddress]?) {
        resolving -= 1
        guard let dns, !isDraining else { return }
        // A resolver that fails leaves the last answer in force; an empty answer does not.
        guard let addresses else { return }
        let usable = Self.choose(addresses, dns.family)
        guard resolved[name] != usable else { return }
        resolved[name] = usable
        install(resolvedTable(source))
    }

    private static func choose(
        _ addresses: [ApusCore.IPAddress], _ family: ClusterConfig.DNS.Family
    ) -> [ApusCore.IPAddress] {
        let v4 = addresses.filter { $0.family == .v4 }
        let v6 = addresses.filter { $0.family == .v6 }
        let chosen: [ApusCore.IPAddress] =
            switch family {
            case .v4Only: v4
            case .v6Only: v6
            case .automatic: v6.isEmpty ? v4 : v6
            case .v4Preferred: v4.isEmpty ? v6 : v4
            case .all: v4 + v6
            }
        // The order of an answer changes with every question; that alone is no change.
        return chosen.sorted { ($0.family == .v4 ? 0 : 1, $0.bits) < ($1.family == .v4 ? 0 : 1, $1.bits) }
    }

    private func resolvedTable(_ source: EndpointTable) -> EndpointTable {
        let onlyFirst = if case .logicalDNS = config.discovery { true } else { false }
        var seen: Set<ApusTraffic.SocketAddress> = []
        let groups = source.localities.map { group in
            var endpoints: [Endpoint] = []
            for endpoint in source.endpoints[group.endpoints] {
                guard case .hostname(let name, let port) = endpoint.address else {
                    if seen.insert(endpoint.address).inserted { endpoints.append(endpoint) }
                    continue
                }
                let addresses = resolved[name] ?? []
                for ip in onlyFirst ? addresses.prefix(1) : addresses[...] {
                    let address = ApusTraffic.SocketAddress.ip(ip, port: port)
                    guard seen.insert(address).inserted else { continue }
                    endpoints.append(
                        Endpoint(
                            address: address, hostname: endpoint.hostname.isEmpty ? name : endpoint.hostname,
                            weight: endpoint.weight, health: endpoint.health))
                }
            }
            return (locality: group.locality, priority: group.priority, weight: group.weight, endpoints: endpoints)
        }
        return EndpointTable(
            name: source.name, version: source.version, groups: groups,
            overprovisioningFactor: source.overprovisioningFactor, drops: source.drops)
    }

    // MARK: Statistics

    func resetCounters() {
        stats.resetCounters()
        outlierStats.resetCounters()
        healthStats.resetCounters()
        for pool in byAddress.values { pool.stats.resetCounters() }
    }

    private func breakerFacts(_ isHighPriority: Bool) -> BreakerFacts.Priority {
        let taken = limits(isHighPriority)
        let limits = breakers(isHighPriority)
        func resource(_ kind: ClusterLimits.Resource, _ limit: UInt32) -> BreakerFacts.Resource {
            BreakerFacts.Resource(taken: Int64(taken.taken(kind)), limit: Int64(limit))
        }
        return BreakerFacts.Priority(
            connections: resource(.connection, limits.maxConnections),
            pending: resource(.pending, limits.maxPendingRequests),
            requests: resource(.request, limits.maxRequests), retries: resource(.retry, limits.maxRetries),
            tracksRemaining: limits.tracksRemaining)
    }

    func collect(into result: inout WorkerStatistics) {
        result.clusters[name, default: ClusterStats()].add(stats)
        result.breakers[name] = BreakerFacts(normal: breakerFacts(false), high: breakerFacts(true))
        if config.outlierDetection != nil { result.outliers[name, default: OutlierStats()].add(outlierStats) }
        for pool in byAddress.values {
            var stats = pool.stats
            stats.active = Int64(pool.activeRequests)
            result.hosts[name, default: [:]][pool.name, default: HostStats()].add(stats)
        }
        if let detector {
            for (index, endpoint) in table.endpoints.enumerated() where detector.isEjected(index) {
                result.ejected[name, default: []].insert(endpoint.address.description)
            }
        }
        result.endpoints[name] = table
    }
}

extension PoolSettings {
    init(_ config: ClusterConfig) {
        connectTimeout = config.connectTimeout.timeAmount
        idleTimeout = config.idleTimeout.map(\.timeAmount)
        requestsPerConnection = Int(config.maxRequestsPerConnection ?? 0)
        source = config.bindSource.flatMap { SocketEndpoint(address: $0, port: 0).socketAddress }
        keepalive = config.keepalive
        responseLimits = HTTP1Limits(headBytes: config.maxResponseHeaderBytes, fields: config.maxResponseHeaders)
        http1 = config.http1
        http2 = HTTP2Options(config.http2)
        http2.maxHeadBytes = config.maxResponseHeaderBytes
        http2.maxHeadFields = config.maxResponseHeaders
    }
}
