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
            naming: ClusterName.outboundParts(of: cluster).map {
                Destination(host: $0.host.text, subset: $0.subset, port: $0.port)
            })
    }

    /// At the VirtualService and field that name the destination, if one of the resource's sources does; else at the
    /// first source.
    private static func finding(
        _ severity: Severity, _ code: String, _ message: String, _ resource: EncodedResource,
        _ snapshot: MeshSnapshot, naming destination: Destination? = nil
    ) -> Finding {
        let objects = resource.sources.compactMap { text in object(text, snapshot) }
        var culprit = objects.first
        var field: String?
        if let destination {
            for object in objects {
                guard let path = object.path(to: destination) else { continue }
                culprit = object
                field = path
                break
            }
        }
        let origin = culprit?.origin ?? .none
        return Finding(
            severity, code, message, at: field.map(origin.location(of:)) ?? origin.location,
            object: culprit?.key.description, field: field)
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
    /// Where a VirtualService names this destination, also under a short name: the place with the same subset and
    /// port if there is one, else with the same host; nil if it does not name the host at all.
    fileprivate func path(to wanted: Destination) -> String? {
        guard case .virtualService(let spec) = spec else { return nil }
        var fallback: String?
        func exact(_ destination: Destination, _ path: @autoclosure () -> String) -> String? {
            let host = destination.host.lowercased()
            guard host == wanted.host || wanted.host.hasPrefix(host + ".") else { return nil }
            if destination.subset == wanted.subset, destination.port == nil || destination.port == wanted.port {
                return path() + ".host"
            }
            if fallback == nil { fallback = path() + ".host" }
            return nil
        }
        for (index, rule) in spec.http.enumerated() {
            for (number, route) in rule.route.enumerated() {
                let found = exact(route.destination, "spec.http[\(index)].route[\(number)].destination")
                if let found { return found }
            }
            for (number, mirror) in rule.mirrors.enumerated() {
                let found = exact(mirror.destination, "spec.http[\(index)].mirrors[\(number)].destination")
                if let found { return found }
            }
            if let mirror = rule.mirror, let found = exact(mirror, "spec.http[\(index)].mirror") { return found }
        }
        for (index, rule) in spec.tls.enumerated() {
            for (number, route) in rule.route.enumerated() {
                let found = exact(route.destination, "spec.tls[\(index)].route[\(number)].destination")
                if let found { return found }
            }
        }
        for (index, rule) in spec.tcp.enumerated() {
            for (number, route) in rule.route.enumerated() {
                let found = exact(route.destination, "spec.tcp[\(index)].route[\(number)].destination")
                if let found { return found }
            }
        }
        return fallback
    }
}
