package import ApusCore

/// One message to write, and what it says.
package struct OutgoingResponse: Sendable {
    package let type: ResourceType
    package let nonce: String
    package let version: ContentVersion
    /// A serialized `DeltaDiscoveryResponse` or `DiscoveryResponse`.
    package let bytes: [UInt8]
    /// Names of the resources inside, sorted.
    package let resources: [String]
    /// Names in `removed_resources`, sorted; always empty in the state-of-the-world variant.
    package let removed: [String]
}

/// What the owner of a stream must do now.
package enum ServerAction: Sendable {
    /// Write these bytes as one message, then ask again. The machine counts them as sent: if the write fails, the
    /// stream must end.
    case send(OutgoingResponse)
    /// Write nothing. Ask again after the next request or update, and at this instant if there is one.
    case wait(until: Instant?)
    /// End the stream with this status; the machine has nothing more to say.
    case close(CloseStatus)
}

/// How a stream ends because of what its peer did.
package struct CloseStatus: Hashable, Sendable {
    package enum Code: Hashable, Sendable { case invalidArgument, resourceExhausted }

    package let code: Code
    package let message: String
}

/// What a request turned out to be, for logs and counters. What to write follows from asking for the next action.
package enum RequestEvent: Sendable {
    /// The first request for a type, or one that changed a subscription.
    case subscribed(ResourceType)
    /// The client took the response, this long after it was sent. A subscription may have changed with it.
    case acknowledged(ResourceType, after: Duration)
    /// The client refused the response. It is not sent again until its content changes.
    case rejected(Rejection)
    /// The nonce is not that of the last response. State of the world: nothing of the request was used. Delta: its
    /// subscription changes were.
    case stale(ResourceType)
    /// A type that is not served; nothing is answered.
    case unknownType(String)
    /// The request broke a rule; the next action closes the stream.
    case refused(CloseStatus)
}

/// One NACK, in the words of the client.
package struct Rejection: Hashable, Sendable {
    package let type: ResourceType
    package let nonce: String
    /// The version that was refused.
    package let version: ContentVersion
    /// The gRPC code of `error_detail`.
    package let code: Int32
    /// `error_detail.message`, cut to `StreamLimits.errorLength`.
    package let message: String
    /// Resources of the response that the message names; empty if it names none.
    package let resources: [String]
    /// `Kind namespace/name` of the objects that shaped those resources (of all resources of a response that has only
    /// one).
    package let sources: [String]
    package let at: Instant
}
