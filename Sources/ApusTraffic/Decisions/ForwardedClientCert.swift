/// `x-forwarded-client-cert`, as Envoy writes it.
extension HTTPConnectionManager {
    /// - Parameter connection: nil, or without a certificate: the header is not believed, unless it always is.
    func forwardClientCertificate(_ head: inout HTTPHead, _ connection: ConnectionTLS?) {
        if identity.clientCertificate == .alwaysForwardOnly { return }
        guard identity.clientCertificate != .sanitize, let facts = connection?.facts, facts.hasPeerCertificate else {
            head.remove(.xForwardedClientCert)
            return
        }
        if identity.clientCertificate == .forwardOnly { return }
        let own = Array(element(facts).utf8)
        if identity.clientCertificate == .sanitizeSet {
            head.remove(.xForwardedClientCert)
            head.append(.xForwardedClientCert, own)
        } else {
            Self.appendToCertificates(&head, own)
        }
    }

    /// One hop: what this proxy knows of its own client.
    private func element(_ facts: TLSFacts) -> String {
        var parts = facts.localURIs.map { "By=\($0)" }
        if !facts.peerSHA256.isEmpty { parts.append("Hash=\(facts.peerSHA256)") }
        let details = identity.certificateDetails
        if details.contains(.certificate) { parts.append("Cert=\"\(facts.peerPEM)\"") }
        if details.contains(.subject) {
            // RFC 2253 has escaped what it must; Envoy adds nothing.
            parts.append("Subject=\"\(facts.peerSubject)\"")
        }
        if details.contains(.uri) {
            parts += facts.peerURIs.isEmpty ? ["URI="] : facts.peerURIs.map { "URI=\($0)" }
        }
        if details.contains(.dns) { parts += facts.peerDNSNames.map { "DNS=\($0)" } }
        return parts.joined(separator: ";")
    }

    private static func appendToCertificates(_ head: inout HTTPHead, _ own: [UInt8]) {
        guard let old = head.value(.xForwardedClientCert) else {
            head.append(.xForwardedClientCert, own)
            return
        }
        let joined = head.withBytes(old) { Array($0) } + [UInt8(ascii: ",")] + own
        head.remove(.xForwardedClientCert)
        head.append(.xForwardedClientCert, joined)
    }
}
