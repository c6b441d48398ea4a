internal import ApusAPI
internal import ApusCore
internal import ApusDelta
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import SwiftProtobuf

/// A control plane of one class of proxies: the server machine behind a real gRPC server on loopback.
final class TestControlPlane: Sendable {
    enum Event: Sendable {
        case opened(nodeID: String)
        case request(RequestEvent)
        case sent(ResourceType, resources: [String])
        case closed
    }

    let journal = Journal<Event>()
    let port: Int
    private let content: Content
    private let task: Task<Void, Never>
    private let shutdown: @Sendable () -> Void

    /// The view, and whom to wake when it changes.
    private actor Content {
        var view: ResourceView
        var sessions: [Int: Session] = [:]
        private var last = 0
        private var isEnding = false

        init(_ view: ResourceView) { self.view = view }

        func add(_ session: Session) async -> Int {
            last += 1
            sessions[last] = session
            if isEnding { await session.end() }
            return last
        }

        func endAll() async {
            isEnding = true
            for session in sessions.values { await session.end() }
        }

        func remove(_ id: Int) { sessions[id] = nil }

        func update(_ view: ResourceView) async {
            self.view = view
            for session in sessions.values { await session.update(view) }
        }

        func sendGarbage() async {
            for session in sessions.values { await session.sendGarbage() }
        }
    }

    private actor Session {
        private var machine: DeltaServerMachine
        private let journal: Journal<Event>
        private let outgoing: AsyncStream<[UInt8]>.Continuation
        private let start = ContinuousClock.now
        private var isFirst = true

        init(view: ResourceView, journal: Journal<Event>, outgoing: AsyncStream<[UInt8]>.Continuation) {
            machine = DeltaServerMachine(settings: StreamSettings(noncePrefix: "t"), view: view)
            self.journal = journal
            self.outgoing = outgoing
        }

        private var now: Instant { Instant(sinceOrigin: ContinuousClock.now - start) }

        func received(_ bytes: [UInt8]) throws {
            let request = try DeltaServerMachine.decode(bytes, limits: StreamLimits())
            if isFirst { journal.append(.opened(nodeID: request.node.id)) }
            isFirst = false
            journal.append(.request(machine.received(request, at: now)))
            drain()
        }

        func update(_ view: ResourceView) {
            machine.update(view: view)
            drain()
        }

        func sendGarbage() { outgoing.yield([0xff, 0xff]) }

        func end() { outgoing.finish() }

        private func drain() {
            while case .send(let response) = machine.next(at: now) {
                journal.append(.sent(response.type, resources: response.resources))
                outgoing.yield(response.bytes)
            }
        }
    }

    private struct Serializer: MessageSerializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
    }

    private struct Deserializer: MessageDeserializer {
        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
            bytes.withUnsafeBytes { Array($0) }
        }
    }

    /// `port` 0 picks a free one.
    init(_ view: ResourceView, port: Int = 0) async throws {
        let content = Content(view)
        self.content = content
        let journal = journal
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        router.registerHandler(
            forMethod: MethodDescriptor(
                fullyQualifiedService: "envoy.service.discovery.v3.AggregatedDiscoveryService",
                method: "DeltaAggregatedResources"),
            deserializer: Deserializer(), serializer: Serializer()
        ) { request, _ in
            let (responses, outgoing) = AsyncStream<[UInt8]>.makeStream()
            let session = Session(view: await content.view, journal: journal, outgoing: outgoing)
            let id = await content.add(session)
            return StreamingServerResponse { writer in
                await withTaskGroup { group in
                    group.addTask {
                        do {
                            for try await bytes in request.messages { try await session.received(bytes) }
                        } catch {}
                        outgoing.finish()
                    }
                    do {
                        for await bytes in responses { try await writer.write(bytes) }
                    } catch {}
                    group.cancelAll()
                }
                await content.remove(id)
                journal.append(.closed)
                return [:]
            }
        }
        let server = GRPCServer(
            transport: HTTP2ServerTransport.Posix(
                address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext),
            router: router)
        task = Task { try? await server.serve() }
        shutdown = { server.beginGracefulShutdown() }
        self.port = try await server.listeningAddress?.ipv4?.port ?? 0
    }

    func update(_ view: ResourceView) async { await content.update(view) }

    func sendGarbage() async { await content.sendGarbage() }

    /// Ends the server and all its streams. Cancelling its task instead would trap in NIO's HTTP/2 multiplexer if a
    /// client opens a stream at that moment: the new channel is dropped without being finished.
    func stop() async {
        shutdown()
        await content.endAll()
        await task.value
    }
}

func letter(_ type: ResourceType, _ name: String, _ content: String = "1") -> EncodedResource {
    var any = Google_Protobuf_Any()
    any.typeURL = type.typeURL
    any.value = Data("\(name)=\(content)".utf8)
    return EncodedResource(name: name, body: (try? any.serializedBytes()) ?? [])
}

func letters(cds: [String: String] = [:], eds: [String: String] = [:], lds: [String: String] = [:]) -> ResourceView {
    func set(_ type: ResourceType, _ contents: [String: String]) -> ResourceSet {
        ResourceSet(type: type, resources: contents.map { letter(type, $0.key, $0.value) })
    }
    return ResourceView(clusters: set(.cluster, cds), endpoints: set(.endpoints, eds), listeners: set(.listener, lds))
}
