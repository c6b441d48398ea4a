import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Hosts that are resolved when a request asks for them")
struct DynamicForwardProxyTests {
    private typealias ClusterConfig = Envoy_Extensions_Clusters_DynamicForwardProxy_V3_ClusterConfig
    private typealias HTTPConfig = Envoy_Extensions_Filters_Http_DynamicForwardProxy_V3_FilterConfig
    private typealias SNIConfig = Envoy_Extensions_Filters_Network_SniDynamicForwardProxy_V3_FilterConfig

    private func entry(_ port: UInt32, _ spoken: String, host: String = "*.example.com") -> ConfigObject {
        MeshFixture.serviceEntry("any", hosts: [host], ports: [(spoken, port)], resolution: .dynamicDNS)
    }

    private func view(
        _ objects: [ConfigObject], _ client: Proxy = MeshFixture.client(), _ mesh: (inout MeshConfig) -> Void = { _ in }
    ) -> ResourceView {
        ResourceCompiler.view(for: client, in: MeshFixture.mesh(objects, mesh))
    }

    private func config(_ cluster: XDS.Cluster) throws -> ClusterConfig {
        #expect(cluster.clusterType.name == "envoy.clusters.dynamic_forward_proxy")
        return try ClusterConfig(unpackingAny: cluster.clusterType.typedConfig)
    }

    /// The DNS caches that the listener's connection manager fills.
    private func caches(_ listener: MeshFixture.Listener) throws -> [String] {
        let manager = try #require(listener.filterChains.compactMap(\.manager).first)
        #expect(manager.httpFilters.last?.name == "envoy.filters.http.router")
        #expect(Set(manager.httpFilters.map(\.name)).count == manager.httpFilters.count)
        return manager.httpFilters.compactMap {
            try? HTTPConfig(unpackingAny: $0.typedConfig).dnsCacheConfig.name
        }
    }

    private func rule(_ tls: (inout ClientTLSSettings) -> Void) -> ConfigObject {
        MeshFixture.destinationRule("any", host: "*.example.com") {
            var settings = ClientTLSSettings()
            settings.mode = .simple
            tls(&settings)
            $0.trafficPolicy = TrafficPolicy()
            $0.trafficPolicy?.tls = settings
        }
    }

    @Test("An HTTP port has a cluster for all hosts, and a filter that shares its DNS cache")
    func http() throws {
        let view = view([entry(80, "HTTP")])
        let cluster = try #require(view.cluster("outbound|80||*.example.com"))
        #expect(cluster.lbPolicy == .clusterProvided)
        let config = try config(cluster)
        #expect(config.dnsCacheConfig.name == "*.example.com_dfp_dns_cache")
        #expect(config.dnsCacheConfig.dnsLookupFamily == .v4Only)
        #expect(!config.allowInsecureClusterOptions)
        #expect(try caches(#require(view.listener("0.0.0.0_80"))) == ["*.example.com_dfp_dns_cache"])
        let host = try #require(view.routeConfiguration("80")).virtualHosts.first {
            $0.domains.contains("*.example.com")
        }
        #expect(host?.routes.first?.route.cluster == "outbound|80||*.example.com")
    }

    @Test("A TLS port finds the host in the SNI, before the TCP proxy")
    func tls() throws {
        let view = view([entry(443, "TLS")])
        #expect(view.cluster("outbound|443||*.example.com") != nil)
        let chain = try #require(
            view.listener("0.0.0.0_443")?.filterChains.first { $0.filterChainMatch.serverNames == ["*.example.com"] })
        #expect(
            chain.filters.map(\.name) == [
                "envoy.filters.network.sni_dynamic_forward_proxy", "envoy.filters.network.tcp_proxy",
            ])
        let config = try SNIConfig(unpackingAny: chain.filters[0].typedConfig)
        #expect(config.portValue == 443)
        #expect(
            config.dnsCacheConfig
                == (try self.config(#require(view.cluster("outbound|443||*.example.com")))).dnsCacheConfig)
    }

    @Test("Ports of other protocols, single hosts and gateways have none")
    func others() {
        #expect(view([entry(3306, "TCP")]).clusters.byName["outbound|3306||*.example.com"] == nil)
        #expect(view([entry(80, "HTTP", host: "a.example.com")]).clusters.byName["outbound|80||a.example.com"] == nil)
        #expect(view([entry(80, "HTTP")], MeshFixture.router()).clusters.byName["outbound|80||*.example.com"] == nil)
    }

    @Test("TLS to such hosts shows and checks the name that was asked for, unless told otherwise")
    func origination() throws {
        let checked = try #require(view([entry(80, "HTTP"), rule { _ in }]).cluster("outbound|80||*.example.com"))
        #expect(checked.httpOptions?.upstreamHTTPProtocolOptions.autoSni == true)
        #expect(checked.httpOptions?.upstreamHTTPProtocolOptions.autoSanValidation == true)
        #expect(try !config(checked).allowInsecureClusterOptions)
        #expect(checked.tlsContext != nil)
        let unchecked = try #require(
            view([entry(80, "HTTP"), rule { $0.insecureSkipVerify = true }]).cluster("outbound|80||*.example.com"))
        #expect(unchecked.httpOptions?.upstreamHTTPProtocolOptions.autoSni == true)
        #expect(unchecked.httpOptions?.upstreamHTTPProtocolOptions.autoSanValidation == false)
        #expect(try config(unchecked).allowInsecureClusterOptions)
    }

    @Test("Envoy wants both set wherever the options of HTTP are, also without TLS")
    func options() throws {
        let cluster = try #require(view([entry(9090, "GRPC")]).cluster("outbound|9090||*.example.com"))
        let options = try #require(cluster.httpOptions)
        #expect(options.upstreamHTTPProtocolOptions.autoSni && options.upstreamHTTPProtocolOptions.autoSanValidation)
        #expect(try !config(cluster).allowInsecureClusterOptions)
    }

    @Test("Several such hosts on one port have one cache each; other services of the port are not disturbed")
    func several() throws {
        let view = view([
            entry(80, "HTTP"),
            MeshFixture.serviceEntry("more", hosts: ["*.other.org"], ports: [("HTTP", 80)], resolution: .dynamicDNS),
            MeshFixture.service("reviews", ip: "10.1.0.1", ports: [("http", 80, 8080)]),
        ])
        #expect(
            try caches(#require(view.listener("0.0.0.0_80")))
                == ["*.example.com_dfp_dns_cache", "*.other.org_dfp_dns_cache"])
        #expect(view.cluster("outbound|80||reviews.default.svc.cluster.local")?.type == .eds)
    }

    @Test("Under ALLOW_ANY_DYNAMIC_DNS requests to unknown hosts are resolved, other connections pass through")
    func unknownHosts() throws {
        let reviews = MeshFixture.service("reviews", ip: "10.1.0.1", ports: [("http", 80, 8080)])
        let view = view([reviews]) {
            $0.outboundTrafficPolicy.mode = .allowAnyDynamicDNS
            $0.proxyHttpPort = 15080
        }
        let cluster = try #require(view.cluster("AllowAnyDynamicDNSCluster"))
        let name = try config(cluster).dnsCacheConfig.name
        #expect(try caches(#require(view.listener("0.0.0.0_80"))) == [name])
        #expect(try caches(#require(view.listener("127.0.0.1_15080"))) == [name])
        let any = try #require(view.routeConfiguration("80")).virtualHosts.first { $0.domains == ["*"] }
        #expect(any?.routes.first?.route.cluster == "AllowAnyDynamicDNSCluster")
        #expect(
            view.listener("0.0.0.0_80")?.defaultFilterChain.filters.first
                .flatMap { try? MeshFixture.TCPProxy(unpackingAny: $0.typedConfig).cluster } == "PassthroughCluster")
        #expect(self.view([reviews]).clusters.byName["AllowAnyDynamicDNSCluster"] == nil)
    }

    @Test("The mesh's TLS settings are for unknown hosts")
    func unknownHostsWithTLS() throws {
        let cluster = try #require(
            view([]) {
                var tls = ClientTLSSettings()
                tls.mode = .simple
                $0.outboundTrafficPolicy.mode = .allowAnyDynamicDNS
                $0.outboundTrafficPolicy.tls = tls
            }.cluster("AllowAnyDynamicDNSCluster"))
        #expect(cluster.tlsContext?.commonTlsContext.validationContext.trustedCa.filename.isEmpty == false)
        #expect(cluster.httpOptions?.upstreamHTTPProtocolOptions.autoSni == true)
    }
}
