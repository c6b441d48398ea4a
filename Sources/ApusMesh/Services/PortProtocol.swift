/// What a service port speaks, from its name, `appProtocol` or number (semantics 4.13).
package enum PortProtocol: String, Hashable, Sendable, CaseIterable {
    case http, http2, grpc, grpcWeb = "grpc-web", https, tls, tcp, mongo, mysql, redis, udp
    /// Not declared: detected per connection.
    case auto

    /// Routed by HTTP rules: plain HTTP/1, HTTP/2 and gRPC.
    package var isHTTP: Bool { self == .http || self == .http2 || self == .grpc || self == .grpcWeb }
    /// Known to be HTTP/2.
    package var isHTTP2: Bool { self == .http2 || self == .grpc || self == .grpcWeb }
    /// TLS that the proxy does not terminate.
    package var isTLS: Bool { self == .https || self == .tls }
    /// Treated as bytes.
    package var isTCP: Bool {
        self == .tcp || self == .mongo || self == .mysql || self == .redis || isTLS
    }
}
