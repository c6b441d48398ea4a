/// A moment on a monotonic clock, counted from an origin that the owner of the clock chose (the start of the program).
///
/// Pure code gets its time as an argument of this type and never asks a clock.
public struct Instant: InstantProtocol, Hashable, Sendable {
    /// The time since the origin.
    public let sinceOrigin: Duration

    public init(sinceOrigin: Duration) { self.sinceOrigin = sinceOrigin }

    public static let origin = Instant(sinceOrigin: .zero)

    public func advanced(by duration: Duration) -> Instant { Instant(sinceOrigin: sinceOrigin + duration) }

    public func duration(to other: Instant) -> Duration { other.sinceOrigin - sinceOrigin }

    public static func < (left: Instant, right: Instant) -> Bool { left.sinceOrigin < right.sinceOrigin }
}
