internal import ApusRegex

/// A regular expression of an operator that is looked for anywhere in a name, as the admin pages' `filter` is.
public struct NameFilter: Sendable {
    private let pattern: RE2Pattern

    /// - Throws: what is wrong with the expression, in RE2's words.
    public init(_ text: String) throws(InvalidPattern) {
        do throws(RE2Pattern.SyntaxError) {
            // Compiled alone first: what is put around it must not make sense of what makes none.
            _ = try RE2Pattern(text)
            pattern = try RE2Pattern("(?s:.*?)(?:\(text))(?s:.*)")
        } catch {
            throw InvalidPattern(reason: error.message)
        }
    }

    public struct InvalidPattern: Error, Hashable {
        public let reason: String
    }

    public func matches(_ name: String) -> Bool { pattern.matches(name) }
}
