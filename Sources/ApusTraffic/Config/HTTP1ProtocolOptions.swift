/// `config.core.v3.Http1ProtocolOptions`: how one side speaks HTTP/1.
public struct HTTP1ProtocolOptions: Hashable, Sendable {
    /// The case of the header names that this side writes.
    public enum NameFormat: Hashable, Sendable {
        case lowercase
        /// The first letter, and each that follows no letter or digit, in upper case.
        case properCase
        /// As the other side wrote them; names that the proxy adds are in lower case.
        case preserved
    }

    /// Clients: requests of HTTP/1.0 are answered; else they get 426.
    public var acceptsHTTP10 = false
    /// The host of HTTP/1.0 requests without one; empty: such a request is refused.
    public var defaultHost = ""
    public var nameFormat = NameFormat.lowercase
    /// Trailers of bodies in chunks are passed on; else they are dropped.
    public var passesTrailers = false
    /// To the upstream: the request target is an absolute URL.
    public var sendsAbsoluteURL = false
    /// A length beside chunks is dropped and not refused.
    public var allowsChunkedLength = false

    public init() {}
}
