import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf

/// Small meshes for the tests of listeners, gateways and views.
enum MeshFixture {
    typealias Listener = Envoy_Config_Listener_V3_Listener
    typealias Chain = Envoy_Config_Listener_V3_FilterChain
    typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
    typealias TCPProxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy

    static func object(
        _ kind: Kind, _ name: String, in namespace: String = "default", labels: [String: String] = [:],
        created: Int64? = nil, _ spec: Spec
    ) -> ConfigObject {
        let metadata = Metadata(name: name, namespace: namespace, labels: labels, creationTimestamp: created)
        return ConfigObject(
            kind: kind, metadata: metadata, spec: spec, version: ContentVersion(of: "\(metadata)\(spec)"))
    }

    static func service(
        _ name: String, in namespace: String = "default", ip: String? = nil, created: Int64? = nil,
        selector: [String: String]? = nil, headless: Bool = false,
        ports: [(name: String, number: UInt32, target: UInt32)]
    ) -> ConfigObject {
        var spec = KubernetesService()
        spec.clusterIPs = ip.map { [$0] } ?? []
        spec.isHeadless = headless
        spec.selector = selector ?? ["app": name]
        spec.ports = ports.map { name, number, target in
            var port = KubernetesService.Port()
            port.name = name
            port.port = number
            port.targetPort = .number(target)
            return port
        }
        return object(.service, name, in: namespace, created: created, .service(spec))
    }

    static func pod(
        _ name: String, in namespace: String = "default", app: String, ip: String, labels: [String: String] = [:]
    ) -> ConfigObject {
        var spec = Pod()
        spec.podIPs = [ip]
        spec.ready = true
        spec.phase = "Running"
        return object(.pod, name, in: namespace, labels: labels.merging(["app": app]) { $1 }, .pod(spec))
    }

    static func slice(
        _ service: String, in namespace: String = "default", port: (name: String, number: UInt32), ips: [String]
    ) -> ConfigObject {
        var spec = EndpointSlice()
        spec.serviceName = service
        spec.endpoints = ips.map { ip in
            var endpoint = EndpointSlice.Endpoint()
            endpoint.addresses = [ip]
            endpoint.ready = true
            return endpoint
        }
        var entry = EndpointSlice.Port()
        entry.name = port.name
        entry.port = port.number
        spec.ports = [entry]
        return object(.endpointSlice, "\(service)-1", in: namespace, .endpointSlice(spec))
    }

    static func serviceEntry(
        _ name: String, in namespace: String = "default", hosts: [String], addresses: [String] = [],
        ports: [(protocol: String, number: UInt32)], resolution: ServiceEntry.Resolution = .none,
        endpoints: [String] = []
    ) -> ConfigObject {
        var spec = ServiceEntry()
        spec.hosts = hosts
        spec.addresses = addresses
        spec.resolution = resolution
        spec.ports = ports.map { spoken, number in port(number, spoken) }
        spec.endpoints = endpoints.map { address in
            var entry = WorkloadEntry()
            entry.address = address
            return entry
        }
        return object(.serviceEntry, name, in: namespace, .serviceEntry(spec))
    }

    static func port(_ number: UInt32, _ spoken: String, name: String? = nil) -> PortSpec {
        var port = PortSpec()
        port.number = number
        port.protocol = spoken
        port.name = name ?? "\(spoken.lowercased())-\(number)"
        return port
    }

    static func sidecar(
        _ name: String = "default", in namespace: String = "default", selector: [String: String]? = nil,
        _ change: (inout Sidecar) -> Void
    ) -> ConfigObject {
        var spec = Sidecar()
        spec.workloadSelector = selector
        change(&spec)
        return object(.sidecar, name, in: namespace, .sidecar(spec))
    }

    static func egress(
        _ hosts: [String], port: PortSpec? = nil, bind: String = "", captureMode: Sidecar.CaptureMode = .default
    ) -> Sidecar.Egress {
        var egress = Sidecar.Egress()
        egress.hosts = hosts
        egress.port = port
        egress.bind = bind
        egress.captureMode = captureMode
        return egress
    }

    static func virtualService(
        _ name: String, in namespace: String = "default", hosts: [String], gateways: [String] = [],
        created: Int64? = nil, _ change: (inout VirtualService) -> Void
    ) -> ConfigObject {
        var spec = VirtualService()
        spec.hosts = hosts
        spec.gateways = gateways
        change(&spec)
        return object(.virtualService, name, in: namespace, created: created, .virtualService(spec))
    }

    static func httpTo(_ host: String, subset: String = "", port: UInt32? = nil, prefix: String? = nil) -> HTTPRule {
        var destination = HTTPDestination()
        destination.destination = Destination(host: host, subset: subset, port: port)
        var rule = HTTPRule()
        rule.route = [destination]
        if let prefix {
            var match = HTTPMatch()
            match.uri = .prefix(prefix)
            rule.match = [match]
        }
        return rule
    }

    static func tcpTo(_ targets: [(host: String, port: UInt32, weight: Int32)]) -> [RouteDestination] {
        targets.map { host, port, weight in
            var route = RouteDestination()
            route.destination = Destination(host: host, port: port)
            route.weight = weight
            return route
        }
    }

    static func destinationRule(
        _ name: String, in namespace: String = "default", host: String, subsets: [String] = [],
        _ change: (inout DestinationRule) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = DestinationRule()
        spec.host = host
        spec.subsets = subsets.map { name in
            var subset = Subset()
            subset.name = name
            subset.labels = ["version": name]
            return subset
        }
        change(&spec)
        return object(.destinationRule, name, in: namespace, .destinationRule(spec))
    }

    static func gateway(
        _ name: String = "my-gateway", in namespace: String = "default", created: Int64? = nil,
        selector: [String: String] = ["istio": "ingressgateway"], servers: [Server]
    ) -> ConfigObject {
        var spec = Gateway()
        spec.selector = selector
        spec.servers = servers
        return object(.gateway, name, in: namespace, created: created, .gateway(spec))
    }

    static func server(
        _ port: PortSpec, hosts: [String], bind: String = "", _ tls: ((inout ServerTLSSettings) -> Void)? = nil
    ) -> Server {
        var server = Server()
        server.port = port
        server.hosts = hosts
        server.bind = bind
        if let tls {
            var settings = ServerTLSSettings()
            tls(&settings)
            server.tls = settings
        }
        return server
    }

    static func mesh(_ objects: [ConfigObject], _ change: (inout MeshConfig) -> Void = { _ in }) -> MeshSnapshot {
        var config = MeshConfig()
        change(&config)
        return MeshSnapshot.make(objects: objects, meshConfig: config)
    }

    static func client(
        _ interception: Proxy.Interception = .redirect, namespace: String = "default", ip: String = "10.0.0.9",
        labels: [String: String] = ["app": "client"]
    ) -> Proxy {
        Proxy(
            id: "client-1.\(namespace)", namespace: namespace, addresses: [ip], labels: labels,
            interception: interception)
    }

    static func router(unprivileged: Bool = false, hasIdentity: Bool = true) -> Proxy {
        Proxy(
            id: "ingress-1.istio-system", role: .router, namespace: "istio-system", addresses: ["10.0.0.8"],
            labels: ["istio": "ingressgateway"], isUnprivileged: unprivileged, hasIdentity: hasIdentity)
    }

    static func decode<M: Message>(_ resource: EncodedResource?, as _: M.Type = M.self) -> M? {
        guard let resource, let any = try? Google_Protobuf_Any(serializedBytes: resource.body) else { return nil }
        return try? M(serializedBytes: any.value)
    }
}

extension ResourceView {
    func listener(_ name: String) -> MeshFixture.Listener? { MeshFixture.decode(listeners.byName[name]) }
    func routeConfiguration(_ name: String) -> XDS.RouteConfiguration? { MeshFixture.decode(routes.byName[name]) }
    func cluster(_ name: String) -> XDS.Cluster? { MeshFixture.decode(clusters.byName[name]) }
    func assignment(_ name: String) -> XDS.ClusterLoadAssignment? { MeshFixture.decode(endpoints.byName[name]) }
    var listenerNames: [String] { listeners.byName.keys.sorted() }
    var routeNames: [String] { routes.byName.keys.sorted() }
}

extension MeshFixture.Chain {
    var manager: MeshFixture.Manager? {
        filters.first.flatMap { try? MeshFixture.Manager(unpackingAny: $0.typedConfig) }
    }
    var tcpProxy: MeshFixture.TCPProxy? {
        filters.first.flatMap { try? MeshFixture.TCPProxy(unpackingAny: $0.typedConfig) }
    }
}

extension MeshFixture.Listener {
    var listenerFilterNames: [String] { listenerFilters.map(\.name) }
    /// Server names to cluster, of the TCP chains.
    var tcpTargets: [String] {
        filterChains.compactMap { chain in
            chain.tcpProxy.map { "\(chain.filterChainMatch.serverNames.joined(separator: ",")) -> \($0.cluster)" }
        }
    }
}
