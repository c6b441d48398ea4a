package import ApusCore
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// Where the control plane listens: `HOST:PORT`, `ADDRESS:PORT`, `[IPV6]:PORT`, or `unix:PATH`.
package enum ControlPlaneAddress: Hashable, Sendable, CustomStringConvertible {
    case address(IPAddress, port: Int)
    case host(String, port: Int)
    case unix(path: String)

    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            var path = text.dropFirst(5)
            // `unix:///run/x` is the URL form of `unix:/run/x`.
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(host), address.family == .v6 else { return nil }
            self = .address(address, port: port)
            return
        }
        guard !host.isEmpty, !host.contains(":") else { return nil }
        if let address = IPAddress(host) {
            self = .address(address, port: port)
        } else {
            self = .host(String(host), port: port)
        }
    }

    package var description: String {
        switch self {
        case .address(let address, let port):
            address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .host(let host, let port): "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    var target: any ResolvableTarget {
        switch self {
        case .address(let address, let port):
            address.family == .v6
                ? .ipv6(address: address.description, port: port) : .ipv4(address: address.description, port: port)
        case .host(let host, let port): .dns(host: host, port: port)
        case .unix(let path): .unixDomainSocket(path: path)
        }
    }
}
