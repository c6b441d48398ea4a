internal import ApusCore
internal import ApusModel

/// Protocols that a gateway's or a ServiceEntry's port may name.
enum PortProtocol {
    static let names = ["HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS", "MYSQL", "REDIS", "UDP"]
    static let gatewayNames = ["HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS"]
    static func isHTTP(_ name: String) -> Bool { ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"].contains(name) }
    static func isTLS(_ name: String) -> Bool { name == "HTTPS" || name == "TLS" }
}

extension Checks {
    func gateway(_ spec: Gateway) {
        selector(spec.selector, "spec.selector")
        if spec.servers.isEmpty { error("spec", "the Gateway has no servers") }
        var names: Set<String> = []
        for (index, server) in spec.servers.enumerated() {
            let path = { "spec.servers[\(index)]" }
            self.server(server, path())
            if server.port.name.isEmpty {
                error("\(path()).port", "the port has no name", hint: "give it one, such as http or https")
            } else if !names.insert(server.port.name).inserted {
                error("\(path()).port.name", "the port name \"\(server.port.name)\" stands twice")
            }
        }
    }

    private func server(_ server: Server, _ path: @autoclosure Path) {
        if server.hosts.isEmpty { error(path(), "the server has no hosts") }
        for (index, host) in server.hosts.enumerated() { gatewayHost(host, "\(path()).hosts[\(index)]") }
        let isSocket = server.bind.hasPrefix("unix://") || server.bind.hasPrefix("/")
        if isSocket {
            if server.port.number != 0 { error("\(path()).port.number", "a server on a Unix socket has port number 0") }
        } else {
            port(server.port.number, "\(path()).port.number")
            if !server.bind.isEmpty, IPAddress(server.bind) == nil {
                error("\(path()).bind", "\"\(server.bind)\" is not an IP address or unix:// path")
            }
        }
        protocolName(server.port.protocol, "\(path()).port", known: PortProtocol.gatewayNames)
        if server.port.targetPort != nil {
            error("\(path()).port.targetPort", "a gateway's port cannot have a targetPort", hint: "remove it")
        }
        if !server.defaultEndpoint.isEmpty {
            warning("\(path()).defaultEndpoint", "defaultEndpoint of a Gateway has no effect")
        }
        let name = server.port.protocol
        guard let tls = server.tls else {
            if PortProtocol.isTLS(name) {
                error(path(), "the port speaks \(name), but the server has no tls", hint: "add tls with a mode")
            }
            return
        }
        if PortProtocol.isHTTP(name) {
            var plain = tls
            plain.httpsRedirect = false
            if plain != ServerTLSSettings() {
                error(
                    "\(path()).tls", "a server of protocol \(name) can have no tls setting other than httpsRedirect",
                    hint: "use protocol HTTPS, or remove the settings")
            }
        } else if !PortProtocol.isTLS(name) {
            if PortProtocol.gatewayNames.contains(name) {
                error("\(path()).tls", "a server of protocol \(name) cannot have tls", hint: "use protocol TLS")
            }
        } else {
            if tls.httpsRedirect { warning("\(path()).tls.httpsRedirect", "httpsRedirect works only on HTTP servers") }
            serverTLS(tls, "\(path()).tls")
        }
    }

    func protocolName(_ name: String, _ path: @autoclosure Path, known: [String]) {
        if name.isEmpty {
            error(path(), "the port has no protocol", hint: "use one of \(known.joined(separator: ", "))")
        } else if !known.contains(name) {
            error(
                "\(path()).protocol", "the protocol \"\(name)\" is unknown",
                hint: Suggestion.closest(to: name, among: known).map { "did you mean \($0)?" }
                    ?? "use one of \(known.joined(separator: ", "))")
        }
    }

    /// `[namespace/]host`.
    private func gatewayHost(_ host: String, _ path: @autoclosure Path) {
        let parts = host.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            error(path(), "\"\(host)\" is not a host", hint: "write HOST or NAMESPACE/HOST")
            return
        }
        if parts.count == 2, parts[0] != "*", parts[0] != ".", !DNSName.isLabel(String(parts[0])) {
            error(path(), "\"\(parts[0])\" is not the name of a namespace", hint: "write *, . or a name")
        }
        let name = String(parts[parts.count - 1])
        if IPAddress(name) == nil { wildcardName(name, "the host", path()) }
    }

    func serverTLS(_ tls: ServerTLSSettings, _ path: @autoclosure Path) {
        let hasFiles = !tls.serverCertificate.isEmpty || !tls.privateKey.isEmpty
        let sources = [
            hasFiles, !tls.credentialName.isEmpty, !tls.credentialNames.isEmpty, !tls.tlsCertificates.isEmpty,
        ].count(where: { $0 })
        switch tls.mode {
        case .passthrough, .autoPassthrough:
            if sources > 0 || !tls.caCertificates.isEmpty {
                warning(path(), "\(tls.mode.rawValue) does not end TLS, so its certificates have no effect")
            }
        case .istioMutual:
            if sources > 0 || !tls.caCertificates.isEmpty {
                error(path(), "ISTIO_MUTUAL uses the mesh's own certificates and cannot name others")
            }
        case .simple, .mutual, .optionalMutual:
            if sources == 0 {
                error(
                    path(), "\(tls.mode.rawValue) needs a certificate",
                    hint: "name a Secret in credentialName, or give serverCertificate and privateKey")
            }
            if sources > 1 {
                error(
                    path(), "more than one source of certificates is given",
                    hint: "keep one of credentialName, credentialNames, tlsCertificates and the files")
            }
            if hasFiles {
                if tls.serverCertificate.isEmpty { error(path(), "privateKey is given without serverCertificate") }
                if tls.privateKey.isEmpty { error(path(), "serverCertificate is given without privateKey") }
            }
            for (index, pair) in tls.tlsCertificates.enumerated()
            where pair.serverCertificate.isEmpty || pair.privateKey.isEmpty {
                error("\(path()).tlsCertificates[\(index)]", "the entry needs serverCertificate and privateKey")
            }
            if tls.mode != .simple, tls.caCertificates.isEmpty, tls.caCertCredentialName.isEmpty,
                tls.credentialName.isEmpty, tls.credentialNames.isEmpty,
                !tls.tlsCertificates.contains(where: { !$0.caCertificates.isEmpty })
            {
                error(path(), "\(tls.mode.rawValue) needs caCertificates to check clients with")
            }
            if !tls.caCrl.isEmpty {
                if tls.mode == .simple { error("\(path()).caCrl", "caCrl needs a mode that checks clients") }
                if !tls.credentialName.isEmpty { error("\(path()).caCrl", "caCrl excludes credentialName") }
            }
            if tls.credentialNames.count > 2 || tls.tlsCertificates.count > 2 {
                warning(path(), "more than 2 server certificates are given: one for RSA and one for ECDSA are used")
            }
        }
        for (field, version) in [
            ("minProtocolVersion", tls.minProtocolVersion), ("maxProtocolVersion", tls.maxProtocolVersion),
        ] where version == .v10 || version == .v11 {
            warning("\(path()).\(field)", "\(version.rawValue) is not safe", hint: "use TLSV1_2 or TLSV1_3")
        }
        var suites: Set<String> = []
        for (index, suite) in tls.cipherSuites.enumerated() {
            if !CipherSuite.names.contains(suite) {
                warning("\(path()).cipherSuites[\(index)]", "the cipher suite \"\(suite)\" is unknown and is ignored")
            } else if !suites.insert(suite).inserted {
                warning("\(path()).cipherSuites[\(index)]", "the cipher suite \"\(suite)\" stands twice")
            }
        }
        for (index, name) in tls.subjectAltNames.enumerated() where name.isEmpty {
            error("\(path()).subjectAltNames[\(index)]", "the subject name is empty")
        }
    }
}

/// Cipher suites of TLS 1.2 and before that Envoy's BoringSSL knows, by OpenSSL's names.
enum CipherSuite {
    static let names: Set<String> = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-PSK-AES128-CBC-SHA",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-PSK-AES256-CBC-SHA", "AES128-GCM-SHA256",
        "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "PSK-AES128-CBC-SHA", "PSK-AES256-CBC-SHA", "DES-CBC3-SHA",
    ]
}
