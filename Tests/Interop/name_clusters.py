"""The same DNS clusters in a stock Envoy and in apus-proxy, with a name server that changes its mind: the same hosts, the
same origins for requests, the same counters.

Each proxy has a name server of its own, and both servers say the same, so that what one proxy asks can be told from what
the other does.
"""
import http.server
import json
import socket
import threading
import time

import processes
from bootstrap import HTTP, ROUTER
from name_server import NXDOMAIN, SERVFAIL, Answer, NameServer
from peers import check
from processes import free_port, get

CARES = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
ONE, TWO, THREE, SIX = "127.0.0.11", "127.0.0.12", "127.0.0.13", "::1"


class Case:
    """A cluster, and the stages it goes through: for each what the server says and the hosts that follow from it.

    An answer of None: nobody is to be asked. A third entry: the hosts with apus-proxy, where Docs/envoy-differences.md says
    why they are others.
    """

    def __init__(self, name, *stages, kind="STRICT_DNS", names=None, resolver=None, dead_first=False, **options):
        self.name = name
        self.stages = stages
        self.kind = kind
        self.names = names or [f"{name}.test"]
        self.resolver = resolver or {}
        self.dead_first = dead_first
        self.options = options


CASES = [
    Case("changes", (Answer(ONE), [ONE]), (Answer(ONE, TWO), [ONE, TWO]), (Answer(THREE), [THREE])),
    Case("aliases", (Answer(TWO, through=("a.test", "b.test")), [TWO]),
         (Answer(ONE, through=("c.test",)), [ONE])),
    Case("nxdomain", (Answer(ONE), [ONE]), (Answer(code=NXDOMAIN), []), (Answer(TWO), [TWO])),
    Case("nodata", (Answer(ONE), [ONE]), (Answer(), []), (Answer(TWO), [TWO])),
    Case("servfail", (Answer(ONE, TWO), [ONE, TWO]), (Answer(code=SERVFAIL), [ONE, TWO]), (Answer(TWO), [TWO]),
         resolver={"query_tries": 1}),
    Case("silent", (Answer(ONE), [ONE]), (Answer(silent=True), [ONE]), (Answer(TWO), [TWO]),
         resolver={"query_tries": 1, "query_timeout_seconds": 1}),
    Case("delayed", (Answer(ONE, delay=0.4), [ONE]), (Answer(TWO, delay=0.4), [TWO])),
    Case("truncated", (Answer(ONE, TWO, truncated=True), [ONE, TWO]), (Answer(THREE, truncated=True), [THREE])),
    Case("tcp", (Answer(ONE), [ONE]), (Answer(TWO), [TWO]),
         resolver={"dns_resolver_options": {"use_tcp_for_dns_lookups": True}}),
    Case("spoofed", (Answer(ONE, spoofed=THREE), [ONE]), (Answer(TWO, spoofed=THREE), [TWO])),
    Case("old-server", (Answer(ONE, no_edns=True), [ONE]), (Answer(TWO, no_edns=True), [TWO])),
    Case("folded", (Answer(ONE, folded=True), [ONE]), (Answer(TWO, folded=True), [TWO]), names=["FoLded.TEST"]),
    Case("dead-server", (Answer(ONE), [ONE]), (Answer(TWO), [TWO]), dead_first=True),
    Case("ttl", (Answer(ONE, ttl=1), [ONE]), (Answer(TWO, ttl=1), [TWO]), dns_refresh_rate="60s",
         respect_dns_ttl=True),
    Case("alias-ttl", (Answer(ONE, ttl=3600, through=("a.test",), alias_ttl=1), [ONE]),
         (Answer(TWO, ttl=3600, through=("a.test",), alias_ttl=1), [TWO]), dns_refresh_rate="60s",
         respect_dns_ttl=True),
    Case("stranger", (Answer(ONE, owner="elsewhere.test"), [ONE], [])),
    Case("no-ttl", (Answer(ONE, ttl=3600), [ONE]), (Answer(TWO, ttl=3600), [TWO])),
    Case("zero-ttl", (Answer(ONE, ttl=0), [ONE]), (Answer(TWO, ttl=0), [TWO]), respect_dns_ttl=True),
    Case("recovers", (Answer(code=SERVFAIL), []), (Answer(ONE, ttl=1), [ONE]), dns_refresh_rate="60s",
         respect_dns_ttl=True, dns_failure_refresh_rate={"base_interval": "0.2s", "max_interval": "0.4s"},
         resolver={"query_tries": 1}),
    Case("two-names", ({"one.test": Answer(ONE), "two.test": Answer(TWO, ONE)}, [ONE, TWO]),
         ({"one.test": Answer(THREE), "two.test": Answer(TWO)}, [THREE, TWO]),
         ({"one.test": Answer(code=NXDOMAIN), "two.test": Answer(TWO)}, [TWO]), names=["one.test", "two.test"]),
    Case("auto", (Answer(ONE, SIX), [SIX]), (Answer(ONE), [ONE]), dns_lookup_family="AUTO"),
    Case("v4-preferred", (Answer(ONE, SIX), [ONE]), (Answer(SIX), [SIX]), dns_lookup_family="V4_PREFERRED"),
    Case("v6-only", (Answer(ONE, SIX), [SIX]), (Answer(ONE), []), dns_lookup_family="V6_ONLY"),
    Case("all", (Answer(ONE, SIX), [ONE, SIX]), (Answer(TWO), [TWO]), dns_lookup_family="ALL"),
    Case("localhost", (None, ["127.0.0.1"]), names=["localhost"]),
    Case("literal", (None, [ONE]), names=[ONE]),
    Case("logical", (Answer(ONE, TWO), [ONE]), (Answer(TWO), [TWO]), (Answer(code=NXDOMAIN), [TWO]),
         (Answer(code=SERVFAIL), [TWO]), (Answer(THREE), [THREE]), kind="LOGICAL_DNS",
         resolver={"query_tries": 1}),
]

COUNTERS = ["update_attempt", "update_success", "update_failure", "update_empty", "update_no_rebuild"]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.server_address[0].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Origin6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def origins(port):
    servers = []
    for host in (ONE, TWO, THREE, "127.0.0.1", SIX):
        kind = Origin6 if ":" in host else http.server.ThreadingHTTPServer
        server = kind((host, port), Origin)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    return servers


def bootstrap(admin, port, origin, server):
    routes, clusters = [], []
    for case in CASES:
        routes.append({"name": case.name, "domains": [f"{case.name}.case"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": case.name}}]})
        resolvers = [free_port(), server.port] if case.dead_first else [server.port]
        clusters.append({
            "name": case.name, "type": case.kind, "connect_timeout": "1s", "dns_lookup_family": "V4_ONLY",
            "dns_refresh_rate": "0.25s", **case.options,
            "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": {
                "@type": CARES, "resolvers": [
                    {"socket_address": {"address": "127.0.0.1", "port_value": one}} for one in resolvers],
                **case.resolver, "dns_resolver_options": {
                    "no_default_search_domain": True, **case.resolver.get("dns_resolver_options", {})}}},
            "load_assignment": {"cluster_name": case.name, "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": {"socket_address": {"address": name, "port_value": origin}}}}
                for name in case.names]}]}})
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "static_resources": {"clusters": clusters, "listeners": [{
            "name": "http", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": {
                "@type": HTTP, "stat_prefix": "http", "route_config": {"name": "r", "virtual_hosts": routes},
                "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}]}}]}]}]}}


def hosts(admin):
    """By cluster, the addresses in use."""
    result = {case.name: set() for case in CASES}
    for cluster in json.loads(get(admin, "/clusters?format=json")[2])["cluster_statuses"]:
        for host in cluster.get("host_statuses", []):
            result[cluster["name"]].add(host["address"]["socket_address"]["address"])
    return result


def counters(admin):
    result = {}
    for line in get(admin, "/stats?filter=^cluster")[2].splitlines():
        name, _, value = line.partition(": ")
        parts = name.split(".")
        if len(parts) == 3 and parts[2] in [*COUNTERS, "membership_change"]:
            result[parts[1], parts[2]] = int(value)
    return result


def reached(listener, case, expected):
    """The origins that requests come to: each of the hosts, and no other."""
    seen, end = set(), time.monotonic() + 5
    while time.monotonic() < end:
        status, _, body = get(listener, "/", {"Host": f"{case.name}.case"})
        seen.add(body if status == 200 else str(status))
        if seen >= (set(expected) or {"503"}):
            break
    return seen


def dns_clusters(programs):
    """Changing answers, aliases, truncation, failures and false answers: hosts and requests as with Envoy."""
    compared = 0
    tables = {"envoy": {}, "apus": {}}
    with processes.World(programs) as world:
        servers = {name: NameServer(table) for name, table in tables.items()}
        origin = free_port()
        running = origins(origin)
        admins, listeners = {}, {}

        def say(stage):
            for table in tables.values():
                for case in CASES:
                    answer = case.stages[min(stage, len(case.stages) - 1)][0]
                    if answer is None:
                        continue
                    for name in case.names:
                        table[name.lower()] = answer[name] if isinstance(answer, dict) else answer

        try:
            say(0)
            for name in ("envoy", "apus"):
                admin, port = free_port(), free_port()
                file = world.folder / f"{name}.json"
                file.write_text(json.dumps(bootstrap(admin, port, origin, servers[name])))
                if name == "envoy":
                    world.envoy_of(file, name, level="error")
                else:
                    world.apus_of(file, name, concurrency=2)
                admins[name], listeners[name] = f"127.0.0.1:{admin}", f"127.0.0.1:{port}"
            first = {}
            for name in admins:
                world.wait(f"{name} to be ready", 30, lambda a=admins[name]: get(a, "/ready")[0] == 200)
                first[name] = hosts(admins[name])
            # Whoever says that it is ready has asked for every name.
            for case in CASES:
                if len(case.names) == 1 and case.stages[0][1] == case.stages[0][-1]:
                    for name, have in first.items():
                        check(have[case.name] == set(case.stages[0][1]),
                              f"{case.name}: {name} begins with {sorted(have[case.name])}")
            for stage in range(max(len(case.stages) for case in CASES)):
                say(stage)
                known = [case for case in CASES if stage < len(case.stages)]
                # All have asked twice since: what they have now follows from this stage.
                before = {(name, one): servers[name].count(one.lower())
                          for name in servers for case in known for one in case.names}
                asking = [(name, one) for name in servers for case in known if case.stages[stage][0] is not None
                          for one in case.names]

                def all_asked():
                    return all(servers[name].count(one.lower()) >= before[name, one] + 2 for name, one in asking)

                try:
                    world.wait(f"questions of stage {stage}", 20, all_asked)
                except processes.Failure as failure:
                    missing = [(name, one) for name, one in asking
                               if servers[name].count(one.lower()) < before[name, one] + 2]
                    raise processes.Failure(f"{failure}: {missing}")
                wanted = {"envoy": {case.name: set(case.stages[stage][1]) for case in known},
                          "apus": {case.name: set(case.stages[stage][-1]) for case in known}}

                def differences():
                    result = []
                    for name, admin in admins.items():
                        have = hosts(admin)
                        result += [f"stage {stage} of {case}: {name} has {sorted(have[case])}, not {sorted(want)}"
                                   for case, want in wanted[name].items() if have[case] != want]
                    return result

                end = time.monotonic() + 8
                while (left := differences()) and time.monotonic() < end:
                    time.sleep(0.1)
                check(not left, "\n".join(left))
                for case in known:
                    for name, listener in listeners.items():
                        want = wanted[name][case.name]
                        seen = reached(listener, case, want)
                        check(seen == (want or {"503"}),
                              f"stage {stage} of {case.name}: requests through {name} reach {sorted(seen)}")
                    compared += 1
            counts = {name: counters(admin) for name, admin in admins.items()}
            for case in CASES:
                if any(len(stage) > 2 for stage in case.stages):
                    continue
                for word in COUNTERS:
                    envoy, apus = (counts[name].get((case.name, word), 0) for name in ("envoy", "apus"))
                    check((envoy > 0) == (apus > 0), f"{case.name}: {word} is {envoy} with Envoy, {apus} with apus-proxy")
                envoy, apus = (counts[name].get((case.name, "membership_change")) for name in ("envoy", "apus"))
                # Of several names the answers may come one by one or at once.
                check(envoy == apus or len(case.names) > 1, f"{case.name}: membership_change is {envoy} with Envoy, {apus} with apus-proxy")
            for name, server in servers.items():
                check(server.count("tcp.test", "tcp") > 0 and server.count("tcp.test", "udp") == 0,
                      f"{name} asks by UDP where TCP is wanted")
                check(server.count("truncated.test", "tcp") > 0, f"{name} does not ask by TCP what was truncated")
            ports = servers["apus"].ports("changes.test")
            check(len(set(ports)) > len(ports) // 2 and len(ports) > 4, f"questions come from the same ports: {ports}")
        finally:
            for server in [*servers.values()]:
                server.close()
            for server in running:
                server.shutdown()
                server.server_close()
    return f"{compared} stages of {len(CASES)} clusters as with Envoy"


TESTS = [dns_clusters]
