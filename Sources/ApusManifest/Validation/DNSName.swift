/// The forms of names in manifests (RFC 1123 and Kubernetes' label syntax).
enum DNSName {
    /// What is wrong with a name of labels and dots; nil if nothing is.
    static func problem(_ name: String) -> String? {
        var name = name[...]
        if name.isEmpty { return "it is empty" }
        if name.utf8.count > 255 { return "it has more than 255 characters" }
        if name.hasSuffix(".") { name = name.dropLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            if label.isEmpty { return "it has an empty label" }
            if !isLabel(String(label)) { return "\"\(label)\" is not a label of letters, digits and inner hyphens" }
        }
        if labels.count > 1, let last = labels.last, last.allSatisfy(\.isNumber) {
            return "its last label has only digits"
        }
        return nil
    }

    static func wildcardProblem(_ name: String) -> String? {
        guard name.hasPrefix("*") else { return problem(name) }
        var rest = name.dropFirst()
        if rest.hasPrefix(".") { rest = rest.dropFirst() }
        if rest.hasPrefix("-") { rest = rest.dropFirst() }
        if rest.contains("*") { return "only the beginning can be a wildcard" }
        return problem(String(rest))
    }

    /// One label: letters, digits and inner hyphens, at most 63.
    static func isLabel(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    /// `[prefix/]name` of a Kubernetes label.
    static func isLabelKey(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isLabelValue(text) && !text.isEmpty
        case 2: return problem(String(parts[0])) == nil && isLabelValue(String(parts[1])) && !parts[1].isEmpty
        default: return false
        }
    }

    /// At most 63 letters, digits, `-`, `_`, `.`, with a letter or digit at both ends; or empty.
    static func isLabelValue(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last else { return true }
        return bytes.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
            && bytes.allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    /// A header's name: a token of RFC 9110.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
            }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
