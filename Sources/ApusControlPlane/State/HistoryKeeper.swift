package import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Foundation
package import Logging
internal import Synchronization

/// Writes the journal beside the pipeline, in order, so that no push waits for a disk.
package final class HistoryKeeper: Sendable {
    /// What one batch of files changed.
    package struct Step: Sendable {
        package struct Change: Sendable {
            /// `Kind namespace/name`.
            package let object: String
            package let version: ContentVersion
            /// The path it is read from.
            package let file: String
        }

        package let time: Double
        package let version: String
        package let changed: [Change]
        package let removed: [String]
        package let rejected: [String]
        package let files: [Journal.FileText]
        /// The files are all there are, whether they changed since the last run or not.
        package let isFirst: Bool
    }

    private let folder: StateFolder
    private let journal: Mutex<Journal?>
    private let queue = DispatchQueue(label: "apus.history", qos: .utility)
    private let logger: Logger

    package init(folder: StateFolder, logger: Logger) {
        self.folder = folder
        self.logger = logger
        journal = Mutex(nil)
    }

    /// Per path the newest text that was free of errors and the damaged ones since, oldest first.
    package func texts() async -> [String: [Journal.FileText]] {
        await withCheckedContinuation { continuation in
            queue.async { [folder] in continuation.resume(returning: Journal.texts(folder)) }
        }
    }

    /// Appends in the background.
    package func record(_ step: Step) {
        queue.async { [self] in
            journal.withLock { journal in
                var open = journal ?? Journal(folder: folder)
                defer { journal = open }
                guard let revision = revision(of: step, open) else { return }
                do {
                    try open.append(revision)
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

    /// nil if nothing changed since the last run.
    private func revision(of step: Step, _ journal: Journal) -> Journal.Revision? {
        var revision = Journal.Revision(
            number: journal.nextNumber, time: step.time, version: step.version, changed: step.changed.map(\.object),
            removed: step.removed, rejected: step.rejected, files: step.files)
        guard step.isFirst, journal.lastVersion != nil else { return revision }
        let known = Journal.texts(folder)
        let present = Set(step.files.map(\.path))
        let different = step.files.filter { known[$0.path]?.last?.text != $0.text }
        let gone = known.keys.filter { !present.contains($0) }.sorted()
        if different.isEmpty, gone.isEmpty, journal.lastVersion == step.version { return nil }
        // Objects of the last run in the files that are different now, against those of this run.
        var before: [String: ContentVersion] = [:]
        for path in different.map(\.path) + gone {
            for object in Replay.file(path, known[path] ?? []).objects {
                before[object.key.description] = object.version
            }
        }
        let differentPaths = Set(different.map(\.path))
        revision.changed = step.changed.filter {
            differentPaths.contains($0.file) && before[$0.object] != $0.version
        }.map(\.object)
        let inForce = Set(step.changed.map(\.object))
        revision.removed = before.keys.filter { !inForce.contains($0) }.sorted()
        revision.files = different + gone.map { Journal.FileText(path: $0, text: nil, damaged: false) }
        return revision
    }
}
