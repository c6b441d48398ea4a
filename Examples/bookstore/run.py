#!/usr/bin/env python3
"""Starts the bookstore: control plane, origins, sidecars and gateway as processes of this machine; sends requests and
shows where they went; stays up until Ctrl-C (or ends after the show with --once).

    run.py --bin .build/release [--once] [--requests N]
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAMESPACE = "bookstore"
ORIGINS = [
    ("storefront", 19081, "127.0.21.101:9080"),
    ("catalog", 19082, None),
    ("reviews-v1", 19083, None),
    ("reviews-v2", 19084, None),
]
PROXIES = [
    ("storefront", "sidecar", "127.0.21.1"),
    ("catalog", "sidecar", "127.0.21.2"),
    ("reviews-v1", "sidecar", "127.0.21.3"),
    ("reviews-v2", "sidecar", "127.0.21.4"),
    ("shop-gateway", "gateway", "127.0.21.9"),
]
GATEWAY = ("127.0.21.9", 8080)


class Mesh:
    def __init__(self, programs):
        self.programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-bookstore-"))
        self.processes = []

    def start(self, name, command):
        log = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes.append((name, process))
        return process

    def stop(self):
        for _, process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for _, process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def check_alive(self):
        for name, process in self.processes:
            if process.poll() is not None:
                text = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                raise SystemExit(f"{name} ended with code {process.returncode}:\n{text}")


def wait_until(what, seconds, mesh, test):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        mesh.check_alive()
        if test():
            return
        time.sleep(0.05)
    raise SystemExit(f"gave up waiting for {what} after {seconds} s; logs are in {mesh.folder}")


def get(address, path, headers=None, timeout=5):
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def show(title, counts, total):
    print(f"\n{title}")
    for key, count in sorted(counts.items()):
        print(f"  {key:<28} {count:>5}  {'#' * round(40 * count / total)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    # An interrupt while starting must also end what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    mesh = Mesh(options.bin)
    try:
        run(mesh, options)
    except KeyboardInterrupt:
        print("\nstopping")
    finally:
        mesh.stop()


def run(mesh, options):
    state = mesh.folder / "state"
    print("starting the control plane on Examples/bookstore/manifests")
    mesh.start("control-plane", [
        mesh.programs / "apus", "serve", HERE / "manifests", "--state", state, "--xds-port", 0, "--secure-port", 0,
        "--http-port", 0])
    run_file = state / "run.json"
    wait_until("the control plane", 20, mesh, run_file.exists)
    running = json.loads(run_file.read_text())
    xds = running["addresses"]["xds"]
    http_host, http_port = running["addresses"]["http"].rsplit(":", 1)
    wait_until("/ready", 20, mesh, lambda: get((http_host, int(http_port)), "/ready")[0] == 200)
    print(f"  xDS on {xds}, pages on http://{http_host}:{http_port}/debug/syncz")

    print("starting four origins, four sidecars and the gateway")
    for name, port, address in ORIGINS:
        mesh.start(f"origin-{name}", [sys.executable, HERE / "origin.py", name, port] + ([address] if address else []))
    for name, role, address in PROXIES:
        mesh.start(f"proxy-{name}", [
            mesh.programs / "apus-proxy", "--control-plane", xds, "--name", name, "--namespace", NAMESPACE, "--role",
            role, "--ip", address, "--plaintext", "--admin-port", 0, "--prometheus-port", 0, "--health-port", 0,
            "--concurrency", 1, "--state", mesh.folder / f"state-{name}"])
    shop = {"Host": "shop.example.com"}

    def answers():
        status, body = get(GATEWAY, "/", shop)
        return status == 200 and '"served_by": "catalog"' in body and '"reviews-v' in body

    wait_until("the first answer through the mesh", 30, mesh, answers)

    status, body = get(GATEWAY, "/", shop)
    print(f"\ncurl -H 'Host: shop.example.com' http://{GATEWAY[0]}:{GATEWAY[1]}/   -> {status}")
    print("  " + body.strip())
    status, body = get(GATEWAY, "/admin", shop)
    print(f"curl -H 'Host: shop.example.com' http://{GATEWAY[0]}:{GATEWAY[1]}/admin   -> {status} {body.strip()}")

    for title, headers in [
        (f"{options.requests} readers (75 % to reviews-v1, 25 % to reviews-v2)", {}),
        (f"{options.requests} beta readers (cookie group=beta: all to reviews-v2)", {"Cookie": "group=beta"}),
    ]:
        counts = collections.Counter()
        for _ in range(options.requests):
            status, body = get(GATEWAY, "/", {**shop, **headers})
            counts[json.loads(body)["reviews"].get("served_by", "failed") if status == 200 else f"HTTP {status}"] += 1
        show(title, counts, options.requests)
    sys.stdout.flush()
    if options.once:
        return
    print(f"\nThe mesh stays up until Ctrl-C. Try:\n"
          f"  curl -H 'Host: shop.example.com' http://{GATEWAY[0]}:{GATEWAY[1]}/\n"
          f"  {mesh.programs}/apus proxy-status --server http://{http_host}:{http_port}\n"
          f"Edit {HERE / 'manifests'} and send again: the change is in force at once.")
    sys.stdout.flush()
    while True:
        mesh.check_alive()
        time.sleep(1)


if __name__ == "__main__":
    main()
