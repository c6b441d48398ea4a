"""Configurations that no manifest reaches, and the requests that show what they do; run by `filters.py`."""
from dataclasses import dataclass, field

from scenarios import Request, Wire


@dataclass
class Scenario:
    """Parts of one listener in YAML. What is left out is the plain thing: one route to origin `a`, no filter."""
    name: str
    requests: list
    filters: str = ""
    routes: str = ""
    # Fields of the virtual host, of the route table, of the connection manager, of the listener.
    host: str = ""
    table: str = ""
    manager: str = ""
    listener: str = ""
    # Filters of the connection before the terminal one; a TCP proxy in its place.
    guards: str = ""
    tcp: str = ""
    # Headers of the answer of which only the presence is compared.
    vary: tuple = ()
    port: int = 0


A, B, C = [(f"127.0.34.{n}", 8080) for n in (1, 2, 3)]
CLUSTERS = {
    "a": {"hosts": [A]},
    "b": {"hosts": [B]},
    "c": {"hosts": [C]},
    "dead": {"hosts": [("127.0.34.9", 1)]},
    "all": {"hosts": [A, B, C], "lb_policy": "RING_HASH"},
}
TYPE = "type.googleapis.com/envoy.extensions.filters"
# Milliseconds left to a further try.
LEFT = ("x-envoy-expected-rq-timeout-ms",)
FORWARD = "{cluster: a}"


HASHED = '''
- match: {prefix: /}
  route: {cluster: all, hash_policy: [{header: {header_name: x-user}}]}'''


# What tells the address that the proxy took for the client's.
ADDRESS = f'''
- name: mutation
  typed_config:
    "@type": {TYPE}.http.header_mutation.v3.HeaderMutation
    mutations:
      request_mutations: [{{append: {{header: {{key: x-client, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}}}}}}]'''


def preflight(origin, *more):
    return Request("/", "OPTIONS", headers=[("origin", origin), ("access-control-request-method", "PUT"), *more])


CORS = [
    Request("/", headers=[("origin", "https://a.example")]), preflight("https://a.example"),
    preflight("https://c.example"), preflight("https://z.example"), Request("/", headers=[("origin", "https://z.example")]),
    preflight("https://a.example", ("access-control-request-private-network", "true")),
    Request("/", "OPTIONS", headers=[("origin", "https://a.example")]), Request("/"), Request("/", headers=[("origin", "")]),
]


def cors(policy):
    return f"""
- match: {{prefix: /}}
  route: {{cluster: a}}
  typed_per_filter_config:
    envoy.filters.http.cors:
      "@type": {TYPE}.http.cors.v3.CorsPolicy{policy}"""


def rbac(rules, shadow=""):
    return f"""
- name: envoy.filters.http.rbac
  typed_config:
    "@type": {TYPE}.http.rbac.v3.RBAC
    rules: {rules}
    {shadow}"""


def per_route(name, config):
    return f"""
- match: {{prefix: /special}}
  route: {FORWARD}
  typed_per_filter_config:
    {name}: {config}
- match: {{prefix: /}}
  route: {FORWARD}
"""


def limit(extra, tokens=2, kind="http.local_ratelimit.v3.LocalRateLimit"):
    return f"""
- name: envoy.filters.http.local_ratelimit
  typed_config:
    "@type": {TYPE}.{kind}
    stat_prefix: limit
    token_bucket: {{max_tokens: {tokens}, tokens_per_fill: 1, fill_interval: 600s}}
    filter_enabled: {{default_value: {{numerator: 100}}}}
    filter_enforced: {{default_value: {{numerator: 100}}}}
    {extra}"""


def simple(name, kind, body):
    return f"""
- name: {name}
  typed_config:
    "@type": {TYPE}.{kind}
    {body}"""


GETS = [Request("/"), Request("/yes"), Request("/yes?q=1"), Request("/no", headers=[("x-role", "admin")])]

SCENARIOS = [
    Scenario("plain", [Request("/"), Request("/x?y=1", "POST", body=b"abc")]),
    # --- Authorisation
    Scenario("rbac-allow", GETS + [Request("/yes", "HEAD")], filters=rbac("""
      action: ALLOW
      policies:
        paths: {permissions: [{url_path: {path: {exact: /yes}}}], principals: [{any: true}]}
        roles: {permissions: [{any: true}], principals: [{header: {name: x-role, string_match: {exact: admin}}}]}""")),
    Scenario("rbac-deny", GETS, filters=rbac("""
      action: DENY
      policies:
        "some paths": {permissions: [{url_path: {path: {prefix: /yes}}}], principals: [{any: true}]}""")),
    Scenario("rbac-empty", GETS[:1], filters=rbac("{action: ALLOW, policies: {}}")),
    Scenario("rbac-deny-empty", GETS[:1], filters=rbac("{action: DENY, policies: {}}")),
    Scenario("rbac-log", GETS[:2], filters=rbac("""
      action: LOG
      policies: {p: {permissions: [{any: true}], principals: [{any: true}]}}""")),
    Scenario("rbac-not", GETS, filters=rbac("""
      action: ALLOW
      policies:
        p:
          permissions: [{not_rule: {url_path: {path: {suffix: "no"}}}}]
          principals: [{not_id: {header: {name: x-role, present_match: true}}}]""")),
    Scenario("rbac-and-or", GETS, filters=rbac("""
      action: ALLOW
      policies:
        p:
          permissions:
          - and_rules: {rules: [{header: {name: ":method", string_match: {exact: GET}}}, {or_rules: {rules: [
              {url_path: {path: {exact: /yes}}}, {header: {name: x-role, string_match: {prefix: ad}}}]}}]}
          principals: [{and_ids: {ids: [{any: true}, {or_ids: {ids: [{any: true}]}}]}}]""")),
    Scenario("rbac-ip", [Request("/"), Request("/", headers=[("x-forwarded-for", "192.0.2.1")])], filters=rbac("""
      action: ALLOW
      policies:
        p:
          permissions: [{destination_ip: {address_prefix: 127.0.33.0, prefix_len: 24}}]
          principals: [{and_ids: {ids: [{direct_remote_ip: {address_prefix: 127.0.0.9, prefix_len: 32}},
            {remote_ip: {address_prefix: 192.0.2.0, prefix_len: 24}}]}}]""")),
    Scenario("rbac-port", GETS[:1], filters=rbac("""
      action: DENY
      policies:
        p: {permissions: [{destination_port_range: {start: 9100, end: 9300}}], principals: [{any: true}]}""")),
    Scenario("rbac-authenticated", GETS[:1], filters=rbac("""
      action: ALLOW
      policies:
        p: {permissions: [{any: true}], principals: [{authenticated: {}}]}""")),
    Scenario("rbac-metadata", GETS[:1], filters=rbac("""
      action: ALLOW
      policies:
        p:
          permissions: [{any: true}]
          principals: [{metadata: {filter: envoy.filters.http.jwt_authn, path: [{key: sub}],
            value: {string_match: {exact: me}}}}]""")),
    Scenario("rbac-metadata-inverted", GETS[:1], filters=rbac("""
      action: ALLOW
      policies:
        p:
          permissions: [{any: true}]
          principals: [{metadata: {filter: envoy.filters.http.jwt_authn, path: [{key: sub}], invert: true,
            value: {string_match: {exact: me}}}}]""")),
    Scenario("rbac-grpc", [Request("/", "POST", headers=[("content-type", "application/grpc")])],
             filters=rbac("{action: ALLOW}")),
    Scenario("rbac-route", [Request("/special"), Request("/")], filters=rbac("{action: ALLOW}"), routes=per_route(
        "envoy.filters.http.rbac", f'{{"@type": {TYPE}.http.rbac.v3.RBACPerRoute}}')),
    Scenario("rbac-route-rules", [Request("/special"), Request("/special/x"), Request("/")],
             filters=rbac("{action: ALLOW}"), routes=per_route("envoy.filters.http.rbac", f"""
      "@type": {TYPE}.http.rbac.v3.RBACPerRoute
      rbac:
        rules:
          action: ALLOW
          policies:
            p: {{permissions: [{{url_path: {{path: {{exact: /special}}}}}}], principals: [{{any: true}}]}}""")),
    Scenario("rbac-tcp-deny", [Wire(["1hello"], "tcp", tcp=True)], guards=f"""
- name: envoy.filters.network.rbac
  typed_config:
    "@type": {TYPE}.network.rbac.v3.RBAC
    stat_prefix: tcp.
    rules:
      action: DENY
      policies: {{p: {{permissions: [{{any: true}}], principals: [{{any: true}}]}}}}""", tcp=f"""
name: tcp
typed_config: {{"@type": {TYPE}.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: a}}"""),
    Scenario("rbac-tcp-allow", [Wire(["1hello"], "tcp", tcp=True)], guards=f"""
- name: envoy.filters.network.rbac
  typed_config:
    "@type": {TYPE}.network.rbac.v3.RBAC
    stat_prefix: tcp.
    rules:
      action: ALLOW
      policies: {{p: {{permissions: [{{any: true}}], principals: [{{source_ip: {{address_prefix: 127.0.0.0, prefix_len: 8}}}}]}}}}""",
             tcp=f"""
name: tcp
typed_config: {{"@type": {TYPE}.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: a}}"""),
    # --- Rate limits
    Scenario("limit", [Request("/")] * 3 + [Request("/", "HEAD")], filters=limit("""
    response_headers_to_add: [{header: {key: x-limited, value: "yes"}}]""")),
    Scenario("limit-headers", [Request("/")] * 3, filters=limit("enable_x_ratelimit_headers: DRAFT_VERSION_03"),
             vary=("x-ratelimit-reset",)),
    Scenario("limit-status", [Request("/")] * 2, filters=limit("status: {code: ServiceUnavailable}", 1)),
    Scenario("limit-not-enforced", [Request("/")] * 2, filters=limit("""
    request_headers_to_add_when_not_enforced: [{header: {key: x-over, value: "1"}}]""", 1).replace(
        "filter_enforced: {default_value: {numerator: 100}}", "filter_enforced: {default_value: {numerator: 0}}")),
    Scenario("limit-grpc", [Request("/", "POST", headers=[("content-type", "application/grpc")])] * 2,
             filters=limit("rate_limited_as_resource_exhausted: true", 1)),
    Scenario("limit-descriptors",
             [Request("/", headers=[("x-user", user)]) for user in ("a", "a", "b", "b", "b", "z", "a")] + [Request("/")],
             filters=limit("""
    descriptors:
    - {entries: [{key: user, value: a}], token_bucket: {max_tokens: 1, tokens_per_fill: 1, fill_interval: 600s}}
    - {entries: [{key: user, value: b}], token_bucket: {max_tokens: 2, tokens_per_fill: 1, fill_interval: 600s}}""", 100),
             routes="""
- match: {prefix: /}
  route:
    cluster: a
    rate_limits: [{actions: [{request_headers: {header_name: x-user, descriptor_key: user}}]}]"""),
    Scenario("limit-host-rules",
             [Request("/")] * 2 + [Request("/", headers=[("x-other", "1")])] * 2, filters=limit("""
    always_consume_default_token_bucket: false
    descriptors:
    - entries: [{key: header_match, value: plain}]
      token_bucket: {max_tokens: 1, tokens_per_fill: 1, fill_interval: 600s}""", 1), host="""
rate_limits:
- actions: [{header_value_match: {descriptor_value: plain, expect_match: false, headers: [{name: x-other, present_match: true}]}}]"""),
    Scenario("limit-route", [Request("/special")] * 2 + [Request("/")] * 2, filters=limit("", 1), routes=per_route(
        "envoy.filters.http.local_ratelimit", f"""
      "@type": {TYPE}.http.local_ratelimit.v3.LocalRateLimit
      stat_prefix: other
      token_bucket: {{max_tokens: 1, tokens_per_fill: 1, fill_interval: 600s}}
      filter_enabled: {{default_value: {{numerator: 100}}}}
      filter_enforced: {{default_value: {{numerator: 100}}}}
      status: {{code: Forbidden}}""")),
    Scenario("limit-connections", [Wire(["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], f"connection {n}") for n in range(3)],
             guards=f"""
- name: limit
  typed_config:
    "@type": {TYPE}.network.local_ratelimit.v3.LocalRateLimit
    stat_prefix: l
    token_bucket: {{max_tokens: 1, tokens_per_fill: 1, fill_interval: 600s}}"""),
    # --- Header mutation
    Scenario("mutation", [Request("/", headers=[("x-old", "1"), ("x-secret-a", "2"), ("x-test-header", "x-back=1")]),
                          Request("/special")],
             filters=simple("mutation", "http.header_mutation.v3.HeaderMutation", """mutations:
      request_mutations:
      - {append: {header: {key: x-new, value: "%REQ(:path)%"}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}}
      - {remove: x-old}
      - {remove_on_match: {key_matcher: {prefix: x-secret}}}
      response_mutations:
      - {remove: x-back}
      - {append: {header: {key: x-code, value: "%RESPONSE_CODE%"}}}"""),
             routes=per_route("mutation", f"""
      "@type": {TYPE}.http.header_mutation.v3.HeaderMutationPerRoute
      mutations:
        request_mutations: [{{append: {{header: {{key: x-new, value: route}}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}}}}]
        response_mutations: [{{append: {{header: {{key: x-code, value: route}}}}}}]""")),
    # --- Buffer
    Scenario("buffer", [
        Request("/", "POST", body=b"abc"), Request("/", "POST", body=b"abcdefghijk"), Request("/"),
        Wire(["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n"], "chunks"),
        Wire(["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n"], "long chunks"),
        Request("/special", "POST", body=b"abcdefghijk")],
        filters=simple("buffer", "http.buffer.v3.Buffer", "max_request_bytes: 10"),
        routes=per_route("buffer", f'{{"@type": {TYPE}.http.buffer.v3.BufferPerRoute, disabled: true}}')),
    # --- Health check
    Scenario("health", [Request("/healthz"), Request("/"), Request("/healthz", "HEAD")], filters=simple(
        "health", "http.health_check.v3.HealthCheck", """pass_through_mode: false
    headers: [{name: ":path", string_match: {exact: /healthz}}]"""), vary=("x-envoy-upstream-healthchecked-cluster",)),
    Scenario("health-pass", [Request("/healthz"), Request("/")], filters=simple(
        "health", "http.health_check.v3.HealthCheck", """pass_through_mode: true
    headers: [{name: ":path", string_match: {exact: /healthz}}]"""), vary=("x-envoy-upstream-healthchecked-cluster",)),
    # --- Local replies
    Scenario("reply-map", [Request("/none"), Request("/dead"), Request("/direct"), Request("/none", "HEAD"),
                           Request("/none", "POST", headers=[("content-type", "application/grpc")]),
                           Request("/x", headers=[("x-test-status", "404")])], routes="""
- {match: {prefix: /dead}, route: {cluster: dead}}
- {match: {prefix: /direct}, direct_response: {status: 418, body: {inline_string: tea}}}
- {match: {prefix: /x}, route: {cluster: a}}""", manager="""
local_reply_config:
  mappers:
  - filter: {status_code_filter: {comparison: {op: EQ, value: {default_value: 404, runtime_key: k}}}}
    status_code: 410
    body: {inline_string: "gone"}
    headers_to_add: [{header: {key: x-mapped, value: "%REQ(:path)%"}}]
  - filter: {response_flag_filter: {flags: [UF, URX]}}
    body_format_override: {json_format: {text: "%LOCAL_REPLY_BODY%", code: "%RESPONSE_CODE%"}}
  body_format: {text_format_source: {inline_string: "<%LOCAL_REPLY_BODY%> %RESPONSE_CODE%\\n"}, content_type: text/html}"""),
    # --- Compression
    Scenario("gzip", [
        Request("/", headers=[("accept-encoding", "gzip")]), Request("/"), Request("/", headers=[("accept-encoding", "br")]),
        Request("/", headers=[("accept-encoding", "gzip;q=0.4, identity;q=0.6")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-chunked", "1")]),
        Request("/", "HEAD", headers=[("accept-encoding", "gzip")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "etag=\"abc\"")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "etag=W/\"abc\"")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "vary=Origin")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "vary=accept-encoding")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "content-encoding=br")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "cache-control=no-transform")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-status", "206")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-status", "204")]),
        Request("/direct", headers=[("accept-encoding", "gzip")]),
    ], filters=simple("gzip", "http.compressor.v3.Compressor", """response_direction_config:
      uncompressible_response_codes: [206]
    compressor_library:
      name: gzip
      typed_config: {"@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip}"""),
             routes="""
- {match: {prefix: /direct}, direct_response: {status: 200, body: {inline_string: "a text that is long enough to be compressed"}}}
- {match: {prefix: /}, route: {cluster: a}}"""),
    Scenario("gzip-options", [
        Request("/", headers=[("accept-encoding", "gzip")]),
        Request("/", headers=[("accept-encoding", "gzip"), ("x-test-header", "etag=\"abc\"")]),
    ], filters=simple("gzip", "http.compressor.v3.Compressor", """response_direction_config:
      disable_on_etag_header: true
      remove_accept_encoding_header: true
      common_config: {min_content_length: 10, content_type: [application/json]}
    compressor_library:
      name: gzip
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip
        compression_level: BEST_SPEED
        window_bits: 15
        memory_level: 9""")),
    # --- Sessions
    Scenario("session-header", [
        Request("/", headers=[("x-host", "MTI3LjAuMzQuMjo4MDgw")]), Request("/", headers=[("x-host", "MTI3LjAuMzQuMzo4MDgw")]),
        Request("/", headers=[("x-user", "1")]), Request("/", headers=[("x-user", "1"), ("x-host", "MTI3LjAuMC4xOjk=")]),
        Request("/", headers=[("x-user", "1"), ("x-host", "nonsense")])], filters=simple(
        "session", "http.stateful_session.v3.StatefulSession", """session_state:
      name: envoy.http.stateful_session.header
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState
        name: x-host"""), routes=HASHED),
    Scenario("session-cookie", [
        Request("/", headers=[("x-user", "1")]), Request("/", headers=[("cookie", "host=\"Cg8xMjcuMC4zNC4yOjgwODA=\"")]),
        Request("/", headers=[("x-user", "1"), ("cookie", "host=bad")])], filters=simple(
        "session", "http.stateful_session.v3.StatefulSession", """session_state:
      name: envoy.http.stateful_session.cookie
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState
        cookie: {name: host, path: /}"""), routes=HASHED),
    Scenario("session-strict", [Request("/", headers=[("x-host", "MTI3LjAuMC4xOjk=")])], filters=simple(
        "session", "http.stateful_session.v3.StatefulSession", """strict: true
    session_state:
      name: envoy.http.stateful_session.header
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState
        name: x-host""")),
    # --- Mirrors
    Scenario("mirror-rewrite", [Request("/", headers=[("x-test-key", "KEY1")], seen_key="KEY1")], routes="""
- match: {prefix: /}
  route:
    cluster: a
    request_mirror_policies: [{cluster: b, host_rewrite_literal: mirror.example}]"""),
    # --- Redirects inside
    Scenario("redirect-inside", [
        Request("/", headers=[("x-test-status", "302"), ("x-test-header", "location=http://shop.example/next?z=1")]),
        Request("/", headers=[("x-test-status", "303"), ("x-test-header", "location=http://shop.example/next")]),
        Request("/", "POST", body=b"abc",
                headers=[("x-test-status", "307"), ("x-test-header", "location=http://shop.example/b/x#f")]),
        Request("/", headers=[("x-test-status", "302"), ("x-test-header", "location=/relative")]),
        Request("/", headers=[("x-test-status", "302"), ("x-test-header", "location=https://shop.example/s")]),
        Request("/", headers=[("x-test-status", "301"), ("x-test-header", "location=http://shop.example/next")]),
        Request("/", headers=[("x-test-status", "302"), ("x-test-header", "location=http://shop.example/nowhere")]),
    ], routes="""
- match: {prefix: /next}
  route: {cluster: b}
  request_headers_to_remove: [x-test-status]
- match: {prefix: /b}
  route: {cluster: c, prefix_rewrite: /c}
- match: {path: /}
  request_headers_to_add: [{header: {key: x-first, value: "1"}}]
  route:
    cluster: a
    internal_redirect_policy: {redirect_response_codes: [302, 303, 307]}"""),
    Scenario("redirect-predicates", [
        Request("/", headers=[("x-test-status", "302"), ("x-test-header", "location=http://shop.example/good")]),
        Request("/", headers=[("x-test-status", "302"), ("x-test-header", "location=http://shop.example/bad")]),
    ], routes="""
- {match: {prefix: /good}, name: good, route: {cluster: b}, request_headers_to_remove: [x-test-status]}
- {match: {prefix: /bad}, name: bad, route: {cluster: c}, request_headers_to_remove: [x-test-status]}
- match: {prefix: /}
  name: first
  route:
    cluster: a
    internal_redirect_policy:
      response_headers_to_copy: [x-origin]
      predicates:
      - name: listed
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig
          allowed_route_names: [good]"""),
    # --- Retries
    Scenario("retry-after", vary=LEFT, requests=[Request("/", headers=[("x-test-fail", "KEY1:1:503"), ("x-test-header", "retry-after=1")],
                                     between=(0.9, 3))], routes="""
- match: {prefix: /}
  route:
    cluster: a
    retry_policy:
      retry_on: 5xx
      rate_limited_retry_back_off: {reset_headers: [{name: retry-after, format: SECONDS}]}"""),
    Scenario("hedge", vary=LEFT, requests=[
        Request("/", headers=[("x-test-delay", "0.6")], between=(0.5, 1.2)),
        Request("/slow", headers=[("x-test-delay", "3")], between=(0.8, 2))], routes="""
- match: {prefix: /}
  route:
    cluster: a
    timeout: 1s
    hedge_policy: {hedge_on_per_try_timeout: true}
    retry_policy: {retry_on: 5xx, num_retries: 1, per_try_timeout: 0.2s}"""),
    Scenario("retry-kinds", vary=LEFT, requests=[
        Request("/409", headers=[("x-test-fail", "KEY1:1:409")]), Request("/4", headers=[("x-test-fail", "KEY2:1:404")]),
        Request("/r", headers=[("x-test-fail", "KEY3:1:reset")]), Request("/5", headers=[("x-test-fail", "KEY4:1:500")]),
        Request("/h", headers=[("x-test-header", "x-again=1")])], routes="""
- {match: {prefix: /409}, route: {cluster: a, retry_policy: {retry_on: retriable-4xx}}}
- {match: {prefix: /4}, route: {cluster: a, retry_policy: {retry_on: retriable-4xx}}}
- {match: {prefix: /r}, route: {cluster: a, retry_policy: {retry_on: reset}}}
- {match: {prefix: /5}, route: {cluster: a, retry_policy: {retry_on: gateway-error}}}
- match: {prefix: /h}
  route:
    cluster: a
    retry_policy: {retry_on: retriable-headers, num_retries: 2, retriable_headers: [{name: x-again, present_match: true}]}""",
             host="include_attempt_count_in_response: true\ninclude_request_attempt_count: true"),
    Scenario("retry-request-headers", vary=LEFT, requests=[
        Request("/", headers=[("x-test-fail", "KEY1:1:503")]),
        Request("/", headers=[("x-test-fail", "KEY2:1:503"), ("x-may", "1")])], routes="""
- match: {prefix: /}
  route:
    cluster: a
    retry_policy: {retry_on: 5xx, retriable_request_headers: [{name: x-may, present_match: true}]}"""),
    Scenario("retry-host-policy", vary=LEFT, requests=[Request("/", headers=[("x-test-fail", "KEY1:1:503")])],
             host="retry_policy: {retry_on: 5xx, num_retries: 1}\ninclude_attempt_count_in_response: true"),
    # --- Hashes
    Scenario("hash", [Request("/", headers=[("x-user", str(n))]) for n in range(8)]
             + [Request(f"/?q={n}") for n in range(4)] + [Request("/", headers=[("cookie", "session=abc")])], routes="""
- match: {prefix: /}
  route:
    cluster: all
    hash_policy:
    - {header: {header_name: x-user, regex_rewrite: {pattern: {regex: "[4-7]"}, substitution: "x"}}, terminal: true}
    - {query_parameter: {name: q}}
    - {cookie: {name: session}}
    - {connection_properties: {source_ip: true}}"""),
    # --- What the connection manager does
    Scenario("xff-hops", [Request("/", headers=[("x-forwarded-for", "192.0.2.1, 192.0.2.2")]), Request("/")],
             manager="{use_remote_address: true, xff_num_trusted_hops: 1}"),
    Scenario("buffer-limit", vary=LEFT, requests=[Request("/", "POST", body=b"x" * 5000, headers=[("x-test-fail", "KEY1:1:503")]),
                              Request("/", "POST", body=b"x" * 50, headers=[("x-test-fail", "KEY2:1:503")])],
             host="retry_policy: {retry_on: 5xx}\nrequest_body_buffer_limit: 1000\ninclude_attempt_count_in_response: true"),
    Scenario("detect-header", [Request("/", headers=[("x-real", "192.0.2.7"), ("x-forwarded-for", "192.0.2.1")]), Request("/"),
                               Request("/", headers=[("x-real", "nobody")])], manager="""
original_ip_detection_extensions:
- name: header
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig
    header_name: x-real
    reject_with_status: {code: Unauthorized}""", filters=ADDRESS),
    Scenario("detect-trusted", [
        Request("/", headers=[("x-forwarded-for", value)]) for value in (
            "192.0.2.1", "192.0.2.1, 10.0.0.1", "10.0.0.2, 10.0.0.1", "192.0.2.1, junk", "192.0.2.9, 192.0.2.1, 10.0.0.1")],
        manager="""
original_ip_detection_extensions:
- name: xff
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig
    xff_trusted_cidrs: {cidrs: [{address_prefix: 127.0.0.0, prefix_len: 8}, {address_prefix: 10.0.0.0, prefix_len: 8}]}""",
        filters=ADDRESS),
    Scenario("detect-hops", [
        Request("/", headers=[("x-forwarded-for", value)]) for value in ("192.0.2.1", "192.0.2.1, 10.0.0.1", "a, b")],
        manager="""
original_ip_detection_extensions:
- name: xff
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig
    xff_num_trusted_hops: 1""", filters=ADDRESS),
    Scenario("early-mutation", [Request("/", headers=[("x-way", "b"), ("x-gone", "1")]), Request("/")], manager="""
early_header_mutation_extensions:
- name: early
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
    mutations:
    - {append: {header: {key: x-route, value: "%REQ(x-way)%"}}}
    - {remove: x-gone}""", routes="""
- {match: {prefix: /, headers: [{name: x-route, string_match: {exact: b}}]}, route: {cluster: b}}
- {match: {prefix: /}, route: {cluster: a}}"""),
    Scenario("dormant", [Request("/special"), Request("/"), Request("/with")], filters=rbac("{action: ALLOW}").rstrip() + """
  disabled: true""", routes=f"""
- match: {{prefix: /special}}
  route: {FORWARD}
  typed_per_filter_config:
    envoy.filters.http.rbac:
      "@type": {TYPE}.http.rbac.v3.RBACPerRoute
      rbac: {{rules: {{action: ALLOW}}}}
- match: {{prefix: /with}}
  route: {FORWARD}
  typed_per_filter_config:
    envoy.filters.http.rbac: {{"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, config: {{}}}}
- match: {{prefix: /}}
  route: {FORWARD}"""),
    Scenario("direct-format", [Request("/"), Request("/json"), Request("/", "HEAD")], routes="""
- match: {prefix: /json}
  direct_response: {status: 201, body: {inline_string: tea}, body_format: {json_format: {text: "%LOCAL_REPLY_BODY%", path: "%REQ(:path)%"}}}
- match: {prefix: /}
  direct_response:
    status: 202
    body: {inline_string: tea}
    body_format: {text_format_source: {inline_string: "<%LOCAL_REPLY_BODY% %RESPONSE_CODE%>"}, content_type: text/html}"""),
    # --- CORS
    Scenario("cors", CORS + [
        Request("/", headers=[("origin", "https://a.example"), ("x-test-header", "access-control-allow-origin=*")]),
    ], filters=simple("envoy.filters.http.cors", "http.cors.v3.Cors", ""), routes=cors("""
      allow_origin_string_match: [{exact: "https://a.example"}, {safe_regex: {regex: "https://[bc].example"}}]
      allow_methods: GET, PUT
      allow_headers: x-one
      expose_headers: x-two
      max_age: "600"
      allow_credentials: true
      allow_private_network_access: true""")),
    Scenario("cors-any", CORS, filters=simple("envoy.filters.http.cors", "http.cors.v3.Cors", ""), routes=cors("""
      allow_origin_string_match: [{exact: "*"}]""")),
    Scenario("cors-strict", CORS, filters=simple("envoy.filters.http.cors", "http.cors.v3.Cors", ""), routes=cors("""
      allow_origin_string_match: [{prefix: "https://a."}]
      forward_not_matching_preflights: false""")),
    Scenario("cors-off", CORS[:4], filters=simple("envoy.filters.http.cors", "http.cors.v3.Cors", ""), routes=cors("""
      allow_origin_string_match: [{prefix: "https://a."}]
      filter_enabled: {default_value: {numerator: 0}}""")),
    Scenario("cors-levels", CORS, filters=simple("envoy.filters.http.cors", "http.cors.v3.Cors", ""), routes=cors("""
      allow_methods: PUT"""), host=f"""
typed_per_filter_config:
  envoy.filters.http.cors:
    "@type": {TYPE}.http.cors.v3.CorsPolicy
    allow_origin_string_match: [{{exact: "https://a.example"}}]
    allow_methods: GET
    max_age: "60"
    allow_credentials: true"""),
]
