package import SwiftProtobuf

/// The messages that may stand inside a `google.protobuf.Any`.
///
/// SwiftProtobuf reads and writes an `Any` as JSON only when it knows the message by its type URL. Protobuf's own
/// well-known types need no entry. `Protos/verify.py` fails for an extension that is missing here.
package enum APIRegistry {
    /// Makes every message of `messages` known to SwiftProtobuf. May be called any number of times, from any thread.
    package static func registerAll() {
        _ = registered
    }

    /// `static let` runs once, whoever comes first.
    private static let registered: Void = {
        for message in messages {
            let isFirst = Google_Protobuf_Any.register(messageType: message)
            precondition(isFirst, "another message has the name \(message.protoMessageName)")
        }
    }()

    /// Everything that is registered: resources, extensions, and what the admin pages show.
    package static let messages: [any Message.Type] =
        resources + httpFilters + networkFilters + listenerFilters + transportSockets + otherExtensions + views

    private static let resources: [any Message.Type] = [
        Envoy_Config_Bootstrap_V3_Bootstrap.self,
        Envoy_Config_Cluster_V3_Cluster.self,
        Envoy_Config_Core_V3_TypedExtensionConfig.self,
        Envoy_Config_Endpoint_V3_ClusterLoadAssignment.self,
        Envoy_Config_Listener_V3_Listener.self,
        Envoy_Config_Route_V3_RouteConfiguration.self,
        Envoy_Config_Route_V3_VirtualHost.self,
        Envoy_Extensions_TransportSockets_Tls_V3_Secret.self,
        Envoy_Service_Discovery_V3_Resource.self,
    ]

    /// Filters and what may override them at a route.
    private static let httpFilters: [any Message.Type] = [
        Envoy_Config_Route_V3_FilterConfig.self,
        Envoy_Extensions_Filters_Http_Buffer_V3_Buffer.self,
        Envoy_Extensions_Filters_Http_Buffer_V3_BufferPerRoute.self,
        Envoy_Extensions_Filters_Http_Compressor_V3_Compressor.self,
        Envoy_Extensions_Filters_Http_Cors_V3_Cors.self,
        Envoy_Extensions_Filters_Http_Cors_V3_CorsPolicy.self,
        Envoy_Extensions_Filters_Http_Decompressor_V3_Decompressor.self,
        Envoy_Extensions_Filters_Http_DynamicForwardProxy_V3_FilterConfig.self,
        Envoy_Extensions_Filters_Http_DynamicForwardProxy_V3_PerRouteConfig.self,
        Envoy_Extensions_Filters_Http_ExtAuthz_V3_ExtAuthz.self,
        Envoy_Extensions_Filters_Http_ExtAuthz_V3_ExtAuthzPerRoute.self,
        Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault.self,
        Envoy_Extensions_Filters_Http_GrpcStats_V3_FilterConfig.self,
        Envoy_Extensions_Filters_Http_GrpcWeb_V3_GrpcWeb.self,
        Envoy_Extensions_Filters_Http_HeaderMutation_V3_HeaderMutation.self,
        Envoy_Extensions_Filters_Http_HeaderMutation_V3_HeaderMutationPerRoute.self,
        Envoy_Extensions_Filters_Http_HealthCheck_V3_HealthCheck.self,
        Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication.self,
        Envoy_Extensions_Filters_Http_JwtAuthn_V3_PerRouteConfig.self,
        Envoy_Extensions_Filters_Http_LocalRatelimit_V3_LocalRateLimit.self,
        Envoy_Extensions_Filters_Http_OnDemand_V3_OnDemand.self,
        Envoy_Extensions_Filters_Http_OnDemand_V3_PerRouteConfig.self,
        Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.self,
        Envoy_Extensions_Filters_Http_Rbac_V3_RBACPerRoute.self,
        Envoy_Extensions_Filters_Http_Router_V3_Router.self,
        Envoy_Extensions_Filters_Http_StatefulSession_V3_StatefulSession.self,
        Envoy_Extensions_Filters_Http_StatefulSession_V3_StatefulSessionPerRoute.self,
    ]

    private static let networkFilters: [any Message.Type] = [
        Envoy_Extensions_Filters_Network_ExtAuthz_V3_ExtAuthz.self,
        Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.self,
        Envoy_Extensions_Filters_Network_LocalRatelimit_V3_LocalRateLimit.self,
        Envoy_Extensions_Filters_Network_Rbac_V3_RBAC.self,
        Envoy_Extensions_Filters_Network_SniCluster_V3_SniCluster.self,
        Envoy_Extensions_Filters_Network_SniDynamicForwardProxy_V3_FilterConfig.self,
        Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy.self,
    ]

    private static let listenerFilters: [any Message.Type] = [
        Envoy_Extensions_Filters_Listener_HttpInspector_V3_HttpInspector.self,
        Envoy_Extensions_Filters_Listener_OriginalDst_V3_OriginalDst.self,
        Envoy_Extensions_Filters_Listener_OriginalSrc_V3_OriginalSrc.self,
        Envoy_Extensions_Filters_Listener_ProxyProtocol_V3_ProxyProtocol.self,
        Envoy_Extensions_Filters_Listener_TlsInspector_V3_TlsInspector.self,
    ]

    private static let transportSockets: [any Message.Type] = [
        Envoy_Extensions_TransportSockets_ProxyProtocol_V3_ProxyProtocolUpstreamTransport.self,
        Envoy_Extensions_TransportSockets_RawBuffer_V3_RawBuffer.self,
        Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext.self,
        Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext.self,
    ]

    private static let otherExtensions: [any Message.Type] = [
        Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog.self,
        Envoy_Extensions_AccessLoggers_Stream_V3_StderrAccessLog.self,
        Envoy_Extensions_AccessLoggers_Stream_V3_StdoutAccessLog.self,
        Envoy_Extensions_Clusters_Dns_V3_DnsCluster.self,
        Envoy_Extensions_Clusters_DynamicForwardProxy_V3_ClusterConfig.self,
        Envoy_Extensions_Compression_Gzip_Compressor_V3_Gzip.self,
        Envoy_Extensions_Compression_Gzip_Decompressor_V3_Gzip.self,
        Envoy_Extensions_Http_EarlyHeaderMutation_HeaderMutation_V3_HeaderMutation.self,
        Envoy_Extensions_Http_OriginalIpDetection_CustomHeader_V3_CustomHeaderConfig.self,
        Envoy_Extensions_Http_OriginalIpDetection_Xff_V3_XffConfig.self,
        Envoy_Extensions_Http_StatefulSession_Cookie_V3_CookieBasedSessionState.self,
        Envoy_Extensions_Http_StatefulSession_Header_V3_HeaderBasedSessionState.self,
        Envoy_Extensions_InternalRedirect_AllowListedRoutes_V3_AllowListedRoutesConfig.self,
        Envoy_Extensions_InternalRedirect_PreviousRoutes_V3_PreviousRoutesConfig.self,
        Envoy_Extensions_InternalRedirect_SafeCrossScheme_V3_SafeCrossSchemeConfig.self,
        Envoy_Extensions_LoadBalancingPolicies_LeastRequest_V3_LeastRequest.self,
        Envoy_Extensions_LoadBalancingPolicies_Maglev_V3_Maglev.self,
        Envoy_Extensions_LoadBalancingPolicies_Random_V3_Random.self,
        Envoy_Extensions_LoadBalancingPolicies_RingHash_V3_RingHash.self,
        Envoy_Extensions_LoadBalancingPolicies_RoundRobin_V3_RoundRobin.self,
        Envoy_Extensions_Network_DnsResolver_Cares_V3_CaresDnsResolverConfig.self,
        Envoy_Extensions_Path_Match_UriTemplate_V3_UriTemplateMatchConfig.self,
        Envoy_Extensions_Path_Rewrite_UriTemplate_V3_UriTemplateRewriteConfig.self,
        Envoy_Extensions_RequestId_Uuid_V3_UuidRequestIdConfig.self,
        Envoy_Extensions_Retry_Host_OmitCanaryHosts_V3_OmitCanaryHostsPredicate.self,
        Envoy_Extensions_Retry_Host_OmitHostMetadata_V3_OmitHostMetadataConfig.self,
        Envoy_Extensions_Retry_Host_PreviousHosts_V3_PreviousHostsPredicate.self,
        Envoy_Extensions_Retry_Priority_PreviousPriorities_V3_PreviousPrioritiesConfig.self,
        Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.self,
        Envoy_Extensions_Upstreams_Tcp_V3_TcpProtocolOptions.self,
        // An extension whose message is unknown here, as a struct beside its type URL.
        Udpa_Type_V1_TypedStruct.self,
        Xds_Type_V3_TypedStruct.self,
    ]

    /// What `config_dump` and the client status service answer with.
    private static let views: [any Message.Type] = [
        Envoy_Admin_V3_BootstrapConfigDump.self,
        Envoy_Admin_V3_ClustersConfigDump.self,
        Envoy_Admin_V3_EndpointsConfigDump.self,
        Envoy_Admin_V3_ListenersConfigDump.self,
        Envoy_Admin_V3_RoutesConfigDump.self,
        Envoy_Admin_V3_SecretsConfigDump.self,
        Envoy_Service_Status_V3_ClientConfig.self,
    ]
}
