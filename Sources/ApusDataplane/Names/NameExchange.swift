internal import ApusDNS
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// One question under way: does what its `DNSQuery` says, with sockets and a timer of the loop.
///
/// Each attempt has a socket of its own. So its port is the kernel's choice, and the kernel drops what comes from any other
/// address than the server's; an answer has to guess the port and the id (RFC 5452).
internal final class NameExchange {
    private let worker: Worker
    private var query: DNSQuery
    private var channel: (any Channel)?
    private var reader: (any NameReader)?
    private var timer: Timer?
    private let counts: StatisticsScope<ResolverStats>
    private var done: ((DNSAnswer) -> Void)?

    private final class Timer: LoopTimer {
        let action: () -> Void

        init(_ action: @escaping () -> Void) { self.action = action }

        override func timerFired(_ now: NIODeadline) { action() }
    }

    init(
        _ query: DNSQuery, on worker: Worker, counts: StatisticsScope<ResolverStats>,
        done: @escaping (DNSAnswer) -> Void
    ) {
        self.worker = worker
        self.query = query
        self.counts = counts
        self.done = done
    }

    func start() {
        var query = query
        let step = query.start(draw: Self.draw())
        self.query = query
        follow(step)
    }

    /// An id that cannot be foretold.
    private static func draw() -> UInt16 {
        var random = SystemRandomNumberGenerator()
        return UInt16.random(in: .min ... .max, using: &random)
    }

    private func take(_ event: DNSQuery.Event, serial: Int) {
        guard done != nil else { return }
        if case .timedOut = event { counts.stats.timeouts += 1 }
        follow(query.take(event, serial: serial, draw: Self.draw()))
    }

    private func follow(_ step: DNSQuery.Step) {
        switch step {
        case .wait: break
        case .send(let attempt):
            endAttempt()
            send(attempt)
        case .done(let answer):
            endAttempt()
            let done = self.done
            self.done = nil
            done?(answer)
        }
    }

    private func endAttempt() {
        if let timer { worker.timers.cancel(timer) }
        timer = nil
        reader?.stop()
        reader = nil
        channel?.close(promise: nil)
        channel = nil
    }

    private func send(_ attempt: DNSQuery.Attempt) {
        let serial = attempt.serial
        let timer = Timer { [self] in take(.timedOut, serial: serial) }
        self.timer = timer
        worker.timers.arm(timer, worker.loop.now + attempt.timeout.timeAmount)
        let bound = NIOLoopBound(self, eventLoop: worker.loop)
        let receive: (DNSQuery.Event) -> Void = { [self] event in take(event, serial: serial) }
        guard let target = attempt.server.socketAddress,
            let connecting = attempt.usesTCP ? stream(to: target, receive) : datagrams(to: target, receive)
        else {
            // Not from within: the machine is to be left first.
            worker.loop.execute { bound.value.take(.unreachable, serial: serial) }
            return
        }
        connecting.whenComplete { result in
            bound.value.connected(result, attempt, target)
        }
    }

    private func connected(
        _ result: Result<any Channel, any Error>, _ attempt: DNSQuery.Attempt, _ target: NIOCore.SocketAddress
    ) {
        switch result {
        case .failure: take(.unreachable, serial: attempt.serial)
        case .success(let channel):
            guard done != nil, query.serial == attempt.serial else { return channel.close(promise: nil) }
            self.channel = channel
            var buffer = channel.allocator.buffer(capacity: attempt.bytes.count + 2)
            if attempt.usesTCP { buffer.writeInteger(UInt16(clamping: attempt.bytes.count)) }
            buffer.writeBytes(attempt.bytes)
            if attempt.usesTCP {
                channel.writeAndFlush(buffer, promise: nil)
            } else {
                channel.writeAndFlush(AddressedEnvelope(remoteAddress: target, data: buffer), promise: nil)
            }
        }
    }

    // MARK: Sockets

    /// nil: the loop has no sockets.
    private func datagrams(
        to target: NIOCore.SocketAddress, _ receive: @escaping (DNSQuery.Event) -> Void
    ) -> EventLoopFuture<any Channel>? {
        DatagramBootstrap(validatingGroup: worker.loop)?
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
            .channelInitializer(install(DatagramReader(receive)))
            .connect(to: target)
    }

    private func stream(
        to target: NIOCore.SocketAddress, _ receive: @escaping (DNSQuery.Event) -> Void
    ) -> EventLoopFuture<any Channel>? {
        ClientBootstrap(validatingGroup: worker.loop)?
            .channelInitializer(install(StreamReader(receive)))
            .connect(to: target)
    }

    /// What reads from now on, and how it comes into its channel.
    private func install(
        _ reader: some ChannelInboundHandler & NameReader
    ) -> @Sendable (any Channel) -> EventLoopFuture<Void> {
        self.reader = reader
        let bound = NIOLoopBound(reader, eventLoop: worker.loop)
        return { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
        }
    }
}

private protocol NameReader: AnyObject {
    /// Nothing that comes from now on is told.
    func stop()
}

private final class DatagramReader: ChannelInboundHandler, NameReader {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private var receive: ((DNSQuery.Event) -> Void)?

    init(_ receive: @escaping (DNSQuery.Event) -> Void) { self.receive = receive }

    func stop() { receive = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data).data
        receive?(.message(Array(buffer.readableBytesView)))
    }

    /// Among others, that nobody listens there.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        receive?(.unreachable)
        context.close(promise: nil)
    }
}

/// Messages behind their lengths (RFC 1035 section 4.2.2).
private final class StreamReader: ChannelInboundHandler, NameReader {
    typealias InboundIn = ByteBuffer

    private var receive: ((DNSQuery.Event) -> Void)?
    private var buffer = ByteBuffer()

    init(_ receive: @escaping (DNSQuery.Event) -> Void) { self.receive = receive }

    func stop() { receive = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        // The first message decides: it is the answer, or the server is given up. So no more than that is ever kept.
        while receive != nil, let message = buffer.readLengthPrefixedSlice(as: UInt16.self) {
            receive?(.message(Array(message.readableBytesView)))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { receive?(.unreachable) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        receive?(.unreachable)
        context.close(promise: nil)
    }
}

extension DNSServer {
    /// nil: there is no interface of that name.
    fileprivate var socketAddress: NIOCore.SocketAddress? {
        guard let zone else { return SocketEndpoint(address: address, port: Int(port)).socketAddress }
        guard if_nametoindex(zone) != 0 else { return nil }
        // The text is an address, so nobody is asked for it; the call knows what the interface's name means.
        return try? NIOCore.SocketAddress.makeAddressResolvingHost("\(address)%\(zone)", port: Int(port))
    }
}
