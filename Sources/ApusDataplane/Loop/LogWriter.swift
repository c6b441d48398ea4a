internal import ApusTraffic
internal import Glibc
internal import NIOPosix
internal import Synchronization

/// Writes access-log batches to files on a thread of its own: an event loop never waits for a disk or a pipe.
package final class LogWriter: Sendable {
    /// Bytes that may wait. A reader that stands still costs lines, not memory.
    static let capacity = 16 << 20

    private struct State {
        var descriptors: [String: Int32] = [:]
        var waiting = 0
        var dropped: UInt64 = 0
    }

    private let state = Mutex(State())
    private let thread = NIOThreadPool(numberOfThreads: 1)

    package init() { thread.start() }

    /// Batches that were lost: too much was waiting, or the file could not be opened or written.
    package var dropped: UInt64 { state.withLock { $0.dropped } }

    func write(_ batch: [UInt8], to sink: AccessLog.Sink) {
        let accepted = state.withLock { state in
            guard state.waiting + batch.count <= Self.capacity else {
                state.dropped += 1
                return false
            }
            state.waiting += batch.count
            return true
        }
        guard accepted else { return }
        thread.submit { [self] _ in
            put(batch, descriptor(sink))
            state.withLock { $0.waiting -= batch.count }
        }
    }

    /// From the next batch on the files are opened anew: whoever rotates logs has renamed them. What was handed over before
    /// still goes to the old ones.
    package func reopen() {
        thread.submit { [self] _ in
            let old = state.withLock { state in
                defer { state.descriptors = [:] }
                return state.descriptors.values
            }
            for descriptor in old { close(descriptor) }
        }
    }

    /// Everything handed over before the call is on its way when this returns.
    package func drain() {
        try? thread.syncShutdownGracefully()
    }

    private func descriptor(_ sink: AccessLog.Sink) -> Int32 {
        switch sink {
        case .standardOutput: return 1
        case .standardError: return 2
        case .file("/dev/stdout"): return 1
        case .file("/dev/stderr"): return 2
        case .file(let path):
            if let known = state.withLock({ $0.descriptors[path] }) { return known }
            let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            // One that failed is tried again with the next batch: a full disk or a missing folder may be mended by then.
            if opened >= 0 { state.withLock { $0.descriptors[path] = opened } }
            return opened
        }
    }

    private func put(_ batch: [UInt8], _ descriptor: Int32) {
        guard descriptor >= 0 else {
            state.withLock { $0.dropped += 1 }
            return
        }
        batch.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = systemWrite(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
                if count < 0 {
                    if errno == EINTR { continue }
                    state.withLock { $0.dropped += 1 }
                    return
                }
                offset += count
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    guard let bytes else { return -1 }
    return write(descriptor, bytes, count)
}

/// The lines of one loop for one sink, until they are worth a write.
internal final class LogBuffer {
    static let batchSize = 64 << 10

    let sink: AccessLog.Sink
    var bytes: [UInt8] = []

    init(sink: AccessLog.Sink) { self.sink = sink }
}
