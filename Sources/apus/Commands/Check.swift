internal import ApusControlPlane
internal import ApusCore
internal import ApusManifest
internal import ArgumentParser
internal import Foundation

struct Check: AsyncParsableCommand, EnvironmentConfigured {
    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json, sarif, github }
    enum Threshold: String, ExpressibleByArgument, CaseIterable {
        case error, warning, info

        var severity: Severity {
            switch self {
            case .error: .error
            case .warning: .warning
            case .info: .info
            }
        }
    }

    static let configuration = CommandConfiguration(
        abstract: "Reads manifests and says everything that is wrong with them.",
        discussion: "Exit code 79 if a finding is at or over the threshold.")

    @Argument(help: "Folders (or files) of manifests.")
    var folders: [String]

    @Option(name: [.short, .long], help: "text, json, sarif or github.")
    var output = Output.text

    @Option(help: "error, warning or info.")
    var threshold = Threshold.error

    @OptionGroup var mesh: MeshArguments

    static let environmentOptions: [EnvironmentOption] =
        [.value("output"), .value("threshold")] + MeshArguments.environmentOptions

    func run() async throws {
        let reading = FolderReading.read(folders, options: try mesh.options())
        try Folders.requirePresent(reading.missing)
        let format: FindingFormat =
            switch output {
            case .text: .text
            case .json: .json
            case .sarif: .sarif
            case .github: .github
            }
        let text = format.render(reading.findings, version: ProgramVersion.text)
        if !text.isEmpty { Program.say(text) }
        if output == .text {
            let counts = Severity.allCases.map { severity in
                let count = reading.findings.count { $0.severity == severity }
                return "\(count) \(severity.rawValue)\(count == 1 || severity == .info ? "" : "s")"
            }
            Program.complain(
                "\(reading.table.objectCount) objects in \(reading.table.fileCount) files: \(counts.joined(separator: ", "))")
        }
        if reading.findings.contains(where: { $0.severity >= threshold.severity }) {
            throw ExitCode(ExitStatus.problemsFound)
        }
    }
}
