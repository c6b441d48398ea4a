package import ApusCore
package import ApusDelta

/// What happened to a client, for whoever waits for a moment or counts.
package enum XDSClientEvent: Sendable {
    case connected
    /// The stream ended or could not be opened, and why; the next try is at `until`.
    case disconnected(reason: String, until: Instant)
    case applied(ConfigBatch, Verdict)
    /// A response that did not reach the receiver.
    case refused(typeURL: String, reason: String)
    /// What is held is on disk, up to this generation.
    case saved(generation: Int)
}

/// The state of a client at one moment.
package struct XDSClientStatus: Sendable {
    package let address: String
    package let connection: ConnectionState
    package let types: [ClientTypeStatus]
    /// Clusters and listeners have come, from the control plane or from an earlier run: traffic can be served.
    package let hasConfiguration: Bool
    package let lastError: String?
    /// How often a stream was opened.
    package let connections: Int
}
