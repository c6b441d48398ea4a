public import ApusCore

/// The names of a certificate.
public struct SubjectNames: Sendable {
    public var uris: [[UInt8]] = []
    public var dnsNames: [[UInt8]] = []
    public var emails: [[UInt8]] = []
    /// Four or sixteen bytes.
    public var addresses: [[UInt8]] = []

    public init() {}

    /// True if one of the matchers holds for a name of its kind. A name with a NUL in it is nobody's: C programs read it
    /// as a shorter one.
    public func satisfy(_ wanted: [SubjectNameMatch]) -> Bool {
        wanted.isEmpty || wanted.contains { holds($0) }
    }

    private func holds(_ match: SubjectNameMatch) -> Bool {
        switch match.kind {
        case .uri: any(uris, match.match)
        case .email: any(emails, match.match)
        case .dns:
            dnsNames.contains { name in
                guard !name.contains(0) else { return false }
                if case .exact(let host) = match.match.pattern { return Self.covers(name, host) }
                return name.withUnsafeBytes { match.match.matches($0) }
            }
        case .ipAddress:
            addresses.contains { bytes in
                guard let address = IPAddress(networkBytes: bytes) else { return false }
                return Array(address.description.utf8).withUnsafeBytes { match.match.matches($0) }
            }
        }
    }

    private func any(_ names: [[UInt8]], _ match: StringMatch) -> Bool {
        names.contains { name in !name.contains(0) && name.withUnsafeBytes { match.matches($0) } }
    }

    /// The certificate is for this host (RFC 9525): a DNS name, or an address for a host that is one.
    public func isFor(_ host: String) -> Bool {
        let plain = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        if let address = IPAddress(plain) { return addresses.contains { IPAddress(networkBytes: $0) == address } }
        return dnsNames.contains { !$0.contains(0) && Self.covers($0, Array(plain.utf8)) }
    }

    /// A name of a certificate covers a host if they are the same but for case, or if its first label is `*` and the rest
    /// is the same.
    static func covers(_ name: [UInt8], _ host: [UInt8]) -> Bool {
        let name = name.map(ASCII.lower)
        let host = host.map(ASCII.lower)
        if name == host { return true }
        guard name.starts(with: Array("*.".utf8)), let dot = host.firstIndex(of: UInt8(ascii: ".")), dot > 0 else {
            return false
        }
        return name.dropFirst() == host[dot...]
    }
}
