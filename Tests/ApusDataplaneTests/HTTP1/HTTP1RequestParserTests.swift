import ApusDataplane
import ApusTraffic
import Testing

/// Feeds the text in pieces of the given size; the parser sees growing input, as on a connection.
private func parse(_ text: String, step: Int = .max) throws -> (HTTPHead, HTTP1RequestFacts, used: Int)? {
    var parser = HTTP1RequestParser()
    var head = HTTPHead()
    var facts = HTTP1RequestFacts()
    let bytes = Array(text.utf8)
    var end = min(step, bytes.count)
    while true {
        if let used = try parser.parseHead(Array(bytes[..<end]).span, into: &head, facts: &facts) {
            return (head, facts, used)
        }
        if end == bytes.count { return nil }
        end = min(bytes.count, end + step)
    }
}

private func failure(_ text: String, step: Int = .max) -> HTTP1Error? {
    do {
        _ = try parse(text, step: step)
        return nil
    } catch {
        return error as? HTTP1Error
    }
}

@Suite struct HTTP1RequestParserTests {
    @Test("a plain request is taken apart", arguments: [1, 2, 7, Int.max])
    func plain(step: Int) throws {
        let text = "GET /a?b=c HTTP/1.1\r\nHost: Reviews:9080\r\nX-One:  two \r\nEmpty:\r\n\r\nrest"
        let (head, facts, used) = try #require(try parse(text, step: step))
        #expect(used == text.utf8.count - 4)
        #expect(head.method == .get)
        #expect(head.text(head.path) == "/a?b=c")
        #expect(head.text(head.authority) == "Reviews:9080")
        #expect(head.textFields.map(\.name) == ["x-one", "empty"])
        #expect(head.textFields.map(\.value) == ["two", ""])
        #expect(facts.framing == .none)
        #expect(!facts.close)
    }

    @Test("an incomplete head asks for more")
    func incomplete() throws {
        #expect(try parse("GET / HTTP/1.1\r\nHost: a\r\n") == nil)
        #expect(try parse("") == nil)
    }

    @Test("blank lines before a request are skipped")
    func blankLines() throws {
        let (head, _, _) = try #require(try parse("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(head.method == .get)
    }

    @Test(
        "the authority of an absolute target wins over Host",
        arguments: [
            ("http://reviews:9080/x", "reviews:9080", "/x"), ("http://reviews:9080", "reviews:9080", "/"),
            ("http://reviews?q=1", "reviews", "/?q=1"), ("HTTPS://r/", "r", "/"),
        ])
    func absolute(target: String, authority: String, path: String) throws {
        let (head, _, _) = try #require(try parse("GET \(target) HTTP/1.1\r\nHost: other\r\n\r\n"))
        #expect(head.text(head.authority) == authority)
        #expect(head.text(head.path) == path)
    }

    @Test("framing follows RFC 9112 section 6.3")
    func framing() throws {
        func framing(_ fields: String) throws -> BodyFraming? {
            try parse("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")?.1.framing
        }
        #expect(try framing("") == BodyFraming.none)
        #expect(try framing("Content-Length: 0\r\n") == BodyFraming.none)
        #expect(try framing("Content-Length: 12\r\n") == .length(12))
        #expect(try framing("Transfer-Encoding: Chunked\r\n") == .chunked)
    }

    @Test("Connection, Upgrade and Expect are understood")
    func connection() throws {
        let (_, close, _) = try #require(try parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"))
        #expect(close.close && close.nominatesOthers)
        let (head, upgrade, _) = try #require(
            try parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"))
        #expect(upgrade.upgrade.map(head.text) == "websocket")
        let (_, ignored, _) = try #require(try parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"))
        #expect(ignored.upgrade == nil)
        let (_, expect, _) = try #require(try parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n"))
        #expect(expect.expectsContinue)
    }

    @Test(
        "what could be read in two ways is refused",
        arguments: [
            // Length against chunks, and lengths against each other.
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
            // Line ends.
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            // Folding and blanks around the colon.
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
            // Characters.
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7F}b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX(: a\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
            "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET foo HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{E4} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a:65536/ HTTP/1.1\r\nHost: a\r\n\r\n",
            // Request lines.
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "GET /\r\nHost: a\r\n\r\n",
            " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            // Hosts.
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "GET / HTTP/1.1\r\nX: y\r\n\r\n",
        ])
    func refused(text: String) {
        #expect(failure(text)?.status == 400)
        // The verdict does not depend on how the bytes arrive.
        #expect(failure(text, step: 1)?.status == 400)
    }

    @Test(
        "transfer codings other than chunked are not implemented",
        arguments: [
            "gzip", "chunked, gzip", "gzip, chunked", "identity", "xchunked", "chunked\r\nTransfer-Encoding: chunked",
            "",
        ])
    func codings(value: String) {
        #expect(failure("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(value)\r\n\r\n") == .badTransferEncoding)
    }

    @Test("HTTP/1.0 is answered 426, a missing host 400")
    func versions() {
        #expect(failure("GET / HTTP/1.0\r\nHost: a\r\n\r\n") == .lowVersion)
        #expect(failure("GET / HTTP/1.2\r\nHost: a\r\n\r\n") == .lowVersion)
        #expect(failure("GET / HTTP/1.1\r\n\r\n") == .missingHost)
        #expect(failure("GET / HTTP/1.1\r\nHost:\r\n\r\n") == .missingHost)
    }

    @Test("a head has at most 100 lines and 60 KiB")
    func limits() throws {
        func lines(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: count - 1) + "\r\n"
        }
        #expect(try parse(lines(100)) != nil)
        #expect(failure(lines(101)) == .tooManyFields)
        let long = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 61 << 10)
        #expect(failure(long) == .headTooLarge)
        #expect(failure(long + "\r\n\r\n", step: 1000) == .headTooLarge)
        #expect(failure(String(repeating: "\r\n", count: 31 << 10)) == .headTooLarge)
    }

    @Test("pipelined heads are found one after the other")
    func pipelining() throws {
        var parser = HTTP1RequestParser()
        var head = HTTPHead()
        var facts = HTTP1RequestFacts()
        let bytes = Array("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let first = try #require(try parser.parseHead(bytes.span, into: &head, facts: &facts))
        #expect(head.text(head.path) == "/1")
        let rest = Array(bytes[first...])
        let second = try parser.parseHead(rest.span, into: &head, facts: &facts)
        #expect(second == rest.count)
        #expect(head.text(head.path) == "/2")
    }
}
