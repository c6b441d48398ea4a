import ApusControlPlane
import ApusCore
import ApusModel
import Testing

/// What a new process finds of the last one.
struct RestartTests {
    let folder = TemporaryFolder()

    /// Serves the batches in a process of their own, so to speak.
    private func run(_ batches: [FileChange]...) async throws -> (Pipeline, [Journal.Revision]) {
        let state = try StateFolder(folder.file("state"))
        let history = HistoryKeeper(folder: state, logger: LogRecorder.silent)
        let pipeline = Pipeline(
            options: MeshOptions(), history: history, metrics: Metrics(), logger: LogRecorder.silent)
        for batch in batches { await pipeline.ingest(batch) }
        await history.flush()
        return (pipeline, Journal.read(state))
    }

    private func names(_ pipeline: Pipeline) async -> [String] { await pipeline.objects.map(\.key.description) }

    @Test func aBrokenFileGivesWhatItGaveWhenItWasLastGood() async throws {
        let good = Manifests.documents(Manifests.service("a"), Manifests.route("r", host: "a"))
        let broken = "kind: [Service\n" + good
        _ = try await run([Manifests.change("f", good), Manifests.change("g", Manifests.service("b"))])
        let (pipeline, _) = try await run([
            Manifests.change("f", broken), Manifests.change("g", Manifests.service("b")),
        ])
        #expect(await names(pipeline) == ["Service default/a", "Service default/b", "VirtualService default/r"])
        // The other document of the file can be read as it is.
        #expect(await pipeline.keptObjects.map(\.description) == ["Service default/a"])
    }

    @Test func anObjectThatWasGoodInADamagedTextIsNotForgotten() async throws {
        let route = Manifests.route("r", host: "a")
        _ = try await run(
            [Manifests.change("f", route)],
            // While `r` is damaged, `n` comes; then it is damaged too.
            [Manifests.change("f", Manifests.documents(Manifests.damagedRoute("r"), Manifests.route("n", host: "b")))],
            [Manifests.change("g", Manifests.service("b"))])
        let last = Manifests.documents(Manifests.damagedRoute("r"), Manifests.damagedRoute("n"))
        let (pipeline, _) = try await run([Manifests.change("f", last)])
        #expect(await names(pipeline) == ["VirtualService default/n", "VirtualService default/r"])
    }

    @Test func aFileThatComesBrokenAfterTheStartIsLookedUpToo() async throws {
        _ = try await run([Manifests.change("f", Manifests.route("r", host: "a"))])
        // It was not there at the start of the third run, but at no time did a run see it go.
        let state = try StateFolder(folder.file("state"))
        let history = HistoryKeeper(folder: state, logger: LogRecorder.silent)
        let pipeline = Pipeline(
            options: MeshOptions(), history: history, metrics: Metrics(), logger: LogRecorder.silent)
        await pipeline.ingest([Manifests.change("f", Manifests.damagedRoute("r"))])
        #expect(await names(pipeline) == ["VirtualService default/r"])
    }

    @Test func whatWasRemovedBeforeTheRestartDoesNotComeBack() async throws {
        _ = try await run([Manifests.change("f", Manifests.route("r", host: "a"))], [Manifests.change("f", nil)])
        let (pipeline, _) = try await run([Manifests.change("f", Manifests.damagedRoute("r"))])
        #expect(await names(pipeline).isEmpty)
    }

    @Test func aRestartWithoutAChangeIsNoRevision() async throws {
        let files = [Manifests.change("f", Manifests.service("a")), Manifests.change("g", Manifests.service("b"))]
        let (_, first) = try await run(files)
        let (_, second) = try await run(files)
        #expect(first.count == 1 && second.count == 1)
        #expect(first[0].changed == ["Service default/a", "Service default/b"])
    }

    @Test func aRestartRecordsWhatChangedMeanwhile() async throws {
        _ = try await run([
            Manifests.change("f", Manifests.documents(Manifests.service("a"), Manifests.service("b"))),
            Manifests.change("g", Manifests.service("c")), Manifests.change("h", Manifests.service("d")),
        ])
        let (pipeline, revisions) = try await run([
            Manifests.change("f", Manifests.documents(Manifests.service("a"), Manifests.service("n"))),
            Manifests.change("h", Manifests.service("d")),
        ])
        #expect(await names(pipeline) == ["Service default/a", "Service default/d", "Service default/n"])
        let last = try #require(revisions.last)
        #expect(last.number == 2)
        #expect(last.changed == ["Service default/n"])
        #expect(last.removed == ["Service default/b", "Service default/c"])
        #expect(last.files.map(\.path) == ["f", "g"])
        #expect(last.files.last?.text == nil)
    }

    @Test func eachRevisionNamesItsObjectsAndTheVersionOfAllInForce() async throws {
        let a = Manifests.service("a")
        let (_, revisions) = try await run(
            [Manifests.change("f", a)],
            [Manifests.change("g", Manifests.documents(Manifests.service("b"), Manifests.damagedRoute("r")))],
            // Only moved: not another snapshot.
            [Manifests.change("f", "# comment\n" + a)],
            [Manifests.change("g", nil)])
        #expect(revisions.map(\.number) == [1, 2, 3])
        #expect(revisions.map(\.changed) == [["Service default/a"], ["Service default/b"], []])
        #expect(revisions.map(\.removed) == [[], [], ["Service default/b"]])
        #expect(revisions.map(\.rejected) == [[], ["VirtualService default/r"], []])
        #expect(revisions[0].version == revisions[2].version)
        #expect(revisions[0].version != revisions[1].version)
        // What a way back needs: the text of each file as it was.
        #expect(revisions[1].files.first?.text?.contains("name: b") == true)
        #expect(revisions[2].files.map(\.text) == [nil])
    }
}
