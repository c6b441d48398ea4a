package import ApusCore
package import ApusDelta

/// What a stream's machine said of itself after its last step.
package struct StreamStatus: Sendable {
    package let types: [TypeStatus]
    package let at: Instant

    package init(types: [TypeStatus], at: Instant) {
        self.types = types
        self.at = at
    }

    package subscript(type: ResourceType) -> TypeStatus? { types.first { $0.type == type } }
}
