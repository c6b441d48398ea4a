internal import ApusCore

/// A consistent-hash ring: many points per host on a circle of 64-bit numbers; a key belongs to the next point.
public struct HashRing: Sendable {
    private let points: [UInt64]
    private let hosts: [Int32]

    public var count: Int { points.count }

    /// - Parameter weighted: host, the text that names it on the ring, and its share (the shares add up to 1).
    public init(_ weighted: [(host: Int, key: String, share: Double)], minSize: Int, maxSize: Int) {
        guard let least = weighted.lazy.map(\.share).min(), least > 0 else {
            points = []
            hosts = []
            return
        }
        // The lightest host gets a whole number of points, as long as the ring stays within its limit.
        let scale = Swift.min(((least * Double(minSize)).rounded(.up)) / least, Double(maxSize))
        var ring: [(point: UInt64, host: Int32)] = []
        ring.reserveCapacity(Int(scale.rounded(.up)))
        var made = 0.0
        var wanted = 0.0
        for (host, key, share) in weighted {
            wanted += scale * share
            let prefix = Array(key.utf8) + [UInt8(ascii: "_")]
            var index: UInt64 = 0
            while made < wanted {
                var text = prefix
                text.appendDecimal(index)
                ring.append((XXHash64.hash(text), Int32(truncatingIfNeeded: host)))
                index &+= 1
                made += 1
            }
        }
        ring.sort { ($0.point, $0.host) < ($1.point, $1.host) }
        points = ring.map(\.point)
        hosts = ring.map(\.host)
    }

    /// - Parameter attempt: each further try takes the next point.
    public func host(for hash: UInt64, attempt: Int = 0) -> Int? {
        guard !points.isEmpty else { return nil }
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low &+ high) / 2
            if points[middle] < hash { low = middle &+ 1 } else { high = middle }
        }
        return Int(hosts[(low % points.count &+ attempt) % points.count])
    }
}

/// Maglev's table: every host has its own order of the slots and takes its next free one in turn.
public struct MaglevTable: Sendable {
    private let slots: [Int32]

    public var count: Int { slots.count }

    /// - Parameters:
    ///   - weighted: host, the text that names it, and its share (the shares add up to 1).
    ///   - size: a prime.
    public init(_ weighted: [(host: Int, key: String, share: Double)], size: Int) {
        guard !weighted.isEmpty, size > 1, let most = weighted.lazy.map(\.share).max(), most > 0 else {
            slots = []
            return
        }
        let size64 = UInt64(size)
        struct Entry {
            let host: Int32
            let offset: UInt64
            let skip: UInt64
            let share: Double
            var target: Double
            var next: UInt64
        }
        var entries = weighted.map { host, key, share in
            Entry(
                host: Int32(truncatingIfNeeded: host), offset: XXHash64.hash(key) % size64,
                skip: XXHash64.hash(key, seed: 1) % (size64 - 1) + 1, share: share, target: 0, next: 0)
        }
        var table = [Int32](repeating: -1, count: size)
        var filled = 0
        var iteration = 1.0
        while filled < size {
            for index in entries.indices where filled < size {
                // A host as heavy as the heaviest takes a slot in every round, one half as heavy in every other.
                if iteration * entries[index].share < entries[index].target { continue }
                entries[index].target += most
                while true {
                    let slot = Int((entries[index].offset &+ entries[index].skip &* entries[index].next) % size64)
                    entries[index].next &+= 1
                    if table[slot] < 0 {
                        table[slot] = entries[index].host
                        break
                    }
                }
                filled += 1
            }
            iteration += 1
        }
        slots = table
    }

    public func host(for hash: UInt64, attempt: Int = 0) -> Int? {
        guard !slots.isEmpty else { return nil }
        let hash = attempt > 0 ? hash ^ (UInt64.max &- UInt64(truncatingIfNeeded: attempt) &+ 1) : hash
        return Int(slots[Int(hash % UInt64(slots.count))])
    }
}
