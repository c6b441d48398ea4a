package import ApusCore

/// The one clock of the control plane: moments since the program began.
package enum MonotonicClock {
    private static let origin = ContinuousClock.now

    package static var now: Instant { Instant(sinceOrigin: ContinuousClock.now - origin) }

    package static func sleep(until instant: Instant) async throws {
        try await Task.sleep(until: origin + instant.sinceOrigin, clock: .continuous)
    }
}
