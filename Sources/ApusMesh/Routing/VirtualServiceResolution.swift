internal import ApusCore
internal import ApusModel

/// Makes a VirtualService ready for compiling (semantics 4.0, 4.1): full names everywhere, delegates merged in.
struct VirtualServiceResolution {
    let domain: String
    let defaultExportTo: [String]
    let table: ObjectTable

    /// Match blocks of one root rule times those of one delegate's rule: two small files must not make a huge one.
    static let maximumBlocks = 4_096

    struct Result: Sendable {
        let resolved: ResolvedVirtualService
        /// What each delegating rule's reference led to.
        let delegates: [ConfigObject?]
        let findings: [MeshFinding]
    }

    /// The objects that the delegating rules of `spec` name, in rule order.
    func delegates(of spec: VirtualService, namespace: String) -> [ConfigObject?] {
        spec.http.compactMap { $0.delegate.map { target(of: $0, namespace: namespace) } }
    }

    private func target(of delegate: Delegate, namespace: String) -> ConfigObject? {
        table[.virtualService, Self.name(of: delegate, namespace: namespace)]
    }

    private static func name(of delegate: Delegate, namespace: String) -> NamespacedName {
        NamespacedName(
            namespace: delegate.namespace.isEmpty ? namespace : delegate.namespace, name: delegate.name)
    }

    /// - Parameter object: a VirtualService with hosts.
    func resolve(_ object: ConfigObject, _ spec: VirtualService) -> Result {
        let namespace = object.metadata.namespace
        let names = NameExpansion(namespace: namespace, domain: domain)
        var result = spec.expanded(names)
        var rules: [HTTPRule] = []
        var sources: [ResolvedVirtualService.RuleSource] = []
        var findings: [MeshFinding] = []
        for (index, rule) in result.http.enumerated() {
            guard let delegate = rule.delegate else {
                rules.append(rule)
                sources.append(.init(object: object.key, index: index))
                continue
            }
            merge(
                rule, delegate, root: object, index: index, rules: &rules, sources: &sources, findings: &findings)
        }
        result.http = rules
        return Result(
            resolved: ResolvedVirtualService(
                object: object, spec: result, hosts: result.hosts.map(HostName.init),
                exportTo: Visibility(spec.exportTo, namespace: namespace, default: defaultExportTo),
                httpSources: sources),
            delegates: delegates(of: spec, namespace: namespace),
            findings: findings)
    }

    private func merge(
        _ rule: HTTPRule, _ delegate: Delegate, root: ConfigObject, index: Int, rules: inout [HTTPRule],
        sources: inout [ResolvedVirtualService.RuleSource], findings: inout [MeshFinding]
    ) {
        let namespace = root.metadata.namespace
        let name = Self.name(of: delegate, namespace: namespace)
        let field = "spec.http[\(index)].delegate"
        func refuse(_ reason: String) {
            findings.append(
                MeshFinding(
                    MeshFindingCode.unusableDelegate, "delegate \(name) \(reason), this rule is left out",
                    in: root, field: field))
        }
        // The folder's own analysis tells of a delegate that does not exist.
        guard let target = table[.virtualService, name], case .virtualService(let spec) = target.spec else { return }
        guard spec.isDelegate else { return refuse("has hosts of its own") }
        let exportTo = Visibility(spec.exportTo, namespace: name.namespace, default: defaultExportTo)
        guard exportTo.includes(namespace) else { return refuse("is not exported to namespace \(namespace)") }

        let expanded = spec.expanded(NameExpansion(namespace: name.namespace, domain: domain))
        for (position, delegated) in expanded.http.enumerated() {
            let place = "spec.http[\(position)]"
            if delegated.delegate != nil {
                findings.append(
                    MeshFinding(
                        MeshFindingCode.unusableDelegate,
                        "a delegate cannot delegate further, this rule is left out of \(root.key)", in: target,
                        field: "\(place).delegate"))
                continue
            }
            guard rule.match.count * delegated.match.count <= Self.maximumBlocks else {
                findings.append(
                    MeshFinding(
                        MeshFindingCode.droppedDelegateRule,
                        "together with spec.http[\(index)] of \(root.key) this rule has more than "
                            + "\(Self.maximumBlocks) match blocks, and is left out of it",
                        in: target, field: "\(place).match"))
                continue
            }
            guard let merged = HTTPRule(root: rule, delegate: delegated) else {
                findings.append(
                    MeshFinding(
                        MeshFindingCode.droppedDelegateRule,
                        "this rule contradicts spec.http[\(index)].match of \(root.key) and is left out of it",
                        hint: "the delegate's match must lie within the root's", in: target,
                        field: "\(place).match"))
                continue
            }
            rules.append(merged)
            sources.append(.init(object: target.key, index: position))
        }
    }
}

extension VirtualService {
    /// Hosts, destinations and gateways with full names; no gateway means `mesh`.
    func expanded(_ names: NameExpansion) -> VirtualService {
        var result = self
        result.hosts = hosts.map { HostName(names.host($0)).text }
        result.gateways = gateways.isEmpty ? ["mesh"] : gateways.map(names.gateway)
        for index in result.http.indices { result.http[index].expand(names) }
        for rule in result.tls.indices {
            for index in result.tls[rule].match.indices {
                result.tls[rule].match[index].gateways = result.tls[rule].match[index].gateways.map(names.gateway)
            }
            result.tls[rule].route.expand(names)
        }
        for rule in result.tcp.indices {
            for index in result.tcp[rule].match.indices {
                result.tcp[rule].match[index].gateways = result.tcp[rule].match[index].gateways.map(names.gateway)
            }
            result.tcp[rule].route.expand(names)
        }
        return result
    }

    /// Every destination of every rule, mirrors included.
    var destinations: [Destination] {
        var result: [Destination] = []
        for rule in http {
            result += rule.route.map(\.destination)
            if let mirror = rule.mirror { result.append(mirror) }
            result += rule.mirrors.map(\.destination)
        }
        for rule in tls { result += rule.route.map(\.destination) }
        for rule in tcp { result += rule.route.map(\.destination) }
        return result
    }
}

extension HTTPRule {
    fileprivate mutating func expand(_ names: NameExpansion) {
        for index in match.indices { match[index].gateways = match[index].gateways.map(names.gateway) }
        for index in route.indices { route[index].destination = names.destination(route[index].destination) }
        mirror = mirror.map(names.destination)
        for index in mirrors.indices { mirrors[index].destination = names.destination(mirrors[index].destination) }
    }
}

extension [RouteDestination] {
    fileprivate mutating func expand(_ names: NameExpansion) {
        for index in indices { self[index].destination = names.destination(self[index].destination) }
    }
}
