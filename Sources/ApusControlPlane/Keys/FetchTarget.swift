internal import ApusCore

/// A URL that keys may be fetched from, taken apart.
struct FetchTarget: Hashable, Sendable {
    let isSecure: Bool
    /// Without brackets, in lower case.
    let host: String
    let port: Int
    /// Path and query.
    let path: String

    enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case malformed
        case plaintext

        var description: String {
            switch self {
            case .malformed: "it is not an http or https URL of a host"
            case .plaintext: "it is not https; --jwks-allow HOST:PORT allows it"
            }
        }
    }

    init(_ url: String, _ policy: FetchPolicy) throws(Fault) {
        // What could end a line or hide a second URL is refused before anything else.
        guard url.utf8.count <= 2048, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .malformed }
        var rest = url[...]
        if rest.hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        } else if rest.hasPrefix("http://") {
            isSecure = false
            rest = rest.dropFirst(7)
        } else {
            throw .malformed
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        rest = rest.dropFirst(authority.count).prefix { $0 != "#" }
        path = rest.hasPrefix("/") ? String(rest) : "/" + rest
        // User and password are for nobody here.
        guard !authority.contains("@"), !authority.contains("\\") else { throw .malformed }
        var name = authority
        var number = isSecure ? 443 : 80
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw .malformed }
            name = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            if !after.isEmpty {
                guard after.hasPrefix(":"), let port = UInt16(after.dropFirst()) else { throw .malformed }
                number = Int(port)
            }
            guard IPAddress(name)?.family == .v6 else { throw .malformed }
        } else if let colon = authority.lastIndex(of: ":") {
            guard let port = UInt16(authority[authority.index(after: colon)...]) else { throw .malformed }
            number = Int(port)
            name = authority[..<colon]
        }
        guard authority.hasPrefix("[") || !name.contains(":") else { throw .malformed }
        guard !name.isEmpty, number > 0, name.allSatisfy({ $0.isLetter || $0.isNumber || "-._:".contains($0) }) else {
            throw .malformed
        }
        host = name.lowercased()
        port = number
        guard isSecure || policy.allows(host: host, port: number) else { throw .plaintext }
    }
}

/// Whom the control plane may ask for keys: somebody who may write a RequestAuthentication must not be able to make it
/// talk to what only the control plane can reach.
struct FetchPolicy: Sendable {
    /// `HOST` or `HOST:PORT`: over http, too, and at any address.
    private let allowed: Set<String>

    init(allowed: [String] = []) { self.allowed = Set(allowed.map { $0.lowercased() }) }

    func allows(host: String, port: Int) -> Bool { allowed.contains(host) || allowed.contains("\(host):\(port)") }

    /// Whether an address that a host was resolved to may be connected to.
    func allows(_ address: IPAddress, of target: FetchTarget) -> Bool {
        allows(host: target.host, port: target.port) || !Self.isInternal(address)
    }

    /// Loopback, link-local, private, shared, unspecified, multicast, reserved, and all that wraps one of them (RFC 6890).
    static func isInternal(_ address: IPAddress) -> Bool { internalRanges.contains { $0.contains(address) } }

    private static let internalRanges: [CIDR] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { CIDR($0) }
}

/// The two checks of a fetch together: of the URL, and of the address that its host has.
package struct KeyFetchCheck: Sendable {
    private let policy: FetchPolicy

    package init(allowed: [String]) { policy = FetchPolicy(allowed: allowed) }

    package func allows(_ url: String, at address: String) -> Bool {
        guard let target = try? FetchTarget(url, policy), let address = IPAddress(address) else { return false }
        return policy.allows(address, of: target)
    }
}
