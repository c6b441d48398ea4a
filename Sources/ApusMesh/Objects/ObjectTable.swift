internal import ApusCore
internal import ApusModel

/// All objects by kind and name, and lists in the order "oldest first" for the kinds that are walked.
struct ObjectTable: Sendable {
    /// One kind's objects, oldest first.
    final class Ordered: Sendable {
        let all: [ConfigObject]
        let byNamespace: [String: [ConfigObject]]

        init(_ all: [ConfigObject]) {
            self.all = all
            byNamespace = Dictionary(grouping: all, by: \.metadata.namespace)
        }

        static let empty = Ordered([])
    }

    /// An object before and after an edit; never both nil, never the same instance.
    struct Edit {
        let key: ObjectKey
        let old: ConfigObject?
        let new: ConfigObject?

        /// False when the document only moved within its file.
        var changesContent: Bool { old?.version != new?.version }
    }

    private var byKind: [Kind: ShardedDictionary<NamespacedName, ConfigObject>] = [:]
    private var orderedByKind: [Kind: Ordered] = [:]

    /// Kinds with as many objects as there are workloads: nobody walks them in order, so no list is kept.
    private static let unordered: Set<Kind> = [.pod, .workloadEntry, .endpointSlice, .endpoints, .replicaSet]

    subscript(key: ObjectKey) -> ConfigObject? { byKind[key.kind]?[key.name] }

    subscript(kind: Kind, name: NamespacedName) -> ConfigObject? { byKind[kind]?[name] }

    func ordered(_ kind: Kind) -> Ordered {
        if Self.unordered.contains(kind) {
            return Ordered(unorderedObjects(of: kind).sorted(by: ConfigObject.isOlder))
        }
        return orderedByKind[kind] ?? .empty
    }

    /// In no defined order.
    func unorderedObjects(of kind: Kind) -> [ConfigObject] {
        var result: [ConfigObject] = []
        byKind[kind]?.forEach { result.append($1) }
        return result
    }

    func count(of kind: Kind) -> Int { byKind[kind]?.count ?? 0 }

    /// Applies the edit and answers what really differs. A key that is both changed and removed is changed; of two
    /// objects with one key the last stands.
    mutating func apply(changed: [ConfigObject], removed: [ObjectKey]) -> [Edit] {
        var wanted: [ObjectKey: ConfigObject?] = [:]
        for key in removed { wanted[key] = .some(nil) }
        for object in changed { wanted[object.key] = .some(object) }

        var edits: [Edit] = []
        for (key, new) in wanted {
            let old = self[key]
            if let old, let new, old.isInterchangeable(with: new) { continue }
            if old == nil, new == nil { continue }
            edits.append(Edit(key: key, old: old, new: new))
        }
        for (kind, edits) in Dictionary(grouping: edits, by: \.key.kind) {
            var table = byKind[kind] ?? ShardedDictionary()
            table.apply(Dictionary(edits.map { ($0.key.name, $0.new) }, uniquingKeysWith: { $1 }))
            byKind[kind] = table
            if !Self.unordered.contains(kind) {
                let gone = Set(edits.compactMap { $0.old.map(ObjectIdentifier.init) })
                let added = edits.compactMap(\.new).sorted(by: ConfigObject.isOlder)
                let kept = (orderedByKind[kind] ?? .empty).all.filter { !gone.contains(ObjectIdentifier($0)) }
                orderedByKind[kind] = Ordered(merge(kept, added, by: ConfigObject.isOlder))
            }
        }
        return edits.sorted { $0.key < $1.key }
    }

    /// Content differences of `self` against `other`.
    func changedKeys(since other: ObjectTable) -> Set<ObjectKey> {
        var result: Set<ObjectKey> = []
        for kind in Set(byKind.keys).union(other.byKind.keys) {
            let mine = byKind[kind] ?? ShardedDictionary()
            mine.forEachPossibleDifference(from: other.byKind[kind] ?? ShardedDictionary()) { name, new, old in
                if new?.version != old?.version { result.insert(ObjectKey(kind: kind, name: name)) }
            }
        }
        return result
    }

    /// Keys of every object.
    func keys() -> [ObjectKey] {
        var result: [ObjectKey] = []
        for (kind, table) in byKind {
            table.forEach { name, _ in result.append(ObjectKey(kind: kind, name: name)) }
        }
        return result
    }
}

extension ConfigObject {
    func hasSameContent(as other: ConfigObject) -> Bool {
        self === other || version == other.version && key == other.key
    }

    /// True if nobody could tell the two apart, places in the text included. Two different locators may know
    /// different places, so such objects count as different.
    func isInterchangeable(with other: ConfigObject) -> Bool {
        self === other
            || version == other.version && key == other.key && origin.location == other.origin.location
                && origin.locator == nil && other.origin.locator == nil
    }
}

/// Merges two sorted arrays; elements of `left` come first among equals.
func merge<Element>(
    _ left: [Element], _ right: [Element], by isBefore: (Element, Element) -> Bool
) -> [Element] {
    if right.isEmpty { return left }
    var result: [Element] = []
    result.reserveCapacity(left.count + right.count)
    var index = 0
    for element in right {
        while index < left.count, !isBefore(element, left[index]) {
            result.append(left[index])
            index += 1
        }
        result.append(element)
    }
    result.append(contentsOf: left[index...])
    return result
}
