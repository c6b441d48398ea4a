package import ApusDelta
internal import Foundation

/// The last acknowledged configuration of a proxy on disk.
///
/// A save writes a temporary file beside the final one, syncs it and renames it over, so a reader finds the old state
/// or the new, never a part. The content may hold secrets, so only the owner may read it.
package struct HeldStateFile: Sendable {
    /// What a load found.
    package enum Loaded: Equatable, Sendable {
        case state(HeldState)
        /// No earlier run has saved anything.
        case nothing
        /// The file cannot be used, and why.
        case unusable(String)
    }

    package typealias Failure = StateFile.Failure

    package static let fileName = "last-acknowledged.xds"
    /// A larger file is not ours.
    private static let most = 1 << 30

    package let directory: String
    /// The id of the node that the state belongs to.
    package let node: String

    package init(directory: String, node: String) {
        self.directory = directory
        self.node = node
    }

    package var path: String { directory + "/" + Self.fileName }

    package func load() -> Loaded {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return errno == ENOENT ? .nothing : .unusable(failure("open", path).description) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .unusable(failure("stat", path).description) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.most else {
            return .unusable("\(path) is no file of ours")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return read(descriptor, base + filled, buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return .unusable(failure("read", path).description) }
            filled += count
        }
        do {
            return .state(try HeldStateCodec.decode(bytes, node: node))
        } catch {
            switch error {
            case .notOurs: return .unusable("\(path) is no saved state")
            case .otherForm(let form): return .unusable("\(path) has form \(form), which this version does not read")
            case .damaged: return .unusable("\(path) is damaged")
            case .otherNode(let other): return .unusable("\(path) belongs to \(other)")
            }
        }
    }

    package func save(_ state: HeldState) throws(Failure) {
        try StateFile.write(HeldStateCodec.encode(state, node: node), Self.fileName, in: directory)
    }

    private func failure(_ operation: String, _ path: String) -> Failure {
        Failure(operation: operation, path: path, code: errno)
    }
}
