internal import Synchronization

/// The circuit breakers of one cluster and priority, shared by all loops.
///
/// Counts first and looks after: two loops that race for the last place both see the sum, and one steps back.
internal final class ClusterLimits: Sendable {
    private let connections = Atomic<Int>(0)
    private let pending = Atomic<Int>(0)
    private let requests = Atomic<Int>(0)
    private let retries = Atomic<Int>(0)

    enum Resource { case connection, pending, request, retry }

    /// Takes one place if fewer than `limit` are taken.
    func take(_ resource: Resource, limit: Int) -> Bool {
        let taken: Int
        switch resource {
        case .connection: taken = connections.add(1, ordering: .relaxed).newValue
        case .pending: taken = pending.add(1, ordering: .relaxed).newValue
        case .request: taken = requests.add(1, ordering: .relaxed).newValue
        case .retry: taken = retries.add(1, ordering: .relaxed).newValue
        }
        if taken <= limit { return true }
        give(resource)
        return false
    }

    /// Takes a place whatever the limit says.
    func force(_ resource: Resource) { _ = take(resource, limit: .max) }

    func give(_ resource: Resource) {
        switch resource {
        case .connection: connections.subtract(1, ordering: .relaxed)
        case .pending: pending.subtract(1, ordering: .relaxed)
        case .request: requests.subtract(1, ordering: .relaxed)
        case .retry: retries.subtract(1, ordering: .relaxed)
        }
    }

    func taken(_ resource: Resource) -> Int {
        switch resource {
        case .connection: connections.load(ordering: .relaxed)
        case .pending: pending.load(ordering: .relaxed)
        case .request: requests.load(ordering: .relaxed)
        case .retry: retries.load(ordering: .relaxed)
        }
    }
}
