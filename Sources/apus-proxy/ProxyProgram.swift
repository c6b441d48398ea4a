internal import ApusCore
internal import ApusDataplane
internal import ApusXDSClient
internal import Foundation
internal import Logging

/// The parts of a running proxy, joined: configuration stream, event loops, pages, signals.
struct ProxyProgram {
    private let settings: ProxySettings

    init(_ settings: ProxySettings) { self.settings = settings }

    func run() async throws {
        let threshold = LogThreshold(settings.logLevel)
        let isJSON = settings.logsJSON
        LoggingSystem.bootstrap { _ in LineLogHandler(threshold: threshold, isJSON: isJSON) }
        let logger = Logger(label: "apus-proxy")

        var options = Dataplane.Options(
            concurrency: settings.concurrency, isIntercepting: settings.isIntercepting,
            seed: UInt64.random(in: .min ... .max))
        options.hostname = ProcessInfo.processInfo.hostName
        options.serviceCluster = settings.nodeCluster
        let dataplane = try await Dataplane(options: options, logger: logger)
        let hub = ConfigHub(dataplane: dataplane, logger: logger)
        let settings = self.settings
        let pages = AdminPages(
            dataplane: dataplane,
            actions: AdminActions(
                isReady: { hub.isReady },
                configDump: { query in ConfigDump(await hub.current, settings).json(query) },
                version: ProgramVersion.text, nodeID: settings.nodeID, nodeCluster: settings.nodeCluster,
                quit: { Foundation.exit(0) },
                logLevel: { name in
                    guard let name else { return "\(threshold.current)" }
                    guard let level = Self.level(name) else { return nil }
                    threshold.current = level
                    return "\(level)"
                }))
        let admin = try await serve("admin", dataplane, "127.0.0.1", settings.adminPort) { await pages.respond($0) }
        let health = try await serve("health", dataplane, "127.0.0.1", settings.healthPort) {
            await pages.respondToProbe($0)
        }
        let prometheus = try await serve("prometheus", dataplane, "127.0.0.1", settings.prometheusPort) {
            await pages.respondToScrape($0)
        }
        logger.info(
            "started",
            metadata: [
                "version": "\(ProgramVersion.text)", "node": "\(settings.nodeID)", "admin": "\(admin.port)",
                "health": "\(health.port)", "prometheus": "\(prometheus.port)", "loops": "\(settings.concurrency)",
            ])
        writeRunFile(admin: admin.port, health: health.port, prometheus: prometheus.port, logger)

        let client = try makeClient(hub, logger)
        await withTaskGroup { group in
            group.addTask { await client.run() }
            await StopSignal.wait()
            logger.info("stopping", metadata: ["drain": "\(settings.drainTime)s"])
            pages.beginDraining()
            group.cancelAll()
            for await _ in group {}
        }
        await dataplane.drain()
        for server in [health, prometheus] { await server.stop() }
        await dataplane.waitForConnections(within: .seconds(settings.drainTime))
        await admin.stop()
        await dataplane.shutDown(within: .zero)
        logger.info("stopped")
    }

    private func makeClient(_ hub: ConfigHub, _ logger: Logger) throws -> XDSClient {
        let target =
            settings.host.contains(":") ? "[\(settings.host)]:\(settings.port)" : "\(settings.host):\(settings.port)"
        guard let address = ControlPlaneAddress(target) else {
            throw ProgramFailure(ExitStatus.wrongUsage, "apus-proxy: \(target) is not HOST:PORT")
        }
        var identity = ProxyIdentity(
            role: settings.isGateway ? .gateway : .sidecar, addresses: [settings.address], name: settings.name,
            namespace: settings.namespace)
        identity.serviceAccount = settings.serviceAccount
        identity.labels = settings.labels
        identity.metadata = settings.metadata
        var client = XDSClient.Settings(address: address, identity: identity, version: ProgramVersion.text)
        client.stateDirectory = settings.stateFolder
        if let roots = settings.rootCertificates {
            client.certificate = WorkloadCertificate(
                settings: WorkloadCertificate.Settings(
                    address: address, rootsFile: roots, tokenFile: settings.tokenFile,
                    stateDirectory: settings.stateFolder), log: logger)
        }
        return XDSClient(settings: client, sink: hub, log: logger)
    }

    /// A page server; a port that is taken is a fault of the configuration, and the message says which.
    private func serve(
        _ purpose: String, _ dataplane: Dataplane, _ host: String, _ port: Int,
        _ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse
    ) async throws -> AdminServer {
        do {
            return try await AdminServer.start(
                group: dataplane.eventLoops, host: host, port: port, respond: respond)
        } catch {
            throw ProgramFailure(
                ExitStatus.badConfiguration,
                "apus-proxy: cannot bind the \(purpose) port \(port) on \(host) (--\(purpose)-port): \(error)")
        }
    }

    /// Envoy's level names besides our own.
    private static func level(_ name: String) -> Logger.Level? {
        switch name.lowercased() {
        case "warn": .warning
        case "off": .critical
        case let other: Logger.Level(rawValue: other)
        }
    }

    /// `run.json` in the state folder says which ports were taken, for those who asked for free ones.
    private func writeRunFile(admin: Int, health: Int, prometheus: Int, _ logger: Logger) {
        let text = """
            {"pid": \(ProcessInfo.processInfo.processIdentifier), "addresses": {"admin": "127.0.0.1:\(admin)", \
            "health": "127.0.0.1:\(health)", "prometheus": "127.0.0.1:\(prometheus)"}}

            """
        do {
            try FileManager.default.createDirectory(
                atPath: settings.stateFolder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try Data(text.utf8).write(
                to: URL(fileURLWithPath: settings.stateFolder + "/run.json"), options: .atomic)
        } catch {
            logger.warning("cannot write run.json", metadata: ["error": "\(error)"])
        }
    }
}
