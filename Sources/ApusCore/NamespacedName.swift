/// `namespace/name`, the key of an object within its kind.
package struct NamespacedName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let namespace: String
    package let name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { "\(namespace)/\(name)" }

    /// By name, then namespace: Istio's order for objects of one age.
    package static func < (left: NamespacedName, right: NamespacedName) -> Bool {
        (left.name, left.namespace) < (right.name, right.namespace)
    }
}
