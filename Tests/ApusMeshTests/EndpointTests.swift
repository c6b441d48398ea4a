import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Endpoints")
struct EndpointTests {
    private let web = ["app": "web"]
    private let host = "web.default.svc.cluster.local"

    @Test("Slice ports join service ports by name")
    func slicePorts() {
        let snapshot = mesh(
            Make.service("web", ports: [Make.port(80, "http"), Make.port(90, "admin"), Make.port(91, "missing")]),
            Make.slice("web-1", of: "web", ports: [("http", 8080), ("admin", nil)], [Make.endpoint("10.0.0.1")]))
        #expect(snapshot.addresses(host, port: 80) == ["10.0.0.1:8080"])
        #expect(snapshot.addresses(host, port: 90) == ["10.0.0.1:90"])
        #expect(snapshot.addresses(host, port: 91).isEmpty)
    }

    @Test("An endpoint takes labels, account, place and mTLS from its pod")
    func podAttributes() throws {
        let snapshot = mesh(
            Make.service("web"),
            Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1", pod: "web-a")]),
            Make.pod(
                "web-a",
                labels: ["app": "web", "security.istio.io/tlsMode": "istio", "topology.istio.io/network": "n1"],
                ip: "10.0.0.1"
            ) {
                $0.serviceAccountName = "web-sa"
                $0.nodeName = "node-1"
            },
            Make.object(
                .node, "node-1", in: "",
                labels: [
                    "topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "z",
                    "topology.istio.io/subzone": "s",
                ], .node(Node())))
        let endpoint = try #require(snapshot.endpoints(host).first)
        #expect(endpoint.labels["app"] == "web")
        #expect(endpoint.serviceAccount == "web-sa")
        #expect(endpoint.locality == Locality("r/z/s"))
        #expect(endpoint.nodeName == "node-1")
        #expect(endpoint.network == "n1")
        #expect(endpoint.workloadName == "web-a")
        #expect(endpoint.acceptsMutualTLS)
    }

    @Test("An istio-locality label stands before the node's place, with dots for slashes")
    func localityLabel() {
        let snapshot = mesh(
            Make.service("web", selector: web),
            Make.pod("web-a", labels: ["app": "web", "istio-locality": "eu.eu-1.rack"], ip: "10.0.0.1"))
        #expect(snapshot.endpoints(host).map(\.locality) == [Locality("eu/eu-1/rack")])
    }

    @Test("The root namespace's network label is the network of workloads that name none")
    func meshNetwork() {
        let snapshot = mesh(
            Make.service("web", selector: web), Make.pod("web-a", labels: web, ip: "10.0.0.1"),
            Make.object(
                .namespace, "istio-system", in: "", labels: ["topology.istio.io/network": "main"], .namespace))
        #expect(snapshot.endpoints(host).map(\.network) == ["main"])
    }

    @Test("An endpoint that is not ready is unhealthy, one of unknown readiness is healthy")
    func readiness() {
        let snapshot = mesh(
            Make.service("web"),
            Make.slice(
                "web-1", of: "web",
                [
                    Make.endpoint("10.0.0.1", ready: false), Make.endpoint("10.0.0.2", ready: nil),
                    Make.endpoint("10.0.0.3"),
                ]))
        #expect(snapshot.endpoints(host).map(\.health) == [.unhealthy, .healthy, .healthy])
    }

    @Test("publishNotReadyAddresses makes endpoints healthy that are not ready")
    func publishNotReady() {
        let snapshot = mesh(
            Make.service("web") { $0.publishNotReadyAddresses = true },
            Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1", ready: false)]))
        #expect(snapshot.endpoints(host).map(\.health) == [.healthy])
    }

    @Test("A terminating endpoint is removed")
    func terminating() {
        let snapshot = mesh(
            Make.service("web"),
            Make.slice(
                "web-1", of: "web",
                [Make.endpoint("10.0.0.1", ready: false, serving: true, terminating: true), Make.endpoint("10.0.0.2")]))
        #expect(snapshot.addresses(host) == ["10.0.0.2:8080"])
    }

    @Test("With persistent sessions a terminating endpoint that still serves is draining")
    func draining() {
        let snapshot = mesh(
            Make.service("web", labels: ["istio.io/persistent-session": "cookie"]),
            Make.slice(
                "web-1", of: "web",
                [
                    Make.endpoint("10.0.0.1", ready: false, serving: true, terminating: true),
                    Make.endpoint("10.0.0.2", ready: false, serving: false, terminating: true),
                ]))
        #expect(snapshot.addresses(host) == ["10.0.0.1:8080"])
        #expect(snapshot.endpoints(host).map(\.health) == [.draining])
    }

    @Test("Slices of host names are not endpoints")
    func fqdnSlices() {
        let snapshot = mesh(
            Make.service("web"), Make.slice("web-1", of: "web", [Make.endpoint("a.example.com")], type: "FQDN"))
        #expect(snapshot.addresses(host).isEmpty)
    }

    @Test("Endpoints of several slices come in the order of address and port, each once")
    func severalSlices() {
        let snapshot = mesh(
            Make.service("web"),
            Make.slice("web-2", of: "web", [Make.endpoint("10.0.0.3"), Make.endpoint("10.0.0.1")]),
            Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.2"), Make.endpoint("10.0.0.1")]))
        #expect(snapshot.addresses(host) == ["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"])
    }

    @Test("The Endpoints kind counts only for a service without an EndpointSlice")
    func oldEndpoints() {
        var subset = KubernetesEndpoints.Subset()
        var ready = KubernetesEndpoints.Address()
        ready.ip = "10.0.1.1"
        var notReady = KubernetesEndpoints.Address()
        notReady.ip = "10.0.1.2"
        subset.addresses = [ready]
        subset.notReadyAddresses = [notReady]
        var port = EndpointSlice.Port()
        port.name = "http"
        port.port = 8081
        subset.ports = [port]
        var spec = KubernetesEndpoints()
        spec.subsets = [subset]
        let service = Make.service("web", selector: web)
        let endpoints = Make.object(.endpoints, "web", .endpoints(spec))
        let pod = Make.pod("web-a", labels: web, ip: "10.0.0.1")

        let without = mesh(service, endpoints, pod)
        #expect(without.addresses(host) == ["10.0.1.1:8081", "10.0.1.2:8081"])
        #expect(without.endpoints(host).map(\.health) == [.healthy, .unhealthy])
        let with = mesh(service, endpoints, pod, Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.9")]))
        #expect(with.addresses(host) == ["10.0.0.9:8080"])
    }

    @Test("A service without slices takes the pods of its namespace that its selector matches")
    func podsBehindSelector() {
        let snapshot = mesh(
            Make.service(
                "web", selector: web,
                ports: [
                    Make.port(80, "http", target: .number(8080)), Make.port(81, "same"),
                    Make.port(82, "named", target: .name("admin")),
                ]),
            Make.pod("a", labels: ["app": "web", "version": "1"], ip: "10.0.0.1", ports: [("admin", 9000)]),
            Make.pod("b", labels: web, ip: "10.0.0.2"),
            Make.pod("other", labels: ["app": "db"], ip: "10.0.0.3"),
            Make.pod("far", in: "else", labels: web, ip: "10.0.0.4"),
            Make.pod("none", labels: web, ip: nil))
        #expect(snapshot.addresses(host, port: 80) == ["10.0.0.1:8080", "10.0.0.2:8080"])
        #expect(snapshot.addresses(host, port: 81) == ["10.0.0.1:81", "10.0.0.2:81"])
        #expect(snapshot.addresses(host, port: 82) == ["10.0.0.1:9000"])
    }

    @Test("A pod is healthy by its Ready condition, else while running; one that ended is no endpoint")
    func podPhases() {
        let snapshot = mesh(
            Make.service("web", selector: web),
            Make.pod("a", labels: web, ip: "10.0.0.1") { $0.phase = "Pending" },
            Make.pod("b", labels: web, ip: "10.0.0.2") { $0.phase = "Running" },
            Make.pod("c", labels: web, ip: "10.0.0.3") {
                $0.phase = "Running"
                $0.ready = false
            },
            Make.pod("d", labels: web, ip: "10.0.0.4") { $0.phase = "Succeeded" },
            Make.pod("e", labels: web, ip: "10.0.0.5") { $0.phase = "Failed" })
        #expect(snapshot.endpoints(host).map(\.health) == [.unhealthy, .healthy, .unhealthy])
    }

    @Test("A dual-stack pod joins with the address of the service's family")
    func dualStackPod() {
        let pod = Make.pod("a", labels: web, ip: nil) { $0.podIPs = ["10.0.0.1", "fd00::1"] }
        let six = mesh(Make.service("web", selector: web) { $0.clusterIPs = ["fd00::53"] }, pod)
        #expect(six.addresses(host) == ["fd00::1:80"])
        let four = mesh(Make.service("web", selector: web), pod)
        #expect(four.addresses(host) == ["10.0.0.1:80"])
    }

    @Test("A Service without a selector has no pods")
    func noSelector() {
        let snapshot = mesh(Make.service("web"), Make.pod("a", labels: web, ip: "10.0.0.1"))
        #expect(snapshot.addresses(host).isEmpty)
    }

    @Test("WorkloadEntries join a Service by its selector, behind slices of the same address")
    func workloadEntriesOfService() throws {
        let snapshot = mesh(
            Make.service(
                "web", selector: web,
                ports: [Make.port(80, "http", target: .number(8080)), Make.port(81, "x", target: .name("admin"))]),
            Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1")]),
            Make.workloadEntry("vm-1", labels: web, "10.0.0.1") { $0.weight = 7 },
            Make.workloadEntry("vm-2", labels: web, "10.0.0.2") {
                $0.weight = 7
                $0.ports = ["http": 8088, "admin": 9001]
                $0.serviceAccount = "vm"
                $0.locality = "r/z"
                $0.network = "vms"
            })
        #expect(snapshot.addresses(host) == ["10.0.0.1:8080", "10.0.0.2:8088"])
        #expect(snapshot.endpoints(host).map(\.weight) == [1, 7])
        #expect(snapshot.addresses(host, port: 81) == ["10.0.0.2:9001"])
        let vm = try #require(snapshot.endpoints(host).last)
        #expect(vm.acceptsMutualTLS)
        #expect(vm.locality == Locality("r/z"))
        #expect(vm.network == "vms")
        #expect(vm.serviceAccount == "vm")
    }

    @Test("A WorkloadEntry's metadata labels count, and its spec's labels stand before them")
    func workloadEntryLabels() {
        let entry = Make.object(
            .workloadEntry, "vm", labels: ["app": "old", "tier": "x"],
            .workloadEntry(Make.entry("10.0.0.1") { $0.labels = ["app": "web"] }))
        let snapshot = mesh(Make.service("web", selector: web), entry)
        #expect(snapshot.endpoints(host).map(\.labels) == [["app": "web", "tier": "x"]])
    }

    @Test("An inline endpoint's port is its own by port name, else the target port, else the number")
    func inlinePorts() {
        let snapshot = mesh(
            Make.serviceEntry(
                "ext", hosts: ["a.example.com"],
                ports: [Make.portSpec(80, "HTTP", "http", target: 8080), Make.portSpec(81, "HTTP", "alt")],
                resolution: .static
            ) {
                $0.endpoints = [
                    Make.entry("10.0.0.1") { $0.ports = ["http": 7000] }, Make.entry("10.0.0.2"),
                    Make.entry("unix:///run/x.sock"),
                ]
            })
        #expect(
            snapshot.addresses("a.example.com", port: 80)
                == ["10.0.0.1:7000", "10.0.0.2:8080", "unix:///run/x.sock:0"])
        #expect(
            snapshot.addresses("a.example.com", port: 81) == ["10.0.0.1:81", "10.0.0.2:81", "unix:///run/x.sock:0"])
    }

    @Test("An inline endpoint takes mTLS by its tlsMode label, else if it has an account")
    func inlineTLS() {
        let snapshot = mesh(
            Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: .static) {
                $0.location = .meshInternal
                $0.endpoints = [
                    Make.entry("10.0.0.1"),
                    Make.entry("10.0.0.2") { $0.serviceAccount = "x" },
                    Make.entry("10.0.0.3") {
                        $0.serviceAccount = "x"
                        $0.labels = ["security.istio.io/tlsMode": "disabled"]
                    },
                    Make.entry("10.0.0.4") { $0.labels = ["security.istio.io/tlsMode": "istio"] },
                ]
            })
        #expect(
            snapshot.endpoints("a.example.com", port: 443).map(\.acceptsMutualTLS) == [false, true, false, true])
    }

    @Test("A DNS entry without endpoints resolves its own host, a wildcard has nothing to resolve")
    func dnsItself() {
        let snapshot = mesh(
            Make.serviceEntry(
                "ext", hosts: ["a.example.com", "*.b.example.com"],
                ports: [Make.portSpec(443, "TLS", "tls", target: 8443)]))
        #expect(snapshot.addresses("a.example.com", port: 443) == ["a.example.com:8443"])
        #expect(snapshot.addresses("*.b.example.com", port: 443).isEmpty)
    }

    @Test("Entries with resolution NONE have no endpoints")
    func noneResolution() {
        let snapshot = mesh(
            Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: .none) {
                $0.endpoints = [Make.entry("10.0.0.1")]
            })
        #expect(snapshot.addresses("a.example.com", port: 443).isEmpty)
    }

    @Test("workloadSelector takes WorkloadEntries and pods of the entry's namespace")
    func selectedWorkloads() {
        let snapshot = mesh(
            Make.serviceEntry(
                "ext", hosts: ["a.example.com"], ports: [Make.portSpec(80, "HTTP", "http", target: 8080)],
                resolution: .static
            ) {
                $0.workloadSelector = ["app": "web"]
                $0.endpoints = [Make.entry("10.9.9.9")]
            },
            Make.pod("a", labels: web, ip: "10.0.0.1"),
            Make.workloadEntry("vm", labels: web, "10.0.0.2") { $0.ports = ["http": 7000] },
            Make.workloadEntry("far", in: "else", labels: web, "10.0.0.3"),
            Make.workloadEntry("other", labels: ["app": "db"], "10.0.0.4"))
        #expect(snapshot.addresses("a.example.com") == ["10.0.0.1:8080", "10.0.0.2:7000"])
    }

    @Test("An empty workloadSelector of a ServiceEntry takes every workload of its namespace")
    func emptySelector() {
        let snapshot = mesh(
            Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: .static) { $0.workloadSelector = [:] },
            Make.pod("a", labels: web, ip: "10.0.0.1"), Make.pod("far", in: "else", labels: web, ip: "10.0.0.2"))
        #expect(snapshot.addresses("a.example.com", port: 443) == ["10.0.0.1:443"])
    }

    @Test("A name where an address is needed is no endpoint and is reported; DNS services take it")
    func unusableAddress() {
        let vm = Make.workloadEntry("vm", labels: web, "vm.example.com")
        let still = mesh(
            Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: .static) {
                $0.workloadSelector = ["app": "web"]
            }, vm)
        #expect(still.addresses("a.example.com", port: 443).isEmpty)
        #expect(still.findings.map(\.code) == [MeshFindingCode.unusableEndpoint])
        #expect(still.findings.first?.field == "spec.address")
        let dns = mesh(
            Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: .dns) {
                $0.workloadSelector = ["app": "web"]
            }, vm)
        #expect(dns.addresses("a.example.com", port: 443) == ["vm.example.com:443"])
        #expect(dns.findings.isEmpty)
    }

    @Test("Equal endpoints have equal versions, every field counts")
    func versions() throws {
        func version(_ change: (inout WorkloadEntry) -> Void) throws -> ContentVersion {
            let snapshot = mesh(
                Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: .static) {
                    $0.endpoints = [Make.entry("10.0.0.1", change)]
                })
            return snapshot.endpoints(of: try #require(snapshot.service("a.example.com"))).version
        }
        let plain = try version { _ in }
        #expect(try plain == version { _ in })
        let others = try [
            version { $0.weight = 2 }, version { $0.labels = ["a": "b"] }, version { $0.labels = ["ab": ""] },
            version { $0.network = "n" }, version { $0.locality = "r" }, version { $0.serviceAccount = "s" },
            version { $0.address = "10.0.0.2" }, version { $0.ports = ["tls": 1] },
        ]
        #expect(Set(others + [plain]).count == others.count + 1)
    }
}
