internal import Foundation
internal import Logging

/// One line per message on stderr: text for people, or JSON for programs.
struct LineLogHandler: LogHandler {
    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    let isJSON: Bool

    init(label: String, level: Logger.Level, isJSON: Bool) {
        self.label = label
        logLevel = level
        self.isJSON = isJSON
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
            let fields = all.map { ",\(OutputTree.quoted($0.key)):\(OutputTree.quoted("\($0.value)"))" }.joined()
            line =
                "{\"time\":\"\(time)\",\"level\":\"\(event.level)\",\"message\":\(OutputTree.quoted("\(event.message)"))\(fields)}\n"
        } else {
            let fields = all.map { " \($0.key)=\(Self.shown("\($0.value)"))" }.joined()
            line = "\(time) \(event.level) \(Self.printable("\(event.message)"))\(fields)\n"
        }
        FileHandle.standardError.write(Data(line.utf8))
    }

    private static func shown(_ text: String) -> String {
        text.contains(where: { $0 == " " || $0 == "\"" }) || text.isEmpty ? OutputTree.quoted(text) : printable(text)
    }

    /// A line is a line, whatever a peer put into the text.
    private static func printable(_ text: String) -> String {
        text.contains(where: \.isNewline) ? text.split(whereSeparator: \.isNewline).joined(separator: " ") : text
    }
}
