internal import ApusAPI
internal import SwiftProtobuf

extension SessionPolicy {
    /// nil: no state is configured.
    static func decode(
        _ message: Envoy_Extensions_Filters_Http_StatefulSession_V3_StatefulSession
    ) throws(Refusal) -> SessionPolicy? {
        guard message.hasSessionState else { return nil }
        let any = message.sessionState.typedConfig
        let carrier = try at("session_state.typed_config") { () throws(Refusal) -> Carrier in
            switch Packed.typeName(any) {
            case "envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState":
                let state = try Packed.unpack(
                    any, as: Envoy_Extensions_Http_StatefulSession_Cookie_V3_CookieBasedSessionState.self)
                let cookie = state.cookie
                return try at("cookie") { () throws(Refusal) in
                    guard !cookie.name.isEmpty, cookie.name.utf8.allSatisfy(HTTPSyntax.isTokenCharacter) else {
                        throw Refusal("name", "not a cookie name")
                    }
                    guard HTTPSyntax.isSafeValue(cookie.path.utf8),
                        cookie.attributes.allSatisfy({
                            HTTPSyntax.isSafeValue($0.name.utf8) && HTTPSyntax.isSafeValue($0.value.utf8)
                        })
                    else { throw Refusal("", "has a line break or NUL") }
                    return .cookie(
                        name: cookie.name, ttl: try at("ttl") { () throws(Refusal) in try cookie.ttl.value() },
                        path: cookie.path, attributes: cookie.attributes.map { ($0.name, $0.value) })
                }
            case "envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState":
                let state = try Packed.unpack(
                    any, as: Envoy_Extensions_Http_StatefulSession_Header_V3_HeaderBasedSessionState.self)
                return .header(try at("name") { () throws(Refusal) in try HeaderName.modifiable(state.name) })
            case let type: throw Refusal.unsupported("", type.isEmpty ? message.sessionState.name : type)
            }
        }
        return SessionPolicy(carrier: carrier, isStrict: message.strict)
    }
}

extension CompressionPolicy {
    static func decode(
        _ message: Envoy_Extensions_Filters_Http_Compressor_V3_Compressor
    ) throws(Refusal) -> CompressionPolicy {
        let any = message.compressorLibrary.typedConfig
        let gzip = try at("compressor_library.typed_config") { () throws(Refusal) -> Gzip in
            guard Packed.typeName(any) == Envoy_Extensions_Compression_Gzip_Compressor_V3_Gzip.protoMessageName else {
                throw Refusal.unsupported("", Packed.typeName(any))
            }
            return try Gzip(Packed.unpack(any, as: Envoy_Extensions_Compression_Gzip_Compressor_V3_Gzip.self))
        }
        let direction = message.responseDirectionConfig
        let common = direction.commonConfig
        return CompressionPolicy(
            gzip: gzip, isEnabled: !common.enabled.hasDefaultValue || common.enabled.defaultValue.value,
            minLength: common.hasMinContentLength ? UInt64(common.minContentLength.value) : 30,
            contentTypes: common.contentType.isEmpty
                ? defaultContentTypes : common.contentType.map { $0.lowercased() },
            disabledByETag: direction.disableOnEtagHeader,
            removesAcceptEncoding: direction.removeAcceptEncodingHeader,
            statusesLeftAlone: try each(
                "response_direction_config.uncompressible_response_codes", direction.uncompressibleResponseCodes
            ) { code throws(Refusal) in
                guard let code = UInt16(exactly: code), (200..<600).contains(code) else {
                    throw Refusal("", "not a status")
                }
                return code
            })
    }
}

extension CompressionPolicy.Gzip {
    init(_ message: Envoy_Extensions_Compression_Gzip_Compressor_V3_Gzip) throws(Refusal) {
        self.init()
        if message.hasMemoryLevel {
            guard (1...9).contains(message.memoryLevel.value) else {
                throw Refusal("memory_level", "must be from 1 to 9")
            }
            memoryLevel = Int32(message.memoryLevel.value)
        }
        if message.hasWindowBits {
            guard (9...15).contains(message.windowBits.value) else {
                throw Refusal("window_bits", "must be from 9 to 15")
            }
            windowBits = Int32(message.windowBits.value)
        }
        let level = message.compressionLevel.rawValue
        guard (0...9).contains(level) else { throw Refusal("compression_level", "unknown value") }
        self.level = level == 0 ? -1 : Int32(level)
        guard (0...4).contains(message.compressionStrategy.rawValue) else {
            throw Refusal("compression_strategy", "unknown value")
        }
        strategy = Int32(message.compressionStrategy.rawValue)
    }
}
