package import ApusCore

/// How a cluster picks an endpoint.
package enum LoadBalancingPolicy: Hashable, Sendable {
    case roundRobin
    /// `activeRequestBias` shapes weighted choice: `weight / (active + 1)^bias`.
    case leastRequest(choices: Int, activeRequestBias: Double)
    case random
    case ringHash(minSize: Int, maxSize: Int)
    case maglev(tableSize: Int)
    /// ORIGINAL_DST: the address the client wanted.
    case clusterProvided
}

/// One set of circuit-breaker limits.
package struct CircuitBreakerLimits: Hashable, Sendable {
    package var maxConnections: UInt32 = 1024
    package var maxPendingRequests: UInt32 = 1024
    package var maxRequests: UInt32 = 1024
    package var maxRetries: UInt32 = 3
    /// `retry_budget`: millionths of the active and pending requests that may be retries, and the least concurrency.
    package var retryBudget: RetryBudget?
    /// The statistics say how much is left.
    package var tracksRemaining = false

    package struct RetryBudget: Hashable, Sendable {
        package let percent: Double
        package let minConcurrency: UInt32

        package init(percent: Double = 20, minConcurrency: UInt32 = 3) {
            self.percent = percent
            self.minConcurrency = minConcurrency
        }
    }

    package init() {}
}

/// `config.core.v3.TcpKeepalive`. What is nil is left to the operating system; a 0 anywhere turns probing off.
package struct TCPKeepalive: Hashable, Sendable {
    /// Probes without an answer before the connection is given up.
    package let probes: UInt32?
    /// Seconds without traffic before the first probe.
    package let time: UInt32?
    /// Seconds between probes.
    package let interval: UInt32?

    package init(probes: UInt32? = nil, time: UInt32? = nil, interval: UInt32? = nil) {
        self.probes = probes
        self.time = time
        self.interval = interval
    }

    package var isOn: Bool { probes != 0 && time != 0 && interval != 0 }
}

/// `config.cluster.v3.Cluster`.
package final class ClusterConfig: Sendable {
    package enum Discovery: Sendable {
        /// Endpoints come from EDS under this name (`service_name`, else the cluster's).
        case eds(serviceName: String)
        /// Endpoints are in the cluster.
        case fixed
        /// Every name is resolved to all of its addresses.
        case strictDNS(DNS)
        /// One name, and of its addresses the first.
        case logicalDNS(DNS)
        /// The address the client wanted; `portOverride` replaces its port.
        case originalDestination(OriginalDestination)
    }

    package struct DNS: Hashable, Sendable {
        package enum Family: Hashable, Sendable { case automatic, v4Only, v6Only, v4Preferred, all }

        package var refreshRate: Duration = .seconds(5)
        package var refreshJitter: Duration = .zero
        package var respectsTTL = false
        package var family = Family.automatic

        package init() {}
    }

    package struct OriginalDestination: Hashable, Sendable {
        /// The header that overrides the address, if the cluster allows it.
        package var header: HeaderName?
        package var portOverride: UInt16?
        package var cleanupInterval: Duration = .seconds(5)

        package init() {}
    }

    package enum UpstreamProtocol: Hashable, Sendable {
        case http1
        /// HTTP/2 from the first byte (prior knowledge).
        case http2
        /// HTTP/1.1 or HTTP/2 as the client's.
        case useDownstream
    }

    /// `transport_socket_matches`: the first entry whose labels an endpoint has decides.
    package struct TransportMatch: Sendable {
        package let labels: [String: String]
        /// nil: such endpoints are spoken to in plain text.
        package let transport: TLSContext?

        package init(labels: [String: String], transport: TLSContext?) {
            self.labels = labels
            self.transport = transport
        }
    }

    package let name: String
    /// What statistics call it; the name if not set.
    package let statName: String
    /// Digest of the bytes it was decoded from.
    package let version: ContentVersion
    package let slot: Slot
    package let discovery: Discovery
    package let policy: LoadBalancingPolicy
    package let panicThreshold: Double
    /// Locality weights are in force (`locality_weighted_lb_config`).
    package let weighsLocalities: Bool
    package let hashesHostname: Bool
    package let balancing: BalancingOptions
    package let connectTimeout: Duration
    package let breakers: CircuitBreakerLimits
    package let highPriorityBreakers: CircuitBreakerLimits
    package let upstreamProtocol: UpstreamProtocol
    package let http1: HTTP1ProtocolOptions
    package let http2: HTTP2ProtocolOptions
    /// Pool: nil turns a time-out off.
    package let idleTimeout: Duration?
    package let maxConnectionDuration: Duration?
    package let maxStreamDuration: Duration?
    package let maxRequestsPerConnection: UInt32?
    package let maxResponseHeaders: Int
    /// Bytes of one response head.
    package let maxResponseHeaderBytes: Int
    package let outlierDetection: OutlierDetectionConfig?
    package let healthCheck: HealthCheckConfig?
    /// Which responses count as errors for outlier detection; nil: those from 500.
    package let errorMatcher: ResponsePredicate?
    package let hostHealth: HostHealthOptions
    /// Source address of upstream connections.
    package let bindSource: IPAddress?
    /// Probes on upstream connections; nil: none.
    package let keepalive: TCPKeepalive?
    package let bufferLimit: UInt32
    /// For endpoints that no match is about; nil: plain bytes.
    package let transport: TLSContext?
    package let transportMatches: [TransportMatch]
    /// All TLS contexts of the cluster.
    package let transports: [TLSContext]
    /// Connections are made for the hosts of requests. Asked for by every request.
    package let usesRequestNames: Bool
    /// Hosts given in the cluster itself (STATIC, DNS); empty for EDS and ORIGINAL_DST.
    package let endpoints: EndpointTable?

    package init(
        name: String, statName: String? = nil, version: ContentVersion = ContentVersion(0), slot: Slot,
        discovery: Discovery,
        policy: LoadBalancingPolicy = .roundRobin, panicThreshold: Double = 50, weighsLocalities: Bool = false,
        hashesHostname: Bool = false, balancing: BalancingOptions = BalancingOptions(),
        connectTimeout: Duration = .seconds(5), breakers: CircuitBreakerLimits = CircuitBreakerLimits(),
        highPriorityBreakers: CircuitBreakerLimits = CircuitBreakerLimits(),
        upstreamProtocol: UpstreamProtocol = .http1, http1: HTTP1ProtocolOptions = HTTP1ProtocolOptions(),
        http2: HTTP2ProtocolOptions = HTTP2ProtocolOptions(), idleTimeout: Duration? = .seconds(3600),
        maxConnectionDuration: Duration? = nil, maxStreamDuration: Duration? = nil,
        maxRequestsPerConnection: UInt32? = nil, maxResponseHeaders: Int = 100,
        maxResponseHeaderBytes: Int = 80 << 10, outlierDetection: OutlierDetectionConfig? = nil,
        healthCheck: HealthCheckConfig? = nil, errorMatcher: ResponsePredicate? = nil,
        hostHealth: HostHealthOptions = HostHealthOptions(),
        bindSource: IPAddress? = nil, keepalive: TCPKeepalive? = nil, bufferLimit: UInt32 = 1 << 20,
        transport: TLSContext? = nil, transportMatches: [TransportMatch] = [], endpoints: EndpointTable? = nil
    ) {
        self.name = name
        self.statName = statName ?? name
        self.version = version
        self.slot = slot
        self.discovery = discovery
        self.policy = policy
        self.panicThreshold = panicThreshold
        self.weighsLocalities = weighsLocalities
        self.hashesHostname = hashesHostname
        self.balancing = balancing
        self.connectTimeout = connectTimeout
        self.breakers = breakers
        self.highPriorityBreakers = highPriorityBreakers
        self.upstreamProtocol = upstreamProtocol
        self.http1 = http1
        self.http2 = http2
        self.idleTimeout = idleTimeout
        self.maxConnectionDuration = maxConnectionDuration
        self.maxStreamDuration = maxStreamDuration
        self.maxRequestsPerConnection = maxRequestsPerConnection
        self.maxResponseHeaders = maxResponseHeaders
        self.maxResponseHeaderBytes = maxResponseHeaderBytes
        self.outlierDetection = outlierDetection
        self.healthCheck = healthCheck
        self.errorMatcher = errorMatcher
        self.hostHealth = hostHealth
        self.bindSource = bindSource
        self.keepalive = keepalive
        self.bufferLimit = bufferLimit
        self.transport = transport
        self.transportMatches = transportMatches
        transports = transportMatches.compactMap(\.transport) + [transport].compactMap { $0 }
        usesRequestNames = transports.contains { $0.client.usesRequestName }
        self.endpoints = endpoints
    }

    /// How an endpoint with these labels is spoken to; nil: in plain text.
    package func transport(_ labels: [String: String]) -> TLSContext? {
        for match in transportMatches where match.labels.allSatisfy({ labels[$0.key] == $0.value }) {
            return match.transport
        }
        return transport
    }
}
