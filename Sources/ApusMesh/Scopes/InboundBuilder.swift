internal import ApusCore
internal import ApusModel

/// Finds what a workload serves: the services that select its labels, and those that list one of its addresses.
struct InboundBuilder {
    let services: ServiceIndex
    let endpoints: EndpointIndex

    /// Every service port that leads to the workload, oldest service first, then in the order of its ports.
    ///
    /// - Parameters:
    ///   - proxy: the described proxy.
    ///   - workload: what is known of it; nil if it only brings labels.
    func candidates(_ proxy: Proxy, _ workload: Workload?) -> [InboundService] {
        struct Place: Hashable {
            let id: Service.ID
            let port: UInt32
            let target: UInt32
        }
        var taken: Set<Place> = []
        var result: [InboundService] = []
        func add(_ service: Service, _ port: Service.Port, _ target: UInt32, _ address: String) {
            guard port.protocol != .udp,
                taken.insert(Place(id: service.id, port: port.number, target: target)).inserted
            else { return }
            result.append(
                InboundService(service: service, port: port, targetPort: target, endpointAddress: address))
        }

        var addresses = proxy.addresses
        for address in workload?.addresses ?? [] where !addresses.contains(address) { addresses.append(address) }
        for id in services.selectors.services(selecting: proxy.labels, namespace: proxy.namespace) {
            guard let service = services.byID[id] else { continue }
            for (port, target) in targets(of: service, proxy, workload) {
                add(service, port, target, addresses.first ?? "")
            }
        }
        for address in addresses {
            for id in endpoints.services(address: address) {
                guard let service = services.byID[id] else { continue }
                for (number, list) in endpoints.endpoints(of: id).byPort {
                    guard let port = service.port(number) else { continue }
                    for endpoint in list where endpoint.address == address {
                        // A host-network neighbour of the same node is another workload.
                        if let workload, workload.sharesHostAddress, endpoint.workloadName != workload.name.name {
                            continue
                        }
                        add(service, port, endpoint.port, address)
                    }
                }
            }
        }
        let positions = Dictionary(
            uniqueKeysWithValues: Set(result.map(\.service.id)).map { id in
                (
                    id,
                    Dictionary(
                        (services.byID[id]?.ports ?? []).enumerated().map { ($1.number, $0) },
                        uniquingKeysWith: { first, _ in first })
                )
            })
        return result.sorted { left, right in
            if left.service !== right.service { return Service.isOlder(left.service, right.service) }
            let ports = positions[left.service.id] ?? [:]
            return (ports[left.port.number] ?? 0, left.targetPort) < (ports[right.port.number] ?? 0, right.targetPort)
        }
    }

    /// The oldest service of each target port.
    static func onePerTargetPort(_ candidates: [InboundService]) -> [InboundService] {
        var taken: Set<UInt32> = []
        return candidates.filter { taken.insert($0.targetPort).inserted }
    }

    private func targets(
        of service: Service, _ proxy: Proxy, _ workload: Workload?
    ) -> [(Service.Port, UInt32)] {
        var result: [(Service.Port, UInt32)] = []
        for source in service.sources {
            switch source.spec {
            case .service(let spec):
                if case .alias = service.resolution { continue }
                guard !spec.selector.isEmpty, LabelSelector(spec.selector).selects(proxy.labels) else { continue }
                for port in service.ports {
                    guard let written = spec.ports.first(where: { $0.port == port.number && $0.transport != "UDP" })
                    else { continue }
                    if let target = target(port, written, workload) { result.append((port, target)) }
                }
            case .serviceEntry(let entry):
                guard entry.resolution != .none, let selector = entry.workloadSelector,
                    LabelSelector(selector).selects(proxy.labels)
                else { continue }
                for written in entry.ports {
                    guard let port = service.port(written.number) else { continue }
                    if case .workloadEntry(let own)? = workload?.object.spec, let number = own.ports[written.name] {
                        result.append((port, number))
                    } else {
                        result.append((port, written.targetPort ?? written.number))
                    }
                }
            default:
                continue
            }
        }
        return result
    }

    private func target(
        _ port: Service.Port, _ written: KubernetesService.Port, _ workload: Workload?
    ) -> UInt32? {
        switch workload?.object.spec {
        case .pod(let pod)?: EndpointBuilder.targetPort(of: written, in: pod)
        case .workloadEntry(let entry)?:
            EndpointBuilder.targetPort(of: port, written: written.targetPort, in: entry)
        default:
            // Without a pod nobody can say what a named port is.
            switch written.targetPort {
            case nil: written.port
            case .number(let number): number
            case .name: nil
            }
        }
    }
}
