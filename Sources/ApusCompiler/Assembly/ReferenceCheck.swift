internal import ApusAPI
package import ApusCore
package import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Looks for names that lead nowhere: routes that a listener names, clusters that a route or chain names.
package enum ReferenceCheck {
    /// A missing route configuration is a fault of the compiler. A missing cluster is nearly always a destination that
    /// does not exist; requests to it get 503 (NC), as in Istio, so it is a warning at the object that names it.
    package static func findings(of view: ResourceView, in snapshot: MeshSnapshot) -> [Finding] {
        var result: [Finding] = []
        for resource in view.listeners.byName.values.sorted(by: { $0.name < $1.name }) {
            guard let listener: Envoy_Config_Listener_V3_Listener = message(resource) else { continue }
            let references = references(of: listener)
            for route in references.routes.sorted() where view.routes.byName[route] == nil {
                result.append(
                    finding(
                        .error, CompilerFinding.danglingRoute,
                        "listener \(resource.name) names route configuration \(route), which is not there", resource,
                        snapshot))
            }
            for cluster in references.clusters.sorted() where view.clusters.byName[cluster] == nil {
                result.append(missing(cluster, "listener \(resource.name)", resource, snapshot))
            }
        }
        for resource in view.routes.byName.values.sorted(by: { $0.name < $1.name }) {
            guard let routes: XDS.RouteConfiguration = message(resource) else { continue }
            for cluster in clusters(of: routes).sorted() where view.clusters.byName[cluster] == nil {
                result.append(missing(cluster, "route configuration \(resource.name)", resource, snapshot))
            }
        }
        return result
    }

    /// The message inside the `Any`.
    private static func message<M: Message>(_ resource: EncodedResource) -> M? {
        (try? Google_Protobuf_Any(serializedBytes: resource.body)).flatMap { try? M(serializedBytes: $0.value) }
    }

    private static func references(
        of listener: Envoy_Config_Listener_V3_Listener
    ) -> (routes: Set<String>, clusters: Set<String>) {
        typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
        typealias Proxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy
        var routes: Set<String> = []
        var clusters: Set<String> = []
        func take(_ manager: Manager) {
            switch manager.routeSpecifier {
            case .rds(let rds): routes.insert(rds.routeConfigName)
            case .routeConfig(let inline): clusters.formUnion(Self.clusters(of: inline))
            default: break
            }
        }
        if listener.hasApiListener, let manager = try? Manager(unpackingAny: listener.apiListener.apiListener) {
            take(manager)
        }
        var chains = listener.filterChains
        if listener.hasDefaultFilterChain { chains.append(listener.defaultFilterChain) }
        for filter in chains.flatMap(\.filters) {
            if let manager = try? Manager(unpackingAny: filter.typedConfig) {
                take(manager)
            } else if let proxy = try? Proxy(unpackingAny: filter.typedConfig) {
                switch proxy.clusterSpecifier {
                case .cluster(let name): clusters.insert(name)
                case .weightedClusters(let weighted): clusters.formUnion(weighted.clusters.map(\.name))
                default: break
                }
            }
        }
        return (routes, clusters)
    }

    private static func clusters(of routes: XDS.RouteConfiguration) -> Set<String> {
        var result: Set<String> = []
        for route in routes.virtualHosts.flatMap(\.routes) {
            guard case .route(let action)? = route.action else { continue }
            switch action.clusterSpecifier {
            case .cluster(let name): result.insert(name)
            case .weightedClusters(let weighted): result.formUnion(weighted.clusters.map(\.name))
            default: break
            }
            result.formUnion(action.requestMirrorPolicies.map(\.cluster))
        }
        result.remove("")
        return result
    }

    private static func missing(
        _ cluster: String, _ place: String, _ resource: EncodedResource, _ snapshot: MeshSnapshot
    ) -> Finding {
        finding(
            .warning, CompilerFinding.danglingCluster,
            "\(place) leads to \(cluster), which does not exist: requests get 503", resource, snapshot,
            naming: ClusterName.outboundParts(of: cluster)?.host)
    }

    /// At the VirtualService that names the host, if one of the resource's sources does; else at the first source.
    private static func finding(
        _ severity: Severity, _ code: String, _ message: String, _ resource: EncodedResource,
        _ snapshot: MeshSnapshot, naming host: HostName? = nil
    ) -> Finding {
        let objects = resource.sources.compactMap { text in object(text, snapshot) }
        let culprit = objects.first { host.map($0.routes(to:)) ?? false } ?? objects.first
        return Finding(
            severity, code, message, at: culprit?.origin.location ?? Origin.none.location,
            object: culprit?.key.description)
    }

    private static func object(_ text: String, _ snapshot: MeshSnapshot) -> ConfigObject? {
        guard let space = text.firstIndex(of: " "), let kind = Kind(rawValue: String(text[..<space])) else {
            return nil
        }
        let name = text[text.index(after: space)...]
        guard let slash = name.firstIndex(of: "/") else { return nil }
        return snapshot.object(
            ObjectKey(
                kind: kind,
                name: NamespacedName(
                    namespace: String(name[..<slash]), name: String(name[name.index(after: slash)...]))))
    }
}

extension ConfigObject {
    /// True for a VirtualService with a destination of this host, also under a short name.
    fileprivate func routes(to host: HostName) -> Bool {
        guard case .virtualService(let spec) = spec else { return false }
        var destinations = spec.http.flatMap { $0.route.map(\.destination) + $0.mirrors.map(\.destination) }
        destinations += spec.http.compactMap(\.mirror)
        destinations += (spec.tls.flatMap(\.route) + spec.tcp.flatMap(\.route)).map(\.destination)
        return destinations.contains {
            $0.host.lowercased() == host.text || host.text.hasPrefix($0.host.lowercased() + ".")
        }
    }
}
