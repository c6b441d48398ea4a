internal import ApusCore
package import ApusTraffic

/// The `/clusters` page in Envoy's two forms.
package struct ClustersPage: Sendable {
    private let statistics: WorkerStatistics
    private let configuration: ProxyConfiguration

    package init(_ statistics: WorkerStatistics, configuration: ProxyConfiguration) {
        self.statistics = statistics
        self.configuration = configuration
    }

    private var clusters: [Cluster] {
        configuration.clusters.compactMap { $0 }.sorted { $0.config.name < $1.config.name }
    }

    /// Hosts of a cluster: those in use, and those connected to without being configured (ORIGINAL_DST).
    private func hosts(_ cluster: Cluster) -> [(
        address: String, endpoint: Endpoint?, stats: HostStats, locality: Locality
    )] {
        let name = cluster.config.name
        let table = statistics.endpoints[name] ?? cluster.endpoints
        let known = statistics.hosts[name] ?? [:]
        var result = table.endpoints.map { endpoint in
            let address = endpoint.address.description
            let locality =
                endpoint.locality < table.localities.count
                ? table.localities[endpoint.locality].locality : Locality()
            return (address, Optional(endpoint), known[address] ?? HostStats(), locality)
        }
        let listed = Set(result.map(\.0))
        if case .originalDestination = cluster.config.discovery {
            for (address, stats) in known where !listed.contains(address) {
                result.append((address, nil, stats, Locality()))
            }
        }
        return result
    }

    private func health(_ address: String, _ endpoint: Endpoint?, _ cluster: Cluster) -> [String] {
        var flags: [String] = []
        let known = shared(address, cluster)
        if known.failedActiveCheck { flags.append("/failed_active_hc") }
        if known.isEjected { flags.append("/failed_outlier_check") }
        switch endpoint?.health {
        case .unhealthy?: flags.append("/failed_eds_health")
        case .degraded?: flags.append("/degraded_eds_health")
        case .draining?: flags.append("/eds_status_draining")
        default: break
        }
        if known.isDegraded { flags.append("/degraded_active_hc") }
        if known.isPending { flags.append("/pending_active_hc") }
        if known.timedOut { flags.append("/active_hc_timeout") }
        return flags
    }

    private func shared(_ address: String, _ cluster: Cluster) -> SharedClusterStats.Host {
        statistics.shared[cluster.config.name]?.hosts[address] ?? SharedClusterStats.Host()
    }

    private static func status(_ health: Endpoint.Health?) -> String {
        switch health {
        case .unhealthy?: "UNHEALTHY"
        case .degraded?: "DEGRADED"
        case .draining?: "DRAINING"
        case .healthy?, nil: "HEALTHY"
        }
    }

    private static func rate(_ value: Double?) -> String {
        guard let value else { return "-1" }
        return value == value.rounded() ? "\(Int(value))" : "\((value * 10000).rounded() / 10000)"
    }

    package func text() -> String {
        var out = ""
        for cluster in clusters {
            let name = cluster.config.name
            out += "\(name)::observability_name::\(cluster.config.statName)\n"
            for (priority, limits) in [
                ("default_priority", cluster.config.breakers), ("high_priority", cluster.config.highPriorityBreakers),
            ] {
                out += "\(name)::\(priority)::max_connections::\(limits.maxConnections)\n"
                out += "\(name)::\(priority)::max_pending_requests::\(limits.maxPendingRequests)\n"
                out += "\(name)::\(priority)::max_requests::\(limits.maxRequests)\n"
                out += "\(name)::\(priority)::max_retries::\(limits.maxRetries)\n"
            }
            out += "\(name)::added_via_api::true\n"
            for (address, endpoint, stats, locality) in hosts(cluster) {
                let flags = health(address, endpoint, cluster)
                for (key, value) in [
                    ("cx_active", "\(stats.connectionsActive)"),
                    ("cx_connect_fail", "\(stats.connectFailures)"),
                    ("cx_total", "\(stats.connectionsTotal)"), ("rq_active", "\(stats.active)"),
                    ("rq_error", "\(stats.errors)"), ("rq_success", "\(stats.successes)"),
                    ("rq_timeout", "\(stats.timeouts)"), ("rq_total", "\(stats.requests)"),
                    ("hostname", endpoint?.hostname ?? ""),
                    ("health_flags", flags.isEmpty ? "healthy" : flags.joined()),
                    ("weight", "\(endpoint?.weight ?? 1)"),
                    ("region", locality.region), ("zone", locality.zone), ("sub_zone", locality.subZone),
                    ("canary", "false"), ("priority", "\(endpoint?.priority ?? 0)"),
                    ("success_rate", Self.rate(shared(address, cluster).successRate)),
                    ("local_origin_success_rate", Self.rate(shared(address, cluster).localSuccessRate)),
                ] {
                    out += "\(name)::\(address)::\(key)::\(value)\n"
                }
            }
        }
        return out
    }

    package func json() -> String {
        let statuses = clusters.map { cluster in
            let hosts = self.hosts(cluster).map { address, endpoint, stats, locality -> String in
                let flags = health(address, endpoint, cluster)
                var health =
                    "\"eds_health_status\":\"\(Self.status(endpoint?.health))\""
                for (flag, field) in [
                    ("/failed_active_hc", "failed_active_health_check"),
                    ("/failed_outlier_check", "failed_outlier_check"),
                    ("/degraded_active_hc", "failed_active_degraded_check"),
                    ("/pending_active_hc", "pending_active_hc"), ("/active_hc_timeout", "active_hc_timeout"),
                ] where flags.contains(flag) {
                    health += ",\"\(field)\":true"
                }
                let counters = [
                    ("cx_connect_fail", stats.connectFailures, false), ("cx_total", stats.connectionsTotal, false),
                    ("rq_error", stats.errors, false), ("rq_success", stats.successes, false),
                    ("rq_timeout", stats.timeouts, false), ("rq_total", stats.requests, false),
                    ("cx_active", UInt64(clamping: stats.connectionsActive), true),
                    ("rq_active", UInt64(clamping: stats.active), true),
                ].map { name, value, isGauge in
                    (isGauge ? "{\"type\":\"GAUGE\"," : "{") + "\"name\":\"\(name)\",\"value\":\"\(value)\"}"
                }
                return "{\"address\":\(Self.address(endpoint?.address, address)),"
                    + "\"stats\":[\(counters.joined(separator: ","))],\"health_status\":{\(health)},"
                    + "\"weight\":\(endpoint?.weight ?? 1),\"hostname\":\(JSONString.quoted(endpoint?.hostname ?? "")),"
                    + "\"priority\":\(endpoint?.priority ?? 0),"
                    + "\"locality\":{\"region\":\(JSONString.quoted(locality.region)),"
                    + "\"zone\":\(JSONString.quoted(locality.zone)),\"sub_zone\":\(JSONString.quoted(locality.subZone))}}"
            }
            return "{\"name\":\(JSONString.quoted(cluster.config.name)),\"added_via_api\":true,"
                + "\"observability_name\":\(JSONString.quoted(cluster.config.statName)),"
                + "\"host_statuses\":[\(hosts.joined(separator: ","))]}"
        }
        return "{\"cluster_statuses\":[\(statuses.joined(separator: ","))]}"
    }

    private static func address(_ address: ApusTraffic.SocketAddress?, _ text: String) -> String {
        switch address {
        case .ip(let ip, let port)?:
            "{\"socket_address\":{\"address\":\(JSONString.quoted(ip.description)),\"port_value\":\(port)}}"
        case .hostname(let name, let port)?:
            "{\"socket_address\":{\"address\":\(JSONString.quoted(name)),\"port_value\":\(port)}}"
        case .pipe(let path)?: "{\"pipe\":{\"path\":\(JSONString.quoted(path))}}"
        case nil: "{\"socket_address\":{\"address\":\(JSONString.quoted(text))}}"
        }
    }
}
