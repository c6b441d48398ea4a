internal import ApusTraffic
internal import NIOCore

/// The connection over which a host is asked in HTTP/2: plain requests, or the health service of gRPC.
internal final class HTTP2HealthCheckConnection: HealthCheckConnection {
    private var machine = HTTP2Connection(
        role: .client, options: HTTP2Options(), out: ByteBufferAllocator().buffer(capacity: 1024))
    private var input = ByteBuffer()
    private var stream: HTTP2Stream?
    private var head = HTTPHead()
    private var body: [UInt8] = []
    /// The peer has said goodbye, or the machine has given up.
    private var isEnding = false

    override var isUsable: Bool { super.isUsable && !isEnding && machine.canOpenStream }

    override func opened() { machine.start() }

    override func ask(_ request: HTTPHead, body bytes: [UInt8]) {
        guard let id = machine.openStream(request, endStream: bytes.isEmpty) else { return closeChannel() }
        stream = id
        head = HTTPHead()
        body = []
        isAsking = true
        if !bytes.isEmpty { machine.sendData(id, ByteBuffer(bytes: bytes), endStream: true) }
        flush()
    }

    private func flush() {
        guard machine.out.readableBytes > 0 else { return }
        write(machine.out)
        machine.out = ByteBufferAllocator().buffer(capacity: 1024)
        machine.outputFlushed()
    }

    override func received(_ buffer: inout ByteBuffer, now: NIODeadline) {
        input.append(read: &buffer)
        while let event = machine.next(&input, now: now) { handle(event) }
        flush()
    }

    private func handle(_ event: HTTP2Event) {
        switch event {
        case .head(let id, let facts):
            guard id == stream else { return }
            swap(&head, &machine.head)
            if facts.endStream { complete(trailers: nil) }
        case .data(let id, let data, let endStream):
            machine.consumed(id, data.readableBytes)
            guard id == stream else { return }
            let room = bodyLimit - body.count
            if room > 0 { body += data.readableBytesView.prefix(room) }
            if endStream { complete(trailers: nil) }
        case .trailers(let id):
            guard id == stream else { return }
            complete(trailers: machine.head)
        case .reset(let id, _, _):
            guard id == stream, isAsking else { return }
            // No answer: as if the connection had broken.
            closeChannel()
        case .goAway: isEnding = true
        case .failed:
            isEnding = true
            flush()
            closeChannel()
        case .writable, .settings, .pingAck: break
        }
    }

    private func complete(trailers: HTTPHead?) {
        stream = nil
        answered(head, body: body, trailers: trailers, keepsAlive: !isEnding)
    }
}
