internal import NIOCore

/// One deadline that its owner may move as often as it likes.
///
/// An owner with several time limits keeps one timer and arms it for the nearest. Moving a deadline later costs a
/// comparison: the timer fires at the old instant and the owner, finding nothing due, arms it again. So a keep-alive
/// connection with a time limit per request touches the queue once per limit, not once per request.
internal class LoopTimer {
    fileprivate(set) var deadline: NIODeadline = .distantFuture
    fileprivate var slot = -1

    /// The instant has come (or has passed). Override.
    func timerFired(_ now: NIODeadline) {}
}

/// The timers of one event loop: a binary heap with one scheduled task of NIO below it.
internal final class TimerQueue {
    private let loop: any EventLoop
    private var heap: [LoopTimer] = []
    private var scheduled: Scheduled<Void>?
    private var scheduledFor: NIODeadline = .distantFuture

    init(loop: any EventLoop) { self.loop = loop }

    var count: Int { heap.count }

    /// Makes the timer fire no later than `deadline`. An earlier instant that is already set stays.
    func arm(_ timer: LoopTimer, _ deadline: NIODeadline) {
        if timer.slot >= 0 {
            guard deadline < timer.deadline else { return }
            timer.deadline = deadline
            siftUp(timer.slot)
        } else {
            timer.deadline = deadline
            timer.slot = heap.count
            heap.append(timer)
            siftUp(timer.slot)
        }
        wake()
    }

    func cancel(_ timer: LoopTimer) {
        guard timer.slot >= 0 else { return }
        remove(timer.slot)
    }

    private func wake() {
        guard let first = heap.first, first.deadline < scheduledFor else { return }
        scheduled?.cancel()
        scheduledFor = first.deadline
        // The closure runs on this loop only; NIO wants it Sendable because any loop may schedule.
        let box = NIOLoopBound(self, eventLoop: loop)
        scheduled = loop.scheduleTask(deadline: first.deadline) { box.value.run() }
    }

    private func run() {
        scheduled = nil
        scheduledFor = .distantFuture
        let now = loop.now
        while let first = heap.first, first.deadline <= now {
            remove(0)
            first.timerFired(now)
        }
        wake()
    }

    private func remove(_ slot: Int) {
        let last = heap.count - 1
        heap[slot].slot = -1
        if slot != last {
            let moved = heap[last]
            heap.removeLast()
            heap[slot] = moved
            moved.slot = slot
            siftUp(slot)
            siftDown(moved.slot)
        } else {
            heap.removeLast()
        }
    }

    private func siftUp(_ start: Int) {
        var slot = start
        let timer = heap[slot]
        while slot > 0 {
            let parent = (slot - 1) / 2
            guard timer.deadline < heap[parent].deadline else { break }
            heap[slot] = heap[parent]
            heap[slot].slot = slot
            slot = parent
        }
        heap[slot] = timer
        timer.slot = slot
    }

    private func siftDown(_ start: Int) {
        var slot = start
        let timer = heap[slot]
        while true {
            var child = 2 * slot + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
            guard heap[child].deadline < timer.deadline else { break }
            heap[slot] = heap[child]
            heap[slot].slot = slot
            slot = child
        }
        heap[slot] = timer
        timer.slot = slot
    }
}
