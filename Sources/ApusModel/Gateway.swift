package struct Gateway: Hashable, Sendable {
    package var servers: [Server] = []
    package var selector: [String: String] = [:]
    package init() {}
}

package struct PortSpec: Hashable, Sendable {
    package var number: UInt32 = 0
    package var name = ""
    /// As written, upper-cased.
    package var `protocol` = ""
    package var targetPort: UInt32?
    package init() {}
}

package struct Server: Hashable, Sendable {
    package var port = PortSpec()
    package var bind = ""
    /// `[namespace/]host`.
    package var hosts: [String] = []
    package var tls: ServerTLSSettings?
    package var defaultEndpoint = ""
    package var name = ""
    package init() {}
}

package struct ServerTLSSettings: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case passthrough = "PASSTHROUGH"
        case simple = "SIMPLE"
        case mutual = "MUTUAL"
        case autoPassthrough = "AUTO_PASSTHROUGH"
        case istioMutual = "ISTIO_MUTUAL"
        case optionalMutual = "OPTIONAL_MUTUAL"
    }

    package enum ProtocolVersion: String, Hashable, Sendable, CaseIterable {
        case auto = "TLS_AUTO"
        case v10 = "TLSV1_0"
        case v11 = "TLSV1_1"
        case v12 = "TLSV1_2"
        case v13 = "TLSV1_3"
    }

    package struct Certificate: Hashable, Sendable {
        package var serverCertificate = ""
        package var privateKey = ""
        package var caCertificates = ""
        package init() {}
    }

    package var httpsRedirect = false
    package var mode = Mode.passthrough
    package var serverCertificate = ""
    package var privateKey = ""
    package var caCertificates = ""
    package var caCrl = ""
    package var credentialName = ""
    package var credentialNames: [String] = []
    package var caCertCredentialName = ""
    package var tlsCertificates: [Certificate] = []
    package var subjectAltNames: [String] = []
    package var verifyCertificateSpki: [String] = []
    package var verifyCertificateHash: [String] = []
    package var minProtocolVersion = ProtocolVersion.auto
    package var maxProtocolVersion = ProtocolVersion.auto
    package var cipherSuites: [String] = []
    package init() {}
}
