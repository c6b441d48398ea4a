internal import Foundation
package import Logging
internal import Synchronization

/// Writes the journal beside the pipeline, in order, so that no push waits for a disk.
package final class HistoryKeeper: Sendable {
    private let folder: StateFolder
    private let journal: Mutex<Journal>
    private let queue = DispatchQueue(label: "apus.history")
    private let logger: Logger

    package init(folder: StateFolder, logger: Logger) {
        self.folder = folder
        self.logger = logger
        journal = Mutex(Journal(folder: folder))
    }

    /// The newest text of each path that was free of errors, as known before this start.
    package func lastGoodTexts() async -> [String: String] {
        await withCheckedContinuation { continuation in
            queue.async { [folder] in continuation.resume(returning: Journal.lastGoodTexts(folder)) }
        }
    }

    /// Appends in the background; the number is given here.
    package func record(_ revision: Journal.Revision) {
        queue.async { [self] in
            journal.withLock { journal in
                var revision = revision
                revision.number = journal.nextNumber
                do {
                    try journal.append(revision)
                } catch {
                    logger.error("the history cannot be written", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Returns when everything recorded so far is written.
    package func flush() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }
}
