internal import ApusAPI
internal import ApusCore
package import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// The `http` rules of a VirtualService as routes (semantics 4.1).
package enum VirtualServiceRoutes {
    /// - Parameters:
    ///   - listenerPort: the port that `match.port` is compared with, and that a destination without a port falls
    ///     back to.
    ///   - gatewayNames: `mesh`, or the Gateways (`namespace/name`) whose servers the routes are for.
    ///   - isTLS: whether the listener terminates TLS (redirects leave the default port out).
    package static func routes(
        for virtualService: ResolvedVirtualService, listenerPort: UInt32, gatewayNames: Set<String>,
        isTLS: Bool = false,
        _ context: CompileContext
    ) -> [XDS.Route] {
        compile(
            virtualService, listenerPort: listenerPort, gatewayNames: gatewayNames, isTLS: isTLS, context
        ).message
    }

    /// The same, with the objects behind the routes. Empty when no rule is for this client and listener.
    package static func compile(
        _ virtualService: ResolvedVirtualService, listenerPort: UInt32, gatewayNames: Set<String>, isTLS: Bool = false,
        _ context: CompileContext
    ) -> Compiled<[XDS.Route]> {
        var builder = RouteBuilder(
            virtualService: virtualService, listenerPort: listenerPort, isTLS: isTLS, context: context)
        var routes: [XDS.Route] = []
        rules: for (index, rule) in virtualService.spec.http.enumerated() {
            if index < virtualService.httpSources.count {
                builder.sources.insert(virtualService.httpSources[index].object)
            }
            if rule.match.isEmpty {
                if let route = builder.route(rule, match: nil) { routes.append(route) }
                // Whatever follows can never be reached.
                break rules
            }
            for match in rule.match
            where RouteMatching.applies(
                match, listenerPort: listenerPort, gatewayNames: gatewayNames, client: context.proxyClass)
            {
                guard let route = builder.route(rule, match: match) else { continue }
                routes.append(route)
                if RouteMatching.matchesEverything(route.match) { break rules }
            }
        }
        return Compiled(routes, sources: builder.sources)
    }

    /// The route of a service without a VirtualService.
    package static func defaultRoute(
        to service: Service, port: UInt32, _ context: CompileContext
    ) -> Compiled<XDS.Route> {
        let target = RouteDestinations.target(
            Destination(host: service.host.text, port: port), listenerPort: port, context)
        var action = XDS.RouteAction()
        action.cluster = target.cluster
        RouteTimeouts.apply(nil, context, to: &action)
        let hash = HashPolicies.policy(target.hash)
        if let hash { action.hashPolicy = [hash] }
        let retry = RetryPolicies.policy(nil, mesh: context.snapshot.meshConfig, isSticky: hash != nil)
        if let retry { action.retryPolicy = retry }
        var route = XDS.Route()
        route.name = "default"
        route.match = RouteMatching.routeMatch(nil)
        route.route = action
        route.decorator = .with { $0.operation = "\(service.host.text):\(port)/*" }
        return Compiled(route, sources: service.sources.map(\.key) + target.sources)
    }
}

/// Route timeouts: Istio always writes one, since Envoy's default of 15 s would cut long requests off.
enum RouteTimeouts {
    static func apply(_ timeout: Duration?, _ context: CompileContext, to action: inout XDS.RouteAction) {
        let value = Google_Protobuf_Duration(timeout ?? .zero)
        if context.isProxyless {
            action.maxStreamDuration = .with { $0.maxStreamDuration = value }
        } else {
            action.timeout = value
            // A client's gRPC deadline is capped by the same limit. Istio keeps the older field, since the newer one
            // counts from another moment.
            action.maxGrpcTimeout = value
        }
    }
}
