import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Gateways")
struct GatewayTests {
    typealias TLSContext = Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext

    private func view(_ objects: [ConfigObject], _ proxy: Proxy = MeshFixture.router()) -> ResourceView {
        ResourceCompiler.view(for: proxy, in: MeshFixture.mesh(objects))
    }

    private func service(_ ports: [(name: String, number: UInt32, target: UInt32)]) -> [ConfigObject] {
        [
            MeshFixture.service(
                "ingress", in: "istio-system", ip: "10.1.0.9", selector: ["istio": "ingressgateway"], ports: ports),
            MeshFixture.pod(
                "ingress-1", in: "istio-system", app: "ingress", ip: "10.0.0.8", labels: ["istio": "ingressgateway"]),
        ]
    }

    private var app: ConfigObject { MeshFixture.service("my-app", ip: "10.1.0.1", ports: [("http", 8080, 8080)]) }

    /// The Gateway of the seed: HTTP with a redirect, terminated HTTPS, and a port that passes TLS through.
    private var seed: ConfigObject {
        MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(80, "HTTP", name: "http"), hosts: ["my-app.example.com"]) {
                $0.httpsRedirect = true
            },
            MeshFixture.server(MeshFixture.port(443, "HTTPS", name: "https"), hosts: ["my-app.example.com"]) {
                $0.mode = .simple
                $0.credentialName = "my-app-tls"
            },
            MeshFixture.server(MeshFixture.port(15443, "TLS", name: "tls"), hosts: ["*.example.com"]) {
                $0.mode = .passthrough
            },
        ])
    }

    private func route(
        _ gateway: String = "my-gateway", _ change: (inout VirtualService) -> Void = { _ in }
    ) -> ConfigObject {
        MeshFixture.virtualService("my-app", hosts: ["my-app", "my-app.example.com"], gateways: [gateway, "mesh"]) {
            $0.http = [MeshFixture.httpTo("my-app")]
            change(&$0)
        }
    }

    @Test("The seed's Gateway binds target ports, redirects HTTP, ends TLS, and passes nothing through without a rule")
    func seedGateway() throws {
        let view = view(
            [seed, app, route()] + service([("http", 80, 8080), ("https", 443, 8443), ("tls", 15443, 15443)]))
        #expect(view.listenerNames == ["0.0.0.0_8080", "0.0.0.0_8443"])
        #expect(view.routeNames == ["http.8080", "https.443.https.my-gateway.default"])

        let plain = try #require(view.routeConfiguration("http.8080"))
        #expect(plain.virtualHosts.map(\.name) == ["my-app.example.com:80"])
        #expect(plain.virtualHosts[0].domains == ["my-app.example.com"])
        #expect(plain.virtualHosts[0].requireTls == .all)
        #expect(plain.ignorePortInHostMatching)

        let chain = try #require(view.listener("0.0.0.0_8443")?.filterChains.first)
        #expect(chain.filterChainMatch.serverNames == ["my-app.example.com"])
        #expect(chain.manager?.rds.routeConfigName == "https.443.https.my-gateway.default")
        let context = try TLSContext(unpackingAny: chain.transportSocket.typedConfig)
        let secret = try #require(context.commonTlsContext.tlsCertificateSdsSecretConfigs.first)
        #expect(secret.name == "kubernetes://my-app-tls")
        #expect(secret.sdsConfig.configSourceSpecifier == .ads(Envoy_Config_Core_V3_AggregatedConfigSource()))
        #expect(context.commonTlsContext.alpnProtocols == ["h2", "http/1.1"])
        #expect(context.requireClientCertificate.value == false)
        #expect(chain.transportSocketConnectTimeout.seconds == 15)

        let secure = try #require(view.routeConfiguration("https.443.https.my-gateway.default"))
        #expect(secure.virtualHosts.map(\.name) == ["my-app.example.com:443"])
        #expect(
            secure.virtualHosts[0].routes.first?.route.cluster
                == "outbound|8080||my-app.default.svc.cluster.local")
    }

    @Test("Without a Service a server binds the number it is written with")
    func ownNumber() {
        #expect(view([seed, app, route()]).listenerNames == ["0.0.0.0_443", "0.0.0.0_80"])
    }

    @Test("An unprivileged gateway binds no port below 1024")
    func unprivileged() {
        let mesh = MeshFixture.mesh([seed, app, route()])
        let (view, findings) = ResourceCompiler.compile(for: MeshFixture.router(unprivileged: true), in: mesh)
        #expect(view.listenerNames == [])
        #expect(findings.filter { $0.code == CompilerFinding.gatewayUnsupported }.count == 2)
    }

    @Test("Only Gateways whose selector fits the router are served")
    func selector() {
        let other = MeshFixture.gateway(
            "other", selector: ["istio": "egressgateway"],
            servers: [MeshFixture.server(MeshFixture.port(81, "HTTP"), hosts: ["*"])])
        #expect(!view([seed, other]).listenerNames.contains("0.0.0.0_81"))
    }

    @Test("PASSTHROUGH servers get a chain per SNI of the VirtualServices' tls rules")
    func passthrough() throws {
        let rule = route {
            $0.hosts = ["secure.example.com"]
            $0.http = []
            var match = TLSMatch()
            match.sniHosts = ["secure.example.com"]
            match.port = 15443
            var tls = TLSRule()
            tls.match = [match]
            tls.route = MeshFixture.tcpTo([("my-app", 8443, 0)])
            $0.tls = [tls]
        }
        let listener = try #require(view([seed, app, rule]).listener("0.0.0.0_15443"))
        #expect(
            listener.tcpTargets == ["secure.example.com -> outbound|8443||my-app.default.svc.cluster.local"])
        #expect(listener.listenerFilterNames == ["envoy.filters.listener.tls_inspector"])
        #expect(!listener.hasDefaultFilterChain)
    }

    @Test("A server without a VirtualService answers 404 by an empty virtual host")
    func blackhole() throws {
        let gateway = MeshFixture.gateway(servers: [MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["*"])])
        let configuration = try #require(view([gateway]).routeConfiguration("http.80"))
        #expect(configuration.virtualHosts.map(\.name) == ["blackhole:80"])
        #expect(configuration.virtualHosts[0].domains == ["*"])
        #expect(configuration.virtualHosts[0].routes.isEmpty)
    }

    @Test("A redirect stands without any VirtualService")
    func redirectAlone() throws {
        let configuration = try #require(view([seed]).routeConfiguration("http.80"))
        #expect(configuration.virtualHosts.map(\.requireTls) == [.all])
        #expect(configuration.virtualHosts.map(\.domains) == [["my-app.example.com"]])
    }

    @Test("Servers of several Gateways share a plaintext port")
    func sharedPort() throws {
        let view = view([
            MeshFixture.gateway(
                "one", servers: [MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["a.example.com"])]),
            MeshFixture.gateway(
                "two", servers: [MeshFixture.server(MeshFixture.port(80, "HTTP2"), hosts: ["b.example.com"])]),
            app,
            MeshFixture.virtualService("a", hosts: ["a.example.com"], gateways: ["one"]) {
                $0.http = [MeshFixture.httpTo("my-app")]
            },
            MeshFixture.virtualService("b", hosts: ["b.example.com"], gateways: ["two"]) {
                $0.http = [MeshFixture.httpTo("my-app")]
            },
        ])
        #expect(view.listenerNames == ["0.0.0.0_80"])
        #expect(view.listener("0.0.0.0_80")?.filterChains.count == 1)
        #expect(
            view.routeConfiguration("http.80")?.virtualHosts.map(\.name) == ["a.example.com:80", "b.example.com:80"])
    }

    @Test("Of HTTP and TCP on one port the older Gateway wins and the other is reported")
    func httpAgainstTCP() throws {
        let mesh = MeshFixture.mesh([
            MeshFixture.gateway(
                "old", created: 1, servers: [MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["*"])]),
            MeshFixture.gateway(
                "new", created: 2,
                servers: [MeshFixture.server(MeshFixture.port(80, "TCP"), hosts: ["*"])]),
        ])
        let (view, findings) = ResourceCompiler.compile(for: MeshFixture.router(), in: mesh)
        #expect(view.listener("0.0.0.0_80")?.filterChains.first?.manager != nil)
        #expect(findings.map(\.code) == [CompilerFinding.gatewayConflict])
        #expect(findings.map(\.object) == ["Gateway default/new"])
    }

    @Test("A TLS server that repeats a host on its port is left out as a whole")
    func duplicateTLSHost() throws {
        func gateway(_ name: String, _ created: Int64, _ hosts: [String]) -> ConfigObject {
            MeshFixture.gateway(
                name, created: created,
                servers: [
                    MeshFixture.server(MeshFixture.port(443, "HTTPS"), hosts: hosts) {
                        $0.mode = .simple
                        $0.credentialName = name
                    }
                ])
        }
        let view = view([gateway("old", 1, ["a.example.com"]), gateway("new", 2, ["a.example.com", "b.example.com"])])
        #expect(view.listener("0.0.0.0_443")?.filterChains.map(\.filterChainMatch.serverNames) == [["a.example.com"]])
    }

    @Test("TCP servers lead where the first matching tcp rule says")
    func tcpServer() throws {
        let gateway = MeshFixture.gateway(servers: [MeshFixture.server(MeshFixture.port(31400, "TCP"), hosts: ["*"])])
        let rule = MeshFixture.virtualService("db", hosts: ["*"], gateways: ["my-gateway"]) {
            var match = L4Match()
            match.port = 31400
            var tcp = TCPRule()
            tcp.match = [match]
            tcp.route = MeshFixture.tcpTo([("db", 3306, 0)])
            $0.tcp = [tcp]
        }
        #expect(
            view([gateway, rule]).listener("0.0.0.0_31400")?.tcpTargets
                == [" -> outbound|3306||db.default.svc.cluster.local"])
        #expect(view([gateway]).listener("0.0.0.0_31400") == nil)
    }

    @Test("Namespace parts of server hosts say whose VirtualServices may bind")
    func hostNamespaces() throws {
        func served(_ host: String) -> [String] {
            let gateway = MeshFixture.gateway(servers: [
                MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: [host])
            ])
            let rule = MeshFixture.virtualService(
                "a", in: "team", hosts: ["a.example.com"], gateways: ["default/my-gateway"]
            ) { $0.http = [MeshFixture.httpTo("a")] }
            return view([gateway, rule]).routeConfiguration("http.80")?.virtualHosts.map(\.name) ?? []
        }
        #expect(served("team/*.example.com") == ["a.example.com:80"])
        #expect(served("*/a.example.com") == ["a.example.com:80"])
        #expect(served("a.example.com") == ["a.example.com:80"])
        #expect(served("./a.example.com") == ["blackhole:80"])
        #expect(served("other/a.example.com") == ["blackhole:80"])
    }

    @Test("The more specific of server host and VirtualService host becomes the domain")
    func intersection() throws {
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["a.example.com", "b.example.com"])
        ])
        let rule = MeshFixture.virtualService("w", hosts: ["*.example.com"], gateways: ["my-gateway"]) {
            $0.http = [MeshFixture.httpTo("a")]
        }
        #expect(
            view([gateway, rule]).routeConfiguration("http.80")?.virtualHosts.map(\.domains)
                == [["a.example.com"], ["b.example.com"]])
    }

    @Test("VirtualServices of one host are put together, catch-alls last")
    func mergedVirtualServices() throws {
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["a.example.com"])
        ])
        let old = MeshFixture.virtualService("old", hosts: ["a.example.com"], gateways: ["my-gateway"], created: 1) {
            $0.http = [MeshFixture.httpTo("rest.example.com", port: 80)]
        }
        let new = MeshFixture.virtualService("new", hosts: ["a.example.com"], gateways: ["my-gateway"], created: 2) {
            $0.http = [MeshFixture.httpTo("api.example.com", port: 80, prefix: "/api")]
        }
        let host = try #require(view([gateway, old, new]).routeConfiguration("http.80")?.virtualHosts.first)
        #expect(host.routes.map(\.match.prefix) == ["/api", "/"])
        #expect(host.routes.map(\.route.cluster) == ["outbound|80||api.example.com", "outbound|80||rest.example.com"])
    }

    @Test("Routes that hash by a DestinationRule name it among their sources, others do not")
    func hashSources() throws {
        let gateway = MeshFixture.gateway(servers: [MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["*"])])
        func sources(_ hash: ConsistentHash?) throws -> [String] {
            let rule = MeshFixture.destinationRule("sticky", host: "my-app") {
                var policy = TrafficPolicy()
                policy.loadBalancer = LoadBalancerSettings()
                policy.loadBalancer?.consistentHash = hash
                $0.trafficPolicy = policy
            }
            let view = view([gateway, app, route(), rule])
            let routes = try #require(view.routeConfiguration("http.80")).virtualHosts.flatMap(\.routes)
            #expect(!routes.isEmpty && routes.allSatisfy { $0.route.hashPolicy.isEmpty == (hash == nil) })
            return try #require(view.routes.byName["http.80"]).sources
        }
        var hash = ConsistentHash()
        hash.key = .httpHeaderName("x-user")
        let others = ["Gateway default/my-gateway", "VirtualService default/my-app"]
        #expect(try sources(hash) == ["DestinationRule default/sticky"] + others)
        #expect(try sources(nil) == others)
    }

    @Test("A bind address is part of the listener's and the route's name")
    func bind() throws {
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["*"], bind: "10.0.0.8")
        ])
        let view = view([gateway])
        #expect(view.listenerNames == ["10.0.0.8_80"])
        #expect(view.routeNames == ["http.80.10.0.0.8"])
    }

    @Test("MUTUAL asks for a client certificate signed by the Secret's CA")
    func mutual() throws {
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(443, "HTTPS"), hosts: ["a.example.com"]) {
                $0.mode = .mutual
                $0.credentialName = "cred"
                $0.minProtocolVersion = .v13
            }
        ])
        let chain = try #require(view([gateway]).listener("0.0.0.0_443")?.filterChains.first)
        let context = try TLSContext(unpackingAny: chain.transportSocket.typedConfig)
        #expect(context.requireClientCertificate.value)
        #expect(
            context.commonTlsContext.combinedValidationContext.validationContextSdsSecretConfig.name
                == "kubernetes://cred-cacert")
        #expect(context.commonTlsContext.tlsParams.tlsMinimumProtocolVersion == .tlsv13)
    }

    @Test("Certificates may come from files")
    func files() throws {
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(443, "HTTPS"), hosts: ["*"]) {
                $0.mode = .simple
                $0.serverCertificate = "/etc/certs/tls.crt"
                $0.privateKey = "/etc/certs/tls.key"
            }
        ])
        let chain = try #require(view([gateway]).listener("0.0.0.0_443")?.filterChains.first)
        #expect(chain.filterChainMatch.serverNames.isEmpty)
        let context = try TLSContext(unpackingAny: chain.transportSocket.typedConfig)
        #expect(context.commonTlsContext.tlsCertificates.map(\.certificateChain.filename) == ["/etc/certs/tls.crt"])
    }

    @Test("ISTIO_MUTUAL ends the mesh's own TLS")
    func istioMutual() throws {
        let gateway = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(443, "HTTPS"), hosts: ["*"]) { $0.mode = .istioMutual }
        ])
        let chain = try #require(view([gateway]).listener("0.0.0.0_443")?.filterChains.first)
        let context = try TLSContext(unpackingAny: chain.transportSocket.typedConfig)
        #expect(context.requireClientCertificate.value)
        #expect(context.commonTlsContext.tlsCertificateSdsSecretConfigs.map(\.name) == ["default"])
    }

    @Test("What needs a certificate of the mesh or a Secret is refused aloud to a proxy without an identity")
    func unsupportedModes() {
        for mode in [ServerTLSSettings.Mode.istioMutual, .simple] {
            let gateway = MeshFixture.gateway(servers: [
                MeshFixture.server(MeshFixture.port(15443, "HTTPS"), hosts: ["*"]) {
                    $0.mode = mode
                    if mode == .simple { $0.credentialName = "cert" }
                }
            ])
            let (view, findings) = ResourceCompiler.compile(
                for: MeshFixture.router(hasIdentity: false), in: MeshFixture.mesh([gateway]))
            #expect(view.listenerNames == [])
            #expect(findings.map(\.code) == [CompilerFinding.gatewayUnsupported])
        }
    }

    @Test("Gateways see the client's address and name themselves")
    func managerSettings() throws {
        let manager = try #require(view([seed]).listener("0.0.0.0_80")?.filterChains.first?.manager)
        #expect(manager.useRemoteAddress.value)
        #expect(manager.forwardClientCertDetails == .sanitizeSet)
        #expect(manager.serverName == "istio-envoy")
        #expect(manager.statPrefix == "outbound_0.0.0.0_80;")
    }
}
