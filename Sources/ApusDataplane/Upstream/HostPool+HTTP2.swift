internal import ApusTraffic
internal import NIOCore

/// The HTTP/2 connections of a host pool.
internal struct HTTP2Connections {
    /// Those that take further streams, also while they have no room.
    var open: [HTTP2UpstreamConnection] = []
    /// Those that go on with the streams they have.
    var draining: [HTTP2UpstreamConnection] = []
    var connecting = 0
    var pending: [UpstreamSink] = []

    var count: Int { open.count + draining.count + connecting }
    var isUnused: Bool { count == 0 && pending.isEmpty }
}

// Streams for requests: on a connection that has room, else on the next one.
extension HostPool {
    func requestHTTP2(_ sink: UpstreamSink) {
        if http2.pending.isEmpty, let connection = http2.open.first(where: \.hasRoom) {
            start(sink, on: connection)
            return
        }
        guard limits.take(.pending, limit: Int(breakers.maxPendingRequests)) else {
            cluster.stats.pendingOverflow += 1
            sink.upstreamFailed(.overflow, transportFailure: "")
            return
        }
        http2.pending.append(sink)
        cluster.stats.pendingTotal += 1
        connectHTTP2IfNeeded()
    }

    /// - Returns: true if the sink waited here.
    func cancelHTTP2(_ sink: UpstreamSink) -> Bool {
        guard let index = http2.pending.firstIndex(where: { $0 === sink }) else { return false }
        http2.pending.remove(at: index)
        limits.give(.pending)
        return true
    }

    private func start(_ sink: UpstreamSink, on connection: HTTP2UpstreamConnection) {
        guard limits.take(.request, limit: Int(breakers.maxRequests)) else {
            cluster.stats.overflow += 1
            sink.upstreamFailed(.overflow, transportFailure: "")
            return
        }
        requestStarted()
        connection.attach(sink)
    }

    private func connectHTTP2IfNeeded() {
        // A connection that is being made will take as many streams as are allowed on one.
        let room = http2.connecting * Int(cluster.settings.http2.maxConcurrentStreams)
        guard http2.pending.count > room else { return }
        if !takeConnection() {
            cluster.stats.connectionOverflow += 1
            guard isWithoutConnection else { return }
            forceConnection()
        }
        http2.connecting += 1
        cluster.stats.connectionsTotal += 1
        cluster.noteTraffic()
        cluster.stats.connectionsActive += 1
        cluster.stats.http2ConnectionsTotal += 1
        countConnection()
        let worker = cluster.worker
        let transport = cluster.transport(of: self)
        let connection = HTTP2UpstreamConnection(pool: self, isPlain: transport == nil)
        let future = worker.connect(
            address, cluster.settings, connection, by: transport, of: cluster, version: .http2,
            serverName: serverName)
        let bound = NIOLoopBound((self, connection), eventLoop: worker.loop)
        future.whenFailure { error in
            let (pool, connection) = bound.value
            guard !connection.wasEverActive else { return }
            pool.http2.connecting -= 1
            let waiting = pool.http2.pending
            pool.http2.pending = []
            pool.connectFailed(waiting, error)
        }
    }

    func connected(_ connection: HTTP2UpstreamConnection) {
        http2.connecting -= 1
        http2.open.append(connection)
        serveHTTP2()
        if isDraining { connection.drain() }
    }

    private func serveHTTP2() {
        while !http2.pending.isEmpty, let connection = http2.open.first(where: \.hasRoom) {
            let sink = http2.pending.removeFirst()
            limits.give(.pending)
            start(sink, on: connection)
            // No read of the client follows that would flush.
            connection.flush()
        }
        if !http2.pending.isEmpty { connectHTTP2IfNeeded() }
    }

    /// The peer's settings changed what the connection can carry.
    func roomChanged(_ connection: HTTP2UpstreamConnection) { if !http2.pending.isEmpty { serveHTTP2() } }

    /// A stream of the connection is over.
    func released(_ connection: HTTP2UpstreamConnection) {
        requestFinished()
        if !http2.pending.isEmpty { serveHTTP2() }
    }

    /// The connection takes no further stream.
    func drained(_ connection: HTTP2UpstreamConnection) {
        guard let index = http2.open.firstIndex(where: { $0 === connection }) else { return }
        http2.draining.append(http2.open.remove(at: index))
    }

    /// - Parameter streams: that were open on it.
    func closed(_ connection: HTTP2UpstreamConnection, streams: Int) {
        for _ in 0..<streams { requestFinished() }
        if let index = http2.open.firstIndex(where: { $0 === connection }) { http2.open.remove(at: index) }
        if let index = http2.draining.firstIndex(where: { $0 === connection }) { http2.draining.remove(at: index) }
        connectionClosed()
        if !http2.pending.isEmpty { connectHTTP2IfNeeded() }
    }
}
