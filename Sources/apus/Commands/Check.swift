internal import ApusCompiler
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
        let findings = Self.merged(reading.findings, FolderCompileFindings.findings(in: reading.snapshot))
        let format: FindingFormat =
            switch output {
            case .text: .text
            case .json: .json
            case .sarif: .sarif
            case .github: .github
            }
        let text = format.render(findings, version: ProgramVersion.text)
        if !text.isEmpty { Program.say(text) }
        if output == .text {
            let counts = Severity.allCases.map { severity in
                let count = findings.count { $0.severity == severity }
                return "\(count) \(severity.rawValue)\(count == 1 || severity == .info ? "" : "s")"
            }
            Program.complain(
                "\(reading.table.objectCount) objects in \(reading.table.fileCount) files: \(counts.joined(separator: ", "))"
            )
        }
        if findings.contains(where: { $0.severity >= threshold.severity }) {
            throw ExitCode(ExitStatus.problemsFound)
        }
    }

    /// What reading found, and what compiling for the folder's proxies adds: a place that is an error already is not
    /// told twice.
    private static func merged(_ read: [Finding], _ compiled: [Finding]) -> [Finding] {
        let told = Set(read.lazy.filter { $0.severity == .error }.map(\.location))
        return (read + compiled.filter { !told.contains($0.location) && !read.contains($0) }).sorted {
            ($0.location, $0.code, $0.message) < ($1.location, $1.code, $1.message)
        }
    }
}
