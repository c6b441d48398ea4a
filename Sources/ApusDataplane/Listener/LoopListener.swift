internal import ApusCore
package import ApusTraffic
package import NIOCore

/// The numbers of a listener; its connections outlive the configuration that made them.
internal final class ListenerCounters {
    var stats = ListenerStats()

    /// A connection has found its filter chain.
    func opened() { stats.connectionsActive += 1 }

    /// - Parameter length: milliseconds.
    func closed(after length: Int64) {
        stats.connectionsActive -= 1
        stats.connectionsClosed += 1
        stats.connectionLength.record(length)
    }
}

/// A listener on one loop: the configuration that new connections get, and the connections.
package final class LoopListener {
    internal enum Chain {
        case http(HTTPServer)
        case tcp(TCPServer)

        var openConnections: Int {
            switch self {
            case .http(let server): server.openConnections
            case .tcp(let server): server.openConnections
            }
        }

        func drain() {
            switch self {
            case .http(let server): server.drain()
            case .tcp: break
            }
        }

        func closeAll() {
            switch self {
            case .http(let server): server.closeAll()
            case .tcp(let server): server.closeAll()
            }
        }
    }

    internal let worker: Worker
    package private(set) var config: ListenerConfig
    internal let counters = ListenerCounters()
    private var chains: [(config: FilterChain, runtime: Chain)] = []
    private var defaultChain: (config: FilterChain, runtime: Chain)?
    /// Chains of older configurations whose connections are still open.
    private var draining: [(prefix: String, runtime: Chain)] = []
    /// Connections that wait for their first bytes.
    private var sniffing: [ObjectIdentifier: InitialHandler] = [:]

    init(worker: Worker, config: ListenerConfig) {
        self.worker = worker
        self.config = config
        chains = config.chains.map { ($0, make($0)) }
        defaultChain = config.defaultChain.map { ($0, make($0)) }
    }

    private func make(_ chain: FilterChain) -> Chain {
        switch chain.filter {
        case .http(let manager):
            .http(HTTPServer(worker: worker, manager: manager, listener: config, counters: counters))
        case .tcp(let proxy): .tcp(TCPServer(worker: worker, proxy: proxy, listener: config, counters: counters))
        }
    }

    /// Equal chains keep their connections; those of chains that changed or went are drained (Envoy's in-place
    /// filter-chain update).
    func update(_ new: ListenerConfig) {
        let old = chains
        let oldDefault = defaultChain
        config = new
        var kept: Set<Int> = []
        chains = new.chains.map { chain in
            if let index = old.indices.first(where: { !kept.contains($0) && Self.same(old[$0].config, chain) }) {
                kept.insert(index)
                return (chain, old[index].runtime)
            }
            return (chain, make(chain))
        }
        for index in old.indices where !kept.contains(index) { retire(old[index]) }
        if let chain = new.defaultChain {
            if let oldDefault, Self.same(oldDefault.config, chain) {
                defaultChain = (chain, oldDefault.runtime)
            } else {
                if let oldDefault { retire(oldDefault) }
                defaultChain = (chain, make(chain))
            }
        } else if let oldDefault {
            retire(oldDefault)
            defaultChain = nil
        }
    }

    private static func same(_ left: FilterChain, _ right: FilterChain) -> Bool {
        left === right || (left.version == right.version && left.version.value != 0 && left.name == right.name)
    }

    private func retire(_ chain: (config: FilterChain, runtime: Chain)) {
        chain.runtime.drain()
        draining.removeAll { old in
            guard old.runtime.openConnections == 0 else { return false }
            addStatistics(old.runtime, &worker.retired)
            return true
        }
        draining.append((chain.config.name, chain.runtime))
        let bound = NIOLoopBound(chain.runtime, eventLoop: worker.loop)
        worker.loop.scheduleTask(in: worker.drainTime) { bound.value.closeAll() }
    }

    /// The handler for a new connection.
    package func makeHandler() -> any ChannelHandler { InitialHandler(worker: worker, listener: self) }

    /// The chain for a connection; nil: none, close it.
    func chain(for facts: ConnectionFacts) -> (config: FilterChain, runtime: Chain)? {
        if let index = config.matcher.find(facts), index < chains.count { return chains[index] }
        return defaultChain
    }

    internal func waits(_ handler: InitialHandler) { sniffing[ObjectIdentifier(handler)] = handler }

    internal func waited(_ handler: InitialHandler) { sniffing[ObjectIdentifier(handler)] = nil }

    private var allChains: [Chain] {
        chains.map(\.runtime) + (defaultChain.map { [$0.runtime] } ?? []) + draining.map(\.runtime)
    }

    package var openConnections: Int { allChains.reduce(sniffing.count) { $0 + $1.openConnections } }

    package func drainConnections() {
        for chain in allChains { chain.drain() }
    }

    package func closeConnections() {
        for chain in allChains { chain.closeAll() }
        for handler in Array(sniffing.values) { handler.closeNow() }
    }

    func drain(within time: TimeAmount) {
        drainConnections()
        // The loop keeps this object alive until the last of its connections is closed.
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        worker.loop.scheduleTask(in: time) {
            let listener = bound.value
            listener.closeConnections()
            listener.worker.drained(listener)
        }
    }

    internal func collect(_ name: String, into result: inout WorkerStatistics) {
        result.listeners[name, default: ListenerStats()].add(counters.stats)
        result.listeners[name]?.preConnectionsActive += Int64(sniffing.count)
        if let sum = result.listeners[name] {
            result.listenerWorkers[name, default: [:]][worker.index] = (sum.connectionsTotal, sum.connectionsActive)
        }
        for chain in allChains { addStatistics(chain, &result) }
    }

    internal func resetCounters() {
        counters.stats.resetCounters()
        for chain in allChains {
            switch chain {
            case .http(let server): server.stats.resetCounters()
            case .tcp(let server): server.stats.resetCounters()
            }
        }
    }

    private func addStatistics(_ chain: Chain, _ result: inout WorkerStatistics) {
        switch chain {
        case .http(let server):
            let prefix = server.manager.statPrefix
            result.http[prefix, default: HTTPStats()].add(server.stats)
            result.listenerAnswers[config.name, default: [:]][prefix, default: ResponseCounts()].add(
                server.stats.answers)
        case .tcp(let server): result.tcp[server.proxy.statPrefix, default: TCPStats()].add(server.stats)
        }
    }
}
