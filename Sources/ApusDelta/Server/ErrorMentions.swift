/// Finds resource names in the words of a client's error message, which is the only place where the protocol lets a
/// client say which resource of a response was at fault.
package struct ErrorMentions {
    private let text: [UInt8]

    package init(_ message: String) { text = Array(message.utf8) }

    /// True if the name stands in the message as a whole word: `a.b` is not meant where `a.b.c` is written.
    package func contains(_ name: String) -> Bool {
        let name = Array(name.utf8)
        guard let first = name.first, name.count <= text.count else { return false }
        for start in 0...(text.count - name.count) where text[start] == first {
            let end = start + name.count
            if text[start..<end].elementsEqual(name), endsWord(before: start), beginsNothing(at: end) { return true }
        }
        return false
    }

    private func endsWord(before start: Int) -> Bool {
        guard start > 0 else { return true }
        return !Self.isPart(text[start - 1]) && !Self.isJoint(text[start - 1])
    }

    /// A full stop or colon after a name ends it, unless the name goes on behind it.
    private func beginsNothing(at end: Int) -> Bool {
        guard end < text.count else { return true }
        if Self.isJoint(text[end]) { return end + 1 >= text.count || !Self.isPart(text[end + 1]) }
        return !Self.isPart(text[end])
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "|"),
            UInt8(ascii: "~"), UInt8(ascii: "/"):
            true
        default:
            byte >= 0x80
        }
    }

    private static func isJoint(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") }
}
