"""The same static bootstrap in a stock Envoy and in apus-proxy: the same answers, and what a broken one is told."""
import json
import subprocess

import processes
from peers import check
from processes import free_port, get

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"

BOOTSTRAP = """
node: {id: web-1, cluster: web}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: ADMIN}}}
static_resources:
  listeners:
    - name: http_listener
      address: {socket_address: {address: 127.0.0.1, port_value: PORT}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": HTTP
                stat_prefix: ingress_http
                codec_type: AUTO
                route_config:
                  name: local_route
                  virtual_hosts:
                    - name: api
                      domains: ["api.test", "*.api.test"]
                      routes:
                        - match: {prefix: "/v1/"}
                          route:
                            cluster: api_v1
                            prefix_rewrite: "/"
                            timeout: 30s
                            retryPolicy: {retry_on: 5xx, num_retries: 3, per_try_timeout: 5s}
                        - match: {prefix: "/", headers: [{name: x-canary, string_match: {exact: "true"}}]}
                          route: {weighted_clusters: {clusters: [{name: canary, weight: 100}]}}
                          response_headers_to_add:
                            - {header: {key: x-which, value: canary}}
                        - match: {path: "/gone"}
                          direct_response: {status: 410, body: {inline_string: "gone\\n"}}
                        - match: {path: "/away"}
                          redirect: {host_redirect: other.test, path_redirect: /there}
                        - match: {prefix: "/"}
                          route: {cluster: service_a}
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {"@type": ROUTER}
  clusters:
    - name: service_a
      type: STRICT_DNS
      lb_policy: ROUND_ROBIN
      connect_timeout: 5s
      dns_lookup_family: V4_ONLY
      load_assignment: {cluster_name: service_a, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: localhost, port_value: ORIGIN_A}}}}]}]}
    - name: api_v1
      connect_timeout: 0.25s
      load_assignment: {cluster_name: api_v1, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ORIGIN_B}}}}]}]}
    - name: canary
      type: STATIC
      load_assignment: {cluster_name: canary, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ORIGIN_B}}}}]}]}
"""

REQUESTS = [
    ("GET", "/", {"Host": "api.test"}),
    ("GET", "/v1/books", {"Host": "api.test"}),
    ("POST", "/v1/books?a=b", {"Host": "x.api.test"}),
    ("GET", "/v1/flaky", {"Host": "api.test", "x-test-fail": "KEY:2:503"}),
    ("GET", "/books", {"Host": "api.test", "x-canary": "true"}),
    ("GET", "/gone", {"Host": "api.test"}),
    ("GET", "/away", {"Host": "api.test"}),
    ("GET", "/", {"Host": "elsewhere.test"}),
]

# What a proxy adds of its own, and what differs from one request to the next.
OWN = {"date", "x-envoy-upstream-service-time"}


def answer(address, name, request):
    method, path, headers = request
    headers = {key: value.replace("KEY", name) for key, value in headers.items()}
    status, fields, body = get(address, path, headers, method=method)
    shown = sorted((key.lower(), value) for key, value in fields if key.lower() not in OWN | {"content-length"})
    try:
        seen = json.loads(body)
    except ValueError:
        return status, shown, body
    return status, shown, seen.get("origin"), seen.get("path"), seen.get("method")


def said(programs, file):
    """Exit code and what is printed for `--mode validate`."""
    result = subprocess.run(
        [str(programs / "apus-proxy"), "-c", str(file), "--mode", "validate"], capture_output=True, text=True,
        timeout=30)
    return result.returncode, result.stdout + result.stderr


def static_bootstrap(programs):
    """One file in both: the same answers. A broken one: file, line and column, and exit code 78."""
    with processes.World(programs) as world:
        ports = {"ORIGIN_A": free_port(), "ORIGIN_B": free_port()}
        world.origin("a", f"127.0.0.1:{ports['ORIGIN_A']}")
        world.origin("b", f"127.0.0.1:{ports['ORIGIN_B']}")
        listeners = {}
        for name in ("envoy", "apus"):
            admin, port = free_port(), free_port()
            text = BOOTSTRAP
            for key, value in {"ADMIN": admin, "PORT": port, "HTTP": HTTP, "ROUTER": ROUTER, **ports}.items():
                text = text.replace(f": {key}", f": {value}")
                text = text.replace(f'"@type": {key}', f'"@type": {value}')
            file = world.folder / f"{name}.yaml"
            file.write_text(text)
            if name == "envoy":
                world.envoy_of(file, name)
            else:
                code, words = said(world.programs, file)
                check((code, words) == (0, f"configuration '{file}' OK\n"), f"validating ended with {code}: {words}")
                world.apus_of(file, name)
            world.wait(f"{name} to be ready", 30, lambda a=admin: get(f"127.0.0.1:{a}", "/ready")[0] == 200)
            listeners[name] = f"127.0.0.1:{port}"
            world.wait(f"an answer through {name}", 10, lambda p=port: get(
                f"127.0.0.1:{p}", "/", {"Host": "api.test"})[0] == 200)
        for request in REQUESTS:
            envoy = answer(listeners["envoy"], "envoy", request)
            apus = answer(listeners["apus"], "apus", request)
            check(envoy == apus, f"{request}: Envoy answers {envoy}, apus-proxy {apus}")
        # The snippet that names the router alone is taken with a warning; what is wrong is told with its place.
        good = file.read_text()
        bare = good.replace(f'                    typed_config: {{"@type": {ROUTER}}}\n', "")
        both = good.replace("{cluster: service_a}", "{cluster: service_a, weighted_clusters: {clusters: [{name: canary}]}}")
        for text, code, parts in [
            (bare, 0, ["warning APUS0708", "envoy.filters.http.router"]),
            (both, 78, ["error APUS0704", "weighted_clusters stands beside cluster of line"]),
            (good.replace("lb_policy: ROUND_ROBIN", "lb_polcy: ROUND_ROBIN"), 78, ["did you mean lb_policy?"]),
            (good + "dynamic_resources: {cds_config: {ads: {}}}\n", 78, ["cds_config"]),
            (good + "cluster_manager: {local_cluster_name: web}\n", 78, ["local_cluster_name"]),
        ]:
            check(text != good, "the variant is the file itself")
            broken = world.folder / "variant.yaml"
            broken.write_text(text)
            ended, words = said(world.programs, broken)
            check(ended == code, f"{parts}: ended with {ended}: {words}")
            check(all(part in words for part in parts) and f"{broken}:" in words, f"{parts} is not in {words}")
        code = world.stop("apus", seconds=15)
        check(code == 0, f"the proxy ended with {code}")
        return f"{len(REQUESTS)} requests answered as by Envoy, 5 variants judged"


TESTS = [static_bootstrap]
