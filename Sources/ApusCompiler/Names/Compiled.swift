package import ApusModel

/// A message and the objects that shaped it, for NACK-to-line and `explain`.
package struct Compiled<Message> {
    package var message: Message
    /// Sorted, each once.
    package var sources: [ObjectKey]

    package init(_ message: Message, sources: some Sequence<ObjectKey>) {
        self.message = message
        self.sources = Set(sources).sorted()
    }
}

extension Compiled: Sendable where Message: Sendable {}
