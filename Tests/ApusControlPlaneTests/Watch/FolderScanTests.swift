import ApusControlPlane
import Testing

struct FolderScanTests {
    let folder = TemporaryFolder()

    @Test func manifestsOfAllDepthsAreListedAndNothingElse() throws {
        try folder.makeFolder("a/b")
        for name in ["x.yaml", "a/y.YML", "a/b/z.json", "a/readme.md", ".x.yaml", "a/b/z.json~"] {
            try folder.write(name, "")
        }
        let listing = FolderScan.list([folder.path])
        #expect(
            listing.files.keys.sorted() == [folder.file("a/b/z.json"), folder.file("a/y.YML"), folder.file("x.yaml")])
        #expect(listing.folders == [folder.path, folder.file("a"), folder.file("a/b")])
        #expect(!listing.isTruncated)
    }

    @Test func aLinkThatLeadsBackUpIsNotWalkedAgain() throws {
        try folder.makeFolder("a")
        try folder.write("a/x.yaml", "")
        try folder.link("a/up", to: "..")
        #expect(FolderScan.list([folder.path]).files.keys.sorted() == [folder.file("a/x.yaml")])
    }

    @Test func aFolderWithTwoNamesIsListedByTheOneThatIsNoLink() throws {
        try folder.makeFolder("z-real")
        try folder.write("z-real/x.yaml", "")
        try folder.link("a-link", to: "z-real")
        #expect(FolderScan.list([folder.path]).files.keys.sorted() == [folder.file("z-real/x.yaml")])
    }

    @Test func brokenLinksAndLinksToThemselvesAreNoFiles() throws {
        try folder.link("broken.yaml", to: "nothing.yaml")
        try folder.link("loop.yaml", to: "loop.yaml")
        let listing = FolderScan.list([folder.path])
        #expect(listing.files.isEmpty)
        // What the broken link names may come.
        #expect(listing.linkedNames[folder.path]?.contains("nothing.yaml") == true)
    }

    @Test func aMissingRootIsSaidAndTheOthersAreRead() throws {
        try folder.write("x.yaml", "")
        let listing = FolderScan.list([folder.file("none"), folder.path])
        #expect(listing.missingRoots == [folder.file("none")])
        #expect(listing.files.count == 1)
    }

    @Test func theSameRootTwiceIsReadOnce() throws {
        try folder.write("x.yaml", "")
        #expect(FolderScan.list([folder.path, folder.path + "/"]).files.count == 1)
    }

    @Test func presenceTellsAbsentFromPresent() throws {
        try folder.write("x.yaml", "")
        try folder.makeFolder("d.yaml")
        guard case .present = FolderScan.presence(of: folder.file("x.yaml")) else {
            Issue.record("the file is there")
            return
        }
        for name in ["none.yaml", "d.yaml", "x.yaml/below"] {
            guard case .absent = FolderScan.presence(of: folder.file(name)) else {
                Issue.record("\(name) is no file")
                continue
            }
        }
    }

    @Test(arguments: [0, 1, 99, 100, 101, 5000]) func readingStopsOneByteAfterTheLimit(size: Int) throws {
        try folder.write("x.yaml", String(repeating: "x", count: size))
        #expect(FolderScan.read(folder.file("x.yaml"), limit: 100)?.count == min(size, 101))
    }

    @Test func whatIsNoRegularFileIsNotRead() throws {
        #expect(FolderScan.read(folder.path, limit: 100) == nil)
        #expect(FolderScan.read(folder.file("none"), limit: 100) == nil)
        #expect(FolderScan.read("/dev/zero", limit: 100) == nil)
    }
}
