internal import Glibc

/// Gives the memory of past responses back to the system.
///
/// A thousand streams that connect take responses of a megabyte each. Their memory is free soon after, but glibc keeps
/// it in its arenas: two thirds of the resident memory of a control plane that only waits.
enum MemoryReturn {
    /// Bytes of responses after which asking glibc is worth its locks.
    private static let threshold = 32 << 20
    private static let interval = Duration.seconds(2)

    /// glibc's `malloc_trim`; another C library has none, and then nothing is done.
    private static let trim: (@convention(c) @Sendable (Int) -> Int32)? = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) @Sendable (Int) -> Int32).self)
    }

    /// Works until the task is cancelled; only in an interval in which nothing was sent.
    static func run(_ metrics: Metrics) async {
        guard let trim else { return }
        var seen = 0
        var returned = 0
        while (try? await Task.sleep(for: interval)) != nil {
            let sent = metrics.bytesPushed
            if sent == seen, sent - returned >= threshold {
                _ = trim(0)
                returned = sent
            }
            seen = sent
        }
    }
}
