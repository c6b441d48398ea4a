internal import ApusCore
internal import ApusModel

/// Computes the endpoints of one service from everything that can contribute (semantics 4.4, 4.5, 4.13).
///
/// For a Kubernetes Service these are its EndpointSlices; without one its Endpoints object; without that the pods that
/// its selector matches, because a folder of manifests has no controller that would write slices. WorkloadEntries that
/// the selector matches always join; for one address a slice or pod stands before a WorkloadEntry.
struct EndpointBuilder {
    let table: ObjectTable
    let workloads: WorkloadIndex
    let maker: WorkloadMaker
    /// Names of the EndpointSlices of a service.
    let slices: (NamespacedName) -> [NamespacedName]

    struct Result {
        var set: EndpointSet
        var findings: [MeshFinding]
        /// Pods that slices name, whether they exist or not.
        var podReferences: Set<NamespacedName>
    }

    /// - Parameter members: workloads that a selector of the service may select.
    func endpoints(of service: Service, members: [ObjectKey]) -> Result {
        var collector = Collector()
        for source in service.sources {
            switch source.spec {
            case .service(let spec):
                addKubernetes(spec, service, source, members: members, to: &collector)
            case .serviceEntry(let entry):
                addExternal(entry, service, source, members: members, to: &collector)
            default:
                break
            }
        }
        return Result(
            set: collector.finish(), findings: collector.findings, podReferences: collector.podReferences)
    }

    /// Endpoints by port; the first one that claims an address and port stands.
    private struct Collector {
        private struct Place: Hashable {
            let servicePort: UInt32
            let address: String
            let port: UInt32
        }

        private var byPort: [UInt32: [Endpoint]] = [:]
        private var taken: Set<Place> = []
        private(set) var podReferences: Set<NamespacedName> = []
        var findings: [MeshFinding] = []

        mutating func refer(to pod: String, namespace: String) {
            if !pod.isEmpty { podReferences.insert(NamespacedName(namespace: namespace, name: pod)) }
        }

        mutating func add(_ endpoint: Endpoint, servicePort: UInt32) {
            let place = Place(servicePort: servicePort, address: endpoint.address, port: endpoint.port)
            if taken.insert(place).inserted { byPort[servicePort, default: []].append(endpoint) }
        }

        func finish() -> EndpointSet {
            if byPort.isEmpty { return .empty }
            let sorted = byPort.mapValues { endpoints in
                endpoints.sorted { ($0.address, $0.port) < ($1.address, $1.port) }
            }
            return EndpointSet(byPort: sorted, version: sorted.contentVersion)
        }
    }

    // MARK: Kubernetes

    private func addKubernetes(
        _ spec: KubernetesService, _ service: Service, _ object: ConfigObject, members: [ObjectKey],
        to collector: inout Collector
    ) {
        if case .alias = service.resolution { return }
        let readiness = Readiness(
            publishNotReady: spec.publishNotReadyAddresses, keepDraining: Self.hasPersistentSessions(service))
        let name = object.key.name
        let sliceNames = slices(name)
        if !sliceNames.isEmpty {
            for sliceName in sliceNames {
                guard let object = table[.endpointSlice, sliceName], case .endpointSlice(let slice) = object.spec,
                    slice.addressType != "FQDN"
                else { continue }
                add(slice, service, namespace: name.namespace, readiness, to: &collector)
            }
        } else if let object = table[.endpoints, name], case .endpoints(let endpoints) = object.spec {
            for subset in endpoints.subsets {
                add(subset, service, namespace: name.namespace, readiness, to: &collector)
            }
        } else {
            for workload in selected(members, by: spec.selector) {
                guard case .pod(let pod) = workload.object.spec else { continue }
                add(pod, workload, spec, service, readiness, to: &collector)
            }
        }
        for workload in selected(members, by: spec.selector) {
            guard case .workloadEntry(let entry) = workload.object.spec else { continue }
            guard let address = usableAddress(entry, of: workload.object, service, &collector) else { continue }
            for port in Self.endpointPorts(of: service) {
                let written = spec.ports.first { $0.port == port.number }?.targetPort
                guard let number = Self.targetPort(of: port, written: written, in: entry) else { continue }
                collector.add(
                    endpoint(workload, address, number, weight: entry.weight), servicePort: port.number)
            }
        }
    }

    private struct Readiness {
        let publishNotReady: Bool
        let keepDraining: Bool

        /// nil: not an endpoint any more.
        func health(of endpoint: EndpointSlice.Endpoint) -> Endpoint.Health? {
            if endpoint.terminating == true {
                return keepDraining && endpoint.serving != false ? .draining : nil
            }
            return health(ready: endpoint.ready ?? true)
        }

        func health(ready: Bool) -> Endpoint.Health { ready || publishNotReady ? .healthy : .unhealthy }
    }

    private func add(
        _ slice: EndpointSlice, _ service: Service, namespace: String, _ readiness: Readiness,
        to collector: inout Collector
    ) {
        let ports = Self.pairs(service, slice.ports)
        for source in slice.endpoints {
            guard var health = readiness.health(of: source) else { continue }
            collector.refer(to: source.targetPod, namespace: namespace)
            for address in source.addresses {
                let workload = pod(source.targetPod, address: address, namespace: namespace)
                if readiness.keepDraining, workload?.labels["istio.io/draining"] != nil { health = .draining }
                for (port, number) in ports {
                    collector.add(
                        endpoint(workload, address, number, health: health, nodeName: source.nodeName),
                        servicePort: port)
                }
            }
        }
    }

    private func add(
        _ subset: KubernetesEndpoints.Subset, _ service: Service, namespace: String, _ readiness: Readiness,
        to collector: inout Collector
    ) {
        let ports = Self.pairs(service, subset.ports)
        let addresses = subset.addresses.map { ($0, true) } + subset.notReadyAddresses.map { ($0, false) }
        for (address, ready) in addresses {
            collector.refer(to: address.targetPod, namespace: namespace)
            let workload = pod(address.targetPod, address: address.ip, namespace: namespace)
            for (port, number) in ports {
                collector.add(
                    endpoint(
                        workload, address.ip, number, health: readiness.health(ready: ready),
                        nodeName: address.nodeName),
                    servicePort: port)
            }
        }
    }

    private func add(
        _ pod: Pod, _ workload: Workload, _ spec: KubernetesService, _ service: Service, _ readiness: Readiness,
        to collector: inout Collector
    ) {
        guard let address = Self.address(of: pod, for: spec) else { return }
        var health = readiness.health(ready: pod.ready ?? (pod.phase.isEmpty || pod.phase == "Running"))
        if readiness.keepDraining, workload.labels["istio.io/draining"] != nil { health = .draining }
        for port in Self.endpointPorts(of: service) {
            guard let source = spec.ports.first(where: { $0.port == port.number && $0.transport != "UDP" }),
                let number = Self.targetPort(of: source, in: pod)
            else { continue }
            collector.add(endpoint(workload, address, number, health: health), servicePort: port.number)
        }
    }

    /// The service ports that a slice serves, matched by port name; a slice port without a number means all ports.
    private static func pairs(_ service: Service, _ ports: [EndpointSlice.Port]) -> [(UInt32, UInt32)] {
        endpointPorts(of: service).compactMap { port in
            guard let match = ports.first(where: { $0.name == port.name && $0.transport != "UDP" }) else { return nil }
            return (port.number, match.port ?? port.targetPort ?? port.number)
        }
    }

    /// The port of the pod that a service port leads to; nil if it names a container port that the pod lacks.
    static func targetPort(of port: KubernetesService.Port, in pod: Pod) -> UInt32? {
        switch port.targetPort {
        case nil: port.port
        case .number(let number): number
        case .name(let name):
            pod.containerPorts.first { $0.name == name && $0.transport == port.transport }?.containerPort
        }
    }

    /// The pod's address in the family of the service's first address; without one the pod's first.
    private static func address(of pod: Pod, for spec: KubernetesService) -> String? {
        guard pod.podIPs.count > 1, let family = spec.clusterIPs.first.flatMap({ IPAddress($0)?.family }) else {
            return pod.podIPs.first
        }
        return pod.podIPs.first { IPAddress($0)?.family == family } ?? pod.podIPs.first
    }

    private static func hasPersistentSessions(_ service: Service) -> Bool {
        service.labels["istio.io/persistent-session"] != nil
            || service.labels["istio.io/persistent-session-header"] != nil
    }

    // MARK: ServiceEntry

    private func addExternal(
        _ entry: ServiceEntry, _ service: Service, _ object: ConfigObject, members: [ObjectKey],
        to collector: inout Collector
    ) {
        switch entry.resolution {
        case .none, .dynamicDNS: return
        case .static, .dns, .dnsRoundRobin: break
        }
        if let selector = entry.workloadSelector {
            for workload in selected(members, by: selector) {
                switch workload.object.spec {
                case .pod(let pod):
                    guard let address = pod.podIPs.first else { continue }
                    let ready = pod.ready ?? (pod.phase.isEmpty || pod.phase == "Running")
                    for port in entry.ports {
                        collector.add(
                            endpoint(
                                workload, address, port.targetPort ?? port.number,
                                health: ready ? .healthy : .unhealthy),
                            servicePort: port.number)
                    }
                case .workloadEntry(let selected):
                    guard let address = usableAddress(selected, of: workload.object, service, &collector) else {
                        continue
                    }
                    add(selected, workload, address, entry, to: &collector)
                default:
                    continue
                }
            }
            return
        }
        for (index, inline) in entry.endpoints.enumerated() {
            guard let address = usableAddress(inline, of: object, service, &collector, index: index) else { continue }
            add(inline, maker.workload(inline, of: object), address, entry, to: &collector)
        }
        // DNS without endpoints: the host is its own endpoint.
        if entry.endpoints.isEmpty, entry.resolution != .static, !service.host.isWildcard {
            let itself = maker.workload(WorkloadEntry(), of: object)
            for port in entry.ports {
                collector.add(
                    endpoint(itself, service.host.text, port.targetPort ?? port.number), servicePort: port.number)
            }
        }
    }

    private func add(
        _ entry: WorkloadEntry, _ workload: Workload, _ address: String, _ serviceEntry: ServiceEntry,
        to collector: inout Collector
    ) {
        let isSocket = address.hasPrefix("unix://")
        for port in serviceEntry.ports {
            let number = isSocket ? 0 : entry.ports[port.name] ?? port.targetPort ?? port.number
            collector.add(endpoint(workload, address, number, weight: entry.weight), servicePort: port.number)
        }
    }

    // MARK: Both

    /// The port of a WorkloadEntry behind a Service port: its `ports` by the service port's name or by the target
    /// port's name, else the numeric target port. nil: a named target port that it does not have.
    static func targetPort(
        of port: Service.Port, written: KubernetesService.TargetPort?, in entry: WorkloadEntry
    ) -> UInt32? {
        if let number = entry.ports[port.name] { return number }
        switch written {
        case nil: return port.number
        case .number(let number): return number
        case .name(let name): return entry.ports[name]
        }
    }

    /// Ports that endpoints are kept for: no L7 or TCP config is made for UDP.
    private static func endpointPorts(of service: Service) -> [Service.Port] {
        service.ports.filter { $0.protocol != .udp }
    }

    /// nil with a finding: services whose endpoints are not resolved by DNS need addresses or sockets.
    private func usableAddress(
        _ entry: WorkloadEntry, of object: ConfigObject, _ service: Service, _ collector: inout Collector,
        index: Int? = nil
    ) -> String? {
        let byName = service.resolution == .dnsLB || service.resolution == .dnsRoundRobin
        let address = entry.address
        if !address.isEmpty, byName || address.hasPrefix("unix://") || IPAddress(address) != nil { return address }
        let field = index.map { "spec.endpoints[\($0)].address" } ?? "spec.address"
        let reason =
            address.isEmpty
            ? "an endpoint without an address is reached through its network's gateway, which is not supported"
            : "\(address) is not an address, and \(service.host) does not resolve names"
        collector.findings.append(
            MeshFinding(
                MeshFindingCode.unusableEndpoint, reason + ": it is not an endpoint of \(service.host)",
                hint: address.isEmpty ? nil : "use resolution DNS, or write an IP address", in: object,
                field: field))
        return nil
    }

    private func selected(_ members: [ObjectKey], by selector: [String: String]) -> [Workload] {
        let selector = LabelSelector(selector)
        return members.compactMap { workloads.byKey[$0] }.filter { selector.selects($0.labels) }
    }

    private func pod(_ name: String, address: String, namespace: String) -> Workload? {
        if !name.isEmpty {
            let key = ObjectKey(kind: .pod, name: NamespacedName(namespace: namespace, name: name))
            if let named = workloads.byKey[key] { return named }
        }
        return workloads.workloads(address: address).first { $0.isPod && $0.name.namespace == namespace }
    }

    private func endpoint(
        _ workload: Workload?, _ address: String, _ port: UInt32, weight: UInt32? = nil,
        health: Endpoint.Health = .healthy, nodeName: String = ""
    ) -> Endpoint {
        guard let workload else {
            return Endpoint(
                address: address, port: port, health: health, network: maker.rootNetwork, nodeName: nodeName)
        }
        let isInline = workload.object.key.kind == .serviceEntry
        return Endpoint(
            address: address,
            port: port,
            labels: workload.labels,
            locality: workload.locality,
            weight: max(weight ?? 1, 1),
            health: health,
            network: workload.network,
            serviceAccount: workload.serviceAccount,
            namespace: workload.name.namespace,
            workloadName: isInline ? "" : workload.name.name,
            nodeName: workload.nodeName.isEmpty ? nodeName : workload.nodeName,
            acceptsMutualTLS: workload.acceptsMutualTLS)
    }
}

extension [UInt32: [Endpoint]] {
    /// Digest of every field of every endpoint, each text with its length before it.
    var contentVersion: ContentVersion {
        var bytes: [UInt8] = []
        func append(_ number: UInt32) { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        func append(_ text: String) {
            append(UInt32(truncatingIfNeeded: text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        for port in keys.sorted() {
            let endpoints = self[port] ?? []
            append(port)
            append(UInt32(truncatingIfNeeded: endpoints.count))
            for endpoint in endpoints {
                append(endpoint.address)
                append(endpoint.port)
                append(endpoint.weight)
                append(UInt32(truncatingIfNeeded: endpoint.labels.count))
                for (key, value) in endpoint.labels.sorted(by: { $0.key < $1.key }) {
                    append(key)
                    append(value)
                }
                append(endpoint.locality.region)
                append(endpoint.locality.zone)
                append(endpoint.locality.subzone)
                append(endpoint.network)
                append(endpoint.serviceAccount)
                append(endpoint.namespace)
                append(endpoint.workloadName)
                append(endpoint.nodeName)
                switch endpoint.health {
                case .healthy: bytes.append(0)
                case .unhealthy: bytes.append(1)
                case .draining: bytes.append(2)
                }
                bytes.append(endpoint.acceptsMutualTLS ? 1 : 0)
            }
        }
        return ContentVersion(of: bytes)
    }
}
