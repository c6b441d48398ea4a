internal import ApusCore
internal import ApusModel
internal import ApusRegex

/// Collects the findings about one object. Paths are made only when there is something to say.
final class Checks {
    let object: ConfigObject
    private(set) var findings: [Finding] = []
    private var hasError = false

    /// One object cannot bury the others; its first error is always said, for it decides what becomes of the object.
    private static let mostFindings = 100

    init(_ object: ConfigObject) { self.object = object }

    typealias Path = () -> String

    func report(
        _ severity: Severity, _ code: String, _ path: @autoclosure Path, _ message: @autoclosure () -> String,
        hint: @autoclosure () -> String? = nil
    ) {
        guard findings.count < Self.mostFindings || severity == .error && !hasError else { return }
        hasError = hasError || severity == .error
        let path = path()
        findings.append(
            Finding(
                severity, code, message(), hint: hint(), at: object.origin.location(of: path),
                object: object.key.description, field: path))
    }

    func error(
        _ path: @autoclosure Path, _ message: @autoclosure () -> String, hint: @autoclosure () -> String? = nil
    ) {
        report(.error, FindingCode.schemaError, path(), message(), hint: hint())
    }

    func warning(
        _ path: @autoclosure Path, _ message: @autoclosure () -> String, hint: @autoclosure () -> String? = nil
    ) {
        report(.warning, FindingCode.schemaWarning, path(), message(), hint: hint())
    }

    // MARK: Values

    func port(_ port: UInt32, _ path: @autoclosure Path) {
        if port < 1 || port > 65535 { error(path(), "the port \(port) is not in 1 to 65535") }
    }

    func port(_ port: UInt32?, _ path: @autoclosure Path) {
        if let port { self.port(port, path()) }
    }

    /// Istio's rule for nearly all durations: at least 1 ms, in whole milliseconds.
    func duration(_ duration: Duration?, _ path: @autoclosure Path, hint: String? = nil) {
        guard let duration else { return }
        if duration < .milliseconds(1) {
            error(path(), "the duration is less than 1ms", hint: hint ?? "leave the field out for the default")
        } else if duration.components.attoseconds % 1_000_000_000_000_000 != 0 {
            error(path(), "the duration is finer than 1ms", hint: "round it to whole milliseconds")
        }
    }

    func notNegative(_ value: Int32?, _ path: @autoclosure Path) {
        if let value, value < 0 { error(path(), "the value \(value) is negative") }
    }

    func regex(_ pattern: String, _ path: @autoclosure Path) {
        if pattern.utf8.count > 1024 {
            report(
                .error, FindingCode.invalidRegex, path(),
                "the regular expression has \(pattern.utf8.count) bytes, more than 1024")
            return
        }
        do {
            _ = try RE2Pattern(pattern)
        } catch {
            report(
                .error, FindingCode.invalidRegex, path(), "the regular expression is not valid: \(error.message)",
                hint: "write it in RE2 syntax; look-around and back references do not exist there")
        }
    }

    // MARK: Names

    /// A DNS name without wildcard, at most 255 characters.
    func name(_ host: String, _ what: String, _ path: @autoclosure Path) {
        if let problem = DNSName.problem(host) { error(path(), "\(what) \"\(host)\" is not a DNS name: \(problem)") }
    }

    /// A DNS name, `*`, or a name whose beginning is `*`.
    func wildcardName(_ host: String, _ what: String, _ path: @autoclosure Path) {
        if host == "*" { return }
        if let problem = DNSName.wildcardProblem(host) {
            error(path(), "\(what) \"\(host)\" is not a DNS name: \(problem)")
        } else if host.hasPrefix("*"), !host.hasPrefix("*.") {
            warning(
                path(), "\(what) \"\(host)\" has a wildcard that is only part of a label",
                hint: "Envoy and most clients know only wildcards for whole labels, as *.example.com")
        }
    }

    func cidr(_ text: String, _ path: @autoclosure Path) {
        if CIDR(text) == nil {
            error(path(), "\"\(text)\" is not an IP address or range", hint: "write 10.1.2.3 or 10.0.0.0/8")
        }
    }

    func labels(_ labels: [String: String], _ path: @autoclosure Path) {
        for key in labels.keys.sorted() {
            if key.isEmpty {
                error(path(), "a label has an empty name")
            } else if !DNSName.isLabelKey(key) {
                error("\(path())[\"\(key)\"]", "\"\(key)\" is not a label's name")
            }
            let value = labels[key] ?? ""
            if !DNSName.isLabelValue(value) {
                error(
                    "\(path())[\"\(key)\"]", "\"\(value)\" is not a label's value",
                    hint: "use at most 63 letters, digits, -, _ and .")
            }
        }
    }

    func selector(_ labels: [String: String]?, _ path: @autoclosure Path) {
        guard let labels else { return }
        for key in labels.keys.sorted() where labels[key]?.contains("*") == true || key.contains("*") {
            error("\(path())[\"\(key)\"]", "a selector cannot have a wildcard")
        }
        let exact = labels.filter { !$0.key.contains("*") && !$0.value.contains("*") }
        self.labels(exact, path())
    }

    func exportTo(_ list: [String], isServiceEntry: Bool = false) {
        var seen: Set<String> = []
        for (index, entry) in list.enumerated() {
            let path = { "spec.exportTo[\(index)]" }
            if !seen.insert(entry).inserted { error(path(), "exportTo names \"\(entry)\" twice") }
            switch entry {
            case "*", ".":
                break
            case "~":
                if !isServiceEntry { error(path(), "only a ServiceEntry can be exported to nobody (\"~\")") }
            default:
                if !DNSName.isLabel(entry) {
                    error(
                        path(), "exportTo has \"\(entry)\", which is no namespace",
                        hint: "write *, . or the name of a namespace")
                }
            }
        }
        if list.count > 1, list.contains("*") || list.contains("~") {
            let other = list.contains("*") ? "*" : "~"
            error("spec.exportTo", "exportTo has \"\(other)\" beside other entries", hint: "keep one of the two")
        }
    }

    /// `name` or `namespace/name`.
    func gatewayNames(_ names: [String], _ path: @autoclosure Path) {
        for (index, name) in names.enumerated() where name != "mesh" {
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            let isGood = parts.count <= 2 && parts.allSatisfy { DNSName.problem(String($0)) == nil }
            if !isGood {
                error(
                    "\(path())[\(index)]", "\"\(name)\" does not name a gateway",
                    hint: "write mesh, NAME or NAMESPACE/NAME")
            }
        }
    }

    func metadata(_ metadata: Metadata, isClusterScoped: Bool) {
        if let problem = DNSName.problem(metadata.name), object.key.kind != .node {
            error("metadata.name", "the name \"\(metadata.name)\" is not a DNS name: \(problem)")
        } else if metadata.name != metadata.name.lowercased() {
            error(
                "metadata.name", "the name \"\(metadata.name)\" has capitals",
                hint: "write \(metadata.name.lowercased())")
        }
        if !isClusterScoped, !DNSName.isLabel(metadata.namespace) {
            error("metadata.namespace", "\"\(metadata.namespace)\" is not the name of a namespace")
        }
        labels(metadata.labels, "metadata.labels")
        if let text = metadata.annotations["istio.io/dry-run"] {
            var isPolicy = false
            if case .authorizationPolicy(let policy) = object.spec {
                isPolicy = policy.action == .allow || policy.action == .deny
            }
            let path = "metadata.annotations[\"istio.io/dry-run\"]"
            if !isPolicy {
                report(
                    .warning, FindingCode.invalidAnnotation, path,
                    "istio.io/dry-run works only on an AuthorizationPolicy with action ALLOW or DENY")
            } else if text != "true", text != "false" {
                error(path, "istio.io/dry-run is \"\(text)\"", hint: "write \"true\" or \"false\"")
            }
        }
    }
}
