/// An AND of exact labels; an empty selector selects everything.
public struct LabelSelector: Hashable, Sendable {
    public var labels: [String: String]

    public init(_ labels: [String: String] = [:]) { self.labels = labels }

    public var isEmpty: Bool { labels.isEmpty }

    public func selects(_ other: [String: String]) -> Bool {
        labels.allSatisfy { other[$0.key] == $0.value }
    }
}
