"""The same requests through a stock Envoy and through apus-proxy, both fed by one control plane: the answers must be
the same. What is compared: status, chosen origin, what the origin saw (line, headers, body), and what the client got
(headers, body). Each proxy has listeners of its own (a Sidecar per client, captureMode NONE)."""
import collections
import http.client
import json
import re
import sys
import time

import processes
from processes import Failure
from scenarios import SCENARIOS

NAMESPACE = "diff"
ORIGINS = {"a": "127.0.31.1", "b": "127.0.31.2", "c": "127.0.31.3"}
CLIENTS = {"envoy": "127.0.32.1", "apus": "127.0.32.2"}
PORTS = (8080,)

# Headers whose value differs from run to run: only their presence is compared.
VARYING = {"date", "x-envoy-upstream-service-time", "x-request-id"}


def manifests():
    """One folder's worth of YAML: the services of all scenarios over three origins, and the two clients."""
    documents = [f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}"]
    for name, address in ORIGINS.items():
        documents.append(f"""
apiVersion: v1
kind: Pod
metadata: {{name: origin-{name}, namespace: {NAMESPACE}, labels: {{app: origin, version: {name}}}}}
spec:
  containers: [{{name: app, image: origin, ports: [{{containerPort: 8080}}]}}]
status: {{podIP: {address}, phase: Running}}""")
    for client, address in CLIENTS.items():
        documents.append(f"""
apiVersion: v1
kind: Pod
metadata: {{name: client-{client}, namespace: {NAMESPACE}, labels: {{client: {client}, role: client}}}}
spec:
  containers: [{{name: app, image: client}}]
status: {{podIP: {address}, phase: Running}}""")
        egress = "\n".join(f"""    - port: {{number: {port}, protocol: HTTP, name: http-{port}}}
      bind: {address}
      captureMode: NONE
      hosts: ["./*"]""" for port in PORTS)
        documents.append(f"""
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: client-{client}, namespace: {NAMESPACE}}}
spec:
  workloadSelector: {{labels: {{client: {client}}}}}
  egress:
{egress}""")
    for scenario in SCENARIOS:
        host = f"{scenario.name}.{NAMESPACE}.svc.cluster.local"
        selector = "" if scenario.name == "dead-endpoint" else "selector: {app: origin}"
        documents.append(f"""
apiVersion: v1
kind: Service
metadata: {{name: {scenario.name}, namespace: {NAMESPACE}}}
spec:
  {selector}
  ports: [{{name: http, port: {scenario.port}, targetPort: 8080}}]""")
        rule = "\n".join("  " + line for line in scenario.rule.strip().splitlines())
        if rule.strip():
            documents.append(f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {scenario.name}, namespace: {NAMESPACE}}}
spec:
  host: {host}
{rule}""")
        if scenario.spec:
            spec = "\n".join("  " + line for line in scenario.spec.replace("HOST", host).splitlines())
            documents.append(f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {scenario.name}, namespace: {NAMESPACE}}}
spec:
  hosts: [{host}]
  http:
{spec}""")
        if scenario.extra:
            documents.append(scenario.extra)
    return "\n---\n".join(documents) + "\n"


def send(client, scenario, request, marks):
    """One request through one proxy; what the client and the origin saw."""
    connection = http.client.HTTPConnection(CLIENTS[client], scenario.port, timeout=20)
    started = time.monotonic()
    try:
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", request.host or f"{scenario.name}.{NAMESPACE}.svc.cluster.local")
        for name, value in request.headers:
            connection.putheader(name, marks(value))
        if request.body:
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = response.read().decode("latin-1")
        answer = {"status": response.status, "headers": response.getheaders(), "body": body}
    except (OSError, http.client.HTTPException) as error:
        answer = {"status": 0, "headers": [], "body": type(error).__name__}
    finally:
        connection.close()
    answer["seconds"] = time.monotonic() - started
    return answer


def normal_headers(headers):
    result = []
    for name, value in headers:
        name = name.lower()
        if name in VARYING:
            value = "(present)" if value else ""
        result.append((name, value))
    return sorted(result)


def normal(answer, client):
    """The part of an answer that must be equal, with what names the client or the run taken out."""
    def clean(text):
        return text.replace(CLIENTS[client], "CLIENT")

    result = {"status": answer["status"], "headers": None, "origin": None, "body": clean(answer["body"])}
    headers = normal_headers(answer["headers"])
    try:
        seen = json.loads(answer["body"])
        seen = seen if isinstance(seen, dict) and "origin" in seen else None
    except ValueError:
        seen = None
    if seen:
        result["origin"] = seen["origin"]
        result["body"] = {
            "method": seen["method"], "target": seen["target"], "version": seen["version"], "body": seen["body"],
            "headers": [(n, clean(v)) for n, v in normal_headers(seen["headers"])]}
        # The origin's answer repeats what it saw, so its length depends on values that vary.
        headers = [(n, "(of the echo)" if n == "content-length" else v) for n, v in headers]
    result["headers"] = [(n, clean(v)) for n, v in headers]
    return result


def differences(one, two, path=""):
    if isinstance(one, dict) and isinstance(two, dict):
        found = []
        for key in sorted(set(one) | set(two)):
            found += differences(one.get(key), two.get(key), f"{path}.{key}" if path else key)
        return found
    if isinstance(one, list) and isinstance(two, list):
        first, second = collections.Counter(map(tuple, one)), collections.Counter(map(tuple, two))
        found = [f"{path}: only envoy has {item}" for item in (first - second)]
        return found + [f"{path}: only apus has {item}" for item in (second - first)]
    return [] if one == two else [f"{path}: envoy {one!r}, apus {two!r}"]


def seen_by_origins(key):
    """How often each origin saw a key, and the last request it saw."""
    counts = {}
    for name, address in ORIGINS.items():
        status, _, body = processes.get(f"{address}:8080", f"/seen?key={key}")
        answer = json.loads(body)
        last = [{"target": r["target"], "body": r["body"],
                 "host": dict((n.lower(), v) for n, v in r["headers"]).get("host")} for r in answer["requests"]]
        counts[name] = (answer["count"], last)
    return counts


def compare(scenario, index, request):
    """Differences between the two proxies for one request of one scenario."""
    results = {}
    timing = []
    for client in CLIENTS:
        def marks(value, client=client):
            return re.sub(r"KEY\d", lambda m: f"{scenario.name}-{index}-{m.group(0)}-{client}", value)

        answers = [send(client, scenario, request, marks) for _ in range(request.times)]
        low, high = request.between
        for answer in answers:
            if not low <= answer["seconds"] <= high:
                timing.append(f"{client} took {answer['seconds']:.2f} s, expected {low} to {high}")
        results[client] = answers
    if timing:
        return timing
    if request.times > 1:
        found = []
        tables = {}
        for client, answers in results.items():
            table = collections.Counter()
            for answer in answers:
                shape = normal(answer, client)
                table[(shape["status"], shape["origin"])] += 1
            tables[client] = table
        for key in set(tables["envoy"]) | set(tables["apus"]):
            shares = [tables[client][key] / request.times for client in ("envoy", "apus")]
            if abs(shares[0] - shares[1]) > request.tolerance:
                found.append(f"{key}: envoy {shares[0]:.0%}, apus {shares[1]:.0%}")
        return found
    shapes = {client: normal(answers[0], client) for client, answers in results.items()}
    for shape, client in ((shapes["envoy"], "envoy"), (shapes["apus"], "apus")):
        text = json.dumps(shape)
        shapes[client] = json.loads(text.replace(f"-{client}\"", "-CLIENT\"").replace(f"-{client}:", "-CLIENT:"))
    found = differences(shapes["envoy"], shapes["apus"])
    if request.seen_key:
        mirrored = {}
        for client in CLIENTS:
            key = f"{scenario.name}-{index}-{request.seen_key}-{client}"
            expected = sum(count for count, _ in seen_by_origins(key).values())
            # A mirrored request is not waited for by anybody: give it a moment until the counts stand still.
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                time.sleep(0.05)
                now = sum(count for count, _ in seen_by_origins(key).values())
                if now == expected and now > 1:
                    break
                expected = now
            mirrored[client] = json.loads(json.dumps(seen_by_origins(key)))
        found += differences(
            {k: str(v) for k, v in mirrored["envoy"].items()}, {k: str(v) for k, v in mirrored["apus"].items()}, "seen")
    return found


def random_choice(scenario):
    """Scenarios without a rule that picks one origin: any of the three may answer a single request."""
    return not scenario.spec and scenario.name not in (
        "plain", "hash-header", "hash-query", "hash-cookie", "maglev", "round-robin", "random", "least-request",
        "dead-endpoint")


def run(programs, only=None, verbose=False):
    """Runs the scenarios; (passed, failed, report)."""
    report = []
    passed = failed = 0
    with processes.World(programs) as world:
        folder = world.folder / "manifests"
        folder.mkdir()
        (folder / "mesh.yaml").write_text(manifests())
        for name, address in ORIGINS.items():
            world.origin(name, f"{address}:8080")
        addresses = world.control_plane(folder)
        envoy_admin = world.envoy("envoy", addresses, "client-envoy", NAMESPACE, ip=CLIENTS["envoy"],
                                  labels=["client=envoy", "role=client"])
        world.apus_proxy("apus", addresses, "client-apus", NAMESPACE, ip=CLIENTS["apus"],
                         labels=["client=apus", "role=client"])
        for client, address in CLIENTS.items():
            world.wait(f"the listener of {client}", 20, lambda a=address: processes.get(
                f"{a}:8080", "/", {"Host": f"plain.{NAMESPACE}.svc.cluster.local"})[0] == 200)
        refused = processes.rejects(addresses)
        if refused:
            failed += 1
            states = json.dumps(processes.stream_status(addresses), indent=1)
            report.append(f"{refused} NACKs: " + "; ".join(re.findall(r'"message": (".*")', states)))
        for scenario in SCENARIOS:
            if only and not re.search(only, scenario.name):
                continue
            for index, request in enumerate(scenario.requests):
                found = compare(scenario, index, request)
                if random_choice(scenario):
                    found = [line for line in found if not line.startswith("origin:")
                             and "'x-origin'" not in line]
                label = f"{scenario.name}[{index}] {request.method} {request.path}"
                if found:
                    failed += 1
                    report.append(f"{label}\n    " + "\n    ".join(found))
                else:
                    passed += 1
                    if verbose:
                        print(f"ok {label}", flush=True)
        world.alive()
        if processes.rejects(addresses) != refused:
            failed += 1
            report.append("a proxy refused its configuration during the run")
    return passed, failed, report


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", help="scenarios whose name matches this expression")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    passed, failed, report = run(options.bin, options.only, options.v)
    print("\n".join(report))
    print(f"differential: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
