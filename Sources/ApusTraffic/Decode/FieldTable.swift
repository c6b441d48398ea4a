/// What the proxy does with each field of the messages that it decodes. A field that is set and stands neither under
/// `used` nor under `ignored` refuses the resource; so does a field that no version of the public API known here has.
///
/// The numbers are those of the public xDS API; `Tests/Checks/field_table.py` compares the table with the protos.
enum FieldTable {
    struct Entry: Sendable {
        /// Decoded, in force.
        let used: Set<Int>
        /// Understood; it cannot make a difference in this proxy: names of statistics, runtime keys (there is no
        /// runtime layer), metadata for others, settings of protocols and features that are refused where they begin.
        let ignored: Set<Int>
        /// All names, so that a refusal can say which field it means.
        let names: [Int: String]

        init(_ used: String, ignored: String = "", refused: String = "") {
            var names: [Int: String] = [:]
            func numbers(_ text: String) -> Set<Int> {
                var result: Set<Int> = []
                for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
                    let parts = word.split(separator: "=")
                    guard parts.count == 2, let number = Int(parts[1]) else { continue }
                    names[number] = String(parts[0])
                    result.insert(number)
                }
                return result
            }
            self.used = numbers(used)
            self.ignored = numbers(ignored)
            _ = numbers(refused)
            self.names = names
        }
    }

    static let messages: [String: Entry] = [
        "envoy.config.accesslog.v3.AccessLog": Entry("filter=2 typed_config=4", ignored: "name=1"),
        "envoy.config.accesslog.v3.AccessLogFilter": Entry(
            """
            status_code_filter=1 duration_filter=2 not_health_check_filter=3 runtime_filter=5
            and_filter=6 or_filter=7 header_filter=8 response_flag_filter=9
            """,
            refused: """
                traceable_filter=4 grpc_status_filter=10 extension_filter=11 metadata_filter=12
                log_type_filter=13
                """),
        "envoy.config.accesslog.v3.AndFilter": Entry("filters=1"),
        "envoy.config.accesslog.v3.ComparisonFilter": Entry("op=1 value=2"),
        "envoy.config.accesslog.v3.DurationFilter": Entry("comparison=1"),
        "envoy.config.accesslog.v3.HeaderFilter": Entry("header=1"),
        "envoy.config.accesslog.v3.NotHealthCheckFilter": Entry(""),
        "envoy.config.accesslog.v3.OrFilter": Entry("filters=2"),
        "envoy.config.accesslog.v3.ResponseFlagFilter": Entry("flags=1"),
        "envoy.config.accesslog.v3.RuntimeFilter": Entry(
            "percent_sampled=2",
            ignored: "runtime_key=1 use_independent_randomness=3"),
        "envoy.config.accesslog.v3.StatusCodeFilter": Entry("comparison=1"),
        "envoy.config.cluster.v3.CircuitBreakers": Entry("thresholds=1 per_host_thresholds=2"),
        "envoy.config.cluster.v3.CircuitBreakers.Thresholds": Entry(
            """
            priority=1 max_connections=2 max_pending_requests=3 max_requests=4 max_retries=5
            retry_budget=8 track_remaining=6
            """,
            refused: "max_connection_pools=7"),
        "envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget": Entry(
            "budget_percent=1 min_retry_concurrency=2"),
        "envoy.config.cluster.v3.Cluster": Entry(
            """
            transport_socket_matches=43 name=1 alt_stat_name=28 type=2 eds_cluster_config=3
            connect_timeout=4 per_connection_buffer_limit_bytes=5 lb_policy=6 load_assignment=33
            max_requests_per_connection=9 circuit_breakers=10 common_http_protocol_options=29
            http_protocol_options=13 http2_protocol_options=14 typed_extension_protocol_options=36 dns_refresh_rate=16
            dns_failure_refresh_rate=44
            dns_jitter=58 respect_dns_ttl=39 dns_lookup_family=17 typed_dns_resolver_config=55 outlier_detection=19
            cluster_type=38 wait_for_warm_on_init=54
            cleanup_interval=20 upstream_bind_config=21 ring_hash_lb_config=23 maglev_lb_config=52
            original_dst_lb_config=34 least_request_lb_config=37 round_robin_lb_config=56
            common_lb_config=27 transport_socket=24 upstream_connection_options=30
            load_balancing_policy=41 lb_subset_config=22 health_checks=8
            close_connections_on_host_health_failure=31 ignore_health_on_host_removal=32
            """,
            ignored: """
                metadata=25 track_cluster_stats=49
                """,
            refused: """
                filters=40 lrs_server=42
                lrs_report_endpoint_metrics=57 upstream_config=48 preconnect_policy=50
                connection_pool_per_downstream_connection=51
                """),
        "envoy.config.cluster.v3.Cluster.CommonLbConfig": Entry(
            """
            healthy_panic_threshold=1 locality_weighted_lb_config=3 consistent_hashing_lb_config=7
            zone_aware_lb_config=2 ignore_new_hosts_until_first_hc=5 override_host_status=8
            """,
            ignored: "update_merge_window=4",
            refused: "close_connections_on_host_set_change=6"),
        "envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig": Entry(
            "use_hostname_for_hashing=1 hash_balance_factor=2"),
        "envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig": Entry(""),
        "envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig": Entry(
            "fail_traffic_on_panic=3",
            ignored: "routing_enabled=1 min_cluster_size=2"),
        "envoy.config.cluster.v3.Cluster.CustomClusterType": Entry("typed_config=2", ignored: "name=1"),
        "envoy.config.cluster.v3.Cluster.EdsClusterConfig": Entry("eds_config=1 service_name=2"),
        "envoy.config.cluster.v3.Cluster.LbSubsetConfig": Entry(
            """
            fallback_policy=1 default_subset=2 subset_selectors=3 locality_weight_aware=4
            scale_locality_weight=5 panic_mode_any=6 list_as_any=7 metadata_fallback_policy=8
            """),
        "envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector": Entry(
            "keys=1 single_host_per_subset=4 fallback_policy=2 fallback_keys_subset=3"),
        "envoy.config.cluster.v3.Cluster.LeastRequestLbConfig": Entry(
            "choice_count=1 active_request_bias=2 slow_start_config=3"),
        "envoy.config.cluster.v3.Cluster.MaglevLbConfig": Entry("table_size=1"),
        "envoy.config.cluster.v3.Cluster.OriginalDstLbConfig": Entry(
            "use_http_header=1 http_header_name=2 upstream_port_override=3",
            refused: "metadata_key=4"),
        "envoy.config.cluster.v3.Cluster.RefreshRate": Entry("base_interval=1 max_interval=2"),
        "envoy.config.cluster.v3.Cluster.RingHashLbConfig": Entry(
            "minimum_ring_size=1 hash_function=3 maximum_ring_size=4"),
        "envoy.config.cluster.v3.Cluster.RoundRobinLbConfig": Entry("slow_start_config=1"),
        "envoy.config.cluster.v3.Cluster.SlowStartConfig": Entry(
            "slow_start_window=1 aggression=2 min_weight_percent=3"),
        "envoy.config.cluster.v3.Cluster.TransportSocketMatch": Entry(
            "match=2 transport_socket=3",
            ignored: "name=1"),
        "envoy.config.cluster.v3.LoadBalancingPolicy": Entry("policies=1"),
        "envoy.config.cluster.v3.LoadBalancingPolicy.Policy": Entry("typed_extension_config=4"),
        "envoy.config.cluster.v3.OutlierDetection": Entry(
            """
            consecutive_5xx=1 interval=2 base_ejection_time=3 max_ejection_percent=4
            enforcing_consecutive_5xx=5 enforcing_success_rate=6 success_rate_minimum_hosts=7
            success_rate_request_volume=8 success_rate_stdev_factor=9 consecutive_gateway_failure=10
            enforcing_consecutive_gateway_failure=11 split_external_local_origin_errors=12
            consecutive_local_origin_failure=13 enforcing_consecutive_local_origin_failure=14
            failure_percentage_threshold=16 enforcing_failure_percentage=17
            failure_percentage_minimum_hosts=19 failure_percentage_request_volume=20
            max_ejection_time=21 max_ejection_time_jitter=22 always_eject_one_host=25
            enforcing_local_origin_success_rate=15 enforcing_failure_percentage_local_origin=18
            successful_active_health_check_uneject_host=23
            """,
            refused: "monitors=24"),
        "envoy.config.cluster.v3.UpstreamConnectionOptions": Entry(
            "tcp_keepalive=1",
            refused: "set_local_interface_name_on_upstream_connections=2 happy_eyeballs_config=3"),
        "envoy.config.common.matcher.v3.HttpHeadersMatch": Entry("headers=1"),
        "envoy.config.common.matcher.v3.MatchPredicate": Entry(
            "or_match=1 and_match=2 not_match=3 any_match=4 http_response_headers_match=7",
            refused: """
                http_request_headers_match=5 http_request_trailers_match=6 http_response_trailers_match=8
                http_request_generic_body_match=9 http_response_generic_body_match=10
                """),
        "envoy.config.common.matcher.v3.MatchPredicate.MatchSet": Entry("rules=1"),
        "envoy.config.core.v3.Address": Entry("socket_address=1 pipe=2", refused: "envoy_internal_address=3"),
        "envoy.config.core.v3.AggregatedConfigSource": Entry(""),
        "envoy.config.core.v3.BindConfig": Entry(
            "source_address=1",
            refused: "freebind=2 socket_options=3 local_address_selector=6"),
        "envoy.config.core.v3.CidrRange": Entry("address_prefix=1 prefix_len=2"),
        "envoy.config.core.v3.ConfigSource": Entry(
            "ads=3 self=5 api_config_source=2",
            ignored: "initial_fetch_timeout=4 resource_api_version=6",
            refused: "path=1 path_config_source=8"),
        "envoy.config.core.v3.UpstreamHttpProtocolOptions": Entry(
            "auto_sni=1 auto_san_validation=2",
            refused: "override_auto_sni_header=3"),
        // Of a service over gRPC only those of secrets are of interest: whose name it is.
        "envoy.config.core.v3.ApiConfigSource": Entry(
            "api_type=1 grpc_services=4",
            ignored: "transport_api_version=8 request_timeout=5 rate_limit_settings=6 set_node_on_first_message_only=7",
            refused: "cluster_names=2 refresh_delay=3 config_validators=9"),
        "envoy.config.core.v3.GrpcService": Entry(
            "envoy_grpc=1",
            ignored: "timeout=3 initial_metadata=5 retry_policy=6",
            refused: "google_grpc=2"),
        "envoy.config.core.v3.GrpcService.EnvoyGrpc": Entry(
            "cluster_name=1",
            ignored: "authority=2 retry_policy=3 max_receive_message_length=4 skip_envoy_headers=5"),
        "envoy.config.core.v3.DataSource": Entry(
            "inline_bytes=2 inline_string=3 filename=1",
            refused: "environment_variable=4 watched_directory=5"),
        "envoy.config.core.v3.DnsResolverOptions": Entry("use_tcp_for_dns_lookups=1 no_default_search_domain=2"),
        "envoy.config.core.v3.HealthStatusSet": Entry("statuses=1"),
        "envoy.config.core.v3.HealthCheck": Entry(
            """
            grpc_health_check=11 timeout=1 interval=2 initial_jitter=20 interval_jitter=3 interval_jitter_percent=18
            unhealthy_threshold=4 healthy_threshold=5 alt_port=6 reuse_connection=7 http_health_check=8
            tcp_health_check=9 no_traffic_interval=12 no_traffic_healthy_interval=24
            unhealthy_interval=14 unhealthy_edge_interval=15 healthy_edge_interval=16
            """,
            ignored: "always_log_health_check_failures=19 always_log_health_check_success=26",
            refused: """
                event_logger=25 tls_options=21 transport_socket_match_criteria=23
                """),
        "envoy.config.core.v3.HealthCheck.GrpcHealthCheck": Entry("service_name=1 authority=2 initial_metadata=3"),
        "envoy.config.core.v3.HealthCheck.HttpHealthCheck": Entry(
            """
            host=1 path=2 send=3 receive=4 response_buffer_size=14 request_headers_to_add=6
            request_headers_to_remove=8 expected_statuses=9 retriable_statuses=12
            codec_client_type=10 service_name_matcher=11 method=13
            """),
        "envoy.config.core.v3.HealthCheck.Payload": Entry("text=1 binary=2"),
        "envoy.config.core.v3.HealthCheck.TcpHealthCheck": Entry(
            "send=1 receive=2",
            refused: "proxy_protocol_config=3"),
        "envoy.config.core.v3.HeaderValue": Entry("key=1 value=2 raw_value=3"),
        "envoy.config.core.v3.HeaderValueOption": Entry("header=1 append=2 append_action=3 keep_empty_value=4"),
        "envoy.config.core.v3.Http1ProtocolOptions": Entry(
            """
            allow_absolute_url=1 accept_http_10=2 default_host_for_http_10=3 header_key_format=4
            enable_trailers=5 allow_chunked_length=6 send_fully_qualified_url=8
            """,
            refused: """
                override_stream_error_on_invalid_http_message=7 allow_custom_methods=10
                ignore_http_11_upgrade=11
                """),
        "envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat": Entry(
            "proper_case_words=1 stateful_formatter=8"),
        "envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat.ProperCaseWords": Entry(""),
        "envoy.config.core.v3.Http2ProtocolOptions": Entry(
            """
            hpack_table_size=1 max_concurrent_streams=2 initial_stream_window_size=3
            initial_connection_window_size=4 allow_connect=5 max_outbound_frames=7
            max_outbound_control_frames=8 max_consecutive_inbound_frames_with_empty_payload=9
            max_inbound_priority_frames_per_stream=10
            max_inbound_window_update_frames_per_data_frame_sent=11
            override_stream_error_on_invalid_http_message=14 connection_keepalive=15
            """,
            ignored: "use_oghttp2_codec=16",
            refused: "allow_metadata=6 max_metadata_size=17"),
        "envoy.config.core.v3.HttpProtocolOptions": Entry(
            """
            idle_timeout=1 max_connection_duration=3 max_headers_count=2 max_response_headers_kb=7
            max_stream_duration=4 headers_with_underscores_action=5 max_requests_per_connection=6
            """),
        "envoy.config.core.v3.KeepaliveSettings": Entry(
            "interval=1 timeout=2 interval_jitter=3 connection_idle_interval=4"),
        "envoy.config.core.v3.Locality": Entry("region=1 zone=2 sub_zone=3"),
        "envoy.config.core.v3.Metadata": Entry("filter_metadata=1 typed_filter_metadata=2"),
        "envoy.config.core.v3.Pipe": Entry("path=1", ignored: "mode=2"),
        "envoy.config.core.v3.RuntimeDouble": Entry("default_value=1", ignored: "runtime_key=2"),
        "envoy.config.core.v3.RuntimeFractionalPercent": Entry("default_value=1", ignored: "runtime_key=2"),
        "envoy.config.core.v3.RuntimeUInt32": Entry("default_value=2", ignored: "runtime_key=3"),
        "envoy.config.core.v3.SchemeHeaderTransformation": Entry(
            "scheme_to_overwrite=1",
            refused: "match_upstream=2"),
        "envoy.config.core.v3.SelfConfigSource": Entry("", ignored: "transport_api_version=1"),
        "envoy.config.core.v3.SocketAddress": Entry(
            "protocol=1 address=2 port_value=3",
            refused: "named_port=4 resolver_name=5 ipv4_compat=6 network_namespace_filepath=7"),
        "envoy.config.core.v3.SubstitutionFormatString": Entry(
            "text_format=1 json_format=2 omit_empty_values=3 text_format_source=5 content_type=4",
            refused: "formatters=6"),
        "envoy.config.core.v3.TcpKeepalive": Entry("keepalive_probes=1 keepalive_time=2 keepalive_interval=3"),
        "envoy.config.core.v3.TransportSocket": Entry("name=1 typed_config=3"),
        "envoy.config.core.v3.TypedExtensionConfig": Entry("typed_config=2", ignored: "name=1"),
        "envoy.config.endpoint.v3.ClusterLoadAssignment": Entry(
            "cluster_name=1 endpoints=2 policy=4",
            refused: "named_endpoints=5"),
        "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy": Entry(
            "drop_overloads=2 overprovisioning_factor=3 weighted_priority_health=6",
            refused: "endpoint_stale_after=4"),
        "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload": Entry("category=1 drop_percentage=2"),
        "envoy.config.endpoint.v3.Endpoint": Entry(
            "address=1 hostname=3 health_check_config=2",
            refused: "additional_addresses=4"),
        "envoy.config.endpoint.v3.Endpoint.HealthCheckConfig": Entry(
            "port_value=1 hostname=2 address=3 disable_active_health_check=4"),
        "envoy.config.endpoint.v3.LbEndpoint": Entry(
            "endpoint=1 health_status=2 metadata=3 load_balancing_weight=4",
            refused: "endpoint_name=5"),
        "envoy.config.endpoint.v3.LocalityLbEndpoints": Entry(
            "locality=1 lb_endpoints=2 load_balancing_weight=3 priority=5",
            ignored: "metadata=9 proximity=6"),
        "envoy.config.listener.v3.Filter": Entry("name=1 typed_config=4", refused: "config_discovery=5"),
        "envoy.config.listener.v3.FilterChain": Entry(
            "filter_chain_match=1 filters=3 transport_socket=6 name=7 transport_socket_connect_timeout=9",
            ignored: "metadata=5"),
        "envoy.config.listener.v3.FilterChainMatch": Entry(
            """
            destination_port=8 prefix_ranges=3 direct_source_prefix_ranges=13 source_type=12
            source_prefix_ranges=6 source_ports=7 server_names=11 transport_protocol=9
            application_protocols=10
            """,
            refused: "address_suffix=4 suffix_len=5"),
        "envoy.config.listener.v3.Listener": Entry(
            """
            name=1 address=2 filter_chains=3 use_original_dst=4 default_filter_chain=25
            per_connection_buffer_limit_bytes=5 drain_type=8 listener_filters=9
            listener_filters_timeout=15 continue_on_listener_filters_timeout=17 traffic_direction=16
            access_log=22 tcp_backlog_size=24 bind_to_port=26
            """,
            ignored: """
                stat_prefix=28 metadata=6 connection_balance_config=20 reuse_port=21
                enable_reuse_port=29 max_connections_to_accept_per_socket_event=34
                ignore_global_conn_limit=31 bypass_overload_manager=35
                """,
            refused: """
                additional_addresses=33 transparent=10 freebind=11 socket_options=13
                tcp_fast_open_queue_length=12 api_listener=19 internal_listener=27 enable_mptcp=30
                """),
        "envoy.config.listener.v3.ListenerFilter": Entry(
            "name=1 typed_config=3 filter_disabled=4",
            refused: "config_discovery=5"),
        "envoy.config.listener.v3.ListenerFilterChainMatchPredicate": Entry(
            "or_match=1 and_match=2 not_match=3 any_match=4 destination_port_range=5"),
        "envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet": Entry("rules=1"),
        "envoy.config.route.v3.DirectResponseAction": Entry("status=1 body=2 body_format=3"),
        "envoy.config.route.v3.FilterConfig": Entry("config=1 is_optional=2 disabled=3"),
        "envoy.config.route.v3.HeaderMatcher": Entry(
            """
            name=1 exact_match=4 safe_regex_match=11 range_match=6 present_match=7 prefix_match=9
            suffix_match=10 contains_match=12 string_match=13 invert_match=8
            treat_missing_header_as_empty=14
            """),
        "envoy.config.route.v3.QueryParameterMatcher": Entry("name=1 string_match=5 present_match=6"),
        "envoy.config.route.v3.RedirectAction": Entry(
            """
            https_redirect=4 scheme_redirect=7 host_redirect=1 port_redirect=8 path_redirect=2
            prefix_rewrite=5 regex_rewrite=9 response_code=3 strip_query=6
            """),
        "envoy.config.route.v3.RetryPolicy": Entry(
            """
            retry_on=1 num_retries=2 per_try_timeout=3 per_try_idle_timeout=13
            retry_host_predicate=5 host_selection_retry_max_attempts=6 retriable_status_codes=7
            retry_back_off=8 retriable_headers=9 retriable_request_headers=10 retry_priority=4
            rate_limited_retry_back_off=11
            """,
            refused: "retry_options_predicates=12"),
        "envoy.config.route.v3.RetryPolicy.RetryBackOff": Entry("base_interval=1 max_interval=2"),
        "envoy.config.route.v3.RetryPolicy.RetryHostPredicate": Entry("name=1 typed_config=3"),
        "envoy.config.route.v3.Route": Entry(
            """
            name=14 match=1 route=2 redirect=3 direct_response=7 typed_per_filter_config=13
            request_headers_to_add=9 request_headers_to_remove=12 response_headers_to_add=10
            response_headers_to_remove=11 request_body_buffer_limit=20
            """,
            ignored: "metadata=4 decorator=5 tracing=15 stat_prefix=19",
            refused: "non_forwarding_action=18"),
        "envoy.config.route.v3.RouteAction": Entry(
            """
            cluster=1 cluster_header=2 weighted_clusters=3 cluster_not_found_response_code=20
            prefix_rewrite=5 regex_rewrite=32 host_rewrite_literal=6 auto_host_rewrite=7
            host_rewrite_header=29 host_rewrite_path_regex=35 append_x_forwarded_host=38 timeout=8
            idle_timeout=24 retry_policy=9 request_mirror_policies=30 priority=11 hash_policy=15
            max_grpc_timeout=23 grpc_timeout_offset=28 upgrade_configs=25 max_stream_duration=36 metadata_match=4
            rate_limits=13 internal_redirect_policy=34 hedge_policy=27
            """,
            refused: """
                cluster_specifier_plugin=37 path_rewrite_policy=41 path_rewrite=45
                host_rewrite=44 flush_timeout=42 early_data_policy=40 retry_policy_typed_config=33
                cors=17
                """),
        "envoy.config.route.v3.RouteAction.HashPolicy": Entry(
            "header=1 cookie=2 connection_properties=3 query_parameter=5 terminal=4",
            refused: "filter_state=6"),
        "envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties": Entry("source_ip=1"),
        "envoy.config.route.v3.RouteAction.HashPolicy.Cookie": Entry("name=1 ttl=2 path=3 attributes=4"),
        "envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute": Entry("name=1 value=2"),
        "envoy.config.route.v3.RouteAction.HashPolicy.Header": Entry("header_name=1 regex_rewrite=2"),
        "envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter": Entry("name=1"),
        "envoy.config.route.v3.RouteAction.MaxStreamDuration": Entry(
            "max_stream_duration=1 grpc_timeout_header_max=2 grpc_timeout_header_offset=3"),
        "envoy.config.route.v3.RouteAction.RequestMirrorPolicy": Entry(
            """
            cluster=1 cluster_header=5 runtime_fraction=3 disable_shadow_host_suffix_append=6
            request_headers_mutations=7 host_rewrite_literal=8
            """,
            ignored: "trace_sampled=4"),
        "envoy.config.route.v3.RouteAction.UpgradeConfig": Entry(
            "upgrade_type=1 enabled=2 connect_config=3"),
        "envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig": Entry(
            "allow_post=2",
            refused: "proxy_protocol_config=1"),
        "envoy.config.route.v3.RouteConfiguration": Entry(
            """
            name=1 virtual_hosts=2 internal_only_headers=3 response_headers_to_add=4
            response_headers_to_remove=5 request_headers_to_add=6 request_headers_to_remove=8
            most_specific_header_mutations_wins=10 max_direct_response_body_size_bytes=11
            request_mirror_policies=13 ignore_port_in_host_matching=14 typed_per_filter_config=16
            """,
            ignored: "validate_clusters=7 metadata=17",
            refused: "vhost_header=18 ignore_path_parameters_in_path_matching=15"),
        "envoy.config.route.v3.RouteMatch": Entry(
            """
            prefix=1 path=2 safe_regex=10 connect_matcher=12 path_separated_prefix=14
            case_sensitive=4 runtime_fraction=9 headers=6 query_parameters=7 grpc=8 dynamic_metadata=13
            """,
            refused: "path_match_policy=15 tls_context=11 filter_state=16"),
        "envoy.config.route.v3.RouteMatch.ConnectMatcher": Entry(""),
        "envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions": Entry(""),
        "envoy.config.route.v3.VirtualHost": Entry(
            """
            name=1 domains=2 routes=3 require_tls=4 request_headers_to_add=7
            request_headers_to_remove=13 response_headers_to_add=10 response_headers_to_remove=11
            typed_per_filter_config=15 include_request_attempt_count=14
            include_attempt_count_in_response=19 retry_policy=16 request_mirror_policies=22
            rate_limits=6 request_body_buffer_limit=25 hedge_policy=17
            include_is_timeout_retry_header=23
            """,
            ignored: "metadata=24",
            refused: """
                cors=8 retry_policy_typed_config=20
                """),
        "envoy.config.route.v3.WeightedCluster": Entry(
            "clusters=1 header_name=4",
            ignored: "total_weight=3 runtime_key_prefix=2",
            refused: "use_hash_policy=5"),
        "envoy.config.route.v3.WeightedCluster.ClusterWeight": Entry(
            """
            name=1 cluster_header=12 weight=2 request_headers_to_add=4 request_headers_to_remove=9
            response_headers_to_add=5 response_headers_to_remove=6 typed_per_filter_config=10
            host_rewrite_literal=11 metadata_match=3
            """),
        "envoy.extensions.access_loggers.file.v3.FileAccessLog": Entry("path=1 format=2 log_format=5"),
        "envoy.extensions.access_loggers.stream.v3.StderrAccessLog": Entry("log_format=1"),
        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog": Entry("log_format=1"),
        "envoy.extensions.clusters.dns.v3.DnsCluster": Entry(
            """
            dns_refresh_rate=3 dns_failure_refresh_rate=4 respect_dns_ttl=5 dns_jitter=6 typed_dns_resolver_config=7
            dns_lookup_family=8 all_addresses_in_single_endpoint=9
            """),
        "envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate": Entry("base_interval=1 max_interval=2"),
        // Each question has a socket of its own, so there is no channel that ages or has to be made anew.
        "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig": Entry(
            """
            resolvers=1 use_resolvers_as_fallback=3 dns_resolver_options=2 query_timeout_seconds=6 query_tries=7
            rotate_nameservers=8 edns0_max_payload_size=9
            """,
            ignored: "udp_max_queries=5 max_udp_channel_duration=10 reinit_channel_on_timeout=11",
            refused: "filter_unroutable_families=4"),
        "envoy.extensions.filters.common.fault.v3.FaultDelay": Entry(
            "fixed_delay=3 percentage=4",
            refused: "header_delay=5"),
        "envoy.extensions.filters.http.cors.v3.Cors": Entry(""),
        "envoy.extensions.filters.http.cors.v3.CorsPolicy": Entry(
            """
            allow_origin_string_match=1 allow_methods=2 allow_headers=3 expose_headers=4 max_age=5
            allow_credentials=6 filter_enabled=7 allow_private_network_access=9
            forward_not_matching_preflights=10
            """,
            ignored: "shadow_enabled=8"),
        "envoy.extensions.filters.http.fault.v3.FaultAbort": Entry(
            "http_status=2 grpc_status=5 percentage=3",
            refused: "header_abort=4"),
        "envoy.extensions.filters.http.fault.v3.HTTPFault": Entry(
            "delay=1 abort=2 upstream_cluster=3 headers=4 max_active_faults=6",
            ignored: """
                delay_percent_runtime=8 abort_percent_runtime=9 delay_duration_runtime=10
                abort_http_status_runtime=11 max_active_faults_runtime=12
                response_rate_limit_percent_runtime=13 abort_grpc_status_runtime=14
                disable_downstream_cluster_stats=15 filter_metadata=16
                """,
            refused: "downstream_nodes=5 response_rate_limit=7"),
        "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig": Entry(
            "stats_for_all_methods=3",
            ignored: "emit_filter_state=1 replace_dots_in_grpc_service_name=5",
            refused: "enable_upstream_stats=4"),
        "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb": Entry(""),
        "envoy.extensions.filters.http.router.v3.Router": Entry(
            "suppress_envoy_headers=4 respect_expected_rq_timeout=6",
            ignored: "dynamic_stats=1 start_child_span=2 suppress_grpc_request_failure_code_stats=7",
            refused: "upstream_log=3 strict_check_headers=5 upstream_http_filters=8"),
        "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector": Entry(""),
        "envoy.extensions.filters.listener.original_dst.v3.OriginalDst": Entry(""),
        "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector": Entry(
            "",
            ignored: "initial_read_buffer_size=2",
            refused: """
                enable_ja3_fingerprinting=1 enable_ja4_fingerprinting=3
                close_connection_on_client_hello_parsing_errors=4 max_client_hello_size=5
                """),
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager": Entry(
            """
            codec_type=1 stat_prefix=2 rds=3 route_config=4 http_filters=5 tracing=7
            common_http_protocol_options=35 http_protocol_options=8 http2_protocol_options=9 server_name=10
            server_header_transformation=34 scheme_header_transformation=48
            max_request_headers_kb=29 stream_idle_timeout=24 request_timeout=28
            request_headers_timeout=41 drain_timeout=12 delayed_close_timeout=26 access_log=13
            use_remote_address=14 xff_num_trusted_hops=19 internal_address_config=25
            skip_xff_append=21 via=22 generate_request_id=15 preserve_external_request_id=32
            always_set_request_id_in_response=37 forward_client_cert_details=16
            proxy_100_continue=18 upgrade_configs=23 normalize_path=30 merge_slashes=33
            path_with_escaped_slashes_action=45 request_id_extension=36 strip_matching_host_port=39
            strip_any_host_port=42 strip_trailing_host_dot=47 append_x_forwarded_port=51
            local_reply_config=38 original_ip_detection_extensions=46 early_header_mutation_extensions=52
            stream_error_on_invalid_http_message=40 set_current_client_cert_details=17
            """,
            ignored: """
                add_proxy_protocol_connection_state=53
                """,
            refused: """
                add_user_agent=6 http1_safe_max_connection_duration=58 stream_flush_timeout=59
                access_log_options=56 represent_ipv4_remote_address_as_ipv4_mapped_ipv6=20
                                typed_header_validation_config=50 append_local_overload=57
                """),
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig":
            Entry(
                "cidr_ranges=2",
                ignored: "unix_sockets=1"),
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails":
            Entry(
                "subject=1 cert=3 dns=4 uri=5",
                refused: "chain=6"),
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing": Entry(
            "",
            ignored: """
                client_sampling=3 random_sampling=4 overall_sampling=5 verbose=6 max_path_tag_length=7
                custom_tags=8 spawn_upstream_span=10 operation=11 upstream_operation=12
                """,
            refused: "provider=9"),
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig": Entry(
            "upgrade_type=1 enabled=3",
            refused: "filters=2"),
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter": Entry(
            "name=1 typed_config=4 is_optional=6 disabled=7",
            refused: "config_discovery=5"),
        "envoy.extensions.filters.network.http_connection_manager.v3.Rds": Entry(
            "config_source=1 route_config_name=2"),
        "envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension": Entry("typed_config=1"),
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy": Entry(
            """
            stat_prefix=1 cluster=2 weighted_clusters=10 idle_timeout=8 access_log=5
            max_connect_attempts=7 hash_policy=11 max_downstream_connection_duration=13 metadata_match=9
            """,
            refused: """
                downstream_idle_timeout=3 upstream_idle_timeout=4 backoff_options=18
                tunneling_config=12 max_downstream_connection_duration_jitter_percentage=20
                access_log_options=17 proxy_protocol_tlvs=19 upstream_connect_mode=21
                max_early_data_bytes=22
                """),
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster": Entry("clusters=1"),
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight": Entry(
            "name=1 weight=2 metadata_match=3"),
        "envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig": Entry(
            "use_hostname_for_hashing=1 hash_balance_factor=2",
            refused: "hash_policy=3"),
        "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig": Entry(
            "locality_weighted_lb_config=2 zone_aware_lb_config=1"),
        "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig": Entry(""),
        "envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig": Entry(
            "fail_traffic_on_panic=3",
            ignored: "routing_enabled=1 min_cluster_size=2 force_local_zone=5 locality_basis=6"),
        "envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig": Entry(
            "slow_start_window=1 aggression=2 min_weight_percent=3"),
        "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest": Entry(
            "choice_count=1 active_request_bias=2 locality_lb_config=4 slow_start_config=3 selection_method=6"),
        "envoy.extensions.load_balancing_policies.maglev.v3.Maglev": Entry(
            "table_size=1 consistent_hashing_lb_config=2 locality_weighted_lb_config=3"),
        "envoy.extensions.load_balancing_policies.random.v3.Random": Entry("locality_lb_config=1"),
        "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash": Entry(
            """
            hash_function=1 minimum_ring_size=2 maximum_ring_size=3 consistent_hashing_lb_config=6
            locality_weighted_lb_config=7
            """),
        "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin": Entry(
            "locality_lb_config=2 slow_start_config=1"),
        "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig": Entry(
            "",
            ignored: "pack_trace_reason=1 use_request_id_for_trace_sampling=2"),
        "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer": Entry(""),
        "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext": Entry(
            """
            trusted_ca=1 system_root_certs=17 match_typed_subject_alt_names=15 trust_chain_verification=10
            """,
            refused: """
                ca_certificate_provider_instance=13 watched_directory=11 verify_certificate_spki=3
                verify_certificate_hash=2 match_subject_alt_names=9 require_signed_certificate_timestamp=6 crl=7
                allow_expired_certificate=8 custom_validator_config=12 only_verify_leaf_cert_crl=14 max_verify_depth=16
                """),
        "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.SystemRootCerts": Entry(""),
        "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext": Entry(
            """
            tls_params=1 tls_certificates=2 tls_certificate_sds_secret_configs=6 validation_context=3
            validation_context_sds_secret_config=7 combined_validation_context=8 alpn_protocols=4
            """,
            refused: """
                tls_certificate_provider_instance=14 custom_tls_certificate_selector=16
                tls_certificate_certificate_provider_instance=11 validation_context_certificate_provider_instance=12
                custom_handshaker=13
                """),
        "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext": Entry(
            "default_validation_context=1 validation_context_sds_secret_config=2",
            refused: "validation_context_certificate_provider_instance=4"),
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext": Entry(
            "common_tls_context=1 require_client_certificate=2 require_sni=3",
            ignored: "prefer_client_ciphers=11 full_scan_certs_on_sni_mismatch=9",
            refused: """
                session_ticket_keys=4 session_ticket_keys_sds_secret_config=5 disable_stateless_session_resumption=7
                disable_stateful_session_resumption=10 session_timeout=6 ocsp_staple_policy=8
                """),
        "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig": Entry("name=1 sds_config=2"),
        "envoy.extensions.transport_sockets.tls.v3.Secret": Entry(
            "name=1 tls_certificate=2 validation_context=4",
            refused: "session_ticket_keys=3 generic_secret=5"),
        "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher": Entry(
            "san_type=1 matcher=2",
            refused: "oid=3"),
        "envoy.extensions.transport_sockets.tls.v3.TlsCertificate": Entry(
            "certificate_chain=1 private_key=2",
            refused: "pkcs12=8 watched_directory=7 password=3 ocsp_staple=4 signed_certificate_timestamp=5"),
        "envoy.extensions.transport_sockets.tls.v3.TlsParameters": Entry(
            """
            tls_minimum_protocol_version=1 tls_maximum_protocol_version=2 cipher_suites=3 ecdh_curves=4
            """,
            refused: "signature_algorithms=5 compliance_policies=6"),
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext": Entry(
            "common_tls_context=1 sni=2",
            ignored: "max_session_keys=4 enforce_rsa_key_usage=5",
            refused: "auto_host_sni=6 auto_sni_san_validation=7 allow_renegotiation=3"),
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": Entry(
            """
            common_http_protocol_options=1 explicit_http_config=3 use_downstream_protocol_config=4
            outlier_detection=8 upstream_http_protocol_options=2
            """,
            refused: """
                auto_config=5 http_filters=6 header_validation_config=7
                request_mirror_policies=9 hash_policy=10 retry_policy=11
                """),
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig": Entry(
            "http_protocol_options=1 http2_protocol_options=2"),
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection": Entry("error_matcher=1"),
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig": Entry(
            "http_protocol_options=1 http2_protocol_options=2"),
        "envoy.type.matcher.v3.RegexMatchAndSubstitute": Entry("pattern=1 substitution=2"),
        "envoy.type.matcher.v3.RegexMatcher": Entry("regex=2", ignored: "google_re2=1"),
        "envoy.type.matcher.v3.StringMatcher": Entry(
            "exact=1 prefix=2 suffix=3 safe_regex=5 contains=7 ignore_case=6",
            refused: "custom=8"),
        "envoy.type.v3.FractionalPercent": Entry("numerator=1 denominator=2"),
        "envoy.type.v3.HashPolicy": Entry("source_ip=1"),
        "envoy.type.v3.HashPolicy.SourceIp": Entry(""),
        "envoy.type.v3.Int32Range": Entry("start=1 end=2"),
        "envoy.type.v3.Int64Range": Entry("start=1 end=2"),
        "envoy.type.v3.Percent": Entry("value=1"),
        "envoy.config.rbac.v3.RBAC": Entry(
            "action=1 policies=2"),
        "envoy.config.rbac.v3.Policy": Entry(
            "permissions=1 principals=2"),
        "envoy.config.rbac.v3.Permission": Entry(
            """
            and_rules=1 or_rules=2 any=3 header=4 url_path=10 destination_ip=5 destination_port=6
            destination_port_range=11 metadata=7 not_rule=8 requested_server_name=9 matcher=12
            uri_template=13 sourced_metadata=14
            """),
        "envoy.config.rbac.v3.Permission.Set": Entry(
            "rules=1"),
        "envoy.config.rbac.v3.Principal": Entry(
            """
            and_ids=1 or_ids=2 any=3 authenticated=4 source_ip=5 direct_remote_ip=10 remote_ip=11
            header=6 url_path=9 metadata=7 filter_state=12 not_id=8 sourced_metadata=13 custom=14
            """),
        "envoy.config.rbac.v3.Principal.Set": Entry(
            "ids=1"),
        "envoy.config.rbac.v3.Principal.Authenticated": Entry(
            "principal_name=2"),
        "envoy.config.rbac.v3.SourcedMetadata": Entry(
            "metadata_matcher=1 metadata_source=2"),
        "envoy.type.matcher.v3.PathMatcher": Entry(
            "path=1"),
        "envoy.type.matcher.v3.MetadataMatcher": Entry("filter=1 path=2 value=3 invert=4"),
        "envoy.type.matcher.v3.MetadataMatcher.PathSegment": Entry("key=1"),
        "envoy.type.matcher.v3.ValueMatcher": Entry(
            """
            null_match=1 double_match=2 string_match=3 bool_match=4 present_match=5 list_match=6
            or_match=7
            """),
        "envoy.type.matcher.v3.ValueMatcher.NullMatch": Entry(""),
        "envoy.type.matcher.v3.DoubleMatcher": Entry("range=1 exact=2"),
        "envoy.type.v3.DoubleRange": Entry("start=1 end=2"),
        "envoy.type.matcher.v3.ListMatcher": Entry("one_of=1"),
        "envoy.type.matcher.v3.OrMatcher": Entry("value_matchers=1"),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication": Entry(
            """
            providers=1 rules=2 bypass_cors_preflight=4 requirement_map=5 strip_failure_response=6
            stat_prefix=7
            """),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtProvider": Entry(
            """
            issuer=1 audiences=2 local_jwks=4 forward=5 from_headers=6 from_params=7
            forward_payload_header=8 payload_in_metadata=9 clock_skew_seconds=10
            pad_forward_payload_header=11 from_cookies=13 header_in_metadata=14 claim_to_headers=15
            failed_status_in_metadata=16 clear_route_cache=17 normalize_payload_in_metadata=18
            """,
            ignored: "jwt_cache_config=12",
            refused: "remote_jwks=3 subjects=19 require_expiration=20 max_lifetime=21"),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.NormalizePayload": Entry("space_delimited_claims=1"),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtHeader": Entry("name=1 value_prefix=2"),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader": Entry("header_name=1 claim_name=2"),
        "envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences": Entry("provider_name=1 audiences=2"),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement": Entry(
            """
            provider_name=1 provider_and_audiences=2 requires_any=3 requires_all=4
            allow_missing_or_failed=5 allow_missing=6
            """),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList": Entry("requirements=1"),
        "envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList": Entry("requirements=1"),
        "envoy.extensions.filters.http.jwt_authn.v3.RequirementRule": Entry(
            "match=1 requires=2 requirement_name=3"),
        "envoy.type.matcher.v3.FilterStateMatcher": Entry(
            "",
            ignored: "key=1 string_match=2 address_match=3"),
        "envoy.extensions.filters.http.rbac.v3.RBAC": Entry(
            "rules=1 shadow_rules=2 rules_stat_prefix=6 shadow_rules_stat_prefix=3",
            refused: "track_per_rule_stats=7"),
        "envoy.extensions.filters.http.rbac.v3.RBACPerRoute": Entry(
            "rbac=2"),
        "envoy.extensions.filters.network.rbac.v3.RBAC": Entry(
            """
            rules=1 shadow_rules=2 shadow_rules_stat_prefix=5 stat_prefix=3 delay_deny=8
            """,
            ignored: "enforcement_type=4"),
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit": Entry(
            """
            stat_prefix=1 status=2 token_bucket=3 filter_enabled=4 filter_enforced=5
            request_headers_to_add_when_not_enforced=10 response_headers_to_add=6 descriptors=8
            stage=9 local_rate_limit_per_downstream_connection=11 enable_x_ratelimit_headers=12
            vh_rate_limits=13 always_consume_default_token_bucket=14
            rate_limited_as_resource_exhausted=15 rate_limits=17
            """,
            ignored: "max_dynamic_descriptors=18"),
        "envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor": Entry(
            "entries=1 token_bucket=2"),
        "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry": Entry(
            "key=1 value=2"),
        "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit": Entry(
            "stat_prefix=1 token_bucket=2 runtime_enabled=3",
            refused: "share_key=4"),
        "envoy.type.v3.TokenBucket": Entry(
            "max_tokens=1 tokens_per_fill=2 fill_interval=3"),
        "envoy.type.v3.HttpStatus": Entry(
            "code=1"),
        "envoy.config.core.v3.RuntimeFeatureFlag": Entry(
            "default_value=1",
            ignored: "runtime_key=2"),
        "envoy.config.route.v3.RateLimit": Entry(
            "stage=1 actions=3",
            ignored: "disable_key=2"),
        "envoy.config.route.v3.RateLimit.Action": Entry(
            """
            source_cluster=1 destination_cluster=2 request_headers=3 query_parameters=12
            remote_address=4 generic_key=5 header_value_match=6 extension=9 masked_remote_address=10
            query_parameter_value_match=11
            """),
        "envoy.config.route.v3.RateLimit.Action.SourceCluster": Entry(
            ""),
        "envoy.config.route.v3.RateLimit.Action.DestinationCluster": Entry(
            ""),
        "envoy.config.route.v3.RateLimit.Action.RequestHeaders": Entry(
            "header_name=1 descriptor_key=2 skip_if_absent=3"),
        "envoy.config.route.v3.RateLimit.Action.QueryParameters": Entry(
            "query_parameter_name=1 descriptor_key=2 skip_if_absent=3"),
        "envoy.config.route.v3.RateLimit.Action.RemoteAddress": Entry(
            ""),
        "envoy.config.route.v3.RateLimit.Action.GenericKey": Entry(
            "descriptor_value=1 descriptor_key=2"),
        "envoy.config.route.v3.RateLimit.Action.HeaderValueMatch": Entry(
            "descriptor_key=4 descriptor_value=1 expect_match=2 headers=3"),
        "envoy.config.route.v3.RateLimit.Action.QueryParameterValueMatch": Entry(
            "descriptor_key=4 descriptor_value=1 expect_match=2 query_parameters=3"),
        "envoy.config.route.v3.RateLimit.Action.MaskedRemoteAddress": Entry(
            "v4_prefix_mask_len=1 v6_prefix_mask_len=2"),
        "envoy.config.common.mutation_rules.v3.HeaderMutation": Entry(
            "remove=1 append=2 remove_on_match=3"),
        "envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch": Entry(
            "key_matcher=1"),
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation": Entry(
            "mutations=1 most_specific_header_mutations_wins=2"),
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute": Entry(
            "mutations=1"),
        "envoy.extensions.filters.http.header_mutation.v3.Mutations": Entry(
            "request_mutations=1 response_mutations=2",
            refused: """
                query_parameter_mutations=3 response_trailers_mutations=4 request_trailers_mutations=5
                """),
        "envoy.extensions.filters.http.on_demand.v3.OnDemand": Entry(
            "",
            refused: "odcds=1"),
        "envoy.extensions.filters.http.buffer.v3.Buffer": Entry(
            "max_request_bytes=1"),
        "envoy.extensions.filters.http.buffer.v3.BufferPerRoute": Entry(
            "disabled=1 buffer=2"),
        "envoy.extensions.filters.http.health_check.v3.HealthCheck": Entry(
            "pass_through_mode=1 headers=5",
            refused: "cache_time=3 cluster_min_healthy_percentages=4"),
        "envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig": Entry(
            "mappers=1 body_format=2"),
        "envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper": Entry(
            "filter=1 status_code=2 body=3 body_format_override=4 headers_to_add=5"),
        "envoy.config.route.v3.HedgePolicy": Entry(
            "initial_requests=1 additional_request_chance=2 hedge_on_per_try_timeout=3"),
        "envoy.config.route.v3.InternalRedirectPolicy": Entry(
            """
            max_internal_redirects=1 redirect_response_codes=2 predicates=3 allow_cross_scheme_redirect=4
            response_headers_to_copy=5
            """),
        "envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff": Entry("reset_headers=1 max_interval=2"),
        "envoy.config.route.v3.RetryPolicy.ResetHeader": Entry("name=1 format=2"),
        "envoy.config.route.v3.RetryPolicy.RetryPriority": Entry("name=1 typed_config=3"),
        "envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig": Entry(
            "allowed_route_names=1"),
        "envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig": Entry(""),
        "envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig": Entry(""),
        "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig": Entry("metadata_match=1"),
        "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig": Entry(
            "update_frequency=1"),
        "envoy.extensions.compression.gzip.compressor.v3.Gzip": Entry(
            "memory_level=1 compression_level=2 compression_strategy=3 window_bits=4",
            ignored: "chunk_size=5"),
        "envoy.extensions.filters.http.compressor.v3.Compressor": Entry(
            "compressor_library=6 response_direction_config=8",
            ignored: "choose_first=9",
            refused: "request_direction_config=7"),
        "envoy.extensions.filters.http.compressor.v3.Compressor.CommonDirectionConfig": Entry(
            "enabled=1 min_content_length=2 content_type=3"),
        "envoy.extensions.filters.http.compressor.v3.Compressor.ResponseDirectionConfig": Entry(
            "common_config=1 disable_on_etag_header=2 remove_accept_encoding_header=3 uncompressible_response_codes=4",
            refused: "status_header_enabled=5"),
        "envoy.extensions.filters.http.stateful_session.v3.StatefulSession": Entry(
            "session_state=1 strict=2",
            ignored: "stat_prefix=3"),
        "envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute": Entry(
            "disabled=1 stateful_session=2"),
        "envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState": Entry("cookie=1"),
        "envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState": Entry("name=1"),
        "envoy.type.http.v3.Cookie": Entry("name=1 ttl=2 path=3 attributes=4"),
        "envoy.type.http.v3.CookieAttribute": Entry("name=1 value=2"),
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation": Entry("mutations=1"),
        "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig": Entry(
            "header_name=1 allow_extension_to_set_address_as_trusted=2 reject_with_status=3"),
        "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig": Entry(
            "xff_num_trusted_hops=1 xff_trusted_cidrs=2 skip_xff_append=3"),
        "envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs": Entry("cidrs=1"),
    ]
}
