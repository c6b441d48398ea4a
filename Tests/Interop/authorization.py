"""AuthorizationPolicy on the sidecar of a server, a stock Envoy or apus-proxy: every request of a list under every policy of
another, by a client with an identity and by one without. A small model of our own says what must be let in.
"""
import http.client
import itertools
import json
import socket
import ssl

from identity import check
from mtls import Pair, SERVER, tcp
from processes import World, rejects

NOBODY, CLIENT = "nobody", "cluster.local/ns/shop/sa/client"
METHODS = ("GET", "POST", "DELETE")
PATHS = ("/api/a", "/api", "/api/", "/apix", "/API/a", "/admin", "/admin/x", "/api/../admin", "/admin/../api/a", "/api/./a",
         "//api/a", "/api//a", "/api/a?x=/admin", "/api/%2e%2e/admin", "/api%2Fa", "/a/b/c", "/", "/api/a;v=1")
TOKENS = ((), (("x-token", "good"),), (("x-token", ""),), (("x-token", "bad"),), (("x-token", "bad"), ("x-token", "good")))


class Request:
    def __init__(self, caller, method, target, tokens):
        self.caller, self.method, self.target, self.tokens = caller, method, target, tokens
        # What policy, router and origin see: dots resolved, no query, slashes as they are.
        raw = target.split("?")[0].replace("%2e", ".")
        parts = []
        for part in raw.split("/")[1:]:
            if part == "..":
                parts = parts[:-1]
            elif part != ".":
                parts.append(part)
        self.path = "/" + "/".join(parts)

    @property
    def values(self):
        """Of the header that policies look at: one that passes decides (Envoy's rule for fields that come twice)."""
        return [value for _, value in self.tokens]


def rule(**parts):
    return {key.rstrip("_"): value for key, value in parts.items()}


def source(**fields):
    return [{"source": fields}]


def to(**fields):
    return [{"operation": fields}]


def when(key, **fields):
    return [{"key": key, **fields}]


TOKEN = "request.headers[x-token]"
# name, action, rules, what a rule of it matches (nil: no rules)
POLICIES = [
    ("allow nothing", "ALLOW", None, lambda r: False),
    ("allow all", "ALLOW", [{}], lambda r: True),
    ("deny all", "DENY", [{}], lambda r: True),
    ("allow a principal", "ALLOW", [rule(from_=source(principals=[CLIENT]))], lambda r: r.caller == CLIENT),
    ("allow any principal", "ALLOW", [rule(from_=source(principals=["*"]))], lambda r: r.caller != NOBODY),
    ("allow principals by prefix", "ALLOW", [rule(from_=source(principals=["cluster.local/ns/shop/*"]))],
     lambda r: r.caller != NOBODY),
    ("allow principals by suffix", "ALLOW", [rule(from_=source(principals=["*/sa/client"]))], lambda r: r.caller != NOBODY),
    ("allow another principal", "ALLOW", [rule(from_=source(principals=["cluster.local/ns/shop/sa/clien"]))], lambda r: False),
    ("deny all but a principal", "DENY", [rule(from_=source(notPrincipals=[CLIENT]))], lambda r: r.caller != CLIENT),
    ("allow a namespace", "ALLOW", [rule(from_=source(namespaces=["shop"]))], lambda r: r.caller != NOBODY),
    ("allow another namespace", "ALLOW", [rule(from_=source(namespaces=["sho"]))], lambda r: False),
    # The trap: callers without an identity are of no namespace, so this hits them too.
    ("deny other namespaces", "DENY", [rule(from_=source(notNamespaces=["shop"]))], lambda r: r.caller == NOBODY),
    ("allow methods", "ALLOW", [rule(to=to(methods=["GET", "POST"]))], lambda r: r.method in ("GET", "POST")),
    ("deny a method", "DENY", [rule(to=to(methods=["DELETE"]))], lambda r: r.method == "DELETE"),
    ("allow paths by prefix", "ALLOW", [rule(to=to(paths=["/api/*"]))], lambda r: r.path.startswith("/api/")),
    ("allow a path", "ALLOW", [rule(to=to(paths=["/api"]))], lambda r: r.path == "/api"),
    ("deny a path by prefix", "DENY", [rule(to=to(paths=["/admin*"]))], lambda r: r.path.startswith("/admin")),
    ("allow all but a path", "ALLOW", [rule(to=to(notPaths=["/admin*"]))], lambda r: not r.path.startswith("/admin")),
    ("allow by suffix", "ALLOW", [rule(to=to(paths=["*/a"]))], lambda r: r.path.endswith("/a")),
    ("allow methods on paths", "ALLOW", [rule(to=to(methods=["GET"], paths=["/api/*", "/admin"]))],
     lambda r: r.method == "GET" and (r.path.startswith("/api/") or r.path == "/admin")),
    ("two rules", "ALLOW", [rule(to=to(methods=["POST"])), rule(from_=source(principals=[CLIENT]), to=to(paths=["/api"]))],
     lambda r: r.method == "POST" or r.caller == CLIENT and r.path == "/api"),
    ("allow a header", "ALLOW", [rule(when=when(TOKEN, values=["good"]))], lambda r: "good" in r.values),
    ("deny a header's prefix", "DENY", [rule(when=when(TOKEN, values=["ba*"]))], lambda r: any(value.startswith("ba") for value in r.values)),
    ("allow any header", "ALLOW", [rule(when=when(TOKEN, values=["*"]))], lambda r: bool(r.values)),
    ("allow a port", "ALLOW", [rule(to=to(ports=["9080"]))], lambda r: True),
    ("allow another port", "ALLOW", [rule(to=to(ports=["9999"]))], lambda r: False),
    ("allow addresses", "ALLOW", [rule(from_=source(ipBlocks=["127.0.0.0/8"]))], lambda r: True),
    ("deny other addresses", "DENY", [rule(from_=source(notIpBlocks=["10.0.0.0/8"]))], lambda r: True),
    ("allow from and when", "ALLOW", [rule(from_=source(principals=[CLIENT]), to=to(paths=["/api/*"]),
                                           when=when(TOKEN, values=["good"]))],
     lambda r: r.caller == CLIENT and r.path.startswith("/api/") and "good" in r.values),
    ("a template", "ALLOW", [rule(to=to(paths=["/{*}/b/{**}"]))], lambda r: r.path == "/a/b/c"),
]
# What a raw connection of somebody without an identity gets: rules on HTTP take an ALLOW rule away, and are left out of DENY.
RAW = {"allow nothing": False, "allow all": True, "deny all": False, "allow a principal": False, "deny other namespaces": False,
       "allow methods": False, "deny a method": False, "allow a path": False, "allow addresses": True,
       "allow a port": False, "two rules": False}


def manifest(name, action, rules):
    spec = {"selector": {"matchLabels": {"app": "server"}}, "action": action, **({} if rules is None else {"rules": rules})}
    probe = {"selector": {"matchLabels": {"app": "server"}}, "action": "DENY",
             "rules": [{"to": to(ports=["9080"]), "when": when("request.headers[x-probe]", values=[name])}]}
    head = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy"}
    return "\n---\n".join(json.dumps({**head, "metadata": {"name": title, "namespace": "shop"}, "spec": one})
                          for title, one in (("tested", spec), ("probe", probe)))


class Caller:
    """One connection that is kept; with the certificate of an identity, or in plain text."""

    def __init__(self, context=None):
        self.context, self.connection = context, None

    def open(self):
        plain = socket.create_connection((SERVER, 9080), 5)
        self.connection = http.client.HTTPConnection(SERVER, 9080, timeout=5)
        self.connection.sock = self.context.wrap_socket(
            plain, server_hostname="outbound_.9080_._.server.shop.svc.cluster.local") if self.context else plain

    def ask(self, method, target, headers):
        for last in (False, True):
            try:
                if self.connection is None:
                    self.open()
                self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
                for name, value in (("host", "server:9080"), ("content-length", "0"), *headers):
                    self.connection.putheader(name, value)
                self.connection.endheaders()
                answer = self.connection.getresponse()
                answer.read()
                return answer.status
            except (OSError, http.client.HTTPException):
                # A connection that was drained for a new policy.
                self.connection = None
                if last:
                    raise


def context(pair):
    """That of the client's account, as an Istio proxy offers it."""
    key, request = pair.mesh.key("caller")
    chain = pair.mesh.create(request, token=pair.mesh.token("shop", "client"))
    check(isinstance(chain, list), f"no certificate: {chain}")
    file = pair.world.folder / "caller.pem"
    file.write_text("".join(chain[:2]))
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.check_hostname = False
    result.load_verify_locations(cadata=pair.mesh.roots)
    result.load_cert_chain(file, key)
    result.set_alpn_protocols(["istio-http/1.1", "istio", "http/1.1"])
    return result


def table(programs, kind):
    """The answers of one kind of server: status by policy and request."""
    answers = {}
    with World(programs) as world:
        pair = Pair(world, "envoy", kind)
        pair.policy("PERMISSIVE")
        world.wait("mutual TLS to work", 30, lambda: pair.through() == (True, True, True))
        world.wait("PERMISSIVE", 20, lambda: pair.plainly() == (True, True, True))
        secure, file = context(pair), pair.manifests / "authorization.yaml"
        for name, action, rules, _ in POLICIES:
            # From no policy at all to this one, so that the first denial is its own.
            file.unlink(missing_ok=True)
            world.wait("no policy", 20, lambda: Caller().ask("GET", "/", ()) == 200 and tcp(SERVER, 9082) == b"echo:hello")
            file.write_text(manifest(name, action, rules))
            world.wait(f"the policy {name}", 20, lambda: Caller().ask("GET", "/", [("x-probe", name)]) == 403)
            # What was open before keeps the chain that it began with.
            callers = {CLIENT: Caller(secure), NOBODY: Caller()}
            for caller, method, target, tokens in itertools.product(callers, METHODS, PATHS, TOKENS):
                answers[name, caller, method, target, tokens] = callers[caller].ask(method, target, tokens)
            if name in RAW:
                answers[name, "raw"] = tcp(SERVER, 9082) == b"echo:hello"
        check(rejects(pair.mesh.addresses) == 0, f"{rejects(pair.mesh.addresses)} NACKs")
    return answers


def expected(request, action, matches):
    return matches if action == "ALLOW" else not matches


def authorization(programs):
    """Both servers and the model agree on every pair."""
    tables = {kind: table(programs, kind) for kind in ("envoy", "apus")}
    wrong = []
    for name, action, _, matches in POLICIES:
        for caller, method, target, tokens in itertools.product((CLIENT, NOBODY), METHODS, PATHS, TOKENS):
            key = name, caller, method, target, tokens
            request = Request(caller, method, target, tokens)
            allowed = expected(request, action, matches(request))
            found = {kind: one[key] for kind, one in tables.items()}
            if any((status != 403) != allowed for status in found.values()) or len(set(found.values())) != 1:
                wrong.append(f"{key}: {found}, {'allowed' if allowed else 'denied'} by the model")
        if name in RAW:
            found = {kind: one[name, "raw"] for kind, one in tables.items()}
            if set(found.values()) != {RAW[name]}:
                wrong.append(f"{name}, raw: {found}, {RAW[name]} by the model")
    count = len(tables["envoy"])
    check(not wrong, f"{len(wrong)} of {count} differ:\n    " + "\n    ".join(wrong[:25]))
    return f"{count} pairs of policy and request: apus-proxy, Envoy and the model agree"


TESTS = [authorization]
