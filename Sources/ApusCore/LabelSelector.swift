/// An AND of exact labels; an empty selector selects everything.
package struct LabelSelector: Hashable, Sendable {
    package var labels: [String: String]

    package init(_ labels: [String: String] = [:]) { self.labels = labels }

    package var isEmpty: Bool { labels.isEmpty }

    package func selects(_ other: [String: String]) -> Bool {
        labels.allSatisfy { other[$0.key] == $0.value }
    }
}
