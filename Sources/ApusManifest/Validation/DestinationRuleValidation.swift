internal import ApusCore
internal import ApusModel

extension Checks {
    func destinationRule(_ spec: DestinationRule) {
        if spec.host.isEmpty {
            error("spec.host", "the DestinationRule has no host")
        } else if IPAddress(spec.host) == nil {
            wildcardName(spec.host, "the host", "spec.host")
        }
        exportTo(spec.exportTo)
        if let selector = spec.workloadSelector {
            self.selector(selector, "spec.workloadSelector.matchLabels")
            if spec.exportTo.contains(where: { $0 != "." && $0 != object.metadata.namespace }) {
                error(
                    "spec.exportTo", "a rule with a workloadSelector acts only in its own namespace",
                    hint: "write exportTo: [\".\"], or remove the selector")
            }
        }
        if let policy = spec.trafficPolicy { trafficPolicy(policy, "spec.trafficPolicy") }
        var names: Set<String> = []
        for (index, subset) in spec.subsets.enumerated() {
            let path = { "spec.subsets[\(index)]" }
            if subset.name.isEmpty {
                error(path(), "the subset has no name")
            } else if !DNSName.isLabel(subset.name) {
                error(
                    "\(path()).name", "\"\(subset.name)\" cannot be the name of a subset",
                    hint: "use letters, digits and inner hyphens")
            } else if !names.insert(subset.name).inserted {
                error("\(path()).name", "the subset \"\(subset.name)\" stands twice")
            }
            labels(subset.labels, "\(path()).labels")
            if let policy = subset.trafficPolicy { trafficPolicy(policy, "\(path()).trafficPolicy") }
        }
    }

    private func trafficPolicy(_ policy: TrafficPolicy, _ path: @autoclosure Path) {
        if policy == TrafficPolicy() {
            error(path(), "the trafficPolicy is empty", hint: "remove it, or set something in it")
        }
        if let settings = policy.loadBalancer {
            loadBalancer(settings, hasOutlierDetection: policy.outlierDetection != nil, "\(path()).loadBalancer")
        }
        if let pool = policy.connectionPool { connectionPool(pool, "\(path()).connectionPool") }
        if let outlier = policy.outlierDetection { outlierDetection(outlier, "\(path()).outlierDetection") }
        if let tls = policy.tls { clientTLS(tls, "\(path()).tls") }
        if let tunnel = policy.tunnel {
            if policy.proxyProtocol != nil {
                error("\(path()).proxyProtocol", "a policy cannot have both tunnel and proxyProtocol")
            }
            if tunnel.protocol != "CONNECT", tunnel.protocol != "POST", !tunnel.protocol.isEmpty {
                error("\(path()).tunnel.protocol", "the tunnel protocol \"\(tunnel.protocol)\" is not CONNECT or POST")
            }
            if tunnel.targetHost.isEmpty {
                error("\(path()).tunnel", "the tunnel has no targetHost")
            } else if IPAddress(tunnel.targetHost) == nil {
                name(tunnel.targetHost, "the target host", "\(path()).tunnel.targetHost")
            }
            port(tunnel.targetPort, "\(path()).tunnel.targetPort")
        }
        if let percent = policy.retryBudget?.percent {
            percentage(percent, "\(path()).retryBudget.percent", smallest: 0)
        }
        var ports: Set<UInt32> = []
        for (index, entry) in policy.portLevelSettings.enumerated() {
            let outer = path()
            let path = { "\(outer).portLevelSettings[\(index)]" }
            if entry.port == 0 {
                error(path(), "the port level setting has no port")
            } else {
                port(entry.port, "\(path()).port")
                if !ports.insert(entry.port).inserted { error("\(path()).port", "the port \(entry.port) stands twice") }
            }
            if entry.loadBalancer == nil, entry.connectionPool == nil, entry.outlierDetection == nil, entry.tls == nil {
                error(path(), "the port level setting sets nothing")
            }
            if let settings = entry.loadBalancer {
                loadBalancer(settings, hasOutlierDetection: entry.outlierDetection != nil, "\(path()).loadBalancer")
            }
            if let pool = entry.connectionPool { connectionPool(pool, "\(path()).connectionPool") }
            if let outlier = entry.outlierDetection { outlierDetection(outlier, "\(path()).outlierDetection") }
            if let tls = entry.tls { clientTLS(tls, "\(path()).tls") }
        }
    }

    private func loadBalancer(
        _ settings: LoadBalancerSettings, hasOutlierDetection: Bool, _ path: @autoclosure Path
    ) {
        if settings.simple == .leastConn {
            report(
                .warning, FindingCode.deprecated, "\(path()).simple", "LEAST_CONN is deprecated",
                hint: "use LEAST_REQUEST")
        }
        if let hash = settings.consistentHash { consistentHash(hash, "\(path()).consistentHash") }
        if settings.localityLb != nil, settings.zoneAwareLb != nil {
            error("\(path()).zoneAwareLbSetting", "a policy cannot have both localityLbSetting and zoneAwareLbSetting")
        }
        if let locality = settings.localityLb {
            self.locality(locality, hasOutlierDetection: hasOutlierDetection, "\(path()).localityLbSetting")
        }
        if let zoneAware = settings.zoneAwareLb { self.zoneAware(zoneAware, "\(path()).zoneAwareLbSetting") }
        if let warmup = settings.warmup {
            if warmup.duration == nil { error("\(path()).warmup", "the warmup has no duration") }
            duration(warmup.duration, "\(path()).warmup.duration")
            if let percent = warmup.minimumPercent {
                percentage(percent, "\(path()).warmup.minimumPercent", smallest: 0)
            }
            if let aggression = warmup.aggression, aggression < 1 {
                error("\(path()).warmup.aggression", "aggression is less than 1")
            }
            if let simple = settings.simple, simple == .random || simple == .passthrough {
                warning("\(path()).warmup", "warmup works only with ROUND_ROBIN and LEAST_REQUEST")
            } else if settings.consistentHash != nil {
                warning("\(path()).warmup", "warmup works only with ROUND_ROBIN and LEAST_REQUEST")
            }
        }
    }

    private func consistentHash(_ hash: ConsistentHash, _ path: @autoclosure Path) {
        switch hash.key {
        case .httpHeaderName(let header):
            if !DNSName.isToken(header) {
                error("\(path()).httpHeaderName", "\"\(header)\" is not the name of a header")
            }
        case .httpCookie(let cookie):
            if cookie.name.isEmpty { error("\(path()).httpCookie", "the cookie has no name") }
            var names: Set<String> = []
            for (index, attribute) in cookie.attributes.enumerated() {
                if attribute.name.isEmpty {
                    error("\(path()).httpCookie.attributes[\(index)]", "the attribute has no name")
                } else if !names.insert(attribute.name).inserted {
                    error(
                        "\(path()).httpCookie.attributes[\(index)].name",
                        "the attribute \"\(attribute.name)\" stands twice")
                }
            }
        case .httpQueryParameterName(let name):
            if name.isEmpty { error("\(path()).httpQueryParameterName", "the query parameter has no name") }
        case .useSourceIp(let isOn):
            if !isOn { warning("\(path()).useSourceIp", "useSourceIp is false, so nothing is hashed") }
        case nil:
            error(
                path(), "consistentHash names nothing to hash",
                hint: "use httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName")
        }
        switch hash.algorithm {
        case .maglev(let size):
            guard let size else {
                error("\(path()).maglev", "maglev has no tableSize", hint: "use a prime such as 65537")
                return
            }
            if size >= 5_000_011 {
                error("\(path()).maglev.tableSize", "tableSize \(size) is not less than 5000011")
            } else if !Self.isPrime(size) {
                error("\(path()).maglev.tableSize", "tableSize \(size) is not a prime", hint: "use 65537")
            }
        case .ringHash(let size):
            if let size, size > 8_388_608 {
                error("\(path()).ringHash.minimumRingSize", "minimumRingSize \(size) is more than 8388608")
            }
        case nil:
            break
        }
    }

    private static func isPrime(_ number: UInt64) -> Bool {
        guard number >= 2 else { return false }
        var divisor: UInt64 = 2
        while divisor * divisor <= number {
            if number % divisor == 0 { return false }
            divisor += 1
        }
        return true
    }

    func locality(
        _ settings: LocalityLoadBalancerSettings, hasOutlierDetection: Bool, _ path: @autoclosure Path
    ) {
        if [!settings.distribute.isEmpty, !settings.failover.isEmpty].count(where: { $0 }) > 1 {
            error("\(path()).failover", "distribute and failover exclude each other")
        }
        if !settings.distribute.isEmpty, !settings.failoverPriority.isEmpty {
            error("\(path()).failoverPriority", "distribute and failoverPriority exclude each other")
        }
        for (index, entry) in settings.distribute.enumerated() {
            let outer = path()
            let path = { "\(outer).distribute[\(index)]" }
            localityName(entry.from, "\(path()).from")
            var total: UInt64 = 0
            for target in entry.to.keys.sorted() {
                let weight = entry.to[target] ?? 0
                localityName(target, "\(path()).to")
                if weight < 1 || weight > 100 {
                    error("\(path()).to[\"\(target)\"]", "the weight \(weight) is not in 1 to 100")
                }
                total += UInt64(weight)
            }
            if total != 100 { error("\(path()).to", "the weights add up to \(total), not to 100") }
        }
        failover(settings.failover, path())
        if !settings.failover.isEmpty || !settings.failoverPriority.isEmpty, !hasOutlierDetection,
            object.key.kind == .destinationRule
        {
            warning(
                path(), "failover has no effect without outlierDetection",
                hint: "add outlierDetection to the same policy")
        }
    }

    func zoneAware(_ settings: ZoneAwareSettings, _ path: @autoclosure Path) {
        failover(settings.failover, path())
        let places = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"]
        for (index, label) in settings.failoverPriority.enumerated()
        where places.contains(where: { label == $0 || label.hasPrefix($0 + "=") }) {
            error(
                "\(path()).failoverPriority[\(index)]", "\(label) cannot be a priority of zone-aware balancing",
                hint: "regions and zones are told apart without it")
        }
    }

    private func failover(_ rules: [LocalityLoadBalancerSettings.Failover], _ path: @autoclosure Path) {
        for (index, entry) in rules.enumerated() {
            let outer = path()
            let path = { "\(outer).failover[\(index)]" }
            if entry.from == entry.to { error(path(), "the failover goes from \"\(entry.from)\" to itself") }
            for (field, name) in [("from", entry.from), ("to", entry.to)] {
                if name.contains("*") {
                    error("\(path()).\(field)", "a failover cannot have a wildcard")
                } else if name.contains("/") {
                    error("\(path()).\(field)", "a failover names regions only", hint: "write the part before the /")
                }
            }
        }
    }

    private func localityName(_ name: String, _ path: @autoclosure Path) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        if name.isEmpty || parts.count > 3 || parts.contains("") {
            error(path(), "\"\(name)\" is not a locality", hint: "write REGION/ZONE/SUBZONE, and * at its end for all")
        } else if let star = parts.firstIndex(where: { $0.contains("*") }),
            star != parts.count - 1 || parts[star] != "*"
        {
            error(path(), "the locality \"\(name)\" has a wildcard that is not its last part")
        }
    }

    func connectionPool(_ pool: ConnectionPoolSettings, _ path: @autoclosure Path) {
        if pool.tcp == nil, pool.http == nil {
            error(path(), "the connectionPool is empty", hint: "remove it, or set tcp or http")
        }
        if let tcp = pool.tcp {
            notNegative(tcp.maxConnections, "\(path()).tcp.maxConnections")
            duration(tcp.connectTimeout, "\(path()).tcp.connectTimeout")
            duration(tcp.maxConnectionDuration, "\(path()).tcp.maxConnectionDuration")
            // Zero is no time-out.
            if tcp.idleTimeout != .zero { duration(tcp.idleTimeout, "\(path()).tcp.idleTimeout") }
            duration(tcp.tcpKeepalive?.time, "\(path()).tcp.tcpKeepalive.time")
            duration(tcp.tcpKeepalive?.interval, "\(path()).tcp.tcpKeepalive.interval")
        }
        if let http = pool.http {
            notNegative(http.http1MaxPendingRequests, "\(path()).http.http1MaxPendingRequests")
            notNegative(http.http2MaxRequests, "\(path()).http.http2MaxRequests")
            notNegative(http.maxRequestsPerConnection, "\(path()).http.maxRequestsPerConnection")
            notNegative(http.maxRetries, "\(path()).http.maxRetries")
            notNegative(http.maxConcurrentStreams, "\(path()).http.maxConcurrentStreams")
            duration(http.idleTimeout, "\(path()).http.idleTimeout")
            if http.useClientProtocol, http.h2UpgradePolicy == .upgrade {
                error("\(path()).http.useClientProtocol", "useClientProtocol excludes h2UpgradePolicy UPGRADE")
            }
            if let keepAlive = http.http2KeepAlive {
                if keepAlive.interval == nil || keepAlive.timeout == nil {
                    error("\(path()).http.http2KeepAlive", "http2KeepAlive needs both interval and timeout")
                }
                duration(keepAlive.interval, "\(path()).http.http2KeepAlive.interval")
                duration(keepAlive.timeout, "\(path()).http.http2KeepAlive.timeout")
            }
        }
    }

    private func outlierDetection(_ outlier: OutlierDetectionSettings, _ path: @autoclosure Path) {
        duration(outlier.interval, "\(path()).interval")
        duration(outlier.baseEjectionTime, "\(path()).baseEjectionTime")
        notNegative(outlier.consecutiveErrors, "\(path()).consecutiveErrors")
        for (field, value) in [
            ("maxEjectionPercent", outlier.maxEjectionPercent), ("minHealthPercent", outlier.minHealthPercent),
        ] where value < 0 || value > 100 {
            error("\(path()).\(field)", "\(field) \(value) is not in 0 to 100")
        }
        for (index, code) in outlier.httpErrorCodes.enumerated() where !(100...599).contains(code) {
            error("\(path()).outlierDetectionHttpErrorCodes[\(index)]", "the status code \(code) is not in 100 to 599")
        }
        if outlier.consecutiveLocalOriginFailures != nil, !outlier.splitExternalLocalOriginErrors {
            error(
                "\(path()).consecutiveLocalOriginFailures",
                "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true")
        }
    }

    func clientTLS(_ tls: ClientTLSSettings, _ path: @autoclosure Path) {
        let hasFiles = !tls.clientCertificate.isEmpty || !tls.privateKey.isEmpty || !tls.caCertificates.isEmpty
        switch tls.mode {
        case .mutual:
            if !tls.credentialName.isEmpty {
                if hasFiles {
                    error("\(path()).credentialName", "credentialName excludes certificate files", hint: "keep one")
                }
            } else {
                if tls.clientCertificate.isEmpty { error(path(), "MUTUAL needs a clientCertificate") }
                if tls.privateKey.isEmpty { error(path(), "MUTUAL needs a privateKey") }
            }
        case .istioMutual:
            if hasFiles || !tls.credentialName.isEmpty {
                error(path(), "ISTIO_MUTUAL uses the mesh's own certificates and cannot name others")
            }
            if tls.insecureSkipVerify == true {
                error("\(path()).insecureSkipVerify", "insecureSkipVerify cannot be used with ISTIO_MUTUAL")
            }
        case .simple:
            if !tls.credentialName.isEmpty, !tls.caCertificates.isEmpty {
                error("\(path()).credentialName", "credentialName excludes caCertificates", hint: "keep one")
            }
        case .disable:
            break
        }
        if tls.insecureSkipVerify == true, !tls.caCertificates.isEmpty || !tls.subjectAltNames.isEmpty {
            error(
                "\(path()).insecureSkipVerify",
                "insecureSkipVerify excludes caCertificates and subjectAltNames")
        }
        if !tls.sni.isEmpty { name(tls.sni, "the SNI", "\(path()).sni") }
        for (index, name) in tls.subjectAltNames.enumerated() where name.isEmpty {
            error("\(path()).subjectAltNames[\(index)]", "the subject name is empty")
        }
    }
}
