package import NIOCore
internal import NIOPosix

/// Connections over sockets.
package struct SocketConnector: Connector {
    package init() {}

    package func connect(
        to address: NIOCore.SocketAddress, from source: NIOCore.SocketAddress?, timeout: TimeAmount,
        keepsHalfOpen: Bool, handler: any ChannelHandler, on loop: any EventLoop
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
        if case .unixDomainSocket = address {} else {
            bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
        }
        if let source { bootstrap = bootstrap.bind(to: source) }
        return bootstrap.connect(to: address).map { _ in }
    }
}
