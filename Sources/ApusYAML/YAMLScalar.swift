/// What a scalar means, by the rules that Kubernetes applies when it turns a manifest into JSON.
///
/// Quoted scalars and block scalars are strings. Of the plain ones, `null`, `~` and nothing are null; `true` and
/// `false` are booleans; decimal, hexadecimal (`0x`), octal (`0o`) integers and decimal fractions are numbers.
/// YAML 1.1's other booleans (`yes`, `no`, `on`, `off`) are booleans only where a boolean is asked for and strings
/// everywhere else; `y` and `n` are always strings.
package enum YAMLScalar: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string
}

extension YAMLNode {
    /// The meaning of a scalar; `.string` for a collection too.
    package var scalar: YAMLScalar {
        guard kind == .scalar, isPlain else { return .string }
        return withText(YAMLScalar.init(plain:))
    }

    /// True for a null, which stands for "not written" in Kubernetes and in protobuf's JSON form.
    package var isNull: Bool {
        guard kind == .scalar, isPlain else { return false }
        return withText { YAMLScalar(plain: $0) == .null }
    }

    /// The boolean, YAML 1.1's words included; nil if the scalar is no boolean.
    package var boolean: Bool? {
        if case .bool(let value) = scalar { return value }
        guard kind == .scalar, isPlain else { return nil }
        for word: StaticString in ["yes", "Yes", "YES", "on", "On", "ON"] where hasText(word) { return true }
        for word: StaticString in ["no", "No", "NO", "off", "Off", "OFF"] where hasText(word) { return false }
        return nil
    }
}

extension YAMLScalar {
    package init(plain text: UnsafeBufferPointer<UInt8>) {
        guard let first = text.first else {
            self = .null
            return
        }
        switch first {
        case UInt8(ascii: "~"):
            self = text.count == 1 ? .null : .string
        case UInt8(ascii: "n"), UInt8(ascii: "N"):
            self = Self.isAny(text, "null", "Null", "NULL") ? .null : .string
        case UInt8(ascii: "t"), UInt8(ascii: "T"):
            self = Self.isAny(text, "true", "True", "TRUE") ? .bool(true) : .string
        case UInt8(ascii: "f"), UInt8(ascii: "F"):
            self = Self.isAny(text, "false", "False", "FALSE") ? .bool(false) : .string
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            self = Self.number(text) ?? .string
        default:
            self = .string
        }
    }

    private static func isAny(
        _ text: UnsafeBufferPointer<UInt8>, _ first: StaticString, _ second: StaticString, _ third: StaticString
    ) -> Bool {
        func same(_ word: StaticString) -> Bool {
            guard text.count == word.utf8CodeUnitCount else { return false }
            for position in 0..<text.count where text[position] != word.utf8Start[position] { return false }
            return true
        }
        return same(first) || same(second) || same(third)
    }

    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> YAMLScalar? {
        guard text.count <= 64 else { return nil }
        var position = 0
        var isNegative = false
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            isNegative = text[0] == UInt8(ascii: "-")
            position = 1
        }
        guard position < text.count else { return nil }
        var radix: Int64 = 10
        if position + 2 < text.count, text[position] == UInt8(ascii: "0") {
            switch text[position + 1] {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): radix = 16
            case UInt8(ascii: "o"): radix = 8
            case UInt8(ascii: "b"): radix = 2
            default: break
            }
            if radix != 10 { position += 2 }
        }
        let digitsStart = position
        var value: Int64 = 0
        var overflow = false
        while position < text.count, let digit = digit(text[position]), digit < radix {
            let product = value.multipliedReportingOverflow(by: radix)
            let sum = product.partialValue.subtractingReportingOverflow(digit)
            overflow = overflow || product.overflow || sum.overflow
            value = sum.partialValue
            position += 1
        }
        if position == text.count, position > digitsStart {
            // Summed on the negative side, which is one larger.
            if !overflow, isNegative { return .integer(value) }
            if !overflow, value != .min { return .integer(-value) }
            return radix == 10 ? fraction(text) : nil
        }
        return radix == 10 ? fraction(text) : nil
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// `[+-]digits[.digits][e[+-]digits]` with at least one digit before the exponent; also `.inf`, `-.inf`, `.nan`.
    private static func fraction(_ text: UnsafeBufferPointer<UInt8>) -> YAMLScalar? {
        var position = 0
        func skipDigits() -> Int {
            let start = position
            while position < text.count, text[position] >= UInt8(ascii: "0"), text[position] <= UInt8(ascii: "9") {
                position += 1
            }
            return position - start
        }
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") { position = 1 }
        if isSpecial(text, from: position, ".inf", ".Inf", ".INF") {
            return .number(text[0] == UInt8(ascii: "-") ? -.infinity : .infinity)
        }
        if position == 0, isSpecial(text, from: 0, ".nan", ".NaN", ".NAN") { return .number(.nan) }
        var digits = skipDigits()
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            digits += skipDigits()
        }
        guard digits > 0 else { return nil }
        if position < text.count, text[position] == UInt8(ascii: "e") || text[position] == UInt8(ascii: "E") {
            position += 1
            if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
                position += 1
            }
            guard skipDigits() > 0 else { return nil }
        }
        guard position == text.count else { return nil }
        return Double(String(decoding: text, as: UTF8.self)).map(YAMLScalar.number)
    }

    private static func isSpecial(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int,
        _ first: StaticString, _ second: StaticString, _ third: StaticString
    ) -> Bool {
        text.count - start == 4 && isAny(UnsafeBufferPointer(rebasing: text[start...]), first, second, third)
    }
}
