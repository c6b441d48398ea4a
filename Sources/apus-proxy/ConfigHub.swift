internal import ApusBootstrap
internal import ApusCore
internal import ApusDataplane
internal import ApusDelta
internal import ApusTraffic
internal import Foundation
internal import Logging
internal import Synchronization

/// Where the configuration stream meets the event loops: every batch is judged by the store, and what it makes is
/// served before the verdict goes back.
actor ConfigHub: ConfigSink {
    private var store = ConfigStore()
    private let dataplane: Dataplane
    private let logger: Logger
    private var readNames: Set<String> = []
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
        let files = readFiles()
        if !outcome.change.isEmpty || files {
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
            ProgramPages.release()
        }
        return Verdict(
            refusals: refusals,
            wanted: [
                .endpoints: Set(store.wantedEndpoints), .route: Set(store.wantedRoutes),
                .secret: Set(store.wantedSecrets(.stream)),
            ])
    }

    // MARK: Secrets of this machine

    /// The proxy's own certificate and the roots of the mesh, as of now: the next handshakes use them.
    func supplyIdentity(chain: [UInt8], key: [UInt8], roots: [UInt8]) async {
        var trust = TLSTrust()
        trust.roots = roots
        let secrets = [
            Secret(
                name: "default", version: ContentVersion(of: chain + key),
                content: .certificate(TLSCertificate(chain: chain, key: key))),
            Secret(name: "ROOTCA", version: ContentVersion(of: roots), content: .trust(trust)),
        ]
        guard supply(secrets, .identity) else { return }
        _ = await dataplane.apply(store.configuration)
    }

    /// Reads the files that the configuration names and that were not read before, as Envoy does: once.
    ///
    /// - Returns: true if the configuration is another one now.
    private func readFiles() -> Bool {
        var found: [Secret] = []
        for name in store.wantedSecrets(.file) where readNames.insert(name).inserted {
            do { found.append(try Self.secret(name)) } catch {
                readNames.remove(name)
                logger.warning("a file of TLS cannot be read", metadata: ["name": "\(name)", "reason": "\(error)"])
            }
        }
        return !found.isEmpty && supply(found, .file)
    }

    private static func secret(_ name: String) throws -> Secret {
        let parts = name.split(separator: "~", maxSplits: 1).map(String.init)
        let contents = try parts.map { try [UInt8](Data(contentsOf: URL(fileURLWithPath: $0))) }
        if contents.count == 2 {
            return Secret(
                name: name, version: ContentVersion(of: contents[0] + contents[1]),
                content: .certificate(TLSCertificate(chain: contents[0], key: contents[1])))
        }
        var trust = TLSTrust()
        trust.roots = contents.first ?? []
        return Secret(name: name, version: ContentVersion(of: trust.roots), content: .trust(trust))
    }

    private func supply(_ secrets: [Secret], _ origin: SecretOrigin) -> Bool {
        do { return try !store.supply(secrets, origin).isEmpty } catch {
            logger.error("a secret of this machine is of no use", metadata: ["reason": "\(error)"])
            return false
        }
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
