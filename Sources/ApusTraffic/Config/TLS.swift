public import ApusCore

/// A certificate with its key, in PEM. Its description never shows the key.
public struct TLSCertificate: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Leaf first.
    public let chain: [UInt8]
    public let key: [UInt8]

    public init(chain: [UInt8], key: [UInt8]) {
        self.chain = chain
        self.key = key
    }

    public var description: String { "certificate of \(chain.count) bytes" }
    public var debugDescription: String { description }
}

/// One entry of `match_typed_subject_alt_names`.
public struct SubjectNameMatch: Sendable {
    public enum Kind: Hashable, Sendable { case email, dns, uri, ipAddress }

    public let kind: Kind
    public let match: StringMatch

    public init(kind: Kind, match: StringMatch) {
        self.kind = kind
        self.match = match
    }
}

/// `CertificateValidationContext`: which certificates of a peer are good.
public struct TLSTrust: Sendable {
    /// PEM of the roots; empty: none are named here.
    public var roots: [UInt8] = []
    /// The roots of the system's image.
    public var usesSystemRoots = false
    /// One of them must hold; empty: any name is good.
    public var names: [SubjectNameMatch] = []

    public init() {}

    public var hasRoots: Bool { !roots.isEmpty || usesSystemRoots }

    /// What both demand: the names of the default, the roots of the secret (`combined_validation_context`).
    public func merged(_ other: TLSTrust) -> TLSTrust {
        var result = self
        if !other.roots.isEmpty { result.roots = other.roots }
        result.usesSystemRoots = usesSystemRoots || other.usesSystemRoots
        result.names += other.names
        return result
    }
}

/// Who brings a secret.
public enum SecretOrigin: Hashable, Sendable {
    /// The control plane, by its name.
    case stream
    /// This proxy itself: `default`, its own certificate, and `ROOTCA`, the mesh's roots (Istio's agent).
    case identity
    /// Files of this machine: `CHAIN~KEY`, or the path of roots.
    case file
}

/// A secret that is somewhere else, and its place in `ProxyConfiguration.secrets`.
public struct SecretReference: Hashable, Sendable {
    public let name: String
    public let origin: SecretOrigin
    public let slot: Slot

    public init(name: String, origin: SecretOrigin, slot: Slot) {
        self.name = name
        self.origin = origin
        self.slot = slot
    }
}

/// A secret of this moment.
public final class Secret: Sendable {
    public enum Content: Sendable {
        case certificate(TLSCertificate)
        case trust(TLSTrust)
    }

    public let name: String
    /// Digest of what it holds.
    public let version: ContentVersion
    public let content: Content

    public init(name: String, version: ContentVersion, content: Content) {
        self.name = name
        self.version = version
        self.content = content
    }
}

/// `UpstreamTlsContext` or `DownstreamTlsContext`.
public final class TLSContext: Sendable {
    public enum CertificateSource: Sendable {
        case inline(TLSCertificate)
        case secret(SecretReference)
    }

    public enum TrustSource: Sendable {
        case inline(TLSTrust)
        /// The names of the first, the roots of the second.
        case secret(TLSTrust, SecretReference)
    }

    public enum Version: Hashable, Sendable { case tls12, tls13 }

    public enum Curve: Hashable, Sendable { case x25519, p256, p384, p521 }

    public struct Client: Hashable, Sendable {
        public var serverName = ""
        /// `auto_sni`: the request's host is the server's name, for hosts that have none in `serverName`.
        public var usesRequestName = false
        /// `auto_san_validation`: the certificate must be for that name.
        public var checksRequestName = false

        public init() {}
    }

    public struct Server: Hashable, Sendable {
        public var requiresClientCertificate = false
        public var requiresServerName = false

        public init() {}
    }

    public enum Role: Hashable, Sendable {
        case client(Client)
        case server(Server)
    }

    /// Digest of the bytes it was decoded from.
    public let version: ContentVersion
    public let role: Role
    /// nil: this side shows no certificate.
    public let certificate: CertificateSource?
    public let trust: TrustSource?
    public let alpn: [String]
    public let minimum: Version
    public let maximum: Version?
    /// OpenSSL's names, for TLS 1.2; empty: the library's choice.
    public let ciphers: [String]
    public let curves: [Curve]

    public init(
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

    public var client: Client {
        if case .client(let client) = role { client } else { Client() }
    }

    public var server: Server {
        if case .server(let server) = role { server } else { Server() }
    }

    /// Secrets without which no handshake can begin.
    public var secrets: [SecretReference] {
        var result: [SecretReference] = []
        if case .secret(let reference)? = certificate { result.append(reference) }
        if case .secret(_, let reference)? = trust { result.append(reference) }
        return result
    }

    /// The mesh's own TLS: Istio's clients say so in what they offer.
    public var isMesh: Bool { alpn.contains("istio") }

    /// What is offered for requests of a version: Istio's proxies put the version into the offer, and inbound chains of
    /// PERMISSIVE ports are chosen by it (semantics 2.7).
    public func offer(for version: HTTPVersion?) -> [String] {
        guard isMesh, let version else { return alpn }
        return switch version {
        case .http10: ["istio-http/1.0", "istio", "http/1.0"]
        case .http11: ["istio-http/1.1", "istio", "http/1.1"]
        case .http2: ["istio-h2", "istio", "h2"]
        }
    }
}
