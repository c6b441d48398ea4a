internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// What a gRPC program without a proxy gets: LDS by dial target, RDS, and the listener of its own server
/// (semantics 5.7).
enum ProxylessListeners {
    typealias Listener = Envoy_Config_Listener_V3_Listener
    typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

    /// `<host>:<port>` for every host name a program may dial.
    static func outbound(_ context: CompileContext) -> [Compiled<Listener>] {
        var result: [Compiled<Listener>] = []
        var seen: Set<String> = []
        for (service, port) in ports(context) {
            let routeName = RouteName.service(host: service.host, port: port.number)
            for host in names(of: service, context) {
                let name = "\(host):\(port.number)"
                guard seen.insert(name).inserted else { continue }
                var manager = Manager()
                manager.rds.routeConfigName = routeName
                manager.rds.configSource = ConfigSources.ads
                manager.httpFilters = [fault, HTTPConnectionManager.router]
                var listener = Listener()
                listener.name = name
                listener.apiListener.apiListener = .packing(manager)
                result.append(Compiled(listener, sources: service.sources.map(\.key)))
            }
        }
        return result.sorted { $0.message.name < $1.message.name }
    }

    static func routes(_ context: CompileContext) -> [Compiled<XDS.RouteConfiguration>] {
        ports(context).map { service, port in
            var compiled = SidecarRoutes.routeConfiguration(
                named: RouteName.service(host: service.host, port: port.number), context)
            compiled.message.name = RouteName.service(host: service.host, port: port.number)
            // gRPC compares the dial target as it is, port and all.
            compiled.message.ignorePortInHostMatching = false
            let names = names(of: service, context)
            for index in compiled.message.virtualHosts.indices.prefix(1) {
                compiled.message.virtualHosts[index].domains = names + names.map { "\($0):\(port.number)" }
                for route in compiled.message.virtualHosts[index].routes.indices {
                    adapt(&compiled.message.virtualHosts[index].routes[route])
                }
            }
            return compiled
        }.sorted { $0.message.name < $1.message.name }
    }

    /// gRPC refuses settings of filters it does not know, and reads the limit of a call from `max_stream_duration`.
    private static func adapt(_ route: inout XDS.Route) {
        route.typedPerFilterConfig = route.typedPerFilterConfig.filter { $0.key == "envoy.filters.http.fault" }
        guard case .route(var action)? = route.action else { return }
        if action.hasTimeout {
            if action.timeout.seconds > 0 || action.timeout.nanos > 0, !action.hasMaxStreamDuration {
                action.maxStreamDuration.maxStreamDuration = action.timeout
            }
            action.clearTimeout()
        }
        route.action = .route(action)
    }

    private static var fault: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter {
        var filter = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter()
        filter.name = "envoy.filters.http.fault"
        filter.typedConfig = .packing(Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault())
        return filter
    }

    /// A gRPC program may dial any port, also one whose protocol nobody has declared.
    private static func ports(_ context: CompileContext) -> [(Service, Service.Port)] {
        context.scope.services.flatMap { service -> [(Service, Service.Port)] in
            if case .alias = service.resolution { return [] }
            guard !service.host.isWildcard else { return [] }
            return service.ports.filter { $0.protocol.isHTTP || $0.protocol == .auto }.map { (service, $0) }
        }
    }

    /// The names under which a client of the class may know the service: full, and the usual short ones.
    private static func names(of service: Service, _ context: CompileContext) -> [String] {
        let host = service.host.text
        let suffix = ".\(service.namespace).svc.\(context.snapshot.domain)"
        guard service.isKubernetes, host.hasSuffix(suffix) else { return [host] }
        let name = String(host.dropLast(suffix.count))
        var result = [host, "\(name).\(service.namespace).svc", "\(name).\(service.namespace)"]
        if service.namespace == context.proxyClass.namespace { result.append(name) }
        return result
    }

    // MARK: The program's own server

    /// `xds.istio.io/grpc/lds/inbound/<ip>:<port>` for the addresses a server may listen on.
    static func inbound(_ plan: InboundPlan, addresses: [String]) -> [Compiled<Listener>] {
        var result: [Compiled<Listener>] = []
        var places: [String] = []
        for address in addresses + [BindAddress.wildcard, "::", BindAddress.loopback, "::1"]
        where !places.contains(address) {
            places.append(address)
        }
        for port in plan.ports {
            for address in places {
                let host = address.contains(":") ? "[\(address)]" : address
                var listener = Listener()
                listener.name = "xds.istio.io/grpc/lds/inbound/\(host):\(port.number)"
                listener.address = BindAddress.socket(address: address, port: port.number).message
                listener.trafficDirection = .inbound
                var filter = Envoy_Config_Listener_V3_Filter()
                filter.name = "envoy.filters.network.http_connection_manager"
                filter.typedConfig = .packing(serverManager(port))
                var chain = Envoy_Config_Listener_V3_FilterChain()
                chain.name = "inbound-\(port.number)"
                chain.filters = [filter]
                listener.filterChains = [chain]
                result.append(Compiled(listener, sources: port.sources))
            }
        }
        return result.sorted { $0.message.name < $1.message.name }
    }

    private static func serverManager(_ port: InboundPlan.Port) -> Manager {
        var route = Envoy_Config_Route_V3_Route()
        route.match.prefix = "/"
        // The program itself answers: nothing is forwarded.
        route.nonForwardingAction = Envoy_Config_Route_V3_NonForwardingAction()
        var host = Envoy_Config_Route_V3_VirtualHost()
        host.name = "inbound|http|\(port.servicePort)"
        host.domains = ["*"]
        host.routes = [route]
        var manager = Manager()
        manager.statPrefix = "inbound_\(port.number);"
        manager.routeConfig.name = ClusterName.inbound(targetPort: port.number)
        manager.routeConfig.virtualHosts = [host]
        manager.httpFilters = [HTTPConnectionManager.router]
        return manager
    }
}
