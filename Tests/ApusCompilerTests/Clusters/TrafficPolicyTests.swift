import ApusAPI
import ApusCompiler
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct TrafficPolicyTests {
    private func pool(_ change: (inout ConnectionPoolSettings) -> Void) -> ConnectionPoolSettings {
        var pool = ConnectionPoolSettings()
        change(&pool)
        return pool
    }

    private func tcp(_ change: (inout ConnectionPoolSettings.TCP) -> Void) -> XDS.Cluster {
        Outbound.cluster { policy in
            var tcp = ConnectionPoolSettings.TCP()
            change(&tcp)
            policy.connectionPool = pool { $0.tcp = tcp }
        }
    }

    private func http(
        ports: [(UInt32, String)] = [(80, "http")], _ mesh: (inout MeshConfig) -> Void = { _ in },
        _ change: (inout ConnectionPoolSettings.HTTP) -> Void
    ) -> XDS.Cluster {
        Outbound.cluster(ports: ports, mesh) { policy in
            var http = ConnectionPoolSettings.HTTP()
            change(&http)
            policy.connectionPool = pool { $0.http = http }
        }
    }

    private func isHTTP2(_ cluster: XDS.Cluster) -> Bool {
        if case .http2ProtocolOptions = cluster.httpOptions?.explicitHTTPConfig.protocolConfig { return true }
        return false
    }

    // MARK: Levels

    private func rule(
        top: TrafficPolicy, subset: TrafficPolicy? = nil
    ) -> ResolvedDestinationRule? {
        let object = Outbound.destinationRule("r", host: "reviews") {
            $0.trafficPolicy = top
            $0.subsets = [Outbound.subset("v1", [:], subset)]
        }
        let context = Outbound.context(Outbound.services + [object])
        return context.scope.services.first { $0.name == "reviews" }.flatMap { context.scope.destinationRule(for: $0) }
    }

    private func policy(
        _ limit: Int32, port: UInt32? = nil, _ change: (inout TrafficPolicy) -> Void = { _ in }
    ) -> TrafficPolicy {
        var tcp = ConnectionPoolSettings.TCP()
        tcp.maxConnections = limit
        var policy = TrafficPolicy()
        if let port {
            var entry = PortTrafficPolicy()
            entry.port = port
            entry.connectionPool = pool { $0.tcp = tcp }
            policy.portLevelSettings = [entry]
        } else {
            policy.connectionPool = pool { $0.tcp = tcp }
        }
        change(&policy)
        return policy
    }

    private func limit(_ rule: ResolvedDestinationRule?, subset: String = "", port: UInt32 = 80) -> Int32? {
        TrafficPolicyMerge.effective(rule, subset: subset, port: port).connectionPool?.tcp?.maxConnections
    }

    @Test func `a subset without a policy has the top-level one`() {
        #expect(limit(rule(top: policy(1)), subset: "v1") == 1)
    }

    @Test func `a subset's block replaces the whole block of the top level`() {
        var http = ConnectionPoolSettings.HTTP()
        http.http1MaxPendingRequests = 200
        var own = TrafficPolicy()
        own.connectionPool = pool { $0.http = http }
        let merged = TrafficPolicyMerge.effective(rule(top: policy(1), subset: own), subset: "v1", port: 80)
        #expect(merged.connectionPool?.tcp == nil)
        #expect(merged.connectionPool?.http?.http1MaxPendingRequests == 200)
    }

    @Test func `a subset's block leaves the other blocks of the top level alone`() {
        let top = policy(1) { $0.outlierDetection = OutlierDetectionSettings() }
        let merged = TrafficPolicyMerge.effective(rule(top: top, subset: policy(2)), subset: "v1", port: 80)
        #expect(merged.connectionPool?.tcp?.maxConnections == 2)
        #expect(merged.outlierDetection != nil)
    }

    @Test func `a top-level port entry replaces all four blocks and loses the rest`() {
        let top = policy(5, port: 80) {
            $0.outlierDetection = OutlierDetectionSettings()
            $0.proxyProtocol = .v1
            $0.retryBudget = RetryBudget()
            $0.tunnel = TunnelSettings()
        }
        let merged = TrafficPolicyMerge.effective(rule(top: top), subset: "", port: 80)
        #expect(merged.connectionPool?.tcp?.maxConnections == 5)
        #expect(merged.outlierDetection == nil)
        #expect(merged.proxyProtocol == nil && merged.retryBudget == nil && merged.tunnel == nil)
    }

    @Test func `a port entry is for its port only`() {
        #expect(limit(rule(top: policy(5, port: 80)), port: 81) == nil)
    }

    @Test func `a subset without a port entry overlays the top-level port entry`() {
        var own = TrafficPolicy()
        own.outlierDetection = OutlierDetectionSettings()
        let merged = TrafficPolicyMerge.effective(
            rule(top: policy(5, port: 80), subset: own), subset: "v1", port: 80)
        #expect(merged.connectionPool?.tcp?.maxConnections == 5)
        #expect(merged.outlierDetection != nil)
    }

    @Test func `a subset's own port entry replaces all four blocks again`() {
        let own = policy(7, port: 80) { $0.outlierDetection = OutlierDetectionSettings() }
        let merged = TrafficPolicyMerge.effective(rule(top: policy(5), subset: own), subset: "v1", port: 80)
        #expect(merged.connectionPool?.tcp?.maxConnections == 7)
        #expect(merged.outlierDetection == nil)
    }

    @Test func `without a rule everything is at its default`() {
        #expect(TrafficPolicyMerge.effective(nil, subset: "", port: 80) == EffectivePolicy())
    }

    // MARK: connectionPool

    @Test func `limits that nobody set are as good as none`() {
        let thresholds = Outbound.cluster { _ in }.thresholds
        #expect(thresholds.maxConnections.value == .max)
        #expect(thresholds.maxPendingRequests.value == .max)
        #expect(thresholds.maxRequests.value == .max)
        #expect(thresholds.maxRetries.value == .max)
        #expect(!thresholds.trackRemaining)
    }

    @Test func `maxConnections limits connections`() {
        #expect(tcp { $0.maxConnections = 100 }.thresholds.maxConnections.value == 100)
    }

    @Test func `the connect timeout is the mesh's ten seconds unless set`() {
        #expect(Outbound.cluster { _ in }.connectTimeout.seconds == 10)
        #expect(tcp { $0.connectTimeout = .milliseconds(30) }.connectTimeout.nanos == 30_000_000)
    }

    @Test func `keepalive is off unless the rule or the mesh sets it`() {
        #expect(!Outbound.cluster { _ in }.hasUpstreamConnectionOptions)
        let keepalive = tcp {
            $0.tcpKeepalive = ConnectionPoolSettings.TCP.Keepalive()
            $0.tcpKeepalive?.probes = 3
            $0.tcpKeepalive?.time = .seconds(7200)
            $0.tcpKeepalive?.interval = .seconds(75)
        }.upstreamConnectionOptions.tcpKeepalive
        #expect(keepalive.keepaliveProbes.value == 3)
        #expect(keepalive.keepaliveTime.value == 7200)
        #expect(keepalive.keepaliveInterval.value == 75)
        let fromMesh = Outbound.cluster {
            $0.tcpKeepalive = ConnectionPoolSettings.TCP.Keepalive()
        } policy: { _ in
        }
        #expect(fromMesh.hasUpstreamConnectionOptions)
    }

    @Test func `the TCP idle timeout holds for HTTP unless HTTP has its own`() {
        #expect(tcp { $0.idleTimeout = .seconds(5) }.httpOptions?.commonHTTPProtocolOptions.idleTimeout.seconds == 5)
        #expect(http { $0.idleTimeout = .seconds(6) }.httpOptions?.commonHTTPProtocolOptions.idleTimeout.seconds == 6)
    }

    @Test func `maxConnectionDuration ends connections`() {
        let options = tcp { $0.maxConnectionDuration = .seconds(60) }.httpOptions?.commonHTTPProtocolOptions
        #expect(options?.maxConnectionDuration.seconds == 60)
    }

    @Test func `HTTP limits are pending requests, requests and retries`() {
        let thresholds = http {
            $0.http1MaxPendingRequests = 1
            $0.http2MaxRequests = 2
            $0.maxRetries = 3
        }.thresholds
        #expect(thresholds.maxPendingRequests.value == 1)
        #expect(thresholds.maxRequests.value == 2)
        #expect(thresholds.maxRetries.value == 3)
    }

    @Test func `maxRequestsPerConnection is taken over`() {
        let options = http { $0.maxRequestsPerConnection = 1 }.httpOptions
        #expect(options?.commonHTTPProtocolOptions.maxRequestsPerConnection.value == 1)
        #expect(options?.upstreamProtocolOptions != nil)
    }

    @Test func `UPGRADE makes HTTP/2, and DEFAULT asks the mesh`() {
        #expect(isHTTP2(http { $0.h2UpgradePolicy = .upgrade }))
        #expect(!isHTTP2(http { $0.h2UpgradePolicy = .default }))
        #expect(isHTTP2(http({ $0.h2UpgradePolicy = .upgrade }) { _ in }))
        #expect(!isHTTP2(http({ $0.h2UpgradePolicy = .upgrade }) { $0.h2UpgradePolicy = .doNotUpgrade }))
    }

    @Test func `the mesh upgrades only ports known to be HTTP`() {
        #expect(!isHTTP2(http(ports: [(9000, "thing")], { $0.h2UpgradePolicy = .upgrade }) { _ in }))
        #expect(isHTTP2(http(ports: [(9000, "thing")]) { $0.h2UpgradePolicy = .upgrade }))
    }

    @Test func `useClientProtocol repeats what the client speaks`() {
        let options = http { $0.useClientProtocol = true }.httpOptions
        guard case .useDownstreamProtocolConfig = options?.upstreamProtocolOptions else {
            Issue.record("not the client's protocol")
            return
        }
    }

    @Test func `HTTP/2 streams and keepalive are taken over`() {
        let options = http(ports: [(80, "http2")]) {
            $0.maxConcurrentStreams = 10
            $0.http2KeepAlive = ConnectionPoolSettings.HTTP.HTTP2KeepAlive()
            $0.http2KeepAlive?.interval = .seconds(30)
            $0.http2KeepAlive?.timeout = .seconds(5)
        }.httpOptions?.explicitHTTPConfig.http2ProtocolOptions
        #expect(options?.maxConcurrentStreams.value == 10)
        #expect(options?.connectionKeepalive.interval.seconds == 30)
        #expect(options?.connectionKeepalive.timeout.seconds == 5)
    }

    @Test func `a retry budget replaces the limit on retries`() {
        let empty = Outbound.cluster { $0.retryBudget = RetryBudget() }.thresholds
        #expect(!empty.hasMaxRetries)
        #expect(empty.retryBudget.budgetPercent.value == 20)
        #expect(empty.retryBudget.minRetryConcurrency.value == 3)
        let written = Outbound.cluster {
            $0.retryBudget = RetryBudget()
            $0.retryBudget?.percent = 50
            $0.retryBudget?.minRetryConcurrency = 1
        }.thresholds
        #expect(written.retryBudget.budgetPercent.value == 50)
        #expect(written.retryBudget.minRetryConcurrency.value == 1)
    }

    // MARK: outlierDetection

    private func outlier(_ change: (inout OutlierDetectionSettings) -> Void) -> XDS.Cluster {
        Outbound.cluster {
            var settings = OutlierDetectionSettings()
            change(&settings)
            $0.outlierDetection = settings
        }
    }

    @Test func `named status codes are the errors, each by its exact value`() throws {
        let one = try #require(outlier { $0.httpErrorCodes = [429] }.httpOptions).outlierDetection.errorMatcher
        #expect(one.httpResponseHeadersMatch.headers.map(\.name) == [":status"])
        #expect(one.httpResponseHeadersMatch.headers.map(\.stringMatch.exact) == ["429"])
        let two = try #require(outlier { $0.httpErrorCodes = [503, 429, 503] }.httpOptions).outlierDetection
            .errorMatcher
        #expect(
            two.orMatch.rules.map { $0.httpResponseHeadersMatch.headers.map(\.stringMatch.exact) } == [
                ["429"], ["503"],
            ])
        #expect(outlier { _ in }.httpOptions?.hasOutlierDetection != true)
    }

    @Test func `there is no outlier detection unless a rule asks`() {
        #expect(!Outbound.cluster { _ in }.hasOutlierDetection)
    }

    @Test func `consecutive 5xx errors eject, zero turns that off`() {
        let on = outlier { $0.consecutive5xxErrors = 3 }.outlierDetection
        #expect(on.consecutive5Xx.value == 3 && on.enforcingConsecutive5Xx.value == 100)
        let off = outlier { $0.consecutive5xxErrors = 0 }.outlierDetection
        #expect(off.hasEnforcingConsecutive5Xx && off.enforcingConsecutive5Xx.value == 0)
    }

    @Test func `gateway errors eject, zero turns that off`() {
        let on = outlier { $0.consecutiveGatewayErrors = 4 }.outlierDetection
        #expect(on.consecutiveGatewayFailure.value == 4 && on.enforcingConsecutiveGatewayFailure.value == 100)
        let off = outlier { $0.consecutiveGatewayErrors = 0 }.outlierDetection
        #expect(off.hasEnforcingConsecutiveGatewayFailure && off.enforcingConsecutiveGatewayFailure.value == 0)
        #expect(!outlier { _ in }.outlierDetection.hasConsecutiveGatewayFailure)
    }

    @Test func `local errors count apart only when split`() {
        let split = outlier {
            $0.splitExternalLocalOriginErrors = true
            $0.consecutiveLocalOriginFailures = 2
        }.outlierDetection
        #expect(split.splitExternalLocalOriginErrors)
        #expect(split.consecutiveLocalOriginFailure.value == 2)
        #expect(split.enforcingConsecutiveLocalOriginFailure.value == 100)
        let joint = outlier { $0.consecutiveLocalOriginFailures = 2 }.outlierDetection
        #expect(!joint.hasConsecutiveLocalOriginFailure)
    }

    @Test func `interval, ejection time and percentage are taken over`() {
        let detection = outlier {
            $0.interval = .seconds(30)
            $0.baseEjectionTime = .seconds(31)
            $0.maxEjectionPercent = 50
        }.outlierDetection
        #expect(detection.interval.seconds == 30)
        #expect(detection.baseEjectionTime.seconds == 31)
        #expect(detection.maxEjectionPercent.value == 50)
        #expect(!outlier { _ in }.outlierDetection.hasMaxEjectionPercent)
    }

    @Test func `success-rate ejection is always off`() {
        let detection = outlier { _ in }.outlierDetection
        #expect(detection.hasEnforcingSuccessRate && detection.enforcingSuccessRate.value == 0)
    }

    @Test func `panic mode is off unless minHealthPercent says from when`() {
        let plain = Outbound.cluster { _ in }.commonLbConfig
        #expect(plain.hasHealthyPanicThreshold && plain.healthyPanicThreshold.value == 0)
        #expect(outlier { $0.minHealthPercent = 40 }.commonLbConfig.healthyPanicThreshold.value == 40)
    }

    // MARK: loadBalancer

    private func balanced(_ change: (inout LoadBalancerSettings) -> Void) -> XDS.Cluster {
        Outbound.cluster {
            var settings = LoadBalancerSettings()
            change(&settings)
            $0.loadBalancer = settings
        }
    }

    @Test(arguments: [LoadBalancerSettings.Simple.unspecified, .leastConn, .leastRequest])
    func `least request is the default`(simple: LoadBalancerSettings.Simple) {
        #expect(Outbound.cluster { _ in }.lbPolicy == .leastRequest)
        #expect(balanced { $0.simple = simple }.lbPolicy == .leastRequest)
    }

    @Test func `round robin and random are as named`() {
        #expect(balanced { $0.simple = .roundRobin }.lbPolicy == .roundRobin)
        #expect(balanced { $0.simple = .random }.lbPolicy == .random)
    }

    @Test func `PASSTHROUGH goes to the original destination`() {
        let cluster = balanced { $0.simple = .passthrough }
        #expect(cluster.type == .originalDst)
        #expect(cluster.lbPolicy == .clusterProvided)
        #expect(!cluster.hasEdsClusterConfig)
    }

    private func hashed(_ change: (inout ConsistentHash) -> Void) -> XDS.Cluster {
        balanced {
            var hash = ConsistentHash()
            hash.key = .useSourceIp(true)
            change(&hash)
            $0.consistentHash = hash
        }
    }

    @Test func `consistent hashing is a ring of at least 1024`() {
        #expect(hashed { _ in }.lbPolicy == .ringHash)
        #expect(hashed { _ in }.ringHashLbConfig.minimumRingSize.value == 1024)
        #expect(hashed { $0.minimumRingSize = 9 }.ringHashLbConfig.minimumRingSize.value == 9)
        #expect(
            hashed { $0.algorithm = .ringHash(minimumRingSize: 10) }.ringHashLbConfig.minimumRingSize.value == 10)
    }

    @Test func `maglev has a table of the given size`() {
        let cluster = hashed { $0.algorithm = .maglev(tableSize: 101) }
        #expect(cluster.lbPolicy == .maglev)
        #expect(cluster.maglevLbConfig.tableSize.value == 101)
    }

    @Test func `warmup is slow start of round robin and least request`() {
        var warmup = Warmup()
        warmup.duration = .seconds(60)
        warmup.aggression = 2
        let least = balanced { $0.warmup = warmup }.leastRequestLbConfig.slowStartConfig
        #expect(least.slowStartWindow.seconds == 60)
        #expect(least.aggression.defaultValue == 2)
        #expect(least.minWeightPercent.value == 10)
        warmup.minimumPercent = 30
        let robin = balanced {
            $0.simple = .roundRobin
            $0.warmup = warmup
        }.roundRobinLbConfig.slowStartConfig
        #expect(robin.minWeightPercent.value == 30)
        #expect(
            balanced {
                $0.simple = .random
                $0.warmup = warmup
            }.lbConfig == nil)
    }

    @Test func `localities are weighed only with distribute, or with failover that can happen`() {
        func weighed(_ cluster: XDS.Cluster) -> Bool {
            if case .localityWeightedLbConfig = cluster.commonLbConfig.localityConfigSpecifier { return true }
            return false
        }
        var distribute = LocalityLoadBalancerSettings()
        distribute.distribute = [LocalityLoadBalancerSettings.Distribute()]
        var failover = LocalityLoadBalancerSettings()
        failover.failover = [LocalityLoadBalancerSettings.Failover()]
        #expect(!weighed(Outbound.cluster { _ in }))
        #expect(!weighed(outlier { _ in }))
        #expect(weighed(balanced { $0.localityLb = distribute }))
        #expect(!weighed(balanced { $0.localityLb = failover }))
        let both = Outbound.cluster {
            $0.outlierDetection = OutlierDetectionSettings()
            $0.loadBalancer = LoadBalancerSettings()
            $0.loadBalancer?.localityLb = failover
        }
        #expect(weighed(both))
        distribute.enabled = false
        #expect(!weighed(balanced { $0.localityLb = distribute }))
    }

    @Test func `zone-aware settings replace locality weights`() {
        let config = balanced {
            $0.zoneAwareLb = ZoneAwareSettings()
            $0.zoneAwareLb?.minClusterSize = 3
        }.commonLbConfig.zoneAwareLbConfig
        #expect(config.minClusterSize.value == 3)
        #expect(!config.hasRoutingEnabled)
    }

    @Test func `zone-aware settings that are off say so to the proxy`() {
        let config = balanced {
            $0.zoneAwareLb = ZoneAwareSettings()
            $0.zoneAwareLb?.enabled = false
        }.commonLbConfig
        #expect(config.localityConfigSpecifier == .zoneAwareLbConfig(.with { $0.routingEnabled.value = 0 }))
    }
}
