internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

extension HTTPConnectionManager {
    private typealias Message = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager

    static func decode(
        _ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager,
        context: inout DecodingContext
    ) throws(Refusal) -> HTTPConnectionManager {
        let codec: Codec
        switch message.codecType {
        case .auto: codec = .automatic
        case .http1: codec = .http1
        case .http2: codec = .http2
        case .http3: throw Refusal.unsupported("codec_type", "HTTP3")
        case .UNRECOGNIZED: throw Refusal("codec_type", "unknown value")
        }
        var working = context
        let routes: RouteSource
        switch message.routeSpecifier {
        case .rds(let rds):
            guard !rds.routeConfigName.isEmpty else { throw Refusal("rds.route_config_name", "empty") }
            try at("rds.config_source") { () throws(Refusal) in try ConfigSourceDecoding.require(rds.configSource) }
            let slot = try at("rds") { () throws(Refusal) in try working.routeTables.slot(rds.routeConfigName) }
            routes = .discovered(name: rds.routeConfigName, slot: slot)
        case .routeConfig(let config):
            routes = .inline(
                try at("route_config") { () throws(Refusal) in
                    try RouteTable(config, version: ContentVersion(0), context: &working)
                })
        case nil: throw Refusal("", "no route configuration")
        }
        let (filters, dormant, router) = try filters(message.httpFilters, context: &working)
        if message.hasRequestIDExtension {
            try at("request_id_extension.typed_config") { () throws(Refusal) in
                let type = Packed.typeName(message.requestIDExtension.typedConfig)
                guard type == "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig" else {
                    throw Refusal.unsupported("", type)
                }
                _ = try Packed.unpack(
                    message.requestIDExtension.typedConfig,
                    as: Envoy_Extensions_RequestId_Uuid_V3_UuidRequestIdConfig.self)
            }
        }
        let manager = HTTPConnectionManager(
            statPrefix: message.statPrefix, codec: codec, routes: routes, filters: filters,
            accessLogs: try each("access_log", message.accessLog) { log throws(Refusal) in try AccessLog.decode(log) },
            identity: try Identity(message), normalization: try Normalization(message), limits: try Limits(message),
            http1: try at("http_protocol_options") { () throws(Refusal) in
                try HTTP1ProtocolOptions(message.httpProtocolOptions, isUpstream: false)
            },
            http2: try at("http2_protocol_options") { () throws(Refusal) in
                try HTTP2ProtocolOptions(message.http2ProtocolOptions)
            },
            timeouts: try Timeouts(message), serverName: message.serverName.isEmpty ? "envoy" : message.serverName,
            serverHeader: try serverHeader(message),
            upgrades: try each("upgrade_configs", message.upgradeConfigs) { upgrade throws(Refusal) in
                guard !upgrade.upgradeType.isEmpty else { throw Refusal("upgrade_type", "empty") }
                return UpgradePolicy(
                    type: upgrade.upgradeType, enabled: !upgrade.hasEnabled || upgrade.enabled.value)
            },
            proxies100Continue: message.proxy100Continue,
            suppressesEnvoyHeaders: router.suppressEnvoyHeaders,
            respectsExpectedTimeout: router.respectExpectedRqTimeout,
            localReplies: message.hasLocalReplyConfig
                ? try at("local_reply_config") { () throws(Refusal) in
                    try LocalReplyPolicy.decode(message.localReplyConfig)
                } : nil,
            earlyMutations: try earlyMutations(message), dormantFilters: dormant)
        guard HTTPSyntax.isSafeValue(manager.serverName.utf8) else {
            throw Refusal("server_name", "has a line break or NUL")
        }
        context = working
        return manager
    }

    private static func earlyMutations(_ message: Message) throws(Refusal) -> [HeaderMutation] {
        var result: [HeaderMutation] = []
        for (index, mutation) in message.earlyHeaderMutationExtensions.enumerated() {
            result += try at("early_header_mutation_extensions[\(index)].typed_config") { () throws(Refusal) in
                let any = mutation.typedConfig
                let type = Packed.typeName(any)
                guard
                    type
                        == Envoy_Extensions_Http_EarlyHeaderMutation_HeaderMutation_V3_HeaderMutation.protoMessageName
                else { throw Refusal.unsupported("", type.isEmpty ? mutation.name : type) }
                let config = try Packed.unpack(
                    any, as: Envoy_Extensions_Http_EarlyHeaderMutation_HeaderMutation_V3_HeaderMutation.self)
                return try each("mutations", config.mutations) { one throws(Refusal) in try HeaderMutation.decode(one) }
            }
        }
        return result
    }

    private static func serverHeader(_ message: Message) throws(Refusal) -> ServerHeader {
        switch message.serverHeaderTransformation {
        case .overwrite: return .overwrite
        case .appendIfAbsent: return .appendIfAbsent
        case .passThrough: return .passThrough
        case .UNRECOGNIZED: throw Refusal("server_header_transformation", "unknown value")
        }
    }

    /// The router ends the list; what stands before it must be known.
    private static func filters(
        _ messages: [Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter],
        context: inout DecodingContext
    ) throws(Refusal) -> ([HTTPFilter], [Bool], Envoy_Extensions_Filters_Http_Router_V3_Router) {
        var filters: [HTTPFilter] = []
        var dormant: [Bool] = []
        guard let last = messages.last,
            Packed.typeName(last.typedConfig) == "envoy.extensions.filters.http.router.v3.Router"
        else { throw Refusal("http_filters", "the last filter must be the router") }
        let router = try at("http_filters[\(messages.count - 1)].typed_config") { () throws(Refusal) in
            try Packed.unpack(last.typedConfig, as: Envoy_Extensions_Filters_Http_Router_V3_Router.self)
        }
        for (index, message) in messages.dropLast().enumerated() {
            var working = context
            let filter = try at("http_filters[\(index)]") { () throws(Refusal) -> HTTPFilter? in
                let key = try working.filters.slot(message.name)
                return try at("typed_config") { () throws(Refusal) -> HTTPFilter? in
                    try HTTPFilter.decode(message, key: key)
                }
            }
            context = working
            if let filter {
                filters.append(filter)
                dormant.append(message.disabled)
            }
        }
        if last.disabled {
            throw Refusal("http_filters[\(messages.count - 1)].disabled", "the router cannot be disabled")
        }
        return (filters, dormant.contains(true) ? dormant : [], router)
    }
}

enum ConfigSourceDecoding {
    /// Only the stream that brought the resource itself.
    static func require(_ source: Envoy_Config_Core_V3_ConfigSource) throws(Refusal) {
        switch source.configSourceSpecifier {
        case .ads, .self_p: return
        case .apiConfigSource: throw Refusal.unsupported("api_config_source")
        case .path, .pathConfigSource:
            throw Refusal.unsupported("", "a configuration source other than ADS")
        case nil: throw Refusal("", "no configuration source")
        }
    }
}

extension HTTPConnectionManager.Identity {
    init(_ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager) throws(Refusal) {
        self.init()
        usesRemoteAddress = message.useRemoteAddress.value
        trustedHops = message.xffNumTrustedHops
        skipsForwardedForAppend = message.skipXffAppend
        guard HTTPSyntax.isSafeValue(message.via.utf8) else { throw Refusal("via", "has a line break or NUL") }
        via = message.via
        generatesRequestID = !message.hasGenerateRequestID || message.generateRequestID.value
        preservesExternalRequestID = message.preserveExternalRequestID
        alwaysSetsRequestIDInResponse = message.alwaysSetRequestIDInResponse
        appendsForwardedPort = message.appendXForwardedPort
        switch message.forwardClientCertDetails {
        case .sanitize: clientCertificate = .sanitize
        case .forwardOnly: clientCertificate = .forwardOnly
        case .appendForward: clientCertificate = .appendForward
        case .sanitizeSet: clientCertificate = .sanitizeSet
        case .alwaysForwardOnly: clientCertificate = .alwaysForwardOnly
        case .UNRECOGNIZED: throw Refusal("forward_client_cert_details", "unknown value")
        }
        let details = message.setCurrentClientCertDetails
        if details.subject.value { certificateDetails.insert(.subject) }
        if details.cert { certificateDetails.insert(.certificate) }
        if details.uri { certificateDetails.insert(.uri) }
        if details.dns { certificateDetails.insert(.dns) }
        internalRanges = try each("internal_address_config.cidr_ranges", message.internalAddressConfig.cidrRanges) {
            range throws(Refusal) in try CIDR(range)
        }
        switch message.schemeHeaderTransformation.transformation {
        case .schemeToOverwrite(let scheme):
            guard scheme == "http" || scheme == "https" else {
                throw Refusal("scheme_header_transformation.scheme_to_overwrite", "neither http nor https")
            }
            schemeOverwrite = scheme
        case nil: schemeOverwrite = nil
        }
        detections = try each("original_ip_detection_extensions", message.originalIpDetectionExtensions) {
            detection throws(Refusal) in try HTTPConnectionManager.AddressDetection.decode(detection)
        }
        if !detections.isEmpty, usesRemoteAddress || trustedHops > 0 {
            throw Refusal(
                "original_ip_detection_extensions", "cannot stand beside use_remote_address and xff_num_trusted_hops")
        }
        if message.streamErrorOnInvalidHTTPMessage.value {
            throw Refusal.unsupported("stream_error_on_invalid_http_message", "keeping a connection with a bad message")
        }
    }
}

extension HTTPConnectionManager.Normalization {
    init(_ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager) throws(Refusal) {
        self.init()
        normalizesPath = message.normalizePath.value
        mergesSlashes = message.mergeSlashes
        switch message.pathWithEscapedSlashesAction {
        case .implementationSpecificDefault, .keepUnchanged: escapedSlashes = .keep
        case .rejectRequest: escapedSlashes = .reject
        case .unescapeAndRedirect: escapedSlashes = .unescapeAndRedirect
        case .unescapeAndForward: escapedSlashes = .unescapeAndForward
        case .UNRECOGNIZED: throw Refusal("path_with_escaped_slashes_action", "unknown value")
        }
        if message.stripAnyHostPort, message.stripMatchingHostPort {
            throw Refusal("strip_any_host_port", "only one of it and strip_matching_host_port may be set")
        }
        stripsPort = message.stripAnyHostPort ? .any : message.stripMatchingHostPort ? .matching : .no
        stripsTrailingHostDot = message.stripTrailingHostDot
    }
}

extension HTTPConnectionManager.Limits {
    init(_ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager) throws(Refusal) {
        self.init()
        let common = message.commonHTTPProtocolOptions
        if message.hasMaxRequestHeadersKb {
            let size = message.maxRequestHeadersKb.value
            guard size > 0, size <= 8192 else { throw Refusal("max_request_headers_kb", "must be from 1 to 8192") }
            maxHeaderBytes = Int(size) << 10
        }
        if common.hasMaxHeadersCount {
            guard common.maxHeadersCount.value > 0 else {
                throw Refusal("common_http_protocol_options.max_headers_count", "must be greater than 0")
            }
            maxHeaders = Int(clamping: common.maxHeadersCount.value)
        }
        maxRequestsPerConnection =
            common.hasMaxRequestsPerConnection && common.maxRequestsPerConnection.value > 0
            ? common.maxRequestsPerConnection.value : nil
        switch common.headersWithUnderscoresAction {
        case .allow: underscores = .allow
        case .rejectRequest: underscores = .reject
        case .dropHeader: underscores = .drop
        case .UNRECOGNIZED:
            throw Refusal("common_http_protocol_options.headers_with_underscores_action", "unknown value")
        }
        if common.hasMaxResponseHeadersKb {
            throw Refusal.unsupported("common_http_protocol_options.max_response_headers_kb")
        }
    }
}

extension HTTPConnectionManager.Timeouts {
    init(_ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager) throws(Refusal) {
        self.init()
        func read(
            _ field: String, _ has: Bool, _ value: Google_Protobuf_Duration, _ target: inout Duration?
        ) throws(Refusal) {
            if has { target = try at(field) { () throws(Refusal) in try value.valueOrOff() } }
        }
        let common = message.commonHTTPProtocolOptions
        try read("stream_idle_timeout", message.hasStreamIdleTimeout, message.streamIdleTimeout, &streamIdle)
        try read("request_timeout", message.hasRequestTimeout, message.requestTimeout, &request)
        try read(
            "request_headers_timeout", message.hasRequestHeadersTimeout, message.requestHeadersTimeout, &requestHeaders)
        try read("drain_timeout", message.hasDrainTimeout, message.drainTimeout, &drain)
        try read("delayed_close_timeout", message.hasDelayedCloseTimeout, message.delayedCloseTimeout, &delayedClose)
        try read(
            "common_http_protocol_options.idle_timeout", common.hasIdleTimeout, common.idleTimeout, &connectionIdle)
        try read(
            "common_http_protocol_options.max_connection_duration", common.hasMaxConnectionDuration,
            common.maxConnectionDuration, &maxConnection)
        try read(
            "common_http_protocol_options.max_stream_duration", common.hasMaxStreamDuration, common.maxStreamDuration,
            &maxStream)
    }
}

extension HTTPConnectionManager.AddressDetection {
    static func decode(
        _ message: Envoy_Config_Core_V3_TypedExtensionConfig
    ) throws(Refusal) -> HTTPConnectionManager.AddressDetection {
        let any = message.typedConfig
        return try at("typed_config") { () throws(Refusal) in
            switch Packed.typeName(any) {
            case "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig":
                let config = try Packed.unpack(
                    any, as: Envoy_Extensions_Http_OriginalIpDetection_Xff_V3_XffConfig.self)
                if config.hasSkipXffAppend, !config.skipXffAppend.value {
                    throw Refusal.unsupported("skip_xff_append", "appending to x-forwarded-for here")
                }
                guard config.hasXffTrustedCidrs else { return .hops(config.xffNumTrustedHops) }
                guard config.xffNumTrustedHops == 0 else {
                    throw Refusal("xff_trusted_cidrs", "only one of it and xff_num_trusted_hops")
                }
                return .trusted(
                    try each("xff_trusted_cidrs.cidrs", config.xffTrustedCidrs.cidrs) { range throws(Refusal) in
                        try CIDR(range)
                    })
            case "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig":
                let config = try Packed.unpack(
                    any, as: Envoy_Extensions_Http_OriginalIpDetection_CustomHeader_V3_CustomHeaderConfig.self)
                let status = config.rejectWithStatus.code.rawValue
                return .header(
                    try at("header_name") { () throws(Refusal) in try HeaderName.decode(config.headerName) },
                    isTrusted: config.allowExtensionToSetAddressAsTrusted,
                    rejection: !config.hasRejectWithStatus
                        ? nil : (400..<600).contains(status) ? UInt16(status) : 403)
            case let type: throw Refusal.unsupported("", type.isEmpty ? message.name : type)
            }
        }
    }
}
