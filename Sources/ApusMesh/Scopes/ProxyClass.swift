/// Everything that compiling outbound config may look at, and nothing else: proxies of one class get equal resources.
///
/// Labels are reduced to the pairs that some object asks for, so a thousand proxies become a few dozen classes.
package struct ProxyClass: Hashable, Sendable {
    package let role: Proxy.Role
    package let generator: Proxy.Generator
    package let namespace: String
    /// `<namespace>.svc.cluster.local`.
    package let dnsDomain: String
    /// Only those that selectors, `sourceLabels` or `failoverPriority` of some object can tell apart.
    package let labels: [String: String]
    /// Empty unless some object makes endpoints depend on the client's place.
    package let locality: Locality
    /// Empty unless some service prefers endpoints of the client's node.
    package let nodeName: String
    package let network: String
    package let interception: Proxy.Interception
    package let httpProxyPort: UInt32?
    package let isUnprivileged: Bool
    package let http10: Bool
    /// Mutual TLS and Secrets are only for proxies that proved who they are.
    package let hasIdentity: Bool
    /// Families of the proxy's addresses; both false when it gave none (then IPv4 is meant).
    package let hasIPv4: Bool
    package let hasIPv6: Bool
    /// Routers only: the container ports behind each port number of the services that select the proxy, ascending.
    /// A Gateway server on a number listed here binds these ports, any other binds its own number.
    package let targetPorts: [UInt32: [UInt32]]

    package init(
        role: Proxy.Role = .sidecar,
        generator: Proxy.Generator = .envoy,
        namespace: String,
        dnsDomain: String? = nil,
        labels: [String: String] = [:],
        locality: Locality = Locality(),
        nodeName: String = "",
        network: String = "",
        interception: Proxy.Interception = .redirect,
        httpProxyPort: UInt32? = nil,
        isUnprivileged: Bool = false,
        http10: Bool = false,
        hasIdentity: Bool = false,
        hasIPv4: Bool = true,
        hasIPv6: Bool = false,
        targetPorts: [UInt32: [UInt32]] = [:]
    ) {
        self.role = role
        self.generator = generator
        self.namespace = namespace
        self.dnsDomain = dnsDomain ?? "\(namespace).svc.cluster.local"
        self.labels = labels
        self.locality = locality
        self.nodeName = nodeName
        self.network = network
        self.interception = interception
        self.httpProxyPort = httpProxyPort
        self.isUnprivileged = isUnprivileged
        self.http10 = http10
        self.hasIdentity = hasIdentity
        self.hasIPv4 = hasIPv4
        self.hasIPv6 = hasIPv6
        self.targetPorts = targetPorts
    }
}
