internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Route configurations of a class of routers: `http.<port>` and `https.…` (semantics 2.2 and 3.10).
package enum GatewayRoutes {
    /// One for every name that the class's listeners ask for; sorted by name.
    package static func routeConfigurations(_ context: CompileContext) -> [Compiled<XDS.RouteConfiguration>] {
        routeConfigurations(MergedGateway(context), context)
    }

    static func routeConfigurations(
        _ merged: MergedGateway, _ context: CompileContext
    ) -> [Compiled<XDS.RouteConfiguration>] {
        let byRoute = merged.serversByRoute
        return byRoute.keys.sorted().map { configuration($0, byRoute[$0] ?? [], context) }
    }

    private struct Host {
        var message: XDS.VirtualHost
        /// Made for a redirect alone.
        var isEmpty: Bool { message.routes.isEmpty }
    }

    private static func configuration(
        _ name: String, _ servers: [GatewayServer], _ context: CompileContext
    ) -> Compiled<XDS.RouteConfiguration> {
        var hosts: [HostName: Host] = [:]
        var sources: Set<ObjectKey> = []
        for server in servers {
            sources.insert(server.gateway.key)
            for virtualService in context.scope.virtualServices(gateway: server.gatewayName) {
                let shared = server.hosts(sharedWith: virtualService)
                guard !shared.isEmpty else { continue }
                let compiled = VirtualServiceRoutes.compile(
                    virtualService, listenerPort: server.server.port.number,
                    gatewayNames: [server.gatewayName], isTLS: server.isTerminatedHTTPS, context)
                let routes = compiled.message
                guard !routes.isEmpty else { continue }
                sources.insert(virtualService.object.key)
                sources.formUnion(compiled.sources)
                for host in shared {
                    var entry = hosts[host] ?? make(host, server)
                    entry.message.routes += routes
                    if server.redirectsToHTTPS { entry.message.requireTls = .all }
                    hosts[host] = entry
                }
            }
            // The redirect stands without any VirtualService.
            for host in server.redirectsToHTTPS ? server.allHosts : [] {
                var entry = hosts[host] ?? make(host, server)
                entry.message.requireTls = .all
                hosts[host] = entry
            }
        }
        var configuration = XDS.RouteConfiguration()
        configuration.name = name
        configuration.validateClusters.value = false
        configuration.ignorePortInHostMatching = true
        configuration.maxDirectResponseBodySizeBytes.value = 1 << 20
        if hosts.isEmpty {
            var blackhole = XDS.VirtualHost()
            blackhole.name = VirtualHostName.blackhole(port: servers.first?.server.port.number ?? 0)
            blackhole.domains = ["*"]
            configuration.virtualHosts = [blackhole]
        } else {
            configuration.virtualHosts = hosts.values.map { entry in
                var host = entry.message
                host.routes = catchAllsLast(host.routes)
                return host
            }.sorted { $0.name < $1.name }
        }
        return Compiled(configuration, sources: sources)
    }

    private static func make(_ host: HostName, _ server: GatewayServer) -> Host {
        var message = XDS.VirtualHost()
        message.name = VirtualHostName.host(host, port: server.server.port.number)
        message.domains = [domain(host)]
        message.includeRequestAttemptCount = true
        return Host(message: message)
    }

    /// IPv6 literals are bracketed in a Host header.
    private static func domain(_ host: HostName) -> String {
        if let address = IPAddress(host.text), address.family == .v6 { return "[\(address)]" }
        return host.text
    }

    /// VirtualServices of one host follow each other, so a catch-all of an older one must not hide the younger ones.
    private static func catchAllsLast(_ routes: [XDS.Route]) -> [XDS.Route] {
        routes.filter { !isCatchAll($0) } + routes.filter(isCatchAll)
    }

    private static func isCatchAll(_ route: XDS.Route) -> Bool {
        let match = route.match
        guard match.headers.isEmpty, match.queryParameters.isEmpty, match.dynamicMetadata.isEmpty else { return false }
        switch match.pathSpecifier {
        case .prefix(let prefix): return prefix == "/"
        case .safeRegex(let matcher): return matcher.regex == ".*" || matcher.regex == "*"
        default: return false
        }
    }
}
