/// One compiled resource: encoded once, shared by every stream that sends it.
public final class EncodedResource: Sendable {
    public let name: String
    /// Digest of `body`: equal bytes, equal version, on every machine.
    public let version: ContentVersion
    /// A serialized `google.protobuf.Any` (type URL and message), ready for a response.
    public let body: [UInt8]
    /// `Kind namespace/name` of the objects that shaped it, for NACK-to-line and `explain`.
    public let sources: [String]

    public init(name: String, body: [UInt8], sources: [String] = []) {
        self.name = name
        self.body = body
        self.sources = sources
        version = ContentVersion(of: body)
    }
}

/// What must be sent to lead a client from one set to another. Both lists are sorted by name.
public struct ResourceDiff: Sendable {
    public let changed: [EncodedResource]
    public let removed: [String]

    public init(changed: [EncodedResource], removed: [String]) {
        self.changed = changed
        self.removed = removed
    }

    public var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
}

/// All resources of one type that one class of proxies may see. Immutable; equal sets are shared.
public final class ResourceSet: Sendable {
    public let type: ResourceType
    public let byName: ResourceTable
    /// Digest of all names and versions.
    public let version: ContentVersion
    /// The version of the set this one was derived from, and the way from there: a stream that is in step with that
    /// set needs no comparison of its own.
    public let step: (from: ContentVersion, diff: ResourceDiff)?
    /// All names, for types that clients ask for name by name: one storage for what a thousand of them ask for.
    public let names: Set<String>?

    public init(type: ResourceType, resources: [EncodedResource], after previous: ResourceSet? = nil) {
        self.type = type
        var byName: [String: EncodedResource] = [:]
        byName.reserveCapacity(resources.count)
        var digest: UInt64 = 0
        for resource in resources {
            if let replaced = byName.updateValue(resource, forKey: resource.name) {
                digest = digest &- Self.share(replaced)
            }
            // A sum does not depend on the order, so one changed resource changes the digest without a pass over all.
            digest = digest &+ Self.share(resource)
        }
        self.byName = ResourceTable(byName)
        version = ContentVersion(digest)
        let table = self.byName
        names = type.isAskedByName ? Set(byName.keys) : nil
        step = previous.map { ($0.version, Self.compare($0.byName, table)) }
    }

    /// The resources of `base` without `hidden`, and `own`, which win over those of the same name. Costs what is its own:
    /// the table of `base` is shared.
    ///
    /// - Parameter previous: the set over the base before, made with the same `own` and `hidden`.
    public static func overlay(
        on base: ResourceSet, own: [EncodedResource], hidden: Set<String>,
        after previous: (set: ResourceSet, base: ResourceSet)? = nil
    ) -> ResourceSet {
        if own.isEmpty, hidden.isEmpty { return base }
        let table = ResourceTable(over: base.byName, own: own, hidden: hidden)
        let masked = hidden.union(own.map(\.name))
        var digest = base.version.value
        for name in masked {
            if let covered = base.byName[name] { digest = digest &- share(covered) }
            if let mine = table[name] { digest = digest &+ share(mine) }
        }
        let version = ContentVersion(digest)
        let step = previous.map { previous in
            let diff = base.diff(since: previous.base)
            return (
                from: previous.set.version,
                diff: ResourceDiff(
                    changed: diff.changed.filter { !masked.contains($0.name) },
                    removed: diff.removed.filter { !masked.contains($0) })
            )
        }
        // An equal set is the identical one, so that nobody wakes.
        if let previous, previous.set.version == version { return previous.set }
        return ResourceSet(
            type: base.type, byName: table, version: version, step: step,
            names: base.type.isAskedByName ? Set(table.keys) : nil)
    }

    private init(
        type: ResourceType, byName: ResourceTable, version: ContentVersion,
        step: (from: ContentVersion, diff: ResourceDiff)?, names: Set<String>?
    ) {
        self.names = names
        self.type = type
        self.byName = byName
        self.version = version
        self.step = step
    }

    /// A successor in which only some resources differ; cost follows the change (save the copy of the table).
    public func applying(changed: [EncodedResource], removed: [String]) -> ResourceSet {
        var byName = byName.flattened
        var digest = version.value
        var different: [EncodedResource] = []
        var gone: [String] = []
        var hasNewNames = false
        for resource in changed {
            let old = byName.updateValue(resource, forKey: resource.name)
            if let old {
                if old.version == resource.version { continue }
                digest = digest &- Self.share(old)
            } else {
                hasNewNames = true
            }
            digest = digest &+ Self.share(resource)
            different.append(resource)
        }
        for name in removed {
            guard let old = byName.removeValue(forKey: name) else { continue }
            digest = digest &- Self.share(old)
            gone.append(name)
        }
        if different.isEmpty, gone.isEmpty { return self }
        different.sort { $0.name < $1.name }
        gone.sort()
        var names = names
        if names != nil, !gone.isEmpty || hasNewNames { names = Set(byName.keys) }
        return ResourceSet(
            type: type, byName: ResourceTable(byName), version: ContentVersion(digest),
            step: (version, ResourceDiff(changed: different, removed: gone)), names: names)
    }

    public func diff(since other: ResourceSet) -> ResourceDiff {
        if other.version == version { return ResourceDiff(changed: [], removed: []) }
        if let step, step.from == other.version { return step.diff }
        return Self.compare(other.byName, byName)
    }

    private static func share(_ resource: EncodedResource) -> UInt64 {
        XXHash64.hash(resource.name, seed: resource.version.value)
    }

    private static func compare(
        _ old: ResourceTable, _ new: ResourceTable
    ) -> ResourceDiff {
        var changed: [EncodedResource] = []
        for (name, resource) in new where old[name]?.version != resource.version { changed.append(resource) }
        var removed: [String] = []
        for (name, _) in old where new[name] == nil { removed.append(name) }
        return ResourceDiff(changed: changed.sorted { $0.name < $1.name }, removed: removed.sorted())
    }

    public static func empty(_ type: ResourceType) -> ResourceSet { ResourceSet(type: type, resources: []) }
}

/// What one stream may see at one moment. The sets are shared; the struct is a few references.
public struct ResourceView: Sendable {
    public var clusters: ResourceSet
    public var endpoints: ResourceSet
    public var listeners: ResourceSet
    public var routes: ResourceSet
    public var secrets: ResourceSet

    public init(
        clusters: ResourceSet = .empty(.cluster),
        endpoints: ResourceSet = .empty(.endpoints),
        listeners: ResourceSet = .empty(.listener),
        routes: ResourceSet = .empty(.route),
        secrets: ResourceSet = .empty(.secret)
    ) {
        self.clusters = clusters
        self.endpoints = endpoints
        self.listeners = listeners
        self.routes = routes
        self.secrets = secrets
    }

    public subscript(type: ResourceType) -> ResourceSet {
        get {
            switch type {
            case .cluster: clusters
            case .endpoints: endpoints
            case .listener: listeners
            case .route: routes
            case .secret: secrets
            }
        }
        set {
            switch type {
            case .cluster: clusters = newValue
            case .endpoints: endpoints = newValue
            case .listener: listeners = newValue
            case .route: routes = newValue
            case .secret: secrets = newValue
            }
        }
    }
}

extension ResourceType {
    /// Clients name what they want; of the other types they want everything.
    fileprivate var isAskedByName: Bool { self == .endpoints || self == .route }
}
