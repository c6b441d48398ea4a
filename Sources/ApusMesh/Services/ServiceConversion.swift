internal import ApusCore
internal import ApusModel

/// From one object to the services it declares (semantics 4.4, 4.13).
struct ServiceConversion {
    let domain: String
    let defaultExportTo: [String]

    static let exportToAnnotation = "networking.istio.io/exportTo"
    static let trafficDistributionAnnotation = "networking.istio.io/traffic-distribution"
    static let unsupportedAnnotations = [
        "alpha.istio.io/kubernetes-serviceaccounts", "alpha.istio.io/canonical-serviceaccounts",
    ]

    /// The hosts that an object claims: cheap, and enough to see which objects meet in one service.
    func hosts(of object: ConfigObject) -> [HostName] {
        switch object.spec {
        case .service:
            let name = object.key.name
            return [
                HostName(NameExpansion.serviceHost(name.name, namespace: name.namespace, domain: domain))
            ]
        case .serviceEntry(let entry):
            var seen: Set<HostName> = []
            return entry.hosts.map(HostName.init).filter { seen.insert($0).inserted }
        default:
            return []
        }
    }

    /// One service from the objects that declare it, oldest first; all are of one kind and agree on what
    /// `canMerge` asks.
    func service(host: HostName, sources: [ConfigObject], aliases: [HostName]) -> Service? {
        guard let first = sources.first else { return nil }
        switch first.spec {
        case .service(let spec): return kubernetes(spec, first, host: host, aliases: aliases)
        case .serviceEntry(let entry): return external(entry, sources, host: host, aliases: aliases)
        default: return nil
        }
    }

    // MARK: Kubernetes

    private func kubernetes(
        _ spec: KubernetesService, _ object: ConfigObject, host: HostName, aliases: [HostName]
    ) -> Service {
        let annotations = object.metadata.annotations
        let exportTo = annotations[Self.exportToAnnotation].map {
            $0.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        }
        let isAlias = spec.type == "ExternalName"
        let resolution: Service.Resolution =
            if isAlias { .alias(HostName(spec.externalName)) } else if spec.isHeadless { .passthrough } else {
                .clientSideLB
            }
        return Service(
            host: host,
            namespace: object.metadata.namespace,
            name: object.metadata.name,
            ports: Self.withoutShadowedUDP(spec.ports.map(Self.port)),
            addresses: isAlias || spec.isHeadless ? [] : Self.usable(spec.clusterIPs),
            resolution: resolution,
            isMeshExternal: false,
            isKubernetes: true,
            isHeadless: spec.isHeadless,
            exportTo: Visibility(exportTo ?? [], namespace: object.metadata.namespace, default: defaultExportTo),
            labels: object.metadata.labels,
            selector: LabelSelector(spec.selector),
            subjectAltNames: [],
            trafficDistribution: spec.trafficDistribution.isEmpty
                ? annotations[Self.trafficDistributionAnnotation] ?? "" : spec.trafficDistribution,
            internalTrafficLocal: spec.internalTrafficLocal,
            aliases: aliases,
            age: Self.age(of: object),
            sources: [object])
    }

    private static func port(_ port: KubernetesService.Port) -> Service.Port {
        var target: UInt32?
        if case .number(let number)? = port.targetPort { target = number }
        return Service.Port(
            name: port.name,
            number: port.port,
            protocol: PortProtocol(
                transport: port.transport, appProtocol: port.appProtocol, name: port.name, number: port.port),
            targetPort: target)
    }

    /// A UDP port beside a TCP port of the same number (DNS) would hide it wherever ports are found by number, and
    /// no L7 config is made for UDP.
    private static func withoutShadowedUDP(_ ports: [Service.Port]) -> [Service.Port] {
        let others = Set(ports.filter { $0.protocol != .udp }.map(\.number))
        return ports.filter { $0.protocol != .udp || !others.contains($0.number) }
    }

    // MARK: ServiceEntry

    private func external(
        _ entry: ServiceEntry, _ sources: [ConfigObject], host: HostName, aliases: [HostName]
    ) -> Service? {
        guard let first = sources.first else { return nil }
        var ports: [Service.Port] = []
        var numbers: Set<UInt32> = []
        var addresses: [String] = []
        var subjectAltNames: [String] = []
        var selector: [String: String] = [:]
        for source in sources {
            guard case .serviceEntry(let entry) = source.spec else { continue }
            for port in entry.ports where numbers.insert(port.number).inserted { ports.append(Self.port(port)) }
            for address in Self.usable(entry.addresses) where !addresses.contains(address) {
                addresses.append(address)
            }
            for name in entry.subjectAltNames where !subjectAltNames.contains(name) { subjectAltNames.append(name) }
            if selector.isEmpty { selector = entry.workloadSelector ?? [:] }
        }
        return Service(
            host: host,
            namespace: first.metadata.namespace,
            name: first.metadata.name,
            ports: ports,
            addresses: addresses,
            resolution: Self.resolution(entry.resolution),
            isMeshExternal: entry.location == .meshExternal,
            isKubernetes: false,
            isHeadless: false,
            exportTo: exportTo(entry, first),
            labels: first.metadata.labels,
            selector: LabelSelector(selector),
            subjectAltNames: subjectAltNames,
            trafficDistribution: first.metadata.annotations[Self.trafficDistributionAnnotation] ?? "",
            internalTrafficLocal: false,
            aliases: aliases,
            age: Self.age(of: first),
            sources: sources)
    }

    static func port(_ port: PortSpec) -> Service.Port {
        Service.Port(
            name: port.name, number: port.number, protocol: PortProtocol(declared: port.protocol),
            targetPort: port.targetPort)
    }

    private static func resolution(_ resolution: ServiceEntry.Resolution) -> Service.Resolution {
        switch resolution {
        case .none: .passthrough
        case .static: .clientSideLB
        case .dns: .dnsLB
        case .dnsRoundRobin: .dnsRoundRobin
        case .dynamicDNS: .dynamicDNS
        }
    }

    private func exportTo(_ entry: ServiceEntry, _ object: ConfigObject) -> Visibility {
        Visibility(entry.exportTo, namespace: object.metadata.namespace, default: defaultExportTo)
    }

    /// ServiceEntries of one host and namespace become one service only if clients would reach it in the same way.
    func canMerge(_ left: ConfigObject, _ right: ConfigObject) -> Bool {
        guard case .serviceEntry(let one) = left.spec, case .serviceEntry(let other) = right.spec else { return false }
        return one.resolution == other.resolution && one.location == other.location
            && exportTo(one, left) == exportTo(other, right)
    }

    // MARK: Both

    private static func age(of object: ConfigObject) -> Service.Age {
        Service.Age(creation: object.metadata.creationTimestamp ?? .min, name: object.key.name)
    }

    private static func usable(_ addresses: [String]) -> [String] {
        addresses.filter { !$0.isEmpty && $0 != "0.0.0.0" && $0 != "None" }
    }

    private static func trimmed(_ text: Substring) -> String {
        let head = text.drop { $0.isWhitespace }
        var end = head.endIndex
        while end > head.startIndex, head[head.index(before: end)].isWhitespace { end = head.index(before: end) }
        return String(head[..<end])
    }
}

extension Service {
    /// True if no client could tell the two apart. Endpoints are not part of a service, and neither is what its
    /// sources say about them.
    func hasSameContent(as other: Service) -> Bool {
        self === other
            || host == other.host && namespace == other.namespace && name == other.name && ports == other.ports
                && addresses == other.addresses && resolution == other.resolution
                && isMeshExternal == other.isMeshExternal && isKubernetes == other.isKubernetes
                && isHeadless == other.isHeadless && exportTo == other.exportTo && labels == other.labels
                && selector == other.selector && subjectAltNames == other.subjectAltNames
                && trafficDistribution == other.trafficDistribution
                && internalTrafficLocal == other.internalTrafficLocal && aliases == other.aliases && age == other.age
    }

    /// Oldest first; two hosts of one object by host.
    static func isOlder(_ left: Service, _ right: Service) -> Bool {
        left.age != right.age ? left.age < right.age : left.host.text < right.host.text
    }

    /// Of several services with one host the one that a client in `namespace` means: its own, then a Kubernetes one,
    /// then the oldest (semantics 4.6).
    static func isBetter(_ left: Service, than right: Service, for namespace: String) -> Bool {
        if (left.namespace == namespace) != (right.namespace == namespace) { return left.namespace == namespace }
        if left.isKubernetes != right.isKubernetes { return left.isKubernetes }
        return isOlder(left, right)
    }
}
