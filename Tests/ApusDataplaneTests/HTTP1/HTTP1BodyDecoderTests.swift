import ApusDataplane
import Testing

private struct Decoded: Equatable {
    var payload = ""
    var ended = false
    var rest = ""
}

private func decode(_ text: String, _ framing: BodyFraming, step: Int = .max) throws -> Decoded {
    var decoder = HTTP1BodyDecoder(framing)
    var result = Decoded()
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count, !result.ended {
        let piece = Array(bytes[start..<min(bytes.count, step == .max ? bytes.count : start + step)])
        var offset = 0
        loop: while true {
            switch try decoder.next(piece.span, &offset) {
            case .needMore: break loop
            case .data(let range): result.payload += String(decoding: piece[range], as: UTF8.self)
            case .end:
                result.ended = true
                break loop
            }
        }
        start += offset
    }
    result.rest = String(decoding: bytes[start...], as: UTF8.self)
    return result
}

@Suite struct HTTP1BodyDecoderTests {
    @Test("chunks are joined, extensions and trailers dropped", arguments: [1, 2, 3, Int.max])
    func chunks(step: Int) throws {
        let text = "4\r\nWiki\r\n5;a=\"b\"\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\nX-T: v\r\n\r\nGET"
        #expect(
            try decode(text, .chunked, step: step)
                == Decoded(payload: "Wikipedia in\r\n\r\nchunks.", ended: true, rest: "GET"))
    }

    @Test("a length is counted out and what follows is left", arguments: [1, 3, Int.max])
    func length(step: Int) throws {
        #expect(try decode("hello!", .length(5), step: step).payload == "hello")
    }

    @Test("without a body the end comes at once")
    func none() throws {
        var decoder = HTTP1BodyDecoder(.none)
        var offset = 0
        let nothing: [UInt8] = []
        let event = try decoder.next(nothing.span, &offset)
        #expect(event == .end)
        #expect(decoder.isEnded)
    }

    @Test("until close takes everything and never ends by itself")
    func untilClose() throws {
        #expect(try decode("abc", .untilClose) == Decoded(payload: "abc"))
    }

    @Test(
        "bad chunks are refused",
        arguments: [
            "\r\n", "g\r\n", "-1\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "0x1\r\na\r\n", "1\na\r\n", "1\ra\r\n",
            "1\r\nab\r\n",
            "1\r\na\n", "1\r\na\rX", "1000000000000000\r\n", "1;\u{0}\r\n", "1;a\nb\r\n", "0\r\n\n", "0\r\nX y\r\n\r\n",
            "0\r\nX: y\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\n\rX", "0\r\nX: y\rz\r\n",
        ])
    func bad(text: String) {
        #expect(throws: HTTP1Error.self) { try decode(text, .chunked) }
        #expect(throws: HTTP1Error.self) { try decode(text, .chunked, step: 1) }
    }

    @Test("extensions and trailers have a limit")
    func limits() {
        let many = "0\r\n" + String(repeating: "X: y\r\n", count: 101)
        #expect(throws: HTTP1Error.tooManyFields) { try decode(many, .chunked) }
        let long = "1;" + String(repeating: "a", count: 61 << 10)
        #expect(throws: HTTP1Error.trailersTooLarge) { try decode(long, .chunked) }
        // A few bytes of extension in every chunk add up as well.
        let drip = String(repeating: "1;aaaa\r\nx\r\n", count: 20_000)
        #expect(throws: HTTP1Error.trailersTooLarge) { try decode(drip, .chunked) }
    }
}
