internal import ApusCore
internal import ApusModel

/// What is read and checked but has no effect in this version, each with a warning.
///
/// Tables where one value decides, and one row per field in `Notes` where more of the object has to be looked at. A
/// feature that becomes effective loses its row here and nothing else.
enum NotEnforced {
    /// Kinds without effect, and what that means for their author.
    static let kinds: [(kind: Kind, consequence: String)] = [
        (.requestAuthentication, "in gRPC programs tokens are NOT being checked by it"),
        (
            .authorizationPolicy,
            """
            in gRPC programs requests are NOT being restricted by it; CUSTOM denies
            """
        ),
        (.envoyFilter, "its patches are not applied"),
        (.telemetry, "metrics, traces and access logs are not changed by it"),
        (.proxyConfig, "proxies are not configured by it"),
        (.workloadGroup, "workloads are not registered from it"),
    ]

    /// A proxy balances by zone only if it knows how its own fellows are spread, which nothing tells it yet.
    static let zoneAware = "the client's region comes first, but zones in it get requests by their endpoints alone"

    /// Protocols that have a filter of their own in Envoy, which is not used.
    static let protocols = ["mongo", "mysql", "redis"]

    /// Settings of the mesh, the values that would ask for something, and what is missing.
    static let meshSettings: [(name: StaticString, asks: @Sendable (MeshConfig) -> Bool, consequence: String)] = [
        ("enableTracing", { $0.enableTracing }, "no spans are sent"),
        ("inboundClusterStatName", { !$0.inboundClusterStatName.isEmpty }, "inbound clusters keep their own names"),
        ("enablePrometheusMerge", { $0.enablePrometheusMerge }, "metrics of applications are not merged"),
        (
            "verifyCertificateAtClient", { $0.verifyCertificateAtClient == false },
            "server certificates are verified all the same"
        ),
        ("ingressService", { !$0.ingressService.isEmpty }, "Kubernetes Ingress is not supported"),
        ("ingressSelector", { !$0.ingressSelector.isEmpty }, "Kubernetes Ingress is not supported"),
        ("zoneAwareLbSetting", { $0.zoneAwareLbSetting.map { $0.enabled != false } == true }, NotEnforced.zoneAware),
    ]

    /// Annotations of Istio that mean something here; those that other checks or Istio itself care for are among them.
    static let effectiveAnnotations: [(name: String, kinds: [Kind])] = [
        ("networking.istio.io/exportTo", [.service]),
        ("networking.istio.io/traffic-distribution", [.service, .serviceEntry]),
        // Has findings of its own.
        ("istio.io/dry-run", Kind.allCases),
        ("alpha.istio.io/kubernetes-serviceaccounts", [.service]),
        ("alpha.istio.io/canonical-serviceaccounts", [.service]),
        // A record of what the injector did, not a wish.
        ("sidecar.istio.io/status", Kind.allCases),
    ]

    static func findings(_ object: ConfigObject) -> [Finding] {
        var notes = Notes(object: object)
        if let row = kinds.first(where: { $0.kind == object.key.kind }) {
            notes.warn("kind", "\(row.kind.rawValue)", row.consequence)
        }
        notes.annotations(object.metadata.annotations, at: "metadata.annotations")
        switch object.spec {
        case .gateway(let spec): notes.gateway(spec)
        case .destinationRule(let spec): notes.destinationRule(spec)
        case .virtualService(let spec): notes.virtualService(spec)
        case .serviceEntry(let spec): notes.serviceEntry(spec)
        case .workloadEntry(let spec): notes.network(spec, at: "spec")
        case .workloadGroup(let spec): notes.workloadGroup(spec)
        case .sidecar(let spec): notes.sidecar(spec)
        case .authorizationPolicy(let spec): notes.targets(spec.targetRefs, "requests are NOT being restricted by it")
        case .requestAuthentication(let spec): notes.targets(spec.targetRefs, "tokens are NOT being checked by it")
        case .service(let spec): notes.service(spec)
        case .workloadController(let spec):
            let template = object.key.kind == .cronJob ? "spec.jobTemplate.spec.template" : "spec.template"
            notes.annotations(spec.templateAnnotations, at: "\(template).metadata.annotations")
        default: break
        }
        return notes.findings
    }
}

/// The findings about one object as they come together. Paths are made only when there is something to say.
private struct Notes {
    let object: ConfigObject
    private(set) var findings: [Finding] = []

    init(object: ConfigObject) { self.object = object }

    mutating func warn(_ path: String, _ what: String, _ consequence: String) {
        add(.warning, path, "\(what) is understood but not yet enforced: \(consequence)")
    }

    private mutating func add(_ severity: Severity, _ path: String, _ message: String) {
        findings.append(
            Finding(
                severity, FindingCode.notEnforced, message, at: object.origin.location(of: path),
                object: object.key.description, field: path))
    }

    // MARK: Shared

    mutating func annotations(_ annotations: [String: String], at path: String) {
        for name in annotations.keys.sorted() {
            let domain = name.prefix { $0 != "/" }
            guard domain.utf8.count < name.utf8.count, domain == "istio.io" || domain.hasSuffix(".istio.io"),
                !NotEnforced.effectiveAnnotations.contains(where: {
                    $0.name == name && $0.kinds.contains(object.key.kind)
                })
            else { continue }
            warn("\(path)[\"\(name)\"]", "the annotation \(name)", "it has no effect here")
        }
    }

    private mutating func port(_ declared: String, at path: @autoclosure () -> String) {
        let name = declared.lowercased()
        guard NotEnforced.protocols.contains(name) else { return }
        add(.info, path(), "\(name) is treated as TCP: its messages are not looked into")
    }

    mutating func network(_ entry: WorkloadEntry, at path: String) {
        if entry.network.isEmpty { return }
        warn("\(path).network", "the network \(entry.network)", "its endpoints are called directly, without a gateway")
    }

    /// What a policy may be attached to, waypoints and Gateways of the Gateway API, is not there.
    mutating func targets(_ targets: [PolicyTargetReference], _ consequence: String) {
        if !targets.isEmpty { warn("spec.targetRefs", "targetRefs", consequence) }
    }

    // MARK: Kinds

    mutating func gateway(_ spec: Gateway) {
        for (index, server) in spec.servers.enumerated() {
            let path = "spec.servers[\(index)]"
            port(server.port.protocol, at: "\(path).port.protocol")
            guard let tls = server.tls else { continue }
            revocations(tls.caCrl, credential: tls.credentialName, "\(path).tls")
        }
    }

    /// With a Secret by name, what it holds replaces the file.
    private mutating func revocations(_ file: String, credential: String, _ path: String) {
        guard !file.isEmpty, !credential.isEmpty else { return }
        warn("\(path).caCrl", "caCrl", "with credentialName the file is not read")
    }

    mutating func destinationRule(_ spec: DestinationRule) {
        let isForAll = spec.workloadSelector?.isEmpty ?? true
        policy(spec.trafficPolicy, at: "spec.trafficPolicy", isForAll: isForAll)
        for (index, subset) in spec.subsets.enumerated() where subset.trafficPolicy != nil {
            policy(subset.trafficPolicy, at: "spec.subsets[\(index)].trafficPolicy", isForAll: isForAll)
        }
    }

    private mutating func policy(_ policy: TrafficPolicy?, at path: String, isForAll: Bool) {
        guard let policy else { return }
        blocks(policy.loadBalancer, policy.tls, at: path, isForAll: isForAll)
        for (index, entry) in policy.portLevelSettings.enumerated() {
            blocks(entry.loadBalancer, entry.tls, at: "\(path).portLevelSettings[\(index)]", isForAll: isForAll)
        }
    }

    private mutating func blocks(
        _ loadBalancer: LoadBalancerSettings?, _ tls: ClientTLSSettings?, at path: String, isForAll: Bool
    ) {
        if let zoneAware = loadBalancer?.zoneAwareLb, zoneAware.enabled != false {
            warn("\(path).loadBalancer.zoneAwareLbSetting", "zoneAwareLbSetting", NotEnforced.zoneAware)
        }
        guard let tls else { return }
        if !tls.credentialName.isEmpty, isForAll {
            add(
                .info, "\(path).tls.credentialName",
                "only gateways read the Secret: sidecars do for a rule with a workloadSelector")
        }
        revocations(tls.caCrl, credential: tls.credentialName, "\(path).tls")
    }

    mutating func virtualService(_ spec: VirtualService) {
        /// Only sidecars look at addresses; a gateway has its own.
        func concernsGateway(_ gateways: [String]) -> Bool {
            (gateways.isEmpty ? spec.gateways : gateways).contains { $0 != "mesh" }
        }
        let consequence = "a Gateway's server takes connections to any address"
        for (index, rule) in spec.tls.enumerated() {
            for (number, match) in rule.match.enumerated()
            where !match.destinationSubnets.isEmpty && concernsGateway(match.gateways) {
                warn("spec.tls[\(index)].match[\(number)].destinationSubnets", "destinationSubnets", consequence)
            }
        }
        for (index, rule) in spec.tcp.enumerated() {
            for (number, match) in rule.match.enumerated() {
                if !match.destinationSubnets.isEmpty, concernsGateway(match.gateways) {
                    warn("spec.tcp[\(index)].match[\(number)].destinationSubnets", "destinationSubnets", consequence)
                }
                if !match.sourceSubnet.isEmpty {
                    warn(
                        "spec.tcp[\(index)].match[\(number)].sourceSubnet", "sourceSubnet",
                        "clients of every address match")
                }
            }
        }
    }

    mutating func serviceEntry(_ spec: ServiceEntry) {
        for (index, port) in spec.ports.enumerated() {
            self.port(port.protocol, at: "spec.ports[\(index)].protocol")
        }
        for (index, endpoint) in spec.endpoints.enumerated() where !endpoint.network.isEmpty {
            network(endpoint, at: "spec.endpoints[\(index)]")
        }
    }

    mutating func workloadGroup(_ spec: WorkloadGroup) {
        annotations(spec.annotations, at: "spec.metadata.annotations")
        network(spec.template, at: "spec.template")
        if spec.probe != nil { warn("spec.probe", "probe", "the workloads' health is not checked") }
    }

    mutating func sidecar(_ spec: Sidecar) {
        for (index, egress) in spec.egress.enumerated() {
            if let declared = egress.port?.protocol { port(declared, at: "spec.egress[\(index)].port.protocol") }
        }
        for (index, ingress) in spec.ingress.enumerated() {
            port(ingress.port.protocol, at: "spec.ingress[\(index)].port.protocol")
            if ingress.tls != nil {
                warn("spec.ingress[\(index)].tls", "tls", "the port takes connections without it")
            }
        }
    }

    mutating func service(_ spec: KubernetesService) {
        for (index, port) in spec.ports.enumerated() where port.transport == "TCP" {
            if let declared = port.appProtocol {
                self.port(declared, at: "spec.ports[\(index)].appProtocol")
            } else {
                self.port(String(port.name.prefix { $0 != "-" }), at: "spec.ports[\(index)].name")
            }
        }
    }
}
