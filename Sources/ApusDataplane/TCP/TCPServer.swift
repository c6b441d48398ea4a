internal import ApusTraffic
internal import NIOCore

/// A TCP proxy filter on one loop: its sessions and counters.
internal final class TCPServer {
    let worker: Worker
    let proxy: TCPProxy
    let listener: ListenerConfig
    let counters: ListenerCounters
    var stats = TCPStats()
    private var sessions: [ObjectIdentifier: TCPSession] = [:]

    init(worker: Worker, proxy: TCPProxy, listener: ListenerConfig, counters: ListenerCounters) {
        self.counters = counters
        self.worker = worker
        self.proxy = proxy
        self.listener = listener
    }

    var openConnections: Int { sessions.count }

    func opened(_ session: TCPSession) {
        sessions[ObjectIdentifier(session)] = session
        counters.opened()
        stats.connectionsTotal += 1
        stats.connectionsActive += 1
    }

    func closed(_ session: TCPSession) {
        guard sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return }
        stats.connectionsActive -= 1
        counters.closed(after: session.info.length(worker.loop.now))
    }

    func closeAll() {
        for session in Array(sessions.values) { session.closeNow() }
    }
}
