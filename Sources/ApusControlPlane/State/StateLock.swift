internal import Foundation
internal import Glibc

/// A state folder belongs to one control plane at a time: two would write over each other's history. Held until the
/// process ends, however it ends.
package final class StateLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Throws: `Failure` with the id of the process that holds the folder, if it says so.
    package static func take(in folder: StateFolder) throws(StateFolder.Failure) -> StateLock {
        let path = folder.file("lock")
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StateFolder.Failure(description: "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            let problem = errno
            let holder = FolderScan.read(path, limit: 32).map { String(decoding: $0, as: UTF8.self) } ?? ""
            close(descriptor)
            guard problem == EWOULDBLOCK else {
                throw StateFolder.Failure(description: "cannot lock \(path): \(String(cString: strerror(problem)))")
            }
            let process = Int(holder).map { ", process \($0)," } ?? ""
            throw StateFolder.Failure(
                description: "another control plane\(process) uses the state folder \(folder.path); "
                    + "give this one a folder of its own with --state")
        }
        // For the message above; the lock does not depend on it.
        let text = Array(String(getpid()).utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
        return StateLock(descriptor: descriptor)
    }
}
