"""What one HTTP/2 request that goes on as HTTP/1.1 costs apus-proxy, a stock Envoy on the same xDS, and HAProxy."""
import os
import re
import shutil
import subprocess
import time

import http1
from measure import Table, cpu_times
from processes import Failure, World

CONNECTIONS = 8
STREAMS = 8
TO_ENVOY = 0.35
TO_HAPROXY = 1.1


def h2load(port, seconds):
    text = subprocess.run(
        ["h2load", "-D", str(seconds), "-c", str(CONNECTIONS), "-m", str(STREAMS), "-H", f":authority: {http1.HOST}",
         f"http://127.0.0.1:{port}/some/path?q=1"],
        check=True, capture_output=True, text=True, timeout=seconds + 60,
        preexec_fn=lambda: os.sched_setaffinity(0, http1.cores()[0])).stdout
    found = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    if not found:
        raise Failure(f"h2load gave no result:\n{text}")
    done, failed, errored, late = map(int, found.groups())
    if failed or errored or late:
        raise Failure(f"{failed + errored + late} of {done} requests failed:\n{text}")
    mean = re.search(r"time for request: +\S+ +\S+ +([\d.]+)(us|ms|s)", text)
    unit = {"us": 1, "ms": 1e3, "s": 1e6}
    return {"requests": done, "per_second": done / seconds,
            "mean_us": float(mean.group(1)) * unit[mean.group(2)] if mean else 0}


def run(programs, quick):
    if not shutil.which("h2load") or not shutil.which("nginx"):
        print("HTTP/2: h2load and nginx are needed; left out")
        return {"left_out": "h2load or nginx is not installed"}
    rounds, seconds = (2, 2) if quick else (5, 6)
    with World(programs) as world:
        _, proxies = http1.start(world)
        time.sleep(1)
        figures = {name: {"rounds": []} for name in proxies}
        for port, _ in proxies.values():
            h2load(port, 1)
        for _ in range(rounds):
            for name, (port, pid) in proxies.items():
                before = cpu_times(pid)
                answer = h2load(port, seconds)
                user, system = ((now - then) * 1e6 / answer["requests"] for now, then in zip(cpu_times(pid), before))
                answer.update(cpu_us=user + system, user_us=user, system_us=system)
                figures[name]["rounds"].append(answer)
        world.alive()
    for figure in figures.values():
        for key in ("cpu_us", "user_us", "system_us", "per_second", "mean_us"):
            values = sorted(one[key] for one in figure["rounds"])
            figure[key] = values[len(values) // 2]
    table = Table(
        f"HTTP/2 to HTTP/1.1: 1 worker, {CONNECTIONS} connections of {STREAMS} streams, 100 bytes; medians of {rounds} "
        f"interleaved rounds of {seconds} s", "proxy", "CPU us/request", "user", "kernel", "to Envoy", "to HAProxy",
        "requests/s", "mean us")
    for name, figure in figures.items():
        ratios = [f"{figure['cpu_us'] / figures[other]['cpu_us']:.2f}" if other in figures else "-"
                  for other in ("envoy", "haproxy")]
        table.row(name, f"{figure['cpu_us']:.1f}", f"{figure['user_us']:.1f}", f"{figure['system_us']:.1f}", *ratios,
                  f"{figure['per_second']:.0f}", f"{figure['mean_us']:.0f}")
    table.show()
    targets = []
    if "apus-proxy" in figures:
        for other, limit in (("envoy", TO_ENVOY), ("haproxy", TO_HAPROXY)):
            if other not in figures:
                continue
            ratio = figures["apus-proxy"]["cpu_us"] / figures[other]["cpu_us"]
            targets.append({"what": f"CPU per HTTP/2 request, share of {other.capitalize()}'s", "value": ratio,
                            "target": limit, "met": ratio <= limit})
    return {"proxies": figures, "targets": targets}
