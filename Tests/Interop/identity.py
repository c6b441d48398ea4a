"""Identity as a stranger sees it: certificates judged by OpenSSL, calls made by gRPC's own client.

Nothing here uses Apus to check Apus: keys, signing requests and forged certificates come from `openssl`.
"""
import json
import os
import pathlib
import stat
import subprocess
import time

import grpc

from processes import Failure, World, get

CREATE = "/istio.v1.auth.IstioCertificateService/CreateCertificate"
DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


def check(holds, otherwise):
    if not holds:
        raise Failure(otherwise)


def openssl(*arguments, inputs=b""):
    result = subprocess.run(["openssl", *map(str, arguments)], input=inputs, capture_output=True)
    check(result.returncode == 0, f"openssl {' '.join(map(str, arguments))}: {result.stderr.decode()}")
    return result.stdout.decode()


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def request_bytes(csr, seconds=0):
    """IstioCertificateRequest by hand: csr = 1, validity_duration = 3."""
    body = csr.encode()
    return b"\x0a" + varint(len(body)) + body + (b"\x18" + varint(seconds) if seconds else b"")


def chain_of(answer):
    """The repeated string cert_chain = 1 of IstioCertificateResponse."""
    parts, at = [], 0
    while at < len(answer):
        check(answer[at] == 0x0A, "a field that is not cert_chain")
        at, size, shift = at + 1, 0, 0
        while True:
            byte = answer[at]
            at, size, shift = at + 1, size | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        parts.append(answer[at:at + size].decode())
        at += size
    return parts


class Mesh:
    """A control plane with an authority of its own, and what a stranger needs to talk to it."""

    def __init__(self, world, *, state="state", authority=None):
        self.world, self.state = world, world.folder / state
        manifests = world.folder / "manifests"
        manifests.mkdir(exist_ok=True)
        (manifests / "service.yaml").write_text(
            "apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\n"
            "spec: {ports: [{name: http, port: 8080}]}\n")
        elsewhere = ["--ca-dir", str(authority)] if authority else []
        self.addresses = world.control_plane(manifests, state=state, extra=elsewhere)
        self.roots = self.apus("ca", "show", "-o", "pem", *elsewhere)

    def apus(self, *arguments, good=True):
        result = subprocess.run(
            [str(self.world.programs / "apus"), *arguments, "--state", str(self.state)], capture_output=True, text=True)
        check((result.returncode == 0) == good, f"apus {arguments}: {result.returncode} {result.stderr}")
        return result.stdout

    def token(self, namespace="shop", account="cart", *more):
        text = self.apus("token", "create", "--namespace", namespace, "--service-account", account, *more)
        check(text.count("\n") == 1 and text.count(".") == 2, f"stdout is not the token alone: {text!r}")
        return text.strip()

    def key(self, name, *more):
        key, csr = self.world.folder / f"{name}.key", self.world.folder / f"{name}.csr"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", "/CN=whoever", "-out", csr, *more)
        return key, csr

    def channel(self, key=None, chain=None):
        credentials = grpc.ssl_channel_credentials(
            self.roots.encode(), pathlib.Path(key).read_bytes() if key else None, chain.encode() if chain else None)
        return grpc.secure_channel(self.addresses["secure"], credentials)

    def create(self, csr, *, token=None, seconds=0, key=None, chain=None):
        """The chain, or the name of the status."""
        with self.channel(key, chain) as channel:
            metadata = [("authorization", f"Bearer {token}")] if token else []
            try:
                return chain_of(channel.unary_unary(CREATE)(
                    request_bytes(pathlib.Path(csr).read_text(), seconds), metadata=metadata, timeout=10))
            except grpc.RpcError as error:
                return error.code().name

    def forge(self, csr, names, *, usage="clientAuth", begin="20200101000000Z", end="20491231000000Z", signer=None):
        """A certificate signed by the mesh's own key (or by `signer`: certificate, key) that Apus never issued."""
        certificate, key = signer or (self.state / "ca" / "ca-cert.pem", self.state / "ca" / "ca-key.pem")
        folder = self.world.folder / "forge"
        folder.mkdir(exist_ok=True)
        (folder / "index.txt").write_text("")
        (folder / "config").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
            f"default_md=sha256\npolicy=p\nunique_subject=no\nx509_extensions=e\n[p]\ncommonName=optional\n"
            f"[e]\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage={usage}\nsubjectAltName={names}\n")
        out = folder / "leaf.pem"
        openssl("ca", "-batch", "-notext", "-config", folder / "config", "-in", csr, "-cert", certificate, "-keyfile", key,
                "-startdate", begin, "-enddate", end, "-out", out)
        return out.read_text() + pathlib.Path(certificate).read_text()

    def stream(self, *, namespace, account, key=None, chain=None, token=None):
        """Asks for all clusters; the names of the answer, or the status."""
        from envoy.service.discovery.v3 import discovery_pb2

        ask = discovery_pb2.DeltaDiscoveryRequest(type_url="type.googleapis.com/envoy.config.cluster.v3.Cluster")
        ask.node.id = f"sidecar~127.0.0.1~x.{namespace}~{namespace}.svc.cluster.local"
        ask.node.metadata["NAMESPACE"] = namespace
        ask.node.metadata["SERVICE_ACCOUNT"] = account
        with self.channel(key, chain) as channel:
            call = channel.stream_stream(
                DELTA, request_serializer=lambda m: m.SerializeToString(),
                response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString)(
                    iter([ask]), timeout=10, metadata=[("authorization", f"Bearer {token}")] if token else [])
            try:
                return [resource.name for resource in next(call).resources]
            except grpc.RpcError as error:
                return error.code().name
            finally:
                call.cancel()


def identity(programs):
    """A join token becomes a certificate that OpenSSL verifies; nobody gets another's."""
    with World(programs) as world:
        mesh = Mesh(world)
        count = 0

        def same(found, wanted, what):
            nonlocal count
            count += 1
            check(found == wanted, f"{what}: {found}, expected {wanted}")

        # Keys are the owner's alone.
        for file in ["ca/root-key.pem", "ca/ca-key.pem", "tokens/key.pem"]:
            same(stat.S_IMODE(os.stat(mesh.state / file).st_mode), 0o600, f"mode of {file}")

        # A join token, once: the CSR's own names do not count.
        key, csr = mesh.key("cart", "-addext", "subjectAltName=URI:spiffe://cluster.local/ns/shop/sa/admin,DNS:evil")
        other_key, other = mesh.key("other")
        token = mesh.token("shop", "cart", "--once")
        chain = mesh.create(csr, token=token)
        check(isinstance(chain, list) and len(chain) == 3, f"no chain of three: {chain}")
        leaf, links = world.folder / "leaf.pem", world.folder / "links.pem"
        leaf.write_text(chain[0])
        links.write_text(chain[1])
        roots = world.folder / "roots.pem"
        roots.write_text(mesh.roots)
        same(openssl("verify", "-CAfile", roots, "-untrusted", links, leaf), f"{leaf}: OK\n", "openssl verify")
        text = openssl("x509", "-in", leaf, "-noout", "-text")
        same([line.strip() for line in text.splitlines() if "URI:" in line or "DNS:" in line],
             ["URI:spiffe://cluster.local/ns/shop/sa/cart"], "names")
        check("X509v3 Subject Alternative Name: critical" in text, "the names are not critical")
        check("TLS Web Server Authentication, TLS Web Client Authentication" in text, "the usage is not both")
        check("CA:FALSE" in text and "CA:TRUE" not in text, "it may sign others")
        world_chain = "".join(chain[:2])
        same(mesh.apus("ca", "verify", str(leaf), good=False), "", "ca verify without the intermediate")
        leaf.write_text(world_chain)
        check("spiffe://cluster.local/ns/shop/sa/cart" in mesh.apus("ca", "verify", str(leaf)), "ca verify")

        # The token again: for the same key yes (its answer may have been lost), for another never.
        same(isinstance(mesh.create(csr, token=token), list), True, "the same key again")
        same(mesh.create(other, token=token), "UNAUTHENTICATED", "a used token")
        same(mesh.create(other), "UNAUTHENTICATED", "no token")
        same(mesh.create(other, token="x.y.z"), "UNAUTHENTICATED", "no token at all")
        brief = mesh.token("shop", "cart", "--ttl", "1s")
        time.sleep(1.2)
        same(mesh.create(other, token=brief), "UNAUTHENTICATED", "a token that ended")
        revoked = mesh.token()
        for record in (mesh.state / "tokens").glob("*.json"):
            if json.loads(record.read_text()).get("usedBy") is None:
                record.unlink()
        same(mesh.create(other, token=revoked), "UNAUTHENTICATED", "a revoked token")
        elsewhere = subprocess.run(
            [str(world.programs / "apus"), "token", "create", "--namespace", "shop", "--service-account", "cart",
             "--state", str(world.folder / "elsewhere")], capture_output=True, text=True, check=True).stdout.strip()
        same(mesh.create(other, token=elsewhere), "UNAUTHENTICATED", "another mesh's token")
        # Lives: as asked, ninety days at most.
        many = mesh.token()
        same(mesh.create(other, token=many, seconds=91 * 86400), "INVALID_ARGUMENT", "a life too long")
        short = mesh.create(other, token=many, seconds=60)
        leaf.write_text(short[0])
        same(openssl("x509", "-in", leaf, "-noout", "-checkend", "0").strip(), "Certificate will not expire", "now")
        check(subprocess.run(["openssl", "x509", "-in", leaf, "-noout", "-checkend", "61"],
                             capture_output=True).returncode == 1, "it lives longer than a minute")
        weak, weak_csr = world.folder / "weak.key", world.folder / "weak.csr"
        openssl("genrsa", "-out", weak, "1024")
        openssl("req", "-new", "-key", weak, "-subj", "/CN=x", "-out", weak_csr)
        same(mesh.create(weak_csr, token=many), "INVALID_ARGUMENT", "an RSA key of 1024 bits")
        weak_csr.write_text("no request")
        same(mesh.create(weak_csr, token=many), "INVALID_ARGUMENT", "no request")

        # Renewal by the certificate alone: the same identity, whatever is asked.
        renewed = mesh.create(other, key=key, chain=world_chain)
        leaf.write_text(renewed[0])
        check("sa/cart" in openssl("x509", "-in", leaf, "-noout", "-ext", "subjectAltName"), "not renewed as cart")

        # Certificates that Apus never issued, though its own key signed all but two of them.
        ours = "URI:spiffe://cluster.local/ns/shop/sa/cart"
        same(isinstance(mesh.create(other, key=other_key, chain=mesh.forge(other, ours)), list), True, "the pattern itself")
        nul = b"spiffe://cluster.local/ns/shop/sa/cart\x00.evil"
        name = bytes([0x86, len(nul)]) + nul
        forged = {
            "another trust domain": dict(names="URI:spiffe://other.local/ns/shop/sa/cart"),
            "two URI names": dict(names=f"{ours},URI:spiffe://cluster.local/ns/shop/sa/admin"),
            "no URI name": dict(names="DNS:cart"),
            "no identity": dict(names="URI:spiffe://cluster.local/cart"),
            "a NUL in the name": dict(names="DER:" + (bytes([0x30, len(name)]) + name).hex()),
            "for servers only": dict(names=ours, usage="serverAuth"),
            "ended": dict(names=ours, end="20210101000000Z"),
            "not begun": dict(names=ours, begin="20400101000000Z"),
        }
        for what, how in forged.items():
            same(mesh.create(other, key=other_key, chain=mesh.forge(other, **how)), "UNAVAILABLE", f"a certificate {what}")
        stranger_key, stranger = world.folder / "stranger.key", world.folder / "stranger.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                stranger_key, "-out", stranger, "-subj", "/O=cluster.local/CN=Root CA", "-days", "30")
        same(mesh.create(other, key=other_key, chain=mesh.forge(other, ours, signer=(stranger, stranger_key))),
             "UNAVAILABLE", "a stranger's certificate")

        # xDS on the secure port: for one's own node only.
        names = mesh.stream(namespace="shop", account="cart", key=key, chain=world_chain)
        check(any("cart.shop.svc.cluster.local" in name for name in names), f"no clusters: {names}")
        same(mesh.stream(namespace="bank", account="cart", key=key, chain=world_chain), "PERMISSION_DENIED", "another namespace")
        same(mesh.stream(namespace="shop", account="admin", key=key, chain=world_chain), "PERMISSION_DENIED", "another account")
        same(mesh.stream(namespace="shop", account="cart"), "UNAUTHENTICATED", "nobody")
        many = mesh.token()
        same(isinstance(mesh.stream(namespace="shop", account="cart", token=many), list), True, "a token for a stream")
        same(mesh.stream(namespace="bank", account="cart", token=many), "PERMISSION_DENIED", "a token's other namespace")
        # TLS 1.1 and plaintext are not spoken.
        host, port = mesh.addresses["secure"].rsplit(":", 1)
        same(get(mesh.addresses["secure"], "/")[0], 0, "plaintext HTTP")
        old = subprocess.run(["openssl", "s_client", "-connect", mesh.addresses["secure"], "-tls1_1"],
                             stdin=subprocess.DEVNULL, capture_output=True)
        check(old.returncode != 0, "TLS 1.1 was spoken")
        named = subprocess.run(
            ["openssl", "s_client", "-connect", mesh.addresses["secure"], "-CAfile", str(roots), "-verify_return_error",
             "-verify_hostname", "istiod.istio-system.svc", "-alpn", "h2"], stdin=subprocess.DEVNULL, capture_output=True)
        check(named.returncode == 0 and b"Verify return code: 0" in named.stdout, named.stdout.decode()[-800:])

        # A restart keeps the authority, the tokens' uses and the certificates.
        world.stop("control-plane")
        again = Mesh(world)
        same(again.roots, mesh.roots, "the root after a restart")
        same(again.create(other, token=token), "UNAUTHENTICATED", "a used token after a restart")
        same(isinstance(again.create(other, key=key, chain=world_chain), list), True, "renewal after a restart")
        log = world.log("control-plane")
        for secret in [token, many, "PRIVATE KEY"]:
            check(secret not in log, "a secret is in the log")

        # An authority from elsewhere, exchanged while it serves.
        outside = world.folder / "outside"
        outside.mkdir()
        for file in ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]:
            (outside / file).write_text((mesh.state / "ca" / file).read_text())
        world.stop("control-plane")
        third = Mesh(world, state="state-3", authority=outside)
        same(third.roots, mesh.roots, "the roots from elsewhere")
        same(isinstance(third.create(other, key=key, chain=world_chain), list), True, "an authority from elsewhere")
        subprocess.run([str(world.programs / "apus"), "ca", "init", "--state", str(world.folder / "new")], check=True,
                       capture_output=True)
        for file in ["ca-key.pem", "cert-chain.pem", "root-cert.pem", "ca-cert.pem"]:
            new = outside / f"{file}.new"
            new.write_text((world.folder / "new" / "ca" / file).read_text())
            new.rename(outside / file)
        third.roots = (world.folder / "new" / "ca" / "root-cert.pem").read_text()
        token = third.token()
        world.wait("the new authority", 10, lambda: isinstance(third.create(other, token=token), list))
        return f"{count} facts about tokens, certificates and callers hold"


def joining(programs):
    """apus-proxy joins with a token, and after a reboot needs neither token nor control plane."""
    with World(programs) as world:
        mesh = Mesh(world)
        roots, token = world.folder / "roots.pem", world.folder / "token"
        roots.write_text(mesh.roots)
        token.write_text(mesh.token("shop", "cart", "--once") + "\n")
        joined = ("--root-cert", str(roots), "--token-file", str(token))

        def start(credentials, account="cart", **more):
            return world.apus_proxy(
                "proxy", mesh.addresses, "cart", "shop", ip="127.0.0.1", extra=["--service-account", account],
                credentials=credentials, **more)

        admin = start(joined)
        names = json.loads(get(admin, "/clusters?format=json")[2])
        check("cart.shop.svc.cluster.local" in json.dumps(names), "no configuration came over TLS")
        state = world.folder / "state-proxy"
        for file in ["key.pem", "certificate.pem"]:
            check(stat.S_IMODE(os.stat(state / file).st_mode) == 0o600, f"the mode of {file}")
        check("sa/cart" in openssl("x509", "-in", state / "certificate.pem", "-noout", "-ext", "subjectAltName"), "not cart")
        first = (state / "certificate.pem").read_text()

        # A reboot: the token is used up and gone, the certificate is enough.
        world.stop("proxy")
        token.unlink()
        start(("--root-cert", str(roots)))
        world.wait("the stream", 10, lambda: any(
            stream.get("proxy", stream.get("id", "")).startswith("cart") for stream in streams(mesh)))
        check((state / "certificate.pem").read_text() == first, "a new certificate without need")
        # A reboot with the control plane away.
        world.stop("proxy")
        world.stop("control-plane")
        admin = start(("--root-cert", str(roots)))
        check("cart.shop.svc.cluster.local" in get(admin, "/clusters")[2], "nothing is served from the state")
        world.stop("proxy")

        # A stranger's roots, a wrong account, no token at all: not connected, and the log says why.
        mesh = Mesh(world)
        stranger = world.folder / "stranger.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                world.folder / "stranger.key", "-out", stranger, "-subj", "/O=cluster.local/CN=Root CA", "-days", "30")
        token.write_text(mesh.token())
        for credentials, account, why in [
            (("--root-cert", str(stranger), "--token-file", str(token)), "cart", "CERTIFICATE_VERIFY_FAILED"),
            (("--root-cert", str(roots), "--token-file", str(token)), "admin", "and the caller is"),
            (("--root-cert", str(roots)), "cart", "no --token-file"),
        ]:
            world.processes.pop("proxy", None)
            (world.folder / "proxy.log").unlink(missing_ok=True)
            start(credentials, account, state=f"state-{account}-{len(credentials)}-{credentials[1][-12:-4]}", wait=False)
            world.wait(f"the log to say {why}", 15, lambda why=why: why in world.log("proxy"))
            check(token.read_text() not in world.log("proxy"), "the token is in the log")
            world.stop("proxy")
        return "joined by a token, rebooted without it, rebooted without the control plane, three strangers kept out"


def streams(mesh):
    found = json.loads(get(mesh.addresses["http"], "/debug/syncz")[2])
    return found if isinstance(found, list) else found.get("streams", found.get("proxies", []))


TESTS = [identity, joining]
