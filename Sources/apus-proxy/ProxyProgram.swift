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
        var admin: AdminServer?
        if let port = settings.adminPort {
            admin = try await serve("admin", dataplane, settings.adminAddress, port) { await pages.respond($0) }
        }
        var health: AdminServer?
        if let port = settings.healthPort {
            health = try await serve("health", dataplane, "127.0.0.1", port) { await pages.respondToProbe($0) }
        }
        var prometheus: AdminServer?
        if let port = settings.prometheusPort {
            prometheus = try await serve("prometheus", dataplane, "127.0.0.1", port) {
                await pages.respondToScrape($0)
            }
        }
        func shown(_ server: AdminServer?) -> String { server.map { "\($0.port)" } ?? "none" }
        logger.info(
            "started",
            metadata: [
                "version": "\(ProgramVersion.text)", "node": "\(settings.nodeID)", "admin": "\(shown(admin))",
                "health": "\(shown(health))", "prometheus": "\(shown(prometheus))",
                "loops": "\(settings.concurrency)",
            ])
        writeRunFile(admin: admin?.port, health: health?.port, prometheus: prometheus?.port, logger)

        var client: XDSClient?
        if let bootstrap = settings.bootstrap {
            let refusals = await hub.load(bootstrap)
            guard refusals.isEmpty else {
                throw ProgramFailure(
                    ExitStatus.badConfiguration, "apus-proxy: cannot start: \(refusals.joined(separator: "; "))")
            }
        } else {
            let (made, certificate) = try makeClient(hub, logger)
            // Before the saved configuration comes: its listeners want it.
            await certificate?.announce()
            client = made
        }
        let reopening = ReopenSignal { dataplane.reopenLogs() }
        defer { reopening.cancel() }
        await withTaskGroup { group in
            if let client { group.addTask { await client.run() } }
            await StopSignal.wait()
            logger.info("stopping", metadata: ["drain": "\(settings.drainTime)s"])
            pages.beginDraining()
            group.cancelAll()
            for await _ in group {}
        }
        await dataplane.drain()
        for server in [health, prometheus] { await server?.stop() }
        await dataplane.waitForConnections(within: .seconds(settings.drainTime))
        await admin?.stop()
        await dataplane.shutDown(within: .zero)
        logger.info("stopped")
    }

    private func makeClient(_ hub: ConfigHub, _ logger: Logger) throws -> (XDSClient, WorkloadCertificate?) {
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
        if let roots = settings.rootCertificates, let folder = settings.stateFolder {
            // The control plane may give chains and clusters of the mesh's mutual TLS to this proxy.
            client.identity.metadata["MUTUAL_TLS"] = "true"
            client.certificate = WorkloadCertificate(
                settings: WorkloadCertificate.Settings(
                    address: address, rootsFile: roots, tokenFile: settings.tokenFile,
                    stateDirectory: folder), log: logger
            ) { await hub.supplyIdentity(chain: $0.chain, key: $0.key, roots: $0.roots) }
        }
        return (XDSClient(settings: client, sink: hub, log: logger), client.certificate)
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

    /// `run.json` in the state folder, and Envoy's address file, say which ports were taken, for those who asked for free
    /// ones.
    private func writeRunFile(admin: Int?, health: Int?, prometheus: Int?, _ logger: Logger) {
        if let path = settings.adminAddressPath, let admin {
            let host = settings.adminAddress.contains(":") ? "[\(settings.adminAddress)]" : settings.adminAddress
            write("\(host):\(admin)", to: path, logger)
        }
        guard let folder = settings.stateFolder else { return }
        let addresses = [
            ("admin", settings.adminAddress, admin), ("health", "127.0.0.1", health),
            ("prometheus", "127.0.0.1", prometheus),
        ].compactMap { name, host, port in
            port.map { "\"\(name)\": \"\(host.contains(":") ? "[\(host)]" : host):\($0)\"" }
        }
        let text = """
            {"pid": \(ProcessInfo.processInfo.processIdentifier), \
            "addresses": {\(addresses.joined(separator: ", "))}}

            """
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            logger.warning("cannot make the state folder", metadata: ["error": "\(error)"])
            return
        }
        write(text, to: folder + "/run.json", logger)
    }

    private func write(_ text: String, to path: String, _ logger: Logger) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            logger.warning("cannot write a file", metadata: ["path": "\(path)", "error": "\(error)"])
        }
    }
}
