/// A subject alternative name of a certificate, as it stands there.
package struct SubjectAltName: Hashable, Sendable {
    package let kind: SubjectAltNameMatch.Kind
    /// Bytes of the name; addresses in their text form.
    package let value: [UInt8]

    package init(_ kind: SubjectAltNameMatch.Kind, _ value: [UInt8]) {
        self.kind = kind
        self.value = value
    }
}

extension SubjectAltNameMatch {
    /// True if the name is of this kind and matches. A name with a NUL byte matches nothing: another reader of the
    /// certificate may end it there. An exact matcher of DNS names compares without case and takes a wildcard only as
    /// the whole first label of the certificate's name (RFC 6125, section 6.4.3).
    package func matches(_ name: SubjectAltName) -> Bool {
        guard name.kind == kind, !name.value.contains(0) else { return false }
        if kind == .dns, case .exact(let wanted) = match.pattern { return Self.covers(name.value, wanted) }
        return name.value.withUnsafeBytes { match.matches($0) }
    }

    /// - Parameter pattern: a DNS name of a certificate, with or without a leading `*.`.
    static func covers(_ pattern: [UInt8], _ host: [UInt8]) -> Bool {
        let pattern = pattern.map(ASCII.lower)
        let host = host.map(ASCII.lower)
        if pattern == host { return true }
        guard pattern.starts(with: Array("*.".utf8)), let dot = host.firstIndex(of: UInt8(ascii: ".")), dot > 0 else {
            return false
        }
        let parent = pattern.dropFirst()
        // `*.com` would speak for every name below a public suffix.
        guard parent.dropFirst().contains(UInt8(ascii: ".")) else { return false }
        return parent.elementsEqual(host[dot...])
    }
}

extension TLSTrust {
    /// True if the certificate's names are good enough. The chain and the hashes are judged apart from this.
    package func accepts(names presented: [SubjectAltName]) -> Bool {
        names.isEmpty || presented.contains { name in names.contains { $0.matches(name) } }
    }
}
