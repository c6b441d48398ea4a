internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// What a workload serves, as one comparable value: workloads with equal plans share their inbound resources.
struct InboundPlan: Hashable, Sendable {
    enum Target: Hashable, Sendable {
        /// The address the client asked for.
        case originalDestination
        case address(String, UInt32)
        case pipe(String)
    }

    struct Port: Hashable, Sendable {
        /// The workload's port, which names the chain and the cluster.
        let number: UInt32
        let servicePort: UInt32
        let host: String
        let serviceName: NamespacedName?
        let spoken: PortProtocol
        let mode: InboundPolicy.MutualTLS
        let target: Target
        let pool: ConnectionPoolSettings?
        /// Really bound here; nil: a chain of `virtualInbound`.
        let bind: BindAddress?
        /// A server certificate of the Sidecar's own (`ingress[].tls`).
        let tls: ServerTLSSettings?
        let sources: [ObjectKey]
    }

    struct PassthroughPort: Hashable, Sendable {
        let number: UInt32
        let mode: InboundPolicy.MutualTLS
    }

    let interception: Proxy.Interception
    let acceptsHTTP10: Bool
    let isIPv6Only: Bool
    let passthroughMode: InboundPolicy.MutualTLS
    /// Ports with a mode of their own and no service, ascending.
    let passthroughPorts: [PassthroughPort]
    /// Ascending by number.
    let ports: [Port]
    let authorization: Authorization
    let tokens: RequestTokens

    /// - Parameter keySets: keys of issuers of tokens that have been fetched.
    static func make(
        _ scope: InboundScope, for proxy: Proxy, _ context: CompileContext, keySets: KeySets = KeySets()
    ) -> InboundPlan {
        let mesh = context.snapshot.meshConfig
        let families = context.proxyClass
        let isCaptured = proxy.interception != .none
        // gRPC programs take certificates from their own providers, which are not told of.
        let hasIdentity = proxy.hasIdentity && proxy.generator == .envoy
        func mode(_ port: UInt32) -> InboundPolicy.MutualTLS {
            InboundPolicy.mode(wanted: scope.peers.mode(ofPort: port), hasIdentity: hasIdentity)
        }
        var ports: [Port] = []
        var taken: Set<UInt32> = [mesh.proxyInboundListenPort]
        if scope.ingress.isEmpty {
            // Without interception a listener would fight with the application for its own port.
            for inbound in isCaptured ? scope.services : [] where inbound.port.protocol != .udp {
                guard taken.insert(inbound.targetPort).inserted else { continue }
                let isLocal = mesh.inboundTrafficPolicy == .localhost
                ports.append(
                    Port(
                        number: inbound.targetPort, servicePort: inbound.port.number, host: inbound.service.host.text,
                        serviceName: NamespacedName(namespace: inbound.service.namespace, name: inbound.service.name),
                        spoken: inbound.port.protocol, mode: mode(inbound.targetPort),
                        target: isLocal ? .address(BindAddress.loopback, inbound.targetPort) : .originalDestination,
                        pool: scope.inboundConnectionPool ?? pool(inbound, context), bind: nil, tls: nil,
                        sources: sources([inbound], scope, context)))
            }
        }
        for ingress in scope.ingress {
            let bindsToPort =
                switch ingress.captureMode {
                case .default: !isCaptured
                case .iptables: false
                case .none: true
                }
            if bindsToPort == false, !isCaptured { continue }
            let number = ingress.port.number
            let service = scope.selecting.first { $0.targetPort == number } ?? scope.selecting.first
            let bind =
                bindsToPort
                ? BindAddress(bind: ingress.bind.isEmpty ? instanceAddress(proxy) : ingress.bind, port: number) : nil
            if bind == nil, !taken.insert(number).inserted { continue }
            ports.append(
                Port(
                    number: number, servicePort: service?.port.number ?? number,
                    host: service?.service.host.text ?? "", serviceName: nil,
                    spoken: PortProtocol(declared: ingress.port.protocol),
                    mode: mode(number),
                    target: target(ingress, isBound: bindsToPort, proxy),
                    pool: ingress.connectionPool ?? scope.inboundConnectionPool
                        ?? service.flatMap { pool($0, context) },
                    bind: bind, tls: ingress.tls, sources: sources(service.map { [$0] } ?? [], scope, context)))
        }
        let passthrough = scope.peers.ports.keys.sorted().filter { isCaptured && !taken.contains($0) }
        return InboundPlan(
            interception: proxy.interception, acceptsHTTP10: proxy.http10,
            isIPv6Only: families.hasIPv6 && !families.hasIPv4,
            passthroughMode: InboundPolicy.mode(wanted: scope.peers.mode, hasIdentity: hasIdentity),
            passthroughPorts: passthrough.map { PassthroughPort(number: $0, mode: mode($0)) },
            ports: ports.sorted { $0.number < $1.number },
            authorization: Authorization(scope.authorization, mesh),
            tokens: RequestTokens(scope.authentication, keySets))
    }

    /// The workload's own address, so that the application can have the same port on loopback. On one machine workloads
    /// may be told apart by loopback addresses, so these count too.
    private static func instanceAddress(_ proxy: Proxy) -> String {
        proxy.addresses.first { IPAddress($0).map { !$0.isUnspecified } ?? false } ?? BindAddress.wildcard
    }

    /// `defaultEndpoint`: loopback, the pod's own address, a Unix socket, or nothing: the same port.
    private static func target(_ ingress: Sidecar.Ingress, isBound: Bool, _ proxy: Proxy) -> Target {
        let text = ingress.defaultEndpoint
        if text.isEmpty {
            // A bound listener knows no original destination.
            return isBound ? .address(BindAddress.loopback, ingress.port.number) : .originalDestination
        }
        if text.hasPrefix("unix://") { return .pipe(String(text.dropFirst("unix://".count))) }
        guard let colon = text.lastIndex(of: ":"), let port = UInt32(text[text.index(after: colon)...]) else {
            return .originalDestination
        }
        let host = text[..<colon].filter { $0 != "[" && $0 != "]" }
        if let address = IPAddress(host), address.isUnspecified { return .address(instanceAddress(proxy), port) }
        return .address(host, port)
    }

    /// The DestinationRule of the service shapes the server's side too.
    private static func pool(_ inbound: InboundService, _ context: CompileContext) -> ConnectionPoolSettings? {
        let rule = context.scope.destinationRule(for: inbound.service)
        return TrafficPolicyMerge.effective(rule, subset: "", port: inbound.port.number).connectionPool
    }

    private static func sources(
        _ services: [InboundService], _ scope: InboundScope, _ context: CompileContext
    ) -> [ObjectKey] {
        var keys = Set(services.flatMap { $0.service.sources.map(\.key) })
        for inbound in services {
            keys.formUnion(context.scope.destinationRule(for: inbound.service)?.objects.map(\.key) ?? [])
        }
        if let sidecar = scope.sidecar { keys.insert(sidecar.key) }
        keys.formUnion(scope.peers.sources)
        keys.formUnion(scope.authorization.map(\.key))
        keys.formUnion(scope.authentication.map(\.key))
        return keys.sorted()
    }
}
