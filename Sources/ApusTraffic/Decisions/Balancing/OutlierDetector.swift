/// Passive health of the hosts of one cluster: who is ejected, and until when. A pure machine; instants are nanoseconds
/// of any clock that does not go back.
package struct OutlierDetector: Sendable {
    package enum Outcome: Hashable, Sendable {
        /// A response; gRPC statuses are mapped first.
        case response(status: UInt16)
        /// Connect failure, reset or time-out: seen here, not told by the host.
        case localFailure
        case localSuccess
    }

    package struct Host: Sendable {
        package fileprivate(set) var ejectedAt: Int64?
        fileprivate var multiplier: Int64 = 0
        /// Added to the time of this ejection, so that hosts ejected together do not come back together.
        fileprivate var jitter: Int64 = 0
        fileprivate var consecutive5xx: UInt32 = 0
        fileprivate var consecutiveGateway: UInt32 = 0
        fileprivate var consecutiveLocal: UInt32 = 0
        fileprivate var successes: UInt64 = 0
        fileprivate var requests: UInt64 = 0
    }

    private let config: OutlierDetectionConfig
    package private(set) var hosts: [Host]
    /// Ejections that the limit on ejected hosts forbade.
    package private(set) var overflows: UInt64 = 0
    private var ejectedCount = 0

    package init(config: OutlierDetectionConfig, hostCount: Int) {
        self.config = config
        hosts = [Host](repeating: Host(), count: hostCount)
    }

    package func isEjected(_ index: Int) -> Bool { index < hosts.count && hosts[index].ejectedAt != nil }

    /// Takes over what is known of a host from a detector for an older set of hosts.
    package mutating func adopt(_ host: Host, at index: Int) {
        guard index < hosts.count, hosts[index].ejectedAt == nil else { return }
        hosts[index] = host
        if host.ejectedAt != nil { ejectedCount += 1 }
    }

    /// - Returns: true if the host is ejected by this.
    package mutating func record(_ outcome: Outcome, host index: Int, now: Int64, random: UInt64) -> Bool {
        guard index < hosts.count else { return false }
        var status: UInt16 = 0
        switch outcome {
        case .localSuccess:
            hosts[index].consecutiveLocal = 0
            return false
        case .localFailure:
            if config.splitsLocalOriginErrors {
                hosts[index].consecutiveLocal &+= 1
                return reached(hosts[index].consecutiveLocal, config.consecutiveLocalOriginFailure)
                    && eject(index, config.enforcingConsecutiveLocalOriginFailure, now, random)
            }
            status = 503
        case .response(let value): status = value
        }
        guard status >= 200 else { return false }
        hosts[index].requests &+= 1
        guard status >= 500 else {
            hosts[index].successes &+= 1
            hosts[index].consecutive5xx = 0
            hosts[index].consecutiveGateway = 0
            return false
        }
        var ejected = false
        if (502...504).contains(status) {
            hosts[index].consecutiveGateway &+= 1
            if reached(hosts[index].consecutiveGateway, config.consecutiveGatewayFailure) {
                hosts[index].consecutiveGateway = 0
                ejected = eject(index, config.enforcingConsecutiveGatewayFailure, now, random)
            }
        } else {
            hosts[index].consecutiveGateway = 0
        }
        hosts[index].consecutive5xx &+= 1
        if reached(hosts[index].consecutive5xx, config.consecutive5xx) {
            hosts[index].consecutive5xx = 0
            ejected = eject(index, config.enforcingConsecutive5xx, now, Draw(random).derived(1)) || ejected
        }
        return ejected
    }

    private func reached(_ count: UInt32, _ threshold: UInt32) -> Bool { threshold > 0 && count >= threshold }

    private mutating func eject(_ index: Int, _ enforcing: UInt32, _ now: Int64, _ random: UInt64) -> Bool {
        guard hosts[index].ejectedAt == nil, random % 100 < UInt64(enforcing) else { return false }
        let after = 100 * (ejectedCount + 1) / max(1, hosts.count)
        guard after <= Int(config.maxEjectionPercent) || (config.alwaysEjectsOneHost && ejectedCount == 0) else {
            overflows &+= 1
            return false
        }
        hosts[index].ejectedAt = now
        let most = max(0, config.maxEjectionTimeJitter.wholeNanoseconds)
        hosts[index].jitter = most > 0 ? Int64(Draw(random).derived(2) % UInt64(most)) : 0
        let base = max(1, config.baseEjectionTime.wholeNanoseconds)
        let longest = max(config.maxEjectionTime.wholeNanoseconds, base)
        if hosts[index].multiplier < longest / base { hosts[index].multiplier += 1 }
        ejectedCount += 1
        return true
    }

    /// The sweep at every `interval`: hosts whose time is over return, and the rates of the interval are judged.
    ///
    /// - Returns: true if the set of ejected hosts is different now.
    package mutating func sweep(now: Int64, random: UInt64) -> Bool {
        var changed = false
        let base = max(1, config.baseEjectionTime.wholeNanoseconds)
        let most = max(config.maxEjectionTime.wholeNanoseconds, base)
        for index in hosts.indices {
            guard let since = hosts[index].ejectedAt else {
                if hosts[index].multiplier > 0 { hosts[index].multiplier -= 1 }
                continue
            }
            let (time, overflow) = base.multipliedReportingOverflow(by: max(1, hosts[index].multiplier))
            let wait = (overflow ? most : min(time, most)).addingReportingOverflow(hosts[index].jitter)
            guard now &- since >= (wait.overflow ? .max : wait.partialValue) else { continue }
            hosts[index].ejectedAt = nil
            hosts[index].consecutive5xx = 0
            hosts[index].consecutiveGateway = 0
            hosts[index].consecutiveLocal = 0
            ejectedCount -= 1
            changed = true
        }
        changed = judgeRates(now: now, random: random) || changed
        for index in hosts.indices {
            hosts[index].successes = 0
            hosts[index].requests = 0
        }
        return changed
    }

    private mutating func judgeRates(now: Int64, random: UInt64) -> Bool {
        var changed = false
        var draw = Draw(random)
        func candidates(_ volume: UInt32) -> [Int] {
            hosts.indices.filter {
                hosts[$0].ejectedAt == nil && hosts[$0].requests >= UInt64(max(1, volume))
            }
        }
        func rate(_ index: Int) -> Double {
            100 * Double(hosts[index].successes) / Double(max(1, hosts[index].requests))
        }
        let judged = candidates(config.successRateRequestVolume)
        if !judged.isEmpty, judged.count >= Int(config.successRateMinimumHosts), config.enforcingSuccessRate > 0 {
            let rates = judged.map(rate)
            let mean = rates.reduce(0, +) / Double(rates.count)
            let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
            let threshold = mean - variance.squareRoot() * Double(config.successRateStdevFactor) / 1000
            for (offset, index) in judged.enumerated() where rates[offset] < threshold {
                draw = Draw(draw.derived(0))
                changed = eject(index, config.enforcingSuccessRate, now, draw.value) || changed
            }
        }
        let failing = candidates(config.failurePercentageRequestVolume)
        if !failing.isEmpty, failing.count >= Int(config.failurePercentageMinimumHosts),
            config.enforcingFailurePercentage > 0
        {
            for index in failing where 100 - rate(index) >= Double(config.failurePercentageThreshold) {
                draw = Draw(draw.derived(0))
                changed = eject(index, config.enforcingFailurePercentage, now, draw.value) || changed
            }
        }
        return changed
    }
}
