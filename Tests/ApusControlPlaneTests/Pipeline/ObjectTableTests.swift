import ApusControlPlane
import ApusCore
import ApusManifest
import ApusModel
import Testing

struct ObjectTableTests {
    private var table = ObjectTable()

    private static func key(_ name: String, _ kind: Kind = .service) -> ObjectKey {
        ObjectKey(kind: kind, name: NamespacedName(namespace: "default", name: name))
    }

    private mutating func apply(_ files: (String, String?)...) -> ObjectTable.Edit {
        table.apply(files.map { Manifests.reading($0, $1) })
    }

    private func file(of name: String, _ kind: Kind = .service) -> String? {
        table.object(Self.key(name, kind))?.origin.location.file
    }

    @Test mutating func newChangedMovedAndRemovedObjectsAreTold() {
        let new = apply(("f", Manifests.documents(Manifests.service("a"), Manifests.service("b"))))
        #expect(new.rewritten.map(\.key) == [Self.key("a"), Self.key("b")])
        #expect(new.changed.map(\.key) == new.rewritten.map(\.key))

        let moved = apply(("f", "\n\n" + Manifests.documents(Manifests.service("a"), Manifests.service("b"))))
        #expect(moved.changed.map(\.key) == [Self.key("a"), Self.key("b")])
        #expect(moved.rewritten.isEmpty)
        #expect(!moved.changesContent)
        #expect(table.object(Self.key("a"))?.origin.location.position.line == 3)

        let changed = apply(("f", Manifests.service("a", port: 81)))
        #expect(changed.rewritten.map(\.key) == [Self.key("a")])
        #expect(changed.removed == [Self.key("b")])

        let gone = apply(("f", nil))
        #expect(gone.removed == [Self.key("a")])
        #expect(table.fileCount == 0 && table.objectCount == 0)
    }

    @Test mutating func theVersionIsThatOfWhatIsSaidNotOfHowOneCameThere() {
        let empty = table.version
        _ = apply(("f", Manifests.service("a")), ("g", Manifests.service("b")))
        let both = table.version
        _ = apply(("g", Manifests.service("b", port: 81)))
        #expect(table.version != both)
        _ = apply(("g", "# moved\n" + Manifests.service("b")))
        #expect(table.version == both)
        // The same objects in one file.
        _ = apply(("f", nil), ("g", nil), ("h", Manifests.documents(Manifests.service("b"), Manifests.service("a"))))
        #expect(table.version == both)
        _ = apply(("h", nil))
        #expect(table.version == empty)
    }

    @Test mutating func aDamagedObjectKeepsItsLastGoodVersionAndItsNeighboursAreTaken() {
        _ = apply(("f", Manifests.documents(Manifests.route("a", host: "one"), Manifests.service("b"))))
        let good = table.object(Self.key("a", .virtualService))
        let edit = apply(("f", Manifests.documents(Manifests.damagedRoute("a"), Manifests.service("b", port: 81))))
        #expect(edit.rewritten.map(\.key) == [Self.key("b")])
        #expect(edit.removed.isEmpty)
        #expect(table.object(Self.key("a", .virtualService)) === good)
        #expect(table.kept == [Self.key("a", .virtualService)])
        #expect(table.keptCount == 1 && table.errorCount > 0)

        // Another edit that leaves it damaged keeps the same version.
        _ = apply(("f", Manifests.documents(Manifests.damagedRoute("a"), Manifests.service("c"))))
        #expect(table.object(Self.key("a", .virtualService)) === good)
        // An object that is not in the text any more is gone.
        #expect(table.object(Self.key("b")) == nil)

        _ = apply(("f", Manifests.route("a", host: "two")))
        #expect(table.kept.isEmpty && table.keptCount == 0 && table.errorCount == 0)
        #expect(table.object(Self.key("a", .virtualService)) !== good)
    }

    @Test mutating func aDamagedObjectWithoutAnOlderVersionIsNotThere() {
        let edit = apply(("f", Manifests.documents(Manifests.damagedRoute("a"), Manifests.service("b"))))
        #expect(edit.changed.map(\.key) == [Self.key("b")])
        #expect(table.kept.isEmpty)
    }

    @Test mutating func aDocumentThatCannotBeIdentifiedKeepsEverythingThatIsMissing() {
        _ = apply(("f", Manifests.documents(Manifests.service("a"), Manifests.service("b"))))
        let edit = apply(("f", Manifests.documents("key: [1, 2\n", Manifests.service("b", port: 81))))
        #expect(edit.removed.isEmpty)
        #expect(table.object(Self.key("a")) != nil)
        #expect(table.kept.contains(Self.key("a")))
    }

    @Test mutating func ofTwoFilesTheFirstPathWinsAndTheOtherTakesOver() {
        _ = apply(("m", Manifests.service("a", port: 1)), ("z", Manifests.service("a", port: 2)))
        #expect(file(of: "a") == "m")
        let earlier = apply(("b", Manifests.service("a", port: 3)))
        #expect(earlier.rewritten.count == 1)
        #expect(file(of: "a") == "b")
        #expect(table.objectCount == 1 && table.written.count == 3)

        let hidden = apply(("z", Manifests.service("a", port: 4)))
        #expect(hidden.isEmpty)
        #expect(apply(("b", nil)).changed.count == 1)
        #expect(file(of: "a") == "m")
        #expect(apply(("m", Manifests.service("x"))).changed.map(\.key) == [Self.key("a"), Self.key("x")])
        #expect(file(of: "a") == "z")
        #expect(apply(("z", nil)).removed == [Self.key("a")])
    }

    @Test mutating func anObjectThatMovesToAnotherFileInOneBatchIsNeverGone() {
        _ = apply(("f", Manifests.service("a")))
        let edit = apply(("f", nil), ("g", Manifests.service("a")))
        #expect(edit.removed.isEmpty && edit.rewritten.isEmpty)
        #expect(file(of: "a") == "g")
    }

    @Test mutating func ofTwoObjectsInOneFileTheFirstIsInForce() {
        _ = apply(("f", Manifests.documents(Manifests.service("a", port: 1), Manifests.service("a", port: 2))))
        #expect(table.object(Self.key("a"))?.origin.location.position.line == 1)
        #expect(table.written.count == 2)
    }

    @Test mutating func afterARestartTheLastGoodTextIsAskedFor() {
        var asked: [String] = []
        let readings = [
            Manifests.reading("good", Manifests.service("g")),
            Manifests.reading("bad", Manifests.documents(Manifests.damagedRoute("a"), Manifests.service("b"))),
        ]
        let past = Manifests.reading(
            "bad", Manifests.documents(Manifests.route("a", host: "one"), Manifests.service("c"))
        ).file
        let edit = table.apply(readings) { path in
            asked.append(path)
            return past
        }
        #expect(asked == ["bad"])
        // Only what is named and damaged comes back: `c` is not in the file any more.
        #expect(edit.changed.map(\.key) == [Self.key("b"), Self.key("g"), Self.key("a", .virtualService)])
        #expect(table.kept == [Self.key("a", .virtualService)])
    }
}
