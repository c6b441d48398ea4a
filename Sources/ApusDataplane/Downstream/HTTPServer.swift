internal import ApusTraffic
internal import NIOCore

/// An HTTP connection manager on one loop: its connections and counters.
internal final class HTTPServer {
    let worker: Worker
    let manager: HTTPConnectionManager
    let listener: ListenerConfig
    let counters: ListenerCounters
    var stats = HTTPStats()
    private var connections: [ObjectIdentifier: HTTP1ServerConnection] = [:]
    private(set) var isDraining = false

    init(
        worker: Worker, manager: HTTPConnectionManager, listener: ListenerConfig, counters: ListenerCounters
    ) {
        self.counters = counters
        self.worker = worker
        self.manager = manager
        self.listener = listener
    }

    var openConnections: Int { connections.count }

    func opened(_ connection: HTTP1ServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
        stats.connectionsTotal += 1
        stats.connectionsActive += 1
        counters.opened()
        stats.http1ConnectionsTotal += 1
        stats.http1ConnectionsActive += 1
        if isDraining || worker.isDraining { connection.drain() }
    }

    func closed(_ connection: HTTP1ServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        stats.connectionsActive -= 1
        stats.http1ConnectionsActive -= 1
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
