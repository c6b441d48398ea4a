#!/usr/bin/env python3
"""TLS through a stock Envoy and through apus-proxy on the same configuration: clients with good certificates, bad ones and
none, server names, ALPN, what the origin is told of the client; and TLS to hosts that prove who they are, or do not.

Keys and certificates come from `openssl`. Envoy reads the configuration as a static bootstrap, apus-proxy gets it by ADS.

    tls.py --bin DIR [--only REGEX] [-v]
"""
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import pathlib

import ads
import processes

# The messages inside of `Any` must be known to the parser of ads.py.
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2  # noqa: F401
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2  # noqa: F401
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2  # noqa: F401
from envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2  # noqa: F401
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2  # noqa: F401
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2  # noqa: F401

ADDRESSES = {"envoy": "127.0.41.1", "apus": "127.0.41.2"}
ORIGIN = "127.0.41.11:8080"
FILTERS = "type.googleapis.com/envoy.extensions.filters."
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
SPIFFE = "spiffe://cluster.local/ns/shop/sa/cart"
LOG = ("LOG %REQ(X-CASE)% %RESPONSE_CODE% %RESPONSE_FLAGS% %REQUESTED_SERVER_NAME% %DOWNSTREAM_TLS_VERSION% "
       "%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_LOCAL_URI_SAN% %DOWNSTREAM_PEER_FINGERPRINT_256% "
       "%DOWNSTREAM_PEER_SERIAL% %DOWNSTREAM_PEER_SUBJECT% %DOWNSTREAM_PEER_CERT_V_START%\n")


# Where the two differ (see Docs/envoy-differences.md): what Envoy answers, and what apus-proxy does.
KNOWN = {
    **{f"{listener}{version}: a NUL in the name": ("invalid header value", {"refused": True})
       for listener in ("mutual", "optional") for version in ("", ", TLS 1.2")},
    # The host's alert comes after the handshake is complete for this side.
    "to no certificate": ("remote connection failure", "connection termination"),
}


class Authority:
    """Roots and certificates made with openssl in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                 self.key, "-out", self.certificate, "-subj", f"/O=Test/CN={name}", "-days", "3650")

    @staticmethod
    def run(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise processes.Failure(f"openssl {' '.join(map(str, arguments))}: {done.stderr}")

    def issue(self, name, names, *, usage="serverAuth,clientAuth", begin="20200101000000Z", end="20491231000000Z",
              subject=None):
        """(certificate, key) files."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        key, request, certificate = folder / "key.pem", folder / "request", folder / "certificate.pem"
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                 request, "-subj", subject or f"/O=Test/CN={name}")
        (folder / "index").touch()
        extension = f"subjectAltName={names}\n" if names else ""
        (folder / "config").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\n"
            f"default_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n[p]\norganizationName=optional\n"
            f"commonName=optional\n[e]\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n{extension}")
        self.run("ca", "-batch", "-notext", "-config", folder / "config", "-in", request, "-cert", self.certificate,
                 "-keyfile", self.key, "-out", certificate, "-startdate", begin, "-enddate", end)
        return certificate, key


def inline(path):
    return {"inline_string": path.read_text()}


def pair(files):
    return {"certificate_chain": inline(files[0]), "private_key": inline(files[1])}


class Setup:
    def __init__(self, folder):
        self.good, self.bad = Authority(folder, "root"), Authority(folder, "stranger")
        nul = SPIFFE.encode() + b"\x00.evil"
        name = bytes([0x86, len(nul)]) + nul
        issue = self.good.issue
        self.server = issue("server", f"DNS:origin.test,DNS:*.wild.test,URI:{SPIFFE}-server")
        self.other = issue("other", "DNS:other.test")
        self.clients = {
            "good": issue("client", f"URI:{SPIFFE},DNS:cart.shop", subject='/O=A "quoted", name/CN=cart'),
            "dns only": issue("client", "DNS:cart.shop"),
            "another domain": issue("client", "URI:spiffe://other.local/ns/shop/sa/cart"),
            "prefix of a name": issue("client", "URI:spiffe://cluster.localx/ns/shop/sa/cart"),
            "a NUL in the name": issue("client", "DER:" + (bytes([0x30, len(name)]) + name).hex()),
            "for servers only": issue("client", f"URI:{SPIFFE}", usage="serverAuth"),
            "ended": issue("client", f"URI:{SPIFFE}", end="20210101000000Z"),
            "not begun": issue("client", f"URI:{SPIFFE}", begin="20400101000000Z"),
            "a stranger's": self.bad.issue("client", f"URI:{SPIFFE}"),
            "none": None,
        }
        # Hosts of clusters: certificate, whether the host wants one too.
        self.hosts = {
            "plain name": issue("host", "DNS:host.test"),
            "wild": issue("host", "DNS:*.test"),
            "spiffe": issue("host", f"URI:{SPIFFE}-host"),
            "ended": issue("host", "DNS:host.test", end="20210101000000Z"),
            "for clients only": issue("host", "DNS:host.test", usage="clientAuth"),
            "a stranger's": self.bad.issue("host", "DNS:host.test"),
        }


def socket_tls(kind, **fields):
    return {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": TLS + kind, **fields}}


def downstream(setup, *, certificate=None, client=None, alpn=("h2", "http/1.1"), names=(), **more):
    common = {"tls_certificates": [pair(certificate or setup.server)], "alpn_protocols": list(alpn), **more.pop("common", {})}
    if client is not None:
        common["validation_context"] = {
            "trusted_ca": inline(setup.good.certificate),
            "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"prefix": name}} for name in names]}
        more["require_client_certificate"] = client
    return socket_tls("DownstreamTlsContext", common_tls_context=common, **more)


def upstream(setup, *, sni="", names=(), trusted=True, certificate=None):
    common = {}
    if trusted:
        common["validation_context"] = {
            "trusted_ca": inline(setup.good.certificate),
            "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": name}} for kind, name in names]}
    if certificate:
        common["tls_certificates"] = [pair(certificate)]
    return socket_tls("UpstreamTlsContext", common_tls_context=common, **({"sni": sni} if sni else {}))


def manager(cluster, *, details=None, filters=(), codec="AUTO"):
    fields = {"forward_client_cert_details": details[0], "set_current_client_cert_details": details[1]} if details else {}
    return {"name": "manager", "typed_config": {
        "@type": FILTERS + "network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": cluster,
        "generate_request_id": False, "codec_type": codec,
        "route_config": {"name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": cluster}}]}]},
        "access_log": [{"name": "log", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"text_format_source": {"inline_string": LOG}}}}],
        "http_filters": [*filters, {"name": "router", "typed_config": {"@type": FILTERS + "http.router.v3.Router"}}],
        **fields}}


def tcp(cluster):
    return {"name": "tcp", "typed_config": {
        "@type": FILTERS + "network.tcp_proxy.v3.TcpProxy", "stat_prefix": cluster, "cluster": cluster}}


ALL = {"subject": True, "uri": True, "dns": True}
ONLY_CART = {"name": "rbac", "typed_config": {"@type": FILTERS + "http.rbac.v3.RBAC", "rules": {
    "action": "ALLOW", "policies": {"cart": {"permissions": [{"any": True}], "principals": [
        {"authenticated": {"principal_name": {"exact": SPIFFE}}}]}}}}}


def listeners(setup):
    """Filter chains by the name of a listener."""
    mutual = downstream(setup, client=True, names=["spiffe://cluster.local/"])

    def chain(filter_, socket_=None, match=None):
        return {"filters": [filter_], **({"transport_socket": socket_} if socket_ else {}),
                **({"filter_chain_match": match} if match else {})}

    result = {
        "simple": [chain(manager("origin"), downstream(setup))],
        "mutual": [chain(manager("origin", details=("APPEND_FORWARD", ALL)), mutual)],
        "set": [chain(manager("origin", details=("SANITIZE_SET", {**ALL, "cert": True})), mutual)],
        "forward": [chain(manager("origin", details=("FORWARD_ONLY", {})), mutual)],
        "optional": [chain(manager("origin", details=("APPEND_FORWARD", ALL)),
                           downstream(setup, client=False, names=["spiffe://cluster.local/"]))],
        "only-cart": [chain(manager("origin", filters=[ONLY_CART]), downstream(setup, client=False))],
        "tcp": [chain(tcp("origin"), mutual)],
        "names": [chain(manager("origin"), downstream(setup), {"server_names": ["origin.test"]}),
                  chain(manager("origin"), downstream(setup, certificate=setup.other), {"server_names": ["*.other.test", "other.test"]}),
                  chain(manager("origin"), None, {"transport_protocol": "raw_buffer"})],
        # PERMISSIVE, as Istio's inbound ports.
        "permissive": [
            chain(manager("origin", details=("APPEND_FORWARD", ALL)), mutual,
                  {"transport_protocol": "tls", "application_protocols": ["istio-http/1.1", "istio-h2", "istio"]}),
            chain(manager("origin"), None, {"transport_protocol": "raw_buffer"})],
        "only-13": [chain(manager("origin"), downstream(
            setup, common={"tls_params": {"tls_minimum_protocol_version": "TLSv1_3"}}))],
        "no-alpn": [chain(manager("origin"), downstream(setup, alpn=()))],
    }
    for name in clusters(setup):
        if name != "origin":
            result["to " + name] = [chain(manager(name))]
    result["tcp to tls"] = [chain(tcp("good name"))]
    return result


def clusters(setup):
    """Transport sockets (or several by label) and what else a cluster has, by its name."""
    name = [("DNS", "host.test")]
    options = {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "upstream_http_protocol_options": {"auto_sni": True, "auto_san_validation": True}}}}
    return {
        "origin": {},
        "good name": {"host": "plain name", "tls": upstream(setup, sni="host.test", names=name)},
        "wildcard": {"host": "wild", "tls": upstream(setup, sni="host.test", names=name)},
        "wrong name": {"host": "plain name", "tls": upstream(setup, sni="host.test", names=[("DNS", "other.test")])},
        "spiffe": {"host": "spiffe", "tls": upstream(setup, names=[("URI", SPIFFE + "-host")])},
        "wrong spiffe": {"host": "spiffe", "tls": upstream(setup, names=[("URI", SPIFFE)])},
        "ended": {"host": "ended", "tls": upstream(setup)},
        "for clients only": {"host": "for clients only", "tls": upstream(setup)},
        "stranger": {"host": "a stranger's", "tls": upstream(setup)},
        "stranger, unchecked": {"host": "a stranger's", "tls": upstream(setup, trusted=False)},
        "no TLS there": {"plain": True, "tls": upstream(setup)},
        "own certificate": {"host": "plain name", "asks": True, "tls": upstream(
            setup, sni="host.test", names=name, certificate=setup.clients["good"])},
        "no certificate": {"host": "plain name", "asks": True, "tls": upstream(setup, sni="host.test", names=name)},
        "request's name": {"host": "wild", "tls": upstream(setup), **options},
        "by label": {"host": "plain name", "matches": [
            {"name": "m", "match": {"tlsMode": "istio"}, "transport_socket": upstream(setup, sni="host.test", names=name)},
            {"name": "raw", "match": {}, "transport_socket": {"name": "envoy.transport_sockets.raw_buffer", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}}]},
    }


def configuration(setup, address, hosts):
    """`hosts`: addresses of what stands behind the clusters."""
    result = {"clusters": [], "listeners": []}
    for name, spec in clusters(setup).items():
        spec = dict(spec)
        spec.pop("asks", None)
        spec.pop("plain", None)
        host, port = hosts[name].rsplit(":", 1)
        if tls := spec.pop("tls", None):
            spec["transport_socket"] = tls
        metadata = {}
        if matches := spec.pop("matches", None):
            spec["transport_socket_matches"] = matches
            metadata = {"metadata": {"filter_metadata": {"envoy.transport_socket_match": {"tlsMode": "istio"}}}}
        spec.pop("host", None)
        result["clusters"].append({
            "name": name, "type": "STATIC", "connect_timeout": "3s", **spec, "load_assignment": {
                "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                    "address": host, "port_value": int(port)}}}, **metadata}]}]}})
    for index, (name, chains) in enumerate(listeners(setup).items()):
        result["listeners"].append({
            "name": name, "address": {"socket_address": {"address": address, "port_value": 9000 + index}},
            "filter_chains": chains,
            "listener_filters": [{"name": "tls", "typed_config": {"@type": FILTERS + "listener.tls_inspector.v3.TlsInspector"}}]})
    return result


def client_context(setup, certificate=None, alpn=(), least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(setup.good.certificate)
    context.minimum_version, context.maximum_version = least, most
    if certificate:
        context.load_cert_chain(*certificate)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def ask(address, port, context, case, *, sni="origin.test", headers=(), raw=None):
    """What a client saw: the answer, or how it was refused."""
    try:
        with socket.create_connection((address, port), 5) as plain:
            plain.settimeout(5)
            connection = context.wrap_socket(plain, server_hostname=sni or None) if context else plain
            alpn = connection.selected_alpn_protocol() if context else None
            if alpn == "h2":
                # The preface, and the server's SETTINGS in return.
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
                return {"alpn": alpn, "frame": connection.recv(9)[3]}
            request = raw or "".join(f"{line}\r\n" for line in [
                "GET /hello HTTP/1.1", "Host: origin.test", "Connection: close", f"X-Case: {case}", *headers, ""]).encode()
            connection.sendall(request)
            data = b""
            while more := connection.recv(65536):
                data += more
                # The origin says its name first, and the echo may come in two pieces.
                if raw and len(data) >= len(b"origin:" + raw):
                    break
            peer = connection.getpeercert() if context else None
            names = sorted(value for kind, value in (peer or {}).get("subjectAltName", ()))
            if raw:
                return {"bytes": data.decode("latin-1")}
            head, _, body = data.partition(b"\r\n\r\n")
            result = {"alpn": alpn, "names": names, "status": head[9:12].decode()}
            try:
                seen = dict((name.lower(), value) for name, value in json.loads(body)["headers"])
                result["told"] = {name: seen.get(name) for name in ("x-forwarded-client-cert", "x-forwarded-proto")}
            except (ValueError, KeyError):
                # The texts of failed handshakes differ with the version of the library.
                result["body"] = re.sub(rb"(transport failure reason: ?)(.*)", rb"\1...", body).decode("latin-1")
            return result if head else {"refused": True}
    except (ssl.SSLError, ConnectionError, socket.timeout, OSError):
        return {"refused": True}


def cases(setup):
    """(name, listener, arguments of `ask`)"""
    good = setup.clients["good"]
    made = lambda *arguments, **more: client_context(setup, *arguments, **more)  # noqa: E731
    result = [
        ("a client of TLS", "simple", dict(context=made())),
        ("TLS 1.2", "simple", dict(context=made(most=ssl.TLSVersion.TLSv1_2))),
        ("h2 is offered", "simple", dict(context=made(alpn=["h2", "http/1.1"]))),
        ("the server's order counts", "simple", dict(context=made(alpn=["http/1.1", "h2"]))),
        ("nothing in common is offered", "simple", dict(context=made(alpn=["spdy/1"]))),
        ("no server name", "simple", dict(context=made(), sni="")),
        ("plain text to TLS", "simple", dict(context=None)),
        ("a header that is not believed", "simple", dict(context=made(), headers=["X-Forwarded-Client-Cert: By=me"])),
        ("ALPN without any here", "no-alpn", dict(context=made(alpn=["h2"]))),
        ("only TLS 1.3, with 1.2", "only-13", dict(context=made(most=ssl.TLSVersion.TLSv1_2))),
        ("only TLS 1.3", "only-13", dict(context=made())),
        ("a chain by name", "names", dict(context=made())),
        ("another chain by name", "names", dict(context=made(), sni="x.other.test")),
        ("a name of no chain", "names", dict(context=made(), sni="nobody.test")),
        ("no name among chains by name", "names", dict(context=made(), sni="")),
        ("plain text among chains", "names", dict(context=None)),
        ("the mesh's own", "permissive", dict(context=made(good, alpn=["istio-http/1.1", "istio", "http/1.1"]))),
        ("the mesh's own HTTP/2", "permissive", dict(context=made(good, alpn=["istio-h2", "istio", "h2"]))),
        ("plain text where both are taken", "permissive", dict(context=None)),
        ("other TLS where both are taken", "permissive", dict(context=made(good))),
        ("told before, appended", "mutual", dict(context=made(good), headers=["X-Forwarded-Client-Cert: By=one;URI=two"])),
        ("told before, replaced", "set", dict(context=made(good), headers=["X-Forwarded-Client-Cert: By=one;URI=two"])),
        ("told before, passed on", "forward", dict(context=made(good), headers=["X-Forwarded-Client-Cert: By=one;URI=two"])),
        ("raw bytes over mutual TLS", "tcp", dict(context=made(good), raw=b"\x01bytes")),
        ("raw bytes without a certificate", "tcp", dict(context=made(), raw=b"\x01bytes")),
        ("raw bytes to a host of TLS", "tcp to tls", dict(context=None)),
        ("authorised by name", "only-cart", dict(context=made(good))),
        ("not authorised: another name", "only-cart", dict(context=made(setup.clients["dns only"]))),
        ("not authorised: no certificate", "only-cart", dict(context=made())),
    ]
    for listener in ("mutual", "optional"):
        for kind, certificate in setup.clients.items():
            result.append((f"{listener}: {kind}", listener, dict(context=made(certificate))))
            result.append((f"{listener}, TLS 1.2: {kind}", listener, dict(
                context=made(certificate, most=ssl.TLSVersion.TLSv1_2))))
    for name in clusters(setup):
        if name != "origin":
            result.append((f"to {name}", "to " + name, dict(context=None)))
    return result


def host_servers(world, setup):
    """Something that ends TLS before the origin for every cluster that wants it: a third Envoy."""
    hosts, chains = {}, []
    for index, (name, spec) in enumerate(clusters(setup).items()):
        if "host" not in spec:
            hosts[name] = ORIGIN
            continue
        port = 7000 + index
        hosts[name] = f"127.0.41.12:{port}"
        chains.append({
            "name": name, "address": {"socket_address": {"address": "127.0.41.12", "port_value": port}},
            "filter_chains": [{"filters": [manager("origin", details=("SANITIZE_SET", {"uri": True}))], "transport_socket": downstream(
                setup, certificate=setup.hosts[spec["host"]], client=True if spec.get("asks") else None)}]})
    host, port = ORIGIN.rsplit(":", 1)
    start_envoy(world, "hosts", {"listeners": chains, "clusters": [{
        "name": "origin", "type": "STATIC", "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}]}]}}]})
    return hosts


def start_envoy(world, name, resources):
    admin = processes.free_port()
    file = world.folder / f"{name}.json"
    file.write_text(json.dumps({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "static_resources": resources}))
    world.envoy_of(file, name, level="error")
    world.wait(f"{name} to be ready", 20, lambda: processes.get(f"127.0.0.1:{admin}", "/ready")[0] == 200)


def run(programs, only=None, verbose=False):
    report, passed, failed = [], 0, 0
    with processes.World(programs) as world:
        setup = Setup(world.folder)
        world.origin("origin", ORIGIN)
        hosts = host_servers(world, setup)
        start_envoy(world, "envoy", configuration(setup, ADDRESSES["envoy"], hosts))
        server = ads.Server(configuration(setup, ADDRESSES["apus"], hosts))
        try:
            world.apus_proxy("apus", {"xds": f"127.0.0.1:{server.port}"}, "p", "default", ip=ADDRESSES["apus"], wait=False)
            ports = {name: 9000 + index for index, name in enumerate(listeners(setup))}

            def listens():
                try:
                    for port in ports.values():
                        socket.create_connection((ADDRESSES["apus"], port), 1).close()
                    return True
                except OSError:
                    return False

            try:
                world.wait("the listeners", 20, listens)
            except processes.Failure:
                print("refused:", server.nacks, file=sys.stderr)
                raise
            for name, listener, arguments in cases(setup):
                if only and not re.search(only, name):
                    continue
                seen = {client: ask(address, ports[listener], case=re.sub(r"\W", "-", name), **arguments)
                        for client, address in ADDRESSES.items()}
                known = KNOWN.get(name)
                if known:
                    good = all(seen[client] == wanted or isinstance(wanted, str) and wanted in json.dumps(seen[client])
                               for client, wanted in zip(ADDRESSES, known))
                else:
                    good = seen["envoy"] == seen["apus"]
                if good:
                    passed += 1
                    if verbose:
                        print(f"ok {name}: {json.dumps(seen['apus'])[:300]}", flush=True)
                else:
                    failed += 1
                    report.append(f"{name}\n    envoy {seen['envoy']}\n    apus  {seen['apus']}")
            world.alive()
            if server.nacks:
                failed += 1
                report.append(f"refused: {server.nacks}")
            lines = {}

            def written():
                for client in ADDRESSES:
                    lines[client] = sorted(line for line in world.log(client).splitlines() if line.startswith("LOG ")
                                           and not any(re.sub(r"\W", "-", name) == line.split()[1] for name in KNOWN))
                return lines["envoy"] == lines["apus"]

            try:
                # Envoy writes its log every ten seconds.
                world.wait("the same access logs", 13, written)
                passed += 1
            except processes.Failure:
                failed += 1
                report.append("access logs\n    " + "\n    ".join(
                    [f"envoy {line}" for line in lines["envoy"] if line not in lines["apus"]]
                    + [f"apus  {line}" for line in lines["apus"] if line not in lines["envoy"]]))
        finally:
            server.stop()
    return passed, failed, report


if __name__ == "__main__":
    processes.compare(run)
