"""Folders of manifests for the benchmarks, the same on every run."""

SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {name}-1
  namespace: {namespace}
  labels: {{kubernetes.io/service-name: {name}}}
addressType: IPv4
ports:
- {{name: http, port: {port}, protocol: TCP}}
endpoints:
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  clusterIP: 10.{high}.{middle}.{low}
  ports:
  - {{name: http, port: {port}, targetPort: {target}, protocol: TCP}}
  selector: {{app: {name}}}
"""

VIRTUAL_SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{name}]
  http:
  - match:
    - headers: {{x-group: {{exact: beta}}}}
      uri: {{prefix: /api/v2}}
    route: [{{destination: {{host: {name}}}, headers: {{request: {{set: {{x-seen: beta}}}}}}}}]
    timeout: {timeout}s
  - route: [{{destination: {{host: {name}}}}}]
    retries: {{attempts: 3, perTryTimeout: 2s, retryOn: "5xx,connect-failure"}}
"""

DESTINATION_RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  host: {name}.{namespace}.svc.cluster.local
  trafficPolicy:
    loadBalancer: {{simple: LEAST_REQUEST}}
    connectionPool:
      tcp: {{maxConnections: 100, connectTimeout: 2s}}
      http: {{http1MaxPendingRequests: 50, maxRequestsPerConnection: 1000}}
    outlierDetection: {{consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s}}
"""

SERVICE_ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  hosts: [{name}.example.com]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports:
  - {{number: {port}, name: http, protocol: HTTP}}
  endpoints:
  - {{address: 192.0.2.{low}, labels: {{zone: one, version: "1"}}}}
  - {{address: 198.51.100.{low}, labels: {{zone: two, version: "1"}}}}
  - {{address: 203.0.113.{low}, labels: {{zone: three, version: "2"}}}}
"""


def address(number):
    """Workload addresses: 127.0.1.1, 127.0.1.2, ... with 250 in a block."""
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


class PushMesh:
    """Services with EndpointSlices; every tenth has a VirtualService and a DestinationRule. One file per object.

    The services share ten port numbers, so there are ten route configurations, each with a tenth of all hosts.
    """

    ENDPOINTS = 5
    NAMESPACES = 20
    PORTS = 10

    def __init__(self, folder, services):
        self.folder = folder
        self.services = services
        for number in range(self.NAMESPACES):
            (folder / self.namespace(number)).mkdir(parents=True)
        for number in range(services):
            place = self.place(number)
            (place / f"{self.name(number)}.yaml").write_text(SERVICE.format(
                **self.words(number), high=96 + number // 65536, middle=number // 250 % 256, low=1 + number % 250,
                target=self.port(number)))
            (place / f"{self.name(number)}-endpoints.yaml").write_text(self.slice(number, 0))
            if number % 10 == 0:
                (place / f"{self.name(number)}-routes.yaml").write_text(self.routes(number, 3))
                (place / f"{self.name(number)}-rule.yaml").write_text(DESTINATION_RULE.format(**self.words(number)))

    def name(self, number):
        return f"service-{number}"

    def namespace(self, number):
        return f"team-{number % self.NAMESPACES}"

    def port(self, number):
        # Not in step with every tenth, so that VirtualServices spread over all ports.
        return 8000 + (number + number // self.PORTS) % self.PORTS

    def place(self, number):
        return self.folder / self.namespace(number)

    def words(self, number):
        return {"name": self.name(number), "namespace": self.namespace(number), "port": self.port(number)}

    def cluster(self, number):
        return f"outbound|{self.port(number)}||{self.name(number)}.{self.namespace(number)}.svc.cluster.local"

    def slice(self, number, variant):
        """Five endpoints; an odd variant has another last address."""
        text = SLICE.format(**self.words(number))
        for index in range(self.ENDPOINTS):
            ip = address(number * self.ENDPOINTS + index)
            if index == self.ENDPOINTS - 1 and variant % 2 == 1:
                ip = f"127.2.{1 + number // 250}.{1 + number % 250}"
            text += f"- {{addresses: [{ip}], conditions: {{ready: true}}}}\n"
        return text

    def routes(self, number, timeout):
        return VIRTUAL_SERVICE.format(**self.words(number), timeout=timeout)

    def workloads(self, count):
        """Sidecars of the services' own first endpoints, so every one has an inbound side: ADDRESS NAME NAMESPACE."""
        result = []
        for index in range(count):
            number = index % self.services
            ip = address(number * self.ENDPOINTS + index // self.services % self.ENDPOINTS)
            result.append(f"{ip} {self.name(number)}-{index} {self.namespace(number)}")
        return result


def load_mesh(folder, files):
    """Files of about 500 bytes, one object each: of twenty, six Services, six EndpointSlices, four VirtualServices,
    three DestinationRules, one ServiceEntry. Returns the bytes written."""
    kinds = [SERVICE, None, VIRTUAL_SERVICE, DESTINATION_RULE, SERVICE, None, VIRTUAL_SERVICE, SERVICE, None,
             DESTINATION_RULE, SERVICE, None, VIRTUAL_SERVICE, SERVICE, None, DESTINATION_RULE, SERVICE, None,
             VIRTUAL_SERVICE, SERVICE_ENTRY]
    mesh = PushMesh.__new__(PushMesh)
    mesh.folder = folder
    counters = {}
    total = 0
    for index in range(files):
        kind = kinds[index % len(kinds)]
        number = counters.get(kind, 0)
        counters[kind] = number + 1
        if kind is None:
            text = mesh.slice(number % 12000, 0)
        else:
            text = kind.format(**mesh.words(number), timeout=3, high=96 + number // 62500, middle=number // 250 % 250,
                               low=1 + number % 250, target=mesh.port(number))
        place = folder / mesh.namespace(index)
        place.mkdir(parents=True, exist_ok=True)
        text = f"# Object {index} of the load benchmark; a comment as people write them, about what it is for.\n" + text
        (place / f"object-{index}.yaml").write_text(text)
        total += len(text)
    return total
