internal import ApusTraffic

/// The dynamic table of RFC 7541, section 2.3.2, of a decoder or an encoder.
///
/// Entries are numbered from 1 in the order in which they came, and keep their number; the index on the wire is counted from
/// the newest. The bytes of all entries stand one behind the other; the dead ones in front are cut off from time to time.
internal struct HPACKDynamicTable: Sendable {
    /// Bytes that the table may have, each entry counted with 32 more.
    private(set) var maxSize: Int
    private(set) var size = 0
    private(set) var bytes: [UInt8] = []
    /// A ring: entry `number` is at `number & (entries.count - 1)`.
    private var entries: [HPACKEntry] = []
    /// Number of the newest entry; 0: there was none.
    private(set) var newest = 0
    /// Number of the oldest entry that is still there.
    private(set) var oldest = 1
    /// What was cut off `bytes` so far.
    private var base = 0

    init(maxSize: Int) { self.maxSize = maxSize }

    var count: Int { newest &- oldest &+ 1 }

    /// - Precondition: `number` is from `oldest` to `newest`.
    func entry(_ number: Int) -> HPACKEntry { entries[number & (entries.count &- 1)] }

    /// Where the name of an entry is in `bytes`.
    func nameRange(_ entry: HPACKEntry) -> Range<Int> {
        let start = entry.start &- base
        return start..<start &+ Int(entry.nameCount)
    }

    func valueRange(_ entry: HPACKEntry) -> Range<Int> {
        let start = entry.start &- base &+ Int(entry.nameCount)
        return start..<start &+ Int(entry.valueCount)
    }

    /// Entries that no longer fit are dropped.
    mutating func setMaxSize(_ new: Int) {
        maxSize = new
        evict(to: new)
    }

    private mutating func evict(to limit: Int) {
        while size > limit, oldest <= newest {
            size &-= entry(oldest).size
            oldest &+= 1
        }
        if oldest > newest { cutAll() }
    }

    private mutating func cutAll() {
        base &+= bytes.count
        bytes.removeAll(keepingCapacity: true)
    }

    /// Puts a field in front. Its bytes may stand in this table's own (an entry with the name of another one), so they are
    /// appended before anything is dropped.
    ///
    /// - Returns: false if the field is larger than the table, which is then empty (section 4.4).
    @discardableResult
    mutating func insert(
        name: ArraySlice<UInt8>, value: ArraySlice<UInt8>, hash: UInt32, token: HeaderToken, nameIsValid: Bool,
        valueIsValid: Bool
    ) -> Bool {
        var entry = HPACKEntry(
            start: base &+ bytes.count, nameCount: UInt32(clamping: name.count),
            valueCount: UInt32(clamping: value.count), hash: hash, token: token, nameIsValid: nameIsValid,
            valueIsValid: valueIsValid)
        guard entry.size <= maxSize else {
            evict(to: -1)
            return false
        }
        evict(to: maxSize &- entry.size)
        if bytes.count &+ name.count &+ value.count > 2 &* maxSize { cutDead() }
        entry.start = base &+ bytes.count
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
        if count == entries.count { grow() }
        newest &+= 1
        entries[newest & (entries.count &- 1)] = entry
        size &+= entry.size
        return true
    }

    private mutating func cutDead() {
        let live = oldest <= newest ? entry(oldest).start &- base : bytes.count
        bytes.removeFirst(live)
        base &+= live
    }

    private mutating func grow() {
        let empty = HPACKEntry(
            start: 0, nameCount: 0, valueCount: 0, hash: 0, token: .other, nameIsValid: false, valueIsValid: false)
        var larger = [HPACKEntry](repeating: empty, count: max(16, entries.count &* 2))
        if !entries.isEmpty, oldest <= newest {
            for number in oldest...newest { larger[number & (larger.count &- 1)] = entry(number) }
        }
        entries = larger
    }
}
