internal import ApusCore
internal import ApusModel

extension Checks {
    func sidecar(_ spec: Sidecar) {
        selector(spec.workloadSelector, "spec.workloadSelector.labels")
        if spec.egress.isEmpty, spec.ingress.isEmpty, spec.outboundTrafficPolicy == nil,
            spec.inboundConnectionPool == nil
        {
            error(
                "spec", "the Sidecar sets nothing",
                hint: "give it egress, ingress, outboundTrafficPolicy or inboundConnectionPool")
        }
        if spec.workloadSelector == nil, !spec.ingress.isEmpty {
            warning("spec.ingress", "without workloadSelector these listeners are for every workload of the namespace")
        }
        if let pool = spec.inboundConnectionPool { connectionPool(pool, "spec.inboundConnectionPool") }
        if let policy = spec.outboundTrafficPolicy, let proxy = policy.egressProxy {
            if policy.mode != .allowAny {
                error("spec.outboundTrafficPolicy.egressProxy", "egressProxy needs mode ALLOW_ANY")
            }
            name(proxy.host, "the host", "spec.outboundTrafficPolicy.egressProxy.host")
            if proxy.port == nil { error("spec.outboundTrafficPolicy.egressProxy", "egressProxy has no port") }
            port(proxy.port, "spec.outboundTrafficPolicy.egressProxy.port")
        }
        if let policy = spec.outboundTrafficPolicy {
            // Both belong to the mesh as a whole.
            if policy.mode == .allowAnyDynamicDNS {
                error(
                    "spec.outboundTrafficPolicy.mode", "ALLOW_ANY_DYNAMIC_DNS is a mode of the mesh config only",
                    hint: "use ALLOW_ANY, or set it in the mesh config")
            }
            if policy.tls != nil {
                error("spec.outboundTrafficPolicy.tls", "tls for unknown hosts belongs into the mesh config")
            }
        }
        ingress(spec.ingress)
        egress(spec.egress)
    }

    private func ingress(_ listeners: [Sidecar.Ingress]) {
        var numbers: Set<UInt32> = []
        for (index, listener) in listeners.enumerated() {
            let path = { "spec.ingress[\(index)]" }
            if listener.port == PortSpec() {
                error(path(), "the ingress listener has no port")
            } else {
                port(listener.port.number, "\(path()).port.number")
                // Without a protocol it is detected.
                if !listener.port.protocol.isEmpty {
                    protocolName(listener.port.protocol, "\(path()).port", known: PortProtocol.names)
                }
                if !numbers.insert(listener.port.number).inserted {
                    error("\(path()).port.number", "the port \(listener.port.number) stands twice")
                }
            }
            if !listener.bind.isEmpty, IPAddress(listener.bind) == nil {
                error("\(path()).bind", "\"\(listener.bind)\" is not an IP address")
            }
            defaultEndpoint(listener.defaultEndpoint, "\(path()).defaultEndpoint")
            if let pool = listener.connectionPool { connectionPool(pool, "\(path()).connectionPool") }
            guard let tls = listener.tls else { continue }
            if tls.mode == .istioMutual || tls.mode == .autoPassthrough {
                error("\(path()).tls.mode", "the mode \(tls.mode.rawValue) cannot be used in a Sidecar")
            }
            if !tls.subjectAltNames.isEmpty, tls.mode != .mutual, tls.mode != .optionalMutual {
                error("\(path()).tls.subjectAltNames", "subjectAltNames needs mode MUTUAL")
            }
            if tls.httpsRedirect { error("\(path()).tls.httpsRedirect", "httpsRedirect cannot be used in a Sidecar") }
            if !tls.credentialName.isEmpty || !tls.credentialNames.isEmpty {
                error("\(path()).tls.credentialName", "credentialName cannot be used in a Sidecar", hint: "name files")
            }
            if !PortProtocol.isTLS(listener.port.protocol) {
                error("\(path()).tls", "tls needs a port of protocol HTTPS or TLS")
            } else if tls.mode != .istioMutual, tls.mode != .autoPassthrough {
                serverTLS(tls, "\(path()).tls")
            }
        }
    }

    /// `127.0.0.1:PORT`, `[::1]:PORT`, `0.0.0.0:PORT`, `[::]:PORT` or `unix://PATH`.
    private func defaultEndpoint(_ text: String, _ path: @autoclosure Path) {
        if text.isEmpty { return }
        let hint = "write 127.0.0.1:PORT, 0.0.0.0:PORT or unix://PATH"
        if text.hasPrefix("unix://") {
            if text.utf8.count <= 7 { error(path(), "the Unix socket has no path", hint: hint) }
            return
        }
        for host in ["127.0.0.1:", "[::1]:", "0.0.0.0:", "[::]:"] where text.hasPrefix(host) {
            if let number = UInt32(text.dropFirst(host.count)), number >= 1, number <= 65535 { return }
        }
        error(path(), "\"\(text)\" is not an endpoint of this workload", hint: hint)
    }

    private func egress(_ listeners: [Sidecar.Egress]) {
        var hasCatchAll = false
        var numbers: Set<String> = []
        for (index, listener) in listeners.enumerated() {
            let path = { "spec.egress[\(index)]" }
            if let port = listener.port {
                let isSocket = listener.bind.hasPrefix("unix://")
                if isSocket {
                    if port.number != 0 { error("\(path()).port.number", "a Unix socket has port number 0") }
                    if listener.captureMode != .default, listener.captureMode != .none {
                        error("\(path()).captureMode", "a Unix socket cannot be captured")
                    }
                } else {
                    self.port(port.number, "\(path()).port.number")
                    if !numbers.insert("\(listener.bind)|\(port.number)").inserted {
                        error("\(path()).port.number", "the port \(port.number) stands twice")
                    }
                }
                if !port.protocol.isEmpty {
                    protocolName(port.protocol, "\(path()).port", known: PortProtocol.names)
                }
            } else {
                if hasCatchAll { error(path(), "there is a second egress listener without port") }
                hasCatchAll = true
                if index != listeners.count - 1 { error(path(), "the egress listener without port must be the last") }
                if !listener.bind.isEmpty { warning("\(path()).bind", "bind has no effect without port") }
            }
            if !listener.bind.isEmpty, !listener.bind.hasPrefix("unix://"), IPAddress(listener.bind) == nil {
                error("\(path()).bind", "\"\(listener.bind)\" is not an IP address or unix:// path")
            }
            if listener.hosts.isEmpty { error(path(), "the egress listener has no hosts", hint: "use \"*/*\" for all") }
            egressHosts(listener.hosts, "\(path()).hosts")
        }
    }

    private func egressHosts(_ hosts: [String], _ path: @autoclosure Path) {
        var seen: Set<String> = []
        for (index, host) in hosts.enumerated() {
            let outer = path()
            let path = { "\(outer)[\(index)]" }
            if !seen.insert(host).inserted { warning(path(), "the host \"\(host)\" stands twice") }
            let parts = host.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                error(path(), "\"\(host)\" is not a host of a Sidecar", hint: "write NAMESPACE/HOST, as ./* or */*")
                continue
            }
            // A leading ~ excludes; ~ alone means no namespace.
            let namespace =
                parts[0].count > 1 && parts[0].hasPrefix("~") ? String(parts[0].dropFirst()) : String(parts[0])
            if !["*", ".", "~"].contains(namespace), !DNSName.isLabel(namespace) {
                error(path(), "\"\(namespace)\" is not the name of a namespace", hint: "write *, ., ~ or a name")
            }
            wildcardName(String(parts[1]), "the host", path())
            if host == "*/*", hosts.count > 1, hosts.allSatisfy({ !$0.hasPrefix("~") || $0.hasPrefix("~/") }) {
                warning(path(), "*/* makes the other hosts of this listener needless")
            }
        }
    }
}
