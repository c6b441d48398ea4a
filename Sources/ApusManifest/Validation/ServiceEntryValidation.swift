internal import ApusCore
internal import ApusModel

extension Checks {
    func serviceEntry(_ spec: ServiceEntry) {
        if spec.hosts.isEmpty { error("spec", "the ServiceEntry has no hosts") }
        exportTo(spec.exportTo, isServiceEntry: true)
        selector(spec.workloadSelector, "spec.workloadSelector.labels")
        hosts(spec)
        addresses(spec)
        ports(spec)
        endpoints(spec)
    }

    private func hosts(_ spec: ServiceEntry) {
        for (index, host) in spec.hosts.enumerated() {
            let path = { "spec.hosts[\(index)]" }
            if host == "*" {
                error(path(), "the host of a ServiceEntry cannot be *", hint: "use *.example.com")
                continue
            }
            wildcardName(host, "the host", path())
            guard host.hasPrefix("*") else {
                if spec.resolution == .dynamicDNS {
                    error(path(), "DYNAMIC_DNS needs a wildcard host", hint: "use resolution DNS")
                }
                continue
            }
            if spec.resolution == .dns || spec.resolution == .dnsRoundRobin, spec.endpoints.isEmpty,
                spec.workloadSelector == nil
            {
                error(
                    path(), "the wildcard host \"\(host)\" cannot be resolved by DNS",
                    hint: "name endpoints, or use resolution NONE")
            }
        }
        guard spec.hosts.count > 1, spec.resolution != .none else { return }
        for (index, port) in spec.ports.enumerated()
        where !PortProtocol.isHTTP(port.protocol) && !PortProtocol.isTLS(port.protocol) {
            if spec.addresses.isEmpty {
                error(
                    "spec.ports[\(index)]",
                    "several hosts cannot be told apart on a port of protocol \(port.protocol)",
                    hint: "write one ServiceEntry for each host")
            } else {
                warning(
                    "spec.ports[\(index)]",
                    "several hosts share the addresses and cannot be told apart on a port of protocol "
                        + "\(port.protocol)")
            }
        }
    }

    private func addresses(_ spec: ServiceEntry) {
        for (index, address) in spec.addresses.enumerated() {
            let path = { "spec.addresses[\(index)]" }
            if address.contains("/"), let range = CIDR(address) {
                let isWhole = range.prefixLength == (range.address.family == .v4 ? 32 : 128)
                if !isWhole, spec.resolution != .none, spec.resolution != .static {
                    error(
                        path(), "the range \(address) needs resolution NONE or STATIC",
                        hint: "write single addresses")
                }
            } else {
                cidr(address, path())
            }
        }
        if spec.resolution == .dynamicDNS {
            if !spec.addresses.isEmpty { error("spec.addresses", "DYNAMIC_DNS cannot have addresses") }
            if !spec.endpoints.isEmpty { error("spec.endpoints", "DYNAMIC_DNS cannot have endpoints") }
        }
    }

    private func ports(_ spec: ServiceEntry) {
        if spec.ports.isEmpty { warning("spec", "the ServiceEntry has no ports, so no traffic matches it") }
        var names: Set<String> = []
        var numbers: Set<UInt32> = []
        for (index, port) in spec.ports.enumerated() {
            let path = { "spec.ports[\(index)]" }
            self.port(port.number, "\(path()).number")
            self.port(port.targetPort, "\(path()).targetPort")
            if port.name.isEmpty {
                error(path(), "the port has no name")
            } else if !names.insert(port.name).inserted {
                error("\(path()).name", "the port name \"\(port.name)\" stands twice")
            }
            if !numbers.insert(port.number).inserted {
                error("\(path()).number", "the port \(port.number) stands twice")
            }
            // Without a protocol the port is TCP.
            if !port.protocol.isEmpty { protocolName(port.protocol, path(), known: PortProtocol.names) }
            let isTCP = ["", "TCP", "MONGO", "MYSQL", "REDIS"].contains(port.protocol)
            if isTCP, spec.addresses.isEmpty {
                report(
                    .warning, FindingCode.addressesRequired, path(),
                    "without addresses the \(port.protocol.isEmpty ? "TCP" : port.protocol) port \(port.number) takes "
                        + "all traffic to that port",
                    hint: "give the ServiceEntry addresses")
            }
            if spec.resolution == .dynamicDNS, !PortProtocol.isHTTP(port.protocol), !PortProtocol.isTLS(port.protocol) {
                error("\(path()).protocol", "DYNAMIC_DNS needs an HTTP or TLS protocol")
            }
        }
    }

    private func endpoints(_ spec: ServiceEntry) {
        guard !spec.endpoints.isEmpty else {
            if spec.workloadSelector != nil, spec.resolution == .none {
                warning("spec.workloadSelector", "the selector has no effect with resolution NONE", hint: "use STATIC")
            }
            return
        }
        if spec.workloadSelector != nil {
            error("spec.endpoints", "endpoints and workloadSelector exclude each other", hint: "keep one of them")
        }
        if spec.resolution == .none {
            error("spec.endpoints", "resolution NONE cannot have endpoints", hint: "use STATIC or DNS")
        }
        if spec.resolution == .dnsRoundRobin, spec.endpoints.count > 1 {
            error("spec.endpoints", "DNS_ROUND_ROBIN takes one endpoint at most", hint: "use resolution DNS")
        }
        let names = Set(spec.ports.map(\.name))
        for (index, endpoint) in spec.endpoints.enumerated() {
            let path = { "spec.endpoints[\(index)]" }
            workloadEntry(endpoint, path(), addressFor: spec.resolution)
            for name in endpoint.ports.keys.sorted() where !names.contains(name) {
                error(
                    "\(path()).ports[\"\(name)\"]", "the port name \"\(name)\" is not one of the ServiceEntry's ports",
                    hint: Suggestion.closest(to: name, among: spec.ports.map(\.name)).map { "did you mean \($0)?" })
            }
        }
    }

    /// - Parameter resolution: of the ServiceEntry that the entry stands in, nil for an object of its own.
    func workloadEntry(
        _ entry: WorkloadEntry, _ path: @autoclosure Path, addressFor resolution: ServiceEntry.Resolution?
    ) {
        if entry.address.isEmpty {
            if entry.network.isEmpty {
                error(path(), "the workload has no address")
            } else {
                warning(path(), "the workload has no address and is reached through the gateway of its network")
            }
        } else if entry.address.hasPrefix("unix://") {
            if entry.address.utf8.count <= 7 { error("\(path()).address", "the Unix socket has no path") }
            if !entry.ports.isEmpty { error("\(path()).ports", "a Unix socket cannot have ports") }
            if resolution == .dns || resolution == .dnsRoundRobin {
                error("\(path()).address", "a Unix socket needs resolution STATIC")
            }
        } else if IPAddress(entry.address) == nil {
            if resolution == .static {
                error(
                    "\(path()).address", "\"\(entry.address)\" is not an IP address, which resolution STATIC needs",
                    hint: "use resolution DNS for names")
            } else {
                name(entry.address, "the address", "\(path()).address")
            }
        }
        for name in entry.ports.keys.sorted() {
            if name.isEmpty { error("\(path()).ports", "a port has no name") }
            port(entry.ports[name] ?? 0, "\(path()).ports[\"\(name)\"]")
        }
        labels(entry.labels, "\(path()).labels")
        if !entry.locality.isEmpty {
            let parts = entry.locality.split(separator: "/", omittingEmptySubsequences: false)
            if parts.count > 3 || parts.contains("") || entry.locality.contains("*") {
                error(
                    "\(path()).locality", "\"\(entry.locality)\" is not a locality",
                    hint: "write REGION/ZONE/SUBZONE")
            }
        }
    }

    func workloadGroup(_ spec: WorkloadGroup) {
        if spec.template == WorkloadEntry() { error("spec", "the WorkloadGroup has no template") }
        labels(spec.labels, "spec.metadata.labels")
        labels(spec.template.labels, "spec.template.labels")
        for name in spec.template.ports.keys.sorted() {
            port(spec.template.ports[name] ?? 0, "spec.template.ports[\"\(name)\"]")
        }
        guard let probe = spec.probe else { return }
        for (field, value) in [
            ("initialDelaySeconds", probe.initialDelaySeconds), ("timeoutSeconds", probe.timeoutSeconds),
            ("periodSeconds", probe.periodSeconds), ("successThreshold", probe.successThreshold),
            ("failureThreshold", probe.failureThreshold),
        ] { notNegative(value, "spec.probe.\(field)") }
        switch probe.method {
        case .httpGet(_, let number, _, let scheme, _):
            port(number, "spec.probe.httpGet.port")
            if !scheme.isEmpty, !["HTTP", "HTTPS"].contains(scheme.uppercased()) {
                error("spec.probe.httpGet.scheme", "the scheme \"\(scheme)\" is not HTTP or HTTPS")
            }
        case .tcpSocket(_, let number): port(number, "spec.probe.tcpSocket.port")
        case .grpc(let number, _): port(number, "spec.probe.grpc.port")
        case .exec(let command): if command.isEmpty { error("spec.probe.exec", "the exec probe has no command") }
        case nil: error("spec.probe", "the probe has none of httpGet, tcpSocket, exec and grpc")
        }
    }
}
