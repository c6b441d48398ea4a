import ApusControlPlane
import Synchronization
import Testing

struct PushGateTests {
    /// Starts a task that notes its number when it is let in; returns when it is waiting or in.
    private func enter(
        _ gate: PushGate, _ number: Int, _ order: Log, waiting: Int
    ) async -> Task<PushGate.Permit, Never> {
        let task = Task {
            let permit = await gate.acquire()
            order.note(number)
            return permit
        }
        while await gate.waitingCount < waiting { await Task.yield() }
        return task
    }

    private final class Log: Sendable {
        private let numbers = Mutex<[Int]>([])
        func note(_ number: Int) { numbers.withLock { $0.append(number) } }
        var all: [Int] { numbers.withLock { $0 } }
    }

    private final class Crowd: Sendable {
        private let state = Mutex((now: 0, most: 0))
        var most: Int { state.withLock { $0.most } }

        func enter() {
            state.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
        }

        func leave() { state.withLock { $0.now -= 1 } }
    }

    @Test func upToTheLimitNobodyWaitsAndThenInOrder() async {
        let gate = PushGate(limit: 2, patience: .seconds(3600))
        let order = Log()
        let first = await gate.acquire()
        let second = await gate.acquire()
        let third = await enter(gate, 3, order, waiting: 1)
        let fourth = await enter(gate, 4, order, waiting: 2)
        #expect(order.all.isEmpty)
        await gate.release(second)
        let permit = await third.value
        #expect(order.all == [3])
        await gate.release(permit)
        _ = await fourth.value
        #expect(order.all == [3, 4])
        await gate.release(first)
        #expect(await gate.heldCount == 1)
    }

    @Test func aPermitGivenBackTwiceCountsOnce() async {
        let gate = PushGate(limit: 1, patience: .seconds(3600))
        let first = await gate.acquire()
        await gate.release(first)
        let second = await gate.acquire()
        await gate.release(first)
        #expect(await gate.heldCount == 1)
        await gate.release(second)
        #expect(await gate.heldCount == 0)
    }

    @Test func aPermitThatIsNotGivenBackIsTakenBack() async {
        let gate = PushGate(limit: 1, patience: .milliseconds(1))
        let lost = await gate.acquire()
        let second = await gate.acquire()
        #expect(lost != second)
        // The late answer of the first does not open the gate a second time.
        await gate.release(lost)
        #expect(await gate.heldCount == 1)
    }

    @Test func manyWaitersAllGetTheirTurn() async {
        let gate = PushGate(limit: 3, patience: .seconds(3600))
        let most = Crowd()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<3000 {
                tasks.addTask {
                    let permit = await gate.acquire()
                    most.enter()
                    await Task.yield()
                    most.leave()
                    await gate.release(permit)
                }
            }
        }
        #expect(most.most <= 3)
        #expect(await gate.heldCount == 0)
        #expect(await gate.waitingCount == 0)
    }
}
