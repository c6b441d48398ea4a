package import ApusMesh

/// The `http` rules of a VirtualService as routes.
package enum VirtualServiceRoutes {
    /// - Parameters:
    ///   - listenerPort: the port that `match.port` is compared with and that a destination without a port falls back to.
    ///   - gatewayNames: `mesh`, or the Gateways (`namespace/name`) whose servers the routes are for.
    ///   - isTLS: whether the listener terminates TLS (redirects leave the default port out).
    package static func routes(
        for virtualService: ResolvedVirtualService, listenerPort: UInt32, gatewayNames: Set<String>, isTLS: Bool = false,
        _ context: CompileContext
    ) -> [XDS.Route] { [] }
}
