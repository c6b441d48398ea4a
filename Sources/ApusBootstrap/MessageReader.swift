internal import ApusCore
internal import ApusYAML

/// Turns a YAML tree into the bytes of a protobuf message by protobuf's JSON rules, and says of every fault where it is.
///
/// A fault leaves its field out and reading goes on, so that one run names them all; with any error among `findings` the
/// bytes must not be used.
struct MessageReader {
    let file: String
    private let schema = Schema.shared
    private(set) var findings: [Finding] = []

    /// More findings than anybody would read.
    private static let most = 100

    init(file: String) { self.file = file }

    var hasErrors: Bool { findings.contains { $0.severity == .error } }

    mutating func note(_ code: String, _ message: String, hint: String? = nil, at node: YAMLNode) {
        add(Finding(.error, code, message, hint: hint, at: SourceLocation(file: file, position: node.position)))
    }

    mutating func warn(_ code: String, _ message: String, hint: String? = nil, at node: YAMLNode) {
        add(Finding(.warning, code, message, hint: hint, at: SourceLocation(file: file, position: node.position)))
    }

    mutating func add(_ finding: Finding) {
        if findings.count < Self.most { findings.append(finding) }
    }

    // MARK: Messages

    /// The bytes of a message of this type.
    mutating func message(_ node: YAMLNode, _ type: String) -> [UInt8] {
        var wire = Wire()
        if node.isNull { return wire.bytes }
        if let bytes = wellKnown(node, type) { return bytes }
        guard let message = schema.messages[type] else {
            note(BootstrapCode.unsupported, "\(type) is not supported by this proxy", at: node)
            return wire.bytes
        }
        guard node.kind == .mapping else {
            note(BootstrapCode.badValue, "expected a mapping with the fields of \(shortName(type))", at: node)
            return wire.bytes
        }
        var seen: [Int: YAMLNode] = [:]
        var chosen: [String: YAMLNode] = [:]
        for entry in node.entries {
            let name = entry.key.text
            if name == "@type" { continue }
            guard let index = message.indexOfName[name] else {
                unknown(entry.key, name, message, type)
                continue
            }
            let field = message.fields[index]
            if entry.value.isNull { continue }
            if let first = seen[index] {
                note(
                    BootstrapCode.exclusive,
                    "\(field.name) is written twice; it was first written at line \(first.position.line)",
                    at: entry.key)
                continue
            }
            seen[index] = entry.key
            if let oneof = field.oneof {
                if let other = chosen[oneof] {
                    note(
                        BootstrapCode.exclusive,
                        "\(field.name) stands beside \(other.text) of line \(other.position.line); of \(oneof), "
                            + "only one may be given",
                        hint: "remove one of the lines \(other.position.line) and \(entry.key.position.line)",
                        at: entry.key)
                    continue
                }
                chosen[oneof] = entry.key
            }
            self.field(entry.value, field, of: type, key: entry.key, into: &wire)
        }
        completeFilter(node, type, &wire)
        return wire.bytes
    }

    private mutating func unknown(_ key: YAMLNode, _ name: String, _ message: Schema.Message, _ type: String) {
        let near = message.fields.map(\.name).filter { Self.isNear(name, $0) }.min()
        note(
            BootstrapCode.unknownField, "\(shortName(type)) has no field \(name)",
            hint: near.map { "did you mean \($0)?" }, at: key)
    }

    /// Filters that mean something without any setting may be named alone.
    private mutating func completeFilter(_ node: YAMLNode, _ type: String, _ wire: inout Wire) {
        guard let field = KnownFilters.configField[type], node["typed_config"] == nil, node["typedConfig"] == nil,
            node["config_discovery"] == nil, node["configDiscovery"] == nil, let name = node["name"],
            !name.text.isEmpty
        else { return }
        guard let message = KnownFilters.defaults[name.text] else {
            note(
                BootstrapCode.missing, "the filter \(name.text) has no typed_config",
                hint: "add typed_config with the @type of the filter's settings", at: name)
            return
        }
        warn(
            BootstrapCode.tolerated,
            "the filter \(name.text) has no typed_config; it runs with its defaults",
            hint: "add typed_config: {\"@type\": type.googleapis.com/\(message)}; Envoy refuses the filter without it",
            at: name)
        wire.bytes(field: field, Wire.any(message, []))
    }

    // MARK: Fields

    /// Fields of a bootstrap that this proxy does not have and can run without, said to be so.
    private static let withoutEffect: Set<String> = [
        "stats_config", "overload_manager", "watchdog", "watchdogs", "stats_sinks", "fatal_actions",
        "application_log_config",
        "deferred_stat_options", "memory_allocator_manager", "grpc_async_client_manager_config",
    ]

    private mutating func field(
        _ node: YAMLNode, _ field: Schema.Field, of type: String, key: YAMLNode, into wire: inout Wire
    ) {
        if case .unsupported(let isDeprecated) = field.kind {
            if Self.withoutEffect.contains(field.name), type == "envoy.config.bootstrap.v3.Bootstrap" {
                warn(
                    BootstrapCode.noEffect, "\(field.name) is read and has no effect in this proxy", at: key)
                return
            }
            note(
                BootstrapCode.unsupported,
                "\(field.name) is \(isDeprecated ? "deprecated and " : "")not supported by this proxy", at: key)
            return
        }
        switch field.shape {
        case .single:
            value(node, field.kind, field.number, keepsDefault: field.oneof != nil, name: field.name, into: &wire)
        case .list:
            guard node.kind == .sequence else {
                note(BootstrapCode.badValue, "\(field.name) must be a list", at: node)
                return
            }
            for item in node.items {
                if item.isNull {
                    note(BootstrapCode.badValue, "an element of \(field.name) is null", at: item)
                    continue
                }
                value(item, field.kind, field.number, keepsDefault: true, name: field.name, into: &wire)
            }
        case .map(let keyKind):
            guard node.kind == .mapping else {
                note(BootstrapCode.badValue, "\(field.name) must be a mapping", at: node)
                return
            }
            for entry in node.entries {
                var pair = Wire()
                if keyKind == .string {
                    pair.bytes(field: 1, Array(entry.key.text.utf8))
                } else {
                    value(entry.key, keyKind, 1, keepsDefault: true, name: field.name, into: &pair)
                }
                value(entry.value, field.kind, 2, keepsDefault: true, name: field.name, into: &pair)
                wire.bytes(field: field.number, pair.bytes)
            }
        }
    }

    private mutating func value(
        _ node: YAMLNode, _ kind: Schema.Kind, _ number: Int, keepsDefault: Bool, name: String, into wire: inout Wire
    ) {
        switch kind {
        case .message(let type):
            wire.bytes(field: number, message(node, type))
        case .string:
            if let text = string(node, name), keepsDefault || !text.isEmpty {
                wire.bytes(field: number, Array(text.utf8))
            }
        case .bytes:
            guard let text = string(node, name) else { return }
            guard let decoded = Base64Text.decode(text) else {
                note(BootstrapCode.badValue, "\(name) must be base64", at: node)
                return
            }
            if keepsDefault || !decoded.isEmpty { wire.bytes(field: number, decoded) }
        case .bool:
            if let value = bool(node, name), keepsDefault || value { wire.varint(field: number, value ? 1 : 0) }
        case .int32, .int64:
            let range = kind == .int32 ? Int64(Int32.min)...Int64(Int32.max) : Int64.min...Int64.max
            if let value = integer(node, name, range), keepsDefault || value != 0 {
                wire.varint(field: number, UInt64(bitPattern: value))
            }
        case .uint32, .uint64:
            let most = kind == .uint32 ? UInt64(UInt32.max) : UInt64.max
            if let value = unsigned(node, name, most), keepsDefault || value != 0 {
                wire.varint(field: number, value)
            }
        case .double, .float:
            guard let value = double(node, name), keepsDefault || value != 0 else { return }
            if kind == .double {
                wire.fixed64(field: number, value.bitPattern)
            } else {
                wire.fixed32(field: number, Float(value).bitPattern)
            }
        case .enumeration(let type):
            if let value = enumeration(node, name, type), keepsDefault || value != 0 {
                wire.varint(field: number, UInt64(bitPattern: Int64(value)))
            }
        case .unsupported:
            break
        }
    }

    // MARK: Scalars

    mutating func string(_ node: YAMLNode, _ name: String) -> String? {
        guard node.kind == .scalar else {
            note(BootstrapCode.badValue, "\(name) must be a string", at: node)
            return nil
        }
        switch node.scalar {
        case .bool, .integer:
            note(
                BootstrapCode.badValue, "\(name) must be a string, and \(node.text) is not",
                hint: "put it in quotes: \"\(node.text)\"", at: node)
            return nil
        case .null: return ""
        case .number, .string: return node.text
        }
    }

    mutating func bool(_ node: YAMLNode, _ name: String) -> Bool? {
        if let value = node.boolean { return value }
        note(BootstrapCode.badValue, "\(name) must be true or false\(shown(node))", at: node)
        return nil
    }

    private mutating func integer(_ node: YAMLNode, _ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        var value: Int64?
        if node.kind == .scalar {
            switch node.scalar {
            case .integer(let number): value = number
            case .number(let number): value = Int64(exactly: number)
            case .string: value = Int64(node.text)
            case .null, .bool: break
            }
        }
        guard let value else {
            note(BootstrapCode.badValue, "\(name) must be a whole number\(shown(node))", at: node)
            return nil
        }
        guard range.contains(value) else {
            note(
                BootstrapCode.badValue,
                "\(name) must be between \(range.lowerBound) and \(range.upperBound), and \(value) is not", at: node)
            return nil
        }
        return value
    }

    mutating func unsigned(_ node: YAMLNode, _ name: String, _ most: UInt64) -> UInt64? {
        var value: UInt64?
        if node.kind == .scalar {
            switch node.scalar {
            case .integer(let number) where number >= 0: value = UInt64(number)
            case .number(let number): value = UInt64(node.text) ?? UInt64(exactly: number)
            case .string: value = UInt64(node.text)
            case .integer, .null, .bool: break
            }
        }
        guard let value, value <= most else {
            note(
                BootstrapCode.badValue, "\(name) must be a whole number from 0 to \(most)\(shown(node))", at: node)
            return nil
        }
        return value
    }

    mutating func double(_ node: YAMLNode, _ name: String) -> Double? {
        if node.kind == .scalar {
            switch node.scalar {
            case .integer(let number): return Double(number)
            case .number(let number): return number
            case .string:
                if let number = Double(node.text) { return number }
            case .null, .bool: break
            }
        }
        note(BootstrapCode.badValue, "\(name) must be a number\(shown(node))", at: node)
        return nil
    }

    private mutating func enumeration(_ node: YAMLNode, _ name: String, _ type: String) -> Int32? {
        let values = schema.enums[type] ?? [:]
        if node.kind == .scalar {
            if let value = values[node.text] { return value }
            if case .integer(let number) = node.scalar, let value = Int32(exactly: number),
                values.values.contains(value)
            {
                return value
            }
        }
        let names = values.sorted { $0.value < $1.value }.map(\.key)
        let near = names.first { $0.uppercased() == node.text.uppercased() }
        note(
            BootstrapCode.badValue, "\(name) must be one of \(names.joined(separator: ", "))\(shown(node))",
            hint: near.map { "did you mean \($0)?" }, at: node)
        return nil
    }

    func shown(_ node: YAMLNode) -> String {
        switch node.kind {
        case .scalar: ", and \(node.isPlain ? node.text : "\"\(node.text)\"") is not"
        case .mapping: ", not a mapping"
        case .sequence: ", not a list"
        case .alias: ""
        }
    }

    /// The last part of a message's full name.
    func shortName(_ type: String) -> String { type.split(separator: ".").last.map(String.init) ?? type }

    /// True if one insertion, removal, change or swap of neighbours makes one of the other, or two for longer names.
    static func isNear(_ left: String, _ right: String) -> Bool {
        let a = Array(left.lowercased().utf8)
        let b = Array(right.lowercased().utf8)
        let most = a.count < 6 ? 1 : 2
        guard abs(a.count - b.count) <= most, a.count < 80, b.count < 80 else { return false }
        var row = Array(0...b.count)
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                next.append(min(row[j] + (a[i] == b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1))
            }
            row = next
        }
        return (row.last ?? most + 1) <= most
    }
}
