internal import Foundation
internal import Synchronization

/// Ends the process when one input takes too long. The limit counts the processor time of this process, so that a busy
/// machine does not look like a hang; an input that waits for something is caught by a longer limit of real time.
final class Watchdog: Sendable {
    private struct Running {
        var since: (processor: Double, real: Double)?
        var save: (@Sendable () -> Void)?
    }

    private let running = Mutex(Running())
    private let limit: Double

    init(limit: Double) {
        self.limit = limit
        let thread = Thread { [self] in
            while true {
                Thread.sleep(forTimeInterval: 0.25)
                check()
            }
        }
        thread.start()
    }

    static func now() -> (processor: Double, real: Double) {
        (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    func start(_ save: @escaping @Sendable () -> Void) {
        running.withLock { $0 = Running(since: Self.now(), save: save) }
    }

    /// - Returns: seconds of processor time.
    func stop() -> Double {
        running.withLock { running in
            let taken = running.since.map { Self.now().processor - $0.processor } ?? 0
            running = Running()
            return taken
        }
    }

    private func check() {
        running.withLock { running in
            guard let since = running.since else { return }
            let now = Self.now()
            guard now.processor - since.processor > limit || now.real - since.real > limit * 12 else { return }
            running.save?()
            FileHandle.standardError.write(Data("an input takes more than \(limit) s\n".utf8))
            abort()
        }
    }
}
