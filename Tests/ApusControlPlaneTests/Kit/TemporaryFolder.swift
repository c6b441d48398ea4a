internal import Foundation
internal import Glibc

/// A folder that is removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("\(NSTemporaryDirectory())/apus-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }

    /// Opens, writes and closes.
    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    func append(_ name: String, _ text: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    /// Replaces what is there, in one step.
    func rename(_ old: String, _ new: String) throws {
        guard Glibc.rename(file(old), file(new)) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, file(name)) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    /// Points a link elsewhere in one step, as Kubernetes does.
    func swapLink(_ name: String, to target: String) throws {
        try link("..new-link", to: target)
        try rename("..new-link", name)
    }
}
