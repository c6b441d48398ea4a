internal import ApusTraffic
internal import Testing

@Suite struct HTTPHeadTests {
    @Test func `every token finds itself by its name in any case`() {
        for token in HeaderToken.allCases where token != .other {
            #expect(HeaderName(token.text).token == token)
            #expect(HeaderName(token.text.uppercased()).token == token)
        }
        #expect(HeaderToken.names.count == HeaderToken.allCases.count)
        #expect(HeaderName("x-mine").token == .other)
    }

    @Test func `names are found whatever their case, known and unknown ones`() {
        let head = get("/", [("User-Agent", "curl"), ("X-Mine", "1")])
        #expect(head.text("user-agent") == "curl")
        #expect(head.text("x-MINE") == "1")
        #expect(head.text("x-min") == nil)
    }

    @Test func `replacing keeps one field and removing takes all of a name`() {
        var head = get("/", [("x-a", "1"), ("x-b", "2"), ("X-A", "3")])
        head.replace(HeaderName("x-a"), value: head.store("9"))
        #expect(head.textFields.map { "\($0.name)=\($0.value)" } == ["x-a=9", "x-b=2"])
        head.append(HeaderName("x-b"), "4")
        head.remove(HeaderName("x-b"))
        #expect(head.textFields.map(\.name) == ["x-a"])
    }

    @Test func `pseudo-headers are read and set by their names, and host is the authority`() {
        var head = get("/a?b", host: "shop")
        #expect(head.text(":path") == "/a?b")
        #expect(head.text("Host") == "shop")
        head.replace(HeaderName(":authority"), value: head.store("other"))
        #expect(head.text(":authority") == "other")
        #expect(head.textFields.isEmpty)
        #expect(head.text(head.pathWithoutQuery) == "/a")
    }

    @Test func `several fields of one name are shown to a matcher one by one until one is accepted`() {
        let head = get("/", [("x-a", "1"), ("x-b", "0"), ("X-A", "2"), ("x-a", "3")])
        func seen(_ name: String, until last: String) -> (Bool?, [String]) {
            var values: [String] = []
            let result = head.anyValue(HeaderName(name)) {
                values.append(String(decoding: $0, as: UTF8.self))
                return values.last == last
            }
            return (result, values)
        }
        #expect(seen("x-a", until: "2") == (true, ["1", "2"]))
        #expect(seen("x-a", until: "9") == (false, ["1", "2", "3"]))
        #expect(seen(":path", until: "9") == (false, ["/"]))
        #expect(seen("x-none", until: "9") == (nil, []))
    }

    @Test func `a reset head is empty and reads nothing of its former life`() {
        var head = get("/secret", [("authorization", "x")])
        head.reset()
        #expect(head.fields.isEmpty && head.storage.isEmpty)
        #expect(head.value(.authorization) == nil)
        #expect(head.text(ByteRange(0, 5)) == "")
    }

    @Test(
        arguments: [(0, "0"), (7, "7"), (10, "10"), (18_446_744_073_709_551_615, "18446744073709551615")]
            as [(UInt64, String)])
    func `numbers are written in decimal`(number: UInt64, wanted: String) {
        var out: [UInt8] = []
        out.appendDecimal(number)
        #expect(text(out) == wanted)
    }

    @Test(arguments: [("GET", HTTPMethod.get), ("get", .other), ("OPTIONS", .options), ("PATCH", .patch), ("", .other)])
    func `methods are case-sensitive`(name: String, method: HTTPMethod) {
        #expect(withBytes(bytes(name)) { HTTPMethod($0) } == method)
    }
}
