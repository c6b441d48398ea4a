"""Bytes sent as they stand, and what came back: for what a tidy HTTP client cannot say."""
import select
import socket
import time

# Without a byte for this long the answer is taken to be complete.
QUIET = 0.5
# Envoy announces the end of a connection and leaves it to the peer for up to a second.
CLOSING = 2.0
# Not 127.0.0.1: a client there is taken for the proxy's own machine, and is given the machine's address.
SOURCE = ("127.0.0.9", 0)


def exchange(address, port, steps, quiet=QUIET, limit=10):
    """Sends the steps, each when the answer to the one before has gone quiet; (bytes received, peer closed).

    A step is bytes; None ends our side of the connection.
    """
    received = b""
    closed = False
    end = time.monotonic() + limit
    with socket.create_connection((address, port), timeout=5, source_address=SOURCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index, step in enumerate(steps):
            try:
                if step is None:
                    connection.shutdown(socket.SHUT_WR)
                elif step:
                    connection.sendall(step)
            except OSError:
                closed = True
            while not closed and time.monotonic() < end:
                is_ending = index == len(steps) - 1 and b"connection: close\r\n" in received
                if not select.select([connection], [], [], CLOSING if is_ending else quiet)[0]:
                    break
                try:
                    data = connection.recv(1 << 16)
                except ConnectionError:
                    data = b""
                if not data:
                    closed = True
                received += data
    return received, closed


def responses(data, methods):
    """The HTTP/1 responses in the bytes, in order; what is left over is an entry of its own.

    `methods` are those of the requests: the answer to HEAD has no body.
    """
    result = []
    rest = data
    methods = list(methods)
    while rest:
        head, blank, after = rest.partition(b"\r\n\r\n")
        if not blank or not head.startswith(b"HTTP/1."):
            break
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ", 2)
        headers = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
        lower = {name.lower(): value for name, value in headers}
        status = int(parts[1])
        interim = 100 <= status < 200 and status != 101
        method = "" if interim or not methods else methods.pop(0)
        framing, body, trailers = "none", b"", []
        if interim or method == "HEAD" or status in (204, 304):
            pass
        elif lower.get("transfer-encoding") == "chunked":
            framing = "chunked"
            while True:
                size, _, after = after.partition(b"\r\n")
                try:
                    count = int(size, 16)
                except ValueError:
                    framing = "chunks that were cut"
                    break
                if count == 0:
                    # The trailers, and the empty line behind them.
                    while True:
                        line, found, after = after.partition(b"\r\n")
                        if not line or not found:
                            break
                        trailers.append(tuple(line.decode("latin-1").split(": ", 1)))
                    break
                body += after[:count]
                after = after[count + 2:]
        elif "content-length" in lower:
            framing = "length"
            count = int(lower["content-length"])
            framing = "length" if len(after) >= count else "length, cut"
            body, after = after[:count], after[count:]
        elif status == 101:
            framing = "upgraded"
            body, after = after, b""
        else:
            framing = "until close"
            body, after = after, b""
        result.append({"status": status, "reason": parts[2] if len(parts) > 2 else "", "headers": headers,
                       "framing": framing, "body": body.decode("latin-1"), "trailers": trailers})
        rest = after
    if rest:
        result.append({"status": 0, "reason": "", "headers": [], "framing": "no HTTP", "body": rest.decode("latin-1")})
    return result
