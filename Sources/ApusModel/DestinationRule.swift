package struct DestinationRule: Hashable, Sendable {
    package var host = ""
    package var trafficPolicy: TrafficPolicy?
    package var subsets: [Subset] = []
    package var exportTo: [String] = []
    /// nil: applies to every client; else to clients of its own namespace that the labels select.
    package var workloadSelector: [String: String]?
    package init() {}
}

package struct Subset: Hashable, Sendable {
    package var name = ""
    package var labels: [String: String] = [:]
    package var trafficPolicy: TrafficPolicy?
    package init() {}
}

package struct TrafficPolicy: Hashable, Sendable {
    package var loadBalancer: LoadBalancerSettings?
    package var connectionPool: ConnectionPoolSettings?
    package var outlierDetection: OutlierDetectionSettings?
    package var tls: ClientTLSSettings?
    package var portLevelSettings: [PortTrafficPolicy] = []
    package var tunnel: TunnelSettings?
    /// `V1` or `V2`.
    package var proxyProtocol: ProxyProtocolVersion?
    package var retryBudget: RetryBudget?
    package init() {}
}

package struct PortTrafficPolicy: Hashable, Sendable {
    package var port: UInt32 = 0
    package var loadBalancer: LoadBalancerSettings?
    package var connectionPool: ConnectionPoolSettings?
    package var outlierDetection: OutlierDetectionSettings?
    package var tls: ClientTLSSettings?
    package init() {}
}

package enum ProxyProtocolVersion: String, Hashable, Sendable, CaseIterable { case v1 = "V1", v2 = "V2" }

package struct TunnelSettings: Hashable, Sendable {
    /// `CONNECT` (default) or `POST`.
    package var `protocol` = "CONNECT"
    package var targetHost = ""
    package var targetPort: UInt32 = 0
    package init() {}
}

package struct RetryBudget: Hashable, Sendable {
    package var percent: Double?
    package var minRetryConcurrency: UInt32?
    package init() {}
}

package struct LoadBalancerSettings: Hashable, Sendable {
    package enum Simple: String, Hashable, Sendable, CaseIterable {
        case unspecified = "UNSPECIFIED"
        case leastConn = "LEAST_CONN"
        case random = "RANDOM"
        case passthrough = "PASSTHROUGH"
        case roundRobin = "ROUND_ROBIN"
        case leastRequest = "LEAST_REQUEST"
    }

    package var simple: Simple?
    package var consistentHash: ConsistentHash?
    package var localityLb: LocalityLoadBalancerSettings?
    /// Zone-aware settings instead of locality weights.
    package var zoneAwareLb: ZoneAwareSettings?
    package var warmup: Warmup?
    package init() {}
}

package struct Warmup: Hashable, Sendable {
    package var duration: Duration?
    package var minimumPercent: Double?
    package var aggression: Double?
    package init() {}
}

package struct ZoneAwareSettings: Hashable, Sendable {
    package var enabled: Bool?
    package var minClusterSize: UInt64?
    /// Regions to go to when the client's own is unhealthy; the region itself always comes first.
    package var failover: [LocalityLoadBalancerSettings.Failover] = []
    package var failoverPriority: [String] = []
    package init() {}
}

package struct ConsistentHash: Hashable, Sendable {
    package enum Key: Hashable, Sendable {
        case httpHeaderName(String)
        case httpCookie(HTTPCookie)
        case useSourceIp(Bool)
        case httpQueryParameterName(String)
    }

    package enum Algorithm: Hashable, Sendable {
        case ringHash(minimumRingSize: UInt64?)
        case maglev(tableSize: UInt64?)
    }

    package var key: Key?
    package var algorithm: Algorithm?
    /// The old place of `ringHash.minimumRingSize`.
    package var minimumRingSize: UInt64?
    package init() {}
}

package struct HTTPCookie: Hashable, Sendable {
    package struct Attribute: Hashable, Sendable {
        package var name = ""
        package var value = ""
        package init() {}
    }

    package var name = ""
    package var path: String?
    package var ttl: Duration?
    package var attributes: [Attribute] = []
    package init() {}
}

package struct LocalityLoadBalancerSettings: Hashable, Sendable {
    package struct Distribute: Hashable, Sendable {
        package var from = ""
        package var to: [String: UInt32] = [:]
        package init() {}
    }

    package struct Failover: Hashable, Sendable {
        package var from = ""
        package var to = ""
        package init() {}
    }

    package var distribute: [Distribute] = []
    package var failover: [Failover] = []
    package var failoverPriority: [String] = []
    package var enabled: Bool?
    package init() {}
}

package struct ConnectionPoolSettings: Hashable, Sendable {
    package struct TCP: Hashable, Sendable {
        package struct Keepalive: Hashable, Sendable {
            package var probes: UInt32?
            package var time: Duration?
            package var interval: Duration?
            package init() {}
        }

        package var maxConnections: Int32?
        package var connectTimeout: Duration?
        package var tcpKeepalive: Keepalive?
        package var maxConnectionDuration: Duration?
        package var idleTimeout: Duration?
        package init() {}
    }

    package struct HTTP: Hashable, Sendable {
        package enum H2UpgradePolicy: String, Hashable, Sendable, CaseIterable {
            case `default` = "DEFAULT"
            case doNotUpgrade = "DO_NOT_UPGRADE"
            case upgrade = "UPGRADE"
        }

        package struct HTTP2KeepAlive: Hashable, Sendable {
            package var interval: Duration?
            package var timeout: Duration?
            package init() {}
        }

        package var http1MaxPendingRequests: Int32?
        package var http2MaxRequests: Int32?
        package var maxRequestsPerConnection: Int32?
        package var maxRetries: Int32?
        package var idleTimeout: Duration?
        package var h2UpgradePolicy = H2UpgradePolicy.default
        package var useClientProtocol = false
        package var maxConcurrentStreams: Int32?
        package var http2KeepAlive: HTTP2KeepAlive?
        package init() {}
    }

    package var tcp: TCP?
    package var http: HTTP?
    package init() {}
}

package struct OutlierDetectionSettings: Hashable, Sendable {
    package var splitExternalLocalOriginErrors = false
    package var consecutiveLocalOriginFailures: UInt32?
    package var consecutiveGatewayErrors: UInt32?
    package var consecutive5xxErrors: UInt32?
    /// Deprecated `consecutiveErrors`, read as gateway errors.
    package var consecutiveErrors: Int32?
    package var interval: Duration?
    package var baseEjectionTime: Duration?
    package var maxEjectionPercent: Int32 = 0
    package var minHealthPercent: Int32 = 0
    /// Status codes that count as errors, and no others; empty means 5xx.
    package var httpErrorCodes: [UInt32] = []
    package init() {}
}

package struct ClientTLSSettings: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case disable = "DISABLE"
        case simple = "SIMPLE"
        case mutual = "MUTUAL"
        case istioMutual = "ISTIO_MUTUAL"
    }

    package var mode = Mode.disable
    package var clientCertificate = ""
    package var privateKey = ""
    package var caCertificates = ""
    package var credentialName = ""
    package var subjectAltNames: [String] = []
    package var sni = ""
    package var insecureSkipVerify: Bool?
    package var caCrl = ""
    package init() {}
}
