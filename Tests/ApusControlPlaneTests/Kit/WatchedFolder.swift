import ApusControlPlane
import Foundation
import Logging
import Synchronization
import Testing

/// A watcher whose batches a test waits for, never longer than `patience`.
final class WatchedFolder: Sendable {
    static let patience: TimeInterval = 20

    private let condition = NSCondition()
    private let batches = Mutex<[[FileChange]]>([])
    private let watcher = Mutex<FolderWatcher?>(nil)

    init(_ roots: [String], _ change: (inout FolderWatcher.Options) -> Void = { _ in }) {
        var options = FolderWatcher.Options()
        // A test that passes by the slow road must not pass by chance: polling is off unless it is asked for.
        options.pollInterval = .seconds(3600)
        options.debounce = .milliseconds(5)
        change(&options)
        let made = FolderWatcher(roots: roots, options: options, logger: LogRecorder.silent) { [weak self] changes in
            self?.take(changes)
        }
        watcher.withLock { $0 = made }
        made.start()
    }

    deinit { watcher.withLock { $0 }?.stop() }

    private func take(_ changes: [FileChange]) {
        condition.lock()
        batches.withLock { $0.append(changes) }
        condition.broadcast()
        condition.unlock()
    }

    var seen: [[FileChange]] { batches.withLock { $0 } }

    /// Content by path after all batches so far.
    var content: [String: String] {
        var result: [String: String] = [:]
        for change in seen.joined() { result[change.path] = change.content.map { String(decoding: $0, as: UTF8.self) } }
        return result
    }

    /// Waits until the batches so far satisfy the condition; false when patience ends.
    func until(_ isDone: (WatchedFolder) -> Bool) -> Bool {
        let deadline = Date().addingTimeInterval(Self.patience)
        condition.lock()
        defer { condition.unlock() }
        while !isDone(self) {
            if !condition.wait(until: deadline) { return isDone(self) }
        }
        return true
    }

    func begins() -> Bool { until { !$0.seen.isEmpty } }

    /// Waits until the folder is seen as this.
    func becomes(_ expected: [String: String]) -> Bool { until { $0.content == expected } }
}
