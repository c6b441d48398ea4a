import ApusAPI
import ApusCompiler
import ApusCore
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct NameTests {
    let host = HostName("my-app.default.svc.cluster.local")

    @Test func `an outbound cluster without a subset has two adjacent bars`() {
        #expect(
            ClusterName.outbound(port: 8080, subset: "", host: host)
                == "outbound|8080||my-app.default.svc.cluster.local")
    }

    @Test func `an outbound cluster name gives its parts back`() throws {
        let parts = try #require(ClusterName.outboundParts(of: "outbound|80|v1|reviews.default.svc.cluster.local"))
        #expect(parts.port == 80)
        #expect(parts.subset == "v1")
        #expect(parts.host.text == "reviews.default.svc.cluster.local")
    }

    @Test(arguments: ["", "outbound|x||a", "inbound|80||a", "outbound|80||", "PassthroughCluster", "outbound|80|a"])
    func `other names are no outbound clusters`(name: String) {
        #expect(ClusterName.outboundParts(of: name) == nil)
    }

    @Test func `an inbound cluster is named by the target port alone`() {
        #expect(ClusterName.inbound(targetPort: 8080) == "inbound|8080||")
    }

    @Test func `the SNI form separates with underscores and dots`() {
        #expect(
            ClusterName.sni(port: 8080, subset: "v1", host: host)
                == "outbound_.8080_.v1_.my-app.default.svc.cluster.local")
    }

    @Test func `gateway routes are named by port, and under TLS by server`() {
        #expect(RouteName.gatewayHTTP(port: 8080) == "http.8080")
        #expect(RouteName.gatewayHTTP(port: 8080, bind: "10.0.0.1") == "http.8080.10.0.0.1")
        let gateway = NamespacedName(namespace: "default", name: "my-gateway")
        #expect(
            RouteName.gatewayHTTPS(port: 443, portName: "https", gateway: gateway)
                == "https.443.https.my-gateway.default")
    }

    @Test func `an encoded Any decodes to its message`() throws {
        let message = XDS.Route.with { $0.name = String(repeating: "r", count: 300) }
        let any = try Google_Protobuf_Any(serializedBytes: encode(message, typeURL: "type.googleapis.com/x.Route"))
        #expect(any.typeURL == "type.googleapis.com/x.Route")
        #expect(try XDS.Route(serializedBytes: any.value) == message)
    }

    @Test func `equal messages give equal bytes whatever the order their maps were filled in`() {
        func message(_ keys: [Int]) -> XDS.Metadata {
            .with { for key in keys { $0.filterMetadata["key\(key)"] = Google_Protobuf_Struct() } }
        }
        let forward = encode(message(Array(0..<50)), typeURL: "t")
        let backward = encode(message(Array((0..<50).reversed())), typeURL: "t")
        #expect(forward == backward)
    }

    @Test func `sources of a result are sorted and each stands once`() {
        let first = ObjectKey(kind: .virtualService, name: NamespacedName(namespace: "b", name: "x"))
        let second = ObjectKey(kind: .service, name: NamespacedName(namespace: "a", name: "y"))
        #expect(Compiled(0, sources: [first, second, first]).sources == [second, first])
    }
}
