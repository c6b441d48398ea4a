/// `config.core.v3.HealthCheck`, with Envoy's defaults.
package struct HealthCheckConfig: Sendable {
    package enum Probe: Sendable {
        case http(HTTPProbe)
        case grpc(GRPCProbe)
        case tcp(TCPProbe)
    }

    package struct HTTPProbe: Sendable {
        /// Empty: the name of the cluster.
        package var host = ""
        package var path = "/"
        package var method = "GET"
        package var body: [UInt8] = []
        /// Found in the answer's body in this order; empty: the body does not matter.
        package var expectedBody: [[UInt8]] = []
        /// Bytes of the body that are looked at.
        package var bodyLimit = 1024
        package var headers = HeaderOperations.none
        package var expectedStatuses: [Range<Int64>] = [200..<201]
        /// A failure with one of these counts towards the threshold, others are final at once.
        package var retriableStatuses: [Range<Int64>] = []
        /// What `x-envoy-upstream-healthchecked-cluster` of the answer must be.
        package var serviceName: StringMatch?
        package var usesHTTP2 = false

        package init() {}
    }

    /// `grpc.health.v1.Health/Check`.
    package struct GRPCProbe: Sendable {
        /// Empty: the server as a whole.
        package var service = ""
        /// Empty: the name of the cluster.
        package var authority = ""
        package var headers = HeaderOperations.none

        package init() {}
    }

    /// The judgement of a complete answer.
    package enum Verdict: Hashable, Sendable { case healthy, degraded, failed(retriable: Bool) }

    package struct TCPProbe: Sendable {
        package var send: [UInt8] = []
        /// Found in what comes back in this order; empty: a connection is enough.
        package var receive: [[UInt8]] = []

        package init() {}
    }

    package var timeout: Duration
    package var interval: Duration
    package var initialJitter: Duration = .zero
    package var intervalJitter: Duration = .zero
    /// Percent of the interval.
    package var intervalJitterPercent: UInt32 = 0
    package var unhealthyThreshold: UInt32
    package var healthyThreshold: UInt32
    package var port: UInt16?
    package var reusesConnection = true
    /// While the cluster has never had a connection.
    package var noTrafficInterval: Duration = .seconds(60)
    package var noTrafficHealthyInterval: Duration = .seconds(60)
    package var unhealthyInterval: Duration
    /// Between the first failure and the threshold.
    package var unhealthyEdgeInterval: Duration
    package var healthyEdgeInterval: Duration
    package var probe: Probe

    package init(
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
package struct HostHealthOptions: Hashable, Sendable {
    /// Raw connections to a host that fails are closed.
    package var closesConnections = false
    /// A host that is no longer named goes at once, also while its checks pass.
    package var ignoresHealthOnRemoval = false
    /// Connections to one host at a time, over all loops; nil: no limit but the cluster's.
    package var maxConnectionsPerHost: UInt32?
    /// What a host may be if it is to be used because a request names it.
    package var overridable: Set<Status> = [.healthy, .degraded]

    package enum Status: Hashable, Sendable { case healthy, degraded, unhealthy, draining }

    package init() {}
}
