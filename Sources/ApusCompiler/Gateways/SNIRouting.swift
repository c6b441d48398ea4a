internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Servers of mode AUTO_PASSTHROUGH: a connection's SNI names the cluster it goes to, without any VirtualService, and the
/// mutual TLS in it stays between client and workload (semantics 3.10).
enum SNIRouting {
    /// Hosts of the class's AUTO_PASSTHROUGH servers; empty if it has none.
    static func hosts(snapshot: MeshSnapshot, proxyClass: ProxyClass) -> [HostName] {
        guard proxyClass.role == .router else { return [] }
        var result: Set<HostName> = []
        for gateway in snapshot.gateways(of: proxyClass) {
            guard case .gateway(let spec) = gateway.spec else { continue }
            for (index, server) in spec.servers.enumerated() where server.tls?.mode == .autoPassthrough {
                result.formUnion(
                    GatewayServer(gateway: gateway, server: server, index: index, port: server.port.number).allHosts)
            }
        }
        return result.sorted()
    }

    /// The service's ports and subsets that one of the hosts takes in; by name, sorted.
    static func targets(of service: Service, _ hosts: [HostName], _ context: CompileContext) -> [ClusterTarget] {
        // Outside of the mesh nobody speaks its TLS.
        guard !service.isMeshExternal, hosts.contains(where: { service.host.isSubset(of: $0) }) else { return [] }
        let rule = context.scope.destinationRule(for: service)
        var result: [ClusterTarget] = []
        for port in service.ports where port.protocol != .udp && context.scope.imports(service, port: port.number) {
            for subset in [""] + (rule?.subsets.map(\.name) ?? []) {
                let target = ClusterTarget(service: service, port: port, subset: subset, rule: rule)
                if target.discovery(context) != nil { result.append(target) }
            }
        }
        return result.sorted { $0.serverName < $1.serverName }
    }

    static func clusters(of service: Service, _ hosts: [HostName], _ context: CompileContext) -> [Compiled<XDS.Cluster>]
    {
        targets(of: service, hosts, context).compactMap { target in
            OutboundClusters.cluster(target, context, isSNIRouted: true).map { Compiled($0, sources: target.sources) }
        }
    }

    static func assignments(
        of service: Service, _ hosts: [HostName], _ context: CompileContext
    ) -> [Compiled<XDS.ClusterLoadAssignment>] {
        targets(of: service, hosts, context).filter { $0.discovery(context) == .eds }.map { target in
            Compiled(Endpoints.mutualTLSAssignment(target, context), sources: target.sources)
        }
    }

    /// One chain per target of one server, by SNI, for connections that offer an ALPN of the mesh.
    static func chains(
        _ server: GatewayServer, logs: AccessLogs, _ context: CompileContext
    ) -> [Compiled<Envoy_Config_Listener_V3_FilterChain>] {
        let hosts = server.allHosts
        return context.scope.services.flatMap { targets(of: $0, hosts, context) }.map { target in
            var chain = Envoy_Config_Listener_V3_FilterChain()
            chain.filterChainMatch.serverNames = [target.serverName]
            chain.filterChainMatch.transportProtocol = "tls"
            chain.filterChainMatch.applicationProtocols = ALPN.anyMutualTLS
            var way = TCPTarget.make(
                cluster: target.serverName, service: target.service, port: target.port.number, subset: target.subset,
                context: context)
            // The bytes are the client's own TLS; nothing may be put around them.
            way.tunnel = nil
            chain.filters = [way.filter(logs: logs)]
            return Compiled(chain, sources: target.sources)
        }
    }
}

extension ClusterTarget {
    /// The objects that the cluster is made from.
    var sources: [ObjectKey] { service.sources.map(\.key) + (rule?.objects.map(\.key) ?? []) }
}
