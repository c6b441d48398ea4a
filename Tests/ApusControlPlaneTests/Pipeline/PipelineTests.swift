import ApusControlPlane
import ApusCore
import ApusMesh
import ApusModel
import Testing

struct PipelineTests {
    private let metrics = Metrics()
    private let logs = LogRecorder()
    private let pipeline: Pipeline

    init() {
        pipeline = Pipeline(
            options: MeshOptions(), history: nil, metrics: metrics, logger: logs.logger, analysisInterval: .zero)
    }

    private static let client = Proxy(id: "client.default", namespace: "default", addresses: ["10.0.0.1"])

    private func begin() async throws -> StreamHandle {
        await pipeline.ingest([
            Manifests.change("svc.yaml", Manifests.documents(Manifests.service("a"), Manifests.service("b"))),
            Manifests.change("slice.yaml", Manifests.slice("a", ["10.1.0.1"])),
            Manifests.change("route.yaml", Manifests.route("a", host: "a")),
        ])
        return try #require(await pipeline.attach(proxy: Self.client, peer: "ipv4:127.0.0.1:1", isDelta: true))
    }

    @Test func beforeTheFirstSnapshotNobodyIsServed() async {
        #expect(await !pipeline.isReady)
        #expect(await pipeline.attach(proxy: Self.client, peer: "", isDelta: true) == nil)
        #expect(await pipeline.findings().isEmpty)
        async let ready: Void = pipeline.whenReady()
        await pipeline.ingest([])
        await ready
        #expect(await pipeline.isReady)
        #expect(await pipeline.attach(proxy: Self.client, peer: "", isDelta: true) != nil)
    }

    @Test func theFirstSnapshotHoldsWhatTheFilesSay() async throws {
        let view = try await begin().view
        #expect(view.clusters.byName["outbound|80||a.default.svc.cluster.local"] != nil)
        #expect(view.endpoints.byName["outbound|80||a.default.svc.cluster.local"] != nil)
        #expect(view.routes.byName["80"] != nil)
    }

    @Test func theMeshConfigFileIsFollowedAndAnErrorInItKeepsTheOneBefore() async throws {
        let stream = try await begin()
        let before = stream.view
        func file(_ text: String?) -> FileChange {
            FileChange(path: "mesh.yaml", content: text.map { Array($0.utf8) })
        }
        await pipeline.follow(meshConfigFile: file("outboundTrafficPolicy: {mode: REGISTRY_ONLY}"))
        let strict = try #require(await stream.next())
        #expect(strict.routes !== before.routes)
        #expect(strict.routes.version != before.routes.version)
        await pipeline.follow(meshConfigFile: file("outboundTrafficPolicy: [wrong"))
        await pipeline.follow(meshConfigFile: file("outboundTrafficPolicy: {mode: NONSENSE}"))
        await pipeline.follow(meshConfigFile: file(nil))
        #expect(try #require(await pipeline.view(for: Self.client)).routes === strict.routes)
        #expect(await pipeline.findings().contains { $0.location.file == "mesh.yaml" && $0.severity == .error })
        // What the folder says later does not bring the defaults back.
        await pipeline.ingest([Manifests.change("more.yaml", Manifests.service("c"))])
        let more = try #require(await stream.next())
        #expect(more.clusters.byName["outbound|80||c.default.svc.cluster.local"] != nil)
        #expect(more.clusters.version != strict.clusters.version)
        await pipeline.follow(meshConfigFile: file("outboundTrafficPolicy: {mode: ALLOW_ANY}"))
        await pipeline.ingest([Manifests.change("more.yaml", nil)])
        #expect(try #require(await pipeline.view(for: Self.client)).routes.version == before.routes.version)
    }

    @Test func anEndpointChangeChangesTheEndpointSetAndNothingElse() async throws {
        let stream = try await begin()
        let before = stream.view
        await pipeline.ingest([Manifests.change("slice.yaml", Manifests.slice("a", ["10.1.0.1", "10.1.0.2"]))])
        let after = try #require(await stream.next())
        #expect(after.clusters === before.clusters)
        #expect(after.listeners === before.listeners)
        #expect(after.routes === before.routes)
        #expect(after.secrets === before.secrets)
        let difference = after.endpoints.diff(since: before.endpoints)
        #expect(difference.changed.map(\.name) == ["outbound|80||a.default.svc.cluster.local"])
        #expect(difference.removed.isEmpty)
        #expect(metrics.text().contains("pilot_push_triggers{type=\"endpoint\"} 1\n"))
    }

    @Test func onlyStreamsThatAreConcernedAreWoken() async throws {
        let stream = try await begin()
        let scope = """
            apiVersion: networking.istio.io/v1
            kind: Sidecar
            metadata: {name: default, namespace: other}
            spec:
              egress: [{hosts: ["default/b.default.svc.cluster.local"]}]

            """
        await pipeline.ingest([Manifests.change("scope.yaml", scope)])
        let other = Proxy(id: "x.other", namespace: "other", addresses: ["10.0.0.2"])
        let narrow = try #require(await pipeline.attach(proxy: other, peer: "", isDelta: true))
        let (before, beforeNarrow) = (stream.view, narrow.view)
        await pipeline.ingest([Manifests.change("slice.yaml", Manifests.slice("a", ["10.1.0.9"]))])
        #expect(stream.view.endpoints !== before.endpoints)
        #expect(narrow.view.endpoints === beforeNarrow.endpoints)
        #expect(metrics.text().contains("apus_woken_streams 1\n"))
        // And the other way round: what the narrow one sees changes.
        await pipeline.ingest([Manifests.change("b.yaml", Manifests.slice("b", ["10.2.0.1"]))])
        #expect(narrow.view.endpoints !== beforeNarrow.endpoints)
    }

    @Test func equalContentWakesNobody() async throws {
        let stream = try await begin()
        let before = stream.view
        await pipeline.ingest([
            Manifests.change(
                "svc.yaml", "# moved\n" + Manifests.documents(Manifests.service("b"), Manifests.service("a"))),
            Manifests.change("route.yaml", "\n" + Manifests.route("a", host: "a")),
        ])
        for type in ResourceType.allCases { #expect(stream.view[type] === before[type], "\(type)") }
        #expect(metrics.text().contains("apus_woken_streams 0\n"))
        // The places are the new ones all the same.
        #expect(await pipeline.location(of: "VirtualService default/a")?.position.line == 2)
    }

    @Test func aBadFileHurtsNobodyElse() async throws {
        let stream = try await begin()
        let before = stream.view
        await pipeline.ingest([
            Manifests.change("route.yaml", "a: [b\n\t- {{{"),
            Manifests.change("slice.yaml", Manifests.slice("a", ["10.1.0.7"])),
        ])
        #expect(stream.view.routes === before.routes)
        #expect(stream.view.endpoints !== before.endpoints)
        #expect(await pipeline.keptObjects.map(\.description) == ["VirtualService default/a"])
        await pipeline.ingest([Manifests.change("route.yaml", nil)])
        #expect(await pipeline.keptObjects.isEmpty)
        #expect(await pipeline.location(of: "VirtualService default/a") == nil)
    }

    @Test func aDetachedStreamEndsAndIsNotToldOfChanges() async throws {
        let stream = try await begin()
        await pipeline.detach(stream)
        #expect(await stream.next() == nil)
        #expect(await pipeline.connected.isEmpty)
        await pipeline.ingest([Manifests.change("slice.yaml", nil)])
        #expect(metrics.text().contains("apus_woken_streams 0\n"))
    }

    @Test func objectsAreFoundByWhatNACKsNameAndNothingElseIs() async throws {
        _ = try await begin()
        #expect(await pipeline.location(of: "Service default/b")?.file == "svc.yaml")
        for name in ["Service default/none", "Service", "", "Nothing default/b", "Service b", "service default/b"] {
            #expect(await pipeline.location(of: name) == nil, "\(name)")
        }
    }
}

struct PipelineMeshConfigTests {
    private static func configMap(_ mesh: String) -> String {
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio, namespace: istio-system}
        data:
          mesh: |
            \(mesh)

        """
    }

    private func pipeline(_ change: (inout MeshOptions) -> Void = { _ in }, history: HistoryKeeper? = nil) -> Pipeline {
        var options = MeshOptions()
        change(&options)
        return Pipeline(options: options, history: history, metrics: Metrics(), logger: LogRecorder.silent)
    }

    @Test func theConfigMapOfTheRootNamespaceIsReadAndFollowed() async {
        let pipeline = pipeline()
        await pipeline.ingest([Manifests.change("m.yaml", Self.configMap("proxyHttpPort: 15007"))])
        #expect(await pipeline.snapshot?.meshConfig.proxyHttpPort == 15007)
        await pipeline.ingest([Manifests.change("m.yaml", Self.configMap("proxyHttpPort: 15008"))])
        #expect(await pipeline.snapshot?.meshConfig.proxyHttpPort == 15008)
        // With an error in it the last one stays; without it the defaults are back.
        await pipeline.ingest([Manifests.change("m.yaml", Self.configMap("proxyHttpPort: many"))])
        #expect(await pipeline.snapshot?.meshConfig.proxyHttpPort == 15008)
        await pipeline.ingest([Manifests.change("m.yaml", nil)])
        #expect(await pipeline.snapshot?.meshConfig.proxyHttpPort == 0)
    }

    @Test func aFileOfItsOwnComesFirstAndTheCommandLineBeforeBoth() async {
        let pipeline = pipeline {
            $0.meshConfigFile = Manifests.change("mesh.yaml", "proxyHttpPort: 1234\ntrustDomain: file.example\n")
            $0.trustDomain = "line.example"
            $0.rootNamespace = "root"
        }
        await pipeline.ingest([Manifests.change("m.yaml", Self.configMap("proxyHttpPort: 15007"))])
        let config = await pipeline.snapshot?.meshConfig
        #expect(config?.proxyHttpPort == 1234)
        #expect(config?.trustDomain == "line.example")
        #expect(config?.rootNamespace == "root")
    }

    @Test func afterARestartWithAnErrorInItTheLastGoodOneIsInForce() async throws {
        let folder = TemporaryFolder()
        let state = try StateFolder(folder.path)
        let history = HistoryKeeper(folder: state, logger: LogRecorder.silent)
        let first = pipeline(history: history)
        await first.ingest([Manifests.change("m.yaml", Self.configMap("proxyHttpPort: 15007"))])
        await first.ingest([
            Manifests.change("m.yaml", Self.configMap("proxyHttpPort: many")),
            Manifests.change("x.yaml", Manifests.service("x")),
        ])
        await history.flush()
        let second = pipeline(history: HistoryKeeper(folder: state, logger: LogRecorder.silent))
        await second.ingest([Manifests.change("m.yaml", Self.configMap("proxyHttpPort: many"))])
        #expect(await second.snapshot?.meshConfig.proxyHttpPort == 15007)
    }
}
