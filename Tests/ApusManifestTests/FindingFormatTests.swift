internal import ApusCore
internal import ApusManifest
internal import ApusYAML
internal import Testing

@Suite struct FindingFormatTests {
    private let findings = [
        Finding(
            .warning, "APUS0013", "unknown field \"x\" is ignored", hint: "did you mean \"y\"?",
            at: SourceLocation(file: "mesh/b c.yaml", position: Position(line: 3, column: 5)),
            object: "VirtualService default/a", field: "spec.x"),
        Finding(
            .error, "IST0106", "100% wrong:\nand \u{1B}[31mred",
            at: SourceLocation(file: "mesh/a.yaml", position: Position(line: 10, column: 2))),
        Finding(
            .info, "IST0118", "the port name tells nothing",
            at: SourceLocation(file: "mesh/a.yaml", position: Position(line: 9, column: 1))),
    ]

    @Test func textHasOneLineForEachFindingAndItsHintBelow() {
        #expect(
            FindingFormat.text.render(findings) == """
                mesh/a.yaml:9:1: info IST0118 the port name tells nothing
                mesh/a.yaml:10:2: error IST0106 100% wrong:\\nand \\u{1b}[31mred
                mesh/b c.yaml:3:5: warning APUS0013 VirtualService default/a: unknown field "x" is ignored
                    hint: did you mean "y"?

                """)
    }

    @Test func jsonIsSortedAndStable() {
        let text = FindingFormat.json.render(findings)
        #expect(
            text == #"""
                {
                  "counts": {"error": 1, "info": 1, "warning": 1},
                  "findings": [
                    {"code": "IST0118", "column": 1, "file": "mesh/a.yaml", "line": 9, "message": "the port name tells nothing", "severity": "info"},
                    {"code": "IST0106", "column": 2, "file": "mesh/a.yaml", "line": 10, "message": "100% wrong:\nand \u001b[31mred", "severity": "error"},
                    {"code": "APUS0013", "column": 5, "field": "spec.x", "file": "mesh/b c.yaml", "hint": "did you mean \"y\"?", "line": 3, "message": "unknown field \"x\" is ignored", "object": "VirtualService default/a", "severity": "warning"}
                  ]
                }

                """#)
        #expect(FindingFormat.json.render(findings.reversed()) == text)
    }

    @Test func githubCommandsAreEscaped() {
        #expect(
            FindingFormat.github.render(findings) == """
                ::notice file=mesh/a.yaml,line=9,col=1,title=IST0118::the port name tells nothing
                ::error file=mesh/a.yaml,line=10,col=2,title=IST0106::100%25 wrong:%0Aand \u{1B}[31mred
                ::warning file=mesh/b c.yaml,line=3,col=5,title=APUS0013::VirtualService default/a: unknown field "x" is ignored%0Ahint: did you mean "y"?

                """)
    }

    @Test func sarifNamesRulesLevelsAndPlaces() throws {
        let text = FindingFormat.sarif.render(findings, version: "1.2")
        // SARIF is JSON, and JSON is YAML.
        let root = try #require(YAMLFile.parse(file: "s", text: Array(text.utf8)).documents.first?.root)
        #expect(root["version"]?.text == "2.1.0")
        let run = try #require(root["runs"]?.items.first)
        #expect(run["tool"]?["driver"]?["rules"]?.items.map { $0["id"]?.text } == ["APUS0013", "IST0106", "IST0118"])
        let results = try #require(run["results"]?.items)
        #expect(results.map { $0["level"]?.text } == ["note", "error", "warning"])
        #expect(results.map { $0["ruleIndex"]?.text } == ["2", "1", "0"])
        let place = results[2]["locations"]?.items.first?["physicalLocation"]
        #expect(place?["artifactLocation"]?["uri"]?.text == "mesh/b%20c.yaml")
        #expect(place?["region"]?["startLine"]?.text == "3")
        #expect(place?["region"]?["startColumn"]?.text == "5")
        #expect(results[2]["message"]?["text"]?.text.hasSuffix("(did you mean \"y\"?)") == true)
    }

    @Test func noFindingsAreWellFormed() {
        #expect(FindingFormat.text.render([]) == "")
        #expect(FindingFormat.github.render([]) == "")
        #expect(
            FindingFormat.json.render([]) == """
                {
                  "counts": {"error": 0, "info": 0, "warning": 0},
                  "findings": []
                }

                """)
        let sarif = YAMLFile.parse(file: "s", text: Array(FindingFormat.sarif.render([]).utf8))
        #expect(sarif.documents.first?.root["runs"]?.items.first?["results"]?.count == 0)
    }
}
