internal import ApusBootstrap
internal import ApusCore
internal import Foundation

/// The bootstrap on disk, read once at the start.
enum BootstrapFile {
    /// Says on stderr what is to be said; fails if the proxy cannot run from the file.
    static func read(_ path: String) throws -> Bootstrap {
        let text: [UInt8]
        do throws(TextFile.Failure) { text = try TextFile.read(path) } catch {
            throw ProgramFailure(ExitStatus.badConfiguration, "apus-proxy: --config: \(error)")
        }
        let (bootstrap, findings) = BootstrapReader.read(file: path, text: text)
        for finding in findings.sorted(by: { $0.location < $1.location }) {
            Program.complain(
                "\(finding.location): \(finding.severity.rawValue) \(finding.code) \(finding.message)"
                    + (finding.hint.map { " (\($0))" } ?? ""))
        }
        guard let bootstrap else {
            throw ProgramFailure(
                ExitStatus.badConfiguration, "apus-proxy: \(path) is not a configuration to start from")
        }
        return bootstrap
    }
}

/// A text file, with a limit.
enum TextFile {
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String
        var description: String { "cannot read \(path): \(reason)" }
    }

    /// A larger file is none of ours.
    private static let most = 64 << 20

    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(path: path, reason: String(cString: strerror(errno))) }
            if count == 0 { return result }
            guard result.count + count <= most else { throw Failure(path: path, reason: "larger than \(most) bytes") }
            result += chunk[..<count]
        }
    }
}
