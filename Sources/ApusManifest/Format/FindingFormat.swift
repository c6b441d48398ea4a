package import ApusCore

/// The forms in which findings are printed. Every form is sorted by file, place and code, so equal findings give equal
/// bytes.
package enum FindingFormat: String, CaseIterable, Sendable {
    case text, json, sarif, github

    /// The whole output, with a final newline; for `text` and `github` empty if there are no findings.
    ///
    /// - Parameter version: of Apus, for the tool description that SARIF asks for.
    package func render(_ findings: [Finding], version: String = "0") -> String {
        let sorted = findings.sorted(by: Self.isBefore)
        switch self {
        case .text: return Self.text(sorted)
        case .json: return Self.json(sorted)
        case .sarif: return Self.sarif(sorted, version: version)
        case .github: return Self.github(sorted)
        }
    }

    private static func isBefore(_ left: Finding, _ right: Finding) -> Bool {
        if left.location != right.location { return left.location < right.location }
        if left.severity != right.severity { return left.severity > right.severity }
        return (left.code, left.message) < (right.code, right.message)
    }

    // MARK: Text

    /// `file:line:column: severity CODE message`, the hint on a line of its own.
    private static func text(_ findings: [Finding]) -> String {
        var result = ""
        for finding in findings {
            result += "\(line(finding.location.description)): \(finding.severity.rawValue) \(finding.code) "
            if let object = finding.object { result += "\(line(object)): " }
            result += line(finding.message) + "\n"
            if let hint = finding.hint { result += "    hint: \(line(hint))\n" }
        }
        return result
    }

    /// A message may quote a manifest: nothing in it may begin a new line or steer a terminal.
    private static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                result += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    // MARK: GitHub

    /// Workflow commands: annotations on the changed lines of a pull request.
    private static func github(_ findings: [Finding]) -> String {
        var result = ""
        for finding in findings {
            let level =
                switch finding.severity {
                case .error: "error"
                case .warning: "warning"
                case .info: "notice"
                }
            var message = finding.object.map { "\($0): " } ?? ""
            message += finding.message
            if let hint = finding.hint { message += "\nhint: \(hint)" }
            result +=
                "::\(level) file=\(property(finding.location.file)),line=\(finding.location.position.line),"
                + "col=\(finding.location.position.column),title=\(property(finding.code))::\(data(message))\n"
        }
        return result
    }

    private static func data(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": result += "%25"
            case "\r": result += "%0D"
            case "\n": result += "%0A"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func property(_ text: String) -> String {
        var result = ""
        for scalar in data(text).unicodeScalars {
            switch scalar {
            case ":": result += "%3A"
            case ",": result += "%2C"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    // MARK: JSON

    /// `{"counts": {...}, "findings": [...]}`, keys sorted.
    private static func json(_ findings: [Finding]) -> String {
        var result = "{\n  \"counts\": {"
        result += Severity.allCases.sorted { $0.rawValue < $1.rawValue }.map { severity in
            "\"\(severity.rawValue)\": \(findings.count { $0.severity == severity })"
        }.joined(separator: ", ")
        result += "},\n  \"findings\": ["
        result += findings.map { finding in
            var fields = [
                "\"code\": \(JSONString.quoted(finding.code))", "\"column\": \(finding.location.position.column)",
            ]
            if let field = finding.field { fields.append("\"field\": \(JSONString.quoted(field))") }
            fields.append("\"file\": \(JSONString.quoted(finding.location.file))")
            if let hint = finding.hint { fields.append("\"hint\": \(JSONString.quoted(hint))") }
            fields.append("\"line\": \(finding.location.position.line)")
            fields.append("\"message\": \(JSONString.quoted(finding.message))")
            if let object = finding.object { fields.append("\"object\": \(JSONString.quoted(object))") }
            fields.append("\"severity\": \"\(finding.severity.rawValue)\"")
            return "\n    {" + fields.joined(separator: ", ") + "}"
        }.joined(separator: ",")
        result += findings.isEmpty ? "]\n}\n" : "\n  ]\n}\n"
        return result
    }

    // MARK: SARIF

    /// SARIF 2.1.0 (OASIS), one run.
    private static func sarif(_ findings: [Finding], version: String) -> String {
        let codes = Set(findings.map(\.code)).sorted()
        let rules = codes.map { "\n            {\"id\": \(JSONString.quoted($0))}" }.joined(separator: ",")
        let results = findings.map { finding in
            let level =
                switch finding.severity {
                case .error: "error"
                case .warning: "warning"
                case .info: "note"
                }
            var text = finding.object.map { "\($0): " } ?? ""
            text += finding.message
            if let hint = finding.hint { text += " (\(hint))" }
            let position = finding.location.position
            return """

                        {
                          "ruleId": \(JSONString.quoted(finding.code)),
                          "ruleIndex": \(codes.firstIndex(of: finding.code) ?? 0),
                          "level": "\(level)",
                          "message": {"text": \(JSONString.quoted(text))},
                          "locations": [
                            {
                              "physicalLocation": {
                                "artifactLocation": {"uri": \(JSONString.quoted(uri(finding.location.file)))},
                                "region": {"startLine": \(position.line), "startColumn": \(position.column)}
                              }
                            }
                          ]
                        }
                """
        }.joined(separator: ",")
        return """
            {
              "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
              "version": "2.1.0",
              "runs": [
                {
                  "tool": {
                    "driver": {
                      "name": "apus",
                      "version": \(JSONString.quoted(version)),
                      "rules": [\(rules)\(codes.isEmpty ? "" : "\n          ")]
                    }
                  },
                  "columnKind": "unicodeCodePoints",
                  "results": [\(results)\(findings.isEmpty ? "" : "\n      ")]
                }
              ]
            }

            """
    }

    /// The path as a URI reference (RFC 3986): everything beyond unreserved characters and `/` is escaped.
    private static func uri(_ path: String) -> String {
        var result = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.append(Character(Unicode.Scalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}
