internal import Foundation

/// Files of the state folder: whole or not there, for the owner alone from their first moment, and on disk when the write
/// returns.
package enum StateFile {
    package struct Failure: Error, CustomStringConvertible {
        package let operation: String
        package let path: String
        package let code: Int32

        package var description: String { "\(operation) \(path): \(String(cString: strerror(code)))" }
    }

    /// Temporary file, sync, rename; the folder and its missing parents are made.
    package static func write(_ bytes: [UInt8], _ name: String, in directory: String) throws(Failure) {
        try make(directory)
        let path = directory + "/" + name
        let temporary = path + ".new"
        // A leftover of a run that was killed in the middle of a save.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("create", temporary) }
        do throws(Failure) {
            try write(bytes, to: descriptor, temporary)
            guard fsync(descriptor) == 0 else { throw failure("sync", temporary) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0 else { throw failure("close", temporary) }
        guard rename(temporary, path) == 0 else { throw failure("rename", temporary) }
        // The name must be on disk too, or a power cut brings the old file back.
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", directory) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync", directory) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return Foundation.write(descriptor, base + done, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            done += count
        }
    }

    /// The state directory and its missing parents, for the owner alone.
    private static func make(_ directory: String) throws(Failure) {
        var current = directory.hasPrefix("/") ? "/" : ""
        for part in directory.split(separator: "/") {
            current += part
            if mkdir(current, 0o700) != 0, errno != EEXIST { throw failure("create", current) }
            current += "/"
        }
    }

    private static func failure(_ operation: String, _ path: String) -> Failure {
        Failure(operation: operation, path: path, code: errno)
    }
}
