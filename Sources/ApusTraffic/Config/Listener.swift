package import ApusCore

/// `config.listener.v3.FilterChainMatch`. An empty list or nil means "any".
package struct FilterChainMatch: Sendable {
    package enum TransportProtocol: Hashable, Sendable { case tls, rawBuffer }
    package enum SourceType: Hashable, Sendable { case any, sameIPOrLoopback, external }

    package let destinationPort: UInt16?
    package let destinations: [CIDR]
    /// Lower case; `*.example.com` is a suffix.
    package let serverNames: [String]
    package let transportProtocol: TransportProtocol?
    package let applicationProtocols: [String]
    package let directSources: [CIDR]
    package let sourceType: SourceType
    package let sources: [CIDR]
    package let sourcePorts: [UInt16]

    package init(
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
package indirect enum PortPredicate: Sendable {
    case any
    case range(from: UInt32, until: UInt32)
    case not(PortPredicate)
    case all([PortPredicate])
    case either([PortPredicate])

    package func holds(port: UInt16) -> Bool {
        switch self {
        case .any: true
        case .range(let from, let until): UInt32(port) >= from && UInt32(port) < until
        case .not(let inner): !inner.holds(port: port)
        case .all(let parts): parts.allSatisfy { $0.holds(port: port) }
        case .either(let parts): parts.contains { $0.holds(port: port) }
        }
    }
}

package struct ListenerFilter: Sendable {
    package enum Kind: Hashable, Sendable { case originalDestination, tlsInspector, httpInspector }

    package let kind: Kind
    package let disabled: PortPredicate?

    package init(kind: Kind, disabled: PortPredicate? = nil) {
        self.kind = kind
        self.disabled = disabled
    }

    package func applies(toDestinationPort port: UInt16) -> Bool { !(disabled?.holds(port: port) ?? false) }
}

/// What serves the connections of a filter chain. The set is closed.
package enum NetworkFilter: Sendable {
    case http(HTTPConnectionManager)
    case tcp(TCPProxy)
}

/// What a connection has to pass before its terminal filter serves it.
package enum ConnectionFilter: Sendable {
    case authorization(AuthorizationFilter)
    case rateLimit(ConnectionRateLimit)
}

package final class FilterChain: Sendable {
    package let name: String
    package let match: FilterChainMatch
    /// nil: plain bytes.
    package let transport: TLSContext?
    /// nil: the proxy's own limit.
    package let handshakeTimeout: Duration?
    /// In order.
    package let guards: [ConnectionFilter]
    package let filter: NetworkFilter
    /// Digest of the chain's bytes: an equal chain of a newer listener keeps its connections.
    package let version: ContentVersion

    package init(
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
package final class ListenerConfig: Sendable {
    package enum Direction: Hashable, Sendable { case unspecified, inbound, outbound }

    package let name: String
    /// Digest of the bytes it was decoded from.
    package let version: ContentVersion
    package let address: SocketAddress
    /// False: only connections handed over by a listener that uses the original destination arrive here.
    package let bindsToPort: Bool
    /// Connections go on to the listener of their original destination, if there is one.
    package let usesOriginalDestination: Bool
    package let chains: [FilterChain]
    package let defaultChain: FilterChain?
    package let matcher: FilterChainMatcher
    package let listenerFilters: [ListenerFilter]
    /// How long the inspectors may wait for bytes; nil: for ever.
    package let listenerFiltersTimeout: Duration?
    package let continuesOnListenerFiltersTimeout: Bool
    /// Bytes; above, reading pauses.
    package let bufferLimit: UInt32
    package let backlog: UInt32?
    package let direction: Direction
    package let accessLogs: [AccessLog]

    package init(
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
