import Logging
import Synchronization

/// Keeps log lines for tests.
final class LogRecorder: LogHandler, @unchecked Sendable {
    private let onLine: @Sendable (Logger.Level) -> Void
    private let kept = Mutex<[(level: Logger.Level, text: String)]>([])
    // Only what the protocol asks for; never written by these tests.
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(onLine: @escaping @Sendable (Logger.Level) -> Void = { _ in }) { self.onLine = onLine }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text =
            ([event.message.description] + (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0)=\($1)" })
            .joined(separator: " ")
        kept.withLock { $0.append((event.level, text)) }
        onLine(event.level)
    }

    func lines(_ level: Logger.Level) -> [String] {
        kept.withLock { $0.filter { $0.level == level }.map(\.text) }
    }

    var logger: Logger { Logger(label: "test") { _ in self } }

    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
