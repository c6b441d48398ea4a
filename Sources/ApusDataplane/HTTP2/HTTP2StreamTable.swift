internal import ApusTraffic
internal import NIOCore

/// What the machine knows of one stream.
internal struct HTTP2StreamState: Sendable {
    /// 0: the slot is free.
    var id: UInt32 = 0
    var remoteClosed = false
    var localClosed = false
    /// The final head has been received, and what follows is body or trailers.
    var headReceived = false
    var headSent = false
    /// The answer has no body whatever its `content-length` says (HEAD).
    var answersWithoutBody = false
    /// In the queue for the connection's window.
    var isQueued = false
    /// Octets that the peer lets this side send.
    var sendWindow = 0
    /// Octets that the peer may still send.
    var receiveWindow = 0
    /// Octets that were consumed and not given back yet.
    var owed = 0
    /// Octets of body that `content-length` still promises; -1: it says nothing.
    var promised: Int64 = -1
}

/// What waits for a window to open.
internal struct HTTP2SendQueue: Sendable {
    var buffers: [ByteBuffer] = []
    /// The first of `buffers` that is not sent.
    var next = 0
    var bytes = 0
    var endsStream = false
    /// At most one.
    var trailers: [HTTPHead] = []

    var isEmpty: Bool { next >= buffers.count && !endsStream }

    mutating func append(_ buffer: ByteBuffer) {
        buffers.append(buffer)
        bytes &+= buffer.readableBytes
    }
}

/// The streams of a connection: slots, a list of the free ones, and the way from a number on the wire to its slot.
internal struct HTTP2StreamTable: Sendable {
    var slots: [HTTP2StreamState] = []
    var queues: [HTTP2SendQueue] = []
    private var free: [Int32] = []
    private(set) var count = 0
    // Open addressing; numbers of a connection come one after the other, so their low bits spread them well.
    private var keys: [UInt32] = []
    private var values: [Int32] = []

    private func home(_ id: UInt32) -> Int { Int(id >> 1) & (keys.count &- 1) }

    /// The slot of a number; -1: not open.
    func find(_ id: UInt32) -> Int {
        guard !keys.isEmpty else { return -1 }
        let mask = keys.count &- 1
        var place = home(id)
        while keys[place] != 0 {
            if keys[place] == id { return Int(values[place]) }
            place = (place &+ 1) & mask
        }
        return -1
    }

    /// The reference names an open stream.
    func isOpen(_ stream: HTTP2Stream) -> Bool {
        stream.slot >= 0 && stream.slot < slots.count && stream.id != 0 && slots[stream.slot].id == stream.id
    }

    /// - Returns: the slot of the new stream.
    mutating func open(_ id: UInt32, sendWindow: Int, receiveWindow: Int) -> Int {
        let slot: Int
        if let last = free.popLast() {
            slot = Int(last)
            slots[slot] = HTTP2StreamState()
        } else {
            slot = slots.count
            slots.append(HTTP2StreamState())
            queues.append(HTTP2SendQueue())
        }
        slots[slot].id = id
        slots[slot].sendWindow = sendWindow
        slots[slot].receiveWindow = receiveWindow
        count &+= 1
        if count &* 2 > keys.count { grow() }
        place(id, Int32(truncatingIfNeeded: slot))
        return slot
    }

    mutating func close(_ slot: Int) {
        let id = slots[slot].id
        guard id != 0 else { return }
        remove(id)
        slots[slot].id = 0
        if !queues[slot].isEmpty || queues[slot].bytes > 0 || !queues[slot].buffers.isEmpty {
            queues[slot] = HTTP2SendQueue()
        }
        free.append(Int32(truncatingIfNeeded: slot))
        count &-= 1
    }

    private mutating func place(_ id: UInt32, _ slot: Int32) {
        let mask = keys.count &- 1
        var place = home(id)
        while keys[place] != 0 { place = (place &+ 1) & mask }
        keys[place] = id
        values[place] = slot
    }

    private mutating func grow() {
        let old = zip(keys, values).filter { $0.0 != 0 }
        let size = max(16, keys.count &* 2)
        keys = [UInt32](repeating: 0, count: size)
        values = [Int32](repeating: 0, count: size)
        for (id, slot) in old { place(id, slot) }
    }

    /// Closes the gap: what was pushed behind its place by the one that goes moves up.
    private mutating func remove(_ id: UInt32) {
        let mask = keys.count &- 1
        var gap = home(id)
        while keys[gap] != id {
            if keys[gap] == 0 { return }
            gap = (gap &+ 1) & mask
        }
        var next = (gap &+ 1) & mask
        while keys[next] != 0 {
            let distance = (next &- home(keys[next])) & mask
            if distance >= (next &- gap) & mask {
                keys[gap] = keys[next]
                values[gap] = values[next]
                gap = next
            }
            next = (next &+ 1) & mask
        }
        keys[gap] = 0
    }
}
