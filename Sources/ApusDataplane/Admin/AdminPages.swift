internal import ApusCore
internal import ApusTraffic
internal import NIOCore
internal import Synchronization

/// What the admin pages ask of the program around the data plane.
package struct AdminActions: Sendable {
    /// True once the first configuration is served.
    package var isReady: @Sendable () -> Bool
    /// The whole `/config_dump` page, as JSON; `resource` and `mask` are the query's.
    package var configDump: @Sendable (_ query: [String: String]) async -> String
    package var version: String
    package var nodeID: String
    package var nodeCluster: String
    /// Stops the process without draining.
    package var quit: @Sendable () -> Void
    /// Sets the log level; nil asks. Answers with the level in force, or nil if the name is unknown.
    package var logLevel: @Sendable (String?) -> String?

    package init(
        isReady: @escaping @Sendable () -> Bool, configDump: @escaping @Sendable ([String: String]) async -> String,
        version: String, nodeID: String, nodeCluster: String, quit: @escaping @Sendable () -> Void,
        logLevel: @escaping @Sendable (String?) -> String?
    ) {
        self.isReady = isReady
        self.configDump = configDump
        self.version = version
        self.nodeID = nodeID
        self.nodeCluster = nodeCluster
        self.quit = quit
        self.logLevel = logLevel
    }
}

/// Envoy's admin pages, the readiness page and the metrics page.
package final class AdminPages: Sendable {
    private let dataplane: Dataplane
    private let actions: AdminActions
    private let started = ContinuousClock.now
    private let failsHealth = Atomic<Bool>(false)
    private let isDraining = Atomic<Bool>(false)

    package init(dataplane: Dataplane, actions: AdminActions) {
        self.dataplane = dataplane
        self.actions = actions
    }

    /// Called when the process begins to stop.
    package func beginDraining() { isDraining.store(true, ordering: .relaxed) }

    private var uptime: Int64 { (ContinuousClock.now - started).components.seconds }

    private var state: String {
        if isDraining.load(ordering: .relaxed) || failsHealth.load(ordering: .relaxed) { return "DRAINING" }
        return actions.isReady() ? "LIVE" : "PRE_INITIALIZING"
    }

    private static let help = """
        admin commands are:
          /certs: certificates and roots in force
          /clusters: upstream cluster status
          /config_dump: current configuration
          /drain_listeners (POST): drain listeners
          /healthcheck/fail (POST): cause the server to fail health checks
          /healthcheck/ok (POST): cause the server to pass health checks
          /help: print out list of admin commands
          /listeners: listener info
          /logging (POST): query or change the log level
          /memory: current memory
          /quitquitquit (POST): exit the server
          /ready: server state, 200 if LIVE, otherwise 503
          /reopen_logs (POST): open the files of access logs anew
          /reset_counters (POST): set all counters to zero
          /server_info: version and state
          /stats: counters and gauges
          /stats/prometheus: the same in Prometheus' format

        """

    /// The admin port.
    package func respond(_ request: AdminRequest) async -> AdminResponse {
        switch request.path {
        case "/", "/help": return AdminResponse(200, Self.help)
        case "/ready": return AdminResponse(state == "LIVE" ? 200 : 503, state + "\n")
        case "/server_info": return serverInfo()
        case "/config_dump": return .json(await actions.configDump(request.query))
        case "/clusters":
            let page = ClustersPage(await dataplane.statistics(), configuration: await dataplane.configuration)
            return request.query["format"] == "json" ? .json(page.json()) : AdminResponse(200, page.text())
        case "/listeners": return await listeners(json: request.query["format"] == "json")
        case "/stats": return await stats(request)
        case "/stats/prometheus": return await prometheus(request)
        case "/memory": return .json(MemoryPage.json())
        case "/certs": return .json(CertsPage.json(await dataplane.configuration, now: WallClock.nanoseconds()))
        case "/logging": return logging(request)
        case "/healthcheck/fail", "/healthcheck/ok", "/drain_listeners", "/quitquitquit", "/reopen_logs",
            "/reset_counters":
            return await change(request)
        default: return .notFound
        }
    }

    private func change(_ request: AdminRequest) async -> AdminResponse {
        guard request.method == "POST" else { return .needsPOST }
        switch request.path {
        case "/healthcheck/fail": failsHealth.store(true, ordering: .relaxed)
        case "/healthcheck/ok": failsHealth.store(false, ordering: .relaxed)
        case "/drain_listeners":
            // `graceful` is the only way there is: open requests always finish.
            await dataplane.drainListeners(onlyInbound: request.query["inboundonly"] != nil)
        case "/reopen_logs": dataplane.reopenLogs()
        case "/reset_counters": await dataplane.resetCounters()
        default: actions.quit()
        }
        return AdminResponse(200, "OK\n")
    }

    /// Port 15021: ready for traffic.
    package func respondToProbe(_ request: AdminRequest) async -> AdminResponse {
        guard request.path == "/healthz/ready" else { return AdminResponse(404, "") }
        return AdminResponse(state == "LIVE" ? 200 : 503, "")
    }

    /// Port 15090: metrics.
    package func respondToScrape(_ request: AdminRequest) async -> AdminResponse {
        guard request.path == "/stats/prometheus" else { return AdminResponse(404, "") }
        return await prometheus(request)
    }

    private func text() async -> StatsText {
        var facts = ServerFacts(
            state: state == "LIVE" ? .live : state == "DRAINING" ? .draining : .preInitializing, uptime: uptime)
        facts.memory = Int64(MemoryPage.resident)
        facts.concurrency = Int64(dataplane.concurrency)
        let statistics = await dataplane.statistics()
        facts.connections = statistics.listeners.values.reduce(0) { $0 + $1.connectionsActive }
        (facts.listenerManager, facts.clusterManager) = await dataplane.managers()
        return StatsText(statistics, configuration: await dataplane.configuration, server: facts)
    }

    private func prometheus(_ request: AdminRequest) async -> AdminResponse {
        switch Self.statsQuery(request) {
        case .failure(let problem): return problem.response
        case .success(let query):
            return AdminResponse(200, await text().prometheus(query), contentType: "text/plain; charset=UTF-8")
        }
    }

    private func stats(_ request: AdminRequest) async -> AdminResponse {
        switch Self.statsQuery(request) {
        case .failure(let problem): return problem.response
        case .success(let query):
            switch request.query["format"] ?? "text" {
            case "prometheus": return await prometheus(request)
            case "json": return .json(await text().json(query))
            case "text": return AdminResponse(200, await text().plain(query))
            case let other: return AdminResponse(400, "usage: /stats?format=(text|json|prometheus), not \(other)\n")
            }
        }
    }

    private struct Problem: Error {
        let response: AdminResponse
    }

    private static func statsQuery(_ request: AdminRequest) -> Result<StatsQuery, Problem> {
        func refuse(_ text: String) -> Result<StatsQuery, Problem> {
            .failure(Problem(response: AdminResponse(400, text + "\n")))
        }
        var query = StatsQuery()
        query.onlyUsed = request.query["usedonly"] != nil
        query.isInverted = request.query["invert_filter"] != nil
        if let text = request.query["filter"], !text.isEmpty {
            do throws(NameFilter.InvalidPattern) {
                query.filter = try NameFilter(text)
            } catch {
                return refuse("Invalid re2 regex: \(error.reason)")
            }
        }
        switch request.query["type"] ?? "All" {
        case "All": break
        case "Counters": query.kinds = [.counter]
        case "Gauges": query.kinds = [.gauge]
        case "Histograms": query.kinds = [.histogram]
        case "TextReadouts": query.kinds = []
        default: return refuse("invalid &type= param")
        }
        if let name = request.query["histogram_buckets"], !name.isEmpty {
            guard let form = StatsQuery.HistogramForm(rawValue: name) else {
                return refuse("usage: /stats?histogram_buckets=(cumulative|disjoint|detailed|summary)")
            }
            query.buckets = form
        }
        return .success(query)
    }

    private func serverInfo() -> AdminResponse {
        let version = JSONString.quoted("apus/\(actions.version)")
        return .json(
            "{\"version\":\(version),\"state\":\"\(state)\",\"hot_restart_version\":\"disabled\","
                + "\"uptime_current_epoch\":\"\(uptime)s\",\"uptime_all_epochs\":\"\(uptime)s\","
                + "\"node\":{\"id\":\(JSONString.quoted(actions.nodeID)),"
                + "\"cluster\":\(JSONString.quoted(actions.nodeCluster))}}")
    }

    private func listeners(json: Bool) async -> AdminResponse {
        let list = await dataplane.boundListeners()
        guard json else {
            return AdminResponse(200, list.map { "\($0.name)::\($0.address)\n" }.joined())
        }
        let statuses = list.map { item in
            "{\"name\":\(JSONString.quoted(item.name)),\"local_address\":{\"socket_address\":"
                + "{\"address\":\(JSONString.quoted(item.host)),\"port_value\":\(item.port)}}}"
        }
        return .json("{\"listener_statuses\":[\(statuses.joined(separator: ","))]}")
    }

    private func logging(_ request: AdminRequest) -> AdminResponse {
        guard request.method == "POST" else { return .needsPOST }
        guard let level = actions.logLevel(request.query["level"]) else {
            return AdminResponse(400, "error: unknown logger level\n")
        }
        return AdminResponse(200, "active loggers:\n  apus-proxy: \(level)\n")
    }
}
