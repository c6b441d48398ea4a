/// Numbers of the TCP proxies that share a `stat_prefix`, behind `tcp.<stat_prefix>.`.
package struct TCPStats: StatisticsTable {
    package var connectionsTotal: UInt64 = 0
    /// Not printed: Envoy has no such gauge.
    package var connectionsActive: Int64 = 0
    package var noRoute: UInt64 = 0
    package var idleTimeouts: UInt64 = 0
    package var maxDuration: UInt64 = 0
    package var drainCloses: UInt64 = 0
    package var overloadCloses: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var flowControlPaused: UInt64 = 0
    package var flowControlResumed: UInt64 = 0
    package var upstreamFlushes: UInt64 = 0
    package var upstreamFlushesActive: Int64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("downstream_cx_total", &connectionsTotal)
        visitor.counter("downstream_cx_no_route", &noRoute)
        visitor.counter("idle_timeout", &idleTimeouts)
        visitor.counter("max_downstream_connection_duration", &maxDuration)
        visitor.counter("downstream_cx_drain_close", &drainCloses)
        visitor.counter("downstream_cx_overload_close", &overloadCloses)
        visitor.counter("downstream_cx_rx_bytes_total", &bytesReceived)
        visitor.counter("downstream_cx_tx_bytes_total", &bytesSent)
        visitor.counter("downstream_flow_control_paused_reading_total", &flowControlPaused)
        visitor.counter("downstream_flow_control_resumed_reading_total", &flowControlResumed)
        visitor.counter("upstream_flush_total", &upstreamFlushes)
        visitor.gauge("upstream_flush_active", &upstreamFlushesActive)
    }
}

/// Numbers of one listener, behind `listener.<address>.`.
package struct ListenerStats: StatisticsTable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var connectionsClosed: UInt64 = 0
    package var connectionLength = Histogram()
    package var overflow: UInt64 = 0
    package var globalOverflow: UInt64 = 0
    package var overloadRejects: UInt64 = 0
    package var listenerFilterErrors: UInt64 = 0
    package var listenerFilterRemoteCloses: UInt64 = 0
    package var preConnectionsActive: Int64 = 0
    package var preConnectionTimeouts: UInt64 = 0
    package var transportConnectTimeouts: UInt64 = 0
    package var noFilterChain: UInt64 = 0
    package var tlsHandshakes: UInt64 = 0
    package var tlsConnectionErrors: UInt64 = 0
    package var tlsVerifyErrors: UInt64 = 0
    package var tlsNameErrors: UInt64 = 0
    /// A certificate was demanded and did not come.
    package var tlsNoCertificates: UInt64 = 0
    /// Handshakes of peers that showed none.
    package var tlsUnnamedPeers: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("downstream_cx_total", &connectionsTotal)
        visitor.gauge("downstream_cx_active", &connectionsActive)
        visitor.counter("downstream_cx_destroy", &connectionsClosed)
        visitor.histogram("downstream_cx_length_ms", &connectionLength)
        visitor.counter("downstream_cx_overflow", &overflow)
        visitor.counter("downstream_global_cx_overflow", &globalOverflow)
        visitor.counter("downstream_cx_overload_reject", &overloadRejects)
        visitor.counter("downstream_listener_filter_error", &listenerFilterErrors)
        visitor.counter("downstream_listener_filter_remote_close", &listenerFilterRemoteCloses)
        visitor.gauge("downstream_pre_cx_active", &preConnectionsActive)
        visitor.counter("downstream_pre_cx_timeout", &preConnectionTimeouts)
        visitor.counter("downstream_cx_transport_socket_connect_timeout", &transportConnectTimeouts)
        visitor.counter("no_filter_chain_match", &noFilterChain)
        visitor.counter("ssl.handshake", &tlsHandshakes)
        visitor.counter("ssl.connection_error", &tlsConnectionErrors)
        visitor.counter("ssl.fail_verify_error", &tlsVerifyErrors)
        visitor.counter("ssl.fail_verify_san", &tlsNameErrors)
        visitor.counter("ssl.fail_verify_no_cert", &tlsNoCertificates)
        visitor.counter("ssl.no_certificate", &tlsUnnamedPeers)
    }
}

/// Behind `listener_manager.`; kept once, not per loop.
package struct ListenerManagerStats: StatisticsTable {
    package var added: UInt64 = 0
    package var modified: UInt64 = 0
    package var removed: UInt64 = 0
    package var stopped: UInt64 = 0
    package var createSuccess: UInt64 = 0
    package var createFailure: UInt64 = 0
    package var inPlaceUpdated: UInt64 = 0
    package var active: Int64 = 0
    package var warming: Int64 = 0
    package var draining: Int64 = 0
    package var drainingChains: Int64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("listener_added", &added)
        visitor.counter("listener_modified", &modified)
        visitor.counter("listener_removed", &removed)
        visitor.counter("listener_stopped", &stopped)
        visitor.counter("listener_create_success", &createSuccess)
        visitor.counter("listener_create_failure", &createFailure)
        visitor.counter("listener_in_place_updated", &inPlaceUpdated)
        visitor.gauge("total_listeners_active", &active)
        visitor.gauge("total_listeners_warming", &warming)
        visitor.gauge("total_listeners_draining", &draining)
        visitor.gauge("total_filter_chains_draining", &drainingChains)
    }
}

/// Behind `cluster_manager.`; kept once, not per loop.
package struct ClusterManagerStats: StatisticsTable {
    package var added: UInt64 = 0
    package var modified: UInt64 = 0
    package var removed: UInt64 = 0
    package var updated: UInt64 = 0
    package var active: Int64 = 0
    package var warming: Int64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some StatisticsVisitor) {
        visitor.counter("cluster_added", &added)
        visitor.counter("cluster_modified", &modified)
        visitor.counter("cluster_removed", &removed)
        visitor.counter("cluster_updated", &updated)
        visitor.gauge("active_clusters", &active)
        visitor.gauge("warming_clusters", &warming)
    }
}
