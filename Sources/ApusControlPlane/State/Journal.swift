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

    private let folder: StateFolder
    private var lastNumber = 0
    private var bytesAppended = 0
    private var bytesAtRewrite = 0

    package init(folder: StateFolder) {
        self.folder = folder
        let revisions = Self.read(folder)
        lastNumber = revisions.last?.number ?? 0
        bytesAtRewrite = max(folder.read(Self.name)?.count ?? 0, 1 << 20)
    }

    package var nextNumber: Int { lastNumber + 1 }

    /// All revisions that can be read, oldest first.
    package static func read(_ folder: StateFolder) -> [Revision] {
        guard let bytes = folder.read(name) else { return [] }
        let decoder = JSONDecoder()
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            try? decoder.decode(Revision.self, from: Data(line))
        }
    }

    /// The newest text of each path that was free of errors.
    package static func lastGoodTexts(_ folder: StateFolder) -> [String: String] {
        var texts: [String: String] = [:]
        for revision in read(folder) {
            for file in revision.files where !file.damaged {
                if let text = file.text { texts[file.path] = text } else { texts[file.path] = nil }
            }
        }
        return texts
    }

    package mutating func append(_ revision: Revision) throws {
        let line = try Self.line(revision)
        let descriptor = open(folder.file(Self.name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StateFolder.Failure(description: "cannot open the history: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        // One write: another reader sees whole lines.
        let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == line.count else {
            throw StateFolder.Failure(description: "cannot write the history: \(String(cString: strerror(errno)))")
        }
        lastNumber = revision.number
        bytesAppended += line.count
        if bytesAppended > bytesAtRewrite { try compact() }
    }

    /// Folds everything older than `limit` revisions into one.
    private mutating func compact() throws {
        let revisions = Self.read(folder)
        let kept = revisions.suffix(Self.limit)
        var base: [String: [FileText]] = [:]
        for revision in revisions.dropLast(kept.count) {
            for file in revision.files {
                if file.text == nil {
                    base[file.path] = nil
                } else if file.damaged {
                    // Beside the damaged text the last good one is still needed.
                    base[file.path] = (base[file.path] ?? []).filter { !$0.damaged } + [file]
                } else {
                    base[file.path] = [file]
                }
            }
        }
        var lines: [UInt8] = []
        if let last = revisions.dropLast(kept.count).last {
            var folded = last
            folded.files = base.sorted { $0.key < $1.key }.flatMap(\.value)
            lines += try Self.line(folded)
        }
        for revision in kept { lines += try Self.line(revision) }
        try folder.write(Self.name, lines)
        bytesAppended = 0
        bytesAtRewrite = max(lines.count, 1 << 20)
    }

    private static func line(_ revision: Revision) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(revision)) + [UInt8(ascii: "\n")]
    }
}
