internal import ApusCore
internal import ApusModel

/// All services of the mesh and the ways to find them. Rebuilt when the content of a Service or ServiceEntry changes;
/// instances whose sources did not change are used again.
final class ServiceIndex: Sendable {
    /// Oldest first.
    let services: [Service]
    let byID: [Service.ID: Service]
    /// Oldest first.
    let byHost: [HostName: [Service]]
    /// The services that an object takes part in.
    let bySource: [ObjectKey: [Service.ID]]
    let selectors: SelectorIndex
    let findings: [MeshFinding]
    /// Some service's endpoints depend on the client's locality, or on its node.
    let asksForLocality: Bool
    let asksForNode: Bool

    static let empty = ServiceIndex(
        objects: [], conversion: ServiceConversion(domain: "", defaultExportTo: []), reusing: nil)

    /// - Parameters:
    ///   - objects: all Services and ServiceEntries, in any order.
    ///   - previous: an index made with an equal `conversion`.
    init(objects: [ConfigObject], conversion: ServiceConversion, reusing previous: ServiceIndex?) {
        var groups: [Service.ID: [ConfigObject]] = [:]
        groups.reserveCapacity(objects.count)
        for object in objects {
            for host in conversion.hosts(of: object) {
                groups[Service.ID(host: host, namespace: object.metadata.namespace), default: []].append(object)
            }
        }

        var findings: [MeshFinding] = []
        let aliases = Self.aliases(objects, conversion: conversion)
        var byID: [Service.ID: Service] = [:]
        byID.reserveCapacity(groups.count)
        for (id, objects) in groups {
            let sources = Self.merging(objects, id: id, conversion: conversion, findings: &findings)
            let aliases = aliases[id.host] ?? []
            if let old = previous?.byID[id], old.aliases == aliases, old.sources.hasSameContent(as: sources) {
                byID[id] = old
            } else {
                byID[id] = conversion.service(host: id.host, sources: sources, aliases: aliases)
            }
        }
        services = byID.values.sorted(by: Service.isOlder)
        self.byID = byID
        byHost = Dictionary(grouping: services, by: \.host)

        var bySource: [ObjectKey: [Service.ID]] = [:]
        var selectors: [SelectorIndex.Entry] = []
        var asksForLocality = false
        var asksForNode = false
        for service in services {
            for source in service.sources { bySource[source.key, default: []].append(service.id) }
            for selector in service.selectors {
                selectors.append(SelectorIndex.Entry(id: service.id, selector: selector))
            }
            if !service.trafficDistribution.isEmpty { asksForLocality = true }
            if service.internalTrafficLocal || service.trafficDistribution == "PreferSameNode" { asksForNode = true }
        }
        self.bySource = bySource
        self.selectors = SelectorIndex(selectors)
        self.asksForLocality = asksForLocality
        self.asksForNode = asksForNode
        self.findings = findings + objects.flatMap(Self.unsupportedAnnotations)
    }

    /// Of several objects for one host and namespace those that make the service: a Kubernetes Service alone, else
    /// the ServiceEntries that agree with the oldest.
    private static func merging(
        _ objects: [ConfigObject], id: Service.ID, conversion: ServiceConversion, findings: inout [MeshFinding]
    ) -> [ConfigObject] {
        guard objects.count > 1 else { return objects }
        let ordered = objects.sorted { left, right in
            let kubernetes = (left.key.kind == .service, right.key.kind == .service)
            return kubernetes.0 != kubernetes.1 ? kubernetes.0 : ConfigObject.isOlder(left, right)
        }
        var result: [ConfigObject] = []
        var ports: [UInt32: (port: Service.Port, object: ConfigObject)] = [:]
        for object in ordered {
            guard case .serviceEntry(let entry) = object.spec else {
                result.append(object)
                continue
            }
            if let first = result.first, !conversion.canMerge(first, object) {
                let index = entry.hosts.firstIndex { HostName($0) == id.host } ?? 0
                findings.append(
                    MeshFinding(
                        MeshFindingCode.duplicateServiceHost,
                        "host \(id.host) already belongs to \(first.key), this entry is not used for it",
                        hint: first.key.kind == .service
                            ? "a Kubernetes Service stands before a ServiceEntry of the same host"
                            : "entries of one host merge only with equal resolution, location and exportTo",
                        in: object, field: "spec.hosts[\(index)]"))
                continue
            }
            for (index, spec) in entry.ports.enumerated() {
                let port = ServiceConversion.port(spec)
                guard let taken = ports[port.number] else {
                    ports[port.number] = (port, object)
                    continue
                }
                guard taken.port.protocol != port.protocol || taken.port.name != port.name else { continue }
                findings.append(
                    MeshFinding(
                        MeshFindingCode.droppedServicePort,
                        "port \(port.number) of \(id.host) is already declared by \(taken.object.key) as "
                            + "\(taken.port.name) (\(taken.port.protocol.rawValue)), this declaration is not used",
                        in: object, field: "spec.ports[\(index)]"))
            }
            result.append(object)
        }
        return result
    }

    /// For each real host the ExternalName services that lead to it, through at most ten steps.
    private static func aliases(
        _ objects: [ConfigObject], conversion: ServiceConversion
    ) -> [HostName: [HostName]] {
        var targets: [HostName: HostName] = [:]
        for object in objects {
            guard case .service(let spec) = object.spec, spec.type == "ExternalName" else { continue }
            for host in conversion.hosts(of: object) { targets[host] = HostName(spec.externalName) }
        }
        var result: [HostName: [HostName]] = [:]
        for (alias, firstTarget) in targets {
            var target = firstTarget
            var steps = 1
            while let next = targets[target], steps < 10 {
                target = next
                steps += 1
            }
            if targets[target] == nil { result[target, default: []].append(alias) }
        }
        return result.mapValues { $0.sorted() }
    }

    private static func unsupportedAnnotations(of object: ConfigObject) -> [MeshFinding] {
        guard object.key.kind == .service else { return [] }
        return ServiceConversion.unsupportedAnnotations.filter { object.metadata.annotations[$0] != nil }.map {
            MeshFinding(
                MeshFindingCode.unsupportedAnnotation, "annotation \($0) has no effect",
                hint: "identities are taken from the pods behind the service", in: object,
                field: "metadata.annotations")
        }
    }
}

extension Service {
    /// One selector for each source that has one. The empty selector of a ServiceEntry selects every workload of its
    /// namespace, that of a Kubernetes Service none.
    var selectors: [LabelSelector] {
        sources.compactMap { source in
            switch source.spec {
            case .service(let spec): spec.selector.isEmpty ? nil : LabelSelector(spec.selector)
            case .serviceEntry(let entry): entry.workloadSelector.map(LabelSelector.init)
            default: nil
            }
        }
    }
}

extension [ConfigObject] {
    /// The same objects with the same content in the same order; places in files may differ.
    func hasSameContent(as other: [ConfigObject]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.hasSameContent(as: $1) }
    }
}

extension Array where Element: AnyObject {
    /// The same instances in the same order.
    func isIdentical(to other: [Element]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0 === $1 }
    }
}
