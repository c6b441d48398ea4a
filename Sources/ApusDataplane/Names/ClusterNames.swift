internal import ApusDNS
internal import ApusTraffic
internal import NIOCore

/// Keeps the names of one cluster resolved. One loop does it for all; they hear of it through what they share.
internal final class ClusterNames {
    private final class Name: LoopTimer {
        let text: String
        var refresh = NameRefresh()
        var addresses: [ResolvedAddress]?
        /// Of the question that counts; earlier ones are not listened to.
        var serial = 0
        var action: (() -> Void)?

        init(_ text: String) { self.text = text }

        override func timerFired(_ now: NIODeadline) { action?() }
    }

    private let cluster: ClusterRuntime
    private let worker: Worker
    private let shared: SharedCluster
    private var dns = ClusterConfig.DNS()
    private var isLogical = false
    private var names: [String: Name] = [:]
    private let firstAnswer: EventLoopPromise<Void>

    init(_ cluster: ClusterRuntime, shared: SharedCluster) {
        self.cluster = cluster
        worker = cluster.worker
        self.shared = shared
        firstAnswer = worker.loop.makePromise()
    }

    /// One of the names has been heard of, or asked for in vain; nil: nobody is to wait for that.
    var first: EventLoopFuture<Void>? { dns.delaysStart && !names.isEmpty ? firstAnswer.futureResult : nil }

    /// Asks for all names now, as a cluster that is new or changed does. Until then old answers hold.
    func update(_ dns: ClusterConfig.DNS, isLogical: Bool, names wanted: Set<String>) {
        self.dns = dns
        self.isLogical = isLogical
        for (text, name) in names where !wanted.contains(text) {
            stop(name)
            names[text] = nil
            shared.setAddresses(nil, of: text)
        }
        for text in wanted.sorted() {
            let name = names[text] ?? Name(text)
            names[text] = name
            name.refresh = NameRefresh()
            name.action = { [self] in ask(name) }
            ask(name)
        }
    }

    func stop() {
        for name in names.values { stop(name) }
        names = [:]
        firstAnswer.succeed()
    }

    private func stop(_ name: Name) {
        worker.timers.cancel(name)
        name.serial += 1
        // It holds this object, and the name.
        name.action = nil
    }

    private func ask(_ name: Name) {
        worker.timers.cancel(name)
        name.serial += 1
        let serial = name.serial
        cluster.stats.updateAttempts += 1
        worker.names.resolve(name.text, dns.family, dns.resolver) { [self] result in
            guard name.serial == serial else { return }
            take(result, name)
        }
    }

    private func take(_ result: NameLookup.Result, _ name: Name) {
        let outcome = NameRefresh.outcome(result, isLogical: isLogical)
        switch outcome {
        case .failure: cluster.stats.updateFailures += 1
        case .hosts(let addresses):
            cluster.stats.updateSuccesses += 1
            // The order of an answer changes with every question; for all hosts of a name that alone is no change.
            let known = name.addresses.map { Set($0.map(\.address)) }
            if known == Set(addresses.map(\.address)) {
                cluster.stats.updateNoRebuild += 1
            } else {
                shared.setAddresses(addresses.map(\.address), of: name.text)
            }
            name.addresses = addresses
        }
        firstAnswer.succeed()
        let wait = name.refresh.wait(after: outcome, dns, draw: worker.random.next())
        worker.timers.arm(name, worker.loop.now + max(.milliseconds(1), wait.timeAmount))
    }
}
