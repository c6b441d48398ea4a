internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// One server of one Gateway, bound to one port of a router.
struct GatewayServer {
    let gateway: ConfigObject
    let server: Server
    /// Position in `spec.servers`, for findings.
    let index: Int
    /// The port really bound.
    let port: UInt32

    var gatewayName: String { gateway.key.name.description }

    /// A server that ends TLS, or passes it through.
    var isTLS: Bool { server.tls != nil && !PortProtocol(declared: server.port.protocol).isHTTP }

    var spoken: PortProtocol { PortProtocol(declared: server.port.protocol) }

    var tlsMode: ServerTLSSettings.Mode { server.tls?.mode ?? .passthrough }

    /// TLS ends here, and HTTP is read from it.
    var isTerminatedHTTPS: Bool {
        isTLS && spoken == .https && tlsMode != .passthrough && tlsMode != .autoPassthrough
    }

    var redirectsToHTTPS: Bool { !isTLS && server.tls?.httpsRedirect == true }

    var routeName: String? {
        if isTerminatedHTTPS {
            return RouteName.gatewayHTTPS(
                port: server.port.number, portName: server.port.name, gateway: gateway.key.name, bind: server.bind)
        }
        return spoken.isHTTP ? RouteName.gatewayHTTP(port: port, bind: server.bind) : nil
    }

    /// The host names that VirtualServices of `namespace` may bind here (`ns/host`, `./host`, `*/host`, `host`).
    func hosts(for namespace: String) -> [HostName] {
        server.hosts.compactMap { text in
            let (owner, host) = Self.split(text)
            switch owner {
            case nil, "*": return HostName(host)
            case ".": return gateway.metadata.namespace == namespace ? HostName(host) : nil
            case let other?: return other == namespace ? HostName(host) : nil
            }
        }
    }

    /// All host names, whoever may bind them.
    var allHosts: [HostName] { server.hosts.map { HostName(Self.split($0).host) } }

    private static func split(_ text: String) -> (namespace: String?, host: String) {
        guard let slash = text.firstIndex(of: "/") else { return (nil, text) }
        return (String(text[..<slash]), String(text[text.index(after: slash)...]))
    }

    /// The hosts that server and VirtualService both mean, each the more specific of the two.
    func hosts(sharedWith virtualService: ResolvedVirtualService) -> [HostName] {
        let mine = hosts(for: virtualService.object.metadata.namespace)
        var result: Set<HostName> = []
        for host in virtualService.hosts {
            for server in mine {
                if host.isSubset(of: server) {
                    result.insert(host)
                } else if server.isSubset(of: host) {
                    result.insert(server)
                }
            }
        }
        return result.sorted()
    }
}

extension ServerTLSSettings {
    /// Why a router cannot have the server: a chain that waits for a certificate holds up its whole listener.
    fileprivate func unserved(_ context: CompileContext) -> String? {
        if context.proxyClass.hasIdentity { return nil }
        switch mode {
        case .passthrough, .autoPassthrough: return nil
        case .istioMutual:
            return "the server is left out: ISTIO_MUTUAL needs a certificate, and a proxy without an identity has none"
        case .simple, .mutual, .optionalMutual:
            return usesCredential
                ? "the server is left out: its Secret is not given to a proxy without an identity" : nil
        }
    }
}

/// All servers of all Gateways that select a router, sorted to their listeners (semantics 3.10).
struct MergedGateway {
    enum Kind { case http, tls, tcp }

    struct Listener {
        let bind: BindAddress
        let kind: Kind
        var servers: [GatewayServer]
    }

    /// Ascending by place.
    private(set) var listeners: [Listener] = []
    private(set) var findings: [Finding] = []

    init(_ context: CompileContext) {
        let isIPv6Only = context.proxyClass.hasIPv6 && !context.proxyClass.hasIPv4
        let wildcard = isIPv6Only ? "::" : BindAddress.wildcard
        var byPlace: [BindAddress: Listener] = [:]
        var tlsHosts: [BindAddress: Set<HostName>] = [:]
        for gateway in context.snapshot.gateways(of: context.proxyClass) {
            guard case .gateway(let spec) = gateway.spec else { continue }
            for (index, server) in spec.servers.enumerated() {
                for port in context.proxyClass.targetPorts[server.port.number] ?? [server.port.number] {
                    let candidate = GatewayServer(gateway: gateway, server: server, index: index, port: port)
                    let bind = BindAddress(bind: server.bind.isEmpty ? wildcard : server.bind, port: port)
                    if context.proxyClass.isUnprivileged, port < 1024, case .socket = bind {
                        report(
                            candidate, CompilerFinding.gatewayUnsupported,
                            "port \(port) is left out: the gateway may not bind ports below 1024")
                        continue
                    }
                    if let reason = candidate.server.tls?.unserved(context) {
                        report(candidate, CompilerFinding.gatewayUnsupported, reason)
                        continue
                    }
                    let kind: Kind = candidate.isTLS ? .tls : candidate.spoken.isHTTP ? .http : .tcp
                    if kind == .tls {
                        let hosts = Set(candidate.allHosts)
                        let taken = tlsHosts[bind, default: []]
                        if let host = hosts.intersection(taken).min() {
                            report(
                                candidate, CompilerFinding.gatewayConflict,
                                "the server is left out: an older one has host \(host) on \(bind.listenerName)")
                            continue
                        }
                        tlsHosts[bind] = taken.union(hosts)
                    }
                    guard var listener = byPlace[bind] else {
                        byPlace[bind] = Listener(bind: bind, kind: kind, servers: [candidate])
                        continue
                    }
                    // Plain HTTP servers share their routes, TLS servers are told apart by SNI, plain TCP by nothing.
                    guard listener.kind == kind, kind != .tcp else {
                        report(
                            candidate, CompilerFinding.gatewayConflict,
                            "the server is left out: an older one of another kind has \(bind.listenerName)")
                        continue
                    }
                    listener.servers.append(candidate)
                    byPlace[bind] = listener
                }
            }
        }
        listeners = byPlace.keys.sorted().compactMap { byPlace[$0] }
    }

    /// Servers by the route configuration that their connection managers ask for.
    var serversByRoute: [String: [GatewayServer]] {
        var result: [String: [GatewayServer]] = [:]
        for server in listeners.flatMap(\.servers) {
            if let name = server.routeName { result[name, default: []].append(server) }
        }
        return result
    }

    private mutating func report(_ server: GatewayServer, _ code: String, _ message: String) {
        let field = "spec.servers[\(server.index)]"
        findings.append(
            Finding(
                .warning, code, message, at: server.gateway.origin.location(of: field),
                object: server.gateway.key.description, field: field))
    }
}
