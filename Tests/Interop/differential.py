"""The same requests through a stock Envoy and through apus-proxy, both fed by one control plane: the answers must be
the same. What is compared: status, chosen origin, what the origin saw (line, headers, body), and what the client got
(headers, body). Each proxy has listeners of its own (a Sidecar per client, captureMode NONE)."""
import collections
import concurrent.futures
import http.client
import json
import re
import sys
import time

import processes
import wire
from scenarios import EXTRA, SCENARIOS, Wire

NAMESPACE = "diff"
ORIGINS = {"a": "127.0.31.1", "b": "127.0.31.2", "c": "127.0.31.3"}
# Speaks HTTP/2 alone.
ORIGIN_H2 = "127.0.31.4"
CLIENTS = {"envoy": "127.0.32.1", "apus": "127.0.32.2"}
GATEWAYS = {"envoy": "127.0.32.3", "apus": "127.0.32.4"}
PROXY_PORTS = {"envoy": 15932, "apus": 15933}
PORTS = (8080,)
TCP_PORTS = (9001, 9002, 9003)

# Both write Istio's text format to their output; the lines are compared at the end.
MESH_CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    accessLogFile: /dev/stdout
    accessLogFormat: "LOG %REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %REQ(:AUTHORITY)% %ROUTE_NAME% %UPSTREAM_CLUSTER_RAW%\\n"
"""

# Headers whose value differs from run to run: only their presence is compared.
VARYING = {"date", "x-envoy-upstream-service-time", "x-request-id"}


def manifests():
    """One folder's worth of YAML: the services of all scenarios over three origins, and the two clients."""
    documents = [f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}", MESH_CONFIG]
    for name, address in ORIGINS.items():
        documents.append(f"""
apiVersion: v1
kind: Pod
metadata: {{name: origin-{name}, namespace: {NAMESPACE}, labels: {{app: origin, version: {name}}}}}
spec:
  containers: [{{name: app, image: origin, ports: [{{containerPort: 8080}}]}}]
status: {{podIP: {address}, phase: Running}}""")
    documents.append(f"""
apiVersion: v1
kind: Pod
metadata: {{name: origin-h2, namespace: {NAMESPACE}, labels: {{app: origin-h2}}}}
spec:
  containers: [{{name: app, image: origin, ports: [{{containerPort: 8080}}]}}]
status: {{podIP: {ORIGIN_H2}, phase: Running}}""")
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
        egress += "\n" + "\n".join(f"""    - port: {{number: {port}, protocol: TCP, name: tcp-{port}}}
      bind: {address}
      captureMode: NONE
      hosts: ["./tcp-{port}.{NAMESPACE}.svc.cluster.local"]""" for port in TCP_PORTS)
        # The HTTP proxy port serves what a listener without a port imports.
        egress += """
    - captureMode: IPTABLES
      hosts: ["./*"]"""
        documents.append(f"""
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: client-{client}, namespace: {NAMESPACE}}}
spec:
  workloadSelector: {{labels: {{client: {client}}}}}
  egress:
{egress}""")
    for client, address in GATEWAYS.items():
        documents.append(f"""
apiVersion: v1
kind: Pod
metadata: {{name: gateway-{client}, namespace: {NAMESPACE}, labels: {{gateway: {client}}}}}
spec:
  containers: [{{name: app, image: gateway}}]
status: {{podIP: {address}, phase: Running}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gateway-{client}, namespace: {NAMESPACE}}}
spec:
  selector: {{gateway: {client}}}
  servers:
    - port: {{number: 8090, name: http, protocol: HTTP}}
      bind: {address}
      hosts: ["shop.example", "*.wild.example"]
    - port: {{number: 8092, name: http-redirect, protocol: HTTP}}
      bind: {address}
      hosts: ["shop.example"]
      tls: {{httpsRedirect: true}}
    - port: {{number: 8091, name: tcp, protocol: TCP}}
      bind: {address}
      hosts: ["*"]""")
    documents.append(EXTRA)
    for scenario in SCENARIOS:
        host = f"{scenario.name}.{NAMESPACE}.svc.cluster.local"
        selector = "" if scenario.name.startswith("dead-") else "selector: {app: origin}"
        documents.append(f"""
apiVersion: v1
kind: Service
metadata: {{name: {scenario.name}, namespace: {NAMESPACE}}}
spec:
  {selector}
  ports: [{{name: http, port: 8080, targetPort: 8080}}]""")
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


def address_of(client, request):
    if request.at == "proxy":
        return "127.0.0.1", PROXY_PORTS[client]
    return (GATEWAYS if request.at == "gateway" else CLIENTS)[client], request.port


def send(client, scenario, request, marks):
    """One request through one proxy; what the client and the origin saw."""
    connection = http.client.HTTPConnection(*address_of(client, request), timeout=20)
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
        return text.replace(CLIENTS[client], "CLIENT").replace(GATEWAYS[client], "GATEWAY").replace(
            f"127.0.0.1:{PROXY_PORTS[client]}", "PROXY")

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


def wire_shape(client, scenario, request, marks):
    """What came back for bytes sent as they stand, without what varies."""
    host = f"{scenario.name}.{NAMESPACE}.svc.cluster.local"
    steps = [step and marks(step.replace("HOST", host)).encode("latin-1") for step in request.steps]
    received, closed = wire.exchange(*address_of(client, request), steps, quiet=request.quiet)
    if request.tcp:
        return {"received": received.decode("latin-1"), "closed": closed}
    methods = re.findall(r"(?m)^([A-Z]+) \S+ HTTP/1", "".join(step or "" for step in request.steps))
    shapes = []
    for answer in wire.responses(received, methods):
        shape = normal(answer, client)
        shape["reason"], shape["framing"] = answer["reason"], answer["framing"]
        shapes.append(shape)
    return {"closed": closed, "count": len(shapes), **{f"answer {n}": shape for n, shape in enumerate(shapes)}}


def compare_wire(scenario, index, request):
    shapes = {}
    for client in CLIENTS:
        def marks(value, client=client):
            return re.sub(r"KEY\d", lambda m: f"{scenario.name}-{index}-{m.group(0)}-via-{client}", value)

        with concurrent.futures.ThreadPoolExecutor(request.times if request.together else 1) as crowd:
            def one(number):
                time.sleep(number * request.apart)
                return wire_shape(client, scenario, request, marks)

            many = list(crowd.map(one, range(request.times)))
        text = json.dumps(many)
        many = json.loads(text.replace(f"-via-{client}", "-via-CLIENT"))
        shapes[client] = many
    if request.times == 1:
        return differences(shapes["envoy"][0], shapes["apus"][0])
    found = []
    tables = {client: collections.Counter(json.dumps(shape) for shape in many) for client, many in shapes.items()}
    for key in set(tables["envoy"]) | set(tables["apus"]):
        shares = [tables[client][key] / request.times for client in ("envoy", "apus")]
        if abs(shares[0] - shares[1]) > request.tolerance:
            found.append(f"{key}: envoy {shares[0]:.0%}, apus {shares[1]:.0%}")
    return found


def compare(scenario, index, request):
    """Differences between the two proxies for one request of one scenario."""
    results = {}
    timing = []
    for client in CLIENTS:
        def marks(value, client=client):
            return re.sub(r"KEY\d", lambda m: f"{scenario.name}-{index}-{m.group(0)}-via-{client}", value)

        time.sleep(request.after)
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
        shapes[client] = json.loads(text.replace(f"-via-{client}", "-via-CLIENT"))
    found = differences(shapes["envoy"], shapes["apus"])
    if request.seen_key:
        mirrored = {}
        for client in CLIENTS:
            key = f"{scenario.name}-{index}-{request.seen_key}-via-{client}"
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
        "hash-header", "hash-query", "hash-cookie", "maglev", "round-robin", "random", "least-request",
        "dead-endpoint", "dead-once")


def run(programs, only=None, verbose=False):
    """Runs the scenarios; (passed, failed, report)."""
    report = []
    passed = failed = explained = 0
    with processes.World(programs) as world:
        folder = world.folder / "manifests"
        folder.mkdir()
        (folder / "mesh.yaml").write_text(manifests())
        for name, address in ORIGINS.items():
            world.origin(name, f"{address}:8080")
        world.start("origin-h2", [sys.executable, processes.HERE / "origin_h2.py", "h2", f"{ORIGIN_H2}:8080"])
        addresses = world.control_plane(folder)
        world.envoy("envoy", addresses, "client-envoy", NAMESPACE, ip=CLIENTS["envoy"],
                    labels=["client=envoy", "role=client"],
                    metadata=[f"HTTP_PROXY_PORT={PROXY_PORTS['envoy']}"])
        world.apus_proxy("apus", addresses, "client-apus", NAMESPACE, ip=CLIENTS["apus"],
                         labels=["client=apus", "role=client"],
                         environment={"ISTIO_META_HTTP_PROXY_PORT": str(PROXY_PORTS["apus"])})
        world.envoy("gateway-envoy", addresses, "gateway-envoy", NAMESPACE, ip=GATEWAYS["envoy"], role="gateway",
                    labels=["gateway=envoy"])
        world.apus_proxy("gateway-apus", addresses, "gateway-apus", NAMESPACE, ip=GATEWAYS["apus"], role="gateway",
                         labels=["gateway=apus"])
        for client, address in CLIENTS.items():
            world.wait(f"the listener of {client}", 20, lambda a=address: processes.get(
                f"{a}:8080", "/", {"Host": f"plain.{NAMESPACE}.svc.cluster.local"})[0] == 200)
        for address in GATEWAYS.values():
            world.wait("the listener of a gateway", 20, lambda a=address: processes.get(
                f"{a}:8090", "/", {"Host": "shop.example"})[0] == 200)
        refused = processes.rejects(addresses)
        if refused:
            failed += 1
            states = json.dumps(processes.stream_status(addresses), indent=1)
            report.append(f"{refused} NACKs: " + "; ".join(re.findall(r'"message": (".*")', states)))
        chosen = [scenario for scenario in SCENARIOS if not only or re.search(only, scenario.name)]
        # Exchanges of bytes spend their time waiting for silence, so they run beside each other.
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            silent = {(scenario.name, index): pool.submit(compare_wire, scenario, index, request)
                      for scenario in chosen for index, request in enumerate(scenario.requests)
                      if isinstance(request, Wire)}
        for scenario in chosen:
            for index, request in enumerate(scenario.requests):
                if isinstance(request, Wire):
                    found = silent[scenario.name, index].result()
                else:
                    found = compare(scenario, index, request)
                if random_choice(scenario):
                    found = [line for line in found if not re.match(r"(origin|body\\.origin):", line)
                             and "'x-origin'" not in line]
                label = f"{scenario.name}[{index}] {request.title}"
                if request.known:
                    explained += bool(found)
                    found = [] if found else ["no longer differs: " + request.known]
                    passed -= not found
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
    report.append(f"{explained} more differ as Docs/envoy-differences.md says")
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
