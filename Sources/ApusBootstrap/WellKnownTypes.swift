internal import ApusCore
internal import ApusYAML

/// Messages with a text form of their own.
extension MessageReader {
    /// nil: the type has none.
    mutating func wellKnown(_ node: YAMLNode, _ type: String) -> [UInt8]? {
        guard type.hasPrefix("google.protobuf.") else { return nil }
        var wire = Wire()
        switch type.dropFirst("google.protobuf.".count) {
        case "Any": return any(node)
        case "Duration": return duration(node)
        case "Struct":
            structure(node, into: &wire)
        case "Value":
            anyValue(node, into: &wire)
        case "ListValue":
            for item in node.items { wire.bytes(field: 1, value(item)) }
        case "BoolValue":
            if let value = bool(node, "the value"), value { wire.varint(field: 1, 1) }
        case "UInt32Value":
            if let value = unsigned(node, "the value", UInt64(UInt32.max)), value != 0 { wire.varint(field: 1, value) }
        case "UInt64Value":
            if let value = unsigned(node, "the value", .max), value != 0 { wire.varint(field: 1, value) }
        case "DoubleValue":
            if let value = double(node, "the value"), value != 0 { wire.fixed64(field: 1, value.bitPattern) }
        case "StringValue":
            if let value = string(node, "the value"), !value.isEmpty { wire.bytes(field: 1, Array(value.utf8)) }
        case "Empty":
            if node.kind != .mapping || node.count != 0 {
                note(BootstrapCode.badValue, "expected an empty mapping", at: node)
            }
        default: return nil
        }
        return wire.bytes
    }

    private mutating func any(_ node: YAMLNode) -> [UInt8] {
        guard node.kind == .mapping else {
            note(BootstrapCode.badValue, "expected a mapping with @type", at: node)
            return []
        }
        guard let type = node["@type"], type.kind == .scalar, !type.text.isEmpty else {
            note(
                BootstrapCode.missing, "@type is missing, so it is not known what these fields mean",
                hint: "add \"@type\": type.googleapis.com/ and the full name of the message", at: node)
            return []
        }
        let name = type.text.split(separator: "/").last.map(String.init) ?? type.text
        if name.hasPrefix("google.protobuf.") {
            guard let value = node["value"] else {
                note(BootstrapCode.missing, "\(name) needs its content under value", at: node)
                return []
            }
            return Wire.any(name, message(value, name))
        }
        guard Schema.shared.messages[name] != nil else {
            note(
                BootstrapCode.unsupported, "\(name) is not a type that this proxy knows",
                hint: Self.suggestion(for: name), at: type)
            return []
        }
        return Wire.any(name, message(node, name))
    }

    private static func suggestion(for name: String) -> String? {
        if name.hasPrefix("envoy.") && name.contains(".v2.") { return "the v2 API is gone; use the v3 name" }
        let last = name.split(separator: ".").last ?? ""
        let same = Schema.shared.messages.keys.filter { $0.hasSuffix(".\(last)") && isNear($0, name) }.min()
        return same.map { "did you mean \($0)?" }
    }

    /// `1.5s`: decimal seconds with at most nine places.
    private mutating func duration(_ node: YAMLNode) -> [UInt8] {
        let text = node.kind == .scalar ? node.text : ""
        guard let (seconds, nanoseconds) = DurationText.parse(text) else {
            let isNumber = Double(text) != nil
            note(
                BootstrapCode.badValue, "a duration is seconds followed by s, as 5s or 0.25s\(shown(node))",
                hint: isNumber ? "write \(text)s" : nil, at: node)
            return []
        }
        var wire = Wire()
        if seconds != 0 { wire.varint(field: 1, UInt64(bitPattern: seconds)) }
        if nanoseconds != 0 { wire.varint(field: 2, UInt64(bitPattern: Int64(nanoseconds))) }
        return wire.bytes
    }

    private mutating func structure(_ node: YAMLNode, into wire: inout Wire) {
        guard node.kind == .mapping else {
            note(BootstrapCode.badValue, "expected a mapping", at: node)
            return
        }
        for entry in node.entries {
            var pair = Wire()
            pair.bytes(field: 1, Array(entry.key.text.utf8))
            pair.bytes(field: 2, value(entry.value))
            wire.bytes(field: 1, pair.bytes)
        }
    }

    private mutating func value(_ node: YAMLNode) -> [UInt8] {
        var wire = Wire()
        anyValue(node, into: &wire)
        return wire.bytes
    }

    private mutating func anyValue(_ node: YAMLNode, into wire: inout Wire) {
        switch node.kind {
        case .mapping:
            var inner = Wire()
            structure(node, into: &inner)
            wire.bytes(field: 5, inner.bytes)
        case .sequence:
            var inner = Wire()
            for item in node.items { inner.bytes(field: 1, value(item)) }
            wire.bytes(field: 6, inner.bytes)
        case .scalar, .alias:
            switch node.scalar {
            case .null: wire.varint(field: 1, 0)
            case .bool(let value): wire.varint(field: 4, value ? 1 : 0)
            case .integer(let value): wire.fixed64(field: 2, Double(value).bitPattern)
            case .number(let value): wire.fixed64(field: 2, value.bitPattern)
            case .string: wire.bytes(field: 3, Array(node.text.utf8))
            }
        }
    }
}

enum DurationText {
    /// Seconds and nanoseconds of the same sign; nil if the text is none, or beyond 10,000 years.
    static func parse(_ text: String) -> (Int64, Int32)? {
        var bytes = Array(text.utf8)[...]
        guard bytes.popLast() == UInt8(ascii: "s") else { return nil }
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { bytes = bytes.dropFirst() }
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, whole.count <= 12, let seconds = number(whole),
            seconds <= 315_576_000_000
        else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].count <= 9, var value = number(parts[1]) else { return nil }
            for _ in parts[1].count..<9 { value *= 10 }
            nanoseconds = value
        }
        return isNegative ? (-seconds, Int32(-nanoseconds)) : (seconds, Int32(nanoseconds))
    }

    /// At most twelve digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

enum Base64Text {
    /// Standard or URL alphabet, with or without padding.
    static func decode(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        var padding = 0
        for byte in text.utf8 {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
            case UInt8(ascii: "="):
                padding += 1
                continue
            default: return nil
            }
            guard padding == 0 else { return nil }
            buffer = (buffer << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return padding <= 2 && bits < 6 ? result : nil
    }
}
