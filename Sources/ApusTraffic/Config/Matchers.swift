public import ApusRegex

/// `type.matcher.v3.StringMatcher`, compiled.
public struct StringMatch: Sendable {
    public enum Pattern: Sendable {
        case exact([UInt8])
        case prefix([UInt8])
        case suffix([UInt8])
        case contains([UInt8])
        case regex(RE2Pattern)
    }

    public let pattern: Pattern
    public let ignoresCase: Bool

    /// - Parameter ignoresCase: no effect on a regular expression, as with Envoy.
    public init(_ pattern: Pattern, ignoresCase: Bool = false) {
        self.ignoresCase = ignoresCase
        guard ignoresCase else {
            self.pattern = pattern
            return
        }
        switch pattern {
        case .exact(let bytes): self.pattern = .exact(bytes.map(ASCII.lower))
        case .prefix(let bytes): self.pattern = .prefix(bytes.map(ASCII.lower))
        case .suffix(let bytes): self.pattern = .suffix(bytes.map(ASCII.lower))
        case .contains(let bytes): self.pattern = .contains(bytes.map(ASCII.lower))
        case .regex: self.pattern = pattern
        }
    }

    public static func exact(_ text: String) -> StringMatch { StringMatch(.exact(Array(text.utf8))) }

    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch pattern {
        case .exact(let wanted): bytes.count == wanted.count && same(bytes, 0, wanted)
        case .prefix(let wanted): bytes.count >= wanted.count && same(bytes, 0, wanted)
        case .suffix(let wanted): bytes.count >= wanted.count && same(bytes, bytes.count &- wanted.count, wanted)
        case .contains(let wanted): contains(bytes, wanted)
        case .regex(let regex): regex.matches(bytes)
        }
    }

    private func same(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ wanted: [UInt8]) -> Bool {
        if ignoresCase {
            for index in 0..<wanted.count where ASCII.lower(bytes[offset &+ index]) != wanted[index] { return false }
        } else {
            for index in 0..<wanted.count where bytes[offset &+ index] != wanted[index] { return false }
        }
        return true
    }

    private func contains(_ bytes: UnsafeRawBufferPointer, _ wanted: [UInt8]) -> Bool {
        guard bytes.count >= wanted.count else { return false }
        for offset in 0...(bytes.count &- wanted.count) where same(bytes, offset, wanted) { return true }
        return false
    }
}

/// `config.route.v3.HeaderMatcher`. Several fields of one name are compared one by one, never joined: one that passes
/// decides, and what is inverted is that decision.
public struct HeaderMatch: Sendable {
    public enum Test: Sendable {
        /// The header is there (`present_match: true`, or no specifier at all).
        case present
        /// The header is not there (`present_match: false`).
        case absent
        case string(StringMatch)
        /// The whole value is a decimal integer in the half-open range.
        case range(Int64, Int64)
    }

    public let name: HeaderName
    public let test: Test
    public let inverted: Bool
    /// A missing header is the empty value. Without it a missing header fails every test but that of presence, the
    /// inverted tests too (Envoy ignores the rule then).
    public let treatsMissingAsEmpty: Bool

    public init(name: HeaderName, test: Test, inverted: Bool = false, treatsMissingAsEmpty: Bool = false) {
        self.name = name
        self.test = test
        self.inverted = inverted
        self.treatsMissingAsEmpty = treatsMissingAsEmpty
    }
}

/// `config.route.v3.QueryParameterMatcher`: the first value of the parameter is compared.
public struct QueryMatch: Sendable {
    public let name: [UInt8]
    /// nil: the parameter is there, whatever its value.
    public let value: StringMatch?

    public init(name: String, value: StringMatch?) {
        self.name = Array(name.utf8)
        self.value = value
    }
}

/// A share of the requests in millionths: `numerator` of 100, 10,000 or 1,000,000, made common.
public struct Fraction: Hashable, Sendable {
    public let millionths: UInt32

    public init(millionths: UInt32) { self.millionths = min(millionths, 1_000_000) }

    public static let all = Fraction(millionths: 1_000_000)
    public static let none = Fraction(millionths: 0)

    /// True for `millionths` of a million equally likely draws.
    public func contains(draw: UInt64) -> Bool {
        millionths == 1_000_000 || (millionths > 0 && draw % 1_000_000 < UInt64(millionths))
    }
}
