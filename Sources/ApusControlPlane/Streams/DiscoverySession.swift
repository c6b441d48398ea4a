internal import ApusAPI
internal import ApusCompiler
internal import ApusCore
internal import ApusDelta
internal import ApusIdentity
internal import ApusMesh
internal import Foundation
internal import GRPCCore
internal import Logging

/// Services of a control plane that streams share.
struct SessionContext: Sendable {
    let pipeline: Pipeline
    let gate: PushGate
    let metrics: Metrics
    let logger: Logger
    let noncePrefix: String
    let controlPlane: String
    /// Asks callers who they are; nil on the port that needs no proof.
    var authentication: Authentication?
    /// Who signs for workloads without an agent; nil on the port that needs no proof.
    var authority: AuthorityStore?
}

/// The two wire variants differ in where a request names its node.
protocol DiscoveryRequestMessage: Sendable {
    var hasNode: Bool { get }
    var node: Envoy_Config_Core_V3_Node { get }
    var typeURL: String { get }
    /// Names that are asked for.
    var wanted: [String] { get }
}

extension Envoy_Service_Discovery_V3_DeltaDiscoveryRequest: DiscoveryRequestMessage {
    var wanted: [String] { resourceNamesSubscribe }
}

extension Envoy_Service_Discovery_V3_DiscoveryRequest: DiscoveryRequestMessage {
    var wanted: [String] { resourceNames }
}

extension DiscoveryRequestMessage {
    /// The client has nobody else to give it its own certificate. (A separate service's type may be left out.)
    var asksForWorkloadSecrets: Bool {
        (typeURL.isEmpty || typeURL == ResourceType.secret.typeURL)
            && wanted.contains { $0 == WorkloadSecrets.certificateName || $0 == WorkloadSecrets.rootsName }
    }
}

/// The two things a stream does at once.
private enum Half: Sendable { case reading, pushing }

/// One xDS stream: moves messages between gRPC, the stream's machine and the pipeline.
///
/// The actor keeps order; what to say is the machine's business alone.
actor DiscoverySession<Machine: ServerMachine & ~Copyable> where Machine.Request: DiscoveryRequestMessage {
    private var machine: Machine
    private let handle: StreamHandle
    private let context: SessionContext
    private let writer: RPCWriter<[UInt8]>
    private var isPumping = false
    private var mustPumpAgain = false
    private var permit: PushGate.Permit?
    private var timer: Task<Void, Never>?
    private var failure: RPCError?
    private var hasEnded = false
    /// The caller, on the port that asks for proof.
    private let identity: SPIFFEIdentity?
    /// Made when the client first asks for them.
    private var secrets: WorkloadSecrets?
    private var renewal: Task<Void, Never>?

    private init(
        machine: consuming Machine, handle: StreamHandle, identity: SPIFFEIdentity?, context: SessionContext,
        writer: RPCWriter<[UInt8]>
    ) {
        self.identity = identity
        self.machine = machine
        self.handle = handle
        self.context = context
        self.writer = writer
    }

    /// Serves the stream to its end.
    static func serve(
        _ request: StreamingServerRequest<[UInt8]>, scope: StreamScope, isDelta: Bool, server: ServerContext,
        context: SessionContext, writer: RPCWriter<[UInt8]>
    ) async throws {
        let (sessions, handover) = AsyncStream<DiscoverySession>.makeStream()
        try await withThrowingTaskGroup(of: Half.self) { tasks in
            tasks.addTask {
                defer { handover.finish() }
                try await receive(
                    request.messages, metadata: request.metadata, scope: scope, isDelta: isDelta, server: server,
                    context: context, writer: writer,
                    handover: handover)
                return .reading
            }
            // Content is pushed by a task of its own; it ends when the handle is closed.
            tasks.addTask {
                for await session in sessions { try await session.pushLoop() }
                return .pushing
            }
            // A failure of either half ends the stream: a client that is sent away while it is silent leaves too.
            guard try await tasks.next() == .pushing else {
                _ = try await tasks.next()
                return
            }
            // The handle was closed: by the end of reading, or by a server that stops while the client is silent.
            tasks.cancelAll()
            do {
                _ = try await tasks.next()
            } catch is CancellationError {
                throw RPCError(code: .unavailable, message: "the control plane stops")
            }
        }
    }

    private static func receive(
        _ messages: RPCAsyncSequence<[UInt8], any Error>, metadata: Metadata, scope: StreamScope, isDelta: Bool,
        server: ServerContext, context: SessionContext, writer: RPCWriter<[UInt8]>,
        handover: AsyncStream<DiscoverySession>.Continuation
    ) async throws {
        let limits = StreamLimits()
        var iterator = messages.makeAsyncIterator()
        // A client that opens a stream and says nothing must not hold up a stopping server either.
        let opening = try await withRPCCancellationHandler {
            try await iterator.next()
        } onCancelRPC: {
            handover.finish()
        }
        guard let first = opening else { return }
        let request = try decode(first, limits)
        guard request.hasNode else {
            throw RPCError(code: .invalidArgument, message: "the first request of a stream must name its node")
        }
        var proxy: Proxy
        do {
            proxy = try ProxyNode.proxy(from: request.node)
        } catch {
            throw RPCError(code: .invalidArgument, message: error.description)
        }
        var caller: SPIFFEIdentity?
        if let authentication = context.authentication {
            let identity = try authentication.identity(server, metadata, keyDigest: nil)
            try Authentication.check(proxy, is: identity)
            caller = identity
            proxy.hasIdentity = ProxyNode.speaksMutualTLS(request.node)
        }
        guard let handle = await context.pipeline.attach(proxy: proxy, peer: server.remotePeer, isDelta: isDelta) else {
            throw RPCError(code: .unavailable, message: "the first snapshot is not ready yet; try again")
        }
        let settings = StreamSettings(
            scope: scope, limits: limits, noncePrefix: "\(context.noncePrefix)\(handle.id)",
            controlPlane: context.controlPlane, placeholder: Placeholder.resource)
        let session = DiscoverySession(
            machine: Machine(settings: settings, view: handle.view), handle: handle, identity: caller, context: context,
            writer: writer)
        context.logger.debug(
            "a stream begins",
            metadata: ["proxy": "\(proxy.id)", "stream": "\(handle.id)", "peer": "\(server.remotePeer)"])
        do {
            try await session.received(first)
            handover.yield(session)
            handover.finish()
            // A stopping server cancels the call; without this an idle stream would hold it up for ever.
            try await withRPCCancellationHandler {
                while let message = try await iterator.next() { try await session.received(message) }
            } onCancelRPC: {
                handle.close()
            }
        } catch {
            await session.end()
            await context.pipeline.detach(handle)
            throw error
        }
        await session.end()
        await context.pipeline.detach(handle)
    }

    private static func decode(_ bytes: [UInt8], _ limits: StreamLimits) throws -> Machine.Request {
        do {
            return try Machine.decode(bytes, limits: limits)
        } catch {
            throw RPCError(code: .invalidArgument, message: "the request cannot be decoded: \(error)")
        }
    }

    // MARK: Inputs

    private func received(_ bytes: [UInt8]) async throws {
        let request = try Self.decode(bytes, StreamLimits())
        if secrets == nil, let identity, context.authority != nil, request.asksForWorkloadSecrets {
            secrets = WorkloadSecrets(identity: identity)
            machine.update(view: currentView())
        }
        let event = machine.received(request, at: MonotonicClock.now)
        switch event {
        case .acknowledged(let type, let delay):
            context.logger.trace(
                "acknowledged", metadata: ["stream": "\(handle.id)", "type": "\(type.shortName)", "after": "\(delay)"])
            context.metrics.observe(.convergenceTime, delay)
            await releasePermit()
        case .rejected(let rejection):
            context.metrics.rejected(rejection.type)
            await releasePermit()
            await report(rejection)
        case .stale: context.metrics.add(.expiredNonces)
        case .subscribed, .unknownType, .refused: break
        }
        try await pump()
    }

    /// Says which manifest line shaped what a proxy refused.
    private func report(_ rejection: Rejection) async {
        var places: [String] = []
        for source in rejection.sources.prefix(8) {
            if let location = await context.pipeline.location(of: source) { places.append("\(location) (\(source))") }
        }
        context.logger.error(
            "a proxy refused its configuration",
            metadata: [
                "proxy": "\(handle.proxy.id)", "type": "\(rejection.type.shortName)", "reason": "\(rejection.message)",
                "resources": "\(rejection.resources.joined(separator: ", "))",
                "manifests": "\(places.joined(separator: ", "))",
            ])
    }

    private func pushLoop() async throws {
        while await handle.next() != nil {
            let taken = await context.gate.acquire()
            guard !hasEnded else {
                await context.gate.release(taken)
                return
            }
            await releasePermit()
            permit = taken
            // While the permit was waited for, newer content may have come.
            machine.update(view: currentView())
            let sent = try await pump()
            if !sent { await releasePermit() }
        }
    }

    /// What the stream may see now: the mesh's part, and the workload's own secrets if it asked for these.
    private func currentView() -> ResourceView {
        var view = handle.view
        guard secrets != nil, let authority = context.authority else { return view }
        do {
            try secrets?.refresh(from: authority.current, now: Date(), draw: Double.random(in: 0...1))
        } catch {
            context.logger.error(
                "a workload's certificate cannot be made",
                metadata: ["proxy": "\(handle.proxy.id)", "reason": "\(error)"])
        }
        if let secrets {
            view.secrets = .overlay(on: view.secrets, own: secrets.resources, hidden: [])
            renew(at: secrets.due)
        }
        return view
    }

    /// Wakes the stream when its certificate is to be renewed.
    private func renew(at due: Date) {
        renewal?.cancel()
        renewal = Task { [handle] in
            guard (try? await Task.sleep(for: .seconds(max(due.timeIntervalSinceNow, 0.1)))) != nil else { return }
            handle.post(handle.view)
        }
    }

    private func tick() async {
        do { try await pump() } catch { handle.close() }
    }

    private func end() async {
        hasEnded = true
        timer?.cancel()
        renewal?.cancel()
        await releasePermit()
    }

    private func releasePermit() async {
        guard let held = permit else { return }
        permit = nil
        await context.gate.release(held)
    }

    // MARK: Outputs

    /// Does what the machine says until it says wait. One pump at a time: responses leave in the machine's order.
    @discardableResult
    private func pump() async throws -> Bool {
        if let failure { throw failure }
        guard !isPumping else {
            mustPumpAgain = true
            return true
        }
        isPumping = true
        defer { isPumping = false }
        var sent = false
        while true {
            mustPumpAgain = false
            switch machine.next(at: MonotonicClock.now) {
            case .send(let response):
                sent = true
                context.metrics.pushed(
                    response.type, resources: response.resources.count, bytes: response.bytes.count)
                try await writer.write(response.bytes)
            case .wait(let until):
                if mustPumpAgain { continue }
                schedule(until)
                publish()
                return sent
            case .close(let status):
                let code: RPCError.Code = status.code == .invalidArgument ? .invalidArgument : .resourceExhausted
                let error = RPCError(code: code, message: status.message)
                failure = error
                throw error
            }
        }
    }

    private func schedule(_ until: Instant?) {
        timer?.cancel()
        timer = nil
        guard let until else { return }
        timer = Task { [weak self] in
            guard (try? await MonotonicClock.sleep(until: until)) != nil else { return }
            await self?.tick()
        }
    }

    private func publish() {
        let now = MonotonicClock.now
        handle.status = StreamStatus(types: machine.status(at: now), at: now)
    }
}
