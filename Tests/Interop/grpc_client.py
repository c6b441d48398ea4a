#!/usr/bin/env python3
"""A proxyless gRPC program: resolves `xds:///NAME` through Apus and counts who answered.

    grpc_client.py TARGET CALLS        (GRPC_XDS_BOOTSTRAP names the bootstrap file)
    grpc_client.py --serve NAME HOST:PORT

The service is one unary method on raw bytes, so no generated code is needed.
"""
import collections
import concurrent.futures
import json
import sys

import grpc

METHOD = "/apus.test.Who/Am"


def serve(name, address):
    class Handler(grpc.GenericRpcHandler):
        def service(self, details):
            if details.method != METHOD:
                return None
            return grpc.unary_unary_rpc_method_handler(lambda request, context: name.encode())

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def call(target, calls):
    counts = collections.Counter()
    with grpc.insecure_channel(target) as channel:
        method = channel.unary_unary(METHOD)
        for _ in range(calls):
            try:
                counts[method(b"?", timeout=10, wait_for_ready=True).decode()] += 1
            except grpc.RpcError as error:
                counts[f"{error.code().name}: {error.details()}"] += 1
    print(json.dumps(counts))


if sys.argv[1] == "--serve":
    serve(sys.argv[2], sys.argv[3])
else:
    call(sys.argv[1], int(sys.argv[2]))
