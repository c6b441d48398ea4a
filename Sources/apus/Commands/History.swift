internal import ApusControlPlane
internal import ArgumentParser
internal import Foundation

struct History: AsyncParsableCommand, EnvironmentConfigured {
    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration(abstract: "Lists the snapshots served so far.")

    @Option(help: "The control plane's state folder.")
    var state: String?

    @Option(name: [.short, .long], help: "text or json.")
    var output = Output.text

    static let environmentOptions: [EnvironmentOption] = [.value("state"), .value("output")]

    private struct Row: Encodable {
        let revision: Int
        let time: String
        let version: String
        let changed: [String]
        let removed: [String]
        let rejected: [String]
    }

    func run() async throws {
        let path = state ?? StateFolder.defaultPath(ProcessInfo.processInfo.environment)
        guard FileManager.default.fileExists(atPath: path) else {
            throw ProgramFailure(ExitStatus.badInput, "there is no state folder \(path); has `apus serve` run?")
        }
        let folder: StateFolder
        do { folder = try StateFolder(path) } catch { throw ProgramFailure(ExitStatus.failed, error.description) }
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let rows = Journal.read(folder).map {
            Row(
                revision: $0.number, time: format.string(from: Date(timeIntervalSince1970: $0.time)),
                version: $0.version, changed: $0.changed, removed: $0.removed, rejected: $0.rejected)
        }
        switch output {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Program.say(String(decoding: try encoder.encode(rows), as: UTF8.self))
        case .text:
            var table = TextTable(["REVISION", "TIME", "VERSION", "CHANGED", "REMOVED", "REJECTED"])
            for row in rows {
                table.add([
                    "\(row.revision)", row.time, row.version, Self.short(row.changed), Self.short(row.removed),
                    Self.short(row.rejected),
                ])
            }
            Program.say(table.text)
        }
    }

    private static func short(_ names: [String]) -> String {
        switch names.count {
        case 0: "-"
        case 1...2: names.joined(separator: ", ")
        default: "\(names[0]) and \(names.count - 1) more"
        }
    }
}
