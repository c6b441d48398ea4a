/// A cluster as requests see it: its configuration and its hosts of this moment.
public final class Cluster: Sendable {
    public let config: ClusterConfig
    /// For DNS clusters the names; whoever resolves them makes a table of addresses from it.
    public let endpoints: EndpointTable

    public init(config: ClusterConfig, endpoints: EndpointTable) {
        self.config = config
        self.endpoints = endpoints
    }
}

/// Everything a data plane needs to serve, immutable. A loop replaces its reference to take on a newer one; a request
/// keeps the one it began with.
public final class ProxyConfiguration: Sendable {
    /// Counts up with every change.
    public let generation: UInt64
    /// Listeners that are ready: their route tables are here.
    public let listeners: [ListenerConfig]
    /// By the slot that connection managers carry; nil: not (yet) known.
    public let routeTables: [RouteTable?]
    /// By the slot that routes carry; nil: not known, or still waiting for its endpoints.
    public let clusters: [Cluster?]
    /// Names of the clusters that exist, for `cluster_header` and for statistics.
    private let clusterSlots: [String: Slot]
    /// By the slot that TLS contexts carry; nil: not here (yet).
    public let secrets: [Secret?]

    public init(
        generation: UInt64, listeners: [ListenerConfig], routeTables: [RouteTable?], clusters: [Cluster?],
        clusterSlots: [String: Slot], secrets: [Secret?] = []
    ) {
        self.secrets = secrets
        self.generation = generation
        self.listeners = listeners
        self.routeTables = routeTables
        self.clusters = clusters
        self.clusterSlots = clusterSlots
    }

    public static let empty = ProxyConfiguration(
        generation: 0, listeners: [], routeTables: [], clusters: [], clusterSlots: [:])

    public func cluster(_ slot: Slot) -> Cluster? { slot.index < clusters.count ? clusters[slot.index] : nil }

    public func secret(_ slot: Slot) -> Secret? { slot.index < secrets.count ? secrets[slot.index] : nil }

    public func cluster(named name: String) -> Cluster? { clusterSlots[name].flatMap { cluster($0) } }

    public func routeTable(_ slot: Slot) -> RouteTable? {
        slot.index < routeTables.count ? routeTables[slot.index] : nil
    }

    /// The table that serves a connection manager now.
    public func routeTable(for manager: HTTPConnectionManager) -> RouteTable? {
        switch manager.routes {
        case .inline(let table): table
        case .discovered(_, let slot): routeTable(slot)
        }
    }
}

/// What is different from the configuration before.
public struct ConfigurationChange: Sendable {
    public var addedListeners: [String] = []
    public var changedListeners: [String] = []
    public var removedListeners: [String] = []
    public var changedClusters: [String] = []
    public var removedClusters: [String] = []
    /// Clusters of which only the endpoints differ.
    public var changedEndpoints: [String] = []
    public var changedRouteTables: [String] = []
    public var changedSecrets: [String] = []

    public init() {}

    public var isEmpty: Bool {
        addedListeners.isEmpty && changedListeners.isEmpty && removedListeners.isEmpty && changedClusters.isEmpty
            && removedClusters.isEmpty && changedEndpoints.isEmpty && changedRouteTables.isEmpty
            && changedSecrets.isEmpty
    }
}
