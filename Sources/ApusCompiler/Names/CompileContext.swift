internal import ApusCore
package import ApusMesh

/// All that compiling outbound configuration may look at: the mesh, and the class of proxies it is for. A result
/// depends on these two alone, so proxies of one class share it.
package struct CompileContext: Sendable {
    package let snapshot: MeshSnapshot
    package let proxyClass: ProxyClass
    /// What of the mesh the class sees.
    package let scope: ProxyScope

    /// Keys of issuers of tokens that have been fetched; listeners of routers look at them.
    let keySets: KeySets

    /// Hosts whose services a gateway reaches by SNI alone; sorted.
    let sniHosts: [HostName]

    package init(snapshot: MeshSnapshot, proxyClass: ProxyClass, keySets: KeySets = KeySets()) {
        self.keySets = keySets
        self.snapshot = snapshot
        self.proxyClass = proxyClass
        scope = snapshot.scope(of: proxyClass)
        sniHosts = SNIRouting.hosts(snapshot: snapshot, proxyClass: proxyClass)
    }

    package var isRouter: Bool { proxyClass.role == .router }
    package var isProxyless: Bool { proxyClass.generator == .grpc }
}
