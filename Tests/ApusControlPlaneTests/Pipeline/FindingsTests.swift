import ApusControlPlane
import ApusCore
import Logging
import Testing

struct FindingsTests {
    private let logs = LogRecorder()
    private let pipeline: Pipeline

    init() {
        pipeline = Pipeline(
            options: MeshOptions(), history: nil, metrics: Metrics(), logger: logs.logger, analysisInterval: .zero)
    }

    private var said: [String] { logs.lines(.error) + logs.lines(.warning) }

    @Test func whatIsWrongBetweenFilesIsLoggedOnceWhenItAppears() async {
        await pipeline.ingest([Manifests.change("r.yaml", Manifests.route("r", host: "nowhere"))])
        let findings = await pipeline.findings()
        #expect(findings.contains { $0.code == "IST0101" })
        let first = said
        #expect(first.contains { $0.hasPrefix("r.yaml:") && $0.contains("IST0101") })

        // Moved and beside new content: nothing to say again.
        await pipeline.ingest([
            Manifests.change("r.yaml", "# comment\n\n" + Manifests.route("r", host: "nowhere")),
            Manifests.change("s.yaml", Manifests.service("s")),
        ])
        _ = await pipeline.findings()
        #expect(said == first)

        await pipeline.ingest([Manifests.change("t.yaml", Manifests.route("t", host: "nobody"))])
        _ = await pipeline.findings()
        #expect(said.count > first.count)
        #expect(said.dropFirst(0).filter { !first.contains($0) }.allSatisfy { $0.contains("t.yaml") })
    }

    @Test func whatCameBackAfterItWasSolvedIsSaidAgain() async {
        await pipeline.ingest([Manifests.change("r.yaml", Manifests.damagedRoute("r"))])
        _ = await pipeline.findings()
        let count = said.count
        #expect(count > 0)
        await pipeline.ingest([Manifests.change("r.yaml", nil)])
        #expect(await pipeline.findings().isEmpty)
        #expect(logs.lines(.info).contains { $0.contains("resolved") })
        await pipeline.ingest([Manifests.change("r.yaml", Manifests.damagedRoute("r"))])
        _ = await pipeline.findings()
        #expect(said.count == 2 * count)
    }

    @Test func aFolderFullOfMistakesIsSummedUp() async {
        await pipeline.ingest((0..<200).map { Manifests.change("f\($0).yaml", Manifests.damagedRoute("r\($0)")) })
        #expect(await pipeline.findings().count >= 200)
        #expect(said.count == 51)
        #expect(logs.lines(.warning).contains { $0.contains("more=") })
    }

    @Test func theyAreLoggedWithoutBeingAskedFor() async {
        let (lines, continuation) = AsyncStream<Void>.makeStream()
        let recorder = LogRecorder { if $0 == .error { continuation.yield() } }
        let pipeline = Pipeline(
            options: MeshOptions(), history: nil, metrics: Metrics(), logger: recorder.logger)
        await pipeline.ingest([Manifests.change("r.yaml", Manifests.damagedRoute("r"))])
        for await _ in lines { break }
        #expect(recorder.lines(.error).contains { $0.hasPrefix("r.yaml:") })
    }
}
