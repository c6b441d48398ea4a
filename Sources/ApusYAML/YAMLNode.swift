package import ApusCore

/// A place in a tree. Aliases are followed by every accessor that hands out a node.
package struct YAMLNode: Sendable {
    package enum Kind: UInt8, Hashable, Sendable { case scalar, sequence, mapping, alias }

    package let tree: YAMLTree
    package let index: UInt32

    init(tree: YAMLTree, index: UInt32) {
        self.tree = tree
        self.index = index
    }

    /// An entry of a mapping, as written.
    package struct Entry: Sendable {
        package let key: YAMLNode
        package let value: YAMLNode
    }

    private var node: YAMLTree.Node { tree.nodes[Int(index)] }

    package var kind: Kind { node.kind }

    package var position: Position { Position(line: Int(node.line), column: Int(node.column)) }

    /// Elements of a sequence or entries of a mapping; 0 for a scalar.
    package var count: Int {
        switch node.kind {
        case .sequence: Int(node.start)
        case .mapping: Int(node.start) / 2
        case .scalar, .alias: 0
        }
    }

    private func resolved(_ index: UInt32) -> YAMLNode {
        let node = tree.nodes[Int(index)]
        return YAMLNode(tree: tree, index: node.kind == .alias ? node.start : index)
    }

    /// The elements of a sequence; empty for anything else.
    package var items: [YAMLNode] {
        guard kind == .sequence else { return [] }
        var result: [YAMLNode] = []
        result.reserveCapacity(count)
        var child = index + 1
        let end = node.end
        while child < end {
            result.append(resolved(child))
            child = tree.nodes[Int(child)].end
        }
        return result
    }

    /// One element of a sequence; nil if there is none, or if this is no sequence.
    package func item(at position: Int) -> YAMLNode? {
        guard kind == .sequence, position >= 0, position < count else { return nil }
        var child = index + 1
        for _ in 0..<position { child = tree.nodes[Int(child)].end }
        return resolved(child)
    }

    /// The entries of a mapping with merge keys (`<<`) carried out: own keys win over merged ones, earlier merged ones
    /// over later. Empty for anything but a mapping.
    package var entries: ContiguousArray<Entry> {
        guard kind == .mapping else { return [] }
        var result: ContiguousArray<Entry> = []
        result.reserveCapacity(count)
        var seen: Set<String> = []
        appendEntries(to: &result, seen: &seen, depth: 0)
        return result
    }

    /// - Parameter seen: the keys so far, kept only once a merge key is met.
    private func appendEntries(to result: inout ContiguousArray<Entry>, seen: inout Set<String>, depth: Int) {
        var child = index + 1
        let node = node
        var merges: [YAMLNode] = []
        while child < node.end {
            let value = tree.nodes[Int(child)].end
            let key = YAMLNode(tree: tree, index: child)
            let resolvedValue = resolved(value)
            if node.hasMerge, key.isMergeKey {
                merges.append(resolvedValue)
            } else {
                let entry = Entry(key: resolved(child), value: resolvedValue)
                if depth == 0 || seen.insert(entry.key.text).inserted { result.append(entry) }
            }
            child = tree.nodes[Int(value)].end
        }
        guard depth < 64, !merges.isEmpty else { return }
        if depth == 0 { for entry in result { seen.insert(entry.key.text) } }
        for merge in merges {
            switch merge.kind {
            case .mapping:
                merge.appendEntries(to: &result, seen: &seen, depth: depth + 1)
            case .sequence:
                for item in merge.items where item.kind == .mapping {
                    item.appendEntries(to: &result, seen: &seen, depth: depth + 1)
                }
            case .scalar, .alias: break
            }
        }
    }

    var isMergeKey: Bool { kind == .scalar && node.isPlain && hasText("<<") }

    // MARK: Scalars

    /// True for a scalar without quotes, whose text may mean null, a boolean or a number.
    package var isPlain: Bool { node.isPlain }

    /// The bytes of a scalar; empty for a collection.
    package func withText<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let node = node
        guard node.kind == .scalar else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        let range = Int(node.start)..<Int(node.start) + Int(node.length)
        return tree.text.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// The text of a scalar; empty for a collection.
    package var text: String { withText { String(decoding: $0, as: UTF8.self) } }

    /// True if the scalar's text is exactly this.
    package func hasText(_ other: StaticString) -> Bool {
        let node = node
        guard node.kind == .scalar, Int(node.length) == other.utf8CodeUnitCount else { return false }
        return withText { mine in
            for position in 0..<mine.count where mine[position] != other.utf8Start[position] { return false }
            return true
        }
    }

    package func hasSameText(as other: YAMLNode) -> Bool {
        node.kind == .scalar && other.node.kind == .scalar && node.length == other.node.length
            && withText { mine in other.withText { $0.elementsEqual(mine) } }
    }

    /// The value of a key, merge keys included; nil if this is no mapping or has no such key.
    package subscript(_ key: StaticString) -> YAMLNode? {
        guard kind == .mapping else { return nil }
        if node.hasMerge { return entries.first { $0.key.hasText(key) }?.value }
        var child = index + 1
        let end = node.end
        while child < end {
            let value = tree.nodes[Int(child)].end
            if YAMLNode(tree: tree, index: child).hasText(key) { return resolved(value) }
            child = tree.nodes[Int(value)].end
        }
        return nil
    }

    // MARK: Content

    /// Digest of kinds, texts and quoting below this node: the same content anywhere, with any comments, has the same
    /// digest.
    package var contentVersion: ContentVersion {
        let end = Int(node.end)
        var bytes: [UInt8] = []
        bytes.reserveCapacity((end - Int(index)) * 20)
        tree.text.withUnsafeBufferPointer { text in
            for position in Int(index)..<end {
                let node = tree.nodes[position]
                bytes.append(node.kind.rawValue << 1 | (node.isPlain ? 1 : 0))
                var number =
                    switch node.kind {
                    case .scalar: node.length
                    case .alias: node.start &- index
                    case .sequence, .mapping: node.start
                    }
                while number >= 0x80 {
                    bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
                    number >>= 7
                }
                bytes.append(UInt8(truncatingIfNeeded: number))
                if node.kind == .scalar {
                    let start = Int(node.start)
                    bytes.append(contentsOf: text[start..<start + Int(node.length)])
                }
            }
        }
        return ContentVersion(of: bytes)
    }
}
