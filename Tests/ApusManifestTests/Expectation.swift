internal import ApusCore
internal import ApusManifest
internal import ApusModel
internal import Testing

/// A text and the findings it must have.
struct Expectation: Sendable, CustomTestStringConvertible {
    let title: String
    let text: String
    let findings: [String]

    init(_ title: String, _ text: String, _ findings: [String]) {
        self.title = title
        self.text = text + "\n"
        self.findings = findings
    }

    var testDescription: String { title }

    func read() -> [String] { ManifestReader.read(file: "f.yaml", text: Array(text.utf8)).findings.map(Self.line) }

    func analyse() -> [String] {
        let file = ManifestReader.read(file: "f.yaml", text: Array(text.utf8))
        return FolderAnalysis.findings(objects: file.objects).map(Self.line)
    }

    func readMeshConfig() -> [String] {
        MeshConfigReader.read(file: "f.yaml", text: Array(text.utf8)).findings.map(Self.line)
    }

    static func line(_ finding: Finding) -> String {
        let position = finding.location.position
        return "\(position.line):\(position.column) \(finding.severity.rawValue) \(finding.code) \(finding.message)"
            + (finding.hint.map { " | \($0)" } ?? "")
    }
}
