/// A distribution of whole numbers (milliseconds, requests), in the log-linear bins that Envoy's library has: two
/// significant digits, so values below 100 have a bin each and larger ones 90 bins to a decade.
package struct Histogram: Sendable {
    /// 100 for what is below 100, then decades up to ten million (2.7 hours in milliseconds); the last takes the rest.
    private static let binCount = 100 + 5 * 90

    /// Empty until the first value: most clusters are never used.
    private var bins: [UInt64] = []
    package private(set) var count: UInt64 = 0
    package private(set) var sum: UInt64 = 0

    package init() {}

    package mutating func record(_ value: Int64) {
        if bins.isEmpty { bins = [UInt64](repeating: 0, count: Self.binCount) }
        let value = UInt64(clamping: value)
        bins[Self.bin(value)] &+= 1
        count &+= 1
        sum &+= value
    }

    package mutating func add(_ other: Histogram) {
        guard other.count > 0 else { return }
        if bins.isEmpty {
            self = other
            return
        }
        for index in bins.indices { bins[index] &+= other.bins[index] }
        count &+= other.count
        sum &+= other.sum
    }

    private static func bin(_ value: UInt64) -> Int {
        if value < 100 { return Int(value) }
        var rest = value / 10
        var decade = 0
        while rest >= 100 {
            rest /= 10
            decade += 1
        }
        return min(100 + decade * 90 + Int(rest) - 10, binCount - 1)
    }

    /// The smallest value of a bin, and how wide the bin is.
    private static func bounds(_ bin: Int) -> (low: Double, width: Double) {
        if bin == 0 { return (0, 0) }
        // Numbers with one digit have a bin of a tenth: their second significant digit is behind the point.
        if bin < 10 { return (Double(bin), 0.1) }
        if bin < 100 { return (Double(bin), 1) }
        var scale = 10.0
        for _ in 0..<(bin - 100) / 90 { scale *= 10 }
        return (Double((bin - 100) % 90 + 10) * scale, scale)
    }

    /// How many values are at most `limit`, to the precision of the bins.
    package func count(upTo limit: Double) -> UInt64 {
        var total: UInt64 = 0
        for (index, count) in bins.enumerated() where count > 0 {
            if Self.bounds(index).low > limit { break }
            total &+= count
        }
        return total
    }

    /// The value below which a share of the values lies, placed within its bin as Envoy places it; nil without values.
    ///
    /// - Parameter share: 0 to 1.
    package func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = max(1, (share * Double(count)).rounded(.up))
        var before = 0.0
        for (index, inBin) in bins.enumerated() where inBin > 0 {
            let here = Double(inBin)
            if before + here >= rank {
                let (low, width) = Self.bounds(index)
                return low + width * (rank - before) / (here + 1)
            }
            before += here
        }
        return nil
    }

    /// The bins that hold something.
    package var occupied: [(low: Double, width: Double, count: UInt64)] {
        bins.enumerated().filter { $1 > 0 }.map { index, count in
            let (low, width) = Self.bounds(index)
            return (low, width, count)
        }
    }

    /// Where Envoy's buckets end.
    package static let limits: [Double] = [
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300_000, 600_000, 1_800_000,
        3_600_000,
    ]
}
