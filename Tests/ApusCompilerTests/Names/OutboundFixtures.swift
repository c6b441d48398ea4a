import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf

/// Objects and contexts for the tests of outbound compiling: one small mesh, changed by each test in one place.
enum Outbound {
    static func object(
        _ kind: Kind, _ name: String, in namespace: String = "default", labels: [String: String] = [:],
        created: Int64? = nil, _ spec: Spec
    ) -> ConfigObject {
        let metadata = Metadata(name: name, namespace: namespace, labels: labels, creationTimestamp: created)
        return ConfigObject(kind: kind, metadata: metadata, spec: spec, version: ContentVersion(UInt64(created ?? 0)))
    }

    static func service(
        _ name: String, in namespace: String = "default", ports: [(UInt32, String)] = [(80, "http")],
        address: String? = nil, created: Int64? = nil, _ change: (inout KubernetesService) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = KubernetesService()
        spec.selector = ["app": name]
        spec.clusterIPs = address.map { [$0] } ?? []
        spec.ports = ports.map { number, name in
            var port = KubernetesService.Port()
            port.port = number
            port.name = name
            return port
        }
        change(&spec)
        return object(.service, name, in: namespace, created: created, .service(spec))
    }

    static func pod(
        _ name: String, in namespace: String = "default", app: String, ip: String, labels: [String: String] = [:],
        ready: Bool? = nil, node: String = ""
    ) -> ConfigObject {
        var spec = Pod()
        spec.podIPs = [ip]
        spec.ready = ready
        spec.nodeName = node
        return object(.pod, name, in: namespace, labels: labels.merging(["app": app]) { $1 }, .pod(spec))
    }

    static func entry(
        _ name: String, hosts: [String], ports: [(UInt32, String, UInt32?)], resolution: ServiceEntry.Resolution,
        endpoints: [WorkloadEntry] = [], _ change: (inout ServiceEntry) -> Void = { _ in }
    ) -> ConfigObject {
        var spec = ServiceEntry()
        spec.hosts = hosts
        spec.resolution = resolution
        spec.endpoints = endpoints
        spec.ports = ports.map { number, proto, target in
            var port = PortSpec()
            port.number = number
            port.name = proto.lowercased()
            port.protocol = proto
            port.targetPort = target
            return port
        }
        change(&spec)
        return object(.serviceEntry, name, .serviceEntry(spec))
    }

    static func workload(
        _ address: String, locality: String = "", weight: UInt32? = nil, labels: [String: String] = [:]
    ) -> WorkloadEntry {
        var entry = WorkloadEntry()
        entry.address = address
        entry.locality = locality
        entry.weight = weight
        entry.labels = labels
        return entry
    }

    static func virtualService(
        _ name: String, in namespace: String = "default", hosts: [String], gateways: [String] = [],
        created: Int64? = nil, _ http: [HTTPRule]
    ) -> ConfigObject {
        var spec = VirtualService()
        spec.hosts = hosts
        spec.gateways = gateways
        spec.http = http
        return object(.virtualService, name, in: namespace, created: created, .virtualService(spec))
    }

    static func destinationRule(
        _ name: String, in namespace: String = "default", host: String, _ change: (inout DestinationRule) -> Void
    ) -> ConfigObject {
        var spec = DestinationRule()
        spec.host = host
        change(&spec)
        return object(.destinationRule, name, in: namespace, .destinationRule(spec))
    }

    static func subset(_ name: String, _ labels: [String: String] = [:], _ policy: TrafficPolicy? = nil) -> Subset {
        var subset = Subset()
        subset.name = name
        subset.labels = labels
        subset.trafficPolicy = policy
        return subset
    }

    static func rule(_ change: (inout HTTPRule) -> Void) -> HTTPRule {
        var rule = HTTPRule()
        change(&rule)
        return rule
    }

    static func match(_ change: (inout HTTPMatch) -> Void) -> HTTPMatch {
        var match = HTTPMatch()
        change(&match)
        return match
    }

    static func to(
        _ host: String, subset: String = "", port: UInt32? = nil, weight: Int32 = 0,
        _ change: (inout HTTPDestination) -> Void = { _ in }
    ) -> HTTPDestination {
        var destination = HTTPDestination()
        destination.destination = Destination(host: host, subset: subset, port: port)
        destination.weight = weight
        change(&destination)
        return destination
    }

    static func context(
        _ objects: [ConfigObject], in namespace: String = "default", role: Proxy.Role = .sidecar,
        generator: Proxy.Generator = .envoy, labels: [String: String] = [:], locality: Locality = Locality(),
        httpProxyPort: UInt32? = nil, hasIdentity: Bool = false, _ mesh: (inout MeshConfig) -> Void = { _ in }
    ) -> CompileContext {
        var config = MeshConfig()
        mesh(&config)
        let snapshot = MeshSnapshot.make(objects: objects, meshConfig: config)
        let proxy = Proxy(
            id: "client.\(namespace)", role: role, generator: generator, namespace: namespace,
            addresses: ["10.9.9.9"], labels: labels, locality: locality, httpProxyPort: httpProxyPort,
            hasIdentity: hasIdentity)
        return CompileContext(snapshot: snapshot, proxyClass: snapshot.proxyClass(of: proxy))
    }

    /// The services that most tests call.
    static let services = [service("reviews"), service("ratings")]

    /// The routes that one VirtualService for `reviews` gives sidecars on port 80.
    static func routes(
        _ rules: [HTTPRule], with objects: [ConfigObject] = [], labels: [String: String] = [:],
        in namespace: String = "default", generator: Proxy.Generator = .envoy,
        _ mesh: (inout MeshConfig) -> Void = { _ in }
    ) -> [XDS.Route] {
        let virtualService = virtualService("reviews", hosts: ["reviews"], rules)
        let context = context(
            services + [virtualService] + objects, in: namespace, generator: generator, labels: labels, mesh)
        guard let resolved = context.scope.virtualServices.first else { return [] }
        return VirtualServiceRoutes.routes(for: resolved, listenerPort: 80, gatewayNames: ["mesh"], context)
    }

    /// The first route of a VirtualService with one rule, which leads to `reviews` unless the test changes it.
    static func route(
        with objects: [ConfigObject] = [], generator: Proxy.Generator = .envoy,
        _ change: (inout HTTPRule) -> Void
    ) -> XDS.Route {
        let rule = rule {
            $0.route = [to("reviews")]
            change(&$0)
        }
        return routes([rule], with: objects, generator: generator).first ?? XDS.Route()
    }

    /// The cluster of `reviews:80` under a DestinationRule with this policy.
    static func cluster(
        subset: String = "", ports: [(UInt32, String)] = [(80, "http")], role: Proxy.Role = .sidecar,
        subsets: [Subset] = [], hasIdentity: Bool = false, _ mesh: (inout MeshConfig) -> Void = { _ in },
        policy: (inout TrafficPolicy) -> Void
    ) -> XDS.Cluster {
        var trafficPolicy = TrafficPolicy()
        policy(&trafficPolicy)
        let rule = destinationRule("reviews", host: "reviews") {
            $0.trafficPolicy = trafficPolicy
            $0.subsets = subsets
        }
        let context = context([service("reviews", ports: ports), rule], role: role, hasIdentity: hasIdentity, mesh)
        return cluster("outbound|\(ports[0].0)|\(subset)|reviews.default.svc.cluster.local", context)
    }

    static func cluster(_ name: String, _ context: CompileContext) -> XDS.Cluster {
        OutboundClusters.clusters(context).map(\.message).first { $0.name == name } ?? XDS.Cluster()
    }
}

extension CompileContext {
    /// The virtual host of a route configuration.
    func virtualHost(_ name: String, in configuration: String) -> XDS.VirtualHost? {
        SidecarRoutes.routeConfiguration(named: configuration, self).message.virtualHosts.first { $0.name == name }
    }

    func virtualHostNames(in configuration: String) -> [String] {
        SidecarRoutes.routeConfiguration(named: configuration, self).message.virtualHosts.map(\.name)
    }
}

extension XDS.Cluster {
    var httpOptions: XDS.HTTPProtocolOptions? {
        typedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].flatMap {
            try? XDS.HTTPProtocolOptions(unpackingAny: $0)
        }
    }

    var tlsContext: XDS.UpstreamTLSContext? { try? XDS.UpstreamTLSContext(unpackingAny: transportSocket.typedConfig) }

    var thresholds: Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds {
        circuitBreakers.thresholds.first ?? Envoy_Config_Cluster_V3_CircuitBreakers.Thresholds()
    }
}
