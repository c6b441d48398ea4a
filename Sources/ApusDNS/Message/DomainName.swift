/// A domain name (RFC 1035 section 3.1): labels of 1 to 63 bytes, at most 255 bytes on the wire.
///
/// ASCII letters are kept small, since names are compared without regard to their case (RFC 4343).
public struct DomainName: Hashable, Sendable, CustomStringConvertible {
    /// Each label behind its length, without the empty one at the end.
    let wire: [UInt8]

    /// Bytes on the wire, the last zero included.
    static let longest = 255

    public static let root = DomainName(wire: [])

    private init(wire: [UInt8]) { self.wire = wire }

    /// - Parameter labels: each behind its length, any letters; the caller has kept the limits.
    init(folding labels: [UInt8]) { wire = labels.map(Self.fold) }

    /// As people write it: `web.example.com`, with or without the last dot. nil: an empty label, one longer than 63
    /// bytes, a name longer than 255, or bytes that no name of a host has (blanks, controls, beyond ASCII, a backslash).
    public init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)
        if bytes == [UInt8(ascii: ".")] {
            self = .root
            return
        }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty else { return nil }
        var wire: [UInt8] = []
        wire.reserveCapacity(bytes.count + 1)
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard !label.isEmpty, label.count <= 63 else { return nil }
            wire.append(UInt8(label.count))
            for byte in label {
                guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\\") else { return nil }
                wire.append(Self.fold(byte))
            }
        }
        guard wire.count < Self.longest else { return nil }
        self.wire = wire
    }

    private static func fold(_ byte: UInt8) -> UInt8 {
        // A length is at most 63, below every letter.
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    public var labels: [[UInt8]] {
        var result: [[UInt8]] = []
        var index = 0
        while index < wire.count {
            let end = index + 1 + Int(wire[index])
            result.append(Array(wire[index + 1..<end]))
            index = end
        }
        return result
    }

    /// nil: longer than a name may be.
    public func appending(_ suffix: DomainName) -> DomainName? {
        wire.count + suffix.wire.count < Self.longest ? DomainName(wire: wire + suffix.wire) : nil
    }

    /// The name is `other` or below it.
    public func isWithin(_ other: DomainName) -> Bool {
        let (mine, others) = (labels, other.labels)
        return mine.count >= others.count && mine.suffix(others.count).elementsEqual(others)
    }

    /// Without the last dot; what does not print, dots and backslashes in a label as `\046` (RFC 1035 section 5.1).
    public var description: String {
        if wire.isEmpty { return "." }
        return labels.map { label in
            label.reduce(into: "") { text, byte in
                if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "."), byte != UInt8(ascii: "\\") {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = String(byte)
                    text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                }
            }
        }.joined(separator: ".")
    }
}
