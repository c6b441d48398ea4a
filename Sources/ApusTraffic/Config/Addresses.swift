package import ApusCore

/// Where a listener binds or an endpoint is.
package enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    case ip(IPAddress, port: UInt16)
    case pipe(path: String)
    /// A name still to be resolved; only endpoints of DNS clusters have one.
    case hostname(String, port: UInt16)

    package var port: UInt16? {
        switch self {
        case .ip(_, let port), .hostname(_, let port): port
        case .pipe: nil
        }
    }

    /// `10.0.0.1:80`, `[::1]:80`, `/path`: Envoy's `asString`.
    package var description: String {
        switch self {
        case .ip(let ip, let port): ip.family == .v6 ? "[\(ip)]:\(port)" : "\(ip):\(port)"
        case .pipe(let path): path
        case .hostname(let name, let port): "\(name):\(port)"
        }
    }
}

/// A place in stable numbering: names of clusters and route tables become small integers once, so that a request
/// indexes an array and hashes nothing. A name keeps its slot for the life of the configuration store.
package struct Slot: Hashable, Sendable {
    package let index: Int

    package init(_ index: Int) { self.index = index }
}

/// A cluster as a route names it.
package struct ClusterReference: Hashable, Sendable {
    package let name: String
    package let slot: Slot

    package init(name: String, slot: Slot) {
        self.name = name
        self.slot = slot
    }
}
