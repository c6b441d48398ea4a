internal import ApusCore
internal import ApusModel

// Objects that claim the same thing.
extension FolderAnalysis {
    /// On sidecars the oldest VirtualService of a host is used and the others are not.
    mutating func conflictingHosts() {
        var byHost: [String: [(object: ConfigObject, path: String, exportTo: [String])]] = [:]
        for (object, spec) in index.virtualServices
        where !spec.isDelegate && (spec.gateways.isEmpty || spec.gateways.contains("mesh")) {
            let exportTo = spec.exportTo.isEmpty ? meshConfig.defaultVirtualServiceExportTo : spec.exportTo
            for (position, host) in spec.hosts.enumerated() {
                let name = FolderIndex.fullName(host, namespace: object.metadata.namespace)
                byHost[name, default: []].append((object, "spec.hosts[\(position)]", exportTo))
            }
        }
        func overlap(
            _ left: (object: ConfigObject, path: String, exportTo: [String]),
            _ right: (object: ConfigObject, path: String, exportTo: [String])
        ) -> Bool {
            func namespaces(_ one: (object: ConfigObject, path: String, exportTo: [String])) -> Set<String> {
                Set(one.exportTo.map { $0 == "." ? one.object.metadata.namespace : $0 })
            }
            let first = namespaces(left)
            let second = namespaces(right)
            return first.contains("*") || second.contains("*") || !first.isDisjoint(with: second)
        }
        for (host, claims) in byHost where claims.count > 1 && claims.count <= 100 {
            for (position, claim) in claims.enumerated() {
                let rivals = claims.enumerated().filter {
                    $0.offset != position && $0.element.object.key != claim.object.key && overlap(claim, $0.element)
                }.map(\.element.object)
                guard !rivals.isEmpty else { continue }
                let isUsed = rivals.allSatisfy { ConfigObject.isOlder(claim.object, $0) }
                let names = rivals.map { "\($0.key.name) (\($0.origin.location))" }.sorted().joined(separator: ", ")
                report(
                    .error, FindingCode.conflictingVirtualServiceHosts, claim.object, claim.path,
                    "the host \(host) is also claimed for the mesh by \(names); "
                        + (isUsed
                            ? "this one is the oldest, and only it is used" : "an older one is used, and not this"),
                    hint: "merge them into one VirtualService")
            }
        }
    }

    /// Rules of one host and namespace are merged: the oldest's policy stands, a repeated subset is dropped.
    mutating func conflictingRules() {
        var groups: [String: [(object: ConfigObject, spec: DestinationRule)]] = [:]
        for entry in index.destinationRules where entry.spec.workloadSelector == nil {
            let name = FolderIndex.fullName(entry.spec.host, namespace: entry.object.metadata.namespace)
            groups["\(entry.object.metadata.namespace)/\(name)", default: []].append(entry)
        }
        for group in groups.values where group.count > 1 {
            let sorted = group.sorted { ConfigObject.isOlder($0.object, $1.object) }
            var policy: ConfigObject?
            var subsets: [String: ConfigObject] = [:]
            for (object, spec) in sorted {
                if spec.trafficPolicy != nil {
                    if let policy, policy.key != object.key {
                        report(
                            .warning, FindingCode.conflictingDestinationRules, object, "spec.trafficPolicy",
                            "the trafficPolicy is not used: \(policy.key) (\(policy.origin.location)) has one for the "
                                + "same host",
                            hint: "keep one trafficPolicy for each host")
                    } else {
                        policy = object
                    }
                }
                for (position, subset) in spec.subsets.enumerated() {
                    if let first = subsets[subset.name], first.key != object.key {
                        report(
                            .warning, FindingCode.conflictingDestinationRules, object, "spec.subsets[\(position)].name",
                            "the subset \"\(subset.name)\" is not used: \(first.key) (\(first.origin.location)) has "
                                + "one of that name for the same host",
                            hint: "give it another name")
                    } else {
                        subsets[subset.name] = object
                    }
                }
            }
        }
    }

    mutating func gateways() {
        struct Claim {
            let object: ConfigObject
            let server: Int
            let spec: Server
        }
        var byPort: [String: [Claim]] = [:]
        for (object, spec) in index.gateways {
            for (position, server) in spec.servers.enumerated() where server.port.number != 0 {
                let key = "\(Self.text(spec.selector))|\(server.bind)|\(server.port.number)"
                byPort[key, default: []].append(Claim(object: object, server: position, spec: server))
            }
        }
        for claims in byPort.values where claims.count > 1 {
            // Servers that speak in the clear and servers behind TLS cannot share a port, nor can TCP and HTTP.
            func family(_ claim: Claim) -> String {
                let name = claim.spec.port.protocol
                if PortProtocol.isHTTP(name) { return "HTTP" }
                return PortProtocol.isTLS(name) ? "TLS" : "TCP"
            }
            let sorted = claims.sorted {
                ($0.object.origin.location, $0.server) < ($1.object.origin.location, $1.server)
            }
            let first = sorted[0]
            var hosts: [String: Claim] = [:]
            for claim in sorted {
                let path = "spec.servers[\(claim.server)]"
                if family(claim) != family(first) {
                    report(
                        .error, FindingCode.conflictingGateways, claim.object, "\(path).port.protocol",
                        "the port \(claim.spec.port.number) cannot speak \(claim.spec.port.protocol): "
                            + "\(first.object.key) (\(first.object.origin.location)) opens it with "
                            + first.spec.port.protocol,
                        hint: "use another port")
                    continue
                }
                for (position, host) in claim.spec.hosts.enumerated() {
                    let parts = host.lowercased().split(separator: "/", maxSplits: 1)
                    let name = String(parts[parts.count - 1])
                    let namespace = parts.count == 2 ? String(parts[0]) : "*"
                    let key = "\(namespace)/\(name)"
                    if let other = hosts[key], other.object.key != claim.object.key || other.server != claim.server {
                        report(
                            .error, FindingCode.conflictingGateways, claim.object, "\(path).hosts[\(position)]",
                            "the host \"\(host)\" on port \(claim.spec.port.number) is also served by "
                                + "\(other.object.key) (\(other.object.origin.location)) on the same proxies",
                            hint: "keep one of them")
                    } else {
                        hosts[key] = claim
                    }
                }
            }
        }
        for (object, spec) in index.gateways where !spec.selector.isEmpty {
            if index.workloads(with: spec.selector, in: nil).isEmpty {
                report(
                    .warning, FindingCode.referenceNotFound, object, "spec.selector",
                    "no Pod or workload in the folder has the labels \(Self.text(spec.selector))",
                    hint: "only a gateway proxy that connects with these labels is served")
            }
        }
    }

    mutating func sidecars() {
        var byNamespace: [String: [(object: ConfigObject, spec: Sidecar)]] = [:]
        for entry in index.sidecars { byNamespace[entry.object.metadata.namespace, default: []].append(entry) }
        for (namespace, entries) in byNamespace where entries.count > 1 {
            let plain = entries.filter { $0.spec.workloadSelector == nil }
            if plain.count > 1 {
                let oldest = plain.map(\.object).min(by: ConfigObject.isOlder)
                for (object, _) in plain {
                    report(
                        .error, FindingCode.multipleSidecarsWithoutSelector, object, "spec",
                        "the namespace \(namespace) has \(plain.count) Sidecars without workloadSelector; "
                            + "\(oldest?.metadata.name ?? "") is used",
                        hint: "keep one of them")
                }
            }
            var owners: [Int: [ConfigObject]] = [:]
            for (object, spec) in entries {
                guard let selector = spec.workloadSelector else { continue }
                for position in index.workloadIndices(with: selector, in: namespace) {
                    owners[position, default: []].append(object)
                }
            }
            var said: Set<ObjectKey> = []
            for position in owners.keys.sorted() {
                guard let all = owners[position], all.count > 1 else { continue }
                for object in all where said.insert(object.key).inserted {
                    let rivals = all.filter { $0 !== object }.map { $0.metadata.name }.sorted()
                    report(
                        .error, FindingCode.conflictingSidecarSelectors, object, "spec.workloadSelector",
                        "the workload \(index.workloads[position].name) is also selected by the Sidecar "
                            + rivals.joined(separator: ", "),
                        hint: "make the selectors exclude each other")
                }
            }
        }
    }
}
