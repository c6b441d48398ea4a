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
/// 1. A change is handed over after `debounce` without further notices, or after `patience` at the latest.
/// 2. A file that is being written is left alone until it is closed, or unchanged for `writeTimeout`.
/// 3. When folders come or go, links are swapped or notices are lost, everything is listed again; only files whose
///    stamp changed are read.
/// 4. Without inotify, and for what it cannot see (network file systems), the folders are listed every `pollInterval`.
/// 5. While a root is missing its files are left as they were: an unmounted volume must not empty a mesh.
package final class FolderWatcher: Sendable {
    package struct Options: Sendable {
        package var debounce: Duration = .milliseconds(10)
        package var patience: Duration = .seconds(1)
        package var writeTimeout: Duration = .seconds(1)
        package var pollInterval: Duration = .seconds(5)
        package var fileSizeLimit = 8 << 20
        package var usesInotify = true
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
        let watcher: FolderWatcher
        var handle: InotifyHandle?
        var known: [String: FileStamp] = [:]
        var dirty: Set<String> = []
        var writing: [String: ContinuousClock.Instant] = [:]
        var mustList = true
        var needsPolling = true
        var missing: Set<String> = []
        var firstNotice: ContinuousClock.Instant?
        var lastNotice: ContinuousClock.Instant?
        var lastListing = ContinuousClock.now

        init(watcher: FolderWatcher) {
            self.watcher = watcher
            handle = watcher.options.usesInotify ? InotifyHandle() : nil
        }

        /// Everything that is there is handed over at once, even if it is nothing.
        mutating func begin() {
            watcher.handler(collect())
        }

        mutating func turn() {
            let now = ContinuousClock.now
            let pause = pauseMilliseconds(now)
            if handle != nil {
                if handle!.wait(milliseconds: pause, wake: watcher.wakeRead) { take() }
            } else {
                var descriptor = pollfd(fd: watcher.wakeRead, events: Int16(POLLIN), revents: 0)
                _ = poll(&descriptor, 1, pause)
            }
            let after = ContinuousClock.now
            if needsPolling, after - lastListing >= pollInterval {
                mustList = true
                firstNotice = firstNotice ?? after
            }
            for (path, since) in writing where after - since >= watcher.options.writeTimeout {
                writing[path] = nil
                dirty.insert(path)
            }
            guard !dirty.isEmpty || mustList else { return }
            let quiet = lastNotice.map { after - $0 >= watcher.options.debounce } ?? true
            let late = firstNotice.map { after - $0 >= watcher.options.patience } ?? true
            guard quiet || late else { return }
            let changes = collect()
            if !changes.isEmpty { watcher.handler(changes) }
        }

        /// A missing root is looked for often: it may come back any moment.
        private var pollInterval: Duration {
            missing.isEmpty ? watcher.options.pollInterval : min(watcher.options.pollInterval, .milliseconds(200))
        }

        private func pauseMilliseconds(_ now: ContinuousClock.Instant) -> Int32 {
            var pause: Duration = .seconds(60)
            if !dirty.isEmpty || mustList {
                pause = lastNotice.map { watcher.options.debounce - (now - $0) } ?? .zero
            }
            if needsPolling { pause = min(pause, pollInterval - (now - lastListing)) }
            for since in writing.values { pause = min(pause, watcher.options.writeTimeout - (now - since)) }
            let (seconds, attoseconds) = max(pause, .zero).components
            // Rounded up, or the loop would spin through the last fraction of a millisecond.
            return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
        }

        private mutating func take() {
            var structure = false
            var settled: [String] = []
            var open: [String] = []
            handle!.drain { notice in
                switch notice {
                case .structure: structure = true
                case .settled(let path): settled.append(path)
                case .writing(let path): open.append(path)
                }
            }
            guard structure || !settled.isEmpty || !open.isEmpty else { return }
            let now = ContinuousClock.now
            lastNotice = now
            mustList = mustList || structure
            for path in open { writing[path] = now }
            for path in settled {
                writing[path] = nil
                dirty.insert(path)
            }
            if !dirty.isEmpty || mustList { firstNotice = firstNotice ?? now }
        }

        private mutating func collect() -> [FileChange] {
            firstNotice = nil
            lastNotice = nil
            if mustList { list() }
            let paths = dirty.sorted()
            dirty.removeAll()
            var changes: [FileChange] = []
            for path in paths {
                guard let stamp = FolderScan.stamp(of: path) else {
                    if known.removeValue(forKey: path) != nil { changes.append(FileChange(path: path, content: nil)) }
                    continue
                }
                if known[path] == stamp { continue }
                guard let content = FolderScan.read(path, limit: watcher.options.fileSizeLimit) else {
                    watcher.logger.warning("a manifest cannot be read", metadata: ["file": "\(path)"])
                    continue
                }
                known[path] = stamp
                changes.append(FileChange(path: path, content: content))
            }
            return changes
        }

        private mutating func list() {
            mustList = false
            lastListing = ContinuousClock.now
            // Watches come before the listing: what changes in between is noticed rather than lost. New folders found
            // by the listing are watched and listed once more.
            var listing = FolderScan.list(watcher.roots)
            if handle != nil {
                var watched: Set<String> = []
                for _ in 0..<4 where watched != listing.folders {
                    watched = listing.folders
                    needsPolling = !handle!.watch(folders: listing.folders, linkedFolders: listing.linkedFolders)
                    listing = FolderScan.list(watcher.roots)
                }
            }
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
            needsPolling = needsPolling || !missing.isEmpty
            if listing.isTruncated {
                watcher.logger.error("too many files; the rest is not read", metadata: ["limit": "\(FolderScan.fileLimit)"])
            }
            for (path, stamp) in listing.files where known[path] != stamp && writing[path] == nil { dirty.insert(path) }
            for path in known.keys where listing.files[path] == nil {
                let isLost = missing.contains { path == $0 || path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
                if !isLost { dirty.insert(path) }
            }
        }
    }
}
