package import ApusCore

/// Where an object was written, and the way from a field to its line.
package struct Origin: Sendable {
    /// Start of the document's first key.
    package let location: SourceLocation
    /// Looks a field up in the text the object was read from; nil in tests that build objects by hand.
    package let locator: (any FieldLocating)?

    package init(location: SourceLocation, locator: (any FieldLocating)? = nil) {
        self.location = location
        self.locator = locator
    }

    /// The place of `path` (`spec.http[0].route[1].destination.host`), or of its nearest parent that is written.
    package func location(of path: String) -> SourceLocation {
        guard let position = locator?.position(of: path) else { return location }
        return SourceLocation(file: location.file, position: position)
    }

    package static let none = Origin(location: SourceLocation(file: "", position: .start))
}

/// Answers with the position of a field path or of its nearest written parent.
package protocol FieldLocating: Sendable {
    func position(of path: String) -> Position?
}

/// Identity of an object across files and time.
package struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let kind: Kind
    package let name: NamespacedName

    package init(kind: Kind, name: NamespacedName) {
        self.kind = kind
        self.name = name
    }

    /// `VirtualService default/reviews`.
    package var description: String { "\(kind.rawValue) \(name)" }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
    }
}

/// Every kind that Apus reads. The raw value is the manifest's `kind`.
package enum Kind: String, Hashable, Sendable, CaseIterable {
    case virtualService = "VirtualService"
    case destinationRule = "DestinationRule"
    case gateway = "Gateway"
    case serviceEntry = "ServiceEntry"
    case workloadEntry = "WorkloadEntry"
    case workloadGroup = "WorkloadGroup"
    case sidecar = "Sidecar"
    case peerAuthentication = "PeerAuthentication"
    case requestAuthentication = "RequestAuthentication"
    case authorizationPolicy = "AuthorizationPolicy"
    case envoyFilter = "EnvoyFilter"
    case telemetry = "Telemetry"
    case proxyConfig = "ProxyConfig"
    case service = "Service"
    case endpointSlice = "EndpointSlice"
    case endpoints = "Endpoints"
    case pod = "Pod"
    case node = "Node"
    case namespace = "Namespace"
    case serviceAccount = "ServiceAccount"
    case secret = "Secret"
    case configMap = "ConfigMap"
    case deployment = "Deployment"
    case statefulSet = "StatefulSet"
    case daemonSet = "DaemonSet"
    case replicaSet = "ReplicaSet"
    case job = "Job"
    case cronJob = "CronJob"
}

package struct Metadata: Hashable, Sendable {
    package var name: String
    package var namespace: String
    package var labels: [String: String]
    package var annotations: [String: String]
    /// Seconds since 1970, if the manifest gives `creationTimestamp`.
    package var creationTimestamp: Int64?

    package init(
        name: String,
        namespace: String = "default",
        labels: [String: String] = [:],
        annotations: [String: String] = [:],
        creationTimestamp: Int64? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.creationTimestamp = creationTimestamp
    }

    package var namespacedName: NamespacedName { NamespacedName(namespace: namespace, name: name) }
}

/// One manifest document: what it says, where it stands, and the version of its content.
///
/// A class so that snapshots share it; immutable.
package final class ConfigObject: Sendable {
    package let key: ObjectKey
    package let metadata: Metadata
    package let spec: Spec
    package let origin: Origin
    /// Digest of the document's content (not of its place): equal versions mean equal metadata and spec.
    package let version: ContentVersion

    package init(kind: Kind, metadata: Metadata, spec: Spec, origin: Origin = .none, version: ContentVersion) {
        key = ObjectKey(kind: kind, name: metadata.namespacedName)
        self.metadata = metadata
        self.spec = spec
        self.origin = origin
        self.version = version
    }

    /// Istio's "oldest first": creation time if both have one (an object without one counts as oldest), then name,
    /// then namespace.
    package static func isOlder(_ left: ConfigObject, _ right: ConfigObject) -> Bool {
        let leftTime = left.metadata.creationTimestamp ?? .min
        let rightTime = right.metadata.creationTimestamp ?? .min
        if leftTime != rightTime { return leftTime < rightTime }
        return left.key.name < right.key.name
    }
}

/// What an object says, typed by kind.
package enum Spec: Hashable, Sendable {
    case virtualService(VirtualService)
    case destinationRule(DestinationRule)
    case gateway(Gateway)
    case serviceEntry(ServiceEntry)
    case workloadEntry(WorkloadEntry)
    case workloadGroup(WorkloadGroup)
    case sidecar(Sidecar)
    case peerAuthentication(PeerAuthentication)
    case requestAuthentication(RequestAuthentication)
    case authorizationPolicy(AuthorizationPolicy)
    case envoyFilter(EnvoyFilter)
    case telemetry(Telemetry)
    case proxyConfig(ProxyConfigResource)
    case service(KubernetesService)
    case endpointSlice(EndpointSlice)
    case endpoints(KubernetesEndpoints)
    case pod(Pod)
    case node(Node)
    case namespace
    case serviceAccount
    case secret(Secret)
    case configMap(ConfigMap)
    /// Deployment and its kin: the pod template's labels and service account.
    case workloadController(WorkloadController)
}
