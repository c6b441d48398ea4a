internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension HealthCheckConfig {
    static func decode(_ message: Envoy_Config_Core_V3_HealthCheck) throws(Refusal) -> HealthCheckConfig {
        func time(_ field: String, _ value: Google_Protobuf_Duration) throws(Refusal) -> Duration {
            try at(field) { () throws(Refusal) in try value.positive() }
        }
        guard message.hasTimeout else { throw Refusal("timeout", "missing") }
        guard message.hasInterval else { throw Refusal("interval", "missing") }
        guard message.hasUnhealthyThreshold else { throw Refusal("unhealthy_threshold", "missing") }
        guard message.hasHealthyThreshold else { throw Refusal("healthy_threshold", "missing") }
        let probe: Probe
        switch message.healthChecker {
        case .httpHealthCheck(let http):
            probe = .http(try at("http_health_check") { () throws(Refusal) in try HTTPProbe(http) })
        case .tcpHealthCheck(let tcp):
            probe = .tcp(try at("tcp_health_check") { () throws(Refusal) in try TCPProbe(tcp) })
        case .grpcHealthCheck(let grpc):
            probe = .grpc(try at("grpc_health_check") { () throws(Refusal) in try GRPCProbe(grpc) })
        case nil: throw Refusal("", "no kind of check")
        }
        var config = HealthCheckConfig(
            timeout: try time("timeout", message.timeout), interval: try time("interval", message.interval),
            unhealthyThreshold: message.unhealthyThreshold.value, healthyThreshold: message.healthyThreshold.value,
            probe: probe)
        if message.hasInitialJitter {
            config.initialJitter = try at("initial_jitter") { () throws(Refusal) in try message.initialJitter.value() }
        }
        if message.hasIntervalJitter {
            config.intervalJitter = try at("interval_jitter") { () throws(Refusal) in
                try message.intervalJitter.value()
            }
        }
        config.intervalJitterPercent = message.intervalJitterPercent
        if message.hasAltPort {
            guard let port = UInt16(exactly: message.altPort.value), port > 0 else {
                throw Refusal("alt_port", "not a port")
            }
            config.port = port
        }
        if message.hasReuseConnection { config.reusesConnection = message.reuseConnection.value }
        if message.hasNoTrafficInterval {
            config.noTrafficInterval = try time("no_traffic_interval", message.noTrafficInterval)
        }
        config.noTrafficHealthyInterval =
            message.hasNoTrafficHealthyInterval
            ? try time("no_traffic_healthy_interval", message.noTrafficHealthyInterval) : config.noTrafficInterval
        if message.hasUnhealthyInterval {
            config.unhealthyInterval = try time("unhealthy_interval", message.unhealthyInterval)
        }
        config.unhealthyEdgeInterval =
            message.hasUnhealthyEdgeInterval
            ? try time("unhealthy_edge_interval", message.unhealthyEdgeInterval) : config.unhealthyInterval
        if message.hasHealthyEdgeInterval {
            config.healthyEdgeInterval = try time("healthy_edge_interval", message.healthyEdgeInterval)
        }
        return config
    }
}

extension HealthCheckConfig.HTTPProbe {
    init(_ message: Envoy_Config_Core_V3_HealthCheck.HttpHealthCheck) throws(Refusal) {
        self.init()
        guard !message.path.isEmpty else { throw Refusal("path", "empty") }
        // Both end up in a head, where a line break would begin something else.
        for (field, text) in [("path", message.path), ("host", message.host)]
        where text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            throw Refusal(field, "has a blank or a control character")
        }
        host = message.host
        path = message.path
        switch message.codecClientType {
        case .http1: break
        case .http2: usesHTTP2 = true
        case .http3: throw Refusal.unsupported("codec_client_type", "a check over HTTP/3")
        case .UNRECOGNIZED: throw Refusal("codec_client_type", "unknown value")
        }
        switch message.method {
        case .methodUnspecified, .get: method = "GET"
        case .head: method = "HEAD"
        case .post: method = "POST"
        case .put: method = "PUT"
        case .delete: method = "DELETE"
        case .options: method = "OPTIONS"
        case .trace: method = "TRACE"
        case .patch: method = "PATCH"
        case .connect: throw Refusal("method", "CONNECT asks for a tunnel")
        case .UNRECOGNIZED: throw Refusal("method", "unknown value")
        }
        if message.hasSend {
            guard ["POST", "PUT", "PATCH", "OPTIONS"].contains(method) else {
                throw Refusal("send", "only with POST, PUT, PATCH and OPTIONS")
            }
            body = try at("send") { () throws(Refusal) in try HealthCheckConfig.bytes(message.send) }
        }
        expectedBody = try each("receive", message.receive) { payload throws(Refusal) in
            try HealthCheckConfig.bytes(payload)
        }
        if message.hasResponseBufferSize {
            let size = message.responseBufferSize.value
            // Zero is no limit there; here there is always one.
            bodyLimit = size == 0 ? 1 << 20 : Int(clamping: min(size, 1 << 20))
        }
        headers = try HeaderOperations(
            add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove, field: "request_headers")
        func ranges(_ field: String, _ ranges: [Envoy_Type_V3_Int64Range]) throws(Refusal) -> [Range<Int64>] {
            try each(field, ranges) { range throws(Refusal) in
                guard range.start >= 100, range.start < range.end, range.end <= 600 else {
                    throw Refusal("", "not a range of statuses from 100 to 600")
                }
                return range.start..<range.end
            }
        }
        if !message.expectedStatuses.isEmpty {
            expectedStatuses = try ranges("expected_statuses", message.expectedStatuses)
        }
        retriableStatuses = try ranges("retriable_statuses", message.retriableStatuses)
        if message.hasServiceNameMatcher {
            serviceName = try at("service_name_matcher") { () throws(Refusal) in
                try StringMatch(message.serviceNameMatcher)
            }
        }
    }
}

extension HealthCheckConfig.GRPCProbe {
    init(_ message: Envoy_Config_Core_V3_HealthCheck.GrpcHealthCheck) throws(Refusal) {
        self.init()
        guard !message.authority.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw Refusal("authority", "has a blank or a control character")
        }
        service = message.serviceName
        authority = message.authority
        headers = try HeaderOperations(add: message.initialMetadata, remove: [], field: "initial_metadata")
    }
}

extension HealthCheckConfig.TCPProbe {
    init(_ message: Envoy_Config_Core_V3_HealthCheck.TcpHealthCheck) throws(Refusal) {
        self.init()
        if message.hasSend { send = try at("send") { () throws(Refusal) in try HealthCheckConfig.bytes(message.send) } }
        receive = try each("receive", message.receive) { payload throws(Refusal) in
            try HealthCheckConfig.bytes(payload)
        }
    }
}

extension HealthCheckConfig {
    /// Text is hexadecimal.
    fileprivate static func bytes(
        _ payload: Envoy_Config_Core_V3_HealthCheck.Payload
    ) throws(Refusal) -> [UInt8] {
        switch payload.payload {
        case .binary(let data): return [UInt8](data)
        case .text(let text):
            var bytes: [UInt8] = []
            var high: UInt8?
            for character in text {
                guard let digit = character.hexDigitValue, character.isASCII else {
                    throw Refusal("text", "not hexadecimal")
                }
                if let half = high {
                    bytes.append(half << 4 | UInt8(digit))
                    high = nil
                } else {
                    high = UInt8(digit)
                }
            }
            guard high == nil, !bytes.isEmpty else { throw Refusal("text", "not pairs of hexadecimal digits") }
            return bytes
        case nil: throw Refusal("", "empty")
        }
    }
}
