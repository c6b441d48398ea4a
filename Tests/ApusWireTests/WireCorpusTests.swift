internal import ApusWire
internal import Foundation
internal import Testing

/// The inputs that the search for faults begins with, and those that once broke something, keep every rule.
@Suite("Formats of bytes") struct WireCorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzz/corpus-wire")
    private static let files =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []

    @Test("every format has inputs")
    func complete() {
        for check in WireChecks.all {
            #expect(Self.files.contains { $0.hasPrefix(check.name + ".") }, "\(check.name)")
        }
    }

    @Test("an input of the corpus keeps every rule, and its beginnings do", arguments: files)
    func kept(file: String) throws {
        let check = try #require(WireChecks.all.first { file.hasPrefix($0.name + ".") })
        let bytes = [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(file)))
        let outcome = check.run(bytes)
        #expect(outcome.problems == [])
        #expect(!outcome.features.isEmpty, "it reaches nothing")
        for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 50)) {
            #expect(check.run(Array(bytes[..<end])).problems == [])
        }
    }
}
