package import ApusCompiler
package import ApusCore
internal import ApusManifest
package import ApusMesh
package import ApusModel
internal import Foundation
package import Logging

/// The one owner of what is served: files in, views out to every stream. It holds order, the logic is in pure code.
package actor Pipeline {
    private var options: MeshOptions
    private let logger: Logger
    private let history: HistoryKeeper?
    private let metrics: Metrics

    private let analysis: FindingsAnalysis

    private var table = ObjectTable()
    private var meshConfig = MeshConfig()
    private var meshFindings: [Finding] = []
    private var compiled: CompiledMesh?
    private var fetching: KeyFetching?
    private var streams: [UInt64: StreamHandle] = [:]
    private var nextStream: UInt64 = 0
    private var readyWaiters: [CheckedContinuation<Void, Never>] = []

    package init(
        options: MeshOptions, history: HistoryKeeper?, metrics: Metrics, logger: Logger,
        analysisInterval: Duration = .seconds(1)
    ) {
        self.options = options
        self.history = history
        self.metrics = metrics
        self.logger = logger
        analysis = FindingsAnalysis(logger: logger, interval: analysisInterval)
    }

    // MARK: Files in

    /// Takes a merged batch of changed files and serves what follows from it. One batch at a time: the caller waits for
    /// the return before it gives the next.
    package func ingest(_ changes: [FileChange]) async {
        let start = ContinuousClock.now
        let isFirst = compiled == nil
        let readings = FolderReading.parse(changes)
        let past = await past(of: readings)
        let edit = table.apply(readings) { path in past[path].map { Replay.file(path, $0) } }
        metrics.add(.inboundUpdates, readings.count)

        let mesh = FolderReading.meshConfig(
            table, options, previous: isFirst ? await pastMeshConfig() : meshConfig)
        meshFindings = mesh.findings
        let meshChanged = mesh.config != meshConfig
        meshConfig = mesh.config

        if let compiled {
            if meshChanged || !edit.isEmpty { serve(edit, meshChanged: meshChanged, after: compiled, since: start) }
            if edit.touches(.requestAuthentication) { await followKeys() }
        } else {
            let snapshot = MeshSnapshot.make(objects: table.inForce, meshConfig: meshConfig)
            compiled = CompiledMesh(snapshot: snapshot)
            logger.info(
                "the first snapshot is served",
                metadata: [
                    "files": "\(table.fileCount)", "objects": "\(table.objectCount)",
                    "took": "\(ContinuousClock.now - start)",
                ])
            await followKeys()
            for waiter in readyWaiters { waiter.resume() }
            readyWaiters = []
        }
        metrics.set(.rejectedConfigs, table.errorCount + table.keptCount)
        if isFirst || meshChanged || edit.changesContent {
            record(changes, readings, edit, isFirst: isFirst, isMeshValid: mesh.isValid)
        }
        analysis.request(of: self)
    }

    /// The file of `--mesh-config` says something else now. With an error in it the settings in force stay.
    package func follow(meshConfigFile file: FileChange) async {
        guard file.content != nil, file != options.meshConfigFile else { return }
        let start = ContinuousClock.now
        options.meshConfigFile = file
        let mesh = FolderReading.meshConfig(table, options, previous: meshConfig)
        meshFindings = mesh.findings
        if let error = mesh.findings.first(where: { $0.severity == .error }) {
            logger.warning(
                "the mesh config has an error, so the one before stays",
                metadata: ["at": "\(error.location)", "error": "\(error.message)"])
        }
        if mesh.config != meshConfig {
            meshConfig = mesh.config
            if let compiled { serve(ObjectTable.Edit(), meshChanged: true, after: compiled, since: start) }
        }
        analysis.request(of: self)
    }

    private func serve(
        _ edit: ObjectTable.Edit, meshChanged: Bool, after compiled: CompiledMesh, since start: ContinuousClock.Instant
    ) {
        let old = compiled.snapshot
        let snapshot =
            meshChanged
            ? MeshSnapshot.make(objects: table.inForce, meshConfig: meshConfig, previous: old)
            : old.updated(changed: edit.changed, removed: edit.removed)
        let difference = snapshot.changes(since: old)
        let next = compiled.updated(to: snapshot, changes: difference)
        self.compiled = next
        let woken = push(next)
        metrics.observe(.pushTime, since: start)
        guard meshChanged || edit.changesContent else { return }
        metrics.count(difference)
        logger.info(
            "a change is served",
            metadata: [
                "changed": "\(edit.rewritten.count)", "removed": "\(edit.removed.count)",
                "streams": "\(woken)", "took": "\(ContinuousClock.now - start)",
            ])
    }

    /// What the history knows of damaged files that the table does not know.
    private func past(
        of readings: [(path: String, file: ManifestFile?)]
    ) async -> [String: [Journal.FileText]] {
        let isNeeded = readings.contains { path, file in
            guard let file, !file.damaged.isEmpty || file.hasUnidentified else { return false }
            return !table.contains(file: path)
        }
        return isNeeded ? await history?.texts() ?? [:] : [:]
    }

    /// After a restart with an error in the mesh config: the last one without.
    private func pastMeshConfig() async -> MeshConfig? {
        guard options.meshConfigFile == nil, !FolderReading.meshConfig(table, options).isValid,
            let object = table.object(FolderReading.meshConfigMap(options)),
            let texts = await history?.texts()[object.origin.location.file]
        else { return nil }
        for text in texts.reversed() {
            var table = ObjectTable()
            let path = object.origin.location.file
            _ = table.apply([(path, ManifestReader.read(file: path, text: Array((text.text ?? "").utf8)))])
            let mesh = FolderReading.meshConfig(table, options)
            if mesh.isValid, table.object(object.key) != nil { return mesh.config }
        }
        return nil
    }

    private func record(
        _ changes: [FileChange], _ readings: [(path: String, file: ManifestFile?)], _ edit: ObjectTable.Edit,
        isFirst: Bool, isMeshValid: Bool
    ) {
        guard let history else { return }
        var damaged: Set<String> = []
        var rejected: Set<String> = []
        for case (let path, let file?) in readings where !file.damaged.isEmpty || file.hasUnidentified {
            damaged.insert(path)
            rejected.formUnion(file.damaged.map(\.description))
            if file.hasUnidentified { rejected.insert(path) }
        }
        if !isMeshValid, let object = table.object(FolderReading.meshConfigMap(options)) {
            // The object can be read, but not what it says: an older text is still needed.
            damaged.insert(object.origin.location.file)
            rejected.insert(object.key.description)
        }
        history.record(
            HistoryKeeper.Step(
                time: Date().timeIntervalSince1970, version: table.version.description,
                changed: edit.rewritten.map {
                    HistoryKeeper.Step.Change(
                        object: $0.key.description, version: $0.version, file: $0.origin.location.file)
                },
                removed: edit.removed.map(\.description), rejected: rejected.sorted(),
                files: changes.map {
                    Journal.FileText(
                        path: $0.path, text: $0.content.map { String(decoding: $0, as: UTF8.self) },
                        damaged: damaged.contains($0.path))
                },
                isFirst: isFirst))
    }

    // MARK: Keys of issuers of tokens

    /// Sets what fetches keys; before the first batch.
    package func use(_ fetching: KeyFetching) { self.fetching = fetching }

    private func followKeys() async {
        guard let fetching, let snapshot = compiled?.snapshot else { return }
        await fetching.follow(KeySets.sources(of: snapshot.objects(of: .requestAuthentication)))
    }

    /// Keys came, or changed.
    package func keysChanged(_ keySets: KeySets) {
        guard let compiled else { return }
        let start = ContinuousClock.now
        let next = compiled.updated(keySets: keySets)
        self.compiled = next
        let woken = push(next)
        metrics.observe(.pushTime, since: start)
        logger.info("keys of an issuer of tokens are served", metadata: ["streams": "\(woken)"])
    }

    // MARK: Views out

    package var isReady: Bool { compiled != nil }

    /// Returns when the first snapshot is served.
    package func whenReady() async {
        if compiled != nil { return }
        await withCheckedContinuation { readyWaiters.append($0) }
    }

    /// Adds a stream; nil before the first snapshot.
    package func attach(proxy: Proxy, peer: String, isDelta: Bool) -> StreamHandle? {
        guard let compiled else { return nil }
        nextStream &+= 1
        let handle = StreamHandle(
            id: nextStream, proxy: proxy, peer: peer, isDelta: isDelta, view: compiled.view(for: proxy))
        streams[handle.id] = handle
        if !proxy.hasIdentity { warnOfClosedPorts(proxy, compiled.snapshot) }
        metrics.set(.connectedStreams, streams.count)
        return handle
    }

    /// A proxy without an identity cannot give the mutual TLS that a policy asks for, so nobody is let in.
    private func warnOfClosedPorts(_ proxy: Proxy, _ snapshot: MeshSnapshot) {
        guard proxy.role == .sidecar else { return }
        let peers = snapshot.inbound(of: proxy).peers
        let strict = peers.ports.filter { $0.value == .strict }.keys.sorted().map(String.init)
        guard peers.mode == .strict || !strict.isEmpty else { return }
        logger.warning(
            "PeerAuthentication asks for mutual TLS that a proxy without an identity cannot give: its ports are closed",
            metadata: [
                "proxy": "\(proxy.id)", "ports": "\(peers.mode == .strict ? "all" : strict.joined(separator: ", "))",
                "policies":
                    "\(peers.sources.map { location(of: $0.description)?.description ?? $0.description }.joined(separator: ", "))",
                "hint": "connect it to the secure port with a token",
            ])
    }

    /// The certificate authority changed: whoever gets certificates or roots from here looks again.
    package func authorityChanged() {
        for handle in streams.values where handle.proxy.hasIdentity { handle.post(handle.view) }
    }

    package func detach(_ handle: StreamHandle) {
        streams[handle.id] = nil
        handle.close()
        metrics.set(.connectedStreams, streams.count)
    }

    /// Posts new content to the streams whose content differs; returns how many these are.
    private func push(_ compiled: CompiledMesh) -> Int {
        var woken = 0
        for handle in streams.values {
            let view = compiled.view(for: handle.proxy)
            guard !view.isIdentical(to: handle.view) else { continue }
            handle.post(view)
            woken += 1
        }
        metrics.add(.wokenStreams, woken)
        return woken
    }

    // MARK: Questions

    package var connected: [StreamHandle] { streams.values.sorted { $0.id < $1.id } }
    package var objects: [ConfigObject] { table.inForce.sorted { $0.key < $1.key } }
    package var keptObjects: Set<ObjectKey> { table.kept }
    package var snapshot: MeshSnapshot? { compiled?.snapshot }

    package func view(for proxy: Proxy) -> ResourceView? { compiled?.view(for: proxy) }

    /// Where an object (`Kind namespace/name`) is written.
    package func location(of object: String) -> SourceLocation? {
        // Looked up rather than searched: every NACK asks, and anybody can send NACKs.
        let parts = object.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        let names = parts[1].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard names.count == 2 else { return nil }
        let name = NamespacedName(namespace: String(names[0]), name: String(names[1]))
        return table.object(ObjectKey(kind: kind, name: name))?.origin.location
    }

    /// All findings of the folder as it is now; computed beside the pipeline.
    package nonisolated func findings() async -> [Finding] { await analysis.current(of: self) }

    var analysisInput: FindingsAnalysis.Input? {
        guard let snapshot = compiled?.snapshot else { return nil }
        return FindingsAnalysis.Input(
            table: table, meshConfig: meshConfig, meshFindings: meshFindings, snapshot: snapshot)
    }
}

extension ResourceView {
    /// The same sets, not merely equal ones: an unchanged set is never rebuilt.
    func isIdentical(to other: ResourceView) -> Bool {
        clusters === other.clusters && endpoints === other.endpoints && listeners === other.listeners
            && routes === other.routes && secrets === other.secrets
    }
}
