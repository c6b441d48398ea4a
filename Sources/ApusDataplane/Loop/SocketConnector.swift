package import ApusTraffic
package import NIOCore
internal import NIOPosix

/// Connections over sockets.
package struct SocketConnector: Connector {
    package init() {}

    package func connect(
        to address: NIOCore.SocketAddress, from source: NIOCore.SocketAddress?, timeout: TimeAmount,
        keepalive: TCPKeepalive?, keepsHalfOpen: Bool, handler: any ChannelHandler, on loop: any EventLoop
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(handler, eventLoop: loop)
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
            .channelOption(.allowRemoteHalfClosure, value: keepsHalfOpen)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        if case .unixDomainSocket = address {
        } else {
            bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
            for (option, value) in keepalive?.socketOptions ?? [] {
                bootstrap = bootstrap.channelOption(option, value: value)
            }
        }
        if let source { bootstrap = bootstrap.bind(to: source) }
        return bootstrap.connect(to: address).map { _ in }
    }
}

extension TCPKeepalive {
    /// Linux allows 32767 seconds and 127 probes; more means that much.
    package var socketOptions: [(ChannelOptions.Types.SocketOption, Int)] {
        guard isOn else { return [] }
        func option(_ name: CInt) -> ChannelOptions.Types.SocketOption {
            .init(level: .tcp, name: .init(rawValue: name))
        }
        var options: [(ChannelOptions.Types.SocketOption, Int)] = [(.init(level: .socket, name: .so_keepalive), 1)]
        // TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT of Linux.
        if let time { options.append((option(4), Int(min(time, 32767)))) }
        if let interval { options.append((option(5), Int(min(interval, 32767)))) }
        if let probes { options.append((option(6), Int(min(probes, 127)))) }
        return options
    }
}
