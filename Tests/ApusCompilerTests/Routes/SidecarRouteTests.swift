import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct SidecarRouteTests {
    private let toReviews = Outbound.rule { $0.route = [Outbound.to("reviews")] }
    private let toRatings = Outbound.rule { $0.route = [Outbound.to("ratings")] }
    private let reviews = "reviews.default.svc.cluster.local"

    // MARK: Domains

    @Test func `in its own namespace a service has all short names and its address`() {
        let context = Outbound.context([Outbound.service("foo", in: "ns", address: "10.1.2.3")], in: "ns")
        #expect(
            context.virtualHost("foo.ns.svc.cluster.local:80", in: "80")?.domains == [
                "foo.ns.svc.cluster.local", "foo.ns.svc.cluster.local.", "foo", "foo.ns.svc", "foo.ns", "10.1.2.3",
            ])
    }

    @Test func `from another namespace the bare name is missing`() {
        let context = Outbound.context([Outbound.service("foo", in: "ns", address: "10.1.2.3")], in: "other")
        #expect(
            context.virtualHost("foo.ns.svc.cluster.local:80", in: "80")?.domains == [
                "foo.ns.svc.cluster.local", "foo.ns.svc.cluster.local.", "foo.ns", "foo.ns.svc", "10.1.2.3",
            ])
    }

    @Test func `a host outside the cluster domain has no short names`() {
        let entry = Outbound.entry("api", hosts: ["api.example.com"], ports: [(80, "HTTP", nil)], resolution: .dns)
        #expect(
            Outbound.context([entry]).virtualHost("api.example.com:80", in: "80")?.domains.prefix(2)
                == ["api.example.com", "api.example.com."])
    }

    @Test func `an IPv6 address is bracketed`() {
        let context = Outbound.context([Outbound.service("foo", address: "fd00::1")])
        #expect(
            context.virtualHost("foo.default.svc.cluster.local:80", in: "80")?.domains.contains("[fd00::1]") == true)
    }

    @Test func `a headless service is known by the names of its pods too`() {
        let context = Outbound.context([Outbound.service("foo") { $0.isHeadless = true }])
        let domains = context.virtualHost("foo.default.svc.cluster.local:80", in: "80")?.domains ?? []
        #expect(domains.contains("*.foo.default.svc.cluster.local"))
        #expect(domains.contains("*.foo"))
    }

    @Test func `an alias is another name of its target`() {
        let alias = Outbound.service("old") {
            $0.type = "ExternalName"
            $0.externalName = "reviews.default.svc.cluster.local"
        }
        let domains =
            Outbound.context(Outbound.services + [alias]).virtualHost("\(reviews):80", in: "80")?.domains ?? []
        #expect(domains.contains("old.default.svc.cluster.local"))
        #expect(domains.contains("old"))
    }

    @Test func `the explicit proxy knows hosts with their port, and without it on port 80`() {
        let services = [
            Outbound.service("a", address: "10.0.0.1"), Outbound.service("b", ports: [(8080, "http")]),
        ]
        let context = Outbound.context(services, httpProxyPort: 15002)
        #expect(SidecarRoutes.routeNames(context).contains("http_proxy"))
        let first = context.virtualHost("a.default.svc.cluster.local:80", in: "http_proxy")?.domains ?? []
        #expect(first.contains("a") && first.contains("a:80") && first.contains("10.0.0.1:80"))
        let second = context.virtualHost("b.default.svc.cluster.local:8080", in: "http_proxy")?.domains ?? []
        #expect(second.contains("b:8080") && !second.contains("b"))
    }

    @Test func `a short form never takes another service's full name`() {
        let entry = Outbound.entry("foo", hosts: ["foo.ns"], ports: [(80, "HTTP", nil)], resolution: .dns)
        let context = Outbound.context([Outbound.service("foo", in: "ns", created: 1), entry])
        #expect(context.virtualHost("foo.ns:80", in: "80")?.domains.contains("foo.ns") == true)
        let service = context.virtualHost("foo.ns.svc.cluster.local:80", in: "80")
        #expect(service?.domains.contains("foo.ns") == false)
    }

    @Test func `no domain occurs twice in a route configuration`() {
        let objects =
            Outbound.services + [
                Outbound.service("reviews", in: "reviews"),
                Outbound.virtualService("a", hosts: ["reviews", "x.example.com"], created: 1, [toReviews]),
                Outbound.virtualService("b", hosts: ["X.example.com", "ratings"], created: 2, [toRatings]),
            ]
        let hosts = SidecarRoutes.routeConfiguration(named: "80", Outbound.context(objects)).message.virtualHosts
        let domains = hosts.flatMap(\.domains).map { $0.lowercased() }
        #expect(Set(domains).count == domains.count)
        #expect(
            hosts.first { $0.domains.contains("x.example.com") }?.routes[0].route.cluster.contains("reviews") == true)
    }

    // MARK: Building steps

    @Test func `a service without a VirtualService has one default route`() throws {
        let host = try #require(Outbound.context(Outbound.services).virtualHost("\(reviews):80", in: "80"))
        #expect(host.includeRequestAttemptCount)
        #expect(host.routes.count == 1)
        let route = host.routes[0]
        #expect(route.name == "default")
        #expect(route.match.prefix == "/")
        #expect(route.route.cluster == "outbound|80||\(reviews)")
        #expect(route.route.hasTimeout && route.route.timeout.seconds == 0)
        #expect(route.route.retryPolicy.numRetries.value == 2)
        #expect(route.decorator.operation == "\(reviews):80/*")
    }

    @Test func `a route configuration tolerates clusters to come and ports in hosts`() {
        let message = SidecarRoutes.routeConfiguration(named: "80", Outbound.context(Outbound.services)).message
        #expect(message.hasValidateClusters && !message.validateClusters.value)
        #expect(message.maxDirectResponseBodySizeBytes.value == 1 << 20)
        #expect(message.ignorePortInHostMatching)
    }

    @Test func `a route configuration for all ports looks at the port of the host`() {
        let context = Outbound.context(Outbound.services)
        #expect(!SidecarRoutes.routeConfiguration(named: "http_proxy", context).message.ignorePortInHostMatching)
    }

    @Test func `on a service's port a VirtualService serves all of its hosts`() {
        let objects = [
            Outbound.service("reviews", ports: [(9080, "http")]),
            Outbound.virtualService("a", hosts: ["reviews", "my-app.example.com"], [toReviews]),
        ]
        #expect(
            Outbound.context(objects).virtualHostNames(in: "9080")
                == ["my-app.example.com:9080", "\(reviews):9080", "allow_any"])
    }

    @Test func `a VirtualService without a known host is served on port 80 only`() {
        let objects = [
            Outbound.service("a"), Outbound.service("b", ports: [(9080, "http")]),
            Outbound.virtualService("v", hosts: ["x.example.com"], [toReviews]),
        ]
        let context = Outbound.context(objects)
        #expect(context.virtualHostNames(in: "80").contains("x.example.com:80"))
        #expect(!context.virtualHostNames(in: "9080").contains("x.example.com:9080"))
    }

    @Test func `of two VirtualServices for a host the oldest wins`() {
        let objects =
            Outbound.services + [
                Outbound.virtualService("a", hosts: ["reviews"], created: 2, [toReviews]),
                Outbound.virtualService("z", hosts: ["reviews"], created: 1, [toRatings]),
            ]
        let host = Outbound.context(objects).virtualHost("\(reviews):80", in: "80")
        #expect(host?.routes.map(\.route.cluster) == ["outbound|80||ratings.default.svc.cluster.local"])
    }

    @Test func `a VirtualService with nothing for this client leaves the host to a younger one`() {
        let forOthers = Outbound.rule {
            $0.match = [Outbound.match { $0.sourceNamespace = "other" }]
            $0.route = [Outbound.to("reviews")]
        }
        let objects =
            Outbound.services + [
                Outbound.virtualService("old", hosts: ["reviews"], created: 1, [forOthers]),
                Outbound.virtualService("young", hosts: ["reviews"], created: 2, [toRatings]),
            ]
        let host = Outbound.context(objects).virtualHost("\(reviews):80", in: "80")
        #expect(host?.routes.map(\.route.cluster) == ["outbound|80||ratings.default.svc.cluster.local"])
    }

    @Test func `an exact host beats an older wildcard, and a wildcard serves every service under it`() {
        let objects =
            Outbound.services + [
                Outbound.virtualService("wild", hosts: ["*.default.svc.cluster.local"], created: 1, [toRatings]),
                Outbound.virtualService("exact", hosts: ["reviews"], created: 2, [toReviews]),
            ]
        let context = Outbound.context(objects)
        #expect(context.virtualHost("\(reviews):80", in: "80")?.routes[0].route.cluster.contains("reviews") == true)
        let ratings = context.virtualHost("ratings.default.svc.cluster.local:80", in: "80")
        #expect(ratings?.routes[0].metadata.filterMetadata["istio"] != nil)
    }

    @Test func `a longer wildcard beats an older shorter one, even of a VirtualService with an exact host`() {
        let entry = Outbound.entry(
            "s", hosts: ["s.foo.example.com"], ports: [(80, "HTTP", nil)], resolution: .dns)
        let objects =
            Outbound.services + [
                entry,
                Outbound.virtualService("short", hosts: ["reviews", "*.example.com"], created: 1, [toReviews]),
                Outbound.virtualService("long", hosts: ["*.foo.example.com"], created: 2, [toRatings]),
            ]
        let host = Outbound.context(objects).virtualHost("s.foo.example.com:80", in: "80")
        #expect(host?.routes[0].route.cluster == "outbound|80||ratings.default.svc.cluster.local")
    }

    @Test func `unknown hosts pass under ALLOW_ANY`() {
        let host = Outbound.context(Outbound.services).virtualHost("allow_any", in: "80")
        #expect(host?.domains == ["*"])
        #expect(host?.routes[0].route.cluster == "PassthroughCluster")
        #expect(host?.routes[0].route.hasTimeout == true)
    }

    @Test func `unknown hosts get 502 under REGISTRY_ONLY`() {
        let context = Outbound.context(Outbound.services) { $0.outboundTrafficPolicy.mode = .registryOnly }
        let host = context.virtualHost("block_all", in: "80")
        #expect(host?.domains == ["*"])
        #expect(host?.routes[0].directResponse.status == 502)
    }

    @Test func `a detected port with an address has one virtual host for every name`() {
        let objects = [Outbound.service("auto", ports: [(9000, "thing")], address: "10.0.0.9")]
        let context = Outbound.context(objects)
        let name = "auto.default.svc.cluster.local:9000"
        #expect(SidecarRoutes.routeNames(context).contains(name))
        let hosts = SidecarRoutes.routeConfiguration(named: name, context).message.virtualHosts
        #expect(hosts.map(\.name) == [name])
        #expect(hosts[0].domains == ["*"])
        #expect(hosts[0].routes[0].route.cluster == "outbound|9000||auto.default.svc.cluster.local")
    }

    @Test(arguments: ["nothing", "unknown.example.com:80", "/var/run/x.sock"])
    func `a name that cannot be built is an empty route configuration`(name: String) {
        let message = SidecarRoutes.routeConfiguration(named: name, Outbound.context(Outbound.services)).message
        #expect(message.name == name)
        #expect(message.virtualHosts.isEmpty)
    }

    @Test func `route names are the HTTP ports of visible services`() {
        let objects = [
            Outbound.service("a"), Outbound.service("b", ports: [(8080, "grpc"), (3306, "tcp-db"), (53, "udp-dns")]),
        ]
        #expect(SidecarRoutes.routeNames(Outbound.context(objects)) == ["80", "8080"])
    }

    @Test func `a Sidecar's egress port has only the services it lists`() {
        var listed = Sidecar.Egress()
        listed.hosts = ["./reviews.default.svc.cluster.local"]
        var port = PortSpec()
        port.number = 80
        port.protocol = "HTTP"
        port.name = "http"
        listed.port = port
        var sidecar = Sidecar()
        sidecar.egress = [listed]
        let objects = Outbound.services + [Outbound.object(.sidecar, "default", .sidecar(sidecar))]
        #expect(Outbound.context(objects).virtualHostNames(in: "80") == ["\(reviews):80", "allow_any"])
    }

    @Test func `a Sidecar's socket has all ports in one configuration, named by the socket`() {
        var listed = Sidecar.Egress()
        listed.hosts = ["./*"]
        listed.bind = "unix:///var/run/egress.sock"
        var port = PortSpec()
        port.protocol = "HTTP"
        port.name = "http"
        listed.port = port
        var sidecar = Sidecar()
        sidecar.egress = [listed]
        let objects = [
            Outbound.service("a"), Outbound.service("b", ports: [(8080, "http")]),
            Outbound.object(.sidecar, "default", .sidecar(sidecar)),
        ]
        let context = Outbound.context(objects)
        #expect(SidecarRoutes.routeNames(context).contains(listed.bind))
        #expect(
            context.virtualHostNames(in: listed.bind) == [
                "a.default.svc.cluster.local:80", "b.default.svc.cluster.local:8080", "allow_any",
            ])
        #expect(
            context.virtualHost("b.default.svc.cluster.local:8080", in: listed.bind)?.domains.contains("b:8080")
                == true)
    }

    @Test func `the objects behind a route configuration are named`() {
        let objects = Outbound.services + [Outbound.virtualService("v", hosts: ["reviews"], [toReviews])]
        let sources = SidecarRoutes.routeConfiguration(named: "80", Outbound.context(objects)).sources
        #expect(
            sources.map(\.description) == [
                "Service default/ratings", "Service default/reviews", "VirtualService default/v",
            ])
    }

    @Test func `the same mesh gives the same bytes`() {
        func bytes() -> [UInt8] {
            let objects =
                Outbound.services + [
                    Outbound.virtualService(
                        "v", hosts: ["reviews"],
                        [
                            Outbound.rule {
                                $0.route = [Outbound.to("reviews")]
                                $0.fault = HTTPFault()
                                $0.fault?.delay = HTTPFault.Delay()
                                $0.fault?.delay?.fixedDelay = .seconds(1)
                                $0.corsPolicy = CORSPolicy()
                                $0.headers = Headers()
                                $0.headers?.request.set = ["a": "1", "b": "2", "c": "3"]
                            }
                        ])
                ]
            let message = SidecarRoutes.routeConfiguration(named: "80", Outbound.context(objects)).message
            return encode(message, typeURL: "t")
        }
        #expect(bytes() == bytes())
    }
}
