package import ApusTraffic

/// Counters and gauges under Envoy's names, as `/stats` and as Prometheus read them.
package struct StatsText: Sendable {
    private enum Kind { case counter, gauge }

    /// One number: Envoy's dotted name is the prefix, the tag's value and the rest.
    private struct Item {
        let dotted: String
        let metric: String
        let labels: [(String, String)]
        let value: Int64
        let kind: Kind
    }

    private var items: [Item] = []

    package init(_ statistics: WorkerStatistics, configuration: ProxyConfiguration, isLive: Bool, uptime: Int64) {
        for (name, stats) in statistics.clusters { addCluster(name, stats) }
        for (name, table) in statistics.endpoints { addMembership(name, table, statistics.ejected[name]?.count ?? 0) }
        for (prefix, stats) in statistics.http { addHTTP(prefix, stats) }
        for (prefix, stats) in statistics.tcp { addTCP(prefix, stats) }
        for (name, stats) in statistics.listeners {
            let address = configuration.listeners.first { $0.name == name }?.address.description ?? name
            addListener(address.replacing(":", with: "_"), stats)
        }
        gauge("server.live", "envoy_server_live", [], isLive ? 1 : 0)
        gauge("server.uptime", "envoy_server_uptime", [], uptime)
        gauge("server.state", "envoy_server_state", [], isLive ? 0 : 2)
        gauge(
            "listener_manager.total_listeners_active", "envoy_listener_manager_total_listeners_active", [],
            Int64(configuration.listeners.count))
        gauge(
            "cluster_manager.active_clusters", "envoy_cluster_manager_active_clusters", [],
            Int64(configuration.clusters.count { $0 != nil }))
        items.sort { ($0.metric, $0.dotted) < ($1.metric, $1.dotted) }
    }

    private mutating func counter(_ dotted: String, _ metric: String, _ labels: [(String, String)], _ value: UInt64) {
        items.append(
            Item(dotted: dotted, metric: metric, labels: labels, value: Int64(clamping: value), kind: .counter))
    }

    private mutating func gauge(_ dotted: String, _ metric: String, _ labels: [(String, String)], _ value: Int64) {
        items.append(Item(dotted: dotted, metric: metric, labels: labels, value: value, kind: .gauge))
    }

    private mutating func addClasses(
        _ prefix: String, _ metric: String, _ labels: [(String, String)],
        _ counts: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    ) {
        for (digit, value) in [(1, counts.1), (2, counts.2), (3, counts.3), (4, counts.4), (5, counts.5)] {
            counter("\(prefix)_\(digit)xx", "\(metric)_xx", [("envoy_response_code_class", "\(digit)")] + labels, value)
        }
    }

    private mutating func addCluster(_ name: String, _ stats: ClusterStats) {
        let labels = [("envoy_cluster_name", name)]
        for (word, value) in [
            ("upstream_cx_total", stats.connectionsTotal), ("upstream_cx_destroy", stats.connectionsClosed),
            ("upstream_cx_connect_fail", stats.connectFailures), ("upstream_cx_connect_timeout", stats.connectTimeouts),
            ("upstream_cx_overflow", stats.connectionOverflow), ("upstream_cx_idle_timeout", stats.idleTimeouts),
            ("upstream_cx_rx_bytes_total", stats.bytesReceived), ("upstream_cx_tx_bytes_total", stats.bytesSent),
            ("upstream_cx_none_healthy", stats.noHealthyHost), ("upstream_rq_total", stats.requestsTotal),
            ("upstream_rq_completed", stats.completed), ("upstream_rq_pending_total", stats.pendingTotal),
            ("upstream_rq_pending_overflow", stats.pendingOverflow + stats.overflow),
            ("upstream_rq_timeout", stats.timeouts), ("upstream_rq_per_try_timeout", stats.perTryTimeouts),
            ("upstream_rq_rx_reset", stats.resetsReceived), ("upstream_rq_tx_reset", stats.resetsSent),
            ("upstream_rq_retry", stats.retries), ("upstream_rq_retry_success", stats.retrySuccesses),
            ("upstream_rq_retry_overflow", stats.retryOverflow),
            ("upstream_rq_retry_limit_exceeded", stats.retryLimitExceeded),
            ("outlier_detection.ejections_enforced_total", stats.ejections),
        ] {
            counter(
                "cluster.\(name).\(word)", "envoy_cluster_\(word.replacing(".", with: "_"))", labels, value)
        }
        let open = stats.connectionsTotal &- stats.connectionsClosed &- stats.connectFailures
        gauge(
            "cluster.\(name).upstream_cx_active", "envoy_cluster_upstream_cx_active", labels,
            Int64(truncatingIfNeeded: open))
        gauge("cluster.\(name).upstream_rq_active", "envoy_cluster_upstream_rq_active", labels, stats.requestsActive)
        addClasses("cluster.\(name).upstream_rq", "envoy_cluster_upstream_rq", labels, stats.byClass)
    }

    private mutating func addMembership(_ name: String, _ table: EndpointTable, _ ejected: Int) {
        let labels = [("envoy_cluster_name", name)]
        let healthy = table.endpoints.count { $0.health == .healthy } - ejected
        gauge(
            "cluster.\(name).membership_total", "envoy_cluster_membership_total", labels, Int64(table.endpoints.count))
        gauge(
            "cluster.\(name).membership_healthy", "envoy_cluster_membership_healthy", labels, Int64(max(0, healthy)))
        gauge(
            "cluster.\(name).outlier_detection.ejections_active", "envoy_cluster_outlier_detection_ejections_active",
            labels, Int64(ejected))
    }

    private mutating func addHTTP(_ prefix: String, _ stats: HTTPStats) {
        let labels = [("envoy_http_conn_manager_prefix", prefix)]
        for (word, value) in [
            ("downstream_cx_total", stats.connectionsTotal), ("downstream_rq_total", stats.requestsTotal),
            ("downstream_rq_http1_total", stats.requestsTotal), ("downstream_cx_http1_total", stats.connectionsTotal),
            ("downstream_rq_completed", stats.completed), ("downstream_cx_protocol_error", stats.protocolErrors),
            ("downstream_rq_rx_reset", stats.requestResets), ("downstream_cx_idle_timeout", stats.idleTimeouts),
            ("downstream_rq_timeout", stats.requestTimeouts), ("downstream_cx_rx_bytes_total", stats.bytesReceived),
            ("downstream_cx_tx_bytes_total", stats.bytesSent), ("no_route", stats.noRoute),
            ("no_cluster", stats.noCluster), ("rq_redirect", stats.redirects),
            ("rq_direct_response", stats.directResponses), ("rq_total", stats.routedTotal),
            ("fault.delays_injected", stats.delaysInjected), ("fault.aborts_injected", stats.abortsInjected),
        ] {
            counter("http.\(prefix).\(word)", "envoy_http_\(word.replacing(".", with: "_"))", labels, value)
        }
        gauge(
            "http.\(prefix).downstream_cx_active", "envoy_http_downstream_cx_active", labels, stats.connectionsActive)
        gauge("http.\(prefix).downstream_rq_active", "envoy_http_downstream_rq_active", labels, stats.requestsActive)
        addClasses("http.\(prefix).downstream_rq", "envoy_http_downstream_rq", labels, stats.byClass)
    }

    private mutating func addTCP(_ prefix: String, _ stats: TCPStats) {
        let labels = [("envoy_tcp_prefix", prefix)]
        for (word, value) in [
            ("downstream_cx_total", stats.connectionsTotal), ("downstream_cx_no_route", stats.noRoute),
            ("idle_timeout", stats.idleTimeouts), ("downstream_cx_rx_bytes_total", stats.bytesReceived),
            ("downstream_cx_tx_bytes_total", stats.bytesSent),
        ] {
            counter("tcp.\(prefix).\(word)", "envoy_tcp_\(word)", labels, value)
        }
        gauge("tcp.\(prefix).downstream_cx_active", "envoy_tcp_downstream_cx_active", labels, stats.connectionsActive)
    }

    private mutating func addListener(_ address: String, _ stats: ListenerStats) {
        let labels = [("envoy_listener_address", address)]
        counter(
            "listener.\(address).downstream_cx_total", "envoy_listener_downstream_cx_total", labels,
            stats.connectionsTotal)
        counter(
            "listener.\(address).no_filter_chain_match", "envoy_listener_no_filter_chain_match", labels,
            stats.noFilterChain)
    }

    // MARK: Forms

    /// `name: value` lines, sorted by name.
    ///
    /// - Parameter filter: only names that contain it.
    package func plain(containing filter: String? = nil) -> String {
        items.map { (name: $0.dotted, value: $0.value) }
            .filter { filter.map($0.name.contains) ?? true }
            .sorted { $0.name < $1.name }
            .map { "\($0.name): \($0.value)\n" }.joined()
    }

    package func json(containing filter: String? = nil) -> String {
        let lines = items.filter { filter.map($0.dotted.contains) ?? true }.sorted { $0.dotted < $1.dotted }
            .map { "{\"name\":\(JSONText.quoted($0.dotted)),\"value\":\($0.value)}" }
        return "{\"stats\":[" + lines.joined(separator: ",") + "]}"
    }

    /// The Prometheus text format, one `TYPE` line per metric.
    package func prometheus() -> String {
        var out = ""
        var last = ""
        for item in items {
            if item.metric != last {
                last = item.metric
                out += "# TYPE \(item.metric) \(item.kind == .counter ? "counter" : "gauge")\n"
            }
            let labels = item.labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            out += "\(item.metric){\(labels)} \(item.value)\n"
        }
        return out
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// Text of JSON values, for the few pages that are written by hand.
package enum JSONText {
    package static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if scalar.value < 0x20 {
                    let hex = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
