"""Starting and stopping what a test needs: control plane, proxies, a stock Envoy, origins. Everything binds loopback."""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Failure(Exception):
    """A test that did not hold."""


def wait_until(what, seconds, test, alive=lambda: None):
    """Polls until `test` is true; a bounded wait, never a fixed sleep."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        alive()
        result = test()
        if result:
            return result
        time.sleep(0.02)
    raise Failure(f"gave up waiting for {what} after {seconds} s")


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def get(address, path, headers=None, timeout=5, method="GET", body=None):
    """One request; (status, headers, body), status 0 when there was no answer."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, [], ""
    finally:
        connection.close()


class World:
    """A temporary folder and the processes of one test; ends them by id."""

    def __init__(self, programs):
        self.programs = pathlib.Path(programs).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-test-"))
        self.processes = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for name in self.processes:
                text = self.log(name)
                if text.strip():
                    print(f"--- {name} (end of log)\n{text[-3000:]}", file=sys.stderr)
        for name in list(self.processes)[::-1]:
            self.stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, environment=None):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})})
        log.close()
        self.processes[name] = process
        return process

    def stop(self, name, how=signal.SIGTERM, seconds=10):
        process = self.processes.pop(name, None)
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def log(self, name):
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def alive(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Failure(f"{name} ended with code {process.returncode}:\n{self.log(name)[-3000:]}")

    def wait(self, what, seconds, test):
        return wait_until(what, seconds, test, self.alive)

    # Parts of a mesh

    def control_plane(self, manifests, name="control-plane", state="state", ports=None, extra=()):
        """Starts `apus serve` and waits until it is ready; returns its addresses."""
        run_file = self.folder / state / "run.json"
        if run_file.exists():
            run_file.unlink()
        ports = ports or {}
        self.start(name, [
            self.programs / "apus", "serve", manifests, "--state", self.folder / state,
            "--xds-port", ports.get("xds", 0), "--secure-port", ports.get("secure", 0),
            "--http-port", ports.get("http", 0), *extra])
        self.wait("run.json", 30, run_file.exists)
        addresses = json.loads(run_file.read_text())["addresses"]
        self.wait("/ready", 30, lambda: get(addresses["http"], "/ready")[0] == 200)
        return addresses

    def apus_proxy(self, name, addresses, workload, namespace, *, role="sidecar", ip, labels=(), environment=None,
                   extra=(), state=None, wait=True, credentials=("--plaintext",)):
        admin = free_port()
        command = [
            self.programs / "apus-proxy", "--control-plane",
            addresses["xds" if "--plaintext" in credentials else "secure"], "--name", workload, "--namespace",
            namespace, "--role", role, "--ip", ip, *credentials, "--admin-port", admin, "--prometheus-port", 0,
            "--health-port", 0, "--concurrency", 1, "--state", self.folder / (state or f"state-{name}"), *extra]
        for label in labels:
            command += ["--label", label]
        self.start(name, command, environment)
        if wait:
            self.wait(f"{name} to be ready", 30, lambda: get(f"127.0.0.1:{admin}", "/ready")[0] == 200)
        return f"127.0.0.1:{admin}"

    def envoy(self, name, addresses, workload, namespace, *, role="sidecar", ip, labels=(), metadata=(), wait=True,
              concurrency=1, credentials=("--plaintext",)):
        admin = free_port()
        command = [
            self.programs / "apus", "bootstrap", "--for", "envoy", "--control-plane",
            addresses["xds" if "--plaintext" in credentials else "secure"], "--name",
            workload, "--namespace", namespace, "--role", role, "--ip", ip, *credentials, "--admin-port", str(admin)]
        for label in labels:
            command += ["--label", label]
        for pair in metadata:
            command += ["--metadata", pair]
        text = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
        file = self.folder / f"{name}.yaml"
        file.write_text(text)
        self.envoy_of(file, name, "--drain-time-s", 1, concurrency=concurrency)
        if wait:
            self.wait(f"{name} to be ready", 30, lambda: get(f"127.0.0.1:{admin}", "/ready")[0] == 200)
        return f"127.0.0.1:{admin}"

    def envoy_of(self, file, name="envoy", *extra, concurrency=1, level="warning"):
        """A stock Envoy with a bootstrap of the test's own."""
        self.start(name, [envoy_binary(), "-c", file, "--concurrency", concurrency, "--disable-hot-restart",
                          "--log-level", level, *extra])

    def apus_of(self, file, name, *, concurrency=1):
        """apus-proxy with the same."""
        self.start(name, [self.programs / "apus-proxy", "--config", file, "--concurrency", concurrency])

    def origin(self, name, address):
        self.start(f"origin-{name}", [sys.executable, HERE / "origin.py", name, address])

        def listening():
            return get(address, "/hello")[0] == 200

        self.wait(f"origin {name}", 10, listening)


def envoy_binary():
    """The stock Envoy of the Python environment that runs this."""
    import envoy

    inner = pathlib.Path(envoy.__file__).parent / "_bin" / "envoy"
    return inner if inner.exists() else shutil.which("envoy")


def compare(run):
    """The main program of a comparison: `run(programs, only, verbose)` gives (passed, failed, report)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", help="cases whose name matches this expression")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    passed, failed, report = run(options.bin, options.only, options.v)
    print("\n".join(report))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def rejects(addresses):
    """NACKs that the control plane has counted."""
    text = get(addresses["http"], "/metrics")[2]
    for line in text.splitlines():
        if line.startswith("pilot_total_xds_rejects "):
            return int(float(line.split()[1]))
    raise Failure("the control plane does not count rejects")


def stream_status(addresses):
    return json.loads(get(addresses["http"], "/debug/syncz")[2])
