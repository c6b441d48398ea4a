internal import ApusCore
internal import ApusDelta
internal import ApusXDSClient
internal import Foundation
internal import Logging
internal import Synchronization
internal import Testing

@Suite("xDS client over a real line", .timeLimit(.minutes(2)))
struct XDSClientTests {
    /// A client with its sink, journal and running task.
    private struct Proxy {
        let client: XDSClient
        let sink = LetterSink()
        let journal = Journal<XDSClientEvent>()
        let lines = LogLines()
        private let task: Task<Void, Never>

        init(port: Int, host: String = "127.0.0.1", state: String? = nil, connectTimeout: Duration = .seconds(10)) {
            var settings = XDSClient.Settings(
                address: ControlPlaneAddress("\(host):\(port)") ?? .host(host, port: port),
                identity: ProxyIdentity(addresses: ["10.0.0.7"], name: "a", namespace: "ns"), version: "0")
            settings.stateDirectory = state
            settings.savePause = .zero
            settings.connectTimeout = connectTimeout
            settings.backOff = BackOff(base: .milliseconds(10), most: .milliseconds(100))
            let journal = journal
            let client = XDSClient(settings: settings, sink: sink, log: lines.logger) { journal.append($0) }
            self.client = client
            task = Task { await client.run() }
        }

        func stop() async {
            task.cancel()
            await task.value
        }

        func applied(_ type: ResourceType, origin: ConfigBatch.Origin = .server) async -> (ConfigBatch, Verdict)? {
            let event = await journal.next("a batch of \(type.shortName)") {
                if case .applied(let batch, _) = $0 { batch.type == type && batch.origin == origin } else { false }
            }
            guard case .applied(let batch, let verdict) = event else { return nil }
            return (batch, verdict)
        }

        func disconnected() async -> String? {
            let event = await journal.next("a loss") { if case .disconnected = $0 { true } else { false } }
            guard case .disconnected(let reason, _) = event else { return nil }
            return reason
        }

        func connected() async {
            _ = await journal.next("a connection") { if case .connected = $0 { true } else { false } }
        }
    }

    private func acknowledged(_ plane: TestControlPlane, _ type: ResourceType) async {
        _ = await plane.journal.next("an ACK of \(type.shortName)") {
            if case .request(.acknowledged(type, _)) = $0 { true } else { false }
        }
    }

    private func temporaryFolder() -> String {
        FileManager.default.temporaryDirectory.appending(path: "apus-xds-\(UUID().uuidString)").path(
            percentEncoded: false)
    }

    @Test("configuration comes, is applied in order and acknowledged; derived names are asked for")
    func firstConfiguration() async throws {
        let plane = try await TestControlPlane(letters(cds: ["a": "1"], eds: ["a": "e"], lds: ["l": "1"]))
        let proxy = Proxy(port: plane.port)
        let opened = await plane.journal.next("a stream") { if case .opened = $0 { true } else { false } }
        guard case .opened("sidecar~10.0.0.7~a.ns~ns.svc.cluster.local") = opened else {
            Issue.record("\(String(describing: opened))")
            return
        }
        await acknowledged(plane, .cluster)
        await acknowledged(plane, .endpoints)
        let contents = await proxy.sink.contents
        #expect(contents[.cluster] == ["a": "1"])
        #expect(contents[.endpoints] == ["a": "e"])
        #expect(contents[.listener] == ["l": "1"])
        let status = await proxy.client.status
        #expect(status.hasConfiguration)
        #expect(status.connections == 1)
        #expect(status.lastError == nil)
        #expect(status.types[0].held == 1)
        await proxy.stop()
        await plane.stop()
    }

    @Test("a change is pushed and acknowledged; a refused one is told with name and reason")
    func changeAndRefusal() async throws {
        let plane = try await TestControlPlane(letters(cds: ["alpha": "1"]))
        let proxy = Proxy(port: plane.port)
        await acknowledged(plane, .cluster)
        await plane.update(letters(cds: ["alpha": "2"]))
        await acknowledged(plane, .cluster)
        #expect(await proxy.sink.contents[.cluster] == ["alpha": "2"])
        await plane.update(letters(cds: ["alpha": "bad", "beta": "1"]))
        let event = await plane.journal.next("a NACK") { if case .request(.rejected) = $0 { true } else { false } }
        guard case .request(.rejected(let rejection)) = event else { return }
        #expect(rejection.message == "alpha: is bad")
        #expect(rejection.resources == ["alpha"])
        #expect(await proxy.sink.contents[.cluster] == ["alpha": "2", "beta": "1"])
        await proxy.stop()
        await plane.stop()
    }

    @Test("a control plane that dies and comes back pushes nothing that is unchanged")
    func controlPlaneRestart() async throws {
        let before = letters(cds: ["a": "1", "b": "1"], eds: ["a": "e", "b": "e"], lds: ["l": "1"])
        let plane = try await TestControlPlane(before)
        let proxy = Proxy(port: plane.port)
        await acknowledged(plane, .listener)
        // Asked for after the clusters came, so answered last.
        await acknowledged(plane, .endpoints)
        await plane.stop()
        _ = await proxy.disconnected()
        #expect(await proxy.sink.contents[.cluster] == ["a": "1", "b": "1"], "what was applied stays")

        let second = try await TestControlPlane(before, port: plane.port)
        await proxy.connected()
        // The one change after the restart is the only thing that travels.
        _ = await second.journal.next("the listener subscription") {
            if case .request(.subscribed(.listener)) = $0 { true } else { false }
        }
        await second.update(letters(cds: ["a": "1", "b": "1"], eds: ["a": "e", "b": "e2"], lds: ["l": "1"]))
        await acknowledged(second, .endpoints)
        let sent = await second.journal.all.compactMap { event -> [String]? in
            if case .sent(let type, let resources) = event { [type.shortName] + resources } else { nil }
        }
        #expect(sent == [["eds", "b"]])
        #expect(await proxy.sink.contents[.endpoints] == ["a": "e", "b": "e2"])
        await proxy.stop()
        await second.stop()
    }

    @Test("a proxy that starts while the control plane is away has its last configuration")
    func startFromDisk() async throws {
        let state = temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: state) }
        let content = letters(cds: ["a": "1"], eds: ["a": "e"], lds: ["l": "1"])
        let plane = try await TestControlPlane(content)
        let first = Proxy(port: plane.port, state: state)
        await acknowledged(plane, .listener)
        // Asked for after the clusters came, so answered last.
        await acknowledged(plane, .endpoints)
        await first.stop()
        await plane.stop()

        let second = Proxy(port: plane.port, state: state)
        #expect(await second.applied(.listener, origin: .saved) != nil)
        #expect(await second.disconnected() != nil)
        #expect(await second.client.status.hasConfiguration)
        let kept = await second.sink.contents
        #expect(kept[.cluster] == ["a": "1"])
        #expect(kept[.endpoints] == ["a": "e"])
        #expect(kept[.listener] == ["l": "1"])

        // Back again, it is told nothing that it has.
        let again = try await TestControlPlane(content, port: plane.port)
        await second.connected()
        _ = await again.journal.next("the listener subscription") {
            if case .request(.subscribed(.listener)) = $0 { true } else { false }
        }
        let sent = await again.journal.all.filter { if case .sent = $0 { true } else { false } }
        #expect(sent.isEmpty)
        await second.stop()
        await again.stop()
    }

    @Test("a damaged state file is ignored with a line in the log, and replaced")
    func damagedState() async throws {
        let state = temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: state) }
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let path = state + "/" + HeldStateFile.fileName
        try Data("apusxds\u{1}garbage and more garbage".utf8).write(to: URL(filePath: path))
        let plane = try await TestControlPlane(letters(cds: ["a": "1"]))
        let proxy = Proxy(port: plane.port, state: state)
        await acknowledged(plane, .cluster)
        await proxy.stop()
        await plane.stop()
        #expect(proxy.lines.all.contains { $0.contains("saved configuration is ignored") && $0.contains("damaged") })
        let file = HeldStateFile(directory: state, node: "sidecar~10.0.0.7~a.ns~ns.svc.cluster.local")
        guard case .state(let held) = file.load() else {
            Issue.record("\(file.load())")
            return
        }
        #expect(held[.cluster].keys.sorted() == ["a"])
    }

    @Test("a response of many megabytes passes")
    func largeResponse() async throws {
        let content = String(repeating: "x", count: 12 << 20)
        let plane = try await TestControlPlane(letters(cds: ["a": content]))
        let proxy = Proxy(port: plane.port)
        await acknowledged(plane, .cluster)
        #expect(await proxy.sink.contents[.cluster]?["a"]?.utf8.count == 12 << 20)
        await proxy.stop()
        await plane.stop()
    }

    @Test("a server that talks nonsense is left, and tried again")
    func garbage() async throws {
        let plane = try await TestControlPlane(letters(cds: ["a": "1"]))
        let proxy = Proxy(port: plane.port)
        await acknowledged(plane, .cluster)
        await plane.sendGarbage()
        #expect(await proxy.disconnected() == "the server sent what is no discovery response")
        await proxy.connected()
        await proxy.stop()
        await plane.stop()
    }

    @Test("a control plane may be named by its host")
    func hostName() async throws {
        let plane = try await TestControlPlane(letters(cds: ["a": "1"]))
        let proxy = Proxy(port: plane.port, host: "localhost")
        await acknowledged(plane, .cluster)
        await proxy.stop()
        await plane.stop()
    }

    @Test("a server that accepts and then says nothing is given up")
    func muteServer() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = listen(listener, 16)
                _ = getsockname(listener, $0, &length)
            }
        }
        let proxy = Proxy(port: Int(UInt16(bigEndian: address.sin_port)), connectTimeout: .milliseconds(100))
        for _ in 0..<2 { #expect(await proxy.disconnected() == "no connection within 0.1 seconds") }
        await proxy.stop()
    }

    @Test("a client that is stopped while it waits for the control plane stops at once")
    func stopWhileWaiting() async throws {
        let plane = try await TestControlPlane(letters(cds: ["a": "1"]))
        let proxy = Proxy(port: plane.port)
        await acknowledged(plane, .cluster)
        let before = ContinuousClock.now
        await proxy.stop()
        #expect(before.duration(to: .now) < .seconds(5))
        _ = await plane.journal.next("the end of the stream") { if case .closed = $0 { true } else { false } }
        await plane.stop()
    }

    @Test("a control plane that is not there is tried again and again, with words in the log")
    func nobodyThere() async throws {
        let plane = try await TestControlPlane(letters())
        await plane.stop()
        let proxy = Proxy(port: plane.port)
        for _ in 0..<3 { #expect(await proxy.disconnected() != nil) }
        #expect(await proxy.client.status.lastError != nil)
        #expect(await proxy.client.status.hasConfiguration == false)
        #expect(proxy.lines.all.contains { $0.contains("not connected to the control plane") })
        await proxy.stop()
    }
}

/// A logger whose lines a test can read.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(lines: self) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
