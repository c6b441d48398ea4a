/// Numbers of the HTTP connection managers that share a `stat_prefix`, behind `http.<stat_prefix>.`.
package struct HTTPStats: StatisticsTable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var http1ConnectionsTotal: UInt64 = 0
    package var http1ConnectionsActive: Int64 = 0
    package var http2ConnectionsTotal: UInt64 = 0
    package var http2ConnectionsActive: Int64 = 0
    package var tlsConnectionsTotal: UInt64 = 0
    package var tlsConnectionsActive: Int64 = 0
    package var upgradesTotal: UInt64 = 0
    package var upgradesActive: Int64 = 0
    package var connectionsClosed: UInt64 = 0
    package var connectionsClosedLocally: UInt64 = 0
    package var connectionsClosedRemotely: UInt64 = 0
    package var connectionsClosedInUse: UInt64 = 0
    package var connectionsClosedLocallyInUse: UInt64 = 0
    package var connectionsClosedRemotelyInUse: UInt64 = 0
    package var drainCloses: UInt64 = 0
    package var delayedCloseTimeouts: UInt64 = 0
    package var protocolErrors: UInt64 = 0
    package var connectionIdleTimeouts: UInt64 = 0
    package var connectionsMaxDuration: UInt64 = 0
    package var connectionsMaxRequests: UInt64 = 0
    package var overloadKeepaliveDisabled: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var connectionLength = Histogram()
    package var flowControlPaused: UInt64 = 0
    package var flowControlResumed: UInt64 = 0

    package var requestsTotal: UInt64 = 0
    package var requestsActive: Int64 = 0
    package var http1RequestsTotal: UInt64 = 0
    package var http2RequestsTotal: UInt64 = 0
    package var answers = ResponseCounts()
    package var requestTime = Histogram()
    package var requestResets: UInt64 = 0
    package var resetsSent: UInt64 = 0
    package var tooManyPrematureResets: UInt64 = 0
    package var requestTimeouts: UInt64 = 0
    package var headerTimeouts: UInt64 = 0
    package var idleTimeouts: UInt64 = 0
    package var requestsMaxDuration: UInt64 = 0
    package var requestTooLarge: UInt64 = 0
    package var nonRelativePath: UInt64 = 0
    package var failedPathNormalization: UInt64 = 0
    package var redirectedWithNormalizedPath: UInt64 = 0
    package var rejectedByIPDetection: UInt64 = 0
    package var overloadCloses: UInt64 = 0
    package var answersBeforeRequest: UInt64 = 0
    package var upgradesRefused: UInt64 = 0
    package var answerTooLarge: UInt64 = 0

    package var noRoute: UInt64 = 0
    package var noCluster: UInt64 = 0
    package var redirects: UInt64 = 0
    package var directResponses: UInt64 = 0
    package var routedTotal: UInt64 = 0
    package var resetsAfterAnswerStarted: UInt64 = 0
    package var overloadReplies: UInt64 = 0

    package var delaysInjected: UInt64 = 0
    package var abortsInjected: UInt64 = 0
    package var rateLimitsInjected: UInt64 = 0
    package var faultsOverflow: UInt64 = 0
    package var activeFaults: Int64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("downstream_cx_total", &connectionsTotal)
        visitor.gauge("downstream_cx_active", &connectionsActive)
        visitor.counter("downstream_cx_http1_total", &http1ConnectionsTotal)
        visitor.gauge("downstream_cx_http1_active", &http1ConnectionsActive)
        visitor.counter("downstream_cx_http2_total", &http2ConnectionsTotal)
        visitor.gauge("downstream_cx_http2_active", &http2ConnectionsActive)
        visitor.counter("downstream_cx_ssl_total", &tlsConnectionsTotal)
        visitor.gauge("downstream_cx_ssl_active", &tlsConnectionsActive)
        visitor.counter("downstream_cx_upgrades_total", &upgradesTotal)
        visitor.gauge("downstream_cx_upgrades_active", &upgradesActive)
        visitor.counter("downstream_cx_destroy", &connectionsClosed)
        visitor.counter("downstream_cx_destroy_local", &connectionsClosedLocally)
        visitor.counter("downstream_cx_destroy_remote", &connectionsClosedRemotely)
        visitor.counter("downstream_cx_destroy_active_rq", &connectionsClosedInUse)
        visitor.counter("downstream_cx_destroy_local_active_rq", &connectionsClosedLocallyInUse)
        visitor.counter("downstream_cx_destroy_remote_active_rq", &connectionsClosedRemotelyInUse)
        visitor.counter("downstream_cx_drain_close", &drainCloses)
        visitor.counter("downstream_cx_delayed_close_timeout", &delayedCloseTimeouts)
        visitor.counter("downstream_cx_protocol_error", &protocolErrors)
        visitor.counter("downstream_cx_idle_timeout", &connectionIdleTimeouts)
        visitor.counter("downstream_cx_max_duration_reached", &connectionsMaxDuration)
        visitor.counter("downstream_cx_max_requests_reached", &connectionsMaxRequests)
        visitor.counter("downstream_cx_overload_disable_keepalive", &overloadKeepaliveDisabled)
        visitor.counter("downstream_cx_rx_bytes_total", &bytesReceived)
        visitor.counter("downstream_cx_tx_bytes_total", &bytesSent)
        visitor.histogram("downstream_cx_length_ms", &connectionLength)
        visitor.counter("downstream_flow_control_paused_reading_total", &flowControlPaused)
        visitor.counter("downstream_flow_control_resumed_reading_total", &flowControlResumed)
        visitor.counter("downstream_rq_total", &requestsTotal)
        visitor.gauge("downstream_rq_active", &requestsActive)
        visitor.counter("downstream_rq_http1_total", &http1RequestsTotal)
        visitor.counter("downstream_rq_http2_total", &http2RequestsTotal)
        visitor.responses("downstream_rq", &answers, codes: false, isSparse: false)
        visitor.histogram("downstream_rq_time", &requestTime)
        visitor.counter("downstream_rq_rx_reset", &requestResets)
        visitor.counter("downstream_rq_tx_reset", &resetsSent)
        visitor.counter("downstream_rq_too_many_premature_resets", &tooManyPrematureResets)
        visitor.counter("downstream_rq_timeout", &requestTimeouts)
        visitor.counter("downstream_rq_header_timeout", &headerTimeouts)
        visitor.counter("downstream_rq_idle_timeout", &idleTimeouts)
        visitor.counter("downstream_rq_max_duration_reached", &requestsMaxDuration)
        visitor.counter("downstream_rq_too_large", &requestTooLarge)
        visitor.counter("downstream_rq_non_relative_path", &nonRelativePath)
        visitor.counter("downstream_rq_failed_path_normalization", &failedPathNormalization)
        visitor.counter("downstream_rq_redirected_with_normalized_path", &redirectedWithNormalizedPath)
        visitor.counter("downstream_rq_rejected_via_ip_detection", &rejectedByIPDetection)
        visitor.counter("downstream_rq_overload_close", &overloadCloses)
        visitor.counter("downstream_rq_response_before_rq_complete", &answersBeforeRequest)
        visitor.counter("downstream_rq_ws_on_non_ws_route", &upgradesRefused)
        visitor.counter("rs_too_large", &answerTooLarge)
        visitor.counter("no_route", &noRoute)
        visitor.counter("no_cluster", &noCluster)
        visitor.counter("rq_redirect", &redirects)
        visitor.counter("rq_direct_response", &directResponses)
        visitor.counter("rq_total", &routedTotal)
        visitor.counter("rq_reset_after_downstream_response_started", &resetsAfterAnswerStarted)
        visitor.counter("rq_overload_local_reply", &overloadReplies)
        visitor.counter("fault.delays_injected", &delaysInjected)
        visitor.counter("fault.aborts_injected", &abortsInjected)
        visitor.counter("fault.response_rl_injected", &rateLimitsInjected)
        visitor.counter("fault.faults_overflow", &faultsOverflow)
        visitor.gauge("fault.active_faults", &activeFaults)
    }
}
