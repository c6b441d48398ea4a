"""HTTP/2 with real peers: curl, nghttp, h2load and Python's h2 as clients; random header lists against two other HPACK
codecs, both ways; and attackers, beside whom a good client must go on as before."""
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time

import processes
from processes import Failure, World, get

ORIGIN = "127.0.51.1:8080"
LISTENER = ("127.0.51.2", 8080)
HOST = "origin.two.svc.cluster.local"
# Attackers keep the first origin busy; the good client beside them asks this one.
GOOD_ORIGIN = "127.0.51.3:8080"
GOOD_HOST = "good.two.svc.cluster.local"
MANIFESTS = f"""
apiVersion: v1
kind: Namespace
metadata: {{name: two}}
---
apiVersion: v1
kind: Service
metadata: {{name: origin, namespace: two}}
spec:
  selector: {{app: origin}}
  ports: [{{name: http, port: 8080}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: origin, namespace: two, labels: {{app: origin}}}}
spec: {{containers: [{{name: app, image: origin}}]}}
status: {{podIP: {ORIGIN.split(":")[0]}, phase: Running}}
---
apiVersion: v1
kind: Service
metadata: {{name: good, namespace: two}}
spec:
  selector: {{app: good}}
  ports: [{{name: http, port: 8080}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: good, namespace: two, labels: {{app: good}}}}
spec: {{containers: [{{name: app, image: origin}}]}}
status: {{podIP: {GOOD_ORIGIN.split(":")[0]}, phase: Running}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: client, namespace: two}}
spec:
  workloadSelector: {{labels: {{app: client}}}}
  egress:
    - port: {{number: {LISTENER[1]}, protocol: HTTP, name: http}}
      bind: {LISTENER[0]}
      captureMode: NONE
      hosts: ["./*"]
"""
# The same listener in a stock Envoy.
PEER = ("127.0.51.4", LISTENER[1])
MANIFESTS += MANIFESTS[MANIFESTS.rindex("---\n"):].replace("client", "envoy").replace(LISTENER[0], PEER[0])
URL = f"http://{LISTENER[0]}:{LISTENER[1]}"

# An attacker may make the proxy grow by so much, in bytes.
MEMORY = 64 << 20


def check(condition, what):
    if not condition:
        raise Failure(what)


def start(world):
    """The origin, the control plane and a sidecar with one listener; the sidecar's process id and
    the control plane's addresses."""
    folder = world.folder / "mesh"
    folder.mkdir()
    (folder / "mesh.yaml").write_text(MANIFESTS)
    world.origin("origin", ORIGIN)
    world.origin("good", GOOD_ORIGIN)
    addresses = world.control_plane(folder)
    world.apus_proxy("proxy", addresses, "client", "two", ip=LISTENER[0], labels=["app=client"])
    world.wait("a first answer", 20,
               lambda: get(f"{LISTENER[0]}:{LISTENER[1]}", "/", headers={"Host": HOST})[0] == 200)
    return world.processes["proxy"].pid, addresses


class Client:
    """Python's h2 on a socket: one request at a time."""

    def __init__(self, address=None, validates=True, **settings):
        import h2.config
        import h2.connection

        self.machine = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True, header_encoding="latin-1", validate_outbound_headers=validates,
                normalize_outbound_headers=validates))
        self.socket = socket.create_connection(address or LISTENER, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.machine.initiate_connection()
        if settings:
            self.machine.update_settings(settings)
        self.push()

    def push(self):
        self.socket.sendall(self.machine.data_to_send())

    def ask(self, headers=(), method="GET", path="/", body=None, trailers=None, pseudo=None):
        """(status, headers, body) of one request; `pseudo` takes the place of all its fields."""
        stream = self.machine.get_next_available_stream_id()
        self.machine.send_headers(
            stream, [(":method", method), (":scheme", "http"), (":authority", HOST), (":path", path), *headers],
            end_stream=body is None and trailers is None)
        for begin in range(0, len(body or b""), 16_384):
            while self.machine.local_flow_control_window(stream) < 16_384:
                self.push()
                self.take(stream, [0, [], b""])
            last = begin + 16_384 >= len(body)
            self.machine.send_data(stream, body[begin:begin + 16_384], end_stream=last and trailers is None)
        if trailers:
            self.machine.send_headers(stream, trailers, end_stream=True)
        self.push()
        answer = [0, [], b""]
        while not self.take(stream, answer):
            pass
        return tuple(answer)

    def take(self, stream, answer):
        """One read; true when the stream has ended."""
        import h2.events

        data = self.socket.recv(65_536)
        check(data, "the proxy closed the connection")
        ended = False
        for event in self.machine.receive_data(data):
            if getattr(event, "stream_id", stream) != stream:
                continue
            if isinstance(event, h2.events.ResponseReceived):
                answer[1] = [(n, v) for n, v in event.headers if not n.startswith(":")]
                answer[0] = int(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.DataReceived):
                answer[2] += event.data
                self.machine.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, h2.events.StreamEnded):
                ended = True
            elif isinstance(event, h2.events.StreamReset):
                answer[0] = -int(event.error_code)
                ended = True
            elif isinstance(event, h2.events.ConnectionTerminated):
                raise Failure(f"GOAWAY {event.error_code}")
        self.push()
        return ended

    def close(self):
        self.socket.close()


def http2_clients(programs):
    """curl, nghttp, h2load and Python's h2 get what they ask for."""
    with World(programs) as world:
        start(world)
        seen = []
        if shutil.which("curl"):
            out = subprocess.run(
                ["curl", "-s", "--http2-prior-knowledge", "-H", f"Host: {HOST}", "-w", "\n%{http_version} %{http_code}",
                 "--data-binary", "x" * 100_000, f"{URL}/curl"], capture_output=True, text=True, timeout=20).stdout
            body, _, end = out.rpartition("\n")
            check(end == "2 200" and len(json.loads(body)["body"]) == 100_000, f"curl got {end}: {out[-300:]}")
            seen.append("curl")
        if shutil.which("nghttp"):
            out = subprocess.run(
                ["nghttp", "-H", f":authority: {HOST}", "-m", "20", f"{URL}/nghttp"], capture_output=True, text=True,
                timeout=20).stdout
            check(out.count('"target": "/nghttp"') == 20, f"nghttp got {out[-300:]}")
            seen.append("nghttp")
        if shutil.which("h2load"):
            out = subprocess.run(
                ["h2load", "-n", "3000", "-c", "8", "-m", "50", "-H", f":authority: {HOST}", f"{URL}/h2load"],
                capture_output=True, text=True, timeout=120).stdout
            check("3000 succeeded, 0 failed, 0 errored, 0 timeout" in out, f"h2load: {out[-600:]}")
            seen.append("h2load")
        client = Client()
        for size in (0, 1, 16_384, 300_000):
            status, _, body = client.ask(method="POST", body=b"y" * size if size else None)
            check(status == 200 and len(json.loads(body)["body"]) == size, f"h2: {status} for {size} octets")
        status, headers, body = client.ask(method="HEAD")
        check(status == 200 and not body and int(dict(headers)["content-length"]) > 0, f"HEAD: {status} {headers}")
        status, _, body = client.ask([("x-test-status", "204")])
        check(status == 204 and not body, f"204: {status}")
        status, _, _ = client.ask([("x-test-chunked", "1")])
        check(status == 200, f"chunks: {status}")
        status, _, _ = client.ask(path="/nowhere", headers=[("x-test-status", "503")])
        check(status == 503, f"503: {status}")
        client.close()
        return f"{', '.join(seen)} and Python's h2 are served"


# Headers

def words(chance, count, letters):
    return "".join(chance.choice(letters) for _ in range(count))


def header_list(chance, size):
    """Random fields of many shapes; names that the proxy itself reads are left out by their prefix."""
    lower = "abcdefghijklmnopqrstuvwxyz0123456789-_."
    visible = "".join(map(chr, range(33, 127)))
    fields = []
    for _ in range(size):
        name = "q-" + words(chance, chance.choice((1, 3, 8, 40)), lower)
        inner = chance.choice((0, 1, 5, 30, 200))
        value = words(chance, inner, visible + (" " if inner > 2 else "")).strip()
        fields.append((name, value))
        if chance.random() < 0.3:
            fields.append((name, value))
    return fields


def http2_headers(programs):
    """Random header lists come through unchanged, encoded by hpack and by nghttp2, and back."""
    chance = random.Random(7541)
    lists = 0
    with World(programs) as world:
        start(world)
        client = Client()
        for size in (4096, 0, 64, 4096, 65_536):
            # The table that the proxy's encoder may use; and what Python's encoder puts into its own.
            import h2.settings
            client.machine.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: size})
            client.push()
            for _ in range(60):
                fields = header_list(chance, chance.choice((1, 5, 20)))
                back = [("x-test-header", f"{n}={v}") for n, v in header_list(chance, 4)]
                status, headers, body = client.ask(fields + back)
                check(status == 200, f"status {status} for {fields}")
                origin = [tuple(one) for one in json.loads(body)["headers"] if one[0].startswith("q-")]
                check(sorted(origin) == sorted(fields), f"the origin saw {origin} and not {fields}")
                answer = [one for one in headers if one[0].startswith("q-")]
                wanted = [tuple(value.split("=", 1)) for _, value in back]
                check(sorted(answer) == sorted((n, v.strip()) for n, v in wanted), f"the client saw {answer}, not {wanted}")
                lists += 2
        client.close()
        if shutil.which("nghttp"):
            for _ in range(20):
                # nghttp takes no empty value from its command line.
                fields = [one for one in header_list(chance, 12) if one[1]]
                back = [("x-test-header", f"q-{i}={v}") for i, (_, v) in enumerate(header_list(chance, 4)) if v]
                command = ["nghttp", "-v", "--no-dep", "-H", f":authority: {HOST}"]
                for name, value in fields + back:
                    command += ["-H", f"{name}: {value}"]
                out = subprocess.run(command + [f"{URL}/"], capture_output=True, text=True, timeout=20).stdout
                begin = out.find('{"origin"')
                origin = json.JSONDecoder().raw_decode(out[begin:])[0]["headers"] if begin >= 0 else []
                got = sorted(tuple(one) for one in origin if one[0].startswith("q-"))
                check(got == sorted(fields), f"the origin saw {got} and not {sorted(fields)}")
                for _, pair in back:
                    name, value = pair.split("=", 1)
                    check(f"{name}: {value}" in out, f"nghttp did not see {pair}")
                lists += 2
    return f"{lists} header lists are the same on both sides"


# Beside Envoy

def fields(method="GET", path="/", authority=HOST, more=(), scheme="http"):
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path), *more]


COMPARED = {
    "plain": {},
    "query": {"path": "/a/b?c=d&e"},
    "head": {"method": "HEAD"},
    "post": {"method": "POST", "body": b"hello"},
    "post with length": {"method": "POST", "body": b"hello", "headers": [("content-length", "5")]},
    "post without body": {"method": "POST"},
    "put of 100,000": {"method": "PUT", "body": b"z" * 100_000},
    "request trailers": {"method": "POST", "body": b"hello", "trailers": [("x-trailer", "1")]},
    "204": {"headers": [("x-test-status", "204")]},
    "304": {"headers": [("x-test-status", "304")]},
    "404": {"headers": [("x-test-status", "404")]},
    "503": {"headers": [("x-test-status", "503")]},
    "chunks": {"headers": [("x-test-chunked", "1")]},
    "trailers of the answer": {"headers": [("x-test-chunked", "1"), ("x-test-trailer", "x-end=1")]},
    "fields of the answer": {"headers": [("x-test-header", "X-Mixed=Case"), ("x-test-header", "set-cookie=a=1"),
                                         ("x-test-header", "set-cookie=b=2")]},
    "crumbs": {"headers": [("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]},
    "repeated field": {"headers": [("x-one", "1"), ("x-one", "2")]},
    "te": {"headers": [("te", "trailers")]},
    "expect": {"method": "POST", "body": b"x", "headers": [("expect", "100-continue")]},
    "no such host": {"pseudo": fields(authority="nobody.example")},
    "options *": {"pseudo": fields("OPTIONS", "*")},
    "connect": {"pseudo": [(":method", "CONNECT"), (":authority", HOST)]},
    "own method": {"pseudo": fields("PURGE")},
    "host beside authority": {"pseudo": fields(more=[("host", HOST)])},
    "upper case": {"pseudo": fields(more=[("X-Upper", "1")])},
    "connection": {"pseudo": fields(more=[("connection", "close")])},
    "no path": {"pseudo": fields()[:3]},
    "two paths": {"pseudo": fields() + [(":path", "/b")]},
    "field before pseudo": {"pseudo": [("a", "b")] + fields()},
    "line break": {"pseudo": fields(more=[("a", "b\r\nc: d")])},
    "101 fields": {"pseudo": fields(more=[(f"x-{i}", "1") for i in range(101)])},
    "64 KiB": {"pseudo": fields(more=[(f"x-{i}", "1" * 4000) for i in range(17)])},
}


def outcome(address, request):
    """What a client sees of one request on a connection of its own; that it was thrown out is one outcome."""
    import differential

    client = Client(address, validates="pseudo" not in request)
    try:
        status, headers, body = client.ask(**request)
    except (Failure, OSError):
        return {"status": "ended"}
    finally:
        client.close()
    if status < 0:
        return {"status": "reset"}
    text = body.decode("latin-1").replace(address[0], "CLIENT")
    try:
        seen = json.loads(text)
        text = {**seen, "headers": [list(one) for one in differential.normal_headers(seen["headers"])]}
    except (ValueError, KeyError, TypeError):
        pass
    headers = [(n, "(of the echo)" if n == "content-length" and isinstance(text, dict) else v)
               for n, v in differential.normal_headers(headers)]
    return {"status": status, "headers": headers, "body": text}


def http2_like_envoy(programs):
    """The same requests of HTTP/2 through apus-proxy and a stock Envoy have the same answers."""
    with World(programs) as world:
        addresses = start(world)[1]
        world.envoy("envoy", addresses, "envoy", "two", ip=PEER[0], labels=["app=envoy"])
        world.wait("Envoy's listener", 20,
                   lambda: get(f"{PEER[0]}:{PEER[1]}", "/", headers={"Host": HOST})[0] == 200)
        found = []
        for title, request in COMPARED.items():
            apus, envoy = outcome(LISTENER, request), outcome(PEER, request)
            if apus != envoy:
                found.append(f"{title}: apus {json.dumps(apus)[:600]}, envoy {json.dumps(envoy)[:600]}")
        check(not found, "\n    ".join(["differences:", *found]))
    return f"{len(COMPARED)} requests are equal"


# Attackers

def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def opening(settings=b""):
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, settings) + frame(4, 1, 0)


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name.encode() + b"\x7f" + varint(len(value) - 127) + value.encode() \
        if len(value) >= 127 else b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


REQUEST = b"\x82\x86\x84" + b"\x01" + bytes([len(HOST)]) + HOST.encode()


def rapid_reset():
    return opening(), (frame(1, 5, 2 * i + 1, REQUEST) + frame(3, 0, 2 * i + 1, b"\0\0\0\x08") for i in range(1 << 20))


def continuation_flood():
    return opening() + frame(1, 1, 1, REQUEST), (frame(9, 0, 1, b"\x00\x01a\x01b") * 100 for _ in range(1 << 20))


def settings_flood():
    return opening(), (frame(4, 0, 0, b"\x00\x04\x00\x01\x00\x00") * 200 for _ in range(1 << 20))


def ping_flood():
    return opening(), (frame(6, 0, 0, b"12345678") * 200 for _ in range(1 << 20))


def empty_frames():
    return opening() + frame(1, 4, 1, b"\x83" + REQUEST[1:]), (frame(0, 0, 1) * 200 for _ in range(1 << 20))


def priority_flood():
    return opening(), (frame(2, 0, 1, b"\0\0\0\0\x01") * 200 for _ in range(1 << 20))


def window_update_flood():
    return opening() + frame(1, 5, 1, REQUEST), (frame(8, 0, 0, b"\0\0\0\x01") * 200 for _ in range(1 << 20))


def header_bomb():
    """A field of nearly 4 KiB in the table, and then nothing but references to it."""
    put = frame(1, 5, 1, REQUEST + b"\x40\x01x\x7f" + varint(3900 - 127) + b"y" * 3900)
    return opening() + put, (frame(1, 5, 2 * i + 3, REQUEST + b"\xbe" * 15_000) for i in range(1 << 20))


def name_bomb():
    """The same with the name, which every new entry copies."""
    put = frame(1, 5, 1, REQUEST + b"\x40\x7f" + varint(3900 - 127) + b"y" * 3900 + b"\x00")
    return opening() + put, (frame(1, 5, 2 * i + 3, REQUEST + b"\x7e\x00" * 7000) for i in range(1 << 20))


def zero_window():
    """Asks for many answers and lets none of them go."""
    big = literal("x-big", "z" * 14_000)
    return opening(b"\x00\x04\x00\x00\x00\x00"), (
        frame(1, 5, 2 * i + 1, REQUEST + big) if i < 200 else (time.sleep(0.05) or b"") for i in range(1 << 20))


def silent_reader():
    """Asks on and on without reading an answer."""
    big = literal("x-big", "z" * 8000)
    return opening(), (frame(1, 5, 2 * i + 1, REQUEST + big) for i in range(1 << 20))


ATTACKS = [rapid_reset, continuation_flood, settings_flood, ping_flood, empty_frames, priority_flood,
           window_update_flood, header_bomb, name_bomb, zero_window, silent_reader]


def attack(name, seconds):
    """Does it again and again on new connections until the time is over; prints how often it was thrown out."""
    # The proxy is to be measured, not who gets the cores of this machine.
    os.nice(19)
    end = time.monotonic() + seconds
    ended = 0
    while time.monotonic() < end:
        try:
            with socket.create_connection(LISTENER, timeout=2) as connection:
                first, rest = globals()[name]()
                connection.sendall(first)
                for part in rest:
                    if time.monotonic() > end:
                        break
                    if part:
                        connection.sendall(part)
        except TimeoutError:
            continue
        except OSError:
            ended += 1
    print(ended)


def percentile(seconds):
    """The p99 of a good client, in milliseconds: HTTP/1.1, one request after the other."""
    import http.client

    times = []
    connection = http.client.HTTPConnection(*LISTENER, timeout=10)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        connection.request("GET", "/good", headers={"Host": GOOD_HOST})
        answer = connection.getresponse()
        answer.read()
        check(answer.status == 200, f"the good client got {answer.status}")
        times.append(time.monotonic() - begin)
        time.sleep(0.002)
    connection.close()
    times.sort()
    return times[len(times) * 99 // 100] * 1000


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def http2_attackers(programs, seconds=2.5):
    """Floods and bombs are thrown out or held; memory stays, and a good client beside them is served as before."""
    said = []
    with World(programs) as world:
        pid, _ = start(world)
        percentile(0.5)
        quiet = max(percentile(seconds), percentile(seconds))
        base = resident(pid)
        for one in ATTACKS:
            process = subprocess.Popen([sys.executable, __file__, one.__name__, str(seconds + 0.5)],
                                       stdout=subprocess.PIPE, text=True)
            try:
                try:
                    beside = percentile(seconds)
                except OSError as error:
                    raise Failure(f"beside {one.__name__} the good client got {error!r}") from None
                grown = resident(pid) - base
                out, _ = process.communicate(timeout=30)
                check(process.returncode == 0, f"{one.__name__} itself failed")
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            world.alive()
            check(grown < MEMORY, f"{one.__name__} made the proxy grow by {grown >> 20} MiB")
            # Load, proxy and origin share the machine's cores, so the quiet figure doubles by that alone.
            check(beside < 2 * quiet + 20, f"beside {one.__name__} the p99 rose from {quiet:.1f} to {beside:.1f} ms")
            said.append(f"{one.__name__} {beside:.1f} ms +{max(0, grown) >> 20} MiB, {out.strip()} ended")
        check(get(f"{LISTENER[0]}:{LISTENER[1]}", "/", headers={"Host": GOOD_HOST})[0] == 200, "the proxy no longer answers")
    return f"quiet p99 {quiet:.1f} ms; " + "; ".join(said)


TESTS = [http2_clients, http2_headers, http2_like_envoy, http2_attackers]

if __name__ == "__main__":
    attack(sys.argv[1], float(sys.argv[2]))
