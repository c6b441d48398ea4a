internal import ApusTraffic
internal import NIOCore

/// A TCP proxy filter on one loop: its sessions and counters.
internal final class TCPServer {
    let worker: Worker
    let proxy: TCPProxy
    let listener: ListenerConfig
    var stats = TCPStats()
    private var sessions: [ObjectIdentifier: TCPSession] = [:]

    init(worker: Worker, proxy: TCPProxy, listener: ListenerConfig) {
        self.worker = worker
        self.proxy = proxy
        self.listener = listener
    }

    var openConnections: Int { sessions.count }

    func opened(_ session: TCPSession) {
        sessions[ObjectIdentifier(session)] = session
        stats.connectionsTotal += 1
        stats.connectionsActive += 1
    }

    func closed(_ session: TCPSession) {
        guard sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return }
        stats.connectionsActive -= 1
    }

    func closeAll() {
        for session in Array(sessions.values) { session.closeNow() }
    }
}
