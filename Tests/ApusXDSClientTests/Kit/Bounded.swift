internal import Testing

/// Collects what happens and lets a test wait for one thing, for a bounded time.
actor Journal<Entry: Sendable> {
    private var entries: [Entry] = []
    private var waiters: [Int: (matches: @Sendable (Entry) -> Bool, continuation: CheckedContinuation<Entry?, Never>)] =
        [:]
    private var nextWaiter = 0
    private var position = 0

    nonisolated let append: @Sendable (Entry) -> Void
    private nonisolated let source: AsyncStream<Entry>

    init() {
        let (stream, continuation) = AsyncStream<Entry>.makeStream()
        source = stream
        append = { continuation.yield($0) }
        Task { [weak self] in
            for await entry in stream { await self?.add(entry) }
        }
    }

    private func add(_ entry: Entry) {
        entries.append(entry)
        for (id, waiter) in waiters where waiter.matches(entry) {
            waiters[id] = nil
            position = entries.count
            waiter.continuation.resume(returning: entry)
        }
    }

    var all: [Entry] { entries }

    /// The next entry, after the last one that was waited for, that matches; nil after ten seconds without one.
    func next(
        _ what: Comment, at location: SourceLocation = #_sourceLocation,
        where matches: @escaping @Sendable (Entry) -> Bool
    ) async -> Entry? {
        if let index = entries[position...].firstIndex(where: matches) {
            position = index + 1
            return entries[index]
        }
        nextWaiter += 1
        let id = nextWaiter
        let limit = Task {
            try await Task.sleep(for: .seconds(10))
            giveUp(id)
        }
        let found = await withCheckedContinuation { waiters[id] = (matches, $0) }
        limit.cancel()
        if found == nil { Issue.record("never came: \(what)", sourceLocation: location) }
        return found
    }

    private func giveUp(_ id: Int) {
        waiters.removeValue(forKey: id)?.continuation.resume(returning: nil)
    }
}
