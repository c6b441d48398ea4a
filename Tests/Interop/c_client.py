"""Examples/c-client: a second implementation of our wire, on gRPC's C core, protobuf-c and OpenSSL, judges Apus; and a hostile
control plane judges the example. The program runs with the address and undefined-behaviour sanitizers.
"""
import calendar
import concurrent.futures
import json
import os
import pathlib
import re
import select
import signal
import socket
import stat
import subprocess
import time

import grpc

from identity import CREATE, DELTA, Mesh, check, openssl, varint
from processes import ROOT, World, stream_status

EXAMPLE = ROOT / "Examples" / "c-client"
ENVOY = "type.googleapis.com/envoy.config."
TYPES = {"cds": "clusters", "eds": "endpoints", "lds": "listeners", "rds": "routes"}
OURS = "spiffe://cluster.local/ns/shop/sa/cart"

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: {port}}}]}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: {name}-1, namespace: shop}}
spec: {{address: {address}, labels: {{app: {name}}}, serviceAccount: {name}}}
"""


def build():
    """The program with sanitizers, built where it stays for the next run; its own tests have passed."""
    folder = ROOT / ".build" / "c-client"
    os.environ.pop("ASAN_OPTIONS", None)

    def make(target):
        result = subprocess.run(
            ["make", "-C", EXAMPLE, f"-j{os.cpu_count()}", f"BUILD={folder}", "SANITIZE=address,undefined", target],
            capture_output=True, text=True, timeout=300)
        check(result.returncode == 0, f"make {target} of the example:\n{result.stdout[-2000:]}\n{result.stderr[-3000:]}")
        return result.stdout

    make("all")
    # Where no process may trace another, leaks cannot be looked for; everything else can.
    if "LeakSanitizer has encountered" in subprocess.run([folder / "c-client", "--version"], capture_output=True, text=True).stderr:
        os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
    return folder / "c-client", re.search(r"(\d+) facts hold", make("check")).group(0)


class Client:
    """The program with what it needs to know about one control plane."""

    def __init__(self, program, folder, control_plane, roots):
        self.program, self.folder, self.control_plane = program, folder, control_plane
        self.roots, self.said = folder / "client-roots.pem", ""
        self.roots.write_text(roots)

    def command(self, state, *more):
        return [str(part) for part in [
            self.program, "--control-plane", self.control_plane, "--root-cert", self.roots, "--namespace", "shop",
            "--service-account", "cart", "--state", self.folder / state, *more]]

    def run(self, state, *more, text=False):
        """(exit code, events or text, words). A sanitizer's complaint is a failure whatever the code."""
        result = subprocess.run(
            self.command(state, *([] if text else ["-o", "json"]), *more), capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        out, words = result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace")
        self.said += out + words
        check("Sanitizer" not in words and "runtime error" not in words and result.returncode >= 0,
              f"the client crashed ({result.returncode}):\n{words}")
        return result.returncode, out if text else [json.loads(line) for line in out.splitlines()], words

    def token(self, text):
        file = self.folder / f"token-{len(list(self.folder.glob('token-*')))}"
        file.write_text(text + "\n")
        return "--token-file", file


class Watching:
    """The program as it runs: events as they come."""

    def __init__(self, client, state, *more):
        self.client, self.buffer, self.events = client, b"", []
        self.words = open(client.folder / f"{state}-{time.monotonic_ns()}.log", "w+b")
        self.process = subprocess.Popen(
            client.command(state, "-o", "json", *more), stdout=subprocess.PIPE, stderr=self.words, stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.words.close()

    def until(self, what, test, seconds=20):
        """The first event after the one that was found last for which `test` holds; those between are dropped."""
        end, at = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            for event in self.events[at:]:
                at += 1
                if test(event):
                    del self.events[:at]
                    return event
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                piece = os.read(self.process.stdout.fileno(), 1 << 16)
                check(piece or self.buffer, f"the client ended while it was asked for {what}: {self.text()}")
                *lines, self.buffer = (self.buffer + piece).split(b"\n")
                self.events += [json.loads(line) for line in lines]
                if not piece:
                    break
        check(False, f"no event for {what}; there are {self.events[-5:]} and the words {self.text()}")

    def text(self):
        self.words.flush()
        self.words.seek(0)
        return self.words.read().decode(errors="replace")

    def stop(self, code=0):
        self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=20)[0].decode()
        self.client.said += out + self.text()
        check(self.process.returncode == code, f"SIGTERM ended it with {self.process.returncode}: {self.text()}")
        check("Sanitizer" not in self.text(), self.text())
        return [json.loads(line) for line in (self.buffer.decode() + out).splitlines()]


def kinds(events):
    return [event["event"] for event in events]


def named(events, kind):
    return sorted(event["name"] for event in events if event["event"] == "resource" and event["type"] == kind)


def certificate(events):
    return next(event for event in events if event["event"] == "certificate")


class Facts:
    def __init__(self):
        self.count = 0

    def same(self, found, wanted, what):
        self.count += 1
        check(found == wanted, f"{what}: {found}, expected {wanted}")


def age(state, seconds):
    """Lets the certificate of a state folder look as if it had come so long ago."""
    when = time.time() - seconds
    os.utime(state / "certificate.pem", (when, when))


def c_client(programs):
    """Joins, watches, comes back, renews; and is turned away as it should be."""
    program, own = build()
    facts = Facts()
    same = facts.same
    with World(programs) as world:
        mesh = Mesh(world)
        manifests = world.folder / "manifests"
        (manifests / "service.yaml").write_text(SERVICE.format(name="cart", port=8080, address="127.0.0.5"))
        client = Client(program, world.folder, mesh.addresses["secure"], mesh.roots)
        once = mesh.token("shop", "cart", "--once")
        token = client.token(once)

        # Joining with a token: everything that a proxy of this kind gets, by `apus compile`.
        code, events, words = client.run("c", *token, "--until-synced")
        same(code, 0, f"the first start, {words}")
        same(words, "", "words without need")
        same([certificate(events)[key] for key in ("source", "good", "identity")], ["token", True, OURS], "the certificate")
        same({each["check"]: each["good"] for each in certificate(events)["checks"]},
             dict.fromkeys(["chain", "time", "name", "usage", "key"], True), "its check")
        compiled = json.loads(subprocess.run(
            [programs + "/apus", "compile", manifests, "--proxy", "c-client.shop", "--ip", "127.0.0.1", "--interception-mode", "none",
             "--type", "all", "-o", "json"],
            capture_output=True, check=True).stdout)
        for kind, key in TYPES.items():
            names = sorted(each.get("name", each.get("clusterName", each.get("cluster_name"))) for each in compiled[key])
            same(named(events, kind), names, f"the names of {kind}")
            check(names, f"no {kind} to compare")
        same(events[-1], {"event": "synced", **{kind: len(compiled[key]) for kind, key in TYPES.items()}}, "the last event")
        endpoints = [event["endpoints"] for event in events if event.get("type") == "eds" and "endpoints" in event]
        same([(each["address"], each["port"]) for group in endpoints for each in group], [("127.0.0.5", 8080)], "endpoints")

        # What it leaves behind, by OpenSSL's own program.
        state = world.folder / "c"
        same(stat.S_IMODE(os.stat(state).st_mode), 0o700, "mode of the folder")
        same(sorted(file.name for file in state.iterdir()), ["certificate.pem", "key.pem", "lock"], "files")
        for file in state.iterdir():
            same(stat.S_IMODE(os.stat(file).st_mode), 0o600, f"mode of {file.name}")
        leaf, roots = state / "certificate.pem", client.roots
        same(openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", roots, "-untrusted", leaf, leaf),
             f"{leaf}: OK\n", "openssl verify")
        same(openssl("x509", "-in", leaf, "-noout", "-serial").strip().lower(), "serial=" + certificate(events)["serial"], "serial")
        same(openssl("x509", "-in", leaf, "-noout", "-pubkey"), openssl("pkey", "-in", state / "key.pem", "-pubout"), "the key")
        check(f"URI:{OURS}" in openssl("x509", "-in", leaf, "-noout", "-ext", "subjectAltName"), "the name")

        # The second start needs no token, and gets no new certificate.
        before = leaf.read_text()
        code, events, words = client.run("c", "--until-synced")
        same((code, certificate(events)["source"], leaf.read_text() == before), (0, "folder", True), f"the second start, {words}")
        code, events, words = client.run("c", "--for", "1")
        same((code, "synced" in kinds(events)), (0, True), f"a second of watching, {words}")
        bare = subprocess.run(
            [program], capture_output=True, text=True, timeout=60, env={
                **os.environ, "APUS_CONTROL_PLANE": client.control_plane, "APUS_ROOT_CERT": str(roots), "APUS_STATE": str(state),
                "APUS_NAMESPACE": "shop", "APUS_SERVICE_ACCOUNT": "cart", "APUS_UNTIL_SYNCED": "true", "APUS_OUTPUT": "json"})
        same((bare.returncode, '"event":"synced"' in bare.stdout), (0, True), f"all from the environment, {bare.stderr}")
        code, text, _ = client.run("c", "--until-synced", text=True)
        check(code == 0 and re.search(r"^eds \+ \S+cart\S+  version \w+  1 endpoint 127\.0\.0\.5:8080$", text, re.M)
              and re.search(r"^  name   good spiffe", text, re.M), f"text: {text}")

        # Changes come while it is connected, are acknowledged, and SIGTERM is a good end.
        with Watching(client, "c", "--label", "app=looker") as watching:
            watching.until("synced", lambda event: event["event"] == "synced")
            world.wait("all to be acknowledged", 10, lambda: [
                [row[kind]["state"] for kind in ("cluster", "endpoint", "listener", "route")]
                for row in stream_status(mesh.addresses)] == [["SYNCED"] * 4])
            same(client.run("c", "--until-synced")[0], 75, "a second client on the same folder")
            text = SERVICE.format(name="cart", port=8080, address="127.0.0.6")
            (manifests / "service.yaml").write_text(text)
            changed = watching.until("the endpoint", lambda event: event.get("change") == "changed" and event["type"] == "eds")
            same([each["address"] for each in changed["endpoints"]], ["127.0.0.6"], "the moved endpoint")
            (manifests / "more.yaml").write_text(SERVICE.format(name="pay", port=8090, address="127.0.0.7"))
            added = watching.until("a cluster", lambda event: event.get("change") == "added" and event["type"] == "cds")
            same(added["name"], "outbound|8090||pay.shop.svc.cluster.local", "the new cluster")
            watching.until("its endpoints", lambda event: event.get("change") == "added" and event["type"] == "eds")
            watching.until("its route", lambda event: event.get("change") == "added" and event["type"] == "rds")
            (manifests / "more.yaml").unlink()
            gone = set()
            while gone != {"cds", "eds", "lds", "rds"}:
                gone.add(watching.until(f"its end, with {gone} gone", lambda event: event.get("change") == "removed")["type"])
            watching.stop()

        # The control plane goes and comes back: what is held already does not come again, what changed meanwhile does.
        with Watching(client, "c") as watching:
            watching.until("synced", lambda event: event["event"] == "synced")
            port = int(mesh.addresses["secure"].rsplit(":", 1)[1])
            world.stop("control-plane")
            (manifests / "service.yaml").write_text(SERVICE.format(name="cart", port=8080, address="127.0.0.8"))
            mesh.addresses = world.control_plane(manifests, ports={"secure": port})
            watching.until("the stream", lambda event: event["event"] == "connected" and event["again"])
            event = watching.until("the change", lambda event: event["event"] == "resource")
            same((event["change"], event["type"]), ("changed", "eds"), "the first event after the return")
            same([event["event"] for event in watching.stop() if event["event"] == "resource"], [], "more events after it")

        # Renewal before the end, with a new key, on a stream that goes on where it was. A certificate begins two minutes before it
        # is made, so one for thirty seconds can be made to look old enough.
        many, brief = client.token(mesh.token()), world.folder / "brief"
        life = ["--certificate-life", "30"]
        same(client.run("brief", *many, *life, "--until-synced")[0], 0, "a short life")
        old_key = (brief / "key.pem").read_text()
        age(brief, 200)
        code, events, words = client.run("brief", *life, "--until-synced")
        same([event["source"] for event in events if event["event"] == "certificate"], ["folder", "renewal"], f"renewal, {words}")
        check((brief / "key.pem").read_text() != old_key, "renewed without a new key")
        same(code, 0, "the start with a renewal")
        renewal, ends = [calendar.timegm(time.strptime(events[1][key], "%Y-%m-%dT%H:%M:%SZ")) for key in ("renewal", "ends")]
        got = os.stat(brief / "certificate.pem").st_mtime
        share = (renewal - int(got)) / (ends - int(got))
        check(0.45 < share < 0.85, f"renewal at {share:.2f} of the life")
        # Aged so that it is due five seconds from now.
        age(brief, time.time() - (time.time() + 5 - ends * share) / (1 - share))
        with Watching(client, "brief", *life) as watching:
            watching.until("synced", lambda event: event["event"] == "synced")
            watching.until("a new certificate", lambda event: event["event"] == "certificate" and event["source"] == "renewal")
            watching.until("the stream", lambda event: event["event"] == "connected" and event["again"])
            same([event for event in watching.stop() if event["event"] == "resource"], [], "resources that came again")

        # A crash between the two renames of a renewal; and a token of one use whose answer was lost.
        (state / "key.pem").rename(state / "next-key.pem")
        same(client.run("c", "--until-synced")[0], 0, "a start after half a renewal")
        check((state / "key.pem").exists() and not (state / "next-key.pem").exists(), "half a renewal was not put right")
        spare = mesh.token("shop", "cart", "--once")
        spent = client.token(spare)
        same(client.run("lost", *spent, "--until-synced")[0], 0, "a join")
        (world.folder / "lost" / "key.pem").rename(world.folder / "lost" / "next-key.pem")
        (world.folder / "lost" / "certificate.pem").unlink()
        same(client.run("lost", *spent, "--until-synced")[0], 0, "the same key comes again with its token")

        # Turned away, each with its own code, and nothing is kept.
        stranger = world.folder / "stranger.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                world.folder / "stranger.key", "-out", stranger, "-subj", "/O=cluster.local/CN=Root CA", "-days", "30")
        empty, wide = world.folder / "empty", world.folder / "wide"
        empty.write_text("")
        wide.mkdir(mode=0o755)
        for code, why, arguments in [
            (77, "the token was used before", [*spent]),
            (77, "UNAUTHENTICATED", [*client.token("x.y.z")]),
            (77, "UNAUTHENTICATED", [*client.token(once)]),
            (65, "no token", [*client.token("two words")]),
            (65, "no such file", ["--token-file", world.folder / "nowhere"]),
            (64, "--token-file", []),
            (69, "certificate verify failed", [*many, "--root-cert", stranger]),
            (65, "no certificates", [*many, "--root-cert", empty]),
            (69, "refused", [*many, "--control-plane", "127.0.0.1:1"]),
            (69, "UNAVAILABLE", [*many, "--server-name", "elsewhere"]),
            (79, "is not good", [*many, "--service-account", "admin"]),
            (79, "is not good", [*many, "--trust-domain", "other"]),
            (77, "INVALID_ARGUMENT", [*many, "--certificate-life", 200 * 86400]),
            (78, "open to others", [*many, "--state", wide]),
            (73, "", [*many, "--state", "/proc/c-client"]),
            (64, "unknown argument", ["--what"]),
            (64, "--types", ["--types", "cds,eds,xds"]),
            (64, "--types", ["--types", "eds"]),
            (64, "--for", ["--for", "0"]),
            (64, "--namespace", ["--namespace", "a/b"]),
        ]:
            number = facts.count
            found, events, words = client.run(f"out-{number}", "--until-synced", *arguments)
            same(found, code, f"{' '.join(map(str, arguments))}: {words}")
            check(why.lower() in words.lower(), f"{arguments}: {words} (expected {why})")
            kept = world.folder / f"out-{number}" / "certificate.pem"
            check(not kept.exists(), f"{arguments}: a certificate was kept")
        for file in ["key.pem", "certificate.pem"]:
            (state / file).chmod(0o644)
            code, _, words = client.run("c", "--until-synced")
            same((code, "chmod 600" in words), (78, True), f"{file} is open to others")
            (state / file).chmod(0o600)
        code, events, _ = client.run("c", "--service-account", "admin", "--until-synced")
        same((code, [each["check"] for each in certificate(events)["checks"] if not each["good"]]), (79, ["name"]), "another's name")
        (state / "key.pem").write_text("no key")
        same(client.run("c", "--until-synced")[0], 64, "a key that is none, and no token")

        # Every option is in the help, and in README.md.
        code, text, _ = client.run("help", "--help", text=True)
        options = set(re.findall(r'^    \{"([a-z-]+)"', (EXAMPLE / "src" / "arguments.c").read_text(), re.M))
        check(code == 0 and len(options) > 10 and options <= set(re.findall(r"--([a-z-]+)", text)), f"help: {text}")
        readme = (EXAMPLE / "README.md").read_text()
        same([option for option in sorted(options) if f"`--{option}" not in readme], [], "options that README.md leaves out")

        # No secret was said, by either side.
        for file in world.folder.rglob("*key*.pem"):
            if file.is_relative_to(world.folder / "state"):
                continue
            for line in file.read_text().splitlines()[1:-1]:
                check(line not in client.said and line not in world.log("control-plane"), f"the key of {file} was said")
        for secret in ["PRIVATE KEY", old_key.splitlines()[1], once, spare, pathlib.Path(many[1]).read_text().strip()]:
            check(secret not in client.said and secret not in world.log("control-plane"), "a secret was said")
        return f"{own}; {facts.count} facts about joining, watching, coming back and being turned away hold"


# A control plane that means no good

def field(number, data):
    """A length-delimited field of protobuf."""
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def cluster(name, more=b""):
    return field(1, name) + more


def resource(name, body, *, version="1", url=ENVOY + "cluster.v3.Cluster"):
    return field(3, name) + field(1, version) + field(2, field(1, url) + field(2, body))


def response(*resources, url=ENVOY + "cluster.v3.Cluster", nonce="n"):
    return b"".join(field(2, each) for each in resources) + field(4, url) + field(5, nonce)


def deep(levels):
    """A cluster with metadata of nested objects: field 25 is Metadata, its map's value a Struct."""
    value = b"\x08\x00"
    for _ in range(levels):
        # Struct.fields entry {key = "", value = Value{struct_value}}
        value = field(5, field(1, field(2, value)))
    return field(25, field(1, field(1, "m") + field(2, field(1, field(2, value)))))


class Villain:
    """A server on gRPC's Python whose answers a test writes: `certificate(csr)` gives bytes, `stream(requests)` yields them."""

    def __init__(self, key, chain):
        self.certificate = self.stream = None
        self.seen = []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])

        def create(request, context):
            self.seen.append(request)
            return self.certificate(request)

        def watch(requests, context):
            yield from self.stream(requests, context)

        for path, handler in [(CREATE, grpc.unary_unary_rpc_method_handler(create)),
                              (DELTA, grpc.stream_stream_rpc_method_handler(watch))]:
            service, method = path.strip("/").split("/")
            self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {method: handler})])
        port = self.server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
        self.address = f"127.0.0.1:{port}"
        self.server.start()


class Forge:
    """An authority made with OpenSSL, whose certificates may be wrong in any way."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.root, self.root_key = folder / "root.pem", folder / "root.key"
        self.make_root(self.root, self.root_key)

    def make_root(self, out, key):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", out,
                "-subj", "/CN=Villain", "-days", "30", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def key(self, name):
        key = self.folder / name
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        csr = self.folder / f"{name}.csr"
        openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-out", csr)
        return key.read_bytes(), csr.read_text()

    def sign(self, csr, names=f"URI:{OURS}", *, usage="serverAuth,clientAuth", begin=-60, end=3600, ca="FALSE", digest="sha256",
             signer=None):
        root, root_key = signer or (self.root, self.root_key)
        (self.folder / "index").write_text("")
        (self.folder / "config").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\nnew_certs_dir={self.folder}\nrand_serial=yes\n"
            f"default_md={digest}\npolicy=p\nunique_subject=no\nx509_extensions=e\n[p]\ncommonName=optional\n"
            f"[e]\nbasicConstraints=critical,CA:{ca}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            + (f"extendedKeyUsage={usage}\n" if usage else "") + (f"subjectAltName=critical,{names}\n" if names else ""))
        (self.folder / "csr").write_text(csr)
        moment = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset)) for offset in (begin, end)]
        out = self.folder / "leaf.pem"
        openssl("ca", "-batch", "-notext", "-config", self.folder / "config", "-in", self.folder / "csr", "-cert", root, "-keyfile",
                root_key, "-startdate", moment[0], "-enddate", moment[1], "-out", out)
        return out.read_text()


def answer(*chain):
    return b"".join(field(1, part) for part in chain)


def csr_of(request):
    """The PEM in IstioCertificateRequest, checked by OpenSSL: its signature holds, and no key is in it."""
    text = re.search(rb"-----BEGIN CERTIFICATE REQUEST-----.*-----END CERTIFICATE REQUEST-----\n", request, re.S).group(0).decode()
    check(b"PRIVATE" not in request, "a key was sent")
    shown = openssl("req", "-verify", "-noout", "-text", inputs=text.encode())
    check(f"URI:{OURS}" in shown and "prime256v1" in shown, f"the request is {shown}")
    return text


def c_client_hostile(programs):
    """Whatever a control plane answers: it is refused with a reason, and nothing crashes, hangs or is kept."""
    program, _ = build()
    facts = Facts()
    same = facts.same
    with World(programs) as world:
        forge = Forge(world.folder / "forge")
        key, csr = forge.key("server")
        villain = Villain(key, forge.sign(csr, "IP:127.0.0.1", usage="serverAuth").encode())
        client = Client(program, world.folder, villain.address, forge.root.read_text())
        token = client.token("a.b.c")
        other_root, other_key = forge.folder / "other.pem", forge.folder / "other.key"
        forge.make_root(other_root, other_key)
        _, others_csr = forge.key("other")
        nul = b"spiffe://cluster.local/ns/shop/sa/cart\x00.evil"
        nul_name = bytes([0x86, len(nul)]) + nul
        root = forge.root.read_text()

        def refuse(code):
            def stream(requests, context):
                next(requests)
                context.abort(code, "go \x1b[31maway")
                yield b""
            return stream

        # The first, so that the pattern of all others is known to be good.
        villain.stream = refuse(grpc.StatusCode.PERMISSION_DENIED)
        villain.certificate = lambda request: answer(forge.sign(csr_of(request)), root)
        code, events, words = client.run("good", *token)
        same((code, certificate(events)["good"]), (77, True), f"a good certificate and a refused stream, {words}")
        check("\x1b" not in words and "\\x1b" in words, "the peer's control characters reach the terminal")

        def bad(events):
            return [each["check"] for each in certificate(events)["checks"] if not each["good"]]

        for what, wrong, arguments in [
            ("another's name", ["name"], dict(names="URI:spiffe://cluster.local/ns/shop/sa/admin")),
            ("another trust domain", ["name"], dict(names="URI:spiffe://other/ns/shop/sa/cart")),
            ("two names", ["name"], dict(names=f"URI:{OURS},URI:spiffe://cluster.local/ns/shop/sa/admin")),
            ("no URI name", ["name"], dict(names="DNS:cart")),
            ("no name", ["chain", "name"], dict(names=None)),
            ("a NUL in the name", ["name"], dict(names="DER:" + (bytes([0x30, len(nul_name)]) + nul_name).hex())),
            ("for servers only", ["usage"], dict(usage="serverAuth")),
            ("for clients only", ["usage"], dict(usage="clientAuth")),
            ("for nothing", ["usage"], dict(usage=None)),
            ("a signer", ["chain", "usage"], dict(ca="TRUE")),
            ("ended", ["time"], dict(begin=-3600, end=-60)),
            ("not begun", ["time"], dict(begin=3600, end=7200)),
            ("another root of the same name", ["chain"], dict(signer=(other_root, other_key))),
            ("a weak digest", ["chain"], dict(digest="sha1")),
        ]:
            villain.certificate = lambda request, arguments=arguments: answer(forge.sign(csr_of(request), **arguments), root)
            code, events, words = client.run("bad", *token)
            same((code, bad(events)), (79, wrong), f"{what}: {certificate(events)['checks']} {words}")
        villain.certificate = lambda request: answer(forge.sign(others_csr), root)
        code, events, _ = client.run("bad", *token)
        same((code, bad(events)), (79, ["key"]), "another key's certificate")

        block = "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n"
        for what, expected, body in [
            ("nothing", 76, b""),
            ("an empty chain", 76, answer("")),
            ("words", 76, answer("hello")),
            ("no protobuf", 76, b"\xff" * 40),
            ("no UTF-8", 76, answer(b"\xff\xfe")),
            ("a NUL", 76, answer(root.encode() + b"\0")),
            ("a cut block", 76, answer(root[:200])),
            ("no base64", 76, answer(block.format("????\n"))),
            ("no certificate in it", 76, answer(block.format("AAAA\n"))),
            ("an encrypted block, for which a password would be asked", 76,
             answer(block.format("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"))),
            ("eleven certificates", 76, answer(*[root] * 11)),
            ("a key beside the root", 79, answer(root, forge.root_key.read_text())),
            ("100,000 bytes", 76, answer("x" * 100_000)),
            ("100,000 parts", 76, answer("") * 100_000),
            ("a megabyte", 69, answer("x" * 1_000_000)),
        ]:
            villain.certificate = lambda request, body=body: body
            code, _, words = client.run("bad", *token)
            same(code, expected, f"{what}: {words}")
        same(sorted(file.name for file in (world.folder / "bad").iterdir()), ["lock", "next-key.pem"], "what was kept")

        # The stream, with a good certificate.
        villain.certificate = lambda request: answer(forge.sign(csr_of(request)), root)

        def play(*bodies, seconds=3):
            """Sends the bodies at once, gathers what the client answers: bytes of its requests with a nonce."""
            answers = []

            def stream(requests, context):
                next(requests)
                yield from bodies
                for request in requests:
                    if b"2\x01n" in request:
                        answers.append(request)
            villain.stream = stream
            code, events, words = client.run("good", "--types", "cds", "--until-synced", "--timeout", seconds)
            return code, events, words, answers

        code, events, words, answers = play(response(resource("a", cluster("a"))))
        same((code, kinds(events)[1:], len(answers)), (0, ["connected", "resource", "accepted", "synced"], 1), f"the pattern, {words}")
        check(b":" not in answers[0][-4:], f"an ACK with an error: {answers}")
        for what, why, body in [
            ("no cluster", b"Cluster", resource("a", b"\xff\xff\xff")),
            ("another type", b"is of the type", resource("a", cluster("a"), url=ENVOY + "listener.v3.Listener")),
            ("another name", b"another name", resource("a", cluster("b"))),
            ("no name", b"name is empty", resource("", cluster(""))),
            ("5,000 bytes of a name", b"longer than", resource("n" * 5000, cluster("n" * 5000))),
            ("no message", b"no message", field(3, "a")),
            ("50,000 levels", b"nested deeper", resource("a", cluster("a", deep(50_000)))),
            ("a control character", b"another name", resource("a\x1b[2J", cluster("b"))),
        ]:
            code, events, words, answers = play(response(resource("good", cluster("good")), body), seconds=1)
            same((code, kinds(events)[1:], len(answers)), (1, ["connected", "refused"], 1), f"{what}: {words}")
            check(why in answers[0] and b"\x1b" not in answers[0], f"{what}: {answers[0]}")
        code, _, words, answers = play(response(url="x" * 100), seconds=1)
        same((code, len(answers)), (1, 1), f"an unknown type, {words}")
        for what, expected, body in [
            ("no protobuf", 76, b"\xff" * 100),
            ("a long nonce", 76, response(nonce="n" * 5000)),
            ("a long type", 76, response(url="n" * 5000)),
            ("more than 16 MiB", 69, response(nonce="n" * (17 << 20))),
        ]:
            same(play(body)[0], expected, what)
        # A long list of changes, as fast as they can be sent: each is acknowledged.
        many = [response(resource("a", cluster("a"), version=str(version))) for version in range(3000)]
        with_end = []

        def flood(requests, context):
            next(requests)
            yield from many
            for request in requests:
                with_end.append(request)
                if len(with_end) == len(many):
                    context.abort(grpc.StatusCode.UNAUTHENTICATED, "enough")
        villain.stream = flood
        code, events, words = client.run("good", "--types", "cds")
        same((code, kinds(events).count("accepted"), events[-2]["version"]), (77, 3000, "2999"), f"3,000 changes, {words[-300:]}")
        villain.stream = refuse(grpc.StatusCode.UNAVAILABLE)
        same(client.run("good")[0], 69, "a control plane that is not ready")
        villain.stream = lambda requests, context: iter(())
        same(client.run("good")[0], 69, "a stream that ends at once")
        code, text, _ = play_text(villain, client)
        check(code == 0 and "\x1b" not in text and "\\x1b" in text, f"the names reach the terminal as they are: {text!r}")
        villain.server.stop(0)

        # A peer that speaks no TLS, and one that takes the connection and says nothing.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client.control_plane = "127.0.0.1:%d" % silent.getsockname()[1]
            started = time.monotonic()
            code, _, words = client.run("silent", *token, "--timeout", "2")
            same(code, 69, words)
            check(time.monotonic() - started < 10, "it waited too long for a silent peer")
        # SIGTERM is a good end there too.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client.control_plane = "127.0.0.1:%d" % silent.getsockname()[1]
            with Watching(client, "silent", *token) as watching:
                check(select.select([silent], [], [], 20)[0], "it does not connect")
                watching.stop()
        return f"{facts.count} answers of a hostile control plane are refused as they should be"


def play_text(villain, client):
    def stream(requests, context):
        next(requests)
        yield response(resource("a\x1b[2J", cluster("a\x1b[2J"), version="\x1b]0;x\x07"))
        for _ in requests:
            pass
    villain.stream = stream
    return client.run("good", "--types", "cds", "--until-synced", text=True)


TESTS = [c_client, c_client_hostile]
