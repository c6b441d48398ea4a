internal import Foundation
internal import Glibc

/// Files below `--state`, written so that a crash at any moment leaves the old or the new content, never a mixture.
package struct StateFolder: Sendable {
    package let path: String

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Creates the folder with mode 0700 if it is not there.
    package init(_ path: String) throws(Failure) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(description: "the state folder \(path) cannot be made: \(error.localizedDescription)")
        }
    }

    package func file(_ name: String) -> String { ManifestPath.join(path, name) }

    /// Temporary file, flush to disk, rename. Mode 0600.
    package func write(_ name: String, _ bytes: [UInt8]) throws(Failure) {
        let target = file(name)
        let temporary = "\(target).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                let problem = failure("write", temporary)
                close(descriptor)
                throw problem
            }
            written += count
        }
        guard fsync(descriptor) == 0 else {
            let problem = failure("flush", temporary)
            close(descriptor)
            throw problem
        }
        close(descriptor)
        guard rename(temporary, target) == 0 else { throw failure("rename", temporary) }
    }

    /// Waits until renames and removals in the folder are on the disk: before that a crash may keep a later one and lose
    /// an earlier one.
    package func flush() throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        let outcome = fsync(descriptor)
        let problem = failure("flush", path)
        close(descriptor)
        guard outcome == 0 else { throw problem }
    }

    /// A file that is not there is no error.
    package func remove(_ name: String) throws(Failure) {
        guard unlink(file(name)) == 0 || errno == ENOENT else { throw failure("remove", file(name)) }
    }

    package func read(_ name: String, limit: Int = 256 << 20) -> [UInt8]? {
        FolderScan.read(file(name), limit: limit)
    }

    private func failure(_ verb: String, _ path: String) -> Failure {
        Failure(description: "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}

extension StateFolder {
    /// Where state is kept when `--state` is not given.
    package static func defaultPath(_ environment: [String: String]) -> String {
        if let folder = environment["STATE_DIRECTORY"], !folder.isEmpty {
            // systemd lists several, separated by colons; the first is ours.
            return String(folder.split(separator: ":").first ?? Substring(folder))
        }
        if let folder = environment["XDG_STATE_HOME"], !folder.isEmpty { return ManifestPath.join(folder, "apus") }
        return ManifestPath.join(environment["HOME"] ?? "/var/lib", ".local/state/apus")
    }
}
