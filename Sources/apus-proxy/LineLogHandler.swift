internal import ApusCore
internal import ApusDataplane
internal import Foundation
internal import Logging
internal import Synchronization

/// The level in force for every logger; `/logging` changes it.
final class LogThreshold: Sendable {
    private let level: Mutex<Logger.Level>

    init(_ level: Logger.Level) { self.level = Mutex(level) }

    var current: Logger.Level {
        get { level.withLock { $0 } }
        set { level.withLock { $0 = newValue } }
    }
}

/// One line per message on stderr: text for people, or JSON for programs.
struct LineLogHandler: LogHandler {
    let threshold: LogThreshold
    var metadata: Logger.Metadata = [:]
    let isJSON: Bool

    init(threshold: LogThreshold, isJSON: Bool) {
        self.threshold = threshold
        self.isJSON = isJSON
    }

    var logLevel: Logger.Level {
        get { threshold.current }
        // All loggers share one level, so that an operator's change reaches every one of them.
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        let time = Date().ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true))
        let line: String
        if isJSON {
            let fields = all.map { ",\(JSONString.quoted($0.key)):\(JSONString.quoted("\($0.value)"))" }.joined()
            line =
                "{\"time\":\"\(time)\",\"level\":\"\(event.level)\","
                + "\"message\":\(JSONString.quoted("\(event.message)"))\(fields)}\n"
        } else {
            let fields = all.map { " \($0.key)=\(Self.shown("\($0.value)"))" }.joined()
            line = "\(time) \(event.level) \(Self.oneLine("\(event.message)"))\(fields)\n"
        }
        FileHandle.standardError.write(Data(line.utf8))
    }

    private static func shown(_ text: String) -> String {
        text.contains { $0 == " " || $0 == "\"" } || text.isEmpty ? JSONString.quoted(text) : oneLine(text)
    }

    /// A line is a line, whatever a peer put into the text.
    private static func oneLine(_ text: String) -> String {
        text.contains(where: \.isNewline) ? text.split(whereSeparator: \.isNewline).joined(separator: " ") : text
    }
}
