/// A dictionary for snapshots: an edit copies the shards it touches and shares the rest, and two versions of one
/// dictionary are compared shard by shard.
///
/// A plain dictionary of 10,000 objects costs a third of a millisecond to copy for one changed entry; with 256 shards
/// the copy is 256 references and one small dictionary.
struct ShardedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Shard: Sendable {
        let entries: [Key: Value]
        init(_ entries: [Key: Value]) { self.entries = entries }
    }

    private static var shardCount: Int { 256 }

    private var shards: [Shard?]
    private(set) var count: Int

    init() {
        shards = Array(repeating: nil, count: Self.shardCount)
        count = 0
    }

    private static func shard(of key: Key) -> Int { key.hashValue & (shardCount - 1) }

    subscript(key: Key) -> Value? { shards[Self.shard(of: key)]?.entries[key] }

    /// Sets the given entries; nil removes.
    mutating func apply(_ edits: [Key: Value?]) {
        var byShard: [Int: [(Key, Value?)]] = [:]
        for (key, value) in edits { byShard[Self.shard(of: key), default: []].append((key, value)) }
        for (index, edits) in byShard {
            var entries = shards[index]?.entries ?? [:]
            count -= entries.count
            for (key, value) in edits { entries[key] = value }
            count += entries.count
            shards[index] = entries.isEmpty ? nil : Shard(entries)
        }
    }

    /// In no defined order.
    func forEach(_ body: (Key, Value) -> Void) {
        for case let shard? in shards {
            for (key, value) in shard.entries { body(key, value) }
        }
    }

    /// Calls `body` for every key of either side in shards that are not shared, with both values.
    func forEachPossibleDifference(from other: Self, _ body: (Key, _ mine: Value?, _ theirs: Value?) -> Void) {
        for index in shards.indices where shards[index] !== other.shards[index] {
            let mine = shards[index]?.entries ?? [:]
            let theirs = other.shards[index]?.entries ?? [:]
            for (key, value) in mine { body(key, value, theirs[key]) }
            for (key, value) in theirs where mine[key] == nil { body(key, nil, value) }
        }
    }
}
