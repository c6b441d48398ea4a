/// A host as manifests write it: an exact DNS name or address, a suffix wildcard (`*.example.com`), or `*`.
/// Held in lower case.
public struct HostName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) { self.text = text.lowercased() }

    public var description: String { text }

    public var isWildcard: Bool { text.utf8.first == UInt8(ascii: "*") }

    /// For `*.example.com` the part `.example.com`; nil for an exact name.
    private var suffix: Substring? { isWildcard ? text.dropFirst() : nil }

    /// True if some concrete host is meant by both (wildcards on either side).
    public func matches(_ other: HostName) -> Bool {
        switch (suffix, other.suffix) {
        case (nil, nil): text == other.text
        case (let mine?, nil): Self.has(other.text, mine)
        case (nil, let theirs?): Self.has(text, theirs)
        case (let mine?, let theirs?): mine.hasSuffix(theirs) || theirs.hasSuffix(mine)
        }
    }

    /// True if every concrete host that `self` means is also meant by `other`.
    public func isSubset(of other: HostName) -> Bool {
        switch (suffix, other.suffix) {
        case (nil, nil): text == other.text
        case (_?, nil): false
        case (nil, let theirs?): Self.has(text, theirs)
        case (let mine?, let theirs?): mine.hasSuffix(theirs)
        }
    }

    /// `*.example.com` does not mean `.example.com` itself, and `*` means everything.
    private static func has(_ host: String, _ suffix: Substring) -> Bool {
        suffix.isEmpty || (host.utf8.count > suffix.utf8.count && host.hasSuffix(suffix))
    }

    /// Istio's order of specificity: exact names first (alphabetically), then wildcards from longest to shortest.
    public static func < (left: HostName, right: HostName) -> Bool {
        switch (left.isWildcard, right.isWildcard) {
        case (false, true): true
        case (true, false): false
        case (false, false): left.text < right.text
        case (true, true):
            left.text.utf8.count == right.text.utf8.count
                ? left.text < right.text : left.text.utf8.count > right.text.utf8.count
        }
    }
}
