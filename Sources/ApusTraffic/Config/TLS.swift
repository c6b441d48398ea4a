package import ApusCore

/// A certificate with its key, in PEM. Its description never shows the key.
package struct TLSCertificate: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Leaf first.
    package let chain: [UInt8]
    package let key: [UInt8]

    package init(chain: [UInt8], key: [UInt8]) {
        self.chain = chain
        self.key = key
    }

    package var description: String { "certificate of \(chain.count) bytes" }
    package var debugDescription: String { description }
}

/// One entry of `match_typed_subject_alt_names`.
package struct SubjectNameMatch: Sendable {
    package enum Kind: Hashable, Sendable { case email, dns, uri, ipAddress }

    package let kind: Kind
    package let match: StringMatch

    package init(kind: Kind, match: StringMatch) {
        self.kind = kind
        self.match = match
    }
}

/// `CertificateValidationContext`: which certificates of a peer are good.
package struct TLSTrust: Sendable {
    /// PEM of the roots; empty: none are named here.
    package var roots: [UInt8] = []
    /// The roots of the system's image.
    package var usesSystemRoots = false
    /// One of them must hold; empty: any name is good.
    package var names: [SubjectNameMatch] = []

    package init() {}

    package var hasRoots: Bool { !roots.isEmpty || usesSystemRoots }

    /// What both demand: the names of the default, the roots of the secret (`combined_validation_context`).
    package func merged(_ other: TLSTrust) -> TLSTrust {
        var result = self
        if !other.roots.isEmpty { result.roots = other.roots }
        result.usesSystemRoots = usesSystemRoots || other.usesSystemRoots
        result.names += other.names
        return result
    }
}

/// Who brings a secret.
package enum SecretOrigin: Hashable, Sendable {
    /// The control plane, by its name.
    case stream
    /// This proxy itself: `default`, its own certificate, and `ROOTCA`, the mesh's roots (Istio's agent).
    case identity
    /// Files of this machine: `CHAIN~KEY`, or the path of roots.
    case file
}

/// A secret that is somewhere else, and its place in `ProxyConfiguration.secrets`.
package struct SecretReference: Hashable, Sendable {
    package let name: String
    package let origin: SecretOrigin
    package let slot: Slot

    package init(name: String, origin: SecretOrigin, slot: Slot) {
        self.name = name
        self.origin = origin
        self.slot = slot
    }
}

/// A secret of this moment.
package final class Secret: Sendable {
    package enum Content: Sendable {
        case certificate(TLSCertificate)
        case trust(TLSTrust)
    }

    package let name: String
    /// Digest of what it holds.
    package let version: ContentVersion
    package let content: Content

    package init(name: String, version: ContentVersion, content: Content) {
        self.name = name
        self.version = version
        self.content = content
    }
}

/// `UpstreamTlsContext` or `DownstreamTlsContext`.
package final class TLSContext: Sendable {
    package enum CertificateSource: Sendable {
        case inline(TLSCertificate)
        case secret(SecretReference)
    }

    package enum TrustSource: Sendable {
        case inline(TLSTrust)
        /// The names of the first, the roots of the second.
        case secret(TLSTrust, SecretReference)
    }

    package enum Version: Hashable, Sendable { case tls12, tls13 }

    package enum Curve: Hashable, Sendable { case x25519, p256, p384, p521 }

    package struct Client: Hashable, Sendable {
        package var serverName = ""
        /// `auto_sni`: the request's host is the server's name, for hosts that have none in `serverName`.
        package var usesRequestName = false
        /// `auto_san_validation`: the certificate must be for that name.
        package var checksRequestName = false

        package init() {}
    }

    package struct Server: Hashable, Sendable {
        package var requiresClientCertificate = false
        package var requiresServerName = false

        package init() {}
    }

    package enum Role: Hashable, Sendable {
        case client(Client)
        case server(Server)
    }

    /// Digest of the bytes it was decoded from.
    package let version: ContentVersion
    package let role: Role
    /// nil: this side shows no certificate.
    package let certificate: CertificateSource?
    package let trust: TrustSource?
    package let alpn: [String]
    package let minimum: Version
    package let maximum: Version?
    /// OpenSSL's names, for TLS 1.2; empty: the library's choice.
    package let ciphers: [String]
    package let curves: [Curve]

    package init(
        version: ContentVersion, role: Role, certificate: CertificateSource? = nil, trust: TrustSource? = nil,
        alpn: [String] = [], minimum: Version = .tls12, maximum: Version? = nil, ciphers: [String] = [],
        curves: [Curve] = []
    ) {
        self.version = version
        self.role = role
        self.certificate = certificate
        self.trust = trust
        self.alpn = alpn
        self.minimum = minimum
        self.maximum = maximum
        self.ciphers = ciphers
        self.curves = curves
    }

    package var client: Client {
        if case .client(let client) = role { client } else { Client() }
    }

    package var server: Server {
        if case .server(let server) = role { server } else { Server() }
    }

    /// Secrets without which no handshake can begin.
    package var secrets: [SecretReference] {
        var result: [SecretReference] = []
        if case .secret(let reference)? = certificate { result.append(reference) }
        if case .secret(_, let reference)? = trust { result.append(reference) }
        return result
    }

    /// The mesh's own TLS: Istio's clients say so in what they offer.
    package var isMesh: Bool { alpn.contains("istio") }

    /// What is offered for requests of a version: Istio's proxies put the version into the offer, and inbound chains of
    /// PERMISSIVE ports are chosen by it (semantics 2.7).
    package func offer(for version: HTTPVersion?) -> [String] {
        guard isMesh, let version else { return alpn }
        return switch version {
        case .http10: ["istio-http/1.0", "istio", "http/1.0"]
        case .http11: ["istio-http/1.1", "istio", "http/1.1"]
        case .http2: ["istio-h2", "istio", "h2"]
        }
    }
}
