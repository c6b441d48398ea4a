// The fields of `stat` count as those of whichever of these modules the compiler happens to load first.
internal import CDispatch
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

    /// True if the file changed so recently that the clock of its file system may not have moved on: a change that comes
    /// now could leave the stamp as it is.
    var isFresh: Bool {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { return true }
        // Linux file systems count in ticks of the kernel, 10 ms at most.
        let age = (Int64(now.tv_sec) &- changedSeconds) &* 1_000_000_000 &+ (Int64(now.tv_nsec) &- changedNanoseconds)
        return age < 20_000_000
    }
}

/// The state of a folder tree as paths and stamps.
package struct FolderListing: Sendable {
    package var files: [String: FileStamp] = [:]
    /// Every folder visited, by the path it was reached by.
    package var folders: Set<String> = []
    /// What links on the way to a root, a folder or a file depend on elsewhere: names by folder. When one of them is
    /// replaced, a path here may mean another file.
    package var linkedNames: [String: Set<String>] = [:]
    /// Roots that are not there (or are no folders).
    package var missingRoots: [String] = []
    /// Folders that are there but cannot be listed.
    package var unreadableFolders: [String] = []
    /// True if the limit on files stopped the walk.
    package var isTruncated = false
}

package enum FolderScan {
    /// More files than this below one set of roots are not read.
    package static let fileLimit = 200_000
    package static let depthLimit = 64
    /// As the kernel's own limit on links in one path.
    private static let linkLimit = 40

    /// Walks the roots. A file named as a root is taken as it is, whatever its ending. A folder that two paths lead to
    /// is listed once, by the path without a link if there is one.
    package static func list(_ roots: [String]) -> FolderListing {
        var listing = FolderListing()
        var visited: Set<[UInt64]> = []
        for root in roots {
            trace(root, from: root.hasPrefix("/") ? "/" : ".", &listing)
            guard let status = Self.status(of: root) else {
                listing.missingRoots.append(root)
                continue
            }
            if isFolder(status) {
                walk(root, status, depth: 0, &listing, &visited)
            } else if isRegular(status) {
                listing.files[root] = stamp(status)
                listing.linkedNames[parent(of: root), default: []].insert(lastName(of: root))
            } else {
                listing.missingRoots.append(root)
            }
        }
        return listing
    }

    package enum Presence: Sendable {
        case present(FileStamp)
        case absent
        /// It may be there: asking failed for another reason (permissions, a file system that does not answer).
        case unknown
    }

    /// Whether a regular file is at this path, links followed.
    package static func presence(of path: String) -> Presence {
        var status = Glibc.stat()
        if fstatat(AT_FDCWD, path, &status, 0) == 0 {
            return isRegular(status) ? .present(stamp(status)) : .absent
        }
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? .absent : .unknown
    }

    /// True if a folder or a regular file is there.
    package static func isThere(_ path: String) -> Bool {
        status(of: path).map { isFolder($0) || isRegular($0) } ?? false
    }

    /// True if the path itself is a symbolic link, or another name of a file that is there already: then it appears
    /// complete, and nobody will close it.
    static func appearsComplete(_ path: String) -> (isLink: Bool, isComplete: Bool) {
        var status = Glibc.stat()
        guard fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return (false, false) }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        return (isLink, isLink || status.st_nlink > 1)
    }

    /// The devices of mounted file systems whose content may be changed on another machine, where this kernel does not
    /// see it.
    static func remoteDevices() -> Set<UInt64> {
        let remote: Set<Substring> = [
            "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "fuse", "ceph", "afs", "lustre", "gfs2", "ocfs2",
        ]
        var devices: Set<UInt64> = []
        let table = String(decoding: read("/proc/self/mountinfo", limit: 1 << 20) ?? [], as: UTF8.self)
        for line in table.split(separator: "\n") {
            // `36 35 98:0 /root /mount rw,noatime shared:1 - ext4 /dev/sda1 rw`, proc(5).
            let fields = line.split(separator: " ")
            guard fields.count > 4, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let numbers = fields[2].split(separator: ":").compactMap { UInt64($0) }
            let type = fields[dash + 1]
            guard numbers.count == 2, remote.contains(type) || type.hasPrefix("fuse.") else { continue }
            let (major, minor) = (numbers[0], numbers[1])
            devices.insert((major & ~0xFFF) << 32 | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | minor & 0xFF)
        }
        return devices
    }

    static func device(of path: String) -> UInt64? { status(of: path).map { UInt64($0.st_dev) } }

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

    // MARK: Walking

    private static func walk(
        _ folder: String, _ status: stat, depth: Int, _ listing: inout FolderListing, _ visited: inout Set<[UInt64]>
    ) {
        // A link that leads back up would walk for ever.
        guard depth < depthLimit, visited.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted else {
            return
        }
        listing.folders.insert(folder)
        guard let entries = entries(of: folder) else {
            listing.unreadableFolders.append(folder)
            return
        }
        for (name, kind) in entries {
            let path = ManifestPath.join(folder, name)
            let mayBeFolder = kind == DT_DIR || kind == DT_LNK || kind == DT_UNKNOWN
            let isManifest = ManifestPath.isManifest(name)
            guard mayBeFolder || isManifest else { continue }
            // Also a link to nothing: what it names may come.
            if kind == DT_LNK, let target = target(of: path) { trace(target, from: folder, &listing) }
            guard let status = Self.status(of: path) else { continue }
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

    /// What may be a manifest or lead to some, links last, else by name: the walk does not depend on the file system's
    /// order. nil if the folder cannot be read.
    private static func entries(of folder: String) -> [(name: String, kind: Int)]? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var entries: [(name: String, kind: Int)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !ManifestPath.isHidden(name) { entries.append((name, Int(entry.pointee.d_type))) }
        }
        let link = Int(DT_LNK)
        return entries.sorted { ($0.kind == link ? 1 : 0, $0.name) < ($1.kind == link ? 1 : 0, $1.name) }
    }

    /// Notes each link on the way along `path`, and the name it leads to at last.
    private static func trace(_ path: String, from start: String, _ listing: inout FolderListing) {
        var place = path.hasPrefix("/") ? "/" : start
        var rest: [Substring] = path.split(separator: "/").reversed()
        var links = 0
        while let name = rest.popLast() {
            if name == "." { continue }
            let next = ManifestPath.join(place, String(name))
            guard let target = target(of: next) else {
                // Only the last step, and what links led to, can be replaced by another file.
                if rest.isEmpty, links > 0 || !isFolder(at: next) {
                    listing.linkedNames[place, default: []].insert(String(name))
                }
                place = next
                continue
            }
            links += 1
            guard links <= linkLimit else { return }
            listing.linkedNames[place, default: []].insert(String(name))
            if target.hasPrefix("/") { place = "/" }
            rest.append(contentsOf: target.split(separator: "/").reversed())
        }
    }

    private static func target(of path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink(path, bytes.bindMemory(to: CChar.self).baseAddress!, bytes.count)
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private static func status(of path: String) -> stat? {
        var result = Glibc.stat()
        return fstatat(AT_FDCWD, path, &result, 0) == 0 ? result : nil
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func lastName(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func isFolder(at path: String) -> Bool { status(of: path).map(isFolder) ?? false }
    private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }
    private static func isRegular(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

    private static func stamp(_ status: stat) -> FileStamp {
        FileStamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modifiedSeconds: Int64(status.st_mtim.tv_sec), modifiedNanoseconds: Int64(status.st_mtim.tv_nsec),
            changedSeconds: Int64(status.st_ctim.tv_sec), changedNanoseconds: Int64(status.st_ctim.tv_nsec))
    }
}
