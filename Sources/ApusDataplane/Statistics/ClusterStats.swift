internal import ApusTraffic

/// Upstream numbers of one cluster, behind `cluster.<name>.`.
package struct ClusterStats: StatisticsTable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var http1ConnectionsTotal: UInt64 = 0
    package var http2ConnectionsTotal: UInt64 = 0
    package var connectFailures: UInt64 = 0
    package var connectTimeouts: UInt64 = 0
    package var connectAttemptsExceeded: UInt64 = 0
    package var connectionOverflow: UInt64 = 0
    package var connectionPoolOverflow: UInt64 = 0
    package var idleTimeouts: UInt64 = 0
    package var connectionsMaxDuration: UInt64 = 0
    package var connectionsMaxRequests: UInt64 = 0
    package var noHealthyHost: UInt64 = 0
    package var tlsHandshakes: UInt64 = 0
    package var tlsConnectionErrors: UInt64 = 0
    package var tlsVerifyErrors: UInt64 = 0
    package var tlsNameErrors: UInt64 = 0
    package var connectionsClosed: UInt64 = 0
    package var connectionsClosedLocally: UInt64 = 0
    package var connectionsClosedRemotely: UInt64 = 0
    package var connectionsClosedInUse: UInt64 = 0
    package var connectionsClosedLocallyInUse: UInt64 = 0
    package var connectionsClosedRemotelyInUse: UInt64 = 0
    package var closeNotifies: UInt64 = 0
    package var protocolErrors: UInt64 = 0
    package var http2KeepaliveTimeouts: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var connectTime = Histogram()
    package var connectionLength = Histogram()
    package var requestsPerConnection = Histogram()

    package var requestsTotal: UInt64 = 0
    package var requestsActive: Int64 = 0
    package var pendingTotal: UInt64 = 0
    package var pendingActive: Int64 = 0
    package var pendingOverflow: UInt64 = 0
    package var pendingFailures: UInt64 = 0
    package var overflow: UInt64 = 0
    package var cancelled: UInt64 = 0
    package var maintenanceMode: UInt64 = 0
    package var timeouts: UInt64 = 0
    package var requestsMaxDuration: UInt64 = 0
    package var perTryTimeouts: UInt64 = 0
    package var perTryIdleTimeouts: UInt64 = 0
    package var resetsReceived: UInt64 = 0
    package var resetsSent: UInt64 = 0
    package var retries: UInt64 = 0
    package var retryBackOffs: UInt64 = 0
    package var retryRateLimited: UInt64 = 0
    package var retrySuccesses: UInt64 = 0
    package var retryOverflow: UInt64 = 0
    package var retryLimitExceeded: UInt64 = 0
    package var retryOrShadowAbandoned: UInt64 = 0
    package var internalRedirects: UInt64 = 0
    package var internalRedirectFailures: UInt64 = 0
    package var flowControlPaused: UInt64 = 0
    package var flowControlResumed: UInt64 = 0
    package var flowControlBackedUp: UInt64 = 0
    package var flowControlDrained: UInt64 = 0
    /// Of requests that came from outside; the answers in all are the sum of both, made when printed.
    package var external = ResponseCounts()
    package var internalAnswers = ResponseCounts()
    /// Answers that were not passed on because another try followed.
    package var retried = ResponseCounts()
    package var externalTime = Histogram()
    package var internalTime = Histogram()

    package var healthyPanic: UInt64 = 0
    package var localClusterNotOK: UInt64 = 0
    package var zoneStructures: UInt64 = 0
    package var zoneClusterTooSmall: UInt64 = 0
    package var zoneNoCapacity: UInt64 = 0
    package var zoneRoutingDirect: UInt64 = 0
    package var zoneRoutingCross: UInt64 = 0
    package var zoneRoutingSampled: UInt64 = 0
    package var subsetsCreated: UInt64 = 0
    package var subsetsRemoved: UInt64 = 0
    package var subsetsSelected: UInt64 = 0
    package var subsetsFallback: UInt64 = 0
    package var subsetsFallbackPanic: UInt64 = 0
    package var membershipChanges: UInt64 = 0
    package var originalDestinationInvalid: UInt64 = 0
    package var updateAttempts: UInt64 = 0
    package var updateSuccesses: UInt64 = 0
    package var updateFailures: UInt64 = 0
    package var updateEmpty: UInt64 = 0
    package var updateNoRebuild: UInt64 = 0
    package var bindErrors: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("ssl.handshake", &tlsHandshakes)
        visitor.counter("ssl.connection_error", &tlsConnectionErrors)
        visitor.counter("ssl.fail_verify_error", &tlsVerifyErrors)
        visitor.counter("ssl.fail_verify_san", &tlsNameErrors)
        visitor.counter("upstream_cx_total", &connectionsTotal)
        visitor.gauge("upstream_cx_active", &connectionsActive)
        visitor.counter("upstream_cx_http1_total", &http1ConnectionsTotal)
        visitor.counter("upstream_cx_http2_total", &http2ConnectionsTotal)
        visitor.counter("upstream_cx_connect_fail", &connectFailures)
        visitor.counter("upstream_cx_connect_timeout", &connectTimeouts)
        visitor.counter("upstream_cx_connect_attempts_exceeded", &connectAttemptsExceeded)
        visitor.counter("upstream_cx_overflow", &connectionOverflow)
        visitor.counter("upstream_cx_pool_overflow", &connectionPoolOverflow)
        visitor.counter("upstream_cx_idle_timeout", &idleTimeouts)
        visitor.counter("upstream_cx_max_duration_reached", &connectionsMaxDuration)
        visitor.counter("upstream_cx_max_requests", &connectionsMaxRequests)
        visitor.counter("upstream_cx_none_healthy", &noHealthyHost)
        visitor.counter("upstream_cx_destroy", &connectionsClosed)
        visitor.counter("upstream_cx_destroy_local", &connectionsClosedLocally)
        visitor.counter("upstream_cx_destroy_remote", &connectionsClosedRemotely)
        visitor.counter("upstream_cx_destroy_with_active_rq", &connectionsClosedInUse)
        visitor.counter("upstream_cx_destroy_local_with_active_rq", &connectionsClosedLocallyInUse)
        visitor.counter("upstream_cx_destroy_remote_with_active_rq", &connectionsClosedRemotelyInUse)
        visitor.counter("upstream_cx_close_notify", &closeNotifies)
        visitor.counter("upstream_cx_protocol_error", &protocolErrors)
        visitor.counter("http2.keepalive_timeout", &http2KeepaliveTimeouts)
        visitor.counter("upstream_cx_rx_bytes_total", &bytesReceived)
        visitor.counter("upstream_cx_tx_bytes_total", &bytesSent)
        visitor.histogram("upstream_cx_connect_ms", &connectTime)
        visitor.histogram("upstream_cx_length_ms", &connectionLength)
        visitor.histogram("upstream_rq_per_cx", &requestsPerConnection)
        visitor.counter("upstream_rq_total", &requestsTotal)
        visitor.gauge("upstream_rq_active", &requestsActive)
        visitor.counter("upstream_rq_pending_total", &pendingTotal)
        visitor.gauge("upstream_rq_pending_active", &pendingActive)
        visitor.counter("upstream_rq_pending_overflow", &pendingOverflow)
        visitor.counter("upstream_rq_pending_failure_eject", &pendingFailures)
        visitor.counter("upstream_rq_active_overflow", &overflow)
        visitor.counter("upstream_rq_cancelled", &cancelled)
        visitor.counter("upstream_rq_maintenance_mode", &maintenanceMode)
        visitor.counter("upstream_rq_timeout", &timeouts)
        visitor.counter("upstream_rq_max_duration_reached", &requestsMaxDuration)
        visitor.counter("upstream_rq_per_try_timeout", &perTryTimeouts)
        visitor.counter("upstream_rq_per_try_idle_timeout", &perTryIdleTimeouts)
        visitor.counter("upstream_rq_rx_reset", &resetsReceived)
        visitor.counter("upstream_rq_tx_reset", &resetsSent)
        visitor.counter("upstream_rq_retry", &retries)
        visitor.counter("upstream_rq_retry_backoff_exponential", &retryBackOffs)
        visitor.counter("upstream_rq_retry_backoff_ratelimited", &retryRateLimited)
        visitor.counter("upstream_rq_retry_success", &retrySuccesses)
        visitor.counter("upstream_rq_retry_overflow", &retryOverflow)
        visitor.counter("upstream_rq_retry_limit_exceeded", &retryLimitExceeded)
        visitor.counter("retry_or_shadow_abandoned", &retryOrShadowAbandoned)
        visitor.counter("upstream_internal_redirect_succeeded_total", &internalRedirects)
        visitor.counter("upstream_internal_redirect_failed_total", &internalRedirectFailures)
        visitor.counter("upstream_flow_control_paused_reading_total", &flowControlPaused)
        visitor.counter("upstream_flow_control_resumed_reading_total", &flowControlResumed)
        visitor.counter("upstream_flow_control_backed_up_total", &flowControlBackedUp)
        visitor.counter("upstream_flow_control_drained_total", &flowControlDrained)
        visitor.responses("external.upstream_rq", &external, codes: true, isSparse: true)
        visitor.responses("internal.upstream_rq", &internalAnswers, codes: true, isSparse: true)
        visitor.responses("retry.upstream_rq", &retried, codes: true, isSparse: true)
        visitor.histogram("external.upstream_rq_time", &externalTime)
        visitor.histogram("internal.upstream_rq_time", &internalTime)
        visitor.counter("lb_healthy_panic", &healthyPanic)
        visitor.counter("lb_local_cluster_not_ok", &localClusterNotOK)
        visitor.counter("lb_recalculate_zone_structures", &zoneStructures)
        visitor.counter("lb_zone_cluster_too_small", &zoneClusterTooSmall)
        visitor.counter("lb_zone_no_capacity_left", &zoneNoCapacity)
        visitor.counter("lb_zone_routing_all_directly", &zoneRoutingDirect)
        visitor.counter("lb_zone_routing_cross_zone", &zoneRoutingCross)
        visitor.counter("lb_zone_routing_sampled", &zoneRoutingSampled)
        visitor.counter("lb_subsets_created", &subsetsCreated)
        visitor.counter("lb_subsets_removed", &subsetsRemoved)
        visitor.counter("lb_subsets_selected", &subsetsSelected)
        visitor.counter("lb_subsets_fallback", &subsetsFallback)
        visitor.counter("lb_subsets_fallback_panic", &subsetsFallbackPanic)
        visitor.counter("membership_change", &membershipChanges)
        visitor.counter("original_dst_host_invalid", &originalDestinationInvalid)
        visitor.counter("update_attempt", &updateAttempts)
        visitor.counter("update_success", &updateSuccesses)
        visitor.counter("update_failure", &updateFailures)
        visitor.counter("update_empty", &updateEmpty)
        visitor.counter("update_no_rebuild", &updateNoRebuild)
        visitor.counter("bind_errors", &bindErrors)
    }

    /// An answer of the upstream, or one in its place, that goes to the client.
    package mutating func countAnswer(_ status: Int, isInternal: Bool) {
        if isInternal { internalAnswers.count(status) } else { external.count(status) }
    }
}

/// Behind `cluster.<name>.outlier_detection.`, of clusters that have it.
package struct OutlierStats: StatisticsTable {
    package var total: UInt64 = 0
    package var enforced: UInt64 = 0
    package var overflow: UInt64 = 0
    package var deprecatedConsecutive5xx: UInt64 = 0
    package var deprecatedSuccessRate: UInt64 = 0
    package var detectedConsecutive5xx: UInt64 = 0
    package var enforcedConsecutive5xx: UInt64 = 0
    package var detectedConsecutiveGateway: UInt64 = 0
    package var enforcedConsecutiveGateway: UInt64 = 0
    package var detectedConsecutiveLocalOrigin: UInt64 = 0
    package var enforcedConsecutiveLocalOrigin: UInt64 = 0
    package var detectedSuccessRate: UInt64 = 0
    package var enforcedSuccessRate: UInt64 = 0
    package var detectedLocalOriginSuccessRate: UInt64 = 0
    package var enforcedLocalOriginSuccessRate: UInt64 = 0
    package var detectedFailurePercentage: UInt64 = 0
    package var enforcedFailurePercentage: UInt64 = 0
    package var detectedLocalOriginFailurePercentage: UInt64 = 0
    package var enforcedLocalOriginFailurePercentage: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("ejections_total", &total)
        visitor.counter("ejections_enforced_total", &enforced)
        visitor.counter("ejections_overflow", &overflow)
        visitor.counter("ejections_consecutive_5xx", &deprecatedConsecutive5xx)
        visitor.counter("ejections_success_rate", &deprecatedSuccessRate)
        visitor.counter("ejections_detected_consecutive_5xx", &detectedConsecutive5xx)
        visitor.counter("ejections_enforced_consecutive_5xx", &enforcedConsecutive5xx)
        visitor.counter("ejections_detected_consecutive_gateway_failure", &detectedConsecutiveGateway)
        visitor.counter("ejections_enforced_consecutive_gateway_failure", &enforcedConsecutiveGateway)
        visitor.counter("ejections_detected_consecutive_local_origin_failure", &detectedConsecutiveLocalOrigin)
        visitor.counter("ejections_enforced_consecutive_local_origin_failure", &enforcedConsecutiveLocalOrigin)
        visitor.counter("ejections_detected_success_rate", &detectedSuccessRate)
        visitor.counter("ejections_enforced_success_rate", &enforcedSuccessRate)
        visitor.counter("ejections_detected_local_origin_success_rate", &detectedLocalOriginSuccessRate)
        visitor.counter("ejections_enforced_local_origin_success_rate", &enforcedLocalOriginSuccessRate)
        visitor.counter("ejections_detected_failure_percentage", &detectedFailurePercentage)
        visitor.counter("ejections_enforced_failure_percentage", &enforcedFailurePercentage)
        visitor.counter("ejections_detected_local_origin_failure_percentage", &detectedLocalOriginFailurePercentage)
        visitor.counter("ejections_enforced_local_origin_failure_percentage", &enforcedLocalOriginFailurePercentage)
    }
}

extension OutlierStats {
    init(_ counts: OutlierDetector.Counts) {
        func detected(_ cause: OutlierDetector.Cause) -> UInt64 { counts.detected[cause.rawValue] }
        func enforced(_ cause: OutlierDetector.Cause) -> UInt64 { counts.enforced[cause.rawValue] }
        total = counts.enforcedTotal
        self.enforced = counts.enforcedTotal
        overflow = counts.overflows
        deprecatedConsecutive5xx = detected(.consecutive5xx)
        deprecatedSuccessRate = detected(.successRate)
        detectedConsecutive5xx = detected(.consecutive5xx)
        enforcedConsecutive5xx = enforced(.consecutive5xx)
        detectedConsecutiveGateway = detected(.consecutiveGatewayFailure)
        enforcedConsecutiveGateway = enforced(.consecutiveGatewayFailure)
        detectedConsecutiveLocalOrigin = detected(.consecutiveLocalOriginFailure)
        enforcedConsecutiveLocalOrigin = enforced(.consecutiveLocalOriginFailure)
        detectedSuccessRate = detected(.successRate)
        enforcedSuccessRate = enforced(.successRate)
        detectedLocalOriginSuccessRate = detected(.localOriginSuccessRate)
        enforcedLocalOriginSuccessRate = enforced(.localOriginSuccessRate)
        detectedFailurePercentage = detected(.failurePercentage)
        enforcedFailurePercentage = enforced(.failurePercentage)
        detectedLocalOriginFailurePercentage = detected(.localOriginFailurePercentage)
        enforcedLocalOriginFailurePercentage = enforced(.localOriginFailurePercentage)
    }
}

/// Behind `cluster.<name>.health_check.`, of clusters that have checks.
package struct HealthCheckStats: StatisticsTable {
    package var attempts: UInt64 = 0
    package var successes: UInt64 = 0
    package var failures: UInt64 = 0
    package var passiveFailures: UInt64 = 0
    package var networkFailures: UInt64 = 0
    package var verifyCluster: UInt64 = 0
    package var healthy: Int64 = 0
    package var degraded: Int64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("attempt", &attempts)
        visitor.counter("success", &successes)
        visitor.counter("failure", &failures)
        visitor.counter("passive_failure", &passiveFailures)
        visitor.counter("network_failure", &networkFailures)
        visitor.counter("verify_cluster", &verifyCluster)
        visitor.gauge("healthy", &healthy)
        visitor.gauge("degraded", &degraded)
    }
}

/// Upstream numbers of one host on one loop; the `/clusters` page prints them.
package struct HostStats: StatisticsTable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var connectFailures: UInt64 = 0
    package var requests: UInt64 = 0
    package var successes: UInt64 = 0
    package var errors: UInt64 = 0
    package var timeouts: UInt64 = 0
    package var active: Int64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("cx_connect_fail", &connectFailures)
        visitor.counter("cx_total", &connectionsTotal)
        visitor.counter("rq_error", &errors)
        visitor.counter("rq_success", &successes)
        visitor.counter("rq_timeout", &timeouts)
        visitor.counter("rq_total", &requests)
        visitor.gauge("cx_active", &connectionsActive)
        visitor.gauge("rq_active", &active)
    }
}
