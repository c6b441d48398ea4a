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
    private var folders: Set<String> = []
    private var linkedNames: [String: Set<String>] = [:]

    private static let mask = UInt32(
        IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ATTRIB)

    /// nil if the kernel has no inotify or no instance left.
    init?() {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Watches exactly the folders of a listing. False if the kernel refuses some of them, or cannot see all that happens
    /// in them, so that polling must help.
    mutating func watch(_ listing: FolderListing) -> Bool {
        folders = listing.folders
        linkedNames = listing.linkedNames
        let all = folders.union(linkedNames.keys)
        for (path, watch) in watchByPath where !all.contains(path) {
            inotify_rm_watch(descriptor, watch)
            watchByPath[path] = nil
            pathByWatch[watch] = nil
        }
        var complete = true
        let remote = FolderScan.remoteDevices()
        // Adding again is cheap and catches a folder that was removed and made anew under its old name.
        for path in all {
            let watch = inotify_add_watch(descriptor, path, Self.mask)
            if watch < 0 {
                // What is not there any more is noticed by its parent, or by the next listing.
                complete = complete && (errno == ENOENT || errno == ENOTDIR)
                watchByPath[path] = nil
                continue
            }
            if !remote.isEmpty, let device = FolderScan.device(of: path), remote.contains(device) { complete = false }
            // Two paths may lead to one folder; the one that manifests are named by wins.
            if let other = pathByWatch[watch], other != path, folders.contains(other) {
                if folders.contains(path) { watchByPath[path] = watch }
                linkedNames[other, default: []].formUnion(linkedNames[path] ?? [])
                continue
            }
            if let other = pathByWatch[watch], other != path {
                linkedNames[path, default: []].formUnion(linkedNames[other] ?? [])
            }
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

    /// What the kernel has to say now. Bounded, so that a flood of notices cannot hold up what they are about.
    mutating func drain(_ body: (Notice) -> Void) {
        let capacity = 64 << 10
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
        defer { buffer.deallocate() }
        for _ in 0..<64 {
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
        func isAny(_ bits: Int32...) -> Bool { bits.contains { event.mask & UInt32(bitPattern: $0) != 0 } }
        if isAny(Int32(IN_Q_OVERFLOW)) { return .structure }
        if isAny(Int32(IN_IGNORED)) {
            // Only news if we did not end the watch ourselves.
            guard let path = pathByWatch.removeValue(forKey: event.wd) else { return nil }
            if watchByPath[path] == event.wd { watchByPath[path] = nil }
            return .structure
        }
        guard let folder = pathByWatch[event.wd] else { return nil }
        if isAny(Int32(IN_DELETE_SELF), Int32(IN_MOVE_SELF)) { return .structure }
        if linkedNames[folder]?.contains(name) == true { return .structure }
        guard folders.contains(folder) else { return nil }
        if event.mask & UInt32(IN_ISDIR) != 0 { return .structure }
        // `..data` of a mounted ConfigMap: the files are reached through it.
        if name.hasPrefix("..") { return .structure }
        guard !ManifestPath.isHidden(name) else { return nil }
        let path = ManifestPath.join(folder, name)
        let appeared = isAny(Int32(IN_CREATE), Int32(IN_MOVED_TO))
        let (isLink, isComplete) = appeared ? FolderScan.appearsComplete(path) : (false, false)
        // What a link leads to must be watched too.
        if isLink { return .structure }
        guard ManifestPath.isManifest(name) else {
            // A link to a folder that went looks like any other name that went, save that we watched it.
            return isAny(Int32(IN_MOVED_FROM), Int32(IN_DELETE)) && watchByPath[path] != nil ? .structure : nil
        }
        if isAny(Int32(IN_CREATE)) { return isComplete ? .settled(path: path) : .writing(path: path) }
        return isAny(Int32(IN_MODIFY)) ? .writing(path: path) : .settled(path: path)
    }
}
