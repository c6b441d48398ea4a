internal import ApusCore
internal import ApusTraffic
internal import NIOCore

/// A cluster on one loop: its balancer, its connections, its counters.
internal final class ClusterRuntime {
    let worker: Worker
    let name: String
    private(set) var config: ClusterConfig
    private(set) var settings: PoolSettings
    private let shared: SharedCluster
    private var subscriber: SharedCluster.Subscriber?
    var stats = ClusterStats()
    /// On the loop that does the checks of this cluster.
    private var checker: HealthChecker?
    private var retiredHealthStats = HealthCheckStats()
    private var table: EndpointTable
    private var balancer: ClusterBalancer
    private var subsets: SubsetIndex?
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
        /// The host of requests, where connections are made for one; else empty.
        var serverName = ""
    }
    /// What all loops know of the hosts, by endpoint index.
    private var hosts: [HostHealth] = []
    /// By endpoint index, as of the last look.
    private var wasUsable: [Bool] = []
    /// Hosts that are no longer named, and stay as long as their checks pass.
    private var lingering: Set<ApusTraffic.SocketAddress> = []
    /// Endpoint indices, made when a request first names its host.
    private var indices: [String: Int]?
    private var sweepTimer: ClusterTimer?
    /// On the loop that resolves the names of this cluster.
    private var names: ClusterNames?
    private var resolved: [String: [ApusCore.IPAddress]] = [:]
    private var resolvedVersion = 0
    private var isDraining = false

    init(worker: Worker, cluster: Cluster) {
        self.worker = worker
        name = cluster.config.name
        config = cluster.config
        settings = PoolSettings(cluster.config)
        shared = worker.shared.cluster(cluster.config.name)
        table = .empty
        balancer = ClusterBalancer(config: cluster.config, table: .empty, draw: 0)
        pools = []
        active = []
        shared.configure(detection: config.outlierDetection, isActivelyChecked: config.healthCheck != nil)
        startChecks()
        resolved = shared.addresses(since: &resolvedVersion) ?? [:]
        take(cluster.endpoints)
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        let subscriber = SharedCluster.Subscriber(loop: worker.loop) { bound.value.sharedChanged() }
        self.subscriber = subscriber
        shared.subscribe(subscriber)
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
        config = cluster.config
        settings = PoolSettings(cluster.config)
        shared.configure(detection: config.outlierDetection, isActivelyChecked: config.healthCheck != nil)
        if !isSameConfig { startChecks() }
        take(cluster.endpoints)
        if !isSameConfig {
            startOutlierDetection()
            startResolving()
        }
    }

    /// The table as it was configured; differs from `table` for names.
    private var source: EndpointTable = .empty

    private func take(_ new: EndpointTable) {
        source = new
        install(lingers(in: needsResolution ? resolvedTable(new) : new))
    }

    /// The table with the hosts that it no longer names and that pass their checks.
    private func lingers(in new: EndpointTable) -> EndpointTable {
        lingering = []
        guard config.healthCheck != nil, !config.hostHealth.ignoresHealthOnRemoval, case .eds = config.discovery else {
            return new
        }
        let named = Set(new.endpoints.map(\.address))
        var extra: [(locality: Locality, priority: Int, weight: UInt32?, endpoints: [Endpoint])] = []
        for group in table.localities {
            let kept = group.endpoints.filter { index in
                index < hosts.count && !hosts[index].hasFailedCheck && !named.contains(table.endpoints[index].address)
            }
            guard !kept.isEmpty else { continue }
            lingering.formUnion(kept.map { table.endpoints[$0].address })
            extra.append((group.locality, group.priority, group.weight, kept.map { table.endpoints[$0] }))
        }
        guard !extra.isEmpty else { return new }
        var groups = new.localities.map { group in
            (
                locality: group.locality, priority: group.priority, weight: group.weight,
                endpoints: Array(new.endpoints[group.endpoints])
            )
        }
        for one in extra {
            let place = groups.firstIndex { $0.locality == one.locality && $0.priority == one.priority }
            if let place { groups[place].endpoints += one.endpoints } else { groups.append(one) }
        }
        return EndpointTable(
            name: new.name, version: new.version, groups: groups, overprovisioningFactor: new.overprovisioningFactor,
            weighsHealth: new.weighsHealth, drops: new.drops)
    }

    private func install(_ new: EndpointTable) {
        if worker.index == 0, Set(table.endpoints.map(\.address)) != Set(new.endpoints.map(\.address)) {
            stats.membershipChanges += 1
        }
        let oldPools = byAddress
        let oldHosts = hosts
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
                adopt(pool, endpoint, index)
                if isHigh { highPools[index] = pool } else { pools[index] = pool }
            }
        }
        if config.usesRequestNames {
            let places = Dictionary(new.endpoints.enumerated().map { ($1.address, $0) }) { first, _ in first }
            for (key, pool) in oldPools where !key.serverName.isEmpty {
                if let index = places[key.address] { adopt(pool, new.endpoints[index], index) }
            }
        }
        if !isOriginalDestination {
            for (key, pool) in oldPools where !kept.contains(key.address) {
                // A host that is gone finishes what it has begun.
                byAddress[key] = nil
                pool.drain()
            }
        }
        subsets = config.balancing.subsets.map { SubsetIndex($0, table: new) }
        let unchecked = new.endpoints.lazy.filter { $0.checkTarget?.isDisabled ?? false }.map(\.address)
        hosts = shared.use(new.endpoints.map(\.address), unchecked: Set(unchecked), now: nanoseconds)
        shared.release(oldHosts.map(\.address))
        wasUsable = hosts.map { $0.state(ignoresNew: false) != .unusable }
        indices = nil
        checker?.take(new.endpoints, hosts)
        rebalance()
    }

    private func adopt(_ pool: HostPool, _ endpoint: Endpoint, _ index: Int) {
        pool.index = index
        pool.hostname = endpoint.hostname
        active[index] &+= UInt32(clamping: pool.activeRequests)
    }

    private var nanoseconds: Int64 { Int64(clamping: worker.now.uptimeNanoseconds) }

    /// Hosts, or what is known of them, have changed.
    private func rebalance() {
        guard !isDraining else { return }
        if !lingering.isEmpty, hosts.contains(where: { lingering.contains($0.address) && $0.hasFailedCheck }) {
            return take(source)
        }
        for (index, host) in hosts.enumerated() where index < wasUsable.count {
            let isUsable = host.state(ignoresNew: false) != .unusable
            if wasUsable[index], !isUsable {
                pools[index]?.hostFailed()
                highPools[index]?.hostFailed()
            }
            wasUsable[index] = isUsable
        }
        balancer = ClusterBalancer(
            config: config, table: table,
            states: hosts.map { $0.state(ignoresNew: config.balancing.ignoresNewHosts) },
            since: config.balancing.slowStart == nil ? [] : hosts.map(\.healthySince), index: subsets,
            now: nanoseconds,
            draw: worker.random.next())
    }

    func drain() {
        isDraining = true
        // The last loop to let go of a cluster takes away what they shared, so that names do not pile up.
        if let subscriber, shared.unsubscribe(subscriber) { worker.shared.forget(name, shared) }
        subscriber = nil
        shared.release(hosts.map(\.address))
        hosts = []
        if let checker {
            checker.stop()
            shared.setPassiveFailure(nil)
        }
        checker = nil
        if let sweepTimer { worker.timers.cancel(sweepTimer) }
        names?.stop()
        // They hold this object: a weak reference would make every count of its references slow.
        sweepTimer = nil
        names = nil
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

    /// How a host is spoken to; nil: in plain text.
    func transport(of pool: HostPool) -> TLSContext? {
        config.transports.isEmpty ? nil : config.transport(endpoint(pool)?.transportLabels ?? [:])
    }

    func count(_ outcome: TLSOutcome) {
        switch outcome {
        case .handshake: stats.tlsHandshakes += 1
        case .failed: stats.tlsConnectionErrors += 1
        case .notVerified:
            stats.tlsConnectionErrors += 1
            stats.tlsVerifyErrors += 1
        case .wrongName: stats.tlsNameErrors += 1
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
    /// - Parameters:
    ///   - criteria: what the endpoint's metadata must say; means something only to clusters with subsets.
    ///   - destination: where the client wanted to go, for ORIGINAL_DST.
    func pick(
        hash: UInt64?, criteria: MetadataCriteria? = nil, destination: SocketEndpoint?, attempt: Int = 0,
        isHighPriority: Bool = false, withoutPriorities: [Int] = []
    ) -> HostPool? {
        if case .originalDestination(let options) = config.discovery {
            guard let destination else { return nil }
            let port = options.portOverride ?? UInt16(clamping: destination.port)
            return pool(
                for: .ip(destination.address, port: port), hostname: "", index: -1, isHighPriority: isHighPriority)
        }
        guard
            let index = balancer.pick(
                withoutPriorities: withoutPriorities, criteria: criteria, hash: hash, attempt: attempt, active: active,
                now: config.balancing.slowStart == nil ? 0 : nanoseconds, random: &worker.random),
            index < pools.count
        else { return nil }
        if balancer.pickedInPanic { stats.healthyPanic += 1 }
        if subsets != nil { countSubset() }
        return pool(index, isHighPriority: isHighPriority)
    }

    private func pool(_ index: Int, isHighPriority: Bool) -> HostPool? {
        if let pool = isHighPriority ? highPools[index] : pools[index] { return pool }
        let endpoint = table.endpoints[index]
        let made = pool(
            for: endpoint.address, hostname: endpoint.hostname, index: index, isHighPriority: isHighPriority)
        if isHighPriority { highPools[index] = made } else { pools[index] = made }
        return made
    }

    /// The endpoint of a host; nil: the table no longer has it.
    func endpoint(_ host: HostPool) -> Endpoint? {
        table.endpoints.indices.contains(host.index) ? table.endpoints[host.index] : nil
    }

    private func countSubset() {
        switch balancer.lastSource {
        case .cluster: break
        case .subset: stats.subsetsSelected += 1
        case .fallback: stats.subsetsFallback += 1
        case .panicFallback: stats.subsetsFallbackPanic += 1
        }
    }

    /// The host that a request names, if the cluster has it and its health allows it.
    ///
    /// - Parameter address: `10.0.0.1:80`.
    func host(named address: String, isHighPriority: Bool) -> HostPool? {
        if indices == nil {
            indices = Dictionary(table.endpoints.enumerated().map { ($1.address.description, $0) }) { first, _ in first
            }
        }
        guard let index = indices?[address], index < hosts.count else { return nil }
        let status: HostHealthOptions.Status
        switch (table.endpoints[index].health, hosts[index].state(ignoresNew: false)) {
        case (.draining, _): status = .draining
        case (.unhealthy, _), (_, .unusable), (_, .ignored): status = .unhealthy
        case (.degraded, _), (_, .degraded): status = .degraded
        case (.healthy, .usable): status = .healthy
        }
        guard config.hostHealth.overridable.contains(status) else { return nil }
        return pool(index, isHighPriority: isHighPriority)
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

    /// The connections to a host that are made for this name, where the cluster asks for the request's host in its
    /// handshakes; else the host's own. nil: there are too many names.
    func pool(_ host: HostPool, for request: HTTPHead) -> HostPool? {
        guard config.usesRequestNames, transport(of: host)?.client.usesRequestName == true else { return host }
        return pool(
            for: host.key, hostname: host.hostname, index: host.index, isHighPriority: host.isHighPriority,
            serverName: request.withBytes(request.authority) { Self.hostName(Authority.withoutPort($0)) })
    }

    /// As TLS and certificates have it: small letters, an address without brackets.
    private static func hostName(_ host: UnsafeRawBufferPointer) -> String {
        let text = String(decoding: host, as: UTF8.self)
        return text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text.lowercased()
    }

    /// Clients choose the names: they may not make pools without end.
    private static let mostNamedPools = 10_000

    private func pool(
        for address: ApusTraffic.SocketAddress, hostname: String, index: Int, isHighPriority: Bool,
        serverName: String = ""
    ) -> HostPool? {
        let key = PoolKey(address: address, isHighPriority: isHighPriority, serverName: serverName)
        if let known = byAddress[key] { return known }
        guard serverName.isEmpty || byAddress.count < Self.mostNamedPools else { return nil }
        let target: NIOCore.SocketAddress?
        switch address {
        case .ip(let ip, let port): target = SocketEndpoint(address: ip, port: Int(port)).socketAddress
        case .pipe(let path): target = try? NIOCore.SocketAddress(unixDomainSocketPath: path)
        case .hostname: target = nil
        }
        guard let target else { return nil }
        let pool = HostPool(
            cluster: self, key: address, address: target, isHighPriority: isHighPriority, serverName: serverName)
        pool.hostname = hostname
        pool.index = index
        if config.hostHealth.maxConnectionsPerHost != nil, hosts.indices.contains(index) {
            pool.hostLimits = hosts[index].limits
        }
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
        guard isOriginalDestination || !pool.serverName.isEmpty, pool.isUnused else { return }
        byAddress[
            PoolKey(address: pool.key, isHighPriority: pool.isHighPriority, serverName: pool.serverName)] = nil
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

    // MARK: Active checks

    /// One loop checks for all.
    private func startChecks() {
        if let old = checker {
            old.stop()
            shared.setPassiveFailure(nil)
            retiredHealthStats.add(old.stats.withoutGauges())
            checker = nil
        }
        guard let check = config.healthCheck, worker.index == 0 else { return }
        checker = HealthChecker(worker: worker, cluster: config, config: check, shared: shared)
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        let loop = worker.loop
        shared.setPassiveFailure { address in loop.execute { bound.value.checker?.failedPassively(address) } }
    }

    static let immediateFailure = HeaderName("x-envoy-immediate-health-check-fail")

    /// A connection is being made: from now on checks come at their ordinary pace.
    func noteTraffic() { if config.healthCheck != nil { shared.noteTraffic() } }

    var isActivelyChecked: Bool { config.healthCheck != nil }

    /// An answer of the host asks for it to be left out until a check says otherwise.
    func failImmediately(_ index: Int) {
        guard config.healthCheck != nil, index >= 0, index < hosts.count else { return }
        shared.failPassively(hosts[index])
    }

    // MARK: Outlier detection

    private func startOutlierDetection() {
        guard config.outlierDetection != nil else {
            if let sweepTimer { worker.timers.cancel(sweepTimer) }
            return
        }
        if sweepTimer == nil { sweepTimer = ClusterTimer { [self] now in sweep(now) } }
        sweep(worker.loop.now)
    }

    private func sweep(_ now: NIODeadline) {
        guard config.outlierDetection != nil, !isDraining else { return }
        let wait = shared.sweep(now: Int64(clamping: now.uptimeNanoseconds), random: worker.random.next())
        if let sweepTimer { worker.timers.arm(sweepTimer, now + .nanoseconds(min(wait, 3_600_000_000_000))) }
    }

    var detectsOutliers: Bool { config.outlierDetection != nil }

    /// Tells passive health checking how a try went. A success, the common case, is one addition.
    func record(_ outcome: OutlierDetector.Outcome, host index: Int) {
        guard let detection = config.outlierDetection, index >= 0, index < hosts.count else { return }
        let host = hosts[index]
        switch outcome {
        case .response(let status) where status < 500:
            if status < 200 || host.countSuccess() { return }
        case .localSuccess:
            if !detection.splitsLocalOriginErrors || host.countLocalSuccess() { return }
        default: break
        }
        // The loops are told, this one too; but the request that comes next is already to know.
        if shared.record(outcome, host: host, now: nanoseconds, random: worker.random.next()) { rebalance() }
    }

    // MARK: Names

    private var dns: ClusterConfig.DNS? {
        switch config.discovery {
        case .strictDNS(let dns), .logicalDNS(let dns): dns
        case .eds, .fixed, .originalDestination: nil
        }
    }

    private var needsResolution: Bool { dns != nil }

    private var isLogical: Bool { if case .logicalDNS = config.discovery { true } else { false } }

    /// nil: there is nothing to wait for.
    var firstAnswer: EventLoopFuture<Void>? { names?.first }

    /// One loop resolves for all.
    private func startResolving() {
        guard worker.index == 0 else { return }
        guard let dns else {
            names?.stop()
            names = nil
            return
        }
        var wanted: Set<String> = []
        for endpoint in source.endpoints {
            switch endpoint.address {
            case .hostname(let name, _): wanted.insert(name)
            // Nobody is asked for these; they count among the names as with Envoy.
            case .ip(let address, _): wanted.insert(address.description)
            case .pipe: break
            }
        }
        let names = names ?? ClusterNames(self, shared: shared)
        self.names = names
        names.update(dns, isLogical: isLogical, names: wanted)
    }

    /// What the loops have in common is no longer what it was.
    private func sharedChanged() {
        guard !isDraining else { return }
        guard let news = shared.addresses(since: &resolvedVersion) else { return rebalance() }
        resolved = news
        if needsResolution { install(resolvedTable(source)) }
    }

    private func resolvedTable(_ source: EndpointTable) -> EndpointTable {
        var seen: Set<ApusTraffic.SocketAddress> = []
        let groups = source.localities.map { group in
            var endpoints: [Endpoint] = []
            for endpoint in source.endpoints[group.endpoints] {
                guard case .hostname(let name, let port) = endpoint.address else {
                    if seen.insert(endpoint.address).inserted { endpoints.append(endpoint) }
                    continue
                }
                let addresses = resolved[name] ?? []
                for ip in addresses {
                    let address = ApusTraffic.SocketAddress.ip(ip, port: port)
                    guard seen.insert(address).inserted else { continue }
                    endpoints.append(
                        endpoint.resolved(
                            address, hostname: endpoint.hostname.isEmpty ? name : endpoint.hostname))
                }
            }
            return (locality: group.locality, priority: group.priority, weight: group.weight, endpoints: endpoints)
        }
        return EndpointTable(
            name: source.name, version: source.version, groups: groups,
            overprovisioningFactor: source.overprovisioningFactor, weighsHealth: source.weighsHealth,
            drops: source.drops)
    }

    // MARK: Statistics

    func resetCounters() {
        stats.resetCounters()
        retiredHealthStats = HealthCheckStats()
        checker?.stats.resetCounters()
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
        if config.healthCheck != nil || checker != nil {
            var stats = checker?.stats ?? HealthCheckStats()
            stats.add(retiredHealthStats)
            result.healthChecks[name, default: HealthCheckStats()].add(stats)
        }
        result.breakers[name] = BreakerFacts(normal: breakerFacts(false), high: breakerFacts(true))
        for pool in byAddress.values {
            var stats = pool.stats
            stats.active = Int64(pool.activeRequests)
            result.hosts[name, default: [:]][pool.name, default: HostStats()].add(stats)
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
