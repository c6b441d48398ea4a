package import ApusAPI
package import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Listeners of a class of routers (semantics 3.10 and 4.3).
package struct GatewayListeners: Sendable {
    package typealias Listener = Envoy_Config_Listener_V3_Listener
    typealias Chain = Envoy_Config_Listener_V3_FilterChain

    package var listeners: [Compiled<Listener>] = []
    /// RDS names, sorted.
    package var routeNames: [String] = []
    package var findings: [Finding] = []

    package static func compile(_ context: CompileContext) -> GatewayListeners {
        compile(MergedGateway(context), context)
    }

    static func compile(_ merged: MergedGateway, _ context: CompileContext) -> GatewayListeners {
        var result = GatewayListeners()
        result.findings = merged.findings
        let policies = context.snapshot.policies(of: context.proxyClass)
        let authorization = Authorization(policies.authorization, context.snapshot.meshConfig)
        let tokens = RequestTokens(policies.authentication, context.keySets, reroutes: true)
        let policySources = authorization.policies.map(\.key) + tokens.sources
        for place in merged.listeners {
            var builder = Builder(
                context: context, listenerName: place.bind.listenerName,
                requestFilters: tokens.requestFilters() + authorization.requestFilters())
            var chains: [Chain] = []
            switch place.kind {
            case .http:
                // One chain for all: which server is meant is told by the host, in the routes.
                if let first = place.servers.first, let name = first.routeName {
                    chains = [
                        builder.http(
                            routeName: name, translatesGRPCWeb: place.servers.contains { $0.spoken == .grpcWeb })
                    ]
                }
            case .tcp:
                for server in place.servers { chains += builder.plainTCP(server) }
            case .tls:
                for server in place.servers { chains += builder.tls(server) }
            }
            result.findings += builder.findings
            // Envoy refuses a listener without filter chains.
            guard !chains.isEmpty else { continue }
            // Of HTTP the connection manager has the filters that judge requests.
            for index in chains.indices where !chains[index].filters.contains(where: \.isConnectionManager) {
                chains[index].filters = authorization.connectionFilters() + chains[index].filters
            }
            let mesh = context.snapshot.meshConfig
            var listener = Listener()
            listener.name = place.bind.listenerName
            listener.address = place.bind.message
            listener.trafficDirection = .outbound
            listener.filterChains = chains
            listener.listenerFilters = ListenerFilters.inspectors(for: chains)
            if !listener.listenerFilters.isEmpty {
                listener.listenerFiltersTimeout = Google_Protobuf_Duration(clamping: mesh.protocolDetectionTimeout)
                listener.continueOnListenerFiltersTimeout = true
            }
            listener.accessLog = AccessLogs(mesh).forUnmatchedConnections
            result.listeners.append(
                Compiled(listener, sources: place.servers.map(\.gateway.key) + builder.sources + policySources))
            result.routeNames += place.servers.compactMap(\.routeName)
        }
        result.listeners.sort { $0.message.name < $1.message.name }
        result.routeNames = Set(result.routeNames).sorted()
        return result
    }

    /// Filter chains of the servers of one place.
    private struct Builder {
        let context: CompileContext
        let listenerName: String
        /// What reads tokens and judges requests.
        let requestFilters: [HTTPConnectionManager.HTTPFilter]
        var sources: Set<ObjectKey> = []
        var findings: [Finding] = []
        /// Envoy refuses two chains with one match.
        private var serverNames: Set<String> = []

        init(
            context: CompileContext, listenerName: String, requestFilters: [HTTPConnectionManager.HTTPFilter]
        ) {
            self.context = context
            self.requestFilters = requestFilters
            self.listenerName = listenerName
        }

        private var mesh: MeshConfig { context.snapshot.meshConfig }
        private var logs: AccessLogs { AccessLogs(mesh) }

        func http(routeName: String, translatesGRPCWeb: Bool) -> Chain {
            var chain = Chain()
            chain.filters = [
                HTTPConnectionManager(
                    place: .gateway, statPrefix: "outbound_\(listenerName);", routes: .rds(routeName),
                    translatesGRPCWeb: translatesGRPCWeb, acceptsHTTP10: context.proxyClass.http10,
                    authorization: requestFilters
                ).filter(mesh: mesh, logs: logs)
            ]
            return chain
        }

        mutating func plainTCP(_ server: GatewayServer) -> [Chain] {
            guard let target = tcpTarget(server) else { return [] }
            var chain = Chain()
            chain.filters = [target.filter(logs: logs)]
            return [chain]
        }

        mutating func tls(_ server: GatewayServer) -> [Chain] {
            guard let settings = server.server.tls else { return [] }
            switch settings.mode {
            case .passthrough:
                return passthrough(server)
            case .autoPassthrough:
                return bySNI(server)
            case .istioMutual, .simple, .mutual, .optionalMutual:
                return terminated(server, settings)
            }
        }

        private mutating func terminated(_ server: GatewayServer, _ settings: ServerTLSSettings) -> [Chain] {
            let names = TCPChains.serverNames(server.allHosts.map(\.text))
            let key = names.isEmpty ? ["*"] : names
            guard serverNames.isDisjoint(with: key) else {
                report(
                    server, CompilerFinding.gatewayConflict,
                    "the server is left out: an older one has its hosts on \(listenerName)")
                return []
            }
            var chain: Chain
            if let routeName = server.routeName {
                chain = http(routeName: routeName, translatesGRPCWeb: false)
            } else {
                guard let target = tcpTarget(server) else { return [] }
                chain = Chain()
                chain.filters = [target.filter(logs: logs)]
            }
            serverNames.formUnion(key)
            chain.filterChainMatch.serverNames = names
            chain.filterChainMatch.transportProtocol = "tls"
            if let socket = ServerTLS.gateway(
                settings, mesh, isHTTP: server.isTerminatedHTTPS)
            {
                chain.transportSocket = socket
                chain.transportSocketConnectTimeout = Google_Protobuf_Duration(seconds: 15)
            }
            return [chain]
        }

        /// One chain per `tls` match of the VirtualServices bound to the server.
        private mutating func passthrough(_ server: GatewayServer) -> [Chain] {
            var result: [Chain] = []
            for virtualService in context.scope.virtualServices(gateway: server.gatewayName)
            where !server.hosts(sharedWith: virtualService).isEmpty {
                for rule in virtualService.spec.tls {
                    for match in rule.match
                    where applies(match.port, match.gateways, match.sourceLabels, match.sourceNamespace, server) {
                        let names = TCPChains.serverNames(match.sniHosts)
                        let key = names.isEmpty ? ["*"] : names
                        guard serverNames.isDisjoint(with: key),
                            let target = TCPTarget.make(
                                rule.route, listenerPort: server.server.port.number,
                                virtualService: virtualService.object.key.name, context: context)
                        else { continue }
                        serverNames.formUnion(key)
                        var chain = Chain()
                        if !names.isEmpty { chain.filterChainMatch.serverNames = names }
                        chain.filterChainMatch.transportProtocol = "tls"
                        chain.filters = [target.filter(logs: logs)]
                        result.append(chain)
                        sources.insert(virtualService.object.key)
                        sources.formUnion(target.sources)
                    }
                }
            }
            return result
        }

        /// One chain per service port and subset that the server's hosts take in.
        private mutating func bySNI(_ server: GatewayServer) -> [Chain] {
            SNIRouting.chains(server, logs: logs, context).compactMap { chain in
                guard serverNames.isDisjoint(with: chain.message.filterChainMatch.serverNames) else { return nil }
                serverNames.formUnion(chain.message.filterChainMatch.serverNames)
                sources.formUnion(chain.sources)
                return chain.message
            }
        }

        /// The first `tcp` rule of the VirtualServices bound to the server.
        private mutating func tcpTarget(_ server: GatewayServer) -> TCPTarget? {
            for virtualService in context.scope.virtualServices(gateway: server.gatewayName)
            where !server.hosts(sharedWith: virtualService).isEmpty {
                for rule in virtualService.spec.tcp {
                    let matches =
                        rule.match.isEmpty
                        || rule.match.contains {
                            applies($0.port, $0.gateways, $0.sourceLabels, $0.sourceNamespace, server)
                        }
                    guard matches,
                        let target = TCPTarget.make(
                            rule.route, listenerPort: server.server.port.number,
                            virtualService: virtualService.object.key.name, context: context)
                    else { continue }
                    sources.insert(virtualService.object.key)
                    sources.formUnion(target.sources)
                    return target
                }
            }
            return nil
        }

        private func applies(
            _ port: UInt32?, _ gateways: [String], _ labels: [String: String], _ namespace: String,
            _ server: GatewayServer
        ) -> Bool {
            (port == nil || port == server.server.port.number)
                && (gateways.isEmpty || gateways.contains(server.gatewayName))
                && LabelSelector(labels).selects(context.proxyClass.labels)
                && (namespace.isEmpty || namespace == context.proxyClass.namespace)
        }

        private mutating func report(_ server: GatewayServer, _ code: String, _ message: String) {
            let field = "spec.servers[\(server.index)].tls.mode"
            findings.append(
                Finding(
                    .warning, code, message,
                    at: server.gateway.origin.location(of: field), object: server.gateway.key.description,
                    field: field))
        }
    }
}

extension Envoy_Config_Listener_V3_Filter {
    fileprivate var isConnectionManager: Bool { name == "envoy.filters.network.http_connection_manager" }
}
