internal import ApusBootstrap
internal import ApusCore
internal import ApusDataplane
internal import ApusDelta
internal import ApusTraffic
internal import Logging
internal import Synchronization

/// Where the configuration stream meets the event loops: every batch is judged by the store, and what it makes is
/// served before the verdict goes back.
actor ConfigHub: ConfigSink {
    private var store = ConfigStore()
    private let dataplane: Dataplane
    private let logger: Logger
    private var hasClusters = false
    private var hasListeners = false
    private let ready = Atomic<Bool>(false)

    init(dataplane: Dataplane, logger: Logger) {
        self.dataplane = dataplane
        self.logger = logger
    }

    /// True once clusters and listeners have been received. It stays true: later failures leave the last good state.
    nonisolated var isReady: Bool { ready.load(ordering: .acquiring) }

    var current: ConfigStore { store }

    func apply(type: ResourceType, added: [ReceivedResource], removed: [String]) async -> Verdict {
        let update = ConfigUpdate(
            type: type,
            changed: added.map { ConfigUpdate.Resource(name: $0.name, version: $0.version, body: $0.body) },
            removed: removed)
        let outcome = store.apply(update, now: WallClock.nanoseconds())
        var refusals = outcome.rejected.map { Verdict.Refusal(name: $0.name, reason: $0.reason) }
        if !outcome.change.isEmpty {
            for failure in await dataplane.apply(store.configuration) {
                refusals.append(Verdict.Refusal(name: failure.listener, reason: failure.description))
            }
        }
        logger.debug(
            "configuration applied",
            metadata: [
                "type": "\(type.shortName)", "added": "\(added.count)", "removed": "\(removed.count)",
                "generation": "\(store.configuration.generation)",
            ])
        if type == .cluster { hasClusters = true }
        if type == .listener { hasListeners = true }
        if hasClusters, hasListeners, !isReady, store.warmingListeners.isEmpty || hasRoutes(type) {
            ready.store(true, ordering: .releasing)
            logger.info("ready", metadata: ["listeners": "\(store.configuration.listeners.count)"])
        }
        return Verdict(
            refusals: refusals,
            wanted: [.endpoints: Set(store.wantedEndpoints), .route: Set(store.wantedRoutes)])
    }

    /// Takes the resources of a bootstrap.
    ///
    /// - Returns: why it cannot be run from, one line for each resource at fault; empty: it is in service.
    func load(_ bootstrap: Bootstrap) async -> [String] {
        var refusals: [String] = []
        for (type, resources) in [(ResourceType.cluster, bootstrap.clusters), (.listener, bootstrap.listeners)] {
            let verdict = await apply(
                type: type, added: resources.map { (name: $0.name, version: "", body: $0.body) }, removed: [])
            refusals += verdict.refusals.map { "\($0.name): \($0.reason)" }
        }
        return refusals
    }

    /// Listeners wait for their routes; once those have come as well, traffic can be taken.
    private func hasRoutes(_ type: ResourceType) -> Bool { type == .route }
}
