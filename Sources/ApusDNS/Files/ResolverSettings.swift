public import ApusCore

/// Where a name server listens.
public struct DNSServer: Hashable, Sendable, CustomStringConvertible {
    public let address: IPAddress
    public let port: UInt16
    /// The interface of a link-local address: `eth0` of `fe80::1%eth0`.
    public let zone: String?

    public init(_ address: IPAddress, port: UInt16 = 53, zone: String? = nil) {
        self.address = address
        self.port = port
        self.zone = zone
    }

    public var description: String {
        let host = "\(address)" + (zone.map { "%" + $0 } ?? "")
        return address.family == .v6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// How questions are asked. The defaults are those of Envoy's resolver.
public struct ResolverSettings: Hashable, Sendable {
    public var servers: [DNSServer] = []
    /// Tried in turn behind names with fewer dots than `dots`.
    public var search: [DomainName] = []
    public var dots = 1
    /// For one answer of one server in the first round; twice as long in each further one.
    public var timeout: Duration = .seconds(5)
    /// Rounds over the servers.
    public var attempts = 4
    /// Each question begins with another server.
    public var rotates = false
    public var usesTCP = false
    /// Bytes of a datagram, as EDNS tells servers.
    public var payloadSize: UInt16 = 1232

    public init() {}
}

/// What a cluster says of its resolver, over what the system's files say.
public struct ResolverOptions: Hashable, Sendable {
    /// Asked instead of the system's.
    public var servers: [DNSServer] = []
    /// `servers` are asked only where the system names none.
    public var serversAreFallback = false
    public var usesTCP = false
    /// The search list is tried.
    public var usesSearch = true
    public var timeout: Duration?
    public var attempts: Int?
    public var rotates = false
    public var payloadSize: UInt16?

    public init() {}

    public func settings(over system: ResolverSettings) -> ResolverSettings {
        var settings = system
        if !servers.isEmpty, !serversAreFallback || system.servers.isEmpty { settings.servers = servers }
        // As every resolver does where nothing is said.
        if settings.servers.isEmpty { settings.servers = [DNSServer(IPAddress(v4: 0x7F00_0001))] }
        if usesTCP { settings.usesTCP = true }
        if rotates { settings.rotates = true }
        settings.timeout = timeout ?? settings.timeout
        settings.attempts = attempts ?? settings.attempts
        settings.payloadSize = payloadSize ?? settings.payloadSize
        return settings
    }
}
