internal import ApusCompiler
package import ApusCore
internal import ApusManifest
package import ApusMesh
package import ApusModel
internal import Foundation
package import Logging

/// The one owner of what is served: files in, views out to every stream. It holds order, the logic is in pure code.
package actor Pipeline {
    private let options: MeshOptions
    private let logger: Logger
    private let history: HistoryKeeper?
    private let metrics: Metrics

    private var table = ObjectTable()
    private var meshConfig = MeshConfig()
    private var meshFindings: [Finding] = []
    private var compiled: CompiledMesh?
    private var streams: [UInt64: StreamHandle] = [:]
    private var nextStream: UInt64 = 0
    private var findingsCache: [Finding]?
    private var lastGoodFiles: [String: String]?
    private var readyWaiters: [CheckedContinuation<Void, Never>] = []

    package init(options: MeshOptions, history: HistoryKeeper?, metrics: Metrics, logger: Logger) {
        self.options = options
        self.history = history
        self.metrics = metrics
        self.logger = logger
    }

    // MARK: Files in

    /// Takes a merged batch of changed files and serves what follows from it.
    package func ingest(_ changes: [FileChange]) async {
        let start = ContinuousClock.now
        let isFirst = compiled == nil
        let readings = FolderReading.parse(changes)
        if isFirst, readings.contains(where: { $0.file.map { !$0.damaged.isEmpty || $0.hasUnidentified } ?? false }) {
            lastGoodFiles = await history?.lastGoodTexts() ?? [:]
        }
        let edit = table.apply(readings) { [lastGoodFiles] path in
            lastGoodFiles?[path].map { ManifestReader.read(file: path, text: Array($0.utf8)) }
        }
        lastGoodFiles = nil
        findingsCache = nil
        report(readings)
        metrics.add(.inboundUpdates, readings.count)

        let mesh = FolderReading.meshConfig(table, options, previous: isFirst ? nil : meshConfig)
        meshFindings = mesh.findings
        let meshChanged = mesh.config != meshConfig
        meshConfig = mesh.config

        if let compiled {
            guard meshChanged || !edit.isEmpty else { return }
            let old = compiled.snapshot
            let snapshot =
                meshChanged
                ? MeshSnapshot.make(objects: table.inForce, meshConfig: meshConfig, previous: old)
                : old.updated(changed: edit.changed, removed: edit.removed)
            let difference = snapshot.changes(since: old)
            let next = compiled.updated(to: snapshot, changes: difference)
            self.compiled = next
            push(next)
            metrics.observe(.pushTime, since: start)
            metrics.count(difference)
            logger.info(
                "a change is served",
                metadata: [
                    "changed": "\(edit.changed.count)", "removed": "\(edit.removed.count)",
                    "streams": "\(streams.count)", "took": "\(ContinuousClock.now - start)",
                ])
        } else {
            let snapshot = MeshSnapshot.make(objects: table.inForce, meshConfig: meshConfig)
            compiled = CompiledMesh(snapshot: snapshot)
            logger.info(
                "the first snapshot is served",
                metadata: [
                    "files": "\(table.fileCount)", "objects": "\(table.objectCount)",
                    "took": "\(ContinuousClock.now - start)",
                ])
            for waiter in readyWaiters { waiter.resume() }
            readyWaiters = []
        }
        recordHistory(changes, edit: edit, readings: readings)
    }

    /// Errors of the files that were just read, once per change.
    private func report(_ readings: [(path: String, file: ManifestFile?)]) {
        var errors = 0
        for case (_, let file?) in readings {
            for finding in file.findings where finding.severity == .error {
                errors += 1
                // A folder full of errors must not fill a disk.
                if errors <= 50 {
                    logger.error("\(finding.location): \(finding.message)", metadata: ["code": "\(finding.code)"])
                }
            }
        }
        metrics.set(.rejectedConfigs, table.kept.count + errors)
    }

    private func recordHistory(
        _ changes: [FileChange], edit: ObjectTable.Edit, readings: [(path: String, file: ManifestFile?)]
    ) {
        guard let history, let compiled else { return }
        var damaged: [String: Bool] = [:]
        var rejected: Set<String> = []
        for case (let path, let file?) in readings {
            damaged[path] = !file.damaged.isEmpty || file.hasUnidentified
            rejected.formUnion(file.damaged.map(\.description))
            if file.hasUnidentified { rejected.insert(path) }
        }
        let version = ContentVersion(
            table.inForce.reduce(into: UInt64(0)) { sum, object in
                sum &+= XXHash64.hash(object.key.description, seed: object.version.value)
            })
        _ = compiled
        let revision = Journal.Revision(
            number: 0, time: Date().timeIntervalSince1970, version: version.description,
            changed: edit.changed.map(\.key.description), removed: edit.removed.map(\.description),
            rejected: rejected.sorted(),
            files: changes.map {
                Journal.FileText(
                    path: $0.path, text: $0.content.map { String(decoding: $0, as: UTF8.self) },
                    damaged: damaged[$0.path] ?? false)
            })
        history.record(revision)
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
        metrics.set(.connectedStreams, streams.count)
        return handle
    }

    package func detach(_ handle: StreamHandle) {
        streams[handle.id] = nil
        handle.close()
        metrics.set(.connectedStreams, streams.count)
    }

    private func push(_ compiled: CompiledMesh) {
        var woken = 0
        for handle in streams.values {
            let view = compiled.view(for: handle.proxy)
            guard !view.isIdentical(to: handle.view) else { continue }
            handle.post(view)
            woken += 1
        }
        metrics.add(.wokenStreams, woken)
    }

    // MARK: Questions

    package var connected: [StreamHandle] { streams.values.sorted { $0.id < $1.id } }
    package var objects: [ConfigObject] { table.inForce.sorted { $0.key < $1.key } }
    package var keptObjects: Set<ObjectKey> { table.kept }
    package var snapshot: MeshSnapshot? { compiled?.snapshot }

    package func view(for proxy: Proxy) -> ResourceView? { compiled?.view(for: proxy) }

    /// Where an object (`Kind namespace/name`) is written.
    package func location(of object: String) -> SourceLocation? {
        table.inForce.first { $0.key.description == object }?.origin.location
    }

    /// All findings of the folder as it is now.
    package func findings() -> [Finding] {
        guard let snapshot = compiled?.snapshot else { return [] }
        if let findingsCache { return findingsCache }
        let findings = FolderReading.findings(table, mesh: meshConfig, meshFindings: meshFindings, snapshot: snapshot)
        findingsCache = findings
        return findings
    }
}

extension ResourceView {
    /// The same sets, not merely equal ones: an unchanged set is never rebuilt.
    func isIdentical(to other: ResourceView) -> Bool {
        clusters === other.clusters && endpoints === other.endpoints && listeners === other.listeners
            && routes === other.routes && secrets === other.secrets
    }
}
