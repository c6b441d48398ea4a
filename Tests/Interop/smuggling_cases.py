"""Heads and bodies that two parsers may read in two ways. `/C` in a case becomes its marker, a path that no other has."""
import collections

Case = collections.namedtuple("Case", "name data known", defaults=("",))

HOST = "Host: origin.test\r\nX-Case: /C\r\n"
END = "Connection: close\r\n"
# What an attacker would like the origin to take for a request of its own.
HIDDEN = "GET /C-hidden HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n"


def head(line="POST /C HTTP/1.1", *fields, host=HOST):
    return line + "\r\n" + host + "".join(f"{field}\r\n" for field in fields) + "\r\n"


def fields(group, names, body="", line="POST /C HTTP/1.1"):
    """One case for each list of fields."""
    return [Case(f"{group}: {', '.join(repr(part) for part in part_list)}", head(line, *part_list) + body)
            for part_list in names]


CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = "5\r\nhello\r\n0\r\n\r\n"

CASES = [
    # Both lengths (RFC 9112, section 6.3): either answer of a lax peer makes the rest a second request.
    Case("length and chunks, chunks end first", head("POST /C HTTP/1.1", "Content-Length: 6", CHUNKED) + "0\r\n\r\nX"),
    Case("length and chunks, hidden request", head(
        "POST /C HTTP/1.1", f"Content-Length: {5 + len(HIDDEN)}", CHUNKED) + "0\r\n\r\n" + HIDDEN),
    Case("chunks and length, hidden request", head("POST /C HTTP/1.1", CHUNKED, "Content-Length: 4") + "5c\r\n" + HIDDEN),
    Case("chunks and a length of 0", head("POST /C HTTP/1.1", CHUNKED, "Content-Length: 0") + CHUNKS),
    Case("chunks in HTTP/1.0", head("POST /C HTTP/1.0", CHUNKED) + CHUNKS),
    Case("chunks and length in HTTP/1.0", head("POST /C HTTP/1.0", CHUNKED, "Content-Length: 3") + CHUNKS),
]

CASES += fields("length", [
    ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5", "Content-Length: 5"], ["Content-Length: 5, 5"],
    ["Content-Length: 5, 6"], ["Content-Length: +5"], ["Content-Length: -5"], ["Content-Length: 0x5"],
    ["Content-Length: 5 "], ["Content-Length:  5"], ["Content-Length:5"], ["Content-Length: 05"], ["Content-Length: 5.0"],
    ["Content-Length: 5e0"], ["Content-Length: "], ["Content-Length: five"], ["Content-Length: 5;q=1"],
    ["Content-Length: \"5\""], ["Content-Length: 5\t"], ["Content-Length: \t5"], ["Content-Length: \x0b5"],
    ["Content-Length: 5\x0c"], ["Content-Length: 5 5"], ["Content-Length: 5,"], ["Content-Length: ,5"],
    ["Content-Length: 18446744073709551616"], ["Content-Length: 18446744073709551621"],
    ["Content-Length: 9223372036854775808"], ["Content-Length: 4294967301"], ["Content-Length : 5"],
    ["Content-Length\t: 5"], [" Content-Length: 5"], ["Content_Length: 5"], ["Content-Length\x00: 5"],
    ["Content-Length: 5\x00"], ["content-length: 5", "CONTENT-LENGTH: 7"], ["Content-Length: ٥"],
    ["X: y", "\tContent-Length: 5"],
], body="hello")

CASES += fields("coding", [
    ["Transfer-Encoding : chunked"], ["Transfer-Encoding\t: chunked"], [" Transfer-Encoding: chunked"],
    ["Transfer-Encoding: xchunked"], ["Transfer-Encoding: chunkedx"], ["Transfer-Encoding: identity"],
    ["Transfer-Encoding: identity, chunked"], ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: chunked, chunked"], ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: gzip"],
    ["Transfer-Encoding: chunked;q=1"], ["Transfer-Encoding: \"chunked\""], ["Transfer-Encoding: 'chunked'"],
    ["Transfer-Encoding:\tchunked"], ["Transfer-Encoding: \x0bchunked"], ["Transfer-Encoding: chunked\x0c"],
    ["Transfer-Encoding: chunked "], ["Transfer-Encoding:chunked"], ["Transfer-Encoding: CHUNKED"],
    ["Transfer-Encoding: ChUnKeD"], ["Transfer-Encoding: chu\tnked"], ["Transfer-Encoding: chunked\x00"],
    ["Transfer-Encoding: ,chunked"], ["Transfer-Encoding: chunked,"], ["Transfer-Encoding: "],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: x", "Transfer-Encoding: chunked"],
    ["Transfer_Encoding: chunked"], ["Transfer-Encodin\xa7: chunked"], ["X: Y\rTransfer-Encoding: chunked"],
    ["X: Y\nTransfer-Encoding: chunked"], ["X: Y", " Transfer-Encoding: chunked"], ["Transfer-Encoding", CHUNKED],
    ["Transfer-Encoding: chunked\r"], ["TE: chunked", "Content-Length: 15"], ["Transfer-Encoding: ch\u00fcnked"],
], body=CHUNKS)

CASES += [Case(f"chunk: {name}", head("POST /C HTTP/1.1", CHUNKED) + body) for name, body in [
    ("good", CHUNKS), ("upper-case size", "A\r\n0123456789\r\n0\r\n\r\n"), ("leading zeros", "0005\r\nhello\r\n0\r\n\r\n"),
    ("many leading zeros", "0" * 40 + "5\r\nhello\r\n0\r\n\r\n"), ("0x before the size", "0x5\r\nhello\r\n0\r\n\r\n"),
    ("plus before the size", "+5\r\nhello\r\n0\r\n\r\n"), ("minus before the size", "-5\r\nhello\r\n0\r\n\r\n"),
    ("blank before the size", " 5\r\nhello\r\n0\r\n\r\n"), ("blank behind the size", "5 \r\nhello\r\n0\r\n\r\n"),
    ("tab behind the size", "5\t\r\nhello\r\n0\r\n\r\n"), ("no size", "\r\nhello\r\n0\r\n\r\n"),
    ("a size of letters", "g\r\nhello\r\n0\r\n\r\n"), ("a size of 2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("a size of 2^63", "8000000000000000\r\nhello\r\n0\r\n\r\n"), ("a size of 2^32 + 5", "100000005\r\nhello\r\n0\r\n\r\n"),
    ("size too small", "4\r\nhello\r\n0\r\n\r\n"), ("size too large", "6\r\nhello\r\n0\r\n\r\n"),
    ("line feed behind the size", "5\nhello\r\n0\r\n\r\n"), ("carriage return behind the size", "5\rhello\r\n0\r\n\r\n"),
    ("line feed behind the data", "5\r\nhello\n0\r\n\r\n"), ("nothing behind the data", "5\r\nhello0\r\n\r\n"),
    ("carriage return behind the data", "5\r\nhello\r0\r\n\r\n"), ("extension", "5;a=b\r\nhello\r\n0\r\n\r\n"),
    ("extension in quotes", "5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n"), ("extension with a line feed", "5;a\nhello\r\n0\r\n\r\n"),
    ("extension with a carriage return", "5;a\rb\r\nhello\r\n0\r\n\r\n"), ("extension with NUL", "5;\x00\r\nhello\r\n0\r\n\r\n"),
    ("quoted line end in an extension", "5;a=\"\r\nhello\"\r\nhello\r\n0\r\n\r\n"),
    ("endless extension", "5;" + "a" * 70_000 + "\r\nhello\r\n0\r\n\r\n"), ("size with NUL", "5\x00\r\nhello\r\n0\r\n\r\n"),
    ("last chunk with blanks", "5\r\nhello\r\n0  \r\n\r\n"), ("last chunk of many zeros", "5\r\nhello\r\n000\r\n\r\n"),
    ("line feeds at the end", "5\r\nhello\r\n0\n\n"), ("trailer", "5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
    ("trailer that names a length", "5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n"),
    ("trailer that names a coding", "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("trailer without colon", "5\r\nhello\r\n0\r\nnonsense\r\n\r\n"),
    ("folded trailer", "5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n"), ("trailer with NUL", "5\r\nhello\r\n0\r\nX: \x00\r\n\r\n"),
    ("trailer with a bare line feed", "5\r\nhello\r\n0\r\nX: 1\nY: 2\r\n\r\n"),
    ("huge trailer", "5\r\nhello\r\n0\r\nX: " + "a" * 100_000 + "\r\n\r\n"),
    ("request behind the end", CHUNKS + HIDDEN), ("request behind a short end", "0\r\n" + HIDDEN),
    ("request in a trailer", "0\r\nX: " + HIDDEN),
]]

CASES += [Case(f"line: {name}", line + "\r\n" + HOST + END + "\r\n") for name, line in [
    ("good", "GET /C HTTP/1.1"), ("two blanks", "GET  /C HTTP/1.1"), ("tab", "GET\t/C HTTP/1.1"),
    ("blank in the target", "GET /C x HTTP/1.1"), ("blank at the end", "GET /C HTTP/1.1 "), ("blank first", " GET /C HTTP/1.1"),
    ("no version", "GET /C"), ("HTTP/0.9", "GET /C HTTP/0.9"), ("HTTP/1.2", "GET /C HTTP/1.2"), ("HTTP/2.0", "GET /C HTTP/2.0"),
    ("HTTP/1.10", "GET /C HTTP/1.10"), ("HTTP/01.1", "GET /C HTTP/01.1"), ("http/1.1", "GET /C http/1.1"),
    ("HTTP/1,1", "GET /C HTTP/1,1"), ("HTTP/1.1x", "GET /C HTTP/1.1x"), ("small letters", "get /C HTTP/1.1"),
    ("unknown method", "FROB /C HTTP/1.1"), ("method with a colon", "GE:T /C HTTP/1.1"), ("method with NUL", "G\x00T /C HTTP/1.1"),
    ("NUL in the target", "GET /C\x00x HTTP/1.1"), ("carriage return in the target", "GET /C\rx HTTP/1.1"),
    ("line feed in the target", "GET /C\nx HTTP/1.1"), ("DEL in the target", "GET /C\x7f HTTP/1.1"),
    ("byte over 127 in the target", "GET /C\xff HTTP/1.1"), ("fragment", "GET /C#x HTTP/1.1"),
    ("asterisk", "OPTIONS * HTTP/1.1"), ("asterisk with GET", "GET * HTTP/1.1"), ("no slash", "GET x/C HTTP/1.1"),
    ("absolute form", "GET http://origin.test/C HTTP/1.1"), ("absolute form of another host", "GET http://other.test/C HTTP/1.1"),
    ("absolute form with user", "GET http://user@origin.test/C HTTP/1.1"), ("absolute form without host", "GET http:///C HTTP/1.1"),
    ("absolute form of https", "GET https://origin.test/C HTTP/1.1"), ("absolute form of ftp", "GET ftp://origin.test/C HTTP/1.1"),
    ("absolute form with NUL", "GET http://origin.test\x00/C HTTP/1.1"),
    ("absolute form with a bad port", "GET http://origin.test:x/C HTTP/1.1"),
    ("authority without CONNECT", "GET origin.test:80 HTTP/1.1"), ("path in CONNECT", "CONNECT /C HTTP/1.1"),
    ("huge target", "GET /C" + "a" * 100_000 + " HTTP/1.1"), ("two slashes", "GET //C HTTP/1.1"),
    ("backslash", "GET \\x/C HTTP/1.1"), ("encoded NUL", "GET /C%00 HTTP/1.1"), ("broken escape", "GET /C%zz HTTP/1.1"),
    ("encoded slash and dots", "GET /x/..%2f..%2fx/C HTTP/1.1"), ("encoded line end", "GET /C%0d%0aX:%20y HTTP/1.1"),
]]

CASES += [Case(f"field: {name}", "GET /C HTTP/1.1\r\n" + HOST + text + "\r\n" + END + "\r\n") for name, text in [
    ("no colon", "nonsense"), ("no name", ": x"), ("blank in the name", "X Y: z"), ("blank before the colon", "X : y"),
    ("NUL in the name", "X\x00: y"), ("NUL in the value", "X: a\x00b"), ("carriage return in the value", "X: a\rb"),
    ("line feed in the value", "X: a\nHidden: b"), ("DEL in the name", "X\x7f: y"), ("quote in the name", "X\"y: z"),
    ("parenthesis in the name", "X(y): z"), ("byte over 127 in the name", "X\xe9: y"), ("byte over 127 in the value", "X: \xe9"),
    ("vertical tab in the value", "X: a\x0bb"), ("ESC in the value", "X: a\x1bb"), ("folded", "X: a\r\n b"),
    ("folded with a tab", "X: a\r\n\tb"), ("huge name", "X" * 100_000 + ": y"), ("huge value", "X: " + "y" * 100_000),
    ("many", "\r\n".join(f"X-{n}: y" for n in range(2_000))), ("empty value", "X:"), ("underscore", "X_Y: z"),
    ("slash in the name", "X/Y: z"), ("pseudo-header", ":path: /other"), ("pseudo-authority", ":authority: other.test"),
    ("length nominated by Connection", "Connection: content-length\r\nContent-Length: 0"),
    ("host nominated by Connection", "Connection: host"), ("coding nominated by Connection", "Connection: transfer-encoding"),
    ("Connection: close, keep-alive", "Connection: close, keep-alive"), ("upgrade to nothing", "Upgrade: \r\nConnection: upgrade"),
    ("upgrade to HTTP/2", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__"),
]]

CASES += [Case(f"host: {name}", "GET /C HTTP/1.1\r\n" + text + END + "\r\n") for name, text in [
    ("none", ""), ("two", HOST + "Host: other.test\r\n"), ("two alike", HOST + HOST), ("empty", "Host: \r\n"),
    ("list", "Host: origin.test, other.test\r\n"), ("user", "Host: user@origin.test\r\n"), ("path", "Host: origin.test/x\r\n"),
    ("blank inside", "Host: origin.test other.test\r\n"), ("NUL", "Host: origin.test\x00.evil\r\n"),
    ("bad port", "Host: origin.test:80x\r\n"), ("port too large", "Host: origin.test:70000\r\n"),
    ("no name but a port", "Host: :80\r\n"), ("blank before the colon", "Host : origin.test\r\n"),
    ("first line is blank", " \r\nHost: origin.test\r\n"), ("folded", "Host: origin.test\r\n .evil\r\n"),
    ("open bracket", "Host: [::1\r\n"), ("query", "Host: origin.test?x\r\n"), ("fragment", "Host: origin.test#x\r\n"),
    ("backslash", "Host: origin.test\\x\r\n"), ("escape", "Host: origin%2etest\r\n"), ("line feed alone", "Host: origin.test\n"),
]]

CASES += [
    Case("ends: line feeds alone", "GET /C HTTP/1.1\nHost: origin.test\nConnection: close\n\n"),
    Case("ends: last line feed alone", "GET /C HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\n"),
    Case("ends: carriage returns alone", "GET /C HTTP/1.1\rHost: origin.test\rConnection: close\r\r"),
    Case("ends: two carriage returns", "GET /C HTTP/1.1\r\r\nHost: origin.test\r\nConnection: close\r\n\r\n"),
    Case("ends: empty lines first", "\r\n\r\nGET /C HTTP/1.1\r\n" + HOST + END + "\r\n"),
    Case("ends: line feeds first", "\n\nGET /C HTTP/1.1\r\n" + HOST + END + "\r\n"),
    Case("ends: NUL first", "\x00GET /C HTTP/1.1\r\n" + HOST + END + "\r\n"),
    Case("body of GET", head("GET /C HTTP/1.1", "Content-Length: 5") + "hello"),
    Case("body of GET hides a request", head("GET /C HTTP/1.1", f"Content-Length: {len(HIDDEN)}") + HIDDEN),
    Case("body of HEAD in chunks", head("HEAD /C HTTP/1.1", CHUNKED) + CHUNKS),
    Case("body without a length", head("POST /C HTTP/1.1") + "hello"),
    Case("body longer than its length", head("POST /C HTTP/1.1", "Content-Length: 5") + "hello" + HIDDEN),
    Case("body shorter than its length", head("POST /C HTTP/1.1", "Content-Length: 50") + "hello"),
    Case("data before the answer to an upgrade", head(
        "GET /C HTTP/1.1", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==") + HIDDEN),
    Case("data behind CONNECT", "CONNECT origin.test:80 HTTP/1.1\r\n" + HOST + "\r\n" + HIDDEN),
    Case("data behind a closing request", head("GET /C HTTP/1.1", "Connection: close") + HIDDEN),
    Case("expectation and body at once", head(
        "POST /C HTTP/1.1", "Expect: 100-continue", "Content-Length: 5", "Connection: close") + "hello"),
    Case("unknown expectation", head("POST /C HTTP/1.1", "Expect: everything", "Content-Length: 5", "Connection: close") + "hello"),
    Case("two requests at once", head("GET /C HTTP/1.1") + head("GET /C-two HTTP/1.1", "Connection: close")),
    Case("two requests, the second is broken", head("GET /C HTTP/1.1") + "GET /C-two HTTP/1.1\r\n" + HOST + "X Y: z\r\n\r\n"),
    Case("two requests, the first is broken", head("GET /C HTTP/1.1", "X Y: z") + head("GET /C-two HTTP/1.1", "Connection: close")),
    Case("HTTP/1.0 kept alive", "GET /C HTTP/1.0\r\n" + HOST + "Connection: keep-alive\r\n\r\n"),
    Case("HTTP/1.0 with a second request", "GET /C HTTP/1.0\r\n" + HOST + "\r\n" + HIDDEN),
    Case("nothing but a blank line", "\r\n\r\n"),
    Case("garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03C" + "\x00" * 40),
    Case("half a head", "GET /C HTTP/1.1\r\n" + HOST),
]
