package import ApusCore

/// A certificate chain and its private key. It never shows the key: neither `print` nor a debugger's mirror.
package struct TLSCertificate: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// PEM, the leaf first.
    package let chain: [UInt8]
    /// PEM, without a password.
    package let privateKey: [UInt8]
    /// Digest of both.
    package let version: ContentVersion

    package init(chain: [UInt8], privateKey: [UInt8]) {
        self.chain = chain
        self.privateKey = privateKey
        version = .combining([ContentVersion(of: chain), ContentVersion(of: privateKey)])
    }

    package var description: String { "TLSCertificate(version: \(version), private key: [redacted])" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["version": version]) }
}

/// `SubjectAltNameMatcher`: one name of the peer's certificate that is enough.
package struct SubjectAltNameMatch: Sendable {
    package enum Kind: Hashable, Sendable { case email, dns, uri, ipAddress }

    package let kind: Kind
    package let match: StringMatch

    package init(kind: Kind, match: StringMatch) {
        self.kind = kind
        self.match = match
    }
}

/// `CertificateValidationContext`: how the peer's certificate is judged.
package struct TLSTrust: Sendable {
    /// PEM; empty: the peer's chain is not verified.
    package let roots: [UInt8]
    /// PEM; empty: none.
    package let revocations: [UInt8]
    /// One of them is enough; empty: every name.
    package let names: [SubjectAltNameMatch]
    /// SHA-256 of the peer's public key info, 32 bytes each. Together with `certificateHashes`: one of all is enough.
    package let publicKeyHashes: [[UInt8]]
    /// SHA-256 of the peer's certificate (DER), 32 bytes each.
    package let certificateHashes: [[UInt8]]
    /// `ACCEPT_UNTRUSTED`: a certificate that does not verify is taken, and known as not validated.
    package let acceptsUntrusted: Bool
    package let allowsExpired: Bool
    /// nil: the TLS library's own limit.
    package let maxVerifyDepth: UInt32?
    /// Digest of everything above.
    package let version: ContentVersion

    package init(
        roots: [UInt8] = [], revocations: [UInt8] = [], names: [SubjectAltNameMatch] = [],
        publicKeyHashes: [[UInt8]] = [], certificateHashes: [[UInt8]] = [], acceptsUntrusted: Bool = false,
        allowsExpired: Bool = false, maxVerifyDepth: UInt32? = nil, version: ContentVersion
    ) {
        self.roots = roots
        self.revocations = revocations
        self.names = names
        self.publicKeyHashes = publicKeyHashes
        self.certificateHashes = certificateHashes
        self.acceptsUntrusted = acceptsUntrusted
        self.allowsExpired = allowsExpired
        self.maxVerifyDepth = maxVerifyDepth
        self.version = version
    }

    /// `CombinedCertificateValidationContext`: what a secret sets is put over the default. Scalars of the secret win,
    /// lists are joined, flags are true if either is (a protobuf merge).
    package func merged(with secret: TLSTrust) -> TLSTrust {
        TLSTrust(
            roots: secret.roots.isEmpty ? roots : secret.roots,
            revocations: secret.revocations.isEmpty ? revocations : secret.revocations,
            names: names + secret.names,
            publicKeyHashes: publicKeyHashes + secret.publicKeyHashes,
            certificateHashes: certificateHashes + secret.certificateHashes,
            acceptsUntrusted: acceptsUntrusted || secret.acceptsUntrusted,
            allowsExpired: allowsExpired || secret.allowsExpired,
            maxVerifyDepth: secret.maxVerifyDepth ?? maxVerifyDepth,
            version: .combining([version, secret.version]))
    }
}

/// What a secret of SDS holds.
package enum SecretContent: Sendable {
    case certificate(TLSCertificate)
    case trust(TLSTrust)
    /// The first key makes tickets, all of them open tickets. Never shown.
    case sessionTicketKeys(SessionTicketKeys)

    package struct SessionTicketKeys: Sendable, CustomStringConvertible, CustomReflectable {
        /// 80 bytes each.
        package let keys: [[UInt8]]
        package let version: ContentVersion

        package init(keys: [[UInt8]]) {
            self.keys = keys
            version = .combining(keys.map { ContentVersion(of: $0) })
        }

        package var description: String { "SessionTicketKeys(version: \(version), keys: [redacted])" }
        package var customMirror: Mirror { Mirror(self, children: ["version": version]) }
    }

    package var version: ContentVersion {
        switch self {
        case .certificate(let certificate): certificate.version
        case .trust(let trust): trust.version
        case .sessionTicketKeys(let keys): keys.version
        }
    }
}

/// What a connection needs to make its TLS context, whichever side it is.
package final class TLSContextConfig: Sendable {
    package enum Role: Sendable {
        case client(Client)
        case server(Server)
    }

    /// `UpstreamTlsContext`.
    package struct Client: Sendable {
        /// Empty: no SNI is sent.
        package var serverName = ""
        /// The endpoint's host name is the SNI, where it has one.
        package var takesServerNameFromHost = false
        /// The certificate must have the SNI that was sent among its DNS names.
        package var verifiesServerName = false
        package var allowsRenegotiation = false
        /// Sessions kept for resumption; 0: none.
        package var maxSessionKeys: UInt32 = 1

        package init() {}
    }

    /// `DownstreamTlsContext`.
    package struct Server: Sendable {
        package var requiresClientCertificate = false
        /// A ClientHello without SNI is refused.
        package var requiresServerName = false
        /// Tickets (RFC 5077, RFC 8446 section 4.6.1) are not given out.
        package var disablesTickets = false
        /// Sessions are not kept by id.
        package var disablesSessionCache = false
        /// nil: the TLS library's own.
        package var sessionTimeout: Duration?
        package var prefersClientCiphers = false

        package init() {}
    }

    package enum CertificateSource: Sendable {
        case inline(TLSCertificate)
        case secret(name: String, slot: Slot)
    }

    package enum TrustSource: Sendable {
        /// The peer's certificate is not looked at.
        case none
        case inline(TLSTrust)
        case secret(name: String, slot: Slot)
        /// What the secret sets is put over the default.
        case combined(TLSTrust, name: String, slot: Slot)
    }

    package enum ProtocolVersion: Int, Comparable, Sendable {
        case v1_0 = 10
        case v1_1 = 11
        case v1_2 = 12
        case v1_3 = 13

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// Digest of the message it was decoded from.
    package let version: ContentVersion
    package let role: Role
    package let certificates: [CertificateSource]
    package let trust: TrustSource
    /// In order of preference; empty: ALPN is not spoken.
    package let alpn: [String]
    /// Envoy's defaults: 1.2 at least on both sides; at most 1.3 on servers and 1.2 on clients.
    package let minimumVersion: ProtocolVersion
    package let maximumVersion: ProtocolVersion
    /// In BoringSSL's syntax, for versions up to 1.2; empty: the library's own.
    package let cipherSuites: [String]
    /// Empty: the library's own.
    package let curves: [String]

    package init(
        version: ContentVersion, role: Role, certificates: [CertificateSource] = [], trust: TrustSource = .none,
        alpn: [String] = [], minimumVersion: ProtocolVersion = .v1_2, maximumVersion: ProtocolVersion? = nil,
        cipherSuites: [String] = [], curves: [String] = []
    ) {
        self.version = version
        self.role = role
        self.certificates = certificates
        self.trust = trust
        self.alpn = alpn
        self.minimumVersion = minimumVersion
        if let maximumVersion {
            self.maximumVersion = maximumVersion
        } else if case .server = role {
            self.maximumVersion = .v1_3
        } else {
            self.maximumVersion = .v1_2
        }
        self.cipherSuites = cipherSuites
        self.curves = curves
    }
}

/// What a context needs of its secrets at one moment, looked up and joined.
package struct TLSMaterial: Sendable {
    package let certificates: [TLSCertificate]
    /// nil: the peer's certificate is not looked at.
    package let trust: TLSTrust?
    /// Of the context and all its secrets: equal versions may share one context of the TLS library.
    package let version: ContentVersion
}

extension TLSContextConfig {
    /// - Parameter secret: what a slot holds now.
    /// - Returns: nil if a secret is missing or of another kind: no connection may be made or served then.
    package func material(_ secret: (Slot) -> SecretContent?) -> TLSMaterial? {
        var versions = [version]
        var found: [TLSCertificate] = []
        for source in certificates {
            switch source {
            case .inline(let certificate): found.append(certificate)
            case .secret(_, let slot):
                guard case .certificate(let certificate)? = secret(slot) else { return nil }
                found.append(certificate)
            }
        }
        versions += found.map(\.version)
        let judged: TLSTrust?
        switch trust {
        case .none: judged = nil
        case .inline(let trust): judged = trust
        case .secret(_, let slot):
            guard case .trust(let trust)? = secret(slot) else { return nil }
            judged = trust
        case .combined(let base, _, let slot):
            guard case .trust(let trust)? = secret(slot) else { return nil }
            judged = base.merged(with: trust)
        }
        if let judged { versions.append(judged.version) }
        return TLSMaterial(certificates: found, trust: judged, version: .combining(versions))
    }
}

extension ContentVersion {
    /// Digest of digests, in order.
    static func combining(_ versions: [ContentVersion]) -> ContentVersion {
        let bytes = versions.flatMap { version in
            (0..<8).map { (index: UInt64) in UInt8(truncatingIfNeeded: version.value >> (index * 8)) }
        }
        return ContentVersion(of: bytes)
    }
}
