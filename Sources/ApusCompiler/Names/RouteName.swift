package import ApusCore

/// Names of route configurations.
package enum RouteName {
    /// The explicit HTTP proxy listener: all ports in one route configuration.
    package static let httpProxy = "http_proxy"

    /// Sidecar outbound: every HTTP service on that port.
    package static func port(_ port: UInt32) -> String { String(port) }

    /// Sidecar outbound: one service port with an address of its own whose protocol is detected.
    package static func service(host: HostName, port: UInt32) -> String { "\(host.text):\(port)" }

    /// Gateway, plain HTTP: `http.8080`, with a bind `http.8080.10.0.0.1`.
    package static func gatewayHTTP(port: UInt32, bind: String = "") -> String {
        bind.isEmpty ? "http.\(port)" : "http.\(port).\(bind)"
    }

    /// Gateway, terminated TLS: one per server, with the port number as written in the Gateway.
    package static func gatewayHTTPS(
        port: UInt32, portName: String, gateway: NamespacedName, bind: String = ""
    ) -> String {
        let name = "https.\(port).\(portName).\(gateway.name).\(gateway.namespace)"
        return bind.isEmpty ? name : "\(name).\(bind)"
    }

    /// The host and port of a `<fqdn>:<port>` name; nil for every other name.
    package static func serviceParts(of name: String) -> (host: HostName, port: UInt32)? {
        guard let colon = name.lastIndex(of: ":"), colon != name.startIndex,
            let port = UInt32(name[name.index(after: colon)...])
        else { return nil }
        return (HostName(String(name[..<colon])), port)
    }
}

/// Names of virtual hosts.
package enum VirtualHostName {
    package static let allowAny = "allow_any"
    package static let blockAll = "block_all"

    package static func host(_ host: HostName, port: UInt32) -> String { "\(host.text):\(port)" }

    /// A gateway server without any virtual service.
    package static func blackhole(port: UInt32) -> String { "blackhole:\(port)" }
}
