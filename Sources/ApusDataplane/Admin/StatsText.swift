internal import ApusCore
package import ApusTraffic

/// Facts about the process that no loop knows.
package struct ServerFacts: Sendable {
    package enum State: Int64, Sendable { case live = 0, draining = 1, preInitializing = 2 }

    package var state: State
    /// Seconds since the start.
    package var uptime: Int64
    package var concurrency: Int64
    /// Bytes that are resident, and that the allocator holds.
    package var memory: Int64
    package var connections: Int64
    package var restartEpoch: Int64
    package var listenerManager = ListenerManagerStats()
    package var clusterManager = ClusterManagerStats()

    package init(
        state: State, uptime: Int64, concurrency: Int64 = 1, memory: Int64 = 0, connections: Int64 = 0,
        restartEpoch: Int64 = 0
    ) {
        self.state = state
        self.uptime = uptime
        self.concurrency = concurrency
        self.memory = memory
        self.connections = connections
        self.restartEpoch = restartEpoch
    }
}

/// Which numbers a page shows.
package struct StatsQuery: Sendable {
    package var filter: NameFilter?
    package var isInverted = false
    package var onlyUsed = false
    package var kinds: Set<StatKind> = [.counter, .gauge, .histogram]
    package var buckets = HistogramForm.summary

    package enum HistogramForm: String, Sendable { case summary, cumulative, disjoint, detailed }

    package init() {}

    func wants(_ name: String) -> Bool {
        guard let filter else { return true }
        return filter.matches(name) != isInverted
    }
}

package enum StatKind: String, Sendable { case counter, gauge, histogram }

/// Counters, gauges and histograms under Envoy's names, as `/stats` and as Prometheus read them.
package struct StatsText: Sendable {
    /// One number: its dotted name, and the same taken apart into a metric and labels.
    struct Item: Sendable {
        let name: String
        let metric: String
        let labels: [(name: String, value: String)]
        let value: Int64
        let kind: StatKind
    }

    struct HistogramItem: Sendable {
        let name: String
        let metric: String
        let labels: [(name: String, value: String)]
        let histogram: Histogram
    }

    private var items: [Item] = []
    private var histograms: [HistogramItem] = []

    package init(_ statistics: WorkerStatistics, configuration: ProxyConfiguration, server: ServerFacts) {
        let names = StatNames(statistics, configuration)
        for (name, stats) in statistics.clusters { addCluster(names.cluster(name), stats) }
        for (name, stats) in statistics.outliers {
            add(stats, names.cluster(name).inner("outlier_detection"))
        }
        for (name, stats) in statistics.healthChecks { add(stats, names.cluster(name).inner("health_check")) }
        for (name, table) in statistics.endpoints {
            addMembership(names.cluster(name), table, statistics, name)
        }
        for (name, limits) in statistics.breakers { addBreakers(names.cluster(name), limits) }
        for (prefix, stats) in statistics.http { add(stats, .http(prefix)) }
        for (prefix, stats) in statistics.tcp { add(stats, .tcp(prefix)) }
        for (name, stats) in statistics.listeners { add(stats, names.listener(name)) }
        for (name, table) in statistics.listenerAnswers {
            for (prefix, answers) in table {
                var answers = answers
                var printer = Printer(names.listener(name).answers(of: prefix))
                printer.responses("downstream_rq", &answers, codes: false, isSparse: false)
                take(printer)
            }
        }
        for (name, workers) in statistics.listenerWorkers {
            for (index, worker) in workers {
                var printer = Printer(names.listener(name).worker(index))
                var (total, active) = worker
                printer.counter("downstream_cx_total", &total)
                printer.gauge("downstream_cx_active", &active)
                take(printer)
            }
        }
        for (prefix, stats) in statistics.scopes { add(stats, names.place(of: prefix)) }
        addServer(server, configuration)
        items.sort { ($0.name, $0.kind.rawValue) < ($1.name, $1.kind.rawValue) }
        histograms.sort { $0.name < $1.name }
    }

    private mutating func take(_ printer: Printer) {
        items += printer.items
        histograms += printer.histograms
    }

    private mutating func add(_ table: some StatisticsTable, _ place: StatPlace) {
        var table = table
        var printer = Printer(place)
        table.visit(&printer)
        take(printer)
    }

    /// The answers in all are those to requests from inside and from outside.
    private mutating func addCluster(_ place: StatPlace, _ stats: ClusterStats) {
        add(stats, place)
        var answers = stats.external
        answers.add(stats.internalAnswers)
        var time = stats.externalTime
        time.add(stats.internalTime)
        var printer = Printer(place)
        printer.responses("upstream_rq", &answers, codes: true, isSparse: true)
        printer.histogram("upstream_rq_time", &time)
        take(printer)
    }

    private mutating func addMembership(
        _ place: StatPlace, _ table: EndpointTable, _ statistics: WorkerStatistics, _ name: String
    ) {
        let shared = statistics.shared[name] ?? SharedClusterStats()
        var (healthy, degraded, excluded) = (0, 0, 0)
        for endpoint in table.endpoints {
            let known = shared.hosts[endpoint.address.description] ?? SharedClusterStats.Host()
            if endpoint.health == .draining || (known.isPending && known.failedActiveCheck) { excluded += 1 }
            if endpoint.health == .unhealthy || endpoint.health == .draining { continue }
            if known.isEjected || known.failedActiveCheck { continue }
            if endpoint.health == .degraded || known.isDegraded { degraded += 1 } else { healthy += 1 }
        }
        var printer = Printer(place)
        for (word, value) in [
            ("membership_total", table.endpoints.count), ("membership_healthy", healthy),
            ("membership_degraded", degraded), ("membership_excluded", excluded),
        ] {
            var value = Int64(value)
            printer.gauge(word, &value)
        }
        if statistics.outliers[name] != nil {
            var value = Int64(shared.hosts.values.count(where: \.isEjected))
            printer.gauge("outlier_detection.ejections_active", &value)
        }
        take(printer)
    }

    private mutating func addBreakers(_ place: StatPlace, _ breakers: BreakerFacts) {
        for (word, facts) in [("default", breakers.normal), ("high", breakers.high)] {
            var printer = Printer(place.inner("circuit_breakers.\(word)"))
            for (resource, name, rest) in [
                (facts.connections, "cx", "remaining_cx"), (facts.pending, "rq_pending", "remaining_pending"),
                (facts.requests, "rq", "remaining_rq"), (facts.retries, "rq_retry", "remaining_retries"),
            ] {
                var isOpen: Int64 = resource.taken >= resource.limit ? 1 : 0
                printer.gauge("\(name)_open", &isOpen)
                if facts.tracksRemaining {
                    var remaining = max(0, resource.limit - resource.taken)
                    printer.gauge(rest, &remaining)
                }
            }
            take(printer)
        }
    }

    private mutating func addServer(_ server: ServerFacts, _ configuration: ProxyConfiguration) {
        var printer = Printer(StatPlace(path: "server", metric: "server", labels: []))
        for (name, value) in [
            ("live", server.state == .live ? 1 : 0), ("state", server.state.rawValue), ("uptime", server.uptime),
            ("concurrency", server.concurrency), ("memory_allocated", server.memory),
            ("memory_heap_size", server.memory), ("memory_physical_size", server.memory),
            ("total_connections", server.connections), ("hot_restart_epoch", server.restartEpoch),
        ] {
            var value = value
            printer.gauge(name, &value)
        }
        take(printer)
        var listeners = server.listenerManager
        listeners.active = Int64(configuration.listeners.count)
        add(listeners, StatPlace(path: "listener_manager", metric: "listener_manager", labels: []))
        var clusters = server.clusterManager
        clusters.active = Int64(configuration.clusters.count { $0 != nil })
        add(clusters, StatPlace(path: "cluster_manager", metric: "cluster_manager", labels: []))
    }

    // MARK: Forms

    private func chosen(_ query: StatsQuery) -> [Item] {
        items.filter {
            query.kinds.contains($0.kind) && (!query.onlyUsed || $0.value != 0) && query.wants($0.name)
        }
    }

    private func chosenHistograms(_ query: StatsQuery) -> [HistogramItem] {
        guard query.kinds.contains(.histogram) else { return [] }
        return histograms.filter { (!query.onlyUsed || $0.histogram.count > 0) && query.wants($0.name) }
    }

    private static let shares: [Double] = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]

    /// `name: value` lines sorted by name, histograms behind.
    package func plain(_ query: StatsQuery = StatsQuery()) -> String {
        var out = chosen(query).map { "\($0.name): \($0.value)\n" }.joined()
        for item in chosenHistograms(query) { out += "\(item.name): \(Self.line(item.histogram, query.buckets))\n" }
        return out
    }

    private static func line(_ histogram: Histogram, _ form: StatsQuery.HistogramForm) -> String {
        switch form {
        case .summary:
            guard histogram.count > 0 else { return "No recorded values" }
            return shares.map { share in
                // The first figure is that of the last interval; no intervals are kept.
                "P\(number(share))(nan,\(number(histogram.quantile(share / 100) ?? 0)))"
            }.joined(separator: " ")
        case .cumulative, .disjoint:
            guard histogram.count > 0 else { return "No recorded values" }
            var before: UInt64 = 0
            return Histogram.limits.map { limit in
                let below = histogram.count(upTo: limit)
                defer { before = below }
                return "B\(number(limit))(0,\(form == .cumulative ? below : below &- before))"
            }.joined(separator: " ")
        case .detailed:
            let bins = histogram.occupied.map { "\(number($0.low)),\(number($0.width)):\($0.count)" }
            return "\n  totals=" + bins.joined(separator: ", ")
        }
    }

    /// Whole numbers have no point.
    private static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }

    package func json(_ query: StatsQuery = StatsQuery()) -> String {
        var lines = chosen(query).map { "{\"name\":\(JSONString.quoted($0.name)),\"value\":\($0.value)}" }
        let histograms = chosenHistograms(query)
        if !histograms.isEmpty {
            let supported = Self.shares.map(Self.number).joined(separator: ",")
            let computed = histograms.map { item in
                let values = Self.shares.map { share in
                    let value = item.histogram.quantile(share / 100).map(Self.number) ?? "null"
                    return "{\"cumulative\":\(value),\"interval\":null}"
                }
                return "{\"name\":\(JSONString.quoted(item.name)),\"values\":[\(values.joined(separator: ","))]}"
            }
            lines.append(
                "{\"histograms\":{\"supported_quantiles\":[\(supported)],"
                    + "\"computed_quantiles\":[\(computed.joined(separator: ","))]}}")
        }
        return "{\"stats\":[" + lines.joined(separator: ",") + "]}"
    }

    /// The Prometheus text format, one `TYPE` line per metric: counters, gauges, histograms.
    package func prometheus(_ query: StatsQuery = StatsQuery()) -> String {
        var out = ""
        for kind in [StatKind.counter, .gauge] {
            var last = ""
            let items = chosen(query).filter { $0.kind == kind }
            for item in items.sorted(by: { ($0.metric, $0.name) < ($1.metric, $1.name) }) {
                if item.metric != last {
                    last = item.metric
                    out += "# TYPE \(item.metric) \(kind.rawValue)\n"
                }
                out += "\(item.metric){\(Self.labels(item.labels))} \(item.value)\n"
            }
        }
        var last = ""
        for item in chosenHistograms(query).sorted(by: { ($0.metric, $0.name) < ($1.metric, $1.name) }) {
            if item.metric != last {
                last = item.metric
                out += "# TYPE \(item.metric) histogram\n"
            }
            let labels = Self.labels(item.labels)
            let comma = labels.isEmpty ? "" : ","
            for limit in Histogram.limits {
                out += "\(item.metric)_bucket{\(labels)\(comma)le=\"\(Self.number(limit))\"} "
                out += "\(item.histogram.count(upTo: limit))\n"
            }
            out += "\(item.metric)_bucket{\(labels)\(comma)le=\"+Inf\"} \(item.histogram.count)\n"
            out += "\(item.metric)_sum{\(labels)} \(item.histogram.sum)\n"
            out += "\(item.metric)_count{\(labels)} \(item.histogram.count)\n"
        }
        return out
    }

    private static func labels(_ labels: [(name: String, value: String)]) -> String {
        labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
