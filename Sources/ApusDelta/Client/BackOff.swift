/// When to try again: a random time below a bound that doubles with each failure in a row (full jitter), so that the
/// clients of a server that restarts do not come back together.
package struct BackOff: Hashable, Sendable {
    /// The bound after the first failure.
    package let base: Duration
    /// The greatest bound.
    package let most: Duration
    package private(set) var failures = 0

    package init(base: Duration = .milliseconds(500), most: Duration = .seconds(30)) {
        self.base = base
        self.most = most
    }

    /// The pause after one more failure.
    package mutating func pause(using generator: inout some RandomNumberGenerator) -> Duration {
        var bound = base
        for _ in 0..<failures where bound < most { bound = bound * 2 }
        bound = min(bound, most)
        failures = min(failures + 1, 64)
        return bound * Double.random(in: 0..<1, using: &generator)
    }

    package mutating func succeeded() { failures = 0 }
}
