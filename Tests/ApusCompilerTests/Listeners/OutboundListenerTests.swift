import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Outbound listeners")
struct OutboundListenerTests {
    private let fqdn = "default.svc.cluster.local"

    private func view(
        _ objects: [ConfigObject], _ proxy: Proxy = MeshFixture.client(),
        _ change: (inout MeshConfig) -> Void = { _ in }
    ) -> ResourceView {
        ResourceCompiler.view(for: proxy, in: MeshFixture.mesh(objects, change))
    }

    @Test("HTTP services of one port share one wildcard listener and one route configuration")
    func sharedHTTP() throws {
        let view = view([
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 8080, 8080)]),
            MeshFixture.service("b", ip: "10.1.0.2", ports: [("http", 8080, 8080)]),
        ])
        #expect(view.listenerNames == ["0.0.0.0_8080", "virtualInbound", "virtualOutbound"])
        let listener = try #require(view.listener("0.0.0.0_8080"))
        #expect(listener.bindToPort.value == false)
        #expect(listener.trafficDirection == .outbound)
        #expect(listener.filterChains.count == 1)
        let chain = try #require(listener.filterChains.first)
        #expect(chain.filterChainMatch.applicationProtocols == ["http/1.1", "h2c"])
        #expect(chain.filterChainMatch.transportProtocol == "raw_buffer")
        let manager = try #require(chain.manager)
        #expect(manager.rds.routeConfigName == "8080")
        #expect(manager.statPrefix == "outbound_0.0.0.0_8080;")
        #expect(view.routeConfiguration("8080") != nil)
    }

    @Test("What is not HTTP on an HTTP port goes where the outbound policy says")
    func defaultChain() throws {
        let objects = [MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 80, 80)])]
        let open = try #require(view(objects).listener("0.0.0.0_80"))
        #expect(open.defaultFilterChain.name == "PassthroughFilterChain")
        #expect(open.defaultFilterChain.tcpProxy?.cluster == "PassthroughCluster")
        let closed = try #require(
            view(objects) { $0.outboundTrafficPolicy.mode = .registryOnly }.listener("0.0.0.0_80"))
        #expect(closed.defaultFilterChain.tcpProxy?.cluster == "BlackHoleCluster")
    }

    @Test("An HTTP listener asks the HTTP inspector alone and never waits for it")
    func inspectors() throws {
        let objects = [MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 80, 80)])]
        let listener = try #require(view(objects).listener("0.0.0.0_80"))
        #expect(listener.listenerFilterNames == ["envoy.filters.listener.http_inspector"])
        #expect(listener.continueOnListenerFiltersTimeout)
        #expect(listener.hasListenerFiltersTimeout && listener.listenerFiltersTimeout.seconds == 0)
    }

    @Test("A TCP service has a listener on its own address with one chain")
    func tcpOnVIP() throws {
        let view = view([MeshFixture.service("db", ip: "10.1.0.3", ports: [("tcp", 3306, 3306)])])
        let listener = try #require(view.listener("10.1.0.3_3306"))
        #expect(listener.tcpTargets == [" -> outbound|3306||db.\(fqdn)"])
        #expect(listener.filterChains.first?.tcpProxy?.statPrefix == "outbound|3306||db.\(fqdn)")
        #expect(!listener.hasDefaultFilterChain)
        #expect(listener.listenerFilters.isEmpty)
    }

    @Test("A detected port has both chains on its own address and a route configuration of its own")
    func detected() throws {
        let view = view([MeshFixture.service("a", ip: "10.1.0.1", ports: [("", 9000, 9000)])])
        let listener = try #require(view.listener("10.1.0.1_9000"))
        #expect(listener.filterChains.count == 2)
        #expect(listener.filterChains.first?.manager?.rds.routeConfigName == "a.\(fqdn):9000")
        #expect(listener.tcpTargets == [" -> outbound|9000||a.\(fqdn)"])
        #expect(view.routeConfiguration("a.\(fqdn):9000")?.virtualHosts.first?.domains == ["*"])
    }

    @Test("TLS without an address is told apart by SNI on the wildcard listener")
    func sniChains() throws {
        let view = view([
            MeshFixture.serviceEntry("one", hosts: ["one.example.com"], ports: [("TLS", 443)], resolution: .dns),
            MeshFixture.serviceEntry("two", hosts: ["two.example.com"], ports: [("HTTPS", 443)], resolution: .dns),
        ])
        let listener = try #require(view.listener("0.0.0.0_443"))
        #expect(
            Set(listener.tcpTargets) == [
                "one.example.com -> outbound|443||one.example.com",
                "two.example.com -> outbound|443||two.example.com",
            ])
        #expect(listener.listenerFilterNames == ["envoy.filters.listener.tls_inspector"])
        #expect(listener.defaultFilterChain.name == "PassthroughFilterChain")
    }

    @Test("An address range is matched on the wildcard listener")
    func cidr() throws {
        let view = view([
            MeshFixture.serviceEntry(
                "range", hosts: ["range.example.com"], addresses: ["192.168.0.0/16"], ports: [("TCP", 9999)])
        ])
        let listener = try #require(view.listener("0.0.0.0_9999"))
        let range = try #require(listener.filterChains.first?.filterChainMatch.prefixRanges.first)
        #expect(range.addressPrefix == "192.168.0.0")
        #expect(range.prefixLen.value == 16)
        #expect(listener.defaultFilterChain.name == "PassthroughFilterChain")
    }

    @Test("HTTP and TCP on one wildcard port are merged into a listener with both chains")
    func mergedHTTPAndTCP() throws {
        let view = view([
            MeshFixture.service("web", ip: "10.1.0.1", created: 1, ports: [("http", 7000, 7000)]),
            MeshFixture.serviceEntry("raw", hosts: ["raw.example.com"], ports: [("TCP", 7000)]),
        ])
        let listener = try #require(view.listener("0.0.0.0_7000"))
        #expect(listener.filterChains.compactMap(\.manager).map(\.rds.routeConfigName) == ["7000"])
        #expect(listener.tcpTargets == [" -> outbound|7000||raw.example.com"])
        #expect(!listener.hasDefaultFilterChain)
    }

    @Test("Of two TCP services on one place the older one keeps it, and the other is reported")
    func tcpConflict() throws {
        let mesh = MeshFixture.mesh([
            MeshFixture.serviceEntry("a", hosts: ["a.example.com"], ports: [("TCP", 9000)]),
            MeshFixture.serviceEntry("b", hosts: ["b.example.com"], ports: [("TCP", 9000)]),
        ])
        let (view, findings) = ResourceCompiler.compile(for: MeshFixture.client(), in: mesh)
        #expect(view.listener("0.0.0.0_9000")?.tcpTargets == [" -> outbound|9000||a.example.com"])
        #expect(
            findings.filter { $0.code == CompilerFinding.listenerConflict }.map(\.object) == [
                "ServiceEntry default/b"
            ])
    }

    @Test("MySQL shares its place with nobody")
    func mysqlIsExclusive() throws {
        let view = view([
            MeshFixture.serviceEntry("a", hosts: ["a.example.com"], ports: [("MYSQL", 9000)]),
            MeshFixture.serviceEntry("b", hosts: ["b.example.com"], ports: [("HTTP", 9000)], resolution: .dns),
        ])
        let listener = try #require(view.listener("0.0.0.0_9000"))
        #expect(listener.filterChains.count == 1)
        #expect(listener.tcpTargets == [" -> outbound|9000||a.example.com"])
    }

    @Test("UDP ports have no listener")
    func udp() {
        var spec = KubernetesService()
        spec.clusterIPs = ["10.1.0.1"]
        var port = KubernetesService.Port()
        port.name = "dns"
        port.transport = "UDP"
        port.port = 53
        spec.ports = [port]
        let view = view([MeshFixture.object(.service, "dns", .service(spec))])
        #expect(view.listenerNames == ["virtualInbound", "virtualOutbound"])
    }

    @Test("A headless TCP service has a listener for each pod but the proxy's own")
    func headless() throws {
        let objects = [
            MeshFixture.service("db", headless: true, ports: [("tcp", 5432, 5432)]),
            MeshFixture.pod("db-0", app: "db", ip: "10.0.0.1"),
            MeshFixture.pod("db-1", app: "db", ip: "10.0.0.2"),
        ]
        #expect(view(objects).listenerNames.filter { $0.hasSuffix("_5432") } == ["10.0.0.1_5432", "10.0.0.2_5432"])
        let own = Proxy(id: "db-0.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "db"])
        #expect(view(objects, own).listenerNames.filter { $0.hasSuffix("_5432") } == ["10.0.0.2_5432"])
    }

    // MARK: VirtualService tls and tcp

    @Test("TCP rules of a VirtualService spread connections by weight")
    func weightedTCP() throws {
        let view = view([
            MeshFixture.service("db", ip: "10.1.0.3", ports: [("tcp", 3306, 3306)]),
            MeshFixture.virtualService("db", hosts: ["db"]) {
                var rule = TCPRule()
                rule.route = MeshFixture.tcpTo([("db", 3306, 80), ("other.example.com", 3306, 20), ("none", 1, 0)])
                $0.tcp = [rule]
            },
        ])
        let proxy = try #require(view.listener("10.1.0.3_3306")?.filterChains.first?.tcpProxy)
        #expect(
            proxy.weightedClusters.clusters.map(\.name) == [
                "outbound|3306||db.\(fqdn)", "outbound|3306||other.example.com",
            ])
        #expect(proxy.weightedClusters.clusters.map(\.weight) == [80, 20])
        #expect(proxy.statPrefix == "db.default")
    }

    @Test("A TCP rule for other clients leaves the service as it is")
    func tcpForOthers() throws {
        let view = view([
            MeshFixture.service("db", ip: "10.1.0.3", ports: [("tcp", 3306, 3306)]),
            MeshFixture.virtualService("db", hosts: ["db"]) {
                var match = L4Match()
                match.sourceLabels = ["app": "somebody-else"]
                var rule = TCPRule()
                rule.match = [match]
                rule.route = MeshFixture.tcpTo([("other.example.com", 3306, 0)])
                $0.tcp = [rule]
            },
        ])
        #expect(view.listener("10.1.0.3_3306")?.tcpTargets == [" -> outbound|3306||db.\(fqdn)"])
    }

    @Test("TLS rules give one chain per SNI match")
    func tlsRules() throws {
        let view = view([
            MeshFixture.serviceEntry(
                "wild", hosts: ["*.example.com"], ports: [("TLS", 443)]),
            MeshFixture.virtualService("wild", hosts: ["*.example.com"]) {
                var match = TLSMatch()
                match.sniHosts = ["a.example.com"]
                var second = TLSMatch()
                second.sniHosts = ["b.example.com"]
                second.port = 8443
                var rule = TLSRule()
                rule.match = [match, second]
                rule.route = MeshFixture.tcpTo([("a.internal.example.com", 8443, 0)])
                $0.tls = [rule]
            },
        ])
        #expect(view.listener("0.0.0.0_443")?.tcpTargets == ["a.example.com -> outbound|8443||a.internal.example.com"])
    }

    @Test("The DestinationRule's TCP settings reach the TCP proxy")
    func tcpSettings() throws {
        let view = view([
            MeshFixture.service("db", ip: "10.1.0.3", ports: [("tcp", 3306, 3306)]),
            MeshFixture.destinationRule("db", host: "db") {
                var tcp = ConnectionPoolSettings.TCP()
                tcp.idleTimeout = .seconds(90)
                var pool = ConnectionPoolSettings()
                pool.tcp = tcp
                var hash = ConsistentHash()
                hash.key = .useSourceIp(true)
                var balancer = LoadBalancerSettings()
                balancer.consistentHash = hash
                var policy = TrafficPolicy()
                policy.connectionPool = pool
                policy.loadBalancer = balancer
                $0.trafficPolicy = policy
            },
        ])
        let proxy = try #require(view.listener("10.1.0.3_3306")?.filterChains.first?.tcpProxy)
        #expect(proxy.idleTimeout.seconds == 90)
        #expect(proxy.hashPolicy.count == 1)
    }

    // MARK: Capture

    @Test("virtualOutbound guards against itself and passes the rest on")
    func virtualOutbound() throws {
        let listener = try #require(view([]).listener("virtualOutbound"))
        #expect(listener.address.socketAddress.portValue == 15001)
        #expect(listener.useOriginalDst.value)
        #expect(listener.filterChains.map(\.name) == ["virtualOutbound-blackhole", "virtualOutbound-catchall-tcp"])
        #expect(listener.filterChains.map { $0.tcpProxy?.cluster } == ["BlackHoleCluster", "PassthroughCluster"])
        #expect(listener.filterChains[0].filterChainMatch.destinationPort.value == 15001)
        #expect(listener.listenerFilters.isEmpty)
    }

    @Test("Under REGISTRY_ONLY unknown connections end in the black hole")
    func registryOnly() throws {
        let listener = try #require(
            view([]) { $0.outboundTrafficPolicy.mode = .registryOnly }.listener("virtualOutbound"))
        #expect(listener.filterChains.map { $0.tcpProxy?.cluster } == ["BlackHoleCluster", "BlackHoleCluster"])
    }

    @Test("Without interception listeners really bind loopback and there are no virtual ones")
    func withoutInterception() throws {
        let view = view(
            [
                MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 8080, 8080)]),
                MeshFixture.service("db", ip: "10.1.0.3", ports: [("tcp", 3306, 3306)]),
            ], MeshFixture.client(.none))
        #expect(view.listenerNames == ["127.0.0.1_3306", "127.0.0.1_8080"])
        let listener = try #require(view.listener("127.0.0.1_8080"))
        #expect(listener.bindToPort.value)
        #expect(listener.filterChains.first?.manager?.rds.routeConfigName == "8080")
    }

    @Test("TPROXY makes the virtual listeners transparent")
    func tproxy() throws {
        let view = view([], MeshFixture.client(.tproxy))
        #expect(try #require(view.listener("virtualOutbound")).transparent.value)
        let inbound = try #require(view.listener("virtualInbound"))
        #expect(inbound.transparent.value)
        #expect(
            inbound.listenerFilterNames.prefix(2) == [
                "envoy.filters.listener.original_dst", "envoy.filters.listener.original_src",
            ])
    }

    // MARK: Sidecar egress

    @Test("A Sidecar listener with capture mode NONE binds where it says, also under interception")
    func egressBind() throws {
        let view = view([
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 8080, 8080)]),
            MeshFixture.sidecar {
                $0.egress = [
                    MeshFixture.egress(
                        ["./*"], port: MeshFixture.port(8080, "HTTP"), bind: "127.0.0.1", captureMode: .none)
                ]
            },
        ])
        let listener = try #require(view.listener("127.0.0.1_8080"))
        #expect(listener.bindToPort.value)
        #expect(listener.address.socketAddress.address == "127.0.0.1")
        #expect(view.listener("0.0.0.0_8080") == nil)
    }

    @Test("A Sidecar listener with a port owns it; the catch-all adds nothing there")
    func egressOwnsPort() throws {
        let view = view([
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("tcp", 9000, 9000)]),
            MeshFixture.service("b", ip: "10.1.0.2", ports: [("tcp", 9000, 9000), ("tcp-2", 9001, 9001)]),
            MeshFixture.sidecar {
                $0.egress = [
                    MeshFixture.egress(["./a.default.svc.cluster.local"], port: MeshFixture.port(9000, "TCP")),
                    MeshFixture.egress(["./*"]),
                ]
            },
        ])
        #expect(view.listenerNames.contains("10.1.0.1_9000"))
        #expect(!view.listenerNames.contains("10.1.0.2_9000"))
        #expect(view.listenerNames.contains("10.1.0.2_9001"))
    }

    @Test("A Sidecar listener may stand on a Unix socket")
    func egressPipe() throws {
        let view = view([
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 8080, 8080)]),
            MeshFixture.sidecar {
                $0.egress = [
                    MeshFixture.egress(["./*"], port: MeshFixture.port(0, "HTTP"), bind: "unix:///run/mesh.sock")
                ]
            },
        ])
        let listener = try #require(view.listener("unix:///run/mesh.sock"))
        #expect(listener.address.pipe.path == "/run/mesh.sock")
        #expect(listener.bindToPort.value)
        #expect(listener.filterChains.first?.manager?.rds.routeConfigName == "unix:///run/mesh.sock")
        #expect(view.routeConfiguration("unix:///run/mesh.sock")?.virtualHosts.isEmpty == false)
    }

    // MARK: HTTP proxy

    @Test("The HTTP proxy is bound on loopback with all ports in one route configuration")
    func httpProxy() throws {
        let view = view([MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 8080, 8080)])]) {
            $0.proxyHttpPort = 15080
        }
        let listener = try #require(view.listener("127.0.0.1_15080"))
        #expect(!listener.hasBindToPort)
        let manager = try #require(listener.filterChains.first?.manager)
        #expect(manager.rds.routeConfigName == "http_proxy")
        #expect(manager.httpProtocolOptions.allowAbsoluteURL.value)
        #expect(!listener.filterChains[0].hasFilterChainMatch)
        #expect(view.routeConfiguration("http_proxy")?.virtualHosts.isEmpty == false)
    }

    @Test("A proxy's own HTTP proxy port wins over the mesh's")
    func httpProxyOverride() {
        var proxy = MeshFixture.client()
        proxy.httpProxyPort = 3128
        let view = view([], proxy) { $0.proxyHttpPort = 15080 }
        #expect(view.listenerNames.contains("127.0.0.1_3128"))
        #expect(!view.listenerNames.contains("127.0.0.1_15080"))
    }

    // MARK: Connection manager

    @Test("Filters stand in Istio's order with the router last")
    func filterOrder() throws {
        let view = view([MeshFixture.service("a", ip: "10.1.0.1", ports: [("grpc-web", 8080, 8080)])])
        let manager = try #require(view.listener("0.0.0.0_8080")?.filterChains.first?.manager)
        #expect(
            manager.httpFilters.map(\.name) == [
                "envoy.filters.http.grpc_web", "envoy.filters.http.grpc_stats", "envoy.filters.http.fault",
                "envoy.filters.http.cors", "envoy.filters.http.router",
            ])
        #expect(manager.upgradeConfigs.map(\.upgradeType) == ["websocket"])
        #expect(manager.hasStreamIdleTimeout && manager.streamIdleTimeout.seconds == 0)
        #expect(manager.normalizePath.value)
        #expect(manager.useRemoteAddress.value == false)
        #expect(manager.accessLog.isEmpty)
    }

    @Test("Access logs follow the mesh: file, encoding, format with an end of line")
    func accessLogs() throws {
        typealias FileLog = Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog
        let objects = [MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 8080, 8080)])]
        func log(_ change: @escaping (inout MeshConfig) -> Void) throws -> FileLog {
            let view = view(objects) {
                $0.accessLogFile = "/dev/stdout"
                change(&$0)
            }
            let manager = try #require(view.listener("0.0.0.0_8080")?.filterChains.first?.manager)
            return try FileLog(unpackingAny: try #require(manager.accessLog.first).typedConfig)
        }
        #expect(try log { _ in }.path == "/dev/stdout")
        #expect(try log { _ in }.logFormat.textFormatSource.inlineString.hasSuffix("%ROUTE_NAME%\n"))
        #expect(try log { $0.accessLogFormat = "%DURATION%" }.logFormat.textFormatSource.inlineString == "%DURATION%\n")
        let json = try log { $0.accessLogEncoding = .json }
        #expect(json.logFormat.jsonFormat.fields["method"]?.stringValue == "%REQ(:METHOD)%")
        #expect(json.logFormat.jsonFormat.fields.count == 24)
    }
}
