internal import ApusDelta
internal import Testing

@Suite("Names in error messages")
struct ErrorMentionsTests {
    @Test(
        "a name is found as a whole word",
        arguments: [
            ("cluster(s) outbound|80||a.b: no such filter", "outbound|80||a.b", true),
            ("outbound|80||a.b", "outbound|80||a.b", true),
            ("outbound|80||a.b.", "outbound|80||a.b", true),
            ("'80', other", "80", true),
            ("outbound|80||a.b.c: bad", "outbound|80||a.b", false),
            ("outbound|80|v1|a.b: bad", "80", false),
            ("x.outbound|80||a.b: bad", "outbound|80||a.b", false),
            ("0.0.0.0_8080: bad", "0.0.0.0_80", false),
            ("0.0.0.0_8080 and 0.0.0.0_80: bad", "0.0.0.0_80", true),
            ("listener a:8080 refused", "a", false),
            ("anything", "", false),
            ("", "a", false),
        ])
    func words(message: String, name: String, expected: Bool) {
        #expect(ErrorMentions(message).contains(name) == expected)
    }
}
