import ApusAPI
import ApusCompiler
import ApusMesh
import SwiftProtobuf
import Testing

@Suite("Node to proxy")
struct ProxyNodeTests {
    private func node(_ id: String, _ metadata: [String: Google_Protobuf_Value] = [:]) -> Envoy_Config_Core_V3_Node {
        var node = Envoy_Config_Core_V3_Node()
        node.id = id
        node.metadata.fields = metadata
        return node
    }

    @Test("The id says type, address, name, namespace and domain")
    func id() throws {
        let proxy = try ProxyNode.proxy(from: node("sidecar~10.0.0.7~my-app-abc.prod~prod.svc.cluster.local"))
        #expect(proxy.id == "my-app-abc.prod")
        #expect(proxy.role == .sidecar)
        #expect(proxy.namespace == "prod")
        #expect(proxy.addresses == ["10.0.0.7"])
        #expect(proxy.dnsDomain == "prod.svc.cluster.local")
        #expect(try ProxyNode.proxy(from: node("router~10.0.0.8~gw.istio-system~x")).role == .router)
    }

    @Test(
        "A malformed id is refused with the id in the message",
        arguments: ["", "sidecar~10.0.0.7~a.b", "sidecar~1~2~3~4", "sidecar~10.0.0.7~nodot~d", "sidecar~1~.b~d"])
    func malformed(_ id: String) {
        #expect(throws: NodeError.malformedID(id)) { try ProxyNode.proxy(from: node(id)) }
        #expect(NodeError.malformedID(id).description.contains("\"\(id)\""))
    }

    @Test("Types that are not served are refused", arguments: ["waypoint", "ztunnel", "agentgateway", "pilot"])
    func types(_ type: String) {
        #expect(throws: NodeError.unsupportedType(type)) {
            try ProxyNode.proxy(from: node("\(type)~10.0.0.7~a.b~b.svc.cluster.local"))
        }
    }

    @Test("INSTANCE_IPS replaces the address of the id")
    func addresses() throws {
        let proxy = try ProxyNode.proxy(
            from: node(
                "sidecar~10.0.0.7~a.b~d",
                ["INSTANCE_IPS": Google_Protobuf_Value(stringValue: "10.0.0.8, fd00::8")]))
        #expect(proxy.addresses == ["10.0.0.8", "fd00::8"])
    }

    @Test("Booleans and numbers count as text too")
    func lenientValues() throws {
        for value in [
            Google_Protobuf_Value(boolValue: true), Google_Protobuf_Value(stringValue: "true"),
            Google_Protobuf_Value(stringValue: "1"),
        ] {
            let proxy = try ProxyNode.proxy(
                from: node(
                    "router~10.0.0.7~a.b~d",
                    [
                        "UNPRIVILEGED_POD": value, "HTTP10": value,
                        "HTTP_PROXY_PORT": Google_Protobuf_Value(stringValue: "15080"),
                        "INTERCEPTION_MODE": Google_Protobuf_Value(stringValue: "NONE"),
                        "GENERATOR": Google_Protobuf_Value(stringValue: "grpc"),
                    ]))
            #expect(proxy.isUnprivileged && proxy.http10)
            #expect(proxy.httpProxyPort == 15080)
            #expect(proxy.interception == .none)
            #expect(proxy.generator == .grpc)
        }
        let number = try ProxyNode.proxy(
            from: node("sidecar~1~a.b~d", ["HTTP_PROXY_PORT": Google_Protobuf_Value(numberValue: 3128)]))
        #expect(number.httpProxyPort == 3128)
        let wild = try ProxyNode.proxy(
            from: node("sidecar~1~a.b~d", ["HTTP_PROXY_PORT": Google_Protobuf_Value(numberValue: 1e300)]))
        #expect(wild.httpProxyPort == nil)
    }

    @Test("Labels and place come from the metadata and the node")
    func labels() throws {
        var labels = Google_Protobuf_Struct()
        labels.fields["app"] = Google_Protobuf_Value(stringValue: "a")
        var node = node("sidecar~1~a.b~d", ["LABELS": Google_Protobuf_Value(structValue: labels)])
        node.locality.region = "eu"
        node.locality.zone = "eu-1"
        let proxy = try ProxyNode.proxy(from: node)
        #expect(proxy.labels == ["app": "a"])
        #expect(proxy.locality == Locality(region: "eu", zone: "eu-1"))
    }

    @Test("An id without limits is refused")
    func limits() {
        let id = "sidecar~1~\(String(repeating: "a", count: 5000)).b~d"
        #expect(throws: NodeError.tooLong) { try ProxyNode.proxy(from: node(id)) }
    }
}
