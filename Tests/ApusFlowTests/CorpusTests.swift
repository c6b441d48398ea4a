internal import ApusFlow
internal import Testing

/// Every manifest of the fuzzer's corpus, and of the example, goes the whole way again: those that once broke something
/// must not break it a second time.
@Suite struct CorpusTests {
    private static let check = FlowCheck()
    private static let files = Folder.manifests("Tests/Fuzz/corpus") + Folder.manifests("Examples/bookstore/manifests")

    @Test func `the base mesh is sound and the corpus is there`() {
        #expect(Self.check.baseProblems == [])
        #expect(Self.files.count >= 15)
    }

    @Test(arguments: files)
    func `a manifest of the corpus keeps every rule, twice alike`(path: String) throws {
        let bytes = try Folder.bytes(path)
        let outcome = Self.check.run(bytes, thorough: true)
        #expect(outcome.problems == [])
        #expect(Self.check.run(bytes, thorough: true).digest == outcome.digest)
    }

    /// Without this, a check that looks at nothing would pass.
    @Test func `the manifests of the corpus that are meant to be good are compiled`() throws {
        for name in [
            "virtualservice-http", "destinationrule", "serviceentry", "sidecar", "gateway", "kubernetes",
            "dynamic-hosts",
        ] {
            let outcome = Self.check.run(try Folder.bytes("Tests/Fuzz/corpus/\(name).yaml"), thorough: false)
            #expect(outcome.objects > 0, "\(name)")
            #expect(outcome.resources > 100, "\(name)")
        }
    }
}
