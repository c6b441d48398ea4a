internal import ApusCore
internal import ApusDelta
internal import ApusXDSClient
internal import Foundation
internal import Testing

@Suite("Saved state on disk")
struct HeldStateFileTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-held-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path(percentEncoded: false))
    }

    private func state(_ content: String) -> HeldState {
        var state = HeldState()
        state[.cluster]["a"] = .init(version: content, body: letter(.cluster, "a", content).body)
        return state
    }

    @Test("what is saved is loaded, by the owner alone, in folders made for it")
    func roundTrip() throws {
        try withFolder { folder in
            let file = HeldStateFile(directory: folder + "/deep/er", node: "n")
            #expect(file.load() == .nothing)
            try file.save(state("1"))
            try file.save(state("2"))
            #expect(file.load() == .state(state("2")))
            let manager = FileManager.default
            #expect(try manager.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)
            #expect(try manager.attributesOfItem(atPath: file.directory)[.posixPermissions] as? Int == 0o700)
            #expect(try manager.contentsOfDirectory(atPath: file.directory) == [HeldStateFile.fileName])
        }
    }

    @Test("a leftover of a killed save is no obstacle")
    func leftover() throws {
        try withFolder { folder in
            let file = HeldStateFile(directory: folder, node: "n")
            try file.save(state("1"))
            try Data("half".utf8).write(to: URL(filePath: file.path + ".new"))
            try file.save(state("2"))
            #expect(file.load() == .state(state("2")))
        }
    }

    @Test("damage, another owner, a link or a folder in its place are told apart from nothing")
    func unusable() throws {
        try withFolder { folder in
            let file = HeldStateFile(directory: folder, node: "n")
            try file.save(state("1"))
            func reason(_ loaded: HeldStateFile.Loaded) -> String {
                if case .unusable(let reason) = loaded { reason } else { "" }
            }
            #expect(reason(HeldStateFile(directory: folder, node: "m").load()).hasSuffix("belongs to n"))
            let good = try Data(contentsOf: URL(filePath: file.path))
            try good.dropLast().write(to: URL(filePath: file.path))
            #expect(reason(file.load()).hasSuffix("is damaged"))
            try FileManager.default.removeItem(atPath: file.path)
            try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "/etc/hostname")
            #expect(!reason(file.load()).isEmpty)
            try FileManager.default.removeItem(atPath: file.path)
            try FileManager.default.createDirectory(atPath: file.path, withIntermediateDirectories: false)
            #expect(reason(file.load()).hasSuffix("is no file of ours"))
        }
    }

    @Test("a folder that cannot be made is an error with path and cause")
    func cannotSave() {
        let file = HeldStateFile(directory: "/proc/apus", node: "n")
        let failure = #expect(throws: HeldStateFile.Failure.self) { try file.save(state("1")) }
        #expect(failure?.path == "/proc/apus")
    }
}
