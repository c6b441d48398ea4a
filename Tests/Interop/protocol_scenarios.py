"""What protocols.py sends through both proxies: listeners, clusters, and by scenario the routes and the bytes.

A scenario's virtual host is `<name>.test` on its listener. In the bytes `HOST` stands for it, and `KEY` for a text of
the scenario and the proxy."""
from dataclasses import dataclass, field

HTTP2 = {"explicit_http_config": {"http2_protocol_options": {}}}


def http1(**options):
    return {"explicit_http_config": {"http_protocol_options": options}}


CLUSTERS = {
    "one": {"origin": "one"},
    "two": {"origin": "two", "options": HTTP2},
    "two-old": {"origin": "two", "http2_protocol_options": {}},
    "two-connect": {"origin": "two", "options": {
        "explicit_http_config": {"http2_protocol_options": {"allow_connect": True}}}},
    "two-narrow": {"origin": "two", "options": {"explicit_http_config": {"http2_protocol_options": {
        "max_concurrent_streams": 1, "initial_stream_window_size": 65535, "initial_connection_window_size": 65535}}}},
    "two-few": {"origin": "two", "options": {
        "common_http_protocol_options": {"max_requests_per_connection": 2}, **HTTP2}},
    "same": {"origin": "one", "options": {"use_downstream_protocol_config": {
        "http_protocol_options": {}, "http2_protocol_options": {}}}},
    "one-trailers": {"origin": "one", "options": http1(enable_trailers=True)},
    "one-proper": {"origin": "one", "options": http1(header_key_format={"proper_case_words": {}})},
    "one-preserve": {"origin": "one", "options": http1(header_key_format={"stateful_formatter": {
        "name": "preserve_case", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3"
                     ".PreserveCaseFormatterConfig"}}})},
    "three": {"origin": "three", "options": HTTP2},
    "one-absolute": {"origin": "one", "options": http1(send_fully_qualified_url=True)},
    "one-loose": {"origin": "one", "options": http1(allow_chunked_length=True)},
}

PRESERVE = CLUSTERS["one-preserve"]["options"]["explicit_http_config"]["http_protocol_options"]["header_key_format"]

LISTENERS = {
    "plain": {},
    "trailers": {"http_protocol_options": {"enable_trailers": True}},
    "old": {"http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": "old.test"}},
    "old-strict": {"http_protocol_options": {"accept_http_10": True}},
    "proper": {"http_protocol_options": {"header_key_format": {"proper_case_words": {}}}},
    "preserve": {"http_protocol_options": {"header_key_format": PRESERVE}},
    "loose": {"http_protocol_options": {"allow_chunked_length": True}},
    "upgrades": {"upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]},
    "no-upgrades": {},
    "continue": {"proxy_100_continue": True},
    "calls": {},
    "web": {"filters": [{"name": "web", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb"}}]},
}


@dataclass
class Bytes:
    steps: list
    title: str = ""
    # Why the two differ on purpose; see Docs/envoy-differences.md.
    known: str = ""
    quiet: float = 0.3
    # Compare the bytes as they came.
    raw: bool = False
    # Texts that the answer of both must have.
    expect: tuple = ()


@dataclass
class Scenario:
    name: str
    listener: str
    routes: list
    requests: list
    # More fields of the virtual host.
    host: dict = field(default_factory=dict)


def to(cluster, **more):
    return [{"match": {"prefix": "/"}, "route": {"cluster": cluster, **more}}]


def connect_to(cluster, config=None, **more):
    upgrade = {"upgrade_type": "CONNECT"}
    if config is not None:
        upgrade["connect_config"] = config
    return [{"match": {"connect_matcher": {}}, "route": {"cluster": cluster, "upgrade_configs": [upgrade], **more}}]


def raw(line, *headers, body="", host="HOST"):
    lines = [line if " HTTP/" in line else line + " HTTP/1.1"] + ([f"Host: {host}"] if host else []) + list(headers)
    return "\r\n".join(lines) + "\r\n\r\n" + body


def send(title, *steps, **more):
    return Bytes(list(steps), title, **more)


GRPC = ("content-type: application/grpc", "te: trailers")
SOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a2V5", "Sec-WebSocket-Version: 13")
CHUNKED = "Transfer-Encoding: chunked"
GET = raw("GET /")

SCENARIOS = [
    # HTTP/1 to HTTP/2
    Scenario("h2", "plain", to("two"), [
        send("a request", raw("GET /a?b=c"), expect=('"origin": "two"',)),
        send("fields of the connection", raw(
            "GET /", "Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "Proxy-Connection: close",
            "TE: gzip")),
        send("settings of an upgrade that is not asked for", raw("GET /", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
             known="http2-settings belongs to one connection and is not passed to HTTP/2"),
        send("TE: trailers stays", raw("GET /", "TE: trailers")),
        send("TE with more than trailers", raw("GET /", "TE: gzip, trailers")),
        send("names in capitals", raw("GET /", "X-Capital-Name: V")),
        send("a repeated field", raw("GET /", "X-Two: 1", "X-Two: 2")),
        send("cookies", raw("GET /", "Cookie: a=1; b=2", "Cookie: c=3")),
        send("an empty value", raw("GET /", "X-Empty:")),
        send("a body with a length", raw("POST /", "Content-Length: 5", body="hello")),
        send("an empty body with a length", raw("POST /", "Content-Length: 0")),
        send("a POST without a body", raw("POST /")),
        send("a PUT without a body", raw("PUT /")),
        send("a body in chunks", raw("POST /", CHUNKED, body="3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")),
        send("an empty body in chunks", raw("POST /", CHUNKED, body="0\r\n\r\n")),
        send("trailers that nobody asked for", raw("POST /", CHUNKED, body="1\r\na\r\n0\r\nX-T: v\r\n\r\n")),
        send("HEAD", raw("HEAD /")),
        send("HEAD with a length", raw("HEAD /", "x-test-length: 1", "x-test-header: content-length=7")),
        send("DELETE", raw("DELETE /x")),
        send("OPTIONS *", raw("OPTIONS *")),
        send("another method", raw("PROPFIND /")),
        send("an absolute target", raw("GET http://HOST/x?y")),
        send("a host with a port", raw("GET /", host="HOST:81")),
        send("204", raw("GET /", "x-test-status: 204")),
        send("304", raw("GET /", "x-test-status: 304")),
        send("304 with a length", raw("GET /", "x-test-status: 304", "x-test-header: content-length=9")),
        send("404", raw("GET /", "x-test-status: 404")),
        send("503", raw("GET /", "x-test-status: 503")),
        send("an answer with a length", raw("GET /", "x-test-length: 1")),
        send("an answer of a head alone", raw("GET /", "x-test-empty: 1")),
        send("an answer of a head alone to HEAD", raw("HEAD /", "x-test-empty: 1")),
        send("an answer with an upper-case value", raw("GET /", "x-test-header: x-a=B C")),
        send("set-cookie twice", raw("GET /", "x-test-header: set-cookie=a=1", "x-test-header: set-cookie=b=2")),
        send("trailers that this side does not want", raw("GET /", "x-test-trailer: x-t=1")),
        send("trailers behind a head alone", raw("GET /", "x-test-empty: 1", "x-test-trailer: x-t=1")),
        send("interim heads", raw("GET /", "x-test-interim: 103")),
        send("expect", raw("POST /", "Expect: 100-continue", "Content-Length: 2"), "hi"),
        send("close", raw("GET /", "Connection: close")),
        send("pipelined", raw("GET /1") + raw("GET /2") + raw("GET /3")),
        send("a large body", raw("POST /", "Content-Length: 200000", body="x" * 200000)),
        send("an early answer", raw("POST /", "Content-Length: 10", "x-test-early: 1", body="abc")),
        send("reset with CANCEL", raw("GET /", "x-test-reset: 8")),
        send("reset with INTERNAL_ERROR", raw("GET /", "x-test-reset: 2")),
        send("reset with REFUSED_STREAM", raw("GET /", "x-test-reset: 7")),
        send("reset with PROTOCOL_ERROR", raw("GET /", "x-test-reset: 1")),
        send("reset with NO_ERROR", raw("GET /", "x-test-reset: 0")),
        send("reset behind the head", raw("GET /", "x-test-late-reset: 2"), quiet=1.5),
        send("the connection ends", raw("GET /", "x-test-fail: KEYa:1:close")),
        send("GOAWAY before the answer", raw("GET /", "x-test-fail: KEYb:1:goaway")),
        send("a field of the connection in the answer", raw("GET /", "x-test-header: connection=close")),
    ]),
    Scenario("h2-old", "plain", to("two-old"), [send("a request", GET)]),
    Scenario("h2-narrow", "plain", to("two-narrow"), [
        send("a body larger than the windows", raw("POST /", "Content-Length: 300000", body="y" * 300000)),
        send("more than one request", raw("GET /1") + raw("GET /2")),
    ]),
    Scenario("h2-few", "plain", to("two-few"), [
        send("more requests than a connection carries", *[raw(f"GET /{n}") for n in range(5)])]),
    Scenario("h2-retry", "plain", to("two", retry_policy={"retry_on": "refused-stream", "num_retries": 2}), [
        send("a refused stream", raw("GET /", "x-test-fail: KEYc:1:refuse")),
        send("refused too often", raw("GET /", "x-test-fail: KEYd:5:refuse")),
        send("GOAWAY", raw("GET /", "x-test-fail: KEYe:1:goaway")),
        send("another reset", raw("GET /", "x-test-reset: 2")),
    ]),
    Scenario("h2-retry-5xx", "plain", to("two", retry_policy={"retry_on": "5xx", "num_retries": 1}), [
        send("an answer with a body", raw("GET /", "x-test-fail: KEYf:1:503")),
        send("a body to be sent again", raw("POST /", "Content-Length: 4", "x-test-fail: KEYg:1:503", body="body")),
        send("reset", raw("GET /", "x-test-fail: KEYh:1:close")),
    ]),
    Scenario("same", "plain", to("same"), [send("HTTP/1 stays", GET, expect=('"version": "HTTP/1.1"',))]),
    Scenario("h2-timeout", "plain", to("two", timeout="0.4s"), [
        send("no answer in time", raw("GET /", "x-test-delay: 1"), quiet=0.8)]),
    # gRPC over HTTP/1 in, HTTP/2 out
    Scenario("grpc", "trailers", to("two", retry_policy={
        "retry_on": "cancelled,deadline-exceeded,internal,resource-exhausted,unavailable", "num_retries": 1}), [
        send("a call", raw("POST /s/m", *GRPC, "x-test-header: content-type=application/grpc",
                           "x-test-trailer: grpc-status=0", CHUNKED, body="5\r\n\0\0\0\0\0\r\n0\r\n\r\n")),
        send("a failed call", raw("POST /s/m", *GRPC, "x-test-header: content-type=application/grpc",
                                  "x-test-trailer: grpc-status=5", "x-test-trailer: grpc-message=no%20such",
                                  CHUNKED, body="5\r\n\0\0\0\0\0\r\n0\r\n\r\n")),
        send("trailers only", raw("POST /s/m", *GRPC, "x-test-header: content-type=application/grpc",
                                  "x-test-header: grpc-status=3", "x-test-empty: 1", CHUNKED, body="0\r\n\r\n")),
        send("trailers only, to be tried again", raw(
            "POST /s/m", *GRPC, "x-test-header: content-type=application/grpc", "x-test-header: grpc-status=14",
            "x-test-empty: 1", CHUNKED, body="0\r\n\r\n")),
        send("the host resets", raw("POST /s/m", *GRPC, "x-test-reset: 2", CHUNKED, body="0\r\n\r\n")),
        send("503 of the host", raw("POST /s/m", *GRPC, "x-test-status: 503", CHUNKED, body="0\r\n\r\n")),
    ]),
    Scenario("grpc-local", "trailers", [
        {"match": {"prefix": f"/{status}"}, "direct_response": {
            "status": status, "body": {"inline_string": f"it is {status} & 100% ü"}}}
        for status in (200, 400, 401, 403, 404, 408, 409, 412, 413, 429, 431, 499, 500, 501, 502, 503, 504)
    ] + [{"match": {"prefix": "/empty"}, "direct_response": {"status": 503}}], [
        send(f"{path} as gRPC", raw(f"POST /{path}", *GRPC, CHUNKED, body="0\r\n\r\n"))
        for path in (200, 400, 401, 403, 404, 408, 409, 412, 413, 429, 431, 499, 500, 501, 502, 503, 504, "empty",
                     "nothing")
    ]),
    Scenario("grpc-deadline", "trailers", to("two", max_stream_duration={
        "grpc_timeout_header_max": "0.6s"}, timeout="0s"), [
        send("the client's time-out", raw("POST /", *GRPC, "grpc-timeout: 300m", "x-test-delay: 1", CHUNKED,
                                          body="0\r\n\r\n"), quiet=0.9),
        send("the cap", raw("POST /", *GRPC, "grpc-timeout: 9S", "x-test-delay: 1.2", CHUNKED, body="0\r\n\r\n"),
             quiet=1.5),
        send("in time", raw("POST /", *GRPC, "grpc-timeout: 9S", CHUNKED, body="0\r\n\r\n")),
        send("zero", raw("POST /", *GRPC, "grpc-timeout: 0m", "x-test-delay: 0.3", CHUNKED, body="0\r\n\r\n"),
             quiet=0.9),
        send("malformed", raw("POST /", *GRPC, "grpc-timeout: 9X", "x-test-delay: 0.3", CHUNKED, body="0\r\n\r\n"),
             quiet=0.9),
    ]),
    Scenario("grpc-deadline-offset", "trailers", to("two", max_stream_duration={
        "grpc_timeout_header_max": "0s", "grpc_timeout_header_offset": "0.2s"}, timeout="0s"), [
        send("less the offset", raw("POST /", *GRPC, "grpc-timeout: 500m", "x-test-delay: 1", CHUNKED,
                                    body="0\r\n\r\n"), quiet=0.9),
        send("less than the offset", raw("POST /", *GRPC, "grpc-timeout: 100m", "x-test-delay: 0.6", CHUNKED,
                                         body="0\r\n\r\n"), quiet=0.9),
    ]),
    Scenario("grpc-old-deadline", "trailers", to("two", max_grpc_timeout="0.5s", timeout="5s"), [
        send("the client's time-out", raw("POST /", *GRPC, "grpc-timeout: 300m", "x-test-delay: 1", CHUNKED,
                                          body="0\r\n\r\n"), quiet=0.9),
        send("what the host is told", raw("POST /", *GRPC, "grpc-timeout: 9S", CHUNKED, body="0\r\n\r\n")),
        send("without a time-out", raw("POST /", *GRPC, CHUNKED, body="0\r\n\r\n")),
        send("not gRPC", raw("POST /", "grpc-timeout: 9S", "Content-Length: 0")),
    ]),
    Scenario("calls", "calls", to("three", timeout="0s"), []),
    Scenario("web", "web", to("two", timeout="0s"), [
        send(title, raw("POST /s/m", f"Content-Type: application/grpc-web{kind}", accept,
                        "x-test-header: content-type=application/grpc", *more, CHUNKED,
                        body=f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"))
        for title, kind, accept, body, more in (
            ("binary", "+proto", "Accept: */*", "\0\0\0\0\1x", ("x-test-empty: 1", "x-test-trailer: grpc-status=0")),
            ("trailers", "", "Accept: */*", "\0\0\0\0\1x", (
                "x-test-empty: 1", "x-test-trailer: grpc-status=5", "x-test-trailer: grpc-message=no%20such")),
            ("text in", "-text", "Accept: */*", "AAAAAAF4", ("x-test-empty: 1", "x-test-trailer: grpc-status=0")),
            ("text both ways", "-text+proto", "Accept: application/grpc-web-text", "AAAAAAF4", (
                "x-test-empty: 1", "x-test-trailer: grpc-status=0")),
            ("no base64", "-text", "Accept: */*", "!!!!", ("x-test-empty: 1",)),
            ("half a group", "-text", "Accept: */*", "AAA", ("x-test-empty: 1",)),
            ("trailers only", "+proto", "Accept: */*", "\0\0\0\0\1x", ("x-test-empty: 1", "x-test-header: grpc-status=3")),
            ("503 of the host", "+proto", "Accept: */*", "\0\0\0\0\1x", ("x-test-empty: 1", "x-test-status: 503")),
            ("reset by the host", "+proto", "Accept: */*", "\0\0\0\0\1x", ("x-test-reset: 2",)),
        )
    ] + [
        send("two texts in one", raw(
            "POST /s/m", "Content-Type: application/grpc-web-text", "Content-Length: 16", "X-Log: KNOWN",
            "x-test-header: content-type=application/grpc", "x-test-empty: 1", "x-test-trailer: grpc-status=0",
            body="AAAAAAA=AAAAAAF4"), known="texts of base64, each with its padding, may stand behind each other"),
        send("another type", raw("POST /", "Content-Type: text/plain", "Content-Length: 1", body="x"))]),
    # Trailers
    Scenario("trailers", "trailers", to("one-trailers"), [
        send("a request's", raw("POST /", CHUNKED, "Trailer: X-T", body="1\r\na\r\n0\r\nX-T: v\r\nX-U: w\r\n\r\n")),
        send("an answer's", raw("GET /", "x-test-chunked: 1", "x-test-trailer: X-R=1", "x-test-trailer: x-s=2")),
        send("without any", raw("GET /", "x-test-chunked: 1")),
        send("to HEAD", raw("HEAD /", "x-test-chunked: 1", "x-test-trailer: x-r=1")),
    ]),
    Scenario("trailers-cut", "trailers", to("one"), [
        send("a host that does not want them", raw("POST /", CHUNKED, body="1\r\na\r\n0\r\nX-T: v\r\n\r\n")),
        send("an answer's", raw("GET /", "x-test-chunked: 1", "x-test-trailer: X-R=1")),
    ]),
    Scenario("trailers-h2", "trailers", to("two"), [
        send("a request's", raw("POST /", CHUNKED, body="1\r\na\r\n0\r\nX-T: v\r\nX-U: w\r\n\r\n")),
        send("without a body", raw("POST /", CHUNKED, body="0\r\nX-T: v\r\n\r\n")),
        send("an answer's", raw("GET /", "x-test-trailer: x-r=1", "x-test-trailer: x-s=2")),
        send("behind a length", raw("GET /", "x-test-length: 1", "x-test-trailer: x-r=1")),
        send("behind a head alone", raw("GET /", "x-test-empty: 1", "x-test-trailer: x-r=1")),
        send("behind 204", raw("GET /", "x-test-status: 204", "x-test-trailer: x-r=1")),
    ]),
    # HTTP/1.0
    Scenario("old", "old", to("one"), [
        send("closes", raw("GET / HTTP/1.0")),
        send("keeps open", raw("GET / HTTP/1.0", "Connection: keep-alive")),
        send("twice", raw("GET /1 HTTP/1.0", "Connection: keep-alive"), raw("GET /2 HTTP/1.0")),
        send("without a host", raw("GET / HTTP/1.0", host="")),
        send("an answer in chunks", raw("GET / HTTP/1.0", "x-test-chunked: 1", "Connection: keep-alive")),
        send("HEAD", raw("HEAD / HTTP/1.0")),
        send("a body", raw("POST / HTTP/1.0", "Content-Length: 2", body="hi")),
        send("no route", raw("GET / HTTP/1.0", host="nobody")),
        send("HTTP/1.1 beside it", GET),
        send("204", raw("GET / HTTP/1.0", "x-test-status: 204")),
        send("expect", raw("POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 2", "X-Log: KNOWN", body="hi"),
             known="a client of HTTP/1.0 is sent no 100"),
    ]),
    Scenario("old-strict", "old-strict", to("one"), [
        send("without a host", raw("GET / HTTP/1.0", host="")),
        send("with a host", raw("GET / HTTP/1.0")),
    ]),
    Scenario("not-old", "plain", to("one"), [send("HTTP/1.0", raw("GET / HTTP/1.0"))]),
    # Names
    Scenario("proper", "proper", to("one-proper"), [
        send("both ways", raw("GET /", "x-oNe-TWO: 1", "x_under_score: 2", "x-test-header: x-b-c=1"), raw=True),
        send("in chunks", raw("GET /", "x-test-chunked: 1", "x-test-header: x-b-c=1")),
    ]),
    Scenario("preserve", "preserve", to("one-preserve"), [
        send("both ways", raw("GET /", "x-oNe-TWO: 1", "X_UNDER: 2", "x-test-header: X-b-C=1"), raw=True),
        send("to a host that does not", raw("GET /", "x-oNe: 1", "Content-Length: 0"), raw=True),
    ]),
    Scenario("absolute", "plain", to("one-absolute"), [
        send("a target", raw("GET /x?y", "X-Forwarded-Proto: https")), send("a port", raw("GET /", host="HOST:81"))]),
    Scenario("loose", "loose", to("one-loose"), [
        send("a length beside chunks", raw("POST /", "Content-Length: 4", CHUNKED, body="1\r\na\r\n0\r\n\r\n"))]),
    Scenario("strict", "plain", to("one"), [
        send("a length beside chunks", raw("POST /", "Content-Length: 4", CHUNKED, body="1\r\na\r\n0\r\n\r\n"))]),
    # Upgrades
    Scenario("socket", "upgrades", to("one"), [
        send("accepted", raw("GET /", *SOCKET, "x-test-upgrade: 1"), "frame"),
        send("refused by the host", raw("GET /", *SOCKET, "X-Log: KNOWN"),
             known="a 2xx answer to an upgrade is passed on whole"),
        send("another protocol", raw("GET /", "Connection: Upgrade", "Upgrade: other")),
    ]),
    Scenario("socket-h2", "upgrades", to("two-connect"), [
        send("accepted", raw("GET /c", *SOCKET), "frame"),
        send("refused by the host", raw("GET /c", *SOCKET, "x-test-status: 403")),
    ]),
    Scenario("socket-route", "no-upgrades", to("one", upgrade_configs=[{"upgrade_type": "websocket"}]), [
        send("allowed by the route", raw("GET /", *SOCKET, "x-test-upgrade: 1"), "frame")]),
    Scenario("socket-off", "upgrades", to("one", upgrade_configs=[
        {"upgrade_type": "websocket", "enabled": False}]), [send("refused by the route", raw("GET /", *SOCKET))]),
    Scenario("connect", "upgrades", connect_to("one", {}), [
        send("a tunnel", raw("CONNECT HOST:443"), "1234"),
        send("bytes at once", raw("CONNECT HOST:443") + "5678"),
        send("the client ends", raw("CONNECT HOST:443"), "12", None),
        send("a length", raw("CONNECT HOST:443", "Content-Length: 4", body="1234")),
        send("a zero length", raw("CONNECT HOST:443", "Content-Length: 0"), "1234"),
        send("chunks", raw("CONNECT HOST:443", CHUNKED)),
        send("without a route", raw("GET /")),
    ]),
    Scenario("connect-through", "upgrades", connect_to("two-connect"), [
        send("a tunnel", raw("CONNECT HOST:443"), "1234"),
        send("refused by the host", raw("CONNECT HOST:443", "x-test-status: 403")),
    ]),
    Scenario("connect-off", "plain", to("one"), [send("no CONNECT here", raw("CONNECT HOST:443"))]),
    Scenario("post-tunnel", "upgrades", [
        {"match": {"prefix": "/"}, "route": {"cluster": "one", "upgrade_configs": [
            {"upgrade_type": "CONNECT", "connect_config": {"allow_post": True}}]}}], [
        send("a POST", raw("POST /", CHUNKED), "4\r\n1234\r\n", "0\r\n\r\n"),
    ]),
    # 100-continue
    Scenario("continue", "continue", to("one"), [
        send("passed on", raw("POST /", "Expect: 100-continue", "Content-Length: 2"), "hi")]),
    Scenario("continue-h2", "continue", to("two"), [
        send("passed on", raw("POST /", "Expect: 100-continue", "Content-Length: 2", "x-test-interim: 100"), "hi"),
        send("another interim", raw("GET /", "x-test-interim: 103")),
    ]),
]
