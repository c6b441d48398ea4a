#!/usr/bin/env python3
"""Clusters that no manifest makes, given to a stock Envoy and to apus-proxy by a small ADS server of ours: health checks,
outlier detection, subsets, slow start, priorities, panic, breakers. Both must spread the same requests alike.

    clusters.py --bin FOLDER [--only REGEX]
"""
import argparse
import collections
import concurrent.futures
import http.client
import http.server
import queue
import re
import sys
import threading
import time

import grpc
from google.protobuf import any_pb2, json_format
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401 (registers the type)
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2  # noqa: F401
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401
from envoy.extensions.load_balancing_policies.round_robin.v3 import round_robin_pb2  # noqa: F401
from envoy.extensions.load_balancing_policies.least_request.v3 import least_request_pb2  # noqa: F401
from envoy.extensions.load_balancing_policies.ring_hash.v3 import ring_hash_pb2  # noqa: F401
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

import processes

PREFIX = "type.googleapis.com/"
CLUSTER = PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINTS = PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = PREFIX + "envoy.config.listener.v3.Listener"


# Origins

class Origin:
    """An HTTP server that says who it is, and answers /health and everything else as it is told."""

    def __init__(self, name):
        self.name = name
        self.health = 200
        self.status = 200
        self.headers = {}
        self.health_headers = {}
        self.delay = 0
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                checks = self.path.startswith("/health")
                if not checks and origin.delay:
                    time.sleep(origin.delay)
                status = origin.health if checks else origin.status
                if status == 0:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.send_header("x-origin", origin.name)
                for key, value in (origin.health_headers if checks else origin.headers).items():
                    self.send_header(key, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self):
        self.health = self.status = 200
        self.delay = 0
        self.headers, self.health_headers = {}, {}


class GRPCOrigin(Origin):
    """A gRPC server with a health service whose answer is told by `health`: 200 is SERVING, another NOT_SERVING."""

    def __init__(self, name):
        self.name = name
        self.reset()
        origin = self

        class Handler(grpc.GenericRpcHandler):
            def service(self, details):
                if details.method == "/grpc.health.v1.Health/Check":
                    return grpc.unary_unary_rpc_method_handler(
                        lambda request, context: b"\x08\x01" if origin.health == 200 else b"\x08\x02")
                return grpc.unary_unary_rpc_method_handler(origin.answer)

        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[Handler()])
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def answer(self, request, context):
        context.set_trailing_metadata([("x-origin", self.name)])
        context.send_initial_metadata([("x-origin", self.name)])
        return b""


# Control plane

class ADS(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    """Incremental ADS over a dictionary of resources."""

    def __init__(self):
        self.resources = {CLUSTER: {}, ENDPOINTS: {}, LISTENER: {}}
        self.version = 0
        self.refused = []
        self.streams = []
        self.lock = threading.Lock()

    def put(self, kind, name, message):
        packed = any_pb2.Any()
        packed.Pack(message)
        with self.lock:
            self.version += 1
            self.resources[kind][name] = (str(self.version), packed)
            for stream in self.streams:
                stream.put((kind, [name]))

    def DeltaAggregatedResources(self, requests, context):
        changes = queue.Queue()
        wanted = collections.defaultdict(set)
        with self.lock:
            self.streams.append(changes)

        def read():
            try:
                for request in requests:
                    if request.HasField("error_detail"):
                        self.refused.append(request.error_detail.message)
                    new = list(request.resource_names_subscribe)
                    first = request.type_url not in wanted
                    wanted[request.type_url].update(new)
                    if request.type_url in (CLUSTER, LISTENER) and first:
                        wanted[request.type_url].add("*")
                        new = list(self.resources[request.type_url])
                        changes.put((request.type_url, new))
                    elif new:
                        changes.put((request.type_url, new))
            except grpc.RpcError:
                pass
            changes.put(None)

        threading.Thread(target=read, daemon=True).start()
        number = 0
        while True:
            change = changes.get()
            if change is None:
                break
            kind, names = change
            if kind not in wanted:
                continue
            answer = discovery_pb2.DeltaDiscoveryResponse(type_url=kind, system_version_info=str(self.version))
            for name in names:
                if "*" not in wanted[kind] and name not in wanted[kind]:
                    continue
                found = self.resources.get(kind, {}).get(name)
                if found:
                    answer.resources.add(name=name, version=found[0], resource=found[1])
                elif kind == ENDPOINTS:
                    answer.removed_resources.append(name)
            if not answer.resources and not answer.removed_resources and kind in (CLUSTER, LISTENER):
                if number:
                    continue
            number += 1
            answer.nonce = str(number)
            yield answer


def serve():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
    service = ADS()
    ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, service, port


# Resources

def listener(port, names, routes):
    """One listener; a request for `<scenario>.test` goes to the cluster of that name."""
    hosts = []
    for name in names:
        rules = routes.get(name) or [{"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "5s"}}]
        hosts.append({"name": name, "domains": [f"{name}.test"], "routes": rules})
    manager = {
        "@type": PREFIX + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test", "route_config": {
            "name": "r", "virtual_hosts": hosts, "validate_clusters": False},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": PREFIX + "envoy.extensions.filters.http.router.v3.Router"}}]}
    return json_format.ParseDict({
        "name": "l", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}, listener_pb2.Listener())


def cluster(name, config):
    message = {"name": name, "type": "EDS", "connect_timeout": "1s",
               "eds_cluster_config": {"eds_config": {"ads": {}, "resource_api_version": "V3"}}, **config}
    return json_format.ParseDict(message, cluster_pb2.Cluster())


def assignment(name, groups, origins, policy=None):
    """`groups`: (group's fields, [(origin, endpoint's fields)])."""
    message = {"cluster_name": name, "endpoints": []}
    if policy:
        message["policy"] = policy
    for fields, hosts in groups:
        entries = []
        for origin, more in hosts:
            address = {"address": "127.0.0.1", "port_value": origins[origin].port if origin in origins else 1}
            entries.append({"endpoint": {"address": {"socket_address": address}}, **more})
        message["endpoints"].append({**fields, "lb_endpoints": entries})
    return json_format.ParseDict(message, endpoint_pb2.ClusterLoadAssignment())


# Scenarios

class Set:
    """Changes an origin."""

    def __init__(self, origin, **values):
        self.origin, self.values = origin, values


class Wait:
    def __init__(self, seconds):
        self.seconds = seconds


class Endpoints:
    """New endpoints for the cluster."""

    def __init__(self, groups, policy=None):
        self.groups, self.policy = groups, policy


class Send:
    """Requests; with a tolerance the shares of (status, origin) are compared, else the counts."""

    def __init__(self, times=1, tolerance=0.0, headers=None, path="/", together=1, apart=0.0):
        self.times, self.tolerance, self.headers, self.path = times, tolerance, headers or {}, path
        self.together = together
        # Seconds between the starts of those that run together.
        self.apart = apart


class Scenario:
    def __init__(self, name, config, groups, steps, routes=None, policy=None):
        self.name, self.config, self.groups, self.steps = name, config, groups, steps
        self.routes, self.policy = routes, policy


def plain(*names, **more):
    return [({}, [(name, dict(more)) for name in names])]


def labelled(**hosts):
    """Hosts with `envoy.lb` metadata."""
    return [({}, [(name, {"metadata": {"filter_metadata": {"envoy.lb": values}}}) for name, values in hosts.items()])]


def match(**values):
    return {"metadata_match": {"filter_metadata": {"envoy.lb": values}}}


def to(name, path="/", **more):
    return {"match": {"prefix": path}, "route": {"cluster": name, "timeout": "5s", **more}}


HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


GRPC = {"content-type": "application/grpc", "te": "trailers"}


def status(code):
    return {"http_response_headers_match": {"headers": [{"name": ":status", "string_match": {"exact": code}}]}}


CHECK = {"timeout": "1s", "interval": "0.2s", "no_traffic_interval": "0.2s", "unhealthy_threshold": 2,
         "healthy_threshold": 2, "http_health_check": {"path": "/health"}}
OUTLIER = {"consecutive_5xx": 3, "interval": "0.5s", "base_ejection_time": "1s", "max_ejection_percent": 100,
           "enforcing_success_rate": 0, "enforcing_consecutive_gateway_failure": 0}
NO_PANIC = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}
SUBSETS = {"fallback_policy": "NO_FALLBACK", "subset_selectors": [{"keys": ["version"]}, {"keys": ["stage", "version"]}]}
HOSTS = labelled(a={"version": "1", "stage": "prod"}, b={"version": "2", "stage": "prod"},
                 c={"version": "2", "stage": "dev"}, d={"version": ["3", "4"], "stage": "dev"})


def region(name, weight=None, priority=0):
    fields = {"locality": {"region": name}, "priority": priority}
    if weight is not None:
        fields["load_balancing_weight"] = weight
    return fields


def subset(name, steps, routes, **config):
    return Scenario(name, {"lb_subset_config": {**SUBSETS, **config}}, HOSTS, steps, routes=routes)


SCENARIOS = [
    Scenario("check-http", {"health_checks": [CHECK], **NO_PANIC}, plain("a", "b"), [
        Send(20), Set("a", health=500), Wait(1.2), Send(20), Set("b", health=503), Wait(1.2), Send(2),
        Set("a", health=200), Wait(1.5), Send(10)]),
    Scenario("check-statuses", {"health_checks": [{**CHECK, "http_health_check": {
        "path": "/health", "expected_statuses": [{"start": 200, "end": 202}, {"start": 404, "end": 405}]}}],
        **NO_PANIC}, plain("a", "b", "c"),
        [Set("a", health=404), Set("b", health=204), Set("c", health=201), Wait(1.5), Send(20)]),
    Scenario("check-retriable", {"health_checks": [{**CHECK, "unhealthy_threshold": 50, "http_health_check": {
        "path": "/health", "retriable_statuses": [{"start": 500, "end": 501}]}}], **NO_PANIC}, plain("a", "b"),
        [Send(10), Set("a", health=500), Set("b", health=503), Wait(1.2), Send(10)]),
    Scenario("check-degraded", {"health_checks": [CHECK], **NO_PANIC}, plain("a", "b"), [
        Send(10), Set("a", health_headers={"x-envoy-degraded": "1"}), Wait(1.2), Send(200, tolerance=0.2),
        Set("b", health=500), Wait(1.2), Send(10)]),
    Scenario("check-dead", {"health_checks": [{**CHECK, "timeout": "0.3s"}], **NO_PANIC}, plain("a", "nobody"),
             [Wait(1.5), Send(10), Set("a", health=0), Wait(1.5), Send(2)]),
    Scenario("check-tcp", {"health_checks": [{
        "timeout": "1s", "interval": "0.2s", "no_traffic_interval": "0.2s", "unhealthy_threshold": 2,
        "healthy_threshold": 1, "tcp_health_check": {}}], **NO_PANIC}, plain("a", "nobody", "b"),
        [Wait(1.5), Send(10)]),
    Scenario("check-tcp-bytes", {"health_checks": [{
        "timeout": "0.5s", "interval": "0.2s", "no_traffic_interval": "0.2s", "unhealthy_threshold": 2,
        "healthy_threshold": 1, "tcp_health_check": {
            # GET /health HTTP/1.1, an empty line behind; the answer names its origin.
            "send": {"text": "474554202f6865616c746820485454502f312e310d0a0d0a"},
            "receive": [{"text": b"200".hex()}, {"text": b"x-origin: a".hex()}]}}], **NO_PANIC}, plain("a", "b"),
        [Wait(1.5), Send(10)]),
    Scenario("check-immediate", {"health_checks": [{**CHECK, "interval": "1s", "no_traffic_interval": "1s"}],
                                 **NO_PANIC}, plain("a"),
             [Wait(0.5), Send(2), Set("a", headers={"x-envoy-immediate-health-check-fail": "true"}), Send(1),
              Set("a", headers={}), Wait(0.3), Send(1)]),
    Scenario("check-panic", {"health_checks": [CHECK]}, plain("a", "b", "c"), [
        Set("a", health=500), Set("b", health=500), Wait(1.5), Send(60, tolerance=0.2)]),
    Scenario("check-elsewhere", {"health_checks": [CHECK], **NO_PANIC},
             [({}, [("a", {}), ("b", {})])], [Wait(1), Send(10)]),

    Scenario("check-grpc", {"health_checks": [{
        **{key: value for key, value in CHECK.items() if key != "http_health_check"},
        "grpc_health_check": {"service_name": "shop.Cart"}}], "typed_extension_protocol_options": {HTTP_OPTIONS: {
            "@type": PREFIX + HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}}, **NO_PANIC},
        plain("g", "h"), [Send(10, path="/a.B/C", headers=GRPC), Set("g", health=0), Wait(1.2),
                          Send(10, path="/a.B/C", headers=GRPC), Set("h", health=0), Wait(1.2),
                          Send(2, path="/a.B/C", headers=GRPC), Set("g", health=200), Wait(1.5),
                          Send(10, path="/a.B/C", headers=GRPC)]),
    Scenario("check-grpc-dead", {"health_checks": [{
        **{key: value for key, value in CHECK.items() if key != "http_health_check"}, "grpc_health_check": {}}],
        "typed_extension_protocol_options": {HTTP_OPTIONS: {
            "@type": PREFIX + HTTP_OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}}}, **NO_PANIC},
        # An HTTP/1.1 server does not speak gRPC.
        plain("g", "a", "nobody"), [Wait(1.5), Send(10, path="/a.B/C", headers=GRPC)]),

    Scenario("outlier-5xx", {"outlier_detection": OUTLIER, **NO_PANIC}, plain("a", "b"),
             [Set("a", status=500), Send(30), Wait(0.3), Send(10), Set("a", status=200), Wait(2), Send(20)]),
    Scenario("outlier-third", {"outlier_detection": {**OUTLIER, "max_ejection_percent": 33}}, plain("a", "b", "c"),
             [Set("a", status=500), Send(30), Wait(0.3), Send(30)]),
    Scenario("outlier-third-more", {"outlier_detection": {**OUTLIER, "max_ejection_percent": 34,
                                                         "base_ejection_time": "20s"}}, plain("a", "b", "c"),
             [Set("a", status=500), Send(30, tolerance=1), Wait(0.3), Set("b", status=500), Send(30)]),
    Scenario("outlier-one-always", {"outlier_detection": {
        **OUTLIER, "max_ejection_percent": 1, "always_eject_one_host": True, "base_ejection_time": "20s"}},
        plain("a", "b", "c"),
        [Set("a", status=500), Send(30, tolerance=1), Wait(0.3), Set("b", status=500), Send(30)]),
    Scenario("outlier-gateway", {"outlier_detection": {
        **OUTLIER, "consecutive_5xx": 0, "consecutive_gateway_failure": 3,
        "enforcing_consecutive_gateway_failure": 100, "base_ejection_time": "20s"}}, plain("a", "b", "c"),
        [Set("a", status=500), Set("b", status=503), Send(30), Wait(0.3), Send(30)]),
    Scenario("outlier-local", {"outlier_detection": {
        **OUTLIER, "split_external_local_origin_errors": True, "consecutive_local_origin_failure": 2,
        "base_ejection_time": "20s"}}, plain("a", "nobody"), [Send(20), Wait(0.3), Send(10)]),
    Scenario("outlier-local-joined", {"outlier_detection": {**OUTLIER, "base_ejection_time": "20s"}},
             plain("a", "nobody"), [Send(20), Wait(0.3), Send(10)]),
    Scenario("outlier-split-5xx", {"outlier_detection": {
        **OUTLIER, "split_external_local_origin_errors": True, "base_ejection_time": "20s"}}, plain("a", "b"),
        [Set("a", status=500), Send(20), Wait(0.3), Send(10)]),
    Scenario("outlier-rate", {"outlier_detection": {
        **OUTLIER, "consecutive_5xx": 0, "enforcing_success_rate": 100, "success_rate_minimum_hosts": 3,
        "success_rate_request_volume": 5, "success_rate_stdev_factor": 1000, "base_ejection_time": "20s"}},
        plain("a", "b", "c", "d"), [Set("a", status=500), Send(200, tolerance=1), Wait(1.2), Send(30)]),
    Scenario("outlier-percentage", {"outlier_detection": {
        **OUTLIER, "consecutive_5xx": 0, "enforcing_failure_percentage": 100, "failure_percentage_minimum_hosts": 2,
        "failure_percentage_request_volume": 5, "failure_percentage_threshold": 90, "base_ejection_time": "20s"}},
        plain("a", "b", "c"), [Set("a", status=500), Send(150, tolerance=1), Wait(1.2), Send(30)]),
    Scenario("outlier-all", {"outlier_detection": {**OUTLIER, "base_ejection_time": "20s"}, **NO_PANIC}, plain("a"),
             [Set("a", status=500), Send(3), Wait(0.3), Send(2)]),
    Scenario("outlier-all-panic", {"outlier_detection": {**OUTLIER, "base_ejection_time": "20s"}}, plain("a"),
             [Set("a", status=500), Send(3), Wait(0.3), Send(2)]),

    Scenario("outlier-codes", {"outlier_detection": {**OUTLIER, "base_ejection_time": "20s"},
                               "typed_extension_protocol_options": {HTTP_OPTIONS: {
                                   "@type": PREFIX + HTTP_OPTIONS, "explicit_http_config": {"http_protocol_options": {}},
                                   "outlier_detection": {"error_matcher": {"or_match": {"rules": [
                                       status("404"), status("429")]}}}}}}, plain("a", "b", "c"),
             [Set("a", status=404), Set("b", status=500), Send(30), Wait(0.3), Send(30)]),
    Scenario("outlier-code-gateway", {"outlier_detection": {
        **OUTLIER, "consecutive_5xx": 0, "consecutive_gateway_failure": 3,
        "enforcing_consecutive_gateway_failure": 100, "base_ejection_time": "20s"},
        "typed_extension_protocol_options": {HTTP_OPTIONS: {
            "@type": PREFIX + HTTP_OPTIONS, "explicit_http_config": {"http_protocol_options": {}},
            "outlier_detection": {"error_matcher": status("503")}}}}, plain("a", "b"),
        [Set("a", status=503), Send(20), Wait(0.3), Send(10)]),
    Scenario("check-lingers", {"health_checks": [CHECK], **NO_PANIC}, plain("a", "b"),
             [Send(10), Endpoints(plain("b")), Wait(0.5), Send(10), Set("a", health=500), Wait(1.2), Send(10)]),
    Scenario("check-ignored-on-removal", {
        "health_checks": [CHECK], "ignore_health_on_host_removal": True, **NO_PANIC}, plain("a", "b"),
        [Send(10), Endpoints(plain("b")), Wait(0.5), Send(10)]),
    Scenario("breaker-per-host", {"circuit_breakers": {
        "thresholds": [{"max_pending_requests": 1}], "per_host_thresholds": [{"max_connections": 1}]}},
        plain("a"), [Set("a", delay=0.5), Send(5, together=5)]),

    subset("subset-match", [Send(12), Send(12, path="/both"), Send(4, path="/none"), Send(4, path="/unknown"),
                            Send(4, path="/list"), Send(4, path="/keys")],
           [to("subset-match", "/both", **match(version="2", stage="dev")),
            to("subset-match", "/none"), to("subset-match", "/unknown", **match(version="9")),
            to("subset-match", "/list", **match(version="4")), to("subset-match", "/keys", **match(stage="prod")),
            to("subset-match", "/", **match(version="2"))]),
    subset("subset-any", [Send(12), Send(12, path="/known")],
           [to("subset-any", "/known", **match(version="1")), to("subset-any", "/", **match(version="9"))],
           fallback_policy="ANY_ENDPOINT"),
    subset("subset-default", [Send(12), Send(12, path="/none")],
           [to("subset-default", "/none"), to("subset-default", "/", **match(version="9"))],
           fallback_policy="DEFAULT_SUBSET", default_subset={"stage": "prod"}),
    subset("subset-lists", [Send(12), Send(4, path="/4")],
           [to("subset-lists", "/4", **match(version="4")), to("subset-lists", "/", **match(version="3"))],
           list_as_any=True),
    subset("subset-keys", [Send(12), Send(8, path="/x")],
           [to("subset-keys", "/x", **match(version="9", stage="nowhere")),
            to("subset-keys", "/", **match(version="9", stage="prod"))],
           fallback_policy="ANY_ENDPOINT", subset_selectors=[
               {"keys": ["stage"]},
               {"keys": ["stage", "version"], "fallback_policy": "KEYS_SUBSET", "fallback_keys_subset": ["stage"]}]),
    subset("subset-alternatives", [Send(12), Send(4, path="/none")],
           [to("subset-alternatives", "/none", **match(fallback_list=[{"version": "8"}, {"version": "9"}])),
            to("subset-alternatives", "/", **match(fallback_list=[{"version": "8"}, {"version": "2"}]))],
           metadata_fallback_policy="FALLBACK_LIST"),
    subset("subset-weighted", [Send(400, tolerance=0.2)], [{"match": {"prefix": "/"}, "route": {
        **match(stage="prod"), "weighted_clusters": {"clusters": [
            {"name": "subset-weighted", "weight": 75, **match(version="1")},
            {"name": "subset-weighted", "weight": 25, **match(version="2")}]}}}]),
    Scenario("subset-localities", {
        "lb_subset_config": {"fallback_policy": "ANY_ENDPOINT", "subset_selectors": [{"keys": ["v"]}],
                             "locality_weight_aware": True},
        "common_lb_config": {"locality_weighted_lb_config": {}}},
        [(region("x", 90), labelled(a={"v": "1"}, b={"v": "2"})[0][1]), (region("y", 10), labelled(c={"v": "1"})[0][1])],
        [Send(400, tolerance=0.12)], routes=[to("subset-localities", "/", **match(v="1"))]),

    Scenario("slow-start", {"round_robin_lb_config": {"slow_start_config": {"slow_start_window": "60s"}}},
             plain("a", "b"), [Send(20), Endpoints(plain("a", "b", "c")), Wait(0.3), Send(300, tolerance=0.1)]),
    Scenario("slow-start-ends", {"round_robin_lb_config": {"slow_start_config": {"slow_start_window": "1s"}}},
             plain("a", "b"), [Endpoints(plain("a", "b", "c")), Wait(1.5), Send(300, tolerance=0.08)]),
    Scenario("slow-start-least", {"lb_policy": "LEAST_REQUEST", "least_request_lb_config": {
        "slow_start_config": {"slow_start_window": "60s", "min_weight_percent": {"value": 30}}}},
        plain("a", "b"), [Wait(0.5), Endpoints(plain("a", "b", "c")), Wait(0.3), Send(300, tolerance=0.12)]),

    Scenario("localities", {"common_lb_config": {"locality_weighted_lb_config": {}}},
             [(region("x", 70), plain("a", "b")[0][1]), (region("y", 30), plain("c")[0][1]),
              (region("z"), plain("d")[0][1])], [Send(500, tolerance=0.1)]),
    Scenario("localities-health", {"common_lb_config": {"locality_weighted_lb_config": {}}},
             [(region("x", 50), [("a", {}), ("b", {"health_status": "UNHEALTHY"})]),
              (region("y", 50), plain("c")[0][1])], [Send(500, tolerance=0.1)]),
    Scenario("priorities", {}, [
        (region("x", priority=0), [("a", {}), ("b", {"health_status": "UNHEALTHY"})]),
        (region("y", priority=1), plain("c")[0][1])], [Send(600, tolerance=0.12)]),
    Scenario("priorities-factor", {}, [
        (region("x", priority=0), [("a", {}), ("b", {"health_status": "UNHEALTHY"})]),
        (region("y", priority=1), plain("c")[0][1])], [Send(600, tolerance=0.12)],
        policy={"overprovisioning_factor": 200}),
    Scenario("priorities-weighted", {}, [
        (region("x", priority=0), [("a", {"load_balancing_weight": 4}),
                                   ("b", {"health_status": "UNHEALTHY", "load_balancing_weight": 1})]),
        (region("y", priority=1), plain("c")[0][1])], [Send(300, tolerance=0.12)],
        policy={"weighted_priority_health": True}),
    Scenario("priorities-down", {}, [
        (region("x", priority=0), [("a", {"health_status": "UNHEALTHY"})]),
        (region("y", priority=1), plain("c")[0][1])], [Send(20)]),
    Scenario("degraded", {}, [({}, [("a", {}), ("b", {"health_status": "DEGRADED"})])],
             [Send(600, tolerance=0.12)]),
    Scenario("draining", {}, [({}, [("a", {}), ("b", {"health_status": "DRAINING"}), ("c", {})])], [Send(20)]),
    Scenario("draining-panic", {}, [({}, [("a", {}), ("b", {"health_status": "DRAINING"}),
                                          ("c", {"health_status": "DRAINING"})])], [Send(20)]),
    Scenario("fails-in-panic", {"common_lb_config": {"zone_aware_lb_config": {"fail_traffic_on_panic": True}}},
             [({}, [("a", {}), ("b", {"health_status": "UNHEALTHY"}), ("c", {"health_status": "UNHEALTHY"})])],
             [Send(5)]),
    Scenario("typed-round-robin", {"load_balancing_policy": {"policies": [{"typed_extension_config": {
        "name": "rr", "typed_config": {
            "@type": PREFIX + "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
            "locality_lb_config": {"locality_weighted_lb_config": {}}}}}]}},
        [(region("x", 80), plain("a")[0][1]), (region("y", 20), plain("b", "c")[0][1])],
        [Send(400, tolerance=0.12)]),
    Scenario("full-scan", {"load_balancing_policy": {"policies": [{"typed_extension_config": {
        "name": "lr", "typed_config": {
            "@type": PREFIX + "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
            "selection_method": "FULL_SCAN"}}}]}}, plain("a", "b", "c"), [Send(300, tolerance=0.2)]),
    Scenario("bounded-hash", {
        "lb_policy": "RING_HASH",
        "common_lb_config": {"consistent_hashing_lb_config": {"hash_balance_factor": 120}}}, plain("a", "b", "c", "d"),
        [Send(10, headers={"x-key": "one"}),
         Set("a", delay=3), Set("b", delay=3), Set("c", delay=3), Set("d", delay=3),
         Send(12, headers={"x-key": "one"}, together=12, apart=0.12)],
        routes=[to("bounded-hash", "/", hash_policy=[{"header": {"header_name": "x-key"}}])]),
    Scenario("breaker-requests", {"circuit_breakers": {"thresholds": [{"max_requests": 2}]}}, plain("a"),
             [Set("a", delay=0.5), Send(5, together=5)]),
    Scenario("breaker-pending", {"circuit_breakers": {"thresholds": [{"max_connections": 1, "max_pending_requests": 1}]}},
             plain("a"), [Set("a", delay=0.5), Send(5, together=5)]),
]


# Running

def request(address, scenario, step):
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        connection.request(
            "POST" if step.headers is GRPC else "GET", step.path, body=b"\0\0\0\0\0" if step.headers is GRPC else None,
            headers={"host": f"{scenario.name}.test", **step.headers})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        origin = answer.getheader("x-origin") or ""
        # Whose body it is matters when the proxy answers.
        return answer.status, origin, "" if origin else text
    except (OSError, http.client.HTTPException) as error:
        return 0, "", type(error).__name__
    finally:
        connection.close()


def send(address, scenario, step):
    if step.together > 1:
        with concurrent.futures.ThreadPoolExecutor(step.together) as pool:
            def late(number):
                time.sleep(number * step.apart)
                return request(address, scenario, step)

            return collections.Counter(pool.map(late, range(step.times)))
    return collections.Counter(request(address, scenario, step) for _ in range(step.times))


def differences(step, envoy, apus):
    """Whatever is said of one proxy and not of the other."""
    problems = []
    for key in sorted(set(envoy) | set(apus)):
        left, right = envoy[key], apus[key]
        # Both turn in circles, from a start of their own.
        allowed = step.tolerance * step.times if step.tolerance else (1 if left and right else 0)
        if abs(left - right) > allowed:
            problems.append(f"{key}: envoy {left}, apus-proxy {right}")
    return problems


def run_one(scenario, proxies, admins, services, origins):
    for origin in origins.values():
        origin.reset()

    def give(groups, policy):
        for service in services.values():
            service.put(ENDPOINTS, scenario.name, assignment(scenario.name, groups, origins, policy))

    problems = []
    # The cluster is made now, so that its checks and its slow start begin with the scenario.
    for service in services.values():
        service.put(ENDPOINTS, scenario.name, assignment(scenario.name, scenario.groups, origins, scenario.policy))
        service.put(CLUSTER, scenario.name, cluster(scenario.name, scenario.config))
    for admin in admins.values():
        processes.wait_until(
            f"{scenario.name} to be known", 10,
            lambda: f"\n{scenario.name}::127.0.0.1" in "\n" + processes.get(admin, "/clusters")[2])
    time.sleep(0.3)
    for number, step in enumerate(scenario.steps, 1):
        if isinstance(step, Set):
            for key, value in step.values.items():
                setattr(origins[step.origin], key, value)
        elif isinstance(step, Wait):
            time.sleep(step.seconds)
        elif isinstance(step, Endpoints):
            give(step.groups, step.policy)
        else:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                parts = {name: pool.submit(send, address, scenario, step) for name, address in proxies.items()}
                results = {name: part.result() for name, part in parts.items()}
            problems += [f"{scenario.name} step {number}: {problem}" for problem in differences(
                step, results["envoy"], results["apus"])]
    return problems


def run(programs, only=""):
    """How many scenarios were alike, how many were not, and what was not."""
    chosen = [scenario for scenario in SCENARIOS if re.search(only, scenario.name)]
    origins = {**{name: Origin(name) for name in "abcd"}, **{name: GRPCOrigin(name) for name in "gh"}}
    services, servers, proxies, admins = {}, [], {}, {}
    with processes.World(programs) as world:
        for proxy in ("envoy", "apus"):
            server, service, port = serve()
            servers.append(server)
            services[proxy] = service
            listen = processes.free_port()
            proxies[proxy] = ("127.0.0.1", listen)
            service.put(LISTENER, "l", listener(
                listen, [scenario.name for scenario in chosen],
                {scenario.name: scenario.routes for scenario in chosen}))
            addresses = {"xds": f"127.0.0.1:{port}"}
            start = world.envoy if proxy == "envoy" else world.apus_proxy
            admins[proxy] = start(proxy, addresses, "client", "test", ip="127.0.0.1")
        for proxy, address in proxies.items():
            world.wait(f"the listener of {proxy}", 20, lambda: processes.get(f"127.0.0.1:{address[1]}", "/")[0] == 404)
        good, report = 0, []
        for scenario in chosen:
            try:
                problems = run_one(scenario, proxies, admins, services, origins)
            except processes.Failure as failure:
                problems = [str(failure)]
            for proxy, service in services.items():
                problems += [f"{scenario.name}: {proxy} refused: {text}" for text in service.refused]
                service.refused.clear()
            good += not problems
            report += problems
            print(f"{'equal' if not problems else 'DIFFERENT':10}{scenario.name}", flush=True)
            for problem in problems:
                print("          " + problem, flush=True)
        for server in servers:
            server.stop(0)
    return good, len(chosen) - good, report


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    good, bad, _ = run(options.bin, options.only)
    print(f"clusters: {good} equal, {bad} different")
    sys.exit(1 if bad else 0)
