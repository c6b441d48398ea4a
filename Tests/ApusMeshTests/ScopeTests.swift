import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Scopes")
struct ScopeTests {
    private func hosts(_ services: [Service]) -> [String] { services.map { "\($0.name).\($0.namespace)" } }

    @Test("Without a Sidecar everything exported to the namespace is visible through one listener")
    func defaultScope() {
        let snapshot = mesh(
            Make.service("open", in: "a"),
            Make.service("closed", in: "a", annotations: ["networking.istio.io/exportTo": "."]),
            Make.service("own", in: "b"))
        let scope = snapshot.scope(in: "b")
        #expect(hosts(scope.services) == ["open.a", "own.b"])
        #expect(scope.egressListeners.count == 1)
        #expect(scope.egressListeners.first?.port == nil)
        #expect(hosts(scope.egressListeners[0].services) == ["open.a", "own.b"])
        #expect(hosts(scope.services(onPort: 80)) == ["open.a", "own.b"])
        #expect(scope.services(onPort: 81).isEmpty)
        #expect(scope.sidecar == nil)
        #expect(scope.outboundPolicy.mode == .allowAny)
        #expect(scope.service(HostName("own.b.svc.cluster.local"))?.name == "own")
        #expect(scope.service(HostName("closed.a.svc.cluster.local")) == nil)
    }

    @Test("Of services with one host the client sees its own namespace's, else Kubernetes', else the oldest")
    func bestService() {
        let host = "svc.k.svc.cluster.local"
        let kubernetes = Make.service("svc", in: "k", created: 9)
        let old = Make.serviceEntry("old", in: "a", hosts: [host], created: 1)
        let young = Make.serviceEntry("young", in: "b", hosts: [host], created: 2)
        let all = mesh(kubernetes, old, young)
        #expect(all.scope(in: "b").service(HostName(host))?.name == "young")
        #expect(all.scope(in: "z").service(HostName(host))?.name == "svc")
        #expect(mesh(old, young).scope(in: "z").service(HostName(host))?.name == "old")
        #expect(all.scope(in: "z").services.count == 1)
        #expect(all.services(host: HostName(host)).map(\.name) == ["old", "young", "svc"])
    }

    @Test("The oldest Sidecar with a fitting selector applies, then the namespace's, then the root namespace's")
    func whichSidecar() {
        let objects = [
            Make.sidecar("b", in: "a", selector: ["app": "x"], created: 2),
            Make.sidecar("c", in: "a", selector: ["app": "x"], created: 1),
            Make.sidecar("namespace", in: "a", created: 3), Make.sidecar("namespace-2", in: "a", created: 4),
            Make.sidecar("root", in: "istio-system"),
            Make.sidecar("root-selecting", in: "istio-system", selector: ["app": "x"]),
        ]
        let snapshot = MeshSnapshot.make(objects: objects)
        func sidecar(_ namespace: String, _ labels: [String: String]) -> String? {
            snapshot.scope(in: namespace, labels: labels).sidecar?.metadata.name
        }
        #expect(sidecar("a", ["app": "x", "more": "y"]) == "c")
        #expect(sidecar("a", ["app": "z"]) == "namespace")
        #expect(sidecar("other", ["app": "x"]) == "root")
        #expect(sidecar("istio-system", ["app": "x"]) == "root-selecting")
    }

    @Test("Gateways never use a Sidecar")
    func routersIgnoreSidecars() {
        let snapshot = mesh(Make.sidecar("all", egress: [["~/*"]]), Make.service("web"))
        let router = Proxy(id: "gw.default", role: .router, namespace: "default")
        let scope = snapshot.scope(of: snapshot.proxyClass(of: router))
        #expect(scope.sidecar == nil)
        #expect(hosts(scope.services) == ["web.default"])
        #expect(snapshot.scope().services.isEmpty)
    }

    @Test(
        "egress hosts select by namespace and host",
        arguments: [
            (["./*"], ["ext.a", "one.a", "two.a"]),
            (["*/*"], ["ext.a", "one.a", "one.b", "two.a"]),
            (["b/*"], ["one.b"]),
            (["*/one.a.svc.cluster.local"], ["one.a"]),
            (["b/one.a.svc.cluster.local"], []),
            (["*/*.a.svc.cluster.local", "b/*"], ["one.a", "one.b", "two.a"]),
            (["~/*"], []),
            (["*/*", "~b/*"], ["ext.a", "one.a", "two.a"]),
            (["a/*", "~./one.a.svc.cluster.local"], ["ext.a", "two.a"]),
            (["*/*", "~*/*.svc.cluster.local"], ["ext.a"]),
            (["*/api.example.com"], []),
            (["*/*.example.com"], ["ext.a"]),
        ] as [([String], [String])])
    func egressHosts(list: [String], expected: [String]) {
        let snapshot = mesh(
            Make.service("one", in: "a"), Make.service("two", in: "a"), Make.service("one", in: "b"),
            Make.serviceEntry("ext", in: "a", hosts: ["*.example.com"], resolution: .none),
            Make.sidecar("s", in: "a", egress: [list]))
        #expect(hosts(snapshot.scope(in: "a").services) == expected)
    }

    @Test("The dot of a root namespace's Sidecar means the namespace of each proxy")
    func dotOfRootSidecar() {
        let snapshot = mesh(
            Make.sidecar("root", in: "istio-system", egress: [["./*"]]), Make.service("one", in: "a"),
            Make.service("two", in: "b"))
        #expect(hosts(snapshot.scope(in: "a").services) == ["one.a"])
        #expect(hosts(snapshot.scope(in: "b").services) == ["two.b"])
    }

    @Test("A Sidecar without egress imports everything visible")
    func noEgress() {
        let snapshot = mesh(
            Make.sidecar("s") {
                var policy = OutboundTrafficPolicy()
                policy.mode = .registryOnly
                policy.egressProxy = Destination(host: "egress")
                $0.outboundTrafficPolicy = policy
            }, Make.service("one", in: "a"))
        let scope = snapshot.scope()
        #expect(hosts(scope.services) == ["one.a"])
        #expect(scope.outboundPolicy.mode == .registryOnly)
        #expect(scope.outboundPolicy.egressProxy?.host == "egress.default.svc.cluster.local")
    }

    @Test("An egress port limits its listener to services with that port, and them to that port")
    func egressPort() throws {
        let snapshot = mesh(
            Make.service("both", ports: [Make.port(80, "http"), Make.port(90, "admin")]),
            Make.service("other", ports: [Make.port(90, "admin")]),
            Make.service("rest", in: "z", ports: [Make.port(90, "admin")]),
            Make.sidecar("s") {
                var limited = Sidecar.Egress()
                limited.port = Make.portSpec(80, "HTTP", "http")
                limited.bind = "127.0.0.1"
                limited.captureMode = .none
                limited.hosts = ["./*"]
                var rest = Sidecar.Egress()
                rest.hosts = ["z/*"]
                $0.egress = [limited, rest]
            })
        let scope = snapshot.scope()
        #expect(scope.egressListeners.map(\.index) == [0, 1])
        let first = try #require(scope.egressListeners.first)
        #expect(first.port?.number == 80)
        #expect(first.bind == "127.0.0.1")
        #expect(first.captureMode == .none)
        #expect(hosts(first.services) == ["both.default"])
        #expect(hosts(scope.egressListeners[1].services) == ["rest.z"])
        #expect(hosts(scope.services) == ["both.default", "rest.z"])
        #expect(hosts(scope.services(onPort: 90)) == ["rest.z"])
        let both = try #require(scope.service(HostName("both.default.svc.cluster.local")))
        #expect(scope.imports(both, port: 80))
        #expect(!scope.imports(both, port: 90))
        #expect(scope.ports == [80, 90])
    }

    @Test("Destinations of imported VirtualServices are imported though no host lists them, on their port")
    func destinationsImported() throws {
        let two = [Make.port(80, "http"), Make.port(90, "admin")]
        let snapshot = mesh(
            Make.service("front"), Make.service("back", in: "b", ports: two), Make.service("side", in: "b", ports: two),
            Make.service("unrelated", in: "b"),
            Make.service("hidden", in: "b", annotations: ["networking.istio.io/exportTo": "."]),
            Make.virtualService("vs", hosts: ["front"]) {
                $0.http = [
                    Make.rule(to: "back.b.svc.cluster.local", port: 80), Make.rule(to: "side.b.svc.cluster.local"),
                    Make.rule(to: "hidden.b.svc.cluster.local"),
                ]
            },
            Make.virtualService("else", in: "b", hosts: ["unrelated"]),
            Make.sidecar("s", egress: [["./*"]]))
        let scope = snapshot.scope()
        #expect(hosts(scope.services) == ["back.b", "front.default", "side.b"])
        #expect(hosts(scope.egressListeners[0].services) == ["front.default"])
        #expect(scope.virtualServices.map(\.object.metadata.name) == ["vs"])
        #expect(scope.egressListeners[0].virtualServices.map(\.object.metadata.name) == ["vs"])
        #expect(hosts(scope.services(onPort: 80)) == ["back.b", "front.default", "side.b"])
        #expect(hosts(scope.services(onPort: 90)) == ["side.b"])
    }

    @Test("A VirtualService with a wildcard host is imported by an exact egress host under it")
    func wildcardVirtualService() {
        let snapshot = mesh(
            Make.virtualService("vs", hosts: ["*.example.com"]), Make.virtualService("no", hosts: ["*.example.org"]),
            Make.sidecar("s", egress: [["*/a.example.com"]]))
        #expect(snapshot.scope().virtualServices.map(\.object.metadata.name) == ["vs"])
    }
}

@Suite("Proxy classes")
struct ProxyClassTests {
    private func proxy(_ labels: [String: String], in namespace: String = "default", role: Proxy.Role = .sidecar)
        -> Proxy
    {
        Proxy(
            id: "p.\(namespace)", role: role, namespace: namespace, labels: labels, locality: Locality("r/z"),
            nodeName: "node-1")
    }

    @Test("Proxies that no object tells apart are one class")
    func sharing() {
        let snapshot = mesh(Make.service("web", selector: ["app": "a"]))
        #expect(snapshot.proxyClass(of: proxy(["app": "a"])) == snapshot.proxyClass(of: proxy(["app": "b"])))
        #expect(snapshot.proxyClass(of: proxy([:], in: "x")) != snapshot.proxyClass(of: proxy([:], in: "y")))
    }

    @Test("A label stays in the class if an object asks for its value where the proxy is")
    func relevantPairs() {
        let snapshot = mesh(
            Make.sidecar("s", in: "a", selector: ["app": "x"]),
            Make.destinationRule("d", in: "b", host: "*", selector: ["tier": "1"]),
            Make.virtualService("v", in: "c", hosts: ["x.com"]) {
                $0.http[0].match = [Make.match { $0.sourceLabels = ["team": "t"] }]
            },
            Make.gateway("g", selector: ["istio": "gw"]))
        let labels = ["app": "x", "tier": "1", "team": "t", "istio": "gw", "noise": "n"]
        func relevant(_ namespace: String, _ role: Proxy.Role = .sidecar) -> [String: String] {
            snapshot.proxyClass(of: proxy(labels, in: namespace, role: role)).labels
        }
        #expect(relevant("a") == ["app": "x", "team": "t"])
        #expect(relevant("b") == ["tier": "1", "team": "t"])
        #expect(relevant("z") == ["team": "t"])
        #expect(relevant("z", .router) == ["team": "t", "istio": "gw"])
        #expect(snapshot.proxyClass(of: proxy(["app": "y", "team": "u"], in: "a")).labels.isEmpty)
    }

    @Test("Locality is in the class only if something makes endpoints depend on it")
    func locality() {
        func locality(_ objects: ConfigObject..., config: (inout MeshConfig) -> Void = { _ in }) -> Locality {
            var meshConfig = MeshConfig()
            config(&meshConfig)
            let snapshot = MeshSnapshot.make(objects: objects, meshConfig: meshConfig)
            return snapshot.proxyClass(of: proxy([:])).locality
        }
        let outlier = Make.destinationRule("d", host: "web") {
            var policy = TrafficPolicy()
            policy.outlierDetection = OutlierDetectionSettings()
            $0.trafficPolicy = policy
        }
        #expect(locality(Make.service("web")).isEmpty)
        #expect(locality(outlier) == Locality("r/z"))
        #expect(locality(outlier, config: { $0.localityLbSetting.enabled = false }).isEmpty)
        #expect(locality(Make.service("web") { $0.trafficDistribution = "PreferClose" }) == Locality("r/z"))
        #expect(
            locality(config: { $0.localityLbSetting.failover = [LocalityLoadBalancerSettings.Failover()] })
                == Locality("r/z"))
    }

    @Test("The node is in the class only if some service prefers endpoints of the client's node")
    func node() {
        func node(_ object: ConfigObject) -> String { mesh(object).proxyClass(of: proxy([:])).nodeName }
        #expect(node(Make.service("web")).isEmpty)
        #expect(node(Make.service("web") { $0.internalTrafficLocal = true }) == "node-1")
        #expect(node(Make.service("web") { $0.trafficDistribution = "PreferSameNode" }) == "node-1")
    }

    @Test("A failoverPriority label stays in the class with any value")
    func failoverPriority() {
        let snapshot = mesh { $0.localityLbSetting.failoverPriority = ["rack", "zone=1"] }
        let labels = ["rack": "7", "zone": "2", "x": "y"]
        #expect(snapshot.proxyClass(of: proxy(labels)).labels == ["rack": "7", "zone": "2"])
    }

    @Test("A router's class knows the target ports of the services that select it")
    func targetPorts() {
        let snapshot = mesh(
            Make.service(
                "ingress", selector: ["istio": "gw"],
                ports: [Make.port(80, "http", target: .number(8080)), Make.port(443, "https", target: .name("tls"))]),
            Make.pod("gw-1", labels: ["istio": "gw"], ip: "10.0.0.1", ports: [("tls", 8443)]))
        let router = Proxy(id: "gw-1.default", role: .router, namespace: "default", addresses: ["10.0.0.1"])
        #expect(snapshot.proxyClass(of: router).targetPorts == [80: [8080], 443: [8443]])
        var sidecar = router
        sidecar.role = .sidecar
        #expect(snapshot.proxyClass(of: sidecar).targetPorts.isEmpty)
    }

    @Test("Gateways are selected by labels in any namespace, oldest first, an empty selector selects all")
    func gateways() {
        let snapshot = mesh(
            Make.gateway("young", in: "a", selector: ["istio": "gw"], created: 2),
            Make.gateway("old", in: "b", selector: ["istio": "gw", "app": "x"], created: 1),
            Make.gateway("all", in: "c", selector: [:], created: 3),
            Make.gateway("other", in: "c", selector: ["istio": "egress"], created: 1))
        let router = snapshot.proxyClass(of: proxy(["istio": "gw", "app": "x"], role: .router))
        #expect(snapshot.gateways(of: router).map(\.metadata.name) == ["old", "young", "all"])
        let plain = snapshot.proxyClass(of: proxy(["istio": "gw"], role: .router))
        #expect(snapshot.gateways(of: plain).map(\.metadata.name) == ["young", "all"])
        #expect(snapshot.gateways(of: snapshot.proxyClass(of: proxy(["istio": "gw"]))).isEmpty)
    }

    @Test("A scope is computed once per class and shared by classes that differ in what it does not depend on")
    func cache() {
        let snapshot = mesh(Make.service("web") { $0.trafficDistribution = "PreferClose" })
        let one = snapshot.proxyClass(of: proxy([:]))
        var elsewhere = proxy([:])
        elsewhere.locality = Locality("other")
        let other = snapshot.proxyClass(of: elsewhere)
        #expect(one != other)
        #expect(snapshot.scope(of: one) === snapshot.scope(of: other))
    }
}
