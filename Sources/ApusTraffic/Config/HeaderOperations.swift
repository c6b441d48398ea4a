/// Removals and settings of headers at one level (weighted cluster, route, virtual host, route table).
package struct HeaderOperations: Sendable {
    package enum Action: Hashable, Sendable {
        case appendIfExistsOrAdd, addIfAbsent, overwriteIfExistsOrAdd, overwriteIfExists
    }

    package struct Setting: Sendable {
        package let name: HeaderName
        package let value: FormatString
        package let action: Action
        /// An empty result is added too; by default it is not.
        package let keepsEmptyValue: Bool

        package init(
            name: HeaderName, value: FormatString, action: Action = .appendIfExistsOrAdd, keepsEmptyValue: Bool = false
        ) {
            self.name = name
            self.value = value
            self.action = action
            self.keepsEmptyValue = keepsEmptyValue
        }
    }

    package let removals: [HeaderName]
    package let settings: [Setting]
    /// Some value reads the request or response, so the head must be kept while it is changed.
    package let readsHeads: Bool

    package init(removals: [HeaderName] = [], settings: [Setting] = []) {
        self.removals = removals
        self.settings = settings
        readsHeads = settings.contains { $0.value.literal == nil }
    }

    package static let none = HeaderOperations()

    package var isEmpty: Bool { removals.isEmpty && settings.isEmpty }
}
