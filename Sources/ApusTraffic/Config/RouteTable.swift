public import ApusCore

/// A virtual host: the routes for some domains, in order.
public final class VirtualHost: Sendable {
    public enum TLSRequirement: Hashable, Sendable { case none, externalOnly, all }

    public let name: String
    public let domains: [String]
    public let routes: [Route]
    public let tls: TLSRequirement
    public let requestHeaders: HeaderOperations
    public let responseHeaders: HeaderOperations
    public let overrides: [FilterOverride]
    /// `x-envoy-attempt-count` towards the upstream and back to the client.
    public let addsAttemptCountToRequest: Bool
    public let addsAttemptCountToResponse: Bool
    public let rateLimits: [RateLimitRule]
    /// `x-envoy-is-timeout-retry` in requests that are tried again.
    public let tellsTimeoutRetries: Bool

    public init(
        name: String, domains: [String], routes: [Route], tls: TLSRequirement = .none,
        requestHeaders: HeaderOperations = .none, responseHeaders: HeaderOperations = .none,
        overrides: [FilterOverride] = [], addsAttemptCountToRequest: Bool = false,
        addsAttemptCountToResponse: Bool = false, rateLimits: [RateLimitRule] = [],
        tellsTimeoutRetries: Bool = false
    ) {
        self.name = name
        self.domains = domains
        self.routes = routes
        self.tls = tls
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.overrides = overrides
        self.addsAttemptCountToRequest = addsAttemptCountToRequest
        self.addsAttemptCountToResponse = addsAttemptCountToResponse
        self.rateLimits = rateLimits
        self.tellsTimeoutRetries = tellsTimeoutRetries
    }
}

/// `config.route.v3.RouteConfiguration`, ready for look-ups.
public final class RouteTable: Sendable {
    public let name: String
    /// Digest of the bytes it was decoded from.
    public let version: ContentVersion
    public let virtualHosts: [VirtualHost]
    public let requestHeaders: HeaderOperations
    public let responseHeaders: HeaderOperations
    public let mostSpecificHeaderMutationsWin: Bool
    public let ignoresPortInHost: Bool
    /// Removed from requests that are not internal.
    public let internalOnlyHeaders: [HeaderName]
    public let mirrors: [MirrorPolicy]
    public let overrides: [FilterOverride]
    public let domains: DomainIndex
    /// By virtual host.
    let decisions: [VirtualHostDecisions]

    public init(
        name: String, version: ContentVersion = ContentVersion(0), virtualHosts: [VirtualHost],
        requestHeaders: HeaderOperations = .none, responseHeaders: HeaderOperations = .none,
        mostSpecificHeaderMutationsWin: Bool = false, ignoresPortInHost: Bool = false,
        internalOnlyHeaders: [HeaderName] = [], mirrors: [MirrorPolicy] = [], overrides: [FilterOverride] = []
    ) {
        self.name = name
        self.version = version
        self.virtualHosts = virtualHosts
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.mostSpecificHeaderMutationsWin = mostSpecificHeaderMutationsWin
        self.ignoresPortInHost = ignoresPortInHost
        self.internalOnlyHeaders = internalOnlyHeaders
        self.mirrors = mirrors
        self.overrides = overrides
        var domains = DomainIndex()
        for (index, host) in virtualHosts.enumerated() {
            for domain in host.domains { domains.insert(domain, index: index) }
        }
        domains.finish()
        self.domains = domains
        decisions = virtualHosts.map { VirtualHostDecisions($0) }
    }
}

/// Host to virtual host: exact, then the longest `*.suffix`, then the longest `prefix.*`, then `*`.
public struct DomainIndex: Sendable {
    private struct Wildcards: Sendable {
        let length: Int
        var table: ByteTable
    }

    private var exact = ByteTable()
    /// By length of the part after (or before) the star, longest first.
    private var suffixes: [Wildcards] = []
    private var prefixes: [Wildcards] = []
    private var any: Int?

    public init() {}

    /// - Returns: false if the domain is in the index already (Envoy refuses such a table).
    @discardableResult
    public mutating func insert(_ domain: String, index: Int) -> Bool {
        let bytes = ASCII.lowercased(domain)
        if bytes == [UInt8(ascii: "*")] {
            guard any == nil else { return false }
            any = index
            return true
        }
        if bytes.first == UInt8(ascii: "*") { return Self.insert(&suffixes, Array(bytes.dropFirst()), index) }
        if bytes.last == UInt8(ascii: "*") { return Self.insert(&prefixes, Array(bytes.dropLast()), index) }
        return exact.insert(bytes, index)
    }

    private static func insert(_ wildcards: inout [Wildcards], _ part: [UInt8], _ index: Int) -> Bool {
        if let at = wildcards.firstIndex(where: { $0.length == part.count }) {
            return wildcards[at].table.insert(part, index)
        }
        var table = ByteTable()
        _ = table.insert(part, index)
        wildcards.append(Wildcards(length: part.count, table: table))
        return true
    }

    public mutating func finish() {
        suffixes.sort { $0.length > $1.length }
        prefixes.sort { $0.length > $1.length }
    }

    /// - Parameter host: as received; compared in lower case.
    public func find(_ host: UnsafeRawBufferPointer) -> Int? {
        if let found = exact.find(host) { return found }
        // A wildcard stands for at least one character.
        for wildcard in suffixes where wildcard.length < host.count {
            let part = UnsafeRawBufferPointer(rebasing: host[(host.count &- wildcard.length)...])
            if let found = wildcard.table.find(part) { return found }
        }
        for wildcard in prefixes where wildcard.length < host.count {
            if let found = wildcard.table.find(UnsafeRawBufferPointer(rebasing: host[..<wildcard.length])) {
                return found
            }
        }
        return any
    }
}

/// An open-addressed table from lower-case bytes to a number; looking up makes no string.
public struct ByteTable: Sendable {
    private struct Entry: Sendable {
        let hash: UInt32
        let key: [UInt8]
        let value: Int
    }

    private var entries: [Entry] = []
    /// Index into `entries` plus one; zero is free. The size is a power of two, at most half full.
    private var slots: [UInt32] = []

    public init() {}

    public var count: Int { entries.count }

    /// - Returns: false, and nothing changes, if the key is there already.
    @discardableResult
    public mutating func insert(_ key: [UInt8], _ value: Int) -> Bool {
        if key.withUnsafeBytes({ find($0) }) != nil { return false }
        entries.append(Entry(hash: HeaderHash.of(key), key: key, value: value))
        if entries.count * 2 > slots.count {
            slots = [UInt32](repeating: 0, count: Swift.max(4, slots.count * 2))
            for index in entries.indices { place(index) }
        } else {
            place(entries.count - 1)
        }
        return true
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count - 1
        var slot = Int(entries[index].hash ^ (entries[index].hash >> 15)) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(truncatingIfNeeded: index + 1)
    }

    public func find(_ key: UnsafeRawBufferPointer) -> Int? {
        guard !slots.isEmpty else { return nil }
        let hash = HeaderHash.of(key)
        let mask = slots.count &- 1
        var slot = Int(hash ^ (hash >> 15)) & mask
        while slots[slot] != 0 {
            let entry = entries[Int(slots[slot]) &- 1]
            if entry.hash == hash, entry.key.withUnsafeBytes({ ASCII.equalIgnoringCase($0, key) }) {
                return entry.value
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }
}
