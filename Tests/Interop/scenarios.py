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
    # Five standard deviations of the difference or more, so that chance fails one run in a million: 0.11 for 1,000.
    times: int = 1
    tolerance: float = 0.0
    # The host header, when it is not the scenario's.
    host: str = ""
    # Seconds between which the answer must come, checked for both proxies.
    between: tuple = (0, 30)
    # Seconds to wait before: Envoy ejects a host on another thread, some time after the answer that decided it.
    after: float = 0.0
    # A key whose requests, as the origins saw them, are compared too (mirrors).
    seen_key: str = ""
    # Where it is sent: `sidecar`, `gateway`, or `proxy` (the HTTP proxy port).
    at: str = "sidecar"
    port: int = 8080
    # Why the two differ on purpose; see Docs/envoy-differences.md.
    known: str = ""

    @property
    def title(self):
        return f"{self.method} {self.path}"


@dataclass
class Wire:
    """Bytes as they stand on one connection: each step is sent when the answer to the one before has gone quiet.

    None ends the client's side. What is compared is every answer, its framing, and whether the connection was closed.
    """
    steps: list
    title: str = ""
    times: int = 1
    # Of the shares of each answer, with more than one.
    tolerance: float = 0.0
    at: str = "sidecar"
    port: int = 8080
    # All at the same time, each on a connection of its own.
    together: bool = False
    # Seconds between the starts of those that run together: where the order decides, it must not be left to chance.
    apart: float = 0.0
    # No HTTP: the bytes are compared.
    tcp: bool = False
    # Why the two differ on purpose; such a request fails when they no longer do. See Docs/envoy-differences.md.
    known: str = ""
    # Seconds without a byte after which an answer is taken to be complete.
    quiet: float = 0.5


@dataclass
class Scenario:
    name: str
    spec: str
    requests: list
    rule: str = SUBSETS
    # More YAML documents; NAME stands for the scenario's name.
    extra: str = ""


def to(subset, more=""):
    return f"route: [{{destination: {{host: HOST, subset: {subset}}}{more}}}]"


def get(path="/", *headers, **more):
    return Request(path, "GET", list(headers), **more)


def post(path, body, *headers, **more):
    return Request(path, "POST", list(headers), body, **more)


def wire(title, *steps, **more):
    return Wire(list(steps), title, **more)


def raw(line, *headers, body="", host="HOST"):
    """A request as text: `line` without the version."""
    lines = [line if " HTTP/" in line else line + " HTTP/1.1"] + ([f"Host: {host}"] if host else []) + list(headers)
    return "\r\n".join(lines) + "\r\n\r\n" + body


GET = raw("GET /")

# Documents beside the scenarios: TCP services, and what the gateways route.
EXTRA = """
apiVersion: v1
kind: Service
metadata: {name: named-http2, namespace: diff}
spec:
  selector: {app: origin-h2}
  ports: [{name: http2-web, port: 8080, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: named-grpc, namespace: diff}
spec:
  selector: {app: origin-h2}
  ports: [{name: grpc, port: 8080, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: named-grpc-web, namespace: diff}
spec:
  selector: {app: origin-h2}
  ports: [{name: grpc-web-x, port: 8080, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: upgraded, namespace: diff}
spec:
  selector: {app: origin-h2}
  ports: [{name: http, port: 8080, targetPort: 8080}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: upgraded, namespace: diff}
spec:
  host: upgraded.diff.svc.cluster.local
  trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}
---
apiVersion: v1
kind: Service
metadata: {name: tcp-9001, namespace: diff}
spec:
  selector: {app: origin}
  ports: [{name: tcp, port: 9001, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: tcp-9002, namespace: diff}
spec:
  selector: {app: origin, version: a}
  ports: [{name: tcp, port: 9002, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: tcp-9003, namespace: diff}
spec:
  selector: {app: origin, version: a}
  ports: [{name: tcp, port: 9003, targetPort: 8080}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: tcp-9003, namespace: diff}
spec:
  host: tcp-9003.diff.svc.cluster.local
  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: tcp-9001, namespace: diff}
spec:
  host: tcp-9001.diff.svc.cluster.local
  subsets:
    - {name: a, labels: {version: a}}
    - {name: b, labels: {version: b}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tcp-9001, namespace: diff}
spec:
  hosts: [tcp-9001.diff.svc.cluster.local]
  tcp:
    - route:
        - {destination: {host: tcp-9001.diff.svc.cluster.local, subset: a}, weight: 70}
        - {destination: {host: tcp-9001.diff.svc.cluster.local, subset: b}, weight: 30}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: diff}
spec:
  hosts: [shop.example]
  gateways: [gateway-envoy, gateway-apus]
  http:
    - match: [{uri: {prefix: /b}}]
      rewrite: {uri: /inner}
      headers: {request: {set: {x-gateway: "yes"}}}
      route: [{destination: {host: behind-gateway.diff.svc.cluster.local, subset: b, port: {number: 8080}}}]
    - match: [{uri: {prefix: /gone}}]
      directResponse: {status: 410, body: {string: gone}}
    - route: [{destination: {host: behind-gateway.diff.svc.cluster.local, subset: a, port: {number: 8080}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: gateway-tcp, namespace: diff}
spec:
  hosts: ["*"]
  gateways: [gateway-envoy, gateway-apus]
  tcp:
    - match: [{port: 8091}]
      route: [{destination: {host: tcp-9002.diff.svc.cluster.local, port: {number: 9002}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: wild, namespace: diff}
spec:
  hosts: ["*.wild.example"]
  gateways: [gateway-envoy, gateway-apus]
  http:
    - route: [{destination: {host: behind-gateway.diff.svc.cluster.local, subset: c, port: {number: 8080}}}]
"""

def weighted(name, balancer):
    """A ServiceEntry whose three origins have weights 1, 2 and 5."""
    return Scenario(name, "", [get("/", times=1000, tolerance=0.11, host=f"{name}.example:8080")], extra=f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: diff}}
spec:
  hosts: [{name}.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: 8080, name: http, protocol: HTTP}}]
  endpoints:
    - {{address: 127.0.31.1, weight: 1}}
    - {{address: 127.0.31.2, weight: 2}}
    - {{address: 127.0.31.3, weight: 5}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}-entry, namespace: diff}}
spec:
  host: {name}.example
  trafficPolicy: {{loadBalancer: {balancer}}}
""")


SCENARIOS = [
    weighted("weights-round-robin", "{simple: ROUND_ROBIN}"),
    weighted("weights-least-request", "{simple: LEAST_REQUEST}"),
    weighted("weights-random", "{simple: RANDOM}"),
    Scenario("plain", "", [get("/"), get("/x?y=1&z=%20"), post("/p", b"hello"), Request("/", "HEAD"),
                           Request("/", "DELETE"), get("/", host="plain.diff:8080"), get("/", host="nobody.example")],
             rule="subsets: [{name: a, labels: {version: a}}]\n"),
    Scenario("http2", "", [
        request for name in ("named-http2", "named-grpc", "named-grpc-web", "upgraded")
        for host in [f"{name}.diff.svc.cluster.local"]
        for request in (
            get("/a?b", host=host), post("/p", b"hello", host=host), Request("/", "HEAD", host=host),
            get("/", ("x-test-status", "503"), host=host), get("/", ("x-test-trailer", "x-t=1"), host=host))]),
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
             [get("/", times=1000, tolerance=0.11)]),
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
             [get("/", times=1000, tolerance=0.11)]),
    Scenario("delay", f"- fault: {{delay: {{fixedDelay: 0.3s, percentage: {{value: 100}}}}}}\n  {to('a')}",
             [get("/", between=(0.29, 2))]),
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
    Scenario("dead-once", "- retries: {attempts: 0}\n  route: [{destination: {host: HOST}}]", [get("/")], rule="subsets: []\n",
             extra="""
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: dead-once-x, namespace: diff, labels: {kubernetes.io/service-name: dead-once}}
addressType: IPv4
ports: [{name: http, port: 8081}]
endpoints: [{addresses: [127.0.31.250], conditions: {ready: true}}]
"""),
    Scenario("many-values",
             f"- match: [{{headers: {{x-m: {{exact: one}}}}}}]\n  {to('a')}\n"
             f"- match: [{{headers: {{x-p: {{prefix: two}}}}}}]\n  {to('b')}\n"
             f"- match: [{{withoutHeaders: {{x-w: {{exact: no}}}}, headers: {{x-w: {{}}}}}}]\n  {to('c')}\n- {to('b')}",
             [get("/", ("x-m", "zero"), ("x-m", "one")), get("/", ("x-m", "one,zero")), get("/", ("x-p", "x"), ("x-p", "twofold")),
              get("/", ("x-w", "yes"), ("x-w", "no")), get("/", ("x-w", "yes"), ("x-w", "also"))]),
    Scenario("empty-bodies", f"- {to('a')}",
             [Request("/", method, []) for method in ("POST", "PUT", "PATCH", "OPTIONS", "DELETE", "TRACE", "PURGE")]),
    Scenario("random", "", [get("/", times=1000, tolerance=0.11)],
             rule="trafficPolicy: {loadBalancer: {simple: RANDOM}}\n"),
    Scenario("round-robin", "", [get("/", times=60, tolerance=0.02)],
             rule="trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}\n"),
    Scenario("least-request", "", [get("/", times=1000, tolerance=0.11)],
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

    # More than one value of a header, each judged on its own.
    Scenario("values-inverted",
             f"- match: [{{withoutHeaders: {{x-w: {{exact: no}}}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/"), get("/", ("x-w", "yes"), ("x-w", "no")), get("/", ("x-w", "no,yes")),
              get("/", ("x-w", "yes"), ("x-w", "also"))]),
    Scenario("values-regex",
             f"- match: [{{headers: {{x-w: {{regex: 'o.*e'}}}}}}]\n  {to('a')}\n"
             f"- match: [{{withoutHeaders: {{x-r: {{regex: 'o.*e'}}}}}}]\n  {to('b')}\n- {to('c')}",
             [get("/", ("x-w", "o"), ("x-w", "e")), get("/", ("x-w", "zero"), ("x-w", "one")),
              get("/", ("x-r", "zero"), ("x-r", "one")), get("/", ("x-r", "o"), ("x-r", "e")), get("/")]),
    Scenario("values-empty", f"- match: [{{headers: {{x-e: {{exact: ''}}}}}}]\n  {to('a')}\n- {to('b')}",
             [get("/", ("x-e", "")), get("/"), get("/", ("x-e", "1"), ("x-e", ""))]),
    # Headers that steer the router, and what operators say.
    Scenario("envoy-headers", f"- retries: {{attempts: 1, retryOn: reset}}\n  {to('a')}",
             [get("/", ("x-envoy-retry-on", "5xx"), ("x-envoy-max-retries", "3"), ("x-test-fail", "KEY1:2:503")),
              get("/", ("x-envoy-upstream-rq-timeout-ms", "200"), ("x-test-delay", "0.4")),
              get("/", ("x-envoy-upstream-rq-per-try-timeout-ms", "200"), ("x-envoy-retry-on", "5xx"),
                  ("x-test-delay", "0.4")),
              get("/", ("x-envoy-retriable-status-codes", "418"), ("x-envoy-retry-on", "retriable-status-codes"),
                  ("x-test-fail", "KEY2:1:418")),
              get("/", ("x-envoy-internal", "true")), get("/", ("x-envoy-original-path", "/z")),
              get("/", ("x-envoy-attempt-count", "7")), get("/", ("x-envoy-hedge-on-per-try-timeout", "true")),
              get("/", ("x-envoy-decorator-operation", "x")), get("/", ("x-envoy-external-address", "1.2.3.4")),
              get("/", ("x-envoy-upstream-alt-stat-name", "x")), get("/", ("x-envoy-upstream-rq-timeout-alt-response", "1"))]),
    Scenario("operators",
             f"- headers:\n    request:\n      set: {{x-meth: '%REQ(:METHOD)%', x-ua: '%REQ(user-agent)%', "
             f"x-short: '%REQ(x-long):3%', x-else: '%REQ(x-none?x-long)%', x-scheme: '%REQ(:scheme)%', "
             f"x-host: '%REQ(:authority)%', x-plain: '100%% sure'}}\n      add: {{x-gone: '%REQ(x-none)%'}}\n"
             f"    response:\n      set: {{x-code: '%RESPONSE_CODE%', x-flags: 'f%RESPONSE_FLAGS%', "
             f"x-details: '%RESPONSE_CODE_DETAILS%', x-origin-copy: '%RESP(x-origin)%'}}\n  {to('a')}",
             [get("/o", ("user-agent", "me"), ("x-long", "abcdef")), get("/o")]),
    Scenario("deadlines", f"- timeout: 0.4s\n  retries: {{attempts: 5, perTryTimeout: 0.15s, retryOn: 5xx}}\n  {to('a')}",
             [get("/", ("x-test-delay", "2"), between=(0.35, 1.5))]),
    # Destinations that fail.
    Scenario("outlier", "", [get("/", ("x-test-fail", f"KEY{n}:1:500")) for n in range(1, 5)],
             rule="trafficPolicy:\n  outlierDetection: {consecutive5xxErrors: 2, interval: 60s, baseEjectionTime: 60s, "
                  "maxEjectionPercent: 100}\n  loadBalancer: {simple: ROUND_ROBIN}\n" + SUBSETS),
    Scenario("outlier-one", f"- retries: {{attempts: 0}}\n  {to('a')}",
             [get("/", ("x-test-fail", f"KEY{n}:1:500"), after=1.0 * (n == 3)) for n in range(1, 5)] + [get("/")],
             rule="trafficPolicy:\n  outlierDetection: {consecutive5xxErrors: 2, interval: 60s, baseEjectionTime: 60s, "
                  "maxEjectionPercent: 100}\n" + SUBSETS),
    Scenario("outlier-gateway", f"- retries: {{attempts: 0}}\n  {to('a')}",
             [get("/", ("x-test-fail", f"KEY{n}:1:500")) for n in range(1, 4)]
             + [get("/", ("x-test-fail", f"KEY{n}:1:503"), after=1.0 * (n == 6)) for n in range(4, 7)] + [get("/")],
             rule="trafficPolicy:\n  outlierDetection: {consecutiveGatewayErrors: 2, consecutive5xxErrors: 0, interval: 60s, "
                  "baseEjectionTime: 60s, maxEjectionPercent: 100}\n" + SUBSETS),
    Scenario("breaker", f"- retries: {{attempts: 0}}\n  {to('a')}",
             # One after the other: a request that waits for a connection being made takes the place of those that wait, in
             # both proxies, so five at once share the places as the scheduler likes.
             [wire("one connection, one waits", raw("GET /", "x-test-delay: 1.5"), times=5, together=True, apart=0.2, quiet=4),
              get("/afterwards")],
             rule="trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}}\n" + SUBSETS),
    Scenario("breaker-requests", f"- retries: {{attempts: 0}}\n  {to('a')}",
             [wire("two at a time", raw("GET /", "x-test-delay: 1.5"), times=5, together=True, apart=0.2, quiet=4)],
             rule="trafficPolicy: {connectionPool: {http: {http2MaxRequests: 2}}}\n" + SUBSETS),
    Scenario("breaker-retries", f"- retries: {{attempts: 2, retryOn: 5xx}}\n  {to('a')}",
             [wire("no retry allowed at a time", raw("GET /", "x-test-status: 503"), quiet=2)],
             rule="trafficPolicy: {connectionPool: {http: {maxRetries: 1}}}\n" + SUBSETS),
    Scenario("slow-origin", f"- {to('a')}",
             [wire("no limit", raw("GET /", "x-test-delay: 1"), quiet=3)]),
    Scenario("keepalive", f"- {to('a')}", [get("/")],
             rule="trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 7200s, interval: 75s, probes: 3}}}}\n" + SUBSETS),
    # What only bytes can say.
    Scenario("framing", f"- {to('a')}",
             [wire("HEAD", raw("HEAD /"), GET), wire("304", raw("GET /", "x-test-status: 304"), GET),
              wire("204", raw("GET /", "x-test-status: 204"), GET),
              wire("HEAD of chunks", raw("HEAD /", "x-test-chunked: 1"), GET),
              wire("chunks", raw("GET /", "x-test-chunked: 1"), GET),
              wire("pipeline", GET + raw("GET /two") + raw("GET /three")),
              wire("pipeline with bodies", raw("POST /1", "Content-Length: 3", body="abc")
                   + raw("POST /2", "Transfer-Encoding: chunked", body="2\r\nhi\r\n0\r\n\r\n") + raw("GET /3")),
              wire("chunked upload", raw("POST /", "Transfer-Encoding: chunked"), "3\r\nabc\r\n", "2;x=y\r\nde\r\n",
                   "0\r\n\r\n", GET),
              wire("trailers", raw("POST /", "Transfer-Encoding: chunked", "Trailer: x-t", body="3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n")),
              wire("slow body", raw("POST /", "Content-Length: 6"), "abc", "def"),
              wire("leading empty line", "\r\n" + GET),
              wire("header in pieces", "GET / HT", "TP/1.1\r\nHo", "st: HOST\r\n\r", "\n")]),
    Scenario("connection", f"- {to('a')}",
             [wire("close", raw("GET /", "Connection: close")), wire("Close", raw("GET /", "Connection: Close")),
              wire("keep-alive", raw("GET /", "Connection: keep-alive"), GET),
              wire("nominated", raw("GET /", "Connection: x-mine", "x-mine: 1"), GET),
              wire("close and nominated", raw("GET /", "Connection: close, x-mine", "x-mine: 1")),
              wire("keep-alive header", raw("GET /", "Keep-Alive: timeout=5"), GET),
              wire("origin closes", raw("GET /", "x-test-header: connection=close"), GET),
              wire("half close", GET, None), wire("nothing", None), wire("cut head", "GET / HTT", None),
              wire("cut body", raw("POST /", "Content-Length: 10", body="abc"), None)]),
    Scenario("continue", f"- match: [{{uri: {{prefix: /direct}}}}]\n  directResponse: {{status: 200}}\n- {to('a')}",
             [wire("continue", raw("POST /", "Expect: 100-continue", "Content-Length: 2"), "hi", GET),
              wire("continue at once", raw("POST /", "Expect: 100-continue", "Content-Length: 2", body="hi"), GET),
              wire("without a body", raw("GET /", "Expect: 100-continue"), GET),
              wire("answered here", raw("POST /direct", "Expect: 100-continue", "Content-Length: 2"), "hi"),
              wire("other expectation", raw("POST /", "Expect: magic", "Content-Length: 2", body="hi"))]),
    Scenario("upgrade", f"- match: [{{uri: {{prefix: /direct}}}}]\n  directResponse: {{status: 200}}\n- {to('a')}",
             [wire("websocket", raw("GET /", "Connection: Upgrade", "Upgrade: websocket", "x-test-upgrade: 1"), "ping", "pong"),
              wire("websocket, more tokens", raw("GET /", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "x-test-upgrade: 1"), "ping"),
              wire("websocket refused by origin", raw("GET /", "Connection: Upgrade", "Upgrade: websocket"), GET,
                   known="Envoy drops the body of a 2xx answer to an upgrade"),
              wire("other protocol", raw("GET /", "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), GET),
              wire("unknown protocol", raw("GET /", "Connection: Upgrade", "Upgrade: foo"), GET),
              wire("answered here", raw("GET /direct", "Connection: Upgrade", "Upgrade: websocket"), GET),
              wire("CONNECT", raw("CONNECT HOST:8080")), wire("upgrade not nominated", raw("GET /", "Upgrade: websocket"), GET)]),
    Scenario("refused", f"- {to('a')}",
             [wire("HTTP/1.0", raw("GET / HTTP/1.0")), wire("HTTP/1.0 keep-alive", raw("GET / HTTP/1.0", "Connection: keep-alive")),
              wire("HTTP/0.9", "GET /\r\n"), wire("HTTP/1.2", raw("GET / HTTP/1.2")), wire("HTTP/2.0", raw("GET / HTTP/2.0")),
              wire("no host", raw("GET /", host="")), wire("two hosts", raw("GET /", "Host: other"), known="Envoy joins them with a comma"),
              wire("empty host", raw("GET /", host=" "), known="Envoy routes it"), wire("bad host", raw("GET /", host="a b")),
              wire("large head", raw("GET /", "x-large: " + "x" * 70_000)),
              wire("many headers", raw("GET /", *[f"x-{n}: 1" for n in range(120)])),
              wire("bad chunk", raw("POST /", "Transfer-Encoding: chunked", body="zz\r\nabc")),
              wire("bad chunk later", raw("POST /", "Transfer-Encoding: chunked", body="3\r\nabc\r\n"), "zz\r\n"),
              wire("length and chunks", raw("POST /", "Content-Length: 3", "Transfer-Encoding: chunked", body="0\r\n\r\n")),
              wire("two lengths", raw("POST /", "Content-Length: 3", "Content-Length: 4", body="abcd")),
              wire("same length twice", raw("POST /", "Content-Length: 3", "Content-Length: 3", body="abc")),
              wire("bad length", raw("POST /", "Content-Length: x")), wire("negative length", raw("POST /", "Content-Length: -1")),
              wire("plus length", raw("POST /", "Content-Length: +3", body="abc")),
              wire("huge length", raw("POST /", "Content-Length: 99999999999999999999999")),
              wire("gzip coding", raw("POST /", "Transfer-Encoding: gzip, chunked", body="0\r\n\r\n")),
              wire("identity coding", raw("POST /", "Transfer-Encoding: identity")),
              wire("space before colon", raw("GET /", "x-a : 1")), wire("folded", raw("GET /", "x-a: 1", " 2"), known="Envoy unfolds it"),
              wire("no colon", raw("GET /", "nonsense")), wire("empty name", raw("GET /", ": 1")),
              wire("NUL", raw("GET /", "x-a: a\0b")), wire("bare LF", "GET / HTTP/1.1\nHost: HOST\n\n", known="Envoy takes a line feed alone"),
              wire("control in value", raw("GET /", "x-a: a\x01b")), wire("high byte in value", raw("GET /", "x-a: \xe4")),
              wire("odd name", raw("GET /", "x(a): 1")), wire("lower method", raw("get /")), wire("odd method", raw("G@T /")),
              wire("unknown method", raw("BREW /")), wire("no target", "GET  HTTP/1.1\r\nHost: HOST\r\n\r\n"),
              wire("relative target", raw("GET path")), wire("asterisk", raw("OPTIONS *")), wire("asterisk of GET", raw("GET *")),
              wire("fragment", raw("GET /a#b")), wire("fragment and query", raw("GET /a?q#b")),
              wire("space in target", raw("GET /a b")), wire("high byte in target", raw("GET /\xe4")),
              wire("nonsense", "nonsense\r\n\r\n"), wire("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
              wire("pipelined garbage", GET + "garbage\r\n\r\n")]),
    Scenario("absolute", f"- match: [{{uri: {{prefix: /b}}}}]\n  {to('b')}\n- {to('a')}",
             [wire("absolute", raw("GET http://HOST/b?q=1")), wire("absolute, other Host", raw("GET http://HOST/", host="other.example")),
              wire("absolute with port", raw("GET http://HOST:8080/b")), wire("absolute without path", raw("GET http://HOST")),
              wire("absolute https", raw("GET https://HOST/")), wire("absolute, only query", raw("GET http://HOST?x=1"), known="Envoy finds no path"),
              wire("absolute ftp", raw("GET ftp://HOST/")), wire("no Host at all", raw("GET http://HOST/", host=""))]),
    Scenario("proxy-port", f"- match: [{{uri: {{prefix: /b}}}}]\n  {to('b')}\n- {to('a')}",
             [wire("absolute", raw("GET http://HOST:8080/b?q=1", host="HOST:8080"), at="proxy"),
              wire("short name", raw("GET http://proxy-port.diff:8080/", host="proxy-port.diff:8080"), at="proxy"),
              wire("origin form", raw("GET /b", host="HOST:8080"), at="proxy"),
              wire("without port", raw("GET http://HOST/", host="HOST"), at="proxy"),
              wire("unknown port", raw("GET http://HOST:1234/", host="HOST:1234"), at="proxy"),
              wire("unknown host", raw("GET http://nobody.invalid/", host="nobody.invalid"), at="proxy"),
              wire("CONNECT", raw("CONNECT HOST:8080", host="HOST:8080"), at="proxy")]),
    Scenario("behind-gateway", "",
             [wire("a", raw("GET /", host="shop.example"), at="gateway", port=8090),
              wire("rewrite", raw("GET /b/x", host="shop.example"), at="gateway", port=8090),
              wire("direct", raw("GET /gone", host="shop.example"), at="gateway", port=8090),
              wire("wildcard", raw("GET /", host="x.wild.example"), at="gateway", port=8090),
              wire("deep wildcard", raw("GET /", host="x.y.wild.example"), at="gateway", port=8090),
              wire("port", raw("GET /", host="shop.example:8090"), at="gateway", port=8090),
              wire("upper case", raw("GET /", host="Shop.Example"), at="gateway", port=8090),
              wire("unknown host", raw("GET /", host="nobody.example"), at="gateway", port=8090),
              wire("forged headers", raw("GET /", "x-forwarded-for: 9.9.9.9", "x-envoy-internal: true", "x-request-id: mine",
                                         "x-envoy-retry-on: 5xx", "x-forwarded-proto: https", host="shop.example"), at="gateway", port=8090),
              wire("redirect", raw("GET /a?b", host="shop.example"), at="gateway", port=8092),
              wire("redirect of POST", raw("POST /a", "Content-Length: 2", body="hi", host="shop.example"), at="gateway", port=8092),
              wire("redirect of https", raw("GET /a", "x-forwarded-proto: https", host="shop.example"), at="gateway", port=8092),
              wire("websocket", raw("GET /", "Connection: Upgrade", "Upgrade: websocket", "x-test-upgrade: 1", host="shop.example"), "ping",
                   at="gateway", port=8090),
              wire("escaped slash", raw("GET /b%2Fc", host="shop.example"), at="gateway", port=8090),
              wire("dots", raw("GET /x/../b", host="shop.example"), at="gateway", port=8090),
              wire("TCP", "1tcp bytes", "more", tcp=True, at="gateway", port=8091)]),
    Scenario("tcp", "",
             [wire("echo", "1hello", "again", tcp=True, port=9002), wire("half close", "1hello", None, tcp=True, port=9002),
              wire("nothing", None, tcp=True, port=9002), wire("large", "1" + "x" * 200_000, tcp=True, port=9002),
              wire("one connection", "1x", None, times=3, together=True, tcp=True, port=9003),
              wire("weights", "1", None, times=160, tolerance=0.25, tcp=True, port=9001, quiet=0.03)]),
]
