internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel

/// One service port and subset: what one outbound cluster leads to, and the policy for it.
struct ClusterTarget {
    let service: Service
    let port: Service.Port
    /// Empty: all endpoints.
    let subset: String
    let rule: ResolvedDestinationRule?
    let policy: EffectivePolicy

    init(service: Service, port: Service.Port, subset: String, rule: ResolvedDestinationRule?) {
        self.service = service
        self.port = port
        self.subset = subset
        self.rule = rule
        var policy = TrafficPolicyMerge.effective(rule, subset: subset, port: port.number)
        // Names that the service's own entry gives stand in for those that the rule does not (semantics 4.4).
        if let tls = policy.tls, tls.subjectAltNames.isEmpty { policy.tls?.subjectAltNames = service.subjectAltNames }
        self.policy = policy
    }

    var name: String { ClusterName.outbound(port: port.number, subset: subset, host: service.host) }

    /// The name that a client of the mesh's mutual TLS shows a gateway, and of the gateway's cluster for it.
    var serverName: String { ClusterName.sni(port: port.number, subset: subset, host: service.host) }

    /// Labels that an endpoint must have; a subset without labels takes all endpoints.
    var labels: LabelSelector {
        LabelSelector(subset.isEmpty ? [:] : rule?.subsets.first { $0.name == subset }?.labels ?? [:])
    }

    /// How the cluster finds its endpoints; nil for services that have no cluster of their own.
    func discovery(_ context: CompileContext) -> XDS.Cluster.DiscoveryType? {
        switch service.resolution {
        case .clientSideLB: return isPassthroughLB(context) ? .originalDst : .eds
        case .dnsLB: return isPassthroughLB(context) ? .originalDst : .strictDns
        case .dnsRoundRobin: return isPassthroughLB(context) ? .originalDst : .logicalDns
        // A gateway has no original destination, and a gRPC client no connection that was intercepted.
        case .passthrough: return context.isRouter || context.isProxyless ? .eds : .originalDst
        // A type of its own (`DynamicForwardProxy`), where there is one.
        case .dynamicDNS: return nil
        case .alias: return nil
        }
    }

    /// Whether the endpoints decide about mutual TLS (semantics 3.8): no rule does, the service is the mesh's, and its
    /// namespace has not switched it off. A cluster that goes where the client meant to go knows no endpoints.
    func usesAutomaticTLS(_ context: CompileContext) -> Bool {
        context.proxyClass.hasIdentity && !context.isProxyless && context.snapshot.meshConfig.enableAutoMtls
            && policy.tls == nil && !service.isMeshExternal && discovery(context).map { $0 != .originalDst } ?? false
            && context.snapshot.peerAuthentications.mode(namespace: service.namespace) != .disable
    }

    /// Whether an endpoint is told to take the mesh's mutual TLS. A rule with another kind of TLS, or with none, is heard.
    func takesMutualTLS(_ endpoint: Endpoint, _ context: CompileContext) -> Bool {
        context.proxyClass.hasIdentity && endpoint.acceptsMutualTLS
            && (policy.tls == nil || policy.tls?.mode == .istioMutual)
            && context.snapshot.peerAuthentications.takesMutualTLS(endpoint)
    }

    private func isPassthroughLB(_ context: CompileContext) -> Bool {
        policy.loadBalancer?.simple == .passthrough && !context.isProxyless
    }
}

/// `alt_stat_name`: the trailing semicolon ends the name where statistics are parsed.
enum ClusterStatName {
    static func outbound(_ target: ClusterTarget, _ mesh: MeshConfig) -> String {
        let pattern = mesh.outboundClusterStatName
        guard !pattern.isEmpty else { return target.name + ";" }
        let short =
            target.service.isKubernetes
            ? "\(target.service.name).\(target.service.namespace)" : target.service.host.text
        let values = [
            "SERVICE": short, "SERVICE_FQDN": target.service.host.text, "SERVICE_PORT": String(target.port.number),
            "SERVICE_PORT_NAME": target.port.name, "SUBSET_NAME": target.subset,
            "TARGET_PORT": target.port.targetPort.map(String.init) ?? "",
        ]
        return expand(pattern, values) + ";"
    }

    /// Replaces `%NAME%`; what is not a known name stays as written.
    static func expand(_ pattern: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = pattern[...]
        while let start = rest.firstIndex(of: "%") {
            result += rest[..<start]
            let inner = rest[rest.index(after: start)...]
            guard let end = inner.firstIndex(of: "%"), let value = values[String(inner[..<end])] else {
                result.append("%")
                rest = inner
                continue
            }
            result += value
            rest = inner[inner.index(after: end)...]
        }
        return result + rest
    }
}
