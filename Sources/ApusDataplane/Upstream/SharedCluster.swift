internal import ApusCore
package import ApusTraffic
internal import NIOCore
internal import Synchronization

/// What the loops have in common of one cluster: circuit breakers, and what is known of its hosts.
internal final class SharedCluster: Sendable {
    /// A loop that wants to hear when a host's health changes. Several changes before it runs are one call.
    final class Subscriber: Sendable {
        private let loop: any EventLoop
        private let isScheduled = Atomic<Bool>(false)
        private let action: @Sendable () -> Void

        init(loop: any EventLoop, action: @escaping @Sendable () -> Void) {
            self.loop = loop
            self.action = action
        }

        fileprivate func notify() {
            guard !isScheduled.exchange(true, ordering: .relaxed) else { return }
            loop.execute {
                self.isScheduled.store(false, ordering: .relaxed)
                self.action()
            }
        }
    }

    private struct Entry {
        let health: HostHealth
        /// Loops that have the host.
        var uses: Int
    }

    private struct State {
        var detector: OutlierDetector?
        var hosts: [ApusTraffic.SocketAddress: Entry] = [:]
        var subscribers: [Subscriber] = []
        var nextSweep: Int64 = .min
        /// Counts of detectors that no longer exist.
        var pastCounts = OutlierDetector.Counts()
        var isActivelyChecked = false
        var addresses: [String: [ApusCore.IPAddress]] = [:]
        var addressesVersion = 0
        var passiveFailure: (@Sendable (ApusTraffic.SocketAddress) -> Void)?
    }

    let normal = ClusterLimits()
    let high = ClusterLimits()
    private let traffic = Atomic<Bool>(false)
    private let state = Mutex<State>(State())

    // MARK: Configuration

    /// Every loop says what its configuration is; the first to say something new changes it for all.
    func configure(detection: OutlierDetectionConfig?, isActivelyChecked: Bool) {
        let subscribers = state.withLock { state -> [Subscriber] in
            var changed = false
            if state.isActivelyChecked, !isActivelyChecked {
                for entry in state.hosts.values {
                    entry.health.set(entry.health.flags.intersection(.ejected))
                    changed = true
                }
            }
            state.isActivelyChecked = isActivelyChecked
            guard state.detector?.config != detection else { return changed ? state.subscribers : [] }
            if let counts = state.detector?.counts { state.pastCounts.add(counts) }
            state.detector = detection.map { OutlierDetector(config: $0) }
            state.nextSweep = .min
            // A new detector has seen nothing: the ejections of the old one end.
            for entry in state.hosts.values {
                entry.health.setID(state.detector?.insert() ?? -1)
                entry.health.setCounting(false)
                let flags = entry.health.flags
                guard flags.contains(.ejected) else { continue }
                entry.health.set(flags.subtracting(.ejected))
                changed = true
            }
            return changed ? state.subscribers : []
        }
        for subscriber in subscribers { subscriber.notify() }
    }

    func subscribe(_ subscriber: Subscriber) { state.withLock { $0.subscribers.append(subscriber) } }

    /// - Returns: true if it was the last.
    func unsubscribe(_ subscriber: Subscriber) -> Bool {
        state.withLock { state in
            state.subscribers.removeAll { $0 === subscriber }
            return state.subscribers.isEmpty
        }
    }

    /// A loop has taken these hosts into use.
    ///
    /// - Parameter unchecked: hosts that active checks leave alone.
    /// - Returns: one object per address, the same on all loops.
    func use(
        _ addresses: [ApusTraffic.SocketAddress], unchecked: Set<ApusTraffic.SocketAddress> = [], now: Int64
    ) -> [HostHealth] {
        state.withLock { state in
            addresses.map { address in
                if let entry = state.hosts[address] {
                    state.hosts[address] = Entry(health: entry.health, uses: entry.uses + 1)
                    return entry.health
                }
                let isChecked = state.isActivelyChecked && !unchecked.contains(address)
                let flags: HostHealth.Flags = isChecked ? [.failedActiveCheck, .pendingActiveCheck] : []
                let health = HostHealth(
                    address: address, id: state.detector?.insert() ?? -1, flags: flags, now: now)
                state.hosts[address] = Entry(health: health, uses: 1)
                return health
            }
        }
    }

    /// The loop no longer uses these.
    func release(_ addresses: [ApusTraffic.SocketAddress]) {
        state.withLock { state in
            for address in addresses {
                guard let entry = state.hosts[address] else { continue }
                if entry.uses > 1 {
                    state.hosts[address] = Entry(health: entry.health, uses: entry.uses - 1)
                } else {
                    state.hosts[address] = nil
                    state.detector?.remove(entry.health.id)
                }
            }
        }
    }

    // MARK: Names

    /// The loop that resolves the names of the cluster has heard of one.
    ///
    /// - Parameter addresses: nil: the name is no longer asked for.
    func setAddresses(_ addresses: [ApusCore.IPAddress]?, of name: String) {
        let subscribers = state.withLock { state in
            state.addresses[name] = addresses
            state.addressesVersion += 1
            return state.subscribers
        }
        for subscriber in subscribers { subscriber.notify() }
    }

    /// By name. nil: as they were when `version` was.
    func addresses(since version: inout Int) -> [String: [ApusCore.IPAddress]]? {
        state.withLock { state in
            guard state.addressesVersion != version else { return nil }
            version = state.addressesVersion
            return state.addresses
        }
    }

    // MARK: Active checks

    /// A check of a host is complete.
    func checked(
        _ host: HostHealth, _ check: HealthCheckState, transition: HealthCheckState.Transition, succeeded: Bool,
        now: Int64
    ) {
        let subscribers = state.withLock { state -> [Subscriber] in
            guard state.hosts[host.address]?.health === host else { return [] }
            let old = host.flags
            var flags = old.intersection([.ejected, .excluded])
            if !check.isHealthy { flags.insert(.failedActiveCheck) }
            if check.isDegraded { flags.insert(.degradedActiveCheck) }
            if check.timedOut { flags.insert(.activeCheckTimedOut) }
            if succeeded { flags.remove(.excluded) }
            if old.contains(.failedActiveCheck), check.isHealthy { host.setHealthy(since: now) }
            if succeeded, check.isHealthy, state.detector?.config.unejectsOnHealthCheck ?? false,
                state.detector?.uneject(host.id) ?? false
            {
                flags.remove(.ejected)
            }
            host.set(flags)
            host.setCounting(state.detector?.isCounting(host.id) ?? false)
            return flags == old ? [] : state.subscribers
        }
        for subscriber in subscribers { subscriber.notify() }
    }

    /// An answer of the host asked for it to be left out at once.
    func failPassively(_ host: HostHealth) {
        let report = state.withLock { state in
            host.set(host.flags.union(.excluded))
            return state.passiveFailure
        }
        report?(host.address)
    }

    /// - Parameter report: takes such a host to the loop that checks it.
    func setPassiveFailure(_ report: (@Sendable (ApusTraffic.SocketAddress) -> Void)?) {
        state.withLock { $0.passiveFailure = report }
    }

    /// The cluster has had a connection.
    var hasTraffic: Bool { traffic.load(ordering: .relaxed) }

    func noteTraffic() {
        if !traffic.load(ordering: .relaxed) { traffic.store(true, ordering: .relaxed) }
    }

    // MARK: Outlier detection

    /// Something happened with a host that more than counts.
    ///
    /// - Returns: true if it is ejected by this; the loops have been told.
    func record(_ outcome: OutlierDetector.Outcome, host: HostHealth, now: Int64, random: UInt64) -> Bool {
        let subscribers = state.withLock { state -> [Subscriber] in
            // The detector may have been replaced since the loop read its hosts.
            guard state.hosts[host.address]?.health === host else { return [] }
            let ejected = state.detector?.record(outcome, host: host.id, now: now, random: random) ?? false
            host.setCounting(state.detector?.isCounting(host.id) ?? false)
            guard ejected else { return [] }
            host.set(host.flags.union(.ejected))
            return state.subscribers
        }
        for subscriber in subscribers { subscriber.notify() }
        return !subscribers.isEmpty
    }

    /// The sweep of an interval, done by whichever loop comes first.
    ///
    /// - Returns: nanoseconds until the next.
    func sweep(now: Int64, random: UInt64) -> Int64 {
        var subscribers: [Subscriber] = []
        let wait = state.withLock { state -> Int64 in
            guard let detection = state.detector?.config else { return .max }
            let interval = max(1_000_000, detection.interval.wholeNanoseconds)
            if state.nextSweep == .min {
                state.nextSweep = now &+ interval
                return interval
            }
            guard now >= state.nextSweep else { return state.nextSweep &- now }
            state.nextSweep = now &+ interval
            for entry in state.hosts.values {
                state.detector?.addSuccesses(entry.health.takeSuccesses(), host: entry.health.id)
                state.detector?.addLocalSuccesses(entry.health.takeLocalSuccesses(), host: entry.health.id)
            }
            guard state.detector?.sweep(now: now, random: random) ?? false else { return interval }
            for entry in state.hosts.values {
                let isEjected = state.detector?.isEjected(entry.health.id) ?? false
                let flags = entry.health.flags
                entry.health.set(isEjected ? flags.union(.ejected) : flags.subtracting(.ejected))
                entry.health.setCounting(state.detector?.isCounting(entry.health.id) ?? false)
            }
            subscribers = state.subscribers
            return interval
        }
        for subscriber in subscribers { subscriber.notify() }
        return wait
    }

    // MARK: Statistics

    func resetCounters() {
        state.withLock { state in
            state.pastCounts = OutlierDetector.Counts()
            state.detector?.resetCounts()
        }
    }

    /// What admin pages say of the hosts.
    func statistics() -> SharedClusterStats {
        state.withLock { state in
            var result = SharedClusterStats()
            if var counts = state.detector?.counts {
                counts.add(state.pastCounts)
                result.outliers = counts
            }
            for (address, entry) in state.hosts {
                var host = SharedClusterStats.Host()
                let flags = entry.health.flags
                host.isEjected = flags.contains(.ejected)
                host.failedActiveCheck = flags.contains(.failedActiveCheck)
                host.isPending = flags.contains(.pendingActiveCheck)
                host.isDegraded = flags.contains(.degradedActiveCheck)
                host.timedOut = flags.contains(.activeCheckTimedOut)
                let rates = state.detector?.successRate(entry.health.id)
                host.successRate = rates?.external
                host.localSuccessRate = rates?.local
                result.hosts[address.description] = host
            }
            return result
        }
    }
}

/// What is known of a cluster over all loops.
package struct SharedClusterStats: Sendable {
    package struct Host: Sendable {
        package var isEjected = false
        package var failedActiveCheck = false
        /// Not checked yet.
        package var isPending = false
        package var isDegraded = false
        /// The last failed check was a time-out.
        package var timedOut = false
        /// Percent in the last interval that had enough requests to judge by.
        package var successRate: Double?
        package var localSuccessRate: Double?

        package init() {}
    }

    /// nil: there is no outlier detection.
    package var outliers: OutlierDetector.Counts?
    /// By address.
    package var hosts: [String: Host] = [:]

    package init() {}
}
