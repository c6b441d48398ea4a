package import ApusCore

/// Which types a stream may ask for.
package enum StreamScope: Hashable, Sendable {
    /// An aggregated stream (ADS): every type, ordered among each other.
    case aggregated
    /// One of the separate services (CDS, EDS, LDS, RDS, SDS).
    case single(ResourceType)
}

/// What a peer may grow, and how long a stream waits for it.
package struct StreamLimits: Hashable, Sendable {
    /// Names that one stream may subscribe to per type, and entries of `initial_resource_versions`.
    package var names = 50_000
    /// UTF-8 bytes of one name.
    package var nameLength = 1_024
    /// Bytes of one request.
    package var requestSize = 16 << 20
    /// How long the removal of clusters and endpoints waits for the listeners and routes of the same update.
    package var removalHold: Duration = .seconds(10)
    /// How long a response may stay unacknowledged while newer content waits behind it. Envoy delays its CDS
    /// acknowledgement while clusters warm, and the newer content may be the cure of what it warms for.
    package var acknowledgementPatience: Duration = .seconds(15)
    /// UTF-8 bytes that are kept of a client's error message.
    package var errorLength = 4_096

    package init() {}
}

/// A resource that stands in for a missing one, so that a client which waits for the name goes on: an empty
/// ClusterLoadAssignment or RouteConfiguration. Nil: the name is answered as removed.
package typealias PlaceholderSource = @Sendable (_ type: ResourceType, _ name: String) -> EncodedResource?

/// What makes one stream: its scope, limits and the texts that mark its responses.
package struct StreamSettings: Sendable {
    package var scope: StreamScope
    package var limits: StreamLimits
    /// Differs between processes, so that a nonce of an earlier process is never taken for one of this.
    package var noncePrefix: String
    /// `control_plane.identifier` of every response; empty leaves the field out.
    package var controlPlane: String
    package var placeholder: PlaceholderSource

    package init(
        scope: StreamScope = .aggregated,
        limits: StreamLimits = StreamLimits(),
        noncePrefix: String,
        controlPlane: String = "",
        placeholder: @escaping PlaceholderSource = { _, _ in nil }
    ) {
        self.scope = scope
        self.limits = limits
        self.noncePrefix = noncePrefix
        self.controlPlane = controlPlane
        self.placeholder = placeholder
    }
}
