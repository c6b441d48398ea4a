internal import Glibc

/// The kernel's notices of changes below a set of folders.
struct InotifyHandle: ~Copyable {
    enum Notice {
        /// A manifest was written and closed, moved in, moved away or removed.
        case settled(path: String)
        /// A manifest is being written; a notice that it was closed will follow.
        case writing(path: String)
        /// Folders came or went, a link was swapped, or notices were lost: list everything again.
        case structure
    }

    private let descriptor: Int32
    private var pathByWatch: [Int32: String] = [:]
    private var watchByPath: [String: Int32] = [:]
    private var linked: Set<String> = []

    private static let mask = UInt32(
        IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ATTRIB)

    /// nil if the kernel has no inotify or no instance left.
    init?() {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Watches exactly these folders. False if the kernel refuses some of them, so that polling must help.
    mutating func watch(folders: Set<String>, linkedFolders: Set<String>) -> Bool {
        let all = folders.union(linkedFolders)
        linked = linkedFolders.subtracting(folders)
        for (path, watch) in watchByPath where !all.contains(path) {
            inotify_rm_watch(descriptor, watch)
            watchByPath[path] = nil
            if pathByWatch[watch] == path { pathByWatch[watch] = nil }
        }
        var complete = true
        // Adding again is cheap and catches a folder that was removed and made anew under its old name.
        for path in all {
            let watch = inotify_add_watch(descriptor, path, Self.mask)
            if watch < 0 {
                complete = complete && errno == ENOENT
                watchByPath[path] = nil
                continue
            }
            // Two paths may lead to one folder; the one that manifests are named by wins.
            if let other = pathByWatch[watch], other != path, folders.contains(other) { continue }
            watchByPath[path] = watch
            pathByWatch[watch] = path
        }
        return complete
    }

    /// Waits for notices at most this long; true if there are some (or `wake` became readable).
    func wait(milliseconds: Int32, wake: Int32) -> Bool {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        return poll(&descriptors, 2, milliseconds) > 0
    }

    /// Everything the kernel has to say now.
    mutating func drain(_ body: (Notice) -> Void) {
        let capacity = 64 << 10
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer.baseAddress, capacity)
            guard count > 0 else { return }
            var offset = 0
            let header = MemoryLayout<inotify_event>.size
            while offset + header <= count {
                let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                let nameBytes = buffer[(offset + header)..<(offset + header + Int(event.len))]
                offset += header + Int(event.len)
                let name = String(decoding: nameBytes.prefix { $0 != 0 }, as: UTF8.self)
                if let notice = notice(event, name) { body(notice) }
            }
        }
    }

    private mutating func notice(_ event: inotify_event, _ name: String) -> Notice? {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return .structure }
        if event.mask & UInt32(IN_IGNORED) != 0 {
            if let path = pathByWatch.removeValue(forKey: event.wd) { watchByPath[path] = nil }
            return .structure
        }
        guard let folder = pathByWatch[event.wd] else { return nil }
        if event.mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) != 0 { return .structure }
        if event.mask & UInt32(IN_ISDIR) != 0 {
            return event.mask & UInt32(IN_ATTRIB) != 0 && event.mask & UInt32(IN_CREATE) == 0 ? nil : .structure
        }
        // In a folder that only links lead to, names mean nothing here: look at the links again.
        if linked.contains(folder) { return .structure }
        if name.hasPrefix("..") { return .structure }
        guard ManifestPath.isManifest(name) else {
            // A new link without a manifest's ending may be a link to a folder.
            return event.mask & UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) != 0
                && !ManifestPath.isHidden(name) && !name.contains(".") ? .structure : nil
        }
        let path = ManifestPath.join(folder, name)
        if event.mask & UInt32(IN_CREATE) != 0 {
            // A new link or hard link is never written and closed; a new file will be.
            return .writing(path: path)
        }
        return event.mask & UInt32(IN_MODIFY) != 0 ? .writing(path: path) : .settled(path: path)
    }
}
