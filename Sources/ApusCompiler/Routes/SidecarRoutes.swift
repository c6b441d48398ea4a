internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Route configurations of a sidecar's outbound listeners (semantics 3.9).
package enum SidecarRoutes {
    /// The names that the class's listeners ask for; sorted.
    package static func routeNames(_ context: CompileContext) -> [String] {
        var names: Set<String> = []
        for listener in context.scope.egressListeners {
            if let port = listener.port {
                names.insert(listener.bind.hasPrefix("unix:") ? listener.bind : RouteName.port(port.number))
            }
            for service in listener.services {
                if case .alias = service.resolution { continue }
                for port in service.ports where context.scope.imports(service, port: port.number) {
                    if port.protocol.isHTTP { names.insert(RouteName.port(port.number)) }
                    guard port.protocol == .auto else { continue }
                    // A listener of its own exists where there is an address to bind.
                    if service.addresses.isEmpty { names.insert(RouteName.port(port.number)) }
                    names.insert(RouteName.service(host: service.host, port: port.number))
                }
            }
        }
        let proxyPort = context.proxyClass.httpProxyPort ?? context.snapshot.meshConfig.proxyHttpPort
        if proxyPort != 0 { names.insert(RouteName.httpProxy) }
        return names.sorted()
    }

    /// A name that cannot be built gives an empty route configuration, so that the client's warming ends.
    package static func routeConfiguration(
        named name: String, _ context: CompileContext
    ) -> Compiled<XDS.RouteConfiguration> {
        var hosts = Compiled<[XDS.VirtualHost]>([], sources: [])
        // One configuration for all ports tells services apart by the port in the Host header, so it must be looked at.
        var hasPortsInNames = false
        if let port = UInt32(name) {
            if let listener = egressListener(port: port, context) {
                let isProxy = listener.port?.protocol == "HTTP_PROXY"
                hasPortsInNames = isProxy
                hosts = virtualHosts(listener, port: isProxy ? nil : port, context)
            }
        } else if name == RouteName.httpProxy {
            if let listener = context.scope.egressListeners.first(where: { $0.port == nil }) {
                hosts = virtualHosts(listener, port: nil, context)
                hasPortsInNames = true
            }
        } else if let parts = RouteName.serviceParts(of: name), !name.hasPrefix("/"), !name.hasPrefix("unix:") {
            hosts = detected(host: parts.host, port: parts.port, context)
        } else if let listener = context.scope.egressListeners.first(where: { $0.port != nil && $0.bind == name }) {
            hosts = virtualHosts(listener, port: nil, context)
            hasPortsInNames = true
        }
        var result = configuration(name, hosts.message)
        result.ignorePortInHostMatching = !hasPortsInNames
        return Compiled(result, sources: hosts.sources)
    }

    /// The fields that all of a sidecar's and a gateway's route configurations have in common.
    static func configuration(_ name: String, _ hosts: [XDS.VirtualHost]) -> XDS.RouteConfiguration {
        var result = XDS.RouteConfiguration()
        result.name = name
        result.virtualHosts = hosts
        // Clusters come by another resource type, in their own time.
        result.validateClusters = Google_Protobuf_BoolValue(false)
        result.maxDirectResponseBodySizeBytes = Google_Protobuf_UInt32Value(1 << 20)
        result.ignorePortInHostMatching = true
        return result
    }

    /// The listener with exactly this port, else the one for all ports.
    private static func egressListener(port: UInt32, _ context: CompileContext) -> EgressScope? {
        let listeners = context.scope.egressListeners
        return listeners.first { $0.port?.number == port } ?? listeners.first { $0.port == nil }
    }

    /// - Parameter port: nil: all ports in one configuration, and every name with its port.
    private static func virtualHosts(
        _ listener: EgressScope, port: UInt32?, _ context: CompileContext
    ) -> Compiled<[XDS.VirtualHost]> {
        let domains = DomainStyle(
            clientDomain: context.proxyClass.dnsDomain, meshDomain: context.snapshot.domain,
            withPort: port == nil, sharesPorts: port == nil)
        var builder = SidecarVirtualHosts(listener: listener, port: port, domains: domains, context: context)
        builder.build()
        var hosts = builder.hosts.sorted { $0.name < $1.name }
        hosts.append(catchAll(context))
        return Compiled(hosts, sources: builder.sources)
    }

    /// A port whose protocol is detected has an address, and so a route configuration, of its own: whatever host the
    /// client names there, it means this service.
    private static func detected(
        host: HostName, port: UInt32, _ context: CompileContext
    ) -> Compiled<[XDS.VirtualHost]> {
        guard let listener = egressListener(port: port, context) else { return Compiled([], sources: []) }
        let domains = DomainStyle(
            clientDomain: context.proxyClass.dnsDomain, meshDomain: context.snapshot.domain, withPort: false,
            sharesPorts: false)
        var builder = SidecarVirtualHosts(
            listener: listener, port: port, domains: domains, context: context, only: host)
        builder.build()
        let name = VirtualHostName.host(host, port: port)
        guard var found = builder.hosts.first(where: { $0.name == name }) else { return Compiled([], sources: []) }
        found.domains = ["*"]
        return Compiled([found], sources: builder.sources)
    }

    /// What is asked of a host that nobody knows.
    private static func catchAll(_ context: CompileContext) -> XDS.VirtualHost {
        var route = XDS.Route()
        route.match = RouteMatching.routeMatch(nil)
        var host = XDS.VirtualHost()
        host.domains = ["*"]
        host.includeRequestAttemptCount = true
        let policy = context.scope.outboundPolicy
        switch policy.mode {
        case .allowAny, .allowAnyDynamicDNS:
            host.name = VirtualHostName.allowAny
            var action = XDS.RouteAction()
            action.cluster =
                context.resolvesUnknownHosts ? ClusterName.allowAnyDynamicDNS : ClusterName.passthrough
            if let proxy = policy.egressProxy {
                action.cluster = ClusterName.outbound(
                    port: proxy.port ?? 0, subset: proxy.subset, host: HostName(proxy.host))
            }
            RouteTimeouts.apply(nil, context, to: &action)
            route.route = action
        case .registryOnly:
            host.name = VirtualHostName.blockAll
            route.directResponse = .with { $0.status = 502 }
        }
        route.name = host.name
        host.routes = [route]
        return host
    }
}
