internal import ApusAPI
internal import SwiftProtobuf

extension AccessLog {
    /// Envoy's default text format.
    static let defaultFormat =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
        + "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
        + "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
        + "\"%UPSTREAM_HOST%\"\n"

    static func decode(_ message: Envoy_Config_Accesslog_V3_AccessLog) throws(Refusal) -> AccessLog {
        let filter =
            message.hasFilter
            ? try at("filter") { () throws(Refusal) in try Filter.decode(message.filter) } : nil
        return try at("typed_config") { () throws(Refusal) in
            switch Packed.typeName(message.typedConfig) {
            case "envoy.extensions.access_loggers.file.v3.FileAccessLog":
                let file = try Packed.unpack(
                    message.typedConfig, as: Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog.self)
                guard !file.path.isEmpty else { throw Refusal("path", "empty") }
                let format: Format
                switch file.accessLogFormat {
                case .format(let text): format = .text(try at("format") { () throws(Refusal) in try Self.text(text) })
                case .logFormat(let value):
                    format = try at("log_format") { () throws(Refusal) in try Self.format(value) }
                case nil: format = .text(try Self.text(Self.defaultFormat))
                }
                return AccessLog(sink: .file(file.path), format: format, filter: filter)
            case "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog":
                let stream = try Packed.unpack(
                    message.typedConfig, as: Envoy_Extensions_AccessLoggers_Stream_V3_StdoutAccessLog.self)
                return AccessLog(
                    sink: .standardOutput,
                    format: stream.accessLogFormat == nil
                        ? .text(try Self.text(Self.defaultFormat))
                        : try at("log_format") { () throws(Refusal) in try Self.format(stream.logFormat) },
                    filter: filter)
            case "envoy.extensions.access_loggers.stream.v3.StderrAccessLog":
                let stream = try Packed.unpack(
                    message.typedConfig, as: Envoy_Extensions_AccessLoggers_Stream_V3_StderrAccessLog.self)
                return AccessLog(
                    sink: .standardError,
                    format: stream.accessLogFormat == nil
                        ? .text(try Self.text(Self.defaultFormat))
                        : try at("log_format") { () throws(Refusal) in try Self.format(stream.logFormat) },
                    filter: filter)
            case let type: throw Refusal.unsupported("", type.isEmpty ? message.name : type)
            }
        }
    }

    private static func text(_ text: String) throws(Refusal) -> FormatString { try FormatParser.parse(text) }

    static func format(_ message: Envoy_Config_Core_V3_SubstitutionFormatString) throws(Refusal) -> Format {
        switch message.format {
        case .textFormat(let text): .text(try FormatParser.parse(text, omitsEmpty: message.omitEmptyValues))
        case .jsonFormat(let object): .json(try FormatTree.decode(object, message.omitEmptyValues, depth: 0))
        case .textFormatSource(let source):
            switch source.specifier {
            case .inlineString(let text): .text(try FormatParser.parse(text, omitsEmpty: message.omitEmptyValues))
            case .inlineBytes(let bytes):
                .text(
                    try FormatParser.parse(
                        String(decoding: bytes, as: UTF8.self), omitsEmpty: message.omitEmptyValues))
            case .filename, .environmentVariable, nil:
                throw Refusal.unsupported("text_format_source", "a source that is not inline")
            }
        case nil: throw Refusal("", "no format")
        }
    }
}

extension FormatTree {
    /// Keys are sorted, as Envoy prints them.
    static func decode(_ object: Google_Protobuf_Struct, _ omitsEmpty: Bool, depth: Int) throws(Refusal) -> FormatTree {
        guard depth < 32 else { throw Refusal("json_format", "nested too deeply") }
        var members: [(key: String, value: FormatTree)] = []
        for (key, value) in object.fields.sorted(by: { $0.key < $1.key }) {
            members.append((key, try at(key) { () throws(Refusal) in try decode(value, omitsEmpty, depth: depth + 1) }))
        }
        return .object(members)
    }

    private static func decode(
        _ value: Google_Protobuf_Value, _ omitsEmpty: Bool, depth: Int
    ) throws(Refusal) -> FormatTree {
        guard depth < 32 else { throw Refusal("", "nested too deeply") }
        switch value.kind {
        case .stringValue(let text): return .text(try FormatParser.parse(text, omitsEmpty: omitsEmpty))
        case .numberValue(let number): return .number(number)
        case .boolValue(let flag): return .bool(flag)
        case .structValue(let object): return try decode(object, omitsEmpty, depth: depth + 1)
        case .listValue(let list):
            return .array(
                try each("", list.values) { item throws(Refusal) in try decode(item, omitsEmpty, depth: depth + 1) })
        case .nullValue, nil: return .null
        }
    }
}

extension AccessLog.Filter {
    static func decode(
        _ message: Envoy_Config_Accesslog_V3_AccessLogFilter, depth: Int = 0
    ) throws(Refusal) -> AccessLog.Filter {
        guard depth < 32 else { throw Refusal("", "nested too deeply") }
        func nested(
            _ filters: [Envoy_Config_Accesslog_V3_AccessLogFilter]
        ) throws(Refusal) -> [AccessLog.Filter] {
            try each("filters", filters) { filter throws(Refusal) in try decode(filter, depth: depth + 1) }
        }
        switch message.filterSpecifier {
        case .statusCodeFilter(let filter): return .status(try AccessLog.Comparison(filter.comparison))
        case .durationFilter(let filter): return .duration(try AccessLog.Comparison(filter.comparison))
        case .notHealthCheckFilter: return .notHealthCheck
        case .runtimeFilter(let filter): return .share(try Fraction(filter.percentSampled))
        case .andFilter(let filter): return .all(try nested(filter.filters))
        case .orFilter(let filter): return .any(try nested(filter.filters))
        case .headerFilter(let filter):
            return .header(try at("header_filter.header") { () throws(Refusal) in try HeaderMatch(filter.header) })
        case .responseFlagFilter(let filter):
            var flags: ResponseFlags = []
            for name in filter.flags {
                guard let flag = ResponseFlags(shortName: name) else {
                    throw Refusal("response_flag_filter.flags", "'\(name)' is not a response flag")
                }
                flags.formUnion(flag)
            }
            return .flags(flags)
        case .traceableFilter, .grpcStatusFilter, .extensionFilter, .metadataFilter, .logTypeFilter:
            throw Refusal.unsupported("", "this kind of filter")
        case nil: throw Refusal("", "no filter")
        }
    }
}

extension AccessLog.Comparison {
    init(_ message: Envoy_Config_Accesslog_V3_ComparisonFilter) throws(Refusal) {
        let operation: Operator
        switch message.op {
        case .eq: operation = .equal
        case .ge: operation = .greaterOrEqual
        case .le: operation = .lessOrEqual
        case .ne: operation = .notEqual
        case .UNRECOGNIZED: throw Refusal("comparison.op", "unknown value")
        }
        self.init(operation, UInt64(message.value.defaultValue))
    }
}
