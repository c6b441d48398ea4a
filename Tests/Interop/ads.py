"""A small ADS server (delta) that gives fixed resources to whoever asks; for configurations no manifest can express."""
import concurrent.futures
import queue
import threading

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import json_format

# The messages inside of `Any` must be known to the parser.
from envoy.extensions.access_loggers.stream.v3 import stream_pb2  # noqa: F401
from envoy.extensions.filters.http.cors.v3 import cors_pb2  # noqa: F401
from envoy.extensions.filters.http.fault.v3 import fault_pb2  # noqa: F401
from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2  # noqa: F401
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2  # noqa: F401
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2  # noqa: F401
from envoy.extensions.http.header_formatters.preserve_case.v3 import preserve_case_pb2  # noqa: F401
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401

PREFIX = "type.googleapis.com/"
METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


def resources(config):
    """The resources of a bootstrap's `static_resources`, by type URL."""
    result = {}
    for kind, message, entries in (("envoy.config.cluster.v3.Cluster", cluster_pb2.Cluster, config["clusters"]),
                                   ("envoy.config.listener.v3.Listener", listener_pb2.Listener, config["listeners"])):
        found = result[PREFIX + kind] = []
        for entry in entries:
            resource = discovery_pb2.Resource(name=entry["name"], version="1")
            resource.resource.Pack(json_format.ParseDict(entry, message()))
            found.append(resource)
    return result


class Server:
    """Serves one configuration; `nacks` has what clients refused."""

    def __init__(self, config):
        self.resources = resources(config)
        self.nacks = []
        self.acks = set()
        self.pool = concurrent.futures.ThreadPoolExecutor(8)
        self.server = grpc.server(self.pool)
        handler = grpc.stream_stream_rpc_method_handler(
            self.stream, request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            METHOD.split("/")[1], {METHOD.split("/")[2]: handler}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def stream(self, requests, context):
        answers = queue.Queue()

        def read():
            told = set()
            try:
                for request in requests:
                    kind = request.type_url
                    if request.HasField("error_detail"):
                        self.nacks.append((kind, request.error_detail.message))
                    elif request.response_nonce:
                        self.acks.add(kind)
                    if kind not in told:
                        told.add(kind)
                        answers.put(discovery_pb2.DeltaDiscoveryResponse(
                            type_url=kind, nonce="n", system_version_info="1", resources=self.resources.get(kind, [])))
            except grpc.RpcError:
                pass
            answers.put(None)

        threading.Thread(target=read, daemon=True).start()
        while True:
            answer = answers.get()
            if answer is None:
                return
            yield answer

    def stop(self):
        self.server.stop(0)
        self.pool.shutdown(wait=False)
