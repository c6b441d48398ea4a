/// One compiled resource: encoded once, shared by every stream that sends it.
package final class EncodedResource: Sendable {
    package let name: String
    /// Digest of `body`: equal bytes, equal version, on every machine.
    package let version: ContentVersion
    /// A serialized `google.protobuf.Any` (type URL and message), ready for a response.
    package let body: [UInt8]
    /// `Kind namespace/name` of the objects that shaped it, for NACK-to-line and `explain`.
    package let sources: [String]

    package init(name: String, body: [UInt8], sources: [String] = []) {
        self.name = name
        self.body = body
        self.sources = sources
        version = ContentVersion(of: body)
    }
}

/// What must be sent to lead a client from one set to another. Both lists are sorted by name.
package struct ResourceDiff: Sendable {
    package let changed: [EncodedResource]
    package let removed: [String]

    package init(changed: [EncodedResource], removed: [String]) {
        self.changed = changed
        self.removed = removed
    }

    package var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
}

/// All resources of one type that one class of proxies may see. Immutable; equal sets are shared.
package final class ResourceSet: Sendable {
    package let type: ResourceType
    package let byName: [String: EncodedResource]
    /// Digest of all names and versions.
    package let version: ContentVersion
    /// The version of the set this one was derived from, and the way from there: a stream that is in step with that
    /// set needs no comparison of its own.
    package let step: (from: ContentVersion, diff: ResourceDiff)?

    package init(type: ResourceType, resources: [EncodedResource], after previous: ResourceSet? = nil) {
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
        self.byName = byName
        version = ContentVersion(digest)
        step = previous.map { ($0.version, Self.compare($0.byName, byName)) }
    }

    private init(
        type: ResourceType, byName: [String: EncodedResource], version: ContentVersion,
        step: (from: ContentVersion, diff: ResourceDiff)
    ) {
        self.type = type
        self.byName = byName
        self.version = version
        self.step = step
    }

    /// A successor in which only some resources differ; cost follows the change (save the copy of the table).
    package func applying(changed: [EncodedResource], removed: [String]) -> ResourceSet {
        var byName = byName
        var digest = version.value
        var different: [EncodedResource] = []
        var gone: [String] = []
        for resource in changed {
            let old = byName.updateValue(resource, forKey: resource.name)
            if let old {
                if old.version == resource.version { continue }
                digest = digest &- Self.share(old)
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
        return ResourceSet(
            type: type, byName: byName, version: ContentVersion(digest),
            step: (version, ResourceDiff(changed: different, removed: gone)))
    }

    package func diff(since other: ResourceSet) -> ResourceDiff {
        if other.version == version { return ResourceDiff(changed: [], removed: []) }
        if let step, step.from == other.version { return step.diff }
        return Self.compare(other.byName, byName)
    }

    private static func share(_ resource: EncodedResource) -> UInt64 {
        XXHash64.hash(resource.name, seed: resource.version.value)
    }

    private static func compare(
        _ old: [String: EncodedResource], _ new: [String: EncodedResource]
    ) -> ResourceDiff {
        var changed: [EncodedResource] = []
        for (name, resource) in new where old[name]?.version != resource.version { changed.append(resource) }
        var removed: [String] = []
        for name in old.keys where new[name] == nil { removed.append(name) }
        return ResourceDiff(changed: changed.sorted { $0.name < $1.name }, removed: removed.sorted())
    }

    package static func empty(_ type: ResourceType) -> ResourceSet { ResourceSet(type: type, resources: []) }
}

/// What one stream may see at one moment. The sets are shared; the struct is a few references.
package struct ResourceView: Sendable {
    package var clusters: ResourceSet
    package var endpoints: ResourceSet
    package var listeners: ResourceSet
    package var routes: ResourceSet
    package var secrets: ResourceSet

    package init(
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

    package subscript(type: ResourceType) -> ResourceSet {
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
