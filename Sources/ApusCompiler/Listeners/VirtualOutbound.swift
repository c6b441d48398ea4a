internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

extension OutboundListeners {
    /// `virtualOutbound`: where the firewall sends every outgoing connection (semantics 3.2).
    static func virtualOutbound(_ context: CompileContext) -> Compiled<Listener> {
        let mesh = context.snapshot.meshConfig
        let logs = AccessLogs(mesh)
        let isIPv6Only = context.proxyClass.hasIPv6 && !context.proxyClass.hasIPv4
        var listener = Listener()
        listener.name = "virtualOutbound"
        listener.address =
            BindAddress.socket(address: isIPv6Only ? "::" : BindAddress.wildcard, port: mesh.proxyListenPort).message
        listener.useOriginalDst.value = true
        listener.trafficDirection = .outbound
        if context.proxyClass.interception == .tproxy { listener.transparent.value = true }

        // A connection to this very port would find itself as its original destination, without end.
        var blackhole = Envoy_Config_Listener_V3_FilterChain()
        blackhole.name = "virtualOutbound-blackhole"
        blackhole.filterChainMatch.destinationPort.value = mesh.proxyListenPort
        blackhole.filters = [TCPTarget.single(ClusterName.blackHole).filter(logs: logs)]
        var rest = Envoy_Config_Listener_V3_FilterChain()
        rest.name = "virtualOutbound-catchall-tcp"
        rest.filters = [unknownDestination(context).filter(logs: logs)]
        listener.filterChains = [blackhole, rest]
        listener.accessLog = logs.forUnmatchedConnections
        return Compiled(listener, sources: context.scope.sidecar.map { [$0.key] } ?? [])
    }

    /// Where connections go that no service claims: by `outboundTrafficPolicy`.
    static func unknownDestination(_ context: CompileContext) -> TCPTarget {
        let policy = context.scope.outboundPolicy
        switch policy.mode {
        case .registryOnly:
            return .single(ClusterName.blackHole)
        case .allowAny, .allowAnyDynamicDNS:
            guard let proxy = policy.egressProxy else { return .single(ClusterName.passthrough) }
            return .single(
                ClusterName.outbound(port: proxy.port ?? 0, subset: proxy.subset, host: HostName(proxy.host)))
        }
    }

    /// The explicit HTTP proxy, if the mesh (`proxyHttpPort`) or the proxy asks for one: really bound on loopback, all
    /// ports in one route configuration. Clients send absolute-form URIs.
    static func httpProxy(_ context: CompileContext) -> Compiled<Listener>? {
        let dynamic = context.scope.services.filter { service in
            service.ports.contains { $0.protocol.isHTTP && DynamicForwardProxy.serves(service, $0, context) }
        }
        let mesh = context.snapshot.meshConfig
        let port = context.proxyClass.httpProxyPort ?? mesh.proxyHttpPort
        guard port > 0 else { return nil }
        let logs = AccessLogs(mesh)
        let isIPv6Only = context.proxyClass.hasIPv6 && !context.proxyClass.hasIPv4
        let bind = BindAddress.socket(address: isIPv6Only ? "::1" : BindAddress.loopback, port: port)
        var listener = Listener()
        listener.name = bind.listenerName
        listener.address = bind.message
        listener.trafficDirection = .outbound
        var chain = Envoy_Config_Listener_V3_FilterChain()
        chain.filters = [
            HTTPConnectionManager(
                place: .outbound, statPrefix: "outbound_\(listener.name);", routes: .rds(RouteName.httpProxy),
                acceptsHTTP10: context.proxyClass.http10, isForwardProxy: true,
                dnsCaches: DynamicForwardProxy.cacheNames(dynamic.map(\.host.text), context)
                    .map { DynamicForwardProxy.cache($0, context) }
            ).filter(mesh: mesh, logs: logs)
        ]
        listener.filterChains = [chain]
        return Compiled(listener, sources: dynamic.flatMap { $0.sources.map(\.key) })
    }
}
