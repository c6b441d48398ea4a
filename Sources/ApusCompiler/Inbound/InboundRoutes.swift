internal import ApusAPI
internal import ApusMesh
internal import SwiftProtobuf

/// Inline routes of inbound connection managers: everything to the one application (semantics 2.2 and 3.5).
enum InboundRoutes {
    static func configuration(for port: InboundPlan.Port) -> Envoy_Config_Route_V3_RouteConfiguration {
        let cluster = ClusterName.inbound(targetPort: port.number)
        // gRPC clients have retries of their own, and a server may have begun to work.
        return make(
            cluster: cluster, name: cluster, virtualHost: "inbound|http|\(port.servicePort)",
            operation: "\(port.host):\(port.servicePort)/*",
            retries: port.spoken != .grpc && port.spoken != .grpcWeb)
    }

    static var passthrough: Envoy_Config_Route_V3_RouteConfiguration {
        make(
            cluster: ClusterName.inboundPassthrough, name: ClusterName.inboundPassthrough,
            virtualHost: "inbound|http|0", operation: ":0/*", retries: false)
    }

    private static func make(
        cluster: String, name: String, virtualHost: String, operation: String, retries: Bool
    ) -> Envoy_Config_Route_V3_RouteConfiguration {
        var route = Envoy_Config_Route_V3_Route()
        route.name = "default"
        route.match.prefix = "/"
        route.decorator.operation = operation
        var action = Envoy_Config_Route_V3_RouteAction()
        action.cluster = cluster
        // Zero is "no limit": the caller's proxy has set its own.
        action.timeout = Google_Protobuf_Duration()
        action.maxStreamDuration.maxStreamDuration = Google_Protobuf_Duration()
        action.maxStreamDuration.grpcTimeoutHeaderMax = Google_Protobuf_Duration()
        if retries {
            // Only what the application cannot have seen: its keep-alive connection was closed meanwhile.
            action.retryPolicy.retryOn = "reset-before-request"
            action.retryPolicy.numRetries.value = 2
        }
        route.route = action
        var host = Envoy_Config_Route_V3_VirtualHost()
        host.name = virtualHost
        host.domains = ["*"]
        host.routes = [route]
        var configuration = Envoy_Config_Route_V3_RouteConfiguration()
        configuration.name = name
        configuration.virtualHosts = [host]
        configuration.validateClusters.value = false
        return configuration
    }
}
