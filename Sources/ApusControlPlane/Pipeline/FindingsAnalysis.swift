internal import ApusCore
internal import ApusMesh
internal import ApusModel
package import Logging
internal import Synchronization

/// Looks at all objects together after they are served, and logs what is new.
///
/// The analysis of a large folder takes far longer than serving one change, so it runs beside the pipeline, after the
/// push, and at most once per `interval`.
package actor FindingsAnalysis {
    /// What an analysis looks at.
    package struct Input: Sendable {
        let table: ObjectTable
        let meshConfig: MeshConfig
        let meshFindings: [Finding]
        let snapshot: MeshSnapshot
    }

    /// More lines than this per analysis are summed up: a folder full of mistakes must not fill a disk.
    package static let lineLimit = 50

    /// A finding without its line: one that only moved with the text above it is not news.
    private struct Subject: Hashable {
        let severity: Severity
        let code: String
        let message: String
        let file: String
        let object: String?
        let field: String?

        init(_ finding: Finding) {
            severity = finding.severity
            code = finding.code
            message = finding.message
            file = finding.location.file
            object = finding.object
            field = finding.field
        }
    }

    private let logger: Logger
    private let interval: Duration
    private nonisolated let due = Mutex((isDue: false, isScheduled: false))
    private var latest: [Finding] = []
    private var known: Set<Subject> = []
    private var running: Task<Void, Never>?
    private var lastRun: ContinuousClock.Instant?

    package init(logger: Logger, interval: Duration = .seconds(1)) {
        self.logger = logger
        self.interval = interval
    }

    /// Something changed. Returns at once.
    nonisolated func request(of pipeline: Pipeline) {
        let mustSchedule = due.withLock { due in
            due.isDue = true
            defer { due.isScheduled = true }
            return !due.isScheduled
        }
        guard mustSchedule else { return }
        Task.detached(priority: .utility) { [weak pipeline] in
            await self.pause()
            self.due.withLock { $0.isScheduled = false }
            if let pipeline { _ = await self.current(of: pipeline) }
        }
    }

    /// All findings of what is served now.
    func current(of pipeline: Pipeline) async -> [Finding] {
        while let running { await running.value }
        let isDue = due.withLock { due in
            defer { due.isDue = false }
            return due.isDue
        }
        guard isDue else { return latest }
        let task = Task { await run(pipeline) }
        running = task
        await task.value
        return latest
    }

    private func pause() async {
        guard let lastRun else { return }
        try? await Task.sleep(until: lastRun + interval, clock: .continuous)
    }

    private func run(_ pipeline: Pipeline) async {
        defer { running = nil }
        guard let input = await pipeline.analysisInput else { return }
        latest = FolderReading.findings(
            input.table, mesh: input.meshConfig, meshFindings: input.meshFindings, snapshot: input.snapshot)
        lastRun = .now
        report()
    }

    private func report() {
        var seen: Set<Subject> = []
        var lines = 0
        var left = 0
        for finding in latest where finding.severity != .info {
            let subject = Subject(finding)
            guard seen.insert(subject).inserted, !known.contains(subject) else { continue }
            guard lines < Self.lineLimit else {
                left += 1
                continue
            }
            lines += 1
            logger.log(
                level: finding.severity == .error ? .error : .warning, "\(finding.location): \(finding.message)",
                metadata: ["code": "\(finding.code)"])
        }
        if left > 0 {
            logger.warning(
                "there are more findings; /debug/configz and `apus check` list all", metadata: ["more": "\(left)"])
        }
        let gone = known.subtracting(seen).count
        if gone > 0 { logger.info("findings are resolved", metadata: ["count": "\(gone)"]) }
        known = seen
    }
}
