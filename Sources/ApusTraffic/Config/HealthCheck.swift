/// `config.core.v3.HealthCheck`, with Envoy's defaults.
public struct HealthCheckConfig: Sendable {
    public enum Probe: Sendable {
        case http(HTTPProbe)
        case grpc(GRPCProbe)
        case tcp(TCPProbe)
    }

    public struct HTTPProbe: Sendable {
        /// Empty: the name of the cluster.
        public var host = ""
        public var path = "/"
        public var method = "GET"
        public var body: [UInt8] = []
        /// Found in the answer's body in this order; empty: the body does not matter.
        public var expectedBody: [[UInt8]] = []
        /// Bytes of the body that are looked at.
        public var bodyLimit = 1024
        public var headers = HeaderOperations.none
        public var expectedStatuses: [Range<Int64>] = [200..<201]
        /// A failure with one of these counts towards the threshold, others are final at once.
        public var retriableStatuses: [Range<Int64>] = []
        /// What `x-envoy-upstream-healthchecked-cluster` of the answer must be.
        public var serviceName: StringMatch?
        public var usesHTTP2 = false

        public init() {}
    }

    /// `grpc.health.v1.Health/Check`.
    public struct GRPCProbe: Sendable {
        /// Empty: the server as a whole.
        public var service = ""
        /// Empty: the name of the cluster.
        public var authority = ""
        public var headers = HeaderOperations.none

        public init() {}
    }

    /// The judgement of a complete answer.
    public enum Verdict: Hashable, Sendable { case healthy, degraded, failed(retriable: Bool) }

    public struct TCPProbe: Sendable {
        public var send: [UInt8] = []
        /// Found in what comes back in this order; empty: a connection is enough.
        public var receive: [[UInt8]] = []

        public init() {}
    }

    public var timeout: Duration
    public var interval: Duration
    public var initialJitter: Duration = .zero
    public var intervalJitter: Duration = .zero
    /// Percent of the interval.
    public var intervalJitterPercent: UInt32 = 0
    public var unhealthyThreshold: UInt32
    public var healthyThreshold: UInt32
    public var port: UInt16?
    public var reusesConnection = true
    /// While the cluster has never had a connection.
    public var noTrafficInterval: Duration = .seconds(60)
    public var noTrafficHealthyInterval: Duration = .seconds(60)
    public var unhealthyInterval: Duration
    /// Between the first failure and the threshold.
    public var unhealthyEdgeInterval: Duration
    public var healthyEdgeInterval: Duration
    public var probe: Probe

    public init(
        timeout: Duration, interval: Duration, unhealthyThreshold: UInt32, healthyThreshold: UInt32, probe: Probe
    ) {
        self.timeout = timeout
        self.interval = interval
        self.unhealthyThreshold = unhealthyThreshold
        self.healthyThreshold = healthyThreshold
        self.probe = probe
        unhealthyInterval = interval
        unhealthyEdgeInterval = interval
        healthyEdgeInterval = interval
    }
}

/// What follows when a host's health changes.
public struct HostHealthOptions: Hashable, Sendable {
    /// Raw connections to a host that fails are closed.
    public var closesConnections = false
    /// A host that is no longer named goes at once, also while its checks pass.
    public var ignoresHealthOnRemoval = false
    /// Connections to one host at a time, over all loops; nil: no limit but the cluster's.
    public var maxConnectionsPerHost: UInt32?
    /// What a host may be if it is to be used because a request names it.
    public var overridable: Set<Status> = [.healthy, .degraded]

    public enum Status: Hashable, Sendable { case healthy, degraded, unhealthy, draining }

    public init() {}
}
