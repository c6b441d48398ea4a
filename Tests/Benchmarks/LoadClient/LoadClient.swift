internal import ApusAPI
internal import ApusCore
internal import ArgumentParser
internal import Glibc
internal import SwiftProtobuf

/// A crowd of sidecars for benchmarks: delta ADS streams that take and acknowledge everything, and say when the last of
/// them has a resource. Times are nanoseconds of the monotonic clock, which other processes can read too.
///
/// Words on stdin: `await TYPE NAME` resets the counts and waits for that resource on every stream; `counts` says what
/// came since. Answers are lines of JSON on stdout.
@main
struct LoadClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench", abstract: "Many delta ADS streams, for the benchmarks.")

    @Option(help: "HOST:PORT of the control plane's plaintext xDS; HOST is an IPv4 address.")
    var controlPlane: String

    @Option(help: "A file with one workload a line: ADDRESS NAME NAMESPACE.")
    var workloads: String

    @Option(help: "Streams on one connection.")
    var perConnection = 100

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        var crowd = try Crowd(self)
        do {
            try crowd.run()
        } catch let ended as HTTP2Connection.Ended {
            throw ValidationError(ended.description)
        }
    }
}

/// All connections and streams, on one thread.
struct Crowd {
    private var connections: [HTTP2Connection] = []
    private var streams: [[DiscoveryStream]] = []
    private var awaited: (type: ResourceType, name: String)?
    private var missing = 0
    private var isReady = false
    private var commands = ""
    private let began = Crowd.now
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 << 10, alignment: 16)

    init(_ options: LoadClient) throws {
        let parts = options.controlPlane.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else {
            throw ValidationError("--control-plane must be ADDRESS:PORT")
        }
        let names = Names()
        let references = References(names)
        for line in try Self.lines(of: options.workloads) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3 else { throw ValidationError("a workload is ADDRESS NAME NAMESPACE, not \(line)") }
            if streams.last.map({ $0.count >= options.perConnection }) ?? true {
                connections.append(
                    try HTTP2Connection(
                        address: String(parts[0]), port: port,
                        path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"))
                streams.append([])
            }
            let stream = try DiscoveryStream(
                connection: connections[connections.count - 1],
                node: Self.node(address: words[0], name: words[1], namespace: words[2]), names: names,
                references: references)
            streams[streams.count - 1].append(stream)
        }
    }

    private static func node(address: String, name: String, namespace: String) -> Envoy_Config_Core_V3_Node {
        var node = Envoy_Config_Core_V3_Node()
        node.id = "sidecar~\(address)~\(name).\(namespace)~\(namespace).svc.cluster.local"
        node.cluster = "\(name).\(namespace)"
        node.metadata.fields = [
            "NAME": .init(stringValue: name), "NAMESPACE": .init(stringValue: namespace),
            "INSTANCE_IPS": .init(stringValue: address),
        ]
        node.userAgentName = "apus-bench"
        return node
    }

    mutating func run() throws {
        for connection in connections { try connection.flush() }
        while true {
            var sets = connections.map {
                pollfd(fd: $0.socket, events: Int16(POLLIN) | ($0.wantsToWrite ? Int16(POLLOUT) : 0), revents: 0)
            }
            sets.append(pollfd(fd: 0, events: Int16(POLLIN), revents: 0))
            guard poll(&sets, nfds_t(sets.count), -1) >= 0 || errno == EINTR else { return }
            let wasMissing = missing
            for (index, connection) in connections.enumerated() where sets[index].revents != 0 {
                try connection.read(buffer) { place, message in
                    if try streams[index][place].received(message, awaited: awaited, at: Self.now) { missing -= 1 }
                }
                try connection.flush()
            }
            if wasMissing > 0, missing == 0 { sayArrived() }
            if !isReady { becomeReady() }
            if sets[connections.count].revents != 0 {
                guard let text = Self.readSome(0) else { return }
                commands += text
                try obey()
            }
        }
    }

    // MARK: Words

    private mutating func obey() throws {
        while let end = commands.firstIndex(of: "\n") {
            let words = commands[..<end].split(separator: " ")
            commands.removeSubrange(...end)
            switch (words.first, words.count) {
            case ("await", 3):
                guard let type = ResourceType.allCases.first(where: { $0.shortName.lowercased() == words[1] }) else {
                    throw ValidationError("unknown type \(words[1])")
                }
                awaited = (type, String(words[2]))
                missing = 0
                for stream in streams.joined() {
                    stream.counts = .init()
                    missing += 1
                }
                Self.say("{\"event\": \"awaiting\"}")
            case ("counts", 1): sayCounts()
            default: throw ValidationError("unknown words: \(words.joined(separator: " "))")
            }
        }
    }

    private mutating func becomeReady() {
        guard streams.allSatisfy({ $0.allSatisfy(\.isReady) }) else { return }
        isReady = true
        let all = streams.joined().map(\.counts)
        let resources = (0..<4).map { type in all.reduce(0) { $0 + $1.resources[type] } / all.count }
        Self.say(
            "{\"event\": \"ready\", \"nanoseconds\": \(Self.now - began), \"streams\": \(all.count), "
                + "\"bytes_per_stream\": \(all.reduce(0) { $0 + $1.bytes } / all.count), "
                + "\"resources_per_stream\": \(resources)}")
    }

    /// The moment is read after the acknowledgements were handed to the kernel.
    private func sayArrived() {
        let last = Self.now
        let times = streams.joined().map(\.counts.awaitedAt).sorted()
        Self.say(
            "{\"event\": \"arrived\", \"first\": \(times[0]), \"middle\": \(times[times.count / 2]), \"last\": \(last)}"
        )
    }

    private func sayCounts() {
        let all = streams.joined().map(\.counts)
        func range(_ values: [Int]) -> String { "[\(values.min() ?? 0), \(values.max() ?? 0)]" }
        let types = (0..<5).map { type in range(all.map { $0.resources[type] }) }
        Self.say(
            "{\"event\": \"counts\", \"messages\": \(range(all.map(\.messages))), \"bytes\": \(range(all.map(\.bytes))), "
                + "\"removed\": \(range(all.map(\.removed))), \"resources\": [\(types.joined(separator: ", "))]}")
    }

    // MARK: The system

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func say(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { _ = write(1, $0.baseAddress, $0.count) }
    }

    /// Nil at the end of the file.
    private static func readSome(_ file: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    private static func lines(of path: String) throws -> [String] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { throw ValidationError("\(path) cannot be read") }
        defer { close(file) }
        var text = ""
        while let more = readSome(file) { text += more }
        return text.split(separator: "\n").map(String.init)
    }
}
