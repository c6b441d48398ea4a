internal import ApusCore
internal import ApusModel

extension Checks {
    func service(_ spec: KubernetesService) {
        var names: Set<String> = []
        for (index, port) in spec.ports.enumerated() {
            let path = { "spec.ports[\(index)]" }
            self.port(port.port, "\(path()).port")
            if case .number(let number) = port.targetPort { self.port(number, "\(path()).targetPort") }
            if port.name.isEmpty, spec.ports.count > 1 {
                error(path(), "a port of a Service with several ports needs a name")
            } else if !port.name.isEmpty, !names.insert(port.name).inserted {
                error("\(path()).name", "the port name \"\(port.name)\" stands twice")
            }
            portNaming(port, isExternalName: spec.type == "ExternalName", path())
        }
        for (index, address) in spec.clusterIPs.enumerated() where IPAddress(address) == nil {
            error(index == 0 ? "spec.clusterIP" : "spec.clusterIPs[\(index)]", "\"\(address)\" is not an IP address")
        }
        if spec.type == "ExternalName" {
            name(spec.externalName, "the external name", "spec.externalName")
        } else if !["ClusterIP", "NodePort", "LoadBalancer"].contains(spec.type) {
            error("spec.type", "the Service type \"\(spec.type)\" is unknown")
        }
        labels(spec.selector, "spec.selector")
    }

    /// Istio takes the protocol from `appProtocol` or from the name up to its first hyphen.
    private func portNaming(_ port: KubernetesService.Port, isExternalName: Bool, _ path: @autoclosure Path) {
        guard port.transport == "TCP", port.appProtocol == nil, !isExternalName,
            ![25, 53, 3306, 27017].contains(port.port)
        else { return }
        let name = port.name.lowercased()
        let known = ["http", "http2", "https", "grpc", "grpc-web", "tcp", "tls", "mongo", "mysql", "redis", "udp"]
        if known.contains(where: { name == $0 || name.hasPrefix($0 + "-") }) { return }
        report(
            .info, FindingCode.portNaming, port.name.isEmpty ? path() : "\(path()).name",
            port.name.isEmpty
                ? "the port \(port.port) has no name, so its protocol is detected from the traffic"
                : "the port name \"\(port.name)\" does not tell the protocol, so it is detected from the traffic",
            hint:
                "begin the name with the protocol, as http-\(port.name.isEmpty ? "web" : port.name), or set appProtocol"
        )
    }

    func endpointSlice(_ spec: EndpointSlice) {
        if spec.serviceName.isEmpty {
            warning(
                "metadata.labels", "the EndpointSlice has no label kubernetes.io/service-name and belongs to no Service"
            )
        }
        if !["IPv4", "IPv6", "FQDN"].contains(spec.addressType) {
            error("addressType", "the addressType \"\(spec.addressType)\" is not IPv4, IPv6 or FQDN")
        }
        for (index, endpoint) in spec.endpoints.enumerated() {
            if endpoint.addresses.isEmpty { error("endpoints[\(index)]", "the endpoint has no address") }
            for (position, address) in endpoint.addresses.enumerated() {
                let path = { "endpoints[\(index)].addresses[\(position)]" }
                switch spec.addressType {
                case "IPv4":
                    if IPAddress(address)?.family != .v4 { error(path(), "\"\(address)\" is not an IPv4 address") }
                case "IPv6":
                    if IPAddress(address)?.family != .v6 { error(path(), "\"\(address)\" is not an IPv6 address") }
                default: name(address, "the address", path())
                }
            }
        }
        for (index, port) in spec.ports.enumerated() { self.port(port.port, "ports[\(index)].port") }
    }

    func endpoints(_ spec: KubernetesEndpoints) {
        for (index, subset) in spec.subsets.enumerated() {
            for (field, list) in [("addresses", subset.addresses), ("notReadyAddresses", subset.notReadyAddresses)] {
                for (position, address) in list.enumerated() where IPAddress(address.ip) == nil {
                    error(
                        "subsets[\(index)].\(field)[\(position)].ip", "\"\(address.ip)\" is not an IP address")
                }
            }
            for (position, port) in subset.ports.enumerated() {
                self.port(port.port, "subsets[\(index)].ports[\(position)].port")
            }
        }
    }

    func pod(_ spec: Pod) {
        for (index, address) in spec.podIPs.enumerated() where IPAddress(address) == nil {
            error("status.podIPs[\(index)]", "\"\(address)\" is not an IP address")
        }
        injectionAnnotations(object.metadata.annotations, "metadata.annotations")
    }

    func workloadController(_ spec: WorkloadController) {
        let path =
            object.key.kind == .cronJob
            ? "spec.jobTemplate.spec.template.metadata.annotations" : "spec.template.metadata.annotations"
        injectionAnnotations(spec.templateAnnotations, path)
    }

    /// Annotations that decide about injection and capture (semantics 7.3 and 7.4).
    private func injectionAnnotations(_ annotations: [String: String], _ path: String) {
        func place(_ name: String) -> String { "\(path)[\"\(name)\"]" }
        let prefix = "traffic.sidecar.istio.io/"
        for name in [
            "includeInboundPorts", "excludeInboundPorts", "includeOutboundPorts", "excludeOutboundPorts",
        ] {
            guard let text = annotations[prefix + name], !text.isEmpty, text != "*" else { continue }
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let trimmed = part.drop { $0 == " " }
                if UInt32(trimmed).map({ $0 < 1 || $0 > 65535 }) ?? true {
                    report(
                        .error, FindingCode.invalidAnnotation, place(prefix + name),
                        "\(prefix)\(name) has \"\(trimmed)\", which is no port", hint: "write ports divided by commas")
                }
            }
        }
        for name in ["includeOutboundIPRanges", "excludeOutboundIPRanges"] {
            guard let text = annotations[prefix + name], !text.isEmpty, text != "*" else { continue }
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let trimmed = String(part.drop { $0 == " " })
                guard let range = CIDR(trimmed) else {
                    report(
                        .error, FindingCode.invalidAnnotation, place(prefix + name),
                        "\(prefix)\(name) has \"\(trimmed)\", which is no IP range", hint: "write 10.1.0.0/16")
                    continue
                }
                if name == "excludeOutboundIPRanges", range.isPrivateAndWide {
                    report(
                        .warning, FindingCode.meshBypass, place(prefix + name),
                        "\(trimmed) contains most addresses of usual clusters: traffic there leaves the mesh, without "
                            + "routing, policies and mutual TLS",
                        hint: "exclude only the ranges outside the mesh")
                }
            }
        }
        if let mode = annotations["sidecar.istio.io/interceptionMode"], !["REDIRECT", "TPROXY", "NONE"].contains(mode) {
            report(
                .error, FindingCode.invalidAnnotation, place("sidecar.istio.io/interceptionMode"),
                "the interceptionMode \"\(mode)\" is unknown", hint: "use REDIRECT, TPROXY or NONE")
        }
        if let inject = annotations["sidecar.istio.io/inject"], !["true", "false"].contains(inject) {
            report(
                .warning, FindingCode.invalidAnnotation, place("sidecar.istio.io/inject"),
                "sidecar.istio.io/inject is \"\(inject)\"", hint: "write \"true\" or \"false\"")
        }
        let scrapes = annotations["prometheus.io/scrape"] == "true"
        let merges = annotations["prometheus.istio.io/merge-metrics"] != "false"
        if scrapes, merges, let text = annotations["prometheus.io/port"], let number = UInt32(text),
            [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090].contains(number)
        {
            report(
                .warning, FindingCode.invalidAnnotation, place("prometheus.io/port"),
                "the port \(number) is the proxy's own, so the sidecar is not injected into this Pod",
                hint: number == 15090
                    ? "remove the annotations (metrics are then served on 15020), or add "
                        + "prometheus.istio.io/merge-metrics: \"false\""
                    : "name the application's port")
        }
    }
}

extension CIDR {
    /// A private range so wide that a cluster's own pods and services are probably in it.
    fileprivate var isPrivateAndWide: Bool {
        guard address.family == .v4 else { return prefixLength <= 8 }
        if prefixLength == 0 { return true }
        let first = address.bits >> 24
        return first == 10 && prefixLength <= 9 || first == 172 && prefixLength <= 12
            || address.bits >> 16 == 192 << 8 | 168 && prefixLength <= 16
    }
}
