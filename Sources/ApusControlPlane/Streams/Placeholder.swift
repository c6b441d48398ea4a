internal import ApusAPI
internal import ApusCompiler
internal import ApusCore

/// Empty stand-ins for names that do not exist, so that a client's warming ends (as istiod's).
enum Placeholder {
    static func resource(_ type: ResourceType, _ name: String) -> EncodedResource? {
        switch type {
        case .endpoints:
            var assignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment()
            assignment.clusterName = name
            return EncodedResource(name: name, body: encode(assignment, typeURL: type.typeURL))
        case .route:
            var routes = Envoy_Config_Route_V3_RouteConfiguration()
            routes.name = name
            return EncodedResource(name: name, body: encode(routes, typeURL: type.typeURL))
        case .cluster, .listener, .secret: return nil
        }
    }
}
