internal import Synchronization

/// What the watcher has seen and the pipeline has not taken yet, merged: of two changes of one file the newer counts, so
/// a pipeline that is busy finds one batch however many changes there were.
package final class ChangeMailbox: Sendable {
    private struct State {
        var pending: [String: FileChange] = [:]
        /// Something was posted, perhaps an empty batch: that too means that the folders were read.
        var isPosted = false
        var isClosed = false
        var waiter: CheckedContinuation<[FileChange]?, Never>?

        mutating func take() -> [FileChange]? {
            guard isPosted else { return nil }
            isPosted = false
            defer { pending = [:] }
            return pending.values.sorted { $0.path < $1.path }
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func post(_ changes: [FileChange]) {
        let (waiter, batch) = state.withLock { state -> (CheckedContinuation<[FileChange]?, Never>?, [FileChange]?) in
            guard !state.isClosed else { return (nil, nil) }
            state.isPosted = true
            for change in changes { state.pending[change.path] = change }
            guard let waiter = state.waiter else { return (nil, nil) }
            state.waiter = nil
            return (waiter, state.take())
        }
        waiter?.resume(returning: batch)
    }

    /// The next batch, by path; nil when the mailbox is closed and empty. One caller at a time.
    package func next() async -> [FileChange]? {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> [FileChange]?? in
                if let batch = state.take() { return .some(batch) }
                if state.isClosed { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    package func close() {
        let waiter = state.withLock { state -> CheckedContinuation<[FileChange]?, Never>? in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
