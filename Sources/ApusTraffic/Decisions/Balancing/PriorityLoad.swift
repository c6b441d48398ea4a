/// How the traffic of a cluster is shared among its priorities, in whole percents: Envoy's arithmetic.
public struct PriorityLoad: Hashable, Sendable {
    /// Hosts of one priority.
    public struct Counts: Hashable, Sendable {
        public let all: Int
        public let healthy: Int
        public let degraded: Int

        public init(all: Int, healthy: Int, degraded: Int = 0) {
            self.all = all
            self.healthy = healthy
            self.degraded = degraded
        }
    }

    /// Percent of the traffic to the healthy hosts of each priority.
    public private(set) var healthy: [UInt32]
    /// Percent of the traffic to the degraded hosts of each priority.
    public private(set) var degraded: [UInt32]
    /// Priorities in which all hosts are used, however they are.
    public private(set) var panics: [Bool]

    /// - Parameters:
    ///   - overprovisioning: hundredths, 140 by default.
    ///   - panicThreshold: percent; 0 turns panic off.
    public init(_ counts: [Counts], overprovisioning: UInt32, panicThreshold: Double) {
        let factor = UInt64(overprovisioning)
        func share(_ part: Int, _ all: Int) -> UInt32 {
            all == 0 ? 0 : UInt32(min(100, factor &* UInt64(part) / UInt64(all)))
        }
        let healthShares = counts.map { share($0.healthy, $0.all) }
        let degradedShares = counts.map { share($0.degraded, $0.all) }
        let total = UInt32(
            min(100, healthShares.reduce(0) { $0 &+ UInt64($1) } &+ degradedShares.reduce(0) { $0 &+ UInt64($1) }))
        healthy = [UInt32](repeating: 0, count: counts.count)
        degraded = healthy
        panics = [Bool](repeating: false, count: counts.count)
        guard !counts.isEmpty else { return }

        if total > 0 {
            var left: UInt32 = 100
            func distribute(_ shares: [UInt32], _ loads: inout [UInt32]) {
                for index in shares.indices {
                    let load = min(left, shares[index] &* 100 / total)
                    loads[index] = load
                    left &-= load
                }
            }
            distribute(healthShares, &healthy)
            distribute(degradedShares, &degraded)
            // What rounding left over goes to the first priority that has anything.
            if left > 0 {
                if let first = healthShares.firstIndex(where: { $0 > 0 }) {
                    healthy[first] &+= left
                } else if let first = degradedShares.firstIndex(where: { $0 > 0 }) {
                    degraded[first] &+= left
                }
            }
        } else {
            healthy[0] = 100
        }

        if panicThreshold <= 0, total == 0 { return }
        // With enough good hosts in all priorities together, none of them panics.
        guard total < 100 else { return }
        for (index, count) in counts.enumerated() {
            let good = count.all == 0 ? 0 : 100 * Double(count.healthy + count.degraded) / Double(count.all)
            panics[index] = good < min(100, panicThreshold)
        }
        guard panics.allSatisfy({ $0 }) else { return }
        // All panic: traffic follows the number of hosts.
        let all = counts.reduce(0) { $0 + $1.all }
        degraded = [UInt32](repeating: 0, count: counts.count)
        healthy = degraded
        guard all > 0 else {
            healthy[0] = 100
            return
        }
        var left: UInt32 = 100
        for (index, count) in counts.enumerated() {
            healthy[index] = UInt32(100 * count.all / all)
            left &-= healthy[index]
        }
        if let first = counts.firstIndex(where: { $0.all > 0 }) { healthy[first] &+= left }
    }

    /// The priority for a number, and whether its degraded hosts are meant.
    public func choose(_ number: UInt64) -> (priority: Int, degraded: Bool)? {
        let percent = UInt32(number % 100) + 1
        var sum: UInt32 = 0
        for (index, load) in healthy.enumerated() {
            sum &+= load
            if percent <= sum { return (index, false) }
        }
        for (index, load) in degraded.enumerated() {
            sum &+= load
            if percent <= sum { return (index, true) }
        }
        return nil
    }
}
