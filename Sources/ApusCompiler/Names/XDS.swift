package import ApusAPI

/// Short names of the xDS messages that the compiler writes. Nested here because several of them (Endpoint, Locality,
/// Metadata) are also words of the mesh model.
package enum XDS {
    package typealias RouteConfiguration = Envoy_Config_Route_V3_RouteConfiguration
    package typealias VirtualHost = Envoy_Config_Route_V3_VirtualHost
    package typealias Route = Envoy_Config_Route_V3_Route
    package typealias RouteMatch = Envoy_Config_Route_V3_RouteMatch
    package typealias RouteAction = Envoy_Config_Route_V3_RouteAction
    package typealias HeaderMatcher = Envoy_Config_Route_V3_HeaderMatcher
    package typealias RetryPolicy = Envoy_Config_Route_V3_RetryPolicy
    package typealias HashPolicy = Envoy_Config_Route_V3_RouteAction.HashPolicy
    package typealias Cluster = Envoy_Config_Cluster_V3_Cluster
    package typealias ClusterLoadAssignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment
    package typealias LocalityLbEndpoints = Envoy_Config_Endpoint_V3_LocalityLbEndpoints
    package typealias LbEndpoint = Envoy_Config_Endpoint_V3_LbEndpoint
    package typealias Address = Envoy_Config_Core_V3_Address
    package typealias ConfigSource = Envoy_Config_Core_V3_ConfigSource
    package typealias HeaderValueOption = Envoy_Config_Core_V3_HeaderValueOption
    package typealias Locality = Envoy_Config_Core_V3_Locality
    package typealias Metadata = Envoy_Config_Core_V3_Metadata
    package typealias TransportSocket = Envoy_Config_Core_V3_TransportSocket
    package typealias StringMatcher = Envoy_Type_Matcher_V3_StringMatcher
    package typealias FractionalPercent = Envoy_Type_V3_FractionalPercent
    package typealias UpstreamTLSContext = Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext
    package typealias HTTPProtocolOptions = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions
}
