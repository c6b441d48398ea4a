package import ApusCore

/// What a client holds: the last accepted version of every resource, by type and name.
package struct HeldState: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package let version: String
        /// A serialized `google.protobuf.Any`.
        package let body: [UInt8]

        package init(version: String, body: [UInt8]) {
            self.version = version
            self.body = body
        }
    }

    package var entries: [ResourceType: [String: Entry]]

    package init(_ entries: [ResourceType: [String: Entry]] = [:]) { self.entries = entries }

    package subscript(type: ResourceType) -> [String: Entry] {
        get { entries[type] ?? [:] }
        _modify { yield &entries[type, default: [:]] }
    }

    package var isEmpty: Bool { entries.values.allSatisfy(\.isEmpty) }

    package static func == (left: HeldState, right: HeldState) -> Bool {
        ResourceType.allCases.allSatisfy { left[$0] == right[$0] }
    }
}
