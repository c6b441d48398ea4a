"""Tests with real peers: a stock Envoy and a gRPC program on the user's own snippets, a killed and restarted control
plane, and what an endpoint change sends."""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import processes
from processes import Failure, HERE, get, rejects, stream_status

APPS = """
apiVersion: v1
kind: Service
metadata: {name: my-app, namespace: default}
spec:
  selector: {app: my-app}
  ports: [{name: http, port: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: my-app-v1, namespace: default, labels: {app: my-app, version: v1}}
spec: {containers: [{name: app, image: my-app}]}
status: {podIP: 127.0.41.1, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: my-app-v2, namespace: default, labels: {app: my-app, version: v2}}
spec: {containers: [{name: app, image: my-app}]}
status: {podIP: 127.0.41.2, phase: Running}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: my-app-1, namespace: default, labels: {kubernetes.io/service-name: my-app}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
  - {addresses: [127.0.41.1], conditions: {ready: true}, targetRef: {kind: Pod, name: my-app-v1, namespace: default}}
  - {addresses: [127.0.41.2], conditions: {ready: true}, targetRef: {kind: Pod, name: my-app-v2, namespace: default}}
"""

SIDECARS = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: NAME, namespace: default}
spec:
  workloadSelector: {labels: {client: NAME}}
  egress:
    - port: {number: 8080, protocol: HTTP, name: http}
      bind: ADDRESS
      captureMode: NONE
      hosts: ["*/*"]
"""

# Canary, A/B by cookie, mirroring: the three patterns users begin with, one at a time on one host.
SUBSETS = """
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: my-app}
spec:
  host: my-app
  trafficPolicy:
    connectionPool:
      tcp: {maxConnections: 100}
      http: {h2UpgradePolicy: DEFAULT, http1MaxPendingRequests: 100, http2MaxRequests: 100}
    outlierDetection: {consecutive5xxErrors: 3, interval: 30s, baseEjectionTime: 30s, maxEjectionPercent: 50}
  subsets:
    - {name: v1, labels: {version: v1}}
    - {name: v2, labels: {version: v2}}
    - {name: stable, labels: {version: v1}, trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 200}}}}
    - {name: canary, labels: {version: v2}}
    - {name: v3, labels: {version: v3}}
"""
VIRTUAL_SERVICES = {
    "my-app": """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: my-app}
spec:
  hosts: [my-app, my-app.example.com]
  gateways: [mesh, my-gateway]
  http:
    - match: [{headers: {x-canary: {exact: "true"}}}]
      route: [{destination: {host: my-app, subset: canary}, weight: 100}]
    - route:
        - {destination: {host: my-app, subset: stable}, weight: 90}
        - {destination: {host: my-app, subset: canary}, weight: 10}
      timeout: 30s
      retries: {attempts: 3, perTryTimeout: 5s, retryOn: "5xx,reset"}
      fault: {abort: {percentage: {value: 0.1}, httpStatus: 500}}
---
apiVersion: networking.istio.io/v1beta1
kind: Gateway
metadata: {name: my-gateway}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 8088, name: http, protocol: HTTP}, hosts: [my-app.example.com]}
""",
    "canary": """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: canary}
spec:
  hosts: [my-app]
  http:
    - route:
        - {destination: {host: my-app, subset: v1}, weight: 95}
        - {destination: {host: my-app, subset: v2}, weight: 5}
""",
    "ab-test": """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: ab-test}
spec:
  hosts: [my-app]
  http:
    - match: [{headers: {cookie: {regex: ".*user_group=beta.*"}}}]
      route: [{destination: {host: my-app, subset: v2}}]
    - route: [{destination: {host: my-app, subset: v1}}]
""",
    "mirror": """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: mirror}
spec:
  hosts: [my-app]
  http:
    - route: [{destination: {host: my-app, subset: v1}, weight: 100}]
      mirror: {host: my-app, subset: v2}
      mirrorPercentage: {value: 100}
""",
}
ENTRIES = """
apiVersion: networking.istio.io/v1beta1
kind: ServiceEntry
metadata: {name: external-api}
spec:
  hosts: [api.external-service.com]
  location: MESH_EXTERNAL
  ports: [{number: 443, name: https, protocol: TLS}]
  resolution: DNS
---
apiVersion: networking.istio.io/v1beta1
kind: ServiceEntry
metadata: {name: vm-service}
spec:
  hosts: [vm-service.internal]
  location: MESH_INTERNAL
  ports: [{number: 8080, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints:
    - {address: 127.0.41.2, ports: {http: 8080}, labels: {app: legacy-app}}
"""


def check(condition, what):
    if not condition:
        raise Failure(what)


def ask(address, host, headers=None, path="/"):
    status, _, body = get(f"{address}:8080", path, {"Host": host, **(headers or {})})
    try:
        return status, json.loads(body).get("origin")
    except ValueError:
        return status, None


def write(file, text):
    """As an editor or a deploy tool does: beside it, then renamed over it."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(text)
    temporary.rename(file)


def first_steps(programs):
    """The user's snippets: the same answers from Envoy and from apus-proxy, no NACK, and a change moves traffic."""
    with processes.World(programs) as world:
        folder = world.folder / "manifests"
        folder.mkdir()
        (folder / "apps.yaml").write_text(APPS)
        (folder / "subsets.yaml").write_text(SUBSETS)
        (folder / "entries.yaml").write_text(ENTRIES)
        clients = {"client-envoy": "127.0.42.1", "client-apus": "127.0.42.2"}
        (folder / "sidecars.yaml").write_text("\n---\n".join(
            SIDECARS.replace("NAME", name).replace("ADDRESS", address) for name, address in clients.items()))
        (folder / "route.yaml").write_text(VIRTUAL_SERVICES["my-app"])
        world.origin("v1", "127.0.41.1:8080")
        world.origin("v2", "127.0.41.2:8080")
        addresses = world.control_plane(folder)
        world.envoy("envoy", addresses, "client-envoy", "default", ip="127.0.42.1", labels=["client=client-envoy"])
        world.apus_proxy("apus", addresses, "client-apus", "default", ip="127.0.42.2", labels=["client=client-apus"])
        for address in clients.values():
            world.wait("the first answer", 20, lambda a=address: ask(a, "my-app")[0] == 200)

        def shares(address, count=200, headers=None):
            answers = [ask(address, "my-app", headers) for _ in range(count)]
            return sum(1 for status, origin in answers if origin == "v2") / count

        for name, address in clients.items():
            check(shares(address, 20, {"x-canary": "true"}) == 1, f"{name}: x-canary does not lead to the canary")
            share = shares(address)
            check(0.02 < share < 0.25, f"{name}: {share:.0%} of the requests reached the canary, 10 % were asked for")
            # The rule aborts one request in a thousand with 500, so one answer alone may be that one.
            statuses = [ask(address, "my-app.example.com")[0] for _ in range(3)]
            check(200 in statuses, f"{name}: the second host is not served: {statuses}")
            check(ask(address, "vm-service.internal") == (200, "v2"), f"{name}: the ServiceEntry is not reached")

        write(folder / "route.yaml", VIRTUAL_SERVICES["ab-test"])
        for name, address in clients.items():
            # Five of five by the old rule's 10 % would be chance in one of 100,000 runs.
            beta = {"Cookie": "x=1; user_group=beta"}
            world.wait(f"{name}: the A/B rule", 5, lambda a=address, b=beta: shares(a, 5, b) == 1)
            check(shares(address, 20, beta) == 1, f"{name}: the cookie is not matched")
            check(shares(address, 20) == 0, f"{name}: readers without the cookie reach the canary")

        write(folder / "route.yaml", VIRTUAL_SERVICES["mirror"])
        for name, address in clients.items():
            key = f"mirror-{name}"

            def mirrored(a=address, k=key):
                ask(a, "my-app", {"x-test-key": k})
                return json.loads(get("127.0.41.2:8080", f"/seen?key={k}")[2])["count"] > 0

            world.wait(f"{name}: mirrored requests", 5, mirrored)
            check(ask(address, "my-app")[1] == "v1", f"{name}: the mirror answered")

        write(folder / "route.yaml", VIRTUAL_SERVICES["canary"])
        for name, address in clients.items():
            world.wait(f"{name}: the canary", 5, lambda a=address: 0 < shares(a, 60) < 0.4)
        check(rejects(addresses) == 0, f"{rejects(addresses)} NACKs")
        return "the user's snippets give the same answers through Envoy and apus-proxy, 0 NACKs"


def proxyless(programs):
    """gRPC's own xDS client reaches origins by weights."""
    with processes.World(programs) as world:
        folder = world.folder / "manifests"
        folder.mkdir()
        (folder / "grpc.yaml").write_text("""
apiVersion: v1
kind: Service
metadata: {name: who, namespace: default}
spec: {selector: {app: who}, ports: [{name: grpc, port: 50051}]}
---
apiVersion: v1
kind: Pod
metadata: {name: who-v1, namespace: default, labels: {app: who, version: v1}}
spec: {containers: [{name: app, image: who}]}
status: {podIP: 127.0.43.1, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: who-v2, namespace: default, labels: {app: who, version: v2}}
spec: {containers: [{name: app, image: who}]}
status: {podIP: 127.0.43.2, phase: Running}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: who, namespace: default}
spec:
  host: who
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: who, namespace: default}
spec:
  hosts: [who]
  http:
    - route:
        - {destination: {host: who, subset: v1}, weight: 70}
        - {destination: {host: who, subset: v2}, weight: 30}
""")
        for name, address in (("v1", "127.0.43.1:50051"), ("v2", "127.0.43.2:50051")):
            world.start(f"grpc-{name}", [sys.executable, HERE / "grpc_client.py", "--serve", name, address])
        addresses = world.control_plane(folder)
        bootstrap = subprocess.run(
            [world.programs / "apus", "bootstrap", "--for", "grpc", "--control-plane", addresses["xds"], "--name",
             "caller", "--namespace", "default", "--ip", "127.0.43.9", "--plaintext"],
            check=True, capture_output=True, text=True).stdout
        file = world.folder / "grpc.json"
        file.write_text(bootstrap)
        result = subprocess.run(
            [sys.executable, HERE / "grpc_client.py", "xds:///who.default.svc.cluster.local:50051", "200"],
            capture_output=True, text=True, timeout=90, env={**os.environ, "GRPC_XDS_BOOTSTRAP": str(file)})
        check(result.returncode == 0, f"the gRPC program failed: {result.stderr[-2000:]}")
        counts = json.loads(result.stdout)
        check(set(counts) == {"v1", "v2"}, f"answers came from {counts}")
        check(0.15 < counts["v2"] / 200 < 0.45, f"30 % were asked for v2, the counts are {counts}")
        check(rejects(addresses) == 0, f"{rejects(addresses)} NACKs")
        return f"gRPC's xDS client reached the origins by weights: {counts}"


def pushed(addresses):
    text = get(addresses["http"], "/metrics")[2]
    return {m[0]: int(m[1]) for m in re.findall(r'apus_xds_pushed_resources\{type="(\w+)"\} (\d+)', text)}


def survives(programs):
    """A killed control plane disturbs nobody; the next one re-pushes nothing that is unchanged; an endpoint change is
    one EDS resource and nothing else; a broken file changes nothing, across a restart too."""
    with processes.World(programs) as world:
        folder = world.folder / "manifests"
        folder.mkdir()
        (folder / "apps.yaml").write_text(APPS.replace("127.0.41.", "127.0.44."))
        (folder / "subsets.yaml").write_text(SUBSETS)
        (folder / "route.yaml").write_text(VIRTUAL_SERVICES["ab-test"])
        clients = {"client-envoy": "127.0.45.1", "client-apus": "127.0.45.2"}
        (folder / "sidecars.yaml").write_text("\n---\n".join(
            SIDECARS.replace("NAME", name).replace("ADDRESS", address) for name, address in clients.items()))
        world.origin("v1", "127.0.44.1:8080")
        world.origin("v2", "127.0.44.2:8080")
        addresses = world.control_plane(folder)
        ports = {"xds": addresses["xds"].rsplit(":", 1)[1], "http": addresses["http"].rsplit(":", 1)[1]}
        world.envoy("envoy", addresses, "client-envoy", "default", ip="127.0.45.1", labels=["client=client-envoy"])
        world.apus_proxy("apus", addresses, "client-apus", "default", ip="127.0.45.2", labels=["client=client-apus"])
        for address in clients.values():
            world.wait("the first answer", 20, lambda a=address: ask(a, "my-app")[0] == 200)

        def connected():
            return {row["proxy"] for row in stream_status(addresses)} == {"client-envoy.default", "client-apus.default"}

        def settled():
            return connected() and all(
                row[kind]["state"] in ("SYNCED", "NOT SENT") for row in stream_status(addresses)
                for kind in ("cluster", "endpoint", "listener", "route"))

        world.wait("both proxies to be in step", 10, settled)

        # An endpoint goes: one EDS resource per cluster that lists it and nothing else.
        before = pushed(addresses)
        slice_only_v1 = APPS.replace("127.0.41.", "127.0.44.").rsplit("\n  - {addresses: [127.0.44.2]", 1)[0] + "\n"
        write(folder / "apps.yaml", slice_only_v1)
        for address in clients.values():
            world.wait("the endpoint to be gone", 5, lambda a=address: ask(a, "my-app", {"Cookie": "user_group=beta"})[0] == 503)
        world.wait("both proxies to be in step", 10, settled)
        after = pushed(addresses)
        for kind in ("cds", "lds", "rds"):
            check(after[kind] == before[kind], f"an endpoint change sent {after[kind] - before[kind]} {kind} resources")
        # The base cluster and the two subsets of version v2 (v2, canary), for each of the two clients.
        check(after["eds"] - before["eds"] == 6, f"an endpoint change sent {after['eds'] - before['eds']} EDS resources, not 6")
        write(folder / "apps.yaml", APPS.replace("127.0.41.", "127.0.44."))
        for address in clients.values():
            world.wait("the endpoint to be back", 5, lambda a=address: ask(a, "my-app", {"Cookie": "user_group=beta"})[0] == 200)
        world.wait("both proxies to be in step", 10, settled)

        # A file that breaks hurts nobody, itself included.
        (folder / "route.yaml").write_text(VIRTUAL_SERVICES["ab-test"].replace("subset: v2", "subset: [v2"))
        world.wait("the error to be seen", 5, lambda: "route.yaml" in get(addresses["http"], "/debug/push_status")[2])
        for name, address in clients.items():
            check(ask(address, "my-app", {"Cookie": "user_group=beta"}) == (200, "v2"), f"{name}: a broken file changed a route")

        # Killed without a word: traffic goes on.
        world.stop("control-plane", signal.SIGKILL)
        for name, address in clients.items():
            for _ in range(20):
                check(ask(address, "my-app") == (200, "v1"), f"{name}: traffic is disturbed while the control plane is away")

        # A new one on the same ports, with the file still broken: the last good route holds, nothing is sent again.
        addresses = world.control_plane(folder, ports=ports)
        world.wait("both proxies to come back", 30, connected)
        world.wait("both proxies to be in step", 10, settled)
        for name, address in clients.items():
            check(ask(address, "my-app", {"Cookie": "user_group=beta"}) == (200, "v2"), f"{name}: the last good route is lost")
        sent = {row["proxy"]: {kind: row[kind].get("resources", 0) for kind in ("cluster", "endpoint", "listener", "route")}
                for row in stream_status(addresses)}
        check(all(count == 0 for row in sent.values() for count in row.values()),
              f"the restarted control plane sent unchanged resources again: {sent}")
        check(rejects(addresses) == 0, f"{rejects(addresses)} NACKs")

        # The proxy starts from its state while the control plane is away.
        world.stop("control-plane", signal.SIGKILL)
        world.stop("apus")
        world.apus_proxy("apus", addresses, "client-apus", "default", ip="127.0.45.2", labels=["client=client-apus"])
        world.wait("an answer from the state on disk", 10, lambda: ask("127.0.45.2", "my-app")[0] == 200)
        return "kill, restart, broken file and endpoint change: no disturbance, nothing re-pushed"


def stops(programs):
    """SIGTERM ends control plane and proxy with 0, whatever their clients do or leave undone."""
    import grpc

    with processes.World(programs) as world:
        folder = world.folder / "manifests"
        folder.mkdir()
        (folder / "apps.yaml").write_text(APPS.replace("127.0.41.", "127.0.46."))
        addresses = world.control_plane(folder)
        world.apus_proxy("apus", addresses, "client", "default", ip="127.0.47.1")
        with grpc.insecure_channel(addresses["xds"]) as channel:
            # A stream that is opened and then silent, and never ends by itself.
            gate = threading.Event()

            def silence():
                gate.wait(30)
                return
                yield

            stream = channel.stream_stream(
                "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources")(silence())
            grpc.channel_ready_future(channel).result(timeout=10)
            started = time.monotonic()
            code = world.stop("control-plane", seconds=15)
            took = time.monotonic() - started
            gate.set()
            stream.cancel()
        check(code == 0, f"the control plane ended with {code}")
        check(took < 10, f"the control plane took {took:.1f} s to stop")
        code = world.stop("apus", seconds=15)
        check(code == 0, f"the proxy ended with {code}")
        return f"both ended with 0, the control plane in {took:.2f} s beside a silent stream"


TESTS = [first_steps, proxyless, survives, stops]
