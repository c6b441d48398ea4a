internal import Synchronization

/// A bucket of tokens that fills evenly. Shared by all loops; time is an argument.
///
/// The state is one instant: the one at which the bucket would have been empty. Taking a token moves it forward by the
/// time that a token takes to come, so that no loop ever waits for another.
public final class TokenBucket: Sendable {
    public let maxTokens: UInt32
    /// Nanoseconds that one token takes to come.
    public let perToken: Int64
    /// Nanoseconds that an empty bucket takes to be full.
    private let capacity: Int64
    private let emptyAt: Atomic<Int64>

    /// Full at first.
    ///
    /// - Parameters:
    ///   - tokensPerFill: at least 1; they come evenly over `fillInterval`, not all at its end.
    public init(maxTokens: UInt32, tokensPerFill: UInt32, fillInterval: Duration) {
        self.maxTokens = maxTokens
        perToken = max(1, min(.max / 8, fillInterval.wholeNanoseconds / Int64(max(1, tokensPerFill))))
        let (capacity, overflow) = perToken.multipliedReportingOverflow(by: Int64(maxTokens))
        // A bucket that takes centuries to fill is as good as one that never fills.
        self.capacity = overflow ? .max / 4 : min(capacity, .max / 4)
        emptyAt = Atomic(.min / 4)
    }

    private func credit(_ empty: Int64, _ now: Int64) -> Int64 {
        guard now > empty else { return 0 }
        let (passed, overflow) = now.subtractingReportingOverflow(empty)
        return overflow ? capacity : min(capacity, passed)
    }

    /// Takes one token, if there is one.
    ///
    /// - Parameter now: nanoseconds of a clock that does not go back.
    public func take(now: Int64) -> Bool {
        var empty = emptyAt.load(ordering: .relaxed)
        while true {
            let credit = credit(empty, now)
            guard credit >= perToken else { return false }
            let (done, original) = emptyAt.compareExchange(
                expected: empty, desired: now &- (credit &- perToken), ordering: .relaxed)
            if done { return true }
            empty = original
        }
    }

    public func remaining(now: Int64) -> UInt32 {
        UInt32(clamping: credit(emptyAt.load(ordering: .relaxed), now) / perToken)
    }

    /// Whole seconds until there is a token.
    public func secondsToNext(now: Int64) -> Int64 {
        let credit = credit(emptyAt.load(ordering: .relaxed), now)
        return credit >= perToken ? 0 : (perToken &- credit) / 1_000_000_000
    }
}
