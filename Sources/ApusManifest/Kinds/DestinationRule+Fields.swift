internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension DestinationRule: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("host", &host)
        fields.read("trafficPolicy", &trafficPolicy)
        fields.read("subsets", &subsets)
        fields.read("exportTo", &exportTo)
        fields.readLabels("workloadSelector", in: "matchLabels", &workloadSelector)
    }
}

extension Fields {
    /// Istio's selectors: a mapping that holds the labels; a selector without labels selects everything.
    mutating func readLabels(_ name: StaticString, in inner: StaticString, _ target: inout [String: String]?) {
        var labels: [String: String] = [:]
        if nested(name, { $0.read(inner, &labels) }) { target = labels }
    }
}

extension Subset: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("labels", &labels)
        fields.read("trafficPolicy", &trafficPolicy)
    }
}

extension ProxyProtocolVersion: FieldEnum {}

extension TrafficPolicy: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("loadBalancer", &loadBalancer)
        fields.read("connectionPool", &connectionPool)
        fields.read("outlierDetection", &outlierDetection)
        fields.read("tls", &tls)
        fields.read("portLevelSettings", &portLevelSettings)
        fields.read("tunnel", &tunnel)
        var version: ProxyProtocolVersion?
        if fields.nested("proxyProtocol", { $0.read("version", &version) }) { proxyProtocol = version ?? .v1 }
        fields.read("retryBudget", &retryBudget)
    }
}

extension PortTrafficPolicy: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.nested("port") { $0.read("number", &port) }
        fields.read("loadBalancer", &loadBalancer)
        fields.read("connectionPool", &connectionPool)
        fields.read("outlierDetection", &outlierDetection)
        fields.read("tls", &tls)
    }
}

extension TunnelSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("protocol", &`protocol`)
        fields.read("targetHost", &targetHost)
        fields.read("targetPort", &targetPort)
    }
}

extension RetryBudget: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readPercent("percent", &percent)
        fields.read("minRetryConcurrency", &minRetryConcurrency)
    }
}

extension LoadBalancerSettings.Simple: FieldEnum {
    // The protobuf enumeration has no 5.
    static func value(number: Int64) -> Self? {
        switch number {
        case 0: .unspecified
        case 1: .leastConn
        case 2: .random
        case 3: .passthrough
        case 4: .roundRobin
        case 6: .leastRequest
        default: nil
        }
    }
}

extension LoadBalancerSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("simple", &simple)
        fields.read("consistentHash", &consistentHash)
        if simple != nil, consistentHash != nil, let key = fields.key("consistentHash") {
            fields.decoding.report(
                .error, FindingCode.schemaError, "a load balancer has either simple or consistentHash, not both",
                hint: "keep one of them", at: key)
        }
        fields.read("localityLbSetting", &localityLb)
        fields.read("zoneAwareLbSetting", &zoneAwareLb)
        var oldWarmup: Duration?
        fields.read("warmupDurationSecs", &oldWarmup)
        fields.read("warmup", &warmup)
        if let oldWarmup {
            fields.deprecated("warmupDurationSecs", instead: "warmup.duration")
            if warmup == nil {
                var settings = Warmup()
                settings.duration = oldWarmup
                warmup = settings
            }
        }
    }
}

extension Warmup: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("duration", &duration)
        fields.read("minimumPercent", &minimumPercent)
        fields.read("aggression", &aggression)
    }
}

extension ZoneAwareSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("enabled", &enabled)
        fields.read("failover", &failover)
        fields.read("failoverPriority", &failoverPriority)
        fields.read("minClusterSize", &minClusterSize)
    }
}

extension ConsistentHash: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        var keys: [Key] = []
        var header: String?
        fields.read("httpHeaderName", &header)
        if let header { keys.append(.httpHeaderName(header)) }
        var cookie: HTTPCookie?
        fields.read("httpCookie", &cookie)
        if let cookie { keys.append(.httpCookie(cookie)) }
        var source: Bool?
        fields.read("useSourceIp", &source)
        if let source { keys.append(.useSourceIp(source)) }
        var parameter: String?
        fields.read("httpQueryParameterName", &parameter)
        if let parameter { keys.append(.httpQueryParameterName(parameter)) }
        if keys.count > 1 {
            fields.decoding.report(
                .error, FindingCode.schemaError,
                "consistentHash has more than one of httpHeaderName, httpCookie, useSourceIp and "
                    + "httpQueryParameterName",
                hint: "keep one of them", at: fields.node)
        }
        key = keys.last

        fields.read("minimumRingSize", &minimumRingSize)
        if minimumRingSize != nil { fields.deprecated("minimumRingSize", instead: "ringHash.minimumRingSize") }
        var size: UInt64?
        let hasRing = fields.nested("ringHash") { $0.read("minimumRingSize", &size) }
        if hasRing { algorithm = .ringHash(minimumRingSize: size) }
        size = nil
        let hasMaglev = fields.nested("maglev") { $0.read("tableSize", &size) }
        if hasMaglev { algorithm = .maglev(tableSize: size) }
        if hasRing, hasMaglev || minimumRingSize != nil {
            fields.decoding.report(
                .error, FindingCode.schemaError,
                "consistentHash has more than one of ringHash, maglev and minimumRingSize",
                hint: "keep one of them", at: fields.node)
        }
    }
}

extension HTTPCookie: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("path", &path)
        fields.read("ttl", &ttl)
        fields.read("attributes", &attributes)
    }
}

extension HTTPCookie.Attribute: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("value", &value)
    }
}

extension LocalityLoadBalancerSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("distribute", &distribute)
        fields.read("failover", &failover)
        fields.read("failoverPriority", &failoverPriority)
        fields.read("enabled", &enabled)
    }
}

extension LocalityLoadBalancerSettings.Distribute: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("from", &from)
        fields.read("to", &to)
    }
}

extension LocalityLoadBalancerSettings.Failover: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("from", &from)
        fields.read("to", &to)
    }
}

extension ConnectionPoolSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("tcp", &tcp)
        fields.read("http", &http)
    }
}

extension ConnectionPoolSettings.TCP: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("maxConnections", &maxConnections)
        fields.read("connectTimeout", &connectTimeout)
        fields.read("tcpKeepalive", &tcpKeepalive)
        fields.read("maxConnectionDuration", &maxConnectionDuration)
        fields.read("idleTimeout", &idleTimeout)
    }
}

extension ConnectionPoolSettings.TCP.Keepalive: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("probes", &probes)
        fields.read("time", &time)
        fields.read("interval", &interval)
    }
}

extension ConnectionPoolSettings.HTTP.H2UpgradePolicy: FieldEnum {}

extension ConnectionPoolSettings.HTTP: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("http1MaxPendingRequests", &http1MaxPendingRequests)
        fields.read("http2MaxRequests", &http2MaxRequests)
        fields.read("maxRequestsPerConnection", &maxRequestsPerConnection)
        fields.read("maxRetries", &maxRetries)
        fields.read("idleTimeout", &idleTimeout)
        fields.read("h2UpgradePolicy", &h2UpgradePolicy)
        fields.read("useClientProtocol", &useClientProtocol)
        fields.read("maxConcurrentStreams", &maxConcurrentStreams)
        fields.read("http2KeepAlive", &http2KeepAlive)
    }
}

extension ConnectionPoolSettings.HTTP.HTTP2KeepAlive: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("interval", &interval)
        fields.read("timeout", &timeout)
    }
}

extension OutlierDetectionSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("splitExternalLocalOriginErrors", &splitExternalLocalOriginErrors)
        fields.read("consecutiveLocalOriginFailures", &consecutiveLocalOriginFailures)
        fields.read("consecutiveGatewayErrors", &consecutiveGatewayErrors)
        fields.read("consecutive5xxErrors", &consecutive5xxErrors)
        fields.read("consecutiveErrors", &consecutiveErrors)
        if consecutiveErrors != nil {
            fields.deprecated("consecutiveErrors", instead: "consecutiveGatewayErrors or consecutive5xxErrors")
        }
        fields.read("interval", &interval)
        fields.read("baseEjectionTime", &baseEjectionTime)
        fields.read("maxEjectionPercent", &maxEjectionPercent)
        fields.read("minHealthPercent", &minHealthPercent)
        fields.read("outlierDetectionHttpErrorCodes", &httpErrorCodes)
    }
}

extension ClientTLSSettings.Mode: FieldEnum {}

extension ClientTLSSettings: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("mode", &mode)
        fields.read("clientCertificate", &clientCertificate)
        fields.read("privateKey", &privateKey)
        fields.read("caCertificates", &caCertificates)
        fields.read("credentialName", &credentialName)
        fields.read("subjectAltNames", &subjectAltNames)
        fields.read("sni", &sni)
        fields.read("insecureSkipVerify", &insecureSkipVerify)
        fields.read("caCrl", &caCrl)
    }
}
