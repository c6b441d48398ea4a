import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Services")
struct ServiceTests {
    @Test("A Kubernetes Service is known by name, namespace and cluster domain")
    func kubernetesHost() throws {
        let service = try #require(
            mesh(
                Make.service("Reviews", in: "books", ports: [Make.port(9080, "http", target: .number(8080))]) {
                    $0.clusterIPs = ["10.1.2.3", "fd00::3"]
                }
            ).service("reviews.books.svc.cluster.local", in: "books"))
        #expect(service.addresses == ["10.1.2.3", "fd00::3"])
        #expect(service.resolution == .clientSideLB)
        #expect(service.ports == [.init(name: "http", number: 9080, protocol: .http, targetPort: 8080)])
        #expect(service.isKubernetes)
        #expect(!service.isMeshExternal)
    }

    @Test("A headless Service passes connections to the address the client chose")
    func headless() throws {
        let service = try #require(
            mesh(Make.service("db") { $0.isHeadless = true }).service("db.default.svc.cluster.local"))
        #expect(service.resolution == .passthrough)
        #expect(service.isHeadless)
        #expect(service.addresses.isEmpty)
    }

    @Test("An ExternalName Service is an alias, and its target knows it through several steps")
    func aliases() throws {
        let snapshot = mesh(
            Make.service("real"),
            Make.service("one") {
                $0.type = "ExternalName"
                $0.externalName = "real.default.svc.cluster.local"
            },
            Make.service("two") {
                $0.type = "ExternalName"
                $0.externalName = "one.default.svc.cluster.local"
            },
            Make.service("ring") {
                $0.type = "ExternalName"
                $0.externalName = "ring.default.svc.cluster.local"
            })
        let alias = try #require(snapshot.service("one.default.svc.cluster.local"))
        #expect(alias.resolution == .alias(HostName("real.default.svc.cluster.local")))
        let real = try #require(snapshot.service("real.default.svc.cluster.local"))
        #expect(real.aliases.map(\.text) == ["one.default.svc.cluster.local", "two.default.svc.cluster.local"])
        #expect(try #require(snapshot.service("ring.default.svc.cluster.local")).aliases.isEmpty)
    }

    @Test(
        "The protocol comes from transport, appProtocol, port name and number, in this order",
        arguments: [
            ("UDP", "http", "http", UInt32(80), PortProtocol.udp),
            ("TCP", "GRPC", "http", 80, .grpc),
            ("TCP", "kubernetes.io/h2c", "tcp", 80, .http2),
            ("TCP", "kubernetes.io/ws", "tcp", 80, .http),
            ("TCP", "kubernetes.io/wss", "tcp", 80, .https),
            ("TCP", nil, "http-web", 80, .http),
            ("TCP", nil, "http2", 80, .http2),
            ("TCP", nil, "grpc-web-front", 80, .grpcWeb),
            ("TCP", nil, "grpc-webby", 80, .grpc),
            ("TCP", nil, "HTTPS", 80, .https),
            ("TCP", nil, "tls-x", 80, .tls),
            ("TCP", nil, "web", 80, .auto),
            ("TCP", nil, "httpweb", 80, .auto),
            ("TCP", nil, "auto", 80, .auto),
            ("TCP", nil, "", 3306, .tcp),
            ("TCP", nil, "", 53, .tcp),
            ("TCP", nil, "http", 3306, .http),
            ("TCP", "com.example/odd", "mongo-1", 80, .mongo),
        ] as [(String, String?, String, UInt32, PortProtocol)])
    func protocolSelection(
        transport: String, appProtocol: String?, name: String, number: UInt32, expected: PortProtocol
    ) {
        #expect(
            PortProtocol(transport: transport, appProtocol: appProtocol, name: name, number: number) == expected)
    }

    @Test("A UDP port does not hide the TCP port of its number")
    func shadowedUDP() throws {
        let service = try #require(
            mesh(
                Make.service(
                    "dns",
                    ports: [
                        Make.port(53, "dns", transport: "UDP"), Make.port(53, "dns-tcp"),
                        Make.port(123, "ntp", transport: "UDP"),
                    ])
            ).service("dns.default.svc.cluster.local"))
        #expect(service.ports.map(\.name) == ["dns-tcp", "ntp"])
    }

    @Test("exportTo of a Service is an annotation, with the mesh's default behind it")
    func exportTo() throws {
        let annotation = "networking.istio.io/exportTo"
        let snapshot = mesh(
            Make.service("private", annotations: [annotation: "."]),
            Make.service("some", annotations: [annotation: "a, b"]),
            Make.service("nobody", annotations: [annotation: "~"]),
            Make.service("plain")
        ) { $0.defaultServiceExportTo = [".", "shared"] }
        func visibility(_ name: String) -> Visibility? {
            snapshot.service("\(name).default.svc.cluster.local")?.exportTo
        }
        #expect(visibility("private") == .namespaces(["default"]))
        #expect(visibility("some") == .namespaces(["a", "b"]))
        #expect(visibility("nobody") == .nobody)
        #expect(visibility("plain") == .namespaces(["default", "shared"]))
    }

    @Test("A ServiceEntry makes one service for each host, as written")
    func serviceEntry() throws {
        let snapshot = mesh(
            Make.serviceEntry(
                "ext", hosts: ["API.example.com", "*.cdn.example.com"],
                ports: [Make.portSpec(443, "HTTPS", "tls", target: 8443), Make.portSpec(80, "", "odd")],
                resolution: .static
            ) {
                $0.addresses = ["10.9.0.0/16", "0.0.0.0"]
                $0.location = .meshInternal
                $0.subjectAltNames = ["spiffe://x"]
            })
        let service = try #require(snapshot.service("api.example.com"))
        #expect(snapshot.services.map(\.host.text) == ["*.cdn.example.com", "api.example.com"])
        #expect(service.addresses == ["10.9.0.0/16"])
        #expect(service.ports.map(\.protocol) == [.https, .auto])
        #expect(service.ports.first?.targetPort == 8443)
        #expect(!service.isMeshExternal)
        #expect(!service.isKubernetes)
        #expect(service.subjectAltNames == ["spiffe://x"])
    }

    @Test(
        "The resolution of a ServiceEntry decides how its service is reached",
        arguments: [
            (ServiceEntry.Resolution.none, Service.Resolution.passthrough), (.static, .clientSideLB), (.dns, .dnsLB),
            (.dnsRoundRobin, .dnsRoundRobin), (.dynamicDNS, .dynamicDNS),
        ])
    func resolutions(written: ServiceEntry.Resolution, expected: Service.Resolution) {
        let snapshot = mesh(Make.serviceEntry("ext", hosts: ["a.example.com"], resolution: written))
        #expect(snapshot.service("a.example.com")?.resolution == expected)
    }

    @Test("Ports and endpoints of ServiceEntries with one host and namespace are merged, the oldest first")
    func mergedEntries() throws {
        let snapshot = mesh(
            Make.serviceEntry(
                "young", hosts: ["a.example.com"],
                ports: [Make.portSpec(443, "TCP", "other"), Make.portSpec(80, "HTTP", "http")],
                resolution: .static, created: 20
            ) { $0.endpoints = [Make.entry("10.0.0.2")] },
            Make.serviceEntry("old", hosts: ["a.example.com"], resolution: .static, created: 10) {
                $0.endpoints = [Make.entry("10.0.0.1")]
            })
        let service = try #require(snapshot.service("a.example.com"))
        #expect(service.name == "old")
        #expect(service.ports.map(\.name) == ["tls", "http"])
        #expect(service.sources.map(\.metadata.name) == ["old", "young"])
        #expect(snapshot.addresses("a.example.com", port: 443) == ["10.0.0.1:443", "10.0.0.2:443"])
        #expect(snapshot.addresses("a.example.com", port: 80) == ["10.0.0.2:80"])
        let finding = try #require(snapshot.findings.first)
        #expect(snapshot.findings.count == 1)
        #expect(finding.code == MeshFindingCode.droppedServicePort)
        #expect(finding.field == "spec.ports[0]")
        #expect(finding.location.file == "young.yaml")
    }

    @Test("Entries of one host that disagree on resolution do not merge: the younger is dropped and reported")
    func unmergeableEntries() throws {
        let snapshot = mesh(
            Make.serviceEntry("b", hosts: ["x.example.com", "a.example.com"], resolution: .none),
            Make.serviceEntry("a", hosts: ["a.example.com"], resolution: .dns))
        #expect(snapshot.service("a.example.com")?.sources.map(\.metadata.name) == ["a"])
        #expect(snapshot.service("x.example.com")?.sources.map(\.metadata.name) == ["b"])
        #expect(snapshot.findings.map(\.code) == [MeshFindingCode.duplicateServiceHost])
        #expect(snapshot.findings.first?.field == "spec.hosts[1]")
    }

    @Test("A Kubernetes Service stands before an older ServiceEntry of its host")
    func kubernetesFirst() throws {
        let snapshot = mesh(
            Make.service("a", created: 50),
            Make.serviceEntry("entry", hosts: ["a.default.svc.cluster.local"], created: 1))
        #expect(snapshot.service("a.default.svc.cluster.local")?.isKubernetes == true)
        #expect(snapshot.findings.map(\.code) == [MeshFindingCode.duplicateServiceHost])
    }

    @Test("Services are listed oldest first: creation time, then name, then namespace")
    func order() {
        let snapshot = mesh(
            Make.service("b", in: "y"), Make.service("b", in: "x"), Make.service("a", in: "z", created: 5),
            Make.service("c", in: "z", created: 3))
        #expect(snapshot.services.map { "\($0.name).\($0.namespace)" } == ["b.x", "b.y", "c.z", "a.z"])
    }

    @Test("An annotation that is not supported is reported")
    func annotation() {
        let snapshot = mesh(
            Make.service("a", annotations: ["alpha.istio.io/kubernetes-serviceaccounts": "x"]))
        #expect(snapshot.findings.map(\.code) == [MeshFindingCode.unsupportedAnnotation])
    }
}
