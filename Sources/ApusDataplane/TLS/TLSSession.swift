internal import ApusCore
package import ApusTraffic
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// What a handshake needs, made once for a context of the configuration and the secrets of a moment.
package final class TLSSession: Sendable {
    let context: NIOSSLContext
    let config: TLSContext
    /// What the peer's certificate must be for beside being signed by a root.
    package let names: [SubjectNameMatch]
    /// URI names of the certificate that this side shows.
    let localURIs: [String]

    init(context: NIOSSLContext, config: TLSContext, names: [SubjectNameMatch], localURIs: [String]) {
        self.context = context
        self.config = config
        self.names = names
        self.localURIs = localURIs
    }
}

/// Why a handshake cannot even begin.
package enum TLSFailure: Error, Hashable {
    case secretMissing(String)
    case unusable(String)
    /// The peer's certificate has none of the names that are asked for.
    case nameMismatch
    case closed

    /// As Envoy prints it behind `transport failure reason:`.
    var text: String {
        switch self {
        case .secretMissing(let name): "TLS_error:|the secret \(name) is not here:TLS_error_end"
        case .unusable(let reason): "TLS_error:|\(reason):TLS_error_end"
        case .nameMismatch:
            "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:"
                + "verify cert failed: SAN matcher:TLS_error_end"
        case .closed: "TLS_error:|the peer ended the handshake:TLS_error_end"
        }
    }

    static func describe(_ error: any Error) -> String? {
        if let failure = error as? TLSFailure { return failure.text }
        guard error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError else { return nil }
        return "TLS_error:|\(String(describing: error).prefix(300)):TLS_error_end"
    }
}

/// The sessions of the process, by the versions of what they are made from: a changed secret is used by the next
/// connection, and what resumes an old connection is forgotten with its session.
package final class TLSSessions: Sendable {
    private struct Key: Hashable {
        let context: ContentVersion
        let secrets: [ContentVersion]
        let alpn: [String]
        let isClient: Bool
    }

    private let sessions = Mutex<[Key: Result<TLSSession, TLSFailure>]>([:])
    /// More are never of use at a time; then all are made anew.
    private static let limit = 10_000

    package init() {}

    /// - Parameter alpn: what is offered, or taken.
    package func session(
        _ config: TLSContext, alpn: [String], in configuration: ProxyConfiguration
    ) throws(TLSFailure) -> TLSSession {
        var secrets: [Secret] = []
        for reference in config.secrets {
            guard let secret = configuration.secret(reference.slot) else {
                throw .secretMissing(reference.name)
            }
            secrets.append(secret)
        }
        let isClient = if case .client = config.role { true } else { false }
        let key = Key(
            context: config.version, secrets: secrets.map(\.version), alpn: alpn, isClient: isClient)
        if let known = sessions.withLock({ $0[key] }) { return try known.get() }
        // Not under the lock: other loops go on meanwhile. Where two make the same, the first is kept.
        let made: Result<TLSSession, TLSFailure>
        do { made = .success(try TLSSession.make(config, alpn: alpn, configuration)) } catch let failure as TLSFailure {
            made = .failure(failure)
        } catch {
            made = .failure(.unusable(String(describing: error)))
        }
        let result = sessions.withLock { known -> Result<TLSSession, TLSFailure> in
            if let first = known[key] { return first }
            if known.count >= Self.limit { known.removeAll() }
            known[key] = made
            return made
        }
        return try result.get()
    }
}

extension TLSSession {
    fileprivate static func make(
        _ config: TLSContext, alpn: [String], _ configuration: ProxyConfiguration
    ) throws -> TLSSession {
        var trust: TLSTrust?
        switch config.trust {
        case .inline(let inline)?: trust = inline
        case .secret(let own, let reference)?:
            guard case .trust(let content)? = configuration.secret(reference.slot)?.content else {
                throw TLSFailure.unusable("the secret \(reference.name) holds no roots")
            }
            trust = own.merged(content)
        case nil: break
        }
        // An empty bundle must not mean that everybody is believed.
        if let trust, !trust.hasRoots { throw TLSFailure.unusable("the trust bundle has no roots") }
        var certificate: TLSCertificate?
        switch config.certificate {
        case .inline(let inline)?: certificate = inline
        case .secret(let reference)?:
            guard case .certificate(let content)? = configuration.secret(reference.slot)?.content else {
                throw TLSFailure.unusable("the secret \(reference.name) holds no certificate")
            }
            certificate = content
        case nil: break
        }

        var tls: TLSConfiguration
        var localURIs: [String] = []
        var chain: [NIOSSLCertificate] = []
        var key: NIOSSLPrivateKey?
        if let certificate {
            chain = try NIOSSLCertificate.fromPEMBytes(certificate.chain)
            guard let leaf = chain.first else { throw TLSFailure.unusable("the certificate chain is empty") }
            key = try NIOSSLPrivateKey(bytes: certificate.key, format: .pem)
            localURIs = SubjectNames(leaf).uris.map { String(decoding: $0, as: UTF8.self) }
        }
        switch config.role {
        case .server(let server):
            guard let key else { throw TLSFailure.unusable("a server without a certificate") }
            tls = .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            if let trust {
                // As Envoy: where the name matters, nobody is let in without one.
                let isNeeded = server.requiresClientCertificate || !trust.names.isEmpty
                tls.certificateVerification = isNeeded ? .noHostnameVerification : .optionalVerification
            }
        case .client:
            tls = .makeClientConfiguration()
            tls.certificateChain = chain.map { .certificate($0) }
            tls.privateKey = key.map { .privateKey($0) }
            tls.certificateVerification = trust == nil ? .none : .noHostnameVerification
        }
        if let trust, !trust.roots.isEmpty {
            let roots = try NIOSSLCertificate.fromPEMBytes(trust.roots)
            guard !roots.isEmpty else { throw TLSFailure.unusable("no root is in the trust bundle") }
            tls.trustRoots = .certificates(roots)
        } else if trust?.usesSystemRoots == true {
            tls.trustRoots = .default
        }
        tls.minimumTLSVersion = config.minimum == .tls13 ? .tlsv13 : .tlsv12
        tls.maximumTLSVersion = config.maximum.map { $0 == .tls13 ? .tlsv13 : .tlsv12 }
        if !config.ciphers.isEmpty { tls.cipherSuites = config.ciphers.joined(separator: ":") }
        if !config.curves.isEmpty {
            tls.curves = config.curves.map { curve in
                switch curve {
                case .x25519: .x25519
                case .p256: .secp256r1
                case .p384: .secp384r1
                case .p521: .secp521r1
                }
            }
        }
        tls.applicationProtocols = alpn
        return TLSSession(
            context: try NIOSSLContext(configuration: tls), config: config, names: trust?.names ?? [],
            localURIs: localURIs)
    }
}

extension SubjectNames {
    init(_ certificate: NIOSSLCertificate) {
        self.init()
        for name in certificate._subjectAlternativeNames() {
            let bytes = [UInt8](name.contents)
            switch name.nameType {
            case .uri: uris.append(bytes)
            case .dnsName: dnsNames.append(bytes)
            case .email: emails.append(bytes)
            case .ipAddress: addresses.append(bytes)
            default: break
            }
        }
    }
}
