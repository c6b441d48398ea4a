import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Workloads and what they serve")
struct InboundTests {
    private let web = ["app": "web"]

    private func proxy(_ name: String = "web-a", addresses: [String] = [], labels: [String: String] = [:]) -> Proxy {
        Proxy(id: "\(name).default", namespace: "default", addresses: addresses, labels: labels)
    }

    /// `service:port->target`.
    private func text(_ list: [InboundService]) -> [String] {
        list.map { "\($0.service.name):\($0.port.number)->\($0.targetPort)" }
    }

    @Test("A proxy's workload is found by address, else by name, and only in its own namespace")
    func lookup() {
        let snapshot = mesh(
            Make.pod("web-a", labels: web, ip: "10.0.0.1"), Make.pod("web-b", ip: "10.0.0.2"),
            Make.pod("far", in: "else", ip: "10.0.0.3"), Make.workloadEntry("vm", labels: web, "10.0.0.1"))
        func found(_ proxy: Proxy) -> String? { snapshot.workload(of: proxy)?.object.key.description }
        #expect(found(proxy("x", addresses: ["10.0.0.1"])) == "Pod default/web-a")
        #expect(found(proxy("web-b", addresses: ["10.9.9.9"])) == "Pod default/web-b")
        #expect(found(proxy("vm")) == "WorkloadEntry default/vm")
        #expect(found(proxy("x", addresses: ["10.0.0.3"])) == nil)
        #expect(found(proxy("far")) == nil)
    }

    @Test("Pods on the host's network are found by name, since they share an address")
    func hostNetwork() {
        let snapshot = mesh(
            Make.pod("web-a", ip: "10.0.0.1") { $0.hostNetwork = true },
            Make.pod("web-b", ip: "10.0.0.1") { $0.hostNetwork = true })
        #expect(snapshot.workload(of: proxy("web-b", addresses: ["10.0.0.1"]))?.name.name == "web-b")
        #expect(snapshot.workload(of: proxy("other", addresses: ["10.0.0.1"])) == nil)
    }

    @Test("A proxy takes labels, place and account from its workload, which replace its own")
    func describe() {
        let snapshot = mesh(
            Make.pod("web-a", labels: ["app": "web", "istio-locality": "r.z"], ip: "10.0.0.1") {
                $0.serviceAccountName = "sa"
                $0.nodeName = "n"
            })
        var own = proxy(addresses: ["10.0.0.1"], labels: ["app": "liar"])
        own.network = "net"
        let described = snapshot.describe(own)
        #expect(described.labels == ["app": "web", "istio-locality": "r.z"])
        #expect(described.locality == Locality("r/z"))
        #expect(described.serviceAccount == "sa")
        #expect(described.nodeName == "n")
        #expect(described.network == "net")
        let unknown = proxy("unknown", labels: ["app": "web"])
        #expect(snapshot.describe(unknown) == unknown)
    }

    @Test("A workload serves each target port of the services that select it, the oldest service decides")
    func targetPorts() {
        let snapshot = mesh(
            Make.pod("web-a", labels: web, ip: "10.0.0.1", ports: [("admin", 9000)]),
            Make.service(
                "young", selector: web,
                ports: [Make.port(80, "http", target: .number(8080)), Make.port(81, "extra", target: .number(8081))],
                created: 2),
            Make.service(
                "old", selector: web,
                ports: [
                    Make.port(90, "tcp", target: .number(8080)), Make.port(91, "adm", target: .name("admin")),
                    Make.port(92, "no", target: .name("missing")), Make.port(93, "udp", transport: "UDP"),
                ], created: 1),
            Make.service("other", selector: ["app": "db"]))
        let inbound = snapshot.inbound(of: proxy(addresses: ["10.0.0.1"]))
        #expect(text(inbound.services) == ["old:90->8080", "old:91->9000", "young:81->8081"])
        #expect(inbound.services.allSatisfy { $0.endpointAddress == "10.0.0.1" })
        #expect(inbound.sidecar == nil)
    }

    @Test("A pod that is not ready, or is leaving, serves all the same")
    func notReady() {
        let snapshot = mesh(
            Make.pod("web-a", labels: web, ip: "10.0.0.1") { $0.ready = false },
            Make.service("web", selector: web),
            Make.slice("web-1", of: "web", [Make.endpoint("10.0.0.1", terminating: true)]))
        #expect(text(snapshot.inbound(of: proxy()).services) == ["web:80->80"])
    }

    @Test("Services without a selector are found by the address that their slices list")
    func bySlices() {
        let snapshot = mesh(
            Make.pod("web-a", ip: "10.0.0.1"), Make.service("manual"),
            Make.slice("manual-1", of: "manual", ports: [("http", 8080)], [Make.endpoint("10.0.0.1")]))
        #expect(text(snapshot.inbound(of: proxy(addresses: ["10.0.0.1"])).services) == ["manual:80->8080"])
    }

    @Test("A proxy without a known pod is found by the labels it brings, but named target ports stay unknown")
    func byLabels() {
        let snapshot = mesh(
            Make.service(
                "web", selector: web,
                ports: [
                    Make.port(80, "http", target: .number(8080)), Make.port(81, "a", target: .name("x")),
                    Make.port(82, "same"),
                ]))
        let inbound = snapshot.inbound(of: proxy("vm", addresses: ["10.7.0.1"], labels: web))
        #expect(text(inbound.services) == ["web:80->8080", "web:82->82"])
        #expect(inbound.services.first?.endpointAddress == "10.7.0.1")
    }

    @Test("A WorkloadEntry serves the ServiceEntry and the Service that select it, on its own ports")
    func workloadEntry() {
        let snapshot = mesh(
            Make.workloadEntry("vm", labels: web, "10.0.0.9") { $0.ports = ["http": 7000] },
            Make.serviceEntry(
                "ext", hosts: ["vm.example.com"],
                ports: [Make.portSpec(80, "HTTP", "http"), Make.portSpec(90, "TCP", "tcp", target: 9090)],
                resolution: .static, created: 5
            ) { $0.workloadSelector = ["app": "web"] },
            Make.service("web", selector: web, ports: [Make.port(81, "other")], created: 9))
        #expect(
            text(snapshot.inbound(of: proxy("vm", addresses: ["10.0.0.9"])).services)
                == ["ext:80->7000", "ext:90->9090", "web:81->81"])
    }

    @Test("Sidecar.ingress replaces what services say; the services stay to name the ports")
    func ingress() {
        var ingress = Sidecar.Ingress()
        ingress.port = Make.portSpec(8080, "HTTP", "http")
        var pool = ConnectionPoolSettings()
        pool.tcp = ConnectionPoolSettings.TCP()
        let snapshot = mesh(
            Make.pod("web-a", labels: web, ip: "10.0.0.1"), Make.service("web", selector: web),
            Make.sidecar("s", selector: web) {
                $0.ingress = [ingress]
                $0.inboundConnectionPool = pool
            })
        let inbound = snapshot.inbound(of: proxy())
        #expect(inbound.services.isEmpty)
        #expect(text(inbound.selecting) == ["web:80->80"])
        #expect(inbound.ingress == [ingress])
        #expect(inbound.inboundConnectionPool == pool)
        #expect(inbound.sidecar?.metadata.name == "s")
    }

    @Test("A Sidecar without ingress leaves the services")
    func noIngress() {
        let snapshot = mesh(
            Make.pod("web-a", labels: web, ip: "10.0.0.1"), Make.service("web", selector: web),
            Make.sidecar("s", egress: [["./*"]]))
        #expect(text(snapshot.inbound(of: proxy()).services) == ["web:80->80"])
    }
}
