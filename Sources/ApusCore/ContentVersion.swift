/// A stable 64-bit digest of bytes: equal content has an equal version on every machine and in every run.
///
/// Versions of xDS resources and of manifests are content versions, so replicas agree without talking to each other
/// and a client that reconnects is sent nothing it already has.
public struct ContentVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public init(of bytes: [UInt8]) { value = XXHash64.hash(bytes) }

    public init(of text: String) { value = XXHash64.hash(text) }

    public static func < (left: ContentVersion, right: ContentVersion) -> Bool { left.value < right.value }

    /// Sixteen lower-case hexadecimal digits.
    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
