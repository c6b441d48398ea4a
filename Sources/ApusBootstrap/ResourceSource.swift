/// Where resources come from.
enum ResourceSource: Hashable, Sendable {
    /// The aggregated stream of the bootstrap.
    case ads
    /// A `DiscoveryResponse` as text. `watchedDirectory`: the folder whose moves say that the file is new; otherwise the
    /// file itself.
    case file(path: String, watchedDirectory: String?)
    /// A stream of the type's own service.
    case stream(StreamSource)
}

/// A gRPC stream of xDS.
struct StreamSource: Hashable, Sendable {
    /// The static cluster that the stream goes to.
    let cluster: String
    /// Incremental, else the state of the world.
    let isDelta: Bool
    /// Headers sent with the call.
    let metadata: [Header]

    struct Header: Hashable, Sendable {
        let name: String
        let value: String
    }
}
