internal import ApusCore
internal import Foundation
internal import Glibc
package import Logging
internal import Synchronization

/// One file as it is now; `content` nil means it is gone.
package struct FileChange: Sendable, Hashable {
    package let path: String
    package let content: [UInt8]?

    package init(path: String, content: [UInt8]?) {
        self.path = path
        self.content = content
    }
}

/// Watches folders of manifests and hands over what changed, merged.
///
/// 1. A change is handed over after `debounce` without further changes, or after `patience` at the latest.
/// 2. A file that is being written is left alone until it is closed, or unchanged for `writeTimeout`.
/// 3. When folders come or go, links are swapped or notices are lost, everything is listed again; only files whose
///    stamp changed are read, and only those whose bytes changed are handed over.
/// 4. Without inotify, and for what it cannot see (network file systems), the folders are listed every `pollInterval`.
/// 5. While a root is missing its files are left as they were: a folder that is being replaced must not empty a mesh.
///    The same holds for a file that is there and cannot be read.
package final class FolderWatcher: Sendable {
    package struct Options: Sendable {
        package var debounce: Duration = .milliseconds(10)
        package var patience: Duration = .seconds(1)
        package var writeTimeout: Duration = .seconds(1)
        package var pollInterval: Duration = .seconds(5)
        package var fileSizeLimit = 8 << 20
        package var usesInotify = true
        /// How often a missing root is looked for.
        package var missingInterval: Duration = .milliseconds(200)
        package init() {}
    }

    private let roots: [String]
    private let options: Options
    private let logger: Logger
    private let handler: @Sendable ([FileChange]) -> Void
    private let stopped = Mutex(false)
    private let wakeRead: Int32
    private let wakeWrite: Int32

    /// - Parameter handler: called on the watcher's thread, first with everything that is there.
    package init(
        roots: [String], options: Options = Options(), logger: Logger,
        handler: @escaping @Sendable ([FileChange]) -> Void
    ) {
        self.roots = roots
        self.options = options
        self.logger = logger
        self.handler = handler
        var pipe: [Int32] = [-1, -1]
        _ = Glibc.pipe(&pipe)
        for descriptor in pipe { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        wakeRead = pipe[0]
        wakeWrite = pipe[1]
    }

    deinit {
        close(wakeRead)
        close(wakeWrite)
    }

    package func start() {
        let thread = Thread { [self] in run() }
        thread.name = "apus-watch"
        thread.start()
    }

    package func stop() {
        stopped.withLock { $0 = true }
        var byte: UInt8 = 1
        _ = write(wakeWrite, &byte, 1)
    }

    private func run() {
        var loop = Loop(watcher: self)
        loop.begin()
        while !stopped.withLock({ $0 }) { loop.turn() }
    }

    /// The watcher's state, confined to its thread.
    private struct Loop: ~Copyable {
        /// A file as it was handed over.
        struct Known {
            var stamp: FileStamp
            /// Digest of the bytes.
            var digest: UInt64
            /// Read so soon after its last change that another one may carry the same time.
            var isFresh: Bool
        }

        /// A file that somebody may still be writing.
        struct Writing {
            var since: ContinuousClock.Instant
            /// Where nobody tells of writes: what it was when it was last looked at.
            var stamp: FileStamp?
        }

        let watcher: FolderWatcher
        var handle: InotifyHandle?
        var known: [String: Known] = [:]
        var dirty: Set<String> = []
        /// Those of `dirty` that the kernel named: they are read even if their stamp is the old one.
        var told: Set<String> = []
        var writing: [String: Writing] = [:]
        var mustList = true
        var hasBegun = false
        /// The kernel does not tell everything.
        var needsPolling = true
        var missing: Set<String> = []
        /// Files and folders that cannot be read, as was said once.
        var unreadable: Set<String> = []
        var unlisted: [String] = []
        /// The first and the last change that waits to be handed over.
        var firstNotice: ContinuousClock.Instant?
        var lastNotice: ContinuousClock.Instant?
        var lastListing = ContinuousClock.now
        var lastSearch = ContinuousClock.now

        init(watcher: FolderWatcher) {
            self.watcher = watcher
            handle = watcher.options.usesInotify ? InotifyHandle() : nil
        }

        /// Everything that is there is handed over at once, even if it is nothing.
        mutating func begin() {
            watcher.handler(collect())
            hasBegun = true
        }

        mutating func turn() {
            let pause = pauseMilliseconds(ContinuousClock.now)
            if handle != nil {
                if handle!.wait(milliseconds: pause, wake: watcher.wakeRead) { take() }
            } else {
                var descriptor = pollfd(fd: watcher.wakeRead, events: Int16(POLLIN), revents: 0)
                _ = poll(&descriptor, 1, pause)
            }
            let now = ContinuousClock.now
            if needsPolling, now - lastListing >= watcher.options.pollInterval { mustList = true }
            if !missing.isEmpty, now - lastSearch >= watcher.options.missingInterval {
                lastSearch = now
                // Only the missing roots are looked for: listing the others would cost what their files cost.
                mustList = mustList || missing.contains(where: FolderScan.isThere)
            }
            settle(now)
            guard !dirty.isEmpty || mustList else { return }
            let quiet = lastNotice.map { now - $0 >= watcher.options.debounce } ?? true
            let late = firstNotice.map { now - $0 >= watcher.options.patience } ?? true
            guard quiet || late else { return }
            let changes = collect()
            if !changes.isEmpty { watcher.handler(changes) }
        }

        /// Files that were not written to for long enough are read although nobody closed them.
        private mutating func settle(_ now: ContinuousClock.Instant) {
            var settled: [String] = []
            var busy: [(String, FileStamp)] = []
            for (path, state) in writing where now - state.since >= watcher.options.writeTimeout {
                if let old = state.stamp, case .present(let new) = FolderScan.presence(of: path), new != old {
                    busy.append((path, new))
                } else {
                    settled.append(path)
                }
            }
            for path in settled { writing[path] = nil }
            for (path, stamp) in busy { writing[path] = Writing(since: now, stamp: stamp) }
            dirty.formUnion(settled)
        }

        private func pauseMilliseconds(_ now: ContinuousClock.Instant) -> Int32 {
            var pause: Duration = .seconds(60)
            if !dirty.isEmpty || mustList {
                pause = lastNotice.map { watcher.options.debounce - (now - $0) } ?? .zero
            }
            if needsPolling { pause = min(pause, watcher.options.pollInterval - (now - lastListing)) }
            if !missing.isEmpty { pause = min(pause, watcher.options.missingInterval - (now - lastSearch)) }
            for state in writing.values { pause = min(pause, watcher.options.writeTimeout - (now - state.since)) }
            let (seconds, attoseconds) = max(pause, .zero).components
            // Rounded up, or the loop would spin through the last fraction of a millisecond.
            return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
        }

        private mutating func take() {
            var structure = false
            var settled: Set<String> = []
            var open: Set<String> = []
            handle!.drain { notice in
                switch notice {
                case .structure: structure = true
                case .settled(let path):
                    settled.insert(path)
                    open.remove(path)
                case .writing(let path): open.insert(path)
                }
            }
            let now = ContinuousClock.now
            for path in settled {
                writing[path] = nil
                dirty.insert(path)
                told.insert(path)
            }
            for path in open { writing[path] = Writing(since: now, stamp: nil) }
            mustList = mustList || structure
            // A file that is being written holds up nobody else.
            guard structure || !settled.isEmpty else { return }
            lastNotice = now
            firstNotice = firstNotice ?? now
        }

        private mutating func collect() -> [FileChange] {
            firstNotice = nil
            lastNotice = nil
            if mustList { list() }
            let paths = dirty.subtracting(writing.keys).filter { !isLost($0) }.sorted()
            let limit = watcher.options.fileSizeLimit
            let looks = Parallel.map(paths) { [known, told] path in
                Look.at(path, known[path], mustRead: told.contains(path), limit: limit)
            }
            dirty.removeAll()
            told.removeAll()
            var changes: [FileChange] = []
            for (path, look) in zip(paths, looks) {
                switch look {
                case .same: break
                case .touched(let stamp, let isFresh):
                    known[path]?.stamp = stamp
                    known[path]?.isFresh = isFresh
                case .gone:
                    unreadable.remove(path)
                    if known.removeValue(forKey: path) != nil { changes.append(FileChange(path: path, content: nil)) }
                case .changed(let file, let content):
                    unreadable.remove(path)
                    known[path] = file
                    changes.append(FileChange(path: path, content: content))
                case .unreadable:
                    // Said once, not at every listing.
                    guard unreadable.insert(path).inserted else { continue }
                    watcher.logger.error(
                        "a manifest cannot be read; what was read from it stays in force",
                        metadata: ["file": "\(path)"])
                }
            }
            return changes
        }

        /// Below a root that is not there now, or a folder that cannot be listed.
        private func isLost(_ path: String) -> Bool {
            if missing.isEmpty, unlisted.isEmpty { return false }
            return (Array(missing) + unlisted).contains {
                path == $0 || path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/")
            }
        }

        private mutating func list() {
            mustList = false
            lastListing = ContinuousClock.now
            // Watches come before the listing that is used: what changes in between is noticed rather than lost. New
            // folders found by it are watched and listed once more.
            var listing = FolderScan.list(watcher.roots)
            if handle != nil {
                for _ in 0..<4 {
                    let watched = listing
                    needsPolling = !handle!.watch(watched)
                    listing = FolderScan.list(watcher.roots)
                    if listing.folders == watched.folders, listing.linkedNames == watched.linkedNames { break }
                }
            }
            tell(listing)
            // What has settled is read in this turn: to wait for it again would be for ever where every turn lists.
            for (path, stamp) in listing.files where writing[path] == nil && !dirty.contains(path) {
                if let file = known[path], file.stamp == stamp, !(needsPolling && file.isFresh) { continue }
                if needsPolling, hasBegun {
                    // Perhaps nobody tells when it is closed: it is read when it stays as it is.
                    writing[path] = Writing(since: lastListing, stamp: stamp)
                } else {
                    dirty.insert(path)
                }
            }
            for path in known.keys where listing.files[path] == nil { dirty.insert(path) }
        }

        private mutating func tell(_ listing: FolderListing) {
            let lost = Set(listing.missingRoots)
            for root in lost.subtracting(missing).sorted() {
                watcher.logger.error(
                    "a folder of manifests is not there; what was read from it stays in force",
                    metadata: ["folder": "\(root)"])
            }
            for root in missing.subtracting(lost).sorted() {
                watcher.logger.info("a folder of manifests is back", metadata: ["folder": "\(root)"])
            }
            missing = lost
            unlisted = listing.unreadableFolders
            for folder in listing.unreadableFolders where unreadable.insert(folder).inserted {
                watcher.logger.error(
                    "a folder cannot be listed; what was read from it stays in force", metadata: ["folder": "\(folder)"]
                )
            }
            unreadable.subtract(listing.folders.subtracting(listing.unreadableFolders))
            if listing.isTruncated {
                watcher.logger.error(
                    "too many files; the rest is not read", metadata: ["limit": "\(FolderScan.fileLimit)"])
            }
        }
    }

    /// What a second look at a path finds.
    private enum Look: Sendable {
        case same
        /// Another stamp, the same bytes.
        case touched(FileStamp, isFresh: Bool)
        case gone
        case changed(Loop.Known, content: [UInt8])
        case unreadable

        static func at(_ path: String, _ known: Loop.Known?, mustRead: Bool, limit: Int) -> Look {
            switch FolderScan.presence(of: path) {
            case .absent: return .gone
            case .unknown: return .unreadable
            case .present(let stamp):
                if let known, known.stamp == stamp, !mustRead, !known.isFresh { return .same }
                let isFresh = stamp.isFresh
                guard let content = FolderScan.read(path, limit: limit) else { return .unreadable }
                let digest = XXHash64.hash(content)
                if known?.digest == digest { return .touched(stamp, isFresh: isFresh) }
                return .changed(Loop.Known(stamp: stamp, digest: digest, isFresh: isFresh), content: content)
            }
        }
    }
}
