internal import ApusCore
internal import ApusModel
internal import ApusYAML

/// A value that can be read from one node.
protocol FieldValue {
    /// nil after a finding has been made.
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Self?
}

/// A protobuf message or Kubernetes struct: a mapping with fields.
protocol FieldMessage: FieldValue {
    init()
    mutating func read(_ fields: inout Fields)
}

extension FieldMessage {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Self? {
        Fields.read(node, decoding, as: Self.self)
    }
}

/// An enumeration, written by name or, as protobuf's JSON form allows, by number.
protocol FieldEnum: FieldValue, RawRepresentable, CaseIterable where RawValue == String {
    /// The protobuf number, where it is not the position among all cases.
    static func value(number: Int64) -> Self?
}

extension FieldEnum {
    static func value(number: Int64) -> Self? {
        guard number >= 0, number < allCases.count else { return nil }
        return allCases[allCases.index(allCases.startIndex, offsetBy: Int(number))]
    }

    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Self? {
        guard node.kind == .scalar else {
            decoding.wrongType(node, expected: "one of \(names)")
            return nil
        }
        if case .integer(let number) = node.scalar, let value = value(number: number) { return value }
        let text = node.text
        if let value = Self(rawValue: text) { return value }
        decoding.report(
            .error, FindingCode.schemaError, "\(decoding.name(of: node)) has the unknown value \"\(text)\"",
            hint: Suggestion.closest(to: text, among: allCases.map(\.rawValue)).map { "did you mean \($0)?" }
                ?? "use one of \(names)",
            at: node)
        return nil
    }

    private static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension String: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> String? {
        guard node.kind == .scalar else {
            decoding.wrongType(node, expected: "a string")
            return nil
        }
        switch node.scalar {
        case .string:
            return node.text
        case .null:
            decoding.wrongType(node, expected: "a string", hint: "write \"\" for an empty string")
        case .bool, .integer, .number:
            decoding.wrongType(node, expected: "a string", hint: "put it in quotes: \"\(node.text)\"")
        }
        return nil
    }
}

extension Bool: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Bool? {
        if let value = node.boolean { return value }
        let isQuoted = node.kind == .scalar && !node.isPlain && ["true", "false"].contains(node.text)
        decoding.wrongType(
            node, expected: "true or false", hint: isQuoted ? "write it without quotes" : nil)
        return nil
    }
}

/// Integers: written as a number, as a fraction without a fractional part, or as a number in quotes.
private func decodeInteger<Value: FixedWidthInteger>(_ node: YAMLNode, _ decoding: Decoding) -> Value? {
    var number: Int64?
    switch node.scalar {
    case .integer(let value): number = value
    case .number(let value): number = Int64(exactly: value)
    case .string where node.kind == .scalar && !node.isPlain: number = Int64(node.text)
    default: break
    }
    guard let number else {
        decoding.wrongType(node, expected: "a whole number")
        return nil
    }
    guard let value = Value(exactly: number) else {
        decoding.wrongType(node, expected: "a whole number from \(Value.min) to \(Value.max)")
        return nil
    }
    return value
}

extension UInt32: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> UInt32? { decodeInteger(node, decoding) }
}

extension UInt64: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> UInt64? { decodeInteger(node, decoding) }
}

extension Int32: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Int32? { decodeInteger(node, decoding) }
}

extension Double: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Double? {
        var number: Double?
        switch node.scalar {
        case .integer(let value): number = Double(value)
        case .number(let value): number = value
        case .string where node.kind == .scalar && !node.isPlain: number = Double(node.text)
        default: break
        }
        guard let number, number.isFinite else {
            decoding.wrongType(node, expected: "a number")
            return nil
        }
        return number
    }
}

extension Array: FieldValue where Element: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> [Element]? {
        guard node.kind == .sequence else {
            decoding.wrongType(
                node, expected: "a list", hint: node.kind == .scalar ? "write it as [\(node.text)]" : nil)
            return nil
        }
        var result: [Element] = []
        result.reserveCapacity(node.count)
        for item in node.items {
            if let value = Element.decode(item, decoding) { result.append(value) }
        }
        return result
    }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> [String: Value]? {
        guard node.kind == .mapping else {
            decoding.wrongType(node, expected: "a mapping")
            return nil
        }
        let entries = node.entries
        var result = [String: Value](minimumCapacity: entries.count)
        for entry in entries {
            if let value = Value.decode(entry.value, decoding) { result[entry.key.text] = value }
        }
        return result
    }
}

extension StructuredValue: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> StructuredValue? {
        switch node.kind {
        case .mapping:
            return .map(
                node.entries.map {
                    Entry(key: $0.key.text, value: decode($0.value, decoding) ?? .null)
                })
        case .sequence:
            return .list(node.items.map { decode($0, decoding) ?? .null })
        case .alias:
            return .null
        case .scalar:
            switch node.scalar {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let value): return .number(Double(value))
            case .number(let value): return .number(value)
            case .string: return .string(node.text)
            }
        }
    }
}
