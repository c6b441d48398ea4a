"""From the write of a file to the acknowledgement of the last stream."""
import json
import queue
import subprocess
import threading
import time

from measure import Table, cpu_seconds, memory, replace, summary
from meshes import PushMesh
from processes import Failure, World

DEBOUNCE = 10
# Seconds without a push, after which memory is read again.
CALM = 6
TARGETS = {1000: 60}
# Positions in the counts of the load client.
TYPES = ["cluster", "endpoints", "listener", "route", "secret"]


class Crowd:
    """The load client: words in, lines of JSON out."""

    def __init__(self, world, addresses, workloads):
        file = world.folder / f"workloads-{len(workloads)}"
        file.write_text("\n".join(workloads) + "\n")
        # The log of errors is read by `World`; the process ends with its stdin or by id.
        log = open(world.folder / "crowd.log", "ab")
        self.process = subprocess.Popen(
            [world.programs / "apus-bench", "--control-plane", addresses["xds"], "--workloads", file],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1)
        log.close()
        world.processes["crowd"] = self.process
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"event": "end"})

    def say(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def hear(self, event, seconds):
        try:
            answer = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise Failure(f"the crowd did not say {event} within {seconds} s") from None
        if answer["event"] != event:
            raise Failure(f"the crowd said {answer}, not {event}")
        return answer


def pushes(crowd, server, type_name, resource, path, variants, warm, count):
    """Writes the variants in turn; every write must reach every stream as one resource, and nothing else may come."""
    position = TYPES.index(type_name)
    short = {"endpoints": "eds", "route": "rds"}[type_name]
    latencies, firsts, sizes = [], [], []
    cpu = 0
    for index in range(warm + count):
        if index == warm:
            cpu = cpu_seconds(server)
        crowd.say(f"await {short} {resource}")
        crowd.hear("awaiting", 10)
        text = variants[index % 2]
        start = time.monotonic_ns()
        replace(path, text)
        answer = crowd.hear("arrived", 60)
        # Anything else that the write sets off comes within this time, and is counted.
        time.sleep(0.15)
        crowd.say("counts")
        counts = crowd.hear("counts", 10)
        others = [counts["resources"][place] for place in range(5) if place != position]
        if counts["resources"][position] != [1, 1] or any(other != [0, 0] for other in others) \
                or counts["removed"] != [0, 0] or counts["messages"] != [1, 1]:
            raise Failure(f"one changed {type_name} resource was to be sent to every stream, but: {counts}")
        if index >= warm:
            latencies.append((answer["last"] - start) / 1e6)
            firsts.append((answer["first"] - start) / 1e6)
            sizes.append(counts["bytes"])
    spent = cpu_seconds(server) - cpu
    return {
        "write_to_last_ack_ms": summary(latencies), "write_to_first_ms": summary(firsts),
        "after_debounce_ms": summary([value - DEBOUNCE for value in latencies]),
        "resources_per_stream": 1, "messages_per_stream": 1,
        "bytes_per_stream": {"min": min(low for low, _ in sizes), "max": max(high for _, high in sizes)},
        "cpu_ms_per_push": spent * 1000 / count,
    }


def one_size(programs, streams, services, warm, count):
    with World(programs) as world:
        folder = world.folder / "mesh"
        mesh = PushMesh(folder, services)
        addresses = world.control_plane(folder, extra=["--debounce", DEBOUNCE, "--log-level", "warning"])
        server = world.processes["control-plane"].pid
        before, cpu = memory(server), cpu_seconds(server)
        crowd = Crowd(world, addresses, mesh.workloads(streams))
        ready = crowd.hear("ready", 300)
        connect_cpu = cpu_seconds(server) - cpu
        time.sleep(1)
        after = memory(server)
        # Service 21 has no rules; service 20 has a VirtualService.
        endpoint = pushes(
            crowd, server, "endpoints", mesh.cluster(21), mesh.place(21) / "service-21-endpoints.yaml",
            [mesh.slice(21, 1), mesh.slice(21, 0)], warm, count)
        routes = pushes(
            crowd, server, "route", str(mesh.port(20)), mesh.place(20) / "service-20-routes.yaml",
            [mesh.routes(20, 4), mesh.routes(20, 3)], warm, max(count // 2, 3))
        time.sleep(CALM)
        calm = memory(server)
        world.alive()
        result = {
            "streams": streams, "services": services, "debounce_ms": DEBOUNCE,
            "first_configuration": {
                "seconds": ready["nanoseconds"] / 1e9, "bytes_per_stream": ready["bytes_per_stream"],
                "resources_per_stream": dict(zip(TYPES, ready["resources_per_stream"])), "cpu_seconds": connect_cpu},
            "memory": {
                "before": before, "connected": after, "per_stream": (after - before) / streams,
                "calm": calm, "calm_per_stream": (calm - before) / streams, "most": memory(server, "VmHWM")},
            "endpoint_change": endpoint, "route_change": routes,
        }
        crowd.process.stdin.close()
        return result


def run(programs, quick):
    services = 200 if quick else 1000
    sizes = [100] if quick else [100, 1000]
    results = [one_size(programs, size, services, 2 if quick else 3, 5 if quick else 20) for size in sizes]
    table = Table(
        f"Push: {services} services, debounce {DEBOUNCE} ms; milliseconds from the write to the last ACK",
        "change", "streams", "median", "p99", "less debounce", "first", "CPU ms", "bytes/stream")
    for result in results:
        for name, key in [("one endpoint", "endpoint_change"), ("one VirtualService", "route_change")]:
            part = result[key]
            table.row(name, result["streams"], f"{part['write_to_last_ack_ms']['median']:.1f}",
                      f"{part['write_to_last_ack_ms']['p99']:.1f}", f"{part['after_debounce_ms']['median']:.1f}",
                      f"{part['write_to_first_ms']['median']:.1f}", f"{part['cpu_ms_per_push']:.1f}",
                      part["bytes_per_stream"]["max"])
    table.show()
    table = Table(
        f"Streams: until all are configured; resident memory then, and {CALM} s after the last push",
        "streams", "seconds", "CPU s", "KB/stream sent", "RSS MB", "KB/stream", "calm MB", "KB/stream", "peak MB")
    for result in results:
        first, used = result["first_configuration"], result["memory"]
        table.row(result["streams"], f"{first['seconds']:.2f}", f"{first['cpu_seconds']:.2f}",
                  f"{first['bytes_per_stream'] / 1000:.0f}", f"{used['connected'] / 1e6:.0f}",
                  f"{used['per_stream'] / 1000:.0f}", f"{used['calm'] / 1e6:.0f}",
                  f"{used['calm_per_stream'] / 1000:.0f}", f"{used['most'] / 1e6:.0f}")
    table.show()
    targets = []
    for result in results:
        if result["streams"] in TARGETS:
            value = result["endpoint_change"]["after_debounce_ms"]["median"]
            limit = TARGETS[result["streams"]]
            targets.append({"what": f"endpoint to {result['streams']} streams after debounce, ms", "value": value,
                            "target": limit, "met": value <= limit})
    return {"results": results, "targets": targets}
