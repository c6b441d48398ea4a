package import ApusCore

/// What a proxy runs from without a control plane: who it is, where its admin pages are, and what it serves.
package struct Bootstrap: Sendable {
    /// The admin pages' address; port 0 picks a free one.
    package struct Admin: Hashable, Sendable {
        package let address: IPAddress
        package let port: Int
    }

    /// A resource of the file, encoded as xDS would bring it.
    package struct Resource: Sendable {
        package let name: String
        /// A serialized `google.protobuf.Any`.
        package let body: [UInt8]
        package let location: SourceLocation
    }

    /// Empty where the file has no `node`.
    package var nodeID = ""
    package var nodeCluster = ""
    package var admin: Admin?
    package var clusters: [Resource] = []
    package var listeners: [Resource] = []
}
