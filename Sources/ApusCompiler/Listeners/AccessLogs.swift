internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// Access loggers from MeshConfig `accessLogFile`, `accessLogFormat`, `accessLogEncoding` (semantics 8.2).
struct AccessLogs: Sendable {
    /// For HTTP connection managers and TCP proxies; empty when no log is asked for.
    let forRequests: [Envoy_Config_Accesslog_V3_AccessLog]
    /// For listeners: only connections that no filter chain takes (response flag NR).
    let forUnmatchedConnections: [Envoy_Config_Accesslog_V3_AccessLog]

    /// Istio's default line.
    static let defaultText =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
        + "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
        + "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
        + "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
        + "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
        + "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
        + "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"

    static let defaultJSON: [(String, String)] = [
        ("start_time", "%START_TIME%"),
        ("method", "%REQ(:METHOD)%"),
        ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
        ("protocol", "%PROTOCOL%"),
        ("response_code", "%RESPONSE_CODE%"),
        ("response_flags", "%RESPONSE_FLAGS%"),
        ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
        ("connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"),
        ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
        ("bytes_received", "%BYTES_RECEIVED%"),
        ("bytes_sent", "%BYTES_SENT%"),
        ("duration", "%DURATION%"),
        ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
        ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
        ("user_agent", "%REQ(USER-AGENT)%"),
        ("request_id", "%REQ(X-REQUEST-ID)%"),
        ("authority", "%REQ(:AUTHORITY)%"),
        ("upstream_host", "%UPSTREAM_HOST%"),
        ("upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"),
        ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
        ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
        ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
        ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
        ("route_name", "%ROUTE_NAME%"),
    ]

    init(_ config: MeshConfig) {
        guard !config.accessLogFile.isEmpty else {
            forRequests = []
            forUnmatchedConnections = []
            return
        }
        var file = Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog()
        file.path = config.accessLogFile
        file.logFormat = Self.format(config)
        var log = Envoy_Config_Accesslog_V3_AccessLog()
        log.name = "envoy.access_loggers.file"
        log.typedConfig = Google_Protobuf_Any.packing(file)
        forRequests = [log]
        log.filter.responseFlagFilter.flags = ["NR"]
        forUnmatchedConnections = [log]
    }

    private static func format(_ config: MeshConfig) -> Envoy_Config_Core_V3_SubstitutionFormatString {
        var format = Envoy_Config_Core_V3_SubstitutionFormatString()
        switch config.accessLogEncoding {
        case .text:
            var text = config.accessLogFormat.isEmpty ? defaultText : config.accessLogFormat
            // Envoy writes exactly what the format says, so a format without an end of line makes one endless line.
            if text.utf8.last != UInt8(ascii: "\n") { text += "\n" }
            format.textFormatSource.inlineString = text
        case .json:
            // A format that is no JSON object falls back to the default, as in Istio.
            let written =
                config.accessLogFormat.isEmpty
                ? nil : try? Google_Protobuf_Struct(jsonString: config.accessLogFormat)
            format.jsonFormat =
                written
                ?? Google_Protobuf_Struct(
                    fields: Dictionary(
                        defaultJSON.map { ($0.0, Google_Protobuf_Value(stringValue: $0.1)) },
                        uniquingKeysWith: { first, _ in first }))
        }
        return format
    }
}
