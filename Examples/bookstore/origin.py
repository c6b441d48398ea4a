#!/usr/bin/env python3
"""One workload of the bookstore: answers with its name and, for the storefront, with what its calls returned.

    origin.py NAME PORT [MESH_ADDRESS]

The storefront calls `catalog` and `reviews` through its sidecar at MESH_ADDRESS.
"""
import http.client
import http.server
import json
import sys

NAME, PORT = sys.argv[1], int(sys.argv[2])
MESH = sys.argv[3] if len(sys.argv) > 3 else None


def call(service, path, headers):
    host, port = MESH.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request("GET", path, headers={"Host": f"{service}:9080", **headers})
        response = connection.getresponse()
        text = response.read().decode()
        return json.loads(text) if response.status == 200 else {"status": response.status, "body": text}
    except OSError as error:
        return {"status": 0, "body": str(error)}
    finally:
        connection.close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        answer = {"served_by": NAME, "path": self.path}
        if MESH:
            # A real application passes the trace and session headers on.
            passed = {k: v for k, v in self.headers.items() if k.lower() in ("cookie", "x-request-id")}
            answer["catalog"] = call("catalog", "/v0/books", passed)
            answer["reviews"] = call("reviews", "/reviews/1", passed)
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


Server(("127.0.0.1", PORT), Handler).serve_forever()
