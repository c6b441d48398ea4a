/// A moment on a monotonic clock, counted from an origin that the owner of the clock chose (the start of the program).
///
/// Pure code gets its time as an argument of this type and never asks a clock.
package struct Instant: InstantProtocol, Hashable, Sendable {
    /// The time since the origin.
    package let sinceOrigin: Duration

    package init(sinceOrigin: Duration) { self.sinceOrigin = sinceOrigin }

    package static let origin = Instant(sinceOrigin: .zero)

    package func advanced(by duration: Duration) -> Instant { Instant(sinceOrigin: sinceOrigin + duration) }

    package func duration(to other: Instant) -> Duration { other.sinceOrigin - sinceOrigin }

    package static func < (left: Instant, right: Instant) -> Bool { left.sinceOrigin < right.sinceOrigin }
}
