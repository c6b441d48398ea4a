import ApusControlPlane
import ApusCore
import ApusDelta
import ApusMesh
import Foundation
import Testing

struct DebugPagesTests {
    private let pipeline: Pipeline
    private let pages: DebugPages

    init() {
        let metrics = Metrics()
        pipeline = Pipeline(options: MeshOptions(), history: nil, metrics: metrics, logger: LogRecorder.silent)
        pages = DebugPages(pipeline: pipeline, metrics: metrics, version: "1.2.3")
    }

    private func get(_ uri: String, method: String = "GET", isLocal: Bool = true) async -> Page {
        await pages.answer(PageRequest(method: method, uri: uri, isLocal: isLocal))
    }

    private func json(_ uri: String) async throws -> Any {
        let page = await get(uri)
        try #require(page.status == 200, "\(uri): \(page.status)")
        return try JSONSerialization.jsonObject(with: Data(page.body))
    }

    private func rows(_ uri: String) async throws -> [[String: Any]] {
        try #require(try await json(uri) as? [[String: Any]])
    }

    private func serve() async {
        await pipeline.ingest([
            Manifests.change(
                "mesh.yaml",
                Manifests.documents(
                    Manifests.service("a"), Manifests.slice("a", ["10.1.0.1", "10.1.0.2"]),
                    Manifests.route("r", host: "a"), Manifests.damagedRoute("bad"))),
            Manifests.change(
                "secret.yaml",
                """
                apiVersion: v1
                kind: Secret
                metadata: {name: cert}
                type: kubernetes.io/tls
                stringData: {tls.key: topsecretkey, tls.crt: publicchain}

                """),
        ])
    }

    @Test func readyFollowsTheFirstSnapshot() async {
        #expect(await get("/ready").status == 503)
        await pipeline.ingest([])
        #expect(await get("/ready").status == 200)
    }

    @Test func pagesAnswerBeforeTheFirstSnapshot() async throws {
        for path in ["syncz", "configz", "registryz", "endpointz", "connections", "push_status"] {
            _ = try await json("/debug/\(path)")
        }
        #expect(await get("/metrics").status == 200)
    }

    @Test func unknownPagesAndMethodsAreRefused() async {
        #expect(await get("/none").status == 404)
        #expect(await get("/debug/none").status == 404)
        #expect(await get("/ready", method: "POST").status == 405)
        #expect(await get("/ready", method: "HEAD").status == 503)
    }

    @Test func fromElsewhereOnlyHealthAndMetricsAreAnswered() async {
        await serve()
        for path in [
            "/debug", "/debug/syncz", "/debug/configz", "/debug/registryz", "/debug/endpointz", "/debug/connections",
            "/debug/push_status", "/debug/config_dump?proxyID=a.b", "/debug/none",
        ] {
            let page = await get(path, isLocal: false)
            #expect(page.status == 403, "\(path)")
            #expect(String(decoding: page.body, as: UTF8.self).contains("loopback"))
        }
        for path in ["/ready", "/metrics", "/version"] { #expect(await get(path, isLocal: false).status == 200) }
    }

    @Test func theRegistryTellsEachServiceWithItsPlace() async throws {
        await serve()
        let row = try #require(try await rows("/debug/registryz").first)
        #expect(row["hostname"] as? String == "a.default.svc.cluster.local")
        #expect(row["registry"] as? String == "Kubernetes")
        #expect(row["resolution"] as? String == "ClientSideLB")
        #expect(row["exportTo"] as? [String] == ["*"])
        #expect(row["endpoints"] as? Int == 2)
        #expect(row["selector"] as? [String: String] == ["app": "a"])
        #expect(row["sources"] as? [String] == ["mesh.yaml:1:1"])
        let port = try #require((row["ports"] as? [[String: Any]])?.first)
        #expect(port["number"] as? Int == 80)
        #expect(port["protocol"] as? String == "HTTP")
    }

    @Test func theEndpointsOfEachPortAreTold() async throws {
        await serve()
        let row = try #require(try await rows("/debug/endpointz").first)
        let port = try #require((row["ports"] as? [[String: Any]])?.first)
        #expect(port["port"] as? Int == 80)
        let endpoints = try #require(port["endpoints"] as? [[String: Any]])
        #expect(endpoints.compactMap { $0["address"] as? String }.sorted() == ["10.1.0.1", "10.1.0.2"])
        #expect(endpoints.allSatisfy { $0["port"] as? Int == 8080 })
    }

    @Test func configzTellsObjectsFindingsAndWhatIsKept() async throws {
        await serve()
        await pipeline.ingest([
            Manifests.change("mesh.yaml", Manifests.documents(Manifests.service("a"), Manifests.damagedRoute("r")))
        ])
        let page = try #require(try await json("/debug/configz") as? [String: Any])
        let objects = try #require(page["objects"] as? [[String: Any]])
        #expect(objects.compactMap { $0["name"] as? String } == ["cert", "a", "r"])
        #expect(objects.compactMap { $0["lastGood"] as? Bool } == [false, false, true])
        let findings = try #require(page["findings"] as? [[String: Any]])
        #expect(findings.contains { ($0["location"] as? String)?.hasPrefix("mesh.yaml:") == true })
        let status = try #require(try await json("/debug/push_status") as? [String: Any])
        #expect(Set(status.keys) == Set(findings.compactMap { $0["code"] as? String }))
    }

    @Test func noPageHoldsWhatIsInASecret() async throws {
        await serve()
        let proxy = Proxy(id: "p.default", namespace: "default", addresses: ["10.0.0.1"])
        _ = await pipeline.attach(proxy: proxy, peer: "", isDelta: true)
        for path in ["syncz", "configz", "registryz", "endpointz", "push_status", "config_dump?proxyID=p.default"] {
            let text = String(decoding: await get("/debug/\(path)").body, as: UTF8.self)
            #expect(!text.contains("topsecretkey") && !text.contains("dG9wc2VjcmV0a2V5"), "\(path)")
        }
    }

    @Test func streamsAreToldWithWhatTheyWereSent() async throws {
        await serve()
        let proxy = Proxy(id: "p.default", namespace: "default", addresses: ["10.0.0.1"])
        let stream = try #require(await pipeline.attach(proxy: proxy, peer: "ipv4:127.0.0.1:5", isDelta: false))
        let row = try #require(try await rows("/debug/syncz").first)
        #expect(row["proxy"] as? String == "p.default")
        #expect(row["protocol"] as? String == "sotw")
        #expect((row["cluster"] as? [String: Any])?["state"] as? String == "NOT SENT")
        let connections = try #require(try await json("/debug/connections") as? [String: Any])
        #expect(connections["total"] as? Int == 1)

        for id in ["p.default", stream.nodeID] {
            let escaped = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let dump = try #require(try await json("/debug/config_dump?proxyID=\(escaped)") as? [String: Any])
            #expect(Set(dump.keys) == ["listeners", "routes", "clusters", "endpoints", "secrets"])
        }
        let clusters = try #require(
            try await json("/debug/config_dump?proxyID=p.default&type=cds") as? [String: Any])
        #expect(Set(clusters.keys) == ["clusters"])
        #expect(await get("/debug/config_dump").status == 400)
        #expect(await get("/debug/config_dump?proxyID=none").status == 404)
        #expect(await get("/debug/config_dump?proxyID=p.default&type=xyz").status == 400)
    }

    @Test func queriesAreTakenApart() {
        let request = PageRequest(method: "GET", uri: "/a%20b?x=1%262&y=a+b&z&x=3", isLocal: true)
        #expect(request.path == "/a%20b")
        #expect(request.query == ["x": "3", "y": "a b", "z": ""])
        #expect(PageRequest(method: "GET", uri: "", isLocal: true).query.isEmpty)
    }
}
