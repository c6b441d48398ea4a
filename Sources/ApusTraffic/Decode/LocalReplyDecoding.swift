internal import ApusAPI
internal import SwiftProtobuf

extension LocalReplyPolicy {
    static func decode(
        _ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_LocalReplyConfig
    ) throws(Refusal) -> LocalReplyPolicy {
        LocalReplyPolicy(
            mappers: try each("mappers", message.mappers) { mapper throws(Refusal) in try Self.mapper(mapper) },
            body: message.hasBodyFormat
                ? try at("body_format") { () throws(Refusal) in try Self.body(message.bodyFormat) } : nil)
    }

    private static func mapper(
        _ message: Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_ResponseMapper
    ) throws(Refusal) -> Mapper {
        guard message.hasFilter else { throw Refusal("filter", "missing") }
        var status: UInt16?
        if message.hasStatusCode {
            guard (200..<600).contains(message.statusCode.value) else {
                throw Refusal("status_code", "must be from 200 to 599")
            }
            status = UInt16(message.statusCode.value)
        }
        var text: [UInt8]?
        if message.hasBody {
            switch message.body.specifier {
            case .inlineString(let string): text = Array(string.utf8)
            case .inlineBytes(let bytes): text = Array(bytes)
            case .filename, .environmentVariable, nil:
                throw Refusal.unsupported("body", "a body from outside of the resource")
            }
        }
        return Mapper(
            filter: try at("filter") { () throws(Refusal) in try AccessLog.Filter.decode(message.filter) },
            status: status, text: text,
            body: message.hasBodyFormatOverride
                ? try at("body_format_override") { () throws(Refusal) in try body(message.bodyFormatOverride) } : nil,
            headers: try HeaderOperations(add: message.headersToAdd, remove: [], field: "headers"))
    }

    static func body(_ message: Envoy_Config_Core_V3_SubstitutionFormatString) throws(Refusal) -> Body {
        let format = try AccessLog.format(message)
        let type =
            if !message.contentType.isEmpty {
                message.contentType
            } else if case .json = format {
                "application/json"
            } else {
                "text/plain"
            }
        guard HTTPSyntax.isSafeValue(type.utf8) else { throw Refusal("content_type", "has a line break or NUL") }
        return Body(format: format, contentType: type)
    }
}
