internal import ApusCore
internal import ApusYAML

/// One mapping while its fields are read into a typed value. Whatever nobody asked for is unknown.
struct Fields {
    private enum Mode {
        case reading
        /// Reads, and notes which names are asked for.
        case readingAndNoting
        /// Has no values; only notes which names are asked for.
        case noting
    }

    let decoding: Decoding
    let node: YAMLNode
    private let mode: Mode
    private var entries: ContiguousArray<YAMLNode.Entry>
    private var consumed: [Bool]
    private var names: [StaticString] = []

    init(_ node: YAMLNode, _ decoding: Decoding) { self.init(node, decoding, .reading) }

    private init(_ node: YAMLNode, _ decoding: Decoding, _ mode: Mode) {
        self.decoding = decoding
        self.node = node
        self.mode = mode
        entries = mode == .noting ? [] : node.entries
        consumed = [Bool](repeating: false, count: entries.count)
    }

    /// The field's node; nil if it is not written or null.
    mutating func take(_ name: StaticString) -> YAMLNode? {
        if mode != .reading {
            names.append(name)
            if mode == .noting { return nil }
        }
        for index in entries.indices where !consumed[index] {
            let key = entries[index].key
            guard decoding.isProtobuf ? key.names(name) : key.hasText(name) else { continue }
            consumed[index] = true
            let value = entries[index].value
            return value.isNull ? nil : value
        }
        return nil
    }

    /// The key as written, for findings about the field as such.
    func key(_ name: StaticString) -> YAMLNode? {
        entries.first { decoding.isProtobuf ? $0.key.names(name) : $0.key.hasText(name) }?.key
    }

    /// True if the field is written and not null.
    func has(_ name: StaticString) -> Bool {
        entries.contains { (decoding.isProtobuf ? $0.key.names(name) : $0.key.hasText(name)) && !$0.value.isNull }
    }

    mutating func read<Value: FieldValue>(_ name: StaticString, _ target: inout Value) {
        if let node = take(name), let value = Value.decode(node, decoding) { target = value }
    }

    mutating func read<Value: FieldValue>(_ name: StaticString, _ target: inout Value?) {
        if let node = take(name), let value = Value.decode(node, decoding) { target = value }
    }

    /// A nested mapping that has no type of its own; true if it was written.
    @discardableResult
    mutating func nested(_ name: StaticString, _ body: (inout Fields) -> Void) -> Bool {
        guard let node = take(name) else { return false }
        return Self.read(node, decoding, body)
    }

    /// A list of mappings that have no type of their own.
    mutating func eachNested(_ name: StaticString, _ body: (inout Fields) -> Void) {
        guard let node = take(name) else { return }
        guard node.kind == .sequence else {
            decoding.wrongType(node, expected: "a list")
            return
        }
        for item in node.items { Self.read(item, decoding, body) }
    }

    @discardableResult
    static func read(_ node: YAMLNode, _ decoding: Decoding, _ body: (inout Fields) -> Void) -> Bool {
        guard node.kind == .mapping else {
            decoding.wrongType(node, expected: "a mapping")
            return false
        }
        var fields = Fields(node, decoding, decoding.isProtobuf ? .readingAndNoting : .reading)
        body(&fields)
        if decoding.isProtobuf { fields.reportUnknown(known: fields.names) }
        return true
    }

    static func read<Message: FieldMessage>(_ node: YAMLNode, _ decoding: Decoding, as: Message.Type) -> Message? {
        guard node.kind == .mapping else {
            decoding.wrongType(node, expected: "a mapping")
            return nil
        }
        var fields = Fields(node, decoding, .reading)
        var value = Message()
        value.read(&fields)
        if decoding.isProtobuf, fields.consumed.contains(false) {
            // Rare: the message is read once more, without values, to learn the names it knows.
            var noting = Fields(node, decoding, .noting)
            var discarded = Message()
            discarded.read(&noting)
            fields.reportUnknown(known: noting.names)
        }
        return value
    }

    /// Fields that have a meaning nobody here needs.
    mutating func ignore(_ names: StaticString...) {
        for name in names { _ = take(name) }
    }

    private func reportUnknown(known: [StaticString]) {
        for index in entries.indices where !consumed[index] {
            if decoding.isFull { return }
            let key = entries[index].key
            let name = key.text
            decoding.report(
                .warning, FindingCode.unknownField, "unknown field \"\(name)\" is ignored",
                hint: Suggestion.closest(to: name, among: known.map(\.description)).map { "did you mean \"\($0)\"?" },
                at: key)
        }
    }
}
