package import ApusCore

/// A resource as it came over the stream: its name, the version the server gave it, and a serialized
/// `google.protobuf.Any`.
package typealias ReceivedResource = (name: String, version: String, body: [UInt8])

/// What a receiver of configuration says to one batch.
package struct Verdict: Hashable, Sendable {
    package struct Refusal: Hashable, Sendable {
        /// A name of the batch; empty if the fault is that of the batch as a whole.
        package let name: String
        /// Why, in words a person can act on.
        package let reason: String

        package init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    /// The resources that were not taken, each of which stays as it was before; all others took effect. Empty: the
    /// batch is accepted. A refusal without a name: nothing of the batch took effect.
    package var refusals: [Refusal]
    /// The names that the configuration refers to from now on, in full, by type; types that are left out stay as they
    /// are. After a cluster batch the endpoints, after a listener batch the routes and secrets.
    package var wanted: [ResourceType: Set<String>]

    package init(refusals: [Refusal] = [], wanted: [ResourceType: Set<String>] = [:]) {
        self.refusals = refusals
        self.wanted = wanted
    }

    package static let accepted = Verdict()

    var refusesAll: Bool { refusals.contains { $0.name.isEmpty } }
}

/// Where received configuration goes. The program fulfils it with the proxy's configuration store.
package protocol ConfigSink: Sendable {
    /// Applies one batch and judges it. Batches come one at a time, in the order of the stream; the resources saved by
    /// an earlier run come first, in the order of `ResourceType`.
    func apply(type: ResourceType, added: [ReceivedResource], removed: [String]) async -> Verdict
}
