/// One connected (or imagined) proxy, as far as compiling may look at it.
package struct Proxy: Hashable, Sendable {
    package enum Role: String, Hashable, Sendable { case sidecar, router }
    package enum Generator: String, Hashable, Sendable { case envoy, grpc }
    package enum Interception: String, Hashable, Sendable {
        case redirect = "REDIRECT", tproxy = "TPROXY", none = "NONE"
    }

    /// `name.namespace`.
    package var id: String
    package var role: Role
    package var generator: Generator
    package var namespace: String
    package var addresses: [String]
    package var labels: [String: String]
    package var serviceAccount: String
    /// `<namespace>.svc.cluster.local`.
    package var dnsDomain: String
    package var locality: Locality
    package var network: String
    package var nodeName: String
    package var interception: Interception
    /// Metadata `HTTP_PROXY_PORT`; nil: the mesh's `proxyHttpPort`.
    package var httpProxyPort: UInt32?
    /// Gateway that must not bind ports below 1024.
    package var isUnprivileged: Bool
    /// Accepts HTTP/1.0.
    package var http10: Bool
    /// It proved who it is, has (or is served) a certificate of the mesh, and can use it for the mesh's mutual TLS.
    package var hasIdentity: Bool

    package init(
        id: String,
        role: Role = .sidecar,
        generator: Generator = .envoy,
        namespace: String,
        addresses: [String] = [],
        labels: [String: String] = [:],
        serviceAccount: String = "default",
        dnsDomain: String? = nil,
        locality: Locality = Locality(),
        network: String = "",
        nodeName: String = "",
        interception: Interception = .redirect,
        httpProxyPort: UInt32? = nil,
        isUnprivileged: Bool = false,
        http10: Bool = false,
        hasIdentity: Bool = false
    ) {
        self.id = id
        self.role = role
        self.generator = generator
        self.namespace = namespace
        self.addresses = addresses
        self.labels = labels
        self.serviceAccount = serviceAccount
        self.dnsDomain = dnsDomain ?? "\(namespace).svc.cluster.local"
        self.locality = locality
        self.network = network
        self.nodeName = nodeName
        self.interception = interception
        self.httpProxyPort = httpProxyPort
        self.isUnprivileged = isUnprivileged
        self.http10 = http10
        self.hasIdentity = hasIdentity
    }
}
