/// JSON as a tree: enough to print what SwiftProtobuf writes in other shapes and in a fixed order.
indirect enum JSONText {
    case object([(key: String, value: JSONText)])
    case array([JSONText])
    /// Quotes and escapes included.
    case string(String)
    /// Numbers, `true`, `false`, `null`.
    case word(String)

    /// nil if the text is not one JSON value.
    init?(_ text: String) {
        var reader = Reader(bytes: Array(text.utf8))
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    /// `@type` and `name` first, then by key: SwiftProtobuf writes maps inside an `Any` in no fixed order.
    func sorted() -> JSONText {
        switch self {
        case .string, .word:
            return self
        case .array(let items):
            return .array(items.map { $0.sorted() })
        case .object(let members):
            func rank(_ key: String) -> Int { key == "\"@type\"" ? 0 : key == "\"name\"" ? 1 : 2 }
            return .object(
                members.map { (key: $0.key, value: $0.value.sorted()) }
                    .sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) })
        }
    }

    // MARK: Printing

    /// Two blanks per level.
    func json(indent: Int = 0) -> String {
        let inner = String(repeating: " ", count: indent + 2)
        let outer = String(repeating: " ", count: indent)
        switch self {
        case .string(let text), .word(let text): return text
        case .array(let items):
            if items.isEmpty { return "[]" }
            return "[\n" + items.map { inner + $0.json(indent: indent + 2) }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            return "{\n"
                + members.map { "\(inner)\($0.key): \($0.value.json(indent: indent + 2))" }.joined(separator: ",\n")
                + "\n\(outer)}"
        }
    }

    /// Block style. Strings stay as JSON writes them, which YAML reads the same; so do keys, bare where that is safe.
    func yaml(indent: Int = 0) -> String {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .string(let text), .word(let text): return text
        case .array(let items):
            if items.isEmpty { return "[]" }
            return items.map { item in
                let text = item.yaml(indent: indent + 2)
                // A block inside an item starts on the item's own line.
                return item.isBlock ? "\(margin)- \(text.dropFirst(indent + 2))" : "\(margin)- \(text)"
            }.joined(separator: "\n")
        case .object(let members):
            if members.isEmpty { return "{}" }
            return members.map { key, value in
                let text = value.yaml(indent: indent + 2)
                return value.isBlock
                    ? "\(margin)\(Self.yamlKey(key)):\n\(text)" : "\(margin)\(Self.yamlKey(key)): \(text)"
            }.joined(separator: "\n")
        }
    }

    private var isBlock: Bool {
        switch self {
        case .object(let members): !members.isEmpty
        case .array(let items): !items.isEmpty
        case .string, .word: false
        }
    }

    private static func yamlKey(_ quoted: String) -> String {
        let bare = quoted.dropFirst().dropLast()
        let isSafe =
            bare.first.map { $0.isASCII && $0.isLetter } ?? false
            && bare.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let words: Set<Substring> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        return isSafe && !words.contains(Substring(bare.lowercased())) ? String(bare) : quoted
    }

    // MARK: Reading

    private struct Reader {
        let bytes: [UInt8]
        var index = 0
        private static let deepest = 128

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool {
            mutating get {
                skipBlanks()
                return index == bytes.count
            }
        }

        private mutating func skipBlanks() {
            while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        }

        private mutating func take(_ byte: Character) -> Bool {
            skipBlanks()
            guard index < bytes.count, bytes[index] == byte.asciiValue else { return false }
            index += 1
            return true
        }

        mutating func value(depth: Int) -> JSONText? {
            guard depth < Self.deepest else { return nil }
            skipBlanks()
            guard index < bytes.count else { return nil }
            switch bytes[index] {
            case UInt8(ascii: "{"):
                index += 1
                var members: [(key: String, value: JSONText)] = []
                if take("}") { return .object([]) }
                repeat {
                    skipBlanks()
                    guard let key = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
                    members.append((key, value))
                } while take(",")
                return take("}") ? .object(members) : nil
            case UInt8(ascii: "["):
                index += 1
                var items: [JSONText] = []
                if take("]") { return .array([]) }
                repeat {
                    guard let item = value(depth: depth + 1) else { return nil }
                    items.append(item)
                } while take(",")
                return take("]") ? .array(items) : nil
            case UInt8(ascii: "\""):
                return string().map(JSONText.string)
            default:
                let start = index
                while index < bytes.count, !",]} \n\t\r:".utf8.contains(bytes[index]) { index += 1 }
                return start == index ? nil : .word(String(decoding: bytes[start..<index], as: UTF8.self))
            }
        }

        /// As written, quotes included.
        private mutating func string() -> String? {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
            let start = index
            index += 1
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "\\"): index += 2
                case UInt8(ascii: "\""):
                    index += 1
                    return String(decoding: bytes[start..<index], as: UTF8.self)
                default: index += 1
                }
            }
            return nil
        }
    }
}
