internal import ApusCore
internal import ApusDelta
internal import GRPCCore

/// ADS and the separate xDS services, state of the world and delta.
struct DiscoveryServices: RegistrableRPCService {
    let context: SessionContext

    private static let services: [(name: String, sotw: String, delta: String, scope: StreamScope)] = [
        (
            "envoy.service.discovery.v3.AggregatedDiscoveryService", "StreamAggregatedResources",
            "DeltaAggregatedResources", .aggregated
        ),
        ("envoy.service.cluster.v3.ClusterDiscoveryService", "StreamClusters", "DeltaClusters", .single(.cluster)),
        (
            "envoy.service.endpoint.v3.EndpointDiscoveryService", "StreamEndpoints", "DeltaEndpoints",
            .single(.endpoints)
        ),
        ("envoy.service.listener.v3.ListenerDiscoveryService", "StreamListeners", "DeltaListeners", .single(.listener)),
        ("envoy.service.route.v3.RouteDiscoveryService", "StreamRoutes", "DeltaRoutes", .single(.route)),
        ("envoy.service.secret.v3.SecretDiscoveryService", "StreamSecrets", "DeltaSecrets", .single(.secret)),
    ]

    static var names: [String] { services.map(\.name) }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for service in Self.services {
            let scope = service.scope
            router.registerRaw(service: service.name, method: service.sotw) { [context] request, server in
                StreamingServerResponse { writer in
                    try await DiscoverySession<StateOfTheWorldServerMachine>.serve(
                        request, scope: scope, isDelta: false, server: server, context: context,
                        writer: writer)
                    return [:]
                }
            }
            router.registerRaw(service: service.name, method: service.delta) { [context] request, server in
                StreamingServerResponse { writer in
                    try await DiscoverySession<DeltaServerMachine>.serve(
                        request, scope: scope, isDelta: true, server: server, context: context,
                        writer: writer)
                    return [:]
                }
            }
        }
    }
}
