import ApusCore
import ApusMesh
import ApusModel

/// Objects built by hand. The version is equal for equal content, as the manifest reader's is, though only within one
/// process.
enum Make {
    private static func version(_ metadata: Metadata, _ spec: Spec) -> ContentVersion {
        var hasher = Hasher()
        hasher.combine(metadata)
        hasher.combine(spec)
        return ContentVersion(UInt64(bitPattern: Int64(hasher.finalize())))
    }

    static func object(
        _ kind: Kind, _ name: String, in namespace: String = "default", labels: [String: String] = [:],
        annotations: [String: String] = [:], created: Int64? = nil, at line: Int = 1, _ spec: Spec
    ) -> ConfigObject {
        let metadata = Metadata(
            name: name, namespace: namespace, labels: labels, annotations: annotations, creationTimestamp: created)
        return ConfigObject(
            kind: kind, metadata: metadata, spec: spec,
            origin: Origin(
                location: SourceLocation(file: "\(name).yaml", position: Position(line: line, column: 1))),
            version: version(metadata, spec))
    }

    static func service(
        _ name: String, in namespace: String = "default", selector: [String: String] = [:],
        ports: [KubernetesService.Port] = [port(80, "http")], labels: [String: String] = [:],
        annotations: [String: String] = [:], created: Int64? = nil,
        _ change: (inout KubernetesService) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = KubernetesService()
        spec.selector = selector
        spec.ports = ports
        change(&spec)
        return object(
            .service, name, in: namespace, labels: labels, annotations: annotations, created: created,
            .service(spec))
    }

    static func port(
        _ number: UInt32, _ name: String = "", target: KubernetesService.TargetPort? = nil, transport: String = "TCP",
        appProtocol: String? = nil
    ) -> KubernetesService.Port {
        var port = KubernetesService.Port()
        port.port = number
        port.name = name
        port.targetPort = target
        port.transport = transport
        port.appProtocol = appProtocol
        return port
    }

    static func pod(
        _ name: String, in namespace: String = "default", labels: [String: String] = [:], ip: String?,
        ports: [(String, UInt32)] = [], created: Int64? = nil, _ change: (inout Pod) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = Pod()
        spec.podIPs = ip.map { [$0] } ?? []
        spec.containerPorts = ports.map { name, number in
            var port = Pod.ContainerPort()
            port.name = name
            port.containerPort = number
            return port
        }
        change(&spec)
        return object(.pod, name, in: namespace, labels: labels, created: created, .pod(spec))
    }

    static func slice(
        _ name: String, of service: String, in namespace: String = "default",
        ports: [(String, UInt32?)] = [("http", 8080)],
        _ endpoints: [EndpointSlice.Endpoint], type: String = "IPv4"
    ) -> ConfigObject {
        var spec = EndpointSlice()
        spec.serviceName = service
        spec.addressType = type
        spec.endpoints = endpoints
        spec.ports = ports.map { name, number in
            var port = EndpointSlice.Port()
            port.name = name
            port.port = number
            return port
        }
        return object(.endpointSlice, name, in: namespace, .endpointSlice(spec))
    }

    static func endpoint(
        _ address: String, ready: Bool? = true, serving: Bool? = nil, terminating: Bool? = nil, pod: String = "",
        node: String = ""
    ) -> EndpointSlice.Endpoint {
        var endpoint = EndpointSlice.Endpoint()
        endpoint.addresses = [address]
        endpoint.ready = ready
        endpoint.serving = serving
        endpoint.terminating = terminating
        endpoint.targetPod = pod
        endpoint.nodeName = node
        return endpoint
    }

    static func serviceEntry(
        _ name: String, in namespace: String = "default", hosts: [String],
        ports: [PortSpec] = [portSpec(443, "TLS", "tls")], resolution: ServiceEntry.Resolution = .dns,
        exportTo: [String] = [], created: Int64? = nil, _ change: (inout ServiceEntry) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = ServiceEntry()
        spec.hosts = hosts
        spec.ports = ports
        spec.resolution = resolution
        spec.exportTo = exportTo
        change(&spec)
        return object(.serviceEntry, name, in: namespace, created: created, .serviceEntry(spec))
    }

    static func portSpec(_ number: UInt32, _ proto: String, _ name: String, target: UInt32? = nil) -> PortSpec {
        var port = PortSpec()
        port.number = number
        port.protocol = proto
        port.name = name
        port.targetPort = target
        return port
    }

    static func entry(_ address: String, _ change: (inout WorkloadEntry) -> Void = { _ in }) -> WorkloadEntry {
        var entry = WorkloadEntry()
        entry.address = address
        change(&entry)
        return entry
    }

    static func workloadEntry(
        _ name: String, in namespace: String = "default", labels: [String: String] = [:], _ address: String,
        _ change: (inout WorkloadEntry) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = entry(address, change)
        spec.labels = labels
        return object(.workloadEntry, name, in: namespace, .workloadEntry(spec))
    }

    static func virtualService(
        _ name: String, in namespace: String = "default", hosts: [String], gateways: [String] = [],
        to destinations: [String] = ["reviews"], exportTo: [String] = [], created: Int64? = nil,
        _ change: (inout VirtualService) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = VirtualService()
        spec.hosts = hosts
        spec.gateways = gateways
        spec.exportTo = exportTo
        spec.http = destinations.map { rule(to: $0) }
        change(&spec)
        return object(.virtualService, name, in: namespace, created: created, .virtualService(spec))
    }

    static func rule(to host: String, port: UInt32? = nil, _ matches: [HTTPMatch] = [], name: String = "") -> HTTPRule {
        var rule = HTTPRule()
        rule.name = name
        rule.match = matches
        var destination = HTTPDestination()
        destination.destination = Destination(host: host, port: port)
        rule.route = [destination]
        return rule
    }

    static func delegating(to name: String, namespace: String = "", _ matches: [HTTPMatch] = []) -> HTTPRule {
        var rule = HTTPRule()
        rule.match = matches
        var delegate = Delegate()
        delegate.name = name
        delegate.namespace = namespace
        rule.delegate = delegate
        return rule
    }

    static func match(_ change: (inout HTTPMatch) -> Void) -> HTTPMatch {
        var match = HTTPMatch()
        change(&match)
        return match
    }

    static func destinationRule(
        _ name: String, in namespace: String = "default", host: String, subsets: [String] = [],
        exportTo: [String] = [], balancing: LoadBalancerSettings.Simple? = nil, selector: [String: String]? = nil,
        created: Int64? = nil, _ change: (inout DestinationRule) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = DestinationRule()
        spec.host = host
        spec.exportTo = exportTo
        spec.workloadSelector = selector
        spec.subsets = subsets.map { name in
            var subset = Subset()
            subset.name = name
            subset.labels = ["version": name]
            return subset
        }
        if let balancing {
            var policy = TrafficPolicy()
            var loadBalancer = LoadBalancerSettings()
            loadBalancer.simple = balancing
            policy.loadBalancer = loadBalancer
            spec.trafficPolicy = policy
        }
        change(&spec)
        return object(.destinationRule, name, in: namespace, created: created, .destinationRule(spec))
    }

    static func sidecar(
        _ name: String, in namespace: String = "default", selector: [String: String]? = nil, egress: [[String]] = [],
        created: Int64? = nil, _ change: (inout Sidecar) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = Sidecar()
        spec.workloadSelector = selector
        spec.egress = egress.map { hosts in
            var listener = Sidecar.Egress()
            listener.hosts = hosts
            return listener
        }
        change(&spec)
        return object(.sidecar, name, in: namespace, created: created, .sidecar(spec))
    }

    static func gateway(
        _ name: String, in namespace: String = "default", selector: [String: String], created: Int64? = nil
    ) -> ConfigObject {
        var spec = Gateway()
        spec.selector = selector
        return object(.gateway, name, in: namespace, created: created, .gateway(spec))
    }
}

func mesh(_ objects: ConfigObject..., config: (inout MeshConfig) -> Void = { _ in }) -> MeshSnapshot {
    var meshConfig = MeshConfig()
    config(&meshConfig)
    return .make(objects: objects, meshConfig: meshConfig)
}

extension MeshSnapshot {
    func service(_ host: String, in namespace: String = "default") -> Service? {
        service(host: HostName(host), namespace: namespace)
    }

    /// `address:port` of every endpoint behind a port.
    func addresses(_ host: String, in namespace: String = "default", port: UInt32 = 80) -> [String] {
        endpoints(host, in: namespace, port: port).map { "\($0.address):\($0.port)" }
    }

    func endpoints(_ host: String, in namespace: String = "default", port: UInt32 = 80) -> [Endpoint] {
        service(host, in: namespace).flatMap { endpoints(of: $0).byPort[port] } ?? []
    }

    func scope(in namespace: String = "default", labels: [String: String] = [:]) -> ProxyScope {
        scope(of: proxyClass(of: Proxy(id: "client.\(namespace)", namespace: namespace, labels: labels)))
    }
}
