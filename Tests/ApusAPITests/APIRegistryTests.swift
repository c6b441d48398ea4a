import ApusAPI
import SwiftProtobuf
import Testing

@Suite struct APIRegistryTests {
    @Test("registering twice is the same as once")
    func idempotent() {
        APIRegistry.registerAll()
        APIRegistry.registerAll()
        let url = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
        #expect(Google_Protobuf_Any.messageType(forTypeURL: url) == Envoy_Extensions_Filters_Http_Router_V3_Router.self)
    }

    @Test("each registered message is found by its URL, and none is listed twice", arguments: APIRegistry.messages)
    func found(message: any Message.Type) {
        APIRegistry.registerAll()
        let url = "type.googleapis.com/\(message.protoMessageName)"
        #expect(Google_Protobuf_Any.messageType(forTypeURL: url) == message)
        #expect(APIRegistry.messages.filter { $0 == message }.count == 1)
    }

    @Test("an empty filter in an Any is written with its type URL")
    func emptyFilter() throws {
        APIRegistry.registerAll()
        let filter = try Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter.with {
            $0.name = "envoy.filters.http.cors"
            $0.typedConfig = try Google_Protobuf_Any(message: Envoy_Extensions_Filters_Http_Cors_V3_Cors())
        }
        let json = try filter.jsonString()
        #expect(json.contains(#""@type":"type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors""#))
    }
}
