#!/usr/bin/env python3
"""gRPC calls of every kind through a proxy, without generated code: messages are raw bytes.

    grpc_calls.py --serve HOST:PORT
    grpc_calls.py ADDRESS AUTHORITY         prints what came of each call, as JSON
"""
import concurrent.futures
import json
import sys
import time

import grpc

SERVICE = "/apus.test.Calls/"


def serve(address):
    def unary(request, context):
        told = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-initial", "i"),))
        context.set_trailing_metadata((("x-trailing", "t"), ("x-bytes-bin", b"\x00\xff")))
        if "x-sleep" in told:
            time.sleep(float(told["x-sleep"]))
        if "x-code" in told:
            context.abort(next(c for c in grpc.StatusCode if c.value[0] == int(told["x-code"])), "told: 100% ü")
        return b"<" + request + b">" + str(len(told.get("x-large", ""))).encode()

    def collect(requests, context):
        return b"|".join(requests)

    def count(request, context):
        for number in range(int(request)):
            yield str(number).encode() * 1000

    def echo(requests, context):
        for request in requests:
            yield b"e:" + request
        context.set_trailing_metadata((("x-end", "1"),))

    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary), "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Count": grpc.unary_stream_rpc_method_handler(count), "Echo": grpc.stream_stream_rpc_method_handler(echo),
    }
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.strip("/"), handlers),))
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def outcome(call):
    """The result of a call, its status and the metadata that the server sent."""
    mine = ("x-initial", "x-trailing", "x-bytes-bin", "x-end")

    def metadata(pairs):
        return sorted([k, v.hex() if isinstance(v, bytes) else v] for k, v in pairs or () if k in mine)

    try:
        answer = call.result() if hasattr(call, "result") and not hasattr(call, "__next__") else list(call)
        answer = [part.decode() for part in answer] if isinstance(answer, list) else answer.decode()
        if isinstance(answer, list) and len(answer) > 5:
            answer = [len(answer), sum(map(len, answer))]
    except grpc.RpcError:
        answer = None
    return [answer, call.code().name, call.details(), metadata(call.initial_metadata()),
            metadata(call.trailing_metadata())]


def run(address, authority):
    results = {}
    options = [("grpc.default_authority", authority), ("grpc.enable_retries", 0)]
    with grpc.insecure_channel(address, options=options) as channel:
        unary = channel.unary_unary(SERVICE + "Unary")

        def once(data=b"x", timeout=10, **metadata):
            return outcome(unary.future(data, timeout=timeout, metadata=[
                ("x-" + k, str(v)) for k, v in metadata.items()]))

        results["unary"] = once()
        results["empty message"] = once(b"")
        results["large message"] = [len(str(once(b"y" * 1_000_000)[0]))]
        results["large metadata"] = once(large="z" * 8000)
        for code in range(1, 17):
            results[f"status {code}"] = once(code=code)
        results["deadline"] = once(timeout=0.3, sleep=1)[:2]
        results["client stream"] = outcome(channel.stream_unary(SERVICE + "Collect").future(
            iter([b"a", b"b", b"c"]), timeout=10))
        results["empty client stream"] = outcome(channel.stream_unary(SERVICE + "Collect").future(iter([]), timeout=10))
        results["server stream"] = outcome(channel.unary_stream(SERVICE + "Count")(b"300", timeout=20))
        results["empty server stream"] = outcome(channel.unary_stream(SERVICE + "Count")(b"0", timeout=10))
        results["both ways"] = outcome(channel.stream_stream(SERVICE + "Echo")(iter([b"1", b"2"]), timeout=10))
        results["unknown method"] = outcome(channel.unary_unary(SERVICE + "None").future(b"", timeout=10))
        results["unknown service"] = outcome(channel.unary_unary("/none/None").future(b"", timeout=10))
        # Many at a time on one connection.
        many = [unary.future(str(n).encode(), timeout=20) for n in range(200)]
        results["together"] = [call.result() == f"<{n}>0".encode() for n, call in enumerate(many)].count(True)
        call = channel.stream_stream(SERVICE + "Echo")(iter(lambda: time.sleep(0.05) or b"s", None), timeout=10)
        next(call)
        call.cancel()
        results["cancelled"] = call.code().name
        results["after the cancelled one"] = once()
    return results


if sys.argv[1] == "--serve":
    serve(sys.argv[2])
else:
    print(json.dumps(run(sys.argv[1], sys.argv[2])))
