internal import ApusAPI
public import ApusCore
internal import SwiftProtobuf

/// One change to one resource type, as a response of the server brings it.
public struct ConfigUpdate: Sendable {
    public struct Resource: Sendable {
        public let name: String
        /// The server's version, for the dump.
        public let version: String
        /// A serialized `google.protobuf.Any`.
        public let body: [UInt8]

        public init(name: String, version: String, body: [UInt8]) {
            self.name = name
            self.version = version
            self.body = body
        }
    }

    public let type: ResourceType
    public let changed: [Resource]
    public let removed: [String]

    public init(type: ResourceType, changed: [Resource], removed: [String] = []) {
        self.type = type
        self.changed = changed
        self.removed = removed
    }
}

/// What became of an update.
public struct ConfigVerdict: Sendable {
    public struct Rejection: Hashable, Sendable {
        public let name: String
        public let reason: String
        /// The field that is refused, as `filter_chains[0].filters[0]`; empty: the resource as a whole.
        public let path: String
    }

    public let accepted: [String]
    public let rejected: [Rejection]
    /// For `error_detail`; nil: acknowledge.
    public let message: String?
    public let change: ConfigurationChange
}

/// The accepted resources of one proxy, and the configuration they make. A value without clocks or I/O: the client
/// feeds it, the data plane takes `configuration`.
///
/// Each resource is judged alone: good ones take effect although others of the same response are refused, as Envoy does
/// for listeners and clusters. A refused resource leaves its last good version in force.
public struct ConfigStore: Sendable {
    /// An accepted resource with the bytes it came in.
    public struct Accepted: Sendable {
        public let name: String
        public let version: String
        public let body: [UInt8]
        /// Nanoseconds since the epoch, as the caller said.
        public let updatedAt: Int64
        fileprivate let digest: ContentVersion
    }

    /// The last refused version of a resource.
    public struct Rejected: Sendable {
        public let name: String
        public let version: String
        public let body: [UInt8]
        public let attemptedAt: Int64
        public let reason: String
    }

    public private(set) var configuration = ProxyConfiguration.empty

    private var context = DecodingContext()
    private var accepted: [ResourceType: [String: Accepted]] = [:]
    private var rejected: [ResourceType: [String: Rejected]] = [:]
    private var clusters: [String: ClusterConfig] = [:]
    private var endpoints: [String: EndpointTable] = [:]
    private var routeTables: [String: RouteTable] = [:]
    private var secrets: [SecretReference: Secret] = [:]
    /// Those that listeners and clusters want, as of the last change.
    private var referencedSecrets: Set<SecretReference> = []
    /// Listeners in service.
    private var active: [String: ListenerConfig] = [:]
    /// Accepted listeners that wait for a route table; the active one of the name serves until then.
    private var warming: [String: ListenerConfig] = [:]

    /// A peer cannot make the store grow past this many resources of one type.
    private static let maxResources = 200_000

    public init() {}

    // MARK: What to subscribe to

    /// Names of the endpoint resources that the accepted clusters want, sorted.
    public var wantedEndpoints: [String] { wantedEndpointSet.sorted() }

    private var wantedEndpointSet: Set<String> {
        var names: Set<String> = []
        for cluster in clusters.values {
            if case .eds(let name) = cluster.discovery { names.insert(name) }
        }
        return names
    }

    /// Names of the route tables that the accepted listeners want, sorted.
    public var wantedRoutes: [String] { wantedRouteSet.sorted() }

    private var wantedRouteSet: Set<String> {
        var names: Set<String> = []
        for listener in active.values { names.formUnion(Self.routeNames(listener)) }
        for listener in warming.values { names.formUnion(Self.routeNames(listener)) }
        return names
    }

    /// Secrets that the accepted listeners and clusters want from somewhere, by name, sorted.
    public func wantedSecrets(_ origin: SecretOrigin) -> [String] {
        Set(referencedSecrets.lazy.filter { $0.origin == origin }.map(\.name)).sorted()
    }

    /// Over everything that is accepted, so it is done once a change.
    private func findWantedSecrets() -> Set<SecretReference> {
        var wanted: Set<SecretReference> = []
        for listener in [active, warming].flatMap(\.values) {
            for chain in listener.chains + [listener.defaultChain].compactMap({ $0 }) {
                wanted.formUnion(chain.transport?.secrets ?? [])
            }
        }
        for cluster in clusters.values { wanted.formUnion(cluster.transports.flatMap(\.secrets)) }
        return wanted
    }

    private static func routeNames(_ listener: ListenerConfig) -> [String] {
        (listener.chains + [listener.defaultChain].compactMap { $0 }).compactMap { chain in
            if case .http(let manager) = chain.filter, case .discovered(let name, _) = manager.routes {
                name
            } else {
                nil
            }
        }
    }

    // MARK: For dumps and for the state on disk

    public func acceptedResources(_ type: ResourceType) -> [Accepted] {
        (accepted[type] ?? [:]).values.sorted { $0.name < $1.name }
    }

    public func rejectedResources(_ type: ResourceType) -> [Rejected] {
        (rejected[type] ?? [:]).values.sorted { $0.name < $1.name }
    }

    /// Accepted, but not in service yet: listeners without their routes, clusters without their endpoints.
    public var warmingListeners: [String] { warming.keys.sorted() }

    public var warmingClusters: [String] {
        clusters.values.filter { table(of: $0) == nil }.map(\.name).sorted()
    }

    // MARK: Updates

    /// - Parameter now: nanoseconds since the epoch, only kept for dumps.
    public mutating func apply(_ update: ConfigUpdate, now: Int64) -> ConfigVerdict {
        var names: [String] = []
        var rejections: [ConfigVerdict.Rejection] = []
        var seen: Set<String> = []
        for resource in update.changed {
            do throws(Refusal) {
                guard seen.insert(resource.name).inserted else {
                    throw Refusal("", "the name is in the response more than once")
                }
                try accept(resource, type: update.type, now: now)
                rejected[update.type]?[resource.name] = nil
                names.append(resource.name)
            } catch {
                rejections.append(.init(name: resource.name, reason: error.description, path: error.path))
                noteRejection(resource, update.type, error, now)
            }
        }
        for name in update.removed { remove(name, type: update.type) }
        let change = rebuild()
        return ConfigVerdict(
            accepted: names, rejected: rejections, message: Self.message(update.type, rejections), change: change)
    }

    /// Secrets that the proxy itself has: its own certificate, what its files hold. Those that nobody wants are kept, too:
    /// a listener that wants them may come.
    public mutating func supply(_ new: [Secret], _ origin: SecretOrigin) throws(Refusal) -> ConfigurationChange {
        for secret in new { secrets[try context.secret(secret.name, origin)] = secret }
        return rebuild()
    }

    /// The server has no such endpoints, or did not name them in time: the cluster goes into service without hosts.
    public mutating func endpointsMissing(_ name: String) -> ConfigurationChange {
        if endpoints[name] == nil, wantedEndpointSet.contains(name) {
            endpoints[name] = EndpointTable(name: name, groups: [])
        }
        return rebuild()
    }

    private mutating func noteRejection(
        _ resource: ConfigUpdate.Resource, _ type: ResourceType, _ refusal: Refusal, _ now: Int64
    ) {
        guard (rejected[type]?.count ?? 0) < 1000 || rejected[type]?[resource.name] != nil else { return }
        rejected[type, default: [:]][resource.name] = Rejected(
            name: resource.name, version: resource.version, body: resource.body, attemptedAt: now,
            reason: refusal.description)
    }

    /// Envoy's sentence, which tools that read NACKs look for.
    private static func message(_ type: ResourceType, _ rejections: [ConfigVerdict.Rejection]) -> String? {
        guard !rejections.isEmpty else { return nil }
        let kind =
            switch type {
            case .listener: "listener(s)"
            case .cluster: "cluster(s)"
            case .route: "route configuration(s)"
            case .endpoints: "endpoint(s)"
            case .secret: "secret(s)"
            }
        // `error_detail` travels in one message: thousands of reasons would be of no use to anybody.
        var lines = rejections.prefix(50).map { "\($0.name): \($0.reason)" }
        if rejections.count > 50 { lines.append("and \(rejections.count - 50) more") }
        return "Error adding/updating \(kind) " + lines.joined(separator: "\n")
    }

    private mutating func accept(
        _ resource: ConfigUpdate.Resource, type: ResourceType, now: Int64
    ) throws(Refusal) {
        let digest = ContentVersion(of: resource.body)
        if let old = accepted[type]?[resource.name], old.digest == digest {
            note(resource, type, digest, now)
            return
        }
        guard (accepted[type]?.count ?? 0) < Self.maxResources else { throw Refusal("", "too many resources") }
        let any: Google_Protobuf_Any
        do { any = try Google_Protobuf_Any(serializedBytes: resource.body) } catch {
            throw Refusal("", "not a google.protobuf.Any")
        }
        func require(_ name: String) throws(Refusal) {
            guard name == resource.name else { throw Refusal("name", "'\(name)' is not the name of the resource") }
        }
        switch type {
        case .cluster:
            let message = try Packed.unpack(any, as: Envoy_Config_Cluster_V3_Cluster.self)
            try require(message.name)
            let config = try ClusterConfig.decode(message, version: digest, context: &context)
            clusters[resource.name] = config
        case .endpoints:
            let message = try Packed.unpack(any, as: Envoy_Config_Endpoint_V3_ClusterLoadAssignment.self)
            try require(message.clusterName)
            let table = try EndpointTable.decode(message, version: digest, allowsNames: false)
            // Nobody asked for it (any longer).
            guard wantedEndpointSet.contains(resource.name) else { return }
            endpoints[resource.name] = table
        case .listener:
            let message = try Packed.unpack(any, as: Envoy_Config_Listener_V3_Listener.self)
            try require(message.name)
            let config = try ListenerConfig.decode(message, version: digest, context: &context)
            try requireFreeAddress(config)
            warming[resource.name] = config
        case .route:
            let message = try Packed.unpack(any, as: Envoy_Config_Route_V3_RouteConfiguration.self)
            try require(message.name)
            let table = try RouteTable(message, version: digest, context: &context)
            guard wantedRouteSet.contains(resource.name) else { return }
            routeTables[resource.name] = table
        case .secret:
            let message = try Packed.unpack(any, as: Envoy_Extensions_TransportSockets_Tls_V3_Secret.self)
            try require(message.name)
            let secret = try Secret.decode(message, version: digest)
            let reference = try context.secret(resource.name, .stream)
            guard referencedSecrets.contains(reference) else { return }
            secrets[reference] = secret
        }
        note(resource, type, digest, now)
    }

    private mutating func note(
        _ resource: ConfigUpdate.Resource, _ type: ResourceType, _ digest: ContentVersion, _ now: Int64
    ) {
        accepted[type, default: [:]][resource.name] = Accepted(
            name: resource.name, version: resource.version, body: resource.body, updatedAt: now, digest: digest)
    }

    /// Two listeners that bind may not share an address.
    private func requireFreeAddress(_ config: ListenerConfig) throws(Refusal) {
        guard config.bindsToPort else { return }
        for other in [active, warming].flatMap(\.values)
        where other.name != config.name && other.bindsToPort && other.address == config.address {
            throw Refusal("address", "\(config.address) is in use by listener '\(other.name)'")
        }
    }

    private mutating func remove(_ name: String, type: ResourceType) {
        switch type {
        case .cluster:
            clusters[name] = nil
            accepted[type]?[name] = nil
        case .listener:
            active[name] = nil
            warming[name] = nil
            accepted[type]?[name] = nil
        // What a removal of these means follows from their owners: while a cluster or listener wants it, the last
        // version stays in force; a cluster that never had endpoints need not wait for them.
        case .endpoints:
            if endpoints[name] == nil, wantedEndpointSet.contains(name) {
                endpoints[name] = EndpointTable(name: name, groups: [])
            }
        case .route: break
        // Connections that would need it are refused from now on.
        case .secret:
            accepted[type]?[name] = nil
            for reference in secrets.keys where reference.name == name && reference.origin == .stream {
                secrets[reference] = nil
            }
        }
        rejected[type]?[name] = nil
    }

    // MARK: The configuration

    /// nil: the cluster waits for its endpoints.
    private func table(of cluster: ClusterConfig) -> EndpointTable? {
        switch cluster.discovery {
        case .eds(let name): endpoints[name]
        case .fixed, .strictDNS, .logicalDNS: cluster.endpoints
        case .originalDestination: .empty
        }
    }

    private mutating func rebuild() -> ConfigurationChange {
        // Listeners whose tables have come go into service.
        for (name, listener) in warming where Self.routeNames(listener).allSatisfy({ routeTables[$0] != nil }) {
            active[name] = listener
            warming[name] = nil
        }
        // What nobody wants any longer goes.
        let wantedRoutes = wantedRouteSet
        for name in routeTables.keys where !wantedRoutes.contains(name) {
            routeTables[name] = nil
            accepted[.route]?[name] = nil
        }
        let wantedEndpoints = wantedEndpointSet
        for name in endpoints.keys where !wantedEndpoints.contains(name) {
            endpoints[name] = nil
            accepted[.endpoints]?[name] = nil
        }

        referencedSecrets = findWantedSecrets()
        for reference in secrets.keys where reference.origin == .stream && !referencedSecrets.contains(reference) {
            secrets[reference] = nil
            accepted[.secret]?[reference.name] = nil
        }

        let old = configuration
        var change = ConfigurationChange()
        var newSecrets = [Secret?](repeating: nil, count: context.secrets.names.count)
        for (reference, secret) in secrets {
            newSecrets[reference.slot.index] = secret
            if old.secret(reference.slot)?.version != secret.version { change.changedSecrets.append(reference.name) }
        }
        for (index, before) in old.secrets.enumerated() {
            if let before, newSecrets[index] == nil { change.changedSecrets.append(before.name) }
        }
        var newClusters = [Cluster?](repeating: nil, count: context.clusters.names.count)
        var slots: [String: Slot] = [:]
        for (name, config) in clusters {
            guard let table = table(of: config) else { continue }
            slots[name] = config.slot
            if let before = old.cluster(config.slot), before.config === config {
                if before.endpoints === table {
                    newClusters[config.slot.index] = before
                    continue
                }
                change.changedEndpoints.append(name)
            } else {
                change.changedClusters.append(name)
            }
            newClusters[config.slot.index] = Cluster(config: config, endpoints: table)
        }
        for before in old.clusters.lazy.compactMap({ $0 }) where slots[before.config.name] == nil {
            change.removedClusters.append(before.config.name)
        }

        var newTables = [RouteTable?](repeating: nil, count: context.routeTables.names.count)
        for (name, table) in routeTables {
            guard let slot = context.routeTables.slots[name] else { continue }
            newTables[slot.index] = table
            if old.routeTable(slot) !== table { change.changedRouteTables.append(name) }
        }

        var before: [String: ListenerConfig] = [:]
        for listener in old.listeners { before[listener.name] = listener }
        for (name, listener) in active {
            if let known = before[name] {
                if known !== listener { change.changedListeners.append(name) }
            } else {
                change.addedListeners.append(name)
            }
        }
        for name in before.keys where active[name] == nil { change.removedListeners.append(name) }
        guard !change.isEmpty else { return change }
        change.sort()
        configuration = ProxyConfiguration(
            generation: old.generation &+ 1, listeners: active.values.sorted { $0.name < $1.name },
            routeTables: newTables, clusters: newClusters, clusterSlots: slots, secrets: newSecrets)
        return change
    }
}

extension ConfigurationChange {
    fileprivate mutating func sort() {
        addedListeners.sort()
        changedListeners.sort()
        removedListeners.sort()
        changedClusters.sort()
        removedClusters.sort()
        changedEndpoints.sort()
        changedRouteTables.sort()
        changedSecrets.sort()
    }
}
