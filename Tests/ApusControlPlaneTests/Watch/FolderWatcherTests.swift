import ApusControlPlane
import Foundation
import Glibc
import Testing

@Suite(.serialized) struct FolderWatcherTests {
    let folder = TemporaryFolder()

    @Test func whatIsThereComesFirstAndAtOnceEvenIfItIsNothing() throws {
        let empty = WatchedFolder([folder.path])
        #expect(empty.begins())
        #expect(empty.seen == [[]])

        try folder.write("b.yaml", "b")
        try folder.write("a.yml", "a")
        let full = WatchedFolder([folder.path])
        #expect(full.begins())
        #expect(full.seen.first?.map(\.path) == [folder.file("a.yml"), folder.file("b.yaml")])
    }

    @Test func newChangedAndRemovedFilesAreSeen() throws {
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        try folder.write("a.yaml", "1")
        #expect(watched.becomes([folder.file("a.yaml"): "1"]))
        try folder.write("a.yaml", "22")
        #expect(watched.becomes([folder.file("a.yaml"): "22"]))
        try folder.remove("a.yaml")
        #expect(watched.becomes([:]))
        #expect(watched.seen.last == [FileChange(path: folder.file("a.yaml"), content: nil)])
    }

    @Test func aRenameOverAFileIsOneChange() throws {
        try folder.write("a.yaml", "old")
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        try folder.write(".a.yaml.tmp", "new")
        try folder.rename(".a.yaml.tmp", "a.yaml")
        #expect(watched.becomes([folder.file("a.yaml"): "new"]))
        #expect(watched.seen.count == 2)
    }

    @Test func aFileMovedAwayIsGoneAndItsNewNameIsRead() throws {
        try folder.write("a.yaml", "x")
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        try folder.rename("a.yaml", "b.json")
        #expect(watched.becomes([folder.file("b.json"): "x"]))
    }

    @Test func aSwappedDataLinkIsFollowed() throws {
        for version in ["1", "2"] {
            try folder.makeFolder("..\(version)")
            try folder.write("..\(version)/a.yaml", "a\(version)")
            try folder.write("..\(version)/same.yaml", "same")
        }
        try folder.link("..data", to: "..1")
        try folder.link("a.yaml", to: "..data/a.yaml")
        try folder.link("same.yaml", to: "..data/same.yaml")
        let watched = WatchedFolder([folder.path])
        #expect(watched.becomes([folder.file("a.yaml"): "a1", folder.file("same.yaml"): "same"]))
        try folder.swapLink("..data", to: "..2")
        #expect(watched.becomes([folder.file("a.yaml"): "a2", folder.file("same.yaml"): "same"]))
        // The other file is another inode with the same bytes: not a change.
        #expect(watched.seen.last?.map(\.path) == [folder.file("a.yaml")])
    }

    @Test func aRootThatIsALinkIsFollowedWhenItIsSwapped() throws {
        for version in ["v1", "v2"] {
            try folder.makeFolder(version)
            try folder.write("\(version)/a.yaml", version)
        }
        try folder.link("current", to: "v1")
        let watched = WatchedFolder([folder.file("current")])
        #expect(watched.becomes([folder.file("current/a.yaml"): "v1"]))
        try folder.swapLink("current", to: "v2")
        #expect(watched.becomes([folder.file("current/a.yaml"): "v2"]))
        try folder.write("v2/a.yaml", "v3")
        #expect(watched.becomes([folder.file("current/a.yaml"): "v3"]))
    }

    @Test func aLinkOnTheWayToARootIsFollowedWhenItIsSwapped() throws {
        for version in ["v1", "v2"] {
            try folder.makeFolder("\(version)/manifests")
            try folder.write("\(version)/manifests/a.yaml", version)
        }
        try folder.link("release", to: "v1")
        let watched = WatchedFolder([folder.file("release/manifests")])
        #expect(watched.becomes([folder.file("release/manifests/a.yaml"): "v1"]))
        try folder.swapLink("release", to: "v2")
        #expect(watched.becomes([folder.file("release/manifests/a.yaml"): "v2"]))
    }

    @Test func linksToFilesElsewhereAreFollowedThroughEveryStep() throws {
        try folder.makeFolder("root")
        for version in ["v1", "v2"] {
            try folder.makeFolder("store/\(version)")
            try folder.write("store/\(version)/a.yaml", version)
        }
        try folder.link("store/now", to: "v1")
        let watched = WatchedFolder([folder.file("root")])
        #expect(watched.begins())
        // The link comes while the folder is watched.
        try folder.link("root/a.yaml", to: folder.file("store/now/a.yaml"))
        #expect(watched.becomes([folder.file("root/a.yaml"): "v1"]))
        try folder.swapLink("store/now", to: "v2")
        #expect(watched.becomes([folder.file("root/a.yaml"): "v2"]))
        try folder.write("store/v2/a.yaml", "v3")
        #expect(watched.becomes([folder.file("root/a.yaml"): "v3"]))
    }

    @Test func aLinkedFolderIsReadThroughItsLinkUntilTheLinkGoes() throws {
        try folder.makeFolder("root")
        try folder.makeFolder("elsewhere")
        try folder.write("elsewhere/a.yaml", "1")
        let watched = WatchedFolder([folder.file("root")])
        #expect(watched.begins())
        try folder.link("root/more.d", to: "../elsewhere")
        #expect(watched.becomes([folder.file("root/more.d/a.yaml"): "1"]))
        try folder.write("elsewhere/a.yaml", "2")
        #expect(watched.becomes([folder.file("root/more.d/a.yaml"): "2"]))
        try folder.remove("root/more.d")
        #expect(watched.becomes([:]))
    }

    @Test func aHalfWrittenFileIsReadWhenItIsClosed() throws {
        let watched = WatchedFolder([folder.path]) { $0.writeTimeout = .seconds(3600) }
        #expect(watched.begins())
        let writer = open(folder.file("a.yaml"), O_WRONLY | O_CREAT, 0o644)
        #expect(write(writer, "half", 4) == 4)
        // Another file is not held up, and when it is seen the half file still is not.
        try folder.write("b.yaml", "b")
        #expect(watched.becomes([folder.file("b.yaml"): "b"]))
        #expect(write(writer, "+half", 5) == 5)
        close(writer)
        #expect(watched.becomes([folder.file("a.yaml"): "half+half", folder.file("b.yaml"): "b"]))
        #expect(watched.seen.joined().count { $0.path == folder.file("a.yaml") } == 1)
    }

    @Test func aFileThatNobodyClosesIsReadAfterTheTimeout() throws {
        let watched = WatchedFolder([folder.path]) { $0.writeTimeout = .milliseconds(50) }
        #expect(watched.begins())
        let writer = open(folder.file("a.yaml"), O_WRONLY | O_CREAT, 0o644)
        defer { close(writer) }
        #expect(write(writer, "text", 4) == 4)
        #expect(watched.becomes([folder.file("a.yaml"): "text"]))
    }

    @Test func aStormBecomesFewBatches() throws {
        let watched = WatchedFolder([folder.path]) {
            $0.debounce = .milliseconds(300)
            $0.patience = .seconds(3600)
        }
        #expect(watched.begins())
        var expected: [String: String] = [:]
        for number in 0..<100 {
            for text in ["first", "second"] { try folder.write("f\(number).yaml", text) }
            expected[folder.file("f\(number).yaml")] = "second"
        }
        #expect(watched.becomes(expected))
        // One batch, or a few where the machine paused between writes.
        #expect(watched.seen.count <= 10)
    }

    @Test func aNewSubFolderIsReadWithWhatIsInItAtOnce() throws {
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        try folder.makeFolder("x/y/z")
        try folder.write("x/y/z/a.yaml", "a")
        try folder.write("x/b.yaml", "b")
        #expect(watched.becomes([folder.file("x/y/z/a.yaml"): "a", folder.file("x/b.yaml"): "b"]))
        try folder.write("x/y/z/a.yaml", "aa")
        #expect(watched.becomes([folder.file("x/y/z/a.yaml"): "aa", folder.file("x/b.yaml"): "b"]))
        try folder.rename("x/y", "x/w")
        #expect(watched.becomes([folder.file("x/w/z/a.yaml"): "aa", folder.file("x/b.yaml"): "b"]))
        try folder.remove("x")
        #expect(watched.becomes([:]))
    }

    @Test func aRemovedRootKeepsItsFilesUntilItIsBack() throws {
        try folder.makeFolder("root/sub")
        try folder.makeFolder("other")
        try folder.write("root/sub/kept.yaml", "kept")
        try folder.write("root/sub/gone.yaml", "gone")
        let watched = WatchedFolder([folder.file("root"), folder.file("other")]) {
            $0.missingInterval = .milliseconds(10)
        }
        #expect(watched.begins())
        try folder.rename("root", "away")
        try folder.write("other/b.yaml", "b")
        // The batch with the other file would also say what went.
        #expect(watched.until { $0.content[folder.file("other/b.yaml")] == "b" })
        #expect(watched.content[folder.file("root/sub/kept.yaml")] == "kept")
        #expect(watched.content[folder.file("root/sub/gone.yaml")] == "gone")

        try folder.remove("away/sub/gone.yaml")
        try folder.write("away/sub/new.yaml", "new")
        try folder.rename("away", "root")
        #expect(
            watched.becomes([
                folder.file("root/sub/kept.yaml"): "kept", folder.file("root/sub/new.yaml"): "new",
                folder.file("other/b.yaml"): "b",
            ]))
        try folder.write("root/sub/new.yaml", "newer")
        #expect(watched.until { $0.content[folder.file("root/sub/new.yaml")] == "newer" })
    }

    @Test func aRootThatIsDeletedFileByFileKeepsThemToo() throws {
        try folder.makeFolder("root")
        try folder.makeFolder("other")
        try folder.write("root/a.yaml", "a")
        let watched = WatchedFolder([folder.file("root"), folder.file("other")]) { $0.debounce = .milliseconds(200) }
        #expect(watched.begins())
        try folder.remove("root")
        try folder.write("other/b.yaml", "b")
        #expect(watched.until { $0.content[folder.file("other/b.yaml")] == "b" })
        #expect(watched.content[folder.file("root/a.yaml")] == "a")
    }

    @Test func aRootThatComesLaterIsRead() throws {
        let watched = WatchedFolder([folder.file("deep/base")]) { $0.missingInterval = .milliseconds(10) }
        #expect(watched.begins())
        #expect(watched.seen == [[]])
        try folder.makeFolder("deep/base")
        try folder.write("deep/base/a.yaml", "a")
        #expect(watched.becomes([folder.file("deep/base/a.yaml"): "a"]))
    }

    @Test func aFileGivenAsRootIsWatched() throws {
        try folder.write("mesh.conf", "1")
        let watched = WatchedFolder([folder.file("mesh.conf")])
        #expect(watched.becomes([folder.file("mesh.conf"): "1"]))
        try folder.write("mesh.conf.new", "2")
        try folder.rename("mesh.conf.new", "mesh.conf")
        #expect(watched.becomes([folder.file("mesh.conf"): "2"]))
    }

    @Test func pollingSeesWhatInotifyWouldHaveTold() throws {
        try folder.makeFolder("root")
        try folder.write("root/a.yaml", "1")
        try folder.write("root/b.yaml", "b")
        let watched = WatchedFolder([folder.file("root")]) {
            $0.usesInotify = false
            $0.pollInterval = .milliseconds(10)
            $0.writeTimeout = .milliseconds(30)
        }
        #expect(watched.begins())
        try folder.write("root/a.yaml", "2")
        try folder.remove("root/b.yaml")
        try folder.makeFolder("root/sub")
        try folder.write("root/sub/c.yaml", "c")
        #expect(watched.becomes([folder.file("root/a.yaml"): "2", folder.file("root/sub/c.yaml"): "c"]))
        try folder.rename("root", "away")
        try folder.rename("away", "root")
        try folder.write("root/a.yaml", "3")
        #expect(watched.becomes([folder.file("root/a.yaml"): "3", folder.file("root/sub/c.yaml"): "c"]))
    }

    @Test func pollingLeavesAFileAloneWhileItGrows() throws {
        let watched = WatchedFolder([folder.path]) {
            $0.usesInotify = false
            $0.pollInterval = .milliseconds(5)
            $0.writeTimeout = .milliseconds(400)
        }
        #expect(watched.begins())
        let writer = open(folder.file("a.yaml"), O_WRONLY | O_CREAT, 0o644)
        #expect(write(writer, "half", 4) == 4)
        try folder.write("b.yaml", "b")
        #expect(write(writer, "+half", 5) == 5)
        close(writer)
        #expect(watched.becomes([folder.file("a.yaml"): "half+half", folder.file("b.yaml"): "b"]))
        #expect(watched.seen.joined().count { $0.path == folder.file("a.yaml") } == 1)
    }

    @Test func dotEditorAndBackupFilesAreLeftOut() throws {
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        for name in [".hidden.yaml", "a.yaml~", "#a.yaml#", "a.yaml.bak", "a.yaml.swp", "a.txt", ".#a.yaml", "4913"] {
            try folder.write(name, "no")
        }
        try folder.makeFolder(".git")
        try folder.write(".git/x.yaml", "no")
        try folder.write("A.YAML", "yes")
        #expect(watched.becomes([folder.file("A.YAML"): "yes"]))
        #expect(watched.seen.joined().count == 1)
    }

    @Test func aFileThatCannotBeReadKeepsItsLastContentAndHurtsNobody() throws {
        try folder.write("a.yaml", "1")
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        // A folder that is named like a manifest is none.
        try folder.makeFolder("sub.yaml")
        try folder.write("b.yaml", "b")
        #expect(watched.becomes([folder.file("a.yaml"): "1", folder.file("b.yaml"): "b"]))
        guard geteuid() != 0 else { return }
        #expect(chmod(folder.file("a.yaml"), 0) == 0)
        try folder.write("b.yaml", "bb")
        #expect(watched.becomes([folder.file("a.yaml"): "1", folder.file("b.yaml"): "bb"]))
    }

    @Test func touchingAFileIsNoChange() throws {
        try folder.write("a.yaml", "1")
        let watched = WatchedFolder([folder.path])
        #expect(watched.begins())
        try folder.write("a.yaml", "1")
        try folder.write("b.yaml", "b")
        #expect(watched.becomes([folder.file("a.yaml"): "1", folder.file("b.yaml"): "b"]))
        #expect(watched.seen.joined().count { $0.path == folder.file("a.yaml") } == 1)
    }

    @Test func aFileOverTheLimitIsCutOneByteAfterIt() throws {
        try folder.write("a.yaml", String(repeating: "x", count: 1000))
        let watched = WatchedFolder([folder.path]) { $0.fileSizeLimit = 100 }
        #expect(watched.begins())
        #expect(watched.seen.first?.first?.content?.count == 101)
    }
}
