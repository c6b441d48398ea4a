internal import NIOCore

/// A connection that sends what was written to it once per turn of its loop, after every socket that was readable has
/// been read. A peer that is woken then finds several messages, and several messages leave in one write.
///
/// A class to inherit from, so that the queue of a turn makes a table call and carries no existential.
internal class TurnFlushable {
    fileprivate var isQueued = false

    /// Hands the written bytes to the kernel. May close the connection.
    func flushNow() {}
}

/// What has to be sent at the end of the loop's current turn, and the instant of that turn.
internal final class TurnFlush {
    private let loop: any EventLoop
    private var queue: [TurnFlushable] = []
    private var running: [TurnFlushable] = []
    private var isScheduled = false
    private var hasInstant = false
    private var instant = NIODeadline.uptimeNanoseconds(0)

    init(loop: any EventLoop) { self.loop = loop }

    /// The loop's clock as it was when this turn first asked: one reading serves all requests of a turn.
    var now: NIODeadline {
        if hasInstant { return instant }
        instant = loop.now
        hasInstant = true
        schedule()
        return instant
    }

    func add(_ connection: TurnFlushable) {
        guard !connection.isQueued else { return }
        connection.isQueued = true
        queue.append(connection)
        schedule()
    }

    /// The loop runs its tasks after the events of a turn, and before it waits for others.
    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.run() }
    }

    private func run() {
        // A flush may close a connection, and what follows from that may queue others: those get a run of their own.
        isScheduled = false
        hasInstant = false
        guard !queue.isEmpty else { return }
        swap(&queue, &running)
        for connection in running {
            connection.isQueued = false
            connection.flushNow()
        }
        running.removeAll(keepingCapacity: true)
    }
}
