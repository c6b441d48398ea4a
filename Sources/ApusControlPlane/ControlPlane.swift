internal import ApusCore
internal import ApusIdentity
internal import ApusModel
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
package import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// `apus serve`: folders in, xDS out.
package struct ControlPlane: Sendable {
    package struct Options: Sendable {
        package var folders: [String] = []
        package var state = ""
        package var address = "127.0.0.1"
        package var xdsPort = 15010
        /// xDS and the certificate service over TLS; nil: not served.
        package var securePort: Int? = 15012
        package var httpPort = 15014
        /// A certificate authority made elsewhere; nil: Apus makes its own below `state`.
        package var authorityFolder: String?
        /// Names in the certificate of the secure port beside the usual ones.
        package var serverNames: [String] = []
        /// `HOST` or `HOST:PORT`: keys of token issuers may be fetched from there over http and at internal addresses.
        package var keyHosts: [String] = []
        /// PEM certificates that fetching keys believes beside those of the system.
        package var keyRoots: String?
        package var debounce: Duration = .milliseconds(10)
        package var mesh = MeshOptions()
        package var version = ""
        package var usesInotify = true

        package init() {}
    }

    /// The control plane cannot start as asked; the message is for people.
    package struct StartFailure: Error, CustomStringConvertible {
        package let description: String
    }

    private let options: Options
    private let logger: Logger

    package init(options: Options, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    /// Serves until `stop` returns, then ends the streams, writes its state and returns.
    package func run(until stop: @escaping @Sendable () async -> Void) async throws {
        let state: StateFolder
        let lock: StateLock
        do {
            state = try StateFolder(options.state)
            lock = try StateLock.take(in: state)
        } catch {
            throw StartFailure(description: error.description)
        }
        defer { withExtendedLifetime(lock) {} }
        let mesh = FolderReading.meshConfig(ObjectTable(), options.mesh)
        guard mesh.isValid else {
            throw StartFailure(
                description: mesh.findings.filter { $0.severity == .error }.map { "\($0.location): \($0.message)" }
                    .joined(separator: "\n"))
        }
        let history = HistoryKeeper(folder: state, logger: logger)
        let metrics = Metrics()
        let pipeline = Pipeline(options: options.mesh, history: history, metrics: metrics, logger: logger)

        let fetching = KeyFetching(
            logger: logger, get: try keyGetter(), deliver: { await pipeline.keysChanged($0) })
        await pipeline.use(fetching)

        // Batches reach the pipeline in the order they were seen; those that wait are merged.
        let mailbox = ChangeMailbox()
        var watch = FolderWatcher.Options()
        watch.debounce = options.debounce
        watch.usesInotify = options.usesInotify
        let watcher = FolderWatcher(roots: options.folders, options: watch, logger: logger) { mailbox.post($0) }
        watcher.start()
        let ingestion = Task { while let batch = await mailbox.next() { await pipeline.ingest(batch) } }
        let settings = options.mesh.meshConfigFile.map { file in
            let mailbox = ChangeMailbox()
            let watcher = FolderWatcher(roots: [file.path], options: watch, logger: logger) { mailbox.post($0) }
            watcher.start()
            Task {
                while let batch = await mailbox.next() {
                    for file in batch { await pipeline.follow(meshConfigFile: file) }
                }
            }
            return (mailbox: mailbox, watcher: watcher)
        }
        defer {
            settings?.watcher.stop()
            settings?.mailbox.close()
        }
        let memoryReturn = Task { await MemoryReturn.run(metrics) }
        defer { memoryReturn.cancel() }

        let group = MultiThreadedEventLoopGroup.singleton
        let pages = DebugPages(pipeline: pipeline, metrics: metrics, version: options.version)
        let pageServer: PageServer
        do {
            pageServer = try await PageServer.start(host: options.address, port: options.httpPort, group: group) {
                await pages.answer($0)
            }
        } catch {
            watcher.stop()
            mailbox.close()
            throw StartFailure(description: "port \(options.httpPort) on \(options.address) cannot be bound: \(error)")
        }

        let context = SessionContext(
            pipeline: pipeline, gate: PushGate(), metrics: metrics, logger: logger,
            noncePrefix: String(UInt32(truncatingIfNeeded: UInt64(Date().timeIntervalSince1970 * 1000)), radix: 36)
                + "-",
            controlPlane: "apus/\(options.version)")
        let services: [any RegistrableRPCService] = [
            DiscoveryServices(context: context),
            ClientStatusService(pipeline: pipeline),
            HealthService(
                pipeline: pipeline,
                known: Set(
                    DiscoveryServices.names + ReflectionService.names
                        + [ClientStatusService.name, HealthService.name])),
            ReflectionService(),
        ]
        let transport = HTTP2ServerTransport.Posix(
            address: Self.socketAddress(options.address, options.xdsPort), transportSecurity: .plaintext,
            config: .defaults { config in
                ServerLimits.apply(&config.connection, &config.rpc, &config.http2)
                config.channelDebuggingCallbacks.onBindTCPListener = { channel in
                    // A thousand proxies that reconnect at once must not wait for SYN retries.
                    channel.setOption(ChannelOptions.backlog, value: 4096)
                }
            })
        let server = GRPCServer(transport: transport, services: services)
        let secure: SecureServer?
        do {
            secure = try secureServer(state: state, context: context, trustDomain: mesh.config.trustDomain)
        } catch {
            watcher.stop()
            mailbox.close()
            throw StartFailure(description: "\(error)")
        }

        try await withThrowingTaskGroup(of: Void.self) { tasks in
            if let secure {
                tasks.addTask {
                    do {
                        try await secure.serve()
                    } catch {
                        throw StartFailure(
                            description:
                                "port \(options.securePort ?? 0) on \(options.address) cannot be served: \(error)")
                    }
                }
            }
            tasks.addTask {
                do {
                    try await server.serve()
                } catch {
                    throw StartFailure(
                        description: "port \(options.xdsPort) on \(options.address) cannot be served: \(error)")
                }
            }
            tasks.addTask {
                // Without an address the other task fails, and says why.
                guard let bound = try? await transport.listeningAddress else { return }
                let host = options.address.contains(":") ? "[\(options.address)]" : options.address
                let xds = "\(host):\(bound.ipv4?.port ?? bound.ipv6?.port ?? options.xdsPort)"
                let http = "\(host):\(pageServer.address?.port ?? options.httpPort)"
                var secureAddress: String?
                if let secure {
                    guard let port = await secure.port else { return }
                    secureAddress = "\(host):\(port)"
                }
                try RunFile(
                    pid: ProcessInfo.processInfo.processIdentifier,
                    addresses: RunFile.Addresses(xds: xds, secure: secureAddress, http: http), version: options.version,
                    folders: options.folders
                ).write(to: state)
                logger.notice(
                    "serving", metadata: ["xds": "\(xds)", "secure": "\(secureAddress ?? "-")", "http": "\(http)"])
                let care = Task { await secure?.maintain { await pipeline.authorityChanged() } }
                await stop()
                care.cancel()
                logger.notice("stopping")
                server.beginGracefulShutdown()
                secure?.stop()
            }
            // The first to end is the stop (or a failure to serve); the other follows.
            try await tasks.next()
            try await tasks.next()
            if secure != nil { try await tasks.next() }
        }
        watcher.stop()
        mailbox.close()
        await ingestion.value
        await fetching.stop()
        await history.flush()
        await pageServer.stop()
        try? FileManager.default.removeItem(atPath: state.file(RunFile.name))
    }

    /// How keys of issuers of tokens are asked for.
    private func keyGetter() throws -> KeyFetching.Get {
        var roots: [NIOSSLCertificate] = []
        if let file = options.keyRoots {
            do {
                roots = try NIOSSLCertificate.fromPEMFile(file)
            } catch {
                throw StartFailure(description: "--jwks-ca \(file) cannot be read as certificates: \(error)")
            }
        }
        let get = HTTPSGet(
            policy: FetchPolicy(allowed: options.keyHosts), roots: roots,
            group: MultiThreadedEventLoopGroup.singleton)
        return { try await get.body(of: $0) }
    }

    /// Port 15012, unless it is not wanted.
    private func secureServer(
        state: StateFolder, context: SessionContext, trustDomain name: String
    ) throws -> SecureServer? {
        guard let port = options.securePort else { return nil }
        guard let trustDomain = TrustDomain(name) else {
            throw StartFailure(description: "\(name) cannot be a trust domain")
        }
        let authority = try AuthorityStore(
            state: state, external: options.authorityFolder, trustDomain: trustDomain, now: Date())
        let tokens = try TokenStore(state: state, trustDomain: trustDomain)
        tokens.prune(now: Date())
        return try SecureServer(
            options: SecureServer.Options(
                address: options.address, port: port, trustDomain: trustDomain,
                rootNamespace: options.mesh.rootNamespace, serverNames: options.serverNames),
            authority: authority,
            services: { callers in
                let authentication = Authentication(callers: callers, tokens: tokens)
                var context = context
                context.authentication = authentication
                context.authority = authority
                return [
                    DiscoveryServices(context: context),
                    CertificateService(
                        authority: authority, authentication: authentication, metrics: context.metrics, logger: logger),
                    HealthService(
                        pipeline: context.pipeline,
                        known: Set(DiscoveryServices.names + [CertificateService.name, HealthService.name])),
                ]
            }, logger: logger)
    }

    private static func socketAddress(
        _ host: String, _ port: Int
    ) -> GRPCNIOTransportHTTP2Posix.SocketAddress {
        host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port)
    }
}
