package import ApusCore

/// Resources to hand to the receiver of configuration.
package struct ConfigBatch: Sendable {
    package enum Origin: Hashable, Sendable {
        /// Kept from an earlier run; nobody waits for the verdict.
        case saved
        case server
    }

    package let type: ResourceType
    package let added: [ReceivedResource]
    package let removed: [String]
    package let origin: Origin
}

/// What the owner of a client machine must do now.
package enum ClientAction: Sendable {
    /// Open a stream, then report `connected` or `disconnected`.
    case connect
    /// Write these bytes (a `DeltaDiscoveryRequest`) as one message.
    case send([UInt8])
    /// Hand over the batch, then report `judged`. Read no further response before.
    case apply(ConfigBatch)
    /// End the stream, then report `disconnected`.
    case disconnect(reason: String)
    /// Nothing to do before the next event, or before this instant if there is one.
    case wait(until: Instant?)
}

/// What a received message turned out to be, for logs and counters.
package enum ResponseEvent: Hashable, Sendable {
    /// Resources and removals for the receiver.
    case batch(ResourceType, added: Int, removed: Int)
    /// The response broke a rule and is refused as a whole; it does not reach the receiver.
    case refused(typeURL: String, reason: String)
    /// The bytes are no response; the stream will end.
    case garbage
    /// The machine expected no message now.
    case unexpected
}

package struct ClientLimits: Hashable, Sendable {
    /// Bytes of one response.
    package var responseSize = 64 << 20
    /// Resources held per type.
    package var resources = 200_000
    /// UTF-8 bytes of one name.
    package var nameLength = 4_096
    /// UTF-8 bytes of an error message.
    package var errorLength = 4_096

    package init() {}
}

/// How the client is connected.
package enum ConnectionState: Hashable, Sendable {
    case replaying
    case connecting
    case connected(since: Instant)
    case waiting(until: Instant, failures: Int)
}

/// The bookkeeping of one type in the client.
package struct ClientTypeStatus: Hashable, Sendable {
    package let type: ResourceType
    package let held: Int
    package let wanted: Int
    /// A response of this type came, in this stream or an earlier one of this run.
    package let hasAnswer: Bool
    package let version: String
    package let lastResponse: Instant?
    /// The error of the last response, until one is accepted.
    package let error: String?
    package let acknowledgements: Int
    package let rejections: Int
}
