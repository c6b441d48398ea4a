internal import ApusCore
internal import ApusModel

// References of VirtualServices, DestinationRules and EndpointSlices.
extension FolderAnalysis {
    mutating func virtualServices() {
        for (object, spec) in index.virtualServices {
            gatewayReferences(object, spec.gateways, "spec.gateways")
            for (position, rule) in spec.http.enumerated() {
                let path = "spec.http[\(position)]"
                for (number, match) in rule.match.enumerated() where !match.gateways.isEmpty {
                    gatewayReferences(object, match.gateways, "\(path).match[\(number)].gateways")
                }
                for (number, route) in rule.route.enumerated() {
                    destination(object, route.destination, "\(path).route[\(number)].destination")
                }
                if let mirror = rule.mirror { destination(object, mirror, "\(path).mirror") }
                for (number, mirror) in rule.mirrors.enumerated() {
                    destination(object, mirror.destination, "\(path).mirrors[\(number)].destination")
                }
                if let delegate = rule.delegate {
                    let name = NamespacedName(
                        namespace: delegate.namespace.isEmpty ? object.metadata.namespace : delegate.namespace,
                        name: delegate.name)
                    if !index.virtualServiceNames.contains(name) {
                        report(
                            .error, FindingCode.referenceNotFound, object, "\(path).delegate.name",
                            "the delegate VirtualService \(name) does not exist")
                    }
                }
            }
            for (position, rule) in spec.tls.enumerated() {
                for (number, route) in rule.route.enumerated() {
                    destination(object, route.destination, "spec.tls[\(position)].route[\(number)].destination")
                }
            }
            for (position, rule) in spec.tcp.enumerated() {
                for (number, route) in rule.route.enumerated() {
                    destination(object, route.destination, "spec.tcp[\(position)].route[\(number)].destination")
                }
            }
            hostsInGateways(object, spec)
        }
        conflictingHosts()
    }

    private mutating func gatewayReferences(_ object: ConfigObject, _ names: [String], _ path: String) {
        for (position, text) in names.enumerated() where text != "mesh" {
            let name = Self.gatewayName(text, object)
            if !index.gatewayNames.contains(name) {
                let elsewhere = index.gatewayNames.filter { $0.name == name.name }.min()
                report(
                    .error, FindingCode.referenceNotFound, object, "\(path)[\(position)]",
                    "the gateway \(name) does not exist", hint: elsewhere.map { "did you mean \($0)?" })
            }
        }
    }

    static func gatewayName(_ text: String, _ object: ConfigObject) -> NamespacedName {
        let parts = text.split(separator: "/", maxSplits: 1)
        return parts.count == 2
            ? NamespacedName(namespace: String(parts[0]), name: String(parts[1]))
            : NamespacedName(namespace: object.metadata.namespace, name: text)
    }

    private mutating func destination(_ object: ConfigObject, _ destination: Destination, _ path: String) {
        let name = FolderIndex.fullName(destination.host, namespace: object.metadata.namespace)
        let hosts = index.find(name)
        guard !hosts.isEmpty else {
            report(
                .error, FindingCode.referenceNotFound, object, "\(path).host",
                "the host \"\(destination.host)\" is not known to the mesh: no Service or ServiceEntry is \(name)",
                hint: hint(forUnknown: destination.host, name))
            return
        }
        let ports = hosts.flatMap(\.ports)
        if let port = destination.port {
            if !ports.contains(port) {
                report(
                    .error, FindingCode.missingPort, object, "\(path).port",
                    "the host \"\(destination.host)\" has no port \(port)",
                    hint: ports.isEmpty
                        ? nil : "it has \(Set(ports).sorted().map(String.init).joined(separator: ", "))")
            }
        } else if Set(ports).count > 1 {
            report(
                .warning, FindingCode.destinationPortRequired, object, "\(path).host",
                "the host \"\(destination.host)\" has several ports and the destination names none, so the port of "
                    + "the listener is used",
                hint: "add port.number: one of \(Set(ports).sorted().map(String.init).joined(separator: ", "))")
        }
        guard !destination.subset.isEmpty else { return }
        let rules = index.rules(for: name)
        if !rules.contains(where: { $0.spec.subsets.contains { $0.name == destination.subset } }) {
            let known = Set(rules.flatMap { $0.spec.subsets.map(\.name) }).sorted()
            report(
                .error, FindingCode.referenceNotFound, object, "\(path).subset",
                "the subset \"\(destination.subset)\" of \"\(destination.host)\" is in no DestinationRule",
                hint: known.isEmpty
                    ? "write a DestinationRule for \(name) with this subset"
                    : "the subsets of this host are \(known.joined(separator: ", "))")
        }
    }

    private mutating func hint(forUnknown host: String, _ name: String) -> String? {
        // A name with a dot is not expanded, which `reviews.prod` for `reviews.prod.svc.cluster.local` overlooks.
        let expanded = "\(host).svc.\(FolderIndex.domain)"
        if index.hosts[expanded] != nil { return "write \(expanded)" }
        let first = name.prefix { $0 != "." }
        if let sameName = index.hostsByLabel[first] { return "did you mean \(sameName)?" }
        guard suggestionsLeft > 0 else { return nil }
        suggestionsLeft -= 1
        return Suggestion.closest(to: name, among: index.hosts.keys.sorted()).map { "did you mean \($0)?" }
    }

    /// VirtualService hosts that none of its gateways serves.
    private mutating func hostsInGateways(_ object: ConfigObject, _ spec: VirtualService) {
        guard !spec.isDelegate, !spec.gateways.isEmpty else { return }
        let isForMesh = spec.gateways.contains("mesh")
        let names = Set(spec.gateways.filter { $0 != "mesh" }.map { Self.gatewayName($0, object) })
        let found = index.gateways.filter { names.contains($0.object.key.name) }
        guard !found.isEmpty, found.count == names.count else { return }
        func serves(_ gateway: Gateway, _ gatewayNamespace: String, _ host: HostName) -> Bool {
            gateway.servers.contains { server in
                server.hosts.contains { text in
                    let parts = text.split(separator: "/", maxSplits: 1)
                    let namespace = parts.count == 2 ? String(parts[0]) : "*"
                    let allowed =
                        namespace == "*" || namespace == object.metadata.namespace
                        || namespace == "." && gatewayNamespace == object.metadata.namespace
                    return allowed && HostName(String(parts[parts.count - 1])).matches(host)
                }
            }
        }
        let hosts = spec.hosts.map { HostName(FolderIndex.fullName($0, namespace: object.metadata.namespace)) }
        if isForMesh {
            for (gateway, gatewaySpec) in found
            where !hosts.contains(where: { serves(gatewaySpec, gateway.metadata.namespace, $0) }) {
                report(
                    .warning, FindingCode.hostNotInGateway, object, "spec.hosts",
                    "no server of the gateway \(gateway.key.name) has one of the hosts")
            }
            return
        }
        for (position, host) in hosts.enumerated()
        where !found.contains(where: { serves($0.spec, $0.object.metadata.namespace, host) }) {
            report(
                .warning, FindingCode.hostNotInGateway, object, "spec.hosts[\(position)]",
                "the host \"\(spec.hosts[position])\" is in no server of the VirtualService's gateways")
        }
    }

    mutating func destinationRules() {
        for (object, spec) in index.destinationRules {
            let name = FolderIndex.fullName(spec.host, namespace: object.metadata.namespace)
            guard !name.hasPrefix("*") else { continue }
            let hosts = index.find(name)
            if hosts.isEmpty {
                report(
                    .warning, FindingCode.referenceNotFound, object, "spec.host",
                    "the host \"\(spec.host)\" is not known to the mesh: no Service or ServiceEntry is \(name)",
                    hint: hint(forUnknown: spec.host, name))
                continue
            }
            let labels = hosts.compactMap { index.endpointLabels(of: $0) }.flatMap { $0 }
            guard !labels.isEmpty else { continue }
            for (position, subset) in spec.subsets.enumerated() where !subset.labels.isEmpty {
                let selector = LabelSelector(subset.labels)
                if !labels.contains(where: { selector.selects($0) }) {
                    report(
                        .warning, FindingCode.emptySubset, object, "spec.subsets[\(position)].labels",
                        "no endpoint of \"\(spec.host)\" has the labels of the subset \"\(subset.name)\": requests to "
                            + "it get 503",
                        hint: "the labels are \(Self.text(subset.labels))")
                }
            }
        }
        conflictingRules()
    }

    mutating func slices() {
        for (object, spec) in index.slices where !spec.serviceName.isEmpty {
            let host = "\(spec.serviceName).\(object.metadata.namespace).svc.\(FolderIndex.domain)"
            if index.hosts[host] == nil {
                report(
                    .warning, FindingCode.referenceNotFound, object, "metadata.labels[\"kubernetes.io/service-name\"]",
                    "the Service \(object.metadata.namespace)/\(spec.serviceName) does not exist, so the endpoints "
                        + "are not used")
            }
        }
    }

    static func text(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }
}
