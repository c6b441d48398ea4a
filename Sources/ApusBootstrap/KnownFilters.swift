/// Filters that mean something without settings of their own.
enum KnownFilters {
    /// Messages that hold a filter's name and settings, and the number of `typed_config` in them.
    static let configField: [String: Int] = [
        "envoy.config.listener.v3.Filter": 4,
        "envoy.config.listener.v3.ListenerFilter": 3,
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter": 4,
    ]

    /// Name of the filter, and the message whose defaults it runs with.
    static let defaults: [String: String] = [
        "envoy.filters.http.router": "envoy.extensions.filters.http.router.v3.Router",
        "envoy.filters.http.cors": "envoy.extensions.filters.http.cors.v3.Cors",
        "envoy.filters.http.fault": "envoy.extensions.filters.http.fault.v3.HTTPFault",
        "envoy.filters.http.grpc_web": "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb",
        "envoy.filters.http.grpc_stats": "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
        "envoy.filters.network.sni_cluster": "envoy.extensions.filters.network.sni_cluster.v3.SniCluster",
        "envoy.filters.listener.tls_inspector": "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
        "envoy.filters.listener.http_inspector": "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
        "envoy.filters.listener.original_dst": "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
        "envoy.filters.listener.proxy_protocol": "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
    ]
}
