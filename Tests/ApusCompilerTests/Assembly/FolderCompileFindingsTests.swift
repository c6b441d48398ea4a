import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("What compiling says about a folder")
struct FolderCompileFindingsTests {
    private func findings(_ objects: [ConfigObject]) -> [Finding] {
        FolderCompileFindings.findings(in: MeshFixture.mesh(objects))
    }

    private func codes(_ objects: [ConfigObject]) -> [String] { findings(objects).map(\.code) }

    private let app = MeshFixture.service("app", ip: "10.1.0.1", ports: [("http", 80, 80)])
    private let gateway = MeshFixture.gateway(servers: [
        MeshFixture.server(MeshFixture.port(80, "HTTP"), hosts: ["app.example"])
    ])

    private func route(to host: String, subset: String = "", gateways: [String] = []) -> ConfigObject {
        MeshFixture.virtualService("app", hosts: ["app", "app.example"], gateways: gateways) {
            $0.http = [
                MeshFixture.httpTo("app", prefix: "/old"), MeshFixture.httpTo(host, subset: subset, port: 80),
            ]
        }
    }

    @Test("A folder in which everything leads somewhere has none")
    func good() {
        let objects = [
            app, gateway, route(to: "app", gateways: ["mesh", "my-gateway"]),
            MeshFixture.pod("app-1", app: "app", ip: "10.0.0.1"),
            MeshFixture.pod(
                "ingress-1", in: "istio-system", app: "ingress", ip: "10.0.0.8", labels: ["istio": "ingressgateway"]),
            MeshFixture.destinationRule("app", host: "app", subsets: ["v1"]),
            MeshFixture.serviceEntry("partner", hosts: ["partner.example"], ports: [("TLS", 443)], resolution: .dns),
        ]
        #expect(findings(objects) == [])
        #expect(findings([]) == [])
    }

    @Test("A destination that does not exist is said once, at its field, however many proxies have it")
    func danglingOnce() {
        let objects =
            [app, gateway, route(to: "gone", gateways: ["mesh", "my-gateway"])]
            + (1...3).map { MeshFixture.service("s", in: "n\($0)", ip: "10.2.0.\($0)", ports: [("http", 8080, 80)]) }
        let found = findings(objects)
        #expect(found.map(\.code) == [CompilerFinding.danglingCluster])
        #expect(found.first?.object == "VirtualService default/app")
        #expect(found.first?.field == "spec.http[1].route[0].destination.host")
        #expect(found.first?.severity == .warning)
    }

    @Test("Two destinations that do not exist are two findings")
    func danglingTwice() {
        let rule = MeshFixture.virtualService("app", hosts: ["app"]) {
            $0.http = [
                MeshFixture.httpTo("gone", subset: "v1", port: 80, prefix: "/1"),
                MeshFixture.httpTo("gone", subset: "v2", port: 80),
            ]
        }
        #expect(
            findings([app, rule]).compactMap(\.field)
                == ["spec.http[0].route[0].destination.host", "spec.http[1].route[0].destination.host"])
    }

    @Test("A subset that only another namespace's clients get is found for those")
    func otherNamespace() {
        // The subset's rule is for one namespace alone, so that everybody else gets 503.
        let rule = MeshFixture.destinationRule("app", host: "app", subsets: ["v1"]) { $0.exportTo = ["."] }
        let objects = [app, rule, route(to: "app", subset: "v1")]
        #expect(codes(objects) == [])
        let other = MeshFixture.service("other", in: "other", ip: "10.1.0.2", ports: [("http", 80, 80)])
        #expect(codes(objects + [other]) == [CompilerFinding.danglingCluster])
    }

    @Test("Services on one place are said once, at the port of the younger one")
    func listenerConflict() {
        let old = MeshFixture.serviceEntry("a", hosts: ["a.example"], ports: [("TCP", 9000)], resolution: .dns)
        let young = MeshFixture.serviceEntry(
            "b", hosts: ["b.example"], ports: [("TCP", 9001), ("TCP", 9000)], resolution: .dns)
        let found = findings([
            old, young, MeshFixture.service("x", in: "one", ip: "10.1.0.1", ports: [("http", 80, 80)]),
            MeshFixture.service("x", in: "two", ip: "10.1.0.2", ports: [("http", 80, 80)]),
        ])
        #expect(found.map(\.code) == [CompilerFinding.listenerConflict])
        #expect(found.first?.object == "ServiceEntry default/b")
        #expect(found.first?.field == "spec.ports[1]")
    }

    @Test("Gateways that collide are found without any pod that runs them, and with one", arguments: [false, true])
    func gatewayConflict(hasPod: Bool) {
        var objects = ["HTTP", "TCP"].enumerated().map { index, spoken in
            MeshFixture.gateway(
                index == 0 ? "old" : "young", created: Int64(index),
                servers: [MeshFixture.server(MeshFixture.port(80, spoken), hosts: ["*"])])
        }
        if hasPod {
            objects.append(
                MeshFixture.pod(
                    "g-1", in: "istio-system", app: "g", ip: "10.0.0.8", labels: ["istio": "ingressgateway"]))
        }
        let found = findings(objects)
        #expect(found.map(\.code) == [CompilerFinding.gatewayConflict])
        #expect(found.first?.object == "Gateway default/young")
    }

    @Test("A WorkloadGroup's workloads are looked at, too")
    func workloadGroup() {
        var group = WorkloadGroup()
        group.template.labels = ["tier": "edge"]
        var destination = HTTPDestination()
        destination.destination = Destination(host: "gone", port: 80)
        var match = HTTPMatch()
        match.sourceLabels = ["tier": "edge"]
        var rule = HTTPRule()
        rule.match = [match]
        rule.route = [destination]
        let route = MeshFixture.virtualService("app", hosts: ["app"]) { $0.http = [rule, MeshFixture.httpTo("app")] }
        #expect(codes([app, route]) == [])
        let member = MeshFixture.object(.workloadGroup, "edge", .workloadGroup(group))
        #expect(codes([app, route, member]) == [CompilerFinding.danglingCluster])
    }

    @Test("However many namespaces there are, the work has a bound")
    func bounded() {
        let services = (0..<200).map { index in
            MeshFixture.service("s", in: "ns\(index)", ip: "10.3.\(index).1", ports: [("http", 80, 80)])
        }
        let mesh = MeshFixture.mesh(services)
        #expect(FolderCompileFindings.proxies(of: mesh).count == 64)
        #expect(FolderCompileFindings.findings(in: mesh) == [])
    }

    @Test("The more services there are, the fewer classes are looked at")
    func boundedByServices() {
        let services = (0..<1300).map { index in
            let ip = "10.\(index / 250).\(index % 250).1"
            return MeshFixture.service("s", in: "ns\(index)", ip: ip, ports: [("http", 80, 80)])
        }
        #expect(FolderCompileFindings.proxies(of: MeshFixture.mesh(services)).count == 10)
    }

    @Test("The order of the objects does not matter")
    func order() {
        let objects = [
            app, gateway, route(to: "gone", gateways: ["mesh", "my-gateway"]),
            MeshFixture.virtualService("b", hosts: ["b.example"]) { $0.http = [MeshFixture.httpTo("lost", port: 80)] },
            MeshFixture.pod("app-1", app: "app", ip: "10.0.0.1"),
        ]
        #expect(findings(objects).count == 2)
        #expect(findings(objects) == findings(objects.reversed()))
    }
}
