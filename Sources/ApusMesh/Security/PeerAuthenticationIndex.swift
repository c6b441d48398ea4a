internal import ApusCore
internal import ApusModel

/// Finds the PeerAuthentications that hold for a workload (semantics 4.7): the oldest of the mesh, of the namespace, and
/// of those that select the workload. Each level fills in what the next leaves `UNSET`.
package final class PeerAuthenticationIndex: Sendable {
    private struct Level: Sendable {
        let key: ObjectKey
        let selector: LabelSelector?
        let mode: MutualTLSMode?
        let ports: [UInt32: MutualTLSMode?]
    }

    private let mesh: Level?
    /// The oldest without a selector, by namespace; without the root namespace, whose one is the mesh's.
    private let namespaces: [String: Level]
    /// With selectors, oldest first.
    private let workloads: [String: [Level]]

    static let empty = PeerAuthenticationIndex([], rootNamespace: "")

    /// - Parameter objects: oldest first.
    init(_ objects: [ConfigObject], rootNamespace: String) {
        var mesh: Level?
        var namespaces: [String: Level] = [:]
        var workloads: [String: [Level]] = [:]
        for object in objects {
            guard case .peerAuthentication(let spec) = object.spec else { continue }
            let namespace = object.metadata.namespace
            let selects = spec.selector.map { !$0.isEmpty } ?? false
            let level = Level(
                key: object.key, selector: selects ? LabelSelector(spec.selector ?? [:]) : nil,
                mode: spec.mtls.flatMap(Self.mode), ports: spec.portLevelMtls.mapValues(Self.mode))
            if selects {
                // A selector in the root namespace selects nothing elsewhere, and there are no workloads of its own.
                workloads[namespace, default: []].append(level)
            } else if namespace == rootNamespace {
                mesh = mesh ?? level
            } else if namespaces[namespace] == nil {
                namespaces[namespace] = level
            }
        }
        self.mesh = mesh
        self.namespaces = namespaces
        self.workloads = workloads
    }

    /// nil: `UNSET`.
    private static func mode(_ written: PeerAuthentication.Mode) -> MutualTLSMode? {
        switch written {
        case .unset: nil
        case .disable: .disable
        case .permissive: .permissive
        case .strict: .strict
        }
    }

    /// Of a namespace, without a look at its workloads: what clients go by before they know the endpoint (semantics 3.8).
    package func mode(namespace: String) -> MutualTLSMode {
        namespaces[namespace]?.mode ?? mesh?.mode ?? .permissive
    }

    /// Of one workload. Ports count only where the policy selects workloads.
    package func policy(namespace: String, labels: [String: String]) -> PeerPolicy {
        let inherited = mode(namespace: namespace)
        let own = workloads[namespace]?.first { $0.selector?.selects(labels) ?? false }
        let mode = own?.mode ?? inherited
        return PeerPolicy(
            mode: mode, ports: (own?.ports ?? [:]).mapValues { $0 ?? mode },
            sources: [mesh, namespaces[namespace], own].compactMap { $0?.key })
    }

    /// Whether a workload's port takes the mesh's TLS.
    package func takesMutualTLS(_ endpoint: Endpoint) -> Bool {
        guard workloads[endpoint.namespace] != nil else { return mode(namespace: endpoint.namespace) != .disable }
        return policy(namespace: endpoint.namespace, labels: endpoint.labels).mode(ofPort: endpoint.port) != .disable
    }
}
