package import ApusCore

/// Field paths, as findings and provenance write them: `spec.http[0].match[1].headers["x.y"].exact`.
extension YAMLNode {
    /// True if the key names this field: as written, or in protobuf's other spelling (`max_retries` for `maxRetries`).
    package func names(_ field: StaticString) -> Bool {
        withText { mine in
            Self.names(mine, UnsafeBufferPointer(start: field.utf8Start, count: field.utf8CodeUnitCount))
        }
    }

    private static func names(_ key: UnsafeBufferPointer<UInt8>, _ field: UnsafeBufferPointer<UInt8>) -> Bool {
        guard key.count >= field.count else { return false }
        var position = 0
        var raise = false
        for byte in key {
            if byte == UInt8(ascii: "_") {
                raise = true
                continue
            }
            guard position < field.count else { return false }
            var byte = byte
            if raise, byte >= UInt8(ascii: "a"), byte <= UInt8(ascii: "z") { byte -= 0x20 }
            raise = false
            guard field[position] == byte else { return false }
            position += 1
        }
        return position == field.count && !raise
    }

    /// The place of the field at `path` below this node, or of its nearest parent that is written; nil if not even
    /// the first step is written. A scalar's place is its value, a collection's place is its key.
    package func position(ofPath path: String) -> Position? {
        var node = self
        var found: Position?
        for step in Self.steps(path) {
            guard let next = node.child(step) else { break }
            node = next.value
            found = node.kind == .scalar && !node.isNull ? node.position : (next.key ?? node).position
        }
        return found
    }

    private func child(_ step: String) -> (key: YAMLNode?, value: YAMLNode)? {
        switch kind {
        case .sequence:
            guard let index = Int(step), let item = item(at: index) else { return nil }
            return (nil, item)
        case .mapping:
            var step = step
            return step.withUTF8 { step in
                let entries = entries
                let entry =
                    entries.first { $0.key.withText { $0.elementsEqual(step) } }
                    ?? entries.first { $0.key.withText { Self.names($0, step) } }
                return entry.map { ($0.key, $0.value) }
            }
        case .scalar, .alias:
            return nil
        }
    }

    /// `a.b[0]["c.d"]` as `a`, `b`, `0`, `c.d`.
    private static func steps(_ path: String) -> [String] {
        var result: [String] = []
        let bytes = Array(path.utf8)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "."):
                index += 1
            case UInt8(ascii: "["):
                var end = index + 1
                let quote = end < bytes.count && bytes[end] == UInt8(ascii: "\"")
                if quote {
                    end += 1
                    let start = end
                    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += 1 }
                    result.append(String(decoding: bytes[start..<end], as: UTF8.self))
                    index = min(end + 2, bytes.count)
                } else {
                    let start = end
                    while end < bytes.count, bytes[end] != UInt8(ascii: "]") { end += 1 }
                    result.append(String(decoding: bytes[start..<end], as: UTF8.self))
                    index = min(end + 1, bytes.count)
                }
            default:
                let start = index
                while index < bytes.count, bytes[index] != UInt8(ascii: "."), bytes[index] != UInt8(ascii: "[") {
                    index += 1
                }
                result.append(String(decoding: bytes[start..<index], as: UTF8.self))
            }
        }
        return result
    }

    /// The path from this node to a descendant. For a node reached through an alias this is the path of its anchor.
    package func path(to other: YAMLNode) -> String {
        var result = ""
        var index = index
        let target = other.index
        while index != target {
            let node = tree.nodes[Int(index)]
            guard target > index, target < node.end else { return result }
            var child = index + 1
            var number = 0
            var next: UInt32?
            while child < node.end {
                if node.kind == .mapping {
                    let value = tree.nodes[Int(child)].end
                    let end = tree.nodes[Int(value)].end
                    if target < end {
                        Self.append(YAMLNode(tree: tree, index: child).text, to: &result)
                        // A finding about a key is about its field.
                        if target < value { return result }
                        next = value
                        break
                    }
                    child = end
                } else {
                    let end = tree.nodes[Int(child)].end
                    if target < end {
                        result += "[\(number)]"
                        next = child
                        break
                    }
                    child = end
                    number += 1
                }
            }
            guard let next else { return result }
            index = next
        }
        return result
    }

    private static func append(_ key: String, to path: inout String) {
        let isName = key.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
        if isName, !key.isEmpty {
            if !path.isEmpty { path += "." }
            path += key
        } else {
            path += "[\"\(key)\"]"
        }
    }
}
