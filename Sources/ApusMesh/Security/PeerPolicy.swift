package import ApusModel

/// What a port asks of its callers' TLS, with everything that is inherited filled in.
package enum MutualTLSMode: Hashable, Sendable { case disable, permissive, strict }

/// PeerAuthentication as it holds for one workload (semantics 4.7).
package struct PeerPolicy: Hashable, Sendable {
    /// Of every port that has no mode of its own.
    package let mode: MutualTLSMode
    /// By the workload's port, `UNSET` already replaced by what it inherits.
    package let ports: [UInt32: MutualTLSMode]
    /// The objects that had a say, mesh, namespace, workload.
    package let sources: [ObjectKey]

    package init(mode: MutualTLSMode = .permissive, ports: [UInt32: MutualTLSMode] = [:], sources: [ObjectKey] = []) {
        self.mode = mode
        self.ports = ports
        self.sources = sources
    }

    package func mode(ofPort port: UInt32) -> MutualTLSMode { ports[port] ?? mode }
}
