#!/usr/bin/env python3
"""Heads and bodies that two parsers may read in two ways, through a stock Envoy and through apus-proxy, in front of three
origins. apus-proxy must refuse a case or forward one meaning of it, the same to every origin, and must not forward what
Envoy refuses.

    smuggling.py --bin DIR [--only REGEX] [-v]
"""
import concurrent.futures
import json
import os
import re
import time

import ads
import processes
import smuggling_origins
import wire
from smuggling_cases import CASES

ADDRESSES = {"envoy": "127.0.37.1", "apus": "127.0.37.2"}
KINDS = ("strict", "library", "nginx")
# Every proxy has origins of its own, so that what they see has one sender.
ORIGINS = {client: {kind: f"127.0.37.{10 * row + column}:8080" for column, kind in enumerate(KINDS)}
           for row, client in enumerate(ADDRESSES, 1)}
QUIET = 0.4


def any_of(kind, **fields):
    return {"@type": f"type.googleapis.com/envoy.extensions.filters.{kind}", **fields}


def configuration(client):
    clusters, listeners = [], []
    for index, (kind, address) in enumerate(ORIGINS[client].items()):
        host, port = address.rsplit(":", 1)
        clusters.append({
            "name": kind, "type": "STATIC", "connect_timeout": "2s", "load_assignment": {
                "cluster_name": kind, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                    "socket_address": {"address": host, "port_value": int(port)}}}}]}]}})
        manager = any_of(
            "network.http_connection_manager.v3.HttpConnectionManager", stat_prefix=kind, generate_request_id=False,
            upgrade_configs=[{"upgrade_type": "websocket"}], codec_type="HTTP1",
            route_config={"name": kind, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "route": {"cluster": kind, "timeout": "3s"}}]}]},
            http_filters=[{"name": "router", "typed_config": any_of("http.router.v3.Router")}])
        listeners.append({
            "name": kind,
            "address": {"socket_address": {"address": ADDRESSES[client], "port_value": 9000 + index}},
            "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}]})
    return {"clusters": clusters, "listeners": listeners}


def raw(case, marker):
    text = case.data.replace("/C", f"/{marker}")
    return b"".join(c.encode("latin-1" if ord(c) < 256 else "utf-8") for c in text)


def nginx_seen(world, client):
    seen = smuggling_origins.Seen()
    file = world.folder / f"nginx-{client}" / "nginx-seen.log"
    for line in file.read_text(errors="replace").splitlines():
        method, target, case, status = json.loads(line)
        if status == "200":
            seen.add(method, target, case, None)
    return seen


def start(world):
    servers = {}
    for client, origins in ORIGINS.items():
        servers[client] = {
            "strict": smuggling_origins.serve(smuggling_origins.Strict, origins["strict"]),
            "library": smuggling_origins.serve(smuggling_origins.Library, origins["library"])}
        folder = world.folder / f"nginx-{client}"
        folder.mkdir()
        file = folder / "nginx.conf"
        file.write_text(smuggling_origins.NGINX.format(
            folder=folder, address=origins["nginx"], user="user root;" if not os.geteuid() else ""))
        world.start(f"nginx-{client}", ["nginx", "-p", folder, "-c", file, "-e", folder / "nginx-error.log"])
    admin = processes.free_port()
    file = world.folder / "envoy.json"
    file.write_text(json.dumps({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "static_resources": configuration("envoy")}))
    world.envoy_of(file, "envoy", level="error")
    server = ads.Server(configuration("apus"))
    world.apus_proxy("apus", {"xds": f"127.0.0.1:{server.port}"}, "p", "default", ip=ADDRESSES["apus"], wait=False)
    for client, address in ADDRESSES.items():
        for index, kind in enumerate(KINDS):
            world.wait(f"{kind} behind {client}", 20, lambda: processes.get(f"{address}:{9000 + index}", "/")[0] == 200)
    return servers, server


def meaning(kind, marker, statuses, seen):
    """The complete requests that an origin took a case for: (method, target, bytes of body)."""
    requests = seen[kind].requests.get(marker, [])
    # An origin may act on a head before its body: without an answer to the client the body never ended, nor if the
    # strict one waited for the end in vain.
    return requests[1:] if 200 not in statuses or marker in seen["strict"].cut else requests


def judge(marker, answers, seen, envoy_answers, envoy_seen):
    """What is wrong with the way of a case through apus-proxy."""
    found = []
    meanings = {kind: meaning(kind, marker, answers[kind], seen) for kind in KINDS}
    # An origin that refuses what others take has not misread it.
    served = [kind for kind in KINDS if meanings[kind] or answers[kind][:1] != [400]] or KINDS
    if len({json.dumps([one[:2] for one in meanings[kind]]) for kind in served}) != 1:
        found.append(f"the origins took it for different requests: {meanings}")
    bodies = {kind: [body for *_, body in meanings[kind]] for kind in ("strict", "library") if kind in served}
    if len({json.dumps(one) for one in bodies.values()}) > 1:
        found.append(f"the origins read different bodies: {bodies}")
    for kind in KINDS:
        if len(meanings[kind]) != answers[kind].count(200) and marker not in seen["strict"].cut:
            found.append(f"{len(meanings[kind])} requests reached {kind}, the client had {answers[kind]}")
        envoys = len(meaning(kind, marker, envoy_answers[kind], envoy_seen))
        if len(meanings[kind]) > envoys:
            found.append(f"{kind} saw {len(meanings[kind])} requests, through Envoy {envoys} ({envoy_answers[kind]})")
    return found


def run(programs, only=None, verbose=False):
    report, passed, failed, refused = [], 0, 0, 0
    with processes.World(programs) as world:
        servers, server = start(world)

        def send(job):
            number, client, index = job
            data = raw(CASES[number], f"c{number}")
            received, _ = wire.exchange(ADDRESSES[client], 9000 + index, [data], quiet=QUIET)
            return job, [answer["status"] for answer in wire.responses(received, ["HEAD"] if data[:5] == b"HEAD " else [])
                         if answer["status"] >= 200 or answer["status"] == 0]

        chosen = [n for n, case in enumerate(CASES) if not only or re.search(only, case.name)]
        jobs = [(n, client, index) for n in chosen for client in ADDRESSES for index in range(len(KINDS))]
        answers = {}
        try:
            with concurrent.futures.ThreadPoolExecutor(24) as pool:
                for (number, client, index), statuses in pool.map(send, jobs):
                    answers.setdefault((number, client), {})[KINDS[index]] = statuses
            world.alive()
            time.sleep(0.2)
            seen = {client: {**{kind: one.seen for kind, one in servers[client].items()},
                             "nginx": nginx_seen(world, client)} for client in ADDRESSES}
            for number in chosen:
                case = CASES[number]
                mine, envoys = answers[number, "apus"], answers[number, "envoy"]
                found = judge(f"c{number}", mine, seen["apus"], envoys, seen["envoy"])
                if case.known:
                    found = [] if found else ["no longer differs: " + case.known]
                refused += not any(200 in statuses for statuses in mine.values())
                if found:
                    failed += 1
                    report.append(f"{case.name} (c{number})\n    " + "\n    ".join(found))
                else:
                    passed += 1
                if verbose:
                    print(f"{'FAIL' if found else 'ok  '} {case.name}: apus {mine['strict']}, envoy {envoys['strict']}")
            for fault in seen["apus"]["strict"].faults:
                failed += 1
                report.append(f"apus-proxy sent {fault}")
            strays = seen["apus"]["strict"].requests.get("", [])
            unknown = [one for one in strays if one != ("GET", "/", 0) and not only]
            if unknown:
                failed += 1
                report.append(f"requests of nobody: {unknown}")
            if server.nacks:
                failed += 1
                report.append(f"refused: {server.nacks}")
        finally:
            server.stop()
            for group in servers.values():
                for one in group.values():
                    one.shutdown()
                    one.server_close()
    report.append(f"{len(chosen)} heads and bodies: {refused} refused, {len(chosen) - refused} forwarded with one meaning"
                  if not failed else f"{failed} of {len(chosen)} heads and bodies are wrong")
    return passed, failed, report


if __name__ == "__main__":
    processes.compare(run)
