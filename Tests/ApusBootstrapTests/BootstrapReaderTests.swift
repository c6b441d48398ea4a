internal import ApusBootstrap
internal import ApusCore
internal import ApusTraffic
internal import Testing

@Suite("A bootstrap file")
struct BootstrapReaderTests {
    private func read(_ text: String) -> (bootstrap: Bootstrap?, findings: [Finding]) {
        BootstrapReader.read(file: "proxy.yaml", text: Array(text.utf8))
    }

    /// `line severity code` of every finding.
    private func places(_ text: String) -> [String] {
        read(text).findings.map { "\($0.location.position.line) \($0.severity.rawValue) \($0.code)" }
    }

    /// Line 20 is the second line of `routes`.
    private func listener(_ routes: String, filter: String = Self.router) -> String {
        """
        static_resources:
          listeners:
            - name: http_listener
              address: {socket_address: {address: 127.0.0.1, port_value: 10000}}
              filter_chains:
                - filters:
                    - name: envoy.filters.network.http_connection_manager
                      typed_config:
                        "@type": type.googleapis.com/\(Self.manager)
                        stat_prefix: ingress_http
                        codec_type: AUTO
                        route_config:
                          name: local_route
                          virtual_hosts:
                            - name: backend
                              domains: ["*"]
                              routes:
        \(routes)
                        http_filters:
                          \(filter)
          clusters:
        \(Self.cluster("service_a"))

        """
    }

    private static let manager =
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    private static let router =
        "- {name: envoy.filters.http.router, typed_config: "
        + "{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}"

    private static func route(to cluster: String) -> String {
        """
                                - match: {prefix: "/"}
                                  route: {cluster: \(cluster)}
        """
    }

    private static func cluster(_ name: String) -> String {
        """
            - name: \(name)
              type: STATIC
              load_assignment:
                cluster_name: \(name)
                endpoints:
                  - lb_endpoints:
                      - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}
        """
    }

    @Test("that is complete gives its node, admin address, clusters and listeners, and no finding")
    func complete() throws {
        let text =
            "node: {id: proxy-1, cluster: web}\n"
            + "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}\n"
            + listener(Self.route(to: "service_a"))
        let (bootstrap, findings) = read(text)
        #expect(findings.map(\.message) == [])
        let read = try #require(bootstrap)
        #expect(read.nodeID == "proxy-1")
        #expect(read.nodeCluster == "web")
        #expect(read.admin?.address == IPAddress("127.0.0.1"))
        #expect(read.admin?.port == 9901)
        #expect(read.clusters.map(\.name) == ["service_a"])
        #expect(read.listeners.map(\.name) == ["http_listener"])
        var store = ConfigStore()
        for (type, resources) in [(ResourceType.cluster, read.clusters), (.listener, read.listeners)] {
            let verdict = store.apply(
                ConfigUpdate(
                    type: type,
                    changed: resources.map { ConfigUpdate.Resource(name: $0.name, version: "", body: $0.body) }),
                now: 0)
            #expect(verdict.rejected.isEmpty)
        }
        #expect(store.configuration.listeners.count == 1)
    }

    @Test("may name a known filter without its settings, which is said")
    func filterWithoutSettings() {
        let (bootstrap, findings) = read(
            listener(Self.route(to: "service_a"), filter: "- name: envoy.filters.http.router"))
        #expect(bootstrap != nil)
        #expect(findings.map(\.severity) == [.warning])
        #expect(findings.map(\.code) == [BootstrapCode.tolerated])
        #expect(findings.first?.message.contains("envoy.filters.http.router") == true)
    }

    @Test("cannot name an unknown filter without its settings")
    func unknownFilter() {
        let (bootstrap, findings) = read(listener(Self.route(to: "service_a"), filter: "- name: my.filter"))
        #expect(bootstrap == nil)
        #expect(findings.map(\.code) == [BootstrapCode.missing])
    }

    @Test("names both lines when cluster stands beside weighted_clusters")
    func clusterBesideWeights() {
        let routes = """
                                    - match: {prefix: "/api/v2"}
                                      route:
                                        cluster: service_a
                                        weighted_clusters:
                                          clusters: [{name: service_a, weight: 1}]
            """
        let (bootstrap, findings) = read(listener(routes))
        #expect(bootstrap == nil)
        #expect(findings.map(\.code) == [BootstrapCode.exclusive])
        #expect(findings.first?.location.position.line == 21)
        #expect(findings.first?.message.contains("cluster of line 20") == true)
    }

    @Test("says that the cluster is missing from which endpoints are to come, and that streams are not taken")
    func missingSourceCluster() {
        let text = """
            static_resources:
              clusters:
                - name: service_b
                  type: EDS
                  eds_cluster_config:
                    eds_config:
                      api_config_source:
                        api_type: GRPC
                        grpc_services:
                          - envoy_grpc:
                              cluster_name: xds_cluster

            """
        let (bootstrap, findings) = read(text)
        #expect(bootstrap == nil)
        let missing = findings.first { $0.code == BootstrapCode.reference }
        #expect(missing?.message.contains("xds_cluster") == true)
        #expect(missing?.location.position.line == 11)
        #expect(findings.contains { $0.code == BootstrapCode.unsupported && $0.location.position.line == 7 })
        #expect(findings.count == 2)
    }

    @Test("refuses sources and settings that would not be followed, at their line")
    func refusedParts() {
        #expect(places("dynamic_resources:\n  cds_config: {ads: {}}\n") == ["2 error APUS0703"])
        #expect(places("dynamic_resources:\n  ads_config: {api_type: GRPC}\n") == ["2 error APUS0703"])
        #expect(places("cluster_manager:\n  local_cluster_name: here\n") == ["2 error APUS0703"])
        #expect(places("clusterManager:\n  localClusterName: here\n") == ["2 error APUS0703"])
        #expect(places("header_prefix: x-mine\n") == ["1 error APUS0703"])
        #expect(places("admin:\n  address: {pipe: {path: /tmp/x}}\n") == ["2 error APUS0702"])
    }

    @Test("says what has no effect and goes on")
    func withoutEffect() {
        #expect(places("stats_flush_interval: 5s\n") == ["1 warning APUS0709"])
        #expect(places("overload_manager: {}\n") == ["1 warning APUS0709"])
        #expect(read("stats_flush_interval: 5s\n").bootstrap != nil)
    }

    @Test("with a misspelt field is refused with the name that was meant")
    func misspelt() {
        let (bootstrap, findings) = read("static_resources:\n  listener: []\n")
        #expect(bootstrap == nil)
        #expect(findings.map(\.code) == [BootstrapCode.unknownField])
        #expect(findings.first?.hint == "did you mean listeners?")
        #expect(findings.first?.location.position.line == 2)
    }

    @Test("is refused for a value of the wrong type or beyond its range")
    func badValues() {
        for value in ["\"a\"", "-1", "4294967296", "1.5", "{}", "[]"] {
            let text = "admin: {address: {socket_address: {address: 127.0.0.1, port_value: \(value)}}}\n"
            #expect(places(text) == ["1 error APUS0702"], "\(value)")
        }
        #expect(places("stats_flush_interval: 5\n").contains("1 error APUS0702"))
    }

    @Test("is refused when a route leads to a cluster that is not there")
    func unknownCluster() {
        let (bootstrap, findings) = read(listener(Self.route(to: "service_x")))
        #expect(bootstrap == nil)
        #expect(findings.map(\.code) == [BootstrapCode.reference])
        #expect(findings.first?.hint == "did you mean service_a?")
    }

    @Test("is refused when a cluster is written twice")
    func twice() {
        let text = listener(Self.route(to: "service_a")) + Self.cluster("service_a") + "\n"
        #expect(read(text).findings.map(\.code) == [BootstrapCode.duplicate])
    }

    @Test(
        "that is empty, not a mapping or cut off is refused",
        arguments: ["", "- a\n", "text\n", "a: [\n", "\u{0}"])
    func noBootstrap(text: String) {
        let (bootstrap, findings) = read(text)
        #expect(bootstrap == nil)
        #expect(findings.contains { $0.severity == .error })
    }

    @Test("that nests too deeply is refused", arguments: [60, 1000])
    func deep(levels: Int) {
        let inner = String(repeating: "{a: ", count: levels) + "1" + String(repeating: "}", count: levels)
        let (bootstrap, findings) = read("node: {metadata: \(inner)}\n")
        #expect(bootstrap == nil)
        #expect(findings.contains { $0.severity == .error })
    }

    @Test("cut off anywhere is read without a trap")
    func cutOff() {
        let bytes = Array(listener(Self.route(to: "service_a")).utf8)
        for length in stride(from: 0, to: bytes.count, by: 7) {
            _ = BootstrapReader.read(file: "proxy.yaml", text: Array(bytes[..<length]))
        }
        #expect(BootstrapReader.read(file: "proxy.yaml", text: bytes).bootstrap != nil)
    }
}
