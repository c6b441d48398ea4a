/// `namespace/name`, the key of an object within its kind.
public struct NamespacedName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let namespace: String
    public let name: String

    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    public var description: String { "\(namespace)/\(name)" }

    /// By name, then namespace: Istio's order for objects of one age.
    public static func < (left: NamespacedName, right: NamespacedName) -> Bool {
        (left.name, left.namespace) < (right.name, right.namespace)
    }
}
