internal import ApusCore

/// A tree to print as YAML or JSON, in the order given.
indirect enum OutputTree: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    case string(String)
    case number(Int)
    case bool(Bool)
    case list([OutputTree])
    case map([(String, OutputTree)])

    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }

    static func map(_ pairs: KeyValuePairs<String, OutputTree>) -> OutputTree {
        .map(pairs.map { ($0.key, $0.value) })
    }

    static func map(sorted values: [String: String]) -> OutputTree {
        .map(values.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }

    /// JSON with two spaces of indent.
    var json: String { render(indent: "", yaml: false) }

    /// YAML whose scalars are quoted as JSON quotes them, so no value can be taken for something else.
    var yaml: String {
        let text = render(indent: "", yaml: true)
        return text.hasPrefix("\n") ? String(text.dropFirst()) : text
    }

    private func render(indent: String, yaml: Bool) -> String {
        switch self {
        case .string(let text): return Self.quoted(text)
        case .number(let number): return "\(number)"
        case .bool(let flag): return flag ? "true" : "false"
        case .list(let items):
            if items.isEmpty { return "[]" }
            if yaml {
                return items.map { item in
                    let text = item.render(indent: indent + "  ", yaml: true)
                    // The first key of a map stands behind the dash.
                    let trimmed = text.hasPrefix("\n") ? String(text.dropFirst(indent.count + 3)) : text
                    return "\n\(indent)- \(trimmed)"
                }.joined()
            }
            let inner = items.map { indent + "  " + $0.render(indent: indent + "  ", yaml: false) }
            return "[\n" + inner.joined(separator: ",\n") + "\n\(indent)]"
        case .map(let pairs):
            if pairs.isEmpty { return "{}" }
            if yaml {
                return pairs.map { key, value in
                    let text = value.render(indent: indent + "  ", yaml: true)
                    return "\n\(indent)\(Self.key(key)):" + (text.hasPrefix("\n") ? text : " \(text)")
                }.joined()
            }
            let inner = pairs.map { "\(indent)  \(Self.quoted($0)): " + $1.render(indent: indent + "  ", yaml: false) }
            return "{\n" + inner.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private static func key(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") || $0 == UInt8(ascii: "_")
        }
        return plain && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(text.lowercased())
            ? text : quoted(text)
    }

    static func quoted(_ text: String) -> String { JSONString.quoted(text) }
}
