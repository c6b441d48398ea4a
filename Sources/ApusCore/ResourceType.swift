/// The xDS resource types that Apus serves. The order of the cases is the order of pushing, make before break:
/// clusters, their endpoints, listeners, their routes, then secrets.
public enum ResourceType: UInt8, Hashable, Sendable, Comparable, CaseIterable {
    case cluster, endpoints, listener, route, secret

    public var typeURL: String {
        switch self {
        case .cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        case .endpoints: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
        case .listener: "type.googleapis.com/envoy.config.listener.v3.Listener"
        case .route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
        case .secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
        }
    }

    public init?(typeURL: String) {
        guard let type = Self.allCases.first(where: { $0.typeURL == typeURL }) else { return nil }
        self = type
    }

    /// `cds`, `eds`, `lds`, `rds`, `sds`.
    public var shortName: String {
        switch self {
        case .cluster: "cds"
        case .endpoints: "eds"
        case .listener: "lds"
        case .route: "rds"
        case .secret: "sds"
        }
    }

    /// Without names in the first request this type means "everything" (xDS protocol: LDS and CDS).
    public var allowsWildcard: Bool { self == .cluster || self == .listener }

    public static func < (left: ResourceType, right: ResourceType) -> Bool { left.rawValue < right.rawValue }
}
