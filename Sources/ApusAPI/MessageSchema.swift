// Made by Protos/generate.sh: change the .proto files, not this one.

/// Names, numbers and types of the fields of every message that may stand in a configuration, for reading text.
///
/// `=message`, then its fields as `name number type [oneof]`; `#enum`, then its values as `name number`. Types: `s`
/// string, `y` bytes, `b` bool, `i` 32 and `l` 64 bits signed, `u` 32 and `v` 64 bits unsigned, `d` double, `f` float,
/// `e:enum`, `m:message`; before it `*` for a list, `%` and the key's type for a map. `-`: the public API has the field
/// and this proxy has not; `~`: it is deprecated besides.
package enum MessageSchema {
    package static let text: StaticString = """
        =envoy.config.accesslog.v3.AccessLog
        name 1 s
        filter 2 m:envoy.config.accesslog.v3.AccessLogFilter
        typed_config 4 m:google.protobuf.Any config_type
        =envoy.config.accesslog.v3.AccessLogFilter
        status_code_filter 1 m:envoy.config.accesslog.v3.StatusCodeFilter filter_specifier
        duration_filter 2 m:envoy.config.accesslog.v3.DurationFilter filter_specifier
        not_health_check_filter 3 m:envoy.config.accesslog.v3.NotHealthCheckFilter filter_specifier
        traceable_filter 4 m:envoy.config.accesslog.v3.TraceableFilter filter_specifier
        runtime_filter 5 m:envoy.config.accesslog.v3.RuntimeFilter filter_specifier
        and_filter 6 m:envoy.config.accesslog.v3.AndFilter filter_specifier
        or_filter 7 m:envoy.config.accesslog.v3.OrFilter filter_specifier
        header_filter 8 m:envoy.config.accesslog.v3.HeaderFilter filter_specifier
        response_flag_filter 9 m:envoy.config.accesslog.v3.ResponseFlagFilter filter_specifier
        grpc_status_filter 10 m:envoy.config.accesslog.v3.GrpcStatusFilter filter_specifier
        extension_filter 11 m:envoy.config.accesslog.v3.ExtensionFilter filter_specifier
        metadata_filter 12 m:envoy.config.accesslog.v3.MetadataFilter filter_specifier
        log_type_filter 13 m:envoy.config.accesslog.v3.LogTypeFilter filter_specifier
        =envoy.config.accesslog.v3.AndFilter
        filters 1 *m:envoy.config.accesslog.v3.AccessLogFilter
        =envoy.config.accesslog.v3.ComparisonFilter
        op 1 e:envoy.config.accesslog.v3.ComparisonFilter.Op
        value 2 m:envoy.config.core.v3.RuntimeUInt32
        =envoy.config.accesslog.v3.DurationFilter
        comparison 1 m:envoy.config.accesslog.v3.ComparisonFilter
        =envoy.config.accesslog.v3.ExtensionFilter
        name 1 s
        typed_config 3 m:google.protobuf.Any config_type
        =envoy.config.accesslog.v3.GrpcStatusFilter
        statuses 1 *e:envoy.config.accesslog.v3.GrpcStatusFilter.Status
        exclude 2 b
        =envoy.config.accesslog.v3.HeaderFilter
        header 1 m:envoy.config.route.v3.HeaderMatcher
        =envoy.config.accesslog.v3.LogTypeFilter
        types 1 *e:envoy.data.accesslog.v3.AccessLogType
        exclude 2 b
        =envoy.config.accesslog.v3.MetadataFilter
        matcher 1 m:envoy.type.matcher.v3.MetadataMatcher
        match_if_key_not_found 2 m:google.protobuf.BoolValue
        =envoy.config.accesslog.v3.NotHealthCheckFilter
        =envoy.config.accesslog.v3.OrFilter
        filters 2 *m:envoy.config.accesslog.v3.AccessLogFilter
        =envoy.config.accesslog.v3.ResponseFlagFilter
        flags 1 *s
        =envoy.config.accesslog.v3.RuntimeFilter
        runtime_key 1 s
        percent_sampled 2 m:envoy.type.v3.FractionalPercent
        use_independent_randomness 3 b
        =envoy.config.accesslog.v3.StatusCodeFilter
        comparison 1 m:envoy.config.accesslog.v3.ComparisonFilter
        =envoy.config.accesslog.v3.TraceableFilter
        =envoy.config.bootstrap.v3.Admin
        access_log 5 *m:envoy.config.accesslog.v3.AccessLog
        access_log_path 1 s
        profile_path 2 s
        address 3 m:envoy.config.core.v3.Address
        socket_options 4 *m:envoy.config.core.v3.SocketOption
        ignore_global_conn_limit 6 b
        allow_paths 7 *m:envoy.type.matcher.v3.StringMatcher
        =envoy.config.bootstrap.v3.Bootstrap
        node 1 m:envoy.config.core.v3.Node
        node_context_params 26 *s
        static_resources 2 m:envoy.config.bootstrap.v3.Bootstrap.StaticResources
        dynamic_resources 3 m:envoy.config.bootstrap.v3.Bootstrap.DynamicResources
        cluster_manager 4 m:envoy.config.bootstrap.v3.ClusterManager
        hds_config 14 m:envoy.config.core.v3.ApiConfigSource
        flags_path 5 s
        stats_flush_interval 7 m:google.protobuf.Duration
        stats_flush_on_admin 29 b stats_flush
        stats_eviction_interval 42 m:google.protobuf.Duration stats_eviction
        tracing 9 m:envoy.config.trace.v3.Tracing
        layered_runtime 17 m:envoy.config.bootstrap.v3.LayeredRuntime
        admin 12 m:envoy.config.bootstrap.v3.Admin
        enable_dispatcher_stats 16 b
        header_prefix 18 s
        stats_server_version_override 19 m:google.protobuf.UInt64Value
        typed_dns_resolver_config 31 m:envoy.config.core.v3.TypedExtensionConfig
        bootstrap_extensions 21 *m:envoy.config.core.v3.TypedExtensionConfig
        config_sources 22 *m:envoy.config.core.v3.ConfigSource
        default_config_source 23 m:envoy.config.core.v3.ConfigSource
        default_socket_interface 24 s
        certificate_provider_instances 25 %sm:envoy.config.core.v3.TypedExtensionConfig
        perf_tracing_file_path 33 s
        default_regex_engine 34 m:envoy.config.core.v3.TypedExtensionConfig
        xds_delegate_extension 35 m:envoy.config.core.v3.TypedExtensionConfig
        xds_config_tracker_extension 36 m:envoy.config.core.v3.TypedExtensionConfig
        listener_manager 37 m:envoy.config.core.v3.TypedExtensionConfig
        stats_sinks 6 -
        deferred_stat_options 39 -
        stats_config 13 -
        watchdog 8 ~
        watchdogs 27 -
        overload_manager 15 -
        use_tcp_for_dns_lookups 20 ~
        dns_resolution_config 30 ~
        fatal_actions 28 -
        inline_headers 32 -
        application_log_config 38 -
        grpc_async_client_manager_config 40 -
        memory_allocator_manager 41 -
        =envoy.config.bootstrap.v3.Bootstrap.DynamicResources
        lds_config 1 m:envoy.config.core.v3.ConfigSource
        lds_resources_locator 5 s
        cds_config 2 m:envoy.config.core.v3.ConfigSource
        cds_resources_locator 6 s
        ads_config 3 m:envoy.config.core.v3.ApiConfigSource
        =envoy.config.bootstrap.v3.Bootstrap.StaticResources
        listeners 1 *m:envoy.config.listener.v3.Listener
        clusters 2 *m:envoy.config.cluster.v3.Cluster
        secrets 3 *m:envoy.extensions.transport_sockets.tls.v3.Secret
        =envoy.config.bootstrap.v3.ClusterManager
        local_cluster_name 1 s
        upstream_bind_config 3 m:envoy.config.core.v3.BindConfig
        enable_deferred_cluster_creation 5 b
        outlier_detection 2 -
        load_stats_config 4 -
        =envoy.config.bootstrap.v3.LayeredRuntime
        layers 1 *m:envoy.config.bootstrap.v3.RuntimeLayer
        =envoy.config.bootstrap.v3.RuntimeLayer
        name 1 s
        static_layer 2 m:google.protobuf.Struct layer_specifier
        admin_layer 4 m:envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer layer_specifier
        disk_layer 3 -
        rtds_layer 5 -
        =envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer
        =envoy.config.cluster.v3.CircuitBreakers
        thresholds 1 *m:envoy.config.cluster.v3.CircuitBreakers.Thresholds
        per_host_thresholds 2 *m:envoy.config.cluster.v3.CircuitBreakers.Thresholds
        =envoy.config.cluster.v3.CircuitBreakers.Thresholds
        priority 1 e:envoy.config.core.v3.RoutingPriority
        max_connections 2 m:google.protobuf.UInt32Value
        max_pending_requests 3 m:google.protobuf.UInt32Value
        max_requests 4 m:google.protobuf.UInt32Value
        max_retries 5 m:google.protobuf.UInt32Value
        retry_budget 8 m:envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget
        track_remaining 6 b
        max_connection_pools 7 m:google.protobuf.UInt32Value
        =envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget
        budget_percent 1 m:envoy.type.v3.Percent
        min_retry_concurrency 2 m:google.protobuf.UInt32Value
        =envoy.config.cluster.v3.Cluster
        transport_socket_matches 43 *m:envoy.config.cluster.v3.Cluster.TransportSocketMatch
        name 1 s
        alt_stat_name 28 s
        type 2 e:envoy.config.cluster.v3.Cluster.DiscoveryType cluster_discovery_type
        cluster_type 38 m:envoy.config.cluster.v3.Cluster.CustomClusterType cluster_discovery_type
        eds_cluster_config 3 m:envoy.config.cluster.v3.Cluster.EdsClusterConfig
        connect_timeout 4 m:google.protobuf.Duration
        per_connection_buffer_limit_bytes 5 m:google.protobuf.UInt32Value
        lb_policy 6 e:envoy.config.cluster.v3.Cluster.LbPolicy
        load_assignment 33 m:envoy.config.endpoint.v3.ClusterLoadAssignment
        health_checks 8 *m:envoy.config.core.v3.HealthCheck
        max_requests_per_connection 9 m:google.protobuf.UInt32Value
        circuit_breakers 10 m:envoy.config.cluster.v3.CircuitBreakers
        common_http_protocol_options 29 m:envoy.config.core.v3.HttpProtocolOptions
        http_protocol_options 13 m:envoy.config.core.v3.Http1ProtocolOptions
        http2_protocol_options 14 m:envoy.config.core.v3.Http2ProtocolOptions
        typed_extension_protocol_options 36 %sm:google.protobuf.Any
        dns_refresh_rate 16 m:google.protobuf.Duration
        dns_jitter 58 m:google.protobuf.Duration
        dns_failure_refresh_rate 44 m:envoy.config.cluster.v3.Cluster.RefreshRate
        respect_dns_ttl 39 b
        dns_lookup_family 17 e:envoy.config.cluster.v3.Cluster.DnsLookupFamily
        typed_dns_resolver_config 55 m:envoy.config.core.v3.TypedExtensionConfig
        wait_for_warm_on_init 54 m:google.protobuf.BoolValue
        outlier_detection 19 m:envoy.config.cluster.v3.OutlierDetection
        cleanup_interval 20 m:google.protobuf.Duration
        upstream_bind_config 21 m:envoy.config.core.v3.BindConfig
        lb_subset_config 22 m:envoy.config.cluster.v3.Cluster.LbSubsetConfig
        ring_hash_lb_config 23 m:envoy.config.cluster.v3.Cluster.RingHashLbConfig lb_config
        maglev_lb_config 52 m:envoy.config.cluster.v3.Cluster.MaglevLbConfig lb_config
        original_dst_lb_config 34 m:envoy.config.cluster.v3.Cluster.OriginalDstLbConfig lb_config
        least_request_lb_config 37 m:envoy.config.cluster.v3.Cluster.LeastRequestLbConfig lb_config
        round_robin_lb_config 56 m:envoy.config.cluster.v3.Cluster.RoundRobinLbConfig lb_config
        common_lb_config 27 m:envoy.config.cluster.v3.Cluster.CommonLbConfig
        transport_socket 24 m:envoy.config.core.v3.TransportSocket
        metadata 25 m:envoy.config.core.v3.Metadata
        upstream_connection_options 30 m:envoy.config.cluster.v3.UpstreamConnectionOptions
        close_connections_on_host_health_failure 31 b
        ignore_health_on_host_removal 32 b
        filters 40 *m:envoy.config.cluster.v3.Filter
        load_balancing_policy 41 m:envoy.config.cluster.v3.LoadBalancingPolicy
        lrs_server 42 m:envoy.config.core.v3.ConfigSource
        lrs_report_endpoint_metrics 57 *s
        upstream_config 48 m:envoy.config.core.v3.TypedExtensionConfig
        track_cluster_stats 49 m:envoy.config.cluster.v3.TrackClusterStats
        preconnect_policy 50 m:envoy.config.cluster.v3.Cluster.PreconnectPolicy
        connection_pool_per_downstream_connection 51 b
        transport_socket_matcher 59 -
        upstream_http_protocol_options 46 ~
        dns_resolvers 18 ~
        use_tcp_for_dns_lookups 45 ~
        dns_resolution_config 53 ~
        protocol_selection 26 ~
        track_timeout_budgets 47 ~
        =envoy.config.cluster.v3.Cluster.CommonLbConfig
        healthy_panic_threshold 1 m:envoy.type.v3.Percent
        zone_aware_lb_config 2 m:envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig locality_config_specifier
        locality_weighted_lb_config 3 m:envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig locality_config_specifier
        update_merge_window 4 m:google.protobuf.Duration
        ignore_new_hosts_until_first_hc 5 b
        close_connections_on_host_set_change 6 b
        consistent_hashing_lb_config 7 m:envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig
        override_host_status 8 m:envoy.config.core.v3.HealthStatusSet
        =envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig
        use_hostname_for_hashing 1 b
        hash_balance_factor 2 m:google.protobuf.UInt32Value
        =envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig
        =envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig
        routing_enabled 1 m:envoy.type.v3.Percent
        min_cluster_size 2 m:google.protobuf.UInt64Value
        fail_traffic_on_panic 3 b
        =envoy.config.cluster.v3.Cluster.CustomClusterType
        name 1 s
        typed_config 2 m:google.protobuf.Any
        =envoy.config.cluster.v3.Cluster.EdsClusterConfig
        eds_config 1 m:envoy.config.core.v3.ConfigSource
        service_name 2 s
        =envoy.config.cluster.v3.Cluster.LbSubsetConfig
        fallback_policy 1 e:envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetFallbackPolicy
        default_subset 2 m:google.protobuf.Struct
        subset_selectors 3 *m:envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector
        locality_weight_aware 4 b
        scale_locality_weight 5 b
        panic_mode_any 6 b
        list_as_any 7 b
        metadata_fallback_policy 8 e:envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetMetadataFallbackPolicy
        =envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector
        keys 1 *s
        single_host_per_subset 4 b
        fallback_policy 2 e:envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector.LbSubsetSelectorFallbackPolicy
        fallback_keys_subset 3 *s
        =envoy.config.cluster.v3.Cluster.LeastRequestLbConfig
        choice_count 1 m:google.protobuf.UInt32Value
        active_request_bias 2 m:envoy.config.core.v3.RuntimeDouble
        slow_start_config 3 m:envoy.config.cluster.v3.Cluster.SlowStartConfig
        =envoy.config.cluster.v3.Cluster.MaglevLbConfig
        table_size 1 m:google.protobuf.UInt64Value
        =envoy.config.cluster.v3.Cluster.OriginalDstLbConfig
        use_http_header 1 b
        http_header_name 2 s
        upstream_port_override 3 m:google.protobuf.UInt32Value
        metadata_key 4 m:envoy.type.metadata.v3.MetadataKey
        =envoy.config.cluster.v3.Cluster.PreconnectPolicy
        per_upstream_preconnect_ratio 1 m:google.protobuf.DoubleValue
        predictive_preconnect_ratio 2 m:google.protobuf.DoubleValue
        =envoy.config.cluster.v3.Cluster.RefreshRate
        base_interval 1 m:google.protobuf.Duration
        max_interval 2 m:google.protobuf.Duration
        =envoy.config.cluster.v3.Cluster.RingHashLbConfig
        minimum_ring_size 1 m:google.protobuf.UInt64Value
        hash_function 3 e:envoy.config.cluster.v3.Cluster.RingHashLbConfig.HashFunction
        maximum_ring_size 4 m:google.protobuf.UInt64Value
        =envoy.config.cluster.v3.Cluster.RoundRobinLbConfig
        slow_start_config 1 m:envoy.config.cluster.v3.Cluster.SlowStartConfig
        =envoy.config.cluster.v3.Cluster.SlowStartConfig
        slow_start_window 1 m:google.protobuf.Duration
        aggression 2 m:envoy.config.core.v3.RuntimeDouble
        min_weight_percent 3 m:envoy.type.v3.Percent
        =envoy.config.cluster.v3.Cluster.TransportSocketMatch
        name 1 s
        match 2 m:google.protobuf.Struct
        transport_socket 3 m:envoy.config.core.v3.TransportSocket
        =envoy.config.cluster.v3.Filter
        name 1 s
        typed_config 2 m:google.protobuf.Any
        config_discovery 3 m:envoy.config.core.v3.ExtensionConfigSource
        =envoy.config.cluster.v3.LoadBalancingPolicy
        policies 1 *m:envoy.config.cluster.v3.LoadBalancingPolicy.Policy
        =envoy.config.cluster.v3.LoadBalancingPolicy.Policy
        typed_extension_config 4 m:envoy.config.core.v3.TypedExtensionConfig
        =envoy.config.cluster.v3.OutlierDetection
        consecutive_5xx 1 m:google.protobuf.UInt32Value
        interval 2 m:google.protobuf.Duration
        base_ejection_time 3 m:google.protobuf.Duration
        max_ejection_percent 4 m:google.protobuf.UInt32Value
        enforcing_consecutive_5xx 5 m:google.protobuf.UInt32Value
        enforcing_success_rate 6 m:google.protobuf.UInt32Value
        success_rate_minimum_hosts 7 m:google.protobuf.UInt32Value
        success_rate_request_volume 8 m:google.protobuf.UInt32Value
        success_rate_stdev_factor 9 m:google.protobuf.UInt32Value
        consecutive_gateway_failure 10 m:google.protobuf.UInt32Value
        enforcing_consecutive_gateway_failure 11 m:google.protobuf.UInt32Value
        split_external_local_origin_errors 12 b
        consecutive_local_origin_failure 13 m:google.protobuf.UInt32Value
        enforcing_consecutive_local_origin_failure 14 m:google.protobuf.UInt32Value
        enforcing_local_origin_success_rate 15 m:google.protobuf.UInt32Value
        failure_percentage_threshold 16 m:google.protobuf.UInt32Value
        enforcing_failure_percentage 17 m:google.protobuf.UInt32Value
        enforcing_failure_percentage_local_origin 18 m:google.protobuf.UInt32Value
        failure_percentage_minimum_hosts 19 m:google.protobuf.UInt32Value
        failure_percentage_request_volume 20 m:google.protobuf.UInt32Value
        max_ejection_time 21 m:google.protobuf.Duration
        max_ejection_time_jitter 22 m:google.protobuf.Duration
        successful_active_health_check_uneject_host 23 m:google.protobuf.BoolValue
        monitors 24 *m:envoy.config.core.v3.TypedExtensionConfig
        always_eject_one_host 25 m:google.protobuf.BoolValue
        =envoy.config.cluster.v3.TrackClusterStats
        timeout_budgets 1 b
        request_response_sizes 2 b
        per_endpoint_stats 3 b
        =envoy.config.cluster.v3.UpstreamConnectionOptions
        tcp_keepalive 1 m:envoy.config.core.v3.TcpKeepalive
        set_local_interface_name_on_upstream_connections 2 b
        happy_eyeballs_config 3 m:envoy.config.cluster.v3.UpstreamConnectionOptions.HappyEyeballsConfig
        =envoy.config.cluster.v3.UpstreamConnectionOptions.HappyEyeballsConfig
        first_address_family_version 1 e:envoy.config.cluster.v3.UpstreamConnectionOptions.FirstAddressFamilyVersion
        first_address_family_count 2 m:google.protobuf.UInt32Value
        =envoy.config.common.matcher.v3.HttpGenericBodyMatch
        bytes_limit 1 u
        patterns 2 *m:envoy.config.common.matcher.v3.HttpGenericBodyMatch.GenericTextMatch
        =envoy.config.common.matcher.v3.HttpGenericBodyMatch.GenericTextMatch
        string_match 1 s rule
        binary_match 2 y rule
        =envoy.config.common.matcher.v3.HttpHeadersMatch
        headers 1 *m:envoy.config.route.v3.HeaderMatcher
        =envoy.config.common.matcher.v3.MatchPredicate
        or_match 1 m:envoy.config.common.matcher.v3.MatchPredicate.MatchSet rule
        and_match 2 m:envoy.config.common.matcher.v3.MatchPredicate.MatchSet rule
        not_match 3 m:envoy.config.common.matcher.v3.MatchPredicate rule
        any_match 4 b rule
        http_request_headers_match 5 m:envoy.config.common.matcher.v3.HttpHeadersMatch rule
        http_request_trailers_match 6 m:envoy.config.common.matcher.v3.HttpHeadersMatch rule
        http_response_headers_match 7 m:envoy.config.common.matcher.v3.HttpHeadersMatch rule
        http_response_trailers_match 8 m:envoy.config.common.matcher.v3.HttpHeadersMatch rule
        http_request_generic_body_match 9 m:envoy.config.common.matcher.v3.HttpGenericBodyMatch rule
        http_response_generic_body_match 10 m:envoy.config.common.matcher.v3.HttpGenericBodyMatch rule
        =envoy.config.common.matcher.v3.MatchPredicate.MatchSet
        rules 1 *m:envoy.config.common.matcher.v3.MatchPredicate
        =envoy.config.common.mutation_rules.v3.HeaderMutation
        remove 1 s action
        append 2 m:envoy.config.core.v3.HeaderValueOption action
        remove_on_match 3 m:envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch action
        =envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch
        key_matcher 1 m:envoy.type.matcher.v3.StringMatcher
        =envoy.config.core.v3.Address
        socket_address 1 m:envoy.config.core.v3.SocketAddress address
        pipe 2 m:envoy.config.core.v3.Pipe address
        envoy_internal_address 3 m:envoy.config.core.v3.EnvoyInternalAddress address
        =envoy.config.core.v3.AggregatedConfigSource
        =envoy.config.core.v3.ApiConfigSource
        api_type 1 e:envoy.config.core.v3.ApiConfigSource.ApiType
        transport_api_version 8 e:envoy.config.core.v3.ApiVersion
        cluster_names 2 *s
        grpc_services 4 *m:envoy.config.core.v3.GrpcService
        refresh_delay 3 m:google.protobuf.Duration
        request_timeout 5 m:google.protobuf.Duration
        rate_limit_settings 6 m:envoy.config.core.v3.RateLimitSettings
        set_node_on_first_message_only 7 b
        config_validators 9 *m:envoy.config.core.v3.TypedExtensionConfig
        =envoy.config.core.v3.BackoffStrategy
        base_interval 1 m:google.protobuf.Duration
        max_interval 2 m:google.protobuf.Duration
        =envoy.config.core.v3.BindConfig
        source_address 1 m:envoy.config.core.v3.SocketAddress
        freebind 2 m:google.protobuf.BoolValue
        socket_options 3 *m:envoy.config.core.v3.SocketOption
        local_address_selector 6 m:envoy.config.core.v3.TypedExtensionConfig
        extra_source_addresses 5 -
        additional_source_addresses 4 ~
        =envoy.config.core.v3.BuildVersion
        metadata 2 m:google.protobuf.Struct
        version 1 -
        =envoy.config.core.v3.CidrRange
        address_prefix 1 s
        prefix_len 2 m:google.protobuf.UInt32Value
        =envoy.config.core.v3.ConfigSource
        path 1 s config_source_specifier
        path_config_source 8 m:envoy.config.core.v3.PathConfigSource config_source_specifier
        api_config_source 2 m:envoy.config.core.v3.ApiConfigSource config_source_specifier
        ads 3 m:envoy.config.core.v3.AggregatedConfigSource config_source_specifier
        self 5 m:envoy.config.core.v3.SelfConfigSource config_source_specifier
        initial_fetch_timeout 4 m:google.protobuf.Duration
        resource_api_version 6 e:envoy.config.core.v3.ApiVersion
        authorities 7 -
        =envoy.config.core.v3.ControlPlane
        identifier 1 s
        =envoy.config.core.v3.DataSource
        filename 1 s specifier
        inline_bytes 2 y specifier
        inline_string 3 s specifier
        environment_variable 4 s specifier
        watched_directory 5 m:envoy.config.core.v3.WatchedDirectory
        =envoy.config.core.v3.DnsResolverOptions
        use_tcp_for_dns_lookups 1 b
        no_default_search_domain 2 b
        =envoy.config.core.v3.EnvoyInternalAddress
        server_listener_name 1 s address_name_specifier
        endpoint_id 2 s
        =envoy.config.core.v3.ExtensionConfigSource
        config_source 1 m:envoy.config.core.v3.ConfigSource
        default_config 2 m:google.protobuf.Any
        apply_default_config_without_warming 3 b
        type_urls 4 *s
        =envoy.config.core.v3.GrpcService
        envoy_grpc 1 m:envoy.config.core.v3.GrpcService.EnvoyGrpc target_specifier
        google_grpc 2 m:envoy.config.core.v3.GrpcService.GoogleGrpc target_specifier
        timeout 3 m:google.protobuf.Duration
        initial_metadata 5 *m:envoy.config.core.v3.HeaderValue
        retry_policy 6 m:envoy.config.core.v3.RetryPolicy
        =envoy.config.core.v3.GrpcService.EnvoyGrpc
        cluster_name 1 s
        authority 2 s
        retry_policy 3 m:envoy.config.core.v3.RetryPolicy
        max_receive_message_length 4 m:google.protobuf.UInt32Value
        skip_envoy_headers 5 b
        =envoy.config.core.v3.GrpcService.GoogleGrpc
        target_uri 1 s
        stat_prefix 4 s
        channel_credentials 2 -
        channel_credentials_plugin 9 -
        call_credentials 3 -
        call_credentials_plugin 10 -
        credentials_factory_name 5 -
        config 6 -
        per_stream_buffer_limit_bytes 7 -
        channel_args 8 -
        =envoy.config.core.v3.HeaderValue
        key 1 s
        value 2 s
        raw_value 3 y
        =envoy.config.core.v3.HeaderValueOption
        header 1 m:envoy.config.core.v3.HeaderValue
        append 2 m:google.protobuf.BoolValue
        append_action 3 e:envoy.config.core.v3.HeaderValueOption.HeaderAppendAction
        keep_empty_value 4 b
        =envoy.config.core.v3.HealthCheck
        timeout 1 m:google.protobuf.Duration
        interval 2 m:google.protobuf.Duration
        initial_jitter 20 m:google.protobuf.Duration
        interval_jitter 3 m:google.protobuf.Duration
        interval_jitter_percent 18 u
        unhealthy_threshold 4 m:google.protobuf.UInt32Value
        healthy_threshold 5 m:google.protobuf.UInt32Value
        alt_port 6 m:google.protobuf.UInt32Value
        reuse_connection 7 m:google.protobuf.BoolValue
        http_health_check 8 m:envoy.config.core.v3.HealthCheck.HttpHealthCheck health_checker
        tcp_health_check 9 m:envoy.config.core.v3.HealthCheck.TcpHealthCheck health_checker
        grpc_health_check 11 m:envoy.config.core.v3.HealthCheck.GrpcHealthCheck health_checker
        no_traffic_interval 12 m:google.protobuf.Duration
        no_traffic_healthy_interval 24 m:google.protobuf.Duration
        unhealthy_interval 14 m:google.protobuf.Duration
        unhealthy_edge_interval 15 m:google.protobuf.Duration
        healthy_edge_interval 16 m:google.protobuf.Duration
        event_logger 25 *m:envoy.config.core.v3.TypedExtensionConfig
        always_log_health_check_failures 19 b
        always_log_health_check_success 26 b
        tls_options 21 m:envoy.config.core.v3.HealthCheck.TlsOptions
        transport_socket_match_criteria 23 m:google.protobuf.Struct
        custom_health_check 13 -
        event_log_path 17 ~
        event_service 22 -
        =envoy.config.core.v3.HealthCheck.GrpcHealthCheck
        service_name 1 s
        authority 2 s
        initial_metadata 3 *m:envoy.config.core.v3.HeaderValueOption
        =envoy.config.core.v3.HealthCheck.HttpHealthCheck
        host 1 s
        path 2 s
        send 3 m:envoy.config.core.v3.HealthCheck.Payload
        receive 4 *m:envoy.config.core.v3.HealthCheck.Payload
        response_buffer_size 14 m:google.protobuf.UInt64Value
        request_headers_to_add 6 *m:envoy.config.core.v3.HeaderValueOption
        request_headers_to_remove 8 *s
        expected_statuses 9 *m:envoy.type.v3.Int64Range
        retriable_statuses 12 *m:envoy.type.v3.Int64Range
        codec_client_type 10 e:envoy.type.v3.CodecClientType
        service_name_matcher 11 m:envoy.type.matcher.v3.StringMatcher
        method 13 e:envoy.config.core.v3.RequestMethod
        =envoy.config.core.v3.HealthCheck.Payload
        text 1 s payload
        binary 2 y payload
        =envoy.config.core.v3.HealthCheck.TcpHealthCheck
        send 1 m:envoy.config.core.v3.HealthCheck.Payload
        receive 2 *m:envoy.config.core.v3.HealthCheck.Payload
        proxy_protocol_config 3 m:envoy.config.core.v3.ProxyProtocolConfig
        =envoy.config.core.v3.HealthCheck.TlsOptions
        alpn_protocols 1 *s
        =envoy.config.core.v3.HealthStatusSet
        statuses 1 *e:envoy.config.core.v3.HealthStatus
        =envoy.config.core.v3.Http1ProtocolOptions
        allow_absolute_url 1 m:google.protobuf.BoolValue
        accept_http_10 2 b
        default_host_for_http_10 3 s
        header_key_format 4 m:envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat
        enable_trailers 5 b
        allow_chunked_length 6 b
        override_stream_error_on_invalid_http_message 7 m:google.protobuf.BoolValue
        send_fully_qualified_url 8 b
        allow_custom_methods 10 b
        ignore_http_11_upgrade 11 *m:envoy.type.matcher.v3.StringMatcher
        use_balsa_parser 9 ~
        =envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat
        proper_case_words 1 m:envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat.ProperCaseWords header_format
        stateful_formatter 8 m:envoy.config.core.v3.TypedExtensionConfig header_format
        =envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat.ProperCaseWords
        =envoy.config.core.v3.Http2ProtocolOptions
        hpack_table_size 1 m:google.protobuf.UInt32Value
        max_concurrent_streams 2 m:google.protobuf.UInt32Value
        initial_stream_window_size 3 m:google.protobuf.UInt32Value
        initial_connection_window_size 4 m:google.protobuf.UInt32Value
        allow_connect 5 b
        allow_metadata 6 b
        max_outbound_frames 7 m:google.protobuf.UInt32Value
        max_outbound_control_frames 8 m:google.protobuf.UInt32Value
        max_consecutive_inbound_frames_with_empty_payload 9 m:google.protobuf.UInt32Value
        max_inbound_priority_frames_per_stream 10 m:google.protobuf.UInt32Value
        max_inbound_window_update_frames_per_data_frame_sent 11 m:google.protobuf.UInt32Value
        override_stream_error_on_invalid_http_message 14 m:google.protobuf.BoolValue
        connection_keepalive 15 m:envoy.config.core.v3.KeepaliveSettings
        use_oghttp2_codec 16 m:google.protobuf.BoolValue
        max_metadata_size 17 m:google.protobuf.UInt64Value
        stream_error_on_invalid_http_messaging 12 ~
        custom_settings_parameters 13 -
        =envoy.config.core.v3.HttpProtocolOptions
        idle_timeout 1 m:google.protobuf.Duration
        max_connection_duration 3 m:google.protobuf.Duration
        max_headers_count 2 m:google.protobuf.UInt32Value
        max_response_headers_kb 7 m:google.protobuf.UInt32Value
        max_stream_duration 4 m:google.protobuf.Duration
        headers_with_underscores_action 5 e:envoy.config.core.v3.HttpProtocolOptions.HeadersWithUnderscoresAction
        max_requests_per_connection 6 m:google.protobuf.UInt32Value
        =envoy.config.core.v3.HttpUri
        uri 1 s
        cluster 2 s http_upstream_type
        timeout 3 m:google.protobuf.Duration
        =envoy.config.core.v3.KeepaliveSettings
        interval 1 m:google.protobuf.Duration
        timeout 2 m:google.protobuf.Duration
        interval_jitter 3 m:envoy.type.v3.Percent
        connection_idle_interval 4 m:google.protobuf.Duration
        =envoy.config.core.v3.KeyValue
        key 1 ~
        value 2 ~
        =envoy.config.core.v3.KeyValueAppend
        record 3 m:envoy.config.core.v3.KeyValuePair
        action 2 e:envoy.config.core.v3.KeyValueAppend.KeyValueAppendAction
        entry 1 ~
        =envoy.config.core.v3.KeyValueMutation
        append 1 m:envoy.config.core.v3.KeyValueAppend
        remove 2 s
        =envoy.config.core.v3.KeyValuePair
        key 1 s
        value 2 m:google.protobuf.Value
        =envoy.config.core.v3.Locality
        region 1 s
        zone 2 s
        sub_zone 3 s
        =envoy.config.core.v3.Metadata
        filter_metadata 1 %sm:google.protobuf.Struct
        typed_filter_metadata 2 %sm:google.protobuf.Any
        =envoy.config.core.v3.Node
        id 1 s
        cluster 2 s
        metadata 3 m:google.protobuf.Struct
        locality 4 m:envoy.config.core.v3.Locality
        user_agent_name 6 s
        user_agent_version 7 s user_agent_version_type
        user_agent_build_version 8 m:envoy.config.core.v3.BuildVersion user_agent_version_type
        client_features 10 *s
        dynamic_parameters 12 -
        extensions 9 -
        listening_addresses 11 ~
        =envoy.config.core.v3.PathConfigSource
        path 1 s
        watched_directory 2 m:envoy.config.core.v3.WatchedDirectory
        =envoy.config.core.v3.Pipe
        path 1 s
        mode 2 u
        =envoy.config.core.v3.ProxyProtocolConfig
        version 1 e:envoy.config.core.v3.ProxyProtocolConfig.Version
        pass_through_tlvs 2 m:envoy.config.core.v3.ProxyProtocolPassThroughTLVs
        added_tlvs 3 *m:envoy.config.core.v3.TlvEntry
        =envoy.config.core.v3.ProxyProtocolPassThroughTLVs
        match_type 1 e:envoy.config.core.v3.ProxyProtocolPassThroughTLVs.PassTLVsMatchType
        tlv_type 2 *u
        =envoy.config.core.v3.RateLimitSettings
        max_tokens 1 m:google.protobuf.UInt32Value
        fill_rate 2 m:google.protobuf.DoubleValue
        =envoy.config.core.v3.RetryPolicy
        retry_back_off 1 m:envoy.config.core.v3.BackoffStrategy
        num_retries 2 m:google.protobuf.UInt32Value
        retry_on 3 s
        retry_host_predicate 5 *m:envoy.config.core.v3.RetryPolicy.RetryHostPredicate
        host_selection_retry_max_attempts 6 l
        retry_priority 4 -
        =envoy.config.core.v3.RetryPolicy.RetryHostPredicate
        name 1 s
        typed_config 2 m:google.protobuf.Any config_type
        =envoy.config.core.v3.RuntimeDouble
        default_value 1 d
        runtime_key 2 s
        =envoy.config.core.v3.RuntimeFeatureFlag
        default_value 1 m:google.protobuf.BoolValue
        runtime_key 2 s
        =envoy.config.core.v3.RuntimeFractionalPercent
        default_value 1 m:envoy.type.v3.FractionalPercent
        runtime_key 2 s
        =envoy.config.core.v3.RuntimeUInt32
        default_value 2 u
        runtime_key 3 s
        =envoy.config.core.v3.SchemeHeaderTransformation
        scheme_to_overwrite 1 s transformation
        match_upstream 2 b
        =envoy.config.core.v3.SelfConfigSource
        transport_api_version 1 e:envoy.config.core.v3.ApiVersion
        =envoy.config.core.v3.SocketAddress
        protocol 1 e:envoy.config.core.v3.SocketAddress.Protocol
        address 2 s
        port_value 3 u port_specifier
        named_port 4 s port_specifier
        resolver_name 5 s
        ipv4_compat 6 b
        network_namespace_filepath 7 s
        =envoy.config.core.v3.SocketOption
        description 1 s
        level 2 l
        name 3 l
        int_value 4 l value
        buf_value 5 y value
        state 6 e:envoy.config.core.v3.SocketOption.SocketState
        type 7 -
        =envoy.config.core.v3.SubstitutionFormatString
        text_format 1 s format
        json_format 2 m:google.protobuf.Struct format
        text_format_source 5 m:envoy.config.core.v3.DataSource format
        omit_empty_values 3 b
        content_type 4 s
        formatters 6 *m:envoy.config.core.v3.TypedExtensionConfig
        json_format_options 7 -
        =envoy.config.core.v3.TcpKeepalive
        keepalive_probes 1 m:google.protobuf.UInt32Value
        keepalive_time 2 m:google.protobuf.UInt32Value
        keepalive_interval 3 m:google.protobuf.UInt32Value
        =envoy.config.core.v3.TlvEntry
        type 1 u
        value 2 y
        format_string 3 m:envoy.config.core.v3.SubstitutionFormatString
        =envoy.config.core.v3.TransportSocket
        name 1 s
        typed_config 3 m:google.protobuf.Any config_type
        =envoy.config.core.v3.TypedExtensionConfig
        name 1 s
        typed_config 2 m:google.protobuf.Any
        =envoy.config.core.v3.UpstreamHttpProtocolOptions
        auto_sni 1 b
        auto_san_validation 2 b
        override_auto_sni_header 3 s
        =envoy.config.core.v3.WatchedDirectory
        path 1 s
        =envoy.config.endpoint.v3.ClusterLoadAssignment
        cluster_name 1 s
        endpoints 2 *m:envoy.config.endpoint.v3.LocalityLbEndpoints
        named_endpoints 5 %sm:envoy.config.endpoint.v3.Endpoint
        policy 4 m:envoy.config.endpoint.v3.ClusterLoadAssignment.Policy
        =envoy.config.endpoint.v3.ClusterLoadAssignment.Policy
        drop_overloads 2 *m:envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload
        overprovisioning_factor 3 m:google.protobuf.UInt32Value
        endpoint_stale_after 4 m:google.protobuf.Duration
        weighted_priority_health 6 b
        =envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload
        category 1 s
        drop_percentage 2 m:envoy.type.v3.FractionalPercent
        =envoy.config.endpoint.v3.Endpoint
        address 1 m:envoy.config.core.v3.Address
        health_check_config 2 m:envoy.config.endpoint.v3.Endpoint.HealthCheckConfig
        hostname 3 s
        additional_addresses 4 *m:envoy.config.endpoint.v3.Endpoint.AdditionalAddress
        =envoy.config.endpoint.v3.Endpoint.AdditionalAddress
        address 1 m:envoy.config.core.v3.Address
        =envoy.config.endpoint.v3.Endpoint.HealthCheckConfig
        port_value 1 u
        hostname 2 s
        address 3 m:envoy.config.core.v3.Address
        disable_active_health_check 4 b
        =envoy.config.endpoint.v3.LbEndpoint
        endpoint 1 m:envoy.config.endpoint.v3.Endpoint host_identifier
        endpoint_name 5 s host_identifier
        health_status 2 e:envoy.config.core.v3.HealthStatus
        metadata 3 m:envoy.config.core.v3.Metadata
        load_balancing_weight 4 m:google.protobuf.UInt32Value
        =envoy.config.endpoint.v3.LocalityLbEndpoints
        locality 1 m:envoy.config.core.v3.Locality
        metadata 9 m:envoy.config.core.v3.Metadata
        lb_endpoints 2 *m:envoy.config.endpoint.v3.LbEndpoint
        load_balancing_weight 3 m:google.protobuf.UInt32Value
        priority 5 u
        proximity 6 m:google.protobuf.UInt32Value
        load_balancer_endpoints 7 ~
        leds_cluster_locality_config 8 -
        =envoy.config.listener.v3.AdditionalAddress
        address 1 m:envoy.config.core.v3.Address
        socket_options 2 -
        =envoy.config.listener.v3.ApiListener
        api_listener 1 m:google.protobuf.Any
        =envoy.config.listener.v3.Filter
        name 1 s
        typed_config 4 m:google.protobuf.Any config_type
        config_discovery 5 m:envoy.config.core.v3.ExtensionConfigSource config_type
        =envoy.config.listener.v3.FilterChain
        filter_chain_match 1 m:envoy.config.listener.v3.FilterChainMatch
        filters 3 *m:envoy.config.listener.v3.Filter
        metadata 5 m:envoy.config.core.v3.Metadata
        transport_socket 6 m:envoy.config.core.v3.TransportSocket
        transport_socket_connect_timeout 9 m:google.protobuf.Duration
        name 7 s
        use_proxy_proto 4 ~
        =envoy.config.listener.v3.FilterChainMatch
        destination_port 8 m:google.protobuf.UInt32Value
        prefix_ranges 3 *m:envoy.config.core.v3.CidrRange
        address_suffix 4 s
        suffix_len 5 m:google.protobuf.UInt32Value
        direct_source_prefix_ranges 13 *m:envoy.config.core.v3.CidrRange
        source_type 12 e:envoy.config.listener.v3.FilterChainMatch.ConnectionSourceType
        source_prefix_ranges 6 *m:envoy.config.core.v3.CidrRange
        source_ports 7 *u
        server_names 11 *s
        transport_protocol 9 s
        application_protocols 10 *s
        =envoy.config.listener.v3.Listener
        name 1 s
        address 2 m:envoy.config.core.v3.Address
        additional_addresses 33 *m:envoy.config.listener.v3.AdditionalAddress
        stat_prefix 28 s
        filter_chains 3 *m:envoy.config.listener.v3.FilterChain
        use_original_dst 4 m:google.protobuf.BoolValue
        default_filter_chain 25 m:envoy.config.listener.v3.FilterChain
        per_connection_buffer_limit_bytes 5 m:google.protobuf.UInt32Value
        metadata 6 m:envoy.config.core.v3.Metadata
        drain_type 8 e:envoy.config.listener.v3.Listener.DrainType
        listener_filters 9 *m:envoy.config.listener.v3.ListenerFilter
        listener_filters_timeout 15 m:google.protobuf.Duration
        continue_on_listener_filters_timeout 17 b
        transparent 10 m:google.protobuf.BoolValue
        freebind 11 m:google.protobuf.BoolValue
        socket_options 13 *m:envoy.config.core.v3.SocketOption
        tcp_fast_open_queue_length 12 m:google.protobuf.UInt32Value
        traffic_direction 16 e:envoy.config.core.v3.TrafficDirection
        api_listener 19 m:envoy.config.listener.v3.ApiListener
        connection_balance_config 20 m:envoy.config.listener.v3.Listener.ConnectionBalanceConfig
        reuse_port 21 b
        enable_reuse_port 29 m:google.protobuf.BoolValue
        access_log 22 *m:envoy.config.accesslog.v3.AccessLog
        tcp_backlog_size 24 m:google.protobuf.UInt32Value
        max_connections_to_accept_per_socket_event 34 m:google.protobuf.UInt32Value
        bind_to_port 26 m:google.protobuf.BoolValue
        internal_listener 27 m:envoy.config.listener.v3.Listener.InternalListenerConfig listener_specifier
        enable_mptcp 30 b
        ignore_global_conn_limit 31 b
        bypass_overload_manager 35 b
        fcds_config 36 -
        filter_chain_matcher 32 -
        deprecated_v1 7 ~
        udp_listener_config 18 -
        =envoy.config.listener.v3.Listener.ConnectionBalanceConfig
        exact_balance 1 m:envoy.config.listener.v3.Listener.ConnectionBalanceConfig.ExactBalance balance_type
        extend_balance 2 m:envoy.config.core.v3.TypedExtensionConfig balance_type
        =envoy.config.listener.v3.Listener.ConnectionBalanceConfig.ExactBalance
        =envoy.config.listener.v3.Listener.InternalListenerConfig
        =envoy.config.listener.v3.ListenerFilter
        name 1 s
        typed_config 3 m:google.protobuf.Any config_type
        config_discovery 5 m:envoy.config.core.v3.ExtensionConfigSource config_type
        filter_disabled 4 m:envoy.config.listener.v3.ListenerFilterChainMatchPredicate
        =envoy.config.listener.v3.ListenerFilterChainMatchPredicate
        or_match 1 m:envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet rule
        and_match 2 m:envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet rule
        not_match 3 m:envoy.config.listener.v3.ListenerFilterChainMatchPredicate rule
        any_match 4 b rule
        destination_port_range 5 m:envoy.type.v3.Int32Range rule
        =envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet
        rules 1 *m:envoy.config.listener.v3.ListenerFilterChainMatchPredicate
        =envoy.config.rbac.v3.Permission
        and_rules 1 m:envoy.config.rbac.v3.Permission.Set rule
        or_rules 2 m:envoy.config.rbac.v3.Permission.Set rule
        any 3 b rule
        header 4 m:envoy.config.route.v3.HeaderMatcher rule
        url_path 10 m:envoy.type.matcher.v3.PathMatcher rule
        destination_ip 5 m:envoy.config.core.v3.CidrRange rule
        destination_port 6 u rule
        destination_port_range 11 m:envoy.type.v3.Int32Range rule
        metadata 7 m:envoy.type.matcher.v3.MetadataMatcher rule
        not_rule 8 m:envoy.config.rbac.v3.Permission rule
        requested_server_name 9 m:envoy.type.matcher.v3.StringMatcher rule
        matcher 12 m:envoy.config.core.v3.TypedExtensionConfig rule
        uri_template 13 m:envoy.config.core.v3.TypedExtensionConfig rule
        sourced_metadata 14 m:envoy.config.rbac.v3.SourcedMetadata rule
        =envoy.config.rbac.v3.Permission.Set
        rules 1 *m:envoy.config.rbac.v3.Permission
        =envoy.config.rbac.v3.Policy
        permissions 1 *m:envoy.config.rbac.v3.Permission
        principals 2 *m:envoy.config.rbac.v3.Principal
        condition 3 -
        checked_condition 4 -
        cel_config 5 -
        =envoy.config.rbac.v3.Principal
        and_ids 1 m:envoy.config.rbac.v3.Principal.Set identifier
        or_ids 2 m:envoy.config.rbac.v3.Principal.Set identifier
        any 3 b identifier
        authenticated 4 m:envoy.config.rbac.v3.Principal.Authenticated identifier
        source_ip 5 m:envoy.config.core.v3.CidrRange identifier
        direct_remote_ip 10 m:envoy.config.core.v3.CidrRange identifier
        remote_ip 11 m:envoy.config.core.v3.CidrRange identifier
        header 6 m:envoy.config.route.v3.HeaderMatcher identifier
        url_path 9 m:envoy.type.matcher.v3.PathMatcher identifier
        metadata 7 m:envoy.type.matcher.v3.MetadataMatcher identifier
        filter_state 12 m:envoy.type.matcher.v3.FilterStateMatcher identifier
        not_id 8 m:envoy.config.rbac.v3.Principal identifier
        sourced_metadata 13 m:envoy.config.rbac.v3.SourcedMetadata identifier
        custom 14 m:envoy.config.core.v3.TypedExtensionConfig identifier
        =envoy.config.rbac.v3.Principal.Authenticated
        principal_name 2 m:envoy.type.matcher.v3.StringMatcher
        =envoy.config.rbac.v3.Principal.Set
        ids 1 *m:envoy.config.rbac.v3.Principal
        =envoy.config.rbac.v3.RBAC
        action 1 e:envoy.config.rbac.v3.RBAC.Action
        policies 2 %sm:envoy.config.rbac.v3.Policy
        audit_logging_options 3 -
        =envoy.config.rbac.v3.SourcedMetadata
        metadata_matcher 1 m:envoy.type.matcher.v3.MetadataMatcher
        metadata_source 2 e:envoy.config.rbac.v3.MetadataSource
        =envoy.config.route.v3.CorsPolicy
        allow_origin_string_match 11 *m:envoy.type.matcher.v3.StringMatcher
        allow_methods 2 s
        allow_headers 3 s
        expose_headers 4 s
        max_age 5 s
        allow_credentials 6 m:google.protobuf.BoolValue
        filter_enabled 9 m:envoy.config.core.v3.RuntimeFractionalPercent enabled_specifier
        shadow_enabled 10 m:envoy.config.core.v3.RuntimeFractionalPercent
        allow_private_network_access 12 m:google.protobuf.BoolValue
        forward_not_matching_preflights 13 m:google.protobuf.BoolValue
        =envoy.config.route.v3.Decorator
        operation 1 s
        propagate 2 m:google.protobuf.BoolValue
        =envoy.config.route.v3.DirectResponseAction
        status 1 u
        body 2 m:envoy.config.core.v3.DataSource
        body_format 3 m:envoy.config.core.v3.SubstitutionFormatString
        =envoy.config.route.v3.FilterConfig
        config 1 m:google.protobuf.Any
        is_optional 2 b
        disabled 3 b
        =envoy.config.route.v3.HeaderMatcher
        name 1 s
        exact_match 4 s header_match_specifier
        safe_regex_match 11 m:envoy.type.matcher.v3.RegexMatcher header_match_specifier
        range_match 6 m:envoy.type.v3.Int64Range header_match_specifier
        present_match 7 b header_match_specifier
        prefix_match 9 s header_match_specifier
        suffix_match 10 s header_match_specifier
        contains_match 12 s header_match_specifier
        string_match 13 m:envoy.type.matcher.v3.StringMatcher header_match_specifier
        invert_match 8 b
        treat_missing_header_as_empty 14 b
        =envoy.config.route.v3.HedgePolicy
        initial_requests 1 m:google.protobuf.UInt32Value
        additional_request_chance 2 m:envoy.type.v3.FractionalPercent
        hedge_on_per_try_timeout 3 b
        =envoy.config.route.v3.InternalRedirectPolicy
        max_internal_redirects 1 m:google.protobuf.UInt32Value
        redirect_response_codes 2 *u
        predicates 3 *m:envoy.config.core.v3.TypedExtensionConfig
        allow_cross_scheme_redirect 4 b
        response_headers_to_copy 5 *s
        =envoy.config.route.v3.NonForwardingAction
        =envoy.config.route.v3.QueryParameterMatcher
        name 1 s
        string_match 5 m:envoy.type.matcher.v3.StringMatcher query_parameter_match_specifier
        present_match 6 b query_parameter_match_specifier
        =envoy.config.route.v3.RateLimit
        stage 1 m:google.protobuf.UInt32Value
        disable_key 2 s
        actions 3 *m:envoy.config.route.v3.RateLimit.Action
        limit 4 -
        hits_addend 5 -
        apply_on_stream_done 6 -
        =envoy.config.route.v3.RateLimit.Action
        source_cluster 1 m:envoy.config.route.v3.RateLimit.Action.SourceCluster action_specifier
        destination_cluster 2 m:envoy.config.route.v3.RateLimit.Action.DestinationCluster action_specifier
        request_headers 3 m:envoy.config.route.v3.RateLimit.Action.RequestHeaders action_specifier
        query_parameters 12 m:envoy.config.route.v3.RateLimit.Action.QueryParameters action_specifier
        remote_address 4 m:envoy.config.route.v3.RateLimit.Action.RemoteAddress action_specifier
        generic_key 5 m:envoy.config.route.v3.RateLimit.Action.GenericKey action_specifier
        header_value_match 6 m:envoy.config.route.v3.RateLimit.Action.HeaderValueMatch action_specifier
        extension 9 m:envoy.config.core.v3.TypedExtensionConfig action_specifier
        masked_remote_address 10 m:envoy.config.route.v3.RateLimit.Action.MaskedRemoteAddress action_specifier
        query_parameter_value_match 11 m:envoy.config.route.v3.RateLimit.Action.QueryParameterValueMatch action_specifier
        dynamic_metadata 7 ~
        metadata 8 -
        =envoy.config.route.v3.RateLimit.Action.DestinationCluster
        =envoy.config.route.v3.RateLimit.Action.GenericKey
        descriptor_value 1 s
        descriptor_key 2 s
        =envoy.config.route.v3.RateLimit.Action.HeaderValueMatch
        descriptor_key 4 s
        descriptor_value 1 s
        expect_match 2 m:google.protobuf.BoolValue
        headers 3 *m:envoy.config.route.v3.HeaderMatcher
        =envoy.config.route.v3.RateLimit.Action.MaskedRemoteAddress
        v4_prefix_mask_len 1 m:google.protobuf.UInt32Value
        v6_prefix_mask_len 2 m:google.protobuf.UInt32Value
        =envoy.config.route.v3.RateLimit.Action.QueryParameterValueMatch
        descriptor_key 4 s
        descriptor_value 1 s
        expect_match 2 m:google.protobuf.BoolValue
        query_parameters 3 *m:envoy.config.route.v3.QueryParameterMatcher
        =envoy.config.route.v3.RateLimit.Action.QueryParameters
        query_parameter_name 1 s
        descriptor_key 2 s
        skip_if_absent 3 b
        =envoy.config.route.v3.RateLimit.Action.RemoteAddress
        =envoy.config.route.v3.RateLimit.Action.RequestHeaders
        header_name 1 s
        descriptor_key 2 s
        skip_if_absent 3 b
        =envoy.config.route.v3.RateLimit.Action.SourceCluster
        =envoy.config.route.v3.RedirectAction
        https_redirect 4 b scheme_rewrite_specifier
        scheme_redirect 7 s scheme_rewrite_specifier
        host_redirect 1 s
        port_redirect 8 u
        path_redirect 2 s path_rewrite_specifier
        prefix_rewrite 5 s path_rewrite_specifier
        regex_rewrite 9 m:envoy.type.matcher.v3.RegexMatchAndSubstitute path_rewrite_specifier
        response_code 3 e:envoy.config.route.v3.RedirectAction.RedirectResponseCode
        strip_query 6 b
        =envoy.config.route.v3.RetryPolicy
        retry_on 1 s
        num_retries 2 m:google.protobuf.UInt32Value
        per_try_timeout 3 m:google.protobuf.Duration
        per_try_idle_timeout 13 m:google.protobuf.Duration
        retry_priority 4 m:envoy.config.route.v3.RetryPolicy.RetryPriority
        retry_host_predicate 5 *m:envoy.config.route.v3.RetryPolicy.RetryHostPredicate
        retry_options_predicates 12 *m:envoy.config.core.v3.TypedExtensionConfig
        host_selection_retry_max_attempts 6 l
        retriable_status_codes 7 *u
        retry_back_off 8 m:envoy.config.route.v3.RetryPolicy.RetryBackOff
        rate_limited_retry_back_off 11 m:envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff
        retriable_headers 9 *m:envoy.config.route.v3.HeaderMatcher
        retriable_request_headers 10 *m:envoy.config.route.v3.HeaderMatcher
        =envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff
        reset_headers 1 *m:envoy.config.route.v3.RetryPolicy.ResetHeader
        max_interval 2 m:google.protobuf.Duration
        =envoy.config.route.v3.RetryPolicy.ResetHeader
        name 1 s
        format 2 e:envoy.config.route.v3.RetryPolicy.ResetHeaderFormat
        =envoy.config.route.v3.RetryPolicy.RetryBackOff
        base_interval 1 m:google.protobuf.Duration
        max_interval 2 m:google.protobuf.Duration
        =envoy.config.route.v3.RetryPolicy.RetryHostPredicate
        name 1 s
        typed_config 3 m:google.protobuf.Any config_type
        =envoy.config.route.v3.RetryPolicy.RetryPriority
        name 1 s
        typed_config 3 m:google.protobuf.Any config_type
        =envoy.config.route.v3.Route
        name 14 s
        match 1 m:envoy.config.route.v3.RouteMatch
        route 2 m:envoy.config.route.v3.RouteAction action
        redirect 3 m:envoy.config.route.v3.RedirectAction action
        direct_response 7 m:envoy.config.route.v3.DirectResponseAction action
        non_forwarding_action 18 m:envoy.config.route.v3.NonForwardingAction action
        metadata 4 m:envoy.config.core.v3.Metadata
        decorator 5 m:envoy.config.route.v3.Decorator
        typed_per_filter_config 13 %sm:google.protobuf.Any
        request_headers_to_add 9 *m:envoy.config.core.v3.HeaderValueOption
        request_headers_to_remove 12 *s
        response_headers_to_add 10 *m:envoy.config.core.v3.HeaderValueOption
        response_headers_to_remove 11 *s
        tracing 15 m:envoy.config.route.v3.Tracing
        stat_prefix 19 s
        request_body_buffer_limit 20 m:google.protobuf.UInt64Value
        filter_action 17 -
        per_request_buffer_limit_bytes 16 ~
        =envoy.config.route.v3.RouteAction
        cluster 1 s cluster_specifier
        cluster_header 2 s cluster_specifier
        weighted_clusters 3 m:envoy.config.route.v3.WeightedCluster cluster_specifier
        cluster_specifier_plugin 37 s cluster_specifier
        cluster_not_found_response_code 20 e:envoy.config.route.v3.RouteAction.ClusterNotFoundResponseCode
        metadata_match 4 m:envoy.config.core.v3.Metadata
        prefix_rewrite 5 s
        regex_rewrite 32 m:envoy.type.matcher.v3.RegexMatchAndSubstitute
        path_rewrite_policy 41 m:envoy.config.core.v3.TypedExtensionConfig
        path_rewrite 45 s
        host_rewrite_literal 6 s host_rewrite_specifier
        auto_host_rewrite 7 m:google.protobuf.BoolValue host_rewrite_specifier
        host_rewrite_header 29 s host_rewrite_specifier
        host_rewrite_path_regex 35 m:envoy.type.matcher.v3.RegexMatchAndSubstitute host_rewrite_specifier
        host_rewrite 44 s host_rewrite_specifier
        append_x_forwarded_host 38 b
        timeout 8 m:google.protobuf.Duration
        idle_timeout 24 m:google.protobuf.Duration
        flush_timeout 42 m:google.protobuf.Duration
        early_data_policy 40 m:envoy.config.core.v3.TypedExtensionConfig
        retry_policy 9 m:envoy.config.route.v3.RetryPolicy
        retry_policy_typed_config 33 m:google.protobuf.Any
        request_mirror_policies 30 *m:envoy.config.route.v3.RouteAction.RequestMirrorPolicy
        priority 11 e:envoy.config.core.v3.RoutingPriority
        rate_limits 13 *m:envoy.config.route.v3.RateLimit
        hash_policy 15 *m:envoy.config.route.v3.RouteAction.HashPolicy
        cors 17 m:envoy.config.route.v3.CorsPolicy
        max_grpc_timeout 23 m:google.protobuf.Duration
        grpc_timeout_offset 28 m:google.protobuf.Duration
        upgrade_configs 25 *m:envoy.config.route.v3.RouteAction.UpgradeConfig
        internal_redirect_policy 34 m:envoy.config.route.v3.InternalRedirectPolicy
        hedge_policy 27 m:envoy.config.route.v3.HedgePolicy
        max_stream_duration 36 m:envoy.config.route.v3.RouteAction.MaxStreamDuration
        inline_cluster_specifier_plugin 39 -
        include_vh_rate_limits 14 ~
        internal_redirect_action 26 ~
        max_internal_redirects 31 ~
        =envoy.config.route.v3.RouteAction.HashPolicy
        header 1 m:envoy.config.route.v3.RouteAction.HashPolicy.Header policy_specifier
        cookie 2 m:envoy.config.route.v3.RouteAction.HashPolicy.Cookie policy_specifier
        connection_properties 3 m:envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties policy_specifier
        query_parameter 5 m:envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter policy_specifier
        filter_state 6 m:envoy.config.route.v3.RouteAction.HashPolicy.FilterState policy_specifier
        terminal 4 b
        =envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties
        source_ip 1 b
        =envoy.config.route.v3.RouteAction.HashPolicy.Cookie
        name 1 s
        ttl 2 m:google.protobuf.Duration
        path 3 s
        attributes 4 *m:envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute
        =envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute
        name 1 s
        value 2 s
        =envoy.config.route.v3.RouteAction.HashPolicy.FilterState
        key 1 s
        =envoy.config.route.v3.RouteAction.HashPolicy.Header
        header_name 1 s
        regex_rewrite 2 m:envoy.type.matcher.v3.RegexMatchAndSubstitute
        =envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter
        name 1 s
        =envoy.config.route.v3.RouteAction.MaxStreamDuration
        max_stream_duration 1 m:google.protobuf.Duration
        grpc_timeout_header_max 2 m:google.protobuf.Duration
        grpc_timeout_header_offset 3 m:google.protobuf.Duration
        =envoy.config.route.v3.RouteAction.RequestMirrorPolicy
        cluster 1 s
        cluster_header 5 s
        runtime_fraction 3 m:envoy.config.core.v3.RuntimeFractionalPercent
        trace_sampled 4 m:google.protobuf.BoolValue
        disable_shadow_host_suffix_append 6 b
        request_headers_mutations 7 *m:envoy.config.common.mutation_rules.v3.HeaderMutation
        host_rewrite_literal 8 s
        =envoy.config.route.v3.RouteAction.UpgradeConfig
        upgrade_type 1 s
        enabled 2 m:google.protobuf.BoolValue
        connect_config 3 m:envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig
        =envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig
        proxy_protocol_config 1 m:envoy.config.core.v3.ProxyProtocolConfig
        allow_post 2 b
        =envoy.config.route.v3.RouteConfiguration
        name 1 s
        virtual_hosts 2 *m:envoy.config.route.v3.VirtualHost
        internal_only_headers 3 *s
        response_headers_to_add 4 *m:envoy.config.core.v3.HeaderValueOption
        response_headers_to_remove 5 *s
        request_headers_to_add 6 *m:envoy.config.core.v3.HeaderValueOption
        request_headers_to_remove 8 *s
        most_specific_header_mutations_wins 10 b
        validate_clusters 7 m:google.protobuf.BoolValue
        max_direct_response_body_size_bytes 11 m:google.protobuf.UInt32Value
        request_mirror_policies 13 *m:envoy.config.route.v3.RouteAction.RequestMirrorPolicy
        ignore_port_in_host_matching 14 b
        vhost_header 18 s
        ignore_path_parameters_in_path_matching 15 b
        typed_per_filter_config 16 %sm:google.protobuf.Any
        metadata 17 m:envoy.config.core.v3.Metadata
        vhds 9 -
        cluster_specifier_plugins 12 -
        =envoy.config.route.v3.RouteMatch
        prefix 1 s path_specifier
        path 2 s path_specifier
        safe_regex 10 m:envoy.type.matcher.v3.RegexMatcher path_specifier
        connect_matcher 12 m:envoy.config.route.v3.RouteMatch.ConnectMatcher path_specifier
        path_separated_prefix 14 s path_specifier
        path_match_policy 15 m:envoy.config.core.v3.TypedExtensionConfig path_specifier
        case_sensitive 4 m:google.protobuf.BoolValue
        runtime_fraction 9 m:envoy.config.core.v3.RuntimeFractionalPercent
        headers 6 *m:envoy.config.route.v3.HeaderMatcher
        query_parameters 7 *m:envoy.config.route.v3.QueryParameterMatcher
        grpc 8 m:envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions
        tls_context 11 m:envoy.config.route.v3.RouteMatch.TlsContextMatchOptions
        dynamic_metadata 13 *m:envoy.type.matcher.v3.MetadataMatcher
        filter_state 16 *m:envoy.type.matcher.v3.FilterStateMatcher
        =envoy.config.route.v3.RouteMatch.ConnectMatcher
        =envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions
        =envoy.config.route.v3.RouteMatch.TlsContextMatchOptions
        presented 1 m:google.protobuf.BoolValue
        validated 2 m:google.protobuf.BoolValue
        =envoy.config.route.v3.Tracing
        client_sampling 1 m:envoy.type.v3.FractionalPercent
        random_sampling 2 m:envoy.type.v3.FractionalPercent
        overall_sampling 3 m:envoy.type.v3.FractionalPercent
        custom_tags 4 *m:envoy.type.tracing.v3.CustomTag
        operation 5 s
        upstream_operation 6 s
        =envoy.config.route.v3.VirtualHost
        name 1 s
        domains 2 *s
        routes 3 *m:envoy.config.route.v3.Route
        require_tls 4 e:envoy.config.route.v3.VirtualHost.TlsRequirementType
        rate_limits 6 *m:envoy.config.route.v3.RateLimit
        request_headers_to_add 7 *m:envoy.config.core.v3.HeaderValueOption
        request_headers_to_remove 13 *s
        response_headers_to_add 10 *m:envoy.config.core.v3.HeaderValueOption
        response_headers_to_remove 11 *s
        cors 8 m:envoy.config.route.v3.CorsPolicy
        typed_per_filter_config 15 %sm:google.protobuf.Any
        include_request_attempt_count 14 b
        include_attempt_count_in_response 19 b
        retry_policy 16 m:envoy.config.route.v3.RetryPolicy
        retry_policy_typed_config 20 m:google.protobuf.Any
        hedge_policy 17 m:envoy.config.route.v3.HedgePolicy
        include_is_timeout_retry_header 23 b
        request_body_buffer_limit 25 m:google.protobuf.UInt64Value
        request_mirror_policies 22 *m:envoy.config.route.v3.RouteAction.RequestMirrorPolicy
        metadata 24 m:envoy.config.core.v3.Metadata
        matcher 21 -
        virtual_clusters 5 -
        per_request_buffer_limit_bytes 18 ~
        =envoy.config.route.v3.WeightedCluster
        clusters 1 *m:envoy.config.route.v3.WeightedCluster.ClusterWeight
        total_weight 3 m:google.protobuf.UInt32Value
        runtime_key_prefix 2 s
        header_name 4 s random_value_specifier
        use_hash_policy 5 m:google.protobuf.BoolValue random_value_specifier
        =envoy.config.route.v3.WeightedCluster.ClusterWeight
        name 1 s
        cluster_header 12 s
        weight 2 m:google.protobuf.UInt32Value
        metadata_match 3 m:envoy.config.core.v3.Metadata
        request_headers_to_add 4 *m:envoy.config.core.v3.HeaderValueOption
        request_headers_to_remove 9 *s
        response_headers_to_add 5 *m:envoy.config.core.v3.HeaderValueOption
        response_headers_to_remove 6 *s
        typed_per_filter_config 10 %sm:google.protobuf.Any
        host_rewrite_literal 11 s host_rewrite_specifier
        =envoy.config.trace.v3.Tracing
        http 1 m:envoy.config.trace.v3.Tracing.Http
        =envoy.config.trace.v3.Tracing.Http
        name 1 s
        typed_config 3 m:google.protobuf.Any config_type
        =envoy.extensions.access_loggers.file.v3.FileAccessLog
        path 1 s
        format 2 s access_log_format
        log_format 5 m:envoy.config.core.v3.SubstitutionFormatString access_log_format
        json_format 3 ~
        typed_json_format 4 ~
        =envoy.extensions.access_loggers.stream.v3.StderrAccessLog
        log_format 1 m:envoy.config.core.v3.SubstitutionFormatString access_log_format
        =envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
        log_format 1 m:envoy.config.core.v3.SubstitutionFormatString access_log_format
        =envoy.extensions.clusters.dns.v3.DnsCluster
        dns_refresh_rate 3 m:google.protobuf.Duration
        dns_failure_refresh_rate 4 m:envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate
        respect_dns_ttl 5 b
        dns_jitter 6 m:google.protobuf.Duration
        typed_dns_resolver_config 7 m:envoy.config.core.v3.TypedExtensionConfig
        dns_lookup_family 8 e:envoy.extensions.clusters.common.dns.v3.DnsLookupFamily
        all_addresses_in_single_endpoint 9 b
        =envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate
        base_interval 1 m:google.protobuf.Duration
        max_interval 2 m:google.protobuf.Duration
        =envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
        dns_cache_config 1 m:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig cluster_implementation_specifier
        sub_clusters_config 4 m:envoy.extensions.clusters.dynamic_forward_proxy.v3.SubClustersConfig cluster_implementation_specifier
        allow_insecure_cluster_options 2 b
        allow_coalesced_connections 3 b
        =envoy.extensions.clusters.dynamic_forward_proxy.v3.SubClustersConfig
        lb_policy 1 e:envoy.config.cluster.v3.Cluster.LbPolicy
        max_sub_clusters 2 m:google.protobuf.UInt32Value
        sub_cluster_ttl 3 m:google.protobuf.Duration
        preresolve_clusters 4 *m:envoy.config.core.v3.SocketAddress
        =envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheCircuitBreakers
        max_pending_requests 1 m:google.protobuf.UInt32Value
        =envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig
        name 1 s
        dns_lookup_family 2 e:envoy.config.cluster.v3.Cluster.DnsLookupFamily
        dns_refresh_rate 3 m:google.protobuf.Duration
        dns_min_refresh_rate 14 m:google.protobuf.Duration
        host_ttl 4 m:google.protobuf.Duration
        max_hosts 5 m:google.protobuf.UInt32Value
        disable_dns_refresh_on_failure 15 b
        dns_failure_refresh_rate 6 m:envoy.config.cluster.v3.Cluster.RefreshRate
        dns_cache_circuit_breaker 7 m:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheCircuitBreakers
        typed_dns_resolver_config 12 m:envoy.config.core.v3.TypedExtensionConfig
        preresolve_hostnames 10 *m:envoy.config.core.v3.SocketAddress
        dns_query_timeout 11 m:google.protobuf.Duration
        use_tcp_for_dns_lookups 8 ~
        dns_resolution_config 9 ~
        key_value_config 13 -
        =envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor
        entries 1 *m:envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry
        token_bucket 2 m:envoy.type.v3.TokenBucket
        =envoy.extensions.common.ratelimit.v3.RateLimitDescriptor
        entries 1 *m:envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry
        limit 2 -
        hits_addend 3 -
        =envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry
        key 1 s
        value 2 s
        =envoy.extensions.compression.gzip.compressor.v3.Gzip
        memory_level 1 m:google.protobuf.UInt32Value
        compression_level 2 e:envoy.extensions.compression.gzip.compressor.v3.Gzip.CompressionLevel
        compression_strategy 3 e:envoy.extensions.compression.gzip.compressor.v3.Gzip.CompressionStrategy
        window_bits 4 m:google.protobuf.UInt32Value
        chunk_size 5 m:google.protobuf.UInt32Value
        =envoy.extensions.compression.gzip.decompressor.v3.Gzip
        window_bits 1 m:google.protobuf.UInt32Value
        chunk_size 2 m:google.protobuf.UInt32Value
        max_inflate_ratio 3 m:google.protobuf.UInt32Value
        =envoy.extensions.filters.common.fault.v3.FaultDelay
        fixed_delay 3 m:google.protobuf.Duration fault_delay_secifier
        header_delay 5 m:envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay fault_delay_secifier
        percentage 4 m:envoy.type.v3.FractionalPercent
        =envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay
        =envoy.extensions.filters.common.fault.v3.FaultRateLimit
        fixed_limit 1 m:envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit limit_type
        header_limit 3 m:envoy.extensions.filters.common.fault.v3.FaultRateLimit.HeaderLimit limit_type
        percentage 2 m:envoy.type.v3.FractionalPercent
        =envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit
        limit_kbps 1 v
        =envoy.extensions.filters.common.fault.v3.FaultRateLimit.HeaderLimit
        =envoy.extensions.filters.http.buffer.v3.Buffer
        max_request_bytes 1 m:google.protobuf.UInt32Value
        =envoy.extensions.filters.http.buffer.v3.BufferPerRoute
        disabled 1 b override
        buffer 2 m:envoy.extensions.filters.http.buffer.v3.Buffer override
        =envoy.extensions.filters.http.compressor.v3.Compressor
        compressor_library 6 m:envoy.config.core.v3.TypedExtensionConfig
        request_direction_config 7 m:envoy.extensions.filters.http.compressor.v3.Compressor.RequestDirectionConfig
        response_direction_config 8 m:envoy.extensions.filters.http.compressor.v3.Compressor.ResponseDirectionConfig
        choose_first 9 b
        content_length 1 ~
        content_type 2 ~
        disable_on_etag_header 3 ~
        remove_accept_encoding_header 4 ~
        runtime_enabled 5 ~
        =envoy.extensions.filters.http.compressor.v3.Compressor.CommonDirectionConfig
        enabled 1 m:envoy.config.core.v3.RuntimeFeatureFlag
        min_content_length 2 m:google.protobuf.UInt32Value
        content_type 3 *s
        =envoy.extensions.filters.http.compressor.v3.Compressor.RequestDirectionConfig
        common_config 1 m:envoy.extensions.filters.http.compressor.v3.Compressor.CommonDirectionConfig
        =envoy.extensions.filters.http.compressor.v3.Compressor.ResponseDirectionConfig
        common_config 1 m:envoy.extensions.filters.http.compressor.v3.Compressor.CommonDirectionConfig
        disable_on_etag_header 2 b
        remove_accept_encoding_header 3 b
        uncompressible_response_codes 4 *u
        status_header_enabled 5 b
        =envoy.extensions.filters.http.cors.v3.Cors
        =envoy.extensions.filters.http.cors.v3.CorsPolicy
        allow_origin_string_match 1 *m:envoy.type.matcher.v3.StringMatcher
        allow_methods 2 s
        allow_headers 3 s
        expose_headers 4 s
        max_age 5 s
        allow_credentials 6 m:google.protobuf.BoolValue
        filter_enabled 7 m:envoy.config.core.v3.RuntimeFractionalPercent
        shadow_enabled 8 m:envoy.config.core.v3.RuntimeFractionalPercent
        allow_private_network_access 9 m:google.protobuf.BoolValue
        forward_not_matching_preflights 10 m:google.protobuf.BoolValue
        =envoy.extensions.filters.http.decompressor.v3.Decompressor
        decompressor_library 1 m:envoy.config.core.v3.TypedExtensionConfig
        request_direction_config 2 m:envoy.extensions.filters.http.decompressor.v3.Decompressor.RequestDirectionConfig
        response_direction_config 3 m:envoy.extensions.filters.http.decompressor.v3.Decompressor.ResponseDirectionConfig
        =envoy.extensions.filters.http.decompressor.v3.Decompressor.CommonDirectionConfig
        enabled 1 m:envoy.config.core.v3.RuntimeFeatureFlag
        ignore_no_transform_header 2 b
        =envoy.extensions.filters.http.decompressor.v3.Decompressor.RequestDirectionConfig
        common_config 1 m:envoy.extensions.filters.http.decompressor.v3.Decompressor.CommonDirectionConfig
        advertise_accept_encoding 2 m:google.protobuf.BoolValue
        =envoy.extensions.filters.http.decompressor.v3.Decompressor.ResponseDirectionConfig
        common_config 1 m:envoy.extensions.filters.http.decompressor.v3.Decompressor.CommonDirectionConfig
        =envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig
        dns_cache_config 1 m:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig implementation_specifier
        sub_cluster_config 3 m:envoy.extensions.filters.http.dynamic_forward_proxy.v3.SubClusterConfig implementation_specifier
        save_upstream_address 2 b
        allow_dynamic_host_from_filter_state 4 b
        =envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig
        host_rewrite_literal 1 s host_rewrite_specifier
        host_rewrite_header 2 s host_rewrite_specifier
        =envoy.extensions.filters.http.dynamic_forward_proxy.v3.SubClusterConfig
        cluster_init_timeout 3 m:google.protobuf.Duration
        =envoy.extensions.filters.http.ext_authz.v3.AuthorizationRequest
        allowed_headers 1 m:envoy.type.matcher.v3.ListStringMatcher
        headers_to_add 2 *m:envoy.config.core.v3.HeaderValue
        =envoy.extensions.filters.http.ext_authz.v3.AuthorizationResponse
        allowed_upstream_headers 1 m:envoy.type.matcher.v3.ListStringMatcher
        allowed_upstream_headers_to_append 3 m:envoy.type.matcher.v3.ListStringMatcher
        allowed_client_headers 2 m:envoy.type.matcher.v3.ListStringMatcher
        allowed_client_headers_on_success 4 m:envoy.type.matcher.v3.ListStringMatcher
        dynamic_metadata_from_headers 5 m:envoy.type.matcher.v3.ListStringMatcher
        =envoy.extensions.filters.http.ext_authz.v3.BufferSettings
        max_request_bytes 1 u
        allow_partial_message 2 b
        pack_as_bytes 3 b
        =envoy.extensions.filters.http.ext_authz.v3.CheckSettings
        context_extensions 1 %ss
        disable_request_body_buffering 2 b
        with_request_body 3 m:envoy.extensions.filters.http.ext_authz.v3.BufferSettings
        grpc_service 4 m:envoy.config.core.v3.GrpcService service_override
        http_service 5 m:envoy.extensions.filters.http.ext_authz.v3.HttpService service_override
        =envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
        grpc_service 1 m:envoy.config.core.v3.GrpcService services
        http_service 3 m:envoy.extensions.filters.http.ext_authz.v3.HttpService services
        transport_api_version 12 e:envoy.config.core.v3.ApiVersion
        failure_mode_allow 2 b
        failure_mode_allow_header_add 19 b
        with_request_body 5 m:envoy.extensions.filters.http.ext_authz.v3.BufferSettings
        clear_route_cache 6 b
        status_on_error 7 m:envoy.type.v3.HttpStatus
        validate_mutations 24 b
        metadata_context_namespaces 8 *s
        typed_metadata_context_namespaces 16 *s
        route_metadata_context_namespaces 21 *s
        route_typed_metadata_context_namespaces 22 *s
        filter_enabled 9 m:envoy.config.core.v3.RuntimeFractionalPercent
        filter_enabled_metadata 14 m:envoy.type.matcher.v3.MetadataMatcher
        deny_at_disable 11 m:envoy.config.core.v3.RuntimeFeatureFlag
        include_peer_certificate 10 b
        stat_prefix 13 s
        bootstrap_metadata_labels_key 15 s
        allowed_headers 17 m:envoy.type.matcher.v3.ListStringMatcher
        disallowed_headers 25 m:envoy.type.matcher.v3.ListStringMatcher
        include_tls_session 18 b
        charge_cluster_response_stats 20 m:google.protobuf.BoolValue
        encode_raw_headers 23 b
        enable_dynamic_metadata_ingestion 27 m:google.protobuf.BoolValue
        filter_metadata 28 m:google.protobuf.Struct
        emit_filter_state_stats 29 b
        max_denied_response_body_bytes 30 u
        enforce_response_header_limits 31 b
        decoder_header_mutation_rules 26 -
        =envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
        disabled 1 b override
        check_settings 2 m:envoy.extensions.filters.http.ext_authz.v3.CheckSettings override
        =envoy.extensions.filters.http.ext_authz.v3.HttpService
        server_uri 1 m:envoy.config.core.v3.HttpUri
        path_prefix 2 s
        authorization_request 7 m:envoy.extensions.filters.http.ext_authz.v3.AuthorizationRequest
        authorization_response 8 m:envoy.extensions.filters.http.ext_authz.v3.AuthorizationResponse
        retry_policy 9 m:envoy.config.core.v3.RetryPolicy
        =envoy.extensions.filters.http.fault.v3.FaultAbort
        http_status 2 u error_type
        grpc_status 5 u error_type
        header_abort 4 m:envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort error_type
        percentage 3 m:envoy.type.v3.FractionalPercent
        =envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort
        =envoy.extensions.filters.http.fault.v3.HTTPFault
        delay 1 m:envoy.extensions.filters.common.fault.v3.FaultDelay
        abort 2 m:envoy.extensions.filters.http.fault.v3.FaultAbort
        upstream_cluster 3 s
        headers 4 *m:envoy.config.route.v3.HeaderMatcher
        downstream_nodes 5 *s
        max_active_faults 6 m:google.protobuf.UInt32Value
        response_rate_limit 7 m:envoy.extensions.filters.common.fault.v3.FaultRateLimit
        delay_percent_runtime 8 s
        abort_percent_runtime 9 s
        delay_duration_runtime 10 s
        abort_http_status_runtime 11 s
        max_active_faults_runtime 12 s
        response_rate_limit_percent_runtime 13 s
        abort_grpc_status_runtime 14 s
        disable_downstream_cluster_stats 15 b
        filter_metadata 16 m:google.protobuf.Struct
        =envoy.extensions.filters.http.grpc_stats.v3.FilterConfig
        emit_filter_state 1 b
        stats_for_all_methods 3 m:google.protobuf.BoolValue per_method_stat_specifier
        enable_upstream_stats 4 b
        replace_dots_in_grpc_service_name 5 b
        individual_method_stats_allowlist 2 -
        =envoy.extensions.filters.http.grpc_web.v3.GrpcWeb
        =envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
        mutations 1 m:envoy.extensions.filters.http.header_mutation.v3.Mutations
        most_specific_header_mutations_wins 2 b
        =envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute
        mutations 1 m:envoy.extensions.filters.http.header_mutation.v3.Mutations
        =envoy.extensions.filters.http.header_mutation.v3.Mutations
        request_mutations 1 *m:envoy.config.common.mutation_rules.v3.HeaderMutation
        query_parameter_mutations 3 *m:envoy.config.core.v3.KeyValueMutation
        response_mutations 2 *m:envoy.config.common.mutation_rules.v3.HeaderMutation
        response_trailers_mutations 4 *m:envoy.config.common.mutation_rules.v3.HeaderMutation
        request_trailers_mutations 5 *m:envoy.config.common.mutation_rules.v3.HeaderMutation
        =envoy.extensions.filters.http.health_check.v3.HealthCheck
        pass_through_mode 1 m:google.protobuf.BoolValue
        cache_time 3 m:google.protobuf.Duration
        cluster_min_healthy_percentages 4 %sm:envoy.type.v3.Percent
        headers 5 *m:envoy.config.route.v3.HeaderMatcher
        =envoy.extensions.filters.http.jwt_authn.v3.JwksAsyncFetch
        fast_listener 1 b
        failed_refetch_duration 2 m:google.protobuf.Duration
        =envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
        providers 1 %sm:envoy.extensions.filters.http.jwt_authn.v3.JwtProvider
        rules 2 *m:envoy.extensions.filters.http.jwt_authn.v3.RequirementRule
        bypass_cors_preflight 4 b
        requirement_map 5 %sm:envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement
        strip_failure_response 6 b
        stat_prefix 7 s
        filter_state_rules 3 -
        =envoy.extensions.filters.http.jwt_authn.v3.JwtCacheConfig
        jwt_cache_size 1 u
        jwt_max_token_size 2 u
        =envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader
        header_name 1 s
        claim_name 2 s
        =envoy.extensions.filters.http.jwt_authn.v3.JwtHeader
        name 1 s
        value_prefix 2 s
        =envoy.extensions.filters.http.jwt_authn.v3.JwtProvider
        issuer 1 s
        audiences 2 *s
        subjects 19 m:envoy.type.matcher.v3.StringMatcher
        require_expiration 20 b
        max_lifetime 21 m:google.protobuf.Duration
        remote_jwks 3 m:envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks jwks_source_specifier
        local_jwks 4 m:envoy.config.core.v3.DataSource jwks_source_specifier
        forward 5 b
        from_headers 6 *m:envoy.extensions.filters.http.jwt_authn.v3.JwtHeader
        from_params 7 *s
        from_cookies 13 *s
        forward_payload_header 8 s
        pad_forward_payload_header 11 b
        payload_in_metadata 9 s
        normalize_payload_in_metadata 18 m:envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.NormalizePayload
        header_in_metadata 14 s
        failed_status_in_metadata 16 s
        clock_skew_seconds 10 u
        jwt_cache_config 12 m:envoy.extensions.filters.http.jwt_authn.v3.JwtCacheConfig
        claim_to_headers 15 *m:envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader
        clear_route_cache 17 b
        =envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.NormalizePayload
        space_delimited_claims 1 *s
        =envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement
        provider_name 1 s requires_type
        provider_and_audiences 2 m:envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences requires_type
        requires_any 3 m:envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList requires_type
        requires_all 4 m:envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList requires_type
        allow_missing_or_failed 5 m:google.protobuf.Empty requires_type
        allow_missing 6 m:google.protobuf.Empty requires_type
        =envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList
        requirements 1 *m:envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement
        =envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList
        requirements 1 *m:envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement
        =envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
        disabled 1 b requirement_specifier
        requirement_name 2 s requirement_specifier
        =envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences
        provider_name 1 s
        audiences 2 *s
        =envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks
        http_uri 1 m:envoy.config.core.v3.HttpUri
        cache_duration 2 m:google.protobuf.Duration
        async_fetch 3 m:envoy.extensions.filters.http.jwt_authn.v3.JwksAsyncFetch
        retry_policy 4 m:envoy.config.core.v3.RetryPolicy
        =envoy.extensions.filters.http.jwt_authn.v3.RequirementRule
        match 1 m:envoy.config.route.v3.RouteMatch
        requires 2 m:envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement requirement_type
        requirement_name 3 s requirement_type
        =envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
        stat_prefix 1 s
        status 2 m:envoy.type.v3.HttpStatus
        token_bucket 3 m:envoy.type.v3.TokenBucket
        filter_enabled 4 m:envoy.config.core.v3.RuntimeFractionalPercent
        filter_enforced 5 m:envoy.config.core.v3.RuntimeFractionalPercent
        request_headers_to_add_when_not_enforced 10 *m:envoy.config.core.v3.HeaderValueOption
        response_headers_to_add 6 *m:envoy.config.core.v3.HeaderValueOption
        descriptors 8 *m:envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor
        stage 9 u
        local_rate_limit_per_downstream_connection 11 b
        enable_x_ratelimit_headers 12 e:envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion
        vh_rate_limits 13 e:envoy.extensions.common.ratelimit.v3.VhRateLimitsOptions
        always_consume_default_token_bucket 14 m:google.protobuf.BoolValue
        rate_limited_as_resource_exhausted 15 b
        rate_limits 17 *m:envoy.config.route.v3.RateLimit
        max_dynamic_descriptors 18 m:google.protobuf.UInt32Value
        local_cluster_rate_limit 16 -
        =envoy.extensions.filters.http.on_demand.v3.OnDemand
        odcds 1 m:envoy.extensions.filters.http.on_demand.v3.OnDemandCds
        =envoy.extensions.filters.http.on_demand.v3.OnDemandCds
        source 1 m:envoy.config.core.v3.ConfigSource
        resources_locator 2 s
        timeout 3 m:google.protobuf.Duration
        =envoy.extensions.filters.http.on_demand.v3.PerRouteConfig
        odcds 1 m:envoy.extensions.filters.http.on_demand.v3.OnDemandCds
        =envoy.extensions.filters.http.rbac.v3.RBAC
        rules 1 m:envoy.config.rbac.v3.RBAC
        rules_stat_prefix 6 s
        shadow_rules 2 m:envoy.config.rbac.v3.RBAC
        shadow_rules_stat_prefix 3 s
        track_per_rule_stats 7 b
        matcher 4 -
        shadow_matcher 5 -
        =envoy.extensions.filters.http.rbac.v3.RBACPerRoute
        rbac 2 m:envoy.extensions.filters.http.rbac.v3.RBAC
        =envoy.extensions.filters.http.router.v3.Router
        dynamic_stats 1 m:google.protobuf.BoolValue
        start_child_span 2 b
        upstream_log 3 *m:envoy.config.accesslog.v3.AccessLog
        suppress_envoy_headers 4 b
        strict_check_headers 5 *s
        respect_expected_rq_timeout 6 b
        suppress_grpc_request_failure_code_stats 7 b
        upstream_http_filters 8 *m:envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter
        upstream_log_options 9 -
        =envoy.extensions.filters.http.stateful_session.v3.StatefulSession
        session_state 1 m:envoy.config.core.v3.TypedExtensionConfig
        strict 2 b
        stat_prefix 3 s
        =envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute
        disabled 1 b override
        stateful_session 2 m:envoy.extensions.filters.http.stateful_session.v3.StatefulSession override
        =envoy.extensions.filters.listener.http_inspector.v3.HttpInspector
        =envoy.extensions.filters.listener.original_dst.v3.OriginalDst
        =envoy.extensions.filters.listener.original_src.v3.OriginalSrc
        bind_port 1 b
        mark 2 u
        =envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol
        rules 1 *m:envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.Rule
        allow_requests_without_proxy_protocol 2 b
        pass_through_tlvs 3 m:envoy.config.core.v3.ProxyProtocolPassThroughTLVs
        disallowed_versions 4 *e:envoy.config.core.v3.ProxyProtocolConfig.Version
        stat_prefix 5 s
        tlv_location 6 e:envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.TlvLocation
        =envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.KeyValuePair
        metadata_namespace 1 s
        key 2 s
        =envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.Rule
        tlv_type 1 u
        on_tlv_present 2 m:envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.KeyValuePair
        =envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector
        enable_ja3_fingerprinting 1 m:google.protobuf.BoolValue
        enable_ja4_fingerprinting 3 m:google.protobuf.BoolValue
        initial_read_buffer_size 2 m:google.protobuf.UInt32Value
        close_connection_on_client_hello_parsing_errors 4 b
        max_client_hello_size 5 m:google.protobuf.UInt32Value
        =envoy.extensions.filters.network.ext_authz.v3.ExtAuthz
        stat_prefix 1 s
        grpc_service 2 m:envoy.config.core.v3.GrpcService
        failure_mode_allow 3 b
        include_peer_certificate 4 b
        transport_api_version 5 e:envoy.config.core.v3.ApiVersion
        filter_enabled_metadata 6 m:envoy.type.matcher.v3.MetadataMatcher
        bootstrap_metadata_labels_key 7 s
        include_tls_session 8 b
        send_tls_alert_on_denial 9 b
        metadata_context_namespaces 10 *s
        typed_metadata_context_namespaces 11 *s
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        codec_type 1 e:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.CodecType
        stat_prefix 2 s
        rds 3 m:envoy.extensions.filters.network.http_connection_manager.v3.Rds route_specifier
        route_config 4 m:envoy.config.route.v3.RouteConfiguration route_specifier
        http_filters 5 *m:envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter
        add_user_agent 6 m:google.protobuf.BoolValue
        tracing 7 m:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing
        common_http_protocol_options 35 m:envoy.config.core.v3.HttpProtocolOptions
        http1_safe_max_connection_duration 58 b
        http_protocol_options 8 m:envoy.config.core.v3.Http1ProtocolOptions
        http2_protocol_options 9 m:envoy.config.core.v3.Http2ProtocolOptions
        server_name 10 s
        server_header_transformation 34 e:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ServerHeaderTransformation
        scheme_header_transformation 48 m:envoy.config.core.v3.SchemeHeaderTransformation
        max_request_headers_kb 29 m:google.protobuf.UInt32Value
        stream_idle_timeout 24 m:google.protobuf.Duration
        stream_flush_timeout 59 m:google.protobuf.Duration
        request_timeout 28 m:google.protobuf.Duration
        request_headers_timeout 41 m:google.protobuf.Duration
        drain_timeout 12 m:google.protobuf.Duration
        delayed_close_timeout 26 m:google.protobuf.Duration
        access_log 13 *m:envoy.config.accesslog.v3.AccessLog
        access_log_options 56 m:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.HcmAccessLogOptions
        use_remote_address 14 m:google.protobuf.BoolValue
        xff_num_trusted_hops 19 u
        original_ip_detection_extensions 46 *m:envoy.config.core.v3.TypedExtensionConfig
        early_header_mutation_extensions 52 *m:envoy.config.core.v3.TypedExtensionConfig
        internal_address_config 25 m:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig
        skip_xff_append 21 b
        via 22 s
        generate_request_id 15 m:google.protobuf.BoolValue
        preserve_external_request_id 32 b
        always_set_request_id_in_response 37 b
        forward_client_cert_details 16 e:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails
        set_current_client_cert_details 17 m:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails
        proxy_100_continue 18 b
        represent_ipv4_remote_address_as_ipv4_mapped_ipv6 20 b
        upgrade_configs 23 *m:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig
        normalize_path 30 m:google.protobuf.BoolValue
        merge_slashes 33 b
        path_with_escaped_slashes_action 45 e:envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction
        request_id_extension 36 m:envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension
        local_reply_config 38 m:envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig
        strip_matching_host_port 39 b
        strip_any_host_port 42 b strip_port_mode
        stream_error_on_invalid_http_message 40 m:google.protobuf.BoolValue
        strip_trailing_host_dot 47 b
        typed_header_validation_config 50 m:envoy.config.core.v3.TypedExtensionConfig
        append_x_forwarded_port 51 b
        append_local_overload 57 b
        add_proxy_protocol_connection_state 53 m:google.protobuf.BoolValue
        scoped_routes 31 -
        http3_protocol_options 44 -
        access_log_flush_interval 54 ~
        flush_access_log_on_new_request 55 ~
        forward_client_cert_matcher 60 -
        path_normalization_options 43 -
        proxy_status_config 49 -
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.HcmAccessLogOptions
        access_log_flush_interval 1 m:google.protobuf.Duration
        flush_access_log_on_new_request 2 b
        flush_log_on_tunnel_successfully_established 3 b
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig
        unix_sockets 1 b
        cidr_ranges 2 *m:envoy.config.core.v3.CidrRange
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails
        subject 1 m:google.protobuf.BoolValue
        cert 3 b
        chain 6 b
        dns 4 b
        uri 5 b
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing
        client_sampling 3 m:envoy.type.v3.Percent
        random_sampling 4 m:envoy.type.v3.Percent
        overall_sampling 5 m:envoy.type.v3.Percent
        verbose 6 b
        max_path_tag_length 7 m:google.protobuf.UInt32Value
        custom_tags 8 *m:envoy.type.tracing.v3.CustomTag
        provider 9 m:envoy.config.trace.v3.Tracing.Http
        spawn_upstream_span 10 m:google.protobuf.BoolValue
        operation 11 s
        upstream_operation 12 s
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig
        upgrade_type 1 s
        filters 2 *m:envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter
        enabled 3 m:google.protobuf.BoolValue
        =envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter
        name 1 s
        typed_config 4 m:google.protobuf.Any config_type
        config_discovery 5 m:envoy.config.core.v3.ExtensionConfigSource config_type
        is_optional 6 b
        disabled 7 b
        =envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig
        mappers 1 *m:envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper
        body_format 2 m:envoy.config.core.v3.SubstitutionFormatString
        =envoy.extensions.filters.network.http_connection_manager.v3.Rds
        config_source 1 m:envoy.config.core.v3.ConfigSource
        route_config_name 2 s
        =envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension
        typed_config 1 m:google.protobuf.Any
        =envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper
        filter 1 m:envoy.config.accesslog.v3.AccessLogFilter
        status_code 2 m:google.protobuf.UInt32Value
        body 3 m:envoy.config.core.v3.DataSource
        body_format_override 4 m:envoy.config.core.v3.SubstitutionFormatString
        headers_to_add 5 *m:envoy.config.core.v3.HeaderValueOption
        =envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit
        stat_prefix 1 s
        token_bucket 2 m:envoy.type.v3.TokenBucket
        runtime_enabled 3 m:envoy.config.core.v3.RuntimeFeatureFlag
        share_key 4 s
        =envoy.extensions.filters.network.rbac.v3.RBAC
        rules 1 m:envoy.config.rbac.v3.RBAC
        shadow_rules 2 m:envoy.config.rbac.v3.RBAC
        shadow_rules_stat_prefix 5 s
        stat_prefix 3 s
        enforcement_type 4 e:envoy.extensions.filters.network.rbac.v3.RBAC.EnforcementType
        delay_deny 8 m:google.protobuf.Duration
        matcher 6 -
        shadow_matcher 7 -
        =envoy.extensions.filters.network.sni_cluster.v3.SniCluster
        =envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig
        dns_cache_config 1 m:envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig
        port_value 2 u port_specifier
        save_upstream_address 3 b
        =envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
        stat_prefix 1 s
        cluster 2 s cluster_specifier
        weighted_clusters 10 m:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster cluster_specifier
        metadata_match 9 m:envoy.config.core.v3.Metadata
        idle_timeout 8 m:google.protobuf.Duration
        downstream_idle_timeout 3 m:google.protobuf.Duration
        upstream_idle_timeout 4 m:google.protobuf.Duration
        access_log 5 *m:envoy.config.accesslog.v3.AccessLog
        max_connect_attempts 7 m:google.protobuf.UInt32Value
        backoff_options 18 m:envoy.config.core.v3.BackoffStrategy
        hash_policy 11 *m:envoy.type.v3.HashPolicy
        tunneling_config 12 m:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig
        max_downstream_connection_duration 13 m:google.protobuf.Duration
        max_downstream_connection_duration_jitter_percentage 20 m:envoy.type.v3.Percent
        access_log_options 17 m:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TcpAccessLogOptions
        proxy_protocol_tlvs 19 *m:envoy.config.core.v3.TlvEntry
        upstream_connect_mode 21 e:envoy.extensions.filters.network.tcp_proxy.v3.UpstreamConnectMode
        max_early_data_bytes 22 m:google.protobuf.UInt32Value
        on_demand 14 -
        access_log_flush_interval 15 ~
        flush_access_log_on_connected 16 ~
        =envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TcpAccessLogOptions
        access_log_flush_interval 1 m:google.protobuf.Duration
        flush_access_log_on_connected 2 b
        =envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig
        hostname 1 s
        use_post 2 b
        headers_to_add 3 *m:envoy.config.core.v3.HeaderValueOption
        propagate_response_headers 4 b
        post_path 5 s
        propagate_response_trailers 6 b
        request_id_extension 7 m:envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension
        request_id_header 8 s
        request_id_metadata_key 9 s
        =envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster
        clusters 1 *m:envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight
        =envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight
        name 1 s
        weight 2 u
        metadata_match 3 m:envoy.config.core.v3.Metadata
        =envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
        mutations 1 *m:envoy.config.common.mutation_rules.v3.HeaderMutation
        =envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig
        header_name 1 s
        allow_extension_to_set_address_as_trusted 2 b
        reject_with_status 3 m:envoy.type.v3.HttpStatus
        =envoy.extensions.http.original_ip_detection.xff.v3.XffConfig
        xff_num_trusted_hops 1 u
        xff_trusted_cidrs 2 m:envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs
        skip_xff_append 3 m:google.protobuf.BoolValue
        =envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs
        cidrs 1 *m:envoy.config.core.v3.CidrRange
        =envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState
        cookie 1 m:envoy.type.http.v3.Cookie
        =envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState
        name 1 s
        =envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig
        allowed_route_names 1 *s
        =envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig
        =envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig
        =envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig
        use_hostname_for_hashing 1 b
        hash_balance_factor 2 m:google.protobuf.UInt32Value
        hash_policy 3 *m:envoy.config.route.v3.RouteAction.HashPolicy
        =envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
        zone_aware_lb_config 1 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig locality_config_specifier
        locality_weighted_lb_config 2 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig locality_config_specifier
        =envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig
        =envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig
        routing_enabled 1 m:envoy.type.v3.Percent
        min_cluster_size 2 m:google.protobuf.UInt64Value
        fail_traffic_on_panic 3 b
        force_local_zone 5 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig.ForceLocalZone
        locality_basis 6 e:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig.LocalityBasis
        force_locality_direct_routing 4 ~
        =envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig.ForceLocalZone
        min_size 1 m:google.protobuf.UInt32Value
        =envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig
        slow_start_window 1 m:google.protobuf.Duration
        aggression 2 m:envoy.config.core.v3.RuntimeDouble
        min_weight_percent 3 m:envoy.type.v3.Percent
        =envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest
        choice_count 1 m:google.protobuf.UInt32Value
        active_request_bias 2 m:envoy.config.core.v3.RuntimeDouble
        slow_start_config 3 m:envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig
        locality_lb_config 4 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
        selection_method 6 e:envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest.SelectionMethod
        enable_full_scan 5 ~
        =envoy.extensions.load_balancing_policies.maglev.v3.Maglev
        table_size 1 m:google.protobuf.UInt64Value
        consistent_hashing_lb_config 2 m:envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig
        locality_weighted_lb_config 3 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig
        =envoy.extensions.load_balancing_policies.random.v3.Random
        locality_lb_config 1 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
        =envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash
        hash_function 1 e:envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash.HashFunction
        minimum_ring_size 2 m:google.protobuf.UInt64Value
        maximum_ring_size 3 m:google.protobuf.UInt64Value
        consistent_hashing_lb_config 6 m:envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig
        locality_weighted_lb_config 7 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig
        use_hostname_for_hashing 4 ~
        hash_balance_factor 5 ~
        =envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin
        slow_start_config 1 m:envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig
        locality_lb_config 2 m:envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig
        =envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
        resolvers 1 *m:envoy.config.core.v3.Address
        use_resolvers_as_fallback 3 b
        filter_unroutable_families 4 b
        dns_resolver_options 2 m:envoy.config.core.v3.DnsResolverOptions
        udp_max_queries 5 m:google.protobuf.UInt32Value
        query_timeout_seconds 6 m:google.protobuf.UInt64Value
        query_tries 7 m:google.protobuf.UInt32Value
        rotate_nameservers 8 b
        edns0_max_payload_size 9 m:google.protobuf.UInt32Value
        max_udp_channel_duration 10 m:google.protobuf.Duration
        reinit_channel_on_timeout 11 b
        =envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig
        path_template 1 s
        =envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig
        path_template_rewrite 1 s
        =envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig
        pack_trace_reason 1 m:google.protobuf.BoolValue
        use_request_id_for_trace_sampling 2 m:google.protobuf.BoolValue
        =envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate
        =envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig
        metadata_match 1 m:envoy.config.core.v3.Metadata
        =envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
        =envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig
        update_frequency 1 i
        =envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport
        config 1 m:envoy.config.core.v3.ProxyProtocolConfig
        transport_socket 2 m:envoy.config.core.v3.TransportSocket
        allow_unspecified_address 3 b
        tlv_as_pool_key 4 b
        =envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer
        =envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance
        instance_name 1 s
        certificate_name 2 s
        =envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext
        trusted_ca 1 m:envoy.config.core.v3.DataSource
        ca_certificate_provider_instance 13 m:envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance
        system_root_certs 17 m:envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts
        watched_directory 11 m:envoy.config.core.v3.WatchedDirectory
        verify_certificate_spki 3 *s
        verify_certificate_hash 2 *s
        match_typed_subject_alt_names 15 *m:envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher
        match_subject_alt_names 9 *m:envoy.type.matcher.v3.StringMatcher
        require_signed_certificate_timestamp 6 m:google.protobuf.BoolValue
        crl 7 m:envoy.config.core.v3.DataSource
        allow_expired_certificate 8 b
        trust_chain_verification 10 e:envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.TrustChainVerification
        custom_validator_config 12 m:envoy.config.core.v3.TypedExtensionConfig
        only_verify_leaf_cert_crl 14 b
        max_verify_depth 16 m:google.protobuf.UInt32Value
        =envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts
        =envoy.extensions.transport_sockets.tls.v3.CommonTlsContext
        tls_params 1 m:envoy.extensions.transport_sockets.tls.v3.TlsParameters
        tls_certificates 2 *m:envoy.extensions.transport_sockets.tls.v3.TlsCertificate
        tls_certificate_sds_secret_configs 6 *m:envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig
        tls_certificate_provider_instance 14 m:envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance
        custom_tls_certificate_selector 16 m:envoy.config.core.v3.TypedExtensionConfig
        tls_certificate_certificate_provider_instance 11 m:envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CertificateProviderInstance
        validation_context 3 m:envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext validation_context_type
        validation_context_sds_secret_config 7 m:envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig validation_context_type
        combined_validation_context 8 m:envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext validation_context_type
        validation_context_certificate_provider_instance 12 m:envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CertificateProviderInstance validation_context_type
        alpn_protocols 4 *s
        custom_handshaker 13 m:envoy.config.core.v3.TypedExtensionConfig
        tls_certificate_certificate_provider 9 ~
        validation_context_certificate_provider 10 ~
        key_log 15 -
        =envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CertificateProviderInstance
        instance_name 1 s
        certificate_name 2 s
        =envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext
        default_validation_context 1 m:envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext
        validation_context_sds_secret_config 2 m:envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig
        validation_context_certificate_provider_instance 4 m:envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CertificateProviderInstance
        validation_context_certificate_provider 3 ~
        =envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
        common_tls_context 1 m:envoy.extensions.transport_sockets.tls.v3.CommonTlsContext
        require_client_certificate 2 m:google.protobuf.BoolValue
        require_sni 3 m:google.protobuf.BoolValue
        session_ticket_keys 4 m:envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys session_ticket_keys_type
        session_ticket_keys_sds_secret_config 5 m:envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig session_ticket_keys_type
        disable_stateless_session_resumption 7 b session_ticket_keys_type
        disable_stateful_session_resumption 10 b
        session_timeout 6 m:google.protobuf.Duration
        ocsp_staple_policy 8 e:envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext.OcspStaplePolicy
        full_scan_certs_on_sni_mismatch 9 m:google.protobuf.BoolValue
        prefer_client_ciphers 11 b
        =envoy.extensions.transport_sockets.tls.v3.GenericSecret
        secret 1 m:envoy.config.core.v3.DataSource
        secrets 2 %sm:envoy.config.core.v3.DataSource
        =envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig
        name 1 s
        sds_config 2 m:envoy.config.core.v3.ConfigSource
        =envoy.extensions.transport_sockets.tls.v3.Secret
        name 1 s
        tls_certificate 2 m:envoy.extensions.transport_sockets.tls.v3.TlsCertificate type
        session_ticket_keys 3 m:envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys type
        validation_context 4 m:envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext type
        generic_secret 5 m:envoy.extensions.transport_sockets.tls.v3.GenericSecret type
        =envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher
        san_type 1 e:envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher.SanType
        matcher 2 m:envoy.type.matcher.v3.StringMatcher
        oid 3 s
        =envoy.extensions.transport_sockets.tls.v3.TlsCertificate
        certificate_chain 1 m:envoy.config.core.v3.DataSource
        private_key 2 m:envoy.config.core.v3.DataSource
        pkcs12 8 m:envoy.config.core.v3.DataSource
        watched_directory 7 m:envoy.config.core.v3.WatchedDirectory
        password 3 m:envoy.config.core.v3.DataSource
        ocsp_staple 4 m:envoy.config.core.v3.DataSource
        signed_certificate_timestamp 5 *m:envoy.config.core.v3.DataSource
        private_key_provider 6 -
        =envoy.extensions.transport_sockets.tls.v3.TlsParameters
        tls_minimum_protocol_version 1 e:envoy.extensions.transport_sockets.tls.v3.TlsParameters.TlsProtocol
        tls_maximum_protocol_version 2 e:envoy.extensions.transport_sockets.tls.v3.TlsParameters.TlsProtocol
        cipher_suites 3 *s
        ecdh_curves 4 *s
        signature_algorithms 5 *s
        compliance_policies 6 *e:envoy.extensions.transport_sockets.tls.v3.TlsParameters.CompliancePolicy
        =envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys
        keys 1 *m:envoy.config.core.v3.DataSource
        =envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context 1 m:envoy.extensions.transport_sockets.tls.v3.CommonTlsContext
        sni 2 s
        auto_host_sni 6 b
        auto_sni_san_validation 7 b
        allow_renegotiation 3 b
        max_session_keys 4 m:google.protobuf.UInt32Value
        enforce_rsa_key_usage 5 m:google.protobuf.BoolValue
        =envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        common_http_protocol_options 1 m:envoy.config.core.v3.HttpProtocolOptions
        upstream_http_protocol_options 2 m:envoy.config.core.v3.UpstreamHttpProtocolOptions
        explicit_http_config 3 m:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig upstream_protocol_options
        use_downstream_protocol_config 4 m:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig upstream_protocol_options
        auto_config 5 m:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig upstream_protocol_options
        http_filters 6 *m:envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter
        header_validation_config 7 m:envoy.config.core.v3.TypedExtensionConfig
        outlier_detection 8 m:envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection
        request_mirror_policies 9 *m:envoy.config.route.v3.RouteAction.RequestMirrorPolicy
        hash_policy 10 *m:envoy.config.route.v3.RouteAction.HashPolicy
        retry_policy 11 m:envoy.config.route.v3.RetryPolicy
        =envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig
        http_protocol_options 1 m:envoy.config.core.v3.Http1ProtocolOptions
        http2_protocol_options 2 m:envoy.config.core.v3.Http2ProtocolOptions
        http3_protocol_options 3 -
        alternate_protocols_cache_options 4 -
        =envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig
        http_protocol_options 1 m:envoy.config.core.v3.Http1ProtocolOptions protocol_config
        http2_protocol_options 2 m:envoy.config.core.v3.Http2ProtocolOptions protocol_config
        http3_protocol_options 3 -
        =envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection
        error_matcher 1 m:envoy.config.common.matcher.v3.MatchPredicate
        =envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig
        http_protocol_options 1 m:envoy.config.core.v3.Http1ProtocolOptions
        http2_protocol_options 2 m:envoy.config.core.v3.Http2ProtocolOptions
        http3_protocol_options 3 -
        =envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions
        idle_timeout 1 m:google.protobuf.Duration
        =envoy.service.discovery.v3.DeltaDiscoveryRequest
        node 1 m:envoy.config.core.v3.Node
        type_url 2 s
        resource_names_subscribe 3 *s
        resource_names_unsubscribe 4 *s
        initial_resource_versions 5 %ss
        response_nonce 6 s
        error_detail 7 m:google.rpc.Status
        resource_locators_subscribe 8 -
        resource_locators_unsubscribe 9 -
        =envoy.service.discovery.v3.DeltaDiscoveryResponse
        system_version_info 1 s
        resources 2 *m:envoy.service.discovery.v3.Resource
        type_url 4 s
        removed_resources 6 *s
        nonce 5 s
        control_plane 7 m:envoy.config.core.v3.ControlPlane
        removed_resource_names 8 -
        resource_errors 9 -
        =envoy.service.discovery.v3.DiscoveryRequest
        version_info 1 s
        node 2 m:envoy.config.core.v3.Node
        resource_names 3 *s
        type_url 4 s
        response_nonce 5 s
        error_detail 6 m:google.rpc.Status
        resource_locators 7 -
        =envoy.service.discovery.v3.DiscoveryResponse
        version_info 1 s
        resources 2 *m:google.protobuf.Any
        canary 3 b
        type_url 4 s
        nonce 5 s
        control_plane 6 m:envoy.config.core.v3.ControlPlane
        resource_errors 7 -
        =envoy.service.discovery.v3.Resource
        name 3 s
        aliases 4 *s
        version 1 s
        resource 2 m:google.protobuf.Any
        ttl 6 m:google.protobuf.Duration
        metadata 9 m:envoy.config.core.v3.Metadata
        resource_name 8 -
        cache_control 7 -
        =envoy.type.http.v3.Cookie
        name 1 s
        ttl 2 m:google.protobuf.Duration
        path 3 s
        attributes 4 *m:envoy.type.http.v3.CookieAttribute
        =envoy.type.http.v3.CookieAttribute
        name 1 s
        value 2 s
        =envoy.type.matcher.v3.AddressMatcher
        ranges 1 *m:xds.core.v3.CidrRange
        =envoy.type.matcher.v3.DoubleMatcher
        range 1 m:envoy.type.v3.DoubleRange match_pattern
        exact 2 d match_pattern
        =envoy.type.matcher.v3.FilterStateMatcher
        key 1 s
        string_match 2 m:envoy.type.matcher.v3.StringMatcher matcher
        address_match 3 m:envoy.type.matcher.v3.AddressMatcher matcher
        =envoy.type.matcher.v3.ListMatcher
        one_of 1 m:envoy.type.matcher.v3.ValueMatcher match_pattern
        =envoy.type.matcher.v3.ListStringMatcher
        patterns 1 *m:envoy.type.matcher.v3.StringMatcher
        =envoy.type.matcher.v3.MetadataMatcher
        filter 1 s
        path 2 *m:envoy.type.matcher.v3.MetadataMatcher.PathSegment
        value 3 m:envoy.type.matcher.v3.ValueMatcher
        invert 4 b
        =envoy.type.matcher.v3.MetadataMatcher.PathSegment
        key 1 s segment
        =envoy.type.matcher.v3.NodeMatcher
        node_id 1 m:envoy.type.matcher.v3.StringMatcher
        node_metadatas 2 *m:envoy.type.matcher.v3.StructMatcher
        =envoy.type.matcher.v3.OrMatcher
        value_matchers 1 *m:envoy.type.matcher.v3.ValueMatcher
        =envoy.type.matcher.v3.PathMatcher
        path 1 m:envoy.type.matcher.v3.StringMatcher rule
        =envoy.type.matcher.v3.RegexMatchAndSubstitute
        pattern 1 m:envoy.type.matcher.v3.RegexMatcher
        substitution 2 s
        =envoy.type.matcher.v3.RegexMatcher
        google_re2 1 m:envoy.type.matcher.v3.RegexMatcher.GoogleRE2 engine_type
        regex 2 s
        =envoy.type.matcher.v3.RegexMatcher.GoogleRE2
        max_program_size 1 ~
        =envoy.type.matcher.v3.StringMatcher
        exact 1 s match_pattern
        prefix 2 s match_pattern
        suffix 3 s match_pattern
        safe_regex 5 m:envoy.type.matcher.v3.RegexMatcher match_pattern
        contains 7 s match_pattern
        custom 8 m:xds.core.v3.TypedExtensionConfig match_pattern
        ignore_case 6 b
        =envoy.type.matcher.v3.StructMatcher
        path 2 *m:envoy.type.matcher.v3.StructMatcher.PathSegment
        value 3 m:envoy.type.matcher.v3.ValueMatcher
        =envoy.type.matcher.v3.StructMatcher.PathSegment
        key 1 s segment
        =envoy.type.matcher.v3.ValueMatcher
        null_match 1 m:envoy.type.matcher.v3.ValueMatcher.NullMatch match_pattern
        double_match 2 m:envoy.type.matcher.v3.DoubleMatcher match_pattern
        string_match 3 m:envoy.type.matcher.v3.StringMatcher match_pattern
        bool_match 4 b match_pattern
        present_match 5 b match_pattern
        list_match 6 m:envoy.type.matcher.v3.ListMatcher match_pattern
        or_match 7 m:envoy.type.matcher.v3.OrMatcher match_pattern
        =envoy.type.matcher.v3.ValueMatcher.NullMatch
        =envoy.type.metadata.v3.MetadataKey
        key 1 s
        path 2 *m:envoy.type.metadata.v3.MetadataKey.PathSegment
        =envoy.type.metadata.v3.MetadataKey.PathSegment
        key 1 s segment
        =envoy.type.metadata.v3.MetadataKind
        request 1 m:envoy.type.metadata.v3.MetadataKind.Request kind
        route 2 m:envoy.type.metadata.v3.MetadataKind.Route kind
        cluster 3 m:envoy.type.metadata.v3.MetadataKind.Cluster kind
        host 4 m:envoy.type.metadata.v3.MetadataKind.Host kind
        =envoy.type.metadata.v3.MetadataKind.Cluster
        =envoy.type.metadata.v3.MetadataKind.Host
        =envoy.type.metadata.v3.MetadataKind.Request
        =envoy.type.metadata.v3.MetadataKind.Route
        =envoy.type.tracing.v3.CustomTag
        tag 1 s
        literal 2 m:envoy.type.tracing.v3.CustomTag.Literal type
        environment 3 m:envoy.type.tracing.v3.CustomTag.Environment type
        request_header 4 m:envoy.type.tracing.v3.CustomTag.Header type
        metadata 5 m:envoy.type.tracing.v3.CustomTag.Metadata type
        value 6 s type
        =envoy.type.tracing.v3.CustomTag.Environment
        name 1 s
        default_value 2 s
        =envoy.type.tracing.v3.CustomTag.Header
        name 1 s
        default_value 2 s
        =envoy.type.tracing.v3.CustomTag.Literal
        value 1 s
        =envoy.type.tracing.v3.CustomTag.Metadata
        kind 1 m:envoy.type.metadata.v3.MetadataKind
        metadata_key 2 m:envoy.type.metadata.v3.MetadataKey
        default_value 3 s
        =envoy.type.v3.DoubleRange
        start 1 d
        end 2 d
        =envoy.type.v3.FractionalPercent
        numerator 1 u
        denominator 2 e:envoy.type.v3.FractionalPercent.DenominatorType
        =envoy.type.v3.HashPolicy
        source_ip 1 m:envoy.type.v3.HashPolicy.SourceIp policy_specifier
        filter_state 2 -
        =envoy.type.v3.HashPolicy.SourceIp
        =envoy.type.v3.HttpStatus
        code 1 e:envoy.type.v3.StatusCode
        =envoy.type.v3.Int32Range
        start 1 i
        end 2 i
        =envoy.type.v3.Int64Range
        start 1 l
        end 2 l
        =envoy.type.v3.Percent
        value 1 d
        =envoy.type.v3.TokenBucket
        max_tokens 1 u
        tokens_per_fill 2 m:google.protobuf.UInt32Value
        fill_interval 3 m:google.protobuf.Duration
        =google.rpc.Status
        code 1 i
        message 2 s
        details 3 *m:google.protobuf.Any
        =udpa.type.v1.TypedStruct
        type_url 1 s
        value 2 m:google.protobuf.Struct
        =xds.core.v3.CidrRange
        address_prefix 1 s
        prefix_len 2 m:google.protobuf.UInt32Value
        =xds.core.v3.TypedExtensionConfig
        name 1 s
        typed_config 2 m:google.protobuf.Any
        =xds.type.v3.TypedStruct
        type_url 1 s
        value 2 m:google.protobuf.Struct
        #envoy.config.accesslog.v3.ComparisonFilter.Op
        EQ 0
        GE 1
        LE 2
        NE 3
        #envoy.config.accesslog.v3.GrpcStatusFilter.Status
        OK 0
        CANCELED 1
        UNKNOWN 2
        INVALID_ARGUMENT 3
        DEADLINE_EXCEEDED 4
        NOT_FOUND 5
        ALREADY_EXISTS 6
        PERMISSION_DENIED 7
        RESOURCE_EXHAUSTED 8
        FAILED_PRECONDITION 9
        ABORTED 10
        OUT_OF_RANGE 11
        UNIMPLEMENTED 12
        INTERNAL 13
        UNAVAILABLE 14
        DATA_LOSS 15
        UNAUTHENTICATED 16
        #envoy.config.cluster.v3.Cluster.DiscoveryType
        STATIC 0
        STRICT_DNS 1
        LOGICAL_DNS 2
        EDS 3
        ORIGINAL_DST 4
        #envoy.config.cluster.v3.Cluster.DnsLookupFamily
        AUTO 0
        V4_ONLY 1
        V6_ONLY 2
        V4_PREFERRED 3
        ALL 4
        #envoy.config.cluster.v3.Cluster.LbPolicy
        ROUND_ROBIN 0
        LEAST_REQUEST 1
        RING_HASH 2
        RANDOM 3
        MAGLEV 5
        CLUSTER_PROVIDED 6
        LOAD_BALANCING_POLICY_CONFIG 7
        #envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetFallbackPolicy
        NO_FALLBACK 0
        ANY_ENDPOINT 1
        DEFAULT_SUBSET 2
        #envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetMetadataFallbackPolicy
        METADATA_NO_FALLBACK 0
        FALLBACK_LIST 1
        #envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector.LbSubsetSelectorFallbackPolicy
        NOT_DEFINED 0
        NO_FALLBACK 1
        ANY_ENDPOINT 2
        DEFAULT_SUBSET 3
        KEYS_SUBSET 4
        #envoy.config.cluster.v3.Cluster.RingHashLbConfig.HashFunction
        XX_HASH 0
        MURMUR_HASH_2 1
        #envoy.config.cluster.v3.UpstreamConnectionOptions.FirstAddressFamilyVersion
        DEFAULT 0
        V4 1
        V6 2
        #envoy.config.core.v3.ApiConfigSource.ApiType
        DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE 0
        REST 1
        GRPC 2
        DELTA_GRPC 3
        AGGREGATED_GRPC 5
        AGGREGATED_DELTA_GRPC 6
        #envoy.config.core.v3.ApiVersion
        AUTO 0
        V2 1
        V3 2
        #envoy.config.core.v3.HeaderValueOption.HeaderAppendAction
        APPEND_IF_EXISTS_OR_ADD 0
        ADD_IF_ABSENT 1
        OVERWRITE_IF_EXISTS_OR_ADD 2
        OVERWRITE_IF_EXISTS 3
        #envoy.config.core.v3.HealthStatus
        UNKNOWN 0
        HEALTHY 1
        UNHEALTHY 2
        DRAINING 3
        TIMEOUT 4
        DEGRADED 5
        #envoy.config.core.v3.HttpProtocolOptions.HeadersWithUnderscoresAction
        ALLOW 0
        REJECT_REQUEST 1
        DROP_HEADER 2
        #envoy.config.core.v3.KeyValueAppend.KeyValueAppendAction
        APPEND_IF_EXISTS_OR_ADD 0
        ADD_IF_ABSENT 1
        OVERWRITE_IF_EXISTS_OR_ADD 2
        OVERWRITE_IF_EXISTS 3
        #envoy.config.core.v3.ProxyProtocolConfig.Version
        V1 0
        V2 1
        #envoy.config.core.v3.ProxyProtocolPassThroughTLVs.PassTLVsMatchType
        INCLUDE_ALL 0
        INCLUDE 1
        #envoy.config.core.v3.RequestMethod
        METHOD_UNSPECIFIED 0
        GET 1
        HEAD 2
        POST 3
        PUT 4
        DELETE 5
        CONNECT 6
        OPTIONS 7
        TRACE 8
        PATCH 9
        #envoy.config.core.v3.RoutingPriority
        DEFAULT 0
        HIGH 1
        #envoy.config.core.v3.SocketAddress.Protocol
        TCP 0
        UDP 1
        #envoy.config.core.v3.SocketOption.SocketState
        STATE_PREBIND 0
        STATE_BOUND 1
        STATE_LISTENING 2
        #envoy.config.core.v3.TrafficDirection
        UNSPECIFIED 0
        INBOUND 1
        OUTBOUND 2
        #envoy.config.listener.v3.FilterChainMatch.ConnectionSourceType
        ANY 0
        SAME_IP_OR_LOOPBACK 1
        EXTERNAL 2
        #envoy.config.listener.v3.Listener.DrainType
        DEFAULT 0
        MODIFY_ONLY 1
        #envoy.config.rbac.v3.MetadataSource
        DYNAMIC 0
        ROUTE 1
        #envoy.config.rbac.v3.RBAC.Action
        ALLOW 0
        DENY 1
        LOG 2
        #envoy.config.route.v3.RedirectAction.RedirectResponseCode
        MOVED_PERMANENTLY 0
        FOUND 1
        SEE_OTHER 2
        TEMPORARY_REDIRECT 3
        PERMANENT_REDIRECT 4
        #envoy.config.route.v3.RetryPolicy.ResetHeaderFormat
        SECONDS 0
        UNIX_TIMESTAMP 1
        #envoy.config.route.v3.RouteAction.ClusterNotFoundResponseCode
        SERVICE_UNAVAILABLE 0
        NOT_FOUND 1
        INTERNAL_SERVER_ERROR 2
        #envoy.config.route.v3.VirtualHost.TlsRequirementType
        NONE 0
        EXTERNAL_ONLY 1
        ALL 2
        #envoy.data.accesslog.v3.AccessLogType
        NotSet 0
        TcpUpstreamConnected 1
        TcpPeriodic 2
        TcpConnectionEnd 3
        DownstreamStart 4
        DownstreamPeriodic 5
        DownstreamEnd 6
        UpstreamPoolReady 7
        UpstreamPeriodic 8
        UpstreamEnd 9
        DownstreamTunnelSuccessfullyEstablished 10
        UdpTunnelUpstreamConnected 11
        UdpPeriodic 12
        UdpSessionEnd 13
        #envoy.extensions.clusters.common.dns.v3.DnsLookupFamily
        UNSPECIFIED 0
        AUTO 1
        V4_ONLY 2
        V6_ONLY 3
        V4_PREFERRED 4
        ALL 5
        #envoy.extensions.common.ratelimit.v3.VhRateLimitsOptions
        OVERRIDE 0
        INCLUDE 1
        IGNORE 2
        #envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion
        OFF 0
        DRAFT_VERSION_03 1
        #envoy.extensions.compression.gzip.compressor.v3.Gzip.CompressionLevel
        DEFAULT_COMPRESSION 0
        BEST_SPEED 1
        COMPRESSION_LEVEL_1 1
        COMPRESSION_LEVEL_2 2
        COMPRESSION_LEVEL_3 3
        COMPRESSION_LEVEL_4 4
        COMPRESSION_LEVEL_5 5
        COMPRESSION_LEVEL_6 6
        COMPRESSION_LEVEL_7 7
        COMPRESSION_LEVEL_8 8
        COMPRESSION_LEVEL_9 9
        BEST_COMPRESSION 9
        #envoy.extensions.compression.gzip.compressor.v3.Gzip.CompressionStrategy
        DEFAULT_STRATEGY 0
        FILTERED 1
        HUFFMAN_ONLY 2
        RLE 3
        FIXED 4
        #envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.TlvLocation
        DYNAMIC_METADATA 0
        FILTER_STATE 1
        #envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.CodecType
        AUTO 0
        HTTP1 1
        HTTP2 2
        HTTP3 3
        #envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails
        SANITIZE 0
        FORWARD_ONLY 1
        APPEND_FORWARD 2
        SANITIZE_SET 3
        ALWAYS_FORWARD_ONLY 4
        #envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction
        IMPLEMENTATION_SPECIFIC_DEFAULT 0
        KEEP_UNCHANGED 1
        REJECT_REQUEST 2
        UNESCAPE_AND_REDIRECT 3
        UNESCAPE_AND_FORWARD 4
        #envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ServerHeaderTransformation
        OVERWRITE 0
        APPEND_IF_ABSENT 1
        PASS_THROUGH 2
        #envoy.extensions.filters.network.rbac.v3.RBAC.EnforcementType
        ONE_TIME_ON_FIRST_BYTE 0
        CONTINUOUS 1
        #envoy.extensions.filters.network.tcp_proxy.v3.UpstreamConnectMode
        IMMEDIATE 0
        ON_DOWNSTREAM_DATA 1
        ON_DOWNSTREAM_TLS_HANDSHAKE 2
        #envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig.LocalityBasis
        HEALTHY_HOSTS_NUM 0
        HEALTHY_HOSTS_WEIGHT 1
        #envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest.SelectionMethod
        N_CHOICES 0
        FULL_SCAN 1
        #envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash.HashFunction
        DEFAULT_HASH 0
        XX_HASH 1
        MURMUR_HASH_2 2
        #envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.TrustChainVerification
        VERIFY_TRUST_CHAIN 0
        ACCEPT_UNTRUSTED 1
        #envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext.OcspStaplePolicy
        LENIENT_STAPLING 0
        STRICT_STAPLING 1
        MUST_STAPLE 2
        #envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher.SanType
        SAN_TYPE_UNSPECIFIED 0
        EMAIL 1
        DNS 2
        URI 3
        IP_ADDRESS 4
        OTHER_NAME 5
        #envoy.extensions.transport_sockets.tls.v3.TlsParameters.CompliancePolicy
        FIPS_202205 0
        #envoy.extensions.transport_sockets.tls.v3.TlsParameters.TlsProtocol
        TLS_AUTO 0
        TLSv1_0 1
        TLSv1_1 2
        TLSv1_2 3
        TLSv1_3 4
        #envoy.type.v3.CodecClientType
        HTTP1 0
        HTTP2 1
        HTTP3 2
        #envoy.type.v3.FractionalPercent.DenominatorType
        HUNDRED 0
        TEN_THOUSAND 1
        MILLION 2
        #envoy.type.v3.StatusCode
        Empty 0
        Continue 100
        OK 200
        Created 201
        Accepted 202
        NonAuthoritativeInformation 203
        NoContent 204
        ResetContent 205
        PartialContent 206
        MultiStatus 207
        AlreadyReported 208
        IMUsed 226
        MultipleChoices 300
        MovedPermanently 301
        Found 302
        SeeOther 303
        NotModified 304
        UseProxy 305
        TemporaryRedirect 307
        PermanentRedirect 308
        BadRequest 400
        Unauthorized 401
        PaymentRequired 402
        Forbidden 403
        NotFound 404
        MethodNotAllowed 405
        NotAcceptable 406
        ProxyAuthenticationRequired 407
        RequestTimeout 408
        Conflict 409
        Gone 410
        LengthRequired 411
        PreconditionFailed 412
        PayloadTooLarge 413
        URITooLong 414
        UnsupportedMediaType 415
        RangeNotSatisfiable 416
        ExpectationFailed 417
        MisdirectedRequest 421
        UnprocessableEntity 422
        Locked 423
        FailedDependency 424
        UpgradeRequired 426
        PreconditionRequired 428
        TooManyRequests 429
        RequestHeaderFieldsTooLarge 431
        InternalServerError 500
        NotImplemented 501
        BadGateway 502
        ServiceUnavailable 503
        GatewayTimeout 504
        HTTPVersionNotSupported 505
        VariantAlsoNegotiates 506
        InsufficientStorage 507
        LoopDetected 508
        NotExtended 510
        NetworkAuthenticationRequired 511
        """
}
