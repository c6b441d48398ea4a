public import ApusCore

/// `config.listener.v3.FilterChainMatch`. An empty list or nil means "any".
public struct FilterChainMatch: Sendable {
    public enum TransportProtocol: Hashable, Sendable { case tls, rawBuffer }
    public enum SourceType: Hashable, Sendable { case any, sameIPOrLoopback, external }

    public let destinationPort: UInt16?
    public let destinations: [CIDR]
    /// Lower case; `*.example.com` is a suffix.
    public let serverNames: [String]
    public let transportProtocol: TransportProtocol?
    public let applicationProtocols: [String]
    public let directSources: [CIDR]
    public let sourceType: SourceType
    public let sources: [CIDR]
    public let sourcePorts: [UInt16]

    public init(
        destinationPort: UInt16? = nil, destinations: [CIDR] = [], serverNames: [String] = [],
        transportProtocol: TransportProtocol? = nil, applicationProtocols: [String] = [],
        directSources: [CIDR] = [], sourceType: SourceType = .any, sources: [CIDR] = [], sourcePorts: [UInt16] = []
    ) {
        self.destinationPort = destinationPort
        self.destinations = destinations
        self.serverNames = serverNames.map { $0.lowercased() }
        self.transportProtocol = transportProtocol
        self.applicationProtocols = applicationProtocols
        self.directSources = directSources
        self.sourceType = sourceType
        self.sources = sources
        self.sourcePorts = sourcePorts
    }
}

/// When a listener filter is skipped (`filter_disabled`), by destination port.
public indirect enum PortPredicate: Sendable {
    case any
    case range(from: UInt32, until: UInt32)
    case not(PortPredicate)
    case all([PortPredicate])
    case either([PortPredicate])

    public func holds(port: UInt16) -> Bool {
        switch self {
        case .any: true
        case .range(let from, let until): UInt32(port) >= from && UInt32(port) < until
        case .not(let inner): !inner.holds(port: port)
        case .all(let parts): parts.allSatisfy { $0.holds(port: port) }
        case .either(let parts): parts.contains { $0.holds(port: port) }
        }
    }
}

public struct ListenerFilter: Sendable {
    public enum Kind: Hashable, Sendable { case originalDestination, tlsInspector, httpInspector }

    public let kind: Kind
    public let disabled: PortPredicate?

    public init(kind: Kind, disabled: PortPredicate? = nil) {
        self.kind = kind
        self.disabled = disabled
    }

    public func applies(toDestinationPort port: UInt16) -> Bool { !(disabled?.holds(port: port) ?? false) }
}

/// What serves the connections of a filter chain. The set is closed.
public enum NetworkFilter: Sendable {
    case http(HTTPConnectionManager)
    case tcp(TCPProxy)
}

/// What a connection has to pass before its terminal filter serves it.
public enum ConnectionFilter: Sendable {
    case authorization(AuthorizationFilter)
    case rateLimit(ConnectionRateLimit)
}

public final class FilterChain: Sendable {
    public let name: String
    public let match: FilterChainMatch
    /// nil: plain bytes.
    public let transport: TLSContext?
    /// nil: the proxy's own limit.
    public let handshakeTimeout: Duration?
    /// In order.
    public let guards: [ConnectionFilter]
    public let filter: NetworkFilter
    /// Digest of the chain's bytes: an equal chain of a newer listener keeps its connections.
    public let version: ContentVersion

    public init(
        name: String = "", match: FilterChainMatch = FilterChainMatch(), transport: TLSContext? = nil,
        handshakeTimeout: Duration? = nil, guards: [ConnectionFilter] = [],
        filter: NetworkFilter, version: ContentVersion = ContentVersion(0)
    ) {
        self.name = name
        self.match = match
        self.transport = transport
        self.handshakeTimeout = handshakeTimeout
        self.guards = guards
        self.filter = filter
        self.version = version
    }
}

/// `config.listener.v3.Listener`.
public final class ListenerConfig: Sendable {
    public enum Direction: Hashable, Sendable { case unspecified, inbound, outbound }

    public let name: String
    /// Digest of the bytes it was decoded from.
    public let version: ContentVersion
    public let address: SocketAddress
    /// False: only connections handed over by a listener that uses the original destination arrive here.
    public let bindsToPort: Bool
    /// Connections go on to the listener of their original destination, if there is one.
    public let usesOriginalDestination: Bool
    public let chains: [FilterChain]
    public let defaultChain: FilterChain?
    public let matcher: FilterChainMatcher
    public let listenerFilters: [ListenerFilter]
    /// How long the inspectors may wait for bytes; nil: for ever.
    public let listenerFiltersTimeout: Duration?
    public let continuesOnListenerFiltersTimeout: Bool
    /// Bytes; above, reading pauses.
    public let bufferLimit: UInt32
    public let backlog: UInt32?
    public let direction: Direction
    public let accessLogs: [AccessLog]

    public init(
        name: String, version: ContentVersion = ContentVersion(0), address: SocketAddress, bindsToPort: Bool = true,
        usesOriginalDestination: Bool = false, chains: [FilterChain],
        defaultChain: FilterChain? = nil, listenerFilters: [ListenerFilter] = [],
        listenerFiltersTimeout: Duration? = .seconds(15), continuesOnListenerFiltersTimeout: Bool = false,
        bufferLimit: UInt32 = 1 << 20, backlog: UInt32? = nil, direction: Direction = .unspecified,
        accessLogs: [AccessLog] = []
    ) {
        self.name = name
        self.version = version
        self.address = address
        self.bindsToPort = bindsToPort
        self.usesOriginalDestination = usesOriginalDestination
        self.chains = chains
        self.defaultChain = defaultChain
        matcher = FilterChainMatcher(chains.map(\.match))
        self.listenerFilters = listenerFilters
        self.listenerFiltersTimeout = listenerFiltersTimeout
        self.continuesOnListenerFiltersTimeout = continuesOnListenerFiltersTimeout
        self.bufferLimit = bufferLimit
        self.backlog = backlog
        self.direction = direction
        self.accessLogs = accessLogs
    }
}
