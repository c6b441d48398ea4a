internal import ApusAPI
internal import SwiftProtobuf

extension HTTP1ProtocolOptions {
    /// - Parameter isUpstream: options of a cluster, of which those about clients are refused, and the other way round.
    init(_ message: Envoy_Config_Core_V3_Http1ProtocolOptions, isUpstream: Bool) throws(Refusal) {
        self.init()
        if message.hasAllowAbsoluteURL, !message.allowAbsoluteURL.value {
            throw Refusal.unsupported("allow_absolute_url", "refusing absolute URLs")
        }
        if isUpstream {
            guard !message.acceptHTTP10 else { throw Refusal("accept_http_10", "only for connections of clients") }
        } else if message.sendFullyQualifiedURL {
            throw Refusal("send_fully_qualified_url", "only for connections to upstreams")
        }
        acceptsHTTP10 = message.acceptHTTP10
        guard HTTPSyntax.isSafeValue(message.defaultHostForHTTP10.utf8) else {
            throw Refusal("default_host_for_http_10", "has a line break or NUL")
        }
        defaultHost = message.defaultHostForHTTP10
        passesTrailers = message.enableTrailers
        sendsAbsoluteURL = message.sendFullyQualifiedURL
        allowsChunkedLength = message.allowChunkedLength
        if message.hasHeaderKeyFormat {
            switch message.headerKeyFormat.headerFormat {
            case .properCaseWords: nameFormat = .properCase
            case .statefulFormatter(let formatter):
                let type = Packed.typeName(formatter.typedConfig)
                guard type == "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
                else { throw Refusal.unsupported("header_key_format.stateful_formatter", type) }
                // Its two fields are about reason phrases and the names the proxy adds; neither exists here.
                guard formatter.typedConfig.value.isEmpty else {
                    throw Refusal.unsupported("header_key_format.stateful_formatter.typed_config", "a field of it")
                }
                nameFormat = .preserved
            case nil: throw Refusal("header_key_format", "no format")
            }
        }
    }
}

extension HTTP2ProtocolOptions {
    init(_ message: Envoy_Config_Core_V3_Http2ProtocolOptions) throws(Refusal) {
        self.init()
        /// The bounds are those of the API.
        func read(
            _ field: String, _ has: Bool, _ value: Google_Protobuf_UInt32Value, from least: UInt32
        ) throws(Refusal) -> UInt32? {
            guard has else { return nil }
            guard value.value >= least, value.value <= 0x7FFF_FFFF else {
                throw Refusal(field, "not from \(least) to 2147483647")
            }
            return value.value
        }
        if message.hasHpackTableSize { hpackTableSize = message.hpackTableSize.value }
        maxConcurrentStreams = try read(
            "max_concurrent_streams", message.hasMaxConcurrentStreams, message.maxConcurrentStreams, from: 1)
        initialStreamWindow = try read(
            "initial_stream_window_size", message.hasInitialStreamWindowSize, message.initialStreamWindowSize,
            from: 65_535)
        initialConnectionWindow = try read(
            "initial_connection_window_size", message.hasInitialConnectionWindowSize,
            message.initialConnectionWindowSize, from: 65_535)
        maxOutboundFrames = try read(
            "max_outbound_frames", message.hasMaxOutboundFrames, message.maxOutboundFrames, from: 1)
        maxOutboundControlFrames = try read(
            "max_outbound_control_frames", message.hasMaxOutboundControlFrames, message.maxOutboundControlFrames,
            from: 1)
        maxConsecutiveEmptyFrames = try read(
            "max_consecutive_inbound_frames_with_empty_payload",
            message.hasMaxConsecutiveInboundFramesWithEmptyPayload,
            message.maxConsecutiveInboundFramesWithEmptyPayload, from: 0)
        maxPriorityFramesPerStream = try read(
            "max_inbound_priority_frames_per_stream", message.hasMaxInboundPriorityFramesPerStream,
            message.maxInboundPriorityFramesPerStream, from: 0)
        maxWindowUpdatesPerDataFrame = try read(
            "max_inbound_window_update_frames_per_data_frame_sent",
            message.hasMaxInboundWindowUpdateFramesPerDataFrameSent,
            message.maxInboundWindowUpdateFramesPerDataFrameSent, from: 1)
        allowsConnect = message.allowConnect
        malformedMessageEndsStream = message.overrideStreamErrorOnInvalidHTTPMessage.value
        if message.hasConnectionKeepalive {
            keepalive = try at("connection_keepalive") { () throws(Refusal) in
                try Keepalive(message.connectionKeepalive)
            }
        }
    }
}

extension HTTP2ProtocolOptions.Keepalive {
    init(_ message: Envoy_Config_Core_V3_KeepaliveSettings) throws(Refusal) {
        func time(_ field: String, _ value: Google_Protobuf_Duration) throws(Refusal) -> Duration {
            let time = try at(field) { () throws(Refusal) in try value.value() }
            guard time >= .milliseconds(1) else { throw Refusal(field, "shorter than a millisecond") }
            return time
        }
        guard message.hasTimeout else { throw Refusal("timeout", "missing") }
        let percent = message.hasIntervalJitter ? message.intervalJitter.value : 15
        guard percent >= 0, percent <= 100 else { throw Refusal("interval_jitter", "not a percentage") }
        self.init(
            interval: message.hasInterval ? try time("interval", message.interval) : nil,
            timeout: try time("timeout", message.timeout), jitterPercent: percent,
            idleInterval: message.hasConnectionIdleInterval
                ? try time("connection_idle_interval", message.connectionIdleInterval) : nil)
    }
}
