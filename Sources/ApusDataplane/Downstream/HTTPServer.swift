internal import ApusTraffic
internal import NIOCore

/// An HTTP connection manager on one loop: its connections and counters.
internal final class HTTPServer {
    let worker: Worker
    let manager: HTTPConnectionManager
    let listener: ListenerConfig
    let counters: ListenerCounters
    var stats = HTTPStats()
    /// Of each filter of the connection manager, by its place.
    let filterScopes: [FilterScopes]
    private var connections: [ObjectIdentifier: any HTTPServerConnection] = [:]
    private(set) var isDraining = false

    init(
        worker: Worker, manager: HTTPConnectionManager, listener: ListenerConfig, counters: ListenerCounters
    ) {
        self.counters = counters
        self.worker = worker
        self.manager = manager
        self.listener = listener
        filterScopes = manager.filters.map { FilterScopes($0, worker: worker, prefix: manager.statPrefix) }
    }

    var openConnections: Int { connections.count }

    func opened(_ connection: any HTTPServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
        stats.connectionsTotal += 1
        stats.connectionsActive += 1
        counters.opened()
        if isDraining || worker.isDraining { connection.drain() }
    }

    /// The connection's bytes have told what it speaks.
    func speaks(_ version: SpokenHTTP) {
        switch version {
        case .http1:
            stats.http1ConnectionsTotal += 1
            stats.http1ConnectionsActive += 1
        case .http2:
            stats.http2ConnectionsTotal += 1
            stats.http2ConnectionsActive += 1
        }
    }

    /// Another handler goes on with the connection.
    func replaced(_ connection: any HTTPServerConnection, by other: any HTTPServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        connections[ObjectIdentifier(other)] = other
        if isDraining || worker.isDraining { other.drain() }
    }

    /// - Parameter version: what the connection spoke; nil: it was not known yet.
    func closed(_ connection: any HTTPServerConnection, _ version: SpokenHTTP?) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        stats.connectionsActive -= 1
        switch version {
        case .http1: stats.http1ConnectionsActive -= 1
        case .http2: stats.http2ConnectionsActive -= 1
        case nil: break
        }
        stats.connectionsClosed += 1
        let length = connection.info.length(worker.loop.now)
        stats.connectionLength.record(length)
        counters.closed(after: length)
    }

    func drain() {
        isDraining = true
        for connection in Array(connections.values) { connection.drain() }
    }

    func closeAll() {
        for connection in Array(connections.values) { connection.closeNow() }
    }
}

/// Where a filter counts.
internal struct FilterScopes {
    var authorization: StatisticsScope<AuthorizationStats>?
    var shadowAuthorization: StatisticsScope<AuthorizationStats>?
    var rateLimit: StatisticsScope<RateLimitStats>?
    var tokens: StatisticsScope<TokenStats>?

    init(_ filter: HTTPFilter, worker: Worker, prefix: String) {
        switch filter {
        case .authorization(let rules, _):
            let root = "http.\(prefix).rbac"
            authorization = worker.scope(
                ConnectionGuard.scopeName(root, rules.statPrefix), AuthorizationStats.self)
            shadowAuthorization = worker.scope(
                ConnectionGuard.scopeName(root, rules.shadowStatPrefix), AuthorizationStats.self)
        case .tokens(let filter, _):
            tokens = worker.scope(
                ConnectionGuard.scopeName("http.\(prefix).jwt_authn", filter.statPrefix), TokenStats.self)
        case .rateLimit(let limit, _):
            rateLimit = worker.scope(
                ConnectionGuard.scopeName(limit.statPrefix, "http_local_rate_limit"), RateLimitStats.self)
        case .fault, .cors, .headerMutation, .buffer, .healthCheck, .session, .compressor, .grpcWeb, .grpcStatistics:
            break
        }
    }
}
