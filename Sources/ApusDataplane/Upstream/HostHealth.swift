internal import ApusTraffic
internal import Synchronization

/// What all loops know of one host of a cluster. Written under the lock of its `SharedCluster`, read without one.
internal final class HostHealth: Sendable {
    /// What keeps a host from being used, or from being preferred.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt32

        static let ejected = Flags(rawValue: 1)
        static let failedActiveCheck = Flags(rawValue: 2)
        /// Not checked yet.
        static let pendingActiveCheck = Flags(rawValue: 4)
        static let degradedActiveCheck = Flags(rawValue: 8)
        /// Its last failed check was a time-out.
        static let activeCheckTimedOut = Flags(rawValue: 16)
        /// A request's answer said that it is to be left out (`x-envoy-immediate-health-check-fail`).
        static let excluded = Flags(rawValue: 32)
    }

    let address: ApusTraffic.SocketAddress
    /// Connections of all loops, for the limit per host.
    let limits = ClusterLimits()
    private let number: Atomic<Int>
    private let flagBits: Atomic<UInt32>
    /// 1 while failures in a row are being counted, so that a success has something to end.
    private let counting = Atomic<UInt32>(0)
    private let successes = Atomic<UInt64>(0)
    private let localSuccesses = Atomic<UInt64>(0)
    private let healthy: Atomic<Int64>

    init(address: ApusTraffic.SocketAddress, id: Int, flags: Flags, now: Int64) {
        self.address = address
        number = Atomic(id)
        flagBits = Atomic(flags.rawValue)
        healthy = Atomic(now)
    }

    /// The host's number in the detector; below zero: there is none.
    var id: Int { number.load(ordering: .relaxed) }

    var flags: Flags { Flags(rawValue: flagBits.load(ordering: .relaxed)) }

    var hasFailedCheck: Bool { flags.contains(.failedActiveCheck) }

    /// The instant from which the host counts as usable: when it came, or passed its first active check.
    var healthySince: Int64 { healthy.load(ordering: .relaxed) }

    /// - Parameter ignoresNew: hosts that were never checked are left out of all arithmetic.
    func state(ignoresNew: Bool) -> LoadBalancer.HostState {
        let flags = self.flags
        if flags.contains(.excluded) || (ignoresNew && flags.contains(.pendingActiveCheck)) { return .ignored }
        if !flags.isDisjoint(with: [.ejected, .failedActiveCheck]) { return .unusable }
        return flags.contains(.degradedActiveCheck) ? .degraded : .usable
    }

    // MARK: Under the lock

    func setID(_ id: Int) { number.store(id, ordering: .relaxed) }

    func set(_ flags: Flags) { flagBits.store(flags.rawValue, ordering: .relaxed) }

    func setHealthy(since now: Int64) { healthy.store(now, ordering: .relaxed) }

    func setCounting(_ isCounting: Bool) { counting.store(isCounting ? 1 : 0, ordering: .relaxed) }

    func takeSuccesses() -> UInt64 { successes.exchange(0, ordering: .relaxed) }

    func takeLocalSuccesses() -> UInt64 { localSuccesses.exchange(0, ordering: .relaxed) }

    // MARK: Without it

    /// Counts a success if that is all there is to do.
    func countSuccess() -> Bool {
        guard counting.load(ordering: .relaxed) == 0 else { return false }
        successes.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    func countLocalSuccess() -> Bool {
        guard counting.load(ordering: .relaxed) == 0 else { return false }
        localSuccesses.wrappingAdd(1, ordering: .relaxed)
        return true
    }
}
