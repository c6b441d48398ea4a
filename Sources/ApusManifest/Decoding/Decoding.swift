internal import ApusCore
internal import ApusYAML

/// The reading of one object: collects what is wrong with it.
final class Decoding {
    let file: String
    let root: YAMLNode
    let object: String?
    /// Istio's kinds follow protobuf's JSON form: both spellings of a field's name, and unknown fields are reported.
    /// Kubernetes' kinds are read for the fields that Apus uses.
    let isProtobuf: Bool
    private(set) var findings: [Finding] = []
    private(set) var hasError = false

    /// One object cannot bury the others.
    private static let mostFindings = 100

    /// Nothing more is said; messages, whose making may walk the whole tree, are not made any more.
    var isFull: Bool { findings.count >= Self.mostFindings }

    init(file: String, root: YAMLNode, object: String?, isProtobuf: Bool) {
        self.file = file
        self.root = root
        self.object = object
        self.isProtobuf = isProtobuf
    }

    func report(
        _ severity: Severity, _ code: String, _ message: @autoclosure () -> String,
        hint: @autoclosure () -> String? = nil, at node: YAMLNode, field: String? = nil
    ) {
        if severity == .error { hasError = true }
        guard !isFull else { return }
        let path = field ?? root.path(to: node)
        findings.append(
            Finding(
                severity, code, message(), hint: hint(), at: SourceLocation(file: file, position: node.position),
                object: object, field: path.isEmpty ? nil : path))
    }

    func add(_ finding: Finding) {
        if finding.severity == .error { hasError = true }
        guard findings.count < 2 * Self.mostFindings else { return }
        findings.append(finding)
    }

    /// "timeout must be a duration, not a list".
    func wrongType(_ node: YAMLNode, expected: @autoclosure () -> String, hint: @autoclosure () -> String? = nil) {
        report(
            .error, FindingCode.schemaError, "\(name(of: node)) must be \(expected()), not \(Self.describe(node))",
            hint: hint(), at: node)
    }

    /// The last step of the node's path.
    func name(of node: YAMLNode) -> String {
        let path = root.path(to: node)
        guard !path.isEmpty else { return "the document" }
        if path.utf8.contains(UInt8(ascii: "\"")) { return path }
        return path.split(separator: ".").last.map(String.init) ?? path
    }

    static func describe(_ node: YAMLNode) -> String {
        switch node.kind {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .alias: return "an alias"
        case .scalar: break
        }
        let text = node.text
        let shown = text.count > 40 ? String(text.prefix(40)) + "…" : text
        switch node.scalar {
        case .null: return "null"
        case .bool: return "the boolean \(shown)"
        case .integer, .number: return "the number \(shown)"
        case .string: return "the string \"\(shown)\""
        }
    }
}
