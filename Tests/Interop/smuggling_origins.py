"""Origins that write down which requests they took the bytes for, each in its own way: a strict reader of our own,
Python's http.server and nginx. What is one request to one of them and two to another can be smuggled."""
import http.server
import re
import socket
import socketserver
import threading

MARKER = re.compile(r"/(c\d+)(?!\d)")
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Seen:
    """Requests by the marker of their case: (method, target, bytes of body). What has no marker is under ''."""

    def __init__(self):
        self.requests = {}
        self.faults = []
        # Markers of requests whose body never ended.
        self.cut = set()
        self.lock = threading.Lock()

    def add(self, method, target, case, body):
        found = MARKER.search(target) or MARKER.search(case or "")
        with self.lock:
            self.requests.setdefault(found.group(1) if found else "", []).append((method, target, body))

    def cut_off(self, target):
        found = MARKER.search(target)
        if found:
            with self.lock:
                self.cut.add(found.group(1))

    def fault(self, what, data):
        with self.lock:
            self.faults.append(f"{what}: {data[:200]!r}")


class Strict(socketserver.BaseRequestHandler):
    """Reads RFC 9112 and nothing else: whatever could be read otherwise is a fault of the proxy that sent it."""

    def handle(self):
        self.rest = b""
        self.request.settimeout(30)
        try:
            while self.one():
                pass
        except OSError:
            pass

    def more(self):
        data = self.request.recv(65536)
        self.rest += data
        return bool(data)

    def take(self, count):
        while len(self.rest) < count:
            if not self.more():
                return None
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def line(self):
        while b"\r\n" not in self.rest:
            if b"\n" in self.rest or len(self.rest) > 1 << 20 or not self.more():
                return None
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def one(self):
        seen = self.server.seen
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                if self.rest:
                    seen.fault("half a head", self.rest)
                return False
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not NAME.fullmatch(name) or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
                seen.fault("a field that is none", line)
            fields.append((name.lower(), value.strip(b" \t")))
        parts = lines[0].split(b" ")
        if len(parts) != 3 or parts[2] != b"HTTP/1.1" or not NAME.fullmatch(parts[0]) or \
                re.search(rb"[\x00-\x20\x7f]", parts[1]):
            seen.fault("a request line that is none", lines[0])
            return False
        named = {name: [value for key, value in fields if key == name] for name, _ in fields}
        lengths, codings = named.get(b"content-length", []), named.get(b"transfer-encoding", [])
        if len(named.get(b"host", [])) != 1:
            seen.fault("not one host", head)
        if lengths and codings or len(lengths) > 1 or len(codings) > 1:
            seen.fault("more than one framing", head)
        if any(not re.fullmatch(rb"[0-9]{1,18}", value) for value in lengths) or \
                any(value.lower() != b"chunked" for value in codings):
            seen.fault("a framing that is none", head)
            return False
        body = self.body(lengths, codings)
        if body is None:
            seen.cut_off(parts[1].decode("latin-1"))
            return False
        seen.add(parts[0].decode("latin-1"), parts[1].decode("latin-1"),
                 b" ".join(named.get(b"x-case", [])).decode("latin-1"), body)
        self.request.sendall(ANSWER if parts[0] != b"HEAD" else ANSWER[:-2])
        return True

    def body(self, lengths, codings):
        """Bytes of the body; None when it did not end, or is none."""
        seen = self.server.seen
        body = 0
        if codings:
            while True:
                size = self.line()
                if size is None:
                    return None
                if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", size):
                    seen.fault("a chunk size that is none", size)
                    return None
                count = int(size, 16)
                if not count:
                    break
                data = self.take(count + 2)
                if data is None:
                    return None
                if data[-2:] != b"\r\n":
                    seen.fault("a chunk that does not end", data)
                    return None
                body += count
            while True:
                line = self.line()
                if line is None:
                    return None
                if not line:
                    break
                if not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*", line):
                    seen.fault("a trailer that is none", line)
        elif lengths:
            if self.take(int(lengths[0])) is None:
                return None
            body = int(lengths[0])
        return body


class Library(http.server.BaseHTTPRequestHandler):
    """Python's own reader of heads; bodies by what its headers say."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def handle_any(self):
        body = 0
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                line = self.rfile.readline(65537)
                if not line:
                    self.close_connection = True
                    return
                count = int(line.split(b";")[0].strip() or b"0", 16)
                if not count:
                    while self.rfile.readline(65537).strip():
                        pass
                    break
                body += len(self.rfile.read(count))
                self.rfile.readline()
        elif "content-length" in self.headers:
            wanted = int(self.headers["content-length"])
            body = len(self.rfile.read(wanted))
            if body < wanted:
                self.close_connection = True
                return
        # Its `path` has had leading slashes folded.
        self.server.seen.add(self.command, self.requestline.split()[1], self.headers.get("x-case"), body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok")

    def __getattr__(self, name):
        # Every method is served alike, also those that nobody knows.
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_):
        pass


def serve(handler, address):
    """Starts an origin in threads of this process; what it sees is in its `seen`."""
    host, port = address.rsplit(":", 1)
    server = Server((host, int(port)), handler)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.seen = Seen()
    # http.server asks for these.
    server.server_name, server.server_port = host, int(port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
{user}
events {{ worker_connections 4096; }}
http {{
    log_format seen escape=json '["$request_method","$request_uri","$http_x_case","$status"]';
    access_log {folder}/nginx-seen.log seen;
    large_client_header_buffers 4 256k;
    client_body_temp_path {folder}/nginx-1;
    proxy_temp_path {folder}/nginx-2;
    fastcgi_temp_path {folder}/nginx-3;
    uwsgi_temp_path {folder}/nginx-4;
    scgi_temp_path {folder}/nginx-5;
    underscores_in_headers on;
    server {{
        listen {address} backlog=4096;
        location / {{ return 200 "ok"; }}
    }}
}}
"""
