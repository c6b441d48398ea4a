/// What a handshake told about a connection and its peer. Times are Envoy's text for certificates.
package struct TLSFacts: Sendable {
    /// `TLSv1.2`, `TLSv1.3`.
    package var version = ""
    package var serverName = ""
    /// What both sides agreed to speak; empty: nothing was negotiated.
    package var alpn = ""
    /// The peer showed a certificate, and it was found good.
    package var hasPeerCertificate = false
    package var peerURIs: [String] = []
    package var peerDNSNames: [String] = []
    /// RFC 2253.
    package var peerSubject = ""
    package var peerIssuer = ""
    /// Hexadecimal, small letters.
    package var peerSerial = ""
    package var peerSHA256 = ""
    /// Seconds since 1970.
    package var peerValidFrom: Int64 = 0
    package var peerValidUntil: Int64 = 0
    /// PEM, percent-encoded.
    package var peerPEM = ""
    /// URI names of the certificate that this side showed.
    package var localURIs: [String] = []

    package init() {}
}

/// The facts of one connection, shared by its requests: a request takes one reference.
@dynamicMemberLookup package final class ConnectionTLS: Sendable {
    package let facts: TLSFacts
    /// Names for authorisation, in the order in which Envoy tries them; nil: no certificate.
    package let names: [String]?

    package init(_ facts: TLSFacts) {
        self.facts = facts
        names =
            facts.hasPeerCertificate
            ? facts.peerURIs + facts.peerDNSNames + (facts.peerSubject.isEmpty ? [] : [facts.peerSubject]) : nil
    }

    package subscript<Value>(dynamicMember path: KeyPath<TLSFacts, Value>) -> Value { facts[keyPath: path] }
}
