internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// `virtualInbound` and the inbound listeners that really bind (semantics 3.5).
struct InboundListeners {
    typealias Listener = Envoy_Config_Listener_V3_Listener
    typealias Chain = Envoy_Config_Listener_V3_FilterChain

    let plan: InboundPlan
    let mesh: MeshConfig

    func compile() -> [Compiled<Listener>] {
        var result: [Compiled<Listener>] = []
        if plan.interception != .none { result.append(virtualInbound) }
        var taken: Set<BindAddress> = []
        for port in plan.ports {
            // Envoy refuses a listener without chains; without it nothing is taken, which is what is wanted.
            guard let bind = port.bind, port.mode != .refuse, taken.insert(bind).inserted else { continue }
            result.append(bound(port, at: bind))
        }
        return result.sorted { $0.message.name < $1.message.name }
    }

    private var logs: AccessLogs { AccessLogs(mesh) }

    private var virtualInbound: Compiled<Listener> {
        let logs = logs
        var listener = Listener()
        listener.name = "virtualInbound"
        listener.address =
            BindAddress.socket(
                address: plan.isIPv6Only ? "::" : BindAddress.wildcard, port: mesh.proxyInboundListenPort
            ).message
        listener.trafficDirection = .inbound

        // A connection to this very port would find itself as its original destination, without end.
        var blackhole = Chain()
        blackhole.name = "virtualInbound-blackhole"
        blackhole.filterChainMatch.destinationPort.value = mesh.proxyInboundListenPort
        blackhole.filters = [TCPTarget.single(ClusterName.blackHole).filter(logs: logs)]
        listener.filterChains = [blackhole]
        for row in InboundPolicy.rows(.detected, plan.passthroughMode, http10: plan.acceptsHTTP10) {
            listener.filterChains.append(passthrough(row, port: nil, logs: logs))
        }
        for port in plan.passthroughPorts {
            if port.mode == .refuse {
                listener.filterChains.append(refusal(port.number, logs: logs))
                continue
            }
            for row in InboundPolicy.rows(.detected, port.mode, http10: plan.acceptsHTTP10) {
                listener.filterChains.append(passthrough(row, port: port.number, logs: logs))
            }
        }
        let captured = plan.ports.filter { $0.bind == nil }
        for port in captured { listener.filterChains += chains(of: port, logs: logs) }

        listener.listenerFilters = [ListenerFilters.originalDestination()]
        if plan.interception == .tproxy {
            listener.transparent.value = true
            listener.listenerFilters.append(ListenerFilters.originalSource())
        }
        listener.listenerFilters += ListenerFilters.inspectors(for: listener.filterChains)
        listener.listenerFiltersTimeout = Google_Protobuf_Duration(clamping: mesh.protocolDetectionTimeout)
        listener.continueOnListenerFiltersTimeout = true
        listener.accessLog = logs.forUnmatchedConnections
        return Compiled(
            listener,
            sources: captured.flatMap(\.sources) + plan.authorization.policies.map(\.key) + plan.tokens.sources)
    }

    private func bound(_ port: InboundPlan.Port, at bind: BindAddress) -> Compiled<Listener> {
        let logs = logs
        var listener = Listener()
        listener.name = bind.listenerName
        listener.address = bind.message
        listener.trafficDirection = .inbound
        listener.filterChains = chains(of: port, logs: logs)
        listener.listenerFilters = ListenerFilters.inspectors(for: listener.filterChains)
        if !listener.listenerFilters.isEmpty {
            listener.listenerFiltersTimeout = Google_Protobuf_Duration(clamping: mesh.protocolDetectionTimeout)
            listener.continueOnListenerFiltersTimeout = true
        }
        listener.accessLog = logs.forUnmatchedConnections
        return Compiled(listener, sources: port.sources)
    }

    /// Without a chain of its own the port would be taken by the chains for all ports.
    private func refusal(_ port: UInt32, logs: AccessLogs) -> Chain {
        var chain = Chain()
        chain.name = "\(BindAddress.wildcard)_\(port)"
        chain.filterChainMatch.destinationPort.value = port
        chain.filters = [TCPTarget.single(ClusterName.blackHole).filter(logs: logs)]
        return chain
    }

    private func chains(of port: InboundPlan.Port, logs: AccessLogs) -> [Chain] {
        if port.mode == .refuse { return [refusal(port.number, logs: logs)] }
        let reading = InboundPolicy.reading(port.spoken)
        return InboundPolicy.rows(reading, port.mode, http10: plan.acceptsHTTP10).map { row in
            var chain = Chain()
            chain.name = port.bind?.listenerName ?? "\(BindAddress.wildcard)_\(port.number)"
            if port.bind == nil { chain.filterChainMatch.destinationPort.value = port.number }
            match(row, &chain)
            let cluster = ClusterName.inbound(targetPort: port.number)
            chain.filters = [
                row.isHTTP
                    ? manager(
                        name: chain.name, cluster: cluster, InboundRoutes.configuration(for: port),
                        translatesGRPCWeb: port.spoken == .grpcWeb, logs: logs)
                    : TCPTarget.single(cluster).filter(logs: logs)
            ]
            restrict(row, &chain)
            return chain
        }
    }

    /// - Parameter port: nil: every port that has no chain of its own.
    private func passthrough(_ row: InboundPolicy.Row, port: UInt32?, logs: AccessLogs) -> Chain {
        var chain = Chain()
        chain.name = row.isHTTP ? "virtualInbound-catchall-http" : "virtualInbound"
        if let port {
            chain.name = "\(BindAddress.wildcard)_\(port)"
            chain.filterChainMatch.destinationPort.value = port
        }
        match(row, &chain)
        chain.filters = [
            row.isHTTP
                ? manager(
                    name: chain.name, cluster: ClusterName.inboundPassthrough, InboundRoutes.passthrough, logs: logs)
                : TCPTarget.single(ClusterName.inboundPassthrough).filter(logs: logs)
        ]
        restrict(row, &chain)
        return chain
    }

    /// Of HTTP the connection manager has the filters that judge requests.
    private func restrict(_ row: InboundPolicy.Row, _ chain: inout Chain) {
        if !row.isHTTP { chain.filters = plan.authorization.connectionFilters() + chain.filters }
    }

    private func match(_ row: InboundPolicy.Row, _ chain: inout Chain) {
        chain.filterChainMatch.transportProtocol = row.transport
        chain.filterChainMatch.applicationProtocols = row.applicationProtocols
        if row.terminates {
            chain.transportSocket = ServerTLS.mutual(
                mesh, alpn: row.isHTTP ? ALPN.serverHTTP : ALPN.serverTCP)
        }
    }

    private func manager(
        name: String, cluster: String, _ routes: Envoy_Config_Route_V3_RouteConfiguration,
        translatesGRPCWeb: Bool = false, logs: AccessLogs
    ) -> Envoy_Config_Listener_V3_Filter {
        HTTPConnectionManager(
            place: .inbound, statPrefix: "inbound_\(name);", routes: .inline(routes),
            translatesGRPCWeb: translatesGRPCWeb, acceptsHTTP10: plan.acceptsHTTP10,
            authorization: plan.tokens.requestFilters() + plan.authorization.requestFilters()
        ).filter(mesh: mesh, logs: logs)
    }
}
