internal import Foundation
internal import Glibc

/// The revisions served so far, on disk: what `apus history` lists, and where the last good text of a damaged file is
/// found after a restart.
///
/// One JSON object a line, appended; rewritten when it has grown to twice what it must hold. A line that a crash cut
/// short is left out when it is read.
package struct Journal {
    package struct FileText: Codable, Sendable {
        package var path: String
        /// nil: the file was gone.
        package var text: String?
        /// The file had an error, so an older text of it must be kept.
        package var damaged: Bool

        package init(path: String, text: String?, damaged: Bool) {
            self.path = path
            self.text = text
            self.damaged = damaged
        }
    }

    package struct Revision: Codable, Sendable {
        package var number: Int
        /// Seconds since 1970.
        package var time: Double
        /// Digest of all objects in force.
        package var version: String
        /// `Kind namespace/name`, sorted.
        package var changed: [String]
        package var removed: [String]
        /// Objects that were left out, or stay at an older version, because of an error.
        package var rejected: [String]
        package var files: [FileText]

        package init(
            number: Int, time: Double, version: String, changed: [String], removed: [String], rejected: [String],
            files: [FileText]
        ) {
            self.number = number
            self.time = time
            self.version = version
            self.changed = changed
            self.removed = removed
            self.rejected = rejected
            self.files = files
        }
    }

    package static let name = "history.jsonl"
    /// Revisions kept with their texts; older ones are folded into the first line.
    package static let limit = 100
    /// Bytes of revisions kept; older ones are folded although they are fewer than `limit`.
    package static let byteLimit = 64 << 20
    /// Damaged texts of one file that are kept after its last good one.
    package static let damagedLimit = 8
    private static let readLimit = 1 << 30

    private let folder: StateFolder
    private let limit: Int
    /// Appended bytes after which compacting is due.
    private let slack: Int
    private var lastNumber = 0
    package private(set) var lastVersion: String?
    private var bytesAppended = 0
    private var bytesAtRewrite = 0
    /// The file ends in the middle of a line, which must not swallow the next one.
    private var endsMidLine = false

    /// - Parameter slack: bytes that may be appended before the first compacting.
    package init(folder: StateFolder, limit: Int = Journal.limit, slack: Int = 1 << 20) {
        self.folder = folder
        self.limit = limit
        self.slack = slack
        let bytes = folder.read(Self.name, limit: Self.readLimit) ?? []
        let last = Self.revisions(bytes).last
        lastNumber = last?.number ?? 0
        lastVersion = last?.version
        endsMidLine = bytes.last.map { $0 != UInt8(ascii: "\n") } ?? false
        // What earlier runs appended counts, or restarts would put off compacting for ever.
        bytesAppended = bytes.count
        bytesAtRewrite = slack
    }

    package var nextNumber: Int { lastNumber + 1 }

    /// All revisions that can be read, oldest first.
    package static func read(_ folder: StateFolder) -> [Revision] {
        revisions(folder.read(name, limit: readLimit) ?? [])
    }

    private static func revisions(_ bytes: [UInt8]) -> [Revision] {
        let decoder = JSONDecoder()
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            try? decoder.decode(Revision.self, from: Data(line))
        }
    }

    /// Per path the newest text that was free of errors and the damaged ones since, oldest first: what brings back the
    /// objects in force. Files that were gone at last are not among them.
    package static func texts(_ folder: StateFolder) -> [String: [FileText]] { fold(read(folder)) }

    private static func fold(_ revisions: some Sequence<Revision>) -> [String: [FileText]] {
        var result: [String: [FileText]] = [:]
        for file in revisions.lazy.flatMap(\.files) {
            if file.text == nil {
                result[file.path] = nil
            } else if file.damaged {
                let older = result[file.path] ?? []
                let good = older.filter { !$0.damaged }
                result[file.path] = good + older.filter(\.damaged).suffix(damagedLimit - 1) + [file]
            } else {
                result[file.path] = [file]
            }
        }
        return result
    }

    package mutating func append(_ revision: Revision) throws {
        let line = (endsMidLine ? [UInt8(ascii: "\n")] : []) + (try Self.line(revision))
        let descriptor = open(folder.file(Self.name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StateFolder.Failure(description: "cannot open the history: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        // One write: another reader sees whole lines.
        let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == line.count else {
            let reason = count < 0 ? String(cString: strerror(errno)) : "the disk is full"
            endsMidLine = endsMidLine || count > 0
            throw StateFolder.Failure(description: "cannot write the history: \(reason)")
        }
        endsMidLine = false
        lastNumber = revision.number
        lastVersion = revision.version
        bytesAppended += line.count
        if bytesAppended > bytesAtRewrite { try compact() }
    }

    /// Folds everything older than the newest revisions into one.
    private mutating func compact() throws {
        let revisions = Self.read(folder)
        var lines: [[UInt8]] = []
        var bytes = 0
        for revision in revisions.reversed().prefix(limit) {
            let line = try Self.line(revision)
            bytes += line.count
            if !lines.isEmpty, bytes > Self.byteLimit { break }
            lines.append(line)
        }
        let older = revisions.dropLast(lines.count)
        if let last = older.last {
            var folded = last
            folded.files = Self.fold(older).sorted { $0.key < $1.key }.flatMap(\.value)
            lines.append(try Self.line(folded))
        }
        let text = Array(lines.reversed().joined())
        try folder.write(Self.name, text)
        bytesAppended = 0
        bytesAtRewrite = max(text.count, slack)
    }

    private static func line(_ revision: Revision) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(revision)) + [UInt8(ascii: "\n")]
    }
}
