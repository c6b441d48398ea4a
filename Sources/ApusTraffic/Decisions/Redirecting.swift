extension RedirectAction {
    /// The `location` for a request: `scheme://host[:port]path`.
    public func location(for head: HTTPHead, match: RouteMatch?, isSecure: Bool) -> [UInt8] {
        let requestScheme = head.scheme.isEmpty ? (isSecure ? "https" : "http") : head.text(head.scheme)
        let newScheme = scheme ?? requestScheme
        var out = Array(newScheme.utf8)
        out.append("://")
        if let host, !host.isEmpty {
            out.append(contentsOf: host.utf8)
        } else {
            head.withBytes(head.authority) { authority in
                let cut = Self.hostEnd(authority, newScheme: newScheme, requestScheme: requestScheme, newPort: port)
                out.append(contentsOf: authority[..<cut])
            }
        }
        if let port {
            out.append(UInt8(ascii: ":"))
            out.appendDecimal(UInt64(port))
        }
        out.append(contentsOf: newPath(head, match))
        return out
    }

    /// The request's port goes when a new one is given, or when it is the default one of a scheme that changes.
    private static func hostEnd(
        _ authority: UnsafeRawBufferPointer, newScheme: String, requestScheme: String, newPort: UInt32?
    ) -> Int {
        guard let separator = Authority.portSeparator(authority) else { return authority.count }
        var removes = newPort != nil
        if newScheme != requestScheme {
            let port = String(decoding: authority[(separator + 1)...], as: UTF8.self)
            removes =
                removes || (requestScheme == "https" && port == "443") || (requestScheme == "http" && port == "80")
        }
        return removes ? separator : authority.count
    }

    private func newPath(_ head: HTTPHead, _ match: RouteMatch?) -> [UInt8] {
        let path: [UInt8]
        switch self.path {
        case .keep: path = head.withBytes(head.path) { Array($0) }
        case .replace(let replacement):
            // A query in the new path takes precedence and is never stripped.
            if replacement.contains(UInt8(ascii: "?")) { return replacement }
            let query = ByteRange(head.pathWithoutQuery.end, head.path.end)
            path = replacement + head.withBytes(query) { Array($0) }
        case .prefix(let replacement):
            path = match.map { PathRewriting.replacePrefix(head, match: $0, with: replacement) } ?? replacement
        case .regex(let rewrite):
            path = PathRewriting.replaceRegex(head, rewrite) ?? head.withBytes(head.path) { Array($0) }
        }
        guard stripsQuery, let query = path.firstIndex(of: UInt8(ascii: "?")) else { return path }
        return Array(path[..<query])
    }

    /// `require_tls`: the same URL with https.
    public static let toTLS = RedirectAction(scheme: "https")
}
