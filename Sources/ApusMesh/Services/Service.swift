package import ApusCore
package import ApusModel

/// A host that clients can call: from a Kubernetes Service or from one host of a ServiceEntry.
///
/// Immutable and shared between snapshots while its sources do not change.
package final class Service: Sendable {
    package struct Port: Hashable, Sendable {
        package let name: String
        package let number: UInt32
        package let `protocol`: PortProtocol
        /// Numeric target port if one is written and numeric (Service `targetPort`, ServiceEntry `targetPort`).
        package let targetPort: UInt32?

        package init(name: String, number: UInt32, protocol: PortProtocol, targetPort: UInt32? = nil) {
            self.name = name
            self.number = number
            self.protocol = `protocol`
            self.targetPort = targetPort
        }
    }

    package enum Resolution: Hashable, Sendable {
        /// Endpoints are known addresses: EDS.
        case clientSideLB
        case dnsLB
        case dnsRoundRobin
        /// Original destination: headless services, ServiceEntry NONE.
        case passthrough
        case dynamicDNS
        /// ExternalName: another host's alias.
        case alias(HostName)
    }

    package let host: HostName
    package let namespace: String
    /// Metadata name of the source object.
    package let name: String
    package let ports: [Port]
    /// VIPs and CIDRs as text, without `0.0.0.0`; empty means no address.
    package let addresses: [String]
    package let resolution: Resolution
    package let isMeshExternal: Bool
    package let isKubernetes: Bool
    package let isHeadless: Bool
    package let exportTo: Visibility
    package let labels: [String: String]
    /// Selector of a Kubernetes Service or `workloadSelector` of a ServiceEntry; empty: none.
    package let selector: LabelSelector
    package let subjectAltNames: [String]
    /// `PreferClose`, `PreferSameZone`, `PreferSameNode` or empty.
    package let trafficDistribution: String
    package let internalTrafficLocal: Bool
    /// Hosts of ExternalName services that resolve to this one.
    package let aliases: [HostName]
    /// Position in the order "oldest first" of all services.
    package let age: Age
    /// The objects it was made from, oldest first (endpoints are not among them). A service stays the same while their
    /// content does, so for their present place in a file ask `MeshSnapshot.object`.
    package let sources: [ConfigObject]

    package struct Age: Hashable, Sendable, Comparable {
        package let creation: Int64
        package let name: NamespacedName

        package init(creation: Int64, name: NamespacedName) {
            self.creation = creation
            self.name = name
        }

        package static func < (left: Age, right: Age) -> Bool {
            left.creation != right.creation ? left.creation < right.creation : left.name < right.name
        }
    }

    /// Hosts may occur in several namespaces, so host and namespace identify a service.
    package struct ID: Hashable, Sendable, Comparable {
        package let host: HostName
        package let namespace: String

        package init(host: HostName, namespace: String) {
            self.host = host
            self.namespace = namespace
        }

        package static func < (left: ID, right: ID) -> Bool {
            (left.host.text, left.namespace) < (right.host.text, right.namespace)
        }
    }

    package var id: ID { ID(host: host, namespace: namespace) }

    package func port(_ number: UInt32) -> Port? { ports.first { $0.number == number } }

    package init(
        host: HostName,
        namespace: String,
        name: String,
        ports: [Port],
        addresses: [String] = [],
        resolution: Resolution = .clientSideLB,
        isMeshExternal: Bool = false,
        isKubernetes: Bool = true,
        isHeadless: Bool = false,
        exportTo: Visibility = .all,
        labels: [String: String] = [:],
        selector: LabelSelector = LabelSelector(),
        subjectAltNames: [String] = [],
        trafficDistribution: String = "",
        internalTrafficLocal: Bool = false,
        aliases: [HostName] = [],
        age: Age,
        sources: [ConfigObject] = []
    ) {
        self.host = host
        self.namespace = namespace
        self.name = name
        self.ports = ports
        self.addresses = addresses
        self.resolution = resolution
        self.isMeshExternal = isMeshExternal
        self.isKubernetes = isKubernetes
        self.isHeadless = isHeadless
        self.exportTo = exportTo
        self.labels = labels
        self.selector = selector
        self.subjectAltNames = subjectAltNames
        self.trafficDistribution = trafficDistribution
        self.internalTrafficLocal = internalTrafficLocal
        self.aliases = aliases
        self.age = age
        self.sources = sources
    }
}

/// Who may see an object (`exportTo`, resolved against its own namespace).
package enum Visibility: Hashable, Sendable {
    case all
    /// `~`.
    case nobody
    case namespaces(Set<String>)

    package func includes(_ namespace: String) -> Bool {
        switch self {
        case .all: true
        case .nobody: false
        case .namespaces(let names): names.contains(namespace)
        }
    }
}
