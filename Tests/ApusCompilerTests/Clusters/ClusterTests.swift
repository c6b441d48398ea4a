import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct ClusterTests {
    private func names(_ context: CompileContext) -> [String] { OutboundClusters.clusters(context).map(\.message.name) }

    @Test func `clusters are every service, port and subset, and the two for unknown traffic`() {
        let rule = Outbound.destinationRule("r", host: "reviews") {
            $0.subsets = [Outbound.subset("v1", ["version": "v1"])]
        }
        let context = Outbound.context([
            Outbound.service("reviews", ports: [(80, "http"), (53, "udp-dns"), (3306, "tcp")]), rule,
        ])
        #expect(
            names(context) == [
                "BlackHoleCluster", "PassthroughCluster", "outbound|3306|v1|reviews.default.svc.cluster.local",
                "outbound|3306||reviews.default.svc.cluster.local", "outbound|80|v1|reviews.default.svc.cluster.local",
                "outbound|80||reviews.default.svc.cluster.local",
            ])
    }

    @Test func `the black hole is a static cluster without endpoints`() {
        let cluster = Outbound.cluster("BlackHoleCluster", Outbound.context([]))
        #expect(cluster.type == .static)
        #expect(cluster.clusterDiscoveryType != nil)
        #expect(cluster.loadAssignment.endpoints.isEmpty)
    }

    @Test func `passthrough goes to the original destination in the client's protocol`() {
        let cluster = Outbound.cluster("PassthroughCluster", Outbound.context([]))
        #expect(cluster.type == .originalDst)
        #expect(cluster.lbPolicy == .clusterProvided)
        #expect(cluster.httpOptions?.commonHTTPProtocolOptions.idleTimeout.seconds == 300)
        #expect(cluster.httpOptions?.useDownstreamProtocolConfig.hasHTTP2ProtocolOptions == true)
    }

    @Test func `an alias has no cluster of its own`() {
        let alias = Outbound.service("old") {
            $0.type = "ExternalName"
            $0.externalName = "reviews.default.svc.cluster.local"
        }
        #expect(!names(Outbound.context(Outbound.services + [alias])).contains { $0.contains("old.") })
    }

    @Test func `a service's endpoints come by EDS over ADS, waited for without limit`() {
        let cluster = Outbound.cluster { _ in }
        #expect(cluster.type == .eds)
        #expect(cluster.edsClusterConfig.serviceName == cluster.name)
        let source = cluster.edsClusterConfig.edsConfig
        #expect(source.configSourceSpecifier == .ads(Envoy_Config_Core_V3_AggregatedConfigSource()))
        #expect(source.resourceApiVersion == .v3)
        #expect(source.hasInitialFetchTimeout && source.initialFetchTimeout.seconds == 0)
    }

    @Test func `a DNS entry is STRICT_DNS, refreshed by TTL or each minute`() {
        let entry = Outbound.entry("api", hosts: ["api.example.com"], ports: [(443, "TLS", nil)], resolution: .dns)
        let cluster = Outbound.cluster("outbound|443||api.example.com", Outbound.context([entry]))
        #expect(cluster.type == .strictDns)
        #expect(cluster.respectDnsTtl)
        #expect(cluster.dnsRefreshRate.seconds == 60)
        #expect(cluster.dnsJitter.nanos == 100_000_000)
        #expect(cluster.dnsLookupFamily == .v4Only)
        let endpoint = cluster.loadAssignment.endpoints.first?.lbEndpoints.first?.endpoint.address.socketAddress
        #expect(endpoint?.address == "api.example.com")
        #expect(endpoint?.portValue == 443)
    }

    @Test func `DNS_ROUND_ROBIN is LOGICAL_DNS with one endpoint`() {
        let entry = Outbound.entry(
            "api", hosts: ["api.example.com"], ports: [(80, "HTTP", 8080)], resolution: .dnsRoundRobin)
        let cluster = Outbound.cluster("outbound|80||api.example.com", Outbound.context([entry]))
        #expect(cluster.type == .logicalDns)
        #expect(cluster.loadAssignment.endpoints.flatMap(\.lbEndpoints).count == 1)
        #expect(
            cluster.loadAssignment.endpoints.first?.lbEndpoints.first?.endpoint.address.socketAddress.portValue == 8080)
    }

    @Test func `an entry without resolution goes to the original destination, with its target port`() {
        let entry = Outbound.entry("any", hosts: ["any.example.com"], ports: [(80, "HTTP", 8080)], resolution: .none)
        let cluster = Outbound.cluster("outbound|80||any.example.com", Outbound.context([entry]))
        #expect(cluster.type == .originalDst)
        #expect(cluster.lbPolicy == .clusterProvided)
        #expect(cluster.originalDstLbConfig.upstreamPortOverride.value == 8080)
    }

    @Test func `a headless service goes to the original destination, on a gateway by EDS`() {
        let service = Outbound.service("db") { $0.isHeadless = true }
        let name = "outbound|80||db.default.svc.cluster.local"
        #expect(Outbound.cluster(name, Outbound.context([service])).type == .originalDst)
        #expect(Outbound.cluster(name, Outbound.context([service], role: .router)).type == .eds)
    }

    @Test func `the statistics name ends with a semicolon`() {
        #expect(Outbound.cluster { _ in }.altStatName == "outbound|80||reviews.default.svc.cluster.local;")
    }

    @Test func `a statistics pattern of the mesh is filled in`() {
        let patterned = Outbound.cluster(
            subset: "v1", subsets: [Outbound.subset("v1")],
            { $0.outboundClusterStatName = "%SERVICE%_%SUBSET_NAME%_%SERVICE_PORT_NAME%_%SERVICE_PORT%_100%" }
        ) { _ in }
        #expect(patterned.altStatName == "reviews.default_v1_http_80_100%;")
    }

    @Test func `metadata names the service, the subset and the rule`() {
        let istio = Outbound.cluster(subset: "v1", subsets: [Outbound.subset("v1")]) { _ in }
            .metadata.filterMetadata["istio"]?.fields
        let service = istio?["services"]?.listValue.values.first?.structValue.fields
        #expect(service?["host"]?.stringValue == "reviews.default.svc.cluster.local")
        #expect(service?["name"]?.stringValue == "reviews")
        #expect(service?["namespace"]?.stringValue == "default")
        #expect(istio?["subset"]?.stringValue == "v1")
        #expect(
            istio?["config"]?.stringValue
                == "/apis/networking.istio.io/v1/namespaces/default/destination-rule/reviews")
    }

    // MARK: Protocol

    @Test(arguments: ["http2", "grpc", "grpc-web"])
    func `ports known to be HTTP/2 speak it`(name: String) {
        let cluster = Outbound.cluster(ports: [(80, name)]) { _ in }
        guard case .http2ProtocolOptions = cluster.httpOptions?.explicitHTTPConfig.protocolConfig else {
            Issue.record("not HTTP/2")
            return
        }
    }

    @Test func `plain HTTP needs no options`() {
        #expect(Outbound.cluster { _ in }.typedExtensionProtocolOptions.isEmpty)
    }

    @Test func `a detected port speaks the client's protocol on a sidecar`() {
        let cluster = Outbound.cluster(ports: [(9000, "thing")]) { _ in }
        guard case .useDownstreamProtocolConfig = cluster.httpOptions?.upstreamProtocolOptions else {
            Issue.record("not the client's protocol")
            return
        }
        #expect(Outbound.cluster(ports: [(9000, "thing")], role: .router) { _ in }.httpOptions == nil)
    }

    // MARK: Proxyless

    @Test func `gRPC clients get no cluster for unknown traffic, round robin, and no statistics sockets`() {
        let context = Outbound.context([Outbound.service("a", ports: [(80, "grpc")])], generator: .grpc)
        let clusters = OutboundClusters.clusters(context).map(\.message)
        #expect(clusters.map(\.name) == ["outbound|80||a.default.svc.cluster.local"])
        #expect(clusters[0].lbPolicy == .roundRobin)
        #expect(!clusters[0].hasTransportSocket)
    }

    @Test func `sources are the service's and the rule's objects`() {
        let rule = Outbound.destinationRule("r", host: "reviews") { $0.trafficPolicy = TrafficPolicy() }
        let compiled = OutboundClusters.clusters(Outbound.context(Outbound.services + [rule]))
            .first { $0.message.name == "outbound|80||reviews.default.svc.cluster.local" }
        #expect(compiled?.sources.map(\.description) == ["DestinationRule default/r", "Service default/reviews"])
    }
}
