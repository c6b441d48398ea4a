/// Earliest deadline first: entries come up in proportion to their weights, evenly spread.
///
/// A pick takes the entry with the earliest deadline, advances the clock to it and puts the entry back one period
/// (1 / weight) later. Ties go to the entry that was added first. The order is Envoy's.
public struct EDFScheduler: Sendable {
    private struct Entry: Sendable {
        var deadline: Double
        var order: UInt64
        var index: Int

        func isBefore(_ other: Entry) -> Bool {
            deadline == other.deadline ? order < other.order : deadline < other.deadline
        }
    }

    private var heap: [Entry] = []
    private var clock = 0.0
    private var order: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { heap.isEmpty }

    /// - Parameter weight: above zero.
    public mutating func add(_ index: Int, weight: Double) {
        heap.append(Entry(deadline: clock + 1 / weight, order: order, index: index))
        order &+= 1
        siftUp(heap.count &- 1)
    }

    /// - Parameter weight: of the entry from now on.
    public mutating func pick(weight: (Int) -> Double) -> Int? {
        guard let first = heap.first else { return nil }
        clock = first.deadline
        heap[0].deadline = clock + 1 / weight(first.index)
        heap[0].order = order
        order &+= 1
        siftDown(0)
        return first.index
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child &- 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 &* parent &+ 1, 2 &* parent &+ 2] where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            if least == parent { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
