internal import ApusCore
internal import ApusManifest
internal import Testing

/// The invalid manifests, mutated by a seeded generator: nothing may crash. Longer runs are made outside.
@Suite struct ManifestFuzzTests {
    private static let corpus: [[UInt8]] = {
        let suites = [
            InvalidManifestTests.yaml, InvalidManifestTests.identity, InvalidManifestTests.fields,
            InvalidManifestTests.virtualService, InvalidManifestTests.destinationRule, InvalidManifestTests.gateway,
            InvalidManifestTests.serviceEntry, InvalidManifestTests.sidecar, InvalidManifestTests.security,
            InvalidManifestTests.extensions, InvalidManifestTests.kubernetes, FolderAnalysisTests.folder,
            MeshConfigFindingTests.meshConfig,
        ]
        return suites.flatMap { $0 }.map { Array($0.text.utf8) }
    }()

    @Test(arguments: 0..<8)
    func mutatedManifestsDoNotCrash(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        for _ in 0..<250 {
            guard var bytes = Self.corpus.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 1: if place < bytes.count { bytes.remove(at: place) }
                case 2:
                    let token = ["---\n", "*a", "&a ", "[", "{", "<<: ", "\n  ", "\"", "- ", ": ", "!!str ", "-1", "%"]
                        .randomElement(using: &random)
                    bytes.insert(contentsOf: Array((token ?? "").utf8), at: place)
                case 3: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
                default:
                    guard let other = Self.corpus.randomElement(using: &random) else { continue }
                    bytes.replaceSubrange(place..., with: other.suffix(other.count / 2))
                }
            }
            ManifestFuzz.run(bytes)
        }
    }

    @Test(
        arguments: [
            [], [0], [0xFF, 0xFE, 0x61, 0x00], Array("%YAML 9.9\n---\na".utf8), Array("--- --- ---".utf8),
            Array("...\n...\n".utf8), Array(String(repeating: "{", count: 100_000).utf8),
            Array(String(repeating: "- ", count: 10_000).utf8), Array(String(repeating: "? ", count: 10_000).utf8),
            Array(String(repeating: "a: &a\n", count: 1000).utf8),
        ] as [[UInt8]])
    func strangeBytesDoNotCrash(_ bytes: [UInt8]) { ManifestFuzz.run(bytes) }
}
