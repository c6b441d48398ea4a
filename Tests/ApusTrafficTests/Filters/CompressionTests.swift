import ApusTraffic
import Testing

@Suite struct CompressionTests {
    @Test(
        "gzip is used when the client likes nothing better",
        arguments: [
            ("gzip", true), ("gzip, deflate, br", true), ("br", false), ("*", true), ("identity, gzip", false),
            ("gzip;q=0", false), ("gzip;q=0.5, identity;q=0.8", false), ("identity;q=0.5, gzip;q=0.8", true),
            ("GZIP ; q=1.0", true), ("", false), ("gzip;q=x", false),
        ])
    func acceptEncoding(value: String, wants: Bool) {
        #expect(CompressionPolicy.wantsGzip(get("/", [("accept-encoding", value)])) == wants)
    }

    @Test func `a client that says nothing gets nothing compressed`() {
        #expect(!CompressionPolicy.wantsGzip(get("/")))
    }

    private func prepare(
        _ fields: [(String, String)], status: UInt16 = 200, policy: CompressionPolicy = CompressionPolicy(),
        wants: Bool = true, endsHere: Bool = false
    ) -> (compresses: Bool, head: HTTPHead) {
        var head = HTTPHead(status: status, fields: fields)
        let compresses = policy.prepare(&head, wantsGzip: wants, endsHere: endsHere)
        return (compresses, head)
    }

    @Test func `a compressed answer has no length, no strong tag, and says what it is`() {
        let (compresses, head) = prepare([
            ("content-type", "text/html; charset=utf-8"), ("content-length", "100"), ("etag", "\"a\""),
            ("vary", "Origin"),
        ])
        #expect(compresses)
        #expect(!head.contains(.contentLength) && head.text("etag") == nil)
        #expect(head.text("content-encoding") == "gzip")
        #expect(head.text("vary") == "Origin, Accept-Encoding")
        #expect(prepare([("etag", "W/\"a\"")]).head.text("etag") == "W/\"a\"")
    }

    @Test(
        "what must not or need not be compressed is left alone",
        arguments: [
            [("content-length", "29")], [("content-type", "image/png")], [("content-encoding", "br")],
            [("cache-control", "public, no-transform")], [("content-length", "x")],
        ])
    func left(fields: [(String, String)]) {
        let (compresses, head) = prepare(fields)
        #expect(!compresses && head.text("vary") == nil)
    }

    @Test func `what could be compressed varies with the request even when it is not`() {
        #expect(prepare([], wants: false).head.text("vary") == "Accept-Encoding")
        #expect(prepare([], endsHere: true).head.text("vary") == "Accept-Encoding")
        let coded = prepare([("transfer-encoding", "gzip, chunked")])
        #expect(!coded.compresses && coded.head.text("vary") == "Accept-Encoding")
    }

    @Test func `tags, statuses and the switch are obeyed`() {
        let tagged = CompressionPolicy(disabledByETag: true)
        #expect(!prepare([("etag", "\"a\"")], policy: tagged).compresses)
        #expect(!prepare([], status: 206, policy: CompressionPolicy(statusesLeftAlone: [206])).compresses)
        #expect(!prepare([], policy: CompressionPolicy(isEnabled: false)).compresses)
    }
}
