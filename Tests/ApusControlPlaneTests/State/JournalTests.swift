import ApusControlPlane
import Foundation
import Testing

struct JournalTests {
    let folder = TemporaryFolder()

    private func state() throws -> StateFolder { try StateFolder(folder.file("state")) }

    private func revision(
        _ number: Int, _ files: [Journal.FileText] = [], version: String = "v", changed: [String] = []
    ) -> Journal.Revision {
        Journal.Revision(
            number: number, time: 1000 + Double(number), version: version, changed: changed, removed: [], rejected: [],
            files: files)
    }

    private func text(_ path: String, _ text: String?, damaged: Bool = false) -> Journal.FileText {
        Journal.FileText(path: path, text: text, damaged: damaged)
    }

    @Test func appendedRevisionsAreReadBackInOrder() throws {
        let state = try state()
        var journal = Journal(folder: state)
        #expect(journal.nextNumber == 1 && journal.lastVersion == nil)
        try journal.append(
            revision(1, [text("f", "line\nline \u{2028} \"")], version: "a", changed: ["Service default/x"]))
        try journal.append(revision(2, version: "b"))
        let read = Journal.read(state)
        #expect(read.map(\.number) == [1, 2])
        #expect(read[0].files[0].text == "line\nline \u{2028} \"")
        #expect(read[0].changed == ["Service default/x"])
        let again = Journal(folder: state)
        #expect(again.nextNumber == 3 && again.lastVersion == "b")
    }

    @Test func aCutLastLineIsLeftOutAndDoesNotSwallowTheNext() throws {
        let state = try state()
        var journal = Journal(folder: state)
        try journal.append(revision(1))
        try journal.append(revision(2))
        let whole = try folder.read("state/\(Journal.name)")
        try folder.write("state/\(Journal.name)", String(whole.dropLast(9)))
        #expect(Journal.read(state).map(\.number) == [1])
        var next = Journal(folder: state)
        #expect(next.nextNumber == 2)
        try next.append(revision(2, version: "again"))
        try next.append(revision(3))
        #expect(Journal.read(state).map(\.number) == [1, 2, 3])
    }

    @Test func theTextsOfAFileAreItsLastGoodOneAndTheDamagedOnesSince() throws {
        let state = try state()
        var journal = Journal(folder: state)
        try journal.append(revision(1, [text("f", "old"), text("gone", "x"), text("bad", "bad1", damaged: true)]))
        try journal.append(revision(2, [text("f", "good"), text("gone", nil)]))
        try journal.append(revision(3, [text("f", "broken1", damaged: true)]))
        try journal.append(revision(4, [text("f", "broken2", damaged: true)]))
        let texts = Journal.texts(state)
        #expect(texts["f"]?.map(\.text) == ["good", "broken1", "broken2"])
        #expect(texts["bad"]?.map(\.text) == ["bad1"])
        #expect(texts["gone"] == nil)
    }

    @Test func compactingKeepsTheNewestRevisionsAndEveryLastGoodText() throws {
        let state = try state()
        var journal = Journal(folder: state, limit: 5, slack: 2000)
        try journal.append(revision(1, [text("stable", "never again written")]))
        try journal.append(revision(2, [text("f", "good")]))
        for number in 3...200 {
            try journal.append(revision(number, [text("f", "broken\(number)", damaged: true)], version: "v\(number)"))
        }
        let read = Journal.read(state)
        #expect(read.last?.number == 200)
        #expect(read.count < 60)
        #expect(zip(read, read.dropFirst()).allSatisfy { $0.number < $1.number })
        let texts = Journal.texts(state)
        #expect(texts["stable"]?.map(\.text) == ["never again written"])
        #expect(texts["f"]?.first?.text == "good")
        #expect(texts["f"]?.count == 1 + Journal.damagedLimit)
        #expect(texts["f"]?.last?.text == "broken200")
    }

    @Test func restartsDoNotPutOffCompacting() throws {
        let state = try state()
        for number in 1...100 {
            var journal = Journal(folder: state, limit: 3, slack: 1000)
            #expect(journal.nextNumber == number)
            try journal.append(revision(number, [text("f", "text \(number)")]))
        }
        #expect(try folder.read("state/\(Journal.name)").utf8.count < 3000)
        #expect(Journal.texts(state)["f"]?.map(\.text) == ["text 100"])
    }

    @Test func itIsReadableByItsOwnerAlone() throws {
        var journal = Journal(folder: try state())
        try journal.append(revision(1))
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("state/\(Journal.name)"))
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let parent = try FileManager.default.attributesOfItem(atPath: folder.file("state"))
        #expect((parent[.posixPermissions] as? NSNumber)?.intValue == 0o700)
    }
}

struct StateFolderTests {
    let folder = TemporaryFolder()

    @Test func whatIsWrittenIsReadAndNothingIsLeftBeside() throws {
        let state = try StateFolder(folder.file("a/b"))
        try state.write("x", Array("one".utf8))
        try state.write("x", Array("two".utf8))
        try state.write("empty", [])
        #expect(state.read("x") == Array("two".utf8))
        #expect(state.read("empty") == [])
        #expect(state.read("none") == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: state.path).sorted() == ["empty", "x"])
    }

    @Test func aFileInTheWayOfTheFolderIsAnErrorThatNamesIt() throws {
        try folder.write("file", "")
        #expect(throws: StateFolder.Failure.self) { try StateFolder(folder.file("file/state")) }
    }

    @Test func theDefaultPathFollowsTheEnvironment() {
        #expect(StateFolder.defaultPath(["STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"]) == "/var/lib/a")
        #expect(StateFolder.defaultPath(["XDG_STATE_HOME": "/x", "STATE_DIRECTORY": "", "HOME": "/h"]) == "/x/apus")
        #expect(StateFolder.defaultPath(["HOME": "/h"]) == "/h/.local/state/apus")
    }

    @Test func theRunFileIsReadBack() throws {
        let state = try StateFolder(folder.path)
        let run = RunFile(
            pid: 7, addresses: RunFile.Addresses(xds: "127.0.0.1:1", http: "[::1]:2"), version: "1", folders: ["/m"])
        try run.write(to: state)
        let read = RunFile.read(from: state)
        #expect(read?.pid == 7 && read?.addresses.http == "[::1]:2" && read?.folders == ["/m"])
        try folder.write(RunFile.name, "{")
        #expect(RunFile.read(from: state) == nil)
    }
}
