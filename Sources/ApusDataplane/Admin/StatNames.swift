internal import ApusTraffic

/// Where numbers stand: the beginning of their dotted names, and of their metrics, whose labels say the rest.
///
/// A label is the whole of a name, dots included; Envoy's own extraction ends at the first dot, for which Istio gives it
/// other expressions.
internal struct StatPlace: Sendable {
    /// Without the last dot.
    var path: String
    /// Without `envoy_`.
    var metric: String
    var labels: [(name: String, value: String)]

    static func http(_ prefix: String) -> StatPlace {
        StatPlace(path: "http.\(prefix)", metric: "http", labels: [("envoy_http_conn_manager_prefix", prefix)])
    }

    static func tcp(_ prefix: String) -> StatPlace {
        StatPlace(path: "tcp.\(prefix)", metric: "tcp", labels: [("envoy_tcp_prefix", prefix)])
    }

    func inner(_ word: String) -> StatPlace {
        StatPlace(path: "\(path).\(word)", metric: "\(metric)_\(Self.metricName(word))", labels: labels)
    }

    /// The part of a listener's numbers that belongs to one connection manager.
    func answers(of prefix: String) -> StatPlace {
        StatPlace(
            path: "\(path).http.\(prefix)", metric: "\(metric)_http",
            labels: [("envoy_http_conn_manager_prefix", prefix)] + labels)
    }

    func worker(_ index: Int) -> StatPlace {
        StatPlace(
            path: "\(path).worker_\(index)", metric: "\(metric)_worker",
            labels: [("envoy_worker_id", "\(index)")] + labels)
    }

    /// Prometheus allows letters, digits and underscores.
    static func metricName(_ text: String) -> String {
        String(
            decoding: text.utf8.map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    byte
                default: UInt8(ascii: "_")
                }
            }, as: UTF8.self)
    }
}

/// The names that things go by in statistics.
internal struct StatNames {
    private var clusterNames: [String: String] = [:]
    private var listenerNames: [String: String] = [:]
    private let clusters: [String]
    private let connectionManagers: [String]

    init(_ statistics: WorkerStatistics, _ configuration: ProxyConfiguration) {
        for case let cluster? in configuration.clusters {
            clusterNames[cluster.config.name] = Self.clean(cluster.config.statName)
        }
        for listener in configuration.listeners {
            listenerNames[listener.name] = Self.clean(listener.address.description)
        }
        clusters = Array(clusterNames.values)
        connectionManagers = Array(statistics.http.keys)
    }

    /// A colon cannot be part of a name.
    private static func clean(_ text: String) -> String { text.replacing(":", with: "_") }

    func cluster(_ name: String) -> StatPlace {
        let label = clusterNames[name] ?? Self.clean(name)
        return StatPlace(path: "cluster.\(label)", metric: "cluster", labels: [("envoy_cluster_name", label)])
    }

    func listener(_ name: String) -> StatPlace {
        let label = listenerNames[name] ?? Self.clean(name)
        return StatPlace(path: "listener.\(label)", metric: "listener", labels: [("envoy_listener_address", label)])
    }

    /// The place of a prefix that a filter made up.
    func place(of prefix: String) -> StatPlace {
        for (root, label, known) in [
            ("cluster.", "envoy_cluster_name", clusters),
            ("http.", "envoy_http_conn_manager_prefix", connectionManagers),
        ] where prefix.hasPrefix(root) {
            let rest = prefix.dropFirst(root.count)
            let owner = known.filter { rest == $0 || rest.hasPrefix($0 + ".") }.max { $0.count < $1.count }
            guard let owner else { continue }
            let place = StatPlace(path: root + owner, metric: String(root.dropLast()), labels: [(label, owner)])
            let inner = rest.dropFirst(owner.count + 1)
            return inner.isEmpty ? place : place.inner(String(inner))
        }
        return StatPlace(path: prefix, metric: StatPlace.metricName(prefix), labels: [])
    }
}

/// Makes items of a table's numbers.
internal struct Printer: StatisticsVisitor {
    private let place: StatPlace
    private(set) var items: [StatsText.Item] = []
    private(set) var histograms: [StatsText.HistogramItem] = []

    init(_ place: StatPlace) { self.place = place }

    private func metric(_ name: String) -> String { "envoy_\(place.metric)_\(StatPlace.metricName(name))" }

    private mutating func add(
        _ name: String, _ metric: String, _ value: Int64, _ kind: StatKind, _ first: (String, String)? = nil
    ) {
        items.append(
            StatsText.Item(
                name: "\(place.path).\(name)", metric: metric,
                labels: (first.map { [(name: $0.0, value: $0.1)] } ?? []) + place.labels, value: value, kind: kind))
    }

    mutating func counter(_ name: String, _ value: inout UInt64) {
        add(name, metric(name), Int64(clamping: value), .counter)
    }

    mutating func gauge(_ name: String, _ value: inout Int64) { add(name, metric(name), value, .gauge) }

    mutating func histogram(_ name: String, _ value: inout Histogram) {
        histograms.append(
            StatsText.HistogramItem(
                name: "\(place.path).\(name)", metric: metric(name), labels: place.labels, histogram: value))
    }

    mutating func responses(_ name: String, _ value: inout ResponseCounts, codes: Bool, isSparse: Bool) {
        guard !isSparse || value.completed > 0 else { return }
        add("\(name)_completed", metric("\(name)_completed"), Int64(clamping: value.completed), .counter)
        let counts = value.byClass
        for (digit, count) in [(1, counts.1), (2, counts.2), (3, counts.3), (4, counts.4), (5, counts.5)]
        where !isSparse || count > 0 {
            add(
                "\(name)_\(digit)xx", metric("\(name)_xx"), Int64(clamping: count), .counter,
                ("envoy_response_code_class", "\(digit)"))
        }
        guard codes else { return }
        for (code, count) in value.byCode {
            add(
                "\(name)_\(code)", metric(name), Int64(clamping: count), .counter,
                ("envoy_response_code", "\(code)"))
        }
    }
}
