import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import Testing

@Suite("Compile output and references")
struct CompileOutputTests {
    private var mesh: MeshSnapshot {
        MeshFixture.mesh([
            MeshFixture.service("b", ip: "10.1.0.2", ports: [("http", 80, 8080)]),
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 80, 8080)]),
        ])
    }

    private var view: ResourceView { ResourceCompiler.view(for: MeshFixture.client(), in: mesh) }

    @Test("JSON has the five lists in a fixed order, names sorted, and opens what stands in an Any")
    func json() throws {
        let text = CompileOutput.json(view: view)
        let keys = ["listeners", "routes", "clusters", "endpoints", "secrets"]
        let places = try keys.map { try #require(text.firstRange(of: "\n  \"\($0)\": [")).lowerBound }
        #expect(places == places.sorted())
        let proxy = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
        #expect(text.contains("\"@type\": \"\(proxy)\""))
        #expect(text.contains("\"routeConfigName\": \"80\""))
        let one = try #require(text.firstRange(of: "\"name\": \"outbound|80||a.default.svc.cluster.local\"")).lowerBound
        let two = try #require(text.firstRange(of: "\"name\": \"outbound|80||b.default.svc.cluster.local\"")).lowerBound
        #expect(one < two)
    }

    @Test("Only the types asked for are printed")
    func types() {
        let text = CompileOutput.json(view: view, types: [.route])
        #expect(text.contains("\"routes\""))
        #expect(!text.contains("\"listeners\""))
    }

    @Test("YAML says the same in blocks")
    func yaml() {
        let text = CompileOutput.yaml(view: view, types: [.route, .secret])
        #expect(text.hasPrefix("routes:\n  - name: \"80\"\n    "))
        #expect(text.hasSuffix("\nsecrets: []\n"))
        #expect(text.contains("\n        domains:\n          - \"a.default.svc.cluster.local\"\n"))
    }

    @Test("Resources know the objects they came from")
    func sources() throws {
        let cluster = try #require(view.clusters.byName["outbound|80||a.default.svc.cluster.local"])
        #expect(cluster.sources == ["Service default/a"])
    }

    @Test("A clean mesh has no dangling references")
    func clean() {
        for proxy in [MeshFixture.client(), MeshFixture.client(.none), MeshFixture.router()] {
            #expect(ResourceCompiler.compile(for: proxy, in: mesh).findings == [])
        }
    }

    @Test("A destination that does not exist is a warning at the VirtualService that names it")
    func dangling() {
        let rule = MeshFixture.virtualService("a", hosts: ["a"]) { $0.http = [MeshFixture.httpTo("nowhere")] }
        let snapshot = mesh.updated(changed: [rule])
        let findings = ResourceCompiler.compile(for: MeshFixture.client(), in: snapshot).findings
        #expect(findings.map(\.code) == [CompilerFinding.danglingCluster])
        #expect(findings.map(\.object) == ["VirtualService default/a"])
        #expect(findings.first?.message.contains("outbound|80||nowhere.default.svc.cluster.local") == true)
    }
}
