public import ApusCore
public import ApusDNS

/// How a cluster picks an endpoint.
public enum LoadBalancingPolicy: Hashable, Sendable {
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
public struct CircuitBreakerLimits: Hashable, Sendable {
    public var maxConnections: UInt32 = 1024
    public var maxPendingRequests: UInt32 = 1024
    public var maxRequests: UInt32 = 1024
    public var maxRetries: UInt32 = 3
    /// `retry_budget`: millionths of the active and pending requests that may be retries, and the least concurrency.
    public var retryBudget: RetryBudget?
    /// The statistics say how much is left.
    public var tracksRemaining = false

    public struct RetryBudget: Hashable, Sendable {
        public let percent: Double
        public let minConcurrency: UInt32

        public init(percent: Double = 20, minConcurrency: UInt32 = 3) {
            self.percent = percent
            self.minConcurrency = minConcurrency
        }
    }

    public init() {}
}

/// `config.core.v3.TcpKeepalive`. What is nil is left to the operating system; a 0 anywhere turns probing off.
public struct TCPKeepalive: Hashable, Sendable {
    /// Probes without an answer before the connection is given up.
    public let probes: UInt32?
    /// Seconds without traffic before the first probe.
    public let time: UInt32?
    /// Seconds between probes.
    public let interval: UInt32?

    public init(probes: UInt32? = nil, time: UInt32? = nil, interval: UInt32? = nil) {
        self.probes = probes
        self.time = time
        self.interval = interval
    }

    public var isOn: Bool { probes != 0 && time != 0 && interval != 0 }
}

/// `config.cluster.v3.Cluster`.
public final class ClusterConfig: Sendable {
    public enum Discovery: Sendable {
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

    public struct DNS: Hashable, Sendable {
        /// Bounds of the wait after a failure: `base` at first, doubled each time, at most `max`.
        public struct BackOff: Hashable, Sendable {
            public let base: Duration
            public let max: Duration

            public init(base: Duration, max: Duration) {
                self.base = base
                self.max = max
            }
        }

        public var refreshRate: Duration = .seconds(5)
        public var refreshJitter: Duration = .zero
        /// nil: after a failure the name is asked for at the refresh rate too.
        public var failureBackOff: BackOff?
        public var respectsTTL = false
        public var family = LookupFamily.automatic
        public var resolver = ResolverOptions()
        /// The program's first listeners open only once a first answer is here, whatever it says.
        public var delaysStart = true

        public init() {}
    }

    public struct OriginalDestination: Hashable, Sendable {
        /// The header that overrides the address, if the cluster allows it.
        public var header: HeaderName?
        public var portOverride: UInt16?
        public var cleanupInterval: Duration = .seconds(5)

        public init() {}
    }

    public enum UpstreamProtocol: Hashable, Sendable {
        case http1
        /// HTTP/2 from the first byte (prior knowledge).
        case http2
        /// HTTP/1.1 or HTTP/2 as the client's.
        case useDownstream
    }

    /// `transport_socket_matches`: the first entry whose labels an endpoint has decides.
    public struct TransportMatch: Sendable {
        public let labels: [String: String]
        /// nil: such endpoints are spoken to in plain text.
        public let transport: TLSContext?

        public init(labels: [String: String], transport: TLSContext?) {
            self.labels = labels
            self.transport = transport
        }
    }

    public let name: String
    /// What statistics call it; the name if not set.
    public let statName: String
    /// Digest of the bytes it was decoded from.
    public let version: ContentVersion
    public let slot: Slot
    public let discovery: Discovery
    public let policy: LoadBalancingPolicy
    public let panicThreshold: Double
    /// Locality weights are in force (`locality_weighted_lb_config`).
    public let weighsLocalities: Bool
    public let hashesHostname: Bool
    public let balancing: BalancingOptions
    public let connectTimeout: Duration
    public let breakers: CircuitBreakerLimits
    public let highPriorityBreakers: CircuitBreakerLimits
    public let upstreamProtocol: UpstreamProtocol
    public let http1: HTTP1ProtocolOptions
    public let http2: HTTP2ProtocolOptions
    /// Pool: nil turns a time-out off.
    public let idleTimeout: Duration?
    public let maxConnectionDuration: Duration?
    public let maxStreamDuration: Duration?
    public let maxRequestsPerConnection: UInt32?
    public let maxResponseHeaders: Int
    /// Bytes of one response head.
    public let maxResponseHeaderBytes: Int
    public let outlierDetection: OutlierDetectionConfig?
    public let healthCheck: HealthCheckConfig?
    /// Which responses count as errors for outlier detection; nil: those from 500.
    public let errorMatcher: ResponsePredicate?
    public let hostHealth: HostHealthOptions
    /// Source address of upstream connections.
    public let bindSource: IPAddress?
    /// Probes on upstream connections; nil: none.
    public let keepalive: TCPKeepalive?
    public let bufferLimit: UInt32
    /// For endpoints that no match is about; nil: plain bytes.
    public let transport: TLSContext?
    public let transportMatches: [TransportMatch]
    /// All TLS contexts of the cluster.
    public let transports: [TLSContext]
    /// Connections are made for the hosts of requests. Asked for by every request.
    public let usesRequestNames: Bool
    /// Hosts given in the cluster itself (STATIC, DNS); empty for EDS and ORIGINAL_DST.
    public let endpoints: EndpointTable?

    public init(
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
    public func transport(_ labels: [String: String]) -> TLSContext? {
        for match in transportMatches where match.labels.allSatisfy({ labels[$0.key] == $0.value }) {
            return match.transport
        }
        return transport
    }
}
