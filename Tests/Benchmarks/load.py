"""How long a large folder takes from the start of the program to the first snapshot, and how long a check takes."""
import http.client
import json
import os
import re
import subprocess
import time

from measure import Table, cpu_seconds, memory, summary
from meshes import load_mesh
from processes import Failure, World


def until_ready(world, folder, number):
    """Seconds from the start of the program to /ready 200, asked every two milliseconds."""
    state = world.folder / f"state-{number}"
    name = f"serve-{number}"
    start = time.monotonic()
    process = world.start(name, [
        world.programs / "apus", "serve", folder, "--state", state, "--xds-port", 0, "--secure-port", 0,
        "--http-port", 0])
    run_file = state / "run.json"
    while not run_file.exists():
        world.alive()
        time.sleep(0.002)
    bound = time.monotonic() - start
    host, port = json.loads(run_file.read_text())["addresses"]["http"].rsplit(":", 1)
    while True:
        world.alive()
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request("GET", "/ready")
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            break
        time.sleep(0.002)
    seconds = time.monotonic() - start
    result = {"seconds": seconds, "bound": bound, "cpu": cpu_seconds(process.pid), "rss": memory(process.pid)}
    said = re.search(r"first snapshot.*took=\"?([0-9.e-]+) seconds", world.log(name))
    result["pipeline"] = float(said.group(1)) if said else None
    world.stop(name)
    return result


def run(programs, quick):
    files = 2000 if quick else 10000
    rounds = 3 if quick else 5
    with World(programs) as world:
        folder = world.folder / "mesh"
        folder.mkdir()
        size = load_mesh(folder, files)
        serves = [until_ready(world, folder, number) for number in range(rounds)]
        checks, check_cpu = [], []
        for _ in range(rounds):
            start = time.monotonic()
            process = subprocess.Popen(
                [world.programs / "apus", "check", folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True)
            findings = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = status
            if status != 0 or findings:
                raise Failure(f"a folder without mistakes: status {status}\n{findings[:1000]}")
            checks.append(time.monotonic() - start)
            check_cpu.append(used.ru_utime + used.ru_stime)
    result = {
        "files": files, "bytes": size, "serve_to_ready_s": summary([one["seconds"] for one in serves]),
        "pipeline_s": summary([one["pipeline"] for one in serves if one["pipeline"] is not None] or [0]),
        "serve_cpu_s": summary([one["cpu"] for one in serves]), "rss": serves[-1]["rss"],
        "check_s": summary(checks), "check_cpu_s": summary(check_cpu),
    }
    table = Table(f"Load: {files} files, {size / 1e6:.1f} MB", "what", "median s", "max s", "CPU s")
    table.row("serve, start to /ready", f"{result['serve_to_ready_s']['median']:.3f}",
              f"{result['serve_to_ready_s']['max']:.3f}", f"{result['serve_cpu_s']['median']:.2f}")
    table.row("  of that parse and snapshot", f"{result['pipeline_s']['median']:.3f}",
              f"{result['pipeline_s']['max']:.3f}", "")
    table.row("check", f"{result['check_s']['median']:.3f}", f"{result['check_s']['max']:.3f}",
              f"{result['check_cpu_s']['median']:.2f}")
    table.show()
    targets = []
    if not quick:
        value = result["serve_to_ready_s"]["median"]
        targets.append({"what": f"{files} files loaded, s", "value": value, "target": 0.5, "met": value <= 0.5})
    return {"result": result, "targets": targets}
