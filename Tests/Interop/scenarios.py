"""What is sent through both proxies: each scenario is a service, its rules, and the requests that show them.

A scenario's host is `<name>.diff.svc.cluster.local`; its origins a, b and c have labels `version: a|b|c`. `spec` is the
VirtualService's `http` (YAML text, `HOST` stands for the host), `rule` the DestinationRule's spec without the host.
"""
from dataclasses import dataclass, field

SUBSETS = """
subsets:
  - {name: a, labels: {version: a}}
  - {name: b, labels: {version: b}}
  - {name: c, labels: {version: c}}
"""


@dataclass
class Request:
    path: str = "/"
    method: str = "GET"
    headers: list = field(default_factory=list)
    body: bytes = b""
    # How often to send it; with more than one, the counts of origins and statuses are compared within `tolerance`.
    times: int = 1
    tolerance: float = 0.0
    # The host header, when it is not the scenario's.
    host: str = ""
    # Seconds between which the answer must come, checked for both proxies.
    between: tuple = (0, 30)
    # A key whose requests, as the origins saw them, are compared too (mirrors).
    seen_key: str = ""


@dataclass
class Scenario:
    name: str
    spec: str
    requests: list
    rule: str = SUBSETS
    port: int = 8080
    # More YAML documents; NAME stands for the scenario's name.
    extra: str = ""


def to(subset, more=""):
    return f"route: [{{destination: {{host: HOST, subset: {subset}}}{more}}}]"


def get(path="/", *headers, **more):
    return Request(path, "GET", list(headers), **more)


def post(path, body, *headers, **more):
    return Request(path, "POST", list(headers), body, **more)


SCENARIOS = [
    Scenario("plain", "", [get("/"), get("/x?y=1&z=%20"), post("/p", b"hello"), Request("/", "HEAD"),
                           Request("/", "DELETE"), get("/", host="plain.diff:8080"), get("/", host="nobody.example")],
             rule="subsets: [{name: a, labels: {version: a}}]\n"),
    Scenario("uri-exact", f"- match: [{{uri: {{exact: /a}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/a"), get("/a?q=1"), get("/a/"), get("/A"), get("/ab")]),
    Scenario("uri-prefix", f"- match: [{{uri: {{prefix: /api}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/api"), get("/api/v1"), get("/apix"), get("/ap"), get("/API")]),
    Scenario("uri-regex", f"- match: [{{uri: {{regex: '/v[0-9]+/items'}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/v1/items"), get("/v12/items?x=1"), get("/v1/items/"), get("/x/v1/items")]),
    Scenario("uri-case", f"- match: [{{uri: {{prefix: /Case}}, ignoreUriCase: true}}]\n  {to('a')}\n- {to('b')}",
             [get("/case/x"), get("/CASE"), get("/cas")]),
    Scenario("header-exact", f"- match: [{{headers: {{x-canary: {{exact: 'true'}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/"), get("/", ("x-canary", "true")), get("/", ("X-Canary", "true")), get("/", ("x-canary", "True")),
              get("/", ("x-canary", "true"), ("x-canary", "true"))]),
    Scenario("header-prefix", f"- match: [{{headers: {{x-user: {{prefix: adm}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/", ("x-user", "admin")), get("/", ("x-user", "ad")), get("/")]),
    Scenario("header-regex", f"- match: [{{headers: {{cookie: {{regex: '.*group=beta.*'}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/", ("cookie", "a=1; group=beta; c=2")), get("/", ("cookie", "group=alpha")), get("/")]),
    Scenario("header-present", f"- match: [{{headers: {{x-any: {{}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/", ("x-any", "")), get("/", ("x-any", "1")), get("/")]),
    Scenario("without-headers",
             f"- match: [{{withoutHeaders: {{x-no: {{exact: stop}}}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/"), get("/", ("x-no", "stop")), get("/", ("x-no", "go"))]),
    Scenario("without-present", f"- match: [{{withoutHeaders: {{x-no: {{}}}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/"), get("/", ("x-no", "1"))]),
    Scenario("method", f"- match: [{{method: {{exact: POST}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/"), post("/", b"x"), Request("/", "PUT", [], b"y")]),
    Scenario("authority", f"- match: [{{authority: {{prefix: authority.diff.svc}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/"), get("/", host="authority"), get("/", host="authority.diff.svc.cluster.local:8080")]),
    Scenario("scheme", f"- match: [{{scheme: {{exact: http}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/"), get("/", ("x-forwarded-proto", "https"))]),
    Scenario("query-exact", f"- match: [{{queryParams: {{v: {{exact: '2'}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/?v=2"), get("/?v=1"), get("/?v=2&v=3"), get("/?v=3&v=2"), get("/?x=1&v=2"), get("/")]),
    Scenario("query-regex", f"- match: [{{queryParams: {{v: {{regex: '[0-9]+'}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/?v=22"), get("/?v=x"), get("/?v="), get("/")]),
    Scenario("query-present", f"- match: [{{queryParams: {{debug: {{}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/?debug"), get("/?debug=1"), get("/")]),
    Scenario("match-and", f"- match: [{{uri: {{prefix: /a}}, headers: {{x-k: {{exact: v}}}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/a", ("x-k", "v")), get("/a"), get("/b", ("x-k", "v"))]),
    Scenario("match-or",
             f"- match: [{{uri: {{exact: /one}}}}, {{uri: {{exact: /two}}}}]\n  {to('b')}\n- {to('a')}",
             [get("/one"), get("/two"), get("/three")]),
    Scenario("no-route", f"- match: [{{uri: {{prefix: /only}}}}]\n  {to('a')}", [get("/only"), get("/other")]),
    Scenario("weights", "- route:\n  - {destination: {host: HOST, subset: a}, weight: 75}\n"
                        "  - {destination: {host: HOST, subset: b}, weight: 25}",
             [get("/", times=300, tolerance=0.1)]),
    Scenario("weights-zero", "- route:\n  - {destination: {host: HOST, subset: a}, weight: 100}\n"
                             "  - {destination: {host: HOST, subset: b}, weight: 0}", [get("/", times=20)]),
    Scenario("weight-headers",
             "- route:\n  - destination: {host: HOST, subset: a}\n    weight: 50\n"
             "    headers: {request: {set: {x-w: first}}, response: {add: {x-picked: a}}}\n"
             "  - destination: {host: HOST, subset: a}\n    weight: 50\n"
             "    headers: {request: {set: {x-w: first}}, response: {add: {x-picked: a}}}", [get("/")]),
    Scenario("request-headers",
             f"- headers: {{request: {{set: {{x-set: one}}, add: {{x-add: two}}, remove: [x-gone]}}}}\n  {to('a')}",
             [get("/"), get("/", ("x-set", "old"), ("x-add", "old"), ("x-gone", "1"))]),
    Scenario("response-headers",
             f"- headers: {{response: {{set: {{x-set: one}}, add: {{x-add: two}}, remove: [x-origin]}}}}\n  {to('a')}",
             [get("/"), get("/", ("x-test-header", "x-set=old"), ("x-test-header", "x-add=old"))]),
    Scenario("header-operators",
             f"- headers: {{request: {{set: {{x-proto: '%PROTOCOL%', x-req: '%REQ(:path)%'}}}}}}\n  {to('a')}",
             [get("/some/path?q=1")]),
    Scenario("authority-header",
             f"- headers: {{request: {{set: {{host: other.example}}}}}}\n  {to('a')}", [get("/")]),
    Scenario("rewrite-prefix", f"- match: [{{uri: {{prefix: /old/}}}}]\n  rewrite: {{uri: /new/}}\n  {to('a')}\n- {to('b')}",
             [get("/old/thing?q=1"), get("/old/"), get("/older")]),
    Scenario("rewrite-root", f"- match: [{{uri: {{prefix: /app}}}}]\n  rewrite: {{uri: /}}\n  {to('a')}\n- {to('b')}",
             [get("/app"), get("/app/x"), get("/appx")]),
    Scenario("rewrite-exact", f"- match: [{{uri: {{exact: /one}}}}]\n  rewrite: {{uri: /two}}\n  {to('a')}\n- {to('b')}",
             [get("/one"), get("/one?a=b")]),
    Scenario("rewrite-authority", f"- rewrite: {{authority: inner.example}}\n  {to('a')}", [get("/x")]),
    Scenario("rewrite-regex",
             f"- match: [{{uri: {{prefix: /service}}}}]\n"
             f"  rewrite: {{uriRegexRewrite: {{match: '^/service/([^/]+)(/.*)$', rewrite: '\\2/instance/\\1'}}}}\n"
             f"  {to('a')}\n- {to('b')}", [get("/service/foo/v1/api"), get("/service/foo"), get("/x")]),
    Scenario("redirect-uri", "- match: [{uri: {prefix: /old}}]\n  redirect: {uri: /new}\n- " + to("a"),
             [get("/old/x?q=1"), get("/fine")]),
    Scenario("redirect-all", "- redirect: {authority: new.example, uri: /there, redirectCode: 308, scheme: https}",
             [get("/x?y=z"), post("/x", b"body")]),
    Scenario("redirect-prefix", "- match: [{uri: {prefix: /from/}}]\n  redirect: {prefixRewrite: /to/}\n- " + to("a"),
             [get("/from/a/b?c=d")]),
    Scenario("redirect-port", "- redirect: {port: 8443, scheme: https}", [get("/p")]),
    Scenario("redirect-derived", "- redirect: {authority: d.example, derivePort: FROM_PROTOCOL_DEFAULT}", [get("/p")]),
    Scenario("direct-text", "- directResponse: {status: 418, body: {string: 'short and stout'}}",
             [get("/"), Request("/", "HEAD"), post("/", b"x" * 1000)]),
    Scenario("direct-bytes", "- directResponse: {status: 200, body: {bytes: aGkAAQ==}}", [get("/")]),
    Scenario("direct-empty", "- directResponse: {status: 204}", [get("/")]),
    Scenario("direct-headers",
             "- headers: {response: {set: {x-why: because}}}\n  directResponse: {status: 200, body: {string: ok}}",
             [get("/")]),
    Scenario("abort-always", f"- fault: {{abort: {{httpStatus: 451, percentage: {{value: 100}}}}}}\n  {to('a')}",
             [get("/"), post("/", b"data")]),
    Scenario("abort-never", f"- fault: {{abort: {{httpStatus: 500, percentage: {{value: 0}}}}}}\n  {to('a')}",
             [get("/", times=5)]),
    Scenario("abort-some", f"- fault: {{abort: {{httpStatus: 503, percentage: {{value: 40}}}}}}\n  {to('a')}",
             [get("/", times=300, tolerance=0.1)]),
    Scenario("delay", f"- fault: {{delay: {{fixedDelay: 0.3s, percentage: {{value: 100}}}}}}\n  {to('a')}",
             [get("/", between=(0.3, 2))]),
    Scenario("timeout", f"- timeout: 0.3s\n  {to('a')}",
             [get("/", ("x-test-delay", "2"), between=(0.25, 1.5)), get("/")]),
    Scenario("retry-status", f"- retries: {{attempts: 2, retryOn: 5xx}}\n  {to('a')}",
             [get("/", ("x-test-fail", "KEY1:2:503")), get("/", ("x-test-fail", "KEY2:3:503")),
              post("/", b"again", ("x-test-fail", "KEY3:1:500"))]),
    Scenario("retry-codes", f"- retries: {{attempts: 2, retryOn: '418,retriable-status-codes'}}\n  {to('a')}",
             [get("/", ("x-test-fail", "KEY1:1:418")), get("/", ("x-test-fail", "KEY2:1:503"))]),
    Scenario("retry-none", f"- retries: {{attempts: 0}}\n  {to('a')}", [get("/", ("x-test-fail", "KEY1:1:503"))]),
    Scenario("retry-reset", f"- retries: {{attempts: 1, retryOn: reset}}\n  {to('a')}",
             [get("/", ("x-test-fail", "KEY1:1:reset")), get("/", ("x-test-fail", "KEY2:2:reset"))]),
    Scenario("retry-4xx", f"- retries: {{attempts: 1, retryOn: retriable-4xx}}\n  {to('a')}",
             [get("/", ("x-test-fail", "KEY1:1:409")), get("/", ("x-test-fail", "KEY2:1:404"))]),
    Scenario("retry-gateway", f"- retries: {{attempts: 1, retryOn: gateway-error}}\n  {to('a')}",
             [get("/", ("x-test-fail", "KEY1:1:502")), get("/", ("x-test-fail", "KEY2:1:500"))]),
    Scenario("retry-try-timeout",
             f"- retries: {{attempts: 1, perTryTimeout: 0.3s, retryOn: 5xx}}\n  {to('a')}",
             [get("/", ("x-test-delay", "3"), between=(0.55, 2.5))]),
    Scenario("default-retry", f"- {to('a')}", [get("/", ("x-test-fail", "KEY1:1:503"))]),
    Scenario("mirror", f"- {to('a')}\n  mirror: {{host: HOST, subset: b}}\n  mirrorPercentage: {{value: 100}}",
             [get("/m", ("x-test-key", "KEY1"), seen_key="KEY1"),
              post("/m", b"mirrored body", ("x-test-key", "KEY2"), seen_key="KEY2")]),
    Scenario("mirror-none", f"- {to('a')}\n  mirror: {{host: HOST, subset: b}}\n  mirrorPercentage: {{value: 0}}",
             [get("/m", ("x-test-key", "KEY1"), seen_key="KEY1")]),
    Scenario("mirrors", f"- {to('a')}\n  mirrors: [{{destination: {{host: HOST, subset: b}}, percentage: {{value: 100}}}},"
                        f" {{destination: {{host: HOST, subset: c}}}}]",
             [get("/m", ("x-test-key", "KEY1"), seen_key="KEY1")]),
    Scenario("cors",
             "- corsPolicy:\n    allowOrigins: [{exact: 'https://a.example'}, {prefix: 'https://b.'}]\n"
             "    allowMethods: [GET, POST]\n    allowHeaders: [x-one, x-two]\n    exposeHeaders: [x-out]\n"
             f"    maxAge: 24h\n    allowCredentials: true\n  {to('a')}",
             [get("/", ("origin", "https://a.example")), get("/", ("origin", "https://b.example")),
              get("/", ("origin", "https://c.example")), get("/"),
              Request("/", "OPTIONS", [("origin", "https://a.example"), ("access-control-request-method", "POST")]),
              Request("/", "OPTIONS", [("origin", "https://c.example"), ("access-control-request-method", "POST")]),
              Request("/", "OPTIONS", [("origin", "https://a.example")])]),
    Scenario("cors-ignore",
             "- corsPolicy:\n    allowOrigins: [{exact: 'https://a.example'}]\n    unmatchedPreflights: IGNORE\n"
             f"  {to('a')}",
             [Request("/", "OPTIONS", [("origin", "https://c.example"), ("access-control-request-method", "POST")])]),
    Scenario("unknown-subset", "- route: [{destination: {host: HOST, subset: nowhere}}]", [get("/")]),
    Scenario("unknown-host", "- route: [{destination: {host: gone.diff.svc.cluster.local, port: {number: 80}}}]",
             [get("/")]),
    Scenario("no-endpoints", "- route: [{destination: {host: HOST, subset: none}}]", [get("/")],
             rule="subsets: [{name: none, labels: {version: zzz}}]\n"),
    Scenario("dead-endpoint", "", [get("/"), post("/", b"x")], rule="subsets: []\n",
             extra="""
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: dead-endpoint-x, namespace: diff, labels: {kubernetes.io/service-name: dead-endpoint}}
addressType: IPv4
ports: [{name: http, port: 8081}]
endpoints: [{addresses: [127.0.31.250], conditions: {ready: true}}]
"""),
    Scenario("random", "", [get("/", times=300, tolerance=0.12)],
             rule="trafficPolicy: {loadBalancer: {simple: RANDOM}}\n"),
    Scenario("round-robin", "", [get("/", times=60, tolerance=0.02)],
             rule="trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}\n"),
    Scenario("least-request", "", [get("/", times=300, tolerance=0.12)],
             rule="trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST}}\n"),
    Scenario("hash-header", "", [get("/", ("x-user", f"user-{n}")) for n in range(12)],
             rule="trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}\n"),
    Scenario("hash-query", "", [get(f"/?user=u{n}") for n in range(12)],
             rule="trafficPolicy: {loadBalancer: {consistentHash: {httpQueryParameterName: user}}}\n"),
    Scenario("hash-cookie", "", [get("/", ("cookie", f"session=s{n}; other=1")) for n in range(12)],
             rule="trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: session, ttl: 0s}}}}\n"),
    Scenario("maglev", "", [get("/", ("x-user", f"user-{n}")) for n in range(12)],
             rule="trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user, maglev: {tableSize: 65537}}}}\n"),
    Scenario("one-per-connection", "", [get("/"), get("/again")],
             rule="trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}\n" + SUBSETS),
    Scenario("bodies", f"- {to('a')}",
             [post("/", b"x" * 100_000), get("/", ("x-test-chunked", "1")), Request("/", "PUT", [], b"p" * 17),
              Request("/", "HEAD", [("x-test-chunked", "1")]), get("/", ("x-test-status", "204")),
              get("/", ("x-test-status", "304"))]),
    Scenario("statuses", f"- {to('a')}",
             [get("/", ("x-test-status", str(s))) for s in (201, 202, 206, 301, 302, 400, 404, 409, 429, 500, 502, 504)]),
    Scenario("paths", f"- {to('a')}",
             [get("/a/../b"), get("/a/./b"), get("/a//b"), get("/%41"), get("/a%2Fb"), get("/a?b/../c"), get("/a;b"),
              get("/..")]),
    Scenario("request-details", f"- {to('a')}",
             [get("/", ("x-forwarded-for", "10.1.2.3")), get("/", ("x-request-id", "given-id")),
              get("/", ("x-envoy-retry-on", "5xx")), get("/", ("te", "trailers")), get("/", ("te", "gzip")),
              get("/", ("proxy-connection", "keep-alive")), get("/", ("x-envoy-upstream-rq-timeout-ms", "50")),
              get("/", ("x-envoy-expected-rq-timeout-ms", "9")), get("/", ("user-agent", "test/1")),
              get("/", ("accept-encoding", "gzip")), get("/", ("x_under", "score"))]),
    Scenario("delegate", "- match: [{uri: {prefix: /d}}]\n  delegate: {name: delegate-inner, namespace: diff}\n- " + to("a"),
             [get("/d/one"), get("/d/two"), get("/other")],
             extra="""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: delegate-inner, namespace: diff}
spec:
  http:
    - match: [{uri: {prefix: /d/one}}]
      route: [{destination: {host: delegate, subset: b}}]
    - route: [{destination: {host: delegate, subset: c}}]
"""),
    Scenario("source-labels",
             f"- match: [{{sourceLabels: {{role: client}}}}]\n  {to('b')}\n- {to('a')}", [get("/")]),
    Scenario("port-match", f"- match: [{{port: 9999}}]\n  {to('b')}\n- match: [{{port: 8080}}]\n  {to('c')}\n- {to('a')}",
             [get("/")]),
]
