internal import CoreFoundation
internal import Glibc

/// What a file was when it was last read: any write, rename over it or link swap changes one of these.
package struct FileStamp: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modifiedSeconds: Int64
    let modifiedNanoseconds: Int64
    let changedSeconds: Int64
    let changedNanoseconds: Int64
}

/// The state of a folder tree as paths and stamps.
package struct FolderListing: Sendable {
    package var files: [String: FileStamp] = [:]
    /// Every folder visited, by the path it was reached by.
    package var folders: Set<String> = []
    /// Folders elsewhere that links point into: a change there may change a file here.
    package var linkedFolders: Set<String> = []
    /// Roots that are not there (or are no folders).
    package var missingRoots: [String] = []
    /// True if the limit on files stopped the walk.
    package var isTruncated = false
}

package enum FolderScan {
    /// More files than this below one set of roots are not read.
    package static let fileLimit = 200_000
    package static let depthLimit = 64

    /// Walks the roots. A file named as a root is taken as it is, whatever its ending.
    package static func list(_ roots: [String]) -> FolderListing {
        var listing = FolderListing()
        var visited: Set<[UInt64]> = []
        for root in roots {
            guard let status = Self.status(of: root) else {
                listing.missingRoots.append(root)
                continue
            }
            if isFolder(status) {
                walk(root, status, depth: 0, &listing, &visited)
            } else if isRegular(status) {
                listing.files[root] = stamp(status)
                listing.linkedFolders.insert(parent(of: root))
            } else {
                listing.missingRoots.append(root)
            }
        }
        return listing
    }

    /// The stamp of one file, nil if it is not there or not a regular file.
    package static func stamp(of path: String) -> FileStamp? {
        guard let status = Self.status(of: path), isRegular(status) else { return nil }
        return stamp(status)
    }

    /// The bytes of a file, at most `limit` + 1 of them (so that the reader can see that it is too large); nil if it
    /// cannot be read.
    package static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = Glibc.stat()
        guard fstat(descriptor, &status) == 0, isRegular(status) else { return nil }
        // One byte more than the size: a file that grows while it is read is seen to have grown.
        var capacity = min(max(Int(status.st_size), 0), limit) + 1
        var bytes: [UInt8] = []
        while true {
            let room = capacity - bytes.count
            var failed = false
            var got = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                repeat { got = Glibc.read(descriptor, buffer.baseAddress, room) } while got < 0 && errno == EINTR
                failed = got < 0
                count = max(got, 0)
            }
            if failed { return nil }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
            if got == 0 || bytes.count > limit { return bytes }
            if bytes.count == capacity { capacity = min(capacity * 2, limit + 1) }
        }
    }

    private static func walk(
        _ folder: String, _ status: stat, depth: Int, _ listing: inout FolderListing, _ visited: inout Set<[UInt64]>
    ) {
        // A link that leads back up would walk for ever.
        guard depth < depthLimit, visited.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted else { return }
        listing.folders.insert(folder)
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if ManifestPath.isHidden(name) { continue }
            let path = ManifestPath.join(folder, name)
            let kind = entry.pointee.d_type
            let mayBeFolder = kind == DT_DIR || kind == DT_LNK || kind == DT_UNKNOWN
            let isManifest = ManifestPath.isManifest(name)
            guard mayBeFolder || isManifest, let status = Self.status(of: path) else { continue }
            if kind == DT_LNK, let target = resolved(path) { listing.linkedFolders.insert(parent(of: target)) }
            if isFolder(status) {
                walk(path, status, depth: depth + 1, &listing, &visited)
            } else if isManifest, isRegular(status) {
                guard listing.files.count < fileLimit else {
                    listing.isTruncated = true
                    return
                }
                listing.files[path] = stamp(status)
            }
        }
    }

    private static func status(of path: String) -> stat? {
        var result = Glibc.stat()
        return fstatat(AT_FDCWD, path, &result, 0) == 0 ? result : nil
    }

    private static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
    private static func isRegular(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

    private static func stamp(_ status: stat) -> FileStamp {
        FileStamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modifiedSeconds: Int64(status.st_mtim.tv_sec), modifiedNanoseconds: Int64(status.st_mtim.tv_nsec),
            changedSeconds: Int64(status.st_ctim.tv_sec), changedNanoseconds: Int64(status.st_ctim.tv_nsec))
    }
}
