package import ApusCore
package import ApusModel

/// A Pod or WorkloadEntry as the registry sees it.
package final class Workload: Sendable {
    package let object: ConfigObject
    package let addresses: [String]
    package let labels: [String: String]
    package let serviceAccount: String
    package let locality: Locality
    package let network: String
    package let nodeName: String

    package var name: NamespacedName { object.key.name }
    package var isPod: Bool { object.key.kind == .pod }

    package init(
        object: ConfigObject, addresses: [String], labels: [String: String], serviceAccount: String,
        locality: Locality, network: String, nodeName: String
    ) {
        self.object = object
        self.addresses = addresses
        self.labels = labels
        self.serviceAccount = serviceAccount
        self.locality = locality
        self.network = network
        self.nodeName = nodeName
    }
}
