internal import ApusMesh
internal import ApusModel

/// The name of a Secret over xDS, taken apart (semantics 2.5).
struct CredentialName: Hashable {
    enum Source: Hashable { case secret, configMap }

    let source: Source
    let namespace: String
    /// Of the object, as written: `-cacert` at its end may be part of it.
    let name: String

    /// `kubernetes://x`, `kubernetes://ns/x`, `kubernetes-gateway://ns/x`, `configmap://ns/x`. Nil for other kinds, and
    /// for objects outside of the proxy's own namespace: there are no grants here that would allow these.
    init?(_ text: String, proxyNamespace: String) {
        guard let scheme = text.range(of: "://") else { return nil }
        switch text[..<scheme.lowerBound] {
        case "kubernetes", "kubernetes-gateway": source = .secret
        case "configmap": source = .configMap
        default: return nil
        }
        let parts = text[scheme.upperBound...].split(separator: "/", omittingEmptySubsequences: false)
        switch parts.count {
        case 1 where source == .secret: namespace = proxyNamespace
        case 2: namespace = String(parts[0])
        default: return nil
        }
        name = String(parts[parts.count - 1])
        guard namespace == proxyNamespace, !name.isEmpty else { return nil }
    }

    static let rootsSuffix = "-cacert"
}

extension String {
    /// The first place of `text`.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

extension ServerTLSSettings {
    /// The certificate or the roots come from a Secret.
    var usesCredential: Bool { !credentialName.isEmpty || !credentialNames.isEmpty || !caCertCredentialName.isEmpty }
}
