#!/usr/bin/env python3
"""An HTTP/2 origin (prior knowledge) that tells what it saw and fails on request.

    origin_h2.py NAME HOST:PORT

Answers with JSON: its name, the pseudo-headers, every header, the body and the trailers. Request headers steer it:
    x-test-status: 503          answer with this status
    x-test-header: name=value   add a response header (may be repeated)
    x-test-trailer: name=value  add a response trailer (may be repeated)
    x-test-empty: 1             answer with a head alone
    x-test-length: 1            say the length of the body
    x-test-reset: CODE          reset the stream with this code instead of an answer
    x-test-late-reset: CODE     the same after head and body
    x-test-fail: KEY:N:WHAT     the first N requests with KEY: WHAT is a status, `refuse`, `goaway` or `close`
    x-test-delay: 0.5           wait before the answer (seconds)
    x-test-early: 1             answer as soon as the head is here, whatever follows
    x-test-interim: 103         an interim head before the answer
Extended CONNECT and CONNECT are accepted with 200 and echoed behind `NAME:`, unless x-test-status says otherwise.
"""
import asyncio
import collections
import json
import sys

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

NAME = sys.argv[1]
HOST, PORT = sys.argv[2].rsplit(":", 1)
failures = collections.Counter()


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


class Stream:
    def __init__(self, headers):
        self.headers = [(text(n), text(v)) for n, v in headers]
        self.lower = {n: v for n, v in self.headers}
        self.body = b""
        self.trailers = []
        self.is_tunnel = self.lower.get(":method") == "CONNECT"
        self.accepted = False


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.http = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, validate_inbound_headers=False, header_encoding=None))
        self.http.local_settings.enable_connect_protocol = 1
        self.streams = {}
        self.pending = {}
        self.closing = False

    def flush(self):
        self.writer.write(self.http.data_to_send())

    def send(self, stream_id, data, end):
        """Sends what the windows allow; the rest waits for them."""
        self.pending.setdefault(stream_id, bytearray()).extend(data)
        if end:
            self.pending[stream_id, "end"] = end
        self.push(stream_id)

    def push(self, stream_id):
        waiting = self.pending.get(stream_id)
        if waiting is None:
            return
        try:
            while waiting:
                size = min(len(waiting), self.http.local_flow_control_window(stream_id), 16384)
                if size <= 0:
                    return
                self.http.send_data(stream_id, bytes(waiting[:size]))
                del waiting[:size]
            end = self.pending.pop((stream_id, "end"), None)
            if end is not None:
                del self.pending[stream_id]
                end()
        except h2.exceptions.ProtocolError:
            self.pending.pop(stream_id, None)

    async def answer(self, stream_id, stream):
        lower = stream.lower
        if "x-test-delay" in lower:
            await asyncio.sleep(float(lower["x-test-delay"]))
        status = int(lower.get("x-test-status", 200))
        if "x-test-fail" in lower:
            key, count, how = lower["x-test-fail"].split(":")
            failures[key] += 1
            if failures[key] <= int(count):
                if how == "refuse":
                    self.http.reset_stream(stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
                    return self.flush()
                if how == "goaway":
                    self.http.close_connection(last_stream_id=max(0, stream_id - 2))
                    self.flush()
                    self.closing = True
                    return self.writer.close()
                if how == "close":
                    return self.writer.transport.abort()
                status = int(how)
        if "x-test-reset" in lower:
            self.http.reset_stream(stream_id, int(lower["x-test-reset"]))
            return self.flush()
        if "x-test-interim" in lower:
            self.http.send_headers(stream_id, [(":status", lower["x-test-interim"]), ("x-interim", "1")])
        pseudo = {n: v for n, v in stream.headers if n.startswith(":")}
        seen = {"origin": NAME, "method": lower.get(":method"), "target": lower.get(":path"), "version": "HTTP/2",
                "pseudo": pseudo, "headers": [h for h in stream.headers if not h[0].startswith(":")],
                "body": stream.body.decode("latin-1"), "trailers": stream.trailers}
        body = json.dumps(seen).encode()
        headers = [(":status", str(status)), ("x-origin", NAME)]
        headers += [tuple(v.split("=", 1)) for n, v in stream.headers if n == "x-test-header"]
        if not any(n == "content-type" for n, _ in headers):
            headers.append(("content-type", "application/json"))
        trailers = [tuple(v.split("=", 1)) for n, v in stream.headers if n == "x-test-trailer"]
        bare = "x-test-empty" in lower or status in (204, 304) or lower.get(":method") == "HEAD"
        if "x-test-length" in lower and not bare:
            headers.append(("content-length", str(len(body))))
        self.http.send_headers(stream_id, headers, end_stream=bare and not trailers)
        if bare and trailers:
            self.http.send_headers(stream_id, trailers, end_stream=True)
        if not bare:
            def end():
                if "x-test-late-reset" in lower:
                    self.http.reset_stream(stream_id, int(lower["x-test-late-reset"]))
                elif trailers:
                    self.http.send_headers(stream_id, trailers, end_stream=True)
                else:
                    self.http.end_stream(stream_id)
            self.send(stream_id, body, end)
        self.flush()

    def tunnel(self, stream_id, stream):
        status = stream.lower.get("x-test-status", "200")
        headers = [(":status", status), ("x-origin", NAME)]
        if status != "200":
            self.http.send_headers(stream_id, headers, end_stream=True)
            return
        stream.accepted = True
        self.http.send_headers(stream_id, headers)
        self.send(stream_id, f"{NAME}:".encode(), None)

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            stream = self.streams[event.stream_id] = Stream(event.headers)
            if stream.is_tunnel:
                self.tunnel(event.stream_id, stream)
            elif "x-test-early" in stream.lower:
                asyncio.ensure_future(self.safely(event.stream_id, stream))
        elif isinstance(event, h2.events.DataReceived):
            if event.flow_controlled_length:
                self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            stream = self.streams.get(event.stream_id)
            if stream and stream.accepted:
                self.send(event.stream_id, event.data, None)
            elif stream:
                stream.body += event.data
        elif isinstance(event, h2.events.TrailersReceived):
            stream = self.streams.get(event.stream_id)
            if stream:
                stream.trailers = [(text(n), text(v)) for n, v in event.headers]
        elif isinstance(event, h2.events.StreamEnded):
            stream = self.streams.get(event.stream_id)
            if stream and stream.accepted:
                self.send(event.stream_id, b"", lambda: self.http.end_stream(event.stream_id))
            elif stream and "x-test-early" not in stream.lower and not stream.is_tunnel:
                asyncio.ensure_future(self.safely(event.stream_id, stream))
        elif isinstance(event, h2.events.WindowUpdated):
            for stream_id in [event.stream_id] if event.stream_id else [k for k in self.pending if isinstance(k, int)]:
                self.push(stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.streams.pop(event.stream_id, None)

    async def safely(self, stream_id, stream):
        try:
            await self.answer(stream_id, stream)
        except (h2.exceptions.ProtocolError, ConnectionError):
            pass

    async def run(self):
        self.http.initiate_connection()
        self.flush()
        while not self.closing:
            data = await self.reader.read(65536)
            if not data:
                return
            for event in self.http.receive_data(data):
                self.handle(event)
            self.flush()
            await self.writer.drain()


async def serve(reader, writer):
    try:
        await Connection(reader, writer).run()
    except (ConnectionError, h2.exceptions.ProtocolError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, HOST, int(PORT), backlog=512)
    async with server:
        await server.serve_forever()


asyncio.run(main())
