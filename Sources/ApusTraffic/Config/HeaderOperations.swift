/// Removals and settings of headers at one level (weighted cluster, route, virtual host, route table).
public struct HeaderOperations: Sendable {
    public enum Action: Hashable, Sendable {
        case appendIfExistsOrAdd, addIfAbsent, overwriteIfExistsOrAdd, overwriteIfExists
    }

    public struct Setting: Sendable {
        public let name: HeaderName
        public let value: FormatString
        public let action: Action
        /// An empty result is added too; by default it is not.
        public let keepsEmptyValue: Bool

        public init(
            name: HeaderName, value: FormatString, action: Action = .appendIfExistsOrAdd, keepsEmptyValue: Bool = false
        ) {
            self.name = name
            self.value = value
            self.action = action
            self.keepsEmptyValue = keepsEmptyValue
        }
    }

    public let removals: [HeaderName]
    public let settings: [Setting]
    /// Some value reads the request or response, so the head must be kept while it is changed.
    public let readsHeads: Bool

    public init(removals: [HeaderName] = [], settings: [Setting] = []) {
        self.removals = removals
        self.settings = settings
        readsHeads = settings.contains { $0.value.literal == nil }
    }

    public static let none = HeaderOperations()

    public var isEmpty: Bool { removals.isEmpty && settings.isEmpty }
}
