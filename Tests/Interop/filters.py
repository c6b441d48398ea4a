"""The same resources, straight from xDS, in a stock Envoy and in apus-proxy: what no manifest reaches.

Both get the listeners and clusters of `filter_scenarios.py`; their answers are compared as in `differential.py`.
"""
import http.client
import importlib
import json
import pathlib
import re
import socket
import sys
import time
import zlib

import yaml

import ads
import differential
import processes
import wire
from filter_scenarios import CLUSTERS, SCENARIOS
from scenarios import Wire

ORIGINS = {"a": "127.0.34.1", "b": "127.0.34.2", "c": "127.0.34.3"}
CLIENTS = {"envoy": "127.0.33.1", "apus": "127.0.33.2"}
FIRST_PORT = 9100
HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = {"name": "envoy.filters.http.router",
          "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}


def load(text):
    return yaml.safe_load(text) if text and text.strip() else None


def listener(scenario, port, address):
    """One listener with one chain: filters of the connection, then HTTP or TCP."""
    chain = load(scenario.guards) or []
    if scenario.tcp:
        chain.append(load(scenario.tcp))
    else:
        host = {"name": "all", "domains": ["*"],
                "routes": load(scenario.routes) or [{"match": {"prefix": "/"}, "route": {"cluster": "a"}}]}
        host.update(load(scenario.host) or {})
        manager = {"@type": HCM, "stat_prefix": scenario.name,
                   "route_config": {"name": "r", "virtual_hosts": [host], **(load(scenario.table) or {})},
                   "http_filters": (load(scenario.filters) or []) + [ROUTER]}
        manager.update(load(scenario.manager) or {})
        chain.append({"name": "hcm", "typed_config": manager})
    return {"name": scenario.name, "address": {"socket_address": {"address": address, "port_value": port}},
            "filter_chains": [{"filters": chain}], **(load(scenario.listener) or {})}


def cluster(name, config):
    hosts = [{"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
             for host, port in config.pop("hosts")]
    return {"name": name, "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}]}, **config}


def register(chosen):
    """Imports the messages of the scenarios: an `Any` can only be read when its file has been imported."""
    text = " ".join(vars(s)[k] for s in chosen for k in ("filters", "routes", "host", "manager", "guards", "tcp"))
    site = pathlib.Path(ads.cluster_pb2.__file__).parents[4]
    for name in sorted(set(re.findall(r"type\.googleapis\.com/([\w.]+)\.\w+", text))):
        for path in (site / name.replace(".", "/")).glob("*_pb2.py"):
            importlib.import_module(f"{name}.{path.stem}")


BOOTSTRAP = """
node: {{id: envoy, cluster: test}}
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
dynamic_resources:
  ads_config: {{api_type: DELTA_GRPC, transport_api_version: V3, grpc_services: [{{envoy_grpc: {{cluster_name: xds}}}}]}}
  lds_config: {{ads: {{}}, resource_api_version: V3}}
  cds_config: {{ads: {{}}, resource_api_version: V3}}
static_resources:
  clusters:
  - name: xds
    type: STATIC
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: xds
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]
"""


def send(client, scenario, request):
    connection = http.client.HTTPConnection(CLIENTS[client], scenario.port, timeout=20, source_address=("127.0.0.9", 0))
    started = time.monotonic()
    try:
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", request.host or "shop.example")
        for name, value in request.headers:
            connection.putheader(name, re.sub(r"KEY\d", lambda m: f"{scenario.name}-{m.group(0)}-via-{client}", value))
        if request.body:
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read()
        if response.getheader("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        answer = {"status": response.status, "headers": response.getheaders(), "body": body.decode("latin-1")}
    except (OSError, http.client.HTTPException, zlib.error) as error:
        answer = {"status": 0, "headers": [], "body": type(error).__name__}
    finally:
        connection.close()
    answer["seconds"] = time.monotonic() - started
    return answer


def shape(client, answer, vary):
    shaped = differential.normal(answer, client)
    text = json.dumps(shaped).replace(f"-via-{client}", "-via-CLIENT").replace(CLIENTS[client], "CLIENT")
    shaped = json.loads(text)
    for part in [shaped] + ([shaped["body"]] if isinstance(shaped["body"], dict) else []):
        part["headers"] = [[n, "(varies)" if n in vary else v] for n, v in part["headers"]]
    return shaped


def compare(scenario, request):
    shapes, found = {}, []
    for client in CLIENTS:
        time.sleep(getattr(request, "after", 0))
        if isinstance(request, Wire):
            received, closed = wire.exchange(
                CLIENTS[client], scenario.port, [s and s.encode("latin-1") for s in request.steps], quiet=request.quiet)
            if request.tcp:
                shapes[client] = {"received": received.decode("latin-1"), "closed": closed}
                continue
            methods = re.findall(r"(?m)^([A-Z]+) \S+ HTTP/1", "".join(s or "" for s in request.steps))
            answers = wire.responses(received, methods)
            shapes[client] = {"closed": closed, "count": len(answers),
                              **{f"answer {n}": shape(client, a, scenario.vary) for n, a in enumerate(answers)}}
        else:
            answer = send(client, scenario, request)
            low, high = request.between
            if not low <= answer["seconds"] <= high:
                found.append(f"{client} took {answer['seconds']:.2f} s, expected {low} to {high}")
            shapes[client] = shape(client, answer, scenario.vary)
    return found + differential.differences(shapes["envoy"], shapes["apus"])


def run(programs, only=None, verbose=False):
    """Runs the scenarios; (passed, failed, report)."""
    report, passed, failed = [], 0, 0
    chosen = [s for s in SCENARIOS if not only or re.search(only, s.name)]
    for index, scenario in enumerate(chosen):
        scenario.port = FIRST_PORT + index
    register(chosen)
    servers = {who: ads.Server({
        "clusters": [cluster(name, dict(config)) for name, config in CLUSTERS.items()],
        "listeners": [listener(scenario, scenario.port, address) for scenario in chosen]})
        for who, address in CLIENTS.items()}

    def refused():
        return [f"{who}: {reason}" for who, server in servers.items() for _, reason in server.nacks]

    try:
        with processes.World(programs) as world:
            for name, address in ORIGINS.items():
                world.origin(name, f"{address}:8080")
            file = world.folder / "envoy.yaml"
            admin = processes.free_port()
            file.write_text(BOOTSTRAP.format(port=servers["envoy"].port, admin=admin))
            world.envoy_of(file)
            world.apus_proxy("apus", {"xds": f"127.0.0.1:{servers['apus'].port}"}, "apus", "test", ip=CLIENTS["apus"],
                             wait=False, environment={"ISTIO_META_CLUSTER_ID": "test"})
            for address in CLIENTS.values():
                def open_port(address=address):
                    try:
                        socket.create_connection((address, chosen[-1].port), 1).close()
                        return True
                    except OSError:
                        return bool(refused())
                world.wait("the last listener", 20, open_port)
            for reason in refused():
                failed += 1
                report.append(f"NACK of {reason}")
            if failed:
                return passed, failed, report
            for scenario in chosen:
                for request in scenario.requests:
                    found = compare(scenario, request)
                    label = f"{scenario.name}: {request.title}"
                    if request.known:
                        found = [] if found else ["no longer differs: " + request.known]
                    if found:
                        failed += 1
                        report.append(f"{label}\n    " + "\n    ".join(found))
                    else:
                        passed += 1
                        if verbose:
                            print(f"ok {label}", flush=True)
            for reason in refused():
                failed += 1
                report.append(f"NACK of {reason}")
            world.alive()
    finally:
        for server in servers.values():
            server.stop()
    return passed, failed, report


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    passed, failed, report = run(options.bin, options.only, options.v)
    print("\n".join(report))
    print(f"filters: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
