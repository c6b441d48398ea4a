internal import ApusCore
internal import ApusYAML
internal import Testing

@Suite struct YAMLFileTests {
    @Test func aScalarKeepsItsPlace() {
        let file = YAMLFile.parse(file: "f.yaml", text: Array("a:\n  b: 1\n".utf8))
        let value = file.documents[0].root["a"]?["b"]
        #expect(value?.position.line == 2)
        #expect(value?.position.column == 6)
    }
}
