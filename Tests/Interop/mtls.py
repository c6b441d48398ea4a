"""Mutual TLS between proxies that Apus feeds, and gateways that end TLS: certificates, policies and Secrets as peers see
them. Judges are curl, OpenSSL, gRPC's own client and the statistics of a stock Envoy.
"""
import json
import pathlib
import socket
import subprocess
import sys
import threading

import grpc

import processes
from identity import Mesh, check, openssl
from processes import World, free_port, get, rejects

SDS = "/envoy.service.secret.v3.SecretDiscoveryService/"
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
SERVER, CLIENT, GATEWAY = "127.0.61.1", "127.0.61.2", "127.0.61.3"

WORKLOADS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: server, namespace: shop, labels: {{app: server, security.istio.io/tlsMode: istio}}}}
spec: {{serviceAccountName: server, containers: [{{name: app, image: app}}]}}
status: {{podIP: {SERVER}, phase: Running}}
---
apiVersion: v1
kind: Service
metadata: {{name: server, namespace: shop}}
spec:
  selector: {{app: server}}
  ports:
    - {{name: http, port: 9080}}
    - {{name: http2, port: 9081}}
    - {{name: tcp, port: 9082}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: server, namespace: shop}}
spec:
  workloadSelector: {{labels: {{app: server}}}}
  ingress:
    - {{port: {{number: 9080, protocol: HTTP, name: http}}, bind: {SERVER}, captureMode: NONE, defaultEndpoint: "127.0.0.1:HTTP"}}
    - {{port: {{number: 9081, protocol: HTTP2, name: http2}}, bind: {SERVER}, captureMode: NONE, defaultEndpoint: "127.0.0.1:HTTP2"}}
    - {{port: {{number: 9082, protocol: TCP, name: tcp}}, bind: {SERVER}, captureMode: NONE, defaultEndpoint: "127.0.0.1:TCP"}}
  egress:
    - hosts: ["~/*"]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: client, namespace: shop}}
spec:
  workloadSelector: {{labels: {{app: client}}}}
  egress:
    - {{port: {{number: 9080, protocol: HTTP, name: http}}, bind: {CLIENT}, captureMode: NONE, hosts: ["./*"]}}
    - {{port: {{number: 9081, protocol: HTTP2, name: http2}}, bind: {CLIENT}, captureMode: NONE, hosts: ["./*"]}}
    - {{port: {{number: 9082, protocol: TCP, name: tcp}}, bind: {CLIENT}, captureMode: NONE, hosts: ["./*"]}}
"""

POLICY = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: MODE}}
"""


class Echo:
    """A TCP server that gives back what it gets, each piece behind `echo:`."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    @staticmethod
    def serve(peer):
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(b"echo:" + data)
            except OSError:
                pass


def tcp(address, port):
    """What comes back for a hello; empty when nothing does."""
    try:
        with socket.create_connection((address, port), 5) as peer:
            peer.settimeout(5)
            peer.sendall(b"hello")
            return peer.recv(100)
    except OSError:
        return b""


def curl(*arguments):
    """Status and body; 0 when there was no answer."""
    result = subprocess.run(
        ["curl", "-s", "--max-time", "5", "-w", "\n%{http_code}", *map(str, arguments)], capture_output=True, text=True)
    body, _, status = result.stdout.rpartition("\n")
    return int(status or 0), body


class Pair:
    """A client's and a server's sidecar, each with an identity of its own, and three origins behind the server's."""

    def __init__(self, world, client, server, **more):
        self.world, self.mesh = world, Mesh(world, **more)
        self.manifests = world.folder / "manifests"
        self.echo = Echo()
        http, http2 = free_port(), free_port()
        text = WORKLOADS.replace("127.0.0.1:HTTP2", f"127.0.0.1:{http2}").replace("127.0.0.1:HTTP", f"127.0.0.1:{http}")
        (self.manifests / "workloads.yaml").write_text(text.replace("127.0.0.1:TCP", f"127.0.0.1:{self.echo.port}"))
        self.policy("STRICT")
        world.origin("plain", f"127.0.0.1:{http}")
        world.start("origin-h2", [sys.executable, processes.HERE / "origin_h2.py", "h2", f"127.0.0.1:{http2}"])
        self.admin = {
            "server": self.proxy(server, "server", SERVER), "client": self.proxy(client, "client", CLIENT)}

    def credentials(self, account):
        roots, token = self.world.folder / "roots.pem", self.world.folder / f"{account}.token"
        roots.write_text(self.mesh.roots)
        token.write_text(self.mesh.token("shop", account))
        return ["--root-cert", roots, "--token-file", token, "--service-account", account]

    def proxy(self, kind, name, ip, **more):
        start = self.world.envoy if kind == "envoy" else self.world.apus_proxy
        return start(
            name, self.mesh.addresses, name, "shop", ip=ip, labels=[f"app={name}"], credentials=self.credentials(name),
            **more)

    def policy(self, mode):
        (self.manifests / "policy.yaml").write_text(POLICY.replace("MODE", mode))

    def through(self):
        """HTTP/1.1, HTTP/2 and TCP from the client's side."""
        first = curl(f"http://{CLIENT}:9080/hello", "-H", "host: server:9080")
        second = curl("--http2-prior-knowledge", f"http://{CLIENT}:9081/hello", "-H", "host: server:9081")
        return first[0] == 200, second[0] == 200, tcp(CLIENT, 9082) == b"echo:hello"

    def plainly(self):
        """The same straight to the server's sidecar, without TLS."""
        return (get(f"{SERVER}:9080", "/hello")[0] == 200,
                curl("--http2-prior-knowledge", f"http://{SERVER}:9081/hello")[0] == 200,
                tcp(SERVER, 9082) == b"echo:hello")

    def handshakes(self):
        """Of the client's side, as a stock Envoy counts them."""
        text = get(self.admin["client"], "/stats?filter=ssl.handshake&usedonly")[2]
        return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("cluster.outbound"))


def pair(client, server):
    def test(programs):
        with World(programs) as world:
            mesh = Pair(world, client, server)
            world.wait("mutual TLS to work", 30, lambda: mesh.through() == (True, True, True))
            check(mesh.plainly() == (False, False, False), f"STRICT took plaintext: {mesh.plainly()}")
            if client == "envoy":
                check(mesh.handshakes() > 0, "there was no TLS handshake")
            # Without a client's certificate nobody gets in, whatever else is right.
            alone = subprocess.run(
                ["openssl", "s_client", "-connect", f"{SERVER}:9080", "-alpn", "istio", "-servername",
                 "outbound_.9080_._.server.shop.svc.cluster.local"], input=b"GET / HTTP/1.1\r\nhost: server\r\n\r\n",
                capture_output=True, timeout=20)
            check(b"HTTP/1.1 200" not in alone.stdout, "a client without a certificate was served")
            mesh.policy("PERMISSIVE")
            world.wait("PERMISSIVE to take both", 20, lambda: mesh.plainly() == (True, True, True))
            check(mesh.through() == (True, True, True), f"PERMISSIVE lost mutual TLS: {mesh.through()}")
            mesh.policy("DISABLE")
            # Connections made before may live on, so what counts is that new plain ones work from the client's side too.
            world.wait("DISABLE to be plain", 20, lambda: mesh.through() == (True, True, True) and
                       mesh.plainly() == (True, True, True))
            mesh.policy("STRICT")
            world.wait("STRICT to close again", 20, lambda: mesh.plainly() == (False, False, False))
            world.wait("mutual TLS to come back", 20, lambda: mesh.through() == (True, True, True))
            check(rejects(mesh.mesh.addresses) == 0, f"{rejects(mesh.mesh.addresses)} NACKs")
            return f"{client} to {server}: HTTP/1.1, HTTP/2 and TCP; STRICT, PERMISSIVE, DISABLE and back; no NACK"

    test.__name__ = f"mtls_{client}_{server}"
    return test


def mtls_wrong_server(programs):
    """A server that shows another account's certificate is not believed; a proxy without an identity is closed."""
    with World(programs) as world:
        mesh = Pair(world, "envoy", "envoy")
        world.wait("mutual TLS to work", 30, lambda: mesh.through() == (True, True, True))
        world.stop("server")
        # The endpoint is the pod's, whose account is `server`; what answers there says `other`.
        mesh.admin["server"] = world.envoy(
            "server", mesh.mesh.addresses, "other", "shop", ip="127.0.61.9", labels=["app=server"],
            credentials=mesh.credentials("other"))
        world.wait("the wrong server to listen", 20, lambda: tcp_open(SERVER, 9080))
        check(mesh.through() == (False, False, False), "a server with another account was believed")
        failed = get(mesh.admin["client"], "/stats?filter=ssl.fail_verify_san")[2]
        check(any(line.endswith(": 0") is False for line in failed.splitlines()), f"nothing failed the check: {failed}")
        world.stop("server")
        mesh.admin["server"] = world.envoy(
            "server", mesh.mesh.addresses, "server", "shop", ip=SERVER, labels=["app=server"])
        check(not tcp_open(SERVER, 9080), "a proxy without an identity opened a STRICT port")
        world.wait("the reason to be said", 10, lambda: "its ports are closed" in world.log("control-plane"))
        check(rejects(mesh.mesh.addresses) == 0, f"{rejects(mesh.mesh.addresses)} NACKs")
        return "another account is not believed, and a proxy without an identity opens no STRICT port"


def tcp_open(address, port):
    try:
        socket.create_connection((address, port), 2).close()
        return True
    except OSError:
        return False


GATEWAYS = f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge, namespace: shop}}
spec:
  selector: {{app: gateway}}
  servers:
    - port: {{number: 9443, name: https-a, protocol: HTTPS}}
      bind: {GATEWAY}
      hosts: [a.example.com]
      tls: {{mode: SIMPLE, credentialName: cert-a}}
    - port: {{number: 9443, name: https-b, protocol: HTTPS}}
      bind: {GATEWAY}
      hosts: [b.example.com]
      tls: {{mode: MUTUAL, credentialName: cert-b, minProtocolVersion: TLSV1_3}}
    - port: {{number: 9443, name: https-c, protocol: HTTPS}}
      bind: {GATEWAY}
      hosts: [c.example.com]
      tls: {{mode: OPTIONAL_MUTUAL, credentialName: cert-b}}
    - port: {{number: 9088, name: http, protocol: HTTP}}
      bind: {GATEWAY}
      hosts: [a.example.com]
      tls: {{httpsRedirect: true}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: edge, namespace: shop}}
spec:
  hosts: [a.example.com, b.example.com, c.example.com]
  gateways: [edge]
  http: [{{route: [{{destination: {{host: server, port: {{number: 9080}}}}}}]}}]
"""


def certificate(folder, name, *, signer=None, host="a.example.com"):
    """A self-signed certificate, or one of `signer`."""
    key, leaf = folder / f"{name}.key", folder / f"{name}.crt"
    more = ["-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"] if signer else []
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            f"/CN={name}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", key, "-out", leaf, *more)
    return folder / name


def secret(name, kind="kubernetes.io/tls", namespace="shop", **files):
    lines = [f"apiVersion: v1\nkind: Secret\ntype: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nstringData:"]
    for key, file in files.items():
        lines.append(f"  {key.replace('__', '.')}: |")
        lines += ["    " + line for line in pathlib.Path(file).read_text().splitlines()]
    return "\n".join(lines) + "\n"


def pem(file):
    return pathlib.Path(file).read_bytes()


def secrets_of(channel, names, *, namespace, account, token=None, delta=False):
    """The Secrets that a client is given by name, or the status."""
    from envoy.service.discovery.v3 import discovery_pb2

    ask = (discovery_pb2.DeltaDiscoveryRequest(type_url=SECRET, resource_names_subscribe=names) if delta
           else discovery_pb2.DiscoveryRequest(type_url=SECRET, resource_names=names))
    answer = discovery_pb2.DeltaDiscoveryResponse if delta else discovery_pb2.DiscoveryResponse
    ask.node.id = f"router~127.0.0.1~x.{namespace}~{namespace}.svc.cluster.local"
    ask.node.metadata["NAMESPACE"] = namespace
    ask.node.metadata["SERVICE_ACCOUNT"] = account
    ask.node.metadata["LABELS"] = {"app": "gateway"}
    call = channel.stream_stream(
        SDS + ("DeltaSecrets" if delta else "StreamSecrets"), request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=answer.FromString)(
            iter([ask]), timeout=10, metadata=[("authorization", f"Bearer {token}")] if token else [])
    from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

    try:
        found = {}
        for resource in next(call).resources:
            message = secret_pb2.Secret()
            (resource.resource if delta else resource).Unpack(message)
            found[message.name] = message.SerializeToString()
        return found
    except grpc.RpcError as error:
        return error.code().name
    finally:
        call.cancel()


def mtls_gateway(programs):
    """Servers of a gateway by SNI: SIMPLE, MUTUAL, OPTIONAL_MUTUAL, a redirect; Secrets reach only whom they are for."""
    with World(programs) as world:
        mesh = Pair(world, "envoy", "envoy")
        folder = world.folder / "edge"
        folder.mkdir()
        a, b = certificate(folder, "a"), certificate(folder, "b", host="b.example.com")
        authority = certificate(folder, "clients", host="clients")
        client = certificate(folder, "client", signer=authority, host="client")
        (mesh.manifests / "edge.yaml").write_text("---\n".join([
            GATEWAYS, secret("cert-a", tls__crt=f"{a}.crt", tls__key=f"{a}.key"),
            secret("cert-b", "Opaque", cert=f"{b}.crt", key=f"{b}.key"),
            secret("cert-b-cacert", "Opaque", cacert=f"{authority}.crt"),
            secret("other", tls__crt=f"{b}.crt", tls__key=f"{b}.key"),
            secret("cert-a", namespace="bank", tls__crt=f"{b}.crt", tls__key=f"{b}.key")]))
        mesh.admin["gateway"] = mesh.proxy("envoy", "gateway", GATEWAY, role="gateway")

        def ask(host, *more, port=9443, scheme="https"):
            return curl("-k", "--resolve", f"{host}:{port}:{GATEWAY}", f"{scheme}://{host}:{port}/hello", *more)[0]

        known = ["--cert", f"{client}.crt", "--key", f"{client}.key"]
        world.wait("SIMPLE to answer", 30, lambda: ask("a.example.com") == 200)
        trusted = curl("--cacert", f"{a}.crt", "--resolve", f"a.example.com:9443:{GATEWAY}", "https://a.example.com:9443/hello")
        check(trusted[0] == 200, f"the server's certificate is not the Secret's: {trusted}")
        check(ask("b.example.com", *known) == 200, "MUTUAL refused its client")
        check(ask("b.example.com") == 0, "MUTUAL took a client without a certificate")
        check(ask("b.example.com", "--cert", f"{a}.crt", "--key", f"{a}.key") == 0, "MUTUAL took a stranger's certificate")
        check(ask("b.example.com", "--tls-max", "1.2", *known) == 0, "minProtocolVersion was not kept")
        check(ask("c.example.com") == 200 and ask("c.example.com", *known) == 200, "OPTIONAL_MUTUAL refused")
        check(ask("c.example.com", "--cert", f"{a}.crt", "--key", f"{a}.key") == 0, "OPTIONAL_MUTUAL took a stranger")
        check(ask("a.example.com", port=9088, scheme="http") == 301, "there was no redirect")

        # A certificate that is exchanged is used without another connection being cut.
        new = certificate(folder, "new")
        text = (mesh.manifests / "edge.yaml").read_text()
        (mesh.manifests / "edge.yaml").write_text(
            text.replace(secret("cert-a", tls__crt=f"{a}.crt", tls__key=f"{a}.key"),
                         secret("cert-a", tls__crt=f"{new}.crt", tls__key=f"{new}.key")))
        world.wait("the new certificate", 20, lambda: curl(
            "--cacert", f"{new}.crt", "--resolve", f"a.example.com:9443:{GATEWAY}",
            "https://a.example.com:9443/hello")[0] == 200)

        # Who gets what.
        names = ["kubernetes://cert-a", "kubernetes://cert-b-cacert", "kubernetes://other", "kubernetes://bank/cert-a",
                 "kubernetes://shop/cert-a"]
        own = ["kubernetes://cert-a", "kubernetes://cert-b-cacert"]
        gateway, bank = mesh.mesh.token("shop", "gateway"), mesh.mesh.token("bank", "gateway")
        for delta in (False, True):
            with mesh.mesh.channel() as secure, grpc.insecure_channel(mesh.mesh.addresses["xds"]) as plain:
                found = secrets_of(secure, names, namespace="shop", account="gateway", token=gateway, delta=delta)
                check(sorted(found) == own, f"the gateway was given {sorted(found)}")
                found = secrets_of(secure, names, namespace="bank", account="gateway", token=bank, delta=delta)
                # The Gateway selects its labels too, so it gets the Secret of that name which its own namespace has.
                check(list(found) == ["kubernetes://cert-a"], f"another namespace was given {sorted(found)}")
                check(pem(f"{b}.crt") in found["kubernetes://cert-a"], "another namespace was given shop's certificate")
                found = secrets_of(secure, names, namespace="shop", account="gateway", token=bank, delta=delta)
                check(found == "PERMISSION_DENIED", f"a node of another's was answered: {found}")
                found = secrets_of(plain, names + ["default", "ROOTCA"], namespace="shop", account="gateway", delta=delta)
                check(found == {}, f"the plaintext port gave {sorted(found)}")
                found = secrets_of(secure, ["default", "ROOTCA"], namespace="bank", account="gateway", token=bank,
                                   delta=delta)
                check(sorted(found) == ["ROOTCA", "default"], f"a workload was given {sorted(found)}")
        check(rejects(mesh.mesh.addresses) == 0, f"{rejects(mesh.mesh.addresses)} NACKs")
        return "SIMPLE, MUTUAL and OPTIONAL_MUTUAL by SNI, a redirect, an exchanged certificate; Secrets only to their own"


def another_intermediate(old, new):
    """A folder with the same root and another certificate that signs."""
    new.mkdir()
    (new / "root-cert.pem").write_text((old / "root-cert.pem").read_text())
    request, extensions = new / "ca.csr", new / "extensions"
    extensions.write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
                          "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", new / "ec.pem")
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", new / "ec.pem", "-out", new / "ca-key.pem")
    openssl("req", "-new", "-key", new / "ca-key.pem", "-subj", "/O=cluster.local/CN=another", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", old / "root-cert.pem", "-CAkey", old / "root-key.pem", "-days", "300",
            "-set_serial", "4711", "-extfile", extensions, "-out", new / "ca-cert.pem")
    (new / "cert-chain.pem").write_text((new / "ca-cert.pem").read_text())
    (new / "ca-key.pem").chmod(0o600)


def mtls_renewal(programs):
    """Another certificate signs: every Envoy is pushed a new one of its own, and no request fails."""
    with World(programs) as world:
        first = world.folder / "first"
        made = subprocess.run([str(world.programs / "apus"), "ca", "init", "--state", str(first)], capture_output=True)
        check(made.returncode == 0, f"ca init: {made.stderr}")
        another_intermediate(first / "ca", world.folder / "second")
        link = world.folder / "authority"
        link.symlink_to(first / "ca")
        mesh = Pair(world, "envoy", "envoy", authority=link)
        world.wait("mutual TLS to work", 30, lambda: mesh.through() == (True, True, True))

        def serials():
            chain = json.loads(get(mesh.admin["server"], "/certs")[2])["certificates"]
            return {part["serial_number"] for one in chain for part in one["cert_chain"]}

        before, lost, asked = serials(), 0, 0
        check(before, "Envoy has no certificate")
        fresh = world.folder / "fresh"
        fresh.symlink_to(world.folder / "second")
        fresh.rename(link)

        def renewed():
            nonlocal lost, asked
            asked += 1
            lost += mesh.through() != (True, True, True)
            now = serials()
            return now and before.isdisjoint(now)

        world.wait("new certificates", 30, renewed)
        for _ in range(10):
            renewed()
        check(lost == 0, f"{lost} of {asked} rounds failed")
        check(rejects(mesh.mesh.addresses) == 0, f"{rejects(mesh.mesh.addresses)} NACKs")
        rows = subprocess.run(
            [str(world.programs / "apus"), "proxy-status", "--server", f"http://{mesh.mesh.addresses['http']}"],
            capture_output=True, text=True).stdout.splitlines()[1:]
        check(len(rows) == 2 and all(row.count("SYNCED") >= 3 for row in rows), f"proxy-status shows {rows}")
        return f"new certificates were pushed while {asked} rounds of requests went well"


def mtls_reboot(programs):
    """A server's sidecar that starts while the control plane is away has its certificate, its key and its chains."""
    with World(programs) as world:
        mesh = Pair(world, "apus", "apus")
        world.wait("mutual TLS to work", 30, lambda: mesh.through() == (True, True, True))
        world.stop("control-plane")
        check(mesh.through() == (True, True, True), "traffic needs the control plane")
        world.stop("server")
        check(mesh.through() == (False, False, False), "somebody else answers")
        mesh.admin["server"] = mesh.proxy("apus", "server", SERVER)
        world.wait("mutual TLS to come back", 20, lambda: mesh.through() == (True, True, True))
        check(mesh.plainly() == (False, False, False), f"STRICT took plaintext: {mesh.plainly()}")
        return "a sidecar that starts without the control plane serves mutual TLS from its state"


TESTS = [pair(client, server) for client in ("envoy", "apus") for server in ("envoy", "apus")] + [
    mtls_wrong_server, mtls_gateway, mtls_renewal, mtls_reboot]
