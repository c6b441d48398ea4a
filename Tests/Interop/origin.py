#!/usr/bin/env python3
"""An origin that tells what it saw and fails on request.

    origin.py NAME HOST:PORT

Answers with JSON: its name, the request line, every header and the body. Request headers steer it:
    x-test-status: 503          answer with this status
    x-test-fail: KEY:N:STATUS   the first N requests with KEY fail with STATUS (`reset` closes the connection)
    x-test-delay: 0.5           wait before the answer (seconds)
    x-test-header: name=value   add a response header (may be repeated)
    x-test-chunked: 1           answer in chunks
    x-test-trailer: name=value  a trailer of such an answer (may be repeated)
`GET /seen?key=K` tells how many requests carried `x-test-key: K` (for mirrors).
    x-test-upgrade: 1           agree to the upgrade asked for; the bytes that follow are echoed
A connection that does not begin with a letter is echoed byte by byte behind the origin's name (for TCP).
"""
import asyncio
import collections
import json
import socket
import struct
import sys

NAME = sys.argv[1]
HOST, PORT = sys.argv[2].rsplit(":", 1)
failures = collections.Counter()
seen = collections.defaultdict(list)


async def read_head(reader):
    lines = []
    while True:
        line = await reader.readline()
        if not line:
            return None
        line = line.rstrip(b"\r\n")
        if not line:
            if lines:
                return lines
            continue
        lines.append(line.decode("latin-1"))


async def read_body(reader, headers):
    for name, value in headers:
        if name.lower() == "transfer-encoding" and "chunked" in value.lower():
            parts = []
            while True:
                size = int((await reader.readline()).split(b";")[0], 16)
                if size == 0:
                    while line := (await reader.readline()).strip():
                        parts.append(b"|trailer " + line)
                    return b"".join(parts)
                parts.append(await reader.readexactly(size))
                await reader.readexactly(2)
    for name, value in headers:
        if name.lower() == "content-length":
            return await reader.readexactly(int(value))
    return b""


def reset(writer):
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def echo(first, reader, writer):
    writer.write(f"{NAME}:".encode())
    data = first or await reader.read(65536)
    while data:
        writer.write(data)
        await writer.drain()
        data = await reader.read(65536)


async def serve(reader, writer):
    try:
        first = await reader.read(1)
        if not first:
            return
        if not first.isalpha():
            await echo(first, reader, writer)
            return
        prefixed = first
        while True:
            head = await read_head(reader)
            if head is None:
                return
            head[0] = prefixed.decode() + head[0]
            prefixed = b""
            method, target, version = head[0].split(" ", 2)
            headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:]]
            if any(name.lower() == "expect" and value.lower() == "100-continue" for name, value in headers):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await read_body(reader, headers)
            lower = {name.lower(): value for name, value in headers}
            if target.startswith("/seen?key="):
                answer = {"count": len(seen[target[10:]]), "requests": seen[target[10:]][-3:]}
                status = 200
            else:
                answer = {"origin": NAME, "method": method, "target": target, "version": version,
                          "headers": headers, "body": body.decode("latin-1")}
                status = int(lower.get("x-test-status", 200))
                if "x-test-key" in lower:
                    seen[lower["x-test-key"]].append({"target": target, "headers": headers, "body": len(body)})
                if "x-test-fail" in lower:
                    key, count, how = lower["x-test-fail"].split(":")
                    failures[key] += 1
                    if failures[key] <= int(count):
                        if how == "reset":
                            reset(writer)
                            return
                        status = int(how)
                if "x-test-delay" in lower:
                    await asyncio.sleep(float(lower["x-test-delay"]))
            if "x-test-upgrade" in lower and "upgrade" in lower:
                writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: "
                             + lower["upgrade"].encode("latin-1") + b"\r\nx-origin: " + NAME.encode() + b"\r\n\r\n")
                await echo(b"", reader, writer)
                return
            text = json.dumps(answer).encode()
            if status in (204, 304):
                text = b""
            out = [f"HTTP/1.1 {status} Test", "content-type: application/json", f"x-origin: {NAME}"]
            for name, value in headers:
                if name.lower() == "x-test-header":
                    out.append(value.replace("=", ": ", 1))
            chunked = "x-test-chunked" in lower and status not in (204, 304)
            if chunked:
                out.append("transfer-encoding: chunked")
            elif status not in (204,):
                out.append(f"content-length: {len(text)}")
            writer.write("\r\n".join(out).encode("latin-1") + b"\r\n\r\n")
            if method != "HEAD":
                if chunked:
                    for start in range(0, len(text), 40):
                        part = text[start:start + 40]
                        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    trailers = [v.replace("=", ": ", 1) for n, v in headers if n.lower() == "x-test-trailer"]
                    writer.write("\r\n".join(["0", *trailers]).encode("latin-1") + b"\r\n\r\n")
                else:
                    writer.write(text)
            await writer.drain()
            if lower.get("connection", "").lower() == "close":
                return
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, HOST, int(PORT), limit=1 << 20, backlog=512)
    async with server:
        await server.serve_forever()


asyncio.run(main())
