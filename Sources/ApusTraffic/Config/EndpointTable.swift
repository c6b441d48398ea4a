public import ApusCore

/// One endpoint (host) of a cluster.
public struct Endpoint: Hashable, Sendable {
    /// What the control plane says of it. `draining`: not to be used, and not counted either.
    public enum Health: Hashable, Sendable { case healthy, degraded, unhealthy, draining }

    /// Where active health checks go, if not to the endpoint itself.
    public struct CheckTarget: Hashable, Sendable {
        public var address: SocketAddress?
        public var port: UInt16?
        public var hostname = ""
        public var isDisabled = false

        public init() {}
    }

    public let address: SocketAddress
    /// `Endpoint.hostname`, for automatic host rewrites; for DNS clusters the name that was resolved.
    public let hostname: String
    /// At least 1.
    public let weight: UInt32
    public let health: Health
    /// Index into `EndpointTable.localities`.
    public let locality: Int
    public let priority: Int
    /// What the consistent-hash balancers hash: `address:port`, or `hash_key` of the `envoy.lb` metadata.
    public let hashKey: String
    /// `envoy.transport_socket_match` metadata, by which the cluster's transport socket is chosen.
    public let transportLabels: [String: String]
    /// `envoy.lb` metadata, by which subsets are made.
    public let metadata: [String: MetadataValue]
    public let checkTarget: CheckTarget?

    public init(
        address: SocketAddress, hostname: String = "", weight: UInt32 = 1, health: Health = .healthy,
        locality: Int = 0, priority: Int = 0, hashKey: String? = nil, transportLabels: [String: String] = [:],
        metadata: [String: MetadataValue] = [:], checkTarget: CheckTarget? = nil
    ) {
        self.address = address
        self.hostname = hostname
        self.weight = max(1, weight)
        self.health = health
        self.locality = locality
        self.priority = priority
        self.hashKey = hashKey ?? address.description
        self.transportLabels = transportLabels
        self.metadata = metadata
        self.checkTarget = checkTarget
    }

    /// The same host somewhere else in the table.
    public func placed(locality: Int, priority: Int) -> Endpoint {
        Endpoint(
            address: address, hostname: hostname, weight: weight, health: health, locality: locality,
            priority: priority, hashKey: hashKey, transportLabels: transportLabels, metadata: metadata,
            checkTarget: checkTarget)
    }

    /// One address of a host that was given by name.
    public func resolved(_ address: SocketAddress, hostname: String) -> Endpoint {
        Endpoint(
            address: address, hostname: hostname, weight: weight, health: health, transportLabels: transportLabels,
            metadata: metadata, checkTarget: checkTarget)
    }
}

public struct Locality: Hashable, Sendable {
    public let region: String
    public let zone: String
    public let subZone: String

    public init(region: String = "", zone: String = "", subZone: String = "") {
        self.region = region
        self.zone = zone
        self.subZone = subZone
    }
}

/// `config.endpoint.v3.ClusterLoadAssignment`: the hosts of a cluster, flat, sorted by priority and then by locality.
public final class EndpointTable: Sendable {
    /// One group of hosts with one locality and one priority.
    public struct Group: Hashable, Sendable {
        public let locality: Locality
        public let priority: Int
        /// Weight among the localities of its priority; nil when none was given.
        public let weight: UInt32?
        /// Indices of its hosts.
        public let endpoints: Range<Int>

        public init(locality: Locality, priority: Int, weight: UInt32?, endpoints: Range<Int>) {
            self.locality = locality
            self.priority = priority
            self.weight = weight
            self.endpoints = endpoints
        }
    }

    public struct Drop: Hashable, Sendable {
        public let category: String
        public let share: Fraction

        public init(category: String, share: Fraction) {
            self.category = category
            self.share = share
        }
    }

    public let name: String
    /// Digest of the bytes it was decoded from.
    public let version: ContentVersion
    public let endpoints: [Endpoint]
    public let localities: [Group]
    /// Indices of `endpoints` by priority; priorities are 0, 1, 2 without gaps (an absent one is an empty range).
    public let priorities: [Range<Int>]
    /// Hundredths: 140.
    public let overprovisioningFactor: UInt32
    /// The health of a priority is that of its weight, not of the number of its hosts.
    public let weighsHealth: Bool
    public let drops: [Drop]

    /// - Parameter groups: any order; sorted here by priority, keeping the given order within one.
    public init(
        name: String, version: ContentVersion = ContentVersion(0),
        groups: [(locality: Locality, priority: Int, weight: UInt32?, endpoints: [Endpoint])],
        overprovisioningFactor: UInt32 = 140, weighsHealth: Bool = false, drops: [Drop] = []
    ) {
        self.name = name
        self.version = version
        self.overprovisioningFactor = overprovisioningFactor
        self.weighsHealth = weighsHealth
        self.drops = drops
        var endpoints: [Endpoint] = []
        var localities: [Group] = []
        var priorities: [Range<Int>] = []
        let order = groups.indices.sorted { (groups[$0].priority, $0) < (groups[$1].priority, $1) }
        for index in order {
            let group = groups[index]
            let start = endpoints.count
            while priorities.count <= group.priority { priorities.append(start..<start) }
            for endpoint in group.endpoints {
                endpoints.append(endpoint.placed(locality: localities.count, priority: group.priority))
            }
            localities.append(
                Group(
                    locality: group.locality, priority: group.priority, weight: group.weight,
                    endpoints: start..<endpoints.count))
            priorities[group.priority] = priorities[group.priority].lowerBound..<endpoints.count
        }
        self.endpoints = endpoints
        self.localities = localities
        self.priorities = priorities
    }

    /// Plain hosts of one priority and locality.
    public convenience init(name: String, endpoints: [Endpoint]) {
        self.init(name: name, groups: [(Locality(), 0, nil, endpoints)])
    }

    public static let empty = EndpointTable(name: "", groups: [])
}
