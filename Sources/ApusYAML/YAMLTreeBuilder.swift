internal import ApusCore
internal import CYaml

/// Turns the parser's events into a tree, and enforces the limits while it grows.
struct YAMLTreeBuilder {
    private let file: String
    private let limits: YAMLLimits
    private var nodes: ContiguousArray<YAMLTree.Node> = []
    private var text: ContiguousArray<UInt8> = []
    private var findings: [Finding] = []
    private var documents: [(root: UInt32, findings: [Finding])] = []

    /// Nodes as if aliases were written out.
    private var expanded = 0
    private var anchors: [String: Anchor] = [:]
    private var open: [Open] = []
    private var documentFindings: [Finding] = []
    private var isOverLimit = false
    /// The document repeats `apiVersion` or `kind` at its root: two manifests run together.
    private var isRunTogether = false

    /// A finished, named node.
    private struct Anchor {
        let index: UInt32
        let expanded: Int
        let height: Int
    }

    /// A collection whose end has not been seen.
    private struct Open {
        let index: UInt32
        let anchor: String?
        let expandedBefore: Int
        var children: UInt32 = 0
        var height = 1
    }

    private enum Stop: Error {
        /// The document is lost; the rest of the file can be read.
        case document(Finding)
        /// The file is lost from here.
        case file(Finding)
    }

    init(file: String, limits: YAMLLimits) {
        self.file = file
        self.limits = limits
    }

    func finish() -> YAMLFile {
        let tree = YAMLTree(nodes: nodes, text: text)
        return YAMLFile(
            documents: documents.map {
                YAMLDocument(root: YAMLNode(tree: tree, index: $0.root), findings: $0.findings)
            },
            findings: findings)
    }

    mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        nodes.reserveCapacity(bytes.count / 12 + 8)
        text.reserveCapacity(bytes.count)
        var start = 0
        var line = 0
        // Stretches without a bad byte are parsed; the document around one is left out.
        while start < bytes.count, findings.count < limits.findings {
            guard let bad = YAMLText.firstBadByte(bytes, from: start) else {
                parse(UnsafeBufferPointer(rebasing: bytes[start...]), line: line)
                return
            }
            findings.append(
                error(
                    YAMLCode.encoding, bad.message, hint: bad.hint, YAMLText.position(of: bad.offset, in: bytes)))
            var documentStart = start
            var documentLine = line
            var next: (offset: Int, lines: Int)?
            var from = start
            var fromLine = line
            while let marker = YAMLText.nextDocument(from: from, in: bytes) {
                if marker.offset > bad.offset {
                    next = (marker.offset, fromLine + marker.lines)
                    break
                }
                documentStart = marker.offset
                documentLine = fromLine + marker.lines
                from = YAMLText.offset(ofLine: 1, from: marker.offset, in: bytes)
                fromLine = documentLine + 1
            }
            if documentStart > start {
                parse(UnsafeBufferPointer(rebasing: bytes[start..<documentStart]), line: line)
            }
            guard let next else { return }
            start = next.offset
            line = next.lines
        }
    }

    /// Parses a stretch that begins at a start of a line, `line` lines into the file.
    private mutating func parse(_ bytes: UnsafeBufferPointer<UInt8>, line firstLine: Int) {
        var bytes = bytes
        var firstLine = firstLine
        while !bytes.isEmpty, !isOverLimit, findings.count < limits.findings {
            guard let next = parseUntilError(bytes, line: firstLine) else { return }
            firstLine += next.lines
            bytes = UnsafeBufferPointer(rebasing: bytes[next.offset...])
        }
    }

    /// Returns the place to begin anew after an error, nil at the end of the text.
    private mutating func parseUntilError(
        _ bytes: UnsafeBufferPointer<UInt8>, line firstLine: Int
    ) -> (offset: Int, lines: Int)? {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { return nil }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)

        // Where the text is cut if this document fails.
        var documentNodes = nodes.count
        var documentText = text.count
        var documentLine = 0
        var failure: Finding
        var failureLine: Int
        do {
            while true {
                var event = yaml_event_t()
                guard yaml_parser_parse(&parser, &event) == 1 else {
                    failureLine = Int(clamping: parser.problem_mark.line)
                    failure = syntaxError(parser, bytes, firstLine)
                    break
                }
                defer { yaml_event_delete(&event) }
                let type = event.type
                if type == YAML_STREAM_END_EVENT { return nil }
                failureLine = Int(clamping: event.start_mark.line)
                if type == YAML_DOCUMENT_START_EVENT {
                    documentNodes = nodes.count
                    documentText = text.count
                    documentLine = failureLine
                    begin()
                } else if type == YAML_DOCUMENT_END_EVENT {
                    end(root: documentNodes)
                    documentNodes = nodes.count
                    documentText = text.count
                } else if type != YAML_STREAM_START_EVENT {
                    try add(event, firstLine)
                }
            }
        } catch Stop.document(let finding) {
            failure = finding
            failureLine = Int(clamping: parser.mark.line)
        } catch Stop.file(let finding) {
            failure = finding
            failureLine = 0
            isOverLimit = true
        } catch {
            return nil
        }
        findings.append(contentsOf: documentFindings)
        documentFindings = []
        findings.append(failure)
        nodes.removeSubrange(documentNodes...)
        text.removeSubrange(documentText...)
        guard !isOverLimit else { return nil }
        let from = max(documentLine + 1, failureLine)
        let offset = YAMLText.offset(ofLine: from, from: 0, in: bytes)
        guard let next = YAMLText.nextDocument(from: offset, in: bytes), next.offset > 0 else { return nil }
        return (next.offset, from + next.lines)
    }

    // MARK: Events

    private mutating func begin() {
        anchors.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
        documentFindings = []
        isRunTogether = false
    }

    private mutating func end(root: Int) {
        guard root < nodes.count else { return }
        let node = nodes[root]
        // A document of comments alone is one empty scalar.
        if node.kind == .scalar, node.isPlain, node.length == 0, documentFindings.isEmpty { return }
        documents.append((UInt32(root), documentFindings))
        documentFindings = []
    }

    private mutating func add(_ event: yaml_event_t, _ firstLine: Int) throws {
        let mark = event.start_mark
        let line = UInt32(clamping: Int(clamping: mark.line) + firstLine + 1)
        let column = UInt32(clamping: Int(clamping: mark.column) + 1)
        switch event.type {
        case YAML_SCALAR_EVENT:
            try addScalar(event.data.scalar, line, column)
        case YAML_SEQUENCE_START_EVENT:
            let data = event.data.sequence_start
            try checkTag(data.tag, "seq", line, column)
            try openCollection(.sequence, anchor: data.anchor, line, column)
        case YAML_MAPPING_START_EVENT:
            let data = event.data.mapping_start
            try checkTag(data.tag, "map", line, column)
            try openCollection(.mapping, anchor: data.anchor, line, column)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            closeCollection()
        case YAML_ALIAS_EVENT:
            try addAlias(event.data.alias.anchor, line, column)
        default:
            break
        }
    }

    private mutating func addScalar(
        _ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar, _ line: UInt32, _ column: UInt32
    ) throws {
        var isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
        if let tag = scalar.tag {
            if Self.equal(tag, "tag:yaml.org,2002:str") || Self.equal(tag, "!") {
                isPlain = false
            } else if !["null", "bool", "int", "float", "timestamp"].contains(where: {
                Self.equal(tag, "tag:yaml.org,2002:" + $0)
            }) {
                note(YAMLCode.unsupported, "the tag \(Self.string(tag)) is not known here", hint: nil, line, column)
            }
        }
        let length = scalar.length
        let start = text.count
        if let value = scalar.value {
            text.append(contentsOf: UnsafeBufferPointer(start: value, count: length))
        }
        let index = UInt32(nodes.count)
        try push(
            YAMLTree.Node(
                kind: .scalar, isPlain: isPlain, hasMerge: false, line: line, column: column, start: UInt32(start),
                length: UInt32(length), end: index + 1))
        if let anchor = scalar.anchor {
            anchors[Self.string(anchor)] = Anchor(index: index, expanded: 1, height: 0)
        }
    }

    private mutating func openCollection(
        _ kind: YAMLNode.Kind, anchor: UnsafeMutablePointer<UInt8>?, _ line: UInt32, _ column: UInt32
    ) throws {
        let index = UInt32(nodes.count)
        let before = expanded
        try push(
            YAMLTree.Node(
                kind: kind, isPlain: false, hasMerge: false, line: line, column: column, start: 0, length: 0,
                end: index + 1))
        open.append(Open(index: index, anchor: anchor.map(Self.string), expandedBefore: before))
        if open.count > limits.depth {
            throw Stop.document(tooDeep(line, column))
        }
        if let name = open.last?.anchor { anchors[name] = nil }
    }

    private mutating func closeCollection() {
        guard let closed = open.popLast() else { return }
        let index = Int(closed.index)
        nodes[index].start = closed.children
        nodes[index].end = UInt32(nodes.count)
        if nodes[index].kind == .mapping { checkKeys(index, isRoot: open.isEmpty) }
        if let name = closed.anchor {
            anchors[name] = Anchor(
                index: closed.index, expanded: expanded - closed.expandedBefore, height: closed.height)
        }
        if !open.isEmpty {
            open[open.count - 1].height = max(open[open.count - 1].height, closed.height + 1)
        }
    }

    private mutating func addAlias(_ name: UnsafeMutablePointer<UInt8>?, _ line: UInt32, _ column: UInt32) throws {
        let name = name.map(Self.string) ?? ""
        guard let anchor = anchors[name] else {
            throw Stop.document(
                error(
                    YAMLCode.syntax, "the alias *\(name) has no anchor &\(name) before it", hint: nil,
                    Position(line: Int(line), column: Int(column))))
        }
        if open.count + anchor.height > limits.depth { throw Stop.document(tooDeep(line, column)) }
        expanded += anchor.expanded - 1
        let index = UInt32(nodes.count)
        try push(
            YAMLTree.Node(
                kind: .alias, isPlain: false, hasMerge: false, line: line, column: column, start: anchor.index,
                length: 0, end: index + 1))
        if !open.isEmpty { open[open.count - 1].height = max(open[open.count - 1].height, anchor.height + 1) }
    }

    private mutating func push(_ node: YAMLTree.Node) throws {
        nodes.append(node)
        expanded += 1
        if !open.isEmpty { open[open.count - 1].children += 1 }
        guard expanded <= limits.nodes else {
            throw Stop.file(
                error(
                    YAMLCode.limit,
                    "the file has more than \(limits.nodes) values, counting what aliases stand for",
                    hint: "split the file, or use fewer aliases",
                    Position(line: Int(node.line), column: Int(node.column))))
        }
    }

    // MARK: Checks

    /// Every key must be a scalar and stand once; a merge key must name mappings.
    private mutating func checkKeys(_ mapping: Int, isRoot: Bool) {
        let end = Int(nodes[mapping].end)
        let count = Int(nodes[mapping].start) / 2
        var seen: [UInt64: [Int]] = [:]
        var keys: [Int] = []
        let isLarge = count > 16
        if !isLarge { keys.reserveCapacity(count) }
        var child = mapping + 1
        while child < end {
            let value = Int(nodes[child].end)
            var key = child
            if nodes[key].kind == .alias { key = Int(nodes[key].start) }
            if nodes[key].kind != .scalar {
                note(
                    YAMLCode.unsupported, "a key must be a string, not a collection", hint: nil, nodes[child].line,
                    nodes[child].column)
            } else if isMerge(key) {
                nodes[mapping].hasMerge = true
                checkMerge(value)
            } else if isLarge {
                let digest = text.withUnsafeBytes { bytes in
                    let start = Int(nodes[key].start)
                    return XXHash64.hash(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(nodes[key].length)]))
                }
                if let first = seen[digest]?.first(where: { same($0, key) }) {
                    duplicate(child, key, of: first, isRoot)
                } else {
                    seen[digest, default: []].append(key)
                }
            } else {
                if let first = keys.first(where: { same($0, key) }) {
                    duplicate(child, key, of: first, isRoot)
                } else {
                    keys.append(key)
                }
            }
            child = Int(nodes[value].end)
        }
    }

    private func isMerge(_ key: Int) -> Bool {
        let node = nodes[key]
        guard node.isPlain, node.length == 2 else { return false }
        let start = Int(node.start)
        return text[start] == UInt8(ascii: "<") && text[start + 1] == UInt8(ascii: "<")
    }

    private mutating func checkMerge(_ value: Int) {
        func isMapping(_ index: Int) -> Bool {
            nodes[index].kind == .mapping
                || nodes[index].kind == .alias && nodes[Int(nodes[index].start)].kind == .mapping
        }
        var isGood = isMapping(value)
        let target = nodes[value].kind == .alias ? Int(nodes[value].start) : value
        if nodes[target].kind == .sequence {
            isGood = true
            var item = target + 1
            while item < Int(nodes[target].end) {
                isGood = isGood && isMapping(item)
                item = Int(nodes[item].end)
            }
        }
        if !isGood {
            note(
                YAMLCode.unsupported, "the merge key << takes a mapping or a list of mappings", hint: nil,
                nodes[value].line, nodes[value].column)
        }
    }

    private func same(_ left: Int, _ right: Int) -> Bool {
        let first = nodes[left]
        let second = nodes[right]
        guard first.length == second.length else { return false }
        return text.withUnsafeBufferPointer { text in
            for offset in 0..<Int(first.length)
            where text[Int(first.start) + offset] != text[Int(second.start) + offset] {
                return false
            }
            return true
        }
    }

    private mutating func duplicate(_ place: Int, _ key: Int, of first: Int, _ isRoot: Bool) {
        let node = nodes[key]
        let start = Int(node.start)
        let name = String(decoding: text[start..<start + Int(node.length)], as: UTF8.self)
        let before = nodes[first]
        let isSecondDocument = isRoot && (name == "apiVersion" || name == "kind")
        // Two manifests run together repeat every key; the first repetition has said it all.
        if isRoot, isRunTogether { return }
        isRunTogether = isRunTogether || isSecondDocument
        guard documentFindings.count < limits.findings else { return }
        documentFindings.append(
            Finding(
                .error, YAMLCode.duplicateKey,
                "the key \"\(name)\" stands twice in one mapping; it was first written at line \(before.line), "
                    + "column \(before.column)",
                hint: isSecondDocument
                    ? "if a second object begins here, put a line with --- before line \(nodes[place].line)"
                    : "remove one of them",
                at: SourceLocation(
                    file: file,
                    position: Position(line: Int(nodes[place].line), column: Int(nodes[place].column)))))
    }

    private mutating func checkTag(
        _ tag: UnsafeMutablePointer<UInt8>?, _ expected: String, _ line: UInt32, _ column: UInt32
    ) throws {
        guard let tag, !Self.equal(tag, "tag:yaml.org,2002:" + expected), !Self.equal(tag, "!") else { return }
        note(YAMLCode.unsupported, "the tag \(Self.string(tag)) is not known here", hint: nil, line, column)
    }

    // MARK: Findings

    private mutating func note(_ code: String, _ message: String, hint: String?, _ line: UInt32, _ column: UInt32) {
        guard documentFindings.count < limits.findings else { return }
        documentFindings.append(error(code, message, hint: hint, Position(line: Int(line), column: Int(column))))
    }

    private func error(_ code: String, _ message: String, hint: String?, _ position: Position) -> Finding {
        Finding(.error, code, message, hint: hint, at: SourceLocation(file: file, position: position))
    }

    private func tooDeep(_ line: UInt32, _ column: UInt32) -> Finding {
        error(
            YAMLCode.limit, "values are nested more than \(limits.depth) deep", hint: nil,
            Position(line: Int(line), column: Int(column)))
    }

    private func syntaxError(
        _ parser: yaml_parser_t, _ bytes: UnsafeBufferPointer<UInt8>, _ firstLine: Int
    ) -> Finding {
        var message = "this is not YAML: "
        message += parser.problem.map { String(cString: $0) } ?? "the text cannot be read"
        if let context = parser.context {
            message += " \(String(cString: context))"
            let line = Int(clamping: parser.context_mark.line)
            if line != Int(clamping: parser.problem_mark.line) {
                message += " that begins at line \(line + firstLine + 1)"
            }
        }
        if parser.error == YAML_READER_ERROR {
            let place = YAMLText.position(of: Int(clamping: parser.problem_offset), in: bytes)
            return error(
                YAMLCode.encoding, message, hint: nil, Position(line: place.line + firstLine, column: place.column))
        }
        let mark = parser.problem_mark
        let line = Int(clamping: mark.line)
        let start = YAMLText.offset(ofLine: line, from: 0, in: bytes)
        let hasTab = bytes[min(start, bytes.count)...].prefix { $0 == 0x20 || $0 == 0x09 }.contains(0x09)
        return error(
            YAMLCode.syntax, message, hint: hasTab ? "indent with spaces, not with tabs" : nil,
            Position(line: line + firstLine + 1, column: Int(clamping: mark.column) + 1))
    }

    private static func string(_ text: UnsafeMutablePointer<UInt8>) -> String { String(cString: text) }

    private static func equal(_ text: UnsafeMutablePointer<UInt8>, _ other: String) -> Bool {
        String(cString: text) == other
    }
}
