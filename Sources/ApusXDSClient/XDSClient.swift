package import ApusCore
package import ApusDelta
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
package import Logging

/// The proxy's line to the control plane: one delta ADS stream, kept up for as long as `run` runs.
///
/// The machine decides everything; this actor moves bytes, time and chance to it and obeys its answers.
package actor XDSClient {
    package struct Settings: Sendable {
        package var address: ControlPlaneAddress
        /// Who we are to the control plane; nil: no TLS, and nobody.
        package var certificate: WorkloadCertificate?
        package var identity: ProxyIdentity
        /// The version of the proxy program.
        package var version: String
        /// Where the last acknowledged configuration is kept; nil keeps nothing.
        package var stateDirectory: String?
        package var limits = ClientLimits()
        package var backOff = BackOff()
        /// How long a connection may take to come about, its first HTTP/2 frames included.
        package var connectTimeout: Duration = .seconds(10)
        /// A line that says nothing this long is asked whether it is alive, and given up after the time-out.
        package var keepalive: Duration = .seconds(30)
        package var keepaliveTimeout: Duration = .seconds(10)
        /// The least time between two saves.
        package var savePause: Duration = .seconds(1)

        package init(address: ControlPlaneAddress, identity: ProxyIdentity, version: String) {
            self.address = address
            self.identity = identity
            self.version = version
        }
    }

    /// The stream was ended from this side.
    private struct Ended: Error { let reason: String }

    private let settings: Settings
    private let sink: any ConfigSink
    private let log: Logger
    private let onEvent: @Sendable (XDSClientEvent) -> Void
    private let file: HeldStateFile?
    private let origin = ContinuousClock.now
    private var random = SystemRandomNumberGenerator()
    private var machine: DeltaClientMachine
    private var outgoing: AsyncThrowingStream<[UInt8], any Error>.Continuation?
    private let saves: AsyncStream<Void>
    private let saveSignal: AsyncStream<Void>.Continuation
    private var savedGeneration = 0
    private var lastError: String?
    private var connections = 0
    private var replayed: Set<ResourceType> = []

    /// `onEvent` is called in order, from the actor; it must not wait.
    package init(
        settings: Settings, sink: any ConfigSink, log: Logger,
        onEvent: @escaping @Sendable (XDSClientEvent) -> Void = { _ in }
    ) {
        self.settings = settings
        self.sink = sink
        self.log = log
        self.onEvent = onEvent
        let node = settings.identity.node(version: settings.version)
        file = settings.stateDirectory.map { HeldStateFile(directory: $0, node: settings.identity.nodeID) }
        var held = HeldState()
        switch file?.load() {
        case .state(let state):
            held = state
            log.info(
                "found saved configuration",
                metadata: ["resources": "\(state.entries.values.map(\.count).reduce(0, +))"])
        case .unusable(let reason):
            log.warning("saved configuration is ignored", metadata: ["reason": "\(reason)"])
        case .nothing, nil:
            break
        }
        machine = DeltaClientMachine(node: node, held: held, limits: settings.limits, backOff: settings.backOff)
        (saves, saveSignal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Works until the task is cancelled; what is held is saved before it returns.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.keepSaving() }
            if let certificate = settings.certificate { group.addTask { await certificate.maintain() } }
            while !Task.isCancelled {
                switch machine.next(at: now) {
                case .apply(let batch): await judge(batch)
                case .connect:
                    let reason = await stream()
                    machine.disconnected(at: now, using: &random)
                    guard !Task.isCancelled else { break }
                    lastError = reason
                    if case .waiting(let until, let failures) = machine.connection {
                        log.warning(
                            "not connected to the control plane",
                            metadata: [
                                "address": "\(settings.address)", "reason": "\(reason)", "failures": "\(failures)",
                            ])
                        onEvent(.disconnected(reason: reason, until: until))
                    }
                case .wait(let until?):
                    try? await Task.sleep(until: origin + until.sinceOrigin, clock: .continuous)
                case .wait(until: nil), .send, .disconnect:
                    // Only a stream has these, and there is none; go on with a new one, but never in a tight loop.
                    machine.disconnected(at: now, using: &random)
                    try? await Task.sleep(for: .milliseconds(10))
                }
            }
            group.cancelAll()
        }
        await save()
    }

    /// The names of a type that the configuration refers to, in full, outside a verdict.
    package func want(_ type: ResourceType, _ names: Set<String>) async {
        machine.want(type, names)
        // Without a stream there is nobody to tell; the next one begins with what is wanted then.
        guard outgoing != nil else { return }
        do {
            try await drive()
        } catch {
            outgoing?.finish(throwing: error)
        }
    }

    package var status: XDSClientStatus {
        let types = machine.status
        return XDSClientStatus(
            address: settings.address.description, connection: machine.connection, types: types,
            hasConfiguration: [ResourceType.cluster, .listener].allSatisfy { type in
                replayed.contains(type) || types[Int(type.rawValue)].hasAnswer
            }, lastError: lastError, connections: connections)
    }

    // MARK: The stream

    /// One stream from opening to end; the answer is why it ended.
    private func stream() async -> String {
        let (requests, outgoing) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        defer {
            outgoing.finish()
            self.outgoing = nil
        }
        do {
            var config = HTTP2ClientTransport.Posix.Config.defaults
            config.connection.keepalive = .init(
                time: settings.keepalive, timeout: settings.keepaliveTimeout, allowWithoutCalls: false)
            // The transport lives for one stream, and the pauses between streams are the machine's.
            config.connection.maxIdleTime = nil
            // Asked for every time: a certificate may have been renewed since the last connection.
            let security = try await settings.certificate?.security() ?? .plaintext
            let client = GRPCClient(
                transport: try HTTP2ClientTransport.Posix(
                    target: settings.address.target, transportSecurity: security, config: config))
            var options = CallOptions.defaults
            options.waitForReady = false
            options.maxResponseMessageBytes = settings.limits.responseSize
            options.maxRequestMessageBytes = settings.limits.responseSize
            let callOptions = options

            return try await withThrowingTaskGroup(of: String?.self) { group in
                defer { client.beginGracefulShutdown() }
                group.addTask {
                    try await client.runConnections()
                    return nil
                }
                group.addTask { try await self.exchange(client, options: callOptions, requests, outgoing) }
                group.addTask {
                    try await Task.sleep(for: self.settings.connectTimeout)
                    guard await self.outgoing != nil else {
                        throw Ended(reason: "no connection within \(self.settings.connectTimeout)")
                    }
                    return nil
                }
                // The first task with a reason or an error ends the others.
                while let outcome = try await group.next() {
                    if let reason = outcome {
                        group.cancelAll()
                        return reason
                    }
                }
                return "the connection ended"
            }
        } catch let error as Ended {
            return error.reason
        } catch let error as RPCError {
            if let ended = error.cause as? Ended { return ended.reason }
            return error.cause.map { "\(error.message) (\($0))" } ?? error.message
        } catch let error as WorkloadCertificate.Failure {
            return error.description
        } catch {
            return "\(error)"
        }
    }

    private nonisolated func exchange(
        _ client: GRPCClient<HTTP2ClientTransport.Posix>, options: CallOptions,
        _ requests: AsyncThrowingStream<[UInt8], any Error>,
        _ outgoing: AsyncThrowingStream<[UInt8], any Error>.Continuation
    ) async throws -> String {
        let request = StreamingClientRequest<[UInt8]>(metadata: [:]) { writer in
            try await self.opened(outgoing)
            for try await bytes in requests { try await writer.write(bytes) }
        }
        try await client.bidirectionalStreaming(
            request: request,
            descriptor: MethodDescriptor(
                fullyQualifiedService: "envoy.service.discovery.v3.AggregatedDiscoveryService",
                method: "DeltaAggregatedResources"),
            serializer: RawBytesSerializer(), deserializer: RawBytesDeserializer(), options: options
        ) { response in
            for try await message in response.messages { try await self.received(message) }
        }
        return "the control plane ended the stream"
    }

    private func opened(_ outgoing: AsyncThrowingStream<[UInt8], any Error>.Continuation) async throws {
        self.outgoing = outgoing
        connections += 1
        machine.connected(at: now)
        lastError = nil
        log.info("connected to the control plane", metadata: ["address": "\(settings.address)"])
        onEvent(.connected)
        try await drive()
    }

    private func received(_ message: [UInt8]) async throws {
        switch machine.received(message, at: now) {
        case .batch(let type, let added, let removed):
            log.debug(
                "response", metadata: ["type": "\(type.shortName)", "added": "\(added)", "removed": "\(removed)"])
        case .refused(let typeURL, let reason):
            log.warning("refused a response", metadata: ["type": "\(typeURL)", "reason": "\(reason)"])
            onEvent(.refused(typeURL: typeURL, reason: reason))
        case .garbage:
            break
        case .unexpected:
            throw Ended(reason: "a message came out of turn")
        }
        try await drive()
    }

    /// Does what the machine asks for until it waits. Several callers may be in here at once: the machine hands out
    /// every action once, and none while a batch is being judged.
    private func drive() async throws {
        while true {
            switch machine.next(at: now) {
            case .send(let bytes): outgoing?.yield(bytes)
            case .apply(let batch): await judge(batch)
            case .disconnect(let reason): throw Ended(reason: reason)
            case .wait, .connect: return
            }
        }
    }

    private func judge(_ batch: ConfigBatch) async {
        let verdict = await sink.apply(type: batch.type, added: batch.added, removed: batch.removed)
        for refusal in verdict.refusals {
            log.warning(
                "refused configuration",
                metadata: ["type": "\(batch.type.shortName)", "name": "\(refusal.name)", "reason": "\(refusal.reason)"])
        }
        machine.judged(verdict, at: now)
        if batch.origin == .saved { replayed.insert(batch.type) }
        if machine.generation != savedGeneration { saveSignal.yield() }
        onEvent(.applied(batch, verdict))
    }

    private var now: Instant { Instant(sinceOrigin: ContinuousClock.now - origin) }

    // MARK: Saving

    /// Saves soon after a change, and not more often than the pause allows.
    private func keepSaving() async {
        for await _ in saves {
            await save()
            try? await Task.sleep(for: settings.savePause)
        }
    }

    private func save() async {
        guard let file, machine.generation != savedGeneration else { return }
        let generation = machine.generation
        do {
            try await Self.write(machine.held, to: file)
            savedGeneration = max(savedGeneration, generation)
            onEvent(.saved(generation: generation))
        } catch {
            log.error("cannot save the configuration", metadata: ["error": "\(error)"])
        }
    }

    /// A disk that is slow must not hold up the stream.
    @concurrent
    private static func write(_ state: HeldState, to file: HeldStateFile) async throws { try file.save(state) }
}
