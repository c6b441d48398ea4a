/// Upstream counters of one cluster on one loop. Plain integers: only the loop touches them, and a scrape visits
/// every loop and adds up.
package struct ClusterStats: Sendable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsClosed: UInt64 = 0
    package var connectFailures: UInt64 = 0
    package var connectTimeouts: UInt64 = 0
    package var connectionOverflow: UInt64 = 0
    package var idleTimeouts: UInt64 = 0
    package var requestsTotal: UInt64 = 0
    package var requestsActive: Int64 = 0
    package var pendingTotal: UInt64 = 0
    package var pendingOverflow: UInt64 = 0
    package var overflow: UInt64 = 0
    package var timeouts: UInt64 = 0
    package var perTryTimeouts: UInt64 = 0
    package var resetsReceived: UInt64 = 0
    package var resetsSent: UInt64 = 0
    package var retries: UInt64 = 0
    package var retrySuccesses: UInt64 = 0
    package var retryOverflow: UInt64 = 0
    package var retryLimitExceeded: UInt64 = 0
    package var noHealthyHost: UInt64 = 0
    package var ejections: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var completed: UInt64 = 0
    /// Responses by hundreds: index 1 is 1xx.
    package var byClass: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

    package init() {}

    package mutating func countStatus(_ status: Int) {
        completed += 1
        switch status / 100 {
        case 1: byClass.1 += 1
        case 2: byClass.2 += 1
        case 3: byClass.3 += 1
        case 4: byClass.4 += 1
        case 5: byClass.5 += 1
        default: byClass.0 += 1
        }
    }

    package mutating func add(_ other: ClusterStats) {
        connectionsTotal += other.connectionsTotal
        connectionsClosed += other.connectionsClosed
        connectFailures += other.connectFailures
        connectTimeouts += other.connectTimeouts
        connectionOverflow += other.connectionOverflow
        idleTimeouts += other.idleTimeouts
        requestsTotal += other.requestsTotal
        requestsActive += other.requestsActive
        pendingTotal += other.pendingTotal
        pendingOverflow += other.pendingOverflow
        overflow += other.overflow
        timeouts += other.timeouts
        perTryTimeouts += other.perTryTimeouts
        resetsReceived += other.resetsReceived
        resetsSent += other.resetsSent
        retries += other.retries
        retrySuccesses += other.retrySuccesses
        retryOverflow += other.retryOverflow
        retryLimitExceeded += other.retryLimitExceeded
        noHealthyHost += other.noHealthyHost
        ejections += other.ejections
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
        completed += other.completed
        byClass.0 += other.byClass.0
        byClass.1 += other.byClass.1
        byClass.2 += other.byClass.2
        byClass.3 += other.byClass.3
        byClass.4 += other.byClass.4
        byClass.5 += other.byClass.5
    }
}

/// Upstream counters of one host on one loop.
package struct HostStats: Sendable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsClosed: UInt64 = 0
    package var connectFailures: UInt64 = 0
    package var requests: UInt64 = 0
    package var successes: UInt64 = 0
    package var errors: UInt64 = 0
    package var timeouts: UInt64 = 0
    package var active: Int64 = 0

    package init() {}

    package mutating func add(_ other: HostStats) {
        connectionsTotal += other.connectionsTotal
        connectionsClosed += other.connectionsClosed
        connectFailures += other.connectFailures
        requests += other.requests
        successes += other.successes
        errors += other.errors
        timeouts += other.timeouts
        active += other.active
    }
}

/// Counters of the HTTP connection managers that share a `stat_prefix`, on one loop.
package struct HTTPStats: Sendable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var requestsTotal: UInt64 = 0
    package var requestsActive: Int64 = 0
    package var completed: UInt64 = 0
    package var byClass: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    package var protocolErrors: UInt64 = 0
    package var requestResets: UInt64 = 0
    package var idleTimeouts: UInt64 = 0
    package var requestTimeouts: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var noRoute: UInt64 = 0
    package var noCluster: UInt64 = 0
    package var redirects: UInt64 = 0
    package var directResponses: UInt64 = 0
    package var routedTotal: UInt64 = 0
    package var delaysInjected: UInt64 = 0
    package var abortsInjected: UInt64 = 0

    package init() {}

    package mutating func countStatus(_ status: Int) {
        completed += 1
        switch status / 100 {
        case 1: byClass.1 += 1
        case 2: byClass.2 += 1
        case 3: byClass.3 += 1
        case 4: byClass.4 += 1
        case 5: byClass.5 += 1
        default: byClass.0 += 1
        }
    }

    package mutating func add(_ other: HTTPStats) {
        connectionsTotal += other.connectionsTotal
        connectionsActive += other.connectionsActive
        requestsTotal += other.requestsTotal
        requestsActive += other.requestsActive
        completed += other.completed
        byClass.0 += other.byClass.0
        byClass.1 += other.byClass.1
        byClass.2 += other.byClass.2
        byClass.3 += other.byClass.3
        byClass.4 += other.byClass.4
        byClass.5 += other.byClass.5
        protocolErrors += other.protocolErrors
        requestResets += other.requestResets
        idleTimeouts += other.idleTimeouts
        requestTimeouts += other.requestTimeouts
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
        noRoute += other.noRoute
        noCluster += other.noCluster
        redirects += other.redirects
        directResponses += other.directResponses
        routedTotal += other.routedTotal
        delaysInjected += other.delaysInjected
        abortsInjected += other.abortsInjected
    }
}

/// Counters of the TCP proxies that share a `stat_prefix`, on one loop.
package struct TCPStats: Sendable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var noRoute: UInt64 = 0
    package var idleTimeouts: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0

    package init() {}

    package mutating func add(_ other: TCPStats) {
        connectionsTotal += other.connectionsTotal
        connectionsActive += other.connectionsActive
        noRoute += other.noRoute
        idleTimeouts += other.idleTimeouts
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
    }
}

/// Counters of one listener on one loop.
package struct ListenerStats: Sendable {
    package var connectionsTotal: UInt64 = 0
    package var connectionsActive: Int64 = 0
    package var noFilterChain: UInt64 = 0

    package init() {}

    package mutating func add(_ other: ListenerStats) {
        connectionsTotal += other.connectionsTotal
        connectionsActive += other.connectionsActive
        noFilterChain += other.noFilterChain
    }
}
