import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Proxyless gRPC")
struct ProxylessTests {
    private var mesh: MeshSnapshot {
        MeshFixture.mesh([
            MeshFixture.service("echo", ip: "10.1.0.1", ports: [("grpc", 7070, 17070)]),
            MeshFixture.service("other", in: "team", ip: "10.1.0.2", ports: [("grpc", 9090, 9090)]),
            MeshFixture.pod("echo-1", app: "echo", ip: "10.0.0.1"),
            MeshFixture.virtualService("echo", hosts: ["echo"]) {
                var rule = MeshFixture.httpTo("echo")
                rule.timeout = .seconds(3)
                $0.http = [rule]
            },
        ])
    }

    private var proxy: Proxy {
        Proxy(
            id: "echo-1.default", generator: .grpc, namespace: "default", addresses: ["10.0.0.1"],
            labels: ["app": "echo"])
    }

    private var view: ResourceView { ResourceCompiler.view(for: proxy, in: mesh) }

    @Test("A dial target is a listener by host and port, under every name the program may use")
    func dialTargets() throws {
        let fqdn = "echo.default.svc.cluster.local:7070"
        for name in [fqdn, "echo.default.svc:7070", "echo.default:7070", "echo:7070", "other.team:9090"] {
            #expect(view.listenerNames.contains(name), "\(name)")
        }
        #expect(!view.listenerNames.contains("other:9090"))
        let listener = try #require(view.listener("echo:7070"))
        #expect(!listener.hasAddress)
        let manager = try MeshFixture.Manager(unpackingAny: listener.apiListener.apiListener)
        #expect(manager.rds.routeConfigName == fqdn)
        #expect(manager.httpFilters.last?.name == "envoy.filters.http.router")
        #expect(view.listener("virtualOutbound") == nil)
    }

    @Test("Routes name host and port, and limit calls by max_stream_duration")
    func routes() throws {
        let routes = try #require(view.routeConfiguration("echo.default.svc.cluster.local:7070"))
        #expect(!routes.ignorePortInHostMatching)
        let host = try #require(routes.virtualHosts.first)
        #expect(host.domains.contains("echo.default.svc.cluster.local:7070"))
        #expect(host.domains.contains("echo:7070"))
        let action = try #require(host.routes.first).route
        #expect(!action.hasTimeout)
        #expect(action.maxStreamDuration.maxStreamDuration.seconds == 3)
        #expect(view.clusters.byName[action.cluster] != nil)
        #expect(view.endpoints.byName[action.cluster] != nil)
    }

    @Test("A server's listener answers itself, on the workload's port")
    func server() throws {
        let name = "xds.istio.io/grpc/lds/inbound/0.0.0.0:17070"
        #expect(view.listenerNames.contains("xds.istio.io/grpc/lds/inbound/[::]:17070"))
        #expect(view.listenerNames.contains("xds.istio.io/grpc/lds/inbound/10.0.0.1:17070"))
        let listener = try #require(view.listener(name))
        #expect(listener.address.socketAddress.portValue == 17070)
        let manager = try #require(listener.filterChains.first?.manager)
        let route = try #require(manager.routeConfig.virtualHosts.first?.routes.first)
        #expect(route.action == .nonForwardingAction(Envoy_Config_Route_V3_NonForwardingAction()))
    }
}
