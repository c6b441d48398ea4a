internal import Glibc

/// One HTTP/2 connection in the clear with many gRPC streams on it, read and written on the caller's thread.
///
/// The client shares the machine with the control plane it measures, so it does only what measuring needs: no header is
/// decoded, and messages are cut out of the read buffer.
final class HTTP2Connection {
    /// The connection or one of its streams ended, which no benchmark survives.
    struct Ended: Error, CustomStringConvertible { let description: String }

    private struct Flow {
        /// Bytes the server lets this stream send.
        var window: Int
        /// Framed messages that wait for window.
        var waiting: [UInt8] = []
        var waitingFrom = 0
        /// A message of which not all frames have come.
        var partial: [UInt8] = []
    }

    let socket: Int32
    private let path: String
    private let authority: String
    private var flows: [Flow] = []
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var outputFrom = 0
    private var window = 65_535
    private var initialWindow = 65_535
    private var frameLimit = 16_384
    private var unreturned = 0

    private static let largestWindow = 0x7fff_ffff

    /// - Parameter address: IPv4, dotted.
    init(address: String, port: UInt16, path: String) throws {
        self.path = path
        authority = "\(address):\(port)"
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = inet_addr(address)
        let connected = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Ended(description: "cannot connect to \(authority): errno \(errno)") }
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        output += Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        // The receive windows are as large as they get: waiting for them is not what is measured.
        frame(type: 4, flags: 0, stream: 0, [0, 4] + Self.bytes(UInt32(Self.largestWindow)))
        frame(type: 8, flags: 0, stream: 0, Self.bytes(UInt32(Self.largestWindow - 65_535)))
    }

    deinit { close(socket) }

    var wantsToWrite: Bool { outputFrom < output.count }

    // MARK: Sending

    /// Opens a gRPC stream; the result is its place among the streams of this connection.
    func open() -> Int {
        let place = flows.count
        flows.append(Flow(window: initialWindow))
        // :method POST and :scheme http from the static table; the others as literals that enter no table.
        var block: [UInt8] = [0x83, 0x86]
        Self.literal(&block, name: [0x04], path)
        Self.literal(&block, name: [0x01], authority)
        Self.literal(&block, name: [0x0f, 0x10], "application/grpc")
        Self.literal(&block, name: [0x00, 2] + Array("te".utf8), "trailers")
        frame(type: 1, flags: 4, stream: Self.number(place), block)
        return place
    }

    func send(_ message: [UInt8], on place: Int) {
        flows[place].waiting.append(0)
        flows[place].waiting += Self.bytes(UInt32(message.count))
        flows[place].waiting += message
        drain(place)
    }

    private func drain(_ place: Int) {
        while flows[place].waitingFrom < flows[place].waiting.count {
            let from = flows[place].waitingFrom
            let size = min(flows[place].waiting.count - from, frameLimit, window, flows[place].window)
            guard size > 0 else { return }
            frame(type: 0, flags: 0, stream: Self.number(place), flows[place].waiting[from..<(from + size)])
            window -= size
            flows[place].window -= size
            flows[place].waitingFrom += size
        }
        flows[place].waiting = []
        flows[place].waitingFrom = 0
    }

    /// Hands what is ready to the kernel.
    func flush() throws {
        while outputFrom < output.count {
            let written = output.withUnsafeBytes { write(socket, $0.baseAddress! + outputFrom, $0.count - outputFrom) }
            if written < 0 {
                if errno == EAGAIN || errno == EINTR { return }
                throw Ended(description: "writing failed: errno \(errno)")
            }
            outputFrom += written
        }
        output.removeAll(keepingCapacity: true)
        outputFrom = 0
    }

    // MARK: Receiving

    /// Reads what is there and gives every complete message to `receive`.
    func read(_ buffer: UnsafeMutableRawBufferPointer, _ receive: (_ place: Int, _ message: [UInt8]) throws -> Void)
        throws
    {
        let count = Glibc.read(socket, buffer.baseAddress, buffer.count)
        if count == 0 { throw Ended(description: "the control plane closed the connection") }
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { return }
            throw Ended(description: "reading failed: errno \(errno)")
        }
        input.append(contentsOf: buffer[..<count])
        var at = 0
        while input.count - at >= 9 {
            let length = Int(input[at]) << 16 | Int(input[at + 1]) << 8 | Int(input[at + 2])
            guard input.count - at >= 9 + length else { break }
            let stream = Int(Self.number(input[(at + 5)..<(at + 9)]) & 0x7fff_ffff)
            try frameArrived(
                type: input[at + 3], flags: input[at + 4], stream: stream, input[(at + 9)..<(at + 9 + length)], receive)
            at += 9 + length
        }
        input.removeFirst(at)
    }

    private func frameArrived(
        type: UInt8, flags: UInt8, stream: Int, _ payload: ArraySlice<UInt8>,
        _ receive: (Int, [UInt8]) throws -> Void
    ) throws {
        let place = (stream - 1) / 2
        switch type {
        case 0:
            guard flags & 8 == 0 else { throw Ended(description: "a padded frame") }
            try dataArrived(place, payload, receive)
            unreturned += payload.count
            if unreturned > Self.largestWindow / 2 {
                frame(type: 8, flags: 0, stream: 0, Self.bytes(UInt32(unreturned)))
                unreturned = 0
            }
            if flags & 1 != 0 { throw Ended(description: "stream \(stream) ended") }
        case 1:
            if flags & 1 != 0 { throw Ended(description: "stream \(stream) ended with trailers") }
        case 3: throw Ended(description: "stream \(stream) was reset with code \(Self.number(payload.prefix(4)))")
        case 4 where flags & 1 == 0:
            settingsArrived(payload)
            frame(type: 4, flags: 1, stream: 0, [])
        case 6 where flags & 1 == 0: frame(type: 6, flags: 1, stream: 0, payload)
        case 7: throw Ended(description: "the control plane sends the connection away")
        case 8:
            let more = Int(Self.number(payload.prefix(4)) & 0x7fff_ffff)
            if stream == 0 {
                window += more
                for place in flows.indices { drain(place) }
            } else if flows.indices.contains(place) {
                flows[place].window += more
                drain(place)
            }
        default: break
        }
    }

    private func dataArrived(
        _ place: Int, _ payload: ArraySlice<UInt8>, _ receive: (Int, [UInt8]) throws -> Void
    ) throws {
        guard flows.indices.contains(place) else { throw Ended(description: "data on an unknown stream") }
        var bytes = payload
        if !flows[place].partial.isEmpty {
            flows[place].partial += payload
            bytes = flows[place].partial[...]
        }
        while bytes.count >= 5 {
            let start = bytes.startIndex
            let length = Int(Self.number(bytes[(start + 1)..<(start + 5)]))
            guard bytes.count >= 5 + length else { break }
            try receive(place, Array(bytes[(start + 5)..<(start + 5 + length)]))
            bytes = bytes.dropFirst(5 + length)
        }
        // Growing in place: a message of a megabyte comes in dozens of frames.
        if bytes.count != flows[place].partial.count { flows[place].partial = Array(bytes) }
    }

    private func settingsArrived(_ payload: ArraySlice<UInt8>) {
        var rest = payload
        while rest.count >= 6 {
            let key = Self.number(rest.prefix(2))
            let value = Int(Self.number(rest.dropFirst(2).prefix(4)))
            switch key {
            case 4:
                for place in flows.indices { flows[place].window += value - initialWindow }
                initialWindow = value
            case 5: frameLimit = value
            default: break
            }
            rest = rest.dropFirst(6)
        }
        for place in flows.indices { drain(place) }
    }

    // MARK: Bytes

    private func frame(type: UInt8, flags: UInt8, stream: UInt32, _ payload: some Collection<UInt8>) {
        output += Self.bytes(UInt32(payload.count)).dropFirst()
        output.append(type)
        output.append(flags)
        output += Self.bytes(stream)
        output += payload
    }

    private static func literal(_ block: inout [UInt8], name: [UInt8], _ value: String) {
        block += name
        block.append(UInt8(value.utf8.count))
        block += value.utf8
    }

    private static func number(_ place: Int) -> UInt32 { UInt32(place * 2 + 1) }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
    }
}
