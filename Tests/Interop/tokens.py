"""RequestAuthentication on the sidecar of a server, a stock Envoy and apus-proxy beside each other: every request of a list
under every policy of another. A small model of our own says what must be let in, and with which answer.
"""
import base64
import http.client
import http.server
import json
import ssl
import threading
import time

from identity import check
from mtls import certificate
from processes import World, free_port, get, rejects
from token_forge import base64url, key_set, keys, token

PLACES = {"envoy": "127.0.62.1", "apus": "127.0.62.2"}
ONE, TWO = "https://one.example", "two@example"
MISSING, OTHER, FORM = "Jwt is missing", "Jwt issuer is not configured", (
    "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")
FAILS, NO_KEY = "Jwt verification fails", "Jwks doesn't have key to match kid or alg from Jwt"
AUDIENCE, EXPIRED = "Audiences in Jwt are not allowed", "Jwt is expired"

WORKLOAD = """
apiVersion: v1
kind: Pod
metadata: {name: server-NAME, namespace: shop, labels: {app: server, who: NAME}}
spec: {containers: [{name: app, image: app}]}
status: {podIP: IP, phase: Running}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: server-NAME, namespace: shop}
spec:
  workloadSelector: {labels: {who: NAME}}
  ingress:
    - {port: {number: 9080, protocol: HTTP, name: http}, bind: IP, captureMode: NONE, defaultEndpoint: "127.0.0.1:PORT"}
  egress:
    - hosts: ["~/*"]
---
"""


class Token:
    """A token and what the model knows of it: its issuer, its claims, and the fault that a provider with the right keys
    finds (None: it is good)."""

    def __init__(self, text, fault=None, claims=None):
        self.text, self.fault, self.claims = text, fault, claims or {}


def tokens(ring, now):
    """By name. `fault` is that of a provider of issuer ONE with the keys of the ring but `other`."""
    rsa, other = ring["rsa"], ring["other"]
    base = {"iss": ONE, "sub": "alice", "iat": now, "exp": now + 3600, "aud": "shop"}

    def make(key, algorithm, fault=None, header=None, **claims):
        all_claims = {k: v for k, v in (base | claims).items() if v is not None}
        return Token(token(key, algorithm, all_claims, header), fault, all_claims)

    def raw(fault, claims=None, header=None):
        return Token(token(rsa, "RS256", base, raw_header=header, raw_claims=claims), fault)

    made = {
        "RS256": make(rsa, "RS256"), "RS384": make(rsa, "RS384"), "RS512": make(rsa, "RS512"),
        "PS256": make(rsa, "PS256"), "PS384": make(rsa, "PS384"), "PS512": make(rsa, "PS512"),
        "ES256": make(ring["ec256"], "ES256"), "ES384": make(ring["ec384"], "ES384"),
        "ES512": make(ring["ec521"], "ES512"), "EdDSA": make(ring["ed"], "EdDSA"),
        "no kid": make(rsa, "RS256", header={"kid": None}),
        "kid of another key": make(rsa, "RS256", FAILS, header={"kid": "ec384"}),
        "kid unknown": make(rsa, "RS256", NO_KEY, header={"kid": "../../dev/null"}),
        "kid a number": make(rsa, "RS256", "Jwt header [kid] field is not a string", header={"kid": 1}),
        "another's key": make(other, "RS256", FAILS, header={"kid": "rsa"}),
        "key in the header": make(other, "RS256", FAILS, header={"kid": "rsa", "jwk": other.entry}),
        "alg none": make(rsa, "none", FORM),
        "alg None": Token(token(rsa, "RS256", base, {"alg": "None"}), "Jwt header [alg] is not supported"),
        "alg none, signed": Token(token(rsa, "RS256", base, {"alg": "none"}), "Jwt header [alg] is not supported"),
        "HS256 with the public key": make(rsa, "HS256", FAILS),
        "ES256 with an RSA key": Token(token(rsa, "RS256", base, {"alg": "ES256"}), FAILS),
        "alg of another key": Token(token(rsa, "RS256", base, {"kid": "ec256"}), NO_KEY),
        "no alg": raw("Jwt header [alg] field is required and must be a string", header='{"kid":"rsa"}'),
        "header no JSON": raw("Jwt header is an invalid JSON", header="alg"),
        "header a list": raw("Jwt header is an invalid JSON", header="[1]"),
        "payload no JSON": raw("Jwt payload is an invalid JSON", claims="{"),
        "expired": make(rsa, "RS256", EXPIRED, exp=now - 300),
        "expired within the skew": make(rsa, "RS256", exp=now - 20),
        "not yet": make(rsa, "RS256", "Jwt not yet valid", nbf=now + 300),
        "soon": make(rsa, "RS256", nbf=now + 30),
        "no expiry": make(rsa, "RS256", exp=None),
        "exp a string": make(rsa, "RS256", "Jwt payload [exp] field is not an integer", exp="tomorrow"),
        "exp negative": make(rsa, "RS256", "Jwt payload [exp] field is not a positive 64 bit integer", exp=-1),
        "another issuer": make(rsa, "RS256", OTHER, iss=TWO),
        "no issuer": make(rsa, "RS256", OTHER, iss=None),
        "issuer a list": make(rsa, "RS256", "Jwt payload [iss] field is not a string", iss=[ONE]),
        "subject a number": make(rsa, "RS256", "Jwt payload [sub] field is not a string", sub=5),
        "audience a number": make(rsa, "RS256", "Jwt payload [aud] field is not a string or string list", aud=5),
        "bob": make(rsa, "RS256", sub="bob", aud=["cart", "shop"], azp="web", groups=["users"], scope="read"),
        "admin": make(rsa, "RS256", sub="root", aud="https://shop/", groups=["users", "admin"], scope="read write",
                      realm={"role": "owner", "all": ["x", "y"]}, level=7, half=1.5, ok=True, empty="", low=-3),
        "for others": make(rsa, "RS256", aud=["cart"]),
        "for nobody": make(rsa, "RS256", aud=None),
        "large": make(rsa, "RS256", pad="x" * 20000),
        "two's": Token(token(other, "RS256", base | {"iss": TWO, "sub": "carol"}), OTHER, base | {"iss": TWO, "sub": "carol"}),
    }
    good = made["RS256"].text
    head, body, mark = good.split(".")
    made |= {
        "a word": Token("hello", FORM), "one dot": Token(f"{head}.{body}", FORM),
        "three dots": Token(f"{good}.{mark}", FORM), "no signature": Token(f"{head}.{body}.", FORM),
        "no header": Token(f".{body}.{mark}", FORM),
        "bad base64 in the header": Token(f"{head}!.{body}.{mark}", "Jwt header is an invalid Base64url encoded"),
        "bad base64 in the payload": Token(f"{head}.{body}*.{mark}", "Jwt payload is an invalid Base64url encoded"),
        "bad base64 in the signature": Token(f"{head}.{body}.{mark}*", "Jwt signature is an invalid Base64url encoded"),
        "another payload": Token(f"{head}.{base64url(json.dumps(base | {'sub': 'root'}).encode())}.{mark}", FAILS),
        "a bit turned": Token(f"{head}.{body}.{('B' if mark[0] == 'A' else 'A') + mark[1:]}", FAILS),
    }
    return made


class Request:
    """Tokens by place (`bearer`, `query`, `x-a`, ...), and what else is sent."""

    def __init__(self, *places, path="/hello", headers=(), method="GET"):
        self.places, self.path, self.headers, self.method = places, path, list(headers), method


class Policy:
    """`rules` of a RequestAuthentication, and perhaps an AuthorizationPolicy; `allows` is the model of the latter."""

    def __init__(self, name, rules, requests, authorization=None, allows=lambda claims: True):
        self.name, self.rules, self.requests = name, rules, requests
        self.authorization, self.allows = authorization, allows


class KeyServer:
    """Serves a key set over HTTP, or HTTPS with the certificate of `tls`, and counts who asked."""

    def __init__(self, text, tls=None):
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = text.encode() if self.path == "/keys" else b"{}"
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{tls}.crt", f"{tls}.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def source(**fields):
    return [{"from": [{"source": fields}]}]


def when(key, **fields):
    return [{"when": [{"key": key, **fields}]}]


def policies(ring, made, allowed, forbidden, dead, secure, stranger):
    inline = key_set(*(key for name, key in ring.items() if name != "other"))
    one = {"issuer": ONE, "jwks": inline}
    two = {"issuer": TWO, "jwks": key_set(ring["other"])}
    full = one | {
        "audiences": ["shop"], "fromHeaders": [{"name": "x-a", "prefix": "Token "}], "fromParams": ["t"],
        "fromCookies": ["session"], "outputPayloadToHeader": "x-payload",
        "outputClaimToHeaders": [{"header": f"x-claim-{claim.replace('.', '-')}", "claim": claim} for claim in (
            "sub", "level", "half", "low", "ok", "realm.role", "groups", "realm.all", "empty", "missing")]}
    bearer = [Request(("bearer", name)) for name in made]
    no_token = Request()
    some = [Request(("bearer", name)) for name in ("RS256", "bob", "admin", "for others", "expired", "two's")] + [no_token]
    preflight = [("origin", "http://a"), ("access-control-request-method", "GET")]
    result = [
        Policy("every token", [one], bearer + [
            no_token, Request(("query", "RS256")), Request(("query", "expired")),
            Request(("bearer", "RS256"), ("query", "RS256")), Request(("bearer", "RS256"), ("bearer", "bob")),
            Request(("bearer", "expired"), path="/a?b=c&d=e"), Request(("query", "RS256"), path="/a"),
            Request(headers=[("authorization", "Basic YTpi")]), Request(headers=[("authorization", "bearer x.y.z")]),
            Request(headers=[("authorization", "Bearer ")]),
            Request(("bearer", "expired"), method="OPTIONS", headers=preflight),
            Request(("bearer", "expired"), method="OPTIONS")]),
        Policy("places and claims", [full], [
            no_token, Request(("bearer", "RS256")), *(Request((place, name)) for place in ("x-a", "t", "cookie")
                                                      for name in ("RS256", "admin", "for others", "bob", "expired", "a word")),
            Request(("x-a", "admin"), headers=[("x-claim-sub", "forged"), ("x-payload", "forged")]),
            Request(headers=[("x-claim-sub", "forged"), ("x-payload", "forged")]),
            Request(("x-a", "RS256"), path="/a?b=c")]),
        Policy("kept", [one | {"forwardOriginalToken": True}], some),
        Policy("two issuers in one place", [one, two], some),
        Policy("two issuers in two places", [
            one | {"fromHeaders": [{"name": "x-a"}]}, two | {"fromHeaders": [{"name": "x-b"}]}], [
                no_token, Request(("raw-a", "RS256")), Request(("raw-b", "two's")), Request(("raw-a", "two's")),
                Request(("raw-b", "RS256")), Request(("raw-a", "expired")), Request(("raw-b", "expired"))]),
        Policy("keys fetched", [{"issuer": ONE, "jwksUri": allowed}], some),
        Policy("keys fetched over TLS", [{"issuer": ONE, "jwksUri": secure}], some),
        Policy("keys of a stranger", [{"issuer": ONE, "jwksUri": stranger}], some),
        Policy("keys away", [{"issuer": ONE, "jwksUri": dead}], some),
        Policy("keys not to be fetched", [{"issuer": ONE, "jwksUri": forbidden}], some),
    ]

    def guarded(name, action, rules, allows):
        result.append(Policy(name, [one], some, (action, rules), allows))

    def has(claims, name, value):
        found = claims.get(name)
        return found == value or isinstance(found, list) and value in found

    guarded("a token is required", "ALLOW", source(requestPrincipals=["*"]), bool)
    guarded("no token is denied", "DENY", source(notRequestPrincipals=["*"]), bool)
    guarded("one principal", "ALLOW", source(requestPrincipals=[f"{ONE}/alice"]), lambda c: c.get("sub") == "alice")
    guarded("principals of an issuer", "ALLOW", source(requestPrincipals=[f"{ONE}/*"]), bool)
    guarded("principals of another", "ALLOW", source(requestPrincipals=[f"{TWO}/*"]), lambda c: False)
    guarded("principals by name", "ALLOW", source(requestPrincipals=["*/bob"]), lambda c: c.get("sub") == "bob")
    guarded("principals by prefix", "ALLOW", source(requestPrincipals=[f"{ONE}/ali*"]), lambda c: c.get("sub") == "alice")
    guarded("a principal denied", "DENY", source(requestPrincipals=[f"{ONE}/bob"]), lambda c: c.get("sub") != "bob")
    guarded("all others denied", "DENY", source(notRequestPrincipals=[f"{ONE}/bob"]), lambda c: c.get("sub") == "bob")
    guarded("a condition on the principal", "ALLOW", when("request.auth.principal", values=[f"{ONE}/bob"]),
            lambda c: c.get("sub") == "bob")
    guarded("a claim in a list", "ALLOW", when("request.auth.claims[groups]", values=["admin"]),
            lambda c: has(c, "groups", "admin"))
    guarded("a claim denied", "DENY", when("request.auth.claims[groups]", values=["adm*"]),
            lambda c: not has(c, "groups", "admin"))
    guarded("without a claim denied", "DENY", when("request.auth.claims[groups]", notValues=["users"]),
            lambda c: has(c, "groups", "users"))
    guarded("a nested claim", "ALLOW", when("request.auth.claims[realm][role]", values=["owner"]), lambda c: "realm" in c)
    guarded("a word of scope", "ALLOW", when("request.auth.claims[scope]", values=["write"]),
            lambda c: "write" in c.get("scope", ""))
    guarded("any group", "ALLOW", when("request.auth.claims[groups]", values=["*"]), lambda c: "groups" in c)
    guarded("an audience", "ALLOW", when("request.auth.audiences", values=["cart"]), lambda c: has(c, "aud", "cart"))
    guarded("a presenter", "ALLOW", when("request.auth.presenter", values=["web"]), lambda c: c.get("azp") == "web")
    return result


def manifests(policy, probe):
    head = {"apiVersion": "security.istio.io/v1"}
    selector = {"selector": {"matchLabels": {"app": "server"}}}
    objects = [{**head, "kind": "RequestAuthentication", "metadata": {"name": "tested", "namespace": "shop"},
                "spec": {**selector, "jwtRules": policy.rules}},
               {**head, "kind": "AuthorizationPolicy", "metadata": {"name": "probe", "namespace": "shop"},
                "spec": {**selector, "action": "DENY", "rules": when("request.headers[x-probe]", values=[probe])}}]
    if policy.authorization:
        action, rules = policy.authorization
        objects.append({**head, "kind": "AuthorizationPolicy", "metadata": {"name": "tested", "namespace": "shop"},
                        "spec": {**selector, "action": action, "rules": rules}})
    return "\n---\n".join(map(json.dumps, objects))


def send(place, request, made):
    """Status, reason, challenge, and what the origin saw of tokens and claims."""
    path, headers = request.path, list(request.headers)
    for where, name in request.places:
        text = made[name].text
        if where == "bearer":
            headers.append(("authorization", f"Bearer {text}"))
        elif where in ("query", "t"):
            path += ("&" if "?" in path else "?") + f"{'access_token' if where == 'query' else 't'}={text}"
        elif where == "cookie":
            headers.append(("cookie", f"other=1; session={text}"))
        elif where == "x-a":
            headers.append(("x-a", f"Token {text}"))
        else:
            headers.append((where.replace("raw", "x"), text))
    connection = http.client.HTTPConnection(place, 9080, timeout=5)
    try:
        connection.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("host", "server:9080"), *headers):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode()
    finally:
        connection.close()
    challenge = answer.getheader("www-authenticate")
    if answer.status != 200:
        return answer.status, body, challenge, None
    seen = json.loads(body)
    kept = sorted((name.lower(), value) for name, value in seen["headers"]
                  if name.lower() in ("authorization", "cookie") or name.lower().startswith(("x-a", "x-b", "x-claim", "x-payload")))
    return 200, "", challenge, (seen["target"], kept)


def model(policy, request, made):
    """Status, reason and the claims that are believed."""
    if request.method == "OPTIONS" and dict(request.headers).get("origin"):
        return 200, "", {}
    where = {"bearer": "default", "query": "default", "x-a": "places", "t": "places", "cookie": "places"}
    found = []
    for rule in policy.rules:
        own = "places" if "fromParams" in rule else f"raw{rule['fromHeaders'][0]['name'][1:]}" if "fromHeaders" in rule else "default"
        mine = [made[name] for place, name in request.places if where.get(place, place) == own]
        if [place for place, _ in request.places].count("bearer") > 1:
            # Fields of this name are one list, which is no token.
            mine = [Token("", FORM)]
        if own == "default" and any(name == "authorization" for name, _ in request.headers):
            mine = []
        for one in mine[::-1]:
            found.append((rule, one, fault(policy, rule, one, made)))
    good = [entry for entry in found if entry[2] is None]
    per_rule = {id(rule): [f for r, _, f in found if r is rule] for rule in policy.rules}
    # One rule whose tokens are all good, or no rule with a bad one.
    for rule in policy.rules:
        if per_rule[id(rule)] and not any(per_rule[id(rule)]):
            claims = [one.claims for r, one, _ in good if r is rule][-1]
            break
    else:
        bad = [f for faults in per_rule.values() for f in faults if f]
        if bad:
            telling = [f for f in bad if f != OTHER] or bad
            return (403 if telling[-1] == AUDIENCE else 401), telling[-1], {}
        claims = {}
    return (200, "", claims) if policy.allows(claims) else (403, "RBAC: access denied", {})


def fault(policy, rule, one, made):
    two = rule["issuer"] == TWO
    known = one.fault
    if two:
        known = {OTHER: None if one is made["two's"] else OTHER, None: OTHER}.get(known, known)
        if one is made["another issuer"]:
            known = FAILS
        if known in (EXPIRED,):
            known = OTHER
    if known is None or known in (FAILS, NO_KEY):
        allowed = {name.removeprefix("https://").removesuffix("/") for name in rule.get("audiences", [])}
        own = one.claims.get("aud", [])
        own = {name.removeprefix("https://").removesuffix("/") for name in ([own] if isinstance(own, str) else own)}
        if allowed and one.claims and not allowed & own:
            return AUDIENCE
        if policy.name in ("keys away", "keys not to be fetched", "keys of a stranger"):
            return NO_KEY
    return known


def counters(admin):
    """Those of the token filter by their last name."""
    lines = get(admin, "/stats?filter=jwt_authn")[2].splitlines()
    return {name.rsplit(".", 1)[1]: int(value) for name, value in (line.rsplit(": ", 1) for line in lines)}


def jwt(programs):
    """Both servers and the model agree on every pair of policy and request."""
    now = int(time.time())
    with World(programs) as world:
        ring = keys(world.folder / "keys")
        made = tokens(ring, now)
        inline = key_set(*(key for name, key in ring.items() if name != "other"))
        served, forbidden = KeyServer(inline), KeyServer(inline)
        known = certificate(world.folder, "known", host="localhost")
        secure = KeyServer(inline, known)
        stranger = KeyServer(inline, certificate(world.folder, "stranger", host="localhost"))
        folder, port = world.folder / "manifests", free_port()
        folder.mkdir()
        (folder / "workloads.yaml").write_text("".join(
            WORKLOAD.replace("NAME", name).replace("IP", ip).replace("PORT", str(port)) for name, ip in PLACES.items()))
        world.origin("plain", f"127.0.0.1:{port}")
        addresses = world.control_plane(folder, extra=[
            "--jwks-allow", f"127.0.0.1:{served.port}", "--jwks-allow", "localhost", "--jwks-ca", f"{known}.crt"])
        admin = {}
        for name, ip in PLACES.items():
            start = world.envoy if name == "envoy" else world.apus_proxy
            admin[name] = start(name, addresses, f"server-{name}", "shop", ip=ip, labels=["app=server", f"who={name}"])
        wrong, count = [], 0
        for policy in policies(ring, made, f"http://127.0.0.1:{served.port}/keys", f"http://127.0.0.1:{forbidden.port}/keys",
                               f"http://127.0.0.1:{free_port()}/keys", f"https://localhost:{secure.port}/keys",
                               f"https://localhost:{stranger.port}/keys"):
            probe = policy.name.replace(" ", "-").replace("'", "")
            # From no policy at all to this one: what denies requests without a token would else pass for the probe.
            (folder / "policy.yaml").unlink(missing_ok=True)
            for name, ip in PLACES.items():
                world.wait(f"no policy at {name}", 20, lambda: get(f"{ip}:9080", "/hello")[0] == 200)
            (folder / "policy.yaml").write_text(manifests(policy, probe))
            for name, ip in PLACES.items():
                world.wait(f"{policy.name} at {name}", 20, lambda: get(
                    f"{ip}:9080", "/hello", {"x-probe": probe})[0] == 403)
            if policy.name.startswith("keys fetched"):
                for ip in PLACES.values():
                    world.wait("the keys to arrive", 20, lambda: get(
                        f"{ip}:9080", "/hello", {"authorization": f"Bearer {made['RS256'].text}"})[0] == 200)
            before = {name: counters(address) for name, address in admin.items()}
            for request in policy.requests:
                count += 1
                found = {name: send(ip, request, made) for name, ip in PLACES.items()}
                status, reason, _ = model(policy, request, made)
                key = policy.name, request.places, request.path, request.method, request.headers
                if len({json.dumps(one) for one in found.values()}) != 1:
                    wrong.append(f"{key}: {json.dumps(found)[:6000]}")
                if any(one[:2] != (status, reason) for one in found.values()):
                    wrong.append(f"{key}: {[one[:2] for one in found.values()]}, {status} {reason} by the model")
            counted = {name: {key: value - before[name].get(key, 0) for key, value in counters(address).items()}
                       for name, address in admin.items()}
            if counted["envoy"] != counted["apus"]:
                wrong.append(f"{policy.name}: the counters differ: {counted}")
        check(not wrong, f"{len(wrong)} of {count} differ:\n    " + "\n    ".join(wrong[:40]))
        check(served.asked > 0 and forbidden.asked == 0, f"keys were fetched {served.asked}, {forbidden.asked} times")
        check(rejects(addresses) == 0, f"{rejects(addresses)} NACKs")
    return f"{count} pairs of policy and request: apus-proxy, Envoy and the model agree"



EDGE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge-NAME, namespace: shop}
spec:
  selector: {who: NAME}
  servers:
    - {port: {number: 9090, name: http, protocol: HTTP}, bind: IP, hosts: ["*"]}
---
"""
BEHIND = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: NAME, namespace: shop}
spec:
  hosts: [NAME.example]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  location: MESH_EXTERNAL
  endpoints: [{address: 127.0.0.1, ports: {http: PORT}}]
---
"""
CLAIMS = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [edge-envoy, edge-apus]
  http:
    - match: [{headers: {"@request.auth.claims.realm.role": {exact: owner}}}]
      route: [{destination: {host: owners.example}}]
    - match: [{headers: {"@request.auth.claims[groups]": {prefix: use}}, uri: {prefix: /hello}}]
      route: [{destination: {host: users.example}}]
    - route: [{destination: {host: others.example}}]
---
"""


def jwt_gateway(programs):
    """Two gateways: routes by claims, and an AuthorizationPolicy that asks for a token on one path."""
    now = int(time.time())
    with World(programs) as world:
        ring = keys(world.folder / "keys")
        made = tokens(ring, now)
        folder = world.folder / "manifests"
        folder.mkdir()
        text = "".join(EDGE.replace("NAME", name).replace("IP", ip) for name, ip in PLACES.items()) + CLAIMS
        for name in ("owners", "users", "others"):
            port = free_port()
            world.origin(name, f"127.0.0.1:{port}")
            text += BEHIND.replace("NAME", name).replace("PORT", str(port))
        head, selector = {"apiVersion": "security.istio.io/v1"}, {"selector": {"matchLabels": {"app": "edge"}}}
        inline = key_set(*(key for name, key in ring.items() if name != "other"))
        text += "\n---\n".join(map(json.dumps, [
            {**head, "kind": "RequestAuthentication", "metadata": {"name": "edge", "namespace": "shop"},
             "spec": {**selector, "jwtRules": [{"issuer": ONE, "jwks": inline}]}},
            {**head, "kind": "AuthorizationPolicy", "metadata": {"name": "edge", "namespace": "shop"},
             "spec": {**selector, "action": "DENY", "rules": [
                 {"from": [{"source": {"notRequestPrincipals": ["*"]}}], "to": [{"operation": {"paths": ["/private*"]}}]}]}}]))
        (folder / "edge.yaml").write_text(text)
        addresses = world.control_plane(folder)
        for name, ip in PLACES.items():
            start = world.envoy if name == "envoy" else world.apus_proxy
            start(name, addresses, f"edge-{name}", "shop", ip=ip, labels=["app=edge", f"who={name}"],
                  role="gateway")
            world.wait(f"a route at {name}", 20, lambda: get(f"{ip}:9090", "/hello")[0] == 200)
        wrong, count = [], 0
        for path, who in ((path, who) for path in ("/hello", "/private") for who in (None, *made)):
            one = made[who] if who else Token("")
            headers = {"authorization": f"Bearer {one.text}"} if who else {}
            if one.fault:
                expected = (401, one.fault)
            elif not who and path == "/private":
                expected = (403, "RBAC: access denied")
            elif one.claims.get("realm", {}).get("role") == "owner":
                expected = (200, "owners")
            else:
                groups = one.claims.get("groups", [])
                expected = (200, "users" if path == "/hello" and any(g.startswith("use") for g in groups) else "others")
            for name, ip in PLACES.items():
                count += 1
                status, _, body = get(f"{ip}:9090", path, headers)
                found = (status, json.loads(body)["origin"] if status == 200 else body)
                if found != expected:
                    wrong.append(f"{name} {path} {who}: {found}, expected {expected}")
        check(not wrong, f"{len(wrong)} of {count} differ:\n    " + "\n    ".join(wrong[:40]))
        check(rejects(addresses) == 0, f"{rejects(addresses)} NACKs")
    return f"{count} requests through gateways of both kinds went where their claims say"


TESTS = [jwt, jwt_gateway]
