import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Inbound")
struct InboundTests {
    private let proxy = Proxy(
        id: "a-1.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "a"])

    private var objects: [ConfigObject] {
        [
            MeshFixture.service(
                "a", ip: "10.1.0.1",
                ports: [("http", 80, 8080), ("tcp", 3306, 3306), ("", 9000, 9000), ("grpc", 7070, 7070)]),
            MeshFixture.pod("a-1", app: "a", ip: "10.0.0.1"),
        ]
    }

    private func view(
        _ more: [ConfigObject] = [], _ proxy: Proxy? = nil, _ change: (inout MeshConfig) -> Void = { _ in }
    ) -> ResourceView {
        ResourceCompiler.view(for: proxy ?? self.proxy, in: MeshFixture.mesh(objects + more, change))
    }

    private func chains(_ view: ResourceView, port: UInt32) throws -> [MeshFixture.Chain] {
        try #require(view.listener("virtualInbound")).filterChains.filter {
            $0.filterChainMatch.destinationPort.value == port
        }
    }

    @Test("virtualInbound has the loop guard first, then passthrough, then services by target port")
    func chainOrder() throws {
        let listener = try #require(view().listener("virtualInbound"))
        #expect(listener.address.socketAddress.portValue == 15006)
        #expect(
            listener.filterChains.map(\.name) == [
                "virtualInbound-blackhole", "virtualInbound-catchall-http", "virtualInbound",
                "0.0.0.0_3306", "0.0.0.0_7070", "0.0.0.0_8080", "0.0.0.0_9000", "0.0.0.0_9000",
            ])
        #expect(listener.filterChains[0].tcpProxy?.cluster == "BlackHoleCluster")
        #expect(listener.filterChains[2].tcpProxy?.cluster == "InboundPassthroughCluster")
    }

    @Test("Without identities every chain is plain, so no TLS inspector is there")
    func plain() throws {
        let listener = try #require(view().listener("virtualInbound"))
        #expect(
            listener.filterChains.dropFirst().allSatisfy { $0.filterChainMatch.transportProtocol == "raw_buffer" })
        #expect(
            listener.listenerFilterNames == [
                "envoy.filters.listener.original_dst", "envoy.filters.listener.http_inspector",
            ])
    }

    @Test("The HTTP inspector is off for ports that are not detected")
    func inspectorPredicate() throws {
        let listener = try #require(view().listener("virtualInbound"))
        let inspector = try #require(listener.listenerFilters.last)
        #expect(
            inspector.filterDisabled.orMatch.rules.map(\.destinationPortRange.start) == [3306, 7070, 8080, 15006])
        #expect(inspector.filterDisabled.orMatch.rules.map(\.destinationPortRange.end) == [3307, 7071, 8081, 15007])
    }

    @Test("The chain's cluster has the workload's port, the virtual host the service's")
    func names() throws {
        let chain = try #require(try chains(view(), port: 8080).first)
        let manager = try #require(chain.manager)
        #expect(manager.statPrefix == "inbound_0.0.0.0_8080;")
        #expect(manager.routeConfig.name == "inbound|8080||")
        let host = try #require(manager.routeConfig.virtualHosts.first)
        #expect(host.name == "inbound|http|80")
        #expect(host.domains == ["*"])
        let route = try #require(host.routes.first)
        #expect(route.name == "default")
        #expect(route.route.cluster == "inbound|8080||")
        #expect(route.route.hasTimeout && route.route.timeout.seconds == 0)
        #expect(route.decorator.operation == "a.default.svc.cluster.local:80/*")
        #expect(route.route.retryPolicy.retryOn == "reset-before-request")
    }

    @Test("gRPC ports have no inbound retries")
    func noRetriesForGRPC() throws {
        let manager = try #require(try chains(view(), port: 7070).first?.manager)
        #expect(manager.routeConfig.virtualHosts.first?.routes.first?.route.hasRetryPolicy == false)
    }

    @Test("A detected port has an HTTP chain by ALPN and a TCP chain for the rest")
    func detectedPort() throws {
        let chains = try chains(view(), port: 9000)
        #expect(chains.map(\.filterChainMatch.applicationProtocols) == [["http/1.1", "h2c"], []])
        #expect(chains[0].manager != nil)
        #expect(chains[1].tcpProxy?.cluster == "inbound|9000||")
    }

    @Test("Inbound connection managers name the caller's certificate and this server")
    func managerSettings() throws {
        let manager = try #require(try chains(view(), port: 8080).first?.manager)
        #expect(manager.forwardClientCertDetails == .appendForward)
        #expect(manager.setCurrentClientCertDetails.subject.value)
        #expect(manager.setCurrentClientCertDetails.uri && manager.setCurrentClientCertDetails.dns)
        #expect(manager.serverName == "istio-envoy")
        #expect(manager.generateRequestID.value)
    }

    @Test("Inbound clusters go to the original destination from 127.0.0.6")
    func passthroughCluster() throws {
        let view = view()
        for name in ["inbound|8080||", "InboundPassthroughCluster"] {
            let cluster = try #require(view.cluster(name))
            #expect(cluster.type == .originalDst)
            #expect(cluster.lbPolicy == .clusterProvided)
            #expect(cluster.upstreamBindConfig.sourceAddress.address == "127.0.0.6")
            #expect(cluster.circuitBreakers.thresholds.first?.maxRequests.value == .max)
        }
    }

    @Test("With inboundTrafficPolicy LOCALHOST the application is found on loopback")
    func localhost() throws {
        let view = view { $0.inboundTrafficPolicy = .localhost }
        let cluster = try #require(view.cluster("inbound|8080||"))
        #expect(cluster.type == .static)
        let address = try #require(cluster.loadAssignment.endpoints.first?.lbEndpoints.first).endpoint.address
        #expect(address.socketAddress.address == "127.0.0.1")
        #expect(address.socketAddress.portValue == 8080)
        #expect(!cluster.hasUpstreamBindConfig)
    }

    @Test("The service's DestinationRule limits the inbound side too, and the Sidecar overrides it")
    func connectionPool() throws {
        func pool(_ connections: Int32) -> ConnectionPoolSettings {
            var tcp = ConnectionPoolSettings.TCP()
            tcp.maxConnections = connections
            var pool = ConnectionPoolSettings()
            pool.tcp = tcp
            return pool
        }
        let rule = MeshFixture.destinationRule("a", host: "a") {
            var policy = TrafficPolicy()
            policy.connectionPool = pool(7)
            $0.trafficPolicy = policy
        }
        func limit(_ view: ResourceView) -> UInt32? {
            view.cluster("inbound|8080||")?.circuitBreakers.thresholds.first?.maxConnections.value
        }
        #expect(limit(view([rule])) == 7)
        let sidecar = MeshFixture.sidecar { $0.inboundConnectionPool = pool(3) }
        #expect(limit(view([rule, sidecar])) == 3)
    }

    @Test("Sidecar ingress replaces the chains of services")
    func ingressReplaces() throws {
        let view = view([
            MeshFixture.sidecar {
                var ingress = Sidecar.Ingress()
                ingress.port = MeshFixture.port(8080, "HTTP")
                ingress.defaultEndpoint = "127.0.0.1:9999"
                $0.ingress = [ingress]
            }
        ])
        let listener = try #require(view.listener("virtualInbound"))
        #expect(listener.filterChains.map(\.name).filter { $0.hasPrefix("0.0.0.0") } == ["0.0.0.0_8080"])
        let cluster = try #require(view.cluster("inbound|8080||"))
        let address = try #require(cluster.loadAssignment.endpoints.first?.lbEndpoints.first).endpoint.address
        #expect(address.socketAddress.portValue == 9999)
        #expect(view.cluster("inbound|3306||") == nil)
    }

    @Test("Without interception there is nothing inbound but what Sidecar ingress binds")
    func noInterception() throws {
        var proxy = proxy
        proxy.interception = .none
        #expect(view([], proxy).listenerNames.allSatisfy { $0.hasPrefix("127.0.0.1_") })
        let view = view(
            [
                MeshFixture.sidecar {
                    var ingress = Sidecar.Ingress()
                    ingress.port = MeshFixture.port(8443, "HTTP")
                    ingress.bind = "127.0.0.2"
                    ingress.captureMode = .none
                    ingress.defaultEndpoint = "127.0.0.1:8080"
                    $0.ingress = [ingress]
                }
            ], proxy)
        let listener = try #require(view.listener("127.0.0.2_8443"))
        #expect(!listener.hasBindToPort)
        #expect(listener.trafficDirection == .inbound)
        #expect(listener.filterChains.count == 1)
        #expect(!listener.filterChains[0].filterChainMatch.hasDestinationPort)
        #expect(listener.filterChains[0].manager?.routeConfig.name == "inbound|8443||")
        #expect(view.listener("virtualInbound") == nil)
        #expect(view.cluster("InboundPassthroughCluster") == nil)
    }

    @Test("A bound ingress without an address stands on the workload's own")
    func ingressOnInstanceAddress() {
        var proxy = proxy
        proxy.interception = .none
        let view = view(
            [
                MeshFixture.sidecar {
                    var ingress = Sidecar.Ingress()
                    ingress.port = MeshFixture.port(8080, "HTTP")
                    $0.ingress = [ingress]
                }
            ], proxy)
        #expect(view.listener("10.0.0.1_8080") != nil)
    }

    @Test("Workloads that serve the same share their inbound resources")
    func shared() {
        let mesh = CompiledMesh(
            snapshot: MeshFixture.mesh(objects + [MeshFixture.pod("a-2", app: "a", ip: "10.0.0.2")]))
        let one = mesh.view(for: proxy)
        let two = mesh.view(
            for: Proxy(id: "a-2.default", namespace: "default", addresses: ["10.0.0.2"], labels: ["app": "a"]))
        #expect(one.listeners === two.listeners)
        #expect(one.clusters === two.clusters)
        let client = mesh.view(for: MeshFixture.client())
        #expect(client.routes === one.routes)
        #expect(client.listeners !== one.listeners)
    }
}
