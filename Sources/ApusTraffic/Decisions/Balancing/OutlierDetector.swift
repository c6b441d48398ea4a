/// Passive health of the hosts of one cluster: who is ejected, and until when. A pure machine; instants are nanoseconds
/// of any clock that does not go back. Hosts are known by the ids that `insert` gives out.
public struct OutlierDetector: Sendable {
    public enum Outcome: Hashable, Sendable {
        /// A response; gRPC statuses are mapped first.
        case response(status: UInt16)
        /// Connect failure or reset: seen here, not told by the host.
        case localFailure
        /// No answer in time.
        case localTimeout
        /// A connection was there. Says nothing of the host unless errors are split.
        case localSuccess
        /// A connection was there and no answer is awaited (TCP): a success in any case.
        case localSuccessFinal
    }

    /// What a host is ejected for.
    public enum Cause: Int, CaseIterable, Hashable, Sendable {
        case consecutive5xx
        case consecutiveGatewayFailure
        case consecutiveLocalOriginFailure
        case successRate
        case localOriginSuccessRate
        case failurePercentage
        case localOriginFailurePercentage
    }

    /// Counters since the detector was made.
    public struct Counts: Hashable, Sendable {
        /// Times a cause was seen, by `Cause.rawValue`.
        public fileprivate(set) var detected = [UInt64](repeating: 0, count: Cause.allCases.count)
        /// Ejections, by `Cause.rawValue`.
        public fileprivate(set) var enforced = [UInt64](repeating: 0, count: Cause.allCases.count)
        /// Ejections that the limit on ejected hosts forbade.
        public fileprivate(set) var overflows: UInt64 = 0

        public init() {}

        public mutating func add(_ other: Counts) {
            for index in detected.indices {
                detected[index] &+= other.detected[index]
                enforced[index] &+= other.enforced[index]
            }
            overflows &+= other.overflows
        }

        public var enforcedTotal: UInt64 { enforced.reduce(0, &+) }
    }

    /// Requests of one interval.
    private struct Volume: Sendable {
        var requests: UInt64 = 0
        var successes: UInt64 = 0

        /// Percent; nil: no requests.
        var rate: Double? { requests == 0 ? nil : 100 * Double(successes) / Double(requests) }
    }

    private struct Host: Sendable {
        var ejectedAt: Int64?
        var multiplier: Int64 = 0
        /// Added to the time of this ejection, so that hosts ejected together do not come back together.
        var jitter: Int64 = 0
        var consecutive5xx: UInt32 = 0
        var consecutiveGateway: UInt32 = 0
        var consecutiveLocal: UInt32 = 0
        var external = Volume()
        var local = Volume()
        /// Of the last interval that was judged.
        var successRate: Double?
        var localSuccessRate: Double?
    }

    public let config: OutlierDetectionConfig
    private var hosts: [Host?]
    private var free: [Int] = []
    private var hostCount: Int
    public private(set) var counts = Counts()
    public private(set) var ejectedCount = 0

    public init(config: OutlierDetectionConfig, hostCount: Int = 0) {
        self.config = config
        self.hostCount = hostCount
        hosts = [Host?](repeating: Host(), count: hostCount)
    }

    public mutating func resetCounts() { counts = Counts() }

    // MARK: Hosts

    /// A place for one more host.
    public mutating func insert() -> Int {
        hostCount += 1
        if let id = free.popLast() {
            hosts[id] = Host()
            return id
        }
        hosts.append(Host())
        return hosts.count - 1
    }

    public mutating func remove(_ id: Int) {
        guard hosts.indices.contains(id), let host = hosts[id] else { return }
        if host.ejectedAt != nil { ejectedCount -= 1 }
        hosts[id] = nil
        hostCount -= 1
        free.append(id)
    }

    public func isEjected(_ id: Int) -> Bool { hosts.indices.contains(id) && hosts[id]?.ejectedAt != nil }

    /// True if failures in a row are being counted, which a success would end.
    public func isCounting(_ id: Int) -> Bool {
        guard hosts.indices.contains(id), let host = hosts[id] else { return false }
        return host.consecutive5xx > 0 || host.consecutiveGateway > 0 || host.consecutiveLocal > 0
    }

    /// Percent of the last interval, if there was enough to judge by.
    public func successRate(_ id: Int) -> (external: Double?, local: Double?) {
        guard hosts.indices.contains(id), let host = hosts[id] else { return (nil, nil) }
        return (host.successRate, host.localSuccessRate)
    }

    // MARK: Outcomes

    /// Adds requests that were counted elsewhere because nothing but their number matters.
    public mutating func addSuccesses(_ count: UInt64, host id: Int) {
        guard hosts.indices.contains(id) else { return }
        hosts[id]?.external.requests &+= count
        hosts[id]?.external.successes &+= count
    }

    /// The same for connections.
    public mutating func addLocalSuccesses(_ count: UInt64, host id: Int) {
        guard hosts.indices.contains(id) else { return }
        hosts[id]?.local.requests &+= count
        hosts[id]?.local.successes &+= count
    }

    /// - Returns: true if the host is ejected by this.
    public mutating func record(_ outcome: Outcome, host id: Int, now: Int64, random: UInt64) -> Bool {
        guard hosts.indices.contains(id), hosts[id] != nil else { return false }
        switch outcome {
        case .response(let status): return response(status, id, now, random)
        case .localSuccess where config.splitsLocalOriginErrors,
            .localSuccessFinal where config.splitsLocalOriginErrors:
            hosts[id]?.consecutiveLocal = 0
            addLocalSuccesses(1, host: id)
            return false
        case .localSuccess: return false
        case .localSuccessFinal: return response(200, id, now, random)
        case .localFailure where config.splitsLocalOriginErrors, .localTimeout where config.splitsLocalOriginErrors:
            hosts[id]?.local.requests &+= 1
            hosts[id]?.consecutiveLocal &+= 1
            guard hosts[id]?.consecutiveLocal == config.consecutiveLocalOriginFailure else { return false }
            let ejected = detect(.consecutiveLocalOriginFailure, id, now, random)
            hosts[id]?.consecutiveLocal = 0
            return ejected
        case .localFailure: return response(503, id, now, random)
        case .localTimeout: return response(504, id, now, random)
        }
    }

    private mutating func response(_ status: UInt16, _ id: Int, _ now: Int64, _ random: UInt64) -> Bool {
        guard status >= 200 else { return false }
        hosts[id]?.external.requests &+= 1
        guard (500...599).contains(status) else {
            hosts[id]?.external.successes &+= 1
            hosts[id]?.consecutive5xx = 0
            hosts[id]?.consecutiveGateway = 0
            return false
        }
        var ejected = false
        if (502...504).contains(status) {
            hosts[id]?.consecutiveGateway &+= 1
            if hosts[id]?.consecutiveGateway == config.consecutiveGatewayFailure {
                ejected = detect(.consecutiveGatewayFailure, id, now, random)
                hosts[id]?.consecutiveGateway = 0
            }
        } else {
            hosts[id]?.consecutiveGateway = 0
        }
        hosts[id]?.consecutive5xx &+= 1
        if hosts[id]?.consecutive5xx == config.consecutive5xx {
            ejected = detect(.consecutive5xx, id, now, Draw(random).derived(1)) || ejected
            hosts[id]?.consecutive5xx = 0
        }
        return ejected
    }

    // MARK: Ejection

    private func enforcing(_ cause: Cause) -> UInt32 {
        switch cause {
        case .consecutive5xx: config.enforcingConsecutive5xx
        case .consecutiveGatewayFailure: config.enforcingConsecutiveGatewayFailure
        case .consecutiveLocalOriginFailure: config.enforcingConsecutiveLocalOriginFailure
        case .successRate: config.enforcingSuccessRate
        case .localOriginSuccessRate: config.enforcingLocalOriginSuccessRate
        case .failurePercentage: config.enforcingFailurePercentage
        case .localOriginFailurePercentage: config.enforcingLocalOriginFailurePercentage
        }
    }

    private var base: Int64 { max(1, config.baseEjectionTime.wholeNanoseconds) }

    private var longest: Int64 { max(config.maxEjectionTime.wholeNanoseconds, base) }

    /// A cause was seen; it becomes an ejection unless the host is ejected, the limit is reached or chance spares it.
    private mutating func detect(_ cause: Cause, _ id: Int, _ now: Int64, _ random: UInt64) -> Bool {
        guard hosts[id]?.ejectedAt == nil else { return false }
        counts.detected[cause.rawValue] &+= 1
        // Not rounded: a third of the hosts is more than 33 percent of them.
        let share = 100 * Double(ejectedCount + 1) / Double(max(1, hostCount))
        guard share <= Double(config.maxEjectionPercent) || (config.alwaysEjectsOneHost && ejectedCount == 0) else {
            counts.overflows &+= 1
            return false
        }
        guard random % 100 < UInt64(enforcing(cause)) else { return false }
        counts.enforced[cause.rawValue] &+= 1
        hosts[id]?.ejectedAt = now
        let most = max(0, config.maxEjectionTimeJitter.wholeNanoseconds)
        hosts[id]?.jitter = most > 0 ? Int64(Draw(random).derived(2) % UInt64(most)) : 0
        let (reached, overflow) = base.multipliedReportingOverflow(by: hosts[id]?.multiplier ?? 0)
        let (limit, tooLong) = longest.addingReportingOverflow(base)
        if !overflow, tooLong || reached < limit { hosts[id]?.multiplier += 1 }
        ejectedCount += 1
        return true
    }

    /// The host takes part again, its failures in a row forgotten.
    ///
    /// - Returns: false if it was not ejected.
    public mutating func uneject(_ id: Int) -> Bool {
        guard isEjected(id) else { return false }
        hosts[id]?.ejectedAt = nil
        hosts[id]?.consecutive5xx = 0
        hosts[id]?.consecutiveGateway = 0
        hosts[id]?.consecutiveLocal = 0
        ejectedCount -= 1
        return true
    }

    // MARK: The sweep

    /// The sweep at every `interval`: hosts whose time is over return, and the rates of the interval are judged.
    ///
    /// - Returns: true if the set of ejected hosts is different now.
    public mutating func sweep(now: Int64, random: UInt64) -> Bool {
        var changed = false
        for id in hosts.indices {
            guard let host = hosts[id] else { continue }
            guard let since = host.ejectedAt else {
                if host.multiplier > 0 { hosts[id]?.multiplier -= 1 }
                continue
            }
            let (time, overflow) = base.multipliedReportingOverflow(by: max(1, host.multiplier))
            let wait = (overflow ? longest : min(time, longest)).addingReportingOverflow(host.jitter)
            if now &- since >= (wait.overflow ? .max : wait.partialValue) { changed = uneject(id) || changed }
        }
        for id in hosts.indices {
            hosts[id]?.successRate = nil
            hosts[id]?.localSuccessRate = nil
        }
        var draw = Draw(random)
        changed = judge(local: false, now: now, &draw) || changed
        if config.splitsLocalOriginErrors { changed = judge(local: true, now: now, &draw) || changed }
        for id in hosts.indices {
            hosts[id]?.external = Volume()
            hosts[id]?.local = Volume()
        }
        return changed
    }

    private mutating func judge(local: Bool, now: Int64, _ draw: inout Draw) -> Bool {
        guard
            hostCount >= Int(config.successRateMinimumHosts) || hostCount >= Int(config.failurePercentageMinimumHosts)
        else { return false }
        var judged: [(id: Int, rate: Double)] = []
        var failing: [(id: Int, rate: Double)] = []
        for id in hosts.indices {
            guard let host = hosts[id], host.ejectedAt == nil else { continue }
            let volume = local ? host.local : host.external
            guard let rate = volume.rate else { continue }
            let forRate = volume.requests >= UInt64(config.successRateRequestVolume)
            let forPercentage = volume.requests >= UInt64(config.failurePercentageRequestVolume)
            if forRate || forPercentage {
                if local { hosts[id]?.localSuccessRate = rate } else { hosts[id]?.successRate = rate }
            }
            if forRate { judged.append((id, rate)) }
            if forPercentage { failing.append((id, rate)) }
        }
        var changed = false
        if !judged.isEmpty, judged.count >= Int(config.successRateMinimumHosts) {
            let count = Double(judged.count)
            let mean = judged.reduce(0) { $0 + $1.rate } / count
            let variance = judged.reduce(0) { $0 + ($1.rate - mean) * ($1.rate - mean) } / count
            let threshold = mean - variance.squareRoot() * Double(config.successRateStdevFactor) / 1000
            for (id, rate) in judged where rate < threshold {
                draw = Draw(draw.derived(0))
                changed = detect(local ? .localOriginSuccessRate : .successRate, id, now, draw.value) || changed
            }
        }
        if !failing.isEmpty, failing.count >= Int(config.failurePercentageMinimumHosts) {
            for (id, rate) in failing where 100 - rate >= Double(config.failurePercentageThreshold) {
                draw = Draw(draw.derived(0))
                let cause = local ? Cause.localOriginFailurePercentage : .failurePercentage
                changed = detect(cause, id, now, draw.value) || changed
            }
        }
        return changed
    }
}
