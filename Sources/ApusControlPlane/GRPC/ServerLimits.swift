internal import GRPCNIOTransportHTTP2Posix

/// What a client may do on either port of xDS.
enum ServerLimits {
    static func apply(
        _ connection: inout HTTP2ServerTransport.Config.Connection, _ rpc: inout HTTP2ServerTransport.Config.RPC,
        _ http2: inout HTTP2ServerTransport.Config.HTTP2
    ) {
        // Clients ping idle ADS streams; the default enforcement would send them away.
        connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(1)
        connection.keepalive.clientBehavior.allowWithoutCalls = true
        connection.keepalive.time = .seconds(60)
        connection.keepalive.timeout = .seconds(20)
        rpc.maxRequestPayloadSize = 16 << 20
        http2.maxConcurrentStreams = 1024
        http2.targetWindowSize = 1 << 20
    }
}
