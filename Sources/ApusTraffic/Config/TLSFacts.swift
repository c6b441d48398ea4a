/// What a handshake told about a connection and its peer. Times are Envoy's text for certificates.
public struct TLSFacts: Sendable {
    /// `TLSv1.2`, `TLSv1.3`.
    public var version = ""
    public var serverName = ""
    /// What both sides agreed to speak; empty: nothing was negotiated.
    public var alpn = ""
    /// The peer showed a certificate, and it was found good.
    public var hasPeerCertificate = false
    public var peerURIs: [String] = []
    public var peerDNSNames: [String] = []
    /// RFC 2253.
    public var peerSubject = ""
    public var peerIssuer = ""
    /// Hexadecimal, small letters.
    public var peerSerial = ""
    public var peerSHA256 = ""
    /// Seconds since 1970.
    public var peerValidFrom: Int64 = 0
    public var peerValidUntil: Int64 = 0
    /// PEM, percent-encoded.
    public var peerPEM = ""
    /// URI names of the certificate that this side showed.
    public var localURIs: [String] = []

    public init() {}
}

/// The facts of one connection, shared by its requests: a request takes one reference.
@dynamicMemberLookup public final class ConnectionTLS: Sendable {
    public let facts: TLSFacts
    /// Names for authorisation, in the order in which Envoy tries them; nil: no certificate.
    public let names: [String]?

    public init(_ facts: TLSFacts) {
        self.facts = facts
        names =
            facts.hasPeerCertificate
            ? facts.peerURIs + facts.peerDNSNames + (facts.peerSubject.isEmpty ? [] : [facts.peerSubject]) : nil
    }

    public subscript<Value>(dynamicMember path: KeyPath<TLSFacts, Value>) -> Value { facts[keyPath: path] }
}
