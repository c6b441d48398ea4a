internal import ApusAPI
internal import ApusCompiler
internal import ApusCore
internal import ApusManifest
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf
internal import Testing

private typealias Cluster = Envoy_Config_Cluster_V3_Cluster
private typealias Routes = Envoy_Config_Route_V3_RouteConfiguration
private typealias Listener = Envoy_Config_Listener_V3_Listener
private typealias Endpoints = Envoy_Config_Endpoint_V3_ClusterLoadAssignment

/// The well-known introductory manifests, from their text to names, routes, clusters and decisions.
@Suite struct SeedFlowTests {
    private static let host = "my-app.default.svc.cluster.local"

    private static func corpus(_ name: String) throws -> String {
        String(decoding: try Folder.bytes("Tests/Fuzz/corpus/\(name).yaml"), as: UTF8.self)
    }

    private static func mesh(_ name: String) throws -> FlowMesh {
        FlowMesh(FlowMesh.service("my-app", number: 2, versions: ["v1", "v2", "v3"]), try corpus(name))
    }

    // MARK: VirtualService and DestinationRule my-app

    @Test func `the service has a base cluster and one per subset`() throws {
        let names = try Self.mesh("seed-my-app").view(FlowMesh.sidecar).clusters.byName.keys
        let wanted = ["", "stable", "canary", "v3"].map { "outbound|80|\($0)|\(Self.host)" }
        #expect(Set(wanted).isSubset(of: Set(names)))
    }

    @Test func `a connection pool of a subset replaces the block, it does not add to it`() throws {
        let view = try Self.mesh("seed-my-app").view(FlowMesh.sidecar)
        for (subset, connections, pending) in [
            ("", 100, 100), ("canary", 100, 100), ("stable", UInt32.max, 200),
        ] as [(String, UInt32, UInt32)] {
            let cluster = try view.message(.cluster, "outbound|80|\(subset)|\(Self.host)", as: Cluster.self)
            let limits = try #require(cluster.circuitBreakers.thresholds.first)
            #expect(limits.maxConnections.value == connections)
            #expect(limits.maxPendingRequests.value == pending)
            #expect(cluster.outlierDetection.maxEjectionPercent.value == 50)
            #expect(cluster.outlierDetection.consecutive5Xx.value == 3)
        }
    }

    @Test func `each subset has the pods of its version`() throws {
        let engine = try Self.mesh("seed-my-app").engine(FlowMesh.sidecar)
        #expect(engine.refusals == [])
        #expect(try engine.hosts("outbound|80|stable|\(Self.host)") == ["10.1.2.1:8080"])
        #expect(try engine.hosts("outbound|80|canary|\(Self.host)") == ["10.1.2.2:8080"])
        #expect(try engine.hosts("outbound|80||\(Self.host)").count == 3)
    }

    @Test func `the virtual hosts are the service and the outside name`() throws {
        let routes = try Self.mesh("seed-my-app").view(FlowMesh.sidecar).message(.route, "80", as: Routes.self)
        let names = routes.virtualHosts.map(\.name)
        #expect(names.contains("\(Self.host):80"))
        #expect(names.contains("my-app.example.com:80"))
    }

    @Test func `the fault belongs to the second route alone, a tenth of a percent in parts of a million`() throws {
        let routes = try Self.mesh("seed-my-app").view(FlowMesh.sidecar).message(.route, "80", as: Routes.self)
        let host = try #require(routes.virtualHosts.first { $0.name == "\(Self.host):80" })
        #expect(host.routes.count == 2)
        #expect(host.routes[0].typedPerFilterConfig.isEmpty)
        #expect(host.routes[0].route.timeout.seconds == 0)
        let fault = try Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault(
            unpackingAny: #require(host.routes[1].typedPerFilterConfig["envoy.filters.http.fault"]))
        #expect(fault.abort.percentage.numerator == 1000)
        #expect(fault.abort.percentage.denominator == .million)
        #expect(host.routes[1].route.timeout.seconds == 30)
        #expect(host.routes[1].route.retryPolicy.numRetries.value == 3)
    }

    @Test(arguments: [
        "my-app", "my-app.default", "my-app.default.svc.cluster.local", "my-app.example.com", "10.96.0.2",
    ])
    func `the canary header decides under every name of the service`(host: String) throws {
        let engine = try Self.mesh("seed-my-app").engine(FlowMesh.sidecar)
        let canary = try engine.decide("80", host: host, path: "/", [("x-canary", "true")])
        #expect(canary == "cluster outbound|80|canary|\(Self.host)")
    }

    @Test func `one of several values of the header is enough`() throws {
        let fields = [("x-canary", "no"), ("x-canary", "true")]
        let decided = try Self.mesh("seed-my-app").engine(FlowMesh.sidecar)
            .decide("80", host: "my-app", path: "/", fields)
        #expect(decided == "cluster outbound|80|canary|\(Self.host)")
    }

    @Test func `other requests are shared out by the weights, the value of the header matched as a whole`() throws {
        let engine = try Self.mesh("seed-my-app").engine(FlowMesh.sidecar)
        var counts: [String: Int] = [:]
        for draw in 0..<4000 as Range<UInt64> {
            let fields = [("x-canary", "true,true")]
            counts[try engine.decide("80", host: "my-app", path: "/a", fields, draw: draw), default: 0] += 1
        }
        #expect(counts.count == 2)
        let canary = counts["cluster outbound|80|canary|\(Self.host)"] ?? 0
        #expect((300...500).contains(canary), "\(counts)")
    }

    // MARK: Gateway my-gateway

    @Test func `the gateway serves the outside name only, and sends plain requests to https`() throws {
        let mesh = try Self.mesh("seed-my-app")
        let view = mesh.view(FlowMesh.gateway)
        let routes = try view.message(.route, "http.80", as: Routes.self)
        #expect(routes.virtualHosts.map(\.name) == ["my-app.example.com:80"])
        #expect(routes.virtualHosts.map(\.requireTls) == [.all])
        #expect(try mesh.engine(FlowMesh.gateway).decide("http.80", host: "my-app.example.com", path: "/") == "https")
    }

    @Test func `the https server has the route configuration of its name, its host as SNI and its secret`() throws {
        var gateway = FlowMesh.gateway
        // Secrets are for proxies that prove who they are.
        gateway.hasIdentity = true
        let view = try Self.mesh("seed-my-app").view(gateway)
        #expect(view.routes.byName["https.443.https.my-gateway.default"] != nil)
        let listener = try view.message(.listener, "0.0.0.0_443", as: Listener.self)
        let chain = try #require(listener.filterChains.first)
        #expect(chain.filterChainMatch.serverNames == ["my-app.example.com"])
        let context = try Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext(
            unpackingAny: chain.transportSocket.typedConfig)
        #expect(
            context.commonTlsContext.tlsCertificateSdsSecretConfigs.map(\.name) == ["kubernetes://my-app-tls"])
    }

    @Test func `nothing listens for passed-through TLS until a route with SNI hosts binds to it`() throws {
        #expect(try Self.mesh("seed-my-app").view(FlowMesh.gateway).listeners.byName["0.0.0.0_15443"] == nil)
    }

    // MARK: The other patterns

    @Test func `the cookie's group decides, whatever stands around it`() throws {
        let mesh = FlowMesh(
            FlowMesh.service("my-app", number: 2, versions: ["v1", "v2"]),
            """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: versions}
            spec: {host: my-app, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
            """, FlowMesh.service("web", number: 3), try Self.corpus("seed-patterns"))
        let engine = mesh.engine(FlowMesh.sidecar)
        let beta = try engine.decide("80", host: "web", path: "/", [("cookie", "a=1; user_group=beta; b=2")])
        #expect(beta == "cluster outbound|80|v2|\(Self.host)")
        let others = try engine.decide("80", host: "web", path: "/", [("cookie", "user_group=alpha")])
        #expect(others == "cluster outbound|80|v1|\(Self.host)")
    }

    @Test func `of two VirtualServices for one host the first by name is used`() throws {
        let canary = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: canary}
            spec: {hosts: [my-app], http: [{route: [{destination: {host: web}}]}]}
            """
        let services = FlowMesh.service("my-app", number: 2) + "\n---\n" + FlowMesh.service("web", number: 3)
        let other = canary.replacing("name: canary", with: "name: ab-test").replacing("host: web", with: "host: my-app")
        let engine = FlowMesh(services, canary, other).engine(FlowMesh.sidecar)
        #expect(try engine.decide("80", host: "my-app", path: "/") == "cluster outbound|80||\(Self.host)")
    }

    @Test func `a mirror is a policy of the route with its whole share`() throws {
        let mesh = FlowMesh(
            FlowMesh.service("my-app", number: 2, versions: ["v1", "v2"]), FlowMesh.service("tls", number: 4),
            try Self.corpus("seed-patterns"))
        let routes = try mesh.view(FlowMesh.sidecar).message(.route, "80", as: Routes.self)
        let host = try #require(routes.virtualHosts.first { $0.name == "tls.default.svc.cluster.local:80" })
        let mirrors = try #require(host.routes.first).route.requestMirrorPolicies
        #expect(mirrors.map(\.cluster) == ["outbound|80|v2|\(Self.host)"])
        let share = try #require(mirrors.first).runtimeFraction.defaultValue
        #expect(share.numerator == 1_000_000)
        #expect(share.denominator == .million)
    }

    // MARK: ServiceEntry

    @Test func `an outside name is resolved by its own name, and a stray field of the entry is a warning`() throws {
        let mesh = FlowMesh(try Self.corpus("seed-entries"))
        let view = mesh.view(FlowMesh.sidecar)
        let cluster = try view.message(
            .cluster, "outbound|443||api.external-service.com", as: Cluster.self)
        #expect(cluster.type == .strictDns)
        let addresses = cluster.loadAssignment.endpoints.flatMap(\.lbEndpoints).map(\.endpoint.address.socketAddress)
        #expect(addresses.map(\.address) == ["api.external-service.com"])
        #expect(addresses.map(\.portValue) == [443])
        let listener = try view.message(.listener, "0.0.0.0_443", as: Listener.self)
        let names = listener.filterChains.flatMap(\.filterChainMatch.serverNames)
        #expect(names == ["api.external-service.com"])
        let finding = try #require(mesh.file.findings.first { $0.field?.hasSuffix("dnsLookupFamily") ?? false })
        #expect(finding.severity == .warning)
    }

    @Test func `a machine outside is an endpoint of its service`() throws {
        let view = FlowMesh(try Self.corpus("seed-entries")).view(FlowMesh.sidecar)
        let endpoints = try view.message(.endpoints, "outbound|8080||vm-service.internal", as: Endpoints.self)
        let address = try #require(endpoints.endpoints.first?.lbEndpoints.first).endpoint.address.socketAddress
        #expect(address.address == "10.0.0.100")
        #expect(address.portValue == 8080)
        let routes = try view.message(.route, "8080", as: Routes.self)
        #expect(routes.virtualHosts.contains { $0.name == "vm-service.internal:8080" })
    }

    // MARK: Unsafe text

    @Test func `an empty value that would open the policy is refused, at its line`() {
        let mesh = FlowMesh(
            """
            apiVersion: security.istio.io/v1beta1
            kind: AuthorizationPolicy
            metadata: {name: allow-frontend, namespace: production}
            spec:
              rules:
                - when:
                    - key: request.headers[x-token]
                      notValues: [""]
            """)
        #expect(mesh.file.objects.isEmpty)
        let errors = mesh.file.findings.filter { $0.severity == .error }
        #expect(errors.map(\.location.position.line) == [2, 8])
        #expect(errors.first?.message.contains("NOT being restricted") ?? false)
    }

    @Test func `an EnvoyFilter in a version that nobody serves is said`() {
        let mesh = FlowMesh(
            """
            apiVersion: networking.istio.io/v1beta1
            kind: EnvoyFilter
            metadata: {name: access-log, namespace: istio-system}
            spec: {configPatches: []}
            """)
        #expect(mesh.file.objects.isEmpty)
        #expect(mesh.file.findings.contains { $0.location.position.line == 1 })
    }
}
