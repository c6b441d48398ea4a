#!/usr/bin/env python3
"""Protocols through a stock Envoy and through apus-proxy on the same raw configuration: HTTP/2 and gRPC to origins,
trailers, upgrades, CONNECT, HTTP/1.0. Envoy reads it as a static bootstrap, apus-proxy gets it by ADS.

    protocols.py --bin DIR [--only REGEX] [-v]
"""
import copy
import json
import re
import socket
import subprocess
import sys
import time

import ads
import differential
import processes
import wire
from protocol_scenarios import CLUSTERS, LISTENERS, SCENARIOS

ADDRESSES = {"envoy": "127.0.33.1", "apus": "127.0.33.2"}
ORIGINS = {"one": "127.0.33.11:8080", "two": "127.0.33.12:8080", "three": "127.0.33.13:8080"}
TYPES = {
    "manager": "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "router": "envoy.extensions.filters.http.router.v3.Router",
    "options": "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    "stdout": "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
}
LOG = ("LOG %REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% "
       "%REQ(:AUTHORITY)% "
       "%BYTES_RECEIVED% %TRAILER(GRPC-STATUS)% %REQ(X-LOG)%\n")


def any_of(kind, **fields):
    return {"@type": "type.googleapis.com/" + TYPES.get(kind, kind), **fields}


def cluster(name, spec):
    spec = copy.deepcopy(spec)
    host, port = ORIGINS[spec.pop("origin")].rsplit(":", 1)
    options = spec.pop("options", None)
    result = {
        "name": name, "type": "STATIC", "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}]}]},
        **spec,
    }
    if options:
        result["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any_of("options", **options)}
    return result


def listener(name, spec, address, port):
    spec = copy.deepcopy(spec)
    filters = spec.pop("filters", [])
    hosts = [{
        "name": scenario.name, "domains": [f"{scenario.name}.test", f"{scenario.name}.test:*"],
        "routes": scenario.routes, **scenario.host,
    } for scenario in SCENARIOS if scenario.listener == name]
    manager = {
        "stat_prefix": name, "generate_request_id": False,
        "route_config": {"name": name, "virtual_hosts": hosts},
        "access_log": [{"name": "log", "typed_config": any_of(
            "stdout", log_format={"text_format_source": {"inline_string": LOG}})}],
        "http_filters": filters + [{"name": "router", "typed_config": any_of("router")}],
        **spec,
    }
    return {
        "name": name, "address": {"socket_address": {"address": address, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": any_of("manager", **manager)}]}],
    }


def configuration(address):
    return {
        "clusters": [cluster(name, spec) for name, spec in CLUSTERS.items()],
        "listeners": [listener(name, spec, address, 9000 + index)
                      for index, (name, spec) in enumerate(LISTENERS.items())],
    }


def shape(client, scenario, request):
    """What came back for bytes sent as they stand, without what varies."""
    port = 9000 + list(LISTENERS).index(scenario.listener)
    steps = [step and step.replace("HOST", f"{scenario.name}.test").replace("KEY", f"{scenario.name}-via-{client[0]}")
             .encode("latin-1") for step in request.steps]
    received, closed = wire.exchange(ADDRESSES[client], port, steps, quiet=request.quiet)
    methods = re.findall(r"(?m)^([A-Z]+) \S+ HTTP/1", "".join(step or "" for step in request.steps))
    if request.raw:
        return {"closed": closed, "bytes": clean(client, received.decode("latin-1"))}
    shapes = []
    for answer in wire.responses(received, methods):
        headers = differential.normal_headers(answer["headers"])
        body = clean(client, answer["body"])
        try:
            body = json.loads(body)
            body["headers"] = [h if h[0] not in differential.VARYING else [h[0], "(present)"] for h in body["headers"]]
            body["headers"].sort()
            headers = [(n, "(of the echo)" if n == "content-length" else v) for n, v in headers]
        except (ValueError, KeyError, TypeError):
            pass
        shapes.append({"status": answer["status"], "reason": answer["reason"], "framing": answer["framing"],
                       "headers": headers, "body": body, "trailers": answer.get("trailers")})
    return {"closed": closed, "count": len(shapes), **{f"answer {n}": s for n, s in enumerate(shapes)}}


def clean(client, text):
    # What is left of 15 seconds when a request is tried again; a fast try leaves all of them.
    text = re.sub(r'("x-envoy-expected-rq-timeout-ms", )"(14\d\d\d|15000)"', r'\1"15 s, or what is left"', text)
    text = re.sub(r"(?i)(x-envoy-upstream-service-time): \d+", r"\1: (present)", text)
    return re.sub(r"(?i)date: [^\r]*", "date: (present)", text.replace(ADDRESSES[client], "PROXY").replace(
        f"-via-{client[0]}", "-via-CLIENT"))


def grpc_calls(programs):
    """What came of the calls of grpc_calls.py through each proxy, and without one."""
    port = 9000 + list(LISTENERS).index("calls")
    results = {}
    for name, address in {"direct": ORIGINS["three"], **{c: f"{a}:{port}" for c, a in ADDRESSES.items()}}.items():
        done = subprocess.run([sys.executable, processes.HERE / "grpc_calls.py", address, "calls.test"],
                              capture_output=True, text=True, timeout=60)
        results[name] = json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr[-2000:]}
    return results


def listens(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 1).close()
        return True
    except OSError:
        return False


def log_lines(world, client):
    def ordered(line):
        # Envoy writes flags in the order in which they were set.
        parts = line.split(" ")
        if len(parts) > 5:
            parts[5] = ",".join(sorted(parts[5].split(",")))
        return " ".join(parts)

    return sorted(ordered(line) for line in world.log(client).splitlines() if line.startswith("LOG "))


def run(programs, only=None, verbose=False):
    report, passed, failed = [], 0, 0
    with processes.World(programs) as world:
        world.origin("one", ORIGINS["one"])
        world.start("origin-two", [sys.executable, processes.HERE / "origin_h2.py", "two", ORIGINS["two"]])
        world.start("origin-three", [sys.executable, processes.HERE / "grpc_calls.py", "--serve", ORIGINS["three"]])
        for name in ("two", "three"):
            world.wait(f"origin {name}", 10, lambda: listens(ORIGINS[name]))
        admin = processes.free_port()
        bootstrap = {
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
            "static_resources": configuration(ADDRESSES["envoy"]),
        }
        file = world.folder / "envoy.json"
        file.write_text(json.dumps(bootstrap))
        world.envoy_of(file)
        server = ads.Server(configuration(ADDRESSES["apus"]))
        try:
            world.apus_proxy("apus", {"xds": f"127.0.0.1:{server.port}"}, "p", "default", ip=ADDRESSES["apus"],
                             wait=False)
            world.wait("Envoy", 20, lambda: processes.get(f"127.0.0.1:{admin}", "/ready")[0] == 200)
            try:
                for index, name in enumerate(LISTENERS):
                    for client, address in ADDRESSES.items():
                        world.wait(f"listener {name} of {client}", 10, lambda: processes.get(
                            f"{address}:{9000 + index}", "/", {"Host": "nobody"})[0] in (400, 403, 404, 426))
            except processes.Failure:
                print("refused:", server.nacks, file=sys.stderr)
                raise
            for scenario in SCENARIOS:
                if only and not re.search(only, scenario.name):
                    continue
                for index, request in enumerate(scenario.requests):
                    shapes = {client: json.loads(json.dumps(shape(client, scenario, request))) for client in ADDRESSES}
                    found = differential.differences(plain(shapes["envoy"]), plain(shapes["apus"]))
                    label = f"{scenario.name}[{index}] {request.title}"
                    if request.known:
                        found = [] if found else ["no longer differs: " + request.known]
                    if request.expect and not found:
                        text = json.dumps(shapes["envoy"])
                        found = [f"neither has {part!r}: {text}" for part in request.expect if part not in text]
                    if found:
                        failed += 1
                        report.append(f"{label}\n    " + "\n    ".join(found))
                    else:
                        passed += 1
                        if verbose:
                            print(f"ok {label}", flush=True)
            if not only or re.search(only, "grpc-calls"):
                results = grpc_calls(programs)
                for call in sorted(set(results["envoy"]) | set(results["apus"])):
                    one, two = results["envoy"].get(call), results["apus"].get(call)
                    if one == two and one is not None:
                        passed += 1
                    else:
                        failed += 1
                        report.append(f"grpc-calls {call}: direct {results['direct'].get(call)}, envoy {one}, apus {two}")
            world.alive()
            if server.nacks:
                failed += 1
                report.append(f"refused: {server.nacks}")
            # Envoy writes its log every ten seconds.
            end = time.monotonic() + 12
            while True:
                lines = {client: log_lines(world, client) for client in ADDRESSES}
                found = differential.differences(
                    [(line,) for line in lines["envoy"]], [(line,) for line in lines["apus"]])
                unexplained = [line for line in found if "KNOWN" not in line]
                if not unexplained or time.monotonic() > end:
                    break
                time.sleep(1)
            if unexplained:
                failed += 1
                report.append("access logs\n    " + "\n    ".join(unexplained))
        finally:
            server.stop()
    return passed, failed, report


def plain(value):
    """Lists of lists as lists of text, so that they can be compared as sets."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [(json.dumps(inner),) for inner in value]
    return value


if __name__ == "__main__":
    processes.compare(run)
