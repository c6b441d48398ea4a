"""What one HTTP/1.1 request costs apus-proxy, a stock Envoy on the same xDS, and HAProxy."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

from measure import Table, cpu_times, memory, pin
from processes import Failure, World, free_port, get, wait_until

HOST = "origin.bench.svc.cluster.local"
CONNECTIONS = 64
IDLE = 1000
RATIO = 0.4

SIDECAR = """\
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: {name}, namespace: bench}}
spec:
  workloadSelector: {{labels: {{app: {name}}}}}
  egress:
  - port: {{number: {port}, protocol: HTTP, name: http}}
    bind: 127.0.0.1
    captureMode: NONE
    hosts: [./*]
"""

MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {{name: origin, namespace: bench}}
spec:
  clusterIP: 10.96.0.1
  ports:
  - {{name: http, port: {apus}, targetPort: {origin}}}
  - {{name: http-envoy, port: {envoy}, targetPort: {origin}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: origin-1, namespace: bench, labels: {{kubernetes.io/service-name: origin}}}}
addressType: IPv4
ports:
- {{name: http, port: {origin}}}
- {{name: http-envoy, port: {origin}}}
endpoints:
- {{addresses: [127.0.0.1], conditions: {{ready: true}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: origin, namespace: bench}}
spec:
  hosts: [origin]
  http:
  - match: [{{headers: {{x-group: {{exact: beta}}}}}}]
    route: [{{destination: {{host: origin, port: {{number: {apus}}}}}}}]
  - route: [{{destination: {{host: origin}}}}]
"""

# What Envoy does by itself with Istio's configuration: request id, forwarded protocol, retries on a failed connection.
HAPROXY = """\
global
    nbthread 1
    maxconn 8000
defaults
    mode http
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    option http-keep-alive
    retries 2
frontend in
    bind 127.0.0.1:{port}
    unique-id-format %[uuid()]
    unique-id-header x-request-id
    http-request set-header x-forwarded-proto http
    acl beta hdr(x-group) -m str beta
    acl origin hdr(host) -i origin.bench.svc.cluster.local
    use_backend out if origin beta
    use_backend out if origin
    default_backend none
backend out
    http-reuse always
    server origin 127.0.0.1:{origin}
backend none
    http-request return status 404
"""

NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
{user}
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {folder}/nginx-1;
    proxy_temp_path {folder}/nginx-2;
    fastcgi_temp_path {folder}/nginx-3;
    uwsgi_temp_path {folder}/nginx-4;
    scgi_temp_path {folder}/nginx-5;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type text/plain;
        location / {{ return 200 "{body}"; }}
    }}
}}
"""

DONE = """\
done = function(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %.1f %.1f %d\\n", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def cores():
    """Those of load and origin, and the one that the proxies take in turn.

    Without pinning the scheduler decides, differently for each proxy, whether its writes wake somebody on another core;
    on two cores that moved the cost of a request by a third.
    """
    mine = sorted(os.sched_getaffinity(os.getpid()))
    return (set(mine[:-1]), {mine[-1]}) if len(mine) > 1 else (set(mine), set(mine))


def wrk(world, port, seconds):
    script = world.folder / "done.lua"
    script.write_text(DONE)
    text = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), "-H", f"Host: {HOST}",
         f"http://127.0.0.1:{port}/some/path?q=1"],
        check=True, capture_output=True, text=True, timeout=seconds + 60,
        preexec_fn=lambda: os.sched_setaffinity(0, cores()[0])).stdout
    for line in text.splitlines():
        if line.startswith("RESULT "):
            requests, duration, p50, p99, errors = line.split()[1:]
            if int(errors):
                raise Failure(f"{errors} of {requests} requests failed")
            return {"requests": int(requests), "per_second": int(requests) / (int(duration) / 1e6),
                    "p50_us": float(p50), "p99_us": float(p99)}
    raise Failure(f"wrk gave no result:\n{text}")


def ask(connection):
    connection.sendall(f"GET /idle HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < 100:
        more = connection.recv(4096)
        if not more:
            raise Failure("an idle connection was closed")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Failure(f"not 200: {answer[:200]}")


def idle_memory(port, pid):
    """Growth of the resident set by connections that have had one answer each and now wait."""
    with contextlib.ExitStack() as open_ones:
        for index in range(20):
            ask(open_ones.enter_context(socket.create_connection(("127.0.0.1", port))))
        time.sleep(0.5)
        before = memory(pid)
        for _ in range(IDLE):
            ask(open_ones.enter_context(socket.create_connection(("127.0.0.1", port))))
        time.sleep(1)
        return memory(pid) - before


def start(world):
    """The origin, the control plane and the three proxies; name -> (port, pid)."""
    origin, apus, envoy, haproxy = (free_port() for _ in range(4))
    nginx = world.folder / "nginx.conf"
    nginx.write_text(NGINX.format(folder=world.folder, port=origin, body="x" * 100,
                                  user="user root;" if not os.geteuid() else ""))
    world.start("origin", ["nginx", "-p", world.folder, "-c", nginx, "-e", world.folder / "nginx-error.log"])
    wait_until("the origin", 10, lambda: get(f"127.0.0.1:{origin}", "/")[0] == 200, world.alive)

    folder = world.folder / "mesh"
    folder.mkdir()
    (folder / "mesh.yaml").write_text(
        MANIFESTS.format(apus=apus, envoy=envoy, origin=origin) + SIDECAR.format(name="apus", port=apus)
        + SIDECAR.format(name="envoy", port=envoy))
    addresses = world.control_plane(folder)
    proxies = {}
    if (world.programs / "apus-proxy").exists():
        world.apus_proxy("apus", addresses, "apus", "bench", ip="127.3.0.1", labels=["app=apus"])
        proxies["apus-proxy"] = (apus, world.processes["apus"].pid)
    else:
        print("apus-proxy is not built: left out")
    world.envoy("envoy", addresses, "envoy", "bench", ip="127.3.0.2", labels=["app=envoy"])
    proxies["envoy"] = (envoy, world.processes["envoy"].pid)
    if shutil.which("haproxy"):
        config = world.folder / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=haproxy, origin=origin))
        world.start("haproxy", ["haproxy", "-db", "-f", config])
        proxies["haproxy"] = (haproxy, world.processes["haproxy"].pid)
    else:
        print("haproxy is not installed: left out")
    for process in world.processes.values():
        pin(process.pid, cores()[1] if process.pid in [pid for _, pid in proxies.values()] else cores()[0])
    for worker in pathlib.Path(f"/proc/{world.processes['origin'].pid}/task/{world.processes['origin'].pid}/children") \
            .read_text().split():
        pin(int(worker), cores()[0])
    for name, (port, _) in proxies.items():
        wait_until(f"{name} to answer", 20,
                   lambda: get(f"127.0.0.1:{port}", "/", headers={"Host": HOST})[0] == 200, world.alive)
    return origin, proxies


def run(programs, quick):
    if not shutil.which("wrk") or not shutil.which("nginx"):
        print("HTTP/1.1: wrk and nginx are needed; left out")
        return {"left_out": "wrk or nginx is not installed"}
    rounds, seconds = (2, 2) if quick else (5, 6)
    with World(programs) as world:
        origin, proxies = start(world)
        time.sleep(1)
        figures = {name: {"idle_rss": memory(pid), "rounds": []} for name, (_, pid) in proxies.items()}
        for name, (port, pid) in proxies.items():
            figures[name]["idle_connections_rss"] = idle_memory(port, pid)
        for port, _ in proxies.values():
            wrk(world, port, 1)
        direct = wrk(world, origin, seconds)
        for _ in range(rounds):
            for name, (port, pid) in proxies.items():
                before = cpu_times(pid)
                answer = wrk(world, port, seconds)
                user, system = ((now - then) * 1e6 / answer["requests"] for now, then in zip(cpu_times(pid), before))
                answer.update(cpu_us=user + system, user_us=user, system_us=system)
                figures[name]["rounds"].append(answer)
        world.alive()
        for name, (_, pid) in proxies.items():
            figures[name]["loaded_rss"] = memory(pid)
    for figure in figures.values():
        for key in ("cpu_us", "user_us", "system_us", "per_second", "p50_us", "p99_us"):
            values = sorted(one[key] for one in figure["rounds"])
            figure[key] = values[len(values) // 2]
    table = Table(
        f"HTTP/1.1: 1 worker, {CONNECTIONS} connections, 100 bytes; medians of {rounds} interleaved rounds of "
        f"{seconds} s", "proxy", "CPU us/request", "user", "kernel", "to Envoy", "to HAProxy", "requests/s", "p50 us",
        "p99 us", "idle MB", f"MB/{IDLE} idle conns")
    for name, figure in figures.items():
        ratios = [f"{figure['cpu_us'] / figures[other]['cpu_us']:.2f}" if other in figures else "-"
                  for other in ("envoy", "haproxy")]
        table.row(name, f"{figure['cpu_us']:.1f}", f"{figure['user_us']:.1f}", f"{figure['system_us']:.1f}",
                  *ratios, f"{figure['per_second']:.0f}", f"{figure['p50_us']:.0f}",
                  f"{figure['p99_us']:.0f}", f"{figure['idle_rss'] / 1e6:.1f}",
                  f"{figure['idle_connections_rss'] / 1e6 * 1000 / IDLE:.1f}")
    table.row("(origin alone)", "-", "-", "-", "-", "-", f"{direct['per_second']:.0f}", f"{direct['p50_us']:.0f}",
              f"{direct['p99_us']:.0f}", "-", "-")
    table.show()
    targets = []
    if "apus-proxy" in figures:
        ratio = figures["apus-proxy"]["cpu_us"] / figures["envoy"]["cpu_us"]
        targets.append({"what": "CPU per HTTP/1.1 request, share of Envoy's", "value": ratio, "target": RATIO,
                        "met": ratio <= RATIO})
        idle = figures["apus-proxy"]["idle_rss"] / 1e6
        targets.append({"what": "resident memory of an idle proxy, MB", "value": idle, "target": 30, "met": idle <= 30})
    return {"proxies": figures, "direct": direct, "targets": targets}
