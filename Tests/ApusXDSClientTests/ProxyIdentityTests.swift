internal import ApusAPI
internal import ApusXDSClient
internal import SwiftProtobuf
internal import Testing

@Suite("Proxy identity")
struct ProxyIdentityTests {
    @Test("the node id has Istio's four parts")
    func nodeID() {
        let sidecar = ProxyIdentity(addresses: ["10.0.0.7", "fd00::7"], name: "my-app", namespace: "shop")
        #expect(sidecar.nodeID == "sidecar~10.0.0.7~my-app.shop~shop.svc.cluster.local")
        var gateway = ProxyIdentity(role: .gateway, addresses: ["10.0.0.8"], name: "gw", namespace: "edge")
        gateway.domainSuffix = "mesh.example"
        #expect(gateway.nodeID == "router~10.0.0.8~gw.edge~edge.svc.mesh.example")
    }

    @Test("the metadata has Istio's keys, and the fields win over free metadata")
    func metadata() {
        var identity = ProxyIdentity(addresses: ["10.0.0.7", "fd00::7"], name: "my-app", namespace: "shop")
        identity.serviceAccount = "robot"
        identity.labels = ["app": "reviews", "version": "v2"]
        identity.metadata = ["CLUSTER_ID": "one", "NAME": "liar"]
        identity.locality = .init(region: "r", zone: "z")
        let node = identity.node(version: "1.2.3")
        let fields = node.metadata.fields
        #expect(fields["NAME"]?.stringValue == "my-app")
        #expect(fields["NAMESPACE"]?.stringValue == "shop")
        #expect(fields["INSTANCE_IPS"]?.stringValue == "10.0.0.7,fd00::7")
        #expect(fields["SERVICE_ACCOUNT"]?.stringValue == "robot")
        #expect(fields["CLUSTER_ID"]?.stringValue == "one")
        #expect(fields["LABELS"]?.structValue.fields["version"]?.stringValue == "v2")
        #expect(node.cluster == "reviews.shop")
        #expect(node.locality.region == "r")
        #expect(node.locality.zone == "z")
        #expect(node.userAgentName == "apus-proxy")
        #expect(node.userAgentVersion == "1.2.3")
    }
}
