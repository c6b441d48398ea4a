/// Limits how many pushes are on their way and not yet acknowledged, over all streams.
///
/// Thousands of streams that are pushed to at once would each hold a response in memory; with the gate only some do, and
/// the rest see newer content when their turn comes. A client that does not answer loses its permit after `patience`.
package actor PushGate {
    package struct Permit: Hashable, Sendable { fileprivate let number: UInt64 }

    private let limit: Int
    private let patience: Duration
    private var held: [Permit: ContinuousClock.Instant] = [:]
    private var waiting: [CheckedContinuation<Permit, Never>] = []
    private var firstWaiting = 0
    private var next: UInt64 = 0
    private var reclaiming = false

    package init(limit: Int = 128, patience: Duration = .seconds(1)) {
        self.limit = limit
        self.patience = patience
    }

    /// Permits that are given and not yet back, and callers that wait for one.
    package var heldCount: Int { held.count }
    package var waitingCount: Int { waiting.count - firstWaiting }

    package func acquire() async -> Permit {
        if held.count < limit { return grant() }
        reclaim()
        return await withCheckedContinuation { waiting.append($0) }
    }

    package func release(_ permit: Permit) {
        guard held.removeValue(forKey: permit) != nil else { return }
        admit()
    }

    private func grant() -> Permit {
        next &+= 1
        let permit = Permit(number: next)
        held[permit] = .now
        return permit
    }

    private func admit() {
        while held.count < limit, firstWaiting < waiting.count {
            let continuation = waiting[firstWaiting]
            firstWaiting += 1
            continuation.resume(returning: grant())
        }
        // What was served is dropped now and then, so that a gate that is never idle does not grow.
        if firstWaiting == waiting.count || firstWaiting > 1024 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
    }

    /// Takes back permits that were held too long, as long as somebody waits.
    private func reclaim() {
        guard !reclaiming else { return }
        reclaiming = true
        Task {
            repeat {
                try? await Task.sleep(for: patience)
                let now = ContinuousClock.now
                for (permit, since) in held where now - since >= patience { held[permit] = nil }
                admit()
            } while firstWaiting < waiting.count
            reclaiming = false
        }
    }
}
