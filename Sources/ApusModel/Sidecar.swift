package struct Sidecar: Hashable, Sendable {
    package enum CaptureMode: String, Hashable, Sendable, CaseIterable {
        case `default` = "DEFAULT"
        case iptables = "IPTABLES"
        case none = "NONE"
    }

    package struct Egress: Hashable, Sendable {
        package var port: PortSpec?
        package var bind = ""
        package var captureMode = CaptureMode.default
        /// `namespace/dnsName`.
        package var hosts: [String] = []
        package init() {}
    }

    package struct Ingress: Hashable, Sendable {
        package var port = PortSpec()
        package var bind = ""
        package var captureMode = CaptureMode.default
        package var defaultEndpoint = ""
        package var tls: ServerTLSSettings?
        package var connectionPool: ConnectionPoolSettings?
        package init() {}
    }

    package var workloadSelector: [String: String]?
    package var egress: [Egress] = []
    package var ingress: [Ingress] = []
    package var outboundTrafficPolicy: OutboundTrafficPolicy?
    package var inboundConnectionPool: ConnectionPoolSettings?
    package init() {}
}

package struct OutboundTrafficPolicy: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case registryOnly = "REGISTRY_ONLY"
        case allowAny = "ALLOW_ANY"
        case allowAnyDynamicDNS = "ALLOW_ANY_DYNAMIC_DNS"
    }

    package var mode = Mode.registryOnly
    package var egressProxy: Destination?
    /// TLS towards hosts that `ALLOW_ANY_DYNAMIC_DNS` resolves; only in the mesh config.
    package var tls: ClientTLSSettings?
    package init() {}
}
