internal import ApusCore
internal import ApusYAML
internal import Testing

@Suite struct YAMLFileTests {
    private func parse(_ text: String, _ limits: YAMLLimits = .standard) -> YAMLFile {
        YAMLFile.parse(file: "f.yaml", text: Array(text.utf8), limits: limits)
    }

    private func lines(_ findings: [Finding]) -> [String] {
        findings.map {
            "\($0.location.position.line):\($0.location.position.column) \($0.code) \($0.message)"
        }
    }

    @Test func aScalarKeepsItsPlace() {
        let file = parse("a:\n  b: 1\n")
        #expect(file.documents[0].root["a"]?["b"]?.position == Position(line: 2, column: 6))
    }

    @Test func columnsCountCharacters() {
        let file = parse("äöü: {ß: x}\n")
        #expect(file.documents[0].root["äöü"]?["ß"]?.position == Position(line: 1, column: 10))
    }

    @Test func emptyDocumentsAreLeftOut() {
        #expect(parse("").documents.isEmpty)
        #expect(parse("# nothing\n---\n---\n# still nothing\n").documents.isEmpty)
        #expect(parse("---\na: 1\n---\n---\nb: 2\n...\n---\nc: 3\n").documents.count == 3)
    }

    @Test func aSyntaxErrorEndsItsDocumentAlone() {
        let file = parse("a: 1\n---\nb: 2\n---\nc: [1\n---\nd: 4\n")
        #expect(file.documents.map { $0.root.entries[0].key.text } == ["a", "b", "d"])
        #expect(file.documents[2].root["d"]?.position == Position(line: 7, column: 4))
        #expect(
            lines(file.findings) == [
                "6:1 APUS0001 this is not YAML: did not find expected ',' or ']' while parsing a flow sequence that "
                    + "begins at line 5"
            ])
    }

    @Test func severalSyntaxErrorsAreAllFound() {
        let file = parse("a: \"1\n---\nb: 2\n---\nc: }\n---\nd: 4\n")
        #expect(file.documents.map { $0.root.entries[0].key.text } == ["b", "d"])
        #expect(file.findings.map(\.location.position.line) == [2, 5])
    }

    @Test func aBadByteEndsItsDocumentAlone() {
        var text = Array("a: 1\n---\nb: x".utf8)
        text += [0xFF] + Array("\n---\nc: 3\n".utf8)
        let file = YAMLFile.parse(file: "f.yaml", text: text)
        #expect(file.documents.map { $0.root.entries[0].key.text } == ["a", "c"])
        #expect(file.documents[1].root["c"]?.position == Position(line: 5, column: 4))
        #expect(lines(file.findings) == ["3:5 APUS0004 the byte 0xff is not valid UTF-8"])
    }

    @Test(
        arguments: [
            ([0xC0, 0x80], "the byte 0xc0 is not valid UTF-8"),
            ([0xED, 0xA0, 0x80], "the byte 0xed is not valid UTF-8"),
            ([0xE2, 0x82], "the byte 0xe2 is not valid UTF-8"), ([0x00], "the file contains a NUL byte"),
            ([0x1B], "the file contains the control character 0x1b"),
        ] as [([UInt8], String)])
    func badBytesAreRefused(_ bytes: [UInt8], _ message: String) {
        let file = YAMLFile.parse(file: "f.yaml", text: Array("a: ".utf8) + bytes + Array("\n".utf8))
        #expect(file.documents.isEmpty)
        #expect(lines(file.findings) == ["1:4 APUS0004 \(message)"])
    }

    @Test func aByteOrderMarkIsSkipped() {
        let file = YAMLFile.parse(file: "f.yaml", text: [0xEF, 0xBB, 0xBF] + Array("a: 1\n".utf8))
        #expect(file.documents[0].root["a"]?.position == Position(line: 1, column: 4))
    }

    @Test func windowsLineEndsCountOnce() {
        let file = parse("a: 1\r\nb: 2\r\n---\r\nc: [\r\n---\r\nd: 4\r\n")
        #expect(file.documents.count == 2)
        #expect(file.documents[0].root["b"]?.position == Position(line: 2, column: 4))
        #expect(file.documents[1].root["d"]?.position == Position(line: 6, column: 4))
    }

    // MARK: JSON

    @Test func jsonWithTabsIsRead() {
        let file = parse("{\n\t\"a\": {\n\t\t\"b\":\t[1, \"two\"]\n\t}\n}\n")
        #expect(file.findings.isEmpty)
        #expect(file.documents[0].root["a"]?["b"]?.items.map(\.text) == ["1", "two"])
    }

    @Test func jsonEscapesAreRead() {
        let file = parse(#"{"a": "\u00e4 \ud83d\ude00 \/ \" \\ud83d"}"#)
        #expect(file.documents.first?.root["a"]?.text == "ä 😀 / \" \\ud83d")
    }

    // MARK: Aliases and merge keys

    @Test func aliasesStandForTheirAnchors() {
        let file = parse("a: &x {k: 1}\nb: *x\nc: [*x]\n")
        let root = file.documents[0].root
        #expect(root["b"]?["k"]?.text == "1")
        #expect(root["c"]?.items[0]["k"]?.position == Position(line: 1, column: 11))
    }

    @Test func ownKeysWinOverMergedOnes() {
        let file = parse("a: &a {k: 1, l: 1}\nb: &b {l: 2, m: 2}\nc:\n  <<: [*a, *b]\n  k: 3\n")
        let merged = file.documents[0].root["c"]
        #expect(merged?["k"]?.text == "3")
        #expect(merged?["l"]?.text == "1")
        #expect(merged?["m"]?.text == "2")
        #expect(merged?.entries.count == 3)
    }

    @Test func aQuotedMergeKeyIsAnOrdinaryKey() {
        let file = parse("\"<<\": x\n")
        #expect(file.documents[0].findings.isEmpty)
        #expect(file.documents[0].root["<<"]?.text == "x")
    }

    @Test func nestedAliasesCannotExplode() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<20 {
            let items = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let file = parse(text)
        #expect(file.documents.isEmpty)
        #expect(file.findings.map(\.code) == [YAMLCode.limit])
    }

    @Test func anAliasInsideItsOwnAnchorIsRefused() {
        let file = parse("a: &a [*a]\n")
        #expect(lines(file.findings) == ["1:8 APUS0001 the alias *a has no anchor &a before it"])
    }

    @Test func anchorsEndWithTheirDocument() {
        let file = parse("a: &x 1\n---\nb: *x\n")
        #expect(file.documents.count == 1)
        #expect(file.findings.count == 1)
    }

    // MARK: Limits

    @Test func depthIsLimited() {
        let good = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        let bad = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(parse(good).findings.isEmpty)
        #expect(lines(parse(bad).findings) == ["1:65 APUS0003 values are nested more than 64 deep"])
        #expect(parse(bad + "\n---\na: 1\n").documents.count == 1)
    }

    @Test func aliasesDoNotHideDepth() {
        var text = "a0: &a0 [x]\n"
        for level in 1..<70 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(parse(text).findings.map(\.message) == ["values are nested more than 64 deep"])
    }

    @Test func nodesAreLimited() {
        var limits = YAMLLimits()
        limits.nodes = 10
        #expect(parse("[1, 2, 3, 4, 5, 6, 7, 8, 9]", limits).findings.isEmpty)
        let file = parse("a: 1\n---\n[1, 2, 3, 4, 5, 6, 7, 8, 9]\n---\nb: 1\n", limits)
        #expect(file.documents.count == 1)
        #expect(file.findings.map(\.code) == [YAMLCode.limit])
    }

    @Test func sizeIsLimited() {
        var limits = YAMLLimits()
        limits.bytes = 4
        #expect(parse("a: 1", limits).documents.count == 1)
        #expect(
            lines(parse("a: 12", limits).findings) == ["1:1 APUS0003 the file has 5 bytes, more than the limit of 4"])
    }

    @Test func findingsAreLimited() {
        let text = String(repeating: "a: [\n---\n", count: 1000)
        #expect(parse(text).findings.count == YAMLLimits.standard.findings)
    }

    // MARK: Keys

    @Test func everyDuplicateKeyIsFound() {
        let file = parse("a: {x: 1, x: 2, y: 3, y: 4}\n")
        #expect(
            file.documents[0].findings.map(\.message) == [
                "the key \"x\" stands twice in one mapping; it was first written at line 1, column 5",
                "the key \"y\" stands twice in one mapping; it was first written at line 1, column 17",
            ])
    }

    @Test func duplicatesAreFoundInLargeMappings() {
        var text = ""
        for number in 0..<1000 { text += "k\(number): v\n" }
        #expect(parse(text).documents[0].findings.isEmpty)
        text += "k500: v\n"
        #expect(
            parse(text).documents[0].findings.map(\.message) == [
                "the key \"k500\" stands twice in one mapping; it was first written at line 501, column 1"
            ])
    }

    // MARK: Scalars

    @Test(
        arguments: [
            ("null", .null), ("~", .null), ("", .null), ("Null", .null), ("nul", .string), ("true", .bool(true)),
            ("FALSE", .bool(false)), ("yes", .string), ("on", .string), ("y", .string), ("0", .integer(0)),
            ("-12", .integer(-12)), ("+7", .integer(7)), ("0x1F", .integer(31)), ("0o17", .integer(15)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", .number(1.5)), (".5", .number(0.5)),
            ("1e3", .number(1000)), ("1.", .number(1)), (".inf", .number(.infinity)), ("1.2.3", .string),
            ("1s", .string),
            (".", .string), ("0x", .string), ("1e", .string), ("10.0.0.1", .string), ("::1", .string),
        ] as [(String, YAMLScalar)])
    func plainScalarsHaveAMeaning(_ text: String, _ scalar: YAMLScalar) {
        #expect(parse("a: \(text)\n").documents.first?.root["a"]?.scalar == scalar)
    }

    @Test(arguments: ["\"1\"", "'true'", "!!str 1", "|\n  1", ">-\n  null"])
    func quotedScalarsAreStrings(_ text: String) {
        #expect(parse("a: \(text)\n").documents[0].root["a"]?.scalar == .string)
    }

    @Test func oldBooleansCountWhereABooleanIsAskedFor() {
        let items = parse("[yes, On, no, OFF, true, maybe, 'yes']").documents[0].root.items
        #expect(items.map(\.boolean) == [true, true, false, false, true, nil, nil])
    }

    // MARK: Paths

    private let pathText = """
        spec:
          http:
            - match:
                - headers:
                    x.y: {exact: a}
              route:
                - destination:
                    host: b
                  max_weight: 5
        """

    @Test(arguments: [
        ("spec.http[0].route[0].destination.host", 8, 19), ("spec.http[0].route[0].destination.port.number", 7, 11),
        ("spec.http[0].timeout", 3, 7), ("spec.http[7].timeout", 2, 3), ("spec.tls", 1, 1),
        ("spec.http[0].match[0].headers[\"x.y\"].exact", 5, 26), ("spec.http[0].match[0].headers[x.y]", 5, 13),
        ("spec.http[0].route[0].maxWeight", 9, 23), ("spec.http", 2, 3),
    ])
    func aPathLeadsToItsFieldOrTheNearestParent(_ path: String, _ line: Int, _ column: Int) {
        let root = parse(pathText).documents[0].root
        #expect(root.position(ofPath: path) == Position(line: line, column: column))
    }

    @Test func aPathWithoutBeginningLeadsNowhere() {
        #expect(parse(pathText).documents[0].root.position(ofPath: "status") == nil)
    }

    @Test func aNodeKnowsItsPath() throws {
        let root = parse(pathText).documents[0].root
        let match = try #require(root["spec"]?["http"]?.items[0]["match"]?.items[0]["headers"]?.entries[0])
        #expect(root.path(to: match.key) == "spec.http[0].match[0].headers[\"x.y\"]")
        #expect(try root.path(to: #require(match.value["exact"])) == "spec.http[0].match[0].headers[\"x.y\"].exact")
    }

    // MARK: Versions

    @Test func placeAndCommentsDoNotChangeTheVersion() {
        let plain = parse("a: {b: 1, c: [x]}\n").documents[0].root.contentVersion
        let moved = parse("# comment\n---\na:\n  b: 1   # one\n  c:\n    - x\n").documents[0].root.contentVersion
        #expect(plain == moved)
    }

    @Test(arguments: [
        "a: {b: 2, c: [x]}", "a: {b: '1', c: [x]}", "a: {b: 1, c: [x, y]}", "a: {b: 1, c: x}", "a: {b: 1}",
    ])
    func contentChangesTheVersion(_ text: String) {
        let plain = parse("a: {b: 1, c: [x]}\n").documents[0].root.contentVersion
        #expect(parse(text).documents[0].root.contentVersion != plain)
    }
}
