import ApusDataplane
import ApusTraffic
import Testing

private func parse(
    _ text: String, answering method: HTTPMethod = .get, wantsUpgrade: Bool = false
) throws -> (HTTPHead, HTTP1ResponseFacts)? {
    var parser = HTTP1ResponseParser()
    var head = HTTPHead()
    var facts = HTTP1ResponseFacts()
    let used = try parser.parseHead(
        Array(text.utf8).span, into: &head, facts: &facts, answering: method, wantsUpgrade: wantsUpgrade)
    return used.map { _ in (head, facts) }
}

@Suite struct HTTP1ResponseParserTests {
    @Test("a response is taken apart")
    func plain() throws {
        let (head, facts) = try #require(try parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: x\r\n\r\n"))
        #expect(head.status == 200)
        #expect(head.text("server") == "x")
        #expect(facts.framing == .length(3))
        #expect(!facts.close)
    }

    @Test("the reason phrase may be missing", arguments: ["HTTP/1.1 204\r\n\r\n", "HTTP/1.1 204 \r\n\r\n"])
    func reason(text: String) throws {
        #expect(try parse(text)?.0.status == 204)
    }

    @Test("some responses have no body whatever they say")
    func bodiless() throws {
        #expect(
            try parse("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", answering: .head)?.1.framing == BodyFraming.none)
        #expect(try parse("HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n")?.1.framing == BodyFraming.none)
        #expect(try parse("HTTP/1.1 204 X\r\n\r\n")?.1.framing == BodyFraming.none)
    }

    @Test("without length and chunks the body ends with the connection")
    func untilClose() throws {
        let facts = try #require(try parse("HTTP/1.1 200 OK\r\n\r\n")).1
        #expect(facts.framing == .untilClose && facts.close)
    }

    @Test("an upstream of HTTP/1.0 closes unless it promises not to")
    func oldVersion() throws {
        #expect(try parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")?.1.close == true)
        #expect(try parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n")?.1.close == false)
        #expect(try parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?.1.close == true)
    }

    @Test("1xx is interim, 101 is an upgrade only if asked for")
    func interim() throws {
        #expect(try parse("HTTP/1.1 100 Continue\r\n\r\n")?.1.isInterim == true)
        let text = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
        #expect(try parse(text, wantsUpgrade: true)?.1.isUpgrade == true)
        #expect(throws: HTTP1Error.self) { try parse(text) }
    }

    @Test(
        "bad responses are refused",
        arguments: [
            "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n", "200 OK\r\n\r\nxxxxxxxxx", "HTTP/1.1 200 O\0K\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nA b\r\n\r\n",
        ])
    func bad(text: String) {
        #expect(throws: HTTP1Error.self) { try parse(text) }
    }
}
