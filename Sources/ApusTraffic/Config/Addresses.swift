public import ApusCore

/// Where a listener binds or an endpoint is.
public enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    case ip(IPAddress, port: UInt16)
    case pipe(path: String)
    /// A name still to be resolved; only endpoints of DNS clusters have one.
    case hostname(String, port: UInt16)

    public var port: UInt16? {
        switch self {
        case .ip(_, let port), .hostname(_, let port): port
        case .pipe: nil
        }
    }

    /// `10.0.0.1:80`, `[::1]:80`, `/path`: Envoy's `asString`.
    public var description: String {
        switch self {
        case .ip(let ip, let port): ip.family == .v6 ? "[\(ip)]:\(port)" : "\(ip):\(port)"
        case .pipe(let path): path
        case .hostname(let name, let port): "\(name):\(port)"
        }
    }
}

/// A place in stable numbering: names of clusters and route tables become small integers once, so that a request
/// indexes an array and hashes nothing. A name keeps its slot for the life of the configuration store.
public struct Slot: Hashable, Sendable {
    public let index: Int

    public init(_ index: Int) { self.index = index }
}

/// A cluster as a route names it.
public struct ClusterReference: Hashable, Sendable {
    public let name: String
    public let slot: Slot

    public init(name: String, slot: Slot) {
        self.name = name
        self.slot = slot
    }
}
